"""Contrastive decoding: the token is written whose probability under a strong model exceeds most that under a weak
one, among tokens that the strong model finds plausible.

With p_e, p_a [V] the next-token probabilities of the expert and of the amateur (its logits divided by a temperature),
two models of one vocabulary,

    V_head = {x : p_e(x) >= alpha max_y p_e(y)},        next = argmax_{x in V_head}  log p_e(x) - log p_a(x).

alpha = 1 is the expert's greedy decoding; alpha = 0 is the ratio alone, which favours tokens that nobody would write.
A step costs O(V) beside the forward passes. Calls: one session for each of the two, side by side.

Differences from the paper
1. There the amateur is a much smaller model of the same family. Here expert and amateur are the best and the worst,
   on the training queries, of the models that share a vocabulary, or those that are named.
2. Decoding is greedy; the paper searches with a beam of 5.
3. The amateur reads the whole text; the paper also tries one that reads the last tokens only.
4. Among tokens of equal score the expert's own choice wins. So an expert that is its own amateur writes as it is.
5. An end of text that the two mark with different tokens counts as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import (
    Floats,
    Fusion,
    Logits,
    OneVocabulary,
    TextSession,
    TokenModel,
    leading,
    log_softmax,
    method,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the contrast."""

    #: alpha: least share of the expert's largest probability that a token needs; the paper's value.
    plausible: float = 0.1
    #: Of the amateur's logits. The authors' command for GPT-2 models has 0.5; 1 is the formula as it stands.
    temperature: float = 1.0
    #: Names of the two models; empty leaves a part to the scores on the training queries.
    expert: str = ""
    amateur: str = ""


def contrast(expert: Logits, amateur: Logits, plausible: float, temperature: float = 1.0) -> Floats:
    """Scores [V] from the two models' logits [V]; -inf outside V_head.

    >>> contrast(np.log([0.6, 0.3, 0.1]), np.log([0.8, 0.1, 0.1]), 0.5).round(3).tolist()
    [-0.288, 1.099, -inf]
    """
    ours, theirs = log_softmax(expert), log_softmax(amateur / temperature)
    # A hair below, so that a token of exactly alpha times the largest probability stays in.
    head = ours >= ours.max() + np.log(max(plausible, 1e-300)) - 1e-9
    return np.asarray(np.where(head, ours - theirs, -np.inf))


@method(
    name="contrastive-decoding", category="during/token-level", family="distribution-averaging",
    papers=["li2022contrastive"], needs=("labels", "distributions", "shared-vocabulary"),
)  # fmt: skip
class ContrastiveDecoding(OneVocabulary, Fusion):
    """The best model's plausible tokens, ranked by how much more it likes them than the worst model does."""

    Parameters = Parameters
    needs_training = True

    def members(self) -> list[TokenModel]:
        p = self.parameters
        models = self.pool.token_models()
        group = [] if p.expert and p.amateur else super().members()
        expert = models[self.pool.index(p.expert)] if p.expert else group[0]
        amateur = models[self.pool.index(p.amateur)] if p.amateur else group[-1]
        if tuple(expert.vocabulary) != tuple(amateur.vocabulary):
            raise ValueError(f"expert and amateur must share a vocabulary; {expert.name} and {amateur.name} do not")
        return [expert] if expert is amateur else [expert, amateur]

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        rows = self.rows(texts)
        expert, amateur = rows[0], rows[-1]
        scores = contrast(expert, amateur, self.parameters.plausible, self.parameters.temperature)
        token = leading(scores, [int(expert.argmax())])
        # The end of text is the empty byte string.
        return texts[0].model.vocabulary[token] or None
