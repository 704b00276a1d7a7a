"""What takes long to make and seldom changes is kept below an Atlas: slides, coloured sources.

Each is a file that begins with a digest of all that it was made from, so that nothing out of date is taken; what
cannot be read or kept is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from reference_impls.safe.writing import write_bytes

#: Below an Atlas.
PLACE = Path("build") / "made"
LARGEST = 64_000_000  # bytes of a file that is still read


def made_once(root: Path, name: str, parts: bytes, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, which hangs on `parts` alone; kept under `name`.

    Args:
        root: of the Atlas.
        name: its own among all that is kept, below PLACE.
        parts: all that it is made from, versions of libraries and our own code among it.
    """
    place, digest = root / PLACE / name, hashlib.sha256(parts).hexdigest().encode()
    with suppress(OSError):
        if place.is_file() and place.stat().st_size <= LARGEST:
            found, _, made = place.read_bytes().partition(b"\n")
            if found == digest:
                return made
    made = make()
    with suppress(OSError):
        write_bytes(place, digest + b"\n" + made, durable=False)
    return made
