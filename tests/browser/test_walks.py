"""Seven readers, each from the home page to the answer of a question, by what a person sees: names of links, of
headings, of fields. What an answer must be is worked out from the data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Locator, Page, expect

from scripts.model import Corpus
from scripts.render.deciding.choose import advise, command, example, runs_of
from scripts.render.evidence.gains import every_table, points
from scripts.render.evidence.recorded import FOLDER as RECORDED
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.results import FOLDER, Results
from tests.browser.conftest import PHONE, NewPage, ready
from tests.browser.test_comparisons import missing
from tests.conftest import ROOT

pytestmark = pytest.mark.browser


def home(page: Page, link: str) -> Locator:
    """Opens the home page and follows a link of its text; the page's own text is what is left to look at."""
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name=link, exact=True).click()
    return page.get_by_role("main")


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def of_site(built: Path, path: str) -> Any:
    return json.loads((built / path).read_text(encoding="utf-8"))


def title_of(built: Path, method: str) -> str:
    titles = {one["name"]: one["title"] for one in of_site(built, "assets/data/methods.json")["methods"]}
    return str(titles[method])


def saved(page: Page, button: str) -> str:
    """The text that a button hands out as a file."""
    with page.expect_download() as got:
        page.get_by_role("button", name=button).first.click()
    return Path(got.value.path()).read_text(encoding="utf-8")


def test_a_phd_student_leaves_with_related_work_on_span_level_ensembles(page: Page, corpus: Corpus) -> None:
    """Which papers are there, and how do I cite them?"""
    main = home(page, "Span-level ensemble")
    mine = {key: paper for key, paper in corpus.papers.items() if "during/span-level" in paper.categories}
    main.get_by_role("link", name="Filter and sort them in the explorer").click()
    ready(page)
    expect(page.get_by_role("status").first).to_have_text(f"{len(mine)} of {len(corpus.papers)} papers")
    page.get_by_label("Sort by").select_option("title")
    wanted = sorted(mine, key=lambda key: mine[key].title.lower())[:2]
    for key in wanted:
        page.get_by_role("button", name=f"Add to basket: {mine[key].title}").click()
    page.get_by_role("link", name="Open the basket").click()
    for key in wanted:
        expect(main.get_by_role("row").filter(has_text=mine[key].title)).to_be_visible()
    expect(main.get_by_role("heading", name="During inference: Span-level ensemble")).to_be_visible()
    assert re.findall(r"\\cite\{(\w+)\}", saved(page, "LaTeX table")) == wanted
    assert re.findall(r"^@\w+\{(\w+),", saved(page, "BibTeX"), re.MULTILINE) == wanted


def test_an_engineer_is_told_what_to_run(page: Page, built: Path) -> None:
    """I see texts alone and have some hundred scored queries: what do I run, what does it bring?"""
    runs = runs_of(every_table(Results(ROOT / FOLDER), Recorded(ROOT / RECORDED)))
    best = advise(runs, {"see": "text", "labels": "some"})[0]
    main = home(page, "Choose a method")
    page.get_by_label("What do you get from the models?").select_option(label="Any text, over an interface")
    page.get_by_label("How many scored queries").select_option("some")
    title = title_of(built, best.info.name)
    first = main.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title, exact=True)).first
    stands = example(best)
    expect(first).to_contain_text(f"{points(stands.row['gain'])} over {stands.table.baseline}")
    expect(first).to_contain_text(command(best.info))
    first.get_by_role("heading").get_by_role("link").click()
    expect(heading(page)).to_contain_text(title)


