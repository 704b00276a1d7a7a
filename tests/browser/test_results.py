"""The pages of results on a site with measured numbers: plots are drawn, tables sort, all stands without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, NewPage, Tab, Watch
from tests.browser.site import SiteServer
from tests.browser.test_accessibility import serious_in_both_schemes
from tests.scripts.render import measured

pytestmark = pytest.mark.browser

KB = 1000
BENCHMARK = "/benchmarks/math/"
#: A page's plot of cost and quality, as a wide screen shows it.
CHART = "svg.atlas-plot--wide[aria-labelledby^='cost-quality']"


def names(page: Page) -> list[str]:
    """The leaderboard's methods, from top to bottom."""
    heads: list[str] = page.locator("[aria-label^=Leaderboard] tbody th").evaluate_all(
        "heads => heads.map(head => head.firstChild.textContent.trim())"
    )
    return heads


def head(page: Page, name: str) -> Locator:
    """A column's head on the leaderboard."""
    return page.locator("[aria-label^=Leaderboard] thead th", has_text=name)


def test_every_point_is_named(tab: Tab, planted_site: SiteServer) -> None:
    """Beside the point or in the key below the plot, and to a pointer that rests on it."""
    page = tab(url=planted_site.url)
    page.goto(BENCHMARK)
    chart = page.locator(CHART)
    expect(chart.locator("g > title")).to_have_count(len(measured.SCORES))
    shown = set(chart.locator("text").all_text_contents())
    assert {
        "oak", "sprout", "Oracle", "Random choice", "majority-vote", "knn-router", "frugalgpt",
    } <= shown  # fmt: skip
    told = " ".join(chart.locator("g > title").all_text_contents())
    assert "majority-vote: score 1.000 (1.000 to 1.000), 0.0500 US dollars" in told


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_text_of_a_figure_leaves_it_or_lies_on_another(
    tab: Tab, planted_site: SiteServer, size: tuple[int, int]
) -> None:
    """With the fonts of this machine."""
    page = tab(url=planted_site.url, size=size)
    for address in (BENCHMARK, "/results/"):
        page.goto(address)
        assert page.evaluate(COLLISIONS) == []


COLLISIONS = """() => [...document.querySelectorAll("svg.atlas-plot")].filter(svg => svg.clientWidth).flatMap(svg => {
    const all = svg.getBoundingClientRect(), found = [];
    const boxes = [...svg.querySelectorAll("text")].map(node => [node.textContent, node.getBoundingClientRect()]);
    boxes.forEach(([words, a], i) => {
        if (a.left < all.left - 1 || a.right > all.right + 1) found.push(`${words} leaves the figure`);
        boxes.slice(i + 1).forEach(([other, b]) => {
            const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (across > 1 && down > 0.3 * Math.min(a.height, b.height)) found.push(`${words} lies on ${other}`);
        });
    });
    return found;
})"""


def test_the_plot_follows_the_colour_scheme(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
    page.goto(BENCHMARK)
    vote = page.locator(f"{CHART} g", has_text="majority-vote: score").locator("path")
    filled, wanted = (
        "node => getComputedStyle(node).fill",
        "getComputedStyle(document.body).getPropertyValue('--atlas-after')",
    )
    light = vote.evaluate(filled)
    page.locator(".md-header").get_by_title("Switch to the light scheme").click()
    page.locator(".md-header").get_by_title("Switch to the dark scheme").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    dark = vote.evaluate(filled)
    assert dark != light
    colour = page.evaluate(wanted).strip().lstrip("#")
    assert dark == f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (0, 2, 4))})"


def test_paper_is_light_in_either_scheme(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url, scheme="dark")
    page.goto(BENCHMARK)
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.emulate_media(media="print", color_scheme="dark")
    ink = page.locator(f"{CHART} text").first.evaluate("node => getComputedStyle(node).fill")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(media="screen")
    assert ground == "rgb(255, 255, 255)"
    assert max(int(part) for part in re.findall(r"\d+", ink)) < 100
    assert ink != page.locator(f"{CHART} text").first.evaluate("node => getComputedStyle(node).fill")


def test_a_figure_opens_by_itself(tab: Tab, planted_site: SiteServer, watch: Watch) -> None:
    watch.expected.append("favicon.ico")  # which a browser asks for where a file names no icon
    page = tab(url=planted_site.url)
    page.goto(BENCHMARK)
    links = page.get_by_role("link", name="This figure as a file")
    addresses = links.evaluate_all("links => links.map(link => link.href)")
    assert len(addresses) == len(set(addresses)) == 4
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.tagName") == "svg"
        assert "CC BY 4.0" in (page.locator("svg").text_content() or "")


@pytest.mark.parametrize("address", [BENCHMARK, "/results/"])
def test_the_weight_of_a_first_visit(new_page: NewPage, planted_site: SiteServer, address: str) -> None:
    page = new_page(url=planted_site.url)
    planted_site.sent.clear()
    page.goto(address, wait_until="networkidle")
    total = sum(size for _, size in planted_site.sent)
    print(f"{address}: {total / KB:.0f} KB")
    assert total < 250 * KB
    assert not [path for path, _ in planted_site.sent if "/vega" in path]


@pytest.mark.parametrize("size", [(1360, 850), PHONE], ids=["desktop", "phone"])
def test_what_decides_stays_on_the_screen(tab: Tab, planted_site: SiteServer, size: tuple[int, int]) -> None:
    """The names always; on a desktop also score, gain, verdict and dollars, without scrolling sideways."""
    page = tab(url=planted_site.url, size=size)
    page.goto(BENCHMARK)
    region = page.locator("[aria-label^=Leaderboard]")
    edges = region.locator("thead th").evaluate_all("heads => heads.map(head => head.getBoundingClientRect().right)")
    if size != PHONE:
        usd = head(page, "USD").evaluate("head => head.getBoundingClientRect().right")
        assert usd <= size[0]
    assert edges[0] <= size[0]
    region.evaluate("node => { node.scrollLeft = node.scrollWidth; }")
    name = region.locator("tbody th").first.evaluate("cell => cell.getBoundingClientRect().left")
    assert abs(name - region.evaluate("node => node.getBoundingClientRect().left")) < 4


def test_the_leaderboard_sorts_by_its_heads(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
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


def test_what_does_not_beat_the_best_single_model_says_so_in_words(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
    page.goto(BENCHMARK)
    told = {
        row.locator("th a").inner_text(): row.locator(".atlas-verdict").inner_text()
        for row in page.locator("[aria-label^=Leaderboard] tr.atlas-kind--method").all()
    }
    assert told == {"majority-vote": "▲ better", "knn-router": "= no clear difference", "frugalgpt": "▼ worse"}


def test_without_scripts_the_numbers_are_there(new_page: NewPage, planted_site: SiteServer) -> None:
    page = new_page(url=planted_site.url, java_script_enabled=False)
    page.goto(BENCHMARK)
    expect(page.locator("[aria-label^=Leaderboard] tbody tr")).to_have_count(len(measured.SCORES))
    expect(page.locator(CHART)).to_be_visible()


@pytest.mark.parametrize("address", [BENCHMARK, "/results/", "/benchmarks/", "/methods/majority-vote/"])
def test_nothing_serious_for_axe_and_nothing_beyond_a_phones_screen(
    tab: Tab, planted_site: SiteServer, address: str
) -> None:
    page = tab(url=planted_site.url, size=PHONE)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    found = serious_in_both_schemes(page)
    assert not found, found
