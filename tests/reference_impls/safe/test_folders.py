"""A command that fills a folder removes what it has made itself, and nothing else."""

from __future__ import annotations

import os
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.safe.folders import MARKER, FolderError, OwnFolder


def fill(folder: Path, files: dict[str, str], *, made_here: bool = False) -> int:
    """Fills a folder and returns how many files went."""
    own = OwnFolder(folder, made_here=made_here)
    with closing(own):
        for name, text in files.items():
            own.write(name, text.encode())
        own.finish()
    return own.removed


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MARKER)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


NAMES = st.sampled_from(["a", "b", "deep/a", "deep/b", "deep/er/a", "other/a"])
FILES = st.dictionaries(NAMES, st.sampled_from("xyz"))


@given(
    fillings=st.lists(FILES, min_size=1, max_size=4),
    own=st.dictionaries(st.sampled_from(["m", "deep/m"]), st.just("me")),
)
def test_what_stands_there_is_the_last_filling_and_ones_own(
    tmp_path_factory: pytest.TempPathFactory, fillings: list[dict[str, str]], own: dict[str, str]
) -> None:
    """For any fillings: what the last one wrote, what somebody has put there, and nothing else."""
    folder = tmp_path_factory.mktemp("filled") / "out"
    fill(folder, fillings[0])
    for name, text in own.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for before, files in pairwise(fillings):
        assert fill(folder, files) == len(set(before) - set(files))
    assert contents(folder) == {**fillings[-1], **own}
    assert all(any(path.iterdir()) for path in folder.rglob("*") if path.is_dir()), "no empty folder stays"


def test_a_folder_with_files_of_ones_own_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FolderError, match="not empty"):
        fill(tmp_path, {"a": "x"})
    assert contents(tmp_path) == {"mine.txt": "mine"}
    with pytest.raises(FolderError, match="no folder"):
        fill(tmp_path / "mine.txt", {"a": "x"})
    assert fill(tmp_path / "empty", {}) == 0


def test_what_holds_the_current_folder_the_home_or_the_atlas_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("current/deep", "home/deep", "atlas/deep"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "atlas")
    monkeypatch.chdir(tmp_path / "current" / "deep")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for folder in (".", "..", tmp_path / "current", tmp_path / "home", tmp_path / "atlas", tmp_path / "link", "/"):
        with pytest.raises(FolderError, match="holds"):
            OwnFolder(Path(folder), protected=(tmp_path / "atlas",))
    OwnFolder(tmp_path / "atlas" / "deep", protected=(tmp_path / "atlas",))


def test_links_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").write_text("mine")
    out = tmp_path / "out"
    fill(out, {"a": "x", "deep/a": "x"})
    (out / "a").unlink()
    (out / "a").symlink_to(tmp_path / "elsewhere" / "a")
    (out / "deep" / "a").unlink()
    (out / "deep").rmdir()
    (out / "deep").symlink_to(tmp_path / "elsewhere")
    for name in ("a", "deep/a"):
        with pytest.raises(FolderError, match="a link leads elsewhere"):
            fill(out, {name: "y"})
    assert fill(out, {"b": "y"}) == 0
    assert (out / "a").is_symlink()
    assert (out / "deep").is_symlink()
    assert contents(tmp_path / "elsewhere") == {"a": "mine"}


@pytest.mark.parametrize("line", ["../mine", "{outside}", "deep/../../mine", "..", ".", "", "\0", "out-link/mine"])
def test_a_marker_of_a_strangers_removes_nothing_outside(tmp_path: Path, line: str) -> None:
    (tmp_path / "mine").write_text("mine")
    out = tmp_path / "out"
    fill(out, {"deep/a": "x"})
    (out / "out-link").symlink_to(tmp_path)
    (out / MARKER).write_text(f"{line.format(outside=tmp_path / 'mine')}\n")
    fill(out, {"b": "x"})
    assert (tmp_path / "mine").read_text() == "mine"
    assert (out / "out-link").is_symlink()


def test_a_file_of_ones_own_is_not_written_over(tmp_path: Path) -> None:
    fill(tmp_path / "out", {"a": "x"})
    (tmp_path / "out" / "b").write_text("mine")
    with pytest.raises(FolderError, match="was not made by this command"):
        fill(tmp_path / "out", {"a": "y", "b": "y"})
    assert contents(tmp_path / "out") == {"a": "y", "b": "mine"}


def test_a_filling_that_was_stopped_knows_its_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fill(out, {"a": "x", "b": "x"})
    own = OwnFolder(out)
    own.write("c", b"x")
    own.write("d", b"x")
    own.close()  # as at the end of a process that was killed
    with (out / MARKER).open("a") as marker:
        marker.write("e, cut o")
    assert set(contents(out)) == set("abcd")
    assert fill(out, {"a": "z", "d": "z"}) == 2
    assert contents(out) == {"a": "z", "d": "z"}
    assert (out / MARKER).read_text() == "a\nd\n"


def test_a_copy_may_write_where_the_folder_is_shared(tmp_path: Path) -> None:
    """As a forked process has one: both put what they make on one marker, before they make it."""
    out = tmp_path / "out"
    fill(out, {"a": "x", "b": "x"})
    own = OwnFolder(out)
    own.share()
    if (process := os.fork()) == 0:
        changed = own.write("b", b"x"), own.write("deep/c", b"y")
        os._exit(changed != (False, True))
    own.write("d", b"x")
    assert os.waitpid(process, 0)[1] == 0
    assert set((out / MARKER).read_text().splitlines()) == {"a", "b", "d", "deep/c"}
    own.keep(["b", "deep/c"])
    own.finish()
    assert contents(out) == {"b": "x", "deep/c": "y", "d": "x"}
    assert (out / MARKER).read_text() == "b\nd\ndeep/c\n"


def test_a_copy_leaves_a_file_of_ones_own(tmp_path: Path) -> None:
    fill(tmp_path / "out", {"a": "x"})
    (tmp_path / "out" / "b").write_text("mine")
    with closing(OwnFolder(tmp_path / "out")) as own:
        own.share()
        with pytest.raises(FolderError, match="was not made by this command"):
            own.write("b", b"x")


def test_what_was_made_before_there_were_markers_counts_where_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "old.md").write_text("old")
    (tmp_path / "link").symlink_to("/dev/null")
    assert fill(tmp_path, {"new.md": "new"}, made_here=True) == 1
    assert contents(tmp_path) == {"new.md": "new"}
    assert os.path.lexists(tmp_path / "link")
