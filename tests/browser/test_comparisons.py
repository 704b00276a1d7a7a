"""The page of comparisons: what a set of methods misses, held against the data that the page reads."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ready

SET = ["wang2024moa", "chen2024routerdc"]


@pytest.fixture(scope="module")
def data(built: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((built / "assets" / "data" / "relations.json").read_text(encoding="utf-8"))
    return found


def missing(data: dict[str, Any], chosen: list[str]) -> Counter[str]:
    """By name: how many papers that compare with one of the set, or are in it, compare with this one, too."""
    of = {here for here, there in data["compares"] if there in chosen} | set(chosen)
    return Counter(
        data["papers"][there]["name"] for here, there in data["compares"] if here in of and there not in chosen
    )


def listed(page: Page) -> dict[str, int]:
    rows = "\n".join(page.locator("#atlas-comparisons ol > li").all_inner_texts())
    return {name: int(count) for name, count in re.findall(r"^(.*) \(in (\d+) of", rows, re.MULTILINE)}


def test_a_set_is_chosen_shown_and_kept_in_the_address(page: Page, data: dict[str, Any]) -> None:
    page.goto("/comparisons/")
    ready(page)
    field = page.get_by_label("A method or paper")
    for key in SET:
        field.fill(data["papers"][key]["name"])
        field.press("Enter")
    expect(page.locator(".atlas-chosen li")).to_have_count(2)
    wanted = missing(data, SET)
    shown = listed(page)
    assert shown
    assert all(wanted[name] == count for name, count in shown.items())
    assert list(shown.values()) == sorted(wanted.values(), reverse=True)[: len(shown)]
    page.reload()
    ready(page)
    assert listed(page) == shown
    name = data["papers"][SET[0]]["name"]
    page.get_by_role("button", name=f"Remove {name}", exact=True).click()
    expect(page.locator(".atlas-chosen li")).to_have_count(1)
    expect(field).to_be_focused()
    page.go_back()
    expect(page.locator(".atlas-chosen li")).to_have_count(2)


def test_what_is_not_known_is_said(page: Page) -> None:
    page.goto("/comparisons/")
    ready(page)
    field = page.get_by_label("A method or paper")
    field.fill("No Such Method")
    field.press("Enter")
    expect(page.locator("#atlas-comparisons [role=status]")).to_have_text(
        "No comparison is known for “No Such Method”."
    )
