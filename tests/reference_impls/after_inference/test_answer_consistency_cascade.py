"""The answer-consistency cascade against a case worked by hand, and its threshold at the ends."""

import pytest

from reference_impls.after_inference.answer_consistency_cascade import (
    AnswerConsistencyCascade,
    Parameters,
    consistency,
    spread,
)
from reference_impls.core import Meter, Query
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "math", "1 + 1 = ?", "number")
#: Six of eight samples say 2, one says 3, one says nothing.
SAMPLES = ["= 2", "= 3", "= 2", "?", "= 2", "= 2", "= 2", "= 2"]


def cascade(threshold: float) -> tuple[str, list[str], int]:
    cheap = ScriptedModel("cheap", lambda _p, i: (SAMPLES[i], -1.0), 1.0)
    meter = Meter([constant("dear", "= 4", 10.0), cheap])
    meter.begin()
    answer = AnswerConsistencyCascade(meter.pool, Parameters(threshold=threshold)).answer(QUERY)
    usage = meter.end()
    return answer, usage.models, usage.calls


def test_worked_by_hand() -> None:
    assert consistency(["2", "3", "2", None, "2", "2", "2", "2"]) == 0.75
    assert consistency([None, None]) == 0.0
    assert cascade(0.75) == ("= 2", ["cheap"], 8)
    assert cascade(0.76) == ("= 4", ["cheap", "dear"], 9)


@pytest.mark.parametrize(("threshold", "answer"), [(0.0, "= 2"), (1.01, "= 4")])
def test_the_threshold_at_its_ends(threshold: float, answer: str) -> None:
    assert cascade(threshold)[0] == answer


def test_the_chain_runs_from_cheap_to_dear() -> None:
    assert spread([3, 1, 0, 2], 2) == [3, 2]
    assert spread([3, 1, 0, 2, 4], 3) == [3, 0, 4]
    assert spread([3, 1], 5) == [3, 1]
    assert spread([3, 1], 1) == [1]
