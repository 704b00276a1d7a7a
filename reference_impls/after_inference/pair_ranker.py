"""PairRanker (LLM-Blender): a trained comparison of two answers ranks all of them; the best is returned or the best
few are fused.

With phi(x, a) [d] the features of answer a to query x, and v[m, m'] = -v[m', m] what holds between the two models
alone, the logit that a (by model m) beats b (by model m') is

    f(x, a, b) = w . (phi(x, a) - phi(x, b)) + v[m, m'],      P(a beats b) = sigmoid(f(x, a, b)),

fitted on all pairs of recorded answers whose scores differ. All ordered pairs give the matrix F [n, n], and

    max-logits: s_i = sum_{j != i} F_ij - F_ji,      max-wins: s_i = sum_{j != i} 1[F_ij > 0] + 1[F_ji < 0],

so that each pair counts in both orders. `fuse_top` = K > 0 hands the K best answers, the best first, to a model
that writes one (GenFuser). Calls: one a model, side by side; one more to fuse.

Features of an answer: the log of its length; mean and lowest token probability; whether it is finished; whether it
holds a final answer; the share of the others that agree and its mean ROUGE-L with them; and for the model that wrote
it a one and the query's embedding, so that phi also routes.

Differences from the paper
1. f is logistic regression on the features above instead of a DeBERTa encoder that reads the query and both answers.
   It is antisymmetric by construction, so the two orders say the same; the paper's encoder is not, and its two
   orders are averaged by the same sums.
2. It learns from every pair with different scores (of more than 20,000, from that many at random); the paper samples
   pairs of the best and the worst candidates and averages the losses of several quality metrics.
3. Selection alone by default; the paper fuses the best three (set `fuse_top`). The fuser is a model of the pool that
   reads `fuse_prompt` in its own dress instead of a fine-tuned Flan-T5; the built-in models read final numbers where
   the query asks for a number, as they were trained to, chat models whole answers. Drafts that do not fit the context
   are dropped from the end, and counted.
4. Ties are decided by `core.choice`, and a response without an answer never wins over one that has an answer.
5. The single bubble pass of n - 1 comparisons is left out: a comparison costs next to nothing here.
6. Held against the authors' code, not against the paper's text.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    DRAFT_COUNTS,
    Aggregator,
    Floats,
    Generation,
    LatentEmbedder,
    Logistic,
    Pool,
    Query,
    TrainingSet,
    Vectors,
    answer_of,
    fuse,
    method,
    rouge_l_table,
    said,
)

#: The most pairs of answers that are learned from; more take gigabytes and change the few hundred weights little.
PAIRS = 20_000


@dataclass(frozen=True)
class Parameters:
    """Parameters of the ranker and the fuser."""

    #: `max-logits` (the paper's default) or `max-wins`.
    decision: str = "max-logits"
    #: K, how many of the best answers are fused; 0 returns the best one as it stands. 3 in the paper.
    fuse_top: int = 0
    #: Name of the model that fuses; empty means the dearest.
    fuser: str = ""
    #: L2 penalty of the logistic regression.
    penalty: float = 1.0
    #: Dimensions of the query's embedding.
    dimensions: int = 16


def surface(query: Query, responses: Sequence[Generation]) -> Floats:
    """What the answers themselves tell, [answers, 7]: length, probabilities, form, agreement with one another."""
    n = len(responses)
    answers = [answer_of(r, query) for r in responses]
    like = np.array(rouge_l_table([r.text for r in responses]))
    same = np.zeros((n, n))
    for i, j in itertools.combinations(range(n), 2):
        same[i, j] = same[j, i] = float(answers[i] is not None and answers[i] == answers[j])
    others = max(n - 1, 1)
    # Words stand for tokens where nobody has counted those.
    lengths = [len(r.text.split()) if r.completion_tokens is None else r.completion_tokens for r in responses]
    return np.array([
        [
            np.log1p(lengths[i]), np.exp(r.mean_logprob), np.exp(min(r.logprobs, default=-np.inf)),
            float(r.finished), float(answers[i] is not None), same[i].sum() / others, like[i].sum() / others,
        ]
        for i, r in enumerate(responses)
    ])  # fmt: skip


def scores(logits: Floats, decision: str) -> Floats:
    """s, [n], from F, [n, n] with F_ij the logit that i beats j, both orders of a pair read; the diagonal is not.

    >>> scores(np.array([[0, 2.0, -1.0], [1.0, 0, 1.0], [3.0, -1.0, 0]]), "max-logits")
    array([-3.,  1.,  2.])
    """
    off = ~np.eye(len(logits), dtype=bool)
    if decision == "max-logits":
        return np.asarray(((logits - logits.T) * off).sum(1))
    wins = ((logits > 0) & off).astype(float) + ((logits.T < 0) & off)
    return np.asarray(wins.sum(1))


def pair_features(phi: Floats, owners: NDArray[np.int64], pairs: NDArray[np.int64], models: int) -> Floats:
    """Features of ordered pairs (a, b), [pairs, d + models * (models - 1) / 2]; (b, a) has them with the other sign.

    Args:
        phi: of the answers, [answers, d].
        owners: the model of every answer, [answers].
        pairs: places of a and b, [pairs, 2].
        models: how many there are.
    """
    a, b = pairs.T
    duel = np.zeros((len(pairs), models, models))
    rows = np.arange(len(pairs))
    duel[rows, owners[a], owners[b]] += 1
    duel[rows, owners[b], owners[a]] -= 1
    upper = np.triu_indices(models, 1)
    return np.hstack([phi[a] - phi[b], duel[:, upper[0], upper[1]]])


@method(
    name="pair-ranker", category="after/non-cascade", family="selection-based",
    papers=["jiang2023llmblender"], needs=("labels", "text"),
)  # fmt: skip
class PairRanker(Aggregator):
    """Selection by trained pairwise comparison, with an optional fusion of the best."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.decision not in ("max-logits", "max-wins"):
            raise ValueError(f"decision is 'max-logits' or 'max-wins', not {self.parameters.decision!r}")
        if self.parameters.fuse_top:
            self.notes.update(dict.fromkeys(DRAFT_COUNTS, 0))

    def _phi(self, shown: Floats, owners: NDArray[np.int64], place: Vectors) -> Floats:
        """phi of the answers to one query, [answers, d], from `surface`, their models and the query's embedding."""
        routes = np.zeros((len(owners), len(self.pool), 1 + len(place)))
        routes[np.arange(len(owners)), owners] = [1.0, *place]
        return np.hstack([shown / self.scale_, routes.reshape(len(owners), -1)])

    def fit(self, train: TrainingSet) -> None:
        self.embedder_ = LatentEmbedder(self.parameters.dimensions).fit(train.prompts)
        places = self.embedder_.transform(train.prompts)
        shown = [surface(q, r) for q, r in zip(train.queries, train.responses, strict=True)]
        # Only scales matter: means cancel in a difference. A feature that never varies keeps its scale.
        spread = np.concatenate(shown).std(0)
        self.scale_ = np.where(spread > 1e-9, spread, 1.0)
        owners = np.arange(len(self.pool))
        # The other order of a pair has the features and the label turned round: the same loss.
        pairs = np.array(list(itertools.combinations(range(len(self.pool)), 2)), np.int64).reshape(-1, 2)
        first, second = train.scores[:, pairs[:, 0]], train.scores[:, pairs[:, 1]]
        told = np.argwhere(first != second)  # [pairs of answers whose scores differ, 2]: query and pair of models
        if len(told) > PAIRS:
            told = told[np.sort(self.rng.choice(len(told), PAIRS, replace=False))]
        rows: list[Floats] = []
        for query in np.unique(told[:, 0]):
            at = pairs[told[told[:, 0] == query, 1]]
            rows.append(pair_features(self._phi(shown[query], owners, places[query]), owners, at, len(self.pool)))
        better = (first > second)[told[:, 0], told[:, 1]].astype(float)
        self.ranker_ = None
        if rows:
            self.ranker_ = Logistic(self.parameters.penalty, intercept=False).fit(np.concatenate(rows), better)

    def compare(self, query: Query, responses: Sequence[Generation]) -> Floats:
        """F, the logits that answer i beats answer j, [answers, answers]."""
        n = len(responses)
        logits = np.zeros((n, n))
        if self.ranker_ is None or n == 1:  # recorded scores never differed: nothing was learned
            return logits
        place = self.embedder_.transform([query.prompt])[0]
        owners = np.array([self.pool.index(r.model) for r in responses])
        pairs = np.array(list(itertools.permutations(range(n), 2)))
        phi = self._phi(surface(query, responses), owners, place)
        logits[pairs[:, 0], pairs[:, 1]] = pair_features(phi, owners, pairs, len(self.pool)) @ self.ranker_.weights_
        return logits

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        merit = scores(self.compare(query, responses), self.parameters.decision).round(9)
        best = self.choice.response(responses, said(responses, query), merit)
        # The others after it by merit, of equals by name; rounding keeps equal answers equal.
        order = sorted(range(len(responses)), key=lambda i: (-merit[i], responses[i].model))
        ranked = [best.text, *(responses[i].text for i in order if responses[i] is not best)]
        name = self.parameters.fuser
        fuser = self.pool[self.pool.index(name) if name else self.pool.by_price()[-1]]
        fused = fuse(fuser, query, ranked[: self.parameters.fuse_top], self.notes)
        return fused.text if fused else ranked[0]
