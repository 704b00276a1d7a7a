"""The metrics: cases worked by hand, laws, independent implementations, and published numbers of real models."""

from __future__ import annotations

import csv
import doctest
import itertools
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.core.model import Floats
from reference_impls.core.stats import bootstrap, bootstrap_interval
from reference_impls.measuring import metrics
from reference_impls.measuring.metrics import Interval

SCORES = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
COSTS = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0], [1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])

# --- single choices ---------------------------------------------------------------------------------------------


def test_choices_by_hand() -> None:
    choices = np.array([0, 1, 0, 2])
    assert metrics.accuracy(SCORES, choices) == 0.5  # right, right, wrong, wrong
    assert metrics.mean_cost(COSTS, choices) == 2.0  # 1 + 2 + 1 + 4
    assert metrics.strong_share(choices, 2) == 0.25
    # the oracle is right on three; the second query at the cheaper of two, the last at the cheapest of all
    assert metrics.oracle(SCORES, COSTS) == (0.75, (1 + 2 + 4 + 1) / 4)
    assert np.isnan(metrics.oracle(SCORES)[1])
    assert metrics.gain(0.6, 0.5) == pytest.approx(0.2)
    assert metrics.gap_at_oracle(0.6, 0.8) == pytest.approx(0.25)


def test_the_best_single_model_of_equal_ones_is_the_cheaper() -> None:
    assert metrics.best_single(SCORES) == 2
    assert metrics.best_single(SCORES[:2]) == 0
    assert metrics.best_single(SCORES[:2], COSTS[:2, ::-1]) == 2


def test_the_best_single_model_of_incomplete_scores_is_refused() -> None:
    with pytest.raises(ValueError, match=r"models \[1\] lack scores"):
        metrics.best_single(np.array([[1.0, np.nan], [0.0, 1.0]]))


def test_regret_by_hand() -> None:
    rewards = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])  # the second arm is the best fixed one
    regret = metrics.cumulative_regret(rewards, np.array([0, 0, 1]))
    assert regret.tolist() == [-1.0, 0.0, 0.0]


@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_no_router_beats_the_oracle_and_the_best_arm_has_no_regret(n: int, models: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, choices = rng.random((n, models)), rng.integers(models, size=n)
    assert metrics.accuracy(scores, choices) <= metrics.oracle(scores)[0] + 1e-12
    best = np.full(n, metrics.best_single(scores))
    assert metrics.cumulative_regret(scores, best)[-1] == pytest.approx(0)
    assert metrics.gap_at_oracle(metrics.accuracy(scores, best), metrics.oracle(scores)[0]) >= -1e-12


def test_the_examples_in_the_docstrings() -> None:
    outcome = doctest.testmod(metrics)
    assert outcome.attempted >= 3
    assert not outcome.failed


# --- a router between two models --------------------------------------------------------------------------------

WEAK = np.array([1.0, 0.0, 0.0, 1.0])
STRONG = np.array([1.0, 1.0, 1.0, 0.0])


def test_a_threshold_curve_by_hand() -> None:
    # weak 2/4, strong 3/4. In order: the second query (+1), the first (0), the last (-1), the third (+1)
    curve = metrics.threshold_curve([0.8, 0.9, 0.1, 0.5], WEAK, STRONG)
    assert curve.tolist() == [[0, 0.5], [0.25, 0.75], [0.5, 0.75], [0.75, 0.5], [1, 0.75]]
    # PGR 0 1 1 0 1: (0.5 + 1 + 0.5 + 0.5) / 4
    assert metrics.apgr(curve) == pytest.approx(0.625)
    assert metrics.cpt(curve, 0.5) == pytest.approx(0.125)
    # a dollar for the weak model, three for the strong one
    paid = metrics.threshold_curve([0.8, 0.9, 0.1, 0.5], WEAK, STRONG, 1.0, np.full(4, 3.0))
    assert paid[:, 0].tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]
    assert paid[:, 1].tolist() == curve[:, 1].tolist()


