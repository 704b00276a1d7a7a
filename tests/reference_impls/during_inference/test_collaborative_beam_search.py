"""Collaborative Beam Search against paths worked by hand; one model alone; the quota; determinism."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import Logits, Meter, Query, TextSession
from reference_impls.during_inference.collaborative_beam_search import (
    CollaborativeBeamSearch,
    Parameters,
    Path,
    allocate,
    consensus,
)
from tests.reference_impls.fakes import TableModel, constant

QUERY = Query("t/0", "math", "q", "number", 20)
VOCABULARY = [b"", b"a\n", b"b\n", b"=1", b"=2"]
END = {f"{line}={n}": {b"": 0.9} for line in ("a\n", "b\n") for n in (1, 2)}


def table(name: str, price: float, rows: Mapping[str, Mapping[bytes, float]], order: int = 1) -> TableModel:
    return TableModel(name, [b"", *VOCABULARY[1:][::order]], {**rows, **END}, price)


#: Alone, FIRST writes "a, =1" and SECOND "b, =2".
FIRST_ROWS = {"": {b"a\n": 0.8, b"b\n": 0.1}, "a\n": {b"=1": 0.5, b"=2": 0.4}, "b\n": {b"=1": 0.5, b"=2": 0.4}}
SECOND_ROWS = {"": {b"a\n": 0.4, b"b\n": 0.5}, "a\n": {b"=1": 0.2, b"=2": 0.7}, "b\n": {b"=1": 0.2, b"=2": 0.7}}
FIRST, SECOND = table("first", 2.0, FIRST_ROWS), table("second", 1.0, SECOND_ROWS, -1)


def search(*models: TableModel, seed: int = 0, **parameters: float) -> CollaborativeBeamSearch:
    settings = Parameters(**{"temperature": 0.0, "samples": 2, **parameters})  # type: ignore[arg-type]
    return CollaborativeBeamSearch(Meter(models).pool, settings, np.random.default_rng(seed))


def test_step_scores_worked_by_hand() -> None:
    method = search(FIRST, SECOND)
    assert [m.name for m in method.members()] == ["first", "second"]
    first, second = method.expand(Path(), starts(method), [1, 1], QUERY)
    # "a": -(1/0.8 + 1/0.4)/2 = -1.875;  "b": -(1/0.1 + 1/0.5)/2 = -6
    assert (first.data, second.data) == (b"a\n", b"b\n")
    assert (first.score, second.score) == pytest.approx((-1.875, -6.0), rel=1e-5)
    assert (first.authors, second.authors) == (frozenset({0}), frozenset({1}))
    texts = method.advance(first)
    one, two = method.expand(first, texts, [1, 1], QUERY)
    # "=1" and the end: FIRST 1/sqrt(0.5*0.9) = 1.4907, SECOND 1/sqrt(0.2*0.9) = 2.3570, mean 1.9239
    # "=2" and the end: FIRST 1/sqrt(0.4*0.9) = 1.6667, SECOND 1/sqrt(0.7*0.9) = 1.2599, mean 1.4633
    assert one.finished
    assert two.finished
    assert one.scores == pytest.approx((-1.875, -1.9239), abs=1e-3)
    assert two.scores == pytest.approx((-1.875, -1.4633), abs=1e-3)
    assert two.score == pytest.approx((-1.875 - 1.4633) / 2, abs=1e-3)


def starts(method: CollaborativeBeamSearch) -> list[TextSession]:
    return [TextSession(model, QUERY.prompt) for model in method.members()]


def test_the_best_path_takes_a_line_from_either_model() -> None:
    # Both lines stay in a beam of 2, so both models keep a draft: SECOND's "=2" after FIRST's "a" scores best
    # (-1.669 a step; "a, =1": -1.899; after "b" the same ends, from -6).
    method = search(FIRST, SECOND, beam=2)
    assert method.answer(QUERY) == "a\n=2"
    assert search(FIRST).answer(QUERY) == "a\n=1"
    assert search(SECOND).answer(QUERY) == "b\n=2"


def test_the_quota_follows_the_kept_steps() -> None:
    # Beam 1 keeps "a" alone, so the next quota is 2 softmax([1, 0] / 0.1) = (2, 0): only FIRST goes on, with "=1".
    assert search(FIRST, SECOND, beam=1).answer(QUERY) == "a\n=1"
    # At a large tau the quota stays (1, 1), and SECOND may propose "=2".
    assert search(FIRST, SECOND, beam=1, tau=100.0).answer(QUERY) == "a\n=2"


def test_equal_steps_are_one_candidate_of_both_authors() -> None:
    twin = table("twin", 1.0, FIRST_ROWS)
    method = search(FIRST, twin)
    (only,) = method.expand(Path(), starts(method), [1, 1], QUERY)
    assert only.authors == {0, 1}


def test_consensus_and_allocation() -> None:
    assert consensus([np.log([1.0])]) == -1
    assert allocate(np.array([1 / 3] * 3), 3) == [1, 1, 1]
    assert allocate(np.array([1 / 3] * 3), 4) == [2, 1, 1]
    assert allocate(np.array([0.0, 1.0]), 5) == [0, 5]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.integers(0, 40))
def test_quotas_sum_to_the_total_and_stay_near_the_shares(raw: list[float], total: int) -> None:
    shares = np.array(raw) / sum(raw)
    quota = allocate(shares, total)
    assert sum(quota) == total
    assert np.all(np.abs(np.array(quota) - shares * total) < 1 + 1e-6)


def test_one_model_alone_and_greedy_is_that_model() -> None:
    for model in (FIRST, SECOND):
        for beam in (1, 3):
            assert search(model, beam=beam).answer(QUERY) == model.generate("q")[0].text


def test_a_permutation_of_the_pool_changes_nothing() -> None:
    assert search(SECOND, FIRST).answer(QUERY) == search(FIRST, SECOND).answer(QUERY)
    assert search(SECOND, FIRST, models=1).answer(QUERY) == "a\n=1", "the dearest model alone"


def test_one_seed_gives_one_response() -> None:
    answers = [search(FIRST, SECOND, seed=s, temperature=1.0, samples=3).answer(QUERY) for s in range(12)]
    again = [search(FIRST, SECOND, seed=s, temperature=1.0, samples=3).answer(QUERY) for s in range(12)]
    assert answers == again
    assert len(set(answers)) > 1, "it does sample"


def test_token_limit_stop_text_and_context() -> None:
    endless = TableModel("endless", VOCABULARY, {"a\n" * i: {b"a\n": 0.9} for i in range(50)}, 1.0)
    assert search(endless).answer(Query("t/0", "math", "q", "number", 7)) == "a\n" * 7
    assert search(FIRST, SECOND).answer(Query("t/0", "math", "q", "number", 9, ("a",))) == "a\n"

    class Short(TableModel):
        """A model that takes one line and no more."""

        def logits(self, text: str) -> Logits:
            if text.count("\n") > 0:
                raise ValueError("the text is longer than the context")
            return super().logits(text)

    assert search(Short("short", VOCABULARY, FIRST_ROWS)).answer(QUERY) == "a\n"


def test_every_model_is_metered_and_answers_only_are_refused() -> None:
    meter = Meter([FIRST, SECOND])
    meter.begin()
    CollaborativeBeamSearch(meter.pool, Parameters(temperature=0.0)).answer(QUERY)
    usage = meter.end()
    assert set(usage.models) == {"first", "second"}
    assert usage.critical_path < usage.latency
    with pytest.raises(TypeError, match="no token distributions"):
        CollaborativeBeamSearch(Meter([constant("a", "x")]).pool).answer(QUERY)
