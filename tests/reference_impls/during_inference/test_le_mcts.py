"""LE-MCTS: selection, back-up and features by hand; a search whose best path is known; the verifier; determinism."""

from collections.abc import Mapping, Sequence
from math import log, sqrt

import numpy as np
import pytest

from reference_impls.core import Floats, Generation, Logits, Meter, Query, TextSession, TrainingSet
from reference_impls.during_inference.le_mcts import (
    LEMCTS,
    Node,
    Parameters,
    Verifier,
    back_up,
    close,
    numbers,
    score_steps,
    select,
    steps_of,
    uct,
)
from tests.reference_impls.fakes import TableModel, constant

QUERY = Query("t/0", "math", "q ", "number", 20)
VOCABULARY = [b"", b"a\n", b"b\n", b"=1", b"=2"]
END = {f"{line}={n}": {b"": 0.9} for line in ("a\n", "b\n") for n in (1, 2)}
#: Alone, FIRST writes "a, =1" and SECOND "b, =2".
FIRST_ROWS = {"": {b"a\n": 0.8, b"b\n": 0.1}, "a\n": {b"=1": 0.5, b"=2": 0.4}, "b\n": {b"=1": 0.5, b"=2": 0.4}}
SECOND_ROWS = {"": {b"a\n": 0.4, b"b\n": 0.5}, "a\n": {b"=1": 0.2, b"=2": 0.7}, "b\n": {b"=1": 0.2, b"=2": 0.7}}
FIRST = TableModel("first", VOCABULARY, {**FIRST_ROWS, **END}, 2.0)
SECOND = TableModel("second", [b"", *VOCABULARY[:0:-1]], {**SECOND_ROWS, **END}, 1.0)


