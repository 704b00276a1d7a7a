"""How a reader finds a method: the questions, the comparison, and the trends of the field."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from scripts.model import Corpus
from scripts.render.deciding.choose import QUESTIONS, Run, advise, command, example, runs_of
from scripts.render.evidence.gains import every_table, points
from scripts.render.evidence.recorded import FOLDER as RECORDED
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.results import FOLDER, Results
from tests.browser.conftest import PHONE, NewPage, Watch, ready
from tests.browser.test_hostile import PAYLOAD, expect_harmless, flat
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

DATA = "**/assets/data/methods.json"
FITS = ".atlas-choose-fits > li"
HEADS = ".atlas-compare-table thead th a"


@pytest.fixture(scope="module")
def compared(built: Path) -> dict[str, Any]:
    """What the pages of the real site show."""
    data: dict[str, Any] = json.loads((built / "assets" / "data" / "methods.json").read_text(encoding="utf-8"))
    return data


def shown(page: Page) -> list[str]:
    """Names of the methods that the page proposes, in its order."""
    names: list[str] = page.locator(FITS).evaluate_all("items => items.map(item => item.dataset.method)")
    return names


def titles(compared: dict[str, Any], *names: str) -> list[str]:
    by_name = {method["name"]: method["title"] for method in compared["methods"]}
    return [by_name[name] for name in names]


def open_choose(page: Page, given: dict[str, str] | None = None) -> None:
    page.goto("/choose/?" + "&".join(f"{question}={value}" for question, value in (given or {}).items()))
    ready(page)


def with_data(new_page: NewPage, data: dict[str, Any]) -> Page:
    """A page, of a browser context of its own, that is given other data than the site's."""

    def fulfil(route: Route) -> None:
        route.fulfill(json=data)

    page = new_page()
    page.route(DATA, fulfil)
    return page


# --- choose -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    """What was measured, as the renderer reads it."""
    return runs_of(every_table(Results(ROOT / FOLDER), Recorded(ROOT / RECORDED)))


def advised(runs: list[Run], given: dict[str, str]) -> list[str]:
    return [one.info.name for one in advise(runs, given)]


