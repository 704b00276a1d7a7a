"""Files are written whole or not at all: whoever is stopped or runs out of room leaves the old file or the new one.

The new content is written beside its place, as ``.<name>.<16 hex digits>.part``, and renamed when all of it is on the
disk. Git ignores such names and nothing reads them. One that a killed process has left is removed by the next process
that writes into its folder; a part in use is locked and stays.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows: no lock, so parts of killed processes stay
    fcntl = None  # type: ignore[assignment]

_PART = re.compile(r"\..+\.[0-9a-f]{16}\.part", re.DOTALL)
_swept: set[Path] = set()


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Makes `data` the content of a file, which keeps its permissions; missing folders are made.

    Args:
        path: the file; of a symbolic link, the file that it leads to.
        data: all of it.
        durable: whether to wait until it would outlast a power cut. Not worth it for what can be made again.

    Raises:
        OSError: with `path` as its file name; the file is as it was.
    """
    with replacing(path, durable=durable) as stream:
        stream.write(data)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """`write_bytes` of the text in UTF-8, line ends as they are.

    Raises:
        UnicodeEncodeError: for lone surrogates; the file is as it was.
    """
    write_bytes(path, text.encode(), durable=durable)


def write_json(path: Path, value: object, indent: int | None = 1) -> None:
    """`value` as JSON with a line end, as `write_bytes` writes."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def create_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Writes a file that is not there yet; `durable` as for `write_bytes`.

    Raises:
        FileExistsError: it is there, and is left alone.
        OSError: it cannot be written; then there is none.
    """
    data = text.encode()
    with _told_of(path):
        _make_folder(path.parent)
        with _part_beside(path, durable=durable) as (part, stream):
            stream.write(data)
            _finish(stream, durable=durable)
            _put_where_none_is(part, path)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A stream whose content becomes that of `path` when the block ends without an error; as `write_bytes`."""
    with _told_of(path):
        target, old = path, _of(path)
        if old is None:
            _make_folder(path.parent)
        elif stat.S_ISLNK(old.st_mode):
            target = Path(os.path.realpath(path))
            old = _of(target)
        if old is not None and not stat.S_ISREG(old.st_mode):
            # a pipe or a device has no old content to lose; a folder refuses by itself
            with target.open("wb") as stream:
                yield stream
            return
        if old is not None:  # one that may not be written is not to be replaced either
            os.close(os.open(target, os.O_WRONLY))
        with _part_beside(target, durable=durable) as (part, stream):
            yield stream
            if old is not None:
                _make_alike(stream.fileno(), old)
            _finish(stream, durable=durable)
            os.replace(part, target)  # noqa: PTH105  many files are written


def _of(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Errors of writing name the file that was meant: they name its part, or nothing."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename and not _PART.fullmatch(Path(str(error.filename)).name)):
            raise
        raise OSError(error.errno, error.strerror or os.strerror(error.errno), str(path)) from error


def _make_folder(folder: Path) -> None:
    if os.path.isdir(folder):  # noqa: PTH112  many files are written, most into folders that are there
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


@contextmanager
def _part_beside(target: Path, *, durable: bool) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file in the folder of `target`, locked; removed if it is still there at the end."""
    _sweep(target.parent)
    part, descriptor = _new_part(target)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield part, stream
        if durable:
            settle(target.parent)
    finally:
        with suppress(OSError):
            part.unlink()


def _new_part(target: Path) -> tuple[Path, int]:
    while True:
        # so much of the name as leaves room where names have at most 255 bytes
        name = os.fsdecode(os.fsencode(target.name)[:200])
        part = target.with_name(f".{name}.{secrets.token_hex(8)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(part, flags, 0o666)  # less the umask, as of every new file
        if _lock(descriptor) is not False and _is_still(part, descriptor):
            return part, descriptor
        os.close(descriptor)  # swept away between the two calls


def _lock(descriptor: int) -> bool | None:
    """Whether the lock could be had at once; None where there are no locks."""
    if not fcntl:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def _is_still(name: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), name.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _sweep(folder: Path) -> None:
    """Removes the parts that nobody writes any more; once a process and folder."""
    if not fcntl or folder in _swept:
        return
    _swept.add(folder)
    with suppress(OSError):  # what cannot be removed harms nobody
        for name in os.listdir(folder):  # noqa: PTH208  names are enough
            if _PART.fullmatch(name):
                _remove_left(folder / name)


def _remove_left(part: Path) -> None:
    descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and _lock(descriptor) and _is_still(part, descriptor):
            part.unlink()
    finally:
        os.close(descriptor)


def _make_alike(descriptor: int, old: os.stat_result) -> None:
    """The owner, as far as the system allows, and the permissions of the file before."""
    if hasattr(os, "fchown"):
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress(PermissionError):
                os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _finish(stream: BinaryIO, *, durable: bool) -> None:
    stream.flush()
    if durable:
        os.fsync(stream.fileno())
    if not fcntl:
        stream.close()  # Windows renames no file that is open


def _put_where_none_is(part: Path, path: Path) -> None:
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        part.rename(path)


def settle(folder: Path) -> None:
    """Makes the renames in a folder outlast a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
