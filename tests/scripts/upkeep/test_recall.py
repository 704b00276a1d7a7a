"""The measure of discovery: arXiv's query language held against texts, and what the real queries find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.upkeep import recall as command
from scripts.model import Corpus
from scripts.upkeep.candidates import Query, load_queries
from scripts.upkeep.recall import Text, core, measure, parse, read_archive
from tests.conftest import MakeAtlas, fields

PAPER = Text("A Router for LLMs", "We route queries to one of several language-models, at low cost.", ("cs.CL",))


@pytest.mark.parametrize(
    ("ask", "holds"),
    [
        ("ti:router", True),
        ("ti:rout", False),  # whole words only
        ("abs:router", False),
        ("all:router", True),
        ('abs:"language models"', True),  # a hyphen is a blank
        ('abs:"models language"', False),
        ("cat:cs.CL AND ti:LLMs", True),
        ("cat:cs.CV AND ti:LLMs", False),
        ("ti:LLMs ANDNOT abs:cost", False),
        ("ti:LLMs ANDNOT abs:images", True),
        ("abs:images OR ti:router AND abs:nothing", False),  # from left to right
        ("abs:images OR (ti:router AND abs:cost)", True),
        ("((ti:ROUTER))", True),
    ],
)
def test_queries_hold_as_arxiv_reads_them(ask: str, *, holds: bool) -> None:
    assert parse(ask)(PAPER) is holds


def test_unknown_categories_exclude_nothing() -> None:
    assert parse("cat:cs.CV")(Text("", ""))


@pytest.mark.parametrize(
    "ask", ["", "ti:", "(ti:a", "ti:a)", "ti:a AND", "AND ti:a", "ti:a b", "au:someone", "ti:a OR OR ti:b"]
)
def test_what_is_no_query_is_refused(ask: str) -> None:
    with pytest.raises(ValueError, match=r"missing|understood|parenthesis"):
        parse(ask)


def test_the_real_queries_find_most_of_the_core(corpus: Corpus) -> None:
    """Title and summary stand in for the abstract here, so the share with abstracts is higher."""
    found = measure(corpus.papers, load_queries(corpus.root).queries, (2025, 2026))
    assert found.core == len(core(corpus.papers, (2025, 2026)))
    assert found.matched + len(found.missed) == found.core
    assert found.matched / found.core >= 0.5
    assert (found.abstracts, found.hits) == (0, None)


@pytest.fixture
def small(make_atlas: MakeAtlas) -> Corpus:
    shared = {"categories": ["after/cascade"], "family": None, "date": "2025-03-01"}
    texts = {
        "doe2025a": ("Deferral to larger models", "2503.00001"),
        "doe2025b": ("Cascades of models", "2503.00002"),
        "doe2025c": ("Pictures of cats", "2503.00003"),
    }
    return make_atlas(
        {
            key: {
                name: value
                for name, value in fields(title=title, ids={"arxiv": arxiv}, summary=title, **shared).items()
                if value is not None
            }
            for key, (title, arxiv) in texts.items()
        }
    )


def archive(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(arxiv: str, title: str, summary: str, date: str = "2025-03-05") -> dict[str, Any]:
    return {"id": arxiv, "title": title, "summary": summary, "categories": ["cs.CL"], "date": date}


def test_abstracts_hits_and_order_come_from_the_archive(small: Corpus, tmp_path: Path) -> None:
    known = read_archive(
        archive(
            tmp_path / "archive.jsonl",
            row("2503.00001", "Deferral to larger models", "A cascade of models, with deferral to larger models."),
            *(row(f"2503.1000{n}", f"Other {n}", "A cascade of pipes.") for n in range(4)),
            row("2503.20000", "Late", "A cascade.", date="2025-09-01"),
            row("2503.30000", "Nothing", "Nothing of the kind."),
        )
    )
    queries = [Query(id="one", ask="abs:cascade"), Query(id="two", ask="abs:deferral")]
    found = measure(small.papers, queries, (2025,), known, ("2025-03-01", "2025-03-31"))
    assert (found.core, found.matched, found.abstracts, set(found.missed)) == (3, 1, 1, {"doe2025b", "doe2025c"})
    assert (found.hits, found.ranked, found.first_fifth) == (5, 1, 1)
    assert "1 of 3 core entries (33%)" in found.as_text()


def test_an_archive_out_of_form_names_its_line(tmp_path: Path) -> None:
    path = archive(tmp_path / "archive.jsonl", row("2503.00001", "A", "B"), {"id": "2503.00002"})
    with pytest.raises(ValueError, match="line 2"):
        read_archive(path)


def test_the_command_tells_the_share(capsys: pytest.CaptureFixture[str]) -> None:
    command(missed=True)
    said = capsys.readouterr()
    assert "core entries" in said.out + said.err
    assert ": " in said.out.splitlines()[0]
