"""Eagle: by hand, against Elo's rule written out anew, and laws of its ratings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.eagle_router import START, EagleRouter, Parameters, outcomes, replay
from tests.reference_impls.before_inference.cases import NAME, PROMPTS, SPLIT, SUM, many, pool, training


def router(
    scores: Sequence[Sequence[float]], order: tuple[int, ...] = (0, 1), prompts: Sequence[str] = PROMPTS,
    **parameters: Any,
) -> EagleRouter:  # fmt: skip
    method = EagleRouter(pool(order), Parameters(**parameters))
    method.fit(training(scores, prompts=prompts))
    return method


def test_worked_by_hand() -> None:
    # Equal ratings expect .5, so the first win moves both by 16: 116 and 84. That expects 1 / (1 + 10^(-32 / 400)) =
    # .545922 of the winner, so a second win moves them by 32 * .454078 = 14.5305: 130.5305 and 69.4695.
    assert replay([100.0, 100.0], [[1.0], [1.0]], 32.0) == pytest.approx([130.5305, 69.4695], abs=1e-4)
    # A draw between equals moves nobody, one after a win brings them together: 116 - 32 * (.545922 - .5).
    assert replay([100.0, 100.0], [[0.5]], 32.0) == [100.0, 100.0]
    assert replay([116.0, 84.0], [[0.5]], 32.0) == pytest.approx([114.5305, 85.4695], abs=1e-4)


def by_name(rows: list[dict[str, float]], ratings: dict[str, float], k: float) -> dict[str, float]:
    """Elo on scores by name, two models at a time, as those who rebuilt the method for two models write it."""
    ratings = dict(ratings)
    for row in rows:
        names = list(ratings)
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                won = 1.0 if row[a] > row[b] else 0.0 if row[a] < row[b] else 0.5
                expected = 1 / (1 + 10 ** ((ratings[b] - ratings[a]) / 400))
                new_a = ratings[a] + k * (won - expected)
                new_b = ratings[b] + k * ((1 - won) - (1 - expected))
                ratings[a], ratings[b] = new_a, new_b
    return ratings


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 1), count=st.integers(1, 6))
def test_it_rates_as_the_rule_written_by_name(seed: int, share: float, count: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 3, (6, 3)) / 2
    method = router(scores.tolist(), (0, 1, 2), neighbours=count, share=share)
    rows = [dict(zip("abc", row, strict=True)) for row in scores.tolist()]
    start = dict.fromkeys("acb", START)  # a costs 1, c 3 and b 5
    everywhere = by_name(rows, start, 32.0)
    x = method.embedder_.transform(PROMPTS)
    for query in (SUM, NAME):
        near = np.argsort(-(x @ method.embedder_.transform([query.prompt])[0]), kind="stable")[:count]
        here = by_name([rows[i] for i in near], everywhere, 32.0)
        expected = [share * everywhere[name] + (1 - share) * here[name] for name in "abc"]
        assert method.utilities(query) == pytest.approx(expected)


@settings(deadline=None)
@given(
    scores=st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4), min_size=1, max_size=30),
    step=st.floats(1, 64),
)
def test_what_one_wins_another_loses_and_who_always_wins_stands_first(scores: list[list[float]], step: float) -> None:
    table = np.array(scores)
    found = replay([START] * 4, outcomes(table).tolist(), step)
    assert sum(found) == pytest.approx(4 * START)
    table[:, 2] = 2.0
    found = replay([START] * 4, outcomes(table).tolist(), step)
    assert int(np.argmax(found)) == 2


def test_it_routes_by_similar_comparisons() -> None:
    scores, prompts = many(40)
    method = router(scores, prompts=prompts, neighbours=5)
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]


def test_global_ratings_alone_are_one_model_for_all() -> None:
    scores, prompts = many(40)
    method = router(scores, prompts=prompts, share=1.0)
    assert method.utilities(SUM).tolist() == method.utilities(NAME).tolist()
    # b won the last comparison, and the last ones count most.
    assert method.answer(SUM) == "from b"


def test_draws_go_to_the_cheapest_and_one_model_alone_serves() -> None:
    assert router([[1.0, 1.0, 1.0]] * 6, (0, 1, 2)).answer(SUM) == "from a"
    assert router([[1.0]] * 6, (0,)).answer(SUM) == "from a"


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(2).integers(0, 3, (6, 4)) / 2, (2, 3, 0, 1)
    first = router(scores.tolist(), (0, 1, 2, 3))
    second = EagleRouter(pool(order), Parameters())
    second.fit(training(scores[:, order].tolist(), order=order))
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)].tolist() == second.utilities(query).tolist()


def test_split_is_learned_from_few() -> None:
    method = router(SPLIT, neighbours=3, share=0.0)
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]
