"""BibTeX that a parser of another project reads back to the same facts, whatever the entry holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares.names import (
    SeparateCoAuthors,
    parse_single_name_into_parts,
    split_multiple_persons_names,
)
from bibtexparser.model import Entry
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scripts.exports.bibtex import entry_text, escape, export, protect, unescape
from scripts.imports import bibtex as imports
from scripts.model import Corpus
from scripts.model.names import GroupName, is_group
from scripts.model.paper import Paper
from scripts.model.venues import cited_venue
from tests.conftest import fields

# text of the kinds that break BibTeX: its own signs, LaTeX commands, quotes, line breaks, other scripts
HOSTILE = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            "{", "}", "\\", "%", "#", "~", '"', "'", "@", "@article{x,", "\n", "\r\n", ",", "=", "$", "&", "_",
            "^", " and ", " ",
            "\\textbackslash{}", "\\{", "\\%", "{\\", "}}", "and", "GPT-4", "LLMs", "kNN", "é", "大模型", "\u00a0",
            "\u2028", "--", "``", "~0", "0~0",
            "\\input{/etc/passwd}", "title = {", "}\n@comment{", "@string{a = b}", "Jr.", "von", "de la", "I",
            "T5", "x_1",
        ]
    ),
    max_size=12,
).map("".join)  # fmt: skip
FILLED = HOSTILE.filter(lambda text: text.strip())


def flat(text: str) -> str:
    """One blank for every run of blanks: BibTeX knows no other."""
    return " ".join(text.split())


def read(text: str) -> list[Entry]:
    """The entries of a .bib file; fails where a block could not be parsed."""
    library = parse_string(text)
    assert library.failed_blocks == []
    assert len(library.blocks) == len(library.entries)
    return library.entries


def value(entry: Entry, field: str) -> str | None:
    found = entry.fields_dict.get(field)
    return unescape(found.value) if found else None


def names(entry: Entry) -> list[str]:
    """The authors as 'Given von Family', by bibtexparser's own reading of names."""
    if "author" not in entry.fields_dict:
        return []
    found = []
    for name in split_multiple_persons_names(entry.fields_dict["author"].value):
        parts = parse_single_name_into_parts(name)
        found.append(unescape(" ".join([*parts.first, *parts.von, *parts.last, *parts.jr])))
    return found


def assert_round_trip(papers: Mapping[str, Paper]) -> None:
    """Title, authors, year and identifiers come back through bibtexparser."""
    entries = read(export(papers))
    assert [entry.key for entry in entries] == list(papers)
    for entry, paper in zip(entries, papers.values(), strict=True):
        assert value(entry, "title") == flat(paper.cited_title)
        others = [] if paper.authors_complete else ["others"]
        assert names(entry) == [flat(author) for author in paper.cited_authors] + others
        year = paper.venue.year if paper.venue and paper.venue.year else paper.year
        assert value(entry, "year") == (str(year) if year else None)
        assert value(entry, "eprint") == paper.ids.arxiv
        assert value(entry, "doi") == paper.ids.doi
        container = "journal" if entry.entry_type == "article" else "booktitle"
        assert value(entry, container) == (flat(cited_venue(paper.venue)) if paper.venue else None)


# --- the real papers ----------------------------------------------------------------------------------------------


def test_every_real_paper_comes_back(corpus: Corpus) -> None:
    assert_round_trip(corpus.papers)


def test_real_titles_keep_their_capitals(corpus: Corpus) -> None:
    """A style that lowers capitals outside braces must leave the method's name as it is."""
    for entry, paper in zip(read(export(corpus.papers)), corpus.papers.values(), strict=True):
        if paper.name and re.fullmatch(r"\w+", paper.name) and re.search(rf"\b{paper.name}\b", paper.cited_title):
            lowered = _as_a_style_prints(entry.fields_dict["title"].value)
            if sum(char.isupper() for char in paper.name) > 1:
                assert paper.name in unescape(lowered)


def _as_a_style_prints(title: str) -> str:
    """plain.bst's change.case$: letters outside braces become small, except the first."""
    depth, printed = 0, []
    for place, char in enumerate(title):
        depth += (char == "{") - (char == "}")
        printed.append(char if depth or not place else char.lower())
    return "".join(printed)


# --- what an entry looks like -------------------------------------------------------------------------------------


def bib(**changes: Any) -> str:
    return entry_text("doe2024x", Paper.model_validate(fields(**changes)))


def test_a_preprint() -> None:
    assert bib(ids={"arxiv": "2406.00001"}) == (
        "@misc{doe2024x,\n"
        "\ttitle = {Deferral Without Regret: Asking a Larger Model Late},\n"
        "\tauthor = {Doe, Jane and Roe, Richard},\n"
        "\tyear = {2024},\n"
        "\tmonth = {6},\n"
        "\teprint = {2406.00001},\n"
        "\tarchiveprefix = {arXiv},\n"
        "\turl = {https://arxiv.org/abs/2406.00001}\n"
        "}\n"
    )


