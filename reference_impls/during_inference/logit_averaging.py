"""Shared-vocabulary averaging: models of one tokenizer add up their next-token logits, or probabilities, with
fixed weights, and the largest sum is written.

With z_m [V] the logits of model m, p_m = softmax(z_m) and weights w_m (sum one),

    logits:         p = softmax(sum_m w_m z_m),  proportional to prod_m p_m^w_m   (geometric mean; MOD under KL),
    probabilities:  p = sum_m w_m p_m                                             (arithmetic mean; BTM),

and next = argmax p. A constant added to one model's logits changes neither. This is the plain form: no vocabulary
is mapped and no weight is learned. Calls: one session a model, side by side.

Differences from the paper
1. MOD's models are one model aligned to several objectives, and its weights say how much each objective counts;
   here any models of one tokenizer are members, and the weights are equal unless given.
2. BTM weighs its experts by the posterior of their domains given the text so far; here the weights stay fixed.
3. Decoding is greedy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import Floats, Fusion, Logits, Query, TextSession, TokenModel, method, softmax


@dataclass(frozen=True)
class Parameters:
    """Parameters of the average."""

    #: What is averaged: ``logits`` (MOD) or ``probabilities`` (BTM).
    space: str = "logits"
    #: w, one number a member, the dearest first, normalised to sum one; empty means equal weights.
    weights: tuple[float, ...] = ()
    #: How many members, from the dearest down; 0 takes all models of the tokenizer. MOD joins two or three.
    models: int = 0


def average(logits: Sequence[Logits], weights: Floats, space: str) -> Floats:
    """The fused distribution, [V], of logits [models][V].

    Raises:
        ValueError: `space` is neither ``logits`` nor ``probabilities``.

    >>> import numpy as np
    >>> z = [np.log([0.8, 0.2]), np.log([0.2, 0.8])]
    >>> average(z, np.array([0.75, 0.25]), "probabilities").round(3).tolist()
    [0.65, 0.35]
    >>> average(z, np.array([0.75, 0.25]), "logits").round(3).tolist()
    [0.667, 0.333]
    """
    if space not in ("logits", "probabilities"):
        raise ValueError(f"space={space!r} is neither 'logits' nor 'probabilities'")
    rows = np.array(logits, np.float64)
    return softmax(weights @ rows) if space == "logits" else np.asarray(weights @ softmax(rows))


def same_vocabulary(models: Sequence[TokenModel]) -> list[TokenModel]:
    """The largest group of models with one vocabulary, in the given order; of equal groups the first one's."""
    groups: dict[tuple[bytes, ...], list[TokenModel]] = {}
    for model in models:
        groups.setdefault(tuple(model.vocabulary), []).append(model)
    return max(groups.values(), key=len)


@method(
    name="logit-averaging", category="during/token-level", family="distribution-averaging",
    papers=["shi2024mod", "li2022btm"], needs=("distributions", "shared-vocabulary"),
)  # fmt: skip
class LogitAveraging(Fusion):
    """Average of logits or probabilities of the pool's models that share a vocabulary."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        return same_vocabulary(super().members())[: self.parameters.models or None]

    def begin(self, query: Query, texts: Sequence[TextSession]) -> None:  # noqa: ARG002
        given = np.array(self.parameters.weights or np.ones(len(texts)))
        if len(given) != len(texts):
            names = ", ".join(t.model.name for t in texts)
            raise ValueError(f"{len(given)} weights for {len(texts)} models of one vocabulary: {names}")
        self.weights_: Floats = given / given.sum()

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        rows = self.logits(texts)
        for row, text in zip(rows, texts, strict=True):
            # Models of one vocabulary may end with different tokens of it; here the first one's stands for all.
            row[texts[0].model.end_token] = row[text.model.end_token]
        fused = average(rows, self.weights_, self.parameters.space)
        # The end of text is the empty byte string.
        return texts[0].model.vocabulary[int(fused.argmax())] or None
