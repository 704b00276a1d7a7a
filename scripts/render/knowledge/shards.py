"""The words of all papers as one sorted list, cut into files of some tens of KB: the index of both searches.

A browser fetches the one or two files that hold the words which begin as the reader types (assets/finder.js reads
them), so that the cost of a search hangs on the words that are asked and not on the number of papers. Pagefind, the
well-kept tool of this kind, was weighed: it reads built pages, stems their words before it stores them and ranks by
its own measure, so that whole numbers, folded accents, the papers' facets, the glossary's synonyms, and names before
titles before summaries would all have to be won back around it, from a WebAssembly module that the pages' policy
forbids. What is left of it, sorted words in pieces, is this file.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

#: Characters of a piece of the list of words. A word that many papers have is alone in a larger piece.
PIECE = 32_000
#: What of a paper holds a word: bits of a posting, as assets/finder.js knows them.
FIELDS = {"name": 1, "title": 2, "authors": 4, "summary": 8, "other": 16}
#: The bit of a word that is the paper's whole name, written without gaps.
WHOLE = 32
#: A posting of a title's word tells its place there from 0 to this one.
LAST_PLACE = 60
# Words that nearly every paper has: they would cost a third of the index and say nothing. As in assets/finder.js.
STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by for from has in into is it its of on or than that the their this to which with",
    )
)
# Letters that have a plain form, but no accent that Unicode could take off. As in assets/words.js.
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)
_HAN = re.compile("([\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]+)")
_HYPHEN = re.compile("([-\u2010\u2011])")
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def fold(word: str) -> str:
    """Small letters without accents, as `fold` of assets/words.js."""
    if word.isascii():
        return word.lower()
    plain = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.category(c).startswith("M"))
    return plain.lower().translate(_PLAIN)


class _Spaced(dict[int, int]):
    """For `str.translate`: a blank in place of each character that stands between words."""

    def __missing__(self, code: int) -> int:
        parts = code in (10, 13) or unicodedata.category(chr(code))[0] in "ZP"
        return self.setdefault(code, 32 if parts else code)


_SPACED = _Spaced()


def cut(text: str) -> list[str]:
    """The folded words of a text, in order, as `cutWords` of assets/words.js."""
    pieces = text.translate(_SPACED).split(" ")
    return [word for piece in pieces if _says(piece) for word in _pairs(fold(piece))]


def _says(piece: str) -> bool:
    """Whether there is a letter or a number in it."""
    return piece.isalnum() or any(unicodedata.category(c)[0] in "LN" for c in piece)


def _pairs(word: str) -> list[str]:
    """Chinese has no blanks between words: each two neighbouring signs count as one."""
    if word.isascii() or not _HAN.search(word):
        return [word]
    found: list[str] = []
    for place, part in enumerate(_HAN.split(word)):
        if place % 2 and len(part) > 2:
            found += [part[at : at + 2] for at in range(len(part) - 1)]
        elif part:
            found.append(part)
    return found


def joined(text: str) -> set[str]:
    """Pairs that a hyphen holds together, as one word, so that "multiagent" finds "multi-agent"."""
    pieces = _HYPHEN.split(text)
    pairs = zip(pieces[::2], pieces[2::2], strict=False)
    return {fold(one) + fold(two) for before, after in pairs if (one := _last(before)) and (two := _first(after))}


def _last(text: str) -> str:
    found = re.search(r"[^\W_]+\Z", text)
    return found[0] if found else ""


def _first(text: str) -> str:
    found = re.match(r"[^\W_]+", text)
    return found[0] if found else ""


def postings(fields: Mapping[str, str]) -> dict[str, list[int]]:
    """The words of one paper with the codes of their postings: the bits of the fields that hold a word, and in steps
    of 64 one more than its place in the title. A word that stands there twice has two.

    >>> sorted(postings({"name": "CoLLM", "title": "Co-LLM: a model"}).items())
    [('co', [67]), ('collm', [35]), ('llm', [131]), ('model', [258])]
    """
    bits: dict[str, int] = {}
    words = {field: cut(text) for field, text in fields.items()}
    for field, text in fields.items():
        for word in {*words[field], *joined(text)}:
            bits[word] = bits.get(word, 0) | FIELDS[field]
    if name := fields.get("name"):
        # "FrugalGPT" is looked for as "Frugal GPT", too
        parted = (f"{a} " if a.islower() and b.isupper() else a for a, b in zip(name, f"{name[1:]} ", strict=True))
        for word in cut("".join(parted)):
            bits[word] = bits.get(word, 0) | FIELDS["name"]
        whole = "".join(words["name"])
        bits[whole] = bits.get(whole, 0) | FIELDS["name"] | WHOLE
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words.get("title", [])[: LAST_PLACE + 1]):
        places.setdefault(word, []).append(place)
    return {
        word: [mask + 64 * (place + 1) for place in places[word]] if word in places else [mask]
        for word, mask in bits.items()
        if word not in STOPWORDS
    }


def pieces(papers: Iterable[Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """The index of papers, given by their fields: the first word of each piece, and the pieces as JSON objects
    {word: [gap, code, gap, code, ...]}, a gap being a paper's number less the one before it."""
    index: dict[str, list[int]] = {}
    last: dict[str, int] = {}
    for number, fields in enumerate(papers):
        for word, codes in postings(fields).items():
            for code in codes:
                index.setdefault(word, []).extend((number - last.get(word, 0), code))
                last[word] = number
    starts: list[str] = []
    made: list[list[str]] = []
    size = PIECE
    for word in sorted(index, key=_utf16):
        entry = f"{_JSON.encode(word)}:{_numbers(index[word])}"
        if size + len(entry) > PIECE:
            starts.append(word)
            made.append([])
            size = 0
        made[-1].append(entry)
        size += len(entry)
    return starts, ["{" + ",".join(entries) + "}" for entries in made]


def _utf16(word: str) -> bytes:
    """Browsers compare strings by their UTF-16 units."""
    return word.encode("utf-16-be", "surrogatepass")


def _numbers(values: Sequence[int]) -> str:
    return _JSON.encode(values)
