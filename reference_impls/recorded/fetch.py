"""Gets the files of a source into a cache folder, whole or not at all.

A file is written beside its place as ``<name>.part``, held against its size and checksum and only then renamed: what
stands under its own name is complete. A ``.part`` is never read; the next run continues it. Processes that want the
same file wait for one another.

Environment:
    ATLAS_DATA: the cache folder; default ``llm-ensemble-atlas`` in the user's cache folder.
    ATLAS_DATA_MIRROR: a folder or an http(s) address that holds ``<owner>/<name>/<commit>/<path>``; it is asked in
        place of the public host.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urljoin

import requests
import urllib3
from requests.utils import get_environ_proxies

from reference_impls.recorded.registry import Source, SourceFile
from reference_impls.safe import places
from reference_impls.safe.guard import PrivateAddressError, cause_of, guarded_adapter, is_private_literal, origin
from reference_impls.safe.reading import pieces
from reference_impls.safe.writing import settle

try:
    import fcntl
except ImportError:  # Windows: no lock, so every process writes a part of its own and none is continued
    fcntl = None  # type: ignore[assignment]

PUBLIC = "https://raw.githubusercontent.com"
CHUNK = 16 * 1024  # of a connection that breaks at most so much is lost
Progress = Callable[[SourceFile, int], None]
"""Told after every piece: the file and how many of its bytes are there."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a server is asked. Seconds."""

    connect: float = 10.0
    silence: float = 30.0  # between two pieces
    tries: int = 5  # without a new byte
    first_wait: float = 1.0  # doubled at each further try
    longest_wait: float = 60.0  # a server that asks for more is left alone
    head: float = 30.0  # until the head of an answer is there
    slowest: float = 10_000.0  # bytes a second over a whole answer, after `grace`
    grace: float = 60.0
    redirects: int = 5


class FetchError(Exception):
    """A file could not be got; says in one line which, why and what to do."""


class _Again(Exception):  # noqa: N818  a signal, not an error: the caller tries again
    """This try failed in a way that may pass. Carries the reason and the wait that the server asked for."""

    def __init__(self, reason: str, wait: float = 0.0, *, hopeless: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.hopeless = hopeless  # it brought some bytes, but at this pace it never ends


def cache_folder() -> Path:
    """Where fetched files are kept."""
    if os.environ.get("ATLAS_DATA"):
        return places.expanded(os.environ["ATLAS_DATA"])
    return places.user_cache()


def mirror() -> str:
    """The folder or address that files come from."""
    return os.environ.get("ATLAS_DATA_MIRROR") or PUBLIC


def place(source: Source, file: SourceFile, cache: Path) -> Path:
    """Where a file of a source belongs in the cache.

    Raises:
        FetchError: the place would lie outside the cache, by the path itself or by a link on its way.
    """
    root = cache.absolute()
    path = root / source.folder / file.path
    try:
        inside = path.parent.resolve().is_relative_to(root.resolve()) and ".." not in Path(file.path).parts
        with suppress(FileNotFoundError, NotADirectoryError):
            path.parent.stat()  # from Python 3.13 on `resolve` says nothing of a loop
    except (OSError, RuntimeError):  # a loop of links
        inside = False
    if not inside:
        raise FetchError(
            f"{path}: lies outside the cache folder {cache} (remove the link, or choose another ATLAS_DATA)"
        )
    return path


def is_good(path: Path, file: SourceFile) -> bool:
    """Whether a file is there with the right size and checksum."""
    try:
        return path.stat().st_size == file.bytes and _sha256(path) == file.sha256
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise FetchError(f"{path}: cannot be read: {error.strerror} (check its permissions)") from error


def problems(source: Source, cache: Path) -> list[str]:
    """What is wrong with the fetched files of a source: one line for each file that is missing or damaged."""
    found = []
    for file in source.files:
        path = place(source, file, cache)
        if is_good(path, file):
            continue
        if not os.path.lexists(path):
            found.append(f"{path}: missing (atlas data fetch {source.name})")
        else:
            found.append(f"{path}: size or checksum is wrong (atlas data fetch {source.name} replaces it)")
    return found


def fetch(
    source: Source,
    files: Iterable[SourceFile] | None = None,
    *,
    cache: Path | None = None,
    base: str | None = None,
    progress: Progress = lambda _file, _done: None,
    patience: Patience = Patience(),
) -> dict[str, Path]:
    """Gets the files that are not there yet or are damaged.

    Args:
        source: whose files.
        files: which of them; default all.
        cache: folder; default `cache_folder()`.
        base: folder or address; default `mirror()`.
        progress: told how far each file is.
        patience: how long a server is asked.

    Returns:
        Where each file lies, by its path in the repository.

    Raises:
        FetchError: in one line what went wrong with which file; what was got before it stays.
    """
    cache, base = cache or cache_folder(), base or mirror()
    got: dict[str, Path] = {}
    for file in source.files if files is None else files:
        path = place(source, file, cache)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path = place(source, file, cache)  # again, now that its folders are there and one could be a link
            if not is_good(path, file):
                _bring(path, source, file, base, progress, patience)
        except OSError as error:
            raise FetchError(_told(error, path, file)) from error
        progress(file, file.bytes)
        got[file.path] = path
    return got


def _told(error: OSError, path: Path, file: SourceFile) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"{path}: no room for {file.bytes} bytes: {error.strerror} (make room, or point ATLAS_DATA elsewhere)"
    return f"{path}: cannot be written: {error.strerror or error} (check the folder, or point ATLAS_DATA elsewhere)"


def _bring(path: Path, source: Source, file: SourceFile, base: str, progress: Progress, patience: Patience) -> None:
    """Fills the file's part and puts it into its place."""
    if path.is_symlink():  # what it leads to is somebody's own, and the link too
        raise FetchError(f"{path}: is a link to something else than the registry's file (remove it)")
    part_path = path.with_name(f"{path.name}.part" if fcntl else f"{path.name}.{os.getpid()}.part")
    with _locked(part_path) as part:
        if is_good(path, file):  # another process has brought it meanwhile
            part_path.unlink()
            return
        try:
            _fill(part, source, file, base, progress, patience)
            os.fsync(part.fileno())
        except OSError:  # a full disk gets its room back
            part_path.unlink()
            raise
        if fcntl:
            part_path.replace(path)  # while it is locked: whoever waits finds the finished file
    if not fcntl:
        part_path.replace(path)  # Windows renames no file that is open
    settle(path.parent)


@contextmanager
def _locked(name: Path) -> Iterator[BinaryIO]:
    """A file open for reading and writing that nobody else holds until the block ends; made where there is none."""
    while True:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        with os.fdopen(descriptor, "rb+") as stream:
            if fcntl:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if not _is_still(name, descriptor):
                    continue  # its holder has renamed or removed it: take the new one
            yield stream
            return


def _is_still(name: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), name.stat())
    except FileNotFoundError:
        return False


