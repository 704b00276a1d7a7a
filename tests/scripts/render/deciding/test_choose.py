"""What the page choose advises follows from the questions, the methods' needs and the results."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from reference_impls.cli import tool
from reference_impls.core.registry import NEEDS
from reference_impls.running import catalog
from scripts.model import Corpus
from scripts.render.deciding.choose import (
    AIMS,
    PROPOSED,
    QUESTIONS,
    Run,
    advise,
    at_most,
    command,
    example,
    one_call,
    one_wait,
    page_data,
    runs_of,
    situations,
    weighed,
)  # fmt: skip
from scripts.render.evidence.gains import Table, every_table
from scripts.render.evidence.methods import method_views
from scripts.render.evidence.recorded import FOLDER as RECORDED
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.results import FOLDER, Results
from scripts.render.figures.steps import traces
from scripts.render.knowledge.views import Views
from tests.conftest import ROOT
from tests.scripts.render import measured, recordings

ROUTER, OTHER, VOTE, CASCADE = "knn-router", "ridge-router", "majority-vote", "frugalgpt"


def table(name: str = "some", **changes: Any) -> Table:
    """A pool of real models on one task, whose best model costs a dollar."""
    told: dict[str, Any] = {
        "note": "",
        "page": "",
        "baseline": "oak",
        "rows": (),
        "preflight": None,
        "alone": {},
        "cost": 1.0,
        "labels": 300,
    }
    return Table(name, **{**told, **changes})


def run(
    name: str, verdict: str = "better", mean: float = 0.05, cost: float | None = 0.5, on: Table | None = None
) -> Run:
    """A run with an interval of two points on both sides."""
    gain = {
        "mean": mean,
        "low": mean - 0.01,
        "high": mean + 0.01,
        "adjusted": [mean - 0.02, mean + 0.02],
        "verdict": verdict,
    }
    return Run(catalog.method(name), on or table(), {"method": name, "title": name, "gain": gain, "cost": cost})


def names(runs: list[Run], **given: str) -> list[str]:
    return [one.info.name for one in advise(runs, given)]


def test_every_need_is_governed_by_one_question() -> None:
    counts = Counter(need for question in QUESTIONS for need in question.governs)
    assert counts == dict.fromkeys(NEEDS, 1)
    for question in QUESTIONS:
        assert len({answer.id for answer in question.answers}) == len(question.answers) >= 2
        # what one has the most of gives all that the question is about
        assert any(set(answer.meets) == question.governs for answer in question.answers)
    assert {answer.id for question in QUESTIONS if question.id == "aim" for answer in question.answers} == set(AIMS)


def test_one_model_is_the_advice_where_no_gain_is_clear() -> None:
    assert names([]) == []
    assert names([run(ROUTER, "no clear difference", 0.01), run(VOTE, "worse", -0.1)]) == []
    assert names([run(ROUTER), run(ROUTER, "worse", -0.2)]) == []  # as often lost as won
    assert names([run(ROUTER), run(ROUTER), run(ROUTER, "worse", -0.2)]) == [ROUTER]


def test_verdicts_are_counted_and_never_gains_of_different_pools() -> None:
    """The larger gain of the vote does not put it first; a lucky run counts less than many."""
    runs = [run(ROUTER, mean=0.03), run(ROUTER, mean=0.03), run(VOTE, mean=0.3), run(VOTE, "no clear difference", 0)]
    assert names(runs) == [ROUTER, VOTE]
    assert [one.weight for one in weighed(runs, {})] == pytest.approx([2 / 3, 1 / 3])


def test_at_most_three_methods_of_three_categories() -> None:
    every = [run(name) for name, info in catalog.methods().items() if info.category != "baseline"]
    advised = advise(every, {})
    assert len(advised) == PROPOSED == len({one.info.category for one in advised})
    assert names([run(ROUTER), run(ROUTER), run(OTHER)]) == [ROUTER]


def test_what_one_has_decides() -> None:
    runs = [run(ROUTER), run(VOTE), run("unite"), run("self-moa"), run("linucb-router"), run("logit-averaging")]

    def let_in(**given: str) -> set[str]:
        return {one.info.name for one in weighed(runs, given)}

    assert let_in(see="answers") == {ROUTER, VOTE, "linucb-router"}
    assert let_in(see="text") == let_in(see="answers") | {"self-moa"}
    assert let_in(see="own") == let_in(see="text") | {"unite"}
    assert let_in(see="same") == let_in()
    assert let_in(labels="none") == {VOTE, "logit-averaging"}
    assert let_in(labels="feedback") == {VOTE, "logit-averaging", "linucb-router"}
    assert VOTE not in let_in(answer="open")
    assert let_in(see="no-such", colour="red") == let_in(), "what the page does not know is left open"


def test_labels_that_a_run_learned_from_must_be_at_hand() -> None:
    few, unknown = run(ROUTER, on=table(labels=300)), run(ROUTER, on=table(labels=None))
    assert [at_most(300)(few), at_most(299)(few), at_most(10**9)(unknown)] == [True, False, False]
    assert at_most(0)(run(VOTE, on=table(labels=300))), "a vote learns nothing"
    assert names([run(ROUTER, on=table(labels=501))], labels="few") == []
    assert names([run(ROUTER, on=table(labels=501))], labels="some") == [ROUTER]


def test_runs_on_one_task_and_on_many_are_told_apart() -> None:
    runs = [run(ROUTER, on=table(tasks=5)), run(VOTE, on=table(tasks=1))]
    assert (names(runs, tasks="many"), names(runs, tasks="one")) == ([ROUTER], [VOTE])


def test_aims_about_money_need_known_costs() -> None:
    better = {"unknown": run(ROUTER, cost=None), "dear": run(ROUTER, cost=1.5), "cheap": run(ROUTER, cost=1.0)}
    found = {key: names([one], aim="no-dearer") for key, one in better.items()}
    assert found == {"unknown": [], "dear": [], "cheap": [ROUTER]}
    as_good = run(CASCADE, "no clear difference", 0.011, 0.9)
    assert names([as_good]) == []
    assert names([as_good], aim="cheaper") == [CASCADE]
    assert names([run(CASCADE, "no clear difference", 0.011, 0.91)], aim="cheaper") == []  # saves too little
    assert names([run(CASCADE, "no clear difference", 0.009, 0.5)], aim="cheaper") == []  # may be worse by more
    assert names([as_good, run(CASCADE, "worse", -0.2, 0.1)], aim="cheaper") == []


def test_the_example_is_of_real_models_where_there_is_one() -> None:
    own, real, larger = (
        run(ROUTER, mean=0.3, on=table(own=True)),
        run(ROUTER, mean=0.04),
        run(ROUTER, mean=0.05, cost=0.9),
    )
    proposal = advise([own, real, larger], {})[0]
    assert example(proposal) is larger
    assert example(proposal, "cheaper") is real, "which saves most"
    assert example(advise([own], {})[0]) is own


def test_a_simpler_thing_that_gained_as_much_is_named() -> None:
    controls = tuple({"title": name, "gain": {"mean": mean}} for name, mean in (("task", 0.05), ("samples", 0.02)))
    assert (run(ROUTER, mean=0.04, on=table(controls=controls)).control or {})["title"] == "task"
    assert run(ROUTER, mean=0.06, on=table(controls=controls)).control is None


def test_who_waits_once_calls_in_one_round() -> None:
    """By the traces: nothing is asked again, judged or checked after the first responses."""
    infos = [info for info in catalog.methods().values() if info.category != "baseline"]
    assert all(one_wait(info) for info in infos if one_call(info))
    checked = 0
    for info in infos:
        made = traces(ROOT, info.name) if one_wait(info) else None
        for trace in (made or {"traces": {}})["traces"].values():
            if trace is None:
                continue
            calls = [event for event in trace["events"] if event["kind"] == "call"]
            checked += 1
            assert all(call["prompt"] is None for call in calls), info.name
            assert len({call["model"] for call in calls}) == len(calls), info.name
            assert len(calls) <= 1 or not one_call(info), info.name
    assert checked > 50


def test_commands_are_such_as_the_tools_know() -> None:
    group = get_command(tool())
    assert isinstance(group, TyperGroup)
    for info in catalog.methods().values():
        words = command(info).split()
        assert words[0] == "atlas"
        options = {option for parameter in group.commands[words[1]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
        assert info.name in words


@pytest.fixture(scope="module")
def real(corpus: Corpus) -> tuple[Views, list[dict[str, Any]], list[Run]]:
    results, recorded = Results(ROOT / FOLDER), Recorded(ROOT / RECORDED)
    return Views(corpus), method_views(ROOT, results, recorded), runs_of(every_table(results, recorded))


def test_the_page_has_a_mask_for_every_answer(real: tuple[Views, list[dict[str, Any]], list[Run]]) -> None:
    views, methods, runs = real
    data = page_data(views, methods, runs)
    assert len(data["runs"]) == len(runs)
    place = 0
    for question in QUESTIONS:
        for answer in question.answers:
            fitting = {method["name"] for method in data["methods"] if method["fits"] >> place & 1}
            assert fitting == {m["name"] for m in methods if question.lets_in(answer, catalog.method(m["name"]))}
            assert [bool(one["counts"] >> place & 1) for one in data["runs"]] == [answer.run(run) for run in runs]
            place += 1
    assert place < 31, "a mask is a number of 32 bits with a sign in the browser"
    rows = situations(runs, {method["name"]: method for method in methods})
    assert rows[0]["question"] == "Nothing answered"
    assert 1 < len(rows) <= place
    for row in rows[1:]:
        assert row["proposals"] != rows[0]["proposals"]


def test_tables_know_their_tasks_labels_and_controls(tmp_path: Path) -> None:
    recordings.write(tmp_path)
    folder = measured.write(tmp_path)
    tables = {one.title: one for one in every_table(Results(folder), Recorded(tmp_path / RECORDED))}
    own = [one for one in tables.values() if one.own]
    assert {one.tasks for one in own} == {1}
    assert all(one.labels for one in own)
    recorded = [one for one in tables.values() if not one.own]
    assert recorded
    for one in recorded:
        assert one.tasks >= 1
        assert one.labels is None or one.labels > 0
