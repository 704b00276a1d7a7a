"""The page of `atlas recommend` from the disk: no network, no harm from strangers' texts, readable everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from reference_impls.advising import recommend, report, simulation
from reference_impls.advising.comparisons import Limits
from tests.browser.conftest import DESKTOP, PHONE, Scheme
from tests.browser.test_accessibility import serious_violations

pytestmark = pytest.mark.browser

FAST = ("majority-vote", "ridge-router", "task-router", "random", "coin")
#: What a stranger may write: each would be seen in the page's elements, its requests or its window.
HOSTILE = (
    '</pre><script>window.harmed = 1</script><img src=x onerror="window.harmed = 1">',
    '"><svg onload="window.harmed = 1"><a href="javascript:window.harmed = 1">here</a>',
    "</details></style><style>*{display:none}</style><iframe src='https://example.org/'></iframe>",
    "<link rel=stylesheet href=https://example.org/a.css><meta http-equiv=refresh content='0;https://example.org/'>",
    "&lt;b&gt; \x00\x1b[31m \ud800 \u202egnp.exe <base href=https://example.org/>",
)


@pytest.fixture(scope="module")
def advice() -> recommend.Advice:
    """A router wins; names and texts are a stranger's."""
    world = replace(simulation.ROUTER, prices=(0.004, 0.002, 0.001))
    recording = world.recording(120, 0)
    names = {"model-0": "<b>model</b>", "model-1": 'm" onclick="window.harmed = 1', "model-2": "plain"}
    tasks = {"music": "<script>window.harmed = 1</script>", "law": "law & order"}
    queries = tuple(
        replace(q, prompt=f"{q.prompt} {HOSTILE[i % len(HOSTILE)]}", task=tasks.get(q.task, q.task))
        for i, q in enumerate(recording.queries)
    )
    responses = tuple(
        replace(r, model=names[r.model], text=f"{r.text} {HOSTILE[i % len(HOSTILE)]}")
        for i, r in enumerate(recording.responses)
    )
    made = replace(recording, name="<i>mine</i>", queries=queries, responses=responses)
    return recommend.recommend(made, methods=FAST, repeats=1)


@pytest.fixture(scope="module")
def file(advice: recommend.Advice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / report.NAME
    path.write_text(report.report(advice, saved="recommended.yml"), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    """The page from the disk, with the network cut off; it may ask for nothing but itself."""
    context = browser.new_context(offline=True, locale="en-GB")
    asked: list[str] = []
    faults: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: faults.append(str(error.error)))
    context.on("console", lambda message: faults.append(message.text))
    page = context.new_page()
    page.goto(file.as_uri())
    yield page
    assert asked == [file.as_uri()]
    assert not faults, "an error, or something that the page's policy has stopped"
    context.close()


def test_the_verdict_stands_first_and_every_part_is_there(page: Page, advice: recommend.Advice) -> None:
    assert advice.verdict.kind == "method"
    assert page.locator("h1").inner_text() == f"Use {advice.verdict.name}"
    assert page.locator(".lead").inner_text() == advice.verdict.sentences[0]
    assert page.locator("h2").all_inner_texts() == [
        "What to do next", "Cost and quality", "All that was compared", "By task", "Who errs together",
        "Where they differ", "How this was found",
    ]  # fmt: skip
    rows = page.locator("section:has(#all) tbody tr")
    assert rows.count() == len(advice.found.rows) + 1
    for i, row in enumerate(advice.found.rows):
        low, high = row.gain.adjusted or (row.gain.low, row.gain.high)
        line = rows.filter(has=page.get_by_role("rowheader", name=row.name, exact=True)).inner_text()
        assert f"{100 * low:+.1f} to {100 * high:+.1f}" in line, i
        assert f"{100 * row.score:.1f}" in line
    assert "marked" in (rows.filter(has_text=advice.verdict.name).first.get_attribute("class") or "")
    assert page.locator(".prompts > li").count() == 20
    power = advice.verdict.power
    assert power is not None
    told = page.locator("section:has(#next)").inner_text()
    assert all(f"{count:,} queries" in told for count in power.needed.values())
    assert "atlas serve recommended.yml --config atlas.yml" in told


def test_texts_of_strangers_stay_texts(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert page.evaluate("window.harmed") is None
    assert page.locator("script, img, iframe, a, base, link, [onload], [onerror], [onclick]").count() == 0
    assert page.locator("style").count() == 1
    assert page.locator("meta[http-equiv]").count() == 1, "the policy"
    shown = page.locator("main").inner_text()
    assert "<script>window.harmed = 1</script>" in shown
    assert 'm" onclick="window.harmed = 1' in shown
    assert "&lt;b&gt;" in shown
    assert page.title().endswith("<i>mine</i>")
    markup = page.content()
    assert not any(odd in markup for odd in ("\x00", "\x1b", "\u202e"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_readable_everywhere(page: Page, size: tuple[int, int], scheme: Scheme) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)
    page.locator("details").first.locator("summary").click()
    found = serious_violations(page)
    assert not found, found
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    drawn = page.locator("svg.plot:visible")
    assert drawn.count() == 1
    assert drawn.bounding_box()["width"] > 0.8 * min(size[0] - 32, 1000)  # type: ignore[index]


def test_on_paper_nothing_is_cut_off_or_folded(page: Page) -> None:
    assert not page.locator(".prompts pre").first.is_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    boxes = page.locator(".scroll").evaluate_all("all => all.map(box => [box.scrollHeight, box.clientHeight])")
    assert all(whole <= seen + 1 for whole, seen in boxes)
    page.set_viewport_size({"width": 700, "height": 1000})  # A4 between its margins
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator(".prompts pre").first.is_visible(), "what is folded on the screen is printed"


def test_one_model_and_nothing() -> None:
    """The pages without a method: what stands where costs are not known, and where no model keeps the limits."""
    recording = simulation.ONE_BEST.recording(60, 0)
    unpaid = replace(recording, responses=tuple(replace(r, cost=None) for r in recording.responses))
    text = report.report(recommend.recommend(unpaid, methods=FAST, repeats=1), saved="recommended.yml")
    assert "<h1>Use one model: model-0</h1>" in text
    assert "What answers cost is not known, so nothing is drawn." in text
    limits = Limits(latency=0.1)
    none = recommend.recommend(recording, methods=FAST, repeats=1, limits=limits)
    text = report.report(none, why_not="nothing is advised")
    assert "<h1>Nothing keeps the limits</h1>" in text
    assert "There is nothing to serve: nothing is advised." in text
