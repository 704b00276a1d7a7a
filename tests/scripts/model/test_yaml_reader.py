"""YAML of strangers: what is read, where each value stood, and what is refused with which rule and place."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts.model.yaml_reader import MAX_ENTRY_BYTES, Mark, UnreadableError, parse, read_text


def refusal(text: str) -> UnreadableError:
    """The error of a text that must not be read."""
    with pytest.raises(UnreadableError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("word", "word"),
        ("17", 17),
        ("-3", -3),
        ("0", 0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'17'", "17"),
        ('"true"', "true"),
        # what YAML 1.1 would change stays as it was written
        ("2410.10", "2410.10"),
        ("2024-06-26", "2024-06-26"),
        ("1e3", "1e3"),
        ("0x10", "0x10"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("=2", "=2"),
        ("yes", "yes"),
        ("NO", "NO"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),  # an integer of this length would take int() too long
        ("[]", []),
        ("{}", {}),
    ],
)
def test_plain_values(written: str, value: Any) -> None:
    read = parse(f"key: {written}\n").value
    assert read == {"key": value}
    assert type(read["key"]) is type(value)


def test_marks_tell_line_and_column_of_keys_and_values() -> None:
    text = (
        "title: A\nvenue: {name: ICLR, year: 2025}\nlinks:\n  code:\n  - https://a.example\n  - https://b.example\n"
    )
    document = parse(text)
    assert document.marks["title",] == Mark(1, 8)
    assert document.key_marks["venue", "year"] == Mark(2, 21)
    assert document.marks["venue", "year"] == Mark(2, 27)
    assert document.marks["links", "code", 1] == Mark(6, 5)
    assert document.key_marks["links", "code"] == Mark(4, 3)


def test_mark_of_an_absent_path_is_its_nearest_ancestors() -> None:
    document = parse("ids:\n  arxiv: '2406.18665'\n")
    assert document.mark(("ids", "doi")) == document.marks["ids",] == Mark(2, 3)
    assert document.mark(("nothing", "here")) == Mark(1, 1)


def test_marks_count_characters_not_bytes() -> None:
    assert parse("été: [Ö, Ü]\n").marks["été", 1] == Mark(1, 10)


def test_a_text_is_read_again_once_and_only_where_a_place_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Mock(side_effect=yaml.parse)
    monkeypatch.setattr(yaml, "parse", read)
    document = parse("title: A\nkind: b\n")
    assert document.value == {"title": "A", "kind": "b"}
    assert read.call_count == 1
    assert [document.mark((key,)) for key in document.value] == [Mark(1, 8), Mark(2, 7)]
    assert document.key_marks["kind",] == Mark(2, 1)
    assert read.call_count == 2


@pytest.mark.parametrize(
    ("text", "rule", "mark", "told"),
    [
        ("", "empty-file", Mark(1, 1), "nothing"),
        ("\n\n", "empty-file", Mark(1, 1), "nothing"),
        ("# only a comment\n", "empty-file", Mark(1, 1), "nothing"),
        ("title: [a, b\nkind: x\n", "yaml-syntax", Mark(2, 5), "valid YAML"),
        ("a: 'open\n", "yaml-syntax", Mark(2, 1), "valid YAML"),
        ("a: b: c\n", "yaml-syntax", Mark(1, 5), "mapping values are not allowed"),
        ("a: b\n\tc: d\n", "yaml-syntax", Mark(2, 1), "valid YAML"),
        ("a: b\nc: d\x07\n", "yaml-syntax", Mark(2, 1), "U+0007"),
        ("a: &x b\n", "yaml-feature", Mark(1, 4), "an anchor (&x)"),
        ("a: *x\n", "yaml-feature", Mark(1, 4), "an alias (*x)"),
        ("a: !!python/object:os.system ls\n", "yaml-feature", Mark(1, 4), "a tag"),
        ("a: !!str 5\n", "yaml-feature", Mark(1, 4), "a tag"),
        ("a: !!set {b, c}\n", "yaml-feature", Mark(1, 4), "a tag"),
        ("a: 1\n---\nb: 2\n", "yaml-feature", Mark(2, 1), "a second document"),
        ("a: 1\nb: 2\na: 3\n", "yaml-feature", Mark(3, 1), "the key 'a' stands twice"),
        ("a: {b: 1, b: 2}\n", "yaml-feature", Mark(1, 11), "the key 'b' stands twice"),
        ("? [a, b]\n: c\n", "yaml-feature", Mark(1, 3), "as a key"),
        ("? {a: b}\n: c\n", "yaml-feature", Mark(1, 3), "as a key"),
        ("[" * 13 + "]" * 13 + "\n", "yaml-feature", Mark(1, 13), "nesting"),
    ],
)
def test_what_is_refused(text: str, rule: str, mark: Mark, told: str) -> None:
    error = refusal(text)
    assert (error.rule, error.mark) == (rule, mark)
    assert told in error.message
    assert error.repair


def test_twelve_levels_are_read() -> None:
    assert parse("[" * 12 + "]" * 12).value == eval("[" * 12 + "]" * 12)  # noqa: S307  brackets of our own


def test_merge_keys_are_plain_text() -> None:
    assert parse("<<: {a: 1}\nb: 2\n").value == {"<<": {"a": 1}, "b": 2}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{n}: &{n} [{','.join(['*' + p] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
    ],
    ids=["open", "closed", "mappings", "items", "complex-keys", "alias-bomb"],
)
def test_attacks_end_at_once_and_take_no_memory(text: str) -> None:
    tracemalloc.start()
    begin = time.process_time()
    assert refusal(text).rule in {"yaml-feature", "yaml-syntax"}
    assert time.process_time() - begin < 2
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_reads_what_pyyaml_writes(value: Any) -> None:
    """The safe dumper quotes text that could be misread, so the values come back unchanged."""
    text = yaml.dump(value, Dumper=NoAliases, allow_unicode=True)
    assert parse(text).value == value


class NoAliases(yaml.SafeDumper):
    """PyYAML would write an alias for a list that stands twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except UnreadableError as error:
        refused = error
    else:
        return
    assert refused.rule in {"yaml-syntax", "yaml-feature", "empty-file"}
    assert 1 <= refused.mark.line <= len(text.splitlines()) + 1
    assert refused.mark.column >= 1


