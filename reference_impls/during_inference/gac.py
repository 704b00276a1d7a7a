"""GaC, generation as classification: every step averages the models' next-token distributions over the union
of their tokens.

With U the union of all vocabularies (tokens as byte strings, the end of text among them), M_m the 0/1 matrix
that sends token i of model m to its place in U, p_m the model's next-token probabilities and w_m its weight
(sum one),

    p = sum_m w_m M_m p_m   in [0, 1]^|U|,      next = argmax p,

and the *text* of `next` is re-tokenised by every model. M_m is stored as an index array, so a step costs
O(sum |V_m|). A model's token that the others lack keeps its mass; nothing is renormalised, as every p_m sums
to one on U. Calls: one session a model, side by side (with a gate the first model before the others).

Differences from the paper
1. The gate (ensemble only the steps at which the first model's top probability is below a threshold) is off by
   default: set `gate`; the first model is the dearest. The authors' code has both forms, every step and gated.
2. Re-tokenisation goes back to the last blank, so a model reads its own tokenisation of a word that others began.
3. Weights are equal unless given; the authors' code can also weigh models by a score of their quality.
4. Special tokens other than the end, and all but one token of one spelling, stay out of U; among places of equal mass
   a model's own choice wins, then the first in byte order.
5. Vocabularies with the blank before words and such with the blank after them hardly agree on a token, and fused they
   may do worse than alone: the result's notes count such queries.
6. `gap` can leave out models that score worse on the task, which is UniTE's rule, not this paper's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Floats, Fusion, Query, TextSession, TokenModel, leading, method, softmax, token_ids


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: w, one number a model, normalised to sum one; empty means equal weights.
    weights: tuple[float, ...] = ()
    #: Fuse only where the first model's top probability is below this; 1 fuses every step. The paper's value was not
    #: checked, the example in the authors' code has 1.
    gate: float = 1.0
    #: How many models, from the dearest down; 0 takes all. The authors' table of results is of pairs.
    models: int = 2
    #: How much worse than the best on the training queries a model may be to take part; 1 asks for no scores and
    #: leaves nobody out. The paper has no such step.
    gap: float = 1.0


def union(
    vocabularies: Sequence[Sequence[bytes]], ends: Sequence[int] = ()
) -> tuple[list[bytes], list[NDArray[np.int64]]]:
    """The union vocabulary (sorted, so independent of the models' order) and every token's place in it,
    [models][tokens]. The end of text is the empty string.

    Args:
        vocabularies: of the models.
        ends: each model's end token; by default the first without bytes. Other tokens without bytes (special ones),
            and all but one of those of one spelling, have no place, -1.

    >>> union([[b"", b"a", b"b"], [b"", b"b", b"ab"]])[1]
    [array([0, 1, 3]), array([0, 3, 2])]
    >>> union([[b"", b"!", b"", b"!"]], [2])
    ([b'', b'!'], [array([-1, -1,  0,  1])])
    """
    known = [token_ids(tuple(v)) for v in vocabularies]
    tokens = sorted({b""}.union(*known))
    place = {token: i for i, token in enumerate(tokens)}
    places = [np.full(len(v), -1, np.int64) for v in vocabularies]
    for own, ids, end in zip(places, known, ends or [list(v).index(b"") for v in vocabularies], strict=True):
        own[list(ids.values())] = [place[token] for token in ids]
        own[end] = 0
    return tokens, places


def fuse(distributions: Sequence[Floats], places: Sequence[NDArray[np.int64]], weights: Floats, size: int) -> Floats:
    """Weighted average of the distributions on the union vocabulary, [size]."""
    result = np.zeros(size + 1)  # the last is the place -1 of what has none
    for p, place, weight in zip(distributions, places, weights, strict=True):
        np.add.at(result, place, weight * p)
    return result[:size]


@method(
    name="gac", category="during/token-level", family="vocabulary-alignment",
    papers=["yu2024gac"], needs=("distributions",),
)  # fmt: skip
class GaC(Fusion):
    """Average of next-token distributions on the union of the vocabularies."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        return super().members()[: self.parameters.models or None]

    def begin(self, query: Query, texts: Sequence[TextSession]) -> None:  # noqa: ARG002
        self.note_blanks(texts)
        if not hasattr(self, "tokens_"):
            models = [t.model for t in texts]
            self.tokens_, self.places_ = union([m.vocabulary for m in models], [m.end_token for m in models])
            given = np.array(self.parameters.weights or np.ones(len(texts)))
            self.weights_ = given / given.sum()

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        if self.parameters.gate < 1:
            first = texts[0].probabilities()
            if first.max() >= self.parameters.gate:
                return texts[0].model.vocabulary[int(first.argmax())] or None
        distributions = [softmax(logits) for logits in self.logits(texts)]
        fused = fuse(distributions, self.places_, self.weights_, len(self.tokens_))
        own = [place[p.argmax()] for place, p in zip(self.places_, distributions, strict=True)]
        # The end of text is the empty byte string.
        return self.tokens_[leading(fused, own)] or None
