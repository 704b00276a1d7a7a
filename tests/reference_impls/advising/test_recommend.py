"""What is compared with what, the limits, and how wrong use and strangers' folders are answered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from reference_impls.advising import gains, labelled, recommend, simulation
from reference_impls.advising.comparisons import Limits
from reference_impls.advising.recommend import SCHEMA as SCHEMA_FILE
from reference_impls.advising.trial import fitting
from reference_impls.measuring.metrics import oracle
from reference_impls.recorded import Recording, save
from reference_impls.running import catalog
from reference_impls.serving import saved
from tests.tool import app

SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
FAST = ["majority-vote", "ridge-router", "task-router", "random", "coin"]
RUNNER = CliRunner()


def small(queries: int = 60, prices: tuple[float, ...] = (0.004, 0.002, 0.001)) -> Recording:
    return replace(simulation.ONE_BEST, prices=prices).recording(queries, 3)


def advised(recording: Recording, **options: object) -> recommend.Advice:
    return recommend.recommend(recording, methods=FAST, repeats=2, **options)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from("abc"), min_size=6, max_size=60), st.integers(2, 6), st.integers(1, 3))
def test_every_query_is_tested_once_a_repetition_and_tasks_are_spread(tasks: list[str], k: int, r: int) -> None:
    dealt = labelled.deal(tasks, k, r, 0)
    assert dealt.shape == (r, len(tasks))
    for row in dealt:
        sizes = np.bincount(row, minlength=k)
        assert sizes.max() - sizes.min() <= 1
        for task in set(tasks):
            of_task = np.bincount(row[np.array(tasks) == task], minlength=k)
            assert of_task.max() - of_task.min() <= 1
    assert np.array_equal(dealt, labelled.deal(tasks, k, r, 0))


@given(st.lists(st.tuples(*[st.sampled_from([0.0, 0.5, 1.0])] * 3), min_size=4, max_size=40))
def test_a_gain_turned_round_is_the_loss(rows: list[tuple[float, float, float]]) -> None:
    ours, chosen, model = np.array(rows).T
    there, error = gains.gain(ours[None], chosen[None], model, 4, learned=True)
    back, same = gains.gain(1 - ours[None], 1 - chosen[None], 1 - model, 4, learned=True)
    assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low))
    assert (back.p, same) == pytest.approx((there.p, error))
    assert there.low <= there.mean <= there.high
    assert gains.gain(chosen[None], chosen[None], chosen, 4, learned=True)[0].p == 1


def test_the_baselines_are_there_on_the_same_queries() -> None:
    found = advised(small())
    data, rows = found.data, {(row.name, row.kind): row for row in found.found.rows}
    assert set(data.models) == {row.name for row in found.found.rows if row.kind == "model"}
    assert rows["oracle", "baseline"].score == pytest.approx(oracle(data.scores)[0])
    assert rows["oracle", "baseline"].cost == pytest.approx(oracle(data.scores, data.costs)[1])
    assert rows["random", "baseline"].score == pytest.approx(data.scores.mean())
    assert {"coin", "random", "oracle"} == {row.name for row in found.found.rows if row.kind == "baseline"}
    for m, name in enumerate(data.models):
        row = rows[name, "model"]
        assert (row.score, row.cost) == pytest.approx((data.scores[:, m].mean(), data.costs[:, m].mean()))
    # one model is so much better that every fold chooses it
    assert found.found.model == "model-0"
    assert np.array_equal(found.found.baseline.tried.scores, rows["model-0", "model"].tried.scores)
    assert found.found.baseline.gain.mean == 0
    judged = [row for row in found.found.rows if row.gain.adjusted]
    assert len(judged) == found.found.tests == 6, "three models, three methods; what nobody would use is not judged"


def test_a_coin_is_tossed_between_the_best_model_and_a_cheaper_one() -> None:
    found = advised(small())
    row = found.found.row("coin", "baseline")
    assert row is not None
    assert row.tried.called.tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_limits_are_kept() -> None:
    found = advised(small(), limits=Limits(cost=3.0))
    assert found.found.model == "model-1", "model-0 costs 4 dollars for 1,000 queries"
    assert found.verdict.kind == "model"
    assert found.verdict.name == "model-1"
    row = found.found.row("model-0", "model")
    assert row is not None
    assert row.over == "4 dollars for 1,000 queries are more than 3"
    kept = advised(small(), limits=Limits(latency=0.1))
    SCHEMA.validate(kept.json())
    nothing = kept.verdict
    assert (nothing.kind, nothing.name) == ("nothing", "")
    assert nothing.sentences[0].startswith("No model alone keeps the limits (0.1 s for 95 of 100 queries)")


def test_a_limit_is_not_kept_by_what_is_not_known() -> None:
    recording = small()
    unpaid = replace(recording, responses=tuple(replace(r, cost=None) for r in recording.responses))
    found = advised(unpaid, limits=Limits(cost=3.0))
    SCHEMA.validate(found.json())
    assert found.verdict.kind == "nothing"
    assert all(row.over == "what it costs is not known" for row in found.found.rows)
    assert found.found.row("coin", "baseline") is None, "without costs no model is the cheaper one"
    assert any("cost is not known" in note for note in found.notes)


def test_what_is_as_good_and_cheaper_is_named() -> None:
    """Two models that answer alike, one at half the price."""
    world = simulation.World(np.full((4, 2), 0.7), 1 - 1e-9, (0.004, 0.002))
    found = advised(world.recording(80, 0))
    assert (found.verdict.kind, found.verdict.name) == ("model", "model-1")
    assert found.data.scores[:, 0].tolist() == found.data.scores[:, 1].tolist()


def test_queries_with_gaps_are_left_out_and_told() -> None:
    recording = small()
    gap = [r for r in recording.responses if (r.query_id, r.model) not in {("0", "model-1"), ("1", "model-2")}]
    found = advised(replace(recording, responses=tuple(gap)))
    assert len(found.data) == 58
    assert found.notes[0] == "2 of 60 queries are left out: not every model has answered."


def test_every_method_is_compared_or_named_with_its_reason() -> None:
    data = labelled.labelled(small())
    fit, left_out = fitting(data)
    assert set(fit) | set(left_out) == set(catalog.methods())
    assert not set(fit) & set(left_out)
    assert left_out["unite"].startswith("needs distributions")
    assert left_out["best-samples"].startswith("needs samples")
    assert all("\n" not in why for why in left_out.values())


def test_processes_find_the_same() -> None:
    recording = small()
    alone, together = (advised(recording, jobs=jobs).json() for jobs in (1, 2))
    assert alone == together


def test_the_schema_knows_every_key_and_takes_no_other() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)
    told = advised(small()).json()
    SCHEMA.validate(told)
    for part in (told, told["rows"][0], told["verdict"], told["preflight"]):
        part["more"] = 1
        assert not SCHEMA.is_valid(told)
        del part["more"]


def test_the_order_of_the_models_plays_no_part() -> None:
    recording = small()
    turned = recording.only(reversed(recording.models))
    one, other = advised(recording), advised(turned)
    assert one.verdict.sentences == other.verdict.sentences
    scores = [{(row.name, row.kind): row.score for row in found.found.rows} for found in (one, other)]
    assert scores[0] == pytest.approx(scores[1])


def test_the_command(tmp_path: Path) -> None:
    save(small(), tmp_path / "mine")
    arguments = ["recommend", str(tmp_path / "mine"), "--repeats", "1", "--jobs", "1"]
    arguments += [word for name in FAST for word in ("--method", name)]
    done = RUNNER.invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed == json.loads((tmp_path / "mine-advice" / "report.json").read_text(encoding="utf-8"))
    assert printed["verdict"]["name"] == "model-0"
    SCHEMA.validate(printed)
    kept = saved.load(tmp_path / "mine-advice" / "recommended.yml")
    assert (kept.name, kept.method, kept.queries) == ("model-0", None, 60)
    page = (tmp_path / "mine-advice" / "report.html").read_text(encoding="utf-8")
    assert "<h1>Use one model: model-0</h1>" in page
    assert "atlas serve recommended.yml" in page
    shown = RUNNER.invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("Use one model: model-0.")
    nothing = RUNNER.invoke(app, [*arguments, "--max-latency", "0.1"])
    assert nothing.exit_code == 0, nothing.output
    assert "nothing to serve was written: nothing is advised" in nothing.stderr
    assert not list((tmp_path / "mine-advice").glob("recommended.*")), "what was advised before is no longer"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "no recording and no folder 'nowhere'"),
        (["mine", "--pool", "model-0,modl-1"], "has no model 'modl-1'"),
        (["mine", "--method", "majority-vot"], "no method 'majority-vot'"),
        (["mine", "--folds", "99"], "too few for 99 folds"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(small(20), tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    done = RUNNER.invoke(app, ["recommend", *arguments])
    assert done.exit_code == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("atlas:")]
    assert len(lines) == 1
    assert told in lines[0]


def test_names_of_a_stranger_are_no_commands_to_the_terminal(tmp_path: Path) -> None:
    recording = small(20)
    renamed = {"model-0": "[bold red]m[/]", "model-1": "[link=file:///]b", "model-2": "c"}
    responses = tuple(replace(r, model=renamed[r.model]) for r in recording.responses)
    save(replace(recording, responses=responses), tmp_path / "mine")
    few = ["--method", "random", "--repeats", "1", "--jobs", "1"]
    done = RUNNER.invoke(app, ["recommend", str(tmp_path / "mine"), *few])
    assert done.exit_code == 0, done.output
    assert "always [bold red]m[/]" in done.output
    assert "always [link=file:///]b" in done.output
