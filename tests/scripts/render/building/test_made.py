"""What is kept is taken only while it is made from the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.render.building import unchanged
from scripts.render.building.made import PLACE, Kept, made_once


def test_what_has_changed_or_is_broken_is_made_again(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def make(parts: bytes) -> bytes:
        def made() -> bytes:
            asked.append(parts)
            return b"of " + parts + b"\n"

        return made_once(tmp_path, "a/b.txt", parts, made)

    assert [make(b"1"), make(b"1"), make(b"2"), make(b"1")] == [b"of 1\n", b"of 1\n", b"of 2\n", b"of 1\n"]
    assert asked == [b"1", b"2", b"1"]
    (tmp_path / PLACE / "a" / "b.txt").write_bytes(b"cut short")
    assert make(b"1") == b"of 1\n"
    (tmp_path / PLACE / "a" / "b.txt").write_bytes((tmp_path / PLACE / "a" / "b.txt").read_bytes()[:-2] + b"2\n")
    assert make(b"1") == b"of 1\n"
    assert asked == [b"1", b"2", b"1", b"1", b"1"]


def test_where_nothing_can_be_kept_it_is_made(tmp_path: Path) -> None:
    (tmp_path / PLACE).parent.mkdir(parents=True)
    (tmp_path / PLACE).write_text("a file where the folder should be")
    assert made_once(tmp_path, "a/b.txt", b"1", lambda: b"x") == b"x"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("papers/a.yml", "taxonomy/taxonomy.yml", "reference_impls/results/peers/qa/one.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("1")
    return tmp_path


def asked(root: Path, parts: str = "", edit: str = "", inputs: bool = True) -> bool:
    """Whether something is made; `edit` is written to while it is."""
    made = []

    def make() -> list[str]:
        made.append(1)
        if edit:
            (root / edit).write_text("another")
        return [parts]

    kept = Kept(root, unchanged.of_inputs(root) if inputs else None)
    assert kept.once("one", make, parts) == [parts]
    return bool(made)


def test_what_hangs_on_no_paper_outlasts_their_edits_and_no_other(root: Path) -> None:
    assert [asked(root), asked(root)] == [True, False]
    (root / "papers" / "a.yml").write_text("2")
    assert not asked(root)
    assert [asked(root, "other parts"), asked(root, "other parts"), asked(root)] == [True, False, True]
    for name in ("taxonomy/taxonomy.yml", "reference_impls/results/peers/qa/one.json"):
        (root / name).write_text("2")
        assert [asked(root), asked(root)] == [True, False]


def test_nothing_is_kept_that_was_edited_meanwhile_or_whose_inputs_are_unknown(root: Path) -> None:
    assert asked(root, edit="taxonomy/taxonomy.yml")
    (root / "taxonomy" / "taxonomy.yml").write_text("1")  # as it was before
    assert asked(root, inputs=False)
    assert [asked(root), asked(root)] == [True, False]
    (root / PLACE / "one").write_bytes((root / PLACE / "one").read_bytes()[:-1])
    assert [asked(root), asked(root)] == [True, False]
