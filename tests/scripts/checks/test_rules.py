"""Every rule finds what it is there for, at its place, and nothing else.

tests/data/fail holds entries with one fault each. A comment names the finding: above the line where it is expected,
`# finding: RULE at column N`; at the top, `# finding: RULE on line 1` where a whole file is meant.
"""

from __future__ import annotations

import datetime
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.checks import Finding, Level, validate
from scripts.checks.entry import bad_link, count_sentences
from scripts.checks.rules import RULES
from scripts.model import Corpus
from scripts.model.corpus import Entry
from scripts.model.yaml_reader import MAX_ENTRY_BYTES
from tests.conftest import ROOT, TODAY, Entries, MakeAtlas, entry_text, fields, real_corpus, write_entries

DATA = ROOT / "tests" / "data"
FAIL = sorted((DATA / "fail").glob("*.yml"))
PASS = sorted((DATA / "pass").glob("*.yml"))
KEY = "doe2024example"
EXPECTED = re.compile(r"\s*# finding: (?P<rule>[a-z-]+) (?:at column (?P<column>\d+)|on line 1)\Z")


def expected_findings(text: str) -> Iterator[tuple[str, int, int]]:
    """(rule, line, column) of each `# finding:` comment."""
    for number, line in enumerate(text.split("\n"), 1):
        if found := EXPECTED.match(line):
            yield found["rule"], number + 1 if found["column"] else 1, int(found["column"] or 1)


def findings_of(corpus: Corpus, root: Path, entries: Entries) -> list[Finding]:
    """The findings of a few entries under the real taxonomy."""
    write_entries(root, entries)
    paths = sorted((root / "papers").glob("*/*"))
    small = Corpus(root, corpus.taxonomy, corpus.vocabulary, [Entry.read(path) for path in paths])
    return validate(small, today=TODAY)


