"""CharED, character-wise ensemble decoding: models with different vocabularies average their distributions of the
next byte.

With u_m the bytes that model m has not closed into a token yet, p_m its next-token probabilities [V_m] at its last
token end and b a byte,

    P_m(b) = sum of p_m(t) over tokens t that begin with u_m b / sum of p_m(t) over tokens t longer than u_m
             that begin with u_m,
    J(b) = alpha P_1(b) + (1 - alpha) P_2(b),      next = argmax J,

where the end of text stands beside the 256 bytes (J has 257 entries) and a model can name it at a token end only.
Once the token u_m itself outweighs every continuation, m takes it and is asked again. Tokens that begin with the same
bytes are neighbours in the sorted vocabulary, so a sum over them is a sum over a slice; slices are searched once a
prefix. Calls: one forward pass a model and token of its own, side by side where both are due.

Differences from the paper
1. Bytes instead of characters: the same for ASCII text, and no token ends within a byte.
2. The paper has the null string (the end of a token) among the characters. Here each model settles its own token
   ends, as with a byte-level model every byte ends a token and null would cut the other's tokens short.
3. A model whose tokens do not fit the chosen byte reads what is open in its own tokenisation and is asked again.
4. Decoding is greedy, also where the paper samples; the end of text competes with single bytes.
5. More than two models may be fused: the first has alpha, the others share the rest evenly.
6. alpha is 0.5, the plain mean; the values that the paper takes for its tasks were not checked.
7. Where all models are at a token end and would write the same token next, or all the end, that is written: so one
   model, or copies of it, write what the model alone writes. Byte by byte another token may be written, as tokens
   with one first byte add up.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Floats, Joint, Query, TextSession, TokenModel, method, softmax, token_bytes

#: The symbol after the 256 bytes: at a token end it is the end of text, within a token the end of that token.
END = 256


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: alpha, the weight of the first (dearest) model, between 0 and 1.
    alpha: float = 0.5
    #: How many models, from the dearest down; the paper fuses two.
    models: int = 2


@dataclass(frozen=True)
class Slice:
    """The tokens that begin with some bytes, as a slice of the sorted vocabulary, grouped by the symbol that follows.

    Attributes:
        low, high: the slice.
        symbols: the symbol that follows, [groups], END first if one of the tokens is the bytes themselves.
        starts: where each group begins within the slice, [groups].
    """

    low: int
    high: int
    symbols: NDArray[np.int64]
    starts: NDArray[np.int64]

    def masses(self, p: Floats) -> Floats:
        """Probability of every group, [groups], from those of the sorted tokens."""
        return np.add.reduceat(p[self.low : self.high], self.starts)


def find(tokens: Sequence[bytes], prefix: bytes) -> Slice:
    """The slice of the sorted tokens that begin with the prefix.

    >>> find([b"", b"a", b"ab", b"abc", b"b"], b"a")
    Slice(low=1, high=4, symbols=array([256,  98]), starts=array([0, 1]))
    """
    size = len(prefix)
    low = bisect_left(tokens, prefix)
    high = bisect_right(tokens, prefix, key=lambda token: token[:size])
    following = np.array([t[size] if len(t) > size else END for t in tokens[low:high]], np.int64)
    starts = np.flatnonzero(np.diff(following, prepend=-1))
    return Slice(low, high, following[starts], starts)


class Lexicon:
    """A model's sorted tokens (the end token, which has no bytes, first) and the slices found so far."""

    def __init__(self, model: TokenModel) -> None:
        listed = token_bytes(tuple(model.vocabulary))
        self.ids = np.array([model.end_token, *(i for _, i in listed)])
        self.tokens = [b"", *(token for token, _ in listed)]
        self.slices: dict[bytes, Slice] = {}

    def slice(self, prefix: bytes) -> Slice:
        """`find`, kept: the same few prefixes come again and again."""
        if prefix not in self.slices:
            self.slices[prefix] = find(self.tokens, prefix)
        return self.slices[prefix]


