"""What takes long to make and seldom changes is kept below an Atlas: slides, coloured sources, all that was measured.

Each is a file that begins with a digest of all that it was made from and one of its content, so that nothing out of
date or damaged is taken; what cannot be read or kept is made.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from reference_impls.safe.writing import write_bytes
from scripts.render.building import unchanged

Made = TypeVar("Made")
#: Below an Atlas.
PLACE = Path("build") / "made"
LARGEST = 64_000_000  # bytes of a file that is still read


def made_once(root: Path, name: str, parts: bytes, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, which hangs on `parts` alone; kept under `name`.

    Args:
        root: of the Atlas.
        name: its own among all that is kept, below PLACE.
        parts: all that it is made from, versions of libraries and our own code among it.
        make: takes long.
    """
    if (found := _read(root, name, parts)) is not None:
        return found
    made = make()
    with suppress(OSError):
        _write(root, name, parts, made)
    return made


class Kept:
    """Objects that hang on all that a site is made from but the papers (`unchanged`): who edits an entry does not
    wait for them. They are pickled; such a file is code, as the compiled templates beside it are."""

    def __init__(self, root: Path, inputs: unchanged.Inputs | None) -> None:
        """`inputs`: of the Atlas at `root`, taken before it was read; without them nothing is kept."""
        self._root, self._inputs = root, inputs

    def once(self, name: str, make: Callable[[], Made], parts: str = "") -> Made:
        """What `make` returns; kept under `name`.

        Args:
            name: as of `made_once`.
            make: must be given nothing that hangs on papers but what `parts` tell of them.
            parts: all that it hangs on beside what hangs on no paper.
        """
        if self._inputs is None:
            return make()
        every = f"{self._inputs.but_papers}\n{parts}".encode("utf-8", "surrogatepass")
        if (data := _read(self._root, name, every)) is not None:
            kept: Made = pickle.loads(data)  # noqa: S301  of our own build folder, and whole
            return kept
        made = make()
        with suppress(OSError):
            if unchanged.stamp(self._root) == self._inputs.stamp:  # else it may be made from what came in between
                _write(self._root, name, every, pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
        return made


def _read(root: Path, name: str, parts: bytes) -> bytes | None:
    place = root / PLACE / name
    with suppress(OSError):
        if place.is_file() and place.stat().st_size <= LARGEST:
            found, _, made = place.read_bytes().partition(b"\n")
            if found == _head(parts, made):
                return made
    return None


def _write(root: Path, name: str, parts: bytes, made: bytes) -> None:
    write_bytes(root / PLACE / name, _head(parts, made) + b"\n" + made, durable=False)


def _head(parts: bytes, made: bytes) -> bytes:
    return b" ".join(hashlib.sha256(data).hexdigest().encode() for data in (parts, made))
