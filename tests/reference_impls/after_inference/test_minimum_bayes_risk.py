"""Minimum Bayes risk against a case worked by hand, rouge-score and sacrebleu."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.minimum_bayes_risk import MinimumBayesRisk, Parameters, expected_utility
from reference_impls.core import Meter, Query, chrf, rouge_l
from tests.reference_impls.fakes import constant

QUERY = Query("t/0", "writing", "Write.", "text")
TEXTS = [
    "the old owl found a lamp",
    "the owl found the old lamp in the night",
    "a silver swan lost the kite",
    "an owl found a lamp",
]


def test_worked_by_hand() -> None:
    # ROUGE-L (2 lcs / (n + n')): ab-abc: 2*2/5 = .8; ab-cd: 0; abc-cd: 2*1/5 = .4
    # so that ab has (.8 + 0) / 2 = .4, abc (.8 + .4) / 2 = .6, and cd (0 + .4) / 2 = .2
    texts = ["a b", "a b c", "c d"]
    assert expected_utility(texts, np.ones(3), rouge_l) == pytest.approx([0.4, 0.6, 0.2])
    # Weights 1, 1, 3 of the references: ab: (.8 + 0) / 4; abc: (.8 + 3 * .4) / 4; cd: (0 + .4) / 2
    assert expected_utility(texts, np.array([1, 1, 3.0]), rouge_l) == pytest.approx([0.2, 0.5, 0.2])


def test_the_hypothesis_comes_first() -> None:
    """chrF weighs recall: a short text covers little of a long one, which covers all of the short one."""
    short, long = expected_utility(["owl lamp", "owl lamp kite swan"], np.ones(2), chrf)
    assert long > short


def test_it_agrees_with_rouge_score() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    theirs = [
        np.mean([scorer.score(b, a)["rougeL"].fmeasure for j, b in enumerate(TEXTS) if j != i])
        for i, a in enumerate(TEXTS)
    ]
    assert expected_utility(TEXTS, np.ones(4), rouge_l) == pytest.approx(theirs)
    method = MinimumBayesRisk(Meter([constant(str(i), t) for i, t in enumerate(TEXTS)]).pool)
    assert method.answer(QUERY) == TEXTS[int(np.argmax(theirs))]


def test_it_agrees_with_sacrebleu() -> None:
    metric = pytest.importorskip("sacrebleu.metrics").CHRF()
    theirs = [
        np.mean([metric.sentence_score(a, [b]).score / 100 for j, b in enumerate(TEXTS) if j != i])
        for i, a in enumerate(TEXTS)
    ]
    assert expected_utility(TEXTS, np.ones(4), chrf) == pytest.approx(theirs)
    pool = Meter([constant(str(i), t) for i, t in enumerate(TEXTS)]).pool
    assert MinimumBayesRisk(pool, Parameters(utility="chrf")).answer(QUERY) == TEXTS[int(np.argmax(theirs))]


@given(st.permutations(range(len(TEXTS))))
def test_a_permutation_of_the_models_permutes_the_utilities(order: list[int]) -> None:
    weights = np.array([0.2, 0.9, 0.5, 0.7])
    for utility in (rouge_l, chrf):
        base = expected_utility(TEXTS, weights, utility)
        assert expected_utility([TEXTS[i] for i in order], weights[order], utility) == pytest.approx(base[order])


def test_probability_weights() -> None:
    # c d is sure (weight 1), a b and a x are not (e^-9): of the unsure ones the one nearer to c d wins, a c.
    models = [
        constant("a", "a b", logprob=-9.0),
        constant("b", "a c", logprob=-9.0),
        constant("c", "a b", logprob=-9.0),
    ]
    models.append(constant("d", "c d", logprob=0.0))
    pool = Meter(models).pool
    assert MinimumBayesRisk(pool).answer(QUERY) == "a b"
    assert MinimumBayesRisk(pool, Parameters(weighting="probability")).answer(QUERY) == "a c"


def test_wrong_names_get_the_nearest_right_one() -> None:
    pool = Meter([constant("a", "x")]).pool
    with pytest.raises(ValueError, match="no utility 'rouge'; did you mean 'rouge-l'"):
        MinimumBayesRisk(pool, Parameters(utility="rouge"))
    with pytest.raises(ValueError, match="did you mean 'uniform'"):
        MinimumBayesRisk(pool, Parameters(weighting="unifrm"))


def test_a_response_without_an_answer_is_neither_hypothesis_nor_reference() -> None:
    number = Query("t/0", "math", "1 + 1 = ?", "number")
    models = [constant("fails", ""), constant("b", "none at all"), constant("c", "none at all"), constant("d", "= 5")]
    assert MinimumBayesRisk(Meter(models).pool).answer(number) == "= 5"
    assert MinimumBayesRisk(Meter(models[:2]).pool).answer(number) == "none at all", "nobody answers: not the blank"


def test_calls_and_one_model() -> None:
    meter = Meter([constant("a", "x y"), constant("b", ""), constant("c", "x y z", logprob=-2.0)])
    meter.begin()
    assert MinimumBayesRisk(meter.pool, Parameters(samples=2, temperature=0.5)).answer(QUERY) == "x y", (
        "the surer one"
    )
    assert meter.end().models == ["a", "b", "c"]
    assert MinimumBayesRisk(Meter([constant("a", "only")]).pool).answer(QUERY) == "only"
