"""The verifier against scikit-learn's regression on the same features, and what it reads and does not read."""

import numpy as np
import pytest

from reference_impls.core import Generation, Query, TrainingSet, Verifier


def training(n: int = 60) -> TrainingSet:
    """Responses that say "surely" are right; model b says it on every third query, model a on the others."""
    queries = [Query(f"t/{i}", "t", f"name the river of {'abc'[i % 3]}") for i in range(n)]
    rows = [
        [Generation("a", "surely Lim" if i % 3 else "maybe Lim", ("x",), (-0.1 - i % 2,)),
         Generation("b", "maybe Oro" if i % 3 else "surely Oro", ("x", "y"), (-0.2, -1.0))]
        for i in range(n)
    ]  # fmt: skip
    scores = np.array([[float("surely" in r.text) for r in row] for row in rows])
    return TrainingSet(queries, ("a", "b"), rows, scores, np.ones((n, 2)), [[[], []]] * n, np.zeros((n, 2, 0)))


def test_it_learns_from_the_words_whoever_writes_them() -> None:
    verifier = Verifier(16).fit(training(), [0, 1])
    query = Query("q", "t", "name the river of a")
    right, wrong = verifier.rewards(query, [Generation("new", "surely Lim"), Generation("a", "maybe Lim")])
    assert right > 0.7
    assert wrong < 0.3
    assert verifier.rewards(query, [Generation("a", "surely Lim")])[0] == pytest.approx(right, abs=1e-5)


def test_probabilities_are_read_only_if_it_is_told_to() -> None:
    query = Query("q", "t", "name the river of a")
    two = [Generation("a", "surely Lim", ("x",), (-0.1,)), Generation("a", "surely Lim", ("x",), (-5.0,))]
    sure = Verifier(16).fit(training(), [0, 1]).rewards(query, two)
    blind = Verifier(16, sure=False).fit(training(), [0, 1]).rewards(query, two)
    assert sure[0] != sure[1]
    assert blind[0] == blind[1]


def test_it_agrees_with_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    train = training()
    verifier = Verifier(8, penalty=2.0).fit(train, [0, 1])
    rows, labels = [], []
    for m in (0, 1):
        for query, row, scores in zip(train.queries, train.responses, train.scores, strict=True):
            vector = verifier.embedder.transform([f"{query.prompt}\n{row[m].text}"])[0]
            form = (verifier.form(query, [row[m]])[0] - verifier.mean_) / verifier.deviation_
            rows.append([*vector, *form])
            labels.append(scores[m])
    theirs = linear.LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(rows, labels)
    mine = [verifier.rewards(q, row).tolist() for q, row in zip(train.queries, train.responses, strict=True)]
    assert np.array(mine).T.ravel() == pytest.approx(theirs.predict_proba(rows)[:, 1], abs=1e-4)
