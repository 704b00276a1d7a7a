"""LinUCB router (MetaLLM): a contextual bandit learns, from the reward of the models it chose and of no other,
which model a query's embedding calls for.

With x [d] the query's embedding, a model m keeps A_m = lambda I + sum x x', b_m = sum r x over the queries that it
served, theta_m = A_m^-1 b_m, and while learning the model with the largest upper confidence bound serves:

    theta_m . x + alpha sqrt(x' A_m^-1 x),        reward r = score - p * cost in US dollars.

A_m^-1 is kept up to date by Sherman-Morrison, A^-1 - (A^-1 x)(A^-1 x)' / (1 + x' A^-1 x). Complexity a query:
O(models d^2); one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not a sentence encoder's.
2. It learns on the stream of training queries and then exploits: the utility of a test query is theta_m . x without
   the bonus, as there is no feedback that exploring could bring.
3. The cost in the reward is the response's own, not the model's list price over the dearest one's.
4. The authors' script runs over the test queries without updates (its flag for them is not read): all that its arms
   know is the scores of all models on past queries, where it is given those. Here every arm begins empty and learns
   from the queries that it serves.
5. Their factor that lets old feedback fade (1 in their script, which is none) is left out.
"""

from dataclasses import dataclass

import numpy as np

from reference_impls.core import Floats, LatentEmbedder, Query, TrainingSet, UtilityRouter, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: alpha, weight of the uncertainty; 1 is the default of the authors' class (their script: 0).
    alpha: float = 1.0
    #: lambda, ridge penalty; 1 is the default of the authors' class (their script: 12.94).
    penalty: float = 1.0
    #: p, points of score that a US dollar is worth; 0 leaves quality alone in charge, as in the code.
    price_weight: float = 0.0
    #: d, size of the embedding; 4096 in the code. 400 rounds teach a handful of arms few dimensions.
    embedding: int = 16


def sherman_morrison(inverse: Floats, x: Floats) -> Floats:
    """(A + x x')^-1 from A^-1 [d, d], symmetric.

    >>> sherman_morrison(np.eye(1), np.array([1.0])).tolist()
    [[0.5]]
    """
    y = inverse @ x
    return np.asarray(inverse - np.outer(y, y) / (1 + x @ y))


class LinUCB:
    """The bandit's state: inverses of A [models, d, d] and b [models, d]."""

    def __init__(self, models: int, dim: int, penalty: float) -> None:
        self.inverse = np.tile(np.eye(dim) / penalty, (models, 1, 1))
        self.b = np.zeros((models, dim))

    def means(self, x: Floats) -> Floats:
        """theta_m . x, [models]."""
        return np.asarray(np.einsum("mij,mj,i->m", self.inverse, self.b, x))

    def bounds(self, x: Floats, alpha: float) -> Floats:
        """Upper confidence bounds [models]."""
        variance = np.einsum("mij,i,j->m", self.inverse, x, x)
        return np.asarray(self.means(x) + alpha * np.sqrt(np.maximum(variance, 0)))

    def update(self, model: int, x: Floats, reward: float) -> None:
        """Takes in the reward of the model that served."""
        self.inverse[model] = sherman_morrison(self.inverse[model], x)
        self.b[model] += reward * x


@method(
    name="linucb-router", category="before/continuous-utility", family="bandit-and-rl",
    papers=["nguyen2024metallm"], needs=("feedback",),
)  # fmt: skip
class LinUCBRouter(UtilityRouter):
    """Routing by a bandit that has learnt from its own choices."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        contexts = dict(zip(train.prompts, self.embedder_.transform(train.prompts).astype(float), strict=True))
        self.bandit_ = LinUCB(len(self.pool), len(contexts[train.prompts[0]]), p.penalty)
        for query, reveal in train.stream(self.rng):
            x = contexts[query.prompt]
            # Equal bounds (all of them, at first) go to the cheaper model.
            bounds = self.bandit_.bounds(x, p.alpha).round(12)
            model = max(self.pool.by_price(), key=lambda m: float(bounds[m]))
            score, cost = reveal(model)
            self.bandit_.update(model, x, score - p.price_weight * cost)

    def utilities(self, query: Query) -> Floats:
        return self.bandit_.means(self.embedder_.transform([query.prompt])[0].astype(float))
