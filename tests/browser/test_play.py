"""The page play: nothing is loaded before Start, each way answers as its Python method does, and a run can be paused,
stepped, rewound and replayed by its address."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from reference_impls.backends import builtin
from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.answers import final_answer
from reference_impls.core.query import Query
from scripts.render.building.runtime import runtime_files
from tests.browser.conftest import PHONE, NewPage, Scheme, Tab
from tests.browser.site import SiteServer
from tests.browser.test_accessibility import serious_violations
from tests.conftest import ROOT
from tests.live import alone, expected_answers, in_page

pytestmark = pytest.mark.browser

NOT_FETCHED = "onnxruntime-web is not there (make runtime fetches it, with npm and a network)"
#: (way, pool or model) -> queries of each task that are held against Python; `tests.bench_play` holds a hundred.
SAMPLED = {
    ("one", "oak"): 3,
    ("route", "builtin"): 3,
    ("vote", "builtin"): 2,
    ("cascade", "builtin"): 3,
    ("unite", "peers"): 2,
    ("gac", "peers"): 2,
    ("span", "peers"): 2,
    ("steps", "builtin"): 2,
    ("mixture", "peers"): 2,
}
VOTE_BESIDE_ONE = "/play/?task=math&example=1&a=vote:builtin&b=one:oak"


@pytest.fixture
def runtime() -> None:
    """For tests in which models run."""
    if not runtime_files(ROOT):
        pytest.skip(NOT_FETCHED)


def opened(page: Page, address: str = "/play/") -> Page:
    page.goto(address)
    expect(page.locator('#atlas-play[data-state="ready"]')).to_be_visible()
    return page


def started(page: Page) -> Page:
    page.get_by_role("button", name="Start").click()
    for lane in page.locator(".atlas-play-lane").all():
        expect(lane).to_have_attribute("data-state", "done")
    return page


@pytest.mark.usefixtures("runtime")
def test_nothing_is_loaded_before_start(new_page: NewPage, site: SiteServer) -> None:
    page = new_page()
    site.sent.clear()
    opened(page, VOTE_BESIDE_ONE)
    page.wait_for_load_state("networkidle")
    before = {path for path, _ in site.sent}
    small = ("lane.js", "frames.js", "offer.js", "player.js")
    assert not [path for path in before if "/assets/play/" in path and not path.endswith(small)]
    expect(page.locator(".atlas-play-size")).to_contain_text("MB of runtime, and 6 models")
    started(page)
    weights = [path for path, _ in site.sent if "/weights/" in path]
    assert len(weights) == len(set(weights)) == 6
    # a second visit takes all of it from the browser's cache
    site.sent.clear()
    started(opened(page, VOTE_BESIDE_ONE))
    assert not [
        path for path, _ in site.sent if "/runtime/ort-wasm-simd-threaded.wasm" in path or "/weights/" in path
    ]


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("way", SAMPLED, ids="-".join)
def test_the_page_answers_and_bills_as_python_does(tab: Tab, way: tuple[str, str]) -> None:
    name, pool = way
    queries = [
        (task, item.query)
        for task, benchmark in BENCHMARKS.items()
        for item in benchmark.items("test")[: SAMPLED[way]]
    ]
    found = in_page(opened(tab()), name, pool, queries)
    assert len(found) == len(queries)
    for (task, query), answer in zip(queries, found, strict=True):
        [expected] = expected_answers(name, pool, task, [query])
        assert answer["text"] == expected["text"], query.prompt
        bill = {key: answer["usage"][key] for key in expected["usage"]}
        assert bill == pytest.approx(expected["usage"], rel=1e-9), query.prompt


def test_answers_are_read_as_python_reads_them(tab: Tab) -> None:
    asked = [item.query for task in ("qa", "math") for item in BENCHMARKS[task].items("test")[:60]]
    said: list[list[object]] = []
    expected = []
    for name in ("sprout", "oak", "ash"):
        written = builtin.load(name).generate_batch([query.prompt for query in asked], max_tokens=60)
        for query, generation in zip(asked, written, strict=True):
            said.append([generation.text, query.kind, query.options])
            expected.append(final_answer(generation.text, query.kind, query.options))
    page = tab()
    page.goto("/play/")
    read = """async (said) => {
      const { answerOf } = await import("/assets/play/answers.js");
      return said.map((one) => answerOf(...one));
    }"""
    assert page.evaluate(read, said) == expected
    assert {kind for _, kind, _ in said} == {"short", "choice", "number"}
    assert None in expected


@pytest.mark.usefixtures("runtime")
def test_any_text_is_read_as_python_reads_it(tab: Tab) -> None:
    texts = ["Zürich, 12 Ω\n    x  y\t½ ٣", "日本 \x1c\x85\u00a0a", "😀 b\ufeff", "", "The  the\n\n    return 1"]
    model = builtin.load("oak")
    asked = [("writing", Query("q", "writing", text, "text", 8)) for text in texts]
    found = in_page(opened(tab()), "one", "oak", asked)
    assert [answer["usage"]["prompt"] for answer in found] == [1 + len(model.encode(text)) for text in texts]
    assert [answer["text"] for answer in found] == [alone(model, query)["text"] for _, query in asked]


@pytest.mark.usefixtures("runtime")
def test_a_run_is_stepped_rewound_and_replayed_by_its_address(tab: Tab) -> None:
    page = started(opened(tab(), "/play/?task=code&example=2&a=unite:peers"))
    lane = page.locator(".atlas-play-lane")
    place = lane.get_by_role("slider")
    last = int(place.get_attribute("max") or 0)
    assert last > 10
    expect(lane.locator(".atlas-play-final")).to_be_visible()
    text = lane.locator(".atlas-play-final code").inner_text()
    lane.get_by_role("button", name="Back").click()
    expect(place).to_have_value(str(last - 1))
    expect(lane.locator(".atlas-play-final")).to_have_count(0)
    expect(lane.locator(".atlas-play-merged .atlas-play-chosen")).to_have_count(1)
    place.focus()
    page.keyboard.press("Home")
    expect(lane.locator(".atlas-play-bill")).to_contain_text("0 calls")
    for step in (1, 2):
        lane.get_by_role("button", name="Step").click()
        expect(place).to_have_value(str(step))
    lane.get_by_role("button", name="Play").click()
    expect(lane.get_by_role("button", name="Pause")).to_be_visible()
    lane.get_by_role("button", name="Pause").click()
    address = page.url
    started(opened(page, address))
    expect(lane.locator(".atlas-play-final code")).to_have_text(text, use_inner_text=True)


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    ("run", "seen"),
    [
        ("task=writing&example=1&a=span:peers", "mean perplexity"),
        ("task=math&example=3&a=steps:builtin", "Is the line of sprout good enough?"),
        ("task=qa&example=1&a=mixture:peers", "reads 3 drafts and writes the answer"),
    ],
)
def test_each_step_tells_what_decided_it(tab: Tab, run: str, seen: str) -> None:
    page = started(opened(tab(), f"/play/?{run}"))
    place, view = page.get_by_role("slider"), page.locator(".atlas-play-frame")
    place.focus()
    page.keyboard.press("Home")
    told = []
    for _ in range(int(place.get_attribute("max") or 0)):
        page.keyboard.press("ArrowRight")
        expect(page.locator(".atlas-play-panel")).to_be_visible()
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
        told.append(view.inner_text())
    assert [text for text in told if seen in text]


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_frame_in_another_page_runs_alone(tab: Tab, site: SiteServer, scheme: Scheme) -> None:
    """A method's page shows its run in a frame, of which nothing is loaded before the reader opens it."""
    page = tab(scheme=scheme, size=PHONE)
    site.sent.clear()
    page.goto("/methods/unite/")
    page.wait_for_load_state("networkidle")
    assert not [path for path, _ in site.sent if "/play/" in path]
    page.get_by_text("Watch it here: UniTE").click()
    frame = page.frame_locator(".atlas-watch iframe")
    expect(frame.locator('#atlas-watch[data-state="ready"]')).to_be_visible()
    assert not [path for path, _ in site.sent if "/weights/" in path or "/runtime/" in path]
    frame.get_by_role("button", name="Start").click()
    for lane in ("UniTE, peers", "Yew alone"):
        expect(frame.get_by_role("region", name=lane)).to_have_attribute("data-state", "done")
    [inside] = [one for one in page.frames if "/play/embed/" in one.url]
    page.goto(inside.url)
    started(page)
    assert not serious_violations(page, "body")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("run", ["task=math&example=1&a=vote:builtin&b=one:oak", "task=qa&example=1&a=mixture:peers"])
