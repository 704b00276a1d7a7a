"""Divides work between two processes.

Only where it pays: a process of its own costs a hundredth of a second where it is forked, and half a second where
Python starts again. The results are the same, in the same order, as those of one process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")
FEWEST = {"fork": 500, "forkserver": 4_000, "spawn": 4_000}  # files, by how a process starts


def in_halves(work: Callable[[list[Item]], Result], files: list[Item]) -> list[Result]:
    """What `work` makes of the first and of the second half of `files`; of all of them at once where they are few or
    there is one core only. `work` and its result must be able to go to another process.

    A second process that dies (killed for its memory, say) costs time and nothing else: its half is done here. Being
    stopped here ends it at once, too.
    """
    if _cores() < 2 or len(files) < min(FEWEST.values()):
        return [work(files)]
    import multiprocessing  # noqa: PLC0415  few files need none of it

    if len(files) < FEWEST[multiprocessing.get_context().get_start_method()]:
        return [work(files)]
    middle = len(files) // 2
    with _started(partial(work, files[middle:])) as second:
        if second is None:
            return [work(files)]
        return [work(files[:middle]), second()]


@contextmanager
def beside(work: Callable[[], Result], *, worth: bool) -> Iterator[Callable[[], Result]]:
    """Does `work` in a second process while the block does something else. The block gets what waits for its result.

    Where that is not `worth` it, where there is one core only, or where no process begins as a copy of another, it is
    done when its result is asked for. So it is where the second process dies: what it had done is done again.
    """
    # only the thread that forks lives on in the copy: what another one had locked would stay so
    if worth and _cores() > 1 and sys.platform == "linux" and threading.active_count() == 1:
        with _started(work, "fork") as second:
            yield second or work
    else:
        yield work


@contextmanager
def _started(work: Callable[[], Result], method: str | None = None) -> Iterator[Callable[[], Result] | None]:
    """Starts `work` in a second process, which ends with the block; None where the machine has no room for one."""
    import multiprocessing  # noqa: PLC0415  few files need none of it

    context = multiprocessing.get_context(method) if method else multiprocessing.get_context()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(receiver, sender, work), daemon=True)  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings():  # NumPy's own threads, which are at rest
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            process.start()
    except OSError:
        receiver.close()
        sender.close()
        yield None
        return

    def result() -> Result:
        try:
            found: Result = receiver.recv()
        except (EOFError, OSError):  # before its answer, or in the middle of it
            return work()
        return found

    try:
        sender.close()  # so that the end of the process is seen as the end of the pipe
        yield result
    finally:
        process.kill()
        process.join()
        receiver.close()


def _answer(receiver: Connection, sender: Connection, work: Callable[[], object]) -> None:
    """The second process. It says nothing of what goes wrong: the first one meets the same."""
    receiver.close()  # so that the end of the first process is seen as the end of the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(Exception):
        sender.send(work())


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
