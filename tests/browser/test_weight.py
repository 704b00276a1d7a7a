"""What a first visit costs: every byte that the server sends, compressed, to a browser that has nothing cached."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.model import Corpus
from tests.bench_site import sizes_of
from tests.browser.conftest import NewPage, ready
from tests.browser.site import SiteServer

pytestmark = pytest.mark.browser

KB = 1000
LIMITS = {"home": 250, "taxonomy": 250, "paper": 250, "explorer": 250, "results": 250, "recorded": 250}
#: Megabytes of a site without papers, and kilobytes a paper: 80 MB with 900 of them. And megabytes of what else takes
#: most, each a tenth above what it is.
WITHOUT, A_PAPER = 54.0, 29.0
KINDS = {
    "assets/play": 18.0,
    "plots": 7.0,
    "methods": 6.1,
    "zh": 2.9,
    "recorded": 3.1,
    "benchmarks": 2.7,
    "claims": 2.2,
}


@pytest.mark.parametrize("kind", LIMITS)
def test_first_visit(new_page: NewPage, site: SiteServer, addresses: dict[str, str], kind: str) -> None:
    page = new_page()
    site.sent.clear()
    page.goto(addresses[kind], wait_until="networkidle")
    ready(page)
    sent = dict(site.sent)
    total = sum(sent.values())
    largest = ", ".join(
        f"{path} {size / KB:.0f} KB" for path, size in sorted(sent.items(), key=lambda item: -item[1])[:6]
    )
    print(f"{kind}: {total / KB:.0f} KB; {largest}")
    assert len(sent) > 5  # the page and what belongs to it were counted
    assert total < LIMITS[kind] * KB, f"{kind} sends {total / KB:.0f} KB on a first visit: {largest}"


def test_a_paper_has_a_light_page(built: Path) -> None:
    """There are hundreds of them: what the theme repeats on each is most of the site."""
    weights = [page.stat().st_size for page in built.glob("papers/*/index.html")]
    assert len(weights) > 500
    assert sum(weights) / len(weights) < 20 * KB


def test_the_site_is_light(built: Path, corpus: Corpus) -> None:
    found, most = sizes_of(built), WITHOUT + A_PAPER * len(corpus.papers) / KB
    told = ", ".join(f"{kind} {size:.1f}" for kind, size in found.items())
    print(f"{sum(found.values()):.1f} MB: {told}")
    assert sum(found.values()) < most, f"the site has {sum(found.values()):.1f} MB: {told}"
    heavy = {kind: size for kind, size in found.items() if size > KINDS.get(kind, size)}
    assert not heavy, f"heavier than they were, in MB: {heavy}"
    assert found.keys() >= KINDS.keys()
