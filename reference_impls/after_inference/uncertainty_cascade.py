"""Two tiers by uncertainty (margin sampling): the small model's answer stands where it was sure of its first token.

With z the small model's logits of the first token of its response,

    margin(q) = z_(1) - z_(2),                                    (natural logarithm of the ratio of probabilities)

where (1) is the likeliest token and (2) the likeliest that says something else: of the ten likeliest, tokens whose
letters and digits contain those of (1), or are contained in them, are passed over. With c the mean costs on training
queries and a budget B a query, both models can be paid for on a share

    p = (B - c_small) / c_large      of the queries, between 0 and 1,

and the large model is asked where the margin is below the p-quantile of the margins on training queries. No score is
looked at, and nothing else is learned. Calls: one, and one more below the threshold; one forward pass for the margin.

Differences from the paper
1. The quantile is that of unlabelled training queries. The authors' code takes that of the queries so far, as they
   come, and asks the small model alone until there are more than twenty.
2. The budget is a share of the large model's mean cost. The code also keeps account of what is left: it asks the
   large model alone once that is paid for to the end, and the small one alone when nothing more is.
3. For classification the code takes the margin among the first tokens of the classes; here every query is treated as
   its questions are.
4. The first token's logits come from a pass over the prompt of its own, which is billed; a server that tells them
   with the response would save it.
5. A small model without an answer is passed on. The small model is the pool's cheapest, the large one its dearest.
6. Held against the authors' code and the paper's abstract.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Attempt,
    Cascade,
    Floats,
    Pool,
    Query,
    TextSession,
    TokenModel,
    TrainingSet,
    method,
)

#: How many of the likeliest tokens are looked through for one that says something else; as in the authors' code.
LIKELIEST = 10


@dataclass(frozen=True)
class Parameters:
    """Parameters of the cascade."""

    #: B, as a share of the large model's mean cost; the paper sweeps it from the small model's cost to that.
    budget: float = 0.5


def plain(token: bytes) -> str:
    """The letters and digits of a token, in lower case.

    >>> plain(b" (Paris")
    'paris'
    """
    return "".join(c for c in token.decode("utf-8", "ignore").lower() if c.isalnum())


def margin(logits: NDArray[Any], vocabulary: tuple[bytes, ...]) -> float:
    """How much likelier the first token is than the next one that says something else, in nats.

    If none of the ten likeliest does, or the first says nothing itself, the next one of all counts.

    >>> margin(np.array([1.0, 4.0, 3.5, 2.0]), (b"", b" Rome", b"rome", b" Oslo"))
    2.0
    """
    order = np.argsort(-logits, kind="stable")[: LIKELIEST + 1]
    first = plain(vocabulary[order[0]])
    for place in order[1:LIKELIEST] if first else ():
        other = plain(vocabulary[place])
        # An end (which says nothing) is another answer than any.
        if (vocabulary[place] == b"") or (other not in first and first not in other):
            return float(logits[order[0]] - logits[place])
    return float(logits[order[0]] - logits[order[min(len(order) - 1, LIKELIEST if first else 1)]])


def affordable(budget: float, small: float, large: float) -> float:
    """p, the share of queries on which both models can be paid for.

    >>> affordable(5.0, 1.0, 10.0), affordable(0.5, 1.0, 10.0), affordable(20.0, 1.0, 10.0)
    (0.4, 0.0, 1.0)
    """
    return min(max((budget - small) / large, 0.0), 1.0) if large > 0 else 1.0


def threshold(margins: Floats, share: float) -> float:
    """The margin below which about `share` of the margins lie: the one at that place in ascending order.

    >>> threshold(np.array([3.0, 1.0, 2.0, 4.0]), 0.5), threshold(np.array([3.0]), 1.0)
    (3.0, inf)
    """
    place = int(share * len(margins))
    return float(np.sort(margins)[place]) if place < len(margins) else np.inf


@method(
    name="uncertainty-cascade", category="after/cascade", family="unsupervised-deferral",
    papers=["ramirez2024optimising"], needs=("distributions",),
)  # fmt: skip
class UncertaintyCascade(Cascade):
    """Ask the dearest model where the cheapest one's two likeliest first tokens are close."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        by_price = self.pool.by_price()
        self.order = by_price[:1] + by_price[1:][-1:]

    def margin(self, query: Query) -> float:
        """The small model's margin at the first token of its response to a query."""
        model = self.pool[self.order[0]]
        if not isinstance(model, TokenModel):
            raise TypeError(f"the model {model.name!r} gives no token distributions, which this method needs")
        return margin(TextSession(model, query.prompt).next_logits(), tuple(model.vocabulary))

    def fit(self, train: TrainingSet) -> None:
        small, large = (float(train.costs[:, m].mean()) for m in (self.order[0], self.order[-1]))
        self.share_ = affordable(self.parameters.budget * large, small, large)
        self.threshold_ = threshold(np.array([self.margin(query) for query in train.queries]), self.share_)

    def accept(self, query: Query, response: Attempt) -> bool:  # noqa: ARG002 (the first token's logits decide alone)
        return self.margin(query) >= self.threshold_
