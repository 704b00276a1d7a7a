"""Quantile deferral: features by hand, Chow's rules as special cases, the rate at its ends, scikit-learn's ridge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.quantile_deferral import (
    Parameters,
    QuantileDeferral,
    best_rate,
    features,
    threshold,
)
from reference_impls.core import Floats, Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

Logs = tuple[float, ...]
QUERY = Query("q", "t", "what?")


def training(logprobs: list[Logs], scores: Floats) -> TrainingSet:
    queries = [Query(f"t/{i}", "t", "p") for i in range(len(logprobs))]
    dear = Generation("dear", "large", ("x",), (-0.1,))
    responses = [[dear, Generation("cheap", "small", ("x",) * len(logs), logs)] for logs in logprobs]
    n = len(logprobs)
    return TrainingSet(
        queries, ("dear", "cheap"), responses, scores[:, ::-1], np.ones((n, 2)), [[[], []]] * n, np.zeros((n, 2, 0))
    )


def fitted(train: TrainingSet, **parameters: object) -> QuantileDeferral:
    pool = Meter([constant("dear", "large", 9.0), constant("cheap", "small", 1.0)]).pool
    method = QuantileDeferral(pool, Parameters(**parameters))  # type: ignore[arg-type]
    method.fit(train)
    return method


def some(n: int = 40) -> TrainingSet:
    """Responses of random length; the large model gains where a token is doubtful."""
    rng = np.random.default_rng(0)
    logprobs = [tuple((-rng.exponential(size=rng.integers(2, 12))).tolist()) for _ in range(n)]
    scores = np.array([[float(min(logs) > -2.0), 1.0] for logs in logprobs])
    return training(logprobs, scores)


def deferred(method: QuantileDeferral, train: TrainingSet) -> list[bool]:
    return [method.deferral(row[1].logprobs) > method.threshold_ for row in train.responses]


def test_features_by_hand() -> None:
    """u = 4, 1, 2, sorted 1, 2, 4: the quantile at 0.75 is half way between 2 and 4; sum 7, mean 7/3, 3 tokens."""
    assert features([-4.0, -1.0, -2.0], [0, 0.5, 0.75, 1]) == pytest.approx([1, 2, 3, 4, 7, 7 / 3, 3])


def test_worked_by_hand() -> None:
    """Sums of uncertainties 3, 2, 1.5, 8 and means 1, 2, 1.5, 0.8: a quarter deferred is one query of four.

    Chow-sum defers the long sure response, Chow-average the short doubtful one, the quantile at 1 the doubtful token.
    """
    train = training([(-1.0,) * 3, (-2.0,), (-1.5,), (-0.8,) * 10], np.zeros((4, 2)))
    for rule, expected in (("chow-sum", 3), ("chow-average", 1), ("chow-quantile", 1)):
        method = fitted(train, rule=rule, rate=0.25)
        assert np.flatnonzero(deferred(method, train)).tolist() == [expected]
    train = training([(-1.0,) * 3, (-2.0,), (-3.0, 0.0, 0.0), (-0.8,) * 10], np.zeros((4, 2)))
    assert deferred(fitted(train, rule="chow-quantile", rate=0.25), train).index(True) == 2


@pytest.mark.parametrize(("rule", "column"), [("chow-sum", -3), ("chow-average", -2), ("chow-quantile", -4)])
def test_chow_rules_are_special_cases_of_the_learned_one(rule: str, column: int) -> None:
    """Where the gain rises with one feature alone, the learned rule orders responses as the rule of that feature."""
    train = some()
    parameters = Parameters()
    values = np.array([features(row[1].logprobs, parameters.levels)[column] for row in train.responses])
    gains = values / values.max()
    same = training([row[1].logprobs for row in train.responses], np.stack([np.zeros(40), gains], 1))
    learned = fitted(same, rate=0.3, penalty=1e-9)
    chow = fitted(train, rule=rule, rate=0.3)
    assert deferred(learned, train) == deferred(chow, train)
    assert sum(deferred(chow, train)) == 12


@pytest.mark.parametrize("rule", ["learned", "chow-sum", "chow-average", "chow-quantile"])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.73, 1.0])
def test_the_rate_is_met_on_the_training_queries(rule: str, rate: float) -> None:
    train = some(100)
    assert sum(deferred(fitted(train, rule=rule, rate=rate), train)) == round(100 * rate)


@pytest.mark.parametrize(("rate", "models"), [(0.0, ["cheap"]), (1.0, ["cheap", "dear"])])
def test_the_ends_are_all_small_and_all_large(rate: float, models: list[str]) -> None:
    meter = Meter([constant("dear", "large", 9.0), constant("cheap", "small", 1.0)])
    method = QuantileDeferral(meter.pool, Parameters(rate=rate))
    method.fit(some())
    meter.begin()
    assert method.answer(QUERY) == ("small" if rate == 0 else "large")
    assert meter.end().models == models


def test_the_learned_rule_finds_the_doubtful_token() -> None:
    cheap = ScriptedModel("cheap", lambda p, _s: ("a b", -4.0 if "hard" in p else -0.1), 1.0)
    method = QuantileDeferral(Meter([constant("dear", "large", 9.0), cheap]).pool)
    method.fit(some())
    assert method.answer(Query("q", "t", "easy")) == "a b"
    assert method.answer(Query("q", "t", "hard")) == "large"


def test_ties_defer_less_never_more() -> None:
    assert threshold(np.array([1.0, 1.0, 1.0, 0.0]), 0.5) == 1.0


def test_responses_without_log_probabilities() -> None:
    cheap = ScriptedModel("cheap", lambda _p, _s: ("", -1.0), 1.0)
    method = QuantileDeferral(Meter([constant("dear", "large", 9.0), cheap]).pool)
    method.fit(some())
    assert method.answer(QUERY) == "large"
    with pytest.raises(ValueError, match="'cheap' gives no log-probabilities"):
        method.fit(training([()] * 3, np.zeros((3, 2))))
    with pytest.raises(ValueError, match="no rule 'chow'"):
        QuantileDeferral(method.pool, Parameters(rule="chow"))


def test_it_agrees_with_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    train = some()
    method = fitted(train, penalty=3.0)
    x = np.array([features(row[1].logprobs, method.parameters.levels) for row in train.responses])
    scaled = preprocessing.StandardScaler().fit_transform(x)
    theirs = linear.Ridge(alpha=3.0).fit(scaled, train.scores[:, 0] - train.scores[:, 1]).predict(scaled)
    assert [method.deferral(row[1].logprobs) for row in train.responses] == pytest.approx(theirs)


def test_one_model_is_that_model() -> None:
    meter = Meter([constant("only", "alone")])
    method = QuantileDeferral(meter.pool)
    method.fit(TrainingSet([QUERY], ("only",), [[Generation("only", "a", ("a",), (-1.0,))]], np.ones((1, 1)),
                           np.ones((1, 1)), [[[]]], np.zeros((1, 1, 0))))  # fmt: skip
    meter.begin()
    assert method.answer(QUERY) == "alone"
    assert meter.end().calls == 1


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4]), st.sampled_from([-1.0, 0.0, 1.0])), min_size=1, max_size=9
    )
)
def test_the_best_rate_gains_most_of_all_thresholds(rows: list[tuple[float, float]]) -> None:
    scores, gain = np.array(rows).T
    rate = best_rate(scores, gain)
    reached = gain[scores > threshold(scores, rate)].sum()
    assert reached == max(gain[scores > t].sum() for t in (-1.0, 0.1, 0.2, 0.3, 0.4))


@pytest.mark.parametrize("rule", ["learned", "chow-sum"])
def test_by_default_it_knows_when_to_leave_all_to_one_model(rule: str) -> None:
    logprobs: list[Logs] = [(-float(i),) for i in range(1, 21)]
    for small, large, asked in ((0.0, 1.0, 20), (1.0, 0.0, 0), (1.0, 1.0, 0)):
        train = training(logprobs, np.tile([small, large], (20, 1)))
        assert sum(deferred(fitted(train, rule=rule), train)) == asked
    doubtful = training(logprobs, np.array([[float(i < 15), 1.0 if i >= 15 else 0.0] for i in range(20)]))
    assert sum(deferred(fitted(doubtful, rule=rule), doubtful)) == 5