class Rewards(Verifier):
    """A verifier whose values are written down."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def predict(self, texts: Sequence[str], x: Floats) -> Floats:
        assert np.isfinite(x).all()
        return np.array([self.values.get(t.removeprefix(QUERY.prompt), 0.1) for t in texts])


#: "b" looks better than "a" at first, but the best response is "a" (FIRST's) with "=2" (SECOND's).
REWARDS = {"a\n": 0.5, "b\n": 0.6, "a\n=1": 0.4, "a\n=2": 0.9, "b\n=1": 0.3, "b\n=2": 0.45}


def search(*models: TableModel, seed: int = 0, rewards: Mapping[str, float] = REWARDS, **settings: float) -> LEMCTS:
    parameters = Parameters(**{"temperature": 0.0, "branches": 2, **settings})  # type: ignore[arg-type]
    method = LEMCTS(Meter(models).pool, parameters, np.random.default_rng(seed))
    method.verifier_ = Rewards(rewards)
    return method


def leaf(value: float, visits: int = 1, closed: bool = False) -> Node:
    return Node(value=value, visits=visits, untried=[] if closed else [0], closed=closed)


def test_selection_worked_by_hand() -> None:
    assert uct(0.6, 2, 8, 0.5) == pytest.approx(0.6 + 0.5 * sqrt(log(8) / 2))
    rare, known = leaf(0.5, 1), leaf(0.6, 6)
    root = Node(visits=8, children=[rare, known])
    # C = 0.5: 0.5 + 0.5 sqrt(ln 8 / 1) = 1.221 beats 0.6 + 0.5 sqrt(ln 8 / 6) = 0.894; at C = 0 the value decides.
    assert select(root, 0.5) == [root, rare]
    assert select(root, 0.0) == [root, known]
    known.closed = True
    assert select(root, 0.0) == [root, rare], "what is closed is not selected"
    root.untried = [1]
    assert select(root, 0.5) == [root], "not fully expanded"


def test_the_back_up_takes_the_best_child_worked_by_hand() -> None:
    middle = Node(value=0.5, visits=1, children=[leaf(0.9)])
    root = Node(value=0.5, visits=1, children=[middle, leaf(0.6)])
    back_up([root, middle])
    # By hand: middle is now (1 * 0.5 + 0.9) / 2 = 0.7, and the root (1 * 0.5 + max(0.7, 0.6)) / 2 = 0.6.
    assert (middle.value, root.value) == pytest.approx((0.7, 0.6))
    middle.children.append(leaf(0.1))
    back_up([root, middle])
    # The new child is bad, but the best one counts: (2 * 0.7 + 0.9) / 3 = 0.7667, (2 * 0.6 + 0.7667) / 3 = 0.6556
    assert (middle.value, root.value) == pytest.approx((2.3 / 3, (1.2 + 2.3 / 3) / 3))
    assert (middle.visits, root.visits) == (3, 3)


def test_closing_stops_at_what_is_open() -> None:
    middle = Node(children=[leaf(0.9, closed=True)])
    root = Node(children=[middle, leaf(0.6)])
    close([root, middle])
    assert (middle.closed, root.closed) == (True, False)


def test_features_worked_by_hand() -> None:
    text = TextSession(FIRST, "q ")
    steps = score_steps(text, [b"a\n", b"=1"], True)
    # "a" 0.8; "=1" 0.5 and then the end 0.9
    assert [s.tolist() for s in steps] == [
        pytest.approx([log(0.8)], abs=1e-6),
        pytest.approx([log(0.5), log(0.9)], abs=1e-6),
    ]
    mean, last = (log(0.8) + log(0.5) + log(0.9)) / 3, (log(0.5) + log(0.9)) / 2
    assert numbers([steps], 4, True) == pytest.approx([mean, last, log(2), log(5), 1], abs=1e-6)
    assert numbers([steps[:1], steps[:1]], 2, False) == pytest.approx([log(0.8)] * 4 + [0, log(3), 0], abs=1e-6)
    assert b"".join(steps_of("a\n\nb", False)) == b"a\n\nb"
    assert steps_of("", True) == [b""]


@pytest.mark.parametrize("seed", range(6))
def test_the_search_finds_the_best_path_of_both_models(seed: int) -> None:
    # Two lines x two results; with 6 steps written the whole tree is seen, whatever the order of the models.
    assert search(FIRST, SECOND, seed=seed).answer(QUERY) == "a\n=2"
    assert search(SECOND, FIRST, seed=seed).answer(QUERY) == "a\n=2"
    # Greedy in the values (C = 0) and short of steps, a line overrated at 0.9 keeps it below "b": after "=1" (0.3)
    # the value of "b" is (0.9 + 0.3) / 2 = 0.6, after "=2" (0.9 + 0.45) / 2 = 0.675, both over 0.5 of "a".
    misled = search(FIRST, SECOND, seed=seed, rewards={**REWARDS, "b\n": 0.9}, exploration=0.0, iterations=4)
    assert misled.answer(QUERY) == "b\n=2"


@pytest.mark.parametrize("seed", range(6))
def test_without_a_finished_response_the_best_leaf_is_completed(seed: int) -> None:
    # Two iterations write "a" and "b" only: on from "b" (0.6), its best child is "=2".
    assert search(FIRST, SECOND, seed=seed, iterations=2).answer(QUERY) == "b\n=2"
    assert search(FIRST, SECOND, seed=seed, iterations=0).answer(QUERY) == "b\n=2"


def test_one_model_alone_and_greedy_is_that_model() -> None:
    for model in (FIRST, SECOND):
        assert search(model, branches=3).answer(QUERY) == model.generate("q")[0].text


def test_one_seed_gives_one_response() -> None:
    flat = dict.fromkeys(REWARDS, 0.5)

    def answers() -> list[str]:
        return [
            search(FIRST, SECOND, seed=s, rewards=flat, temperature=1.0, iterations=5).answer(QUERY)
            for s in range(12)
        ]

    first = answers()
    assert first == answers()
    assert len(set(first)) > 1, "it does sample"


def test_token_limit_stop_text_and_context() -> None:
    endless = TableModel("endless", VOCABULARY, {"a\n" * i: {b"a\n": 0.9} for i in range(50)}, 1.0)
    assert search(endless).answer(Query("t/0", "math", "q ", "number", 7)) == "a\n" * 7
    assert search(FIRST).answer(Query("t/0", "math", "q ", "number", 9, ("a",))) == "a\n"

    class Short(TableModel):
        """A model that takes one line and no more."""

        def logits(self, text: str) -> Logits:
            if text.count("\n") > 0:
                raise ValueError("the text is longer than the context")
            return super().logits(text)

    assert search(Short("short", VOCABULARY, FIRST_ROWS)).answer(QUERY) == "a\n"


def training(right: str, wrong: str) -> TrainingSet:
    """Eight queries; FIRST's response is right, SECOND's wrong, samples likewise."""
    texts = (right, wrong)
    responses = [[Generation(n, t) for n, t in zip(("first", "second"), texts, strict=True)]] * 8
    # A second sample that was cut before its first token teaches nothing and does no harm.
    samples = [[[g, Generation(g.model, "", finished=False)] for g in row] for row in responses]
    queries = [Query(f"t/{i}", "t", "q ") for i in range(8)]
    scores = np.tile([1.0, 0.0], (8, 1))
    return TrainingSet(
        queries, ("first", "second"), responses, scores, scores, samples, np.stack([scores, scores * 0], -1)
    )


@pytest.mark.parametrize(("right", "wrong"), [("a\n=1", "b\n=2"), ("b\n=2", "a\n=1")])
def test_the_verifier_learns_which_prefixes_end_right(right: str, wrong: str) -> None:
    method = LEMCTS(Meter([FIRST, SECOND]).pool, Parameters(temperature=0.0, dimensions=64, penalty=1.0))
    method.fit(training(right, wrong))

    def reward(text: str) -> list[float]:
        starts, steps = [TextSession(m, "q ") for m in (FIRST, SECOND)], steps_of(text, True)
        scored = [score_steps(start, steps, True) for start in starts]
        result = []
        for n in (1, 2):
            prefix = b"".join(steps[:n])
            x = numbers([s[:n] for s in scored], len(prefix), n == 2)[None]
            result.append(float(method.verifier_.predict(["q " + prefix.decode()], x)[0]))
        return result

    assert min(reward(right)) > 0.8
    assert max(reward(wrong)) < 0.2
    assert method.answer(QUERY) == right


def test_labels_are_weighted_by_response_and_values_are_probabilities() -> None:
    # The same text both right (3 of 4) and wrong: the verifier says the share, whatever the number of steps.
    x = np.zeros((4, 5))
    verifier = Verifier(16, 1.0).fit(["t"] * 4, x, np.array([1, 1, 1, 0.0]), np.ones(4))
    assert verifier.predict(["t"], x[:1]) == pytest.approx(0.75, abs=1e-3)
    assert 0 <= verifier.predict(["other"], np.full((1, 5), 1e9))[0] <= 1


def test_every_model_is_metered_and_answers_only_are_refused() -> None:
    meter = Meter([FIRST, SECOND])
    method = LEMCTS(meter.pool, Parameters(temperature=0.0))
    method.verifier_ = Rewards(REWARDS)
    meter.begin()
    method.answer(QUERY)
    usage = meter.end()
    assert set(usage.models) == {"first", "second"}
    # Two sessions; six different steps ("a", "b", two results each), each scored by both models; the third try of
    # a node repeats a step and is not scored.
    assert usage.calls == 2 + 6 * 2
    with pytest.raises(TypeError, match="no token distributions"):
        LEMCTS(Meter([constant("a", "x")]).pool).answer(QUERY)
