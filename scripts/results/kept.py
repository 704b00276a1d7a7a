"""Gains that were computed are kept: in memory, and on disk for the next program that renders.

A gain hangs on two lists of scores, on the code that compares them and on NumPy. It is kept under a digest of all of
these, so nothing that is kept can be out of date; what cannot be read is computed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from functools import cache
from pathlib import Path

import numpy as np

from reference_impls.measuring import comparison
from reference_impls.measuring.comparison import Gain, paired
from reference_impls.safe.writing import write_text

#: Below an Atlas.
PLACE = Path("build") / "gains.json"
LARGEST = 20_000_000  # bytes of a file that is still read

_known: dict[str, Gain] = {}
_asked: set[str] = set()


def gain(ours: bytes, theirs: bytes, resamples: int) -> Gain:
    """`paired` of two lists of scores, each the bytes of its numbers."""
    key = hashlib.sha256(b"%s%d:%d:" % (_code(), resamples, len(ours)) + ours + theirs).hexdigest()
    if key not in _known:
        _known[key] = paired(np.frombuffer(ours), np.frombuffer(theirs), resamples=resamples)
    _asked.add(key)
    return _known[key]


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """In the block gains are taken from the file, as far as it has them. Afterwards it holds those that were asked
    for in the block, if it can be written."""
    found = _read(path)
    _known.update(found)
    _asked.clear()
    yield
    if _asked - found.keys():
        rows = {key: astuple(_known[key])[:5] for key in sorted(_asked)}
        with suppress(OSError):
            write_text(path, json.dumps(rows, separators=(",", ":")), durable=False)


def _read(path: Path) -> dict[str, Gain]:
    try:
        if path.stat().st_size > LARGEST:
            return {}
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {
            key: Gain(float(mean), float(low), float(high), float(p), int(differ))
            for key, (mean, low, high, p, differ) in rows.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


@cache
def _code() -> bytes:
    source = Path(comparison.__file__).read_bytes()
    return hashlib.sha256(repr([sys.version, np.__version__, source]).encode()).digest()