def test_the_page_stays_quick_while_models_run(browser: Browser, new_page: NewPage, run: str) -> None:
    """No task of the page's main thread takes more than 50 ms of the processor, whatever else the machine does."""
    page = opened(new_page(), f"/play/?{run}")
    browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
    started(page)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    main = {(e["pid"], e["tid"]) for e in events if e.get("args", {}).get("name") == "CrRendererMain"}
    took = [e["tdur"] / 1000 for e in events if "tdur" in e and (e["pid"], e["tid"]) in main]
    assert len(took) > 50
    assert max(took) <= 50


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_while_a_run_is_shown(tab: Tab, scheme: Scheme) -> None:
    page = started(opened(tab(scheme=scheme, size=PHONE), VOTE_BESIDE_ONE))
    found = serious_violations(page, "#atlas-play")
    assert not found, found
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.usefixtures("runtime")
def test_what_fails_is_told(tab: Tab) -> None:
    page = opened(tab(), "/play/?task=qa&a=one:oak")
    page.get_by_label("Prompt, yours").fill("🙂" * 290)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status")).to_contain_text("leaves no room for a response")


@pytest.mark.usefixtures("runtime")
def test_a_lesson_and_a_method_lead_to_a_run(tab: Tab) -> None:
    page = tab()
    for address in ("/learn/", "/methods/majority-vote/"):
        page.goto(address)
        found = [link.get_attribute("href") or "" for link in page.get_by_role("link", name="Watch it live").all()]
        assert found, address
        for href in found:
            page.goto(address)
            page.locator(f'a[href="{href}"]').first.click()
            expect(page.locator('#atlas-play[data-state="ready"]')).to_be_visible()
            wanted = dict(part.split("=") for part in href.partition("?")[2].split("&"))
            way, _, pool = wanted["a"].partition(":")
            expect(page.get_by_label("Way").first).to_have_value(way)
            expect(page.get_by_label("Pool").first).to_have_value(pool)
            expect(page.get_by_label("Way").nth(1)).to_have_value("one")


