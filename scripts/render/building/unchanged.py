"""Whether a rendering would write what is there already: then it need not be made again.

A file beside the pages keeps two digests. One is of all that a rendering is made from: the entries, the taxonomy, the
templates, the results, our own code, the versions of Python and of all packages, and the two addresses that may come
from the environment. The other is of all that it wrote. Only where both are as they were is nothing rendered: no edit
of an input is missed, and no page that somebody changed or removed stays so. Reading all of it is quick beside the
rendering; what cannot be read in an ordinary way counts as changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import reference_impls
import scripts
from reference_impls.safe.folders import MARKER
from reference_impls.safe.writing import write_json
from scripts.render.settings import VARIABLES

NAME = ".atlas-inputs"
#: All below an Atlas that its site is made from, the papers by themselves: they change most often.
PAPERS = "papers"
SOURCES = (PAPERS, "taxonomy", "site_src", "reference_impls/results", "requirements", "build/web")
#: Our own code, with the data that lies in it.
CODE = tuple(Path(package.__path__[0]) for package in (scripts, reference_impls))
LARGEST = 64_000_000  # bytes of a file that is still read for its digest


class _OddError(Exception):
    """Something whose content is not compared: a pipe, a folder behind a link, a huge file."""


class Inputs(NamedTuple):
    """Digests of what a site is made from: of all of it, of all but the papers, and of the latter's `stamp`."""

    every: str
    but_papers: str
    stamp: str


def of_inputs(root: Path) -> Inputs | None:
    """Digests of what the site of the Atlas at `root` is made from; None where it has none. To be taken before the
    Atlas is read: an edit in between then counts as one that is still to be rendered."""
    digest = hashlib.sha256()
    environment = {name: os.environ.get(name) for name in VARIABLES}
    try:
        before = stamp(root)
        _add(digest, json.dumps([_of_program(CODE), environment]).encode())
        _add_all(digest, _others(root))
        but_papers = digest.hexdigest()
        _add_all(digest, [root / PAPERS])
    except (OSError, _OddError):
        return None
    return Inputs(digest.hexdigest(), but_papers, before)


def stamp(root: Path) -> str:
    """Of sizes and times of all but the papers, which is quick; another one says that something was written.

    Raises:
        OSError: something cannot be looked at.
    """
    digest = hashlib.sha256()
    for folder in _others(root):
        for path in _below(folder):
            found = path.stat()
            _add(digest, b"%d %d " % (found.st_size, found.st_mtime_ns) + os.fsencode(path))
    return digest.hexdigest()


def _others(root: Path) -> list[Path]:
    return [root / name for name in SOURCES if name != PAPERS]


@cache
def _of_program(code: tuple[Path, ...]) -> str:
    """Of what makes the site. A program that runs on is what it was when it began: it is read once."""
    digest = hashlib.sha256()
    _add(digest, json.dumps([sys.version, sys.platform, platform.machine(), _packages()]).encode())
    _add_all(digest, code)
    return digest.hexdigest()


def files_there(out: Path, inputs: str | None) -> int | None:
    """How many files an earlier rendering of the same `inputs` has left in `out`, if every one is as it left it."""
    try:
        known = json.loads((out / NAME).read_bytes())
        made, outputs = _outputs(out)
    except (OSError, ValueError, RecursionError, _OddError):
        return None
    return made if inputs and known == {"inputs": inputs, "outputs": outputs} else None


def note(out: Path, inputs: str | None) -> None:
    """Keeps what a finished rendering was made from, and what it has made."""
    if inputs:
        _, outputs = _outputs(out)
        write_json(out / NAME, {"inputs": inputs, "outputs": outputs})


def _outputs(out: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    marker = _content(out / MARKER)
    _add(digest, marker)
    names = os.fsdecode(marker).split("\n")[:-1]
    for name in names:
        _add(digest, _content(out / name, follow=False))
    return len(names), digest.hexdigest()


def _below(folder: Path) -> Iterator[Path]:
    """Every name below a folder, in an order that does not hang on the file system; no folder behind a link."""
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        yield from (Path(place, name) for name in sorted([*files, *folders]))


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # an Atlas may have no results
        raise error


def _content(path: Path, *, follow: bool = True) -> bytes:
    found = path.stat(follow_symlinks=follow)
    if stat.S_ISDIR(found.st_mode) and follow and not path.is_symlink():
        return b""
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
        raise _OddError
    return path.read_bytes()


def _add_all(digest: hashlib._Hash, folders: Iterable[Path]) -> None:
    for folder in folders:
        for path in _below(folder):
            _add(digest, os.fsencode(path))
            _add(digest, _content(path))


def _add(digest: hashlib._Hash, data: bytes) -> None:
    """With its length before it, so that no two lists of parts give the same bytes."""
    digest.update(b"%d:" % len(data))
    digest.update(data)


def _packages() -> list[str]:
    """What is installed, with versions: the names of the folders that describe it."""
    names: set[str] = set()
    for place in sys.path:
        if os.path.isdir(place):  # noqa: PTH112  '' stands for the current folder
            names.update(name for name in os.listdir(place) if name.endswith(".dist-info"))  # noqa: PTH208
    return sorted(names)
