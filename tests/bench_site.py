"""`make bench-site`: builds synthetic Atlases of growing size and prints time, peak memory and size of each.

The papers are made from the real ones (titles, authors and summaries shuffled by a fixed seed), so that pages have
the length and the relations of real pages. Each build runs in a process of its own, whose peak memory is read from
the operating system. Ratios tell whether growth stays linear; no test depends on the times.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Container
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.model import Corpus, Paper
from scripts.model.canonical import emit

ROOT = Path(__file__).resolve().parents[1]
SIZES = (400, 1_000, 3_000, 10_000)


def make_atlas(folder: Path, count: int, seed: int = 0) -> None:
    """An Atlas of `count` valid papers in `folder`, with the site's sources and settings."""
    real = Corpus.load(ROOT).papers
    rng = random.Random(seed)  # noqa: S311  no secret hangs on it
    models = list(real.values())
    keys = [f"synthetic{paper.year or 2025}n{number}" for number, paper in enumerate(rng.choices(models, k=count))]
    for name in ("taxonomy", "site_src"):
        # claims, glossary and guides name real entries
        speaking = shutil.ignore_patterns("claims.yml", "glossary.yml", "guides.yml")
        shutil.copytree(ROOT / name, folder / name, ignore=speaking)
    shutil.copyfile(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
    (folder / "scripts").symlink_to(ROOT / "scripts")
    (folder / "papers").mkdir()
    shutil.copyfile(ROOT / "papers" / "schema.json", folder / "papers" / "schema.json")
    for number, key in enumerate(keys):
        year = key.removeprefix("synthetic")[:4]
        path = folder / "papers" / year / f"{key}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(emit(synthetic(number, year, keys, models, rng).model_dump(exclude_defaults=True)))


def synthetic(number: int, year: str, keys: list[str], models: list[Paper], rng: random.Random) -> Paper:
    """One paper put together from real ones; its title, identifier and relations are its own."""
    base, other, third = (rng.choice(models) for _ in range(3))
    fallback = "Nothing is known of the paper that this one was made from. " * 3
    words = f"{base.title} {other.title} {third.title}".split()
    rng.shuffle(words)
    month = rng.randint(1, 6)
    return base.model_copy(
        update={
            "title": f"{' '.join(words[:12])} {number}",
            "name": None,
            "date": f"{year}-{month:02}-15",
            "ids": base.ids.model_copy(
                update={
                    "arxiv": f"{year[2:]}{month:02}.{number:05}",
                    **dict.fromkeys(("doi", "acl", "openreview", "s2")),
                }
            ),
            "venue": None,
            "versions": [],
            "summary": f"{(other.summary or fallback)[:-1]}, says synthetic paper {number}.",
            "relations": base.relations.model_copy(
                update={
                    "builds_on": [rng.choice([k for k in keys[:50] if k != keys[number]])],
                    "compares_with": [],
                    "surveyed_in": [],
                    "sources": {},
                }
            ),
        }
    )


def measure(command: list[str], folder: Path, good: Container[int] = (0,)) -> tuple[float, float, float]:
    """(wall-clock seconds, processor seconds, peak MB) of a command that runs in `folder` and ends with a status that
    is `good`."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "ATLAS_ROOT": str(folder)}
    before = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, kilobytes here
    wall, processor = time.perf_counter() - before, usage.ru_utime + usage.ru_stime
    return wall, processor, usage.ru_maxrss * unit / 1e6


def sizes_of(site: Path) -> dict[str, float]:
    """Megabytes of a built site by what it is: the folder of its files, the largest first. The pages at the top are
    one kind."""
    found: Counter[str] = Counter()
    for path in site.rglob("*"):
        if path.is_file():
            *folders, _ = path.relative_to(site).parts
            kind = folders[:2] if folders[:1] == ["assets"] else folders[:1]
            found["/".join(kind) or "."] += path.stat().st_size
    return {kind: size / 1e6 for kind, size in found.most_common()}


def main() -> None:
    """Prints one row a size, with the time per paper relative to the smallest size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = sorted(parser.parse_args().sizes)
    bin_folder = Path(sys.executable).parent
    table = Table("papers", "validate", "render", "again", "build", "build CPU", "peak MB", "size MB", "CPU/paper")
    first = None
    for count in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_atlas(folder, count)
            steps = [
                measure([str(bin_folder / "atlas"), "validate", "--format", "json"], folder),
                measure([str(bin_folder / "atlas"), "render"], folder),
                measure([str(bin_folder / "atlas"), "render"], folder),  # nothing has changed
            ]
            shutil.rmtree(folder / "build")
            (folder / "build" / "docs").mkdir(parents=True)
            steps.append(measure([str(bin_folder / "mkdocs"), "build", "--strict", "--quiet"], folder))
            seconds = [step[0] for step in steps]
            processor = steps[-1][1]  # `mkdocs build` renders through its hook: it is all that a site costs
            peak = max(step[2] for step in steps)
            per_paper = processor / count
            first = first or per_paper
            kinds = sizes_of(folder / "build" / "site")
        table.add_row(
            f"{count:,}",
            *(f"{value:.1f}" for value in (*seconds, processor)),
            f"{peak:.0f}",
            f"{sum(kinds.values()):.0f}",
            f"{per_paper / first:.2f}",
        )
        Console().print(
            f"{count:,} papers: {seconds[-1]:.1f} s ({processor:.1f} s of processor), {peak:.0f} MB; render"
            f" {steps[1][1]:.1f} s of processor; load of the machine {os.getloadavg()[0]:.1f}",
            highlight=False,
        )
        told = ", ".join(f"{kind} {size:.1f}" for kind, size in kinds.items() if size >= 0.5)
        Console().print(f"  MB of its site: {told}", highlight=False)
    Console().print(table)
    Console().print(
        "Seconds are wall-clock but for CPU; again: render without a change; build includes rendering; CPU/paper is"
        " relative to the first row."
    )


if __name__ == "__main__":
    main()
