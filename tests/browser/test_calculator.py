"""The calculator: a table that a reader brings gives the numbers of the Python, whatever stands in it."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from reference_impls.advising.comparisons import Row
from reference_impls.advising.labelled import labelled
from reference_impls.advising.recommend import Advice, recommend
from reference_impls.core import Floats
from reference_impls.importing import FORMATS, Choices, gather
from reference_impls.measuring.alone import survey
from reference_impls.measuring.preflight import Preflight, Room
from reference_impls.measuring.verifier import Chain, Verifier, envelope
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.recorded.form import Recording
from reference_impls.reproductions.base import all_tested
from reference_impls.reproductions.play import pool_preflight
from tests.browser.calculator_tables import tables

pytestmark = pytest.mark.browser

TABLES = tables()
WAYS = ("task-router", "majority-vote", "agreement-cascade")
COMPUTE = """async (text) => {
    const { open, look, recommend } = await import("/assets/calculator/analysis.js");
    const { used, read } = open(text);
    return { read, preflight: look(used), advice: recommend(used, {}) };
}"""
TINY = "id,task,a:score,b:score\n" + "".join(f"{i},t{i % 2},{i % 3 > 0:d},{i % 2}\n" for i in range(30))


def recorded(text: str, folder: Path) -> Recording:
    """The table as `atlas import csv` reads it."""
    file = folder / "table.csv"
    file.write_text(text, encoding="utf-8", newline="")
    found = gather(FORMATS["csv"]([file], Choices()), "table")
    assert found.recording is not None
    return found.recording


def told(found: Preflight) -> dict[str, Any]:
    """A preflight in the page's words."""

    def room(one: Room | None) -> dict[str, float] | None:
        return None if one is None else dict(vars(one))

    return {
        "models": list(found.models), "queries": found.queries, "scores": list(found.scores),
        "costs": None if found.costs is None else list(found.costs), "best": found.best, "tasks": found.tasks,
        "oracle": room(found.oracle), "taskHindsight": room(found.task_hindsight),
        "taskChosen": room(found.task_chosen), "plurality": room(found.plurality),
        "correlation": [list(row) for row in found.correlation], "meanCorrelation": found.mean_correlation,
        "effective": found.effective, "agreement": found.agreement, "disagree": found.disagree,
        "differ": found.differ, "needed": [list(one) for one in found.needed.items()], "sentence": found.sentence(),
    }  # fmt: skip


def advised(found: Advice) -> dict[str, Any]:
    """An advice in the page's words."""

    def row(one: Row) -> dict[str, Any]:
        tried = one.tried
        gain = {key: getattr(one.gain, key) for key in ("mean", "low", "high", "p", "differ")}
        if one.gain.adjusted is not None:
            gain |= {"pAdjusted": one.gain.p_adjusted, "adjusted": list(one.gain.adjusted)}
        return {
            "name": one.name, "kind": one.kind, "score": one.score, "cost": one.cost,
            "gain": gain, "error": one.error,
            "latency": {"median": one.latency(0.5), "high": one.latency(0.95)}, "overModel": one.over_model,
            "calls": float(tried.calls.mean()), "called": tried.called.tolist(), "verdict": one.gain.verdict,
        }  # fmt: skip

    verdict = found.verdict
    return {
        "queries": len(found.data), "folds": found.folds, "repeats": found.repeats, "tests": found.found.tests,
        "model": found.found.model, "baseline": row(found.found.baseline),
        "rows": [row(one) for one in found.found.rows],
        "verdict": {"kind": verdict.kind, "name": verdict.name, "why": verdict.why},
    }  # fmt: skip


def differences(wanted: Any, found: Any, where: str) -> list[str]:
    """Where two values are not the same to 1e-9."""
    if isinstance(wanted, dict):
        return [line for key in wanted for line in differences(wanted[key], found.get(key), f"{where}.{key}")]
    if isinstance(wanted, list | tuple):
        if not isinstance(found, list) or len(found) != len(wanted):
            return [f"{where}: {found!r} and not {wanted!r}"]
        pairs = enumerate(zip(wanted, found, strict=True))
        return [line for i, (one, other) in pairs for line in differences(one, other, f"{where}[{i}]")]
    numbers = isinstance(wanted, int | float) and isinstance(found, int | float)
    same = wanted == found or (numbers and abs(wanted - found) <= 1e-9)
    return [] if same else [f"{where}: {found!r} and not {wanted!r}"]


