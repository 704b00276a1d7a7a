"""What a reader does, from the first click to the BibTeX entry."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from bibtexparser.entrypoint import parse_string
from playwright.sync_api import Locator, Page, expect

from scripts.exports.bibtex import entry_text
from scripts.model import Corpus
from scripts.render.knowledge.terms import definitions
from scripts.render.site import LISTED
from tests.browser.conftest import PHONE, NewPage, Watch, ready

pytestmark = pytest.mark.browser

ROUTELLM = "ong2024routellm"
CARD_LINKS = ".atlas-x-card-title a"
TOOLTIP_SHOWN = """(node, known) => {
    const style = getComputedStyle(node, "::after");
    return known.some(one => style.content === JSON.stringify(one)) && style.display !== "none";
}"""


def key_of(address: str | None) -> str:
    """The paper that an address leads to."""
    assert address
    return urlsplit(address).path.rstrip("/").rsplit("/", 1)[-1]


def listed_keys(page: Page) -> list[str]:
    """Keys of all papers that the explorer's filters leave, in its order."""
    more = page.locator(".atlas-x-more")
    expect(page.locator(".atlas-x-results[aria-busy]")).to_have_count(0)  # all cards stand there
    while more.is_visible():
        before = page.locator(CARD_LINKS).count()
        more.click()
        expect(page.locator(CARD_LINKS).nth(before)).to_be_visible()
    links: list[str] = page.locator(CARD_LINKS).evaluate_all("links => links.map(link => link.href)")
    return [key_of(link) for link in links]


def expect_count(page: Page, number: int, total: int) -> None:
    """Waits until the explorer says that it shows `number` of `total` papers."""
    text = f"All {total} papers" if number == total else f"{number} of {total} papers"
    expect(page.locator(".atlas-x-status")).to_have_text(text)


def checkbox(page: Page, label: str) -> Locator:
    """A value of the explorer's filters, by the name before its count."""
    return page.locator("#atlas-x-filters").get_by_role("checkbox", name=re.compile(rf"^{re.escape(label)} ?\d*$"))


def year_from(page: Page) -> Locator:
    """The year that the explorer begins with."""
    return page.locator("#atlas-x-filters").get_by_label("From")


def recent_token_level_with_code(corpus: Corpus) -> list[str]:
    """Keys of what the filters of several tests leave, worked out from the data."""
    return [
        key
        for key, paper in corpus.papers.items()
        if "during/token-level" in paper.categories and paper.links.code and (paper.year or 0) >= 2025
    ]


def filter_recent_token_level_with_code(page: Page) -> None:
    """Opens the explorer and sets the three filters."""
    ready_explorer(page)
    checkbox(page, "Token-level ensemble").check()
    year_from(page).select_option("2025")
    checkbox(page, "Has code").check()


def ready_explorer(page: Page, query: str = "") -> None:
    """Opens the explorer."""
    page.goto(f"/papers/{query}")
    ready(page)