def test_the_first_crossing_counts_where_the_curve_falls() -> None:
    curve = np.array([[0.0, 0.0], [0.2, 0.6], [0.4, 0.2], [1.0, 1.0]])
    # between 0 and 0.2: 0.2 * 0.5 / 0.6; an inverse interpolation over quality would find 0.4 + 0.6 * 0.3 / 0.8
    assert metrics.cpt(curve, 0.5) == pytest.approx(1 / 6)
    assert metrics.cpt(curve, 0.8) == pytest.approx(0.4 + 0.6 * 0.6 / 0.8)
    assert metrics.cpt(curve, 0.0) == 0.0
    assert metrics.cpt(curve, 1.0) == 1.0
    assert metrics.cpt(curve, 1.01) is None
    assert metrics.cpt(curve[:3], 0.8, weak=0.0, strong=1.0) is None


def test_nothing_is_recovered_where_there_is_no_gap() -> None:
    curve = metrics.threshold_curve([1.0, 2.0], [1.0, 0.0], [0.0, 1.0])
    assert metrics.cpt(curve, 0.5) is None
    assert np.isnan(metrics.apgr(curve))
    assert np.isnan(metrics.pgr(0.5, 0.5, 0.5))


def test_a_router_without_a_score_is_refused() -> None:
    with pytest.raises(ValueError, match="scored 1 queries nan"):
        metrics.threshold_curve([np.nan, 1.0], [0.0, 0.0], [1.0, 1.0])


def test_deciles_as_the_papers_code_takes_them() -> None:
    # Ten different scores: the thresholds lie at 9 equally spaced places between them, so that 10, 9, ..., 1 queries
    # reach them (the highest at the last but one), and none is above the last.
    curve = metrics.decile_curve(np.arange(10.0), np.zeros(10), np.ones(10))
    assert curve[:, 0].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert curve[:, 1].tolist() == curve[:, 0].tolist()
    # Two scores only: every threshold but the last sends the higher group or everything.
    coarse = metrics.decile_curve(np.array([0.0, 0.0, 1.0, 1.0]), WEAK, STRONG)
    assert sorted({tuple(point) for point in coarse.tolist()}) == [(0.0, 0.5), (0.5, 0.5), (1.0, 0.75)]
    assert metrics.apgr(coarse) == pytest.approx(0.25)


def test_equal_shares_cut_the_corners() -> None:
    curve = np.array([[0.0, 0.0], [0.25, 1.0], [1.0, 1.0]])
    assert metrics.equal_shares(curve, 3).tolist() == [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0]]
    assert metrics.apgr(curve) == 0.875
    assert metrics.apgr(metrics.equal_shares(curve, 3)) == 0.75


routed = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=1, max_size=30)


@given(routed)
def test_laws_of_a_threshold_curve(rows: list[tuple[int, bool, bool]]) -> None:
    router, weak, strong = (np.array(column, float) for column in zip(*rows, strict=True))
    curve = metrics.threshold_curve(router, weak, strong)
    assert curve[0].tolist() == pytest.approx([0, weak.mean()])
    assert curve[-1].tolist() == pytest.approx([1, strong.mean()])
    shuffled = np.random.default_rng(len(rows)).permutation(len(rows))
    assert metrics.threshold_curve(router[shuffled], weak[shuffled], strong[shuffled]) == pytest.approx(curve)
    if strong.mean() <= weak.mean():
        assert np.isnan(metrics.apgr(curve))
        return
    # a router without any information has 0.5, and one and its reverse are as far from it on both sides
    flat = metrics.threshold_curve(np.zeros(len(rows)), weak, strong)
    assert metrics.apgr(flat) == pytest.approx(0.5)
    assert metrics.cpt(flat, 0.8) == pytest.approx(0.8)
    reverse = metrics.threshold_curve(-router, weak, strong)
    assert metrics.apgr(curve) + metrics.apgr(reverse) == pytest.approx(1)
    best = metrics.threshold_curve(strong - weak, weak, strong)
    assert metrics.apgr(best) >= metrics.apgr(curve) - 1e-9
    for part in (0.2, 0.5, 0.8):
        share = metrics.cpt(curve, part)
        assert share is not None
        level = [
            metrics.pgr(float(np.interp(c, *curve.T)), weak.mean(), strong.mean()) for c in (share, *curve[:, 0])
        ]
        assert level[0] == pytest.approx(part)
        assert all(p < part + 1e-9 for p, c in zip(level[1:], curve[:, 0], strict=True) if c < share - 1e-9)


