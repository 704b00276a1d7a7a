"""JSON and CSV: everything known is there, and a spreadsheet runs nothing."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.exports.table import COLUMNS, export_csv, export_json
from scripts.model import Corpus
from scripts.model.paper import Paper
from tests.conftest import fields, real_corpus


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), strict=True))


def test_json_holds_every_field_of_every_entry(corpus: Corpus) -> None:
    """The record without what the export adds is the entry's own file."""
    records = json.loads(export_json(corpus, corpus.papers))
    assert [record["key"] for record in records] == list(corpus.papers)
    documents = {entry.key: entry.document.value for entry in corpus.entries if entry.document}
    for record in records:
        paper = corpus.papers[record["key"]]
        assert record.pop("url") == paper.url
        assert record.pop("verified") is (paper.checked is not None)
        written = dict(documents[record.pop("key")])
        if "authors" in written:  # a group is told by its name alone
            written["authors"] = [one["group"] if isinstance(one, dict) else one for one in written["authors"]]
        assert record == {**written, **({"date": str(written["date"])} if "date" in written else {})}


def test_csv_has_one_row_a_paper_and_all_columns(corpus: Corpus) -> None:
    table = rows(export_csv(corpus, corpus.papers))
    assert [row["key"] for row in table] == list(corpus.papers)
    for row, paper in zip(table, corpus.papers.values(), strict=True):
        assert list(row) == COLUMNS
        assert row["title"] == paper.title
        assert row["authors"] == "; ".join(paper.authors)
        assert row["arxiv"] == (paper.ids.arxiv or "")
        assert row["category"] == paper.categories[0]
        assert row["stage"] == paper.categories[0].partition("/")[0]
        assert row["verified"] == ("yes" if paper.checked else "no")


def test_csv_of_one_entry_with_everything(corpus: Corpus) -> None:
    paper = Paper.model_validate(
        fields(
            name="Deferral",
            venue={"name": "ACL", "year": 2025, "track": "main"},
            ids={"arxiv": "2406.00001", "doi": "10.1000/1"},
            links={"code": ["https://a.example", "https://b.example"]},
            categories=["after/cascade", "related/system"],
            family="unsupervised-deferral",
            attributes={"access": "text", "goals": ["cost", "latency"], "models": ">=2"},
            notes="A note.",
        )
    )
    (row,) = rows(export_csv(corpus, {"doe2024x": paper}))
    assert {key: value for key, value in row.items() if value and key != "summary"} == {
        "key": "doe2024x",
        "title": paper.title,
        "name": "Deferral",
        "authors": "Jane Doe; Richard Roe",
        "date": "2024-06-26",
        "venue": "ACL",
        "venue_year": "2025",
        "track": "main",
        "arxiv": "2406.00001",
        "doi": "10.1000/1",
        "url": "https://arxiv.org/abs/2406.00001",
        "code": "https://a.example; https://b.example",
        "kind": "method",
        "stage": "after",
        "category": "after/cascade",
        "categories": "after/cascade; related/system",
        "family": "unsupervised-deferral",
        "access": "text",
        "models": ">=2",
        "goals": "cost; latency",
        "notes": "A note.",
        "verified": "yes",
    }


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\n=", "\u00a0=", "\uff1d", "\uff0b"])
def test_formulas_are_text_to_a_spreadsheet(corpus: Corpus, start: str) -> None:
    paper = Paper.model_validate(fields(title=f"{start}cmd|' /C calc'!A0", authors=[f"{start}1+1"]))
    (row,) = rows(export_csv(corpus, {"doe2024x": paper}))
    assert row["title"] == f"'{start.strip()}cmd|' /C calc'!A0"
    assert row["authors"] == f"'{start.strip()}1+1"


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\ufeff", "\x00", "\u2060", "\u00ad", "\u202e", "\x1b", "\ufe0f", "\u3164", "\u200b \ufeff"]
)
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d"])
def test_nothing_invisible_hides_a_formula(corpus: Corpus, unseen: str, sign: str) -> None:
    paper = Paper.model_validate(fields(title=f"{unseen}{sign}1+1", name=f"{unseen}A{sign}1"))
    (row,) = rows(export_csv(corpus, {"doe2024x": paper}))
    assert row["title"] == f"'{unseen}{sign}1+1"
    assert row["name"] == f"{unseen}A{sign}1"  # text is left as it is


@given(st.text(min_size=1), st.lists(st.text(min_size=1), max_size=3))
def test_any_text_stays_in_its_cell_on_one_line(title: str, authors: list[str]) -> None:
    paper = Paper.model_validate(fields(title=title, authors=authors))
    text = export_csv(real_corpus(), {"doe2024x": paper})
    assert len(text.splitlines()) == 2
    (row,) = rows(text)
    assert row["key"] == "doe2024x"
    for cell, value in ((row["title"], title), (row["authors"], "; ".join(authors))):
        assert cell.removeprefix("'") == " ".join(value.split()).removeprefix("'")
        assert cell[:1] not in set("=+-@")
