"""Examples for the calculator: what the project's own models reached alone on its benchmarks, query by query, as the
tables that a reader would bring."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.render.results import FOLDER, POOLS

PREFIX = "single-"


@dataclass(frozen=True)
class Example:
    """A table that the page offers.

    Attributes:
        name: of the pool.
        label: on the page.
        text: the table, a row a query with a score and a cost of each model.
        queries, models: how many there are.
    """

    name: str
    label: str
    text: str
    queries: int
    models: int

    @property
    def file(self) -> str:
        return f"assets/data/calculator-{self.name}.csv"


def examples(root: Path) -> Iterator[Example]:
    """One a pool whose models were run alone on some benchmark: of the benchmarks that all of them were run on."""
    for pool, label in POOLS.items():
        alone: dict[str, dict[str, dict[str, list[float]]]] = {}
        for file in sorted((root / FOLDER / pool).glob(f"*/{PREFIX}*.json")):
            found = json.loads(file.read_text(encoding="utf-8"))
            alone.setdefault(file.parent.name, {})[file.stem.removeprefix(PREFIX)] = found["items"]
        models = sorted({model for of in alone.values() for model in of})
        whole = {name: of for name, of in alone.items() if len(of) == len(models)}
        if whole and len(models) > 1:
            yield _example(pool, label, models, whole)


def _example(
    pool: str, label: str, models: list[str], alone: dict[str, dict[str, dict[str, list[float]]]]
) -> Example:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "task", *(f"{model}:{field}" for model in models for field in ("score", "cost"))])
    count = 0
    for task, of in sorted(alone.items()):
        columns = [of[model][field] for model in models for field in ("score", "cost")]
        for place, cells in enumerate(zip(*columns, strict=True), 1):
            writer.writerow([f"{task} {place}", task, *(f"{cell:.7g}" for cell in cells)])
            count += 1
    return Example(pool, label, out.getvalue(), count, len(models))