def test_without_the_runtime_the_page_says_so(tab: Tab, planted_site: SiteServer) -> None:
    page = tab(url=planted_site.url)
    page.goto("/play/")
    expect(page.get_by_text("was built without the runtime")).to_be_visible()
    expect(page.locator("#atlas-play")).to_have_count(0)


@pytest.mark.usefixtures("runtime")
def test_without_webassembly_recorded_runs_play(new_page: NewPage, site: SiteServer) -> None:
    page = new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    site.sent.clear()
    page.goto(VOTE_BESIDE_ONE)
    expect(page.locator("#atlas-play")).to_have_text(re.compile("no WebAssembly.* Recorded runs stand below"))
    expect(page.get_by_role("button", name="Start")).to_have_count(0)
    run = page.locator(".atlas-steps").first
    expect(run.locator(".atlas-frames > li:visible")).to_have_count(1)
    first = run.locator(".atlas-frames > li:visible").inner_text()
    run.get_by_role("button", name="Next →").click()
    expect(run.get_by_text(re.compile(r"^Step 2 of \d+$"))).to_be_visible()
    assert run.locator(".atlas-frames > li:visible").inner_text() != first
    page.goto(VOTE_BESIDE_ONE.replace("/play/", "/play/embed/"))
    expect(page.locator("body")).to_contain_text("no WebAssembly")
    assert not [path for path, _ in site.sent if "/runtime/" in path or "/weights/" in path]


def test_without_scripts_recorded_runs_stand_there(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/play/")
    expect(page.locator(".atlas-frames > li:visible").first).to_be_visible()
    assert page.locator(".atlas-steps").count() == 4
