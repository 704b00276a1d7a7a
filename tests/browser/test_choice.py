"""How a reader finds a method: the questions, the comparison, and the trends of the field."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from scripts.model import Corpus
from scripts.render.choose import QUESTIONS, governed
from tests.browser.conftest import PHONE, NewPage, Watch, ready
from tests.browser.test_hostile import PAYLOAD, expect_harmless, flat

pytestmark = pytest.mark.browser

DATA = "**/assets/data/methods.json"
FITS = ".atlas-choose-fits > li"
HEADS = ".atlas-compare-table thead th a"


@pytest.fixture(scope="module")
def compared(built: Path) -> dict[str, Any]:
    """What the pages of the real site show."""
    data: dict[str, Any] = json.loads((built / "assets" / "data" / "methods.json").read_text(encoding="utf-8"))
    return data


def fitting(methods: list[dict[str, Any]], given: dict[str, str]) -> set[str]:
    """Names of the methods that the answers leave, worked out a second time from the questions themselves."""
    missing: set[str] = set()
    calls: float = float("inf")
    for question in QUESTIONS:
        for answer in question.answers:
            if given.get(question.id) == answer.id:
                missing |= set(governed(question)) - set(answer.meets)
                calls = min(calls, answer.calls or calls)
    return {m["name"] for m in methods if not missing & set(m["needs"]) and (m["calls"]["mean"] or 0) <= calls}


def shown(page: Page) -> list[str]:
    """Names of the methods that the page says fit, in its order."""
    names: list[str] = page.locator(FITS).evaluate_all("items => items.map(item => item.dataset.method)")
    return names


def answer(page: Page, question: str, label: str) -> Locator:
    """An answer's button, by the words of the question and of the answer."""
    return page.get_by_role("group", name=question).get_by_role("radio", name=re.compile(f"^{re.escape(label)}"))


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


def test_answers_lead_to_a_method(page: Page, compared: dict[str, Any]) -> None:
    open_choose(page)
    total = len(compared["methods"])
    expect(page.locator(FITS)).to_have_count(total)
    status = page.locator(".atlas-choose-status")
    expect(status).to_have_attribute("aria-live", "polite")
    expect(status).to_have_text(f"{total} of {total} methods fit; {len(QUESTIONS)} questions left open.")
    answer(page, "What do you get from the models?", "Text any").check()
    answer(page, "What do you know about the quality", "Scored training queries").check()
    answer(page, "How many calls", "One").check()
    wanted = fitting(compared["methods"], {"see": "text", "know": "labels", "budget": "one"})
    assert "knn-router" in wanted
    assert "linucb-router" not in wanted
    expect(page.locator(FITS)).to_have_count(len(wanted))
    assert set(shown(page)) == wanted
    card = page.locator(f'{FITS}[data-method="knn-router"]')
    expect(card).to_contain_text(
        "It needs scored training queries: your answer “Scored training queries” gives that."
    )
    expect(card).to_contain_text("It makes 1 call a query (by construction).")
    card.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/methods/knn-router/$"))
    page.go_back()
    ready(page)
    assert set(shown(page)) == wanted
    expect(answer(page, "How many calls", "One")).to_be_checked()


@pytest.mark.parametrize("see", [None, *(answer.id for answer in QUESTIONS[0].answers)])
def test_the_page_decides_as_the_questions_say(page: Page, compared: dict[str, Any], see: str | None) -> None:
    """A hundred states of the form: each answer to each question alone, and pairs with the first question."""
    open_choose(page)
    expect(page.locator(FITS).first).to_be_visible()
    for question, other in itertools.combinations(QUESTIONS[1:], 2):
        given = {question.id: question.answers[-1].id, other.id: other.answers[0].id}
        given |= {"see": see} if see else {}
        page.evaluate(
            """given => {
                const form = document.getElementById("atlas-choose-form");
                for (const input of form.querySelectorAll("input")) {
                    input.checked = input.value === (given[input.name] ?? "");
                }
                form.dispatchEvent(new Event("change"));
            }""",
            given,
        )
        assert set(shown(page)) == fitting(compared["methods"], given), given
        assert dict(re.findall(r"[?&](\w+)=([\w-]+)", page.url)) == given


