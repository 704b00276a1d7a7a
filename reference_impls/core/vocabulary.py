"""Models of one vocabulary: which of a pool share one, and what can be done with their tokens."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.decoding import NEVER, TextSession, unwritten
from reference_impls.core.model import Logits, TokenModel
from reference_impls.core.stages import Joint
from reference_impls.core.training import TrainingSet


def same_vocabulary(models: Sequence[TokenModel]) -> list[TokenModel]:
    """The largest group of models with one vocabulary, in the given order; of equal groups the first one's."""
    groups: dict[tuple[bytes, ...], list[TokenModel]] = {}
    for model in models:
        groups.setdefault(tuple(model.vocabulary), []).append(model)
    return max(groups.values(), key=len)


class OneVocabulary(Joint):
    """During inference, models of one vocabulary: the largest such group of the pool takes part, and a token id
    means the same to all of it.
    """

    def fit(self, train: TrainingSet) -> None:
        """Learns the order of the models, from the best on the training queries to the worst."""
        self.means_ = dict(zip(train.models, train.scores.mean(0).round(9).tolist(), strict=True))

    def members(self) -> list[TokenModel]:
        """The models that take part, in the order of `Joint.members`.

        Raises:
            ValueError: of several models no two share a vocabulary.
        """
        group = same_vocabulary(super().members())
        if len(group) == 1 < len(self.pool):
            raise ValueError(
                f"no two of {', '.join(self.pool.names)} share a vocabulary, which this method needs "
                "(name models of one tokenizer)"
            )
        return group

    def rows(self, texts: Sequence[TextSession]) -> list[Logits]:
        """Every model's logits of its next token, asked side by side, with one end token for all."""
        with self.pool.parallel():
            return [next_row(text, texts[0].model) for text in texts]


def next_row(text: TextSession, first: TokenModel) -> Logits:
    """Logits [V] of a model's next token, with the first model's end token for its own."""
    row = text.next_logits()  # what is never written is marked already
    if text.model.end_token == first.end_token:
        return row
    return align(row, first, text.model, unwritten(tuple(first.vocabulary), first.end_token))


def align(rows: Logits, first: TokenModel, model: TokenModel, never: NDArray[np.int64]) -> Logits:
    """Logits [..., V] of a model whose end token, which may be another than the first model's, has that one's place;
    tokens that are never written (`unwritten`) have `NEVER`.
    """
    if not len(never) and model.end_token == first.end_token:
        return rows
    aligned = np.array(rows)
    aligned[..., never] = NEVER
    aligned[..., first.end_token] = rows[..., model.end_token]
    return aligned
