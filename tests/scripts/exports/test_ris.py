"""RIS: every record reads back to the entry's title, authors, year and identifiers."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from scripts.exports import ris
from scripts.model import Corpus, Paper
from scripts.model.paper import Ids

TEXT = st.text(min_size=1, max_size=60).filter(lambda text: text.strip())


def read(text: str) -> list[dict[str, list[str]]]:
    """A reader written from the format's description: two capitals or digits, two blanks, dash, blank, value."""
    records: list[dict[str, list[str]]] = []
    fields: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if found := re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line):
            if found[1] == "ER":
                records.append(fields)
                fields = {}
            else:
                fields.setdefault(found[1], []).append(found[2])
        else:
            assert not line, f"not a RIS line: {line!r}"
    assert not fields, "a record does not end with ER"
    return records


def name_of(author: str) -> str:
    """'Family, Given, Suffix' as 'Given Family Suffix'."""
    family, given, suffix, *_ = [*author.split(", "), "", ""]
    return f"{given} {family} {suffix}".strip()


def test_every_paper_reads_back(corpus: Corpus) -> None:
    records = read(ris.export(corpus.papers))
    assert [fields["ID"] for fields in records] == [[key] for key in corpus.papers]
    for fields, paper in zip(records, corpus.papers.values(), strict=True):
        assert fields["TI"] == [paper.cited_title]
        assert [name_of(author) for author in fields.get("AU", [])] == paper.cited_authors
        assert fields.get("DO", [None]) == [paper.ids.doi]
        assert fields.get("AN", [None]) == [f"arXiv:{paper.ids.arxiv}" if paper.ids.arxiv else None]
        year = paper.venue.year if paper.venue and paper.venue.year else paper.year
        assert fields.get("PY", [None]) == [str(year) if year else None]


def test_names() -> None:
    """A group keeps its name whole, a suffix stands last: RIS reads 'Family, Given, Suffix'."""
    authors = ["Elm Team", "Oogle DeepThought", "OpenOak", "Sammy Davis Jr.", "Ludwig van Beet", "Ana de la Cruz"]
    paper = Paper(title="T", authors=authors, kind="method", categories=["x/y"])
    (fields,) = read(ris.record("key2024", paper))
    assert fields["AU"] == [
        "Elm Team", "Oogle DeepThought", "OpenOak", "Davis, Sammy, Jr.", "van Beet, Ludwig", "de la Cruz, Ana",
    ]  # fmt: skip


def test_kinds_of_publication(corpus: Corpus) -> None:
    kinds = {key: ris.record(key, paper).splitlines()[0] for key, paper in corpus.papers.items()}
    assert kinds["ong2024routellm"] == "TY  - CPAPER"
    assert kinds["chen2023frugalgpt"] == "TY  - JOUR"
    assert "TY  - UNPB" in kinds.values()


@given(title=TEXT, author=TEXT, doi=TEXT)
def test_hostile_text_stays_inside_its_field(title: str, author: str, doi: str) -> None:
    paper = Paper(title=title, authors=[author], kind="method", categories=["x/y"], ids=Ids(doi=doi))
    records = read(ris.record("key2024", paper))
    assert len(records) == 1
    assert records[0]["TI"] == [" ".join(title.split())]
    assert len(records[0]["AU"]) == 1
    assert records[0]["DO"] == [" ".join(doi.split())]