def test_what_falls_out_is_counted_under_its_reason(page: Page, compared: dict[str, Any]) -> None:
    given = {"see": "text", "know": "nothing"}
    open_choose(page, given)
    out = {m["name"]: m for m in compared["methods"]} | {}
    for name in fitting(compared["methods"], given):
        del out[name]
    expect(page.get_by_role("heading", name=f"What falls out ({len(out)})")).to_be_visible()
    without_labels = sorted(m["title"] for m in out.values() if "labels" in m["needs"])
    group = page.locator("#atlas-choose-found details", has_text="scored training queries")
    expect(group.locator("summary")).to_have_text(f"{len(without_labels)} need scored training queries")
    group.locator("summary").click()
    assert sorted(group.get_by_role("link").all_inner_texts()) == without_labels
    kept = {m["category"]["id"] for m in compared["methods"] if m["name"] in fitting(compared["methods"], given)}
    reading = page.locator(".atlas-reading:visible")
    assert set(reading.evaluate_all("groups => groups.map(group => group.dataset.category)")) == kept


def test_the_questions_are_answered_with_the_keyboard(page: Page, compared: dict[str, Any]) -> None:
    open_choose(page)
    first = page.locator(".md-content").get_by_role("radio").first
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(r"\?see=answers$"))
    page.keyboard.press("Enter")  # no form is sent
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")  # round to the last answer
    expect(page).to_have_url(re.compile(r"\?see=answers&tokenizer=different$"))
    assert set(shown(page)) == fitting(compared["methods"], {"see": "answers", "tokenizer": "different"})
    page.get_by_role("button", name="Start again").press("Enter")
    expect(page.locator(FITS)).to_have_count(len(compared["methods"]))
    expect(page).to_have_url(re.compile(r"/choose/$"))


def test_answers_without_a_method_say_so(page: Page, compared: dict[str, Any]) -> None:
    given = {"see": "answers", "know": "nothing", "task": "open", "ask": "no", "samples": "no"}
    open_choose(page, given)
    wanted = fitting(compared["methods"], given)
    assert not wanted
    expect(page.locator(".atlas-choose-status")).to_contain_text("0 of")
    expect(page.locator(".atlas-choose-status")).to_contain_text("Leave a question open")
    expect(page.get_by_role("link", name=re.compile("side by side"))).to_be_hidden()


def gain(verdict: str, told: str = "+2.0 points (+1.0 to +3.0)") -> dict[str, Any]:
    return {"where": "MMLU", "page": "recorded/", "baseline": "oak", "told": told, "verdict": verdict, "detail": "",
            "cost": 0.5, "alone": 0.25, "labels": 1234}  # fmt: skip


def test_measured_methods_stand_first_and_calls_decide(new_page: NewPage, compared: dict[str, Any]) -> None:
    """With made-up measurements, so that it holds whatever was measured."""
    first, second, third = (method["name"] for method in compared["methods"][:3])
    data = json.loads(json.dumps(compared)) | {"pools": 2}
    gains = {first: [gain("better"), gain("worse")], second: [gain("better"), gain("no clear difference")]}
    for method in data["methods"]:
        method["gains"] = gains.get(method["name"], [])
        method["calls"] = {first: {"mean": 2.5, "measured": True}, second: {"mean": 1.0, "measured": True}}.get(
            method["name"], {"mean": None, "measured": False}
        )
    page = with_data(new_page, data)
    open_choose(page)
    assert shown(page)[:2] == [second, first]
    card = page.locator(FITS).first
    expect(card).to_contain_text("Clearly better than the best single model in 1 of 2 runs, clearly worse in 0.")
    expect(card).to_contain_text(
        "MMLU: +2.0 points (+1.0 to +3.0) over oak, 0.5 USD against 0.25 USD for 1,000 queries"
    )
    expect(page.get_by_text("Use one model: of the methods that fit")).to_be_hidden()
    expect(page.get_by_role("link", name="Compare the first 4 side by side")).to_have_attribute(
        "href", re.compile(rf"/compare/\?m={second},{first},")
    )
    answer(page, "How many calls", "One").check()
    assert first not in shown(page)
    assert {second, third} <= set(shown(page))  # what was not measured stays in, and says so
    expect(page.locator(f'{FITS}[data-method="{third}"]')).to_contain_text("has not been measured")
    expect(page.get_by_text("1 makes more than 1 call a query")).to_be_visible()