def test_between_tied_queries_the_curve_is_the_expectation_over_their_orders() -> None:
    router = np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    weak, strong = np.array([0.0, 0, 1, 0, 0]), np.array([1.0, 1, 0, 1, 1])
    paths = []
    for tied in itertools.permutations([1, 2, 3]):
        order = [0, *tied, 4]
        paths.append(np.concatenate(([weak.sum()], weak.sum() + np.cumsum((strong - weak)[order]))) / 5)
    curve = metrics.threshold_curve(router, weak, strong)
    assert len(curve) == 4  # one step for each of three groups
    assert np.interp(np.arange(6) / 5, *curve.T) == pytest.approx(np.mean(paths, 0))


# --- cost and quality -------------------------------------------------------------------------------------------

points_of = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=12)


def test_the_pareto_front_by_hand() -> None:
    points = np.array([[2.0, 0.5], [1.0, 0.5], [3.0, 0.9], [3.0, 0.8], [1.0, 0.5], [4.0, 0.9]])
    assert metrics.pareto_front(points).tolist() == [1, 4, 2]


@given(points_of)
def test_the_pareto_front_is_what_nothing_dominates(pairs: list[tuple[int, int]]) -> None:
    points = np.array(pairs, float)
    free = [i for i, (c, q) in enumerate(pairs) if not any(d <= c and r >= q and (d, r) != (c, q) for d, r in pairs)]
    front = metrics.pareto_front(points)
    assert sorted(front.tolist()) == free
    assert (np.diff(points[front, 0]) >= 0).all()


def test_aiq_by_hand() -> None:
    # The hull leaves out (2, 0.3), which lies under the line from (1, 0.2) to (3, 0.8), and (4, 0.7), which falls:
    # area 2 * 0.5 to 3, then 1 * 0.8 to 4.
    points = np.array([[4.0, 0.7], [1.0, 0.2], [2.0, 0.3], [3.0, 0.8]])
    assert metrics.quality_hull(points).tolist() == [[1.0, 0.2], [3.0, 0.8]]
    assert metrics.aiq(points) == pytest.approx(1.8 / 4)
    assert metrics.aiq(points, largest=8.0) == pytest.approx((1.0 + 5 * 0.8) / 8)
    with pytest.raises(ValueError, match="largest cost is 2"):
        metrics.aiq(points, largest=2.0)


@given(points_of)
def test_the_hull_is_the_best_mixture_of_two_points(pairs: list[tuple[int, int]]) -> None:
    points = np.array(pairs, float)
    hull = metrics.quality_hull(points)
    for x in np.linspace(points[:, 0].min(), points[:, 0].max(), 9):
        mixtures = [
            q if c == d else q + (r - q) * (min(x, d) - c) / (d - c)
            for (c, q), (d, r) in itertools.product(pairs, repeat=2)
            if c <= x and c <= d
        ]
        assert np.interp(x, *hull.T) == pytest.approx(max(mixtures), abs=1e-9)


@given(points_of, st.tuples(st.integers(1, 9), st.integers(0, 9)))
def test_a_further_point_never_lowers_aiq(pairs: list[tuple[int, int]], more: tuple[int, int]) -> None:
    before, after = np.array(pairs, float), np.array([*pairs, more], float)
    assert metrics.aiq(after, 9.0) >= metrics.aiq(before, 9.0) - 1e-12
    assert metrics.aiq(after[::-1], 9.0) == pytest.approx(metrics.aiq(after, 9.0))


