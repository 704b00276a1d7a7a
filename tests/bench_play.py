"""`make bench-play`: holds the page play to Python on many queries, and tells what its ways have learned.

Every way of every pool answers the first queries of each task's test split, in a headless Chromium and in Python, and
the table of agreement (`site_src/play/agreement.json`) says how many texts are equal. It is written after each task,
and what it says of code that has not changed since is not measured again: a run that was cut goes on where it stood.
`--fit WAY` first has the Python method learn anew what the page has of it (`fitted.json`, `router.f16`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.query import Query
from reference_impls.models.pool import POOLS
from reference_impls.running import catalog
from reference_impls.running.responses import DECODING, code_hash, pool_hash
from reference_impls.running.runner import source_hash
from reference_impls.safe.writing import write_bytes, write_json, write_text
from scripts.render.building.runtime import LOCK
from scripts.render.live import FOLDER, WAYS, live_files
from tests.browser.conftest import NO_BROWSER, find_chromium
from tests.browser.site import serving
from tests.conftest import ROOT
from tests.fitted import fitted_parts
from tests.live import Answer, expected_answers, in_page, parts

Measured = dict[str, Any]
AGREEMENT = ROOT / FOLDER / "agreement.json"
SCRIPTS = ROOT / "site_src" / "assets" / "play"
#: Rows of the table: way, and pool or model.
ROWS = [
    *(("one", spec.name) for pool in POOLS.values() for spec in pool),
    *((way, pool) for way, told in WAYS.items() if way != "one" for pool in told["pools"]),
]
_IMPORT = re.compile(r'^import .* from "(\.{1,2}/[\w./-]+)";$', re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)


def scripts_of(way: str) -> list[Path]:
    """The scripts that decide what a way answers: its module, what that imports, and what loads a model."""
    found, waiting = set[Path](), [SCRIPTS / "ways" / f"{way}.js", SCRIPTS / "load.js", SCRIPTS / "tokenizer.js"]
    while waiting:
        path = waiting.pop().resolve()
        if path not in found:
            found.add(path)
            waiting += [path.parent / name for name in _IMPORT.findall(path.read_text(encoding="utf-8"))]
    return sorted(found)


def version(way: str, pool: str, task: str) -> str:
    """Twelve hexadecimal digits that change with what decides the texts of a way, in the page or in Python."""
    told = WAYS[way]
    fitted = {} if way in ("one", "route") else parts()["fitted"][pool][task]
    known = parts()["router"] if way == "route" else {name: fitted.get(name) for name in ("accuracies", way)}
    axes = (ROOT / FOLDER / "router.f16").read_bytes() if way == "route" else b""
    made = [_COMMENT.sub("", path.read_text(encoding="utf-8")) for path in scripts_of(way)]
    python = source_hash(catalog.method(told["method"])) if "method" in told else code_hash(DECODING)
    asked = [pool_hash(catalog.pool(pool)), python, json.dumps(known), (ROOT / LOCK).read_text(encoding="utf-8")]
    return hashlib.sha256("\n".join([*made, *asked]).encode() + axes).hexdigest()[:12]


def measured(browser: Browser, url: str, way: str, pool: str, queries: dict[str, list[Query]]) -> Iterator[Measured]:
    """What the table says of a way: one task after another, in one page, whose models stay loaded."""
    page = browser.new_page()
    page.set_default_timeout(0)
    page.goto(url)
    for task, some in queries.items():
        started = time.perf_counter()
        found = in_page(page, way, pool, [(task, query) for query in some])
        expected = expected_answers(way, pool, task, some)
        pairs = list(zip(found, expected, strict=True))
        seconds = sum(answer["usage"]["ms"] for answer in found) / 1000
        yield {
            "task": task,
            "asked": len(pairs),
            "equal": sum(a["text"] == b["text"] for a, b in pairs),
            "bills": sum(_same_bill(a, b) for a, b in pairs),
            "draws": sum(b["tie"] == "draw" for _, b in pairs),
            "speed": round(sum(a["usage"]["completion"] for a in found) / max(seconds, 1e-3), 1),
            "seconds": round(time.perf_counter() - started, 1),
        }
    page.close()


def _same_bill(found: Answer, expected: Answer) -> bool:
    counts = ("calls", "prompt", "completion")
    return all(found["usage"][name] == expected["usage"][name] for name in counts)


def lay_out(folder: Path) -> Path:
    """What a worker of the page needs, as the site serves it, without building a site."""
    for path in SCRIPTS.rglob("*.js"):
        write_bytes(folder / "assets" / "play" / path.relative_to(SCRIPTS), path.read_bytes())
    files = dict(live_files(ROOT))
    if not files:
        raise SystemExit("the runtime is not there: make runtime fetches it, with npm and a network")
    for name, data in files.items():
        write_bytes(folder / name, data if isinstance(data, bytes) else data.encode())
    write_text(folder / "index.html", "<!doctype html><title>bench</title>")
    write_text(folder / "404.html", "<!doctype html><title>none</title>")
    return folder


def main() -> None:
    """Fits where that is asked for, runs and writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--queries", type=int, default=100, help="of each task")
    parser.add_argument("--way", action="append", choices=WAYS, help="only this one (can be given more than once)")
    parser.add_argument("--fit", action="append", choices=["accuracies", *WAYS], help="first learn this anew")
    arguments = parser.parse_args()
    if not find_chromium():
        raise SystemExit(NO_BROWSER)
    if arguments.fit:
        told, axes = fitted_parts(arguments.fit, parts(), (ROOT / FOLDER / "router.f16").read_bytes())
        write_text(ROOT / FOLDER / "fitted.json", json.dumps(told, separators=(",", ":")) + "\n")
        write_bytes(ROOT / FOLDER / "router.f16", axes)
        parts.cache_clear()
    queries = {name: [i.query for i in task.items("test")[: arguments.queries]] for name, task in BENCHMARKS.items()}
    rows = _written(arguments.queries)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(lay_out(Path(folder))) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for way, pool in ROWS:
            if arguments.way and way not in arguments.way:
                continue
            row = rows.get((way, pool), {"tasks": {}})
            now = {task: version(way, pool, task) for task in queries}
            left = {
                task: some
                for task, some in queries.items()
                if (row["tasks"].get(task) or {}).get("version") != now[task]
                or row["tasks"][task]["asked"] < arguments.queries
            }
            for found in measured(browser, server.url, way, pool, left) if left else ():
                print(way, pool, found, flush=True)
                kept = {name: found[name] for name in ("asked", "equal", "bills", "draws")}
                rows = _written(arguments.queries)  # once more: another run may measure other ways meanwhile
                row = rows.setdefault((way, pool), {"way": way, "pool": pool, "tasks": {}})
                row["tasks"][found["task"]] = kept | {"version": now[found["task"]]}
                ordered = [rows[place] for place in ROWS if place in rows]
                write_json(AGREEMENT, {"queries": arguments.queries, "tasks": list(queries), "rows": ordered})
        browser.close()
    table = Table("way", "pool", *queries)
    for row in rows.values():
        cells = (row["tasks"].get(task) for task in queries)
        table.add_row(row["way"], row["pool"], *(f"{c['equal']}/{c['asked']}" if c else "–" for c in cells))
    Console().print(table)


def _written(queries: int) -> dict[tuple[str, str], Any]:
    """The rows of the table as it stands, by way and pool; none where it is of fewer queries a task."""
    told: Measured = json.loads(AGREEMENT.read_text(encoding="utf-8")) if AGREEMENT.is_file() else {"queries": 0}
    return {(row["way"], row["pool"]): row for row in told["rows"]} if told["queries"] == queries else {}


if __name__ == "__main__":
    main()
