"""The PhD student writes a section on related work: a basket of papers becomes tables, citations and an outline."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.model import Corpus
from scripts.render.knowledge.views import Views
from tests.browser.conftest import NewPage, Watch, ready

pytestmark = pytest.mark.browser

PAPERS = ("ong2024routellm", "chen2023frugalgpt", "jiang2023llmblender")
ROWS = "#atlas-related tbody tr"


def shown(page: Page) -> Page:
    expect(page.locator('#atlas-related[data-state="ready"]')).to_be_attached()
    return page


def taken(page: Page, button: str) -> str:
    """The text that a button hands out as a file."""
    with page.expect_download() as got:
        page.get_by_role("button", name=button, exact=True).click()
    return Path(got.value.path()).read_text(encoding="utf-8")


def test_papers_become_related_work(page: Page, corpus: Corpus) -> None:
    page.goto("/related-work/")
    expect(page.get_by_text("The basket is empty.")).to_be_visible()
    for key in PAPERS:
        page.goto(f"/papers/{key}/")
        button = page.get_by_role("button", name="Add to basket")
        button.click()
        expect(page.get_by_role("button", name="In the basket")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Open the basket").click()
    shown(page)
    expect(page.get_by_role("status")).to_have_text("3 papers in your basket.")
    expect(page).to_have_url(re.compile(rf"\?p={','.join(PAPERS)}$"))
    expect(page.locator(ROWS)).to_have_count(3)
    bibtex = Views(corpus).bibtex
    assert taken(page, "BibTeX") == "\n".join(bibtex[key] for key in PAPERS)
    latex = taken(page, "LaTeX table")
    for key in PAPERS:
        assert rf"\cite{{{key}}}" in latex
    assert r"98\% lower cost" in latex
    assert latex.count(r" \\") == len(PAPERS) + 1
    page.get_by_label("Code").uncheck()
    rows = list(csv.reader(io.StringIO(taken(page, "CSV"))))
    assert "Code" not in rows[0]
    assert [row[-1] for row in rows[1:]] == list(PAPERS)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert taken(page, "Markdown").count("\n") == len(PAPERS) + 2
    outline = page.locator("section", has=page.get_by_role("heading", name="Outline"))
    assert outline.get_by_role("heading", level=3).all_text_contents() == [
        "Before inference: Discrete-utility routing",
        "After inference: Non-cascade ensemble",
        "After inference: Cascade",
    ]
    page.get_by_role("button", name="Take out RouteLLM").click()
    expect(page.locator(ROWS)).to_have_count(2)
    page.reload()
    expect(page.locator(ROWS)).to_have_count(2)


def test_papers_go_into_the_basket_from_the_list_of_papers(page: Page) -> None:
    page.goto("/papers/")
    ready(page)
    card = page.locator(".atlas-x-card").first
    card.get_by_role("button", name="Add to basket").click()
    expect(card.get_by_role("button", name="In the basket")).to_have_attribute("aria-pressed", "true")
    expect(card.locator(".atlas-basket")).to_have_count(1)
    page.goto("/related-work/")
    expect(page.locator(ROWS)).to_have_count(1)


def test_a_set_is_shared_by_its_address_and_leaves_the_basket_alone(new_page: NewPage, watch: Watch) -> None:
    watch.expected.append("404")
    page = new_page()
    page.goto(f"/papers/{PAPERS[0]}/")
    page.get_by_role("button", name="Add to basket").click()
    page.goto(f"/related-work/?p={PAPERS[1]},nobody2024nothing,../evil,{PAPERS[1]}")
    shown(page)
    expect(page.get_by_role("status")).to_have_text("1 paper, shared with you.")
    expect(page.get_by_text("Not in the Atlas, or not loaded: nobody2024nothing.")).to_be_visible()
    page.goto("/related-work/")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_contain_text("RouteLLM")
    page.goto(f"/related-work/?p={PAPERS[1]}")
    page.get_by_role("button", name="Keep as my basket").click()
    expect(page.get_by_role("status")).to_have_text("2 papers in your basket.")


def test_text_is_escaped_for_each_form(page: Page) -> None:
    """What a table may hold, as each form must write it."""
    page.goto("/about/")
    told = page.evaluate(
        """async (text) => {
            const { csv, markdown, latexText } = await import("/assets/tables.js");
            return [csv(["a"], [[text], ["+1, or \\u2212"], ["@x"]]), markdown(["a"], [[text]]), latexText(text)];
        }""",
        r"50% of $x_1 & #2 {a\b} ~ ^ <i> | -- \u2265 ".replace(r"\u2265", "\u2265"),
    )
    text = "50% of $x_1 & #2 {a\\b} ~ ^ <i> | -- \u2265"
    assert told[0] == f"a\n{text}\n\"'+1, or \u2212\"\n'@x\n"
    assert told[1].splitlines()[2] == "| 50% of $x\\_1 & #2 {a\\\\b} \\~ ^ \\<i\\> \\| -- \u2265 |"
    assert told[2] == (
        r"50\% of \$x\_1 \& \#2 \{a\textbackslash{}b\} \textasciitilde{} \textasciicircum{}"
        r" \textless{}i\textgreater{} \textbar{} -{}- $\geq$"
    )
