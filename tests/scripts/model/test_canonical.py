"""The canonical form: facts and comments survive it, and it is a fixed point."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scripts.model import Corpus
from scripts.model.canonical import SCHEMA_LINE, canonical, emit, find_comments
from scripts.model.paper import Paper
from scripts.model.yaml_reader import UnreadableError, parse
from tests.conftest import ROOT, entry_text, fields

FILES = sorted((ROOT / "papers").rglob("*.yml"))


def body(text: str) -> str:
    """The text without the schema line."""
    assert text.startswith(SCHEMA_LINE + "\n")
    return text.removeprefix(SCHEMA_LINE + "\n")


# --- what it looks like -------------------------------------------------------------------------------------------


def test_keys_stand_in_the_models_order_and_unknown_ones_last() -> None:
    text = canonical("zebra: 1\nkind: method\ntitle: A\nids: {doi: 10.1/x, arxiv: '2406.00001'}\n")
    assert body(text) == "title: A\nids:\n  arxiv: '2406.00001'\n  doi: 10.1/x\nkind: method\nzebra: 1\n"


def test_empty_values_are_dropped() -> None:
    text = "title: A\nname:\nauthors: []\nlinks: {code: [], page: }\nids: {}\nkind: method\n"
    assert body(canonical(text)) == "title: A\nkind: method\n"


def test_false_and_zero_are_kept() -> None:
    text = "title: A\nauthors_complete: false\nvenue: {name: X, year: 0}\n"
    assert body(canonical(text)) == text


def test_lists_are_inline_but_addresses_stand_one_a_line() -> None:
    text = emit({"authors": ["A B", "C D"], "links": {"code": ["https://a.example"], "page": "https://b.example"}})
    assert body(text) == "authors: [A B, C D]\nlinks:\n  code:\n  - https://a.example\n  page: https://b.example\n"


def test_a_long_title_stays_on_one_line_and_a_summary_is_folded() -> None:
    text = emit({"title": "Word " * 60 + "end", "summary": "Several words. " * 20})
    title, header, *rest = body(text).splitlines()
    assert title == "title: " + "Word " * 60 + "end"
    assert header == "summary: >-"
    assert len(rest) > 2
    assert all(line.startswith("  ") and len(line) <= 116 for line in rest)


@pytest.mark.parametrize("date", ["2024", "2024-06", "2024-06-26"])
def test_dates_are_plain(date: str) -> None:
    assert body(emit({"title": "A", "date": date})) == f"title: A\ndate: {date}\n"
    assert body(canonical(f"title: A\ndate: '{date}'\n")) == f"title: A\ndate: {date}\n"


@pytest.mark.parametrize(
    "text", ["2410.10", "true", "null", "17", "- x", "a: b", "# x", "@x", "{{ 7*7 }}", " x ", "~", ""]
)
def test_text_that_yaml_would_misread_is_quoted(text: str) -> None:
    written = emit({"title": text or "'", "family": text or "'"})
    assert parse(written).value == {"title": text or "'", "family": text or "'"}
    # an outside reader of YAML 1.1 sees the same
    assert yaml.safe_load(written) == {"title": text or "'", "family": text or "'"}


def test_a_text_that_is_no_mapping_is_left_alone() -> None:
    assert canonical("- a\n-   b\n") == "- a\n-   b\n"


def test_what_cannot_be_read_raises() -> None:
    with pytest.raises(UnreadableError):
        canonical("a: [\n")


def test_line_ends_become_line_feeds() -> None:
    assert canonical(entry_text().replace("\n", "\r\n")) == entry_text()


def test_numbers_and_dates_of_outside_readers() -> None:
    """PyYAML's own loader reads a canonical entry as this project does, dates aside."""
    value = fields(ids={"arxiv": "2410.10", "doi": "10.1000/010"}, authors=["No Yes", "On Off"])
    outside = yaml.safe_load(emit(value))
    outside["date"] = str(outside["date"])
    outside["checked"]["date"] = str(outside["checked"]["date"])
    assert outside == value


# --- comments -----------------------------------------------------------------------------------------------------

