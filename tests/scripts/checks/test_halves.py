"""Work in two processes: the same results in the same order, and no process that stays."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from scripts.checks import halves, load_and_validate, validate
from scripts.checks.halves import FEWEST, beside, in_halves
from tests.conftest import ROOT, MakeAtlas, fields

FILES = [Path(f"{number}.yml") for number in range(FEWEST["spawn"])]


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with two cores."""
    monkeypatch.setattr(halves, "_cores", lambda: 2)


@pytest.fixture(params=multiprocessing.get_all_start_methods())
def start_method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way in which this machine starts processes."""
    context = multiprocessing.get_context(request.param)
    monkeypatch.setattr(multiprocessing, "get_context", lambda: context)
    return str(request.param)


def names_here(files: list[Path]) -> tuple[int, list[str]]:
    """The process, and what it was given."""
    return os.getpid(), [path.name for path in files]


def fails_elsewhere(home: int, files: list[Path]) -> int:
    """Dies without a word in any other process than `home`."""
    if os.getpid() != home:
        os.kill(os.getpid(), signal.SIGKILL)
    return len(files)


def fails(files: list[Path]) -> int:
    """Cannot be done."""
    raise ValueError(files[0].name)


@pytest.mark.usefixtures("two_cores", "start_method")
def test_halves_are_done_in_two_processes_and_keep_their_order() -> None:
    (here, first), (there, second) = in_halves(names_here, FILES)
    assert here == os.getpid() != there
    assert [*first, *second] == [path.name for path in FILES]
    assert len(first) == len(second)
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("two_cores")
def test_few_files_are_not_halved() -> None:
    assert in_halves(names_here, FILES[:100]) == [(os.getpid(), [path.name for path in FILES[:100]])]
    assert in_halves(names_here, []) == [(os.getpid(), [])]


def test_one_core_does_all_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "_cores", lambda: 1)
    assert [process for process, _ in in_halves(names_here, FILES)] == [os.getpid()]


@pytest.mark.usefixtures("two_cores", "start_method")
def test_the_half_of_a_process_that_dies_is_done_here() -> None:
    assert in_halves(partial(fails_elsewhere, os.getpid()), FILES) == [len(FILES) // 2] * 2


@pytest.mark.usefixtures("two_cores")
def test_an_answer_that_breaks_off_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "recv", Mock(side_effect=OSError("got end of file during message")))
    (here, _), (there, second) = in_halves(names_here, FILES)
    assert here == there == os.getpid()
    assert second == [path.name for path in FILES[len(FILES) // 2 :]]


@pytest.mark.usefixtures("two_cores")
def test_one_process_does_all_where_no_other_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseProcess, "start", Mock(side_effect=BlockingIOError(errno.EAGAIN, "no more processes")))
    assert in_halves(names_here, FILES) == [(os.getpid(), [path.name for path in FILES])]


@pytest.mark.usefixtures("two_cores")
def test_an_error_ends_both() -> None:
    with pytest.raises(ValueError, match=r"^0\.yml$"):
        in_halves(fails, FILES)
    assert not multiprocessing.active_children()


# --- beside -------------------------------------------------------------------------------------------------------

forks = pytest.mark.skipif(sys.platform != "linux", reason="a process that begins as a copy of this one is for Linux")


@forks
@pytest.mark.usefixtures("two_cores")
def test_work_is_done_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # other tests of this process may have left a thread
    with beside(os.getpid, worth=True) as there:
        assert len(multiprocessing.active_children()) == 1
        assert there() != os.getpid()
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("two_cores")
def test_what_is_not_worth_it_is_done_here_when_it_is_asked_for() -> None:
    done: list[int] = []
    with beside(lambda: done.append(1), worth=False) as there:
        assert not done
        there()
    assert done == [1]


def test_beside_there_is_one_core_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "_cores", lambda: 1)
    with beside(os.getpid, worth=True) as there:
        assert there() == os.getpid()


@pytest.mark.usefixtures("two_cores")
def test_no_copy_is_made_beside_other_threads() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        with beside(os.getpid, worth=True) as there:
            assert there() == os.getpid()
    finally:
        end.set()
        thread.join()


@forks
@pytest.mark.usefixtures("two_cores")
def test_what_dies_beside_is_done_here() -> None:
    with beside(partial(fails_elsewhere, os.getpid(), FILES), worth=True) as there:
        assert there() == len(FILES)


@forks
@pytest.mark.usefixtures("two_cores")
def test_an_error_beside_is_met_here() -> None:
    with beside(partial(fails, FILES), worth=True) as there, pytest.raises(ValueError, match=r"^0\.yml$"):
        there()
    assert not multiprocessing.active_children()


@forks
@pytest.mark.usefixtures("two_cores")
def test_an_error_here_ends_what_is_done_beside() -> None:
    with pytest.raises(ZeroDivisionError), beside(partial(time.sleep, 600), worth=True):
        assert 1 / 0
    assert not multiprocessing.active_children()


# --- entries ------------------------------------------------------------------------------------------------------


def some_entries(count: int) -> dict[str, Any]:
    """Entries with faults of every kind: in the file, in its form, in its facts and between entries."""
    kinds: list[Any] = [
        fields(),
        fields(title="ANOTHER TITLE IN CAPITALS ALONE", date="2023"),
        fields(kind="no such kind", authors=["Jane Doe and Richard Roe"]),
        fields(authors=[{"group": "Deep Thought"}], relations={"builds_on": ["nobody2020nothing"]}),
        "title: [open\n",
        b"title: \xff\n",
        "title: A\nunknown: 1\ncategories: 3\n# note\n",
    ]
    return {f"doe2024n{number:04}": kinds[number % len(kinds)] for number in range(count)}


@pytest.mark.usefixtures("two_cores")
def test_findings_of_halves_are_those_of_the_whole(make_atlas: MakeAtlas, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_atlas(some_entries(40))
    monkeypatch.setattr(halves, "FEWEST", dict.fromkeys(FEWEST, 1))
    corpus, found = load_and_validate(whole.root)
    assert found == validate(whole)
    assert len({finding.rule for finding in found}) > 10
    assert corpus.papers == whole.papers
    assert [entry.path for entry in corpus.entries] == [entry.path for entry in whole.entries]
    part = [whole.root / "papers" / "2024" / "doe2024n0039.yml"]
    assert load_and_validate(whole.root, part)[1] == validate(whole, part) != []


def test_being_stopped_ends_both_processes(tmp_path: Path) -> None:
    """SIGINT to the first process alone; the second one must not go on without it."""
    told = tmp_path / "second"
    script = f"""
import os, time
from pathlib import Path
from typing import Any
from scripts.checks import halves

def work(files):
    if os.getpid() != home:
        Path({str(told)!r}).write_text(str(os.getpid()))
    time.sleep(60)

halves._cores = lambda: 2
home = os.getpid()
halves.in_halves(work, [Path("x")] * 10_000)
"""
    if multiprocessing.get_start_method() != "fork":
        pytest.skip("a script from the command line cannot be sent to a process that starts anew")
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (told.exists() and told.read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert said.count("Traceback") == 1
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
