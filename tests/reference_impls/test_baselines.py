"""The baselines that learn, on a training set worked by hand."""

import numpy as np

from reference_impls.baselines import LengthParameters, PromptLength, SingleModel, TaskRouter
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
