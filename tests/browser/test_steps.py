"""The step-through of a trace: played by keys, all frames without scripts and on paper, nothing serious for axe."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage, Scheme, Tab, ready
from tests.browser.site import SiteServer
from tests.browser.test_accessibility import serious_violations

pytestmark = pytest.mark.browser

ADDRESS = "/methods/majority-vote/"


def test_frames_are_saved_as_one_drawing_and_as_slides(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
    page.goto(ADDRESS)
    with page.expect_download() as saved:
        page.get_by_role("button", name="All as one SVG").click()
    assert saved.value.suggested_filename == "Majority vote.svg"
    whole = ET.fromstring(Path(saved.value.path()).read_text(encoding="utf-8"))  # noqa: S314  our own
    frames = whole.findall("{http://www.w3.org/2000/svg}svg")
    places = [(float(frame.attrib["x"]), float(frame.attrib["y"])) for frame in frames]
    assert places == sorted(set(places))
    assert len(places) == 4
    assert all(frame.find("{http://www.w3.org/2000/svg}style") is not None for frame in frames)
    page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    page.get_by_role("button", name="Slides").click()
    page.wait_for_function("() => window.printed")
    sheets = re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(prefer_css_page_size=True))
    assert len(sheets) == 5  # the title, and a sheet a frame
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".atlas-slides")).to_have_count(0)


def test_keys_go_from_frame_to_frame(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
    page.goto(ADDRESS)
    steps, frames = page.locator(".atlas-steps"), page.locator(".atlas-frames > li")
    expect(frames).to_have_count(4)
    expect(frames.nth(0)).to_be_visible()
    expect(frames.nth(1)).to_be_hidden()
    steps.get_by_role("button", name="Next").focus()
    for key, place in (("ArrowRight", 2), ("Enter", 3), ("End", 4), ("ArrowRight", 4), ("ArrowLeft", 3), ("Home", 1)):
        page.keyboard.press(key)
        expect(steps.locator(".atlas-steps-at")).to_have_text(f"Step {place} of 4")
        expect(frames.nth(place - 1)).to_be_visible()
        expect(page.locator(".atlas-frames > li:visible")).to_have_count(1)
    steps.get_by_role("button", name="All frames").click()
    expect(page.locator(".atlas-frames > li:visible")).to_have_count(4)


def test_a_frame_is_a_file(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
    page.goto(ADDRESS)
    with page.expect_download() as caught:
        page.locator(".atlas-frames > li:visible").get_by_role("link").click()
    assert caught.value.suggested_filename == "trace-majority-vote-ordinary-1.svg"
    text = caught.value.path().read_text(encoding="utf-8")
    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314  made here


def test_all_frames_stand_on_paper(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
    page.goto(ADDRESS)
    expect(page.locator(".atlas-steps-bar")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".atlas-frames > li:visible")).to_have_count(4)
    expect(page.locator(".atlas-steps-bar")).to_be_hidden()


def test_all_frames_stand_without_scripts(new_page: NewPage, planted_site: SiteServer) -> None:
    page = new_page(url=planted_site.url, java_script_enabled=False)
    page.goto(ADDRESS)
    expect(page.locator(".atlas-frames > li:visible")).to_have_count(4)
    expect(page.locator(".atlas-steps-bar")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious(tab: Tab, planted_site: SiteServer, scheme: Scheme) -> None:
    page = tab(url=planted_site.url, scheme=scheme)
    page.goto(ADDRESS)
    found = serious_violations(ready(page), ".atlas-steps")
    assert not found, found