def test_one_model_is_advised_where_nothing_gains(new_page: NewPage, compared: dict[str, Any]) -> None:
    data = json.loads(json.dumps(compared)) | {"pools": 2}
    for method in data["methods"]:
        method["gains"] = [gain("worse", "−9.0 points (−9.9 to −8.0)"), gain("no clear difference")]
    page = with_data(new_page, data)
    open_choose(page)
    expect(page.get_by_text("Use one model: of the methods that fit")).to_be_visible()
    expect(page.locator(FITS).first).to_contain_text("clearly worse in 1. Use one model instead.")


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
    above = {second: [first]}
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


@pytest.mark.parametrize("address", ["/compare/?m=knn-router,frugalgpt", "/choose/?see=text&know=nothing"])
def test_text_of_methods_stays_text(new_page: NewPage, compared: dict[str, Any], address: str) -> None:
    """Their text is the project's own, and still nothing in the data may become markup."""
    data = json.loads(json.dumps(compared)) | {"benchmarks": [{"name": "math", "title": PAYLOAD}]}
    row = {"score": 0.5, "low": 0.1, "high": 0.9, "cost": 1, "latency": 1, "best": PAYLOAD, "gain": None}
    for need in data["needs"]:
        need["meaning"] = PAYLOAD
    for method in data["methods"]:
        method |= {"title": PAYLOAD, "lead": PAYLOAD, "family": PAYLOAD, "differences": [PAYLOAD], "mean": 0.5}
        method["results"] = {"math": row}
        method["gains"] = [dict.fromkeys(("where", "baseline", "told", "detail"), PAYLOAD) | {
            "page": "recorded/", "verdict": "better", "cost": 1, "alone": None, "labels": 9,
        }]  # fmt: skip
        method["parameters"] = [{"name": PAYLOAD, "default": PAYLOAD, "comment": PAYLOAD}]
        method["papers"] = [{"page": "papers/", "title": PAYLOAD}]
        method["category"] |= {"name": PAYLOAD}
    page = with_data(new_page, data)
    page.goto(address)
    ready(page)
    expect_harmless(page)
    assert flat(PAYLOAD) in flat(page.locator("main").text_content() or "")


@pytest.mark.parametrize("address", ["/compare/", "/choose/"])
def test_without_its_data_a_page_says_so_and_keeps_the_table(new_page: NewPage, watch: Watch, address: str) -> None:
    watch.expected.append("500")
    page = new_page()
    page.route(DATA, lambda route: route.fulfill(status=500))
    page.goto(address)
    expect(page.get_by_text(re.compile("could not be loaded"))).to_be_visible()
    expect(page.locator("tbody tr").first).to_be_visible()


@pytest.mark.parametrize("address", ["/compare/", "/choose/"])
def test_without_javascript_the_table_tells_all(new_page: NewPage, compared: dict[str, Any], address: str) -> None:
    page = new_page(java_script_enabled=False, size=PHONE)
    page.goto(address)
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(len(compared["methods"]))
    expect(rows.first.get_by_role("link")).to_be_visible()
    expect(page.locator(".md-content").get_by_role("radio")).to_have_count(
        0
    )  # nothing stands there that does nothing
    expect(page.locator(".md-content").get_by_role("combobox")).to_have_count(0)


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
