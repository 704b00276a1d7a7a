"""On paper stands what stood on the screen: the filter, what was open, in light colours, and no table too wide."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from scripts.model import Corpus
from tests.browser.conftest import NewPage, ready

pytestmark = pytest.mark.browser

#: CSS pixels between the margins of a sheet of A4.
PAPER = 718
TOO_WIDE = """() => [...document.querySelectorAll("main table, main svg, main pre")].filter(
  (one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((one) => one.outerHTML
  .slice(0, 90))"""


def printed(page: Page) -> Page:
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.emulate_media(media="print")
    return page


def test_the_explorer_prints_its_filter_and_what_it_found(new_page: NewPage, corpus: Corpus) -> None:
    page = new_page(color_scheme="dark")
    page.goto("/papers/?category=during/span-level")
    ready(page)
    wanted = sum("during/span-level" in paper.categories for paper in corpus.papers.values())
    printed(page)
    expect(page.locator(".atlas-x-card:visible")).to_have_count(wanted)
    expect(page.get_by_text("Category: Span-level ensemble")).to_be_visible()
    expect(page.locator(".atlas-x-filters")).to_be_hidden()
    expect(page.locator("#atlas-paper-list")).to_be_hidden()
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert min(map(int, re.findall(r"\d+", colour)[:3])) > 240, colour


def test_what_is_folded_stays_so_and_nothing_is_cut(new_page: NewPage) -> None:
    page = new_page(color_scheme="dark")
    page.goto("/results/")
    tables = page.locator("details.atlas-more")
    tables.first.locator("summary").click()
    expect(tables.first.locator("table")).to_be_visible()
    printed(page)
    expect(tables.first.locator("table")).to_be_visible()
    expect(tables.nth(1).locator("table")).to_be_hidden()
    for address in ("/results/", "/recorded/routerarena/", "/methods/knn-router/", "/taxonomy/during/span-level/"):
        page.goto(address)
        assert not page.evaluate(TOO_WIDE), address
