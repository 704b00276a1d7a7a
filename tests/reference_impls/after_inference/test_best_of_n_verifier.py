"""Best of n: merits by hand and by their definition, laws, and a verifier against a majority."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.best_of_n_verifier import BestOfNVerifier, Parameters, merits
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("q", "t", "name the river of a")
rows = st.lists(st.tuples(st.sampled_from(["7", "8", "9", None]), st.sampled_from([0.1, 0.4, 0.7, 0.9])), min_size=1)


def test_worked_by_hand() -> None:
    """7 has the best response, 8 the larger sum (0.6 + 0.5 = 1.1); the abstention has neither."""
    rewards, answers = np.array([0.9, 0.5, 0.6, 0.95]), ["7", "8", "8", None]
    assert merits(rewards, answers, "best").tolist() == [0.9, 0.5, 0.6, 0.0]
    assert merits(rewards, answers, "weighted").tolist() == [0.9, 0.0, 1.1, 0.0]


@given(rows)
def test_the_weighted_choice_by_its_definition(rows: list[tuple[str | None, float]]) -> None:
    answers, rewards = [a for a, _ in rows], np.array([r for _, r in rows])
    value = merits(rewards, answers, "weighted")
    given_answers = sorted({a for a in answers if a is not None})
    sums = {a: sum(r for b, r in rows if b == a) for a in given_answers}
    for answer in given_answers:
        mine = [i for i, a in enumerate(answers) if a == answer]
        assert value[mine].max() == pytest.approx(sums[answer])
        assert value[max(mine, key=lambda i: rewards[i])] == value[mine].max()


@given(rows)
def test_equal_rewards_make_it_a_vote(rows: list[tuple[str | None, float]]) -> None:
    answers = [a for a, _ in rows]
    value = merits(np.full(len(rows), 0.5), answers, "weighted")
    assert value == pytest.approx([0.0 if a is None else answers.count(a) / 2 for a in answers])


def training(n: int = 60) -> TrainingSet:
    """What begins with "surely" is right; two models that never say it agree with each other."""
    queries = [Query(f"t/{i}", "t", f"name the river of {'abc'[i % 3]}") for i in range(n)]
    rows = [[Generation("a", "maybe Lim"), Generation("b", "maybe Lim"), Generation("c", "surely Oro")]] * n
    scores = np.array([[0.0, 0.0, 1.0]] * n)
    return TrainingSet(
        queries, ("a", "b", "c"), rows, scores, np.ones((n, 3)), [[[], [], []]] * n, np.zeros((n, 3, 0))
    )


@pytest.mark.parametrize("decision", ["best", "weighted"])
def test_a_verifier_overrules_the_majority(decision: str) -> None:
    meter = Meter([constant("a", "maybe Lim"), constant("b", "maybe Lim"), constant("c", "surely Oro")])
    method = BestOfNVerifier(meter.pool, Parameters(decision=decision, embedding=16))
    method.fit(training())
    meter.begin()
    assert method.answer(QUERY) == "surely Oro"
    assert meter.end().calls == 3


def test_more_samples_of_one_model() -> None:
    """n samples of a pool of one: the one that says surely is found among the others."""
    model = ScriptedModel("c", lambda _p, k: ("surely Oro" if k == 3 else "maybe Lim", -1.0))
    method = BestOfNVerifier(Meter([model]).pool, Parameters(samples=5, temperature=0.7, embedding=16))
    method.fit(training().of(["c"]))
    assert method.answer(QUERY) in ("surely Oro", "maybe Lim"), "nothing is learned from a model that is always right"
    method = BestOfNVerifier(Meter([model]).pool, Parameters(samples=5, temperature=0.7, embedding=16))
    mixed = training()
    method.fit(TrainingSet(
        mixed.queries, ("c",), [[row[2 * (i % 2)]] for i, row in enumerate(mixed.responses)],
        np.array([[float(i % 2)] for i in range(60)]), np.ones((60, 1)), [[[]]] * 60, np.zeros((60, 1, 0)),
    ))  # fmt: skip
    assert method.answer(QUERY) == "surely Oro"


def test_an_abstention_never_wins() -> None:
    method = BestOfNVerifier(Meter([constant("a", " "), constant("b", "maybe Lim")]).pool, Parameters(embedding=16))
    method.fit(training().of(["a", "b"]))
    assert method.answer(QUERY) == "maybe Lim"
    with pytest.raises(ValueError, match="no decision 'wieghted'; did you mean 'weighted'"):
        BestOfNVerifier(method.pool, Parameters(decision="wieghted"))