def test_types_and_containers() -> None:
    conference = {"name": "ACL", "year": 2025, "track": "main"}
    journal = {"name": "TMLR", "year": 2025, "track": "journal"}
    assert bib().startswith("@misc{")
    assert bib(venue=conference).startswith("@inproceedings{")
    full = "Annual Meeting of the Association for Computational Linguistics (ACL)"
    assert f"booktitle = {{{full}}}" in bib(venue=conference)
    assert bib(venue=journal).startswith("@article{")
    assert "journal = {Transactions on Machine Learning Research}" in bib(venue=journal)


def test_a_publication_is_cited_with_its_own_title_authors_and_pages() -> None:
    written = bib(
        ids={"arxiv": "2406.00001"},
        venue={"name": "ACL", "year": 2025, "track": "findings", "pages": "12-34"},
        versions=[
            {"of": "preprint", "title": "A Title That Nobody Cites"},
            {"of": "publication", "title": "Asking Late", "authors": ["Jane Doe"]},
        ],
    )
    assert "title = {Asking Late}" in written
    assert "author = {Doe, Jane}" in written
    assert "booktitle = {Findings of the Association for Computational Linguistics: ACL 2025}" in written
    assert "pages = {12--34}" in written


def test_a_group_and_a_person_of_one_name_are_not_confused() -> None:
    """Names are remembered between papers; a group's must not answer for a person's."""
    assert "author = {{Jane Doe}}" in bib(authors=[{"group": "Jane Doe"}])
    assert "author = {Doe, Jane and {Jane Doe}}" in bib(authors=["Jane Doe", {"group": "Jane Doe"}])


@pytest.mark.parametrize(
    "author",
    [
        "Mausam", "李明", "李 明", "卡尔·马克思", "Лев Толстой", "محمد بن علي", "Jean-Luc Éluard-García",
        "Seán O’Neill", "Sinéad O'Connor", "Sammy Davis Jr.", "Ludwig van Beet III", "Ana de la Cruz",
        "Eva Van den Berg", "bell hooks",
        "Omar al-Khatib", "Mohammed bin Salman", "J. R. R. Bo", "Chun (Rick) Chan", "Robert McCraith",
        "Elm2 Team", "OpenOak", "NVIDIA", "R&D Lab", "NumTool_1.0 Contributors", "DeepSeek-AI",
        GroupName("Gem Team, Oogle"), GroupName("Society for Tools and Technology"), GroupName("Jane Doe"),
        GroupName("01.AI"), GroupName("AI@Elm #1"),
    ],
)  # fmt: skip
def test_an_author_comes_back_through_our_own_import(author: str) -> None:
    """The same name, and still a person or a group."""
    text = entry_text("doe2024x", Paper.model_validate(fields(authors=["Jane Roe", author, "Bo Doe"])))
    (entry,) = imports.read(text.encode()).entries
    assert entry.fields["authors"] == ["Jane Roe", author, "Bo Doe"]
    assert [is_group(name) for name in entry.fields["authors"]] == [False, is_group(author), False]


def test_the_year_is_that_of_the_publication_else_of_the_first_version() -> None:
    assert "year = {2025}" in bib(venue={"name": "ACL", "year": 2025})
    assert "year = {2024}" in bib(venue={"name": "ACL"})
    assert "month" not in bib(venue={"name": "ACL", "year": 2025})
    assert "year" not in bib(date=None)


def test_unknown_fields_are_absent_and_missing_authors_are_others() -> None:
    assert "author" not in bib(authors=[])
    assert "author = {Doe, Jane and others}" in bib(authors=["Jane Doe"], authors_complete=False)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Jane Doe", "Doe, Jane"),
        ("Noah A. Smith", "Smith, Noah A."),
        ("Jean-Luc van der Berg", "van der Berg, Jean-Luc"),
        ("Sammy Davis Jr.", "Davis, Jr., Sammy"),
        ("Sammy Davis, Jr.", "Davis, Jr., Sammy"),
        ("Ludwig van Beet III", "van Beet, III, Ludwig"),
        ("Ana de la Cruz", "de la Cruz, Ana"),
        ("Eva Van den Berg", "Van den Berg, Eva"),
        ("bell hooks", "hooks, bell"),
        ("Chun (Rick) Chan", "Chan, Chun (Rick)"),
        ("Seán O’Neill", "O’Neill, Seán"),
        ("Madonna", "Madonna"),  # braces would say that it is a group
        ("李明", "李明"),
        ("李 明", "李 明"),
        ("Roe, Richard", "{Roe, Richard}"),
        ("Smith and Sons", "{Smith and Sons}"),
        ("The {LLM} Team", r"{The \textbraceleft{}LLM\textbraceright{} Team}"),
        ("R&D Lab", r"{R\&D Lab}"),
        ("Elm2 Team", "{Elm2 Team}"),
        ("Oogle DeepThought", "{Oogle DeepThought}"),
        ("OpenOak", "{OpenOak}"),
        ("Johns Hopkins ML Group", "{Johns Hopkins ML Group}"),
        ({"group": "Gem Team, Oogle"}, "{Gem Team, Oogle}"),
        ({"group": "Society for Tools and Technology"}, "{Society for Tools and Technology}"),
        ({"group": "Jane Doe"}, "{Jane Doe}"),
        ("  Jane \n Doe ", "Doe, Jane"),
    ],
)
def test_names(name: str | dict[str, str], written: str) -> None:
    assert f"author = {{{written}}}" in bib(authors=[name])


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("RouteLLM: Learning to Route", "{RouteLLM}: Learning to Route"),
        ("A Survey of LLMs", "A Survey of {LLMs}"),
        ("Beyond GPT-4.1 and T5", "Beyond {GPT-4.1} and {T5}"),
        ("Multi-Agent Debate", "Multi-Agent Debate"),
        ("100% of {x} & y_1 #2 ~ $", r"100\% of \textbraceleft{}x\textbraceright{} \& y\_1 \#2 \textasciitilde{} \$"),
        ("A <b> | c", r"A \textless{}b\textgreater{} \textbar{} c"),
        (r"\input{a}", r"\textbackslash{}input\textbraceleft{}a\textbraceright{}"),
    ],
)
def test_titles(title: str, written: str) -> None:
    assert f"title = {{{written}}}" in bib(title=title)


