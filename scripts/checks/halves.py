"""Halves work on many files between two processes.

Only where it pays: a process of its own costs a hundredth of a second where it is forked, and half a second where
Python starts anew. The results are the same, in the same order, as those of one process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
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

    context = multiprocessing.get_context()
    if len(files) < FEWEST[context.get_start_method()]:
        return [work(files)]
    middle = len(files) // 2
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(receiver, sender, work, files[middle:]), daemon=True)
    try:
        process.start()
    except OSError:  # the machine has no room for another process
        receiver.close()
        sender.close()
        return [work(files)]
    try:
        sender.close()  # so that the end of the process is seen as the end of the pipe
        first = work(files[:middle])
        try:
            second: Result = receiver.recv()
        except (EOFError, OSError):  # before its answer, or in the middle of it
            second = work(files[middle:])
    finally:
        process.kill()
        process.join()
        receiver.close()
    return [first, second]


def _answer(
    receiver: Connection, sender: Connection, work: Callable[[list[Item]], object], files: list[Item]
) -> None:
    """The second process. It says nothing of what goes wrong: the first one meets the same."""
    receiver.close()  # so that the end of the first process is seen as the end of the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(Exception):
        sender.send(work(files))


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