def opened(page: Page) -> Page:
    page.goto("/calculator/")
    expect(page.locator('.atlas-calc[data-state="ready"]')).to_be_visible()
    return page


def brought(page: Page, text: str | bytes) -> None:
    """Gives the page a file, and waits until it has computed."""
    data = text if isinstance(text, bytes) else text.encode()
    page.locator("#atlas-calc-file").set_input_files({"name": "table.csv", "mimeType": "text/csv", "buffer": data})
    expect(page.locator('.atlas-calc[data-state="ready"] .atlas-calc-read h2')).to_be_visible()


@pytest.mark.parametrize("name", TABLES)
def test_the_page_gives_the_numbers_of_the_python(page: Page, tmp_path: Path, name: str) -> None:
    recording = recorded(TABLES[name], tmp_path)
    bare = bool(np.isnan(recording.scores).all())
    models = recording.models
    alone = survey(RecordedBenchmark(all_tested(recording), models)) if bare else pool_preflight(recording, models)
    advice = recommend(recording, methods=WAYS)
    found = opened(page).evaluate(COMPUTE, TABLES[name])
    assert found["read"]["faults"] == []
    assert not differences(told(alone), found["preflight"], "preflight")
    assert not differences(advised(advice), found["advice"], "advice")


CHAINS = """async ([text, verifier]) => {
    const { open } = await import("/assets/calculator/analysis.js");
    const { chains } = await import("/assets/calculator/verifier.js");
    return chains(open(text).used.labelled, verifier);
}"""


def lead(scores: Floats, costs: Floats, chosen: list[int], rates: tuple[float, float], price: float) -> float:
    """How much more a chain of the models gives than single ones at its cost."""
    made = Chain(scores[:, chosen], costs[:, chosen]).run(Verifier(*rates, price))
    return made.quality - envelope(costs.mean(0), scores.mean(0))(made.cost)


def test_a_cascade_with_a_verifier_gives_the_numbers_of_the_python(page: Page, tmp_path: Path) -> None:
    known = 0
    opened(page)
    for name, text in TABLES.items():
        data = labelled(recorded(text, tmp_path))
        scores, costs, models = data.scores, data.costs, list(data.models)
        found = page.evaluate(CHAINS, [text, {"falseAccept": 0.2, "falseReject": 0.05, "share": 0.1}])
        if found is None:
            assert not len(data) or np.isnan(costs).any(), name
            continue
        for chain in found:
            chosen = [models.index(model) for model in chain["models"]]
            price = 0.1 * float(costs[:, chosen[-1]].mean())
            made = Chain(scores[:, chosen], costs[:, chosen]).run(Verifier(0.2, 0.05, price))
            assert (chain["quality"], chain["cost"]) == pytest.approx((made.quality, made.cost), abs=1e-9), name
            assert chain["reached"] == pytest.approx(made.reached.tolist(), abs=1e-9), name
            gain = lead(scores, costs, chosen, (0.2, 0.05), price)
            assert np.isnan(gain) if chain["lead"] is None else chain["lead"]["gain"] == pytest.approx(gain, abs=1e-9)
            known += chain["lead"] is not None
    assert known > 20


def test_the_lead_of_a_cascade_has_the_interval_that_leaving_queries_out_gives(page: Page, tmp_path: Path) -> None:
    """The page reads it off each query's influence; here each query is left out in turn (the jackknife)."""
    data = labelled(recorded(TABLES["choices"], tmp_path))
    scores, costs, models = data.scores, data.costs, list(data.models)
    n = len(scores)
    found = opened(page).evaluate(CHAINS, [TABLES["choices"], {"falseAccept": 0.1, "falseReject": 0.1, "share": 0.0}])
    z = NormalDist().inv_cdf(1 - 0.05 / 2 / len(found))
    held = 0
    for chain in found:
        chosen = [models.index(model) for model in chain["models"]]
        without = [np.delete(np.arange(n), i) for i in range(n)]
        gains = np.array([lead(scores[kept], costs[kept], chosen, (0.1, 0.1), 0.0) for kept in without])
        if chain["lead"] is None or np.isnan(gains).any():
            continue
        error = np.sqrt((n - 1) / n * ((gains - gains.mean()) ** 2).sum())
        assert chain["lead"]["high"] - chain["lead"]["gain"] == pytest.approx(z * error, rel=0.05)
        held += 1
    assert held


