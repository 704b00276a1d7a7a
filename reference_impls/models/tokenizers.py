"""Byte-level tokenizers: plain bytes, and byte-pair encodings in two styles.

Token 0 of every vocabulary is the end of text; models also see it as the first token.
"""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from reference_impls.safe.writing import write_text

END = 0
_SPLITTERS = {
    "bytes": r".",
    # Words with the blank before them; every digit alone (as GPT-2's pattern, in ASCII).
    "leading": r" ?[A-Za-z]+|\d| ?[^\sA-Za-z\d]+|\n {4}|\s",
    # Words with the blank after them; every digit and every mark alone.
    "trailing": r"[A-Za-z]+ ?|\d|\n {4}|[^A-Za-z\d]",
}


class Tokenizer:
    """Encodes text as the ids of byte strings.

    Args:
        style: ``bytes``, ``leading`` or ``trailing``: how text is cut before pairs are merged.
        merges: pairs of byte strings to merge, the most frequent first; none for ``bytes``.
    """

    def __init__(self, style: str, merges: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.style = style
        self._pattern = re.compile(_SPLITTERS[style], re.DOTALL)
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.vocabulary: list[bytes] = [b"", *(bytes([b]) for b in range(256))]
        self.vocabulary += [a + b for a, b in self._ranks]
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        self._piece = lru_cache(maxsize=50_000)(self._encode_piece)

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        parts = [bytes([b]) for b in piece.encode()]
        while len(parts) > 1:
            pairs = [self._ranks.get(pair, len(self._ranks)) for pair in itertools.pairwise(parts)]
            best = min(pairs)
            if best == len(self._ranks):
                break
            at = pairs.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return tuple(self._ids[part] for part in parts)

    def encode(self, text: str) -> list[int]:
        """Token ids of the text; any Unicode text has some."""
        return [i for piece in self._pattern.findall(text) for i in self._piece(piece)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(self.vocabulary[i] for i in ids).decode("utf-8", "replace")

    def save(self, path: Path) -> None:
        merges = [[a.decode("latin-1"), b.decode("latin-1")] for a, b in self._ranks]
        write_text(path, json.dumps({"style": self.style, "merges": merges}, indent=0))

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        return cls.parse(path.read_bytes())

    @classmethod
    def parse(cls, content: bytes) -> "Tokenizer":
        """A tokenizer from the content of the file that `save` wrote."""
        data = json.loads(content)
        return cls(data["style"], [(a.encode("latin-1"), b.encode("latin-1")) for a, b in data["merges"]])


def train_bpe(texts: Iterable[str], style: str, size: int) -> Tokenizer:
    """A byte-pair encoding of `size` tokens (with the end and the 256 bytes) learned from texts (Sennrich et
    al. 2016).
    """
    pattern = re.compile(_SPLITTERS[style], re.DOTALL)
    counts = Counter(piece for text in texts for piece in pattern.findall(text))
    pieces = [([bytes([b]) for b in piece.encode()], n) for piece, n in sorted(counts.items())]
    merges: list[tuple[bytes, bytes]] = []
    known: set[bytes] = set()
    while len(merges) < size - 257:
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for parts, n in pieces:
            for pair in itertools.pairwise(parts):
                pairs[pair] += n
        # Two merges may spell the same token; it may stand in the vocabulary only once.
        fresh = {pair: n for pair, n in pairs.items() if pair[0] + pair[1] not in known}
        if not fresh:
            break
        best = min(fresh, key=lambda pair: (-fresh[pair], pair))
        merges.append(best)
        known.add(best[0] + best[1])
        for parts, _ in pieces:
            i = 0
            while i < len(parts) - 1:
                if (parts[i], parts[i + 1]) == best:
                    parts[i : i + 2] = [parts[i] + parts[i + 1]]
                i += 1
    return Tokenizer(style, merges)
