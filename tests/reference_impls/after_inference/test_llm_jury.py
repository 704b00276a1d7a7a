"""The LLM jury against cases worked by hand, Borda's count with honest jurors, and its laws."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.llm_jury import COUNTS, LlmJury, Parameters, pooled
from reference_impls.core import Meter, ModelError, Query
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "qa", "Q: river?\nA:", "short")
VERDICT = {2: "[[A>>B]]", 1: "[[A>B]]", 0: "[[A=B]]", -1: "[[B>A]]", -2: "[[B>>A]]"}
Judge = Callable[[str, str], str]


def juror(name: str, answer: str, judge: Judge, price: float = 1.0) -> ScriptedModel:
    """A chat model that answers, and replies to two responses as the function says."""

    def reply(prompt: str, _sample: int) -> tuple[str, float]:
        pair = re.search(r"Response A:\n(.*)\n\nResponse B:\n(.*)\n", prompt)
        return (judge(pair[1], pair[2]) if pair else answer), -1.0

    model = ScriptedModel(name, reply, price)
    model.dress = "chat"
    return model


def by_merit(merit: dict[str, int]) -> Judge:
    """An honest juror: differences of merits as verdicts."""
    return lambda a, b: VERDICT[int(np.clip(merit[a] - merit[b], -2, 2))]


def judged(models: list[ScriptedModel], seed: int = 0, **settings: object) -> tuple[str, LlmJury]:
    method = LlmJury(Meter(models).pool, Parameters(**settings), np.random.default_rng(seed))  # type: ignore[arg-type]
    return method.answer(QUERY), method


def test_worked_by_hand() -> None:
    # Against po, the dearest model's: a gives red +2 and tay +1, b red -1 and tay +1, c red 0 and tay +1.
    models = [
        juror("a", "red", by_merit({"red": 2, "tay": 1, "po": 0}), 1.0),
        juror("b", "tay", by_merit({"red": 0, "tay": 2, "po": 1}), 2.0),
        juror("c", "po", by_merit({"red": 0, "tay": 1, "po": 0}), 3.0),
    ]
    # red (2 - 1 + 0) / 3 = 1/3, tay 1, po 0.
    text, method = judged(models)
    assert text == "tay"
    assert method.notes == {COUNTS[0]: 3 * 2 * 2, COUNTS[1]: 0, COUNTS[2]: 0}
    assert judged(models, jurors="a")[0] == "red"
    # Compared with red, only a is asked: tay -1, po -2.
    assert judged(models, jurors="a", baseline="a")[0] == "red"
    assert judged(models, jurors="b", baseline="a")[0] == "tay"


def test_the_panel_is_the_three_cheapest_and_calls_are_counted() -> None:
    models = [juror(n, t, by_merit({"red": 1, "tay": 0}), p) for n, t, p in
              (("d", "red", 4.0), ("a", "tay", 1.0), ("c", "red", 3.0), ("b", "tay", 2.0))]  # fmt: skip
    meter = Meter(models)
    method = LlmJury(meter.pool)
    assert [j.name for j in method.jurors] == ["a", "b", "c"]
    meter.begin()
    assert method.answer(QUERY) == "red"
    usage = meter.end()
    assert usage.calls == 4 + 3 * 2
    assert usage.critical_path == pytest.approx(1 + 2)


def test_a_juror_who_prefers_what_stands_first_says_nothing() -> None:
    """Its verdicts cancel: red is as good as po for it, and b decides."""
    first, b = (lambda _a, _b: "[[A>>B]]"), by_merit({"red": 1, "po": 0})
    models = [juror("a", "red", first, 1.0), juror("b", "red", b, 2.0), juror("c", "po", first, 3.0)]
    assert judged(models)[0] == "red"
    models[1] = juror("b", "red", by_merit({"red": 0, "po": 1}), 2.0)
    assert judged(models)[0] == "po"


def test_a_juror_abstains_where_an_order_cannot_be_read() -> None:
    half = juror("a", "red", lambda a, _b: "[[A>>B]]" if a == "red" else "Both are fine.", 1.0)
    text, method = judged([half, juror("b", "po", by_merit({"red": 0, "po": 1}), 2.0)])
    assert text == "po"
    assert method.notes[COUNTS[1]] == 1


def test_without_a_verdict_the_most_frequent_answer_is_returned_and_counted() -> None:
    for failing in (lambda _a, _b: "?", lambda _a, _b: (_ for _ in ()).throw(ModelError("down"))):
        models = [juror(n, t, failing, p) for n, t, p in (("a", "red", 1.0), ("b", "red", 2.0), ("c", "po", 3.0))]
        text, method = judged(models)
        assert text == "red"
        assert (method.notes[COUNTS[1]], method.notes[COUNTS[2]]) == (6, 1)


def test_models_of_the_terse_dress_grade() -> None:
    def grader(name: str, answer: str, grades: dict[str, str], price: float) -> ScriptedModel:
        def reply(prompt: str, _sample: int) -> tuple[str, float]:
            graded = re.search(r"Proposed: (.*)\nGrade", prompt)
            return (grades[graded[1]] if graded else answer), -1.0

        return ScriptedModel(name, reply, price)

    # a: red 5 - 4; b cannot grade tay: only a's 3 - 4 counts for it; c: red 1 - 2, tay 2 - 2.
    a = grader("a", "red", {"red": " 5", "tay": " 3", "po": " 4"}, 1.0)
    b = grader("b", "tay", {"red": " 4", "tay": "so", "po": " 4"}, 2.0)
    c = grader("c", "po", {"red": " 5", "tay": " 2", "po": " 2"}, 3.0)
    text, method = judged([a, b, c])
    assert text == "red"
    assert method.notes == {COUNTS[0]: 9, COUNTS[1]: 1, COUNTS[2]: 0}


def test_responses_without_an_answer_neither_win_nor_serve_as_the_baseline() -> None:
    merit = by_merit({"red": 0, "tay": 1})
    models = [juror("a", "red", merit, 1.0), juror("b", "tay", merit, 2.0), juror("c", " ", merit, 3.0)]
    assert judged(models)[0] == "tay"
    assert judged([constant("a", " "), constant("b", "red")])[0] == "red"
    assert judged([constant("a", "red"), constant("b", "red")])[1].notes[COUNTS[0]] == 0


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'average'"):
        judged([constant("a", "red")], pooling="averaged")
    with pytest.raises(ValueError, match="no model 'b' in the pool"):
        judged([constant("a", "red")], baseline="b")


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=4))
def test_honest_jurors_make_it_the_largest_mean_merit(merits: list[list[int]]) -> None:
    """Where no verdict is cut, the mean of differences from one response is the difference of the means."""
    texts = ["red", "tay", "po"]
    models = [constant(f"x{t}", t, 10.0 + i) for i, t in enumerate(texts)]
    panel = [juror(f"j{k}", "", by_merit(dict(zip(texts, row, strict=True))), 1.0) for k, row in enumerate(merits)]
    means = dict(zip(texts, np.mean(merits, axis=0).tolist(), strict=True))
    text, _ = judged([*models, *panel], jurors=",".join(j.name for j in panel))
    assert means[text] == pytest.approx(max(means.values()))


@given(
    st.lists(st.sampled_from([-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, None]), max_size=5), st.permutations(range(5))
)
def test_laws_of_pooling(verdicts: list[float | None], order: list[int]) -> None:
    shuffled = [verdicts[i] for i in order if i < len(verdicts)]
    for pooling, bound in (("average", 2), ("vote", 1)):
        score = pooled(verdicts, pooling)
        assert pooled(shuffled, pooling) == (None if score is None else pytest.approx(score))
        turned = pooled([None if v is None else -v for v in verdicts], pooling)
        assert turned == (None if score is None else pytest.approx(-score))
        assert score is None or abs(score) <= bound
