"""axe-core finds nothing serious where a reader has opened something, in either colour scheme.

Whole pages, as they open: `test_schemes.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.browser.conftest import ADDRESSES, PHONE, Scheme, Tab, ready, turn

pytestmark = pytest.mark.browser

AXE = Axe()
COLOURS = ("color-contrast", "link-in-text-block")  # the usual rules of axe-core's category of colours


def serious_violations(page: Page, part: str | None = None, rules: tuple[str, ...] = ()) -> str:
    """What axe-core calls serious or critical on the page, or in the part that a selector names; by its usual rules,
    or by those that are named.
    """
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    violations = AXE.run(page, part, options).response["violations"]
    return "\n\n".join(
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n"
        + "\n".join(
            f"  {' '.join(map(str, node['target']))}: {node['html'][:160]}\n    {node.get('failureSummary', '')}"
            for node in violation["nodes"][:5]
        )
        for violation in violations
        if violation["impact"] in ("serious", "critical")
    )


def serious_in_both_schemes(page: Page) -> str:
    """`serious_violations` of an open page by day and by night; only colours can differ, and are looked at twice."""
    turn(page, "light")
    by_day = serious_violations(page)
    turn(page, "dark")
    by_night = serious_violations(page, rules=COLOURS)
    return "\n\n".join(f"{scheme}: {found}" for scheme, found in (("light", by_day), ("dark", by_night)) if found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_filters_and_results_on_a_phone(tab: Tab, scheme: Scheme) -> None:
    page = tab(size=PHONE, scheme=scheme)
    page.goto("/papers/?stage=before&from=2026&text=router")
    ready(page)
    page.get_by_role("button", name="Filters").click()
    found = serious_violations(page, "#atlas-explorer")
    assert not found, found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_open_definition_and_the_open_search(tab: Tab, scheme: Scheme) -> None:
    page = tab(scheme=scheme)
    page.goto(ADDRESSES["paper"])
    page.locator("dd .atlas-term").first.focus()
    found = serious_violations(page, ".atlas-classification")
    assert not found, found
    box = page.get_by_role("textbox", name="Search")
    box.click()
    box.press_sequentially("routing")
    page.locator(".md-search-result__link").first.wait_for()
    found = serious_violations(page, ".md-search")
    assert not found, found
