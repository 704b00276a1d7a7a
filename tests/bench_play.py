"""`make bench-play`: fits what the page play has learned, and holds the page to Python on many queries.

It writes `site_src/play`: the fitted parts, and the table of agreement that the page shows. Every way of every pool
answers the first queries of each task's test split, in a headless Chromium on the site as built from this tree, and
in Python, where the methods are fitted as for `atlas bench`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.query import Query
from reference_impls.models.pool import POOLS
from reference_impls.running import catalog
from reference_impls.safe.writing import write_bytes, write_json, write_text
from scripts.render.live import FOLDER
from tests.browser.conftest import NO_BROWSER, find_chromium
from tests.browser.site import build, serving
from tests.conftest import ROOT
from tests.fitted import ROUTED, fitted_method, fitted_parts
from tests.live import METHODS, Answer, alone, in_page, in_python

#: Rows of the table: way, and pool or model.
ROWS = [
    *(("one", spec.name) for pool in POOLS.values() for spec in pool),
    ("route", "builtin"),
    *((way, pool) for way in ("vote", "cascade", "unite", "gac") for pool in POOLS),
]


def rows(page: Page, queries: dict[str, list[Query]]) -> Iterator[dict[str, Any]]:
    """One row of the table after another."""
    for way, pool in ROWS:
        started = time.perf_counter()
        equal, asked, bills, ties, written = {}, {}, 0, 0, 0
        for task, some in queries.items():
            found = in_page(page, way, pool, [(task, query) for query in some])
            expected = list(_expected(way, pool, task, some))
            asked[task] = len(some)
            equal[task] = sum(a["text"] == b["text"] for a, b in zip(found, expected, strict=True))
            bills += sum(_same_bill(a, b) for a, b in zip(found, expected, strict=True))
            ties += sum(answer["tie"] == "draw" for answer in expected)
            written += sum(answer["usage"]["completion"] for answer in found)
        seconds = sum(answer["usage"]["ms"] for answer in found) / 1000
        yield {
            "way": METHODS.get(way, "one model"),
            "pool": pool,
            "equal": equal,
            "asked": asked,
            "same_bills": bills,
            "draws": ties,
            "last_task_tokens_a_second": round(sum(a["usage"]["completion"] for a in found) / seconds, 1),
            "seconds": round(time.perf_counter() - started, 1),
        }


def _expected(way: str, pool: str, task: str, queries: list[Query]) -> Iterator[Answer]:
    if way == "one":
        [model] = catalog.pool(pool)
        yield from (alone(model, query) for query in queries)
        return
    method, meter = fitted_method(METHODS[way], pool, ROUTED[1] if way == "route" else task)
    yield from (in_python(method, meter, query) for query in queries)
    meter.close()


def _same_bill(found: Answer, expected: Answer) -> bool:
    counts = ("calls", "prompt", "completion")
    return all(found["usage"][name] == expected["usage"][name] for name in counts)


def main() -> None:
    """Fits, builds, runs and writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--queries", type=int, default=100, help="of each task")
    parser.add_argument("--no-write", action="store_true", help="only print the table")
    arguments = parser.parse_args()
    if not find_chromium():
        raise SystemExit(NO_BROWSER)
    told, axes = fitted_parts()
    if not arguments.no_write:
        write_text(ROOT / FOLDER / "fitted.json", json.dumps(told, separators=(",", ":")) + "\n")
        write_bytes(ROOT / FOLDER / "router.f16", axes)
    queries = {name: [i.query for i in task.items("test")[: arguments.queries]] for name, task in BENCHMARKS.items()}
    table = Table("way", "pool", *queries, "same bill", "draws", "tokens a second", "seconds")
    found: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(build(ROOT, Path(folder) / "site")) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(0)
        page.goto(f"{server.url}/play/")
        for row in rows(page, queries):
            found.append(row)
            print(row, flush=True)
            equal = [f"{row['equal'][task]}/{row['asked'][task]}" for task in queries]
            rest = [row[name] for name in ("same_bills", "draws", "last_task_tokens_a_second", "seconds")]
            table.add_row(row["way"], row["pool"], *equal, *map(str, rest))
        browser.close()
    Console().print(table)
    if not arguments.no_write:
        kept = [{name: row[name] for name in ("way", "pool", "equal", "asked", "draws")} for row in found]
        write_json(
            ROOT / FOLDER / "agreement.json",
            {"queries": arguments.queries, "tasks": list(queries), "rows": kept},
        )


if __name__ == "__main__":
    main()