def test_an_answer_given_before_the_page_is_ready_stands(new_page: NewPage, runs: list[Run]) -> None:
    page, held = new_page(), list[Route]()
    page.route("**/assets/data/choose.json", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks it
    with page.expect_request("**/assets/data/choose.json"):
        page.goto("/choose/?see=text&tasks=one")
    page.get_by_label("How many scored queries").select_option("some")
    page.get_by_label("One task or many?").select_option("many")
    expect(page.locator(".atlas-choose-status")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(page).to_have_url(re.compile(r"\?see=text&labels=some&tasks=many$"))
    assert shown(ready(page)) == advised(runs, {"see": "text", "labels": "some", "tasks": "many"})


def test_the_engineer_is_led_to_a_method_with_its_evidence(page: Page, runs: list[Run]) -> None:
    """Five hundred scored prompts of several kinds, three services: what do I run, what does it bring, what does it
    need?"""
    open_choose(page)
    status = page.locator(".atlas-choose-status")
    expect(status).to_have_attribute("aria-live", "polite")
    expect(status).to_contain_text(f"{len(runs):,} runs of ")
    assert shown(page) == advised(runs, {})
    page.get_by_label("What do you get from the models?").select_option(label="Any text, over an interface")
    page.get_by_label("How many scored queries").select_option("some")
    page.get_by_label("One task or many?").select_option("many")
    expect(page).to_have_url(re.compile(r"\?see=text&labels=some&tasks=many$"))
    given = {"see": "text", "labels": "some", "tasks": "many"}
    wanted = advise(runs, given)
    assert wanted
    assert shown(page) == [one.info.name for one in wanted]
    first = wanted[0]
    card, stands = page.locator(FITS).first, example(first)
    expect(card).to_contain_text(f"{points(stands.row['gain'])} over {stands.table.baseline}")
    expect(card.get_by_role("link", name=stands.table.title, exact=True).first).to_be_visible()
    expect(card).to_contain_text(f"of {len(first.runs)} run")
    expect(card).to_contain_text(command(first.info))
    card.get_by_text(re.compile(r"^\d+ runs? that fits?$")).click()
    expect(card.locator("details li")).to_have_count(len(first.runs))
    card.get_by_role("heading").get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/methods/{first.info.name}/$"))
    page.go_back()
    ready(page)
    assert shown(page) == advised(runs, given)
    expect(page.get_by_label("One task or many?")).to_have_value("many")


@pytest.mark.parametrize("see", [None, *(answer.id for answer in QUESTIONS[0].answers)])
def test_the_page_decides_as_the_renderer_does(page: Page, runs: list[Run], see: str | None) -> None:
    """A hundred states of the form: each answer to each question alone, and pairs with the first question."""
    open_choose(page)
    form = page.locator("#atlas-choose-form")
    if see:
        form.locator("[name=see]").select_option(see)
    for question, other in itertools.product(QUESTIONS[1:], (None, "cheaper")):
        for one in question.answers:
            given = {"see": see or "", question.id: one.id} | ({"aim": other} if other else {})
            for name, value in given.items():
                form.locator(f"[name={name}]").select_option(value)
            assert shown(page) == advised(runs, given), given
            expect(page.get_by_role("heading", name="Use one model")).to_have_count(0 if shown(page) else 1)
        form.locator(f"[name={question.id}]").select_option("")
        form.locator("[name=aim]").select_option("")


def test_unanswered_it_is_one_screen(new_page: NewPage) -> None:
    for size, most in (((1360, 800), 1), (PHONE, 2.5)):
        page = new_page(size=size)
        open_choose(page)
        bottom = page.evaluate("document.querySelector('.atlas-choose').getBoundingClientRect().bottom")
        assert bottom <= most * size[1]


def test_one_model_is_advised_where_nothing_gains(page: Page, runs: list[Run]) -> None:
    given = {"labels": "none", "answer": "open", "see": "answers"}
    assert not advised(runs, given)
    open_choose(page, given)
    expect(page.get_by_role("heading", name="Use one model")).to_be_visible()
    expect(page.get_by_text("atlas preflight")).to_be_visible()
    expect(page.get_by_role("link", name="Compare them side by side")).to_have_count(0)


def test_an_address_of_questions_unknown_leaves_them_open(page: Page, runs: list[Run]) -> None:
    open_choose(page, {"see": "no-such", "colour": "red", "labels": "__proto__"})
    assert shown(page) == advised(runs, {})


def test_the_questions_work_by_the_keyboard(page: Page, runs: list[Run]) -> None:
    open_choose(page)
    page.get_by_label("What do you get from the models?").focus()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(r"\?see=answers$"))
    page.keyboard.press("Enter")  # no form is sent
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start again").press("Enter")
    expect(page).to_have_url(re.compile(r"/choose/$"))
    assert shown(page) == advised(runs, {})


# --- compare ------------------------------------------------------------------------------------------------------


def test_a_comparison_is_shared_by_its_address(page: Page, new_page: NewPage, compared: dict[str, Any]) -> None:
    page.goto("/compare/")
    ready(page)
    expect(page.locator(".atlas-compare-table")).to_have_count(0)
    page.get_by_label("Method 1").select_option("knn-router")
    page.get_by_label("Method 2").select_option("irt-router")
    vote = page.get_by_role("checkbox", name=f"Compare {titles(compared, 'majority-vote')[0]}", exact=True)
    vote.check()
    expect(page).to_have_url(re.compile(r"\?m=knn-router,irt-router,majority-vote$"))
    other = new_page()
    other.goto(page.url)
    ready(other)
    wanted = titles(compared, "knn-router", "irt-router", "majority-vote")
    expect(other.locator(HEADS)).to_have_text(wanted)
    cells = other.locator(".atlas-compare-table tr", has=other.get_by_role("rowheader", name="Needs")).locator("td")
    expect(cells.first).to_contain_text("labels: scored training queries")
    other.get_by_role("button", name=f"Remove {wanted[1]}").click()
    expect(other.locator(HEADS)).to_have_text([wanted[0], wanted[2]])
    other.go_back()
    expect(other.locator(HEADS)).to_have_text(wanted)


def test_at_most_four_and_only_known_methods(page: Page, compared: dict[str, Any]) -> None:
    names = [method["name"] for method in compared["methods"]]
    asked = [names[0], names[0], "no-such", "__proto__", "<script>", *names[1:6]]
    page.goto(f"/compare/?m={','.join(asked)}")
    ready(page)
    expect(page.locator(HEADS)).to_have_text(titles(compared, *names[:4]))
    free = page.locator("#atlas-all-methods tbody input:not(:checked)")
    expect(free).to_have_count(len(names) - 4)
    assert all(box.is_disabled() for box in free.all()[:3])


def test_the_highest_score_is_marked_and_what_was_not_measured_said(
    new_page: NewPage, compared: dict[str, Any]
) -> None:
    first, second, third = (method["name"] for method in compared["methods"][:3])
    lost = {"mean": -0.25, "low": -0.3, "high": -0.2, "adjusted": [-0.5, -0.125], "verdict": "worse"}
    above = {second: [0]}  # the place of the first
    data = json.loads(json.dumps(compared)) | {"benchmarks": [{"name": "math", "title": "Mathematics"}]}
    for method in data["methods"]:
        score = {first: 0.25, second: 0.75}.get(method["name"])
        found = {"score": score, "low": 0.1, "high": 0.9, "cost": 0.5, "latency": 0.0123, "best": "oak", "gain": lost}
        method["results"] = {"math": {**found, "above": above.get(method["name"], [])}} if score else {}
    page = with_data(new_page, data)
    page.goto(f"/compare/?m={first},{second},{third}")
    ready(page)
    row = page.locator(".atlas-compare-table tr", has=page.get_by_role("rowheader", name="Mathematics"))
    low, high, none = (flat(text) for text in row.locator("td").all_text_contents())
    assert low.startswith("0.250 (0.100 to 0.900)")
    assert "highest" not in low
    assert "highest" in high
    assert "worse than oak, the best single model: −0.250 (−0.500 to −0.125)" in low
    assert "0.5 USD for 1,000 queries" in low
    assert "12 ms a query" in low
    assert none == "not measured"
    for method in data["methods"]:  # the same scores, which no longer can be told apart
        if method["results"]:
            method["results"]["math"]["above"] = []
    page = with_data(new_page, data)
    page.goto(f"/compare/?m={first},{second}")
    ready(page)
    row = page.locator(".atlas-compare-table tr", has=page.get_by_role("rowheader", name="Mathematics"))
    for text in row.locator("td").all_text_contents():
        assert "within the noise of the highest" in flat(text)


def lines(page: Page, name: str) -> Locator:
    return page.locator(".atlas-compare-table tbody tr", has=page.get_by_role("rowheader", name=name)).first


def test_papers_stand_beside_methods_with_what_differs(
    page: Page, watch: Watch, compared: dict[str, Any], corpus: Corpus
) -> None:
    watch.expected.append("404")  # nobody's paper
    page.goto("/compare/?m=knn-router,ridge-router&p=ong2024routellm,nobody2024nothing,../evil")
    page.wait_for_load_state("load")
    expect(page.locator(HEADS)).to_have_count(3)
    expect(page.locator(HEADS)).to_have_text(
        [*titles(compared, "knn-router", "ridge-router"), corpus.papers["ong2024routellm"].title]
    )
    expect(lines(page, "Reported gain").locator("td").nth(2)).to_contain_text("twofold")
    expect(lines(page, "Reported gain").locator("td").nth(0)).to_have_text("\u2013")
    page.goto("/compare/?m=knn-router,ridge-router")
    ready(page)
    for name, differs in (("What it does", True), ("Needs", False)):
        expect(lines(page, name).get_by_text("differs")).to_have_count(1)
        expect(lines(page, name).get_by_text("differs")).to_be_visible(visible=differs)
    noisy = page.locator('.atlas-compare-table tr[data-noisy="yes"]')
    assert noisy.count() > len(compared["benchmarks"])  # also pools of recordings
    for row in noisy.all():  # a difference of scores is marked where it is none of chance, and there alone
        assert row.locator(".atlas-differs-mark").is_visible() == (row.locator(".atlas-mark--good").count() == 1)
    page.get_by_label("only what differs").check()
    expect(lines(page, "Needs")).to_be_hidden()
    page.get_by_label("only what differs").uncheck()
    page.get_by_label("Scores", exact=True).uncheck()
    expect(page.locator('.atlas-compare-table tr[data-kind="Scores"]').first).to_be_hidden()
    told = {}
    for name in ("CSV", "Markdown", "LaTeX"):
        with page.expect_download() as got:
            page.get_by_role("button", name=name, exact=True).click()
        told[name] = Path(got.value.path()).read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(told["CSV"])))
    assert rows[0] == ["", *titles(compared, "knn-router", "ridge-router")]
    assert ["Category", "Continuous-utility routing", "Continuous-utility routing"] in rows
    assert not {benchmark["title"] for benchmark in compared["benchmarks"]} & {row[0] for row in rows}
    assert told["Markdown"].count("\n") == len(rows) + 1
    assert told["LaTeX"].count(r" \\") == len(rows)


