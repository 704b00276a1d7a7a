"""Self-MoA against cases worked by hand, the mixture of agents over one model, and the law of its windows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.self_moa import LEFT, Parameters, SelfMoa, windows
from reference_impls.core import DRAFT_COUNTS, Generation, Meter, ModelError, Query, TrainingSet, fuse_prompt
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "writing", "Q: who?\nA:", "text")
SAMPLES = ["one", "two", "six", "ten", "red"]


def trained(scores: list[float]) -> TrainingSet:
    """One query on which the models score so."""
    m = len(scores)
    table = np.array([scores])
    names = tuple("abc"[:m])
    responses = [[Generation(name, "x") for name in names]]
    return TrainingSet([QUERY], names, responses, table, table * 0, [[[]] * m], np.zeros((1, m, 0)))


def proposer(name: str, samples: list[str], price: float = 1.0) -> tuple[ScriptedModel, list[str]]:
    """A model that gives its samples in turn and writes what it is asked into a list: z1, z2, .. ."""
    seen: list[str] = []

    def answer(prompt: str, sample: int) -> tuple[str, float]:
        if prompt == QUERY.prompt:
            return samples[sample], -1.0
        seen.append(prompt)
        return f"z{len(seen)}", -1.0

    return ScriptedModel(name, answer, price), seen


def test_worked_by_hand() -> None:
    best, seen = proposer("b", SAMPLES)
    meter = Meter([constant("a", "bad", 9.0), best, constant("c", "worse", 0.1)])
    method = SelfMoa(meter.pool)
    method.fit(trained([0.5, 0.9, 0.1]))
    meter.begin()
    assert method.answer(QUERY) == "z1"
    usage = meter.end()
    assert seen == [fuse_prompt(QUERY.prompt, SAMPLES[:3])]
    assert (usage.models, usage.calls) == (["b"], 4)
    assert method.notes == {DRAFT_COUNTS[0]: 3, DRAFT_COUNTS[1]: 0, LEFT: 0}


def test_windows_worked_by_hand() -> None:
    best, seen = proposer("b", SAMPLES)
    method = SelfMoa(Meter([best]).pool, Parameters(samples=5, window=3, model="b"))
    assert not method.needs_training
    assert method.answer(QUERY) == "z2"
    assert seen == [fuse_prompt(QUERY.prompt, SAMPLES[:3]), fuse_prompt(QUERY.prompt, ["z1", "ten", "red"])]
    assert method.notes[DRAFT_COUNTS[0]] == 6


def test_another_model_may_aggregate() -> None:
    best, seen = proposer("b", SAMPLES)
    method = SelfMoa(Meter([best, constant("c", "made by c")]).pool, Parameters(model="b", aggregator="c"))
    assert method.answer(QUERY) == "made by c"
    assert not seen
    with pytest.raises(ValueError, match="no model 'd' in the pool"):
        SelfMoa(Meter([best]).pool, Parameters(aggregator="d"))


@pytest.mark.parametrize("settings", [{"window": 1}, {"window": -1}, {"samples": 0}])
def test_wrong_parameters_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"^self-moa: samples must be at least 1, and window 0"):
        SelfMoa(Meter([constant("a", "x")]).pool, Parameters(**settings))  # type: ignore[arg-type]


def test_if_nothing_is_written_the_most_frequent_answer_is_returned_and_counted() -> None:
    def fails(prompt: str, sample: int) -> tuple[str, float]:
        if prompt != QUERY.prompt:
            raise ModelError("the server is down")
        return ["one", "two", "two"][sample], -1.0

    for model in (
        ScriptedModel("a", fails),
        ScriptedModel("a", lambda p, s: (["one", "two", "two"][s] if p == QUERY.prompt else " ", -1.0)),
    ):
        method = SelfMoa(Meter([model]).pool, Parameters(model="a"))
        assert method.answer(QUERY) == "two"
        assert method.notes[LEFT] == 1
    method = SelfMoa(Meter([constant("a", " ")]).pool, Parameters(model="a"))
    assert method.answer(QUERY) == " "


@given(st.integers(1, 30), st.integers(0, 8).filter(lambda w: w != 1))
def test_every_draft_is_read_once_and_no_window_is_larger(count: int, size: int) -> None:
    parts = windows(count, size)
    assert [i for part in parts for i in part] == list(range(count))
    assert all(len(part) + (k > 0) <= size for k, part in enumerate(parts) if size)
    if 1 < size < count:
        assert len(parts) == math.ceil((count - size) / (size - 1)) + 1
