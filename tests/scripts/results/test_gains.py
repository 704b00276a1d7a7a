"""The gains of one table of a mini-benchmark: over which model, between which files, and which count as judged."""

from typing import Any

import numpy as np
import pytest

from reference_impls.measuring.comparison import holm, paired
from scripts.results import gains

OAK, ELM = [1.0] * 12 + [0.0] * 8, [1.0] * 8 + [0.0] * 12
VOTE = [1.0] * 18 + [0.0] * 2


def file(scores: list[float], **more: Any) -> dict[str, Any]:
    return {
        "split": "test", "queries": len(scores), "pool_hash": "abc", "seed": 0,
        "score": {"mean": float(np.mean(scores))}, "items": {"score": scores}, "called": {},
    } | more  # fmt: skip


def table(**more: dict[str, Any]) -> dict[str, Any]:
    return {
        "single-oak": file(OAK), "single-elm": file(ELM), "majority-vote": file(VOTE), "oracle": file([1.0] * 20),
        **more,
    }  # fmt: skip


def test_the_best_single_model_is_that_of_the_train_split() -> None:
    """Here it is not the one that turns out best on the test."""
    assert gains.best_single(table(single=file(ELM, called={"elm": 1.0, "oak": 0.0}))) == "single-elm"


@pytest.mark.parametrize("single", [file(ELM), file(ELM, called={"yew": 1.0})])
def test_where_it_is_not_said_which_one_that_is_the_run_itself_is_the_measure(single: dict[str, Any]) -> None:
    files = table(single=single)
    assert gains.best_single(files) == "single"
    assert gains.over_best(files)["majority-vote"].mean == pytest.approx(0.5)


def test_without_that_run_it_is_the_best_on_the_test() -> None:
    assert gains.best_single(table()) == "single-oak"


def test_a_table_without_a_model_alone_has_no_gains() -> None:
    files = {"majority-vote": file(VOTE)}
    assert gains.best_single(files) is None
    assert not gains.alike(files)
    assert not gains.over_best(files)


@pytest.mark.parametrize("other", [{"split": "train"}, {"pool_hash": "def"}, {"seed": 1}, {"queries": 19}])
def test_only_what_answered_the_same_queries_with_the_same_models_is_alike(other: dict[str, Any]) -> None:
    files = table()
    files["majority-vote"] |= other
    assert set(gains.alike(files)) == {"single-oak", "single-elm", "oracle"}


def test_the_measure_the_oracle_and_the_choice_on_train_are_not_judged() -> None:
    found = gains.over_best(table(single=file(OAK, called={"oak": 1.0})))
    judged = ["single-elm", "majority-vote"]
    assert [label for label, gain in found.items() if gain.adjusted] == judged
    scores = {"single-elm": ELM, "majority-vote": VOTE}
    alone = [paired(np.array(scores[label]), np.array(OAK), resamples=gains.RESAMPLES) for label in judged]
    assert [found[label] for label in judged] == holm(alone)
    assert found["single-oak"].mean == found["single"].mean == 0
    assert found["oracle"].mean == pytest.approx(0.4)
