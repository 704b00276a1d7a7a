"""The pages of recorded answers: the slider of what a month costs, the plots, and what they say without a script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import DESKTOP, PHONE, NewPage, Tab, ready
from tests.browser.site import SiteServer
from tests.browser.test_accessibility import serious_in_both_schemes
from tests.scripts.render import recordings

pytestmark = pytest.mark.browser

PAID, SHARED, EMPTY = "/recorded/routerarena/", "/recorded/routellm-gsm8k/", "/recorded/llmrouter/"
ROUTER_COST = recordings.ROUTER["cost"]


@pytest.fixture
def page(tab: Tab, planted_site: SiteServer) -> Page:
    return tab(url=planted_site.url)


def month_of(page: Page, name: str) -> Locator:
    """The cell that tells what a month costs with a method."""
    return page.locator("#atlas-month-table tbody tr", has_text=name).locator("td").first


def test_the_slider_by_keyboard(page: Page) -> None:
    page.goto(PAID)
    slider = page.get_by_label("Queries a day")
    expect(slider).to_have_attribute("aria-valuetext", "100,000 queries a day")
    expect(month_of(page, "knn-router")).to_have_text(f"{ROUTER_COST * 100_000 * 30:.0f}")
    slider.focus()
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "10,000,000 queries a day")
    expect(month_of(page, "knn-router")).to_have_text(f"{ROUTER_COST * 10_000_000 * 30:,.0f}")
    status = page.locator("#atlas-month [role=status]")
    expect(status).to_contain_text("10,000,000 queries a day: small costs 3,000 US dollars a month")
    expect(status).to_contain_text("the highest score, that of knn-router (k=20), costs 36,000 US dollars")
    slider.press("Home")
    expect(month_of(page, "knn-router")).to_have_text("0.360")
    slider.press("ArrowRight")
    expect(page.locator("#atlas-month-table caption")).to_have_text("110 queries a day, 30 days")


def test_a_score_within_the_noise_of_others_is_not_called_the_highest(page: Page) -> None:
    def doubtful(route: Route) -> None:
        """The router's interval reaches down to .5, into those of all but frugalgpt and the oracle."""
        answer = route.fetch()
        low = f'data-low="{recordings.ROUTER["score"]["low"]}"'
        assert low in answer.text()
        route.fulfill(response=answer, body=answer.text().replace(low, 'data-low="0.5"'))

    page.route(f"**{PAID}", doubtful)
    page.goto(PAID)
    expect(page.locator("#atlas-month [role=status]")).to_contain_text(
        "of the 5 scores within the noise of the highest, that of small is the cheapest: 30.0 US dollars a month"
    )


def test_the_address_keeps_the_traffic(page: Page) -> None:
    page.goto(f"{PAID}?day=20000")
    expect(month_of(page, "knn-router")).to_have_text("72.0")
    page.get_by_label("Queries a day").press("End")
    expect(page).to_have_url(re.compile(r"\?day=10000000$"))
    page.goto(f"{PAID}?day=1e99")  # beyond the slider
    expect(month_of(page, "knn-router")).to_have_text("360")


def test_an_unknown_cost_stays_unknown_and_last(page: Page) -> None:
    page.goto(PAID)
    page.get_by_label("Queries a day").press("End")
    expect(month_of(page, "majority-vote")).to_have_text("unknown")
    table = page.locator("#atlas-month-table")
    last = table.locator("tbody tr").last
    for order in ("descending", "ascending"):
        table.get_by_role("button", name="USD a month").click()
        expect(table.locator(f'th[aria-sort="{order}"]')).to_have_count(1)
        expect(last).to_contain_text("majority-vote")
    expect(table.locator("tbody tr").first).to_contain_text("small")


def test_without_javascript(new_page: NewPage, planted_site: SiteServer) -> None:
    page = new_page(url=planted_site.url, java_script_enabled=False)
    page.goto(PAID)
    expect(page.locator("#atlas-month-table caption")).to_have_text("100,000 queries a day, 30 days")
    plain = page.locator("#atlas-month-table tbody tr td:nth-of-type(1)").all_text_contents()
    page = new_page(url=planted_site.url)
    page.goto(PAID)
    expect(page.get_by_label("Queries a day")).to_be_visible()
    assert page.locator("#atlas-month-table tbody tr td:nth-of-type(1)").all_text_contents() == plain


def test_the_plots_are_drawn(page: Page) -> None:
    page.goto(PAID)
    curves = page.locator("svg.atlas-plot--wide[aria-labelledby*='-curves']")
    known = [run for run in recordings.result()["runs"] if run["point"]]
    published = sum(len(row["points"]) for row in recordings.result()["published"])
    expect(curves.locator("g > title")).to_have_count(len(known) + published + 1)  # and one curve
    expect(curves.locator("g > title", has_text="BERT (published)")).to_have_count(1)
    expect(curves.locator("path.curve")).to_have_count(1)
    paid = [run for run in recordings.result()["runs"] if run["cost_quantiles"]]
    spread = page.locator("svg.atlas-plot--wide[aria-labelledby*='-spread']")
    expect(spread.locator("g > title")).to_have_count(len(paid))


def test_a_page_begins_with_what_its_pool_has_to_offer(page: Page) -> None:
    """The sentence, the bars and the heat map stand before any method."""
    page.goto(PAID)
    order = page.locator("svg.atlas-plot--wide").evaluate_all(
        "all => all.map(svg => svg.getAttribute('aria-labelledby'))"
    )
    kinds = [re.sub(r".*-(headroom|errors|gains|curves|spread)-wide-t.*", r"\1", name) for name in order]
    assert kinds == ["headroom", "errors", "gains", "curves", "spread"]
    expect(page.locator(".atlas-lead")).to_contain_text("err together")


def test_a_recording_without_costs_and_one_without_results(page: Page) -> None:
    page.goto(SHARED)
    expect(page.locator("svg.atlas-plot--wide[aria-labelledby*='-curves']")).to_have_count(1)
    expect(page.locator("svg.atlas-plot--wide[aria-labelledby*='-spread']")).to_have_count(0)
    expect(page.locator("#atlas-month")).to_have_count(0)
    expect(page.locator(".md-content")).to_contain_text("Unknown: the records hold neither costs nor token counts.")
    page.goto(EMPTY)
    expect(page.locator(".md-content")).to_contain_text("Nothing has been computed on this recording yet.")


def test_from_the_list_to_a_method_and_back(page: Page) -> None:
    page.goto("/recorded/")
    page.get_by_role("table").get_by_role("link", name="RouterArena").first.click()
    page.get_by_role("region", name="Methods, RouterArena").get_by_role("link", name="knn-router").click()
    region = page.get_by_role("region", name="On recorded answers of real LLMs")
    expect(region).to_contain_text("k=20")
    page.wait_for_function(
        "scrollY === 0"
    )  # a page that still moves to its top can carry a link from under the mouse
    region.get_by_role("link", name="RouterArena").click()
    expect(page.locator("h1")).to_contain_text("RouterArena")


def test_accessibility(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
    for address in ("/recorded/", PAID, SHARED, EMPTY):
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        page.goto(address)
        ready(page)
        page.locator("details").evaluate_all("nodes => nodes.forEach(node => { node.open = true; })")
        for width, height in (DESKTOP, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        found = serious_in_both_schemes(page)
        assert not found, f"{address}\n{found}"
