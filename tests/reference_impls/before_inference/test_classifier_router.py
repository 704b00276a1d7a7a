"""The classifier router: labels and calibration by hand, against scikit-learn, thresholds at their ends."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reference_impls.before_inference.classifier_router import (
    ClassifierRouter,
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


def router(train: TrainingSet, order: tuple[int, ...] = (0, 1), **settings: Any) -> ClassifierRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    pool = Meter([models[i] for i in order]).pool
    method = ClassifierRouter(pool, Parameters(**settings), np.random.default_rng(0))
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
    # In order of the predictions .2 .4 .6 .8 the small model scores 0 0 1 1 and the large one always 1. From .6 on
    # nothing is lost; from .4 on a quarter.
    predictions, small = np.array([0.6, 0.2, 0.8, 0.4]), np.array([1.0, 0.0, 1.0, 0.0])
    assert calibrate(predictions, small, np.ones(4), 0.01) == 0.6
    assert calibrate(predictions, small, np.ones(4), 0.25) == 0.4
    assert calibrate(predictions, np.zeros(4), np.ones(4), 0.01) == np.inf


def test_it_routes_to_the_model_most_likely_right() -> None:
    method = router(training(SPLIT))
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"


def test_ties_go_to_the_cheaper_model() -> None:
    assert router(training([[1.0, 1.0]] * 6), (1, 0)).route(SUM) == 1


def test_it_agrees_with_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    scores = np.random.default_rng(1).integers(0, 2, (6, 3)).astype(float)
    scores[0], scores[1] = 0, 1  # both classes for every model
    method = router(training(scores.tolist()), (0, 1, 2), penalty=0.5)
    x = method.reduction_.transform(method.embedder_.transform(PROMPTS))
    new = method.reduction_.transform(method.embedder_.transform([SUM.prompt, NAME.prompt]))
    theirs = [linear_model.LogisticRegression(C=2.0, tol=1e-9, max_iter=5000).fit(x, y) for y in scores.T]
    expected = np.array([t.predict_proba(new)[:, 1] for t in theirs])
    assert method.predictions(new) == pytest.approx(expected, abs=1e-4)
    assert method.route(SUM) == expected[:, 0].argmax()


@pytest.mark.parametrize("label", ["deterministic", "probabilistic", "transformed"])
def test_a_pair_keeps_easy_queries_with_the_small_model(label: str) -> None:
    method = router(training(SPLIT), rule="pair", label=label, threshold=0.5)
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"


def test_samples_decide_the_probabilistic_label() -> None:
    # Greedy responses tie everywhere, but sampled ones of a fail on names.
    samples = np.zeros((6, 2, 9))
    samples[:, 1] = 1
    samples[:3, 0] = 1
    train = replace(training([[1.0, 1.0]] * 6), sample_scores=samples)
    method = router(train, rule="pair", threshold=0.5)
    assert [method.answer(q) for q in (SUM, NAME)] == ["from a", "from b"]
    method = router(train, rule="pair", label="deterministic", threshold=0.5)
    assert [method.answer(q) for q in (SUM, NAME)] == ["from a", "from a"]


@pytest.mark.parametrize(("threshold", "text"), [(0.0, "from a"), (1.1, "from b")])
def test_a_threshold_at_its_ends_gives_all_small_and_all_large(threshold: float, text: str) -> None:
    method = router(training(SPLIT), rule="pair", threshold=threshold)
    assert {method.answer(q) for q in (SUM, NAME)} == {text}


def test_the_calibrated_pair_may_be_named() -> None:
    train = training([[0.0, 1.0, 1.0]] * 6)
    method = router(train, (0, 1, 2), rule="pair", large="c", calibration=0.5)
    assert method.answer(SUM) == "from c"  # a is never right, so nothing may go to it


def test_wrong_names_get_the_nearest_right_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'pair'"):
        router(training(SPLIT), rule="pare")
    with pytest.raises(ValueError, match="did you mean 'probabilistic'"):
        router(training(SPLIT), rule="pair", label="probabilstic")


def test_a_permutation_of_the_models_permutes_the_choice() -> None:
    scores, order = np.random.default_rng(2).random((6, 3)), (2, 0, 1)
    first, second = router(training(scores.tolist()), (0, 1, 2)), router(training(scores[:, order].tolist()), order)
    for query in (SUM, NAME):
        assert first.pool[first.route(query)].name == second.pool[second.route(query)].name
