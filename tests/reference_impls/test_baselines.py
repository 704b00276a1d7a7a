"""The baselines that learn, on a training set worked by hand."""

from dataclasses import replace

import numpy as np

from reference_impls.baselines import (
    BestSamples,
    BestSamplesParameters,
    Coin,
    CoinParameters,
    LengthParameters,
    PromptLength,
    SingleModel,
    TaskRouter,
    coin_pair,
)
from reference_impls.core import Generation, Meter, Pool, Query, TrainingSet
from tests.reference_impls.fakes import constant

TASKS = ["sums", "sums", "names", "names", "names"]
SCORES = np.array([[1.0, 0.0], [1.0, 0.5], [0.0, 1.0], [0.5, 0.5], [0.0, 1.0]])


def pool() -> Pool:
    return Meter([constant("dear", "d", 9), constant("cheap", "c", 1)]).pool


def training(scores: np.ndarray = SCORES) -> TrainingSet:
    queries = [Query(f"t/{i}", task, "x" * (i + 1)) for i, task in enumerate(TASKS)]
    none: list[list[Generation]] = [[], []]
    answers = [Generation("dear", "d"), Generation("cheap", "c")]
    return TrainingSet(
        queries, ("dear", "cheap"), [answers] * 5, scores, np.zeros((5, 2)), [none] * 5, np.zeros((5, 2, 0))
    )


def test_the_best_model_of_every_task() -> None:
    router = TaskRouter(pool())
    router.fit(training())
    # Sums: 1 against 0.25. Names: 0.17 against 0.83. All: 0.5 against 0.6, for a task never seen.
    routed = [router.route(Query("q", task, "x")) for task in ("sums", "names", "verse")]
    assert routed == [0, 1, 1]


def test_ties_of_a_task_go_to_the_cheaper_model() -> None:
    router = TaskRouter(pool())
    router.fit(training(np.ones((5, 2))))
    assert {router.route(Query("q", task, "x")) for task in ("sums", "names", "verse")} == {1}


def test_the_best_single_model_and_the_length_of_the_prompt() -> None:
    single, length = SingleModel(pool()), PromptLength(pool(), LengthParameters(share=0.4))
    for method in (single, length):
        method.fit(training())
    assert single.route(Query("q", "sums", "x")) == 1
    # Lengths 1 to 5: the longest two fifths are those above the quantile at 0.6, which is 3.4.
    assert [length.route(Query("q", "sums", "x" * n)) for n in (3, 4)] == [1, 0]


def test_a_coin_decides_between_the_best_model_and_the_one_that_saves_most_for_what_it_gives_up() -> None:
    scores, costs = np.array([0.2, 0.6, 0.7, 0.65]), np.array([1.0, 2.0, 10.0, 20.0])
    # From .7 at 10 dollars: .0125 a dollar down to .6 at 2, .0556 down to .2 at 1. The one at 20 is never taken.
    assert coin_pair(scores, costs) == (1, 2)
    assert coin_pair(scores, np.full(4, 3.0)) == (2, 2), "nothing is cheaper"
    assert coin_pair(np.array([0.5, 0.5]), np.array([2.0, 1.0])) == (1, 1), "of equal models the cheaper is the best"


def test_the_coin_is_fair_or_as_it_is_told() -> None:
    costs = np.tile([9.0, 1.0], (5, 1))
    train = replace(training(1 - SCORES), costs=costs)  # the dear model is the better one
    for share in (0.0, 0.3, 0.5, 1.0):
        coin = Coin(pool(), CoinParameters(share), np.random.default_rng(0))
        coin.fit(train)
        assert coin.pair_ == (1, 0)
        dear = np.mean([coin.route(Query("q", "sums", "x")) == 0 for _ in range(1000)])
        assert abs(dear - share) < 0.05


def test_as_many_samples_of_the_best_model_as_one_response_of_each_costs() -> None:
    def fitted(costs: list[float], samples: int = 0) -> BestSamples:
        vote = BestSamples(pool(), BestSamplesParameters(samples=samples))
        vote.fit(replace(training(), costs=np.tile(costs, (5, 1))))
        return vote

    # the cheap model is the better one on train
    assert fitted([9.0, 1.0]).samples_ == 10
    assert fitted([0.5, 1.0]).samples_ == 1
    assert fitted([99.0, 1.0]).samples_ == BestSamples.MOST
    assert fitted([0.0, 0.0]).samples_ == 2, "no costs: as many as there are models"
    assert fitted([9.0, 1.0], samples=3).samples_ == 3
    asked = fitted([9.0, 1.0]).collect(Query("q", "sums", "x"))
    assert [response.model for response in asked] == ["cheap"] * 10
