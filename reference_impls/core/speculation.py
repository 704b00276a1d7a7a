"""Speculation: one model drafts tokens, each is verified against a distribution that several models make together.

What is written is distributed as if it had been drawn from that distribution token by token, whoever drafted it.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.decoding import TextSession, unwritten
from reference_impls.core.learn import softmax
from reference_impls.core.model import Floats, Logits, TokenModel
from reference_impls.core.query import Query
from reference_impls.core.vocabulary import OneVocabulary, align, next_row


def heated(rows: NDArray[Any], temperature: float) -> Floats:
    """Probabilities [..., V] of logits at a temperature; at 0 all of it is the largest's (the first of equal ones).

    >>> heated(np.log([0.2, 0.5, 0.3]), 1.0).round(3).tolist(), heated(np.log([0.2, 0.5, 0.3]), 0.0).tolist()
    ([0.2, 0.5, 0.3], [0.0, 1.0, 0.0])
    """
    if temperature > 0:
        return softmax(np.asarray(rows, np.float64) / temperature)
    sure = np.zeros(rows.shape)
    np.put_along_axis(sure, rows.argmax(-1)[..., None], 1.0, -1)
    return sure


def draw(p: Floats, rng: np.random.Generator) -> int:
    """A token of probabilities [V], which need not sum to one; where one token has all, no random number is drawn."""
    chosen = np.flatnonzero(p > 0)
    if len(chosen) == 1:
        return int(chosen[0])
    sums = np.cumsum(p[chosen])
    place = np.searchsorted(sums, rng.random() * sums[-1], side="right")
    return int(chosen[min(place, len(chosen) - 1)])


def verify(drafted: int, draft: Floats, target: Floats, rng: np.random.Generator) -> tuple[bool, int]:
    """Speculative sampling of one token (Leviathan et al. 2023): it is distributed as the target says.

    A drafted token x is kept with probability min(1, target(x) / draft(x)); else one is drawn from
    max(target - draft, 0), normalised.

    Args:
        drafted: token drawn from `draft`.
        draft, target: probabilities [V].
        rng: draws only where the outcome is not certain.

    Returns:
        whether the drafted token was kept, and the token.
    """
    ratio = target[drafted] / draft[drafted]
    if ratio >= 1 or (ratio > 0 and rng.random() < ratio):
        return True, drafted
    rest = np.maximum(target - draft, 0.0)
    # Of equal distributions nothing is left over but rounding; there the target itself is drawn from.
    return False, draw(rest if rest.sum() > 1e-12 else target, rng)


class Speculative(OneVocabulary):
    """During inference, models of one vocabulary: one drafts some tokens, and all verify them in one pass each.

    Its parameters have `draft`, tokens drafted at a time, and `temperature`. A session cannot keep what it was only
    asked about: accepted tokens are read a second time by those that did not draft them, and billed so.
    """

    @abstractmethod
    def target(self, rows: Sequence[Logits]) -> Floats:
        """The distribution [V] that a token is to have, from every member's logits [members][V] at its place."""

    def drafter(self, turn: int, members: int) -> int:  # noqa: ARG002
        """Place of the member that drafts at a turn (from 0): the first, unless overridden."""
        return 0

    def answer(self, query: Query) -> str:
        texts = [TextSession(model, query.prompt) for model in self.members()]
        first, turn = texts[0].model, 0
        known: Logits | None = None
        while (left := min(query.max_tokens - len(texts[0].session.tokens), *(text.room for text in texts))) > 0:
            place, following = (self.drafter(turn + i, len(texts)) for i in range(2))
            ahead = texts[place].fork()
            drafted, own = self._draft(ahead, first, int(min(left, max(self.parameters.draft, 1))), known)
            # A member that drafts next is asked for the place behind the last token too.
            further = following if following != place and drafted[-1] != first.end_token else -1
            rows = self._read(texts, place, own, drafted, further)
            kept, written = self._verified(drafted, rows, place)
            known = rows[further][len(drafted)] if further >= 0 and kept == len(drafted) else None
            data = texts[0].data
            for token in written:
                data += first.vocabulary[token]
                text = data.decode("utf-8", "replace")
                if token == first.end_token or any(stop in text for stop in query.stop):
                    return text
            ahead.cut(len(texts[place].data) + sum(len(first.vocabulary[token]) for token in drafted[:kept]))
            texts[place] = ahead
            for i, text_session in enumerate(texts):
                for token in written[kept if i == place else 0 :]:
                    text_session.append_token(token)
            turn += 1
        return texts[0].text

    def _draft(
        self, ahead: TextSession, first: TokenModel, count: int, known: Logits | None
    ) -> tuple[list[int], list[Logits]]:
        """At most so many tokens, up to the end, that a member draws, and its logits [V] at each of their places.

        Args:
            ahead: the member's text, which grows by them.
            first: the first member, whose end token stands for all.
            count: tokens, at least 1.
            known: its logits at the first place, if it has been asked.
        """
        drafted: list[int] = []
        rows: list[Logits] = []
        while len(drafted) < count and drafted[-1:] != [first.end_token]:
            if drafted:
                ahead.append_token(drafted[-1])
            asked = bool(drafted) or known is None
            rows.append(next_row(ahead, first) if asked else known)  # type: ignore[arg-type]
            drafted.append(draw(heated(rows[-1], self.parameters.temperature), self.rng))
        if drafted[-1] != first.end_token:
            ahead.append_token(drafted[-1])
        return drafted, rows

    def _read(
        self, texts: Sequence[TextSession], place: int, own: Sequence[Logits], drafted: Sequence[int], further: int
    ) -> list[Logits]:
        """Every member's logits [members][drafted, V] at the places of drafted tokens, whose author's are known; one
        row more of the member that goes on behind them.
        """
        rows: list[Logits] = []
        first = texts[0].model
        never = unwritten(tuple(first.vocabulary), first.end_token)
        with self.pool.parallel():
            for i, text in enumerate(texts):
                if i == place:
                    rows.append(np.array(own))
                else:
                    tokens = [*drafted, *drafted[-1:]] if i == further else drafted
                    rows.append(align(text.session.logits_of(tokens), first, text.model, never))
        return rows

    def _verified(self, drafted: Sequence[int], rows: Sequence[Logits], place: int) -> tuple[int, list[int]]:
        """How many of the drafted tokens are kept, and the tokens that are written: those, and one in place of the
        first that is not.
        """
        written: list[int] = []
        for i, token in enumerate(drafted):
            at = [row[i] for row in rows]
            kept, made = verify(token, heated(at[place], self.parameters.temperature), self.target(at), self.rng)
            written.append(made)
            if not kept:
                return i, written
        return len(drafted), written
