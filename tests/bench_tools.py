"""`make bench-tools`: time and memory of the commands that read every entry, for synthetic Atlases of growing size.

Beside them stands what PyYAML's C loader alone needs for the same files. Every command runs in a process of its own.
`growth` tells whether a command is linear: its processor time per entry, less what it needs for ten entries, relative
to the smallest size; 1 is linear. No test depends on the times.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.exports import FORMATS
from tests.bench_site import make_atlas, measure

SIZES = (1_348, 3_000, 10_000)
FEW = 10
C_LOADER = (
    "import pathlib, yaml\n"
    "for path in pathlib.Path('papers').rglob('*.yml'): yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)"
)


def commands() -> dict[str, list[str]]:
    """The command lines that are measured, by the names under which they are printed."""
    atlas = str(Path(sys.executable).with_name("atlas"))
    lines = ["validate", "fmt --check", "duplicates", *(f"export {form}" for form in FORMATS)]
    return {"PyYAML's C loader": [sys.executable, "-c", C_LOADER], **{line: [atlas, *line.split()] for line in lines}}


def measured(count: int) -> dict[str, tuple[float, float, float]]:
    """Wall-clock seconds, processor seconds and peak MB of each command in an Atlas of `count` entries."""
    with tempfile.TemporaryDirectory() as name:
        make_atlas(Path(name), count)
        # `duplicates` ends with 1 where it finds some
        return {line: measure(command, Path(name), good=(0, 1)) for line, command in commands().items()}


def main() -> None:
    """Prints a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    start = measured(FEW)
    first: dict[str, float] = {}
    for count in sorted(parser.parse_args().sizes):
        table = Table("", "seconds", "CPU", "growth", "peak MB", title=f"{count:,} entries")
        for line, (wall, processor, peak) in measured(count).items():
            each = (processor - start[line][1]) / (count - FEW)
            growth = each / first.setdefault(line, each)
            table.add_row(line, f"{wall:.2f}", f"{processor:.2f}", f"{growth:.2f}", f"{peak:.0f}")
        Console().print(table)
    Console().print(
        "seconds: wall-clock; CPU: seconds of all processes of the command; growth: CPU per entry, relative to the"
        " smallest size (1 is linear); peak MB: the largest process of the command.",
        highlight=False,
    )


if __name__ == "__main__":
    main()