def test_a_reviewer_checks_a_claim_and_finds_the_missing_baseline(page: Page, built: Path) -> None:
    """The paper says that it beats the nearest neighbours, and compares with MoA and RouterDC: is that enough?"""
    claim = next(one for one in of_site(built, "api/v1/claims.json")["claims"] if one["id"] == "routers-beat-knn")
    main = home(page, "Is it true what they say?")
    main.get_by_role("link", name=claim["claim"]).first.click()
    expect(heading(page)).to_contain_text(claim["claim"])
    expect(main).to_contain_text(claim["sentence"])
    for report in (*claim["for"], *claim["against"]):
        expect(main).to_contain_text(report["figure"], ignore_case=True)

    relations = of_site(built, "assets/data/relations.json")
    compared = ["wang2024moa", "chen2024routerdc"]
    home(page, "who compares with whom")
    ready(page)
    field = page.get_by_label("A method or paper")
    for key in compared:
        field.fill(relations["papers"][key]["name"])
        field.press("Enter")
    name, count = missing(relations, compared).most_common(1)[0]
    expect(main.get_by_role("listitem").filter(has_text=f"{name} (in {count} of these papers)")).to_be_visible()


def test_a_newcomer_learns_what_a_cascade_is_and_where_to_begin(page: Page, corpus: Corpus) -> None:
    """What is that, and what do I read first?"""
    main = home(page, "Learn or teach")
    lesson = page.get_by_role("heading", name=re.compile("Ask the cheap one first"))
    number = int(re.match(r"\d+", lesson.inner_text())[0])  # type: ignore[index]
    main.get_by_text("An answer", exact=True).nth(number - 1).click()
    expect(main.get_by_text("A model that never hesitates")).to_be_visible()
    main.get_by_role("link", name="this category").nth(number - 1).click()
    category = corpus.taxonomy.category("after/cascade")
    assert category
    expect(heading(page)).to_contain_text(category.name)
    expect(main).to_contain_text(category.question)
    expect(main).to_contain_text(category.when_to_use)
    start = page.get_by_role("heading", name="Start here").locator("xpath=following-sibling::*[1]")
    titles = start.get_by_role("link").all_inner_texts()
    assert len(titles) == 3
    assert set(titles) <= {paper.title for paper in corpus.papers.values() if "after/cascade" in paper.categories}


def test_a_contributor_on_a_phone_corrects_a_date(new_page: NewPage, corpus: Corpus) -> None:
    """The newest paper's venue is wrong here, and I have nothing but this phone."""
    page = new_page(size=PHONE)
    key, paper = next(iter(corpus.papers.items()))
    main = home(page, paper.title)
    expect(heading(page)).to_contain_text(paper.title)
    main.get_by_role("link", name="Suggest a correction").click()
    title = page.get_by_label("Title", exact=True)
    expect(title).to_have_value(paper.title)
    title.fill(f"{paper.title}, again")
    expect(main).to_contain_text(f"title: {paper.title} → {paper.title}, again")
    expect(main).to_contain_text(key)


def test_a_teacher_takes_the_steps_of_a_run_along(page: Page, built: Path) -> None:
    """How does a router choose, step by step, on a slide?"""
    main = home(page, "Learn or teach")
    main.get_by_role("link", name="Watch a recorded run").first.click()
    page.get_by_role("button", name="Next").first.click()
    at = main.get_by_text(re.compile(r"Step 2 of \d+")).first
    expect(at).to_be_visible()
    name = page.url.split("/methods/")[1].split("/")[0]
    expect(heading(page)).to_contain_text(title_of(built, name))
    first = next(iter(of_site(ROOT / FOLDER, f"traces/{name}.json")["traces"].values()))
    expect(main).to_contain_text(first["query"]["prompt"].splitlines()[0])
    drawn = ET.fromstring(saved(page, "All as one SVG"))  # noqa: S314  our own
    assert len(drawn.findall("{http://www.w3.org/2000/svg}svg")) == int(at.inner_text().rsplit(" ", 1)[1])


def test_a_reader_of_chinese_finds_when_to_use_a_cascade(page: Page, corpus: Corpus) -> None:
    """The same for somebody who would rather read Chinese."""
    page.goto("/")
    page.get_by_role("link", name="中文").click()
    main = page.get_by_role("main")
    category = corpus.taxonomy.category("after/cascade")
    assert category
    assert category.zh
    main.get_by_role("link", name=category.zh.name, exact=True).click()
    expect(heading(page)).to_contain_text(category.zh.name)
    expect(main).to_contain_text(category.zh.when_to_use)
