"""Reading a whole Atlas: bad files are kept with their reason, a bad taxonomy is named with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.model import Corpus
from scripts.model.corpus import CorpusError, Entry, entry_files, find_root
from scripts.model.identifiers import FORMS, arxiv_month
from scripts.model.paper import Paper
from tests.conftest import ROOT, MakeAtlas, fields


def test_the_root_is_found_from_a_folder_below(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ATLAS_ROOT", raising=False)
    assert find_root(ROOT / "papers" / "2024") == ROOT
    assert find_root(tmp_path) == ROOT  # no Atlas around: the one that this code belongs to
    monkeypatch.setenv("ATLAS_ROOT", str(tmp_path))
    assert find_root(ROOT) == tmp_path.resolve()


def test_an_entry_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    good, typo, broken = tmp_path / "a.yml", tmp_path / "b.yml", tmp_path / "c.yml"
    good.write_text("title: A\nkind: method\ncategories: [after/cascade]\n")
    typo.write_text("titel: A\nkind: method\ncategories: [after/cascade]\n")
    broken.write_text("title: [\n")
    assert (paper := Entry.read(good).paper) is not None
    assert paper.title == "A"
    read = Entry.read(typo)
    assert read.paper is None
    assert {error["type"] for error in read.schema_errors} == {"missing", "extra_forbidden"}
    assert read.document is not None
    unread = Entry.read(broken)
    assert unread.document is None
    assert unread.unreadable is not None
    assert unread.unreadable.rule == "yaml-syntax"


@pytest.mark.parametrize("value", ["just text", "[a, b]", "17", "null"])
def test_an_entry_that_is_no_mapping_has_schema_errors(tmp_path: Path, value: str) -> None:
    (tmp_path / "a.yml").write_text(value)
    entry = Entry.read(tmp_path / "a.yml")
    assert entry.paper is None
    assert entry.schema_errors


def test_one_bad_file_does_not_hide_the_others(make_atlas: MakeAtlas) -> None:
    corpus = make_atlas({"doe2024a": fields(), "doe2024b": "a: [\n", "doe2024c": b"\xff", "doe2024d": fields()})
    assert [entry.key for entry in corpus.entries] == ["doe2024a", "doe2024b", "doe2024c", "doe2024d"]
    assert sorted(corpus.papers) == ["doe2024a", "doe2024d"]


def test_papers_are_newest_first_and_unknown_dates_last(make_atlas: MakeAtlas) -> None:
    dates = {
        "a2024x": "2024-02",
        "b2024x": "2024-02-01",
        "c2024x": None,
        "d2024x": "2024",
        "e2025x": "2025-01",
    }
    corpus = make_atlas({key: fields(date=date) for key, date in dates.items()})
    assert list(corpus.papers) == ["e2025x", "b2024x", "a2024x", "d2024x", "c2024x"]


def test_entry_files_are_sorted_and_of_both_suffixes(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.YML", "d.json", "e.yml.bak", "sub/f.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "g.yml").mkdir()
    assert [p.name for p in entry_files(tmp_path)] == ["a.yaml", "b.yml", "c.YML", "g.yml", "f.yml"]


@pytest.mark.parametrize("file", ["taxonomy.yml", "vocabulary.yml"])
def test_a_missing_or_broken_taxonomy_is_named(make_atlas: MakeAtlas, file: str) -> None:
    root = make_atlas({}).root
    path = root / "taxonomy" / file
    good = path.read_text(encoding="utf-8")
    for content, told in (
        ("a: [\n", f"{file}:2: "),
        ("", f"{file}:1: the file holds nothing"),
        (good.replace("definition:", "defintion:", 1), "definition"),
        (good + "\nextra: 1\n", "Extra inputs are not permitted"),
    ):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(CorpusError, match=re.escape(told)):
            Corpus.load(root)
    path.unlink()
    with pytest.raises(CorpusError, match=f"{file}:1: cannot be read"):
        Corpus.load(root)


# --- the paper model ----------------------------------------------------------------------------------------------


def test_the_address_is_the_first_identifiers_else_the_page() -> None:
    ids = {"arxiv": "2406.18665", "doi": "10.1000/1", "acl": "2023.acl-long.792", "openreview": "8sSqNntaMr"}
    found = []
    while ids:
        found.append(Paper.model_validate(fields(ids=dict(ids))).url)
        del ids[next(iter(ids))]
    page = Paper.model_validate(fields(links={"page": "https://venue.example/p"}))
    assert [*found, page.url, Paper.model_validate(fields()).url] == [
        "https://arxiv.org/abs/2406.18665",
        "https://doi.org/10.1000/1",
        "https://aclanthology.org/2023.acl-long.792/",
        "https://openreview.net/forum?id=8sSqNntaMr",
        "https://venue.example/p",
        None,
    ]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            "arxiv",
            ["2406.18665", "0704.0001", "cs/0112017", "math.GT/0309136", "hep-th/9901001"],
            [
                "2406.18665v2",
                "arXiv:2406.18665",
                "2413.00001",
                "2406.186",
                "2406.18665\n",
                "2406.186655",
                "24O6.18665",
            ],
        ),
        (
            "doi",
            [
                "10.18653/v1/2023.acl-long.792",
                "10.1609/aaai.v39i24.34772",
                "10.1016/S0893-6080(05)80023-1",
                "10.1145/<x>;",
            ],
            [
                "https://doi.org/10.1/x",
                "doi:10.1145/1",
                "10.1145",
                "10.1145/a b",
                "10.1145/é",
                "10.1145/x\n",
            ],
        ),
        (
            "acl",
            ["2023.acl-long.792", "P18-1001", "2024.findings-emnlp.1"],
            ["2023.acl-long", "p18-1001", "P18-10011"],
        ),
        (
            "openreview",
            ["8sSqNntaMr", "H1e_cC4twS"],
            ["short", "forum?id=8sSqNntaMr", "8sSqNntaMr8sSqNntaMr"],
        ),
        ("s2", ["0" * 40, "a1" * 20], ["0" * 39, "G" * 40, "A1" * 20]),
    ],
)
def test_identifier_forms(kind: str, good: list[str], bad: list[str]) -> None:
    pattern = FORMS[kind].pattern
    assert [text for text in good if not pattern.match(text)] == []
    assert [text for text in bad if pattern.match(text)] == []


def test_the_month_of_an_arxiv_identifier() -> None:
    assert arxiv_month("2406.18665") == "2024-06"
    assert arxiv_month("cs/0112017") is None
