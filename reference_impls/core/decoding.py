"""Text that several models read at once: sessions kept on the same text although their tokens differ."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np

from reference_impls.core.learn import log_softmax, softmax
from reference_impls.core.model import Floats, Logits, TokenModel

_WITHIN_A_WORD = re.compile(rb"(?<=[A-Za-z0-9\x80-\xff])(?=[A-Za-z0-9\x80-\xff])")


@lru_cache(maxsize=64)
def token_ids(vocabulary: tuple[bytes, ...]) -> dict[bytes, int]:
    """Token id by bytes; the end token, which has none, is left out."""
    return {token: i for i, token in enumerate(vocabulary) if token}


@lru_cache(maxsize=64)
def token_bytes(vocabulary: tuple[bytes, ...]) -> tuple[tuple[bytes, int], ...]:
    """(bytes, id) of all tokens that have bytes, sorted, for search by prefix."""
    return tuple(sorted(token_ids(vocabulary).items()))


class TextSession:
    """One model's session on a response that grows by bytes, whoever chose them.

    Appended bytes are re-tokenised together with the word they continue, so that the model sees its own
    tokenisation of the text; what of the cache still fits is kept.

    Attributes:
        model: the model.
        session: its session (advanced by `append`).
        data: the response so far.
    """

    def __init__(self, model: TokenModel, prompt: str) -> None:
        self.model = model
        self.session = model.start(prompt)
        self.data = b""
        # One token begins every text.
        self._space = model.context - 1 - len(model.encode(prompt)) if model.context else math.inf
        self._tail = 0  # number of tokens before the last blank or line break: those never change again
        self._tail_bytes = 0
        self._ids = token_ids(tuple(model.vocabulary))

    @property
    def text(self) -> str:
        """The response so far; bytes that are no UTF-8 (yet) become U+FFFD."""
        return self.data.decode("utf-8", "replace")

    @property
    def room(self) -> float:
        """How many more tokens the model's context takes; inf where it is not known, 0 or less if it is full."""
        return self._space - len(self.session.tokens)

    def next_logits(self) -> Logits:
        """Logits [vocabulary] of the model's next token."""
        return self.session.next_logits()

    def probabilities(self) -> Floats:
        """Probabilities [vocabulary] of the model's next token."""
        return softmax(self.session.next_logits())

    def ids(self, data: bytes) -> list[int]:
        """Token ids of bytes: the model's own tokenisation if they are text, else single bytes where it has them."""
        try:
            return self.model.encode(data.decode())
        except UnicodeDecodeError:
            return [self._ids[bytes([b])] for b in data if bytes([b]) in self._ids]

    def append(self, piece: bytes) -> None:
        """Adds bytes to the response."""
        self.data += piece
        fresh = self.ids(self.data[self._tail_bytes :])
        held = self.session.tokens[self._tail :]
        same = 0
        while same < min(len(fresh), len(held)) and fresh[same] == held[same]:
            same += 1
        if same < len(held):
            self.session.rollback(len(held) - same)
        self.session.append(*fresh[same:])
        self._settle(fresh)

    def append_token(self, token: int) -> None:
        """Adds one token of the model's own choice without re-tokenising what stands before it."""
        self.session.append(token)
        self.data += self.model.vocabulary[token]
        self._tail, self._tail_bytes = len(self.session.tokens), len(self.data)

    def fork(self) -> "TextSession":
        """An independent copy; the cache is shared."""
        twin = TextSession.__new__(TextSession)
        twin.__dict__.update(self.__dict__)
        twin.session = self.session.fork()
        return twin

    def score(self, piece: bytes, ended: bool = False) -> Floats:
        """Log-probabilities [tokens] of bytes that would follow, and of the end token after them if `ended`; the
        session stays as it is. One forward pass.

        Raises:
            ValueError: the text would be longer than the model's context.
        """
        return self.session.score([*self.ids(piece), *([self.model.end_token] if ended else [])])

    def fits(self, piece: bytes) -> bool:
        """Whether the model's context takes the bytes."""
        return len(self.ids(piece)) <= self.room

    def _settle(self, fresh: Sequence[int]) -> None:
        """Moves the tail behind the last token boundary that lies before white space."""
        size, vocabulary = 0, self.model.vocabulary
        for i, token in enumerate(fresh):
            size += len(vocabulary[token])
            following = self.data[self._tail_bytes + size : self._tail_bytes + size + 1]
            if i + 1 < len(fresh) and following in (b" ", b"\n"):
                self._tail, self._tail_bytes = self._tail + i + 1, self._tail_bytes + size
                self._settle(fresh[i + 1 :])
                return


def write_until(
    text: TextSession, done: Callable[[str], bool], max_tokens: int, *,
    temperature: float = 0.0, rng: np.random.Generator | None = None,
) -> tuple[str, tuple[float, ...], bool]:  # fmt: skip
    """Lets one model continue a text (in its own session) until `done(what it wrote)` holds or its context is full.

    Returns:
        what it wrote, the log-probability of each token (the end token's included), and whether it ended the
        response.
    """
    start = len(text.data)
    logprobs: list[float] = []
    for _ in range(int(min(max_tokens, max(text.room, 0)))):
        logs = log_softmax(text.next_logits())
        if temperature > 0 and rng is not None:
            token = int((logs / temperature + rng.gumbel(size=len(logs))).argmax())
        else:
            token = int(logs.argmax())
        logprobs.append(float(logs[token]))
        if token == text.model.end_token:
            return text.data[start:].decode("utf-8", "replace"), tuple(logprobs), True
        text.append_token(token)
        written = text.data[start:].decode("utf-8", "replace")
        if done(written):
            break
    return text.data[start:].decode("utf-8", "replace"), tuple(logprobs), False


@dataclass(frozen=True)
class Segment:
    """Some words that a model proposes.

    Attributes:
        data: bytes.
        ended: the response ends after them.
        whole: they reach a common boundary or the response's end; else they were cut at a limit of tokens.
    """

    data: bytes
    ended: bool
    whole: bool = True


def common_boundary(data: bytes, words: int, tokenisations: Sequence[Sequence[bytes]]) -> int | None:
    """The first place within the bytes, after so many words (runs without white space), that cuts no word (letters
    and digits) and no token of any tokenisation; None if there is none.

    >>> common_boundary(b" an old owl", 2, [[b" an", b" old", b" owl"], [b" a", b"n", b" old", b" ", b"owl"]])
    7
    """
    shared = set.intersection(*({*accumulate(map(len, tokens))} for tokens in tokenisations))
    shared -= {found.start() for found in _WITHIN_A_WORD.finditer(data)}
    return min((i for i in shared if i < len(data) and len(data[:i].split()) >= words), default=None)


def write_segment(text: TextSession, readers: Sequence[TextSession], words: int, max_tokens: int) -> Segment:
    """What one model writes (greedily) up to the first boundary after so many words that it shares with all readers,
    so that each reads tokens of its own; the text stays as it is.
    """
    draft, start = text.fork(), len(text.data)

    def boundary() -> int | None:
        data = draft.data[start:]
        if len(data.split()) < words:
            return None
        return common_boundary(data, words, [[r.model.vocabulary[i] for i in r.ids(data)] for r in readers])

    _, _, ended = write_until(draft, lambda _: boundary() is not None, max_tokens)
    at = boundary()
    if at is not None:
        return Segment(draft.data[start : start + at], ended=False)
    return Segment(draft.data[start:], ended, whole=ended)
