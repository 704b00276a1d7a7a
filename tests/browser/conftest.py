"""The site, built once and served; the system's Chromium; and pages that fail a test for what a reader would not see.

A page fails its test at the end for a request to another host than 127.0.0.1, for an uncaught error of a script and
for an error on the console, whatever the test itself looks at.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running.trace import trace
from scripts.model import Corpus
from tests.browser.site import SiteServer, build, make_root, serving
from tests.conftest import ROOT, fields
from tests.reference_impls.recorded.test_benchmark import RIGHT, WRONG, once, recording
from tests.scripts.render import measured, recordings
from tests.scripts.render.figures.test_steps import file_of

# the shell first: the same engine without a window, which takes two thirds of the processor time
COMMANDS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = (
    "no Chromium found: install one (Debian, Ubuntu: apt install chromium; macOS: brew install --cask chromium; any"
    " system: .venv/bin/playwright install chromium), or name one by ATLAS_CHROMIUM=/path/to/chromium"
)
PATIENCE_MS = 60_000  # how long a condition may take to come true on a busy machine
DESKTOP, PHONE = (1280, 800), (375, 740)
Scheme = Literal["light", "dark"]
SCHEMES: dict[Scheme, str] = {"dark": "slate", "light": "default"}  # and the theme's names

# page kind -> address; `{unverified}` is the key of some unverified entry
ADDRESSES = {
    "home": "/",
    "taxonomy": "/taxonomy/",
    "stage": "/taxonomy/during/",
    "category": "/taxonomy/during/token-level/",
    "glossary": "/glossary/",
    "explorer": "/papers/",
    "paper": "/papers/ong2024routellm/",
    "unverified": "/papers/{unverified}/",
    "authors": "/authors/z/",
    "data": "/data/",
    "methods": "/methods/",
    "method": "/methods/knn-router/",
    "reference": "/reference/core/",
    "recorded": "/recorded/",
    "recording": "/recorded/routerarena/",
    "play": "/play/",
    "learn": "/learn/",
    "choose": "/choose/?see=text&labels=some",
    "compare": "/compare/?m=knn-router,frugalgpt,majority-vote",
    "related": "/related-work/?p=ong2024routellm,chen2023frugalgpt",
    "calculator": "/calculator/",
    "trends": "/trends/",
    "comparisons": "/comparisons/?set=wang2024moa,chen2024routerdc",
    "results": "/results/",
    "claims": "/claims/",
    "claim": "/claims/some-ensemble-beats-best-member/",
    "benchmarks": "/benchmarks/",
    "benchmark": "/benchmarks/math/",
    "contribute": "/contribute/",
    "entry form": "/contribute/form/",
    "about": "/about/",
}


def built_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that is made once for all workers of a run."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which they have in common
    made, done = folder / name, folder / f"{name}.done"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(made)
            done.touch()
    return made


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real site, with neither address set."""
    return built_once(tmp_path_factory, "built", lambda site: build(ROOT, site))


@pytest.fixture(scope="session")
def planted_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    """A site of two papers, built where npm is not, with the planted results of `measured`, the recordings of
    `recordings` and one method with a trace of four frames."""

    def make(folder: Path) -> None:
        root = make_root(folder / "atlas", {"doe2024a": fields(), "ong2024routellm": fields(title="Of a recording")})
        measured.write(root)
        recordings.write(root)
        [made] = trace("majority-vote", RecordedBenchmark(recording([once(a=RIGHT, b=RIGHT, c=WRONG)])), ["q0"])
        traces = root / "reference_impls" / "results" / "traces"
        traces.mkdir(parents=True, exist_ok=True)
        (traces / "majority-vote.json").write_text(json.dumps(file_of(made)), encoding="utf-8")
        build(root, folder / "site")

    with serving(built_once(tmp_path_factory, "planted", make) / "site") as server:
        yield server


@pytest.fixture(scope="session")
def site(built: Path) -> Iterator[SiteServer]:
    """The real site on a real web server."""
    with serving(built) as server:
        yield server


@pytest.fixture(scope="session")
def addresses(corpus: Corpus) -> dict[str, str]:
    """Page kind to address on the real site."""
    unverified = next(key for key, paper in corpus.papers.items() if paper.checked is None)
    return {kind: address.format(unverified=unverified) for kind, address in ADDRESSES.items()}


