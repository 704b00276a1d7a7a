"""Processes that work for one command and end with it, however it ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any

#: Seconds that processes have to end when they are told to.
PATIENCE = 1.0


class WorkersError(ValueError):
    """A process ended by itself; says so in one line."""


class Workers(ProcessPoolExecutor):
    """An executor over fresh processes. Leaving its block by an error, or by Ctrl-C, drops what has not begun and
    ends the processes at once; none of them answers to Ctrl-C itself, which a terminal sends to all.
    """

    def __init__(self, jobs: int) -> None:
        self._others = set(multiprocessing.active_children())
        super().__init__(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_follow)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As of every executor; here the processes are started."""
        try:
            with _deaf_to_ctrl_c():
                return super().submit(fn, *args, **kwargs)
        except BrokenProcessPool as error:
            raise WorkersError(ENDED) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool | None:
        if kind is None:
            self.shutdown()
            return None
        self.stop()
        if isinstance(error, BrokenProcessPool):
            raise WorkersError(ENDED) from error
        return None

    def stop(self) -> None:
        """Ends the processes, whatever they are doing."""
        mine = set(multiprocessing.active_children()) - self._others
        self.shutdown(wait=False, cancel_futures=True)
        for process in mine:
            process.terminate()
        for process in mine:
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()


ENDED = "a process ended by itself, perhaps for want of memory (try again with fewer --jobs)"


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """A process that is started here leaves Ctrl-C to this one, from its first moment on."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the block has ended: for what is to be done whole, and takes but a moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {n: signal.signal(n, lambda number, _: came.append(number)) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _follow() -> None:
    """In each process, first of all: leaves Ctrl-C to the parent, and ends with it even where that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
