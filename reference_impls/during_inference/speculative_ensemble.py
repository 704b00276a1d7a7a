"""Speculative ensemble: the average of several models' next-token distributions, with fewer passes: the models take
turns in drafting, and verify each other's drafts against the average itself.

With p_m [V] the next-token probabilities of model m and weights w_m (sum one), a token is to be distributed as

    average     r = sum_m w_m p_m,
    contrast    r = softmax(z_1 - mu z_2),  z the logits.

In turn one model draws gamma tokens from its own p_m; the others read them in one pass each. Token x is kept with
probability min(1, r(x) / p_m(x)), and at the first that is not, one is drawn from max(r - p_m, 0), normalised, and
the rest dropped; then the next model drafts. Every token is then distributed as r, as in the plain ensemble. The next
model has already been asked for the place behind the draft: if all of it is kept, its first token costs no pass.
Calls: in a turn of n models one writes gamma passes and n - 1 read one, against n gamma of the plain ensemble.

Differences from the paper
1. Turns are whole drafts. There the members alternate at the place where a verifier has a token to propose, and a
   model may verify several drafts of different members in one pass; with two models both come to the same.
2. Decoding is greedy unless `temperature` is set: a token is then the arg max of r, and p_m its own arg max alone.
3. Members are all models of the largest group with one vocabulary; the contrast takes two, the dearer as the first.
4. That a session cannot keep what it was only asked about costs a second reading of kept tokens, billed as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import Floats, Logits, Speculative, TokenModel, heated, method, softmax


@dataclass(frozen=True)
class Parameters:
    """Parameters of the ensemble."""

    #: What a token is distributed as: ``average`` or ``contrast``.
    form: str = "average"
    #: w, one number a member, the dearest first, normalised to sum one; empty means equal weights, the paper's
    #: lambda of 0.5 for two.
    weights: tuple[float, ...] = ()
    #: mu of the contrast. The paper's value was not checked.
    mu: float = 0.1
    #: gamma, tokens drafted at a time. The paper's was not checked.
    draft: int = 5
    #: Of drawn tokens; 0 is greedy.
    temperature: float = 0.0
    #: How many members, from the dearest down; 0 takes all models of the vocabulary. The paper joins two and three.
    models: int = 0


def ensemble(rows: Sequence[Logits], weights: Floats, form: str = "average", mu: float = 0.1) -> Floats:
    """r [V] from the models' logits [models][V].

    Raises:
        ValueError: no such form.

    >>> z = [np.log([0.8, 0.2]), np.log([0.4, 0.6])]
    >>> ensemble(z, np.array([0.5, 0.5])).round(3).tolist()
    [0.6, 0.4]
    >>> ensemble(z, np.array([0.5, 0.5]), "contrast", 1.0).round(3).tolist()  # 0.8 / 0.4 and 0.2 / 0.6
    [0.857, 0.143]
    """
    if form not in ("average", "contrast"):
        raise ValueError(f"form={form!r} is neither 'average' nor 'contrast'")
    if form == "contrast":
        return softmax(rows[0].astype(np.float64) - mu * rows[-1].astype(np.float64))
    return np.asarray(weights @ softmax(np.array(rows, np.float64)))


@method(
    name="speculative-ensemble", category="during/token-level", family="distribution-averaging",
    papers=["fu2025specensemble"], needs=("distributions", "shared-vocabulary"),
)  # fmt: skip
class SpeculativeEnsemble(Speculative):
    """The plain ensemble's text, drafted by each model in turn and verified by the others."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        p = self.parameters
        members = super().members()[: 2 if p.form == "contrast" else p.models or None]
        given = np.array(p.weights or np.ones(len(members)))
        if len(given) != len(members):
            names = ", ".join(model.name for model in members)
            raise ValueError(f"{len(given)} weights for {len(members)} models of one vocabulary: {names}")
        self.weights_: Floats = given / given.sum()
        return members

    def drafter(self, turn: int, members: int) -> int:
        return turn % members

    def target(self, rows: Sequence[Logits]) -> Floats:
        p = self.parameters
        r = ensemble(rows, self.weights_, p.form, p.mu)
        with np.errstate(divide="ignore"):
            return r if p.temperature == 1 else heated(np.log(r), p.temperature)
