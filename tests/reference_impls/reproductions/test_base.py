"""Rows, estimates and splits, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording
from reference_impls.reproductions.base import (
    Estimate,
    Row,
    Spec,
    cross_fitted,
    estimates,
    mean_of,
    number,
    over,
    queries_tested,
    random_splits,
)

OURS = Estimate(0.5, 0.4, 0.7)


def made(n: int) -> Recording:
    queries = tuple(RecordedQuery(f"q{i}", f"prompt {i}", None, "t", "test") for i in range(n))
    responses = tuple(
        RecordedResponse(q.id, "m", 0, None, None, float(i % 2), None, None, None, None)
        for i, q in enumerate(queries)
    )
    return Recording("made", queries, responses, {})


def test_ours_is_held_against_the_published_value() -> None:
    row = Row("accuracy", "m", "", OURS, published=0.45, published_in="a table", expected=0.9, tolerance=0.05)
    assert row.difference == pytest.approx(0.05)
    assert row.agrees is True
    assert row.json()["reason"] is None
    far = Row("accuracy", "m", "", OURS, published=0.44, published_in="a table", tolerance=0.05, reason="other data")
    assert far.agrees is False
    assert far.json()["reason"] == "other data"


def test_without_a_published_value_against_the_nearer_end_of_the_expected_range() -> None:
    within = Row("APGR", "m", "", OURS, expected=(0.45, 0.55), tolerance=0.0)
    assert (within.difference, within.agrees) == (0.0, True)
    below = Row("APGR", "m", "", OURS, expected=(0.58, 0.60), tolerance=0.07)
    assert below.difference == pytest.approx(-0.08)
    assert below.agrees is False
    assert below.json()["expected"] == [0.58, 0.60]


def test_no_tolerance_takes_half_the_interval() -> None:
    row = Row("accuracy", "m", "", OURS, expected=0.64)
    assert row.allowed == pytest.approx(0.15)
    assert row.agrees is True
    assert Row("accuracy", "m", "", OURS, expected=0.66).agrees is False
    assert Row("accuracy", "m", "", Estimate(0.5), expected=0.5).agrees is False, "no interval, no tolerance"


def test_nothing_to_compare_is_neither_right_nor_wrong() -> None:
    row = Row("accuracy", "m", "", OURS).json()
    assert [row[key] for key in ("agrees", "difference", "tolerance", "expected", "published")] == [None] * 5


def test_a_value_that_is_never_reached_does_not_agree() -> None:
    assert Row("CPT(80 %)", "m", "", Estimate(None), expected=0.5, tolerance=1.0).agrees is False


def test_a_published_value_says_where_it_stands() -> None:
    with pytest.raises(ValueError, match="belong together"):
        Row("accuracy", "m", "", OURS, published=0.5)


def test_replicates_are_averaged() -> None:
    found = over([Estimate(0.2, 0.1, 0.3), Estimate(0.4, 0.2, 0.6)])
    assert (found.mean, found.low, found.high) == pytest.approx((0.3, 0.15, 0.45))
    assert found.runs == (0.2, 0.4)
    assert over([OURS]) is OURS
    assert over([Estimate(0.2), Estimate(None)]).mean is None


def test_the_interval_of_a_mean() -> None:
    values = np.array([0.0, 1.0] * 50)
    found = mean_of(values)
    assert found.mean == 0.5
    assert found.low is not None
    assert found.high is not None
    # the standard error is 0.05, and the interval about four of them
    assert found.high - found.low == pytest.approx(0.196, abs=0.03)
    assert mean_of(np.array([1.0, np.nan])) == Estimate(None)


def test_several_metrics_of_one_pass_have_the_intervals_of_single_passes() -> None:
    values = np.array([0.0, 1.0] * 50)
    both = estimates(lambda rows: {"mean": float(values[rows].mean()), "never": None}, 100)
    one = mean_of(values)
    assert (both["mean"].mean, both["mean"].low, both["mean"].high) == pytest.approx((one.mean, one.low, one.high))
    assert both["never"] == Estimate(None)


def test_numbers_of_a_file() -> None:
    assert [number(x) for x in (None, float("nan"), 1 / 3, 0.0)] == [None, None, 0.3333333, 0.0]


def test_cross_fitting_tests_every_query_once_and_never_on_itself() -> None:
    recording = made(11)
    replicates = cross_fitted(recording)
    assert cross_fitted.name == "5 x cross-fitted"
    assert len({tuple(queries_tested(parts)) for parts in replicates}) == 5
    for parts in replicates:
        assert sorted(queries_tested(parts)) == sorted(q.id for q in recording.queries)
        for part in parts:
            splits = {name: {q.id for q in part.queries if q.split == name} for name in ("train", "test")}
            assert len(splits["train"] | splits["test"]) == 11
            assert not splits["train"] & splits["test"]


def test_random_splits_differ_by_seed() -> None:
    groups = random_splits(3, seeds=(0, 1))(made(10))
    assert [len(queries_tested(parts)) for parts in groups] == [7, 7]
    assert queries_tested(groups[0]) != queries_tested(groups[1])


def test_labels_tell_runs_apart() -> None:
    assert Spec("knn-router").label == "knn-router"
    assert Spec("knn-router", {"k": "5"}, note="small").label == "knn-router (small, k=5)"
