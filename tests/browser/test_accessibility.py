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
COLOURS = ["color-contrast", "link-in-text-block"]  # the usual rules of axe-core's category of colours

# Of siblings that are made and coloured alike, as the rows of a long table, two stay: an odd and an even one. What
# axe-core asks of colours takes seconds for thousands of rows.
THIN = """() => {
    const look = node => {
        const { color, backgroundColor, backgroundImage, fontSize, fontWeight, opacity } = getComputedStyle(node);
        return [color, backgroundColor, backgroundImage, fontSize, fontWeight, opacity].join();
    };
    const outlines = new Map();
    const outline = node => {
        if (!outlines.has(node)) {
            const inner = [...node.children].map(outline).join();
            outlines.set(node, `${node.tagName}.${node.getAttribute("class")} ${look(node)} (${inner})`);
        }
        return outlines.get(node);
    };
    const thin = box => {
        const seen = new Map();
        for (const child of [...box.children]) {
            const made = outline(child);
            seen.set(made, (seen.get(made) ?? 0) + 1);
            if (seen.get(made) > 2) child.remove();
            else thin(child);
        }
    };
    thin(document.body);
}"""


def serious_violations(page: Page, part: str | None = None, options: dict[str, Any] | None = None) -> str:
    """What axe-core calls serious or critical on the page, or in the part that a selector names, by its usual rules
    or as its options say.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    violations = page.evaluate(
        "([part, options]) => axe.run(part ?? document, options).then(found => found.violations)",
        [part, {"resultTypes": ["violations"], **(options or {})}],
    )
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
    """`serious_violations` of an open page by day and by night; only colours can differ, and are looked at twice.
    Rows that are alike are gone from the page afterwards.
    """
    turn(page, "light")
    found = {"any": serious_violations(page, options={"rules": {rule: {"enabled": False} for rule in COLOURS}})}
    page.evaluate(THIN)
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        turn(page, scheme)
        found[scheme] = serious_violations(page, options={"runOnly": {"type": "rule", "values": COLOURS}})
    return "\n\n".join(f"{scheme}: {told}" for scheme, told in found.items() if told)


def test_colours_are_looked_at_wherever_they_differ(tab: Tab) -> None:
    page = tab()
    page.set_content(
        "<html lang=en><title>rows</title><body><ul>"
        + "<li>plain</li>" * 9 + "<li style='color: #bbb; background: #fff'>pale</li>" + "<li>plain</li>" * 9
        + "</ul></body></html>"
    )  # fmt: skip
    page.evaluate(THIN)
    assert page.locator("li").all_inner_texts() == ["plain", "plain", "pale"]
    found = serious_violations(page, options={"runOnly": {"type": "rule", "values": COLOURS}})
    assert "pale" in found
    assert "plain" not in found


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
