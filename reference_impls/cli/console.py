"""What all commands share: how they speak and how they end."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.status import Status
from rich.text import Text
from typer.core import TyperGroup

from reference_impls.safe import extras, places
from reference_impls.safe.places import NoHomeError
from reference_impls.safe.terminal import one_line

WRONG_USE = 2
STOPPED = 130  # as a shell says it: 128 and the number of the signal
TERMINATED = 143
CLOSED_PIPE = 141
OUT = "folder of the results"
OUT_DEFAULT = "reference_impls/results in a checkout, else atlas-results in the working folder"
say = Console(stderr=True, highlight=False, soft_wrap=True)


def wrong_use(message: str) -> typer.Exit:
    """Says what is wrong on stderr; to be raised."""
    say.print(Text(one_line(f"atlas: {message}")))
    return typer.Exit(WRONG_USE)


def writable(folder: Path) -> Path:
    """The folder, if results can be written there: before they are computed."""
    if why := places.refusal(folder):
        raise wrong_use(f"{folder}: results cannot be written there: {why} (name another folder with --out)")
    return folder


def showing(status: Status) -> Callable[[str], None]:
    """Shows texts beside a spinner as they stand: a file's name may be a command to the terminal or to Rich."""
    return lambda text: status.update(Text(one_line(text)))


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends a command as Ctrl-C does."""


@contextmanager
def kept(tell: Callable[[], str]) -> Iterator[None]:
    """Where the block is stopped, the command's last line says what `tell` gives: what is kept, how it goes on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note(tell())
        raise


class Commands(TyperGroup):
    """The tool's commands. What the machine refuses, and being stopped, end in one line, not in a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Runs the tool; the exit status is 2 where a file, a folder or a stream cannot be used."""
        _hold_streams()
        try:
            try:
                return super().main(*args, **options)
            finally:
                sys.stdout.flush()  # here, where an error can still be told
        except ModuleNotFoundError as error:
            if (line := extras.told(error, "this command needs")) is None:
                raise
            sys.exit(wrong_use(line).exit_code)
        except OSError as error:
            told = what_failed(error)
            if told is None and not isinstance(error, BrokenPipeError):
                raise
            _leave_streams()
            sys.exit(wrong_use(told).exit_code if told else CLOSED_PIPE)

    def invoke(self, ctx: Any) -> Any:
        """Runs a command. Ctrl-C and SIGTERM end it with a line that says what is kept."""
        with _terminable():
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt as stop:
                notes = "; ".join(getattr(stop, "__notes__", ())) or "every file is as it was, or complete"
                say.print(Text(one_line(f"atlas: stopped; {notes}")))
                raise typer.Exit(TERMINATED if isinstance(stop, Terminated) else STOPPED) from stop
            except BrokenPipeError as error:
                _leave_streams()  # whoever has closed it knows: `atlas export csv | head`
                raise typer.Exit(CLOSED_PIPE) from error


#: What is wrong with the machine or with a name, and what may help. Any other error is the program's own.
_REFUSALS = {
    errno.ENOSPC: "make room and run it again",
    errno.EDQUOT: "make room and run it again",
    errno.EFBIG: "a limit on the size of files is in force",
    errno.EROFS: "name a place that can be written, or make this one so",
    errno.EACCES: "look at its permissions",
    errno.EPERM: "look at its permissions",
    errno.EISDIR: "a file is wanted there",
    errno.ENOTDIR: "a folder is wanted there",
    errno.ENOENT: "look at the name",
    errno.EEXIST: "remove it, or name another place",
    errno.ENOTEMPTY: "remove it, or name another place",
    errno.ELOOP: "a link leads to itself",
    errno.ENAMETOOLONG: "name another place",
    errno.EBUSY: "something else uses it",
    errno.EIO: "the disk or the connection to it fails",
    errno.EMFILE: "raise the limit on open files",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "close other programs",
    errno.EAGAIN: "a limit on processes or memory is in force",
    errno.EADDRINUSE: "name another port",
}


def what_failed(error: OSError) -> str | None:
    """An error of the machine in one line; None for one that only a fault of the program explains."""
    if isinstance(error, NoHomeError | FileNotFoundError) and error.errno is None:
        return str(error)  # of our own, with what to do
    if error.errno not in _REFUSALS:
        return None
    why, repair = error.strerror or os.strerror(error.errno), _REFUSALS[error.errno]
    return f"{error.filename or 'what is written'}: {why} ({repair})"


def _hold_streams() -> None:
    """A stream that the caller has closed leaves its number free: the next file to be opened would get it, and with
    it what is said."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        told = wrong_use("standard output is closed (send it to /dev/null where it is not wanted)")
        sys.exit(told.exit_code)


def _leave_streams() -> None:
    """What could not be written goes nowhere, so that Python does not try again when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM raises `Terminated` meanwhile, and Ctrl-C `KeyboardInterrupt` as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: object) -> None:
        # An object that a stop leaves half made may fail when it goes; nobody needs to read of it.
        sys.unraisablehook = lambda _: None
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    caught = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else somebody wants it ignored
        caught.append(signal.SIGINT)
    before = {number: signal.signal(number, stop) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
