"""Processes end with their command: by an error, Ctrl-C, SIGTERM, or after a kill; what is finished is kept."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from reference_impls.advising import simulation
from reference_impls.advising.recommend import recommend
from reference_impls.running import catalog, executors
from reference_impls.running.bench import bench as run_all
from reference_impls.running.workers import Workers, WorkersError, uninterrupted
from tests.conftest import ROOT

#: Whoever waits longer than so many seconds waits in vain; nothing is measured by it.
IN_VAIN = 120
#: Of a bench of one method: the models, which everything else rests on, and the method.
TASKS = len(catalog.pool("builtin")) + 1


def _double(number: int) -> int:
    return 2 * number


def _end() -> None:
    os._exit(3)


def _hang(mark: str) -> None:
    Path(mark).touch()
    while True:
        time.sleep(1)


def test_results_come_back() -> None:
    with Workers(2) as workers:
        assert list(workers.map(_double, range(5))) == [0, 2, 4, 6, 8]


def test_an_error_drops_what_waits_and_ends_the_processes(tmp_path: Path) -> None:
    begun = [tmp_path / name for name in ("a", "b", "c")]
    with pytest.raises(KeyError), Workers(1) as workers:  # noqa: PT012  the block is it
        futures = [workers.submit(_hang, str(path)) for path in begun]
        until(begun[0].exists)
        children = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
        assert len(children) == 1
        raise KeyError
    assert not begun[2].exists()
    assert futures[2].cancelled()
    assert psutil.wait_procs(children, IN_VAIN)[1] == []


def test_a_process_that_ends_by_itself_is_told_in_one_line() -> None:
    with pytest.raises(WorkersError, match="ended by itself"), Workers(1) as workers:
        workers.submit(_end).result()


def until(true: object, process: subprocess.Popen[str] | None = None) -> None:
    """Waits until something is so; fails where the process that should make it so has ended."""
    deadline = time.monotonic() + IN_VAIN
    while not true():  # type: ignore[operator]
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ctrl_c_waits_for_what_is_to_be_done_whole() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():  # noqa: PT012  the block is it
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


KILLED = """
import sys
from reference_impls.running.workers import Workers
from tests.reference_impls.running.test_workers import _hang

if __name__ == "__main__":
    with Workers(1) as workers:
        workers.submit(_hang, sys.argv[1]).result()
