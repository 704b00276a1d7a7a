"""Dawid-Skene against cases worked by hand, planted confusion matrices, and crowd-kit."""

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.dawid_skene import (
    DawidSkene,
    Parameters,
    agreements,
    coin_logits,
    coins,
    confusion_logits,
    dawid_skene,
    local_labels,
    one_coin,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.after_inference.crowd_kit import crowd_kit, frame
from tests.reference_impls.fakes import constant

OPTIONS = " (a) Lo (b) Ma (c) Te (d) Zi"


def training(prompts: list[str], texts: list[list[str]], kind: str) -> TrainingSet:
    """Scores are not a number: whoever looks at one chooses nothing sensible."""
    n, m = len(texts), len(texts[0])
    queries = [Query(f"t/{i}", "t", p, kind) for i, p in enumerate(prompts)]
    responses = [[Generation(f"m{j}", text) for j, text in enumerate(row)] for row in texts]
    names = tuple(f"m{j}" for j in range(m))
    none = np.full((n, m), np.nan)
    return TrainingSet(queries, names, responses, none, none, [[[]] * m] * n, np.zeros((n, m, 0)))


def fitted(answers: list[str], train: TrainingSet, **parameters: object) -> DawidSkene:
    method = DawidSkene(Meter([constant(f"m{j}", t) for j, t in enumerate(answers)]).pool, Parameters(**parameters))  # type: ignore[arg-type]
    method.fit(train)
    return method


def planted(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels [n, 5], truths [n], prior [3] and confusion matrices [5, 3, 3], no two models alike."""
    prior = np.array([0.5, 0.3, 0.2])
    truth = rng.choice(3, n, p=prior)
    diagonal = np.linspace(0.55, 0.9, 5)
    confusion = np.array([[[d if k == c else (1 - d) * (0.8 if (c - k) % 3 == 1 else 0.2) for c in range(3)] for k in range(3)] for d in diagonal])  # fmt: skip # noqa: E501
    labels = np.array([[rng.choice(3, p=confusion[j, t]) for j in range(5)] for t in truth])
    return labels, truth, prior, confusion


def test_the_e_step_worked_by_hand() -> None:
    confusion = np.array([[[0.9, 0.1, 0], [0.2, 0.8, 0]], [[0.6, 0.4, 0], [0.4, 0.6, 0]]])
    # k = 0: .5 * .9 * .4 = .18; k = 1: .5 * .2 * .6 = .06
    logits = confusion_logits(np.array([[0, 1]]), np.array([0.5, 0.5]), confusion)
    assert np.exp(logits) == pytest.approx(np.array([[0.18, 0.06]]))


def test_one_coin_worked_by_hand() -> None:
    # K = 5, so four answers can be right, each with prior 1/4; a wrong one has (1 - s) / 4.
    # 7: .9 (.5/4)^2 = .0140625; 8: (.1/4) .5^2 = .00625; two unseen: 2 (.1/4) (.5/4)^2 = .00078125
    logits = coin_logits(np.array([local_labels(["7", "8", "8"])]), np.array([0.9, 0.5, 0.5]), 5)
    expected = np.array([0.0140625, 0.00625, 0, 0.00078125])
    assert np.exp(logits[0]) == pytest.approx(expected / 4)
    # No answer is one of the four wrong symbols: .9 (.5/4)^2, unseen: 3 (.1/4) (.5/4)^2.
    logits = coin_logits(np.array([local_labels(["7", None, None])]), np.array([0.9, 0.5, 0.5]), 5)
    assert np.exp(logits[0]) == pytest.approx(np.array([0.0140625, 0, 0, 0.001171875]) / 4)


def test_one_coin_likelihoods_add_up_to_one() -> None:
    """Over all answers of two models, of five symbols of which the last, no answer, is never right."""
    symbols: list[str | None] = ["v", "w", "x", "y", None]
    logits = [
        coin_logits(np.array([local_labels(pair)]), np.array([0.7, 0.2]), 5)[0]
        for pair in itertools.product(symbols, repeat=2)
    ]
    assert np.exp(logits).sum() == pytest.approx(1)


def test_planted_confusion_matrices_are_recovered() -> None:
    labels, truth, prior, confusion = planted(4000, np.random.default_rng(1))
    p, c, q, _ = dawid_skene(labels, 3)
    assert p == pytest.approx(prior, abs=0.04)
    assert np.abs(c[:, :, :3] - confusion).max() < 0.06
    assert c.sum(-1) == pytest.approx(1)
    assert q.sum(-1) == pytest.approx(1)
    votes = np.array([np.bincount(row, minlength=3).argmax() for row in labels])
    assert (q.argmax(1) == truth).mean() > (votes == truth).mean() + 0.02, "better than the majority"


def test_planted_accuracies_are_recovered() -> None:
    """Open answers: every query has its own thirty, and a wrong model takes any of the other 29."""
    rng = np.random.default_rng(2)
    skills = np.array([0.9, 0.7, 0.5, 0.3, 0.15])
    right = rng.random((3000, 5)) < skills
    values = np.where(right, 0, rng.integers(1, 30, (3000, 5)))
    labels = np.array([local_labels([str(v) for v in row]) for row in values])
    found, q, _ = one_coin(labels, 31)
    assert found == pytest.approx(skills, abs=0.03)
    assert q.sum(1) == pytest.approx(1)


def open_answers(n: int, skills: np.ndarray, rng: np.random.Generator, copied: float = 0.0) -> np.ndarray:
    """Labels [n, models] of answers among thousands, the right one 0; the last model copies the one before it."""
    values = np.where(rng.random((n, len(skills))) < skills, 0, rng.integers(1, 5000, (n, len(skills))))
    values[:, -1] = np.where(rng.random(n) < copied, values[:, -2], values[:, -1])
    return values


def chosen(values: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Whether the most probable of the given answers is right, [n]."""
    best = logits[:, :-1].argmax(1)
    return np.asarray(values[np.arange(len(values)), best] == 0)


def places(values: np.ndarray) -> np.ndarray:
    return np.array([local_labels([str(v) for v in row]) for row in values])


def test_a_large_set_of_answers_and_two_models_that_err_together() -> None:
    """Two weak models mostly say the same: EM takes them for the good ones and falls far below the majority."""
    rng, skills = np.random.default_rng(6), np.array([0.75, 0.65, 0.55, 0.4, 0.4])
    values = open_answers(3000, skills, rng, copied=0.95)
    labels, answers = places(values), len(np.unique(values)) + 1
    found = coins(agreements(labels), answers)
    assert found == pytest.approx(skills, abs=0.05)
    em = one_coin(labels, answers)[0]
    assert em[3:].min() > em[:3].max(), "the likelihood is larger with the wrong ones on top"
    right = chosen(values, coin_logits(labels, found, answers)).mean()
    votes = (labels[:, :, None] == labels[:, None, :]).sum(2)
    largest = votes == votes.max(1, keepdims=True)
    majority = ((values == 0) & largest).sum(1) / largest.sum(1)  # ties averaged
    assert right > majority.mean() + 0.02
    assert chosen(values, coin_logits(labels, em, answers)).mean() < majority.mean() - 0.05


@pytest.mark.parametrize("options", [4, 30, 10_000])
def test_coins_from_pairs_and_from_em_agree_where_models_err_independently(options: int) -> None:
    rng, skills = np.random.default_rng(7), np.array([0.9, 0.75, 0.6, 0.5])
    values = np.where(rng.random((4000, 4)) < skills, 0, rng.integers(1, options, (4000, 4)))
    labels = places((values + rng.integers(0, options, (4000, 1))) % options)
    pairs = coins(agreements(labels), options)
    assert pairs == pytest.approx(skills, abs=0.05)
    assert pairs == pytest.approx(one_coin(labels, max(options + 1, 6))[0], abs=0.05)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0.05, 0.97), min_size=3, max_size=6), st.sampled_from([3.0, 40.0, 1e6]), st.randoms())
