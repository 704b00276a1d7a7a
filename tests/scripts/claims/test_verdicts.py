"""A verdict follows from the results, and its sentence with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.claims import Evidence, Judged, judge
from scripts.claims.verdicts import AGAINST, DEPENDS, FOR, LEAST, OPEN, REFUTED, SUPPORTED, by_counts, change, cut
from tests.scripts.claims import results
from tests.scripts.claims.results import claim, recording

VOTE = "majority-vote"


def judged(root: Path, *files: dict[str, Any], **test: Any) -> Judged:
    return judge(claim(**test), Evidence(results.write(root, *files)))


def gains(*values: float, **more: Any) -> list[dict[str, Any]]:
    """A recording for each gain of the vote."""
    return [recording(f"r{i:02}", {VOTE: value}, **more) for i, value in enumerate(values)]


# --- counts ---------------------------------------------------------------------------------------------------------


def test_clear_gains_support(tmp_path: Path) -> None:
    made = judged(tmp_path, *gains(0.05, 0.06, 0.07, 0.0))
    assert made.verdict == SUPPORTED
    assert made.counts == {FOR: 3, AGAINST: 0, "undecided": 1}
    assert made.sentence == (
        "Supported: of 4 pools of models that can be compared 3 stand for it (majority-vote is clearly better than"
        " the best single model), none against it (majority-vote gains less than 1 point over the best single model),"
        " and 1 is undecided."
    )


def test_a_changed_result_changes_verdict_and_sentence(tmp_path: Path) -> None:
    before = judged(tmp_path, *gains(0.05, 0.06, 0.07))
    after = judged(tmp_path, *gains(0.05, 0.06, -0.07))
    assert (before.verdict, after.verdict) == (SUPPORTED, OPEN)
    assert before.digest != after.digest
    assert "2 stand for it" in after.sentence
    assert "1 against it" in after.sentence


def test_gains_below_the_margin_refute(tmp_path: Path) -> None:
    made = judged(tmp_path, *gains(-0.05, -0.05, -0.03, 0.0))
    assert made.verdict == REFUTED
    assert made.sentence.startswith("Refuted: of 4 pools")


def test_no_clear_difference_speaks_against_only_where_the_interval_is_narrow(tmp_path: Path) -> None:
    assert judged(tmp_path, *gains(0.0, 0.0, 0.0, wide=0.02)).counts["undecided"] == 3
    assert judged(tmp_path, *gains(0.0, 0.0, 0.0, wide=0.005)).verdict == REFUTED
    assert judged(tmp_path, *gains(0.0, 0.0, 0.0, wide=0.02), margin=3).verdict == REFUTED


def test_too_few_pools_leave_it_open(tmp_path: Path) -> None:
    made = judged(tmp_path, *gains(0.05, 0.06))
    assert made.verdict == OPEN
    assert made.change.startswith("It would be supported if 1 further pool stood for it")


def test_nothing_measured_is_open_with_its_reason(tmp_path: Path) -> None:
    made = judged(tmp_path, *gains(0.05), methods=["dawid-skene"])
    assert made.verdict == OPEN
    assert "no result here can be compared for it (1 pool: none of the methods ran" in made.sentence
    assert judge(claim(), Evidence(tmp_path / "nothing")).sentence == "Open: no result here can be compared for it."


@pytest.mark.parametrize(
    ("expect", "values", "wide", "verdict"),
    [
        ("better", (0.05, 0.05, 0.05), 0.02, SUPPORTED),
        ("not-better", (0.05, 0.05, 0.05), 0.02, REFUTED),
        ("not-better", (-0.05, -0.05, -0.05), 0.02, SUPPORTED),
        ("as-good", (0.0, 0.0, 0.0), 0.005, SUPPORTED),
        ("as-good", (0.0, 0.0, 0.0), 0.02, OPEN),
        ("as-good", (-0.05, -0.05, -0.05), 0.02, REFUTED),
        ("worse", (-0.05, -0.05, -0.05), 0.02, SUPPORTED),
        ("worse", (0.05, 0.05, 0.05), 0.02, REFUTED),
    ],
)
def test_what_is_expected(tmp_path: Path, expect: str, values: tuple[float, ...], wide: float, verdict: str) -> None:
    assert judged(tmp_path, *gains(*values, wide=wide), expect=expect).verdict == verdict


def test_one_method_is_enough_where_any_is(tmp_path: Path) -> None:
    files = [recording(f"r{i}", {VOTE: -0.05, "dawid-skene": 0.05}) for i in range(3)]
    both = ["after/non-cascade"]
    assert judged(tmp_path, *files, methods=both, pick="any").verdict == SUPPORTED
    made = judged(tmp_path, *files, methods=both)
    assert made.verdict == OPEN
    assert made.counts["undecided"] == 3
    assert "most methods are clearly better than the best single model" in made.sentence
    assert made.votes[0].telling.run.method == "dawid-skene"
    one = judged(tmp_path, *files, methods=both, pick="any", expect="worse").votes[0]
    assert one.telling.run.method == VOTE
    assert made.votes[0].gain == pytest.approx(0.0)


def test_a_method_against_a_method(tmp_path: Path) -> None:
    over = {"dawid-skene": {VOTE: -0.05}, VOTE: {"dawid-skene": 0.05}}
    files = [recording(f"r{i}", {VOTE: 0.0, "dawid-skene": 0.0}, against=over) for i in range(3)]
    made = judged(tmp_path, *files, methods=["dawid-skene"], against=VOTE)
    assert made.verdict == REFUTED
    assert "dawid-skene is clearly better than majority-vote" in made.sentence


def test_comparisons_of_one_pool_are_adjusted_together(tmp_path: Path) -> None:
    """Alone each gain of 2.2 points with 2 to both sides is clear; beside another one it is not."""
    against = {"knn-router": {VOTE: 0.022}, "ridge-router": {VOTE: 0.022}}
    made = recording("r", {VOTE: 0.0, "knn-router": 0.0, "ridge-router": 0.0}, against=against)
    for run in made["runs"]:
        for told in run["against"].values():
            told["p"] = 0.03
    alone = judged(tmp_path, made, methods=["knn-router"], against=VOTE)
    both = judged(tmp_path, made, methods=["knn-router", "ridge-router"], against=VOTE)
    assert alone.counts[FOR] == 1
    assert both.counts[FOR] == 0


def test_what_is_not_paired_is_told(tmp_path: Path) -> None:
    made = judged(tmp_path, recording("r", {VOTE: 0.0, "dawid-skene": 0.0}), methods=["dawid-skene"], against=VOTE)
    assert made.untested == {"no paired comparison is recorded": 1}
    made = judged(tmp_path, recording("r", {VOTE: 0.0}), against="coin")
    assert made.untested == {"there is no run of a coin between two well-chosen models to compare with": 1}


def test_only_the_places_and_pools_that_are_meant(tmp_path: Path) -> None:
    files = [*gains(0.05, 0.05), recording("other", {VOTE: -0.05}, lead=0.02)]
    assert judged(tmp_path, *files, on=["recorded:r*"]).counts == {FOR: 2, AGAINST: 0, "undecided": 0}
    made = judged(tmp_path, *files, where={"factor": "lead", "at_least": 5})
    assert made.counts[AGAINST] == 0
    assert made.untested == {"the lead of the best model is below 5": 1}
    made = judged(
        tmp_path / "u", recording("u", {VOTE: 0.0}, effective=None), where={"factor": "independence", "at_most": 9}
    )
    assert made.untested == {"the independence is not known": 1}


# --- cost -----------------------------------------------------------------------------------------------------------


def test_a_method_without_a_curve_says_nothing_of_what_it_could_save(tmp_path: Path) -> None:
    files = [
        recording(
            f"r{i}", {"frugalgpt": 0.0, "cascade-routing": 0.0}, costs={"frugalgpt": 6e-4, "cascade-routing": 6e-4}
        )
        for i in range(3)
    ]
    for file in files:
        file["runs"][1]["curve"] = [[4e-4, 0.5]]
    made = judged(tmp_path, *files, kind="cost", methods=["after/cascade"], saving=50)
    assert made.verdict == REFUTED
    assert [stand for _, stand in made.votes[0].comparisons] == [AGAINST, "not known"]


def test_cost_at_equal_quality(tmp_path: Path) -> None:
    """The best single model costs 1e-3 a query."""
    test = {"kind": "cost", "methods": ["after/cascade"], "saving": 50}

    def verdict(gain: float, cost: float | None, wide: float = 0.005, curve: Any = None) -> Judged:
        files = [recording(f"r{i}", {"frugalgpt": gain}, wide, {"frugalgpt": cost}) for i in range(3)]
        for file in files:
            file["runs"][1]["curve"] = curve
        return judged(tmp_path, *files, **test)

    assert verdict(0.0, 4e-4).verdict == SUPPORTED
    assert verdict(0.0, 6e-4).counts["undecided"] == 3  # saves too little as it was set
    assert verdict(-0.05, 1e-4).counts["undecided"] == 3  # loses too much as it was set
    assert verdict(0.0, 1e-4, 0.05).counts["undecided"] == 3  # may lose too much
    # the best single model has .6: no threshold reaches .59 for half of its cost, or one does
    assert verdict(0.0, 6e-4, curve=[[4e-4, 0.585], [6e-4, 0.6]]).verdict == REFUTED
    assert verdict(0.0, 6e-4, curve=[[4e-4, 0.595], [6e-4, 0.6]]).counts["undecided"] == 3
    assert verdict(0.0, None).votes == ()  # an unknown cost is no saving
    assert "a method saves 50 % or more" in verdict(0.0, 4e-4).sentence


# --- depends on -----------------------------------------------------------------------------------------------------


def split(values: list[tuple[float, float]]) -> list[dict[str, Any]]:
    """(lead, gain) of each recording."""
    return [recording(f"r{i:02}", {VOTE: gain}, lead=lead) for i, (lead, gain) in enumerate(values)]


def test_a_factor_that_tells_the_pools_apart(tmp_path: Path) -> None:
    values = [(0.01 * i, 0.05 if i < 6 else -0.05) for i in range(1, 12)]
    made = judged(tmp_path, *split(values), depends=["models", "tasks", "lead"])
    assert made.verdict == DEPENDS
    assert made.told == "depends on the lead of the best model"
    assert made.trend
    assert made.trend.correlation < -0.8
    assert made.sentence.startswith("Depends on the lead of the best model: of 11 pools of models")
    assert "Rank correlation −0.8" in made.sentence
    assert cut(made.trend, made.votes) == pytest.approx(5)
    assert (
        "Where the lead of the best model is 5 or less, of 5 pools of models 5 stand for it and none against; where"
        in (made.sentence)
    )


def test_pools_on_both_sides_without_a_factor_are_open(tmp_path: Path) -> None:
    values = [(0.01 * i, 0.05 if i % 2 else -0.05) for i in range(1, 12)]
    made = judged(tmp_path, *split(values), depends=["lead"])
    assert (made.verdict, made.trend) == (OPEN, None)


# --- relation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slope", "verdict"), [(1, SUPPORTED), (-1, REFUTED)])
def test_a_relation(tmp_path: Path, slope: int, verdict: str) -> None:
    files = [recording(f"r{i}", {VOTE: slope * 0.01 * i}, effective=1 + 0.1 * i) for i in range(8)]
    made = judged(tmp_path, *files, kind="relation", factor="independence", expect="rises")
    assert made.verdict == verdict
    assert made.trend
    assert made.trend.correlation == pytest.approx(slope)
    assert f"the best single model {'rises' if slope > 0 else 'falls'} with the independence" in made.sentence


def test_no_relation_is_open(tmp_path: Path) -> None:
    files = [recording(f"r{i}", {VOTE: 0.01 * (i % 3)}, effective=1 + 0.1 * ((i * 5) % 8)) for i in range(8)]
    made = judged(tmp_path, *files, kind="relation", factor="independence", expect="rises")
    assert made.verdict == OPEN
    assert "cannot be told from chance" in made.sentence
    few = judged(tmp_path / "few", *files[:4], kind="relation", factor="independence", expect="rises")
    assert few.verdict == OPEN
    assert "6 pools whose independence is known and differs are needed" in few.sentence


# --- laws -----------------------------------------------------------------------------------------------------------

COUNTS = st.tuples(*[st.integers(0, 60)] * 3)


@given(COUNTS)
def test_for_and_against_are_mirrored(counts: tuple[int, int, int]) -> None:
    f, a, u = counts
    mirror = {SUPPORTED: REFUTED, REFUTED: SUPPORTED, OPEN: OPEN}
    assert by_counts(a, f, f + a + u) == mirror[by_counts(f, a, f + a + u)]


@given(COUNTS)
def test_one_more_pool_for_it_never_takes_support_away(counts: tuple[int, int, int]) -> None:
    f, a, u = counts
    if by_counts(f, a, f + a + u) == SUPPORTED:
        assert by_counts(f + 1, a, f + a + u + 1) == SUPPORTED
        assert f + a + u >= LEAST


@given(COUNTS)
def test_what_would_change_it_does(counts: tuple[int, int, int]) -> None:
    """The number of further pools that the page names is the smallest that changes the verdict."""
    f, a, u = counts
    n = f + a + u
    verdict = by_counts(f, a, n)
    numbers = [int(found) for found in re.findall(r"(\d+) further", change(f, a, n, verdict))]
    if verdict == SUPPORTED:
        [k] = numbers
        assert by_counts(f, a + k, n + k) != SUPPORTED
        assert by_counts(f, a + k - 1, n + k - 1) == SUPPORTED
    elif verdict == REFUTED:
        [k] = numbers
        assert by_counts(f + k, a, n + k) != REFUTED
        assert by_counts(f + k - 1, a, n + k - 1) == REFUTED
    else:
        more_for, more_against = numbers
        assert by_counts(f + more_for, a, n + more_for) == SUPPORTED
        assert by_counts(f, a + more_against, n + more_against) == REFUTED
