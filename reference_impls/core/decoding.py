"""Text that several models read at once: sessions kept on the same text although their tokens differ."""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.learn import log_softmax, softmax
from reference_impls.core.model import Floats, Logits, TokenModel

#: Logit of a token that is never written: it has no probability, and stays finite where logits are averaged.
NEVER = -1e4
_WITHIN_A_WORD = re.compile(rb"(?<=[A-Za-z0-9\x80-\xff])(?=[A-Za-z0-9\x80-\xff])")


@lru_cache(maxsize=64)
def token_ids(vocabulary: tuple[bytes, ...]) -> dict[bytes, int]:
    """Token id by bytes; tokens that have none (the end, special tokens) are left out, and of twins all but one."""
    return {token: i for i, token in enumerate(vocabulary) if token}


@lru_cache(maxsize=64)
def token_bytes(vocabulary: tuple[bytes, ...]) -> tuple[tuple[bytes, int], ...]:
    """(bytes, id) of `token_ids`, sorted, for search by prefix."""
    return tuple(sorted(token_ids(vocabulary).items()))


@lru_cache(maxsize=64)
def unwritten(vocabulary: tuple[bytes, ...], end_token: int) -> NDArray[np.int64]:
    """Ids of the tokens that no method writes: special tokens other than the end, and all but one of those of one
    spelling (a tokenizer makes the one only)."""
    written = {end_token, *token_ids(vocabulary).values()}
    return np.array([i for i in range(len(vocabulary)) if i not in written], np.int64)


@lru_cache(maxsize=64)
def blank_side(vocabulary: tuple[bytes, ...]) -> int:
    """Where a vocabulary has the blank between two words: 1 before the second, -1 behind the first, else 0.

    >>> blank_side((b"", b" owl", b"a ", b" ran")), blank_side((b"", b"owl ", b" "))
    (1, -1)
    """
    before = sum(token[:1] == b" " and token[1:].isalpha() for token in vocabulary)
    behind = sum(token[-1:] == b" " and token[:-1].isalpha() for token in vocabulary)
    return (before > behind) - (before < behind)


def leading(values: Floats, own: Collection[int]) -> int:
    """Place of the largest value; of equal ones the first that is some model's own choice, so that copies of a model
    choose what the model alone would.

    >>> leading(np.array([0.1, 0.4, 0.4, 0.4]), [3, 2]), leading(np.array([0.1, 0.4, 0.4]), [0])
    (2, 1)
    """
    places = np.flatnonzero(values == values.max()).tolist()
    return int(min(places, key=lambda i: (i not in own, i)))


