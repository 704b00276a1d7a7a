"""Proxy tuning (DExperts): what an expert has learned beyond an anti-expert is added to a third model's logits.

With z_b, z_e, z_a [V] the logits of the base, the expert and the anti-expert, three models of one vocabulary,

    z = z_b + alpha (z_e - z_a),        next = argmax z  over the nucleus of p_b,

so p(x) is proportional to p_b(x) (p_e(x) / p_a(x))^alpha: a product of experts. The nucleus holds the likeliest
tokens of the base until they have a given mass. A constant added to one model's logits changes nothing. A step costs
O(V log V) beside the forward passes. Calls: one session for each model, side by side.

Who plays which part is decided on the training queries: the base is the best of the models that share a vocabulary,
the anti-expert the worst, the expert the best of those between. Of two models the base is its own expert (only the
anti-expert steers, a form that DExperts has too), and one model writes as it does alone.

Differences from the paper
1. There the expert is a small model that was tuned and the anti-expert the same model before; the base is larger. The
   pool has no such pair: parts go by scores on the training queries, or by name (`base`, `expert`, `anti`).
2. The cut to the nucleus is DExperts' and on by default. Proxy tuning does without (`nucleus` 1), as its expert and
   anti-expert agree on all that tuning has not changed. Models of different origin do not, and what all find unlikely
   would win by the noise of its logits.
3. Decoding is greedy; the papers sample too. The expert reads the same prompt as the base; proxy tuning gives chat
   experts a template of their own.
4. An end of text that the models mark with different tokens counts as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    Fusion,
    Logits,
    OneVocabulary,
    TextSession,
    TokenModel,
    leading,
    method,
    softmax,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the steering."""

    #: alpha: 1 in proxy tuning, for which it is not tuned; 2.0 in DExperts' example against toxicity.
    alpha: float = 1.0
    #: Mass of the base's tokens that may be written: 0.9 in DExperts' example, 1 (no cut) in proxy tuning.
    nucleus: float = 0.9
    #: Names of the three models; empty leaves a part to the scores on the training queries.
    base: str = ""
    expert: str = ""
    anti: str = ""


def steer(base: Logits, expert: Logits, anti: Logits, alpha: float) -> Floats:
    """z [V] from the logits of the three models.

    >>> steer(np.array([1.0, 2.0]), np.array([3.0, 0.0]), np.array([1.0, 0.5]), 0.5).tolist()
    [2.0, 1.75]
    """
    return np.asarray(base.astype(np.float64) + alpha * (expert.astype(np.float64) - anti.astype(np.float64)))


def outside(base: Logits, nucleus: float) -> NDArray[np.int64]:
    """Ids of the tokens outside the base's nucleus: all behind the one at which the mass is reached.

    >>> outside(np.log([0.2, 0.5, 0.3]), 0.7).tolist(), outside(np.log([0.2, 0.5, 0.3]), 0.5).tolist()
    ([0], [2, 0])
    """
    p = softmax(base)
    order = np.argsort(-p, kind="stable")
    return np.asarray(order[np.searchsorted(np.cumsum(p[order]), nucleus - 1e-9) + 1 :])


def parts(models: Sequence[TokenModel]) -> tuple[TokenModel, TokenModel, TokenModel]:
    """Base, expert and anti-expert of models in the order of their quality, the best first."""
    return models[0], models[1] if len(models) > 2 else models[0], models[-1]


@method(
    name="proxy-tuning", category="during/token-level", family="goal-directed",
    papers=["liu2024proxytuning", "liu2021dexperts"], needs=("labels", "distributions", "shared-vocabulary"),
)  # fmt: skip
class ProxyTuning(OneVocabulary, Fusion):
    """The best model's logits, moved by the difference between a better and a worse one."""

    Parameters = Parameters
    needs_training = True

    def members(self) -> list[TokenModel]:
        p = self.parameters
        names = (p.base, p.expert, p.anti)
        found: Sequence[TokenModel] = () if all(names) else parts(super().members())
        models = self.pool.token_models()
        chosen = [models[self.pool.index(name)] if name else found[i] for i, name in enumerate(names)]
        if len({tuple(model.vocabulary) for model in chosen}) > 1:
            told = ", ".join(model.name for model in chosen)
            raise ValueError(f"base, expert and anti-expert must share a vocabulary; these do not: {told}")
        members = list({model.name: model for model in chosen}.values())
        self.parts_ = [members.index(model) for model in chosen]
        return members

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        rows = self.rows(texts)
        base, expert, anti = (rows[i] for i in self.parts_)
        z = steer(base, expert, anti, self.parameters.alpha)
        z[outside(base, self.parameters.nucleus)] = -np.inf
        token = leading(z, [int(base.argmax())])
        # The end of text is the empty byte string.
        return texts[0].model.vocabulary[token] or None