@pytest.mark.parametrize(
    "doi",
    [
        "10.1162/tacl_a_00999",
        "10.1002/(SICI)1096-9999(19960129)365:1<113::AID-CNE9>3.0.CO;2-6",
        "10.1016/S0304(96)_a%b#c~d&e$f^g",
    ],
)
def test_a_doi_is_written_as_it_is(doi: str) -> None:
    """BibLaTeX reads the field verbatim: with `\\_` for `_` its link would lead nowhere."""
    assert f"\tdoi = {{{doi}}},\n" in bib(ids={"doi": doi})


def test_the_address_of_a_doi_holds_no_sign_that_an_address_must_not_hold() -> None:
    text = bib(ids={"doi": "10.1002/(SICI)1096-9999(19960129)365:1<113::AID-CNE9>3.0.CO;2-6"})
    assert "url = {https://doi.org/10.1002/(SICI)1096-9999(19960129)365:1%3C113::AID-CNE9%3E3.0.CO;2-6}" in text


# --- hostile papers -----------------------------------------------------------------------------------------------

PAPERS = st.fixed_dictionaries(
    {
        "title": FILLED,
        "authors": st.lists(FILLED, max_size=4),
        "kind": st.just("method"),
        "categories": st.just(["after/cascade"]),
    },
    optional={
        "authors_complete": st.booleans(),
        "date": st.sampled_from(["2024", "2024-06", "2024-06-26"]),
        "venue": st.fixed_dictionaries(
            {"name": FILLED},
            optional={"year": st.integers(1950, 2100), "track": st.sampled_from(["main", "journal"])},
        ),
        "ids": st.fixed_dictionaries({}, optional={"arxiv": FILLED.map(flat), "doi": FILLED.map(flat)}),
        "links": st.fixed_dictionaries({}, optional={"page": FILLED}),
    },
).map(Paper.model_validate)


@settings(max_examples=200)
@given(PAPERS)
def test_hostile_papers_come_back(paper: Paper) -> None:
    assert_round_trip({"doe2024x": paper})


@settings(max_examples=40)
@given(st.lists(PAPERS, min_size=2, max_size=3))
def test_no_entry_spoils_its_neighbours(papers: list[Paper]) -> None:
    assert_round_trip({f"doe2024x{n}": paper for n, paper in enumerate(papers)})


@given(PAPERS)
def test_only_our_own_commands_reach_latex(paper: Paper) -> None:
    """Of an entry's text no backslash, brace or comment sign stays a command."""
    text = entry_text("doe2024x", paper)
    commands = set(re.findall(r"\\([A-Za-z]+|.)", text))
    assert commands <= {
        "textbackslash",
        "textbraceleft",
        "textbraceright",
        "textasciitilde",
        "textasciicircum",
        "textless",
        "textgreater",
        "textbar",
        *"#$%&_",
    }
    assert text.count("{") == text.count("}")


@given(HOSTILE)
@example("\\{}")
@example("\\textbackslash{}")
def test_unescape_inverts_escape(text: str) -> None:
    assert unescape(escape(text)) == flat(text)


@given(HOSTILE)
def test_unescape_inverts_protect(text: str) -> None:
    assert unescape(protect(text)) == flat(text)


@given(HOSTILE)
def test_braces_are_balanced_at_every_place(text: str) -> None:
    for written in (escape(text), protect(text)):
        depth = 0
        for char in written:
            depth += (char == "{") - (char == "}")
            assert depth >= 0
        assert depth == 0


def test_names_are_split_as_bibtexparsers_own_middleware_does(corpus: Corpus) -> None:
    """`names` above reads as the middleware that a user of bibtexparser would take."""
    text = export(dict(list(corpus.papers.items())[:30]))
    separated = parse_string(text, append_middleware=[SeparateCoAuthors()])
    for entry, paper in zip(separated.entries, corpus.papers.values(), strict=False):
        if "author" in entry.fields_dict:
            assert len(entry.fields_dict["author"].value) == len(paper.authors) + (not paper.authors_complete)
