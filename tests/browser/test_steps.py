"""The step-through of a trace: played by keys, all frames without scripts and on paper, nothing serious for axe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import expect

from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running.trace import trace
from tests.browser.conftest import NewPage, Scheme, Tab, ready
from tests.browser.site import SiteServer, build, make_root, serving
from tests.browser.test_accessibility import serious_violations
from tests.conftest import fields
from tests.reference_impls.recorded.test_benchmark import RIGHT, WRONG, once, recording
from tests.scripts.render.figures.test_steps import file_of

pytestmark = pytest.mark.browser

ADDRESS = "/methods/majority-vote/"


@pytest.fixture(scope="module")
def traced_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    """A site of one paper on which one method has a trace of four frames."""
    root: Path = make_root(tmp_path_factory.mktemp("traced") / "atlas", {"doe2024a": fields()})
    [made] = trace("majority-vote", RecordedBenchmark(recording([once(a=RIGHT, b=RIGHT, c=WRONG)])), ["q0"])
    folder = root / "reference_impls" / "results" / "traces"
    folder.mkdir(parents=True)
    (folder / "majority-vote.json").write_text(json.dumps(file_of(made)), encoding="utf-8")
    with serving(build(root, root / "build" / "site")) as server:
        yield server


def test_frames_are_saved_as_one_drawing_and_as_slides(tab: Tab, traced_site: SiteServer) -> None:
    page = tab(url=traced_site.url)
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
    page.evaluate("window.print = () => { window.printed = true; }")
    page.get_by_role("button", name="Slides").click()
    page.wait_for_function("window.printed")
    sheets = re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(prefer_css_page_size=True))
    assert len(sheets) == 5  # the title, and a sheet a frame
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".atlas-slides")).to_have_count(0)


def test_keys_go_from_frame_to_frame(tab: Tab, traced_site: SiteServer) -> None:
    page = tab(url=traced_site.url)
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


def test_a_frame_is_a_file(tab: Tab, traced_site: SiteServer) -> None:
    page = tab(url=traced_site.url)
    page.goto(ADDRESS)
    with page.expect_download() as caught:
        page.locator(".atlas-frames > li:visible").get_by_role("link").click()
    assert caught.value.suggested_filename == "trace-majority-vote-ordinary-1.svg"
    text = caught.value.path().read_text(encoding="utf-8")
    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314  made here


def test_all_frames_stand_on_paper(tab: Tab, traced_site: SiteServer) -> None:
    page = tab(url=traced_site.url)
    page.goto(ADDRESS)
    expect(page.locator(".atlas-steps-bar")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".atlas-frames > li:visible")).to_have_count(4)
    expect(page.locator(".atlas-steps-bar")).to_be_hidden()


def test_all_frames_stand_without_scripts(new_page: NewPage, traced_site: SiteServer) -> None:
    page = new_page(url=traced_site.url, java_script_enabled=False)
    page.goto(ADDRESS)
    expect(page.locator(".atlas-frames > li:visible")).to_have_count(4)
    expect(page.locator(".atlas-steps-bar")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious(tab: Tab, traced_site: SiteServer, scheme: Scheme) -> None:
    page = tab(url=traced_site.url, scheme=scheme)
    page.goto(ADDRESS)
    found = serious_violations(ready(page), ".atlas-steps")
    assert not found, found
