"""Text that several models read at once: sessions kept on the same text although their tokens differ."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from reference_impls.core.learn import log_softmax, softmax
from reference_impls.core.model import Floats, Logits, TokenModel


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
        self._tail = 0  # number of tokens before the last blank or line break: those never change again
        self._tail_bytes = 0
        self._ids = token_ids(tuple(model.vocabulary))

    @property
    def text(self) -> str:
        """The response so far; bytes that are no UTF-8 (yet) become U+FFFD."""
        return self.data.decode("utf-8", "replace")

    def next_logits(self) -> Logits:
        """Logits [vocabulary] of the model's next token."""
        return self.session.next_logits()

    def probabilities(self) -> Floats:
        """Probabilities [vocabulary] of the model's next token."""
        return softmax(self.session.next_logits())

    def ids(self, data: bytes) -> list[int]:
        """Token ids of bytes: the model's own tokenisation if they are text, else bytes one by one where it
        has them.
        """
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

    def score(self, piece: bytes) -> Floats:
        """Log-probabilities of the tokens of bytes that would follow; the session stays as it is. One forward
        pass.
        """
        return self.session.score(self.ids(piece))

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
    """Lets one model continue a text (in its own session) until `done(what it wrote)` holds.

    Returns:
        what it wrote, the log-probability of each token (the end token's included), and whether it ended the
        response.
    """
    start = len(text.data)
    logprobs: list[float] = []
    for _ in range(max_tokens):
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
