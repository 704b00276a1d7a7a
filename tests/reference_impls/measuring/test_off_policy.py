"""Off-policy evaluation: numbers by hand, its laws, and that its intervals cover."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.measuring.off_policy import Log, SupportError, best_per_task, evaluate, fixed, logging, uniform
from reference_impls.measuring.off_policy_coverage import coverage


def made(chosen: list[int], p: list[list[float]], scores: list[float], tasks: tuple[str, ...] = ()) -> Log:
    odds = np.array(p)
    return Log(("a", "b"), np.array(chosen), odds, np.array(scores), np.ones(odds.shape, bool), tasks=tasks)


def test_numbers_by_hand() -> None:
    log = made([0, 0, 1, 0], [[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5]], [1, 0, 1, 1])
    found = evaluate(log, fixed(log, "a"))  # weights 2, 4, 0, 2
    assert found.ips.value == pytest.approx(4 / 4)
    assert found.snips.value == pytest.approx(4 / 8)
    assert found.effective == pytest.approx(64 / 24)
    # weight times score: 2, 0, 0, 2: deviation sqrt(4/3), over sqrt(4)
    assert found.ips.high == pytest.approx(1 + 1.959964 * (4 / 3) ** 0.5 / 2)
    # weight (score - .5) / 2: .5, -1, 0, .5: deviation sqrt(.5)
    assert found.snips.low == pytest.approx(0.5 - 1.959964 * 0.5**0.5 / 2)


def test_doubly_robust_by_hand() -> None:
    """Two decisions: each is the other's fold, so q is the other's score, whichever the model."""
    log = made([0, 1], [[0.5, 0.5]] * 2, [1, 0])
    # the first decision tells 0 and twice what it misses, the second tells 1
    assert evaluate(log, fixed(log, "a")).dr.value == pytest.approx(1.5)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0.01, 0.99), st.floats(-5, 5)), min_size=1, max_size=20))
def test_the_logging_policy_has_the_plain_mean(rows: list[tuple[int, float, float]]) -> None:
    log = made([c for c, _, _ in rows], [[p, 1 - p] for _, p, _ in rows], [s for _, _, s in rows])
    found = evaluate(log, logging(log))
    assert found.snips.value == pytest.approx(log.scores.mean(), abs=1e-9)
    assert found.effective == pytest.approx(len(rows))


@given(st.lists(st.tuples(*[st.floats(0.05, 0.95)] * 2, *[st.floats(0, 1)] * 2), min_size=2, max_size=4))
def test_ips_and_dr_are_unbiased(world: list[tuple[float, float, float, float]]) -> None:
    """The exact expectation over every log that the logging policy could have written."""
    p, pi = (np.array([[row[k], 1 - row[k]] for row in world]) for k in (0, 1))
    scores = np.array([row[2:] for row in world])
    ips = dr = 0.0
    at = np.arange(len(world))
    for chosen in itertools.product((0, 1), repeat=len(world)):
        chance = float(p[at, chosen].prod())
        found = evaluate(made(list(chosen), p.tolist(), scores[at, chosen].tolist()), pi)
        assert found.ips.value is not None
        assert found.dr.value is not None
        ips += chance * found.ips.value
        dr += chance * found.dr.value
    assert ips == pytest.approx((pi * scores).sum(1).mean())
    assert dr == pytest.approx((pi * scores).sum(1).mean())


def test_what_the_log_could_not_choose_is_refused() -> None:
    log = made([0, 0], [[1.0, 0.0]] * 2, [1, 0])
    with pytest.raises(SupportError, match="wants 'b' in 2 of 2 decisions"):
        evaluate(log, uniform(log))
    with pytest.raises(ValueError, match="outside"):
        made([1], [[1.0, 0.0]], [1])


def test_the_best_of_each_task_is_found() -> None:
    chosen = [0, 1] * 20
    tasks = ("x",) * 20 + ("y",) * 20
    log = made(chosen, [[0.5, 0.5]] * 40, [float((c == 0) == (t == "x")) for c, t in zip(chosen, tasks, strict=True)],
               tasks)  # fmt: skip
    assert best_per_task(log).tolist() == [[1, 0]] * 20 + [[0, 1]] * 20


def test_intervals_cover() -> None:
    assert all(0.9 <= share <= 0.995 for share in coverage(200, seed=1).values())