def test_the_table_of_all_methods_is_filtered_and_sorted(page: Page, compared: dict[str, Any]) -> None:
    page.goto("/compare/")
    ready(page)
    table = page.locator("#atlas-all-methods")
    rows = table.locator("tbody tr:visible")
    expect(rows).to_have_count(len(compared["methods"]))
    page.get_by_label("Filter by name").fill("cascade labels")
    wanted = [
        method
        for method in compared["methods"]
        if "cascade" in f"{method['name']} {method['title']} {method['category']['name']}".lower()
        and "labels" in method["needs"]
    ]
    expect(rows).to_have_count(len(wanted))
    page.get_by_label("Filter by name").fill("")
    page.get_by_role("button", name=re.compile("^Method")).click()
    names = [flat(name) for name in rows.locator("th").all_inner_texts()]
    assert names == sorted(names, key=str.casefold)
    expect(table.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")


def test_a_comparison_to_begin_with(page: Page) -> None:
    page.goto("/compare/")
    ready(page)
    page.locator("a.atlas-start").first.click()
    expect(page.locator(HEADS).nth(1)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/compare/\?m=[\w-]+,[\w-]+"))


def test_a_method_page_leads_to_its_comparison(page: Page, compared: dict[str, Any]) -> None:
    page.goto("/methods/knn-router/")
    page.get_by_role("link", name="Compare with other methods").click()
    ready(page)
    expect(page.locator(HEADS).first).to_have_text(titles(compared, "knn-router")[0])
    assert page.locator(HEADS).count() > 1


def test_the_library_waits_for_a_chart_in_sight(new_page: NewPage, watch: Watch) -> None:
    page = new_page(size=(PHONE[0], 200))
    page.goto("/trends/", wait_until="networkidle")
    assert not [url for url in watch.requested if "/vega" in url or "/charts/" in url]
    page.locator(".atlas-chart").first.scroll_into_view_if_needed()
    expect(page.locator('.atlas-chart[data-state="drawn"]').first).to_be_visible()
    assert {url.rsplit("/", 1)[1] for url in watch.requested if "/vega" in url} == {
        "vega.js", "vega-lite.js", "vega-embed.js",
    }  # fmt: skip


def test_a_library_that_does_not_come_is_said_in_the_page(new_page: NewPage, watch: Watch) -> None:
    watch.expected.append("ERR_FAILED")
    page = new_page()
    page.route(re.compile(r"/vega-lite\.js"), lambda route: route.abort())
    page.goto("/trends/")
    page.locator(".atlas-chart").first.scroll_into_view_if_needed()
    expect(page.locator('.atlas-chart[data-state="failed"]').first).to_contain_text(
        "vega-lite.js could not be loaded"
    )


# --- both ---------------------------------------------------------------------------------------------------------

KEPT = {"page", "name", "id", "stage", "aims", "questions"}  # by these the scripts find things


def spoiled(value: Any) -> Any:
    """Data whose every text is an attempt."""
    if isinstance(value, dict):
        return {key: part if key in KEPT and key != "category" else spoiled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [spoiled(part) for part in value]
    return PAYLOAD if isinstance(value, str) else value


@pytest.mark.parametrize("address", ["/compare/?m=knn-router,frugalgpt", "/choose/?see=text&labels=some"])
def test_text_of_methods_stays_text(new_page: NewPage, built: Path, address: str) -> None:
    """Their text is the project's own, and still nothing in the data may become markup."""

    def fulfil(route: Route) -> None:
        file = built / urlsplit(route.request.url).path.removeprefix("/")
        route.fulfill(json=spoiled(json.loads(file.read_text(encoding="utf-8"))))

    page = new_page()
    page.route("**/assets/data/*.json", fulfil)
    page.goto(address)
    ready(page)
    expect_harmless(page)
    assert flat(PAYLOAD) in flat(page.locator("main").text_content() or "")


@pytest.mark.parametrize("address", ["/compare/", "/choose/"])
def test_without_its_data_a_page_says_so_and_keeps_the_table(new_page: NewPage, watch: Watch, address: str) -> None:
    watch.expected.append("500")
    page = new_page()
    page.route("**/assets/data/*.json", lambda route: route.fulfill(status=500))
    page.goto(address)
    expect(page.get_by_text(re.compile("could not be loaded"))).to_be_visible()
    expect(page.locator("tbody tr").first).to_be_visible()


@pytest.mark.parametrize("address", ["/compare/", "/choose/"])
def test_without_javascript_a_table_tells_all(new_page: NewPage, compared: dict[str, Any], address: str) -> None:
    page = new_page(java_script_enabled=False, size=PHONE)
    page.goto(address)
    rows = page.locator("table tbody tr")
    if address == "/compare/":
        expect(rows).to_have_count(len(compared["methods"]))
    else:
        expect(rows.first).to_contain_text("Nothing answered")
    expect(rows.first.get_by_role("link").first).to_be_visible()
    expect(page.locator(".md-content").get_by_role("combobox")).to_have_count(0)  # nothing there does nothing


# --- trends -------------------------------------------------------------------------------------------------------


def test_trends_draws_a_cell_for_each_category_and_year(page: Page, corpus: Corpus) -> None:
    page.goto("/trends/")
    chart = page.locator('.atlas-chart[data-src$="trends-categories.json"]')
    chart.scroll_into_view_if_needed()
    expect(chart).to_have_attribute("data-state", "drawn")
    known = [paper.year for paper in corpus.papers.values() if paper.year]
    years = max(known) - min(known) + 1
    expect(chart.locator("svg .mark-rect.role-mark > path")).to_have_count(len(list(corpus.taxonomy)) * years)
    numbers = chart.locator("svg .mark-text.role-mark > text").all_text_contents()
    assert sum(map(int, numbers)) == len(known)


def test_every_chart_of_trends_is_drawn_on_a_phone_and_has_its_numbers_as_a_table(new_page: NewPage) -> None:
    page = new_page(size=PHONE)
    page.goto("/trends/")
    charts = page.locator(".atlas-chart")
    assert charts.count() == 7
    for chart in charts.all():
        chart.scroll_into_view_if_needed()
        expect(chart).to_have_attribute("data-state", "drawn")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.locator("details table, table").count() > charts.count()
