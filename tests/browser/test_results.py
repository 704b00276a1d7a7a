"""The pages of results on a site with measured numbers: plots are drawn, tables sort, all stands without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, NewPage, Scheme, Tab, Watch
from tests.browser.site import SiteServer, build, make_root, serving
from tests.browser.test_accessibility import serious_violations
from tests.conftest import fields
from tests.scripts.render import measured

pytestmark = pytest.mark.browser

KB = 1000
BENCHMARK = "/benchmarks/math/"
MARKS = ".atlas-chart .mark-symbol.role-mark > path"
TOOLTIP = "#vg-tooltip-element.visible"


@pytest.fixture(scope="module")
def measured_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    """A site of one paper and the results of `measured`."""
    root = make_root(tmp_path_factory.mktemp("measured") / "atlas", {"doe2024a": fields()})
    measured.write(root)
    with serving(build(root, root / "build" / "site")) as server:
        yield server


def drawn(page: Page, number: int = 1) -> Page:
    """Waits until the page's charts are drawn."""
    page.locator(".atlas-chart").first.scroll_into_view_if_needed()
    expect(page.locator('.atlas-chart[data-state="drawn"]')).to_have_count(number)
    return page


def names(page: Page) -> list[str]:
    """The leaderboard's methods, from top to bottom."""
    heads: list[str] = page.locator("[aria-label=Leaderboard] tbody th").evaluate_all(
        "heads => heads.map(head => head.firstChild.textContent.trim())"
    )
    return heads


def head(page: Page, name: str) -> Locator:
    """A column's head on the leaderboard."""
    return page.locator("[aria-label=Leaderboard] thead th", has_text=name)


@pytest.mark.parametrize("address", [BENCHMARK, "/results/"])
def test_a_point_for_every_row(tab: Tab, measured_site: SiteServer, address: str) -> None:
    page = tab(url=measured_site.url)
    page.goto(address)
    drawn(page)
    expect(page.locator(MARKS)).to_have_count(len(measured.SCORES))
    labels = page.locator(MARKS).evaluate_all("marks => marks.map(mark => mark.getAttribute('aria-label'))")
    assert {label.split(":")[0] for label in labels} == {
        "oak", "sprout", "Oracle", "Random choice", "majority-vote", "knn-router", "frugalgpt",
    }  # fmt: skip


def test_a_point_tells_its_numbers_to_pointer_and_keyboard(tab: Tab, measured_site: SiteServer) -> None:
    page = tab(url=measured_site.url)
    page.goto(BENCHMARK)
    drawn(page)
    page.locator(f"{MARKS}[aria-label^='majority-vote']").hover()
    expect(page.locator(TOOLTIP)).to_contain_text("majority-vote")
    expect(page.locator(TOOLTIP)).to_contain_text("1.000 (1.000 to 1.000)")
    expect(page.locator(TOOLTIP)).to_contain_text("0.05 US dollars")
    page.mouse.move(5, 5)
    expect(page.locator(TOOLTIP)).to_have_count(0)

    assert page.locator(f"{MARKS}[tabindex='0']").count() == 1  # the points are one stop of the Tab key
    page.locator(f"{MARKS}[tabindex='0']").focus()
    expect(page.locator(TOOLTIP)).to_contain_text("sprout")  # the cheapest
    page.keyboard.press("ArrowRight")
    expect(page.locator(TOOLTIP)).to_contain_text("frugalgpt")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(TOOLTIP)).to_contain_text("majority-vote")  # the dearest
    page.keyboard.press("Escape")
    expect(page.locator(TOOLTIP)).to_have_count(0)


def test_the_legend_shows_one_group_alone(tab: Tab, measured_site: SiteServer) -> None:
    page = tab(url=measured_site.url)
    page.goto(BENCHMARK)
    drawn(page)
    router = page.locator(f"{MARKS}[aria-label^='knn-router']")
    expect(router).to_have_attribute("opacity", "1")
    page.locator(".role-legend-label text", has_text="After inference").click()
    expect(router).to_have_attribute("opacity", "0.12")
    expect(page.locator(f"{MARKS}[aria-label^='majority-vote']")).to_have_attribute("opacity", "1")


def test_the_plot_follows_the_colour_scheme(tab: Tab, measured_site: SiteServer) -> None:
    page = tab(url=measured_site.url)
    page.goto(BENCHMARK)
    drawn(page)
    vote = page.locator(f"{MARKS}[aria-label^='majority-vote']")
    colour = "getComputedStyle(document.body).getPropertyValue('--atlas-after').trim()"
    light = page.evaluate(colour)
    expect(vote).to_have_attribute("fill", light)
    page.locator(".md-header").get_by_title("Switch to the light scheme").click()
    page.locator(".md-header").get_by_title("Switch to the dark scheme").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    dark = page.evaluate(colour)
    assert dark != light
    expect(vote).to_have_attribute("fill", dark)
    expect(page.locator(".atlas-chart svg")).to_have_count(1)


