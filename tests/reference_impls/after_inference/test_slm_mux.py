"""SLM-MUX against cases worked by hand, the authors' loop written out, and its laws."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.slm_mux import Parameters, SlmMux, believed
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "math", "1 + 1 = ?", "number")
ROWS = st.lists(
    st.lists(st.sampled_from(["1", "2", "3", None]), min_size=3, max_size=3), min_size=1, max_size=4
)  # fmt: skip


def trained(accuracy: list[float]) -> TrainingSet:
    """Ten queries on which the models are right as often as said."""
    m = len(accuracy)
    scores = np.array([[float(i < round(10 * a)) for a in accuracy] for i in range(10)])
    queries = [Query(f"t/{i}", "math", str(i), "number") for i in range(10)]
    responses = [[Generation(f"m{j}", "1") for j in range(m)]] * 10
    names = tuple(f"m{j}" for j in range(m))
    return TrainingSet(queries, names, responses, scores, scores * 0, [[[]] * m] * 10, np.zeros((10, m, 0)))


def sampled(name: str, texts: list[str], price: float) -> ScriptedModel:
    """A model whose sample k is the k-th text."""
    return ScriptedModel(name, lambda _p, k: (texts[k], -1.0), price)


def mux(samples: list[list[str]], accuracy: list[float], **settings: object) -> tuple[str, int]:
    """The text and the calls of a run over these samples, [models][samples]."""
    models = [sampled(f"m{i}", texts, 1.0 + i) for i, texts in enumerate(samples)]
    meter = Meter(models)
    method = SlmMux(meter.pool, Parameters(samples=len(samples[0]), **settings))  # type: ignore[arg-type]
    method.fit(trained(accuracy))
    meter.begin()
    text = method.answer(QUERY)
    return text, meter.end().calls


def test_worked_by_hand() -> None:
    # m1 agrees with itself in three of three; the others, though both say 7 twice, in two of three.
    assert mux([["= 7", "= 7", "= 1"], ["= 8", "= 8", "= 8"], ["= 7", "= 7", "= 2"]], [0.9, 0.1, 0.9]) == ("= 8", 9)
    # The example of the authors' page: A A B, A B B, A B C: the first two have 2/3, and the first is more accurate.
    rows = [["= 1", "= 1", "= 2"], ["= 1", "= 2", "= 2"], ["= 1", "= 2", "= 3"]]
    assert mux(rows, [0.8, 0.5, 0.3])[0] == "= 1"
    assert mux(rows, [0.5, 0.8, 0.9])[0] == "= 2"


def test_a_tie_is_settled_by_the_models_own_accuracy() -> None:
    """m0 and m1 share an answer; what counts is the best of the tied models, not the mean of those who agree."""
    rows = [["= 1", "= 1"], ["= 1", "= 1"], ["= 2", "= 2"]]
    assert mux(rows, [0.9, 0.1, 0.7])[0] == "= 1"
    assert mux(rows, [0.6, 0.1, 0.7])[0] == "= 2"


def test_samples_without_an_answer_count_against_a_model() -> None:
    assert mux([["?", "?", "?"], ["= 2", "= 3", "?"]], [0.9, 0.1])[0] in ("= 2", "= 3")
    assert mux([["= 1", "= 1", "?"], ["= 2", "= 2", "= 2"]], [0.9, 0.1])[0] == "= 2"
    assert mux([["?", "none"], ["none", "?"]], [0.9, 0.1])[0] in ("?", "none")


def test_an_early_stop_saves_the_samples() -> None:
    agreed, split = [["= 2"] * 3, ["so = 2"] * 3], [["= 2"] * 3, ["= 3"] * 3]
    assert mux(agreed, [0.5, 0.5], early_stop=True)[1] == 2
    assert mux(agreed, [0.5, 0.5])[1] == 6
    assert mux(split, [0.4, 0.5], early_stop=True) == ("= 3", 2 + 6)
    assert mux([["?"] * 3, ["?"] * 3], [0.5, 0.5], early_stop=True)[1] == 8, "silence is no agreement"


def test_a_subset_can_be_named() -> None:
    rows = [["= 1"] * 3, ["= 2"] * 3, ["= 3"] * 3]
    assert mux(rows, [0.9, 0.5, 0.6], models="m1, m2") == ("= 3", 6)
    with pytest.raises(ValueError, match="no model 'm7' in the pool"):
        mux(rows, [0.9, 0.5, 0.6], models="m7")
    with pytest.raises(ValueError, match="samples is 0"):
        SlmMux(Meter([constant("a", "= 1")]).pool, Parameters(samples=0))


@given(ROWS, st.permutations([0.2, 0.4, 0.6, 0.8]))
def test_it_agrees_with_the_authors_loop(rows: list[list[str | None]], accuracy: list[float]) -> None:
    """One pass over the models from the most to the least accurate, as they list them; the first best stays."""
    p = accuracy[: len(rows)]
    best, place = -1.0, 0
    for m in sorted(range(len(rows)), key=lambda m: -p[m]):
        table = Counter(a for a in rows[m] if a is not None)
        share = max(table.values(), default=0) / 3
        if share > best:
            best, place = share, m
    kept = believed(rows, np.array(p))
    assert {m for m, row in enumerate(kept) if any(row)} == {place}
    table = Counter(a for a in rows[place] if a is not None)
    given_ = [a for a, k in zip(rows[place], kept[place], strict=True) if k and a is not None]
    assert {table[a] for a in given_} <= {max(table.values(), default=0)}


@given(st.lists(st.sampled_from(["= 1", "= 2", "?"]), min_size=1, max_size=5))
def test_of_one_model_it_is_self_consistency(texts: list[str]) -> None:
    table = Counter(t for t in texts if t != "?")
    assert table[mux([texts], [0.5])[0]] == max(table.values(), default=0)


@given(ROWS, st.permutations(range(4)))
def test_a_permutation_of_the_models_permutes_the_choice(rows: list[list[str | None]], order: list[int]) -> None:
    order = [i for i in order if i < len(rows)]
    p = np.array([0.2, 0.4, 0.4, 0.8])[: len(rows)]
    first = believed(rows, p)
    assert believed([rows[i] for i in order], p[order]) == [first[i] for i in order]
