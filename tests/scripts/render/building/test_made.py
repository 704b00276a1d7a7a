"""What is kept is taken only while it is made from the same."""

from __future__ import annotations

from pathlib import Path

from scripts.render.building.made import PLACE, made_once


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
    assert asked[-1] == b"1"
    assert len(asked) == 4


def test_where_nothing_can_be_kept_it_is_made(tmp_path: Path) -> None:
    (tmp_path / PLACE).parent.mkdir(parents=True)
    (tmp_path / PLACE).write_text("a file where the folder should be")
    assert made_once(tmp_path, "a/b.txt", b"1", lambda: b"x") == b"x"
