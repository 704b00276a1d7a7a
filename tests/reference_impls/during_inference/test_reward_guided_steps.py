"""Reward-guided steps: features and the reward by hand, who writes which step, and the ends of the threshold."""

from collections.abc import Mapping
from math import log

import numpy as np
import pytest

from reference_impls.core import Floats, Generation, Logits, Meter, Query, TextSession, TrainingSet
from reference_impls.during_inference.reward_guided_steps import (
    Parameters,
    Reward,
    RewardGuidedSteps,
    numbers,
    scored,
    steps_of,
)
from tests.reference_impls.fakes import TableModel, constant

QUERY = Query("t/0", "math", "q ", "number", 20)
WORDS = [b"", b"a\n", b"b\n", b"=1", b"=2"]
END = {f"{line}={n}": {b"": 0.9} for line in ("a\n", "b\n") for n in (1, 2)}
#: The small model writes "a, =1", the large one "b, =2", and =1 behind the small one's line.
SMALL_ROWS = {"": {b"a\n": 0.8, b"b\n": 0.1}, "a\n": {b"=1": 0.5, b"=2": 0.4}, "b\n": {b"=1": 0.5, b"=2": 0.4}}
LARGE_ROWS = {"": {b"a\n": 0.4, b"b\n": 0.5}, "a\n": {b"=2": 0.7}, "b\n": {b"=2": 0.7}}
SMALL = TableModel("small", WORDS, {**SMALL_ROWS, **END}, 1.0)
#: The same tokens in another order, so that its texts are handed over as bytes.
LARGE = TableModel("large", [b"", *WORDS[:0:-1]], {**LARGE_ROWS, **END}, 9.0)


