"""Braces in a value of BibTeX: what stands inside of them belongs together."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BRACE = re.compile(r"[{}]")


def closing(source: str, place: int) -> int:
    """Where the brace closes that was opened before `place`; the end of the text where it does not."""
    depth = 1
    for found in _BRACE.finditer(source, place):
        depth += 1 if found.group() == "{" else -1
        if depth == 0:
            return found.start()
    return len(source)


def split(source: str, separator: re.Pattern[str]) -> Iterator[str]:
    """The pieces of `source` between separators outside of braces."""
    depth = last = 0
    edges = {found.start(): found.end() for found in separator.finditer(source)}
    if not edges:
        yield source
        return
    for place, char in enumerate(source):
        if char == "{":
            depth += 1
        elif char == "}":
            depth = max(0, depth - 1)
        elif place in edges and depth == 0:
            yield source[last:place]
            last = edges[place]
    yield source[last:]