def test_the_library_waits_for_a_chart_in_sight(new_page: NewPage, measured_site: SiteServer, watch: Watch) -> None:
    page = new_page(size=(PHONE[0], 200), url=measured_site.url)
    page.goto(BENCHMARK, wait_until="networkidle")
    assert not [url for url in watch.requested if "/vega" in url or "/charts/" in url]
    drawn(page)
    assert {url.rsplit("/", 1)[1] for url in watch.requested if "/vega" in url} == {
        "vega.js", "vega-lite.js", "vega-embed.js",
    }  # fmt: skip


def test_the_weight_of_a_first_visit(new_page: NewPage, measured_site: SiteServer) -> None:
    page = new_page(url=measured_site.url)
    measured_site.sent.clear()
    page.goto(BENCHMARK, wait_until="networkidle")
    drawn(page)
    library = sum(size for path, size in measured_site.sent if "/vega" in path)
    rest = sum(size for path, size in measured_site.sent if "/vega" not in path)
    print(f"benchmark: {rest / KB:.0f} KB and {library / KB:.0f} KB of Vega")
    assert library > 100 * KB
    assert rest < 400 * KB
    assert library < 300 * KB


def test_a_library_that_does_not_come_is_said_in_the_page(
    new_page: NewPage, measured_site: SiteServer, watch: Watch
) -> None:
    watch.expected.append("ERR_FAILED")
    page = new_page(url=measured_site.url)
    page.route(re.compile(r"/vega-lite\.js"), lambda route: route.abort())
    page.goto(BENCHMARK)
    expect(page.locator('.atlas-chart[data-state="failed"]')).to_contain_text("vega-lite.js could not be loaded")
    expect(page.locator("[aria-label=Leaderboard] tbody tr")).to_have_count(len(measured.SCORES))


def test_the_leaderboard_sorts_by_its_heads(tab: Tab, measured_site: SiteServer) -> None:
    page = tab(url=measured_site.url)
    page.goto(BENCHMARK)
    assert names(page)[0] == "majority-vote"
    assert names(page)[-1] == "frugalgpt"
    expect(head(page, "Score")).to_have_attribute("aria-sort", "descending")
    cost = head(page, "USD")
    cost.get_by_role("button").click()
    expect(cost).to_have_attribute("aria-sort", "descending")
    assert names(page)[0] == "majority-vote"
    cost.get_by_role("button").press("Enter")
    expect(cost).to_have_attribute("aria-sort", "ascending")
    assert names(page)[:2] == ["sprout", "frugalgpt"]
    expect(head(page, "Score")).not_to_have_attribute("aria-sort", re.compile(".*"))
    for _ in range(2):  # what has no value stands last either way
        head(page, "Latency").get_by_role("button").click()
        assert names(page)[-1] == "Oracle"
    head(page, "Method").get_by_role("button").click()
    assert names(page)[:2] == ["frugalgpt", "knn-router"]


def test_what_does_not_beat_the_best_single_model_says_so_in_words(tab: Tab, measured_site: SiteServer) -> None:
    page = tab(url=measured_site.url)
    page.goto(BENCHMARK)
    told = {
        row.locator("th a").inner_text(): row.locator(".atlas-verdict").inner_text()
        for row in page.locator("[aria-label=Leaderboard] tr.atlas-kind--method").all()
    }
    assert told == {"majority-vote": "▲ better", "knn-router": "= no clear difference", "frugalgpt": "▼ worse"}


def test_without_scripts_the_numbers_are_there(new_page: NewPage, measured_site: SiteServer) -> None:
    page = new_page(url=measured_site.url, java_script_enabled=False)
    page.goto(BENCHMARK)
    expect(page.locator("[aria-label=Leaderboard] tbody tr")).to_have_count(len(measured.SCORES))
    assert "needs JavaScript" in page.locator(".atlas-chart noscript").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", [BENCHMARK, "/results/", "/benchmarks/", "/methods/majority-vote/"])
def test_nothing_serious_for_axe_and_nothing_beyond_a_phones_screen(
    tab: Tab, measured_site: SiteServer, address: str, scheme: Scheme
) -> None:
    page = tab(url=measured_site.url, scheme=scheme, size=PHONE)
    page.goto(address)
    if page.locator(".atlas-chart").count():
        drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    found = serious_violations(page)
    assert not found, found