def _fill(
    part: BinaryIO, source: Source, file: SourceFile, base: str, progress: Progress, patience: Patience
) -> None:
    """Brings all bytes of a file into its part; what was there already is continued if it proves right."""
    remote = base.startswith(("http://", "https://"))
    where = f"{base.rstrip('/')}/{quote(str(source.folder))}/{quote(file.path)}"
    for continued in (True, False):
        if not (continued and remote and 0 < _size(part) <= file.bytes):
            continued = False  # noqa: PLW2901  nothing to continue
            _empty(part)
        if remote:
            _download(part, where, file, progress, patience)
        else:
            _copy(part, Path(base), source, file, progress)
        part.flush()
        found = _sha256_of(part)
        if found == file.sha256:
            return
        _empty(part)
        if not continued:
            break
    raise FetchError(
        f"{where}: has the checksum {found[:16]}… where the registry has {file.sha256[:16]}…; nothing was kept"
        " (the file was changed at its source or on the way: try another ATLAS_DATA_MIRROR)"
    )


def _copy(part: BinaryIO, folder: Path, source: Source, file: SourceFile, progress: Progress) -> None:
    if not folder.is_dir():
        raise FetchError(f"ATLAS_DATA_MIRROR={folder}: neither a folder nor an http(s) address (correct or unset it)")
    path = folder / source.folder / file.path
    try:
        with path.open("rb") as stream:
            while piece := stream.read(CHUNK):
                _append(part, piece, file, str(path))
                progress(file, _size(part))
    except FileNotFoundError as error:
        raise FetchError(f"{path}: not in the mirror (correct or unset ATLAS_DATA_MIRROR)") from error
    except OSError as error:
        if error.filename:  # of the mirror; a failing disk under the cache has none
            raise FetchError(f"{path}: cannot be read: {error.strerror} (check the mirror)") from error
        raise
    if _size(part) < file.bytes:
        raise FetchError(f"{path}: has {_size(part)} bytes where the registry has {file.bytes} (renew the mirror)")


def _download(part: BinaryIO, url: str, file: SourceFile, progress: Progress, patience: Patience) -> None:
    """Asks until all bytes are there; waits longer after each try that brought none."""
    fruitless = 0
    for _ in range(20 * patience.tries):  # a server that gives a byte each time is not asked for ever
        before = _size(part)
        if before == file.bytes:
            return
        try:
            _ask(part, url, file, progress, patience)
        except _Again as again:
            fruitless = 0 if _size(part) > before and not again.hopeless else fruitless + 1
            wait = max(again.wait, patience.first_wait * 2 ** max(fruitless - 1, 0))
            if fruitless >= patience.tries or again.wait > patience.longest_wait:
                raise FetchError(f"{url}: {again}; {_size(part)} of {file.bytes} bytes are here {_LATER}") from again
            time.sleep(min(wait, patience.longest_wait))
    if _size(part) < file.bytes:
        raise FetchError(f"{url}: breaks off again and again; {_size(part)} of {file.bytes} bytes are here {_LATER}")


