"""Every kind of page in both colour schemes, on a desktop screen and on a phone; axe-core finds nothing serious."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import ADDRESSES, DESKTOP, PATIENCE_MS, PHONE, Scheme, Tab, ready, turn
from tests.browser.test_accessibility import serious_in_both_schemes

pytestmark = pytest.mark.browser

VIEWS: list[tuple[Scheme, list[tuple[int, int]]]] = [("dark", [DESKTOP, PHONE]), ("light", [PHONE, DESKTOP])]
# kinds with at least one figure of the project's own
DRAWN = {"home", "taxonomy", "stage", "category"}

# Elements of the page's content whose right edge lies beyond the screen, unless they stand in something that scrolls.
BEYOND = """() => {
    const scrolls = node => {
        for (let box = node.parentElement; box && box !== document.body; box = box.parentElement) {
            if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return true;
        }
        return false;
    };
    const edge = document.documentElement.clientWidth + 1;
    return [...document.querySelectorAll(".md-content *, .md-footer *")]
        .filter(node => node.getBoundingClientRect().right > edge && !scrolls(node))
        .map(node => `${node.tagName}.${node.className} "${node.textContent.trim().slice(0, 40)}"`);
}"""

# How far the page as a whole can be pushed sideways.
SCROLLED = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

# Relative luminance (WCAG 2) of the text of `selector` and of what lies behind it.
LUMINANCES = """selector => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const node = document.querySelector(selector);
    let box = node;
    while (box && (numbers(getComputedStyle(box).backgroundColor)[3] ?? 1) === 0) box = box.parentElement;
    return [luminance(numbers(getComputedStyle(node).color)),
            box ? luminance(numbers(getComputedStyle(box).backgroundColor)) : 1];
}"""


def visible_figures(page: Page) -> list[str]:
    """Classes of the figures that take up room on the screen."""
    classes: list[str] = page.locator("svg.atlas-figure").evaluate_all(
        """figures => figures.filter(figure => {
            const { width, height } = figure.getBoundingClientRect();
            return width > 100 && height > 50;
        }).map(figure => figure.getAttribute("class"))"""
    )
    return classes


def check_layout(page: Page, kind: str, scheme: Scheme, size: tuple[int, int]) -> None:
    """What is told at one width and in one scheme: nothing beyond the screen, figures shown, text that stands out."""
    seen = f"{page.url}, {scheme}, {size[0]} pixels wide"
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("h1")).to_be_visible()
    with suppress(Error):  # a chart is drawn anew some time after the window has changed
        page.wait_for_function(f"() => !({BEYOND})().length && {SCROLLED} <= 0", timeout=PATIENCE_MS)
    assert not page.evaluate(BEYOND), seen
    assert page.evaluate(SCROLLED) <= 0, seen

    figures = visible_figures(page)
    assert bool(figures) == (kind in DRAWN), seen
    if kind in ("home", "taxonomy"):
        (overview,) = figures
        assert ("af-narrow" in overview) == (size == PHONE), seen

    for selector in ("h1", ".md-content p"):
        text, ground = page.evaluate(LUMINANCES, selector)
        contrast = (max(text, ground) + 0.05) / (min(text, ground) + 0.05)
        assert contrast >= 4.5, f"{seen}: {selector}: {contrast:.1f}"
        assert (ground < 0.2) == (scheme == "dark"), seen


@pytest.mark.parametrize("kind", ADDRESSES)
def test_page(tab: Tab, addresses: dict[str, str], kind: str) -> None:
    """Opened once, in the dark on a desktop; then the window gets narrow, and then the day comes."""
    page = tab(scheme="dark")
    page.goto(addresses[kind])
    ready(page)
    for scheme, sizes in VIEWS:
        turn(page, scheme)
        for size in sizes:
            page.set_viewport_size({"width": size[0], "height": size[1]})
            check_layout(page, kind, scheme, size)
    found = serious_in_both_schemes(page)
    assert not found, f"{addresses[kind]}\n{found}"


def test_the_reader_chooses_the_scheme_and_it_stays(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    body = page.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", "default")
    page.locator(".md-header").get_by_title("Switch to the light scheme").click()
    page.locator(".md-header").get_by_title("Switch to the dark scheme").click()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    page.goto("/papers/")
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
