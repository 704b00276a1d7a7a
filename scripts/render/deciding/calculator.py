"""Examples for the calculator: what the project's own models reached alone on its benchmarks, query by query, as the
tables that a reader would bring."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.render.evidence.results import LEADING, POOLS, Results, name_of
from scripts.results.gains import is_model


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


def examples(results: Results) -> Iterator[Example]:
    """One a pool whose models were run alone on some benchmark: of the benchmarks that all of them were run on. The
    stream is left out: its queries are those of the others, and a query that stands twice makes intervals too sure.
    """
    for pool, label in POOLS.items():
        alone = {
            benchmark: {name_of(one): result["items"] for one, result in files.items() if is_model(one)}
            for (of, benchmark), files in results.files.items()
            if of == pool and benchmark != LEADING
        }
        models = sorted({model for of in alone.values() for model in of})
        whole = {benchmark: of for benchmark, of in alone.items() if len(of) == len(models)}
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