_LATER = "(run it again later to go on, or set ATLAS_DATA_MIRROR)"


def _ask(part: BinaryIO, url: str, file: SourceFile, progress: Progress, patience: Patience) -> None:
    """One request for what is missing. A server that ignores the range is listened to from the start."""
    offset = _size(part)
    headers = {"Accept-Encoding": "identity", "User-Agent": "llm-ensemble-atlas"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    started = time.monotonic()
    try:
        with _opened(url, headers, patience) as answer:
            if answer.status_code in {408, 425, 429} or answer.status_code >= 500:
                raise _Again(f"the server answers {answer.status_code}", _wait_asked(answer))
            continues = answer.headers.get("Content-Range", "").startswith(f"bytes {offset}-")
            if answer.status_code == 416 or (answer.status_code == 206 and not continues):
                _empty(part)
                raise _Again("the server gives another part than it was asked for")
            if answer.status_code not in {200, 206}:
                raise FetchError(f"{url}: the server answers {answer.status_code} (check ATLAS_DATA_MIRROR)")
            if answer.status_code == 200:
                _empty(part)
            for piece in pieces(answer):
                _append(part, piece, file, url)
                progress(file, _size(part))
                elapsed = time.monotonic() - started
                if elapsed > patience.grace and (_size(part) - offset) / elapsed < patience.slowest:
                    raise _Again("the server is too slow", hopeless=True)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise FetchError(f"{url}: no address (correct ATLAS_DATA_MIRROR)") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _Again(_reason(error)) from error
    if _size(part) < file.bytes:
        raise _Again("the connection ended early")


@contextmanager
def _opened(url: str, headers: dict[str, str], patience: Patience) -> Iterator[requests.Response]:
    """The answer behind all redirects. The mirror that the user named may be private; where it sends us may not."""
    try:
        first = origin(url)
    except ValueError as error:
        raise requests.exceptions.InvalidURL(str(error)) from error
    with requests.Session() as session:
        session.trust_env = False  # passwords from ~/.netrc must not be sent to anybody; proxies are looked up below
        for scheme in ("http://", "https://"):
            session.mount(scheme, guarded_adapter(lambda: {first}, patience.head))
        here = url
        for _ in range(patience.redirects + 1):
            private = is_private_literal(origin(here)[0])
            if private and origin(here) != first:
                raise FetchError(f"{url}: redirects to the private address {_host(here)} (check ATLAS_DATA_MIRROR)")
            try:
                answer = session.get(
                    here, headers=headers, stream=True, allow_redirects=False,
                    timeout=(patience.connect, patience.silence),
                    proxies={} if private else get_environ_proxies(here),
                    verify=os.environ.get("REQUESTS_CA_BUNDLE") or True,
                )  # fmt: skip
            except OSError as error:  # requests' errors are OSErrors, too
                if cause_of(error, PrivateAddressError):
                    raise FetchError(
                        f"{url}: {_host(here)} has a private address (check ATLAS_DATA_MIRROR)"
                    ) from error
                raise
            with answer:
                target = answer.headers.get("Location") if answer.is_redirect else None
                if target is None:
                    yield answer
                    return
            try:
                here = urljoin(here, target)
                origin(here)
            except ValueError as error:
                raise FetchError(
                    f"{url}: redirects to something else than http(s) (check ATLAS_DATA_MIRROR)"
                ) from error
    raise FetchError(f"{url}: redirects more than {patience.redirects} times (check ATLAS_DATA_MIRROR)")


def _host(url: str) -> str:
    """For a message: only what can stand in one."""
    return ascii(origin(url)[0])[1:-1][:80]


def _reason(error: Exception) -> str:
    """In plain words: the library's own messages hold addresses of objects and whole addresses again."""
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate is not trusted"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | urllib3.exceptions.HTTPError):
        return "the connection broke"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__


def _wait_asked(answer: requests.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def _append(part: BinaryIO, piece: bytes, file: SourceFile, where: str) -> None:
    if _size(part) + len(piece) > file.bytes:
        _empty(part)
        raise FetchError(
            f"{where}: holds more than the {file.bytes} bytes of the registry; nothing was kept"
            " (the file was changed at its source or on the way: try another ATLAS_DATA_MIRROR)"
        )
    part.write(piece)


def _size(part: BinaryIO) -> int:
    return part.seek(0, os.SEEK_END)


def _empty(part: BinaryIO) -> None:
    part.seek(0)
    part.truncate()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sha256_of(part: BinaryIO) -> str:
    part.seek(0)
    digest = hashlib.sha256()
    while piece := part.read(CHUNK):
        digest.update(piece)
    return digest.hexdigest()
