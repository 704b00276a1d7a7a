"""Worlds whose right advice is known: the small, fast versions of what `advising.simulation` prints."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from reference_impls.advising import simulation
from reference_impls.advising.recommend import Advice, recommend

#: Of each kind one that takes little time.
FAST = ("majority-vote", "ridge-router", "cluster-router", "task-router", "prompt-length")


def advice(world: simulation.World, queries: int, seed: int = 0) -> Advice:
    return recommend(world.recording(queries, seed), methods=FAST, repeats=2, seed=seed)


@pytest.mark.parametrize("seed", range(3))
def test_where_one_model_is_best_everywhere_it_says_so(seed: int) -> None:
    found = advice(simulation.ONE_BEST, 120, seed)
    verdict = found.verdict
    assert (verdict.kind, verdict.name, verdict.why) == ("model", "model-0", "default")
    assert verdict.sentences[0].startswith("Use one model: model-0. ")
    assert simulation.demanded("one model best", found)
    assert simulation.demanded("level", found)
    assert not simulation.demanded("router must win", found)


def test_where_a_router_must_win_it_finds_one() -> None:
    found = advice(simulation.ROUTER, 300)
    assert simulation.demanded("router must win", found)
    assert not simulation.demanded("votes must win", found)
    assert found.verdict.kind == "method"
    assert found.verdict.name in ("ridge-router", "cluster-router", "task-router")
    assert found.verdict.why == "better"
    row = found.found.row(found.verdict.name, "method")
    assert row is not None
    # nine of ten are right at best, and the best model alone is at (.9 + .4 + .4 + .9) / 4
    assert row.gain.mean == pytest.approx(0.9 - 0.65, abs=0.08)
    assert row.gain.adjusted is not None
    assert row.gain.adjusted[0] > 0


def test_where_votes_must_win_it_finds_them() -> None:
    found = advice(simulation.VOTE, 300)
    verdict = found.verdict
    assert simulation.demanded("votes must win", found)
    assert (verdict.kind, verdict.name, verdict.why) == ("method", "majority-vote", "better")


def test_what_a_vote_truly_gains() -> None:
    """Of models that err apart it is a sum over all that they may answer: 0 is right, 1 to 3 are wrong."""
    exact = 0.0
    for answers in itertools.product(range(4), repeat=5):
        counts = [answers.count(option) for option in range(4)]
        chance = 0.65 ** counts[0] * (0.35 / 3) ** (5 - counts[0])
        exact += chance * (counts[0] == max(counts)) / counts.count(max(counts))
    assert simulation.gain_of_vote(simulation.VOTE) == pytest.approx(exact - 0.65, abs=0.004)
    assert simulation.gain_of_vote(simulation.ONE_BEST) < -0.1
    assert 0.05 < simulation.gain_of_vote(simulation.FEW) < 0.06, "who names a vote there is right"


def test_where_labels_are_too_few_it_says_how_many_more() -> None:
    found = advice(simulation.FEW, 60, seed=2)
    assert simulation.demanded("few labels", found)
    assert found.verdict.why == "default"
    power = found.verdict.power
    assert power is not None
    assert power.leading is not None
    name, gain, wanted = power.leading
    assert wanted > 60
    told = f"{name} leads by {100 * gain:.1f} points; about {wanted - 60:,} more labelled queries would tell"
    assert any(sentence.startswith(told) for sentence in found.verdict.sentences)
    # four times the labels halve what can be told; half the gain takes four times the labels
    assert power.needed[0.01] == pytest.approx(4 * power.needed[0.02], rel=0.01)


@pytest.mark.parametrize("world", [simulation.LEVEL, simulation.ROUTER], ids=["level", "router"])
def test_intervals_hold_the_truth(world: simulation.World) -> None:
    """Of 60 recordings at 95 % five may miss it, six in one of a hundred tries: the full run prints all worlds."""
    for found in simulation.coverage(world, 120, 60).values():
        assert found.holds >= 1 - 6 / 60
        assert found.holds + found.above + found.below == pytest.approx(1)


def test_a_worlds_models_are_right_as_often_as_it_says() -> None:
    task, right = simulation.ROUTER.luck(20_000, np.random.default_rng(0))
    for t, chances in enumerate(simulation.ROUTER.right):
        assert right[task == t].mean(0) == pytest.approx(chances, abs=0.03)


def test_the_benchmark_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--seeds 2 --recordings 4 --labels 60 --world level --method majority-vote --quick --jobs 1"
    monkeypatch.setattr("sys.argv", ["simulation", *words.split()])
    simulation.main()
    told = capsys.readouterr().out
    assert "advice on 2 recordings of 60 labels each, each query tested once, among majority-vote\n" in told
    assert "  level: what it demands in 2 of 2" in told
