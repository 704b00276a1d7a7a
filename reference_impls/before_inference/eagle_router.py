"""Eagle: models have Elo ratings over all comparisons, and every query replays the comparisons of its neighbours.

Any two models a, b are compared on a training query: S = 1 if a scored higher, 0.5 if both scored the same, else 0.
One comparison moves their ratings by

    E = 1 / (1 + 10^((R_b - R_a) / 400)),        R_a <- R_a + K (S - E),        R_b <- R_b - K (S - E).

The global ratings G start equal and go through all comparisons once. For a query, the local ratings L start from G
and go through the comparisons of its N nearest training queries, the nearest first;

    utility(m) = P G(m) + (1 - P) L(m),      route to the largest.

Nothing is trained, and a new comparison costs one step. Complexity a query: one product with the [n, d] training
embeddings and N M (M - 1) / 2 steps for M models; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not a sentence encoder.
2. Comparisons come from the scores of all models of the pool on the training queries, not from what users preferred.
   They come in the order of the queries, and on a query from the cheapest pair to the dearest, whatever the pool's
   order: the last comparisons count most, as always with Elo.
3. The authors published no code, and in which order the neighbours are replayed was not to be found. Nearest first
   is what others who rebuilt the method do.
4. The paper takes the best model within the user's budget; here the budget allows all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import Floats, LatentEmbedder, Neighbours, Query, TrainingSet, UtilityRouter, method

#: Rating that every model starts with; only differences count.
START = 100.0


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: P, weight of the global ratings; 0.5 in the paper.
    share: float = 0.5
    #: N, nearest training queries; 20 in the paper.
    neighbours: int = 20
    #: K, the most that one comparison moves a rating by; 32 in the paper.
    step: float = 32.0
    #: d, size of the embedding.
    embedding: int = 64
    #: `exact`, or `ivf` for more than some 100,000 training queries (needs faiss).
    index: str = "exact"


def pairs(count: int) -> list[tuple[int, int]]:
    """All pairs of so many models, each once.

    >>> pairs(3)
    [(0, 1), (0, 2), (1, 2)]
    """
    return [(a, b) for a in range(count) for b in range(a + 1, count)]


def outcomes(scores: Floats) -> Floats:
    """S of every pair of models on every query, [queries, pairs], from scores [queries, models].

    >>> outcomes(np.array([[0.7, 0.2, 0.7]])).tolist()
    [[1.0, 0.5, 0.0]]
    """
    first, second = np.triu_indices(scores.shape[1], 1)
    ahead = scores[:, first] - scores[:, second]
    return np.where(np.abs(ahead) <= 1e-9, 0.5, (ahead > 0).astype(np.float64))


def replay(ratings: Sequence[float], games: Iterable[Sequence[float]], step: float) -> list[float]:
    """Ratings [models] after the outcomes of all pairs on some queries, [queries][pairs], one after the other.

    >>> [round(r, 2) for r in replay([100.0, 100.0], [[1.0], [0.5]], 32.0)]
    [114.53, 85.47]
    """
    r = list(ratings)
    both = pairs(len(r))
    for game in games:
        for (a, b), outcome in zip(both, game, strict=True):
            moved = step * (outcome - 1 / (1 + 10 ** ((r[b] - r[a]) / 400)))
            r[a] += moved
            r[b] -= moved
    return r


@method(
    name="eagle-router", category="before/discrete-utility", family="comparison-based",
    papers=["zhao2024eagle"], needs=("labels",),
)  # fmt: skip
class EagleRouter(UtilityRouter):
    """Routing by Elo ratings of all queries and of the nearest ones."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        self.neighbours_ = Neighbours(self.embedder_.transform(train.prompts), p.index)
        by_price = self.pool.by_price()
        self.place_ = np.argsort(by_price)
        self.outcomes_ = outcomes(train.scores[:, by_price]).astype(np.float32)
        self.global_ = replay([START] * len(by_price), (game.tolist() for game in self.outcomes_), p.step)

    def utilities(self, query: Query) -> Floats:
        p = self.parameters
        near = self.neighbours_.nearest(self.embedder_.transform([query.prompt])[0], p.neighbours)
        local = replay(self.global_, self.outcomes_[near].tolist(), p.step)
        return np.asarray((p.share * np.array(self.global_) + (1 - p.share) * np.array(local))[self.place_])