COMMENTED = """\
# first of all
title: A   # beside the title
kind: method
authors:
# above a list item
- Jane Doe  # beside an item
- Richard Roe
ids:
  # inside a mapping
  arxiv: '2406.00001' # beside a nested value
summary: >-  # beside a folded text
  Folded # no comment
  text.
name: 'quoted # no comment'
venue: {name: X, year: 2025}  # beside a flow mapping
links:
  code:
  # above an address
  - https://a.example/#no-comment # beside an address
# at the end
"""
WORDS = [
    "first of all", "beside the title", "above a list item", "beside an item", "inside a mapping",
    "beside a nested value", "beside a folded text", "beside a flow mapping", "above an address",
    "beside an address", "at the end",
]  # fmt: skip


def test_every_comment_is_kept_once_and_nothing_else_becomes_one() -> None:
    text = canonical(COMMENTED)
    for word in WORDS:
        assert text.count(f"# {word}") == 1, word
    assert parse(text).value == parse(COMMENTED).value
    assert sum(line.count("# ") for line in text.splitlines()) == len(WORDS) + 3
    assert canonical(text) == text


def test_comments_stay_with_their_values() -> None:
    lines = canonical(COMMENTED).splitlines()
    assert lines[1] == "# first of all"
    assert lines[2] == "title: A  # beside the title"
    assert lines[lines.index("  # inside a mapping") + 1] == "  arxiv: '2406.00001'  # beside a nested value"
    assert lines[lines.index("  # above an address") + 1] == "  - https://a.example/#no-comment  # beside an address"
    assert lines[-1] == "# at the end"


def test_a_comment_moves_with_its_key() -> None:
    text = canonical("kind: method  # why\n# about the title\ntitle: A\n")
    assert body(text) == "# about the title\ntitle: A\nkind: method  # why\n"


def test_a_comment_of_a_dropped_value_is_kept() -> None:
    text = canonical("title: A\nname:  # not known yet\nkind: method\n")
    assert "# not known yet" in text
    assert canonical(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "title: A\nids:  # here\n  doi: 10.1/x\n",
        "title: A\nlinks:\n  code:  # here\n  - https://a.example\n",
        "title: A\nauthors: [  # here\n  A B, C D]\n",
        "title: A\nauthors: [A B,  # here\n  C D]\n",
        "title: A\nauthors: [\n  A B, C D\n]  # here\n",
        "title: A\nauthors:\n-  # here\n  A B\n",
        "title: A\t# here\n",
        "title: A\nname:\n# here\nkind:\n",
        # the text goes on below, so the comment cannot stay at its end
        "title: A\nattributes: {strategy: " + "word " * 40 + "}  # here\n",
        'title: "A\\nB"  # here\nname: x\n',
        # in the canonical form the list wraps in the middle of a name
        "title: A\nauthors:\n" + "- Someone Withalongname\n" * 9 + "# here\n- Another One\n",
        "title: A\nauthors:\n" + "- Some One Withlongname\n" * 9 + "- Another One  # here\n",
        "title: A\nauthors:\n" + "- One\n" * 15 + "- " + "Part " * 20 + "\n# here\n- Another One\n",
        "title: A\nvenue: {name: " + "word " * 30 + ", # here\n year: 2025}\n",
    ],
)
def test_no_comment_is_lost_and_no_value_changed(text: str) -> None:
    written = canonical(text)
    assert written.count("# here") == 1
    assert parse(written).value == settled(parse(text).value)
    assert canonical(written) == written


def test_a_hash_in_the_last_line_of_a_file_without_line_feed_is_text() -> None:
    text = canonical("title: A\nsummary: >-\n  # b\n  # c")
    assert body(text) == "title: A\nsummary: >-\n  # b # c\n"


def test_the_schema_line_is_written_once() -> None:
    text = canonical(f"# hello\n{SCHEMA_LINE}\ntitle: A\n")
    assert text.count(SCHEMA_LINE) == 1
    assert text.splitlines()[:2] == [SCHEMA_LINE, "# hello"]


def test_no_comments_in_texts_without_any() -> None:
    comments = find_comments("title: 'a # b'\nsummary: >-\n  # c\n  d #e\nnotes: |\n  # f\n")
    assert not comments.above
    assert not comments.beside


