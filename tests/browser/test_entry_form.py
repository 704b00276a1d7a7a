"""A contributor without git, on a phone: the form checks while one writes, and what it hands over is an entry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.checks import Level, validate
from tests.browser.conftest import PHONE, NewPage, ready
from tests.conftest import MakeAtlas, fields

pytestmark = pytest.mark.browser

FORM = "/contribute/form/"
SUMMARY = fields()["summary"]


def opened(new_page: NewPage, query: str = "") -> Page:
    page = new_page(size=PHONE)
    page.goto(f"{FORM}{query}")
    ready(page)
    expect(page.locator("#atlas-entry-state")).not_to_be_empty()
    return page


def state(page: Page) -> str:
    return page.locator("#atlas-entry-state").inner_text()


def test_what_it_hands_over_is_an_entry(new_page: NewPage, make_atlas: MakeAtlas) -> None:
    page = opened(new_page)
    assert "Title" in state(page)
    page.get_by_label("Title", exact=True).fill("Waiting: Small Models #1 Ask 'Later'")
    page.get_by_label("Authors", exact=True).fill("Jane Doe\nÉmile Zöla-Roe")
    page.get_by_label("First public version", exact=True).fill("2024-02-30")
    expect(page.get_by_text("There is no such day.")).to_be_visible()
    page.get_by_label("First public version", exact=True).fill("2024-06-26")
    page.get_by_label("arXiv", exact=True).fill("https://arxiv.org/abs/2406.99991v2")
    page.get_by_label("Category", exact=True).select_option("after/cascade")
    page.get_by_label("Family", exact=True).select_option(label="Unsupervised deferral")
    page.get_by_label("Cost", exact=True).check()
    page.get_by_label("Benchmarks", exact=True).fill("MMLU, GSM8K")
    page.get_by_label("Summary", exact=True).fill(SUMMARY)
    page.get_by_label("You held it against", exact=True).fill("https://arxiv.org/abs/2406.99991")
    expect(page.locator("#atlas-entry-state")).to_contain_text("Complete.")
    name = page.locator("#atlas-entry-file").inner_text()
    assert name == "papers/2024/doe2024waiting.yml"
    text = page.locator("#atlas-entry-yaml").inner_text()
    corpus = make_atlas({Path(name).name.removesuffix(".yml"): text})
    (paper,) = corpus.papers.values()
    assert paper.title == "Waiting: Small Models #1 Ask 'Later'"
    assert paper.authors == ["Jane Doe", "Émile Zöla-Roe"]
    assert (paper.ids.arxiv, paper.attributes.benchmarks) == ("2406.99991", ["MMLU", "GSM8K"])
    errors = {finding.rule for finding in validate(corpus) if finding.level is Level.ERROR}
    assert errors <= {"canonical"}, "atlas fmt mends the form"


def test_a_paper_that_is_here_is_named(new_page: NewPage) -> None:
    page = opened(new_page)
    page.get_by_label("Title", exact=True).fill("RouteLLM: Learning to route LLMs by preference data")
    twin = page.locator("#atlas-entry-twins a")
    expect(twin.first).to_have_attribute("href", re.compile(r"papers/ong2024routellm/$"))
    expect(page.locator("#atlas-entry-twins")).to_contain_text("Is it this one?")
    page.get_by_label("arXiv", exact=True).fill("arXiv:2406.18665")
    expect(page.locator("#atlas-entry-twins")).to_contain_text("Here already:")
    expect(page.locator("#atlas-entry-state")).to_contain_text("here already")


def test_a_correction_says_what_changes_and_nothing_else(new_page: NewPage) -> None:
    page = opened(new_page, "?paper=ong2024routellm")
    said = page.locator("#atlas-entry-yaml")
    expect(said).to_have_text("Nothing is changed yet.")
    page.get_by_label("Year of the venue", exact=True).fill("2026")
    expect(said).to_have_text("venue.year: 2025 → 2026")
    page.get_by_label("Short name", exact=True).fill("<img src=x onerror=alert(1)>")
    expect(said).to_contain_text("name: RouteLLM → <img src=x")
    assert page.locator("#atlas-entry img").count() == 0


def test_a_field_is_named_where_it_is_wrong(new_page: NewPage) -> None:
    page = opened(new_page, "?paper=../../etc")
    page.get_by_role("button", name="Check all fields").click()
    title = page.get_by_label("Title", exact=True)
    expect(title).to_be_focused()
    expect(title).to_have_attribute("aria-invalid", "true")
    page.get_by_label("DOI", exact=True).fill("not a doi")
    expect(page.locator("#wrong-ids-doi")).to_contain_text("10.18653/v1/2023.acl-long.792")
    page.get_by_role("textbox", name="Code", exact=True).fill("javascript:alert(1)")
    expect(page.locator("#wrong-links-code")).to_contain_text("no address")