def test_a_table_is_told_from_its_lines_to_the_verdict(page: Page) -> None:
    opened(page)
    brought(page, TABLES["choices"])
    expect(page.locator(".atlas-calc-verdict")).to_contain_text("Use one model: model-b.")
    ways = page.get_by_role("region", name="Ways to use the models").get_by_role("row")
    expect(ways.filter(has_text="Agreement cascade")).to_be_visible()
    expect(page.locator(".atlas-calc-next code")).to_contain_text("atlas recommend recorded:table --margin 1")
    chains = page.get_by_role("region", name="Cascades with a verifier")
    before = chains.inner_text()
    page.get_by_label("Right answers it rejects").fill("0.5")
    expect(chains).not_to_have_text(before)
    expect(page.locator('.atlas-calc[data-state="ready"]')).to_be_visible()


def test_each_bad_line_is_named_and_nothing_is_run(page: Page, tmp_path: Path) -> None:
    long = "x" * (10 * 1024 * 1024)
    bad = [
        '1,=cmd|"/c calc"!A1,1,0', "2,<script>window.harmed=1</script>,1,x", "3,<img src=x onerror=harmed=1>,2,1",
        "4,t,1", "5,t,,", f"6,{long},1,0", "7,t,-1,nan", "1,t,1,1", '8,"two\nlines",1,1', "9,t,1,0",
    ]  # fmt: skip
    text = "id,task,<b>a</b>:score,b:score\n" + "\n".join(bad) + "\n"
    file = tmp_path / "table.csv"
    file.write_text(text.replace("id,", "prompt,", 1), encoding="utf-8")
    wanted = [
        int(line.split(":")[1]) for line in gather(FORMATS["csv"]([file], Choices()), "table").findings
    ]  # where the Python finds something
    opened(page)
    brought(page, text)
    found = page.locator(".atlas-calc-faults li").all_inner_texts()
    assert [int(line.split(":")[0].removeprefix("line ")) for line in found] == wanted
    assert set(wanted) >= {3, 4, 5, 6, 8, 10}
    assert page.evaluate("window.harmed") is None
    assert page.locator(".atlas-calc b, .atlas-calc script, .atlas-calc img").count() == 0
    brought(page, b"id,a:score,b:score\n\xff,1,1\n2,1,0\n")
    expect(page.locator(".atlas-calc-faults li")).to_contain_text("line 2: holds bytes that are not UTF-8")
    brought(page, 'id,a:score\n1,"1"x\n')
    expect(page.locator(".atlas-calc-faults li")).to_contain_text("line 2: not valid CSV")
    brought(page, "")
    expect(page.locator(".atlas-calc-faults li")).to_contain_text("holds no header")
    expect(page.locator(".atlas-calc-status")).to_contain_text("No row could be used")


def test_by_keyboard_alone(page: Page) -> None:
    opened(page)
    page.get_by_label("Or paste the table").focus()
    page.keyboard.insert_text(TINY)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".atlas-calc-verdict")).to_be_visible()
    margin = page.get_by_label("As good may be worse by")
    margin.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".atlas-calc-next code")).to_contain_text("--margin 1.5")


def test_an_example_is_computed(page: Page) -> None:
    opened(page)
    page.locator("[data-example]").first.click()
    expect(page.locator(".atlas-calc-verdict")).to_be_visible()
    assert page.locator(".atlas-calc-faults").count() == 0


def test_without_a_script_the_page_names_the_commands(new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/calculator/")
    told = page.locator("main noscript p")
    expect(told).to_be_visible()
    for words in ("headroom over your best model", "atlas preflight recorded:table"):
        assert words in told.evaluate("told => told.textContent")
    expect(page.locator(".atlas-calc")).to_be_hidden()