class Reader:
    """One model's place in the text: what it has read as tokens, and the open bytes after that."""

    def __init__(self, text: TextSession, weight: float, lexicon: Lexicon) -> None:
        self.text, self.weight, self.lexicon = text, weight, lexicon
        self.open = b""
        self.due = True  # a forward pass is due before the next byte
        self.p = np.zeros(0)
        self.own = lexicon.ids[0]  # the token that the model itself would write

    def ask(self) -> None:
        """The model's probabilities [V] in the order of the sorted tokens."""
        logits = self.text.next_logits()
        self.own = int(logits.argmax())
        self.p = softmax(logits)[self.lexicon.ids]
        self.due = False

    def settle(self) -> None:
        """Closes the open bytes into a token where that is likelier than each way to go on."""
        here = self.lexicon.slice(self.open)
        if self.open and here.symbols[0] == END and here.masses(self.p).argmax() == 0:
            self.close(int(self.lexicon.ids[here.low]))

    def close(self, token: int) -> None:
        """Takes a token of the model's own; the end adds nothing."""
        self.text.append_token(token)
        self.open, self.due = b"", True

    def add_to(self, joint: Floats) -> None:
        """Adds the weighted distribution of the next symbol to [257]."""
        here = self.lexicon.slice(self.open)
        masses = here.masses(self.p)
        if self.open and here.symbols[0] == END:
            masses[0] = 0.0
        joint[here.symbols] += self.weight / (masses.sum() or 1.0) * masses

    def follow(self, byte: bytes) -> None:
        """Goes on by the chosen byte."""
        longer = self.open + byte
        if len(self.lexicon.slice(longer).symbols):
            self.open = longer
            self.settle()
            return
        # No token fits: the open bytes are read as the model itself would cut them, the new one starts afresh.
        self.text.append(self.open)
        self.open, self.due = byte, True
        if not len(self.lexicon.slice(byte).symbols):
            self.text.append(byte)
            self.open = b""


@method(
    name="chared", category="during/token-level", family="distribution-averaging",
    papers=["gu2024chared"], needs=("distributions",),
)  # fmt: skip
class CharED(Joint):
    """Average of next-byte distributions of models with different vocabularies."""

    Parameters = Parameters

    def weighted(self) -> list[tuple[TokenModel, float]]:
        """The models from the dearest down, and their weights; one of weight zero is not asked at all."""
        chosen = self.members()[: self.parameters.models or None]
        alpha = self.parameters.alpha if len(chosen) > 1 else 1.0
        weights = [alpha, *[(1 - alpha) / max(len(chosen) - 1, 1)] * (len(chosen) - 1)]
        return [(model, weight) for model, weight in zip(chosen, weights, strict=True) if weight > 0]

    def answer(self, query: Query) -> str:
        members = self.weighted()
        if not hasattr(self, "lexicons_"):
            self.lexicons_ = [Lexicon(model) for model, _ in members]
        readers = [
            Reader(TextSession(model, query.prompt), weight, lexicon)
            for (model, weight), lexicon in zip(members, self.lexicons_, strict=True)
        ]
        data, tokens = b"", 0
        while True:
            if any(reader.due for reader in readers):
                tokens += readers[0].due
                if tokens > query.max_tokens or any(reader.due and reader.text.room <= 0 for reader in readers):
                    break
                with self.pool.parallel():
                    for reader in readers:
                        if reader.due:
                            self.catch_up(reader)
            piece = self.agreed(readers)
            if piece is None:
                joint = np.zeros(END + 1)
                for reader in readers:
                    reader.add_to(joint)
                symbol = int(joint.argmax())
                piece = b"" if symbol == END else bytes([symbol])
                for reader in readers if piece else ():
                    reader.follow(piece)
            if not piece:
                break
            data += piece
            if query.stop and any(stop.encode() in data for stop in query.stop):
                break
        return data.decode("utf-8", "replace")

    @staticmethod
    def agreed(readers: Sequence[Reader]) -> bytes | None:
        """The token that all models would write next, taken by all (empty: the end); None if there is none."""
        own: set[bytes] = {reader.text.model.vocabulary[reader.own] for reader in readers}
        if len(own) > 1 or any(reader.open for reader in readers):
            return None
        for reader in readers:
            reader.close(reader.own)
        return own.pop()

    @staticmethod
    def catch_up(reader: Reader) -> None:
        """Asks the model until it is at a place where it names a next symbol."""
        while reader.due:
            reader.ask()
            reader.settle()
