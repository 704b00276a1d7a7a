"""FrugalGPT: a cascade whose response scorers are learned and whose model order and thresholds are optimised.

A scorer g_m(q, a) in [0, 1] for every model m (here logistic regression on the text) tells how good answer a to query
q is. A chain is an order m_1 .. m_L with thresholds t_1 .. t_{L-1}; it asks m_1, m_2, .. and returns the first answer
with g >= t (the last one always). On held-out recorded responses with scores Y[q, m] and costs C[q, m] (US dollars),

    quality_i = [g_i >= t_i] * Y[:, m_i] + [g_i < t_i] * quality_{i+1},      quality_L = Y[:, m_L],
    cost_i    = C[:, m_i]               + [g_i < t_i] * cost_{i+1},         cost_L    = C[:, m_L],

and the chain with the largest mean quality_1 whose mean cost_1 is within the budget is kept. All orders of up to
`depth` models and all thresholds on a grid of quantiles of g are tried. Calls: one to each model until one is
believed.

Differences from the paper
1. The scorer is logistic regression on an embedding of query and answer together (TF-IDF of hashed n-grams reduced by
   a singular value decomposition), not DistilBERT.
2. Thresholds are quantiles of each model's scores over all queries, on a grid searched exhaustively, for chains of up
   to L models. The authors' code takes chains of exactly L models and a grid of 40 quantiles a model, among the
   queries that reach it and no lower for a later model than for an earlier one, and refines its best point by Nelder
   and Mead's search. Run on the same scores, a grid of 41 was never worse than theirs, one of 11 sometimes.
3. Scorers learn on one half of the train split, and the chain is chosen on the other half.
4. A response without an answer is never believed; of equally good chains the cheapest is kept, then the shortest. The
   paper speaks of neither.
5. The budget is a share of the mean cost of the model that costs most on the train split, so that it means the same
   on every benchmark. If no chain is within it, the cheapest chain is kept.
6. Prompt adaptation, query concatenation, completion cache and model fine-tuning are left out.
7. Held against the authors' code, not against the paper's text.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import (
    Attempt,
    Cascade,
    Floats,
    LatentEmbedder,
    Logistic,
    Query,
    TrainingSet,
    answer_of,
    method,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the cascade."""

    #: b, as a share of the dearest model's mean cost; the paper sweeps it in US dollars. 1: what there is without
    #: paying more than for that model alone.
    budget: float = 1.0
    #: L, the longest chain; 3 in the paper.
    depth: int = 3
    #: Candidate thresholds a model: quantiles 0, 1 / (levels - 1), .., 1 of its scores; about as many as the authors'
    #: grid has. With 11, chains found were sometimes worse than theirs (see 2.).
    levels: int = 41
    #: L2 penalty of the scorer.
    penalty: float = 1.0
    #: Dimensions of the scorer's embedding.
    embedding: int = 256


@dataclass(frozen=True)
class Chain:
    """A cascade: positions of the models, thresholds of all but the last, and what it brings on the held-out part."""

    order: tuple[int, ...]
    thresholds: tuple[float, ...]
    quality: float
    cost: float


def evaluate(
    order: Sequence[int], scorer: Floats, scores: Floats, costs: Floats, grids: Floats
) -> tuple[Floats, Floats, list[tuple[float, ...]]]:
    """Mean quality and cost of one order under every combination of thresholds.

    Args:
        order: positions of the models.
        scorer: g, [queries, models]; nan where a response holds no answer, which is never believed.
        scores, costs: Y and C, [queries, models].
        grids: candidate thresholds, [models, levels].

    Returns:
        qualities [combinations], costs [combinations], and the thresholds of each combination.

    >>> g, y, c = np.array([[0.9, 0.5], [0.1, 0.5]]), np.array([[1.0, 1], [0, 1]]), np.array([[1.0, 10], [1, 10]])
    >>> evaluate([0, 1], g, y, c, np.array([[0.1, 0.9], [0.5, 0.5]]))
    (array([0.5, 1. ]), array([1., 6.]), [(0.1,), (0.9,)])
    """
    quality, cost = scores[:, order[-1]][None], costs[:, order[-1]][None]
    thresholds = list(itertools.product(*(grids[m].tolist() for m in order[:-1])))
    for m in reversed(order[1:-1]):
        passed = ~(scorer[None, :, m] >= grids[m][:, None])
        # [levels, 1, queries] against [1, combinations of the rest, queries].
        gate = passed[:, None].astype(np.float64)
        quality = ((1 - gate) * scores[:, m] + gate * quality[None]).reshape(-1, len(scores))
        cost = (costs[:, m] + gate * cost[None]).reshape(-1, len(scores))
    if len(order) == 1:
        return quality.mean(1), cost.mean(1), thresholds
    # Only means are wanted, so the first model's gate [levels, queries] meets all of the rest in one product.
    first, count = order[0], len(scores)
    gate = (~(scorer[None, :, first] >= grids[first][:, None])).astype(np.float64)
    qualities = ((1 - gate) @ scores[:, first])[:, None] + gate @ quality.T
    prices = costs[:, first].sum() + gate @ cost.T
    return qualities.ravel() / count, prices.ravel() / count, thresholds