def test_exact_agreements_give_the_coins_whatever_the_order(
    skills: list[float], answers: float, random: Random
) -> None:
    s = np.array([max(x, 1.2 / answers) for x in skills])
    exact = np.outer(s, s) + np.outer(1 - s, 1 - s) / (answers - 1)
    if (exact - 1 / answers).min() / (1 - 1 / answers) < 2e-3:
        return  # hardly above chance: kept from running away
    order = list(range(len(s)))
    random.shuffle(order)
    assert coins(exact, answers) == pytest.approx(s, abs=0.02)
    assert coins(exact[np.ix_(order, order)], answers) == pytest.approx(s[order], abs=0.02)


def test_too_few_models_for_pairs() -> None:
    assert coins(np.ones((1, 1)), 100).tolist() == pytest.approx([0.505])
    two = coins(np.array([[1, 0.36], [0.36, 1]]), 1e9)
    assert two == pytest.approx([0.6, 0.6], abs=1e-3)
    never = coins(np.zeros((4, 4)), 50)
    assert np.isfinite(never).all()
    assert np.ptp(never) < 1e-6


def test_yes_or_no_has_confusion_matrices() -> None:
    """m3 and m4 say no to everything, so that no is the majority's word half the time."""
    texts = [["yes", "yes", "yes", "no", "no"] if i % 2 else ["no"] * 5 for i in range(30)]
    method = fitted(["yes", "yes", "no", "no", "no"], training(["Is it?"] * 30, texts, "yes-no"))
    assert method.classes_ == ["no", "yes"]
    assert method.answer(Query("q", "t", "Is it?", "yes-no")) == "yes"


