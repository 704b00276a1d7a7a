"""`make bench-search`: what both searches cost at growing numbers of papers, in a real Chromium.

Builds synthetic Atlases as `make bench-site` does, without the pages of papers, which no search reads. For each it
prints, on a network like Fast 3G: when the server's list of papers is on the screen, when the explorer works, and
the bytes until then; and on this machine's own network: how long the explorer takes from a key or a filter to the
new cards, and how much of a processor the page takes for a key, until its first cards and with what follows them; how
long the header's search takes from the first query to its answer, and from a later one; and the memory of the
renderer after all of it. Queries are typed letter by letter. On a machine that does other work, too, only the
processor's time is to be trusted, and even that grows. No test depends on the times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from tests.bench_site import make_atlas
from tests.browser.conftest import NO_BROWSER, find_chromium
from tests.browser.site import SiteServer, serving

SIZES = (800, 3_000, 10_000)
#: As Chromium's developer tools have it: 1.44 Mbit/s down, 0.675 up, 562.5 ms to and fro.
FAST_3G = {"offline": False, "latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
QUERIES = ("routing with rewards", "mixture of agents", "gpt-4", "model", "cost-aware cascade")
BOXES = ("During inference", "Has code", "Query only", "Verified")
HEADER = ("routing", "mixture of agents", "model")
ROWS = {
    "first view, Fast 3G, s": 2.0,
    "explorer works, Fast 3G, s": None,
    "sent before a search, KB": 400.0,
    "a key, median ms": 50.0,
    "a key, worst ms": None,
    "processor for a key until the cards, median ms": 50.0,
    "processor for a key, all of it, median ms": None,
    "a filter, median ms": 100.0,
    "a filter, worst ms": None,
    "header's first answer, ms": 1_000.0,
    "header's later answers, worst ms": None,
    "renderer after both, MB": 300.0,
}
# from an event to the first frame after the cards or results have changed
WATCH = """(list) => {
    const start = performance.now();
    globalThis.atlasDone = new Promise((resolve) => {
        const seen = new MutationObserver(() => {
            if (document.querySelector(list).textContent === "Searching…") return;
            seen.disconnect();
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
        });
        seen.observe(document.querySelector(list), { childList: true });
    });
}"""
LATE = "new Promise((resolve) => setTimeout(() => resolve(-1), 60000))"
TYPE = """([box, text]) => {
    const input = document.querySelector(box);
    input.value = text;
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true, key: "End" }));
}"""
TICK = """([name]) => {
    const rows = [...document.querySelectorAll("#atlas-x-filters .atlas-x-row")];
    rows.find((row) => row.textContent.startsWith(name)).querySelector("input").click();
}"""
# opens the search of the header, and then does what follows
FOCUS = "(given) => { document.querySelector(given[0]).focus()"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"


def build(folder: Path, count: int) -> Path:
    """The site of an Atlas of `count` papers without their pages."""
    make_atlas(folder, count)
    config = folder / "mkdocs.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f"{text}\nexclude_docs: |\n  papers/synthetic*.md\n", encoding="utf-8")
    (folder / "build" / "docs").mkdir(parents=True)
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    subprocess.run(command, cwd=folder, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True)
    return folder / "build" / "site"


def timed(page: Page, watched: str, act: str, *arguments: Any) -> float:
    """Milliseconds from what a script does to the frame that shows what came of it."""
    page.evaluate(WATCH, watched)
    page.evaluate(act, list(arguments))
    took: float = page.evaluate(f"Promise.race([globalThis.atlasDone, {LATE}])")
    if took < 0:
        raise SystemExit(f"{page.url}: nothing changed for a minute")
    return took


def ready(page: Page) -> None:
    """Waits until the explorer works."""
    page.locator('#atlas-explorer[data-state="ready"] .atlas-x-card').first.wait_for()


def first_view(browser: Browser, site: SiteServer) -> tuple[float, float, float]:
    """Seconds to the server's list and to the explorer, and the KB until then, on a slow network."""
    page = browser.new_context(base_url=site.url, viewport={"width": 375, "height": 740}).new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", FAST_3G)
    site.sent.clear()
    page.goto("/papers/", wait_until="commit")
    ready(page)
    works = page.evaluate("performance.now()") / 1000
    page.wait_for_load_state("networkidle")
    painted = page.evaluate(PAINT) / 1000
    page.context.close()
    return painted, works, sum(size for _, size in site.sent) / 1000


