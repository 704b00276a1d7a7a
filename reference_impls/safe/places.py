"""Where the Atlas keeps what it can make or fetch again: never in the folder that somebody happens to stand in."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
import tempfile
from functools import cache
from multiprocessing import parent_process
from pathlib import Path

NAME = "llm-ensemble-atlas"
ROOT = Path(__file__).resolve().parents[2]
"""The source tree that this code lies in; of an installed package, the folder of all packages."""


class NoHomeError(OSError):
    """The user has no home folder and names no cache folder; says in one line what to set."""


def user_cache() -> Path:
    """The Atlas's folder in the user's cache folder: ``XDG_CACHE_HOME``, on Windows ``LOCALAPPDATA``, else
    ``~/.cache``; it may not be there yet.

    Raises:
        NoHomeError: there is none.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(named):  # noqa: PTH117  the specification: a relative one is to be ignored
        named = os.environ.get("LOCALAPPDATA", "") if sys.platform == "win32" else ""
    if named:
        return Path(named) / NAME
    return expanded("~") / ".cache" / NAME


def expanded(path: str) -> Path:
    """A path with the home folder in place of ``~``.

    Raises:
        NoHomeError: there is none.
    """
    none = NoHomeError(f"{path}: there is no home folder (set HOME or XDG_CACHE_HOME)")
    if path.startswith("~") and os.environ.get("HOME") == "":  # Python would take the root folder
        raise none
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise none from error


def build() -> Path:
    """The folder for stores of responses and the like: ``ATLAS_BUILD``; ``build/`` of the checkout that this code
    lies in, if it can be written; else the user's cache folder; else a temporary folder, with a line that says so.
    """
    if named := os.environ.get("ATLAS_BUILD"):
        return Path(named)
    checkout = ROOT / "build"
    if is_checkout() and can_write(checkout):
        return checkout
    try:
        cached = user_cache()
    except NoHomeError:
        return _temporary()
    return cached if can_write(cached) else _temporary()


def is_checkout() -> bool:
    """Whether this code lies in a checkout of the Atlas, not in an environment's folder of packages."""
    return (ROOT / "taxonomy" / "taxonomy.yml").is_file()


def can_write(folder: Path) -> bool:
    """Whether a file could be made in a folder, which may still have to be made itself."""
    return refusal(folder) is None


def refusal(folder: Path) -> str | None:
    """Why no file could be made in a folder, as the system says it; None where one could. Leaves nothing behind."""
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            return None
    except OSError as error:
        return error.strerror or str(error)


@cache
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{NAME}-"))
    os.environ["ATLAS_BUILD"] = str(folder)  # processes started from here share it
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if parent_process() is None:
        say = "atlas: no folder to keep responses in; they are in %s until the end (ATLAS_BUILD names another one)"
        logging.getLogger(__name__).warning(say, folder)
    return folder