def test_letters_of_a_choice_are_an_open_set() -> None:
    """Letters as capitals, whatever the prompt prints: they were none of the classes a, b, .. before."""
    prompts = [f"Where?{OPTIONS}"] * 24
    texts = [[f"({'abcd'[i % 4]})"] * 3 + [f"({'abcd'[(i + 1) % 4]})", f"({'abcd'[(i + 2) % 4]})"] for i in range(24)]
    method = fitted(["(b)", "(b)", "(c)", "(d)", "(d)"], training(prompts, texts, "choice"))
    assert method.classes_ == []
    assert method.answer(Query("q", "t", prompts[0], "choice")) == "(b)"


def test_an_unknown_estimator_is_refused() -> None:
    with pytest.raises(ValueError, match="no coins 'mean': pairs or em"):
        DawidSkene(Meter([constant("m0", "1")]).pool, Parameters(coins="mean"))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=12),
    st.sampled_from([0.0, 0.01, 0.5]),
)
def test_the_likelihood_never_falls(table: list[list[int]], smoothing: float) -> None:
    open_answers = np.array([local_labels([None if v == 3 else str(v) for v in row]) for row in table])
    for history in (
        dawid_skene(np.array(table), 3, 20, smoothing)[3],
        one_coin(open_answers, 6, 20, smoothing)[2],
    ):
        assert (np.diff(history) > -1e-6).all()


def rows(labels: np.ndarray) -> list[tuple[int, int, int]]:
    return [(i, j, int(label)) for i, row in enumerate(labels) for j, label in enumerate(row)]


@pytest.mark.filterwarnings("ignore")  # crowd-kit's own use of pandas
def test_it_agrees_with_crowd_kit() -> None:
    aggregation = crowd_kit()
    labels = planted(150, np.random.default_rng(3))[0]
    theirs = aggregation.DawidSkene(n_iter=12, tol=-1e9).fit(frame(rows(labels)))
    _, _, q, _ = dawid_skene(labels, 3, rounds=12, smoothing=0)
    assert q == pytest.approx(theirs.probas_.sort_index()[[0, 1, 2]].to_numpy(), abs=1e-6)