@pytest.mark.parametrize("path", FAIL, ids=lambda path: path.stem)
def test_a_faulty_entry_has_exactly_its_finding(corpus: Corpus, tmp_path: Path, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = findings_of(corpus, tmp_path, {KEY: text})
    wanted = list(expected_findings(text))
    assert wanted
    assert [(f.rule, f.mark.line, f.mark.column) for f in found] == wanted
    for finding in found:
        assert finding.file == f"papers/2024/{KEY}.yml"
        assert finding.level is RULES[finding.rule].level
        assert finding.message
        assert finding.repair
        assert len(finding.text().splitlines()) == 1


@pytest.mark.parametrize("path", FAIL, ids=lambda path: path.stem)
def test_a_fixture_is_named_after_its_rule(path: Path) -> None:
    rules = {rule for rule, _, _ in expected_findings(path.read_text(encoding="utf-8"))}
    assert any(path.stem == rule or path.stem.startswith(f"{rule}-") for rule in rules)


@pytest.mark.parametrize("path", PASS, ids=lambda path: path.stem)
def test_a_good_entry_has_no_finding(corpus: Corpus, tmp_path: Path, path: Path) -> None:
    found = findings_of(corpus, tmp_path, {path.stem: path.read_bytes()})
    infos = {"unverified", "summary-unknown"} if "unverified" in path.stem else set()
    assert {finding.rule for finding in found} == infos


def test_all_good_entries_together_have_no_finding_between_them(corpus: Corpus, tmp_path: Path) -> None:
    found = findings_of(corpus, tmp_path, {path.stem: path.read_bytes() for path in PASS})
    assert [finding.text() for finding in found if finding.level is not Level.INFO] == []


# --- what cannot be one file --------------------------------------------------------------------------------------

OTHER = {"title": "Something Else Altogether", "summary": "Nothing in common. " * 10 + "Nothing at all."}
SUMMARY = "Another summary that is long enough to be one, written for this entry and for no other. " * 2
BETWEEN: dict[str, tuple[Entries, list[tuple[str, str, int, int]]]] = {
    "encoding": (
        {
            "doe2024a": b"title: J\xe9r\xf4me\n",
            "doe2024b": b"\xef\xbb\xbftitle: A\n",
            "doe2024c": b"a\x00".decode().encode("utf-16"),
        },
        [
            ("doe2024a", "encoding", 1, 9),
            ("doe2024b", "encoding", 1, 1),
            ("doe2024c", "encoding", 1, 1),
        ],
    ),
    "too-large": (
        {"doe2024a": entry_text() + "#" * MAX_ENTRY_BYTES},
        [("doe2024a", "too-large", 1, 1)],
    ),
    "empty-file": (
        {"doe2024a": b"", "doe2024b": b"\n"},
        [("doe2024a", "empty-file", 1, 1), ("doe2024b", "empty-file", 1, 1)],
    ),
    "yaml-syntax": (
        {"doe2024a": b"title: A\nname: \x1b[31m\n", "doe2024b": b"title: A\nname: \x00\n"},
        [("doe2024a", "yaml-syntax", 2, 1), ("doe2024b", "yaml-syntax", 2, 1)],
    ),
    "key-form": (
        {
            "2024/Doe2024.yml": fields(),
            "2024/doe.yml": fields(**OTHER),
            "2024/doe2024.yaml": fields(title="C", summary=SUMMARY),
        },
        [
            ("Doe2024", "key-form", 1, 1),
            ("doe", "key-form", 1, 1),
            ("doe2024", "duplicate-key", 1, 1),
            ("doe2024", "key-form", 1, 1),
        ],
    ),
    "key-folder": ({"2023/doe2024a.yml": fields()}, [("doe2024a", "key-folder", 1, 1)]),
    "duplicate-key": (
        {"2024/doe2024a.yml": fields(), "2025/doe2024a.yml": fields(**OTHER)},
        [("doe2024a", "duplicate-key", 1, 1), ("doe2024a", "key-folder", 1, 1)],
    ),
    "duplicate-identifier": (
        {"doe2024a": fields(ids={"doi": "10.1000/aBc"}), "doe2024b": fields(**OTHER, ids={"doi": "10.1000/AbC"})},
        [("doe2024b", "duplicate-identifier", 6, 8)],
    ),
    "duplicate-title": (
        {
            "doe2024a": fields(),
            "doe2024b": fields(title="Deferral without regret – asking a larger model late!", summary=SUMMARY),
        },
        [("doe2024b", "duplicate-title", 2, 8)],
    ),
    "same-title": (
        {
            "doe2024a": fields(),
            "doe2024b": fields(authors=["Cleo Third"], summary=SUMMARY),
        },
        [("doe2024b", "same-title", 2, 8)],
    ),
    "near-duplicate-title": (
        {
            "doe2024a": fields(),
            "doe2024b": fields(title="Deferral Without Regrets: Asking a Larger Model Late", summary=SUMMARY),
        },
        [("doe2024b", "near-duplicate-title", 2, 8)],
    ),
    "summary-equal": (
        {"doe2024a": fields(), "doe2024b": fields(title="Something Else Altogether")},
        [("doe2024b", "summary-equal", 7, 10)],
    ),
    "relation": (
        {
            "doe2024a": fields(
                relations={
                    "builds_on": ["doe2024b", "doe2024"],
                    "sources": {"https://arxiv.org/abs/2406.1": ["doe2024b", "doe2024"]},
                }
            ),
            "doe2024b": fields(**OTHER),
        },
        [("doe2024a", "relation", 11, 25)],
    ),
    "relation-unsourced": (
        {
            "doe2024a": fields(
                relations={
                    "builds_on": ["doe2024b"],
                    "compares_with": ["doe2024b"],
                    "surveyed_in": ["doe2024b"],
                }
            ),
            "doe2024b": fields(**OTHER),
        },
        [("doe2024a", "relation-unsourced", 11, 15), ("doe2024a", "relation-unsourced", 12, 19)],
    ),
    "link": (
        {
            "doe2024a": fields(
                relations={"builds_on": ["doe2024b"], "sources": {"ftp://arxiv.org/abs/2406.1": ["doe2024b"]}}
            ),
            "doe2024b": fields(**OTHER),
        },
        [("doe2024a", "link", 13, 33)],
    ),
}


@pytest.mark.parametrize("rule", BETWEEN)
def test_rules_of_files_and_between_entries(corpus: Corpus, tmp_path: Path, rule: str) -> None:
    entries, wanted = BETWEEN[rule]
    found = findings_of(corpus, tmp_path, entries)
    said = [(Path(f.file).stem, f.rule, f.mark.line, f.mark.column) for f in found if f.rule != "summary-length"]
    assert sorted(said) == sorted(wanted)


def test_not_a_file(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "papers" / "2024"
    (folder / "doe2024folder.yml").mkdir(parents=True)
    (folder / "doe2024link.yml").symlink_to("/etc/passwd")
    (folder / "doe2024loop.yml").symlink_to(folder / "doe2024loop.yml")
    found = findings_of(corpus, tmp_path, {})
    assert [(f.file, f.rule) for f in found] == [
        (f"papers/2024/doe2024{name}.yml", "not-a-file") for name in ("folder", "link", "loop")
    ]


def test_a_date_in_the_future(corpus: Corpus, tmp_path: Path) -> None:
    """Not later than today, to the day, the month or the year as far as the date tells."""
    for date, bad in {
        "2026-12-01": False, "2026-12-02": True, "2026-12": False, "2027-01": True, "2026": False, "2027": True
    }.items():  # fmt: skip
        key = f"doe{date[:4]}example"
        found = findings_of(corpus, tmp_path / date, {key: fields(date=date)})
        assert [(f.rule, f.mark.line) for f in found] == ([("date-future", 4)] if bad else []), date


def test_every_rule_has_a_test() -> None:
    tested = {rule for path in FAIL for rule, _, _ in expected_findings(path.read_text(encoding="utf-8"))}
    # test_claims.py, test_glossary.py, test_guides.py, test_chinese.py
    elsewhere = {"claim", "claim-figure", "glossary", "guide", "chinese", "chinese-missing", "chinese-stale"}
    assert tested | set(BETWEEN) | {"not-a-file", "date-future"} | elsewhere == set(RULES)


def test_every_rule_tells_its_reason() -> None:
    for rule_id, rule in RULES.items():
        assert rule.id == rule_id
        assert rule.reason.endswith((".", "?"))


# --- what is no finding -------------------------------------------------------------------------------------------


def test_near_titles_are_only_told_once_and_of_the_same_people(corpus: Corpus, tmp_path: Path) -> None:
    near = {"title": "Deferral Without Regrets: Asking a Larger Model Late", "summary": SUMMARY}
    strangers = findings_of(
        corpus, tmp_path / "1", {"doe2024a": fields(), "roe2024b": fields(**near, authors=["Max Roe"])}
    )
    assert strangers == []
    read_in = {"https://arxiv.org/abs/2406.1": ["doe2024a"]}
    stated = fields(**near, relations={"builds_on": ["doe2024a"], "sources": read_in})
    assert findings_of(corpus, tmp_path / "2", {"doe2024a": fields(), "doe2024b": stated}) == []


def test_titles_in_other_scripts_are_told_apart(corpus: Corpus, tmp_path: Path) -> None:
    titles = {"a": "大模型集成综述", "b": "大模型路由方法", "c": "Обзор ансамблей", "d": "!!!"}
    entries = {f"doe2024{n}": fields(title=title, summary=f"{title}: {SUMMARY}") for n, title in titles.items()}
    assert [f.text() for f in findings_of(corpus, tmp_path, entries) if "title" in f.rule] == []


def test_summaries_in_other_scripts_are_told_apart(corpus: Corpus, tmp_path: Path) -> None:
    first, second = "大模型集成" * 20 + ".", "大模型路由" * 20 + "."
    entries = {
        "doe2024a": fields(summary=f"{first} {first}"),
        "doe2024b": fields(title="Something Else", summary=f"{second} {second}"),
    }
    assert "summary-equal" not in {f.rule for f in findings_of(corpus, tmp_path, entries)}


def test_only_the_chosen_are_reported_but_all_are_compared(make_atlas: MakeAtlas) -> None:
    small = make_atlas({"doe2024a": fields(), "doe2024b": fields(kind="poem"), "doe2023c": fields(kind="poem")})
    papers = small.root / "papers"
    chosen = validate(small, [papers / "2024" / "doe2024b.yml"], TODAY)
    assert {f.file for f in chosen} == {"papers/2024/doe2024b.yml"}
    assert {f.rule for f in chosen} == {"vocabulary", "duplicate-title", "summary-equal"}
    by_folder = validate(small, [papers / "2024"], TODAY)
    assert {Path(f.file).stem for f in by_folder} == {"doe2024a", "doe2024b"}
    assert len(validate(small, today=TODAY)) > len(by_folder)


def test_a_twin_outside_the_choice_is_told_at_the_later_entry(make_atlas: MakeAtlas) -> None:
    small = make_atlas({"doe2024a": fields(), "doe2024b": fields()})
    first = validate(small, [small.root / "papers" / "2024" / "doe2024a.yml"], TODAY)
    assert first == []


def test_findings_are_sorted_by_file_and_line(make_atlas: MakeAtlas) -> None:
    bad = fields(title="Deferral.", kind="poem", categories=["nothing"], links={"page": "x"})
    found = validate(make_atlas({"doe2024b": bad, "doe2024a": bad}), today=TODAY)
    assert len(found) > 8
    assert found == sorted(found, key=lambda f: (f.file, f.mark, f.rule))


@pytest.mark.parametrize("value", ["text", "[a, b]", "17", "true", "null", "{}", "{a: 1}"])
def test_an_entry_that_is_no_entry_has_findings_and_no_traceback(corpus: Corpus, tmp_path: Path, value: str) -> None:
    found = findings_of(corpus, tmp_path, {KEY: f"{value}\n"})
    assert {f.rule for f in found} <= {"wrong-type", "missing-key", "unknown-key", "empty-file"}
    assert found


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 3000)
    | st.text(max_size=12)
    | st.sampled_from(["2024-13-45", "2024-02-30"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["date", "against", "code", "name", "year", "arxiv", "doi", "builds_on", "goals", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from([*fields(), "ids", "links", "venue", "attributes", "relations", "family"]), JUNK)
)
def test_no_value_of_any_field_ends_in_a_traceback(change: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = findings_of(real_corpus(), Path(folder), {KEY: entry_text(**change)})
    assert all(f.rule in RULES and f.mark.line >= 1 for f in found)


@pytest.mark.parametrize(
    "author",
    [
        "Mausam", "Chun (Rick) Chan", "Sammy Davis Jr.", "Sammy Davis, Jr.", "John Smith III", "Ludwig van der Beet",
        "Seán O’Neill", "Jean-Luc Éluard-García", "李明", "李 明", "卡尔·马克思", "Лев Толстой", "bell hooks",
        "J. R. R. Bo", "R. K.", "NVIDIA", "Elm2 Team", "NumTool 1.0 Contributors", "OpenOak", "NVIDIA RESEARCH",
        {"group": "Society for Tools and Technology"}, {"group": "Gem Team, Oogle"}, {"group": "01.AI"},
        {"group": "OAK & ELM"}, {"group": "AI@Elm"},
    ],
)  # fmt: skip
def test_legitimate_authors(corpus: Corpus, tmp_path: Path, author: str | dict[str, str]) -> None:
    assert findings_of(corpus, tmp_path, {KEY: fields(authors=["Jane Doe", author])}) == []


@pytest.mark.parametrize(
    "doi",
    [
        "10.1002/(SICI)1096-9999(19960129)365:1<113::AID-CNE9>3.0.CO;2-6", "10.1000/a<b>c", "10.1162/tacl_a_00999",
        "10.1000.10/x", "10.1016/S0304-3975(96)00001-7", "10.1000/a#b%c&d[e]{f}", "10.1000/182\\3",
    ],
)  # fmt: skip
def test_legitimate_dois(corpus: Corpus, tmp_path: Path, doi: str) -> None:
    assert findings_of(corpus, tmp_path, {KEY: fields(ids={"doi": doi})}) == []


@pytest.mark.parametrize("doi", ["10.1000/a b", "10.1000/", "10.1/x", "10.1000/é", "https://doi.org/10.1000/1"])
def test_what_is_no_doi(corpus: Corpus, tmp_path: Path, doi: str) -> None:
    assert [f.rule for f in findings_of(corpus, tmp_path, {KEY: fields(ids={"doi": doi})})] == ["identifier"]


@pytest.mark.parametrize(
    "title",
    [
        "FA + TA <FSA: Flexible Score Aggregation",
        "When p<0.05 and 1 <2",
        "A->B, B <-C",
        "R&D; T&E",
        "x <y, or so",
        "Learning {Sets} of $k$ Models",
        "\\alpha-Routing",
        "C++ & C#: 100% of ~50_000",
        "<3",
        "大模型集成",
        "می\u200cشود",
        "👩\u200d💻",
    ],
)
def test_legitimate_titles(corpus: Corpus, tmp_path: Path, title: str) -> None:
    assert [f.text() for f in findings_of(corpus, tmp_path, {KEY: fields(title=title)})] == []


@pytest.mark.parametrize(
    "title",
    [
        "A <b>B</b>", "A <i >B", "A</sub", "A <IMG src=x", "A <img/src=x", "A <script", "A <svg\tonload=x",
        "<!DOCTYPE", "<?php", "A &amp; B", "A &#60; B", "A <x-y>", "A <a href=x",
    ],
)  # fmt: skip
def test_titles_with_html(corpus: Corpus, tmp_path: Path, title: str) -> None:
    assert {f.rule for f in findings_of(corpus, tmp_path, {KEY: fields(title=title)})} >= {"text-html"}


@pytest.mark.parametrize("title", ["A\u200b B", "\u200cA", "A\u200dB", "می\u200b\u200cشود", "\u202eA"])
def test_titles_with_invisible_signs(corpus: Corpus, tmp_path: Path, title: str) -> None:
    assert {f.rule for f in findings_of(corpus, tmp_path, {KEY: fields(title=title)})} >= {"text-control"}


def test_a_doi_copied_out_of_html(corpus: Corpus, tmp_path: Path) -> None:
    found = findings_of(corpus, tmp_path, {KEY: fields(ids={"doi": "10.1002/1:1&lt;113::AID&gt;3.0"})})
    assert [f.rule for f in found] == ["text-html"]


@pytest.mark.parametrize(
    ("author", "message"),
    [
        (":", "holds no letter"),
        ("-", "holds no letter"),
        ("12", "holds no letter"),
        ({"group": "&"}, "holds no letter"),
        ("others", "left out"),
        ({"group": "Elm Team et al."}, "left out"),
        ("Jane : Doe", "holds a sign"),
        ("Jane - Doe", "stands alone"),
        ("Jane Doe¹", "holds a sign"),
        ("Jane Doe†", "holds a sign"),
        ("Jane Doe1", "holds a sign"),
        ("Jane Doe (MIT)", "holds a sign"),
        ("Jane (Bo Doe", "holds a sign"),
        ("jane@example.org", "holds a sign"),
        ("Jane Doe, Vision Lab", "holds a comma"),
        ("Jane Doe, Jr., Bo Roe", "holds a comma"),
        ("Jane Doe; Bo Roe", "holds a comma"),
        ("Jane Doe and Vision Lab", "joins two authors"),
        ("RICHARD ROE", "in capitals"),
        ({"group": " Elm"}, "stray blanks"),
    ],
)
def test_what_is_no_author(corpus: Corpus, tmp_path: Path, author: str | dict[str, str], message: str) -> None:
    (found,) = findings_of(corpus, tmp_path, {KEY: fields(authors=["Jane Doe", author])})
    assert (found.rule, found.mark.line) == ("author-name", 3)
    assert message in found.message


def test_an_author_that_is_neither_a_name_nor_a_group(corpus: Corpus, tmp_path: Path) -> None:
    (found,) = findings_of(corpus, tmp_path, {KEY: fields(authors=["Jane Doe", {"grup": "Elm"}])})
    assert (found.rule, found.mark.line, found.mark.column) == ("wrong-type", 3, 21)
    assert "{group: '...'}" in found.repair


# --- single functions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two.", 2),
        ("One? Two! Three.", 3),
        ("It saves 2.5 times, e.g. on GSM8K, cf. Fig. 3, vs. GPT-4. Good.", 2),
        ('He said "one." Then "two."', 2),
        ("He said “one.” “Two,” she said.", 2),
        ("One (see No. 5). 7 more follow.", 2),
        ("no end", 0),
        ("", 0),
        ("Routes by arXiv.org names. Done.", 2),
    ],
)
def test_sentences_are_counted(text: str, count: int) -> None:
    assert count_sentences(text) == count


@pytest.mark.parametrize(
    "url", ["https://a.example", "http://a.example:8080/~b/?c=d&e=f#g", "https://xn--bcher-kva.example/"]
)
def test_good_links(url: str) -> None:
    assert bad_link(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "a.example", "//a.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "ftp://a.example",
        "https://", "https:a.example", "https://localhost", "https://a.example/<b>", 'https://a.example/"',
        "https://a.example/ b",
        "https://a.example/\n", "https://a.example/é", "https://a.example/`", "https://a.example/{b}", "https://a.example/|",
        "https://a.example/\\", "https://u@a.example", "https://u:p@a.example", "https://a.example:99999",
        "https://[::1", "\u202ehttps://a.example",
    ],
)  # fmt: skip
def test_bad_links(url: str) -> None:
    assert bad_link(url)