def test_the_area_of_cascade_routing_by_hand() -> None:
    singles = np.array([[1.0, 0.4], [3.0, 0.6], [5.0, 0.8]])
    # from the lowest single quality 0.4 at 1 to 0.6 at 2, to 0.8 at 3, held to 5: 0.5 + 0.7 + 1.6 over 4
    assert metrics.cost_quality_area(np.array([[3.0, 0.8], [2.0, 0.6]]), singles) == pytest.approx(2.8 / 4)
    # what lies outside the range is cut off: from 0 to 6 along a line, 0.5 at 1 and 0.9 at 5
    assert metrics.cost_quality_area(np.array([[0.0, 0.4], [6.0, 1.0]]), singles) == pytest.approx(0.7)
    assert metrics.cost_quality_area(metrics.quality_hull(singles), singles) == pytest.approx(0.6)
    with pytest.raises(ValueError, match="no range of costs"):
        metrics.cost_quality_area(singles, singles[:1])


# --- confidence -------------------------------------------------------------------------------------------------


def test_risk_and_coverage_by_hand() -> None:
    # right, wrong, right in order of confidence: risks 0, 1/2, 1/3
    curve = metrics.risk_coverage([0.1, 0.9, 0.5], [1, 1, 0])
    assert curve == pytest.approx(np.array([[1 / 3, 0], [2 / 3, 1 / 2], [1, 1 / 3]]))
    assert metrics.aurc([0.1, 0.9, 0.5], [1, 1, 0]) == pytest.approx((1 / 2 + 1 / 3) / 3)


answered = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6)


@given(answered)
def test_ties_in_confidence_count_as_their_expectation(rows: list[tuple[int, bool]]) -> None:
    confidence, correct = (np.array(column, float) for column in zip(*rows, strict=True))
    n = len(rows)
    orders = [o for o in itertools.permutations(range(n)) if (np.diff(confidence[list(o)]) <= 0).all()]
    risks = [np.cumsum(1 - correct[list(o)]) / np.arange(1, n + 1) for o in orders]
    assert metrics.risk_coverage(confidence, correct)[:, 1] == pytest.approx(np.mean(risks, 0))
    assert metrics.aurc(confidence, correct) == pytest.approx(np.mean(risks))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auroc_agrees_with_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    confidence, correct = ([row[i] for row in rows] for i in (0, 1))
    ours = metrics.auroc(confidence, correct)
    if len(set(correct)) == 1:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(sklearn.metrics.roc_auc_score(correct, confidence))


def test_calibration_error_by_hand() -> None:
    # bin 0.9 to 1: two answers, one right, mean confidence 0.95; bin 0.2 to 0.3: one answer, wrong, 0.2
    assert metrics.calibration_error([0.9, 1.0, 0.2], [1, 0, 0]) == pytest.approx(2 / 3 * 0.45 + 1 / 3 * 0.2)
    assert metrics.calibration_error([0.5] * 4, [1, 0, 1, 0]) == pytest.approx(0)
    assert metrics.calibration_error([0.85, 0.95], [1, 0]) == pytest.approx((0.15 + 0.95) / 2)  # two bins
    with pytest.raises(ValueError, match="probabilities"):
        metrics.calibration_error([1.2], [1])


# --- intervals --------------------------------------------------------------------------------------------------


def test_an_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).exponential(size=80)
    ours = bootstrap(lambda rows: float(values[rows].std()), 80, np.random.default_rng(2), 4000)
    theirs = scipy.stats.bootstrap(
        (values,), np.std, n_resamples=4000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.03)
    assert ours.high == pytest.approx(theirs.high, abs=0.03)
    assert ours.undefined == 0


def test_an_interval_of_the_mean_is_about_two_standard_errors_wide() -> None:
    values = np.random.default_rng(1).normal(size=400)
    low, high = bootstrap_interval(values.tolist(), np.random.default_rng(2))
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.08)
    assert low < values.mean() < high
    assert bootstrap_interval([0.25] * 5, np.random.default_rng(0)) == (0.25, 0.25)