@pytest.mark.filterwarnings("ignore")  # crowd-kit's own use of pandas
def test_one_coin_agrees_with_crowd_kit() -> None:
    """Theirs learns a prior over common labels, ours has an even one over a query's own: nearly the same skills."""
    aggregation = crowd_kit()
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 4, 200)
    right = rng.random((200, 5)) < np.array([0.9, 0.8, 0.7, 0.5, 0.4])
    labels = np.where(right, truth[:, None], (truth[:, None] + rng.integers(1, 4, (200, 5))) % 4)
    theirs = aggregation.OneCoinDawidSkene(n_iter=30, tol=-1e9).fit(frame(rows(labels)))
    skills, q, _ = one_coin(np.array([local_labels([str(v) for v in row]) for row in labels]), 7, smoothing=0)
    assert skills == pytest.approx(theirs.skills_.sort_index().to_numpy(), abs=0.05)
    chosen = q[:, :5].argmax(1)
    ours = labels[np.arange(200), chosen]
    assert (ours == theirs.labels_.sort_index().to_numpy()).mean() > 0.95


def test_open_answers_an_expert_outvotes_two() -> None:
    """In training m0, m1 and m2 always agree; m3 and m4 say something else each time."""
    texts = [[f"= {i}"] * 3 + [f"= {100 + i}", f"= {200 + i}"] for i in range(20)]
    train = training(["x"] * 20, texts, "number")
    method = fitted(["= 7", "?", "?", "= 8", "= 8"], train)
    assert method.skills_.round(1).tolist() == [1, 1, 1, 0, 0]
    assert method.answers_ == 61, "20 + 20 + 20 answers and no answer"
    assert method.answer(Query("q", "t", "x", "number")) == "= 7"


def test_options_a_model_that_always_says_a_is_not_believed() -> None:
    letters = "abcd"
    texts = [[f"it is ({letters[i % 4]})"] * 3 + ["Lo (a)"] * 2 for i in range(24)]
    train = training([f"Where?{OPTIONS}"] * 24, texts, "short")
    method = fitted(["(b)", "unknown", "", "(a)", "(a)"], train)
    assert method.classes_ == list(letters)
    assert method.confusion_[3, :, 0] == pytest.approx(1, abs=0.02), "a, whatever is right"
    assert method.answer(Query("q", "t", f"Who?{OPTIONS}", "short")) == "(b)"
    assert method.answer(Query("q", "t", "Who? (a) Lo (b) Ma (c) Te (d) Zi (e) Xo", "short")) != "", "open: one coin"


def test_ties_no_answers_and_one_model() -> None:
    train = training(["x"] * 3, [["1", "1"], ["2", "2"], ["3", "3"]], "number")
    surer = [constant("a", "= 1", logprob=-2.0), constant("b", "= 2", logprob=-1.0)]
    method = DawidSkene(Meter(surer).pool)
    method.fit(train)
    assert method.answer(Query("q", "t", "x", "number")) == "= 2"
    assert fitted(["?", "!"], train).answer(Query("q", "t", "x", "number")) == "?"
    assert fitted(["?", "= 4"], train).answer(Query("q", "t", "x", "number")) == "= 4", "no answer never wins"
    single = training(["x"], [["1"]], "number")
    assert fitted(["none"], single).answer(Query("q", "t", "x", "number")) == "none"


@settings(deadline=None, max_examples=10)
@given(st.permutations(range(5)))
def test_a_permutation_of_the_models_permutes_what_is_learned(order: list[int]) -> None:
    labels = planted(60, np.random.default_rng(5))[0]
    _, c, q, _ = dawid_skene(labels, 3)
    _, c2, q2, _ = dawid_skene(labels[:, order], 3)
    assert c2 == pytest.approx(c[order], abs=1e-6)
    assert q2 == pytest.approx(q, abs=1e-6)
