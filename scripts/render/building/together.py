"""Fills a folder with groups of files from two processes: whichever is free takes the next group.

Every group is made once, by either; what each of them costs need not be known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reference_impls.safe.folders import OwnFolder
from scripts.checks.halves import beside

#: What a file of the site holds: text, bytes, or what stands in another file.
File = str | bytes | Path
#: Makes files, each as (path below the folder, content).
Group = Callable[[], Iterable[tuple[str, File]]]
#: Groups that can be told apart by a byte.
MOST = 256


@dataclass(frozen=True)
class Written:
    """The files of a group, and how many of them have changed."""

    names: list[str]
    changed: int


def fill(folder: OwnFolder, groups: Sequence[Group], *, worth: bool) -> list[Written]:
    """Writes the files of all groups into the folder; with a second process where it is `worth` it."""
    process = os.getpid()
    # A pipe of numbers, one a group: a byte that one process has read is gone for the other.
    numbers, end = os.pipe()
    try:
        os.write(end, bytes(range(len(groups))))
        os.close(end)

        def take() -> dict[int, Written]:
            made: dict[int, Written] = {}
            while process in (os.getpid(), os.getppid()) and (number := os.read(numbers, 1)):
                made[number[0]] = write(folder, groups[number[0]](), process)
            return made

        folder.share()
        with beside(take, worth=worth) as second:
            made = take()
            made |= second()
    finally:
        os.close(numbers)
    for number, group in enumerate(groups):
        if number not in made:  # the second process has died over it
            made[number] = write(folder, group(), process)
        folder.keep(made[number].names)
    return [made[number] for number in range(len(groups))]


def write(folder: OwnFolder, files: Iterable[tuple[str, File]], process: int) -> Written:
    """Writes files. Only those that have changed are written, so that a server that watches the folder sees true
    changes only. A second process stops when it has lost the one that started it, `process`."""
    names, changed = [], 0
    for name, content in files:
        if process not in (os.getpid(), os.getppid()):
            break
        if isinstance(content, bytes):
            data = content
        else:
            data = content.read_bytes() if isinstance(content, Path) else content.encode("utf-8", "replace")
        changed += folder.write(name, data)
        names.append(name)
    return Written(names, changed)
