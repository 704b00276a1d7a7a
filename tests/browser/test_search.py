"""Both searches find a paper however its names are typed: accents, hyphens, identifiers, addresses."""

from __future__ import annotations

import re
import unicodedata

import pytest
from playwright.sync_api import Page, expect

from scripts.model import Corpus
from scripts.render.knowledge.shards import cut
from tests.browser.conftest import Watch, ready

pytestmark = pytest.mark.browser

ROUTELLM, BLENDER = "ong2024routellm", "jiang2023llmblender"
HEADINGS = ".md-search-result__item h1"
ACCENTS = [
    ("Sakota", "Marija Šakota"),
    ("Šakota", "Marija Šakota"),
    ("Scholkopf", "Bernhard Schölkopf"),
    ("SCHÖLKOPF", "Bernhard Schölkopf"),
    ("Ramirez", "Guillem Ramírez"),
    ("Francois", "François"),
]
IDENTIFIERS = [
    ("2406.18665", ROUTELLM),
    ("arXiv:2406.18665", ROUTELLM),
    ("2406.18665v2", ROUTELLM),
    ("https://arxiv.org/abs/2406.18665v3", ROUTELLM),
    ("https://arxiv.org/pdf/2406.18665v2.pdf", ROUTELLM),
    ("arxiv.org/abs/2406.18665", ROUTELLM),
    ("https://arxiv.org/html/2406.18665v2/#S3", ROUTELLM),
    ("https://huggingface.co/papers/2406.18665?x=1", ROUTELLM),
    ("10.48550/arXiv.2406.18665", ROUTELLM),
    ("https://openreview.net/forum?id=cSimKw5p6R&noteId=x", "chen2023frugalgpt"),
    (ROUTELLM, ROUTELLM),
    ("10.18653/v1/2023.acl-long.792", BLENDER),
    ("doi:10.18653/v1/2023.acl-long.792", BLENDER),
    ("https://doi.org/10.18653/v1/2023.acl-long.792", BLENDER),
    ("https://doi.org/10.18653%2Fv1%2F2023.acl-long.792", BLENDER),
    ("https://www.aclweb.org/anthology/2023.acl-long.792.pdf", BLENDER),
    ("https://aclanthology.org/2023.acl-long.792/", BLENDER),
    ("2023.acl-long.792", BLENDER),
]


def plain(text: str) -> str:
    """Small letters and digits without accents, one blank between words."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    return " ".join(re.findall(r"[^\W_]+", letters.lower()))


def open_header_search(page: Page) -> None:
    """Opens the search of the page's header."""
    page.goto("/about/")
    page.get_by_role("textbox", name="Search").click()


def ask_header(page: Page, query: str) -> None:
    """Types a query into the header's search, which looks when a key is let go."""
    box = page.get_by_role("textbox", name="Search")
    box.fill(query)
    box.press("End")


def search_in_header(page: Page, query: str, least: int = 1) -> list[str]:
    """Titles of the results, as many as the theme shows at first; waits for `least` of them."""
    open_header_search(page)
    ask_header(page, query)
    expect(page.locator(HEADINGS).nth(least - 1)).to_be_visible()
    return page.locator(HEADINGS).all_inner_texts()


def keys_of(corpus: Corpus, author: str) -> list[str]:
    """The papers of an author."""
    keys = [key for key, paper in corpus.papers.items() if author in " ".join(paper.authors)]
    assert keys
    return keys


def test_browser_and_index_cut_words_alike(page: Page, corpus: Corpus) -> None:
    """A word that one of them cuts or folds in its own way would never be found."""
    papers = corpus.papers.values()
    texts = [text for paper in papers for text in (paper.title, paper.name, paper.summary, *paper.authors) if text]
    texts += ["Œuvre  x²—级联路由, naïve Straße …", "İstanbul ŁÓDŹ đ; O\u2019Neill\u00a0\u2028½"]
    texts += ["a·b c+d e_f 𝒢 ﬁt", "々〇 路"]
    page.goto("/about/")
    cut_there = page.evaluate("async (texts) => texts.map((await import('/assets/words.js')).cutWords)", texts)
    for text, there in zip(texts, cut_there, strict=True):
        assert cut(text) == there, text


def test_accents_do_not_matter_in_the_header(page: Page, corpus: Corpus) -> None:
    open_header_search(page)
    for query, author in ACCENTS:
        ask_header(page, query)
        for key in keys_of(corpus, author):
            expect(page.locator(f".md-search-result__link[href*='/{key}/']")).to_be_visible()


