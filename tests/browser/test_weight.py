"""What a first visit costs: every byte that the server sends, compressed, to a browser that has nothing cached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import NewPage, ready
from tests.browser.site import SiteServer

pytestmark = pytest.mark.browser

KB = 1000
LIMITS = {"home": 250, "taxonomy": 250, "paper": 250, "explorer": 250, "results": 250, "recorded": 250}


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
    sizes = [page.stat().st_size for page in built.glob("papers/*/index.html")]
    assert len(sizes) > 500
    assert sum(sizes) / len(sizes) < 29 * KB