def test_resamples_without_a_value_are_counted_apart() -> None:
    correct = np.array([1, 1, 0])
    confidence = np.array([0.9, 0.8, 0.1])
    found = bootstrap(lambda rows: metrics.auroc(confidence[rows], correct[rows]), 3, np.random.default_rng(0), 3000)
    # all three the wrong one, or none: (1 + 8) / 27
    assert found.undefined == pytest.approx(1 / 3, abs=0.03)
    assert found[:2] == (1.0, 1.0)
    nothing = bootstrap(lambda _: None, 3, np.random.default_rng(0), 10)
    assert np.isnan(nothing.low)
    assert nothing.undefined == 1
    with pytest.raises(ValueError, match="at least one query"):
        bootstrap(lambda _: 0.0, 0, np.random.default_rng(0))


def test_the_rows_of_a_resample_come_in_order_and_evenly() -> None:
    seen = np.zeros(7)

    def count(rows: np.ndarray) -> float:
        assert len(rows) == 7
        assert (np.diff(rows) >= 0).all()
        np.add.at(seen, rows, 1)
        return 0.0

    assert bootstrap(count, 7, np.random.default_rng(0), 2000) == Interval(0.0, 0.0)
    assert seen == pytest.approx(np.full(7, 2000), rel=0.06)


def test_an_interval_of_apgr_over_the_size_of_mmlu_takes_seconds() -> None:
    rng = np.random.default_rng(0)
    router = -np.sort(-rng.random(12_500))  # in the router's order beforehand, so that each resample is almost sorted
    weak, strong = rng.random(12_500) < 0.7, rng.random(12_500) < 0.8
    begun = time.process_time()
    found = bootstrap(
        lambda rows: metrics.apgr(metrics.threshold_curve(router[rows], 1.0 * weak[rows], 1.0 * strong[rows])),
        12_500,
        rng,
    )
    assert time.process_time() - begun < 15
    assert found.low < 0.5 < found.high


# --- published numbers of GPT-4 and Mixtral-8x7B ----------------------------------------------------------------

MIRROR = Path(os.environ.get("ATLAS_DATA_MIRROR", Path(__file__).parents[4] / "shared" / "data" / "raw"))
EVALS = MIRROR / "lm-sys/RouteLLM/0b64fdafe049e596a3f5657c219329f24af24198/routellm/evals"
needs_data = pytest.mark.skipif(
    not EVALS.is_dir(), reason="RouteLLM's records are not here (set ATLAS_DATA_MIRROR to a mirror of the raw files)"
)


def records(benchmark: str) -> tuple[Floats, Floats, Floats]:
    """Prompt lengths in characters, scores of Mixtral-8x7B, scores of GPT-4; contaminated prompts are dropped."""
    files = sorted((EVALS / "mmlu/responses").glob("*.csv"))
    lines = (EVALS / benchmark / "contaminated_prompts.jsonl").read_text(encoding="utf-8").splitlines()
    dropped = {json.loads(line)["eval_prompt"] for line in lines}
    rows = []
    for file in files if benchmark == "mmlu" else [EVALS / "gsm8k/gsm8k_responses.csv"]:
        with file.open(encoding="utf-8", newline="") as text:
            rows += [row for row in csv.reader(text) if row[0] != "prompt" and row[0] not in dropped]
    right = np.array([[row[1] == "True", row[2] == "True"] for row in rows], float)
    return np.array([len(row[0]) for row in rows], float), right[:, 0], right[:, 1]


@needs_data
@pytest.mark.parametrize(
    ("benchmark", "n", "weak", "strong"), [("mmlu", 14037, 68.09, 80.59), ("gsm8k", 1307, 63.73, 85.77)]
)
def test_base_points_of_routellm(benchmark: str, n: int, weak: float, strong: float) -> None:
    length, low, high = records(benchmark)
    assert len(length) == n
    assert (100 * low.mean(), 100 * high.mean()) == (pytest.approx(weak, abs=0.006), pytest.approx(strong, abs=0.006))