def test_accents_do_not_matter_in_the_explorer(page: Page, corpus: Corpus) -> None:
    page.goto("/papers/")
    ready(page)
    for query, author in ACCENTS:
        page.get_by_label("Search the papers").fill(query)
        for key in keys_of(corpus, author):
            expect(page.locator(f".atlas-x-card-title a[href$='/{key}/']")).to_be_visible()


def in_explorer(page: Page, query: str, number: int | None = None) -> list[str]:
    """Keys of the papers on the first page of the explorer's results; waits until they are `number` in all."""
    page.get_by_label("Search the papers").fill(query)
    expect(page).to_have_url(re.compile(r"[?&]text="))
    status = page.locator(".atlas-x-status")
    expect(status).to_have_text(re.compile(r"^\d+ of" if number is None else rf"^{number} of"))
    expect(page.locator(".atlas-x-results[aria-busy]")).to_have_count(0)  # all cards of the first page stand there
    links: list[str] = page.locator(".atlas-x-card-title a").evaluate_all("links => links.map(link => link.href)")
    return [link.rstrip("/").rsplit("/", 1)[-1] for link in links]


def of_venue(corpus: Corpus, name: str) -> set[str]:
    """Papers of a venue or of a workshop held with it."""
    return {key for key, paper in corpus.papers.items() if paper.venue and name in plain(paper.venue.name).split()}


@pytest.mark.parametrize("query", ["NeurIPS", "neural information processing systems"])
def test_the_explorer_finds_a_venue_by_both_its_names(page: Page, corpus: Corpus, query: str) -> None:
    page.goto("/papers/")
    ready(page)
    wanted = of_venue(corpus, "neurips")
    assert len(wanted) > 30
    in_explorer(page, query, len(wanted))


@pytest.mark.parametrize("category", ["during/span-level", "during/token-level", "after/cascade"])
def test_the_explorer_finds_a_category_by_its_name(page: Page, corpus: Corpus, category: str) -> None:
    page.goto("/papers/")
    ready(page)
    found = corpus.taxonomy.category(category)
    assert found
    first = in_explorer(page, f'"{found.name}"'.lower())
    in_category = [key for key in first if category in corpus.papers[key].categories]
    number = sum(category in paper.categories for paper in corpus.papers.values())
    assert len(in_category) >= min(number, 0.9 * len(first))


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("routelm", ROUTELLM),  # a typing error
        ("GSM8K matrix factorisation", ROUTELLM),  # a benchmark, and words of the summary
        ("ICLR 2025 routellm", ROUTELLM),
        ("mixtral-8x7b routellm", ROUTELLM),
        ("comparison-based routellm", ROUTELLM),  # its family
        ("query routing RouteLLM", ROUTELLM),  # another name of its stage
        ("llm blenders", BLENDER),  # another form of the word
        ("LLMBlender", BLENDER),
    ],
)
def test_the_explorer_finds_what_a_paper_is_filed_under(page: Page, query: str, key: str) -> None:
    page.goto("/papers/")
    ready(page)
    assert in_explorer(page, query)[0] == key


def test_numbers_are_meant_as_they_are(page: Page) -> None:
    page.goto("/papers/")
    ready(page)
    in_explorer(page, "gpt-4")
    expect(page.locator(".atlas-x-card mark").first).to_be_visible()
    marked = {text.lower() for text in page.locator(".atlas-x-card mark").all_inner_texts()}
    assert "gpt" in marked
    assert marked <= {"gpt", "gpts", "gpt4", "4"}


def test_facets_of_many_values_open_on_demand(page: Page, corpus: Corpus) -> None:
    page.goto("/papers/")
    ready(page)
    panel = page.locator("#atlas-x-filters")
    group = panel.locator("details.atlas-x-group", has_text=re.compile("^Benchmark"))
    group.locator("summary").click()
    page.get_by_role("searchbox", name="Find a benchmark").fill("gsm8")
    group.get_by_role("checkbox", name=re.compile(r"^GSM8K ?\d*$")).check()
    wanted = [key for key, paper in corpus.papers.items() if "GSM8K" in paper.attributes.benchmarks]
    expect(page.locator(".atlas-x-status")).to_have_text(f"{len(wanted)} of {len(corpus.papers)} papers")
    expect(page).to_have_url(re.compile(r"[?&]benchmark=gsm8k"))
    page.reload()
    ready(page)
    expect(page.locator(".atlas-x-status")).to_have_text(f"{len(wanted)} of {len(corpus.papers)} papers")
    expect(group.get_by_role("checkbox", name=re.compile(r"^GSM8K ?\d*$"))).to_be_checked()