@given(
    st.text(max_size=60)
    | st.text(max_size=30).map("https://a.example/{}".format)
    | st.text(max_size=20).map("https://{}".format)
)
def test_what_passes_as_a_link_cannot_leave_an_attribute_or_a_markdown_link(url: str) -> None:
    if bad_link(url) is None:
        assert re.fullmatch(r"(?i:https?)://[!-~]+", url)
        assert not set(url) & set("\"'<>\\`{|}")


def test_the_real_entries_are_checked_within_two_seconds(corpus: Corpus) -> None:
    begin = time.process_time()
    validate(corpus, today=TODAY)
    assert time.process_time() - begin < 2


def test_today_is_todays_date(corpus: Corpus, tmp_path: Path) -> None:
    """Without a given day the clock counts: tomorrow lies in the future, today does not."""
    today = datetime.datetime.now(datetime.UTC).date()
    for days, rules in ((0, 0), (2, 1)):
        date = (today + datetime.timedelta(days=days)).isoformat()
        root = tmp_path / str(days)
        write_entries(root, {f"doe{date[:4]}x": fields(date=date)})
        entry = Entry.read(next((root / "papers").rglob("*.yml")))
        found = validate(Corpus(root, corpus.taxonomy, corpus.vocabulary, [entry]))
        assert Counter(f.rule for f in found)["date-future"] == rules