def optimise(
    scorer: Floats, scores: Floats, costs: Floats, budget: float, depth: int, levels: int, models: Sequence[int] = ()
) -> Chain:
    """The best chain within a budget in US dollars a query; ties go to the cheaper, then to the shorter one, then to
    the one of the models that come first in `models` (all of them in an order of their own).
    """
    grids = np.quantile(np.nan_to_num(scorer), np.linspace(0, 1, levels), axis=0).T
    best: tuple[tuple[bool, float, float], Chain] | None = None
    models = models or range(scores.shape[1])
    for length in range(1, min(depth, len(models)) + 1):
        for order in itertools.permutations(models, length):
            qualities, prices, thresholds = evaluate(order, scorer, scores, costs, grids)
            within = prices <= budget + 1e-15
            # Outside the budget only the cost counts.
            at = int(np.lexsort((prices, np.where(within, -qualities.round(12), 0), ~within))[0])
            chain = Chain(order, thresholds[at], float(qualities[at]), float(prices[at]))
            key = (bool(within[at]), round(chain.quality, 12) if within[at] else 0.0, -chain.cost)
            if best is None or key > best[0]:
                best = key, chain
    assert best is not None, "a pool has at least one model"
    return best[1]


@method(
    name="frugalgpt", category="after/cascade", family="supervised-deferral",
    papers=["chen2023frugalgpt"], needs=("labels", "text"),
)  # fmt: skip
class FrugalGPT(Cascade):
    """Ask along the learned chain until a scorer believes an answer."""

    Parameters = Parameters
    needs_training = True

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        learn, hold = train.split(0.5, self.rng)
        models, by_price = range(len(self.pool)), self.pool.by_price()
        self.embedder_ = LatentEmbedder(p.embedding).fit([t for m in by_price for t in texts(learn, m)])
        self.scorers_ = [
            Logistic(p.penalty).fit(self.embedder_.transform(texts(learn, m)), learn.scores[:, m]) for m in models
        ]
        scorer = np.stack([self.goodness(m, texts(hold, m)) for m in models], axis=1)
        answers = [[answer_of(r, q) for r in row] for q, row in zip(hold.queries, hold.responses, strict=True)]
        scorer[np.array([[answer is None for answer in row] for row in answers])] = np.nan
        self.chain_ = optimise(
            scorer, hold.scores, hold.costs, p.budget * train.costs.mean(0).max(), p.depth, p.levels, by_price
        )
        self.order = self.chain_.order

    def goodness(self, model: int, texts: Sequence[str]) -> Floats:
        """g_m of what the scorer of a model reads, [texts]."""
        # Rounded, so that a threshold at the score of one text passes the same text whatever the order of sums.
        return np.asarray(self.scorers_[model].predict(self.embedder_.transform(texts)).round(5))

    def score(self, model: int, query: Query, answer: str) -> float:
        """g_m(q, a): how good the answer of a model is, in [0, 1]."""
        return float(self.goodness(model, [text(query, answer)])[0])

    def accept(self, query: Query, response: Attempt) -> bool:
        return self.score(response.model, query, response.text) >= self.chain_.thresholds[response.stage]


def text(query: Query, answer: str) -> str:
    """What a scorer reads."""
    return f"{query.prompt}\n{answer}"


def texts(train: TrainingSet, model: int) -> list[str]:
    """What the scorer of one model reads of recorded responses, [queries]."""
    return [text(q, row[model].text) for q, row in zip(train.queries, train.responses, strict=True)]