"""


def test_processes_do_not_outlive_a_command_that_was_killed(tmp_path: Path) -> None:
    mark, environment = tmp_path / "begun", {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(mark)], env=environment, text=True)
    until(mark.exists, process)
    children = psutil.Process(process.pid).children()
    assert children
    process.kill()
    process.wait()
    assert psutil.wait_procs(children, IN_VAIN)[1] == []


# --- atlas bench --------------------------------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`atlas bench` in a session of its own, as of a terminal, over a copy of the code, where its results lie."""
    for name in ("scripts", "reference_impls", "taxonomy"):  # a checkout has all three
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("results", "__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "ATLAS_BUILD": str(tmp_path / "build")}
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.cli", "bench", "knn-router", "--benchmark", "qa", "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
        start_new_session=True,
    )
    yield process, tmp_path / "reference_impls" / "results" / "builtin" / "qa"
    with suppress(ProcessLookupError):  # nobody of its session is left
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def results(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


@pytest.mark.parametrize(("stop", "to_all"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_ctrl_c_ends_bench_and_what_is_finished_stays(
    bench: tuple[subprocess.Popen[str], Path], stop: signal.Signals, to_all: bool
) -> None:
    """Ctrl-C goes to the whole group, as from a terminal; SIGTERM to the command alone, as by `kill`."""
    process, folder = bench
    until(lambda: results(folder), process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    if to_all:
        os.killpg(process.pid, stop)
    else:
        process.send_signal(stop)
    out, said = process.communicate(timeout=IN_VAIN)
    assert process.returncode == 128 + stop
    assert "Traceback" not in said + out
    finished = results(folder)
    assert 1 <= len(finished) < TASKS, "the queue was dropped, not run to its end"
    assert [line for line in said.splitlines() if line.startswith("atlas: ")] == [
        f"atlas: stopped; {len(finished)} of {TASKS} tasks are finished and kept; the same command goes on from there"
    ]
    assert psutil.wait_procs(children, IN_VAIN)[1] == [], "no process stays behind"
    for path in finished:
        assert json.loads(path.read_text())["queries"] > 0
    assert [path.name for path in folder.iterdir() if path not in finished] == []


# --- dask ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A real scheduler and two real workers on 127.0.0.1: its address, and the workers."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ATLAS_BUILD": str(tmp_path / "build")}
    common = {"cwd": tmp_path, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    started = [subprocess.Popen([*dask, *options], text=True, **common)]  # type: ignore[call-overload]
    try:
        until(lambda: file.exists() and file.read_text().endswith("}"), started[0])
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        started += [subprocess.Popen([*worker, *options], text=True, **common) for _ in range(2)]  # type: ignore[call-overload]
        yield json.loads(file.read_text())["address"], started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_killed_dask_worker_costs_no_task(cluster: tuple[str, list[subprocess.Popen[str]]], tmp_path: Path) -> None:
    """One of two workers is killed amid the tasks: each is done, each once, and its result is that of other ways."""
    address, workers = cluster
    told: list[str] = []

    def progress(done: int, total: int, label: str) -> None:
        assert (done, total) == (len(told) + 1, TASKS)
        if not told:
            workers[0].kill()
        told.append(label)

    arguments = {"pool": "builtin", "limit": 3}
    here = run_all(["random"], ["math"], folder=tmp_path / "here", **arguments)  # type: ignore[arg-type]
    there = run_all(
        ["random"], ["math"], backend="dask", scheduler=address, folder=tmp_path / "there", progress=progress,
        **arguments,  # type: ignore[arg-type]
    )  # fmt: skip
    assert workers[0].wait() == -signal.SIGKILL
    assert workers[1].poll() is None
    assert sorted(told) == sorted(["single on math"] * (TASKS - 1) + ["random on math"])
    assert [path.name for path in there] == [path.name for path in here]
    for mine, other in zip(here, there, strict=True):
        a, b = (json.loads(path.read_text()) for path in (mine, other))
        assert {**a, "timing": None, "versions": None} == {**b, "timing": None, "versions": None}


def test_advice_survives_a_killed_worker(cluster: tuple[str, list[subprocess.Popen[str]]]) -> None:
    """The folds of `recommend` on two workers, one killed after the first: the advice is that of one process."""
    address, workers = cluster
    recording, methods = simulation.ROUTER.recording(60, 0), ["majority-vote", "ridge-router"]
    told: list[int] = []

    def progress(done: int, total: int, label: str) -> None:  # noqa: ARG001
        if not told:
            workers[0].kill()
        told.append(done)

    here = recommend(recording, methods=methods, repeats=2)
    there = recommend(recording, methods=methods, repeats=2, scheduler=address, progress=progress)
    assert workers[0].wait() == -signal.SIGKILL
    assert workers[1].poll() is None
    assert len(told) == 2 * here.folds, "a fold is told once, when it is done"
    assert here.json() == there.json()


@pytest.mark.parametrize(
    ("backend", "address", "says"),
    [
        ("processes", "tcp://127.0.0.1:1", "for the dask backend"),
        ("dask", "tcp://127.0.0.1:1", "no dask scheduler answers there"),
        ("dask", "nonsense", "no dask scheduler answers there"),
    ],
)
def test_a_scheduler_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, address: str, says: str
) -> None:
    monkeypatch.setattr(executors, "SCHEDULER_SECONDS", 1)
    with pytest.raises(ValueError, match=says) as caught:
        run_all(["random"], ["math"], backend=backend, scheduler=address, folder=tmp_path)
    assert "\n" not in str(caught.value)