def memory(session: CDPSession, browser: Browser) -> float:
    """Megabytes that the renderers hold of their own."""
    session.send("HeapProfiler.collectGarbage")
    return max(map(_private, renderers_of(browser)))


def _private(process: int) -> float:
    rollup = Path(f"/proc/{process}/smaps_rollup")
    if not rollup.is_file():
        return float("nan")  # only Linux tells
    lines = (line.split() for line in rollup.read_text(encoding="ascii").splitlines())
    return sum(int(line[1]) for line in lines if line[0] in ("Private_Clean:", "Private_Dirty:")) / 1000


def worked(renderers: list[int]) -> float:
    """Milliseconds of a processor that the main threads of the renderers have used."""
    try:
        files = [Path(f"/proc/{one}/schedstat") for one in renderers]
        return sum(int(file.read_text(encoding="ascii").split()[0]) for file in files) / 1e6
    except OSError:
        return float("nan")  # only Linux tells


def renderers_of(browser: Browser) -> list[int]:
    """The processes of the browser that hold pages."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return [process["id"] for process in found if process["type"] == "renderer"]


def explorer(page: Page, browser: Browser) -> tuple[list[float], list[float], list[float], list[float]]:
    """Milliseconds of each key, of a processor until its cards, until all that follows them, and of each filter."""
    page.goto("/papers/")
    ready(page)
    page.locator("#atlas-q").focus()
    page.wait_for_load_state("networkidle")  # what a search needs comes while the reader begins to type
    watched = ".atlas-x-status"  # which is told when the cards are there
    keys, own, whole, renderers = [], [], [], renderers_of(browser)
    for text in (query[:length] for query in QUERIES for length in range(1, len(query) + 1)):
        before = worked(renderers)
        keys.append(timed(page, watched, TYPE, "#atlas-q", text))
        own.append(worked(renderers) - before)
        page.locator("#atlas-explorer [aria-busy]").first.wait_for(state="detached")  # all cards, and the counts
        whole.append(worked(renderers) - before)
    page.goto("/papers/")
    ready(page)
    filters = [timed(page, watched, TICK, name) for name in BOXES * 2]  # on and off again
    return keys, own, whole, filters


def header(page: Page) -> list[float]:
    """Milliseconds of each query to the header's search, the first with all that it fetches."""
    page.goto("/about/")
    box = "input.md-search__input"
    first = timed(page, ".md-search-result__list", f"{FOCUS}; ({TYPE})(given); }}", box, HEADER[0])
    return [first, *(timed(page, ".md-search-result__list", TYPE, box, query) for query in HEADER[1:])]


def measure(browser: Browser, site: SiteServer) -> list[float]:
    """The figures of one site, in the order of ROWS."""
    slow = first_view(browser, site)
    context = browser.new_context(base_url=site.url, viewport={"width": 1360, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    keys, own, whole, filters = explorer(page, browser)
    queries = header(page)
    held = memory(session, browser)
    context.close()
    return [
        *slow, statistics.median(keys), max(keys), statistics.median(own), statistics.median(whole),
        statistics.median(filters), max(filters),
        queries[0], max(queries[1:]), held,
    ]  # fmt: skip


def main() -> None:
    """Prints one column a size, with the growth from the first to the last, beside the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--sites", type=Path, nargs="+", help="sites that are built already, in place of sizes")
    asked = parser.parse_args()
    found = find_chromium()
    if found is None:
        raise SystemExit(NO_BROWSER)
    columns: dict[str, list[float]] = {}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        for size in asked.sites or sorted(asked.sizes):
            folder = size if isinstance(size, Path) else build(Path(name) / str(size), size)
            with serving(folder) as site:
                columns[str(size) if isinstance(size, Path) else f"{size:,} papers"] = measure(browser, site)
        browser.close()
    table = Table("", *columns, "growth", "limit")
    for place, (row, limit) in enumerate(ROWS.items()):
        values = [column[place] for column in columns.values()]
        told = [f"{value:.1f}" if row.endswith(" s") else f"{value:.0f}" for value in values]
        table.add_row(row, *told, f"{values[-1] / values[0]:.2f}", "" if limit is None else f"{limit:g}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
