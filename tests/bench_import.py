"""`python -m tests.bench_import`: how long `atlas import bibtex` takes for 500 and 5,000 entries, and their ratio.

Titles are of different length; every author has an accent in LaTeX and every fourth title holds mathematics, which is
more than in most real files.
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench_site import make_atlas

ENTRY = r"""@inproceedings{key%d,
  title = {{Routing} %s with %s and {\"O}ptimal Budgets},
  author = {%s, J{\"o}rg and {\'A}lvarez, Ana %s and others},
  booktitle = {Proceedings of the %d-th Conference on Testing},
  year = 2024,
  abstract = {%s},
}

"""


def bibliography(count: int) -> str:
    """A .bib file of `count` entries whose titles are not alike."""
    entries = []
    for number in range(count):
        word = hashlib.sha256(str(number).encode()).hexdigest()
        name = "".join(chr(ord("a") + int(digit, 16)) for digit in word[:8]).capitalize()
        words = " ".join(word[start : start + 7] for start in range(0, 7 + 7 * (number % 8), 7))
        mathematics = f"$\\alpha_{{{number}}}$" if number % 4 == 0 else f"budget {number}"
        entries.append(ENTRY % (number, words, mathematics, name, name, number, "word " * 120))
    return "".join(entries)


def main() -> None:
    """One row a size: wall-clock and processor seconds, and the time per entry relative to the first row."""
    table = Table("entries", "stubs", "seconds", "CPU", "CPU/entry")
    first = None
    for count in (500, 5_000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_atlas(folder, 10)
            before = len(list((folder / "papers").rglob("*.yml")))
            (folder / "many.bib").write_text(bibliography(count), encoding="utf-8")
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            subprocess.run(
                [str(Path(sys.executable).parent / "atlas"), "import", "bibtex", "many.bib"],
                cwd=folder,
                env={**os.environ, "ATLAS_ROOT": str(folder)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            wall = time.perf_counter() - start
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            processor = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
            stubs = len(list((folder / "papers").rglob("*.yml"))) - before
        first = first or processor / count
        row = f"{count:,}", f"{stubs:,}", f"{wall:.1f}", f"{processor:.1f}", f"{processor / count / first:.2f}"
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
