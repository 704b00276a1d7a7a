"""The main walk of a reader in Firefox, and what axe-core finds on the way, in both colour schemes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python  # type: ignore[import-untyped]
import pytest

from tests.browser.firefox import NO_FIREFOX, Firefox, find_firefox, firefox
from tests.browser.site import SiteServer

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not find_firefox(), reason=NO_FIREFOX)]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """return (async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 3).join(" | ")}`);
})()"""


@pytest.fixture(params=["light", "dark"])
def window(request: pytest.FixtureRequest) -> Iterator[Firefox]:
    with firefox(request.param) as opened:
        assert opened.run(f"return matchMedia('(prefers-color-scheme: {request.param})').matches")
        yield opened


def at(window: Firefox, path: str) -> None:
    """Waits until a page is shown of this address; nothing serious may be wrong with it."""
    shown = "return document.readyState === 'complete' && location.pathname === arguments[0]"
    window.wait(f"page {path}", shown, path)
    assert window.run("return document.querySelector('h1').textContent.trim()")
    window.run(f"{AXE}; globalThis.axe = axe;")
    assert window.run(SERIOUS) == [], path


def test_a_reader_walks_from_home_to_the_pages_of_tools(window: Firefox, site: SiteServer) -> None:
    window.open(f"{site.url}/")
    at(window, "/")
    window.click("a[href$='papers/']")
    window.wait("explorer", "return document.querySelector('#atlas-explorer').dataset.state === 'ready'")
    window.type("#atlas-q", "routellm")
    window.wait("paper", "return document.querySelector('.atlas-x-card-title a').href.includes('ong2024routellm')")
    at(window, "/papers/")
    window.click(".atlas-x-card-title a")
    at(window, "/papers/ong2024routellm/")

    window.click(".md-search__input")
    window.type(".md-search__input", "knn router")
    first = ".md-search-result__link[href*='/methods/knn-router/']"
    window.wait("method among the results", "return document.querySelector(arguments[0])", first)
    window.open(f"{site.url}/methods/knn-router/")
    at(window, "/methods/knn-router/")

    window.open(f"{site.url}/results/")
    at(window, "/results/")
    window.open(f"{site.url}/choose/?see=text&labels=some")
    window.wait("answer", "return document.querySelector('.atlas-choose').dataset.state === 'ready'")
    at(window, "/choose/")
    window.open(f"{site.url}/play/")
    at(window, "/play/")
