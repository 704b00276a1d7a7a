"""The Hybrid-LLM router: labels and calibration by hand, thresholds at their ends, samples as the label needs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reference_impls.before_inference.hybrid_router import (
    LABELS,
    HybridRouter,
    Parameters,
    calibrate,
    pair_labels,
    pair_probability,
    spread,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import constant

PROMPTS = ["add 1 and 2", "add 5 and 7", "add 3 and 8", "name the capital of Zorvia", "name the river of Zorvia",
           "name the king of Zorvia"]  # fmt: skip
SUM, NAME = Query("q", "t", "add 4 and 6"), Query("q", "t", "name the hill of Zorvia")


def training(scores: Sequence[Sequence[float]], prompts: Sequence[str] = PROMPTS) -> TrainingSet:
    n, m = np.shape(scores)
    names = tuple("abcdef"[:m])
    return TrainingSet(
        [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)], names,
        [[Generation(name, "") for name in names]] * n, np.array(scores, float), np.zeros((n, m)),
        [[[]] * m] * n, np.zeros((n, m, 0)),
    )  # fmt: skip


SPLIT = [[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3


def router(train: TrainingSet, order: tuple[int, ...] = (0, 1), **settings: Any) -> HybridRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    pool = Meter([models[i] for i in order]).pool
    method = HybridRouter(pool, Parameters(**settings), np.random.default_rng(0))
    method.fit(train)
    return method


def test_labels_worked_by_hand() -> None:
    # Small 1, 0 against large 1, 0: of the pairs (1,1) (1,0) (0,1) (0,0) three have S >= L. Small 0, 0 against 1, 1:
    # none. The greedy (first) responses tie, then lose.
    small, large = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 1.0]])
    assert pair_labels("probabilistic", small, large) == pytest.approx([0.75, 0])
    assert pair_labels("deterministic", small, large) == pytest.approx([1, 0])
    # Without samples the two agree.
    assert pair_labels("probabilistic", small[:, :1], large[:, :1]) == pytest.approx([1, 0])


def test_the_transformed_label_tells_queries_apart() -> None:
    # The small model always loses, by .2 on the first query and by .9 on the second: labels without slack are all 0.
    small, large = np.array([[0.8], [0.1]]), np.array([[1.0], [1.0]])
    assert pair_labels("probabilistic", small, large).tolist() == [0, 0]
    assert pair_labels("transformed", small, large).tolist() == [1, 0]
    assert spread(np.array([1.0, 0.0])) == 0.5  # of the four ordered pairs two differ by 1


def test_slack_never_lowers_a_label_and_ends_at_one() -> None:
    rng = np.random.default_rng(0)
    small, large = rng.random((20, 3)), rng.random((20, 3))
    labels = [pair_probability(small, large, slack) for slack in np.linspace(0, 1, 11)]
    assert np.all(np.diff(labels, axis=0) >= 0)
    assert labels[-1].tolist() == [1.0] * 20


def test_calibration_worked_by_hand() -> None:
    # In order of the probabilities .2 .4 .6 .8 the weak model scores 1 1 0 0 and the strong one always 1. Nothing is
    # lost while .6 and .8 go to the strong one; a quarter while .8 alone does.
    needed, weak = np.array([0.4, 0.8, 0.2, 0.6]), np.array([1.0, 0.0, 1.0, 0.0])
    assert calibrate(needed, weak, np.ones(4), 0.01) == 0.6
    assert calibrate(needed, weak, np.ones(4), 0.25) == 0.8
    assert calibrate(needed, weak, np.ones(4), 0.5) == np.inf
    # Whatever the threshold on these queries, some query may still be harder: then the weak model alone is no choice.
    assert calibrate(needed, np.zeros(4), np.ones(4), 0.01) == 0.2


@pytest.mark.parametrize("label", ["deterministic", "probabilistic", "transformed"])
def test_easy_queries_stay_with_the_weak_model(label: str) -> None:
    method = router(training(SPLIT), label=label, threshold=0.5)
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"
    assert method.strong_probability(SUM) < 0.5 <= method.strong_probability(NAME)
    batch = method.strong_probabilities([SUM.prompt, NAME.prompt])
    assert batch == pytest.approx([method.strong_probability(SUM), method.strong_probability(NAME)], abs=1e-6)


def test_samples_decide_the_probabilistic_label() -> None:
    # Greedy responses tie everywhere, but sampled ones of a fail on names.
    samples = np.zeros((6, 2, 9))
    samples[:, 1] = 1
    samples[:3, 0] = 1
    train = replace(training([[1.0, 1.0]] * 6), sample_scores=samples)
    method = router(train, threshold=0.5)
    assert [method.answer(q) for q in (SUM, NAME)] == ["from a", "from b"]
    method = router(train, label="deterministic", threshold=0.5)
    assert [method.answer(q) for q in (SUM, NAME)] == ["from a", "from a"]


def test_it_asks_for_the_samples_that_its_label_reads() -> None:
    pool = Meter([constant("a", "x", 1.0), constant("b", "y", 2.0)]).pool
    asked = {label: HybridRouter(pool, Parameters(label=label, samples=4)).training_samples for label in LABELS}
    assert asked == {"deterministic": 0, "probabilistic": 4, "transformed": 4}


@pytest.mark.parametrize(("threshold", "text"), [(0.0, "from b"), (1.1, "from a")])
def test_a_threshold_at_its_ends_gives_all_strong_and_all_weak(threshold: float, text: str) -> None:
    method = router(training(SPLIT), threshold=threshold)
    assert {method.answer(q) for q in (SUM, NAME)} == {text}


def test_the_calibrated_pair_may_be_named() -> None:
    train = training([[0.0, 1.0, 1.0]] * 6)
    method = router(train, (0, 1, 2), strong="c", folds=2)
    assert method.answer(SUM) == "from c"  # a is never right, so nothing may go to it


def test_a_wrong_label_gets_the_nearest_right_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'probabilistic'"):
        router(training(SPLIT), label="probabilstic")


def test_a_permutation_of_the_models_keeps_the_pair() -> None:
    first = router(training(SPLIT), threshold=0.5)
    second = router(training([row[::-1] for row in SPLIT]), (1, 0), threshold=0.5)
    for query in (SUM, NAME):
        assert first.strong_probability(query) == pytest.approx(second.strong_probability(query))
        assert first.pool[first.route(query)].name == second.pool[second.route(query)].name