def published(curve: Floats) -> tuple[float | None, float | None, float]:
    return metrics.cpt(curve, 0.5), metrics.cpt(curve, 0.8), metrics.apgr(curve)


@needs_data
@pytest.mark.parametrize(
    ("benchmark", "length", "oracle", "ties"),
    [
        ("mmlu", (0.367, 0.694, 0.583), (0.062, 0.100, 1.268), 0.0),
        ("gsm8k", (0.370, 0.664, 0.597), (0.110, 0.176, 1.115), 0.001),
    ],
)
def test_prompt_length_and_oracle_on_eleven_equal_shares(
    benchmark: str, length: tuple[float, ...], oracle: tuple[float, ...], ties: float
) -> None:
    """The reference numbers come from eleven equal shares and one order of the prompts of equal length (`ties` is
    what another order makes of the smaller set).
    """
    size, weak, strong = records(benchmark)
    by_length = published(metrics.equal_shares(metrics.threshold_curve(size, weak, strong)))
    assert by_length == pytest.approx(length, abs=0.0006 + ties)
    by_gain = published(metrics.equal_shares(metrics.threshold_curve(strong - weak, weak, strong)))
    assert by_gain == pytest.approx(oracle, abs=0.0006)


@needs_data
@pytest.mark.parametrize("benchmark", ["mmlu", "gsm8k"])
def test_the_papers_convention_stays_close_to_the_exact_area(benchmark: str) -> None:
    size, weak, strong = records(benchmark)
    exact = metrics.apgr(metrics.threshold_curve(size, weak, strong))
    assert metrics.apgr(metrics.decile_curve(size, weak, strong)) == pytest.approx(exact, abs=0.003)
    # of the oracle, eleven points cut the corner off
    best = metrics.threshold_curve(strong - weak, weak, strong)
    assert metrics.apgr(best) - metrics.apgr(metrics.equal_shares(best)) > 0.005


@needs_data
@pytest.mark.parametrize(
    ("benchmark", "paper"), [("mmlu", (0.5007, 0.7993, 0.500)), ("gsm8k", (0.5000, 0.8008, 0.497))]
)
def test_random_routers(benchmark: str, paper: tuple[float, ...]) -> None:
    """The mean of 200 random routers is the diagonal and the paper's row of it."""
    _, weak, strong = records(benchmark)
    rng = np.random.default_rng(0)
    rows = np.array([published(metrics.decile_curve(rng.random(len(weak)), weak, strong)) for _ in range(200)], float)
    error = rows.std(0) / np.sqrt(len(rows))
    assert (np.abs(rows.mean(0) - (0.5, 0.8, 0.5)) < 4 * error).all()
    # the paper's own row is one random router
    assert (np.abs(np.array(paper) - (0.5, 0.8, 0.5)) < 4 * rows.std(0)).all()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_permuting_the_queries_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    scores, costs, choices = rng.random((n, 3)), rng.random((n, 3)), rng.integers(3, size=n)
    confidence, correct = rng.integers(5, size=n) / 4, rng.random(n) < 0.5

    def everything(rows: np.ndarray) -> list[float]:
        y, c, m, p, r = scores[rows], costs[rows], choices[rows], confidence[rows], correct[rows]
        return [
            metrics.accuracy(y, m), metrics.mean_cost(c, m), *metrics.oracle(y, c), metrics.best_single(y, c),
            metrics.strong_share(m, 1), metrics.apgr(metrics.decile_curve(p, y[:, 0], y[:, 1])),
            metrics.aurc(p, r), metrics.auroc(p, r), metrics.calibration_error(p, r),
            metrics.cumulative_regret(y, m)[-1],
        ]  # fmt: skip

    assert everything(rng.permutation(n)) == pytest.approx(everything(np.arange(n)), nan_ok=True)