class TextSession:
    """One model's session on a response that grows by bytes, whoever chose them.

    Appended bytes are re-tokenised together with the word they continue, so that the model sees its own
    tokenisation of the text; what of the cache still fits is kept. A piece that the model itself would have written
    next is not re-tokenised (`take`): so one model, and copies of one, write what the model alone writes.

    Attributes:
        model: the model.
        session: its session (advanced by `append`).
        data: the response so far.
    """

    def __init__(self, model: TokenModel, prompt: str) -> None:
        self.model = model
        self.session = model.start(prompt)
        self.data = b""
        # One token begins every text, where the session does not tell.
        read = getattr(self.session, "prompt_length", 0) or 1 + len(model.encode(prompt))
        self._space = model.context - read if model.context else math.inf
        self._tail = 0  # number of tokens before the last blank or line break: those never change again
        self._tail_bytes = 0
        self._first: int | None = None  # the model's own next token, once it was asked
        vocabulary = tuple(model.vocabulary)
        self._ids = token_ids(vocabulary)
        self._never = unwritten(vocabulary, model.end_token)

    @property
    def text(self) -> str:
        """The response so far; bytes that are no UTF-8 (yet) become U+FFFD."""
        return self.data.decode("utf-8", "replace")

    @property
    def room(self) -> float:
        """How many more tokens the model's context takes; inf where it is not known, 0 or less if it is full."""
        return self._space - len(self.session.tokens)

    def next_logits(self) -> Logits:
        """Logits [vocabulary] of the model's next token; those of tokens that are never written are `NEVER`."""
        logits = self.session.next_logits()
        if len(self._never):
            logits = np.array(logits)
            logits[self._never] = NEVER
        self._first = int(logits.argmax())
        return logits

    def probabilities(self) -> Floats:
        """Probabilities [vocabulary] of the model's next token."""
        return softmax(self.next_logits())

    def ids(self, data: bytes) -> list[int]:
        """Token ids of bytes: the model's own tokenisation of what is text, single bytes (where it has them) of what
        is none, as of a character that is not whole yet.
        """
        ids: list[int] = []
        while data:
            try:
                return ids + self.model.encode(data.decode())
            except UnicodeDecodeError as error:
                ids += self.model.encode(data[: error.start].decode()) if error.start else []
                broken = (bytes([b]) for b in data[error.start : error.end])
                ids += [self._ids[b] for b in broken if b in self._ids]
                data = data[error.end :]
        return ids

    def append(self, piece: bytes) -> None:
        """Adds bytes to the response."""
        self.data += piece
        fresh = self.ids(self.data[self._tail_bytes :])
        self._read(self._tail, fresh)
        # Where the tokens do not spell the text (unknown characters), nothing tells their places in it.
        if b"".join(self.model.vocabulary[i] for i in fresh) == self.data[self._tail_bytes :]:
            self._settle(fresh)

    def take(self, piece: bytes) -> None:
        """Adds bytes that were chosen after this model, or others, had been asked: as one token if it is the one that
        the model itself would have written next, else as `append` does."""
        if self._first is None or self.model.vocabulary[self._first] != piece:
            self.append(piece)
            return
        self.session.append(self._first)
        if piece[:1] in (b" ", b"\n"):
            self._tail, self._tail_bytes = len(self.session.tokens) - 1, len(self.data)
        self.data += piece
        self._first = None

    def follow(self, other: "TextSession") -> None:
        """Adds what another model's text has more: in its tokens where both have one vocabulary, else its bytes."""
        if self.model.vocabulary != other.model.vocabulary:
            self.append(other.data[len(self.data) :])
            return
        self._read(0, other.session.tokens)
        self.data = other.data
        self._tail, self._tail_bytes = other._tail, other._tail_bytes

    @staticmethod
    def advance(texts: Sequence["TextSession"], drafts: Mapping[int, "TextSession"]) -> list["TextSession"]:
        """The models' texts with words at their ends that some models (by their places) have drafted: an author goes
        on from its draft, the others read what the first author wrote.
        """
        first = next(iter(drafts.values()))
        for place, text in enumerate(texts):
            if place not in drafts:
                text.follow(first)
        return [drafts.get(place, text) for place, text in enumerate(texts)]

    def _read(self, start: int, wanted: Sequence[int]) -> None:
        """Makes the tokens from a place on the wanted ones; what is there already is kept."""
        held = self.session.tokens[start:]
        same = 0
        while same < min(len(wanted), len(held)) and wanted[same] == held[same]:
            same += 1
        if same < len(held):
            self.session.rollback(len(held) - same)
        self.session.append(*wanted[same:])
        self._first = None

    def append_token(self, token: int) -> None:
        """Adds one token of the model's own choice without re-tokenising what stands before it."""
        self.session.append(token)
        self.data += self.model.vocabulary[token]
        self._tail, self._tail_bytes = len(self.session.tokens), len(self.data)
        self._first = None

    def cut(self, size: int) -> None:
        """Takes the last tokens back, those after so many bytes, which must be a place between two tokens."""
        count, left = 0, len(self.data)
        while left > size:
            count += 1
            left -= len(self.model.vocabulary[self.session.tokens[-count]])
        self.session.rollback(count)
        self.data = self.data[:size]
        self._tail, self._tail_bytes, self._first = len(self.session.tokens), size, None

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
        draft: the author's text with them at its end.
    """

    data: bytes
    ended: bool
    whole: bool = True
    draft: TextSession | None = field(default=None, compare=False, repr=False)

    def drafts(self, written: Sequence["Segment"]) -> dict[int, TextSession]:
        """The drafts of all models that have written this segment, by their places among all."""
        return {i: other.draft for i, other in enumerate(written) if other == self and other.draft is not None}


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
    if text.room > 0:
        text.next_logits()  # read once here: the draft starts from the cache
    draft, start, before = text.fork(), len(text.data), len(text.session.tokens)

    def written() -> list[bytes]:
        """The author's own tokens, which need not be those that its tokenizer makes of the text."""
        return [text.model.vocabulary[i] for i in draft.session.tokens[before:]]

    def boundary() -> int | None:
        data = draft.data[start:]
        if len(data.split()) < words:
            return None
        read = [[r.model.vocabulary[i] for i in r.ids(data)] for r in readers if r.model is not text.model]
        # A reader whose tokens cannot spell the words has no places in them either.
        return common_boundary(data, words, [written(), *(r for r in read if b"".join(r) == data)])

    _, _, ended = write_until(draft, lambda _: boundary() is not None, max_tokens)
    at = boundary()
    if at is None:
        return Segment(draft.data[start:], ended, whole=ended, draft=draft)
    draft.cut(start + at)
    return Segment(draft.data[start:], ended=False, draft=draft)
