"""PairRanker against cases worked by hand and against scikit-learn."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference_impls.after_inference.pair_ranker import PairRanker, Parameters, pair_features, scores, surface
from reference_impls.core import Floats, Generation, Meter, Query, TrainingSet, fuse_prompt
from tests.reference_impls.fakes import ScriptedModel, constant

SUMS = [f"Q: {a} plus {a + 3} = ?\nA:" for a in range(10, 22)]
NAMES = [f"Q: who is the king of {x}?\nA:" for x in ("Zor", "Mel", "Ork", "Pan", "Lum", "Vex", "Tar", "Qui")]
PRICES = {"a": 1.0, "b": 5.0, "c": 2.0}


def training(
    names: Sequence[str], texts: Sequence[Sequence[str]], worth: Floats, prompts: Sequence[str]
) -> TrainingSet:
    queries = [Query(f"t/{i}", "t", p, "short") for i, p in enumerate(prompts)]
    responses = [
        [Generation(n, t, (t,), (-1.0, -1.0), 5, 2) for n, t in zip(names, row, strict=True)] for row in texts
    ]
    n, m = worth.shape
    return TrainingSet(queries, tuple(names), responses, worth, worth * 0, [[[]] * m] * n, np.zeros((n, m, 0)))


def skilled(order: Sequence[str] = "ab", **parameters: float | str) -> PairRanker:
    """a is right on sums, b on names; their answers differ in nothing else."""
    models = [constant(n, f"from {n}", PRICES[n]) for n in order]
    worth = {"a": [1.0] * len(SUMS) + [0.0] * len(NAMES), "b": [0.0] * len(SUMS) + [1.0] * len(NAMES)}
    worth["c"] = [0.0] * (len(SUMS) + len(NAMES))
    texts = [[f"from {n}" for n in order]] * (len(SUMS) + len(NAMES))
    method = PairRanker(Meter(models).pool, Parameters(**parameters))  # type: ignore[arg-type]
    method.fit(training(order, texts, np.array([worth[n] for n in order]).T, [*SUMS, *NAMES]))
    return method


def test_decisions_worked_by_hand() -> None:
    # An encoder whose orders disagree: f(0, 1) = 2 but f(1, 0) = 1; f(0, 2) = -1 and f(2, 0) = 3; f(1, 2) = 1 and
    # f(2, 1) = -1.
    logits = np.array([[9.0, 2, -1], [1, 9, 1], [3, -1, 9]])
    # max-logits: s_0 = (2 - 1) + (-1 - 3) = -3, s_1 = (1 - 2) + (1 + 1) = 1, s_2 = (3 + 1) + (-1 - 1) = 2.
    assert scores(logits, "max-logits").tolist() == [-3, 1, 2]
    # max-wins: 0 wins f(0, 1) > 0 only = 1; 1 wins f(1, 0), f(1, 2) > 0 and f(2, 1) < 0 = 3; 2 wins f(2, 0) > 0 and
    # f(0, 2) < 0 = 2. The two decisions differ: 2 against 1.
    assert scores(logits, "max-wins").tolist() == [1, 3, 2]


@given(arrays(float, (4, 4), elements=st.floats(-5, 5)), st.permutations(range(4)), st.floats(-3, 3))
def test_decisions_follow_a_permutation_and_ignore_a_bias_for_the_first_place(
    logits: Floats, order: list[int], bias: float
) -> None:
    for decision in ("max-logits", "max-wins"):
        moved = scores(logits[np.ix_(order, order)], decision)
        assert moved == pytest.approx(scores(logits, decision)[order])
    assert scores(logits + bias, "max-logits") == pytest.approx(scores(logits, "max-logits"), abs=1e-9)
    assert scores(logits, "max-logits").sum() == pytest.approx(0, abs=1e-9)
    assert (
        scores(logits, "max-wins").sum() == np.count_nonzero(logits * ~np.eye(4, dtype=bool)) or (logits == 0).any()
    )


def test_surface_worked_by_hand() -> None:
    responses = [
        Generation("a", "red fox", ("red", " fox"), (-0.5, -1.5), 3, 2),
        Generation("b", "Red fox.", (), (), 3, 3, finished=False),
        Generation("c", " ", ("",), (-2.0,), 3, 0),
        Generation("d", "red owl", ("red owl",), (-1.0,), 3, 1),
    ]
    # ROUGE-L: fox-fox 1, fox-owl 2 * 1 / 4 = 0.5, with the empty answer 0. Three others each.
    expected = [
        [np.log(3), np.exp(-1), np.exp(-1.5), 1, 1, 1 / 3, (1 + 0 + 0.5) / 3],
        [np.log(4), 0, 0, 0, 1, 1 / 3, (1 + 0 + 0.5) / 3],
        [0, np.exp(-2), np.exp(-2), 1, 0, 0, 0],
        [np.log(2), np.exp(-1), np.exp(-1), 1, 1, 0, (0.5 + 0.5 + 0) / 3],
    ]
    assert surface(Query("t/0", "t", "Q", "short"), responses) == pytest.approx(np.array(expected))


def test_pair_features_worked_by_hand_turn_round_with_the_pair() -> None:
    phi = np.array([[1.0, 2.0], [4.0, 3.0], [0.0, 0.0]])
    owners = np.array([2, 0, 1])  # the answers' models
    # (0, 1) is model 2 against model 0: the duel 0-2 seen from the other side. Duels stand as 0-1, 0-2, 1-2.
    found = pair_features(phi, owners, np.array([[0, 1], [1, 0], [2, 0]]), 3)
    assert found.tolist() == [[-3, -1, 0, -1, 0], [3, 1, 0, 1, 0], [-1, -2, 0, 0, 1]]


def test_it_learns_who_is_right_on_what() -> None:
    method = skilled()
    assert method.answer(Query("q", "t", "Q: 41 plus 44 = ?\nA:", "short")) == "from a"
    assert method.answer(Query("q", "t", "Q: who is the king of Bru?\nA:", "short")) == "from b"
    wins = skilled(decision="max-wins")
    assert wins.answer(Query("q", "t", "Q: who is the king of Bru?\nA:", "short")) == "from b"


@pytest.mark.parametrize("order", ["bca", "cba"])
def test_a_permutation_of_the_models_permutes_the_choice(order: Sequence[str]) -> None:
    straight, permuted = skilled("abc"), skilled(order)
    for prompt, best in (("Q: 41 plus 44 = ?\nA:", "from a"), ("Q: who is the king of Bru?\nA:", "from b")):
        query = Query("q", "t", prompt, "short")
        assert permuted.answer(query) == straight.answer(query) == best
        ours = permuted.compare(query, permuted.collect(query))
        theirs = straight.compare(query, straight.collect(query))
        at = ["abc".index(n) for n in order]
        assert ours == pytest.approx(theirs[np.ix_(at, at)], abs=1e-5)


def test_agreement_is_learned() -> None:
    """Whatever two of three say is right; who is the odd one out changes from query to query."""
    texts, worth = [], []
    for i in range(30):
        row, right = ["same thing"] * 3, [1.0] * 3
        row[i % 3], right[i % 3] = f"other {i}", 0.0
        texts.append(row)
        worth.append(right)
    models = [constant("a", "odd word"), constant("b", "new answer"), constant("c", "new answer")]
    method = PairRanker(Meter(models).pool)
    method.fit(training("abc", texts, np.array(worth), [f"Q: number {i}?\nA:" for i in range(30)]))
    assert method.answer(Query("q", "t", "Q: number 77?\nA:", "short")) == "new answer"


def test_the_regression_is_scikit_learns_on_both_orders() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    texts = [[str(w) for w in rng.choice(["red fox", "red owl", "old mill", ""], 3)] for _ in range(40)]
    worth = rng.integers(0, 3, (40, 3)) / 2
    train = training("abc", texts, worth, [f"Q: {t[0]} {i}?\nA:" for i, t in enumerate(texts)])
    method = PairRanker(Meter([constant(n, "x") for n in "abc"]).pool, Parameters(penalty=0.5, dimensions=4))
    method.fit(train)
    rows, labels, owners = [], [], np.arange(3)
    places = method.embedder_.transform(train.prompts)
    for q, place in enumerate(places):
        phi = method._phi(surface(train.queries[q], train.responses[q]), owners, place)
        for i, j in itertools.permutations(range(3), 2):
            if worth[q, i] != worth[q, j]:
                rows.append(pair_features(phi, owners, np.array([[i, j]]), 3)[0])
                labels.append(worth[q, i] > worth[q, j])
    # Both orders count every pair twice: C = 1 / (2 * penalty).
    theirs = linear.LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=5000).fit(rows, labels)
    assert method.ranker_ is not None
    assert method.ranker_.weights_ == pytest.approx(theirs.coef_[0], abs=1e-4)
    found = method.compare(train.queries[0], train.responses[0])
    assert found == pytest.approx(-found.T)
    at = [k for k, (i, j) in enumerate(itertools.permutations(range(3), 2)) if (i, j) == (0, 2)]
    assert len(at) == 1
    phi = method._phi(surface(train.queries[0], train.responses[0]), owners, places[0])
    row = pair_features(phi, owners, np.array([[0, 2]]), 3)
    assert theirs.decision_function(row)[0] == pytest.approx(found[0, 2], abs=1e-3)


def test_the_best_k_are_fused_best_first() -> None:
    seen: list[str] = []

    def fuser(prompt: str, _sample: int) -> tuple[str, float]:
        if "Draft" not in prompt:
            return "from b", -1.0
        seen.append(prompt)
        return "fused", -1.0

    method = skilled("abc", fuse_top=2)
    meter = Meter([constant("a", "from a", 1.0), ScriptedModel("b", fuser, 5.0), constant("c", "from c", 2.0)])
    method.pool = meter.pool
    query = Query("q", "t", "Q: who is the king of Bru?\nA:", "short")
    meter.begin()
    assert method.answer(query) == "fused"
    usage = meter.end()
    assert usage.calls == 4
    assert usage.critical_path == pytest.approx(2.0), "three answers side by side, then the fusion"
    ranking = scores(method.compare(query, method.collect(query)), "max-logits")
    best = [f"from {'abc'[i]}" for i in np.argsort(-ranking)][:2]
    assert best[0] == "from b"
    assert seen == [fuse_prompt(query.prompt, best)]


@pytest.mark.parametrize(("most", "expected"), [(2, "fused a b"), (1, "fused a"), (0, "from a")])
def test_drafts_that_do_not_fit_are_dropped_from_the_end(most: int, expected: str) -> None:
    """The fuser refuses more than so many drafts; with none left the best answer is returned as it stands."""

    def short_sighted(prompt: str, _sample: int) -> tuple[str, float]:
        drafts = [line.removeprefix("Draft: from ") for line in prompt.splitlines() if line.startswith("Draft: ")]
        if len(drafts) > most:
            raise ValueError("the text is too long")
        return f"fused {' '.join(drafts)}" if drafts else "from b", -1.0

    method = skilled("ab", fuse_top=2)
    method.pool = Meter([constant("a", "from a", 1.0), ScriptedModel("b", short_sighted, 5.0)]).pool
    assert method.answer(Query("q", "t", "Q: 41 plus 44 = ?\nA:", "short")) == expected


def test_drafts_of_numbers_are_the_final_ones() -> None:
    seen: list[str] = []

    def fuser(prompt: str, _sample: int) -> tuple[str, float]:
        seen.append(prompt)
        return "1+2=3\n= 3", -1.0

    method = PairRanker(Meter([ScriptedModel("a", fuser)]).pool, Parameters(fuse_top=3))
    method.fit(training("a", [["x"]] * 3, np.ones((3, 1)), SUMS[:3]))
    method.answer(Query("q", "t", "Q: 1 + 2 = ?\nA:", "number"))
    assert seen[-1] == "Q: 1 + 2 = ?\nDraft: 3\nA:"


def test_one_model_is_that_model_and_equal_scores_teach_nothing() -> None:
    one = PairRanker(Meter([constant("a", "alone")]).pool)
    one.fit(training("a", [["x"]] * 3, np.array([[0.0], [1.0], [0.5]]), SUMS[:3]))
    assert one.answer(Query("q", "t", SUMS[5], "short")) == "alone"
    two = PairRanker(Meter([constant("a", "first"), constant("b", "second")]).pool)
    two.fit(training("ab", [["x", "y"]] * 3, np.ones((3, 2)), SUMS[:3]))
    assert two.ranker_ is None
    assert {two.answer(Query("q", "t", SUMS[5], "short")) for _ in range(20)} == {"first", "second"}


def test_a_wrong_decision_is_refused() -> None:
    with pytest.raises(ValueError, match="'max-logits' or 'max-wins'"):
        PairRanker(Meter([constant("a", "x")]).pool, Parameters(decision="bubble"))


def test_ties_are_drawn_and_an_abstention_never_wins() -> None:
    """Nothing was learned, so that all answers have one merit."""
    number = Query("t/0", "t", "1 + 1 = ?", "number")

    def ranker(*texts: str) -> PairRanker:
        method = PairRanker(Meter([constant(f"m{i}", text) for i, text in enumerate(texts)]).pool)
        method.ranker_ = None
        return method

    drawing = ranker("= 2", "= 3")
    assert {drawing.answer(number) for _ in range(20)} == {"= 2", "= 3"}
    assert drawing.choice.tie == "draw"
    assert ranker("", "none", "= 3").answer(number) == "= 3"