def test_finds_a_method_by_typing_its_name(page: Page, corpus: Corpus) -> None:
    ready_explorer(page)
    expect_count(page, len(corpus.papers), len(corpus.papers))
    page.get_by_label("Search the papers").press_sequentially("routellm")
    first = page.locator(CARD_LINKS).first
    expect(page).to_have_url(re.compile("routellm"))  # fewer letters may bring it to the top before the last are in
    expect(first).to_have_text(corpus.papers[ROUTELLM].title)
    assert parse_qs(urlsplit(page.url).query) == {"text": ["routellm"]}
    first.click()
    expect(page).to_have_url(re.compile(rf"/papers/{ROUTELLM}/$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(corpus.papers[ROUTELLM].title)


def test_data_comes_when_it_is_wanted(page: Page, corpus: Corpus) -> None:
    """The newest papers are there at once; what a search or another order needs comes with it, in small files."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    ready_explorer(page)
    newest, *_, oldest = [paper for paper in corpus.papers.values() if paper.summary and paper.date]
    shown = page.locator(".atlas-x-card-summary")
    expect(shown.filter(has_text=newest.summary)).to_be_visible()
    assert not [path for path in asked if "/assets/data/find/" in path]
    page.get_by_label("Sort by").select_option("oldest")
    expect(shown.filter(has_text=oldest.summary)).to_be_visible()
    later = [path.rsplit("/", 2)[-2:] for path in asked if "/assets/data/find/" in path]
    assert [name for _, name in later if name == "orders.json"]
    assert not [folder for folder, _ in later if folder == "words"]
    asked.clear()
    page.get_by_label("Search the papers").fill("routellm")
    expect(shown.filter(has_text=corpus.papers[ROUTELLM].summary)).to_be_visible()
    pieces = {path for path in asked if "/words/" in path}
    assert 1 <= len(pieces) <= 3


def test_a_typing_error_still_finds_it(page: Page, corpus: Corpus) -> None:
    ready_explorer(page)
    page.get_by_label("Search the papers").press_sequentially("routelm")
    expect(page.locator(CARD_LINKS, has_text=corpus.papers[ROUTELLM].title)).to_be_visible()


def test_a_shared_address_gives_the_same_view(page: Page, new_page: NewPage, corpus: Corpus) -> None:
    wanted = recent_token_level_with_code(corpus)
    assert wanted
    filter_recent_token_level_with_code(page)
    expect_count(page, len(wanted), len(corpus.papers))
    shown = listed_keys(page)
    assert sorted(shown) == sorted(wanted)
    dates = [corpus.papers[key].date or "" for key in shown]
    assert dates == sorted(dates, reverse=True)
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"category": ["during/token-level"], "from": ["2025"], "code": ["1"]}

    elsewhere = new_page(size=PHONE)  # another reader's phone
    elsewhere.goto(page.url)
    ready(elsewhere)
    expect_count(elsewhere, len(wanted), len(corpus.papers))
    assert listed_keys(elsewhere) == shown


def test_back_and_forward_step_through_the_filters(page: Page, corpus: Corpus) -> None:
    total, wanted = len(corpus.papers), recent_token_level_with_code(corpus)
    token_level = [key for key, paper in corpus.papers.items() if "during/token-level" in paper.categories]
    filter_recent_token_level_with_code(page)
    expect_count(page, len(wanted), total)
    page.go_back()
    page.go_back()
    expect_count(page, len(token_level), total)
    assert not checkbox(page, "Has code").is_checked()
    assert year_from(page).input_value() == "0"
    page.go_back()
    expect_count(page, total, total)
    assert not checkbox(page, "Token-level ensemble").is_checked()
    for _ in range(3):
        page.go_forward()
    expect_count(page, len(wanted), total)
    assert sorted(listed_keys(page)) == sorted(wanted)
    assert checkbox(page, "Has code").is_checked()


def test_back_from_a_paper_returns_to_the_filtered_list(page: Page, corpus: Corpus) -> None:
    filter_recent_token_level_with_code(page)
    wanted = recent_token_level_with_code(corpus)
    expect_count(page, len(wanted), len(corpus.papers))
    page.locator(CARD_LINKS).nth(1).click()
    page.wait_for_url("**/papers/*/")
    page.go_back()
    ready(page)
    expect_count(page, len(wanted), len(corpus.papers))
    assert checkbox(page, "Token-level ensemble").is_checked()


def test_copies_exactly_the_bibtex_entry(new_page: NewPage, corpus: Corpus) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/papers/{ROUTELLM}/")
    page.get_by_role("button", name="Copy BibTeX").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.rstrip("\n") == entry_text(ROUTELLM, corpus.papers[ROUTELLM]).rstrip("\n")
    library = parse_string(copied)
    assert not library.failed_blocks
    (entry,) = library.entries
    assert entry.key == ROUTELLM
    assert entry["author"].count(" and ") == len(corpus.papers[ROUTELLM].authors) - 1
    expect(page.get_by_role("button", name="Copy BibTeX")).to_be_visible()  # the button can be used again


def test_walks_from_home_to_a_paper_and_back(page: Page, corpus: Corpus) -> None:
    page.goto("/")
    page.locator("article").get_by_role("heading", name="During inference").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("During inference")
    page.locator(".atlas-card").get_by_role("link", name="Token-level ensemble").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Token-level ensemble")
    category = page.url
    link = page.locator(".atlas-papers tbody th > a").first
    key = key_of(link.get_attribute("href"))
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(corpus.papers[key].title)
    crumbs = page.get_by_role("navigation", name="Breadcrumb")
    expect(crumbs.get_by_role("link")).to_have_text(["Papers", "During inference", "Token-level ensemble"])
    crumbs.get_by_role("link", name="Token-level ensemble").click()
    expect(page).to_have_url(category)


def test_a_category_page_lists_all_its_papers(page: Page, corpus: Corpus) -> None:
    page.goto("/taxonomy/during/token-level/")
    links = page.locator(".atlas-papers tbody th > a").evaluate_all("links => links.map(link => link.href)")
    wanted = [key for key, paper in corpus.papers.items() if "during/token-level" in paper.categories]
    assert sorted(map(key_of, links)) == sorted(wanted)
    page.get_by_role("link", name="Filter and sort them in the explorer").click()
    ready(page)
    expect_count(page, len(wanted), len(corpus.papers))


def test_exports_the_selection_as_bibtex(page: Page, corpus: Corpus, tmp_path: Path) -> None:
    filter_recent_token_level_with_code(page)
    wanted = recent_token_level_with_code(corpus)
    expect_count(page, len(wanted), len(corpus.papers))
    with page.expect_download() as download:
        page.get_by_role("button", name="Export this selection").click()
    assert download.value.suggested_filename.endswith(".bib")
    file = tmp_path / "selection.bib"
    download.value.save_as(file)
    library = parse_string(file.read_text(encoding="utf-8"))
    assert not library.failed_blocks
    assert sorted(entry.key for entry in library.entries) == sorted(wanted)


def test_the_header_search_finds_a_method(page: Page, watch: Watch) -> None:
    page.goto("/about/")
    assert not [url for url in watch.requested if url.endswith("search_index.json")]  # held until it is wanted
    box = page.get_by_role("textbox", name="Search")
    box.click()
    box.press_sequentially("RouteLLM")
    result = page.locator(f".md-search-result__link[href*='/{ROUTELLM}/']").first
    expect(result).to_be_visible()
    result.click()
    expect(page).to_have_url(re.compile(rf"/papers/{ROUTELLM}/"))


def test_without_javascript_every_paper_is_listed(new_page: NewPage, corpus: Corpus) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/papers/")
    links = page.locator(".atlas-plain-list a")
    expect(links.first).to_be_visible()
    others = page.locator(".atlas-list-page").evaluate_all("links => links.map(link => link.href)")
    found: list[str] = []
    parts = [page.url, *others]
    for address in parts:
        page.goto(address)
        found += map(key_of, links.evaluate_all("links => links.map(link => link.href)"))
    assert found == list(corpus.papers)
    expect(links.last).to_be_visible()
    page.goto(parts[list(corpus.papers).index(ROUTELLM) // LISTED])
    links.filter(has_text=corpus.papers[ROUTELLM].title).click()
    expect(page).to_have_url(re.compile(rf"/papers/{ROUTELLM}/$"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".atlas-summary")).to_be_visible()
    expect(page.locator("#bibtex-text")).to_contain_text(f"{{{ROUTELLM},")


def test_without_javascript_pages_are_readable(new_page: NewPage, addresses: dict[str, str]) -> None:
    page = new_page(java_script_enabled=False, size=PHONE)
    for address in addresses.values():
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert len(page.locator(".md-content").inner_text()) > 300, address


def tab_to(page: Page, target: Locator, key: str = "Tab", presses: int = 60) -> None:
    """Presses Tab until `target` has the focus, as somebody without a mouse does."""
    for _ in range(presses):
        page.keyboard.press(key)
        if target.evaluate("node => node === document.activeElement"):
            return
    raise AssertionError(f"{presses} times {key} did not reach {target}")


def test_works_with_the_keyboard_only(page: Page, corpus: Corpus) -> None:
    ready_explorer(page)
    box = page.get_by_label("Search the papers")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("ensemble")
    expect(page).to_have_url(re.compile(r"text=ensemble"))
    facet = checkbox(page, "During inference")
    tab_to(page, facet)
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile(r"stage=during"))
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    first = page.locator(CARD_LINKS).first
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    second = page.locator(CARD_LINKS).nth(1)
    expect(second).to_be_focused()
    key = key_of(second.get_attribute("href"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(corpus.papers[key].title)


def test_tab_alone_reaches_the_search_box_and_a_result(page: Page) -> None:
    page.goto("/papers/")
    ready(page)
    tab_to(page, page.get_by_label("Search the papers"))
    tab_to(page, page.locator(CARD_LINKS).first, presses=120)
    outline = page.locator(CARD_LINKS).first.evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline != "none"  # the reader sees where the focus is


def test_a_definition_shows_on_focus_and_escape_closes_it(page: Page, corpus: Corpus) -> None:
    known = list(definitions(corpus))
    page.goto(f"/papers/{ROUTELLM}/")
    term = page.locator("dd .atlas-term").first
    assert not term.evaluate(TOOLTIP_SHOWN, known)
    tab_to(page, term)
    assert term.evaluate(TOOLTIP_SHOWN, known)
    page.keyboard.press("Escape")
    assert not term.evaluate(TOOLTIP_SHOWN, known)
    tab_to(page, page.locator(".atlas-term").nth(3))
    assert not term.evaluate(TOOLTIP_SHOWN, known)
    tab_to(page, term, key="Shift+Tab")
    assert term.evaluate(TOOLTIP_SHOWN, known)  # closed once, not for ever


def test_a_definition_shows_under_the_pointer(page: Page, corpus: Corpus) -> None:
    known = list(definitions(corpus))
    page.goto(f"/papers/{ROUTELLM}/")
    term = page.locator("dd .atlas-term").first
    term.hover()
    assert term.evaluate(TOOLTIP_SHOWN, known)
    page.keyboard.press("Escape")
    assert not term.evaluate(TOOLTIP_SHOWN, known)
    page.get_by_role("heading", level=1).hover()
    term.hover()
    assert term.evaluate(TOOLTIP_SHOWN, known)


def test_a_definition_shows_on_tap_and_stays_on_the_screen(new_page: NewPage, corpus: Corpus) -> None:
    known = list(definitions(corpus))
    page = new_page(size=PHONE, has_touch=True, is_mobile=True)
    page.goto(f"/papers/{ROUTELLM}/")
    terms = page.locator(".md-content .atlas-term")
    assert terms.count() > 5
    for term in terms.all():
        page.locator(".atlas-summary").tap()  # an open definition may lie over the next term
        term.tap()
        assert term.evaluate(TOOLTIP_SHOWN, known)
        wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= screen, f"the definition of {term.inner_text()!r} reaches {wide - screen} px beyond the screen"
    page.get_by_role("heading", level=1).tap()
    assert not terms.last.evaluate(TOOLTIP_SHOWN, known)


def test_the_404_page_leads_back(page: Page, watch: Watch) -> None:
    watch.expected.append("404")
    answer = page.goto("/no/such/page/")
    assert answer
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".md-header")).to_have_css("background-color", re.compile(r"rgb\((?!0, 0, 0).*"))
    page.get_by_role("link", name="Papers").first.click()
    ready(page)
    expect(page).to_have_url(re.compile(r"/papers/$"))


def test_the_404_page_searches_and_every_page_says_how_new_it_is(page: Page, watch: Watch, corpus: Corpus) -> None:
    watch.expected.append("404")
    page.goto("/no/such/page/")
    page.get_by_label("Search the papers").fill("routellm")
    page.keyboard.press("Enter")
    ready(page)
    expect(page.locator(CARD_LINKS).first).to_have_text(corpus.papers[ROUTELLM].title)
    foot = page.get_by_role("contentinfo")
    newest = max(paper.checked.date for paper in corpus.papers.values() if paper.checked)
    expect(foot.locator("time")).to_have_text(newest)
    for name, address in (("Sources", "/about/#where-the-facts-come-from"), ("Correct an error", "/contribute/")):
        assert foot.get_by_role("link", name=name).evaluate("link => link.href").endswith(address)
    expect(foot.get_by_role("link", name="CC BY 4.0")).to_be_visible()


def test_an_unknown_filter_in_the_address_is_ignored(page: Page, corpus: Corpus) -> None:
    ready_explorer(page, "?category=no/such&from=1&sort=__proto__&kind=%3Cscript%3E")
    expect_count(page, len(corpus.papers), len(corpus.papers))


def test_a_filter_that_leaves_nothing_says_so(page: Page) -> None:
    ready_explorer(page)
    page.get_by_label("Search the papers").fill("qqqqzzzzxxxx")
    expect(page.locator(".atlas-x-status")).to_contain_text("No paper matches")
    expect(page.get_by_role("button", name="Export this selection")).to_be_disabled()
