"""Speculative cascade: a small model drafts, and each token is verified against what a rule makes of the small and
the large model's distributions, so that good drafts stand although the large model would have written otherwise.

With q, p [V] the next-token probabilities of the small and the large model, alpha the lenience, and d in {0, 1} what
a rule decides at a place (1: defer to the large one),

    Chow    d = 1  where  max q < 1 - alpha
    Diff    d = 1  where  max q < max p - alpha
    OPT     d = 1  where  max q < max p - alpha TV(p, q),     TV(p, q) = sum_x max(q(x) - p(x), 0)
            r = (1 - d) q + d p;
    Token   each x for itself, kept where p(x) >= (1 - alpha) max p; else the large model's distribution stands in:
            r(x) = q(x) [x kept] + p(x) sum_y q(y) [y not kept].

The small model draws gamma tokens from q; the large one reads them in one pass; token x is kept with probability
min(1, r(x) / q(x)), and at the first that is not, one is drawn from max(r - q, 0), normalised, and the rest dropped.
So each token is distributed as r says. At temperature 0 the q and p that r is made of are their arg max alone, while
the rules read the distributions as they are. Calls: gamma passes of the small model and one of the large, in turn.

Differences from the paper
1. Small and large are the cheapest and the dearest of the models that share a vocabulary, or those that are named.
2. No further token is drawn behind gamma kept ones: the next round drafts it.
3. Decoding is greedy unless `temperature` is set.
4. The paper draws curves over alpha and names no value for use. The default is the OPT rule at the alpha of the
   authors' example, where it is the Token rule's (the third of the paper's three).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import Floats, Logits, Speculative, TokenModel, heated, method

RULES = ("chow", "diff", "opt", "token")


@dataclass(frozen=True)
class Parameters:
    """Parameters of the cascade."""

    #: Who decides: ``chow``, ``diff``, ``opt`` or ``token``.
    rule: str = "opt"
    #: alpha: the larger, the more stays with the small model. 0.5 in the authors' example.
    lenience: float = 0.5
    #: gamma, tokens drafted at a time; the paper's was not checked.
    draft: int = 5
    #: Of drawn tokens; 0 is greedy.
    temperature: float = 0.0
    #: Names of the two models; empty means the cheapest and the dearest of one vocabulary.
    small: str = ""
    large: str = ""


def mixture(small: Logits, large: Logits, rule: str, lenience: float, temperature: float = 1.0) -> Floats:
    """r [V] from the two models' logits [V].

    Raises:
        ValueError: no such rule.

    >>> q, p = np.log([0.6, 0.4]), np.log([0.3, 0.7])
    >>> [mixture(q, p, "diff", alpha).round(3).tolist() for alpha in (0.05, 0.2)]
    [[0.3, 0.7], [0.6, 0.4]]
    """
    if rule not in RULES:
        raise ValueError(f"rule={rule!r} is none of {', '.join(RULES)}")
    q, p = heated(small, 1.0), heated(large, 1.0)
    small_drawn, large_drawn = heated(small, temperature), heated(large, temperature)
    if rule == "token":
        kept = np.where(p >= (1 - lenience) * p.max(), small_drawn, 0.0)
        return np.asarray(kept + max(1 - kept.sum(), 0.0) * large_drawn)
    if rule == "chow":
        least = 1 - lenience
    elif rule == "diff":
        least = p.max() - lenience
    else:
        least = p.max() - lenience * np.maximum(small_drawn - large_drawn, 0).sum()
    return small_drawn if q.max() >= least else large_drawn


@method(
    name="speculative-cascade", category="during/token-level", family="token-routing",
    papers=["narasimhan2024speccascades"], needs=("distributions", "shared-vocabulary"),
)  # fmt: skip
class SpeculativeCascade(Speculative):
    """Drafts of the small model, verified against a rule's mixture of both models."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        """The small model and the large one; one model is both."""
        p, models = self.parameters, self.pool.token_models()
        names = {model.name for model in super().members()} if not (p.small and p.large) else set()
        # Not by how `Joint` orders those that cost alike: the small model is the cheaper, by however little.
        order = [i for i in self.pool.by_price() if models[i].name in names]
        small = models[self.pool.index(p.small) if p.small else order[0]]
        large = models[self.pool.index(p.large) if p.large else order[-1]]
        if tuple(small.vocabulary) != tuple(large.vocabulary):
            raise ValueError(f"the two models must share a vocabulary; {small.name} and {large.name} do not")
        return [small] if small is large else [small, large]

    def target(self, rows: Sequence[Logits]) -> Floats:
        p = self.parameters
        return mixture(rows[0], rows[-1], p.rule, p.lenience, p.temperature)
