"""Two processes fill one folder: each group is made once, and nothing is missing where one of them dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from reference_impls.safe.folders import FolderError, OwnFolder
from scripts.checks import halves
from scripts.render.building.together import fill, write
from tests.scripts.render.test_site import files_below

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a process that begins as a copy is for Linux")
Files = Iterator[tuple[str, str]]


@pytest.fixture(autouse=True)
def _two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "_cores", lambda: 2)
    monkeypatch.setattr("threading.active_count", lambda: 1)  # other tests may have left a thread


def one(name: str) -> Files:
    yield name, f"{name} is made once"


def test_each_takes_the_next_group(tmp_path: Path) -> None:
    """The group that is taken first waits for the one that comes after it: another process must make that."""

    def patient() -> Files:
        for _ in range(3000):
            if (tmp_path / "out" / "b").exists():
                break
            time.sleep(0.01)
        yield "a", "met" if (tmp_path / "out" / "b").exists() else "alone"

    with closing(OwnFolder(tmp_path / "out")) as folder:
        made = fill(folder, [patient, partial(one, "b"), partial(one, "c")], worth=True)
        folder.finish()
    assert [group.names for group in made] == [["a"], ["b"], ["c"]]
    assert [group.changed for group in made] == [1, 1, 1]
    assert files_below(tmp_path / "out") == {
        ".atlas-made": b"a\nb\nc\n", "a": b"met", "b": b"b is made once", "c": b"c is made once",
    }  # fmt: skip


def test_what_a_process_dies_over_is_made_again(tmp_path: Path) -> None:
    here, died = os.getpid(), tmp_path / "died"

    def deadly(name: str) -> Files:
        if os.getpid() != here:
            died.touch()
            os._exit(9)
        while not died.exists():  # so that the other process has its turn
            time.sleep(0.01)
        yield name, "x"

    with closing(OwnFolder(tmp_path / "out")) as folder:
        made = fill(folder, [partial(deadly, name) for name in "abc"], worth=True)
        folder.finish()
    assert [group.names for group in made] == [["a"], ["b"], ["c"]]
    assert files_below(tmp_path / "out").keys() == {".atlas-made", "a", "b", "c"}


def test_what_one_process_may_not_write_no_other_may(tmp_path: Path) -> None:
    with closing(OwnFolder(tmp_path / "out")) as folder:
        fill(folder, [partial(one, "a")], worth=True)
        folder.finish()
    (tmp_path / "out" / "b").write_text("mine")
    with closing(OwnFolder(tmp_path / "out")) as folder, pytest.raises(FolderError, match="was not made by this"):
        fill(folder, [partial(one, "a"), partial(one, "b")], worth=True)
    assert (tmp_path / "out" / "b").read_text() == "mine"


def test_a_process_that_has_lost_the_one_that_started_it_writes_nothing_more(tmp_path: Path) -> None:
    with closing(OwnFolder(tmp_path / "out")) as folder:
        assert write(folder, [("a", "x"), ("b", "x")], process=os.getppid()).names == ["a", "b"]
        assert write(folder, [("c", "x")], process=-1).names == []
    assert files_below(tmp_path / "out").keys() == {".atlas-made", "a", "b"}