@pytest.mark.parametrize("query", ["mixture-of-agents", "Mixture of Agents", '"mixture-of-agents"'])
def test_a_hyphenated_phrase_lists_the_titles_that_hold_it_first(page: Page, corpus: Corpus, query: str) -> None:
    phrase = "mixture of agents"
    holding = [paper.title for paper in corpus.papers.values() if phrase in plain(paper.title)]
    assert len(holding) >= 8
    # the glossary is found by the heading of a term, not by its own title
    found = [title for title in search_in_header(page, query, least=8) if title != "Glossary"]
    holds = [phrase in plain(title) for title in found]
    assert holds == sorted(holds, reverse=True)
    assert sum(holds) >= min(len(holding), len(found))
    assert "Mixture-of-Agents Enhances Large Language Model Capabilities" in found[:3]  # it begins with the words
    for title in found:  # "of" is no reason to find "Trade-offs"
        assert re.search("mixtur|agent", plain(title)), title


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("mixture of agents", "/methods/mixture-of-agents/"),
        ("LLM council", "/methods/llm-council/"),
        ("model council", "#llm-council"),
        ("test-time scaling", "#test-time-scaling"),
        ("knn-router", "/methods/knn-router/"),
    ],
)
def test_the_header_lists_the_exact_thing_first_and_by_kind(page: Page, query: str, first: str) -> None:
    open_header_search(page)
    ask_header(page, query)
    items = page.locator(".md-search-result__item")
    expect(items.first.locator("a").first).to_have_attribute("href", re.compile(f"{re.escape(first)}(\\?|$)"))
    kinds = items.evaluate_all("items => items.map(item => item.dataset.kind).filter(Boolean)")
    assert kinds[0] == ("Terms" if first.startswith("#") else "Methods")
    assert len(kinds) == len(set(kinds)), "each kind is named once"
    texts = page.locator(".md-search-result__item:has(.md-tag)").count()
    assert ("In the text" in kinds) == (texts > 0)


def test_a_phrase_in_no_title_is_looked_for_in_the_text(page: Page, corpus: Corpus) -> None:
    phrase = "held out"
    titles = {paper.title for paper in corpus.papers.values()}
    assert not [title for title in titles if phrase in plain(title)]
    holding = {paper.title for paper in corpus.papers.values() if phrase in plain(paper.summary or "")}
    assert len(holding) > 3
    papers = [title for title in search_in_header(page, "held-out", least=8) if title in titles]
    assert len(papers) > 1
    assert set(papers[: len(holding)]) <= holding


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("best-of-N", "best-of-n"), ("BoN", "best-of-n"), ("TTFT", "time-to-first-token"), ("PoLL", "llm-jury"),
        ("LLM council", "llm-council"), ("average performance gap recovered", "apgr"),
        ("counterfactual evaluation", "off-policy-evaluation"),
    ],
)  # fmt: skip
def test_terms_are_found_by_their_other_names(page: Page, query: str, address: str) -> None:
    open_header_search(page)
    ask_header(page, query)
    link = f".md-search-result__link[href*='/glossary/'][href$='#{address}']"
    expect(page.locator(link)).to_be_attached()


def test_identifiers_and_addresses_find_their_paper_in_the_header(page: Page) -> None:
    open_header_search(page)
    first = page.locator(".md-search-result__link").first
    for query, key in IDENTIFIERS:
        ask_header(page, "cascade")
        expect(first).not_to_have_attribute("href", re.compile(f"/papers/{key}/"))
        ask_header(page, query)
        expect(first, query).to_have_attribute("href", re.compile(f"/papers/{key}/"))


def test_identifiers_and_addresses_find_their_paper_alone_in_the_explorer(page: Page) -> None:
    page.goto("/papers/")
    ready(page)
    for query, key in IDENTIFIERS:
        page.get_by_label("Search the papers").fill("")
        expect(page.locator(".atlas-x-card").nth(5)).to_be_visible()
        page.get_by_label("Search the papers").fill(query)
        expect(page.locator(".atlas-x-card"), query).to_have_count(1)
        expect(page.locator(".atlas-x-card-title a")).to_have_attribute("href", re.compile(f"/papers/{key}/"))


def test_no_sign_breaks_the_search(page: Page, watch: Watch) -> None:
    page.on("console", lambda message: watch.console_errors.append(message.text))  # warnings, too
    open_header_search(page)
    result = page.locator(f".md-search-result__link[href*='/{ROUTELLM}/']").first
    for query in [
        "-",
        "+",
        "a",
        "of the",
        "title:",
        "x^2",
        "~",
        "*",
        "(",
        "O'Neill",
        "\\",
        "https://a.example/%E0%A4%A",
    ]:
        ask_header(page, query)
        expect(result, query).to_be_hidden()
        ask_header(page, f"{query} routellm")
        expect(result, query).to_be_visible()