@cache
def find_chromium() -> str | None:
    """Path of the Chromium to test with. ATLAS_CHROMIUM wins and must be right where it is set."""
    if named := os.environ.get("ATLAS_CHROMIUM"):
        found = shutil.which(named)
        assert found, f"ATLAS_CHROMIUM names no program: {named}"
        return found
    if found := next(filter(None, map(shutil.which, COMMANDS)), None):
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips browser tests here, before any fixture, so that the summary names the reason once for all of them."""
    if item.get_closest_marker("browser") and not find_chromium():
        pytest.skip(NO_BROWSER)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all tests, which can reach this machine only."""
    with sync_playwright() as playwright:
        arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium refuses to run as root with it
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What the pages of one test did behind the reader's back."""

    requested: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)  # regular expressions of console errors that the test provokes

    def faults(self) -> list[str]:
        """Everything that must not have happened."""
        foreign = [
            url
            for url in self.requested
            if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1"
        ]
        unexpected = [
            text for text in self.console_errors if not any(re.search(form, text) for form in self.expected)
        ]
        return [
            *(f"request to a foreign host: {url}" for url in foreign),
            *(f"uncaught error: {text}" for text in self.page_errors),
            *(f"error on the console: {text}" for text in unexpected),
        ]


def follow(context: BrowserContext, current: Callable[[], Watch]) -> None:
    """Reports every page of `context`, also those that a script opens, to the watch of the running test."""

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            current().console_errors.append(f"{message.text} ({message.location['url']})")

    context.on("request", lambda request: current().requested.append(request.url))
    context.on("weberror", lambda error: current().page_errors.append(str(error.error)))
    context.on("console", listen)


class NewPage(Protocol):
    """Opens a page in a browser context of its own: nothing cached, nothing stored."""

    def __call__(self, *, size: tuple[int, int] = DESKTOP, url: str | None = None, **options: Any) -> Page: ...


class Tab(Protocol):
    """Opens a page in a tab that was used before; the cache is warm, but nothing is stored."""

    def __call__(
        self, *, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light", url: str | None = None
    ) -> Page: ...


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the test's pages did; it must be nothing bad."""
    watch = Watch()
    yield watch
    assert not watch.faults(), "\n".join(watch.faults())


def new_context(browser: Browser, url: str, **options: Any) -> BrowserContext:
    """A profile of its own for the site at `url`."""
    context = browser.new_context(base_url=url, locale="en-GB", reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture
def new_page(browser: Browser, site: SiteServer, watch: Watch) -> Iterator[NewPage]:
    """Pages of the real site, or of the one at `url`, in contexts of their own."""
    contexts = []

    def open_page(*, size: tuple[int, int] = DESKTOP, url: str | None = None, **options: Any) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = new_context(browser, url or site.url, viewport=viewport, **options)
        contexts.append(context)
        follow(context, lambda: watch)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


class Tabs:
    """One tab a site, kept from test to test: a page opens four times as fast as in a new context."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.watch = Watch()
        self.pages: dict[str, Page] = {}

    def open(self, url: str) -> Page:
        """The tab of the site at `url`."""
        if url not in self.pages:
            context = new_context(self.browser, url)
            follow(context, lambda: self.watch)
            self.pages[url] = context.new_page()
        return self.pages[url]

    def wipe(self) -> None:
        """Forgets what a test stored, and leaves its page."""
        for page in self.pages.values():
            if page.url != "about:blank":
                page.evaluate("localStorage.clear(); sessionStorage.clear()")
                page.goto("about:blank")


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Iterator[Tabs]:
    """The tabs of all tests."""
    tabs = Tabs(browser)
    yield tabs
    for page in tabs.pages.values():
        page.context.close()


@pytest.fixture
def tab(tabs: Tabs, site: SiteServer, watch: Watch) -> Iterator[Tab]:
    """A tab with the real site, or with the one at `url`."""
    tabs.watch = watch

    def open_tab(*, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light", url: str | None = None) -> Page:
        page = tabs.open(url or site.url)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=scheme, media="null")  # a test may have looked at the printed page
        return page

    yield open_tab
    tabs.wipe()


@pytest.fixture
def page(tab: Tab) -> Page:
    """A page on a desktop screen, in the light scheme."""
    return tab()


def turn(page: Page, scheme: Scheme) -> None:
    """The evening comes, or the day: the page that is open takes the scheme, without being opened again."""
    page.emulate_media(color_scheme=scheme)
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", SCHEMES[scheme])
    page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")


def ready(page: Page) -> Page:
    """Waits until the page has loaded and what a script builds on it works."""
    page.wait_for_load_state("load")
    if page.locator("#atlas-explorer").count():
        expect(page.locator('#atlas-explorer[data-state="ready"]')).to_be_visible()
        expect(page.locator(".atlas-x-card").first).to_be_visible()
        expect(page.locator(".atlas-x-results[aria-busy]")).to_have_count(0)
    if page.locator("#atlas-compare, .atlas-choose").count():
        expect(page.locator('#atlas-compare[data-state="ready"], .atlas-choose[data-state="ready"]')).to_be_visible()
    if page.locator("#atlas-comparisons").count():
        expect(page.locator('#atlas-comparisons[data-state="ready"]')).to_be_visible()
    if page.locator("#atlas-related").count():
        expect(page.locator('#atlas-related[data-state="ready"]')).to_be_attached()
    return page
