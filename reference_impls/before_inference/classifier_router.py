"""Classifier router: one classifier a model predicts from the query whether that model is right.

With e(q) [e] the query's embedding and g_m a logistic regression of model m's training scores Y[q, m] in [0, 1],

    route to argmax_m g_m(e(q)),

ties as `core.choice` decides them. Complexity a query: one product with the [models, e] weights; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, and the classifiers are
   logistic regressions, where the paper embeds by a sentence transformer and takes nearest neighbours.
2. The paper chooses a model for a whole task by the mean prediction over its queries; here every query is a task of
   its own.
3. The paper's third score, which corrects for tasks unlike those of the training set, is left out, as there is one
   task.
"""

from dataclasses import dataclass

import numpy as np

from reference_impls.core import Floats, LatentEmbedder, Logistic, Query, TrainingSet, UtilityRouter, Vectors, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: e, size of the embedding; 768 in the paper.
    embedding: int = 64
    #: L2 penalty of the classifiers (scikit-learn's 1 / C).
    penalty: float = 0.1


@method(
    name="classifier-router", category="before/discrete-utility", family="classification-based",
    papers=["shnitzer2023benchmarkrouting"], needs=("labels",),
)  # fmt: skip
class ClassifierRouter(UtilityRouter):
    """Routing by classifiers of who is right."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x = self.embedder_.transform(train.prompts)
        self.classifiers_ = [Logistic(p.penalty).fit(x, y) for y in train.scores.T]

    def predictions(self, x: Vectors) -> Floats:
        """Probability that each model is right, [models, queries], of embeddings [queries, e]."""
        return np.array([c.predict(x) for c in self.classifiers_])

    def utilities(self, query: Query) -> Floats:
        return self.predictions(self.embedder_.transform([query.prompt]))[:, 0]