class Known(Reward):
    """A reward whose values are written down."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def of(self, text: str, x: Floats) -> float:
        assert np.isfinite(x).all()
        return self.values[text.removeprefix(QUERY.prompt)]


def router(rewards: Mapping[str, float], **settings: float) -> tuple[RewardGuidedSteps, Meter]:
    meter = Meter([LARGE, SMALL])
    method = RewardGuidedSteps(meter.pool, Parameters(**settings))  # type: ignore[arg-type]
    method.reward_ = Known(rewards)
    meter.begin()
    return method, meter


@pytest.mark.parametrize(
    ("rewards", "text", "share", "models"),
    [
        ({"a\n": 0.7, "a\n=1": 0.7}, "a\n=1", 0.0, ["small"]),
        ({"a\n": 0.69, "b\n=1": 0.8}, "b\n=1", 0.5, ["small", "large"]),
        ({"a\n": 0.9, "a\n=1": 0.2}, "a\n=2", 0.5, ["small", "large"]),
        ({"a\n": 0.1, "b\n=1": 0.2}, "b\n=2", 1.0, ["small", "large"]),
    ],
)
def test_worked_by_hand(rewards: Mapping[str, float], text: str, share: float, models: list[str]) -> None:
    method, meter = router(rewards)
    assert method.answer(QUERY) == text
    assert method.share == share
    assert meter.end().models == models, "the large model is started when it is first needed"


def test_the_ends_of_the_threshold_ask_for_no_reward() -> None:
    method, meter = router({}, threshold=0.0)
    assert (method.answer(QUERY), method.share) == ("a\n=1", 0.0)
    method, meter = router({}, threshold=1.0)
    assert (method.answer(QUERY), method.share) == ("b\n=2", 1.0)
    assert meter.end().tokens_by_model["small"] == 0, "it writes nothing that is sure to be thrown away"


def test_no_more_steps_than_allowed_and_no_more_tokens() -> None:
    method, _ = router({"a\n": 0.9, "a\n=1": 0.9}, steps=1)
    assert method.answer(QUERY) == "a\n"
    method, _ = router({"a\n": 0.9, "a\n=1": 0.9})
    assert method.answer(Query("t/0", "math", "q ", "number", 1)) == "a\n"
    assert method.answer(Query("t/0", "math", "q ", "number", 9, ("a",))) == "a\n"


def test_features_worked_by_hand() -> None:
    steps = scored(TextSession(SMALL, "q "), [b"a\n", b"=1"], True)
    # "a" 0.8; "=1" 0.5 and then the end 0.9
    assert [s.tolist() for s in steps] == [
        pytest.approx([log(0.8)], abs=1e-6),
        pytest.approx([log(0.5), log(0.9)], abs=1e-6),
    ]
    mean, last = (log(0.8) + log(0.5) + log(0.9)) / 3, (log(0.5) + log(0.9)) / 2
    assert numbers(steps, 4, True) == pytest.approx([mean, last, log(0.5), log(2), log(5), 1], abs=1e-6)
    assert b"".join(steps_of("a\n\nb")) == b"a\n\nb"
    assert [len(s) for s in scored(TextSession(SMALL, "q "), [b"?", b"a\n"], False)] == [1, 1]


def training(labels: tuple[float, float]) -> TrainingSet:
    """Responses "a, =1" of the small model and "b, =2" of the large one, with these scores."""
    models = [SMALL, LARGE]
    queries = [Query(f"t/{i}", "math", f"q {i} ", "number") for i in range(12)]
    responses = [[Generation(m.name, t) for m, t in zip(models, ("a\n=1", "b\n=2"), strict=True)]] * 12
    cells = np.zeros((12, 2, 0))
    scores = np.array([labels] * 12)
    return TrainingSet(queries, ("small", "large"), responses, scores, np.zeros((12, 2)), [[[], []]] * 12, cells)


@pytest.mark.parametrize(("labels", "text"), [((1.0, 0.0), "a\n"), ((0.0, 1.0), "b\n")])
def test_the_reward_is_learned_from_the_scores_of_responses(labels: tuple[float, float], text: str) -> None:
    method = RewardGuidedSteps(Meter([SMALL, LARGE]).pool, Parameters(penalty=0.01))
    method.fit(training(labels))
    assert method.answer(QUERY)[:2] == text


def test_silent_training_responses_are_told() -> None:
    method = RewardGuidedSteps(Meter([SMALL, LARGE]).pool)
    train = training((1.0, 1.0))
    silent = [[Generation(g.model, "") for g in row] for row in train.responses]
    with pytest.raises(ValueError, match="training responses are all empty"):
        method.fit(
            TrainingSet(
                train.queries, train.models, silent, train.scores, train.costs, train.samples, train.sample_scores
            )
        )


def test_the_reward_agrees_with_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(60, 6)), rng.integers(0, 2, 60).astype(float)
    texts = [f"text {i % 7}" for i in range(60)]
    reward = Reward(32, 3.0).fit(texts, x, labels, np.ones(60))
    design = np.hstack([(x - x.mean(0)) / (x.std(0) + 1e-6), reward.embedder.transform(texts)])
    wanted = (
        linear.LogisticRegression(C=1 / 3, tol=1e-10, max_iter=5000).fit(design, labels).predict_proba(design)[:, 1]
    )
    assert [reward.of(t, row) for t, row in zip(texts, x, strict=True)] == pytest.approx(wanted, abs=1e-4)


class Strict(TableModel):
    """Writes on and on, and refuses a text that is longer than its context (start and prompt are two tokens)."""

    def logits(self, text: str) -> Logits:
        if len(text) + 2 > self.context:
            raise ValueError(f"{self.name}: the text is longer than the context")
        return np.log(np.array([0.01, 0.98, 0.01], np.float32))


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("contexts", [(6, 30), (30, 6)])
def test_the_response_ends_where_a_context_is_full(threshold: float, contexts: tuple[int, int]) -> None:
    models = [Strict(n, [b"", b"\n", b"x"], {}, p) for n, p in (("small", 1.0), ("large", 2.0))]
    models[0].context, models[1].context = contexts
    method = RewardGuidedSteps(Meter(models).pool, Parameters(threshold))
    method.reward_ = Known({"\n" * n: float(n % 2) for n in range(60)})
    answer = method.answer(Query("t/0", "t", "q ", "text", 50))
    assert set(answer) == {"\n"}
    assert len(answer) <= 50


def test_models_that_give_no_distributions_are_refused() -> None:
    with pytest.raises(TypeError, match="gives no token distributions"):
        RewardGuidedSteps(Meter([constant("a", "x"), constant("b", "y")]).pool).answer(QUERY)