def commentable(text: str) -> list[int]:
    """The lines of a canonical text at whose end a comment may stand: not inside folded or wrapped values."""
    free, folded = [], False
    for number, line in enumerate(text.splitlines()):
        if line[:1].isalpha():
            folded = line.endswith(">-")
        wrapped = line.count("[") != line.count("]") or not re.match(r" *(- |\w+:)", line)
        if not folded and not wrapped and not line.startswith("#"):
            free.append(number)
    return free


COMMENT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]) | st.just(" "), max_size=30).map(
    lambda text: f"# {text}".rstrip()
)


@settings(max_examples=40)
@given(st.data(), st.sampled_from(FILES))
def test_comments_anywhere_survive(data: st.DataObject, path: Path) -> None:
    """Comments on lines of their own before any key, and at the end of any line that may carry one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    keys = [n for n, line in enumerate(lines) if line[:1].isalpha()]
    places = data.draw(st.lists(st.sampled_from(keys), max_size=4, unique=True), label="above")
    ends = data.draw(
        st.lists(st.sampled_from(commentable("\n".join(lines))), max_size=4, unique=True), label="beside"
    )
    comments = []
    for number in ends:
        comments.append(data.draw(COMMENT))
        lines[number] += f" {comments[-1]}"
    for number in sorted(places, reverse=True):
        comments.append(data.draw(COMMENT))
        lines.insert(number, comments[-1])
    text = "\n".join(lines) + "\n"
    written = canonical(text)
    assert parse(written).value == parse(path.read_text(encoding="utf-8")).value
    found = find_comments(written)
    kept = sorted([*found.beside.values(), *(c for above in found.above.values() for c in above)])
    assert kept == sorted(comments)
    assert canonical(written) == written


# --- laws ---------------------------------------------------------------------------------------------------------

TEXT = st.text(max_size=40)
SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXT
NAMES = st.sampled_from([*Paper.model_fields, "unknown", "Ümläut", "a b", "'", "#x", "- y"])
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ENTRIES = st.dictionaries(NAMES, NESTED, min_size=1, max_size=6)
FOLDED = ("summary", "notes")


def settled(value: Any, key: str = "", depth: int = 0) -> Any:
    """`value` as the canonical form means it: without empty fields, folded texts with single blanks."""
    if isinstance(value, dict):
        items = {k: settled(v, k, depth + 1) for k, v in value.items()}
        return {k: v for k, v in items.items() if depth > 1 or v not in (None, [], {})}
    if isinstance(value, list):
        return [settled(item, "", depth + 1) for item in value]
    return " ".join(value.split()) if key in FOLDED and isinstance(value, str) else value


@given(ENTRIES)
def test_parse_inverts_emit(value: dict[str, Any]) -> None:
    assume(settled(value))
    assert parse(emit(value)).value == settled(value)


@given(ENTRIES)
def test_canonical_is_a_fixed_point(value: dict[str, Any]) -> None:
    assume(settled(value))
    once = canonical(yaml.dump(value, Dumper=_NoAliases, allow_unicode=True, width=40))
    assert canonical(once) == once
    assert parse(once).value == settled(value)


LONG = st.text(st.sampled_from("ab \"':#é\u3042-%"), max_size=160)


@given(st.dictionaries(NAMES, LONG | st.lists(LONG, max_size=3) | st.dictionaries(NAMES, LONG), min_size=1))
def test_keys_are_written_together_as_each_alone(value: dict[str, Any]) -> None:
    order = [*Paper.model_fields]
    keys = sorted(value, key=lambda key: order.index(key) if key in order else len(order))
    assert body(emit(value)) == "".join(body(emit({key: value[key]})) for key in keys)


@given(st.sampled_from(["title", "name", "kind", "family"]), LONG)
def test_texts_that_are_not_folded_stand_on_one_line(key: str, text: str) -> None:
    assert len(body(emit({key: text})).splitlines()) == 1


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def test_every_real_entry_comes_back(corpus: Corpus) -> None:
    for entry in corpus.entries:
        assert entry.document
        assert parse(emit(entry.document.value)).value == entry.document.value, entry.key


def test_a_paper_survives_its_own_dump(corpus: Corpus) -> None:
    """What `atlas new` does: model to text to model."""
    for key, paper in corpus.papers.items():
        again = parse(emit(paper.model_dump(exclude_defaults=True))).value
        assert Paper.model_validate(again) == paper, key
