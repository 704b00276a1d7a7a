"""The metrics of the routing and cascading literature, as plain functions of arrays.

Shapes: scores and costs [queries, models], choices [queries] (positions of models), curves [points, 2] as rows of
(cost or share of calls, quality) in ascending order of the first. Quality is a mean score, cost is USD a query or
whatever unit the costs came in. Values are shares, not per cent. Arrays must be complete: drop the queries that some
model was not asked. An interval of any of them is `bootstrap(lambda rows: metric(scores[rows], ...), n, rng)`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference_impls.core.model import Floats
from reference_impls.core.stats import Interval, bootstrap

__all__ = [
    "Interval", "accuracy", "aiq", "apgr", "aurc", "auroc", "best_single", "bootstrap", "calibration_error",
    "cost_quality_area", "cpt", "cumulative_regret", "decile_curve", "equal_shares", "gain", "gap_at_oracle",
    "mean_cost", "oracle", "pareto_front", "pgr", "quality_hull", "risk_coverage", "strong_share", "threshold_curve",
]  # fmt: skip

Choices = NDArray[np.integer]

# --- of single choices --------------------------------------------------------------------------------------


def accuracy(scores: Floats, choices: Choices) -> float:
    """Mean score of the chosen models: (1/n) sum_q scores[q, choices[q]].

    >>> accuracy(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 0]))
    0.5
    """
    return float(scores[np.arange(len(scores)), choices].mean())


def mean_cost(costs: Floats, choices: Choices) -> float:
    """Mean cost of the chosen models, in the unit of `costs`."""
    return accuracy(costs, choices)


def oracle(scores: Floats, costs: Floats | None = None) -> tuple[float, float]:
    """Quality and cost of the per-query oracle: the best score of any model, at the cheapest model that has it.

    Returns:
        (1/n) sum_q max_m scores[q, m], and the mean cost (nan without `costs`).
    """
    best = scores.max(1)
    if costs is None:
        return float(best.mean()), float("nan")
    return float(best.mean()), float(np.where(scores == best[:, None], costs, np.inf).min(1).mean())


def best_single(scores: Floats, costs: Floats | None = None) -> int:
    """The model of the highest mean score; of equal ones the cheaper, then the first. Choose it on train.

    Raises:
        ValueError: a model has a query without a score.
    """
    means = scores.mean(0)
    if np.isnan(means).any():
        missing = np.flatnonzero(np.isnan(means)).tolist()
        raise ValueError(f"models {missing} lack scores (drop the queries that they were not asked)")
    prices = np.zeros(len(means)) if costs is None else costs.mean(0)
    return int(np.lexsort((prices, -means))[0])


def strong_share(choices: Choices, strong: int) -> float:
    """Share of the queries that go to the model at position `strong`."""
    return float((choices == strong).mean())


def gain(quality: float, base: float) -> float:
    """Relative gain over a base quality, quality / base - 1: Gain@Random over the mean of all models, Gain@BestSingle
    over the best single model (LLMRouterBench, arXiv:2601.07206).
    """
    return quality / base - 1


def gap_at_oracle(quality: float, oracle_quality: float) -> float:
    """Relative gap to the per-query oracle, 1 - quality / oracle (Gap@Oracle of LLMRouterBench)."""
    return 1 - quality / oracle_quality


def cumulative_regret(rewards: Floats, choices: Choices) -> Floats:
    """Regret of an online method after each step against the best fixed model in hindsight.

    R_t = sum_{s <= t} (rewards[s, m*] - rewards[s, choices[s]]), m* = argmax_m sum_s rewards[s, m] over all steps s.

    Returns:
        [steps]; its last value is the regret of the run. It may fall where the method beats m*.
    """
    fixed = rewards[:, rewards.sum(0).argmax()]
    regret: Floats = np.cumsum(fixed - rewards[np.arange(len(rewards)), choices])
    return regret


# --- of a router between a weak and a strong model ----------------------------------------------------------


def threshold_curve(
    router: ArrayLike, weak: ArrayLike, strong: ArrayLike, weak_cost: ArrayLike = 0.0, strong_cost: ArrayLike = 1.0
) -> Floats:
    """Quality over cost as the threshold on a router's score falls: the queries of the highest score go to the strong
    model first.

    Queries of equal score cannot be told apart by any threshold. The curve has one point after each group of them,
    and the straight line between two points is the expected quality if their order is drawn at random.

    Args:
        router: [n], higher means "more need of the strong model".
        weak, strong: [n], the scores of the two models.
        weak_cost, strong_cost: [n] or one number; 0 and 1 make the first column the share of strong calls.

    Returns:
        [groups + 1, 2], from all weak to all strong.

    Raises:
        ValueError: a router's score is nan.
    """
    scores = np.asarray(router, np.float64)
    if np.isnan(scores).any():
        raise ValueError(f"the router scored {int(np.isnan(scores).sum())} queries nan (drop them, or give a number)")
    order = np.argsort(-scores, kind="stable")  # fast if the queries are almost in order
    sorted_scores = scores[order]
    starts = np.flatnonzero(np.concatenate(([True], sorted_scores[1:] != sorted_scores[:-1])))

    def path(low: ArrayLike, high: ArrayLike) -> Floats:
        """Mean over all queries while the groups change from `low` to `high`, [groups + 1]."""
        lows = np.broadcast_to(np.asarray(low, np.float64), scores.shape)
        steps = np.add.reduceat((np.asarray(high, np.float64) - lows)[order], starts)
        means: Floats = lows.mean() + np.concatenate(([0.0], np.cumsum(steps))) / len(scores)
        return means

    return np.column_stack((path(weak_cost, strong_cost), path(weak, strong)))


def decile_curve(router: ArrayLike, weak: ArrayLike, strong: ArrayLike, bins: int = 10) -> Floats:
    """The points at which RouteLLM's evaluation code (arXiv:2406.18665) looks at a router: thresholds at the bins + 1
    quantiles of its score, where >= goes to the strong model, at the last one >.

    Returns:
        [bins + 1, 2], (share of strong calls, quality). Many equal scores make some of the points equal.
    """
    scores = np.asarray(router, np.float64)
    low, high = np.asarray(weak, np.float64), np.asarray(strong, np.float64)
    thresholds = np.quantile(scores, np.linspace(0, 1, bins + 1))
    chosen = [scores >= t for t in thresholds[:-1]] + [scores > thresholds[-1]]
    return np.array([(to_strong.mean(), np.where(to_strong, high, low).mean()) for to_strong in reversed(chosen)])


def equal_shares(curve: Floats, points: int = 11) -> Floats:
    """A curve read at equally spaced places of its first column: what `decile_curve` is without ties."""
    places = np.linspace(curve[0, 0], curve[-1, 0], points)
    return np.column_stack((places, np.interp(places, curve[:, 0], curve[:, 1])))


def pgr(quality: float, weak: float, strong: float) -> float:
    """Performance gap recovered (RouteLLM): (quality - weak) / (strong - weak); nan unless strong > weak.

    >>> pgr(0.75, 0.5, 1.0)
    0.5
    """
    return (quality - weak) / (strong - weak) if strong > weak else float("nan")


def apgr(curve: Floats, weak: float | None = None, strong: float | None = None) -> float:
    """Average PGR over the share of strong calls (RouteLLM): the integral of PGR over share / the range of shares.

    Exact, by the paper's definition, of a `threshold_curve`; of a `decile_curve` it is what the paper's code
    computes, which cuts the corners between its eleven points. 0.5 is a random router, more than 1 is possible.

    Args:
        curve: (share, quality), ascending in share.
        weak, strong: qualities of the two models; by default those at the ends of the curve.
    """
    low, high = curve[0, 1] if weak is None else weak, curve[-1, 1] if strong is None else strong
    span = curve[-1, 0] - curve[0, 0]
    return pgr(float(np.trapezoid(curve[:, 1], curve[:, 0]) / span), float(low), float(high))


def cpt(curve: Floats, recovered: float, weak: float | None = None, strong: float | None = None) -> float | None:
    """Call-performance threshold CPT(recovered) (RouteLLM): the smallest share of strong calls with
    PGR >= `recovered`, with straight lines between the points of the curve.

    The first crossing counts, so the curve may fall. (An inverse interpolation over quality, as in the paper's code,
    needs a curve that never falls.)

    Args:
        curve: (share, quality), ascending in share.
        recovered: 0.5 for CPT(50 %).
        weak, strong: as for `apgr`.

    Returns:
        the share, or None where the curve never gets there or the strong model is not better.
    """
    low, high = curve[0, 1] if weak is None else weak, curve[-1, 1] if strong is None else strong
    if high <= low:
        return None
    share, level = curve[:, 0], (curve[:, 1] - low) / (high - low)
    reached = np.flatnonzero(level >= recovered - 1e-12)  # the last point is 1 up to rounding
    if not len(reached):
        return None
    k = int(reached[0])
    if k == 0:
        return float(share[0])
    part = min(1.0, (recovered - level[k - 1]) / (level[k] - level[k - 1]))
    return float(share[k - 1] + part * (share[k] - share[k - 1]))


# --- of cost and quality ------------------------------------------------------------------------------------


def pareto_front(points: Floats) -> NDArray[np.intp]:
    """Rows of (cost, quality) that no other row dominates (no dearer, no worse, better in one), cheapest first."""
    order = np.lexsort((-points[:, 1], points[:, 0]))
    best = np.concatenate(([-np.inf], np.maximum.accumulate(points[order, 1])[:-1]))
    new = points[order, 1] > best
    # Of several identical points none dominates another; they are neighbours in this order.
    same = np.concatenate(([False], (points[order][1:] == points[order][:-1]).all(1)))
    first = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    front: NDArray[np.intp] = order[new[first]]
    return front


def quality_hull(points: Floats) -> Floats:
    """Non-decreasing upper convex hull of (cost, quality) points, from the cheapest to the best one (RouterBench).

    Every point of it can be had by choosing at random between its neighbours.
    """
    hull: list[tuple[float, float]] = []
    for x, y in points[pareto_front(points)]:
        if hull and hull[-1] == (x, y):
            continue
        while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-2][0]) <= (y - hull[-2][1]) * (
            hull[-1][0] - hull[-2][0]
        ):
            hull.pop()
        hull.append((float(x), float(y)))
    return np.array(hull)


def aiq(points: Floats, largest: float | None = None) -> float:
    """Average improvement in quality (RouterBench, arXiv:2403.12031): area under the `quality_hull` of a router's
    (cost, quality) points, its last value held up to `largest`, divided by `largest`.

    As in the benchmark's code nothing is counted below the cheapest point, so routers are to be compared at the same
    `largest` (the largest cost of any of them; by default of these points).

    Raises:
        ValueError: `largest` is below the cost of a point of the hull, or not positive.
    """
    hull = quality_hull(points)
    end = float(points[:, 0].max()) if largest is None else largest
    if end < hull[-1, 0] or end <= 0:
        raise ValueError(f"largest cost is {end}, and the hull ends at {hull[-1, 0]} (take the largest of all)")
    held = np.vstack((hull, (end, hull[-1, 1])))
    return float(np.trapezoid(held[:, 1], held[:, 0]) / end)


def cost_quality_area(curve: Floats, singles: Floats) -> float:
    """Area under quality over mean cost between the cheapest and the dearest single model, divided by that cost range
    (cascade routing, arXiv:2410.10347).

    A curve that ends early is held at its last quality; one that starts late starts at the lowest quality of any
    single model. The area of ``quality_hull(singles)`` is the paper's linear baseline.

    Args:
        curve: (mean cost, quality) of the method, in any order.
        singles: (mean cost, quality) of each single model.

    Raises:
        ValueError: all single models cost the same.
    """
    low, high = float(singles[:, 0].min()), float(singles[:, 0].max())
    if low == high:
        raise ValueError(f"all single models cost {low}, so there is no range of costs to integrate over")
    x, y = curve[np.lexsort((curve[:, 1], curve[:, 0]))].T
    if x[0] > low:
        x, y = np.concatenate(([low], x)), np.concatenate(([singles[:, 1].min()], y))
    inside = (x > low) & (x < high)
    costs = np.concatenate(([low], x[inside], [high]))
    qualities = np.concatenate(([np.interp(low, x, y)], y[inside], [np.interp(high, x, y)]))
    return float(np.trapezoid(qualities, costs) / (high - low))


# --- of a confidence ----------------------------------------------------------------------------------------


def risk_coverage(confidence: ArrayLike, correct: ArrayLike) -> Floats:
    """Risk over coverage of a method that answers where it is most confident and abstains elsewhere.

    At coverage k/n the risk is the mean of 1 - correct over the k most confident queries; where confidences are
    equal, its expectation if their order is drawn at random.

    Returns:
        [n, 2], (coverage, risk).
    """
    curve = threshold_curve(confidence, np.zeros(np.shape(correct)), 1 - np.asarray(correct, np.float64))
    coverage = np.arange(1, np.size(correct) + 1) / np.size(correct)
    return np.column_stack((coverage, np.interp(coverage, curve[:, 0], curve[:, 1]) / coverage))


def aurc(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Area under the risk-coverage curve, (1/n) sum_k risk at coverage k/n; less is better (Geifman, Uziel and
    El-Yaniv, ICLR 2019).

    >>> aurc([0.9, 0.1], [1, 0])
    0.25
    """
    return float(risk_coverage(confidence, correct)[:, 1].mean())


def auroc(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Probability that a right answer has a higher confidence than a wrong one, ties counted half; nan if all answers
    are right or all wrong.

    Args:
        confidence: [n], any scale.
        correct: [n], true or false.
    """
    values, right = np.asarray(confidence, np.float64), np.asarray(correct, bool)
    wrong = np.sort(values[~right])
    if not len(wrong) or right.sum() == 0:
        return float("nan")
    below, up_to = (np.searchsorted(wrong, values[right], side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(wrong))


def calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins: sum_b n_b/n |mean correct in b - mean confidence in b|.

    Raises:
        ValueError: a confidence is not a probability.
    """
    values, right = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("confidences must be probabilities from 0 to 1 (calibrate them first)")
    which = np.minimum((values * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(which, right - values, bins)).sum() / len(values))
