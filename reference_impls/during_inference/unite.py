"""UniTE: every step averages the models' next-token probabilities over the union of their top-k tokens alone.

With T_m the k most probable tokens (byte strings, the end of text among them) of model m, U = union of the T_m,
and p_m(u) the probability of u under model m, for a string that is no token of m that of the first piece of m's
own tokenisation of u (two strings may share one),

    q_m(u) = p_m(u) / sum_{v in U} p_m(v)   in [0, 1]^|U|,      next = argmax_u  mean_m q_m(u),

and the text of `next` is re-tokenised by every model. |U| <= k * models: no full vocabulary is mapped, and a step
costs one partial sort a model. Calls: one session a model, side by side.

Differences from the paper
1. Who joins is determined as there by scores on the task (`gap`), here those of the train split, but not by the style
   of responses, which the paper looks at too; of those left the best `models` are members.
2. A string that is no token of the main model is appended whole; the authors append only the first piece of the main
   model's own tokenisation, and where a piece stands for several strings give all but one of them logit 0.
3. Among strings of equal average a model's own choice wins, then the first in byte order, so that the order of the
   models does not matter.
4. Vocabularies with the blank before words and such with the blank after them hardly agree on a string, and fused
   they may do worse than alone: the result's notes count such queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    Fusion,
    Logits,
    Query,
    TextSession,
    TokenModel,
    leading,
    method,
    softmax,
    token_ids,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: k, tokens a model brings into the union; the authors' value.
    k: int = 10
    #: How many models, from the best on the training queries down (from the dearest where `gap` is 1); 0 takes all.
    #: The paper joins two or more.
    models: int = 2
    #: How much worse than the best on the training queries a model may be to take part: the paper's ten points. 1
    #: asks for no scores and leaves nobody out.
    gap: float = 0.1


def top(logits: Logits, k: int) -> NDArray[np.int64]:
    """Ids of the k largest logits, in no order; all of them if there are fewer."""
    return np.argpartition(logits, -k)[-k:] if k < len(logits) else np.arange(len(logits))


def restrict(logits: Sequence[Logits], ids: Sequence[Sequence[int]]) -> Floats:
    """q: every model's probabilities of the union's strings, under the ids [models][U] that stand for them in its
    vocabulary, renormalised, [models, U].

    The softmax over the whole vocabulary cancels. Id -1 marks a string that the model cannot spell.

    >>> import numpy as np
    >>> restrict([np.log([0.1, 0.2, 0.3, 0.4])], [[1, 1, 3, -1]]).round(3).tolist()
    [[0.25, 0.25, 0.5, 0.0]]
    """
    places = np.array(ids)
    values = np.array([row[own] for row, own in zip(logits, places, strict=True)], np.float64)
    values[places < 0] = -np.inf
    return softmax(values)


@method(
    name="unite", category="during/token-level", family="distribution-averaging",
    papers=["yao2024unite"], needs=("labels", "distributions"),
)  # fmt: skip
class UniTE(Fusion):
    """Average of next-token distributions on the union of the models' top-k tokens."""

    Parameters = Parameters
    needs_training = True

    def members(self) -> list[TokenModel]:
        return super().members()[: self.parameters.models or None]

    def begin(self, query: Query, texts: Sequence[TextSession]) -> None:  # noqa: ARG002
        self.note_blanks(texts)
        if not hasattr(self, "places_"):
            # By string, the id that stands for it; strings of other vocabularies are added when they first occur.
            self.places_ = [{b"": t.model.end_token} | token_ids(tuple(t.model.vocabulary)) for t in texts]

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        rows = self.logits(texts)
        strings: set[bytes] = set()
        for text, row in zip(texts, rows, strict=True):
            vocabulary, end = text.model.vocabulary, text.model.end_token
            strings.update([vocabulary[i] for i in top(row, self.parameters.k).tolist() if vocabulary[i] or i == end])
        union = sorted(strings)
        for text, places in zip(texts, self.places_, strict=True):
            for token in strings.difference(places):
                places[token] = next(iter(text.ids(token)), -1)
        fused = restrict(rows, [[places[token] for token in union] for places in self.places_]).mean(0)
        best = [text.model.vocabulary[int(row.argmax())] for text, row in zip(texts, rows, strict=True)]
        return union[leading(fused, [union.index(token) for token in best])] or None
