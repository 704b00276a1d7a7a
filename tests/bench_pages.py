"""`make bench-pages`: first and largest paint, layout shift and bytes of each kind of page, on a phone and wide.

The site of this tree is opened in a real Chromium with nothing cached, on a network like that of Lighthouse's phone
(1.6 Mbit/s, 150 ms to and fro). A layout shift over the limit is told with what moved. No test depends on the times.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from scripts.model import Corpus
from tests.browser.conftest import ADDRESSES, DESKTOP, NO_BROWSER, PHONE, find_chromium
from tests.browser.site import SiteServer, build, serving
from tests.conftest import ROOT

NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
SCREENS = {"phone": PHONE, "wide": DESKTOP}
SHIFT = 0.02
#: KB of a first visit, of the kinds that have a limit.
LIMITS = {"home": 100, "paper": 100, "explorer": 250, "results": 250}
SETTLE_MS = 500  # after the last request: what a script still moves
OBSERVE = """
globalThis.atlasShifts = [];
globalThis.atlasLargest = -1;
const called = (node) => node ? `${node.nodeName.toLowerCase()}${node.id ? "#" + node.id : ""}`
    + `${node.className && node.className.baseVal === undefined ? "." + [...node.classList].join(".") : ""}` : "?";
new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) {
        if (!shift.hadRecentInput) {
            globalThis.atlasShifts.push([shift.value, shift.sources.map(({ node }) => called(node))]);
        }
    }
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => { globalThis.atlasLargest = list.getEntries().at(-1).startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
"""
FIGURES = """() => ({
    first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1,
    largest: globalThis.atlasLargest,
    shifts: globalThis.atlasShifts,
})"""


def measure(browser: Browser, site: SiteServer, address: str, size: tuple[int, int]) -> dict[str, Any]:
    """What a first visit to a page shows and costs."""
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(base_url=site.url, viewport=viewport, is_mobile=size is PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    page.add_init_script(OBSERVE)
    site.sent.clear()
    page.goto(address, wait_until="networkidle")
    page.wait_for_timeout(SETTLE_MS)
    found: dict[str, Any] = page.evaluate(FIGURES)
    context.close()
    return {**found, "sent": sum(size for _, size in site.sent) / 1000}


def main() -> None:
    """Prints one row a kind of page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, help="a site that is built already")
    parser.add_argument("--kinds", nargs="+", choices=ADDRESSES, default=list(ADDRESSES))
    asked = parser.parse_args()
    found = find_chromium()
    if found is None:
        raise SystemExit(NO_BROWSER)
    papers = Corpus.load(ROOT).papers
    unverified = next(key for key, paper in papers.items() if paper.checked is None)
    table = Table("page", "screen", "first paint, s", "largest, s", "layout shift", "KB", "limit")
    moved = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        with serving(asked.site or build(ROOT, Path(name) / "site")) as site:
            for kind in asked.kinds:
                for screen, size in SCREENS.items():
                    figures = measure(browser, site, ADDRESSES[kind].format(unverified=unverified), size)
                    shift, limit = sum(value for value, _ in figures["shifts"]), LIMITS.get(kind)
                    if shift >= SHIFT:
                        moved.append((kind, screen, max(figures["shifts"])))
                    table.add_row(
                        kind, screen, f"{figures['first'] / 1000:.2f}", f"{figures['largest'] / 1000:.2f}",
                        f"{shift:.3f}", f"{figures['sent']:.0f}", "" if limit is None else str(limit),
                    )  # fmt: skip
        browser.close()
    console = Console(width=120)
    console.print(table)
    for kind, screen, (value, nodes) in moved:
        console.print(f"{kind}, {screen}: {value:.3f} of {', '.join(nodes)}", highlight=False, markup=False)


if __name__ == "__main__":
    main()
