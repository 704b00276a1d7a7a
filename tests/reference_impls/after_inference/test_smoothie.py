"""Smoothie against cases worked by hand, planted noise, and a closed form of the triplet estimate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.smoothie import (
    LocalParameters,
    SmoothieGlobal,
    SmoothieLocal,
    distances,
    triplet_errors,
    weights,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("q", "t", "name the capital of Zorvia")


def training(prompts: list[str], texts: list[list[str]]) -> TrainingSet:
    """Scores are not a number: whoever looks at one chooses nothing sensible."""
    n, m = len(texts), len(texts[0])
    queries = [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)]
    responses = [[Generation(f"m{j}", text) for j, text in enumerate(row)] for row in texts]
    names = tuple(f"m{j}" for j in range(m))
    none = np.full((n, m), np.nan)
    return TrainingSet(queries, names, responses, none, none, [[[]] * m] * n, np.zeros((n, m, 0)))


def test_worked_by_hand() -> None:
    d = np.array([[0, 2, 4], [2, 0, 4], [4, 4, 0.0]])
    # (2 + 4 - 4) / 2 = 1, the same for the second; (4 + 4 - 2) / 2 = 3; 1 : 1 : 1/3 = 3/7, 3/7, 1/7
    assert triplet_errors(d) == pytest.approx([1, 1, 3])
    assert weights(triplet_errors(d), 10) == pytest.approx([3 / 7, 3 / 7, 1 / 7])
    # Two queries, three models, one dimension: |0 - 1|^2 and |0 - 3|^2 are 5 in the mean.
    assert distances(np.array([[[0.0], [1], [0]], [[0.0], [3], [1]]])) == pytest.approx(
        np.array([[0, 5, 0.5], [5, 0, 2.5], [0.5, 2.5, 0]])
    )


def test_planted_noise_is_recovered() -> None:
    rng = np.random.default_rng(0)
    scale = np.array([0.5, 1.0, 1.5, 2.0])
    truth = rng.normal(size=(3000, 1, 20))
    embeddings = truth + scale[:, None] * rng.normal(size=(3000, 4, 20))
    errors = triplet_errors(distances(embeddings))
    assert errors == pytest.approx(20 * scale**2, rel=0.05)  # E|e - e*|^2 = d sigma^2
    theta = weights(errors, 20)
    assert theta == pytest.approx(scale**-2 / (scale**-2).sum(), rel=0.06)
    assert errors.argmin() == theta.argmax() == 0


@given(st.integers(3, 6), st.integers(0, 10**6))
def test_the_closed_form_and_its_choice(m: int, seed: int) -> None:
    """The mean over pairs is ((m - 1) S_i - T) / ((m - 1)(m - 2)); S_i is the sum of row i, T that of all pairs."""
    rng = np.random.default_rng(seed)
    d = distances(rng.normal(size=(2, m, 3)))
    rows, total = d.sum(1), d.sum() / 2
    errors = triplet_errors(d)
    assert errors == pytest.approx(((m - 1) * rows - total) / ((m - 1) * (m - 2)))
    assert errors.argmin() == rows.argmin(), "the model nearest to all others"
    theta = weights(errors, 3)
    assert theta.sum() == pytest.approx(1)
    assert (theta > 0).all()
    order = rng.permutation(m)
    assert triplet_errors(d[np.ix_(order, order)]) == pytest.approx(errors[order])


def test_a_negative_error_is_the_best_and_not_the_worst() -> None:
    """On one query the model in the middle has err < 0, which makes the paper's theta negative."""
    middle = np.array([[[0.0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]]])
    errors = triplet_errors(distances(middle))
    # D: 1 from the middle; 2, 2, 4 between the others: six pairs of them sum to 4 * 2 + 2 * 4 = 16.
    assert errors[0] == pytest.approx((3 * 4 - 16) / 12)
    assert errors.argmin() == 0 == weights(errors, 2).argmax()
    assert triplet_errors(np.zeros((2, 2))).tolist() == [0, 0]


def test_global_asks_only_the_model_it_trusts() -> None:
    texts = [[f"city {w}", f"city of {w}", "no idea", f"the town {w}s"] for w in ("Abo", "Bema", "Cilu", "Doro")]
    models = [constant(f"m{j}", f"answer {j}", j + 1.0) for j in range(4)]
    meter = Meter(models)
    method = SmoothieGlobal(meter.pool)
    method.fit(training(["w", "x", "y", "z"], texts))
    assert method.weights_.sum() == pytest.approx(1)
    assert method.weights_.argmin() == 2
    meter.begin()
    best = int(method.weights_.argmax())
    assert method.answer(QUERY) == f"answer {best}"
    assert meter.end().models == [f"m{best}"]


def local(answers: list[str], k: int, prompts: list[str], texts: list[list[str]]) -> SmoothieLocal:
    meter = Meter([constant(f"m{j}", text) for j, text in enumerate(answers)])
    method = SmoothieLocal(meter.pool, LocalParameters(k=k))
    method.fit(training(prompts, texts))
    return method


def test_local_looks_at_the_query_alone_and_then_at_neighbours() -> None:
    prompts = ["name the capital of Bema", "add 1 and 2"]
    texts = [["Rovo", "Rovo", "a river"], ["7", "= 3", "= 3"]]
    # Alone: the last two agree. With the nearest training query, where the first two agree, the second is nearest.
    answers = ["Lim", "Tarno", "Tarno"]
    assert local(answers, 1, prompts, texts).answer(QUERY) == "Tarno"
    method = local(["Tarno", "Tarno", "Lim"], 2, prompts, [["a river", "Rovo", "Rovo"], texts[1]])
    said = ["Tarno", "Tarno", "Lim"]
    by_hand = triplet_errors(distances(np.stack([method.embedder_.transform(said), method.embeddings_[0]])))
    assert method.errors(QUERY, said, [0, 1, 2]) == pytest.approx(by_hand)
    assert int(by_hand.argmin()) == 1


def test_numbers_of_one_length_and_empty_answers_differ() -> None:
    texts = [["12", "13", "14"], ["7", "8", "9"]]
    assert local(["= 131", "= 132", "= 132"], 1, ["x", "y"], texts).answer(QUERY) == "= 132"
    # An empty text would have the vector zero, nearer to all than different words are to one another.
    assert local(["", "red fox", "red fox"], 1, ["x", "y"], texts).answer(QUERY) == "red fox"


def test_few_models() -> None:
    assert local(["one"], 1, ["x"], [["a"]]).answer(QUERY) == "one"
    two = local(["one", "two"], 1, ["x"], [["a", "b"]])
    assert {two.answer(QUERY) for _ in range(20)} == {"one", "two"}, "equally sure: a draw"
    assert local(["", "two"], 1, ["x"], [["a", "b"]]).answer(QUERY) == "two", "no answer never wins"
    meter = Meter([ScriptedModel("m0", lambda _p, _s: ("one", -1.0))])
    method = SmoothieGlobal(meter.pool)
    method.fit(training(["x"], [["a"]]))
    assert method.answer(QUERY) == "one"