# --- files ----------------------------------------------------------------------------------------------------


def unread(path: Path) -> UnreadableError:
    """The error of a file that must not be read."""
    with pytest.raises(UnreadableError) as caught:
        read_text(path)
    return caught.value


def test_reads_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes("title: 大模型 – Ünïcode\n".encode())
    assert read_text(path) == "title: 大模型 – Ünïcode\n"


def test_a_folder_a_link_and_a_missing_file_are_no_entries(tmp_path: Path) -> None:
    (tmp_path / "folder.yml").mkdir()
    (tmp_path / "link.yml").symlink_to("/etc/passwd")
    assert unread(tmp_path / "folder.yml").rule == "not-a-file"
    assert "folder" in unread(tmp_path / "folder.yml").message
    assert unread(tmp_path / "link.yml").rule == "not-a-file"
    assert "link" in unread(tmp_path / "link.yml").message
    assert unread(tmp_path / "missing.yml").rule == "not-a-file"


def test_the_size_limit_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"#" * MAX_ENTRY_BYTES)
    assert len(read_text(path)) == MAX_ENTRY_BYTES
    path.write_bytes(b"#" * (MAX_ENTRY_BYTES + 1))
    error = unread(path)
    assert error.rule == "too-large"
    assert "65,537" in error.message


def test_bytes_that_are_not_utf8_are_placed(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"title: A\nauthors: [J\xe9r\xf4me]\n")
    error = unread(path)
    assert (error.rule, error.mark) == ("encoding", Mark(2, 12))
    assert "0xe9" in error.message


def test_a_byte_order_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"\xef\xbb\xbftitle: A\n")
    assert unread(path).rule == "encoding"
