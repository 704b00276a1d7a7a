"""LaTeX as it stands in .bib files, read as plain text: accents, symbols, simple mathematics, formatting."""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from pylatexenc import latex2text, latexwalker, macrospec  # type: ignore[import-untyped]

MAX_DEPTH = 40  # braces inside each other; no field of a real file needs ten
# pylatexenc reads an optional argument that is never closed twice, and so 2**n times those inside of each other
MAX_OPTIONAL = 6

# it reports odd macros through logging, which prints on stderr where nobody listens
logging.getLogger("pylatexenc").setLevel(logging.CRITICAL + 1)

_LIGATURE = re.compile(r"--|``|''|[?!]`")
_PLAIN = re.compile(r"[\\$~]|" + _LIGATURE.pattern)
_COMMENT = re.compile(r"(?<!\\)%")
_COLUMN = re.compile(r"(?<!\\)&")
_DOLLAR = re.compile(r"(?<!\\)\$")
# what pylatexenc reads otherwise than a title means it
_CHARACTERS = {
    "textasciicircum": "^",
    "textasciitilde": "~",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textquotesingle": "'",
    "textquotedbl": '"',
    "textunderscore": "_",
    "textbraceleft": "{",
    "textbraceright": "}",
    "slash": "/",
    "today": "",
    "item": "",
    "input": "",
    "include": "",
}


# Accents are nearly all of the LaTeX in real files, and a table is fifty times as fast as a parser.
_MARKS = {
    '"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331",
}  # fmt: skip
_LETTERS = {
    "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å",
    "AA": "Å", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ",
}  # fmt: skip
# an accent, then its letter: bare, in braces, or a dotless \i or \j
_ACCENT = re.compile(
    r"""\\(?:(["'`^~=.])\s*|([uvHckrdb])(?:\s+|(?=[{\\])))"""
    r"(?:\{\s*(\\[ij]|[A-Za-z])\s*\}|(\\[ij](?![A-Za-z])|[A-Za-z]))"
)
_LETTER = re.compile(r"\\(" + "|".join(sorted(_LETTERS, key=len, reverse=True)) + r")(?:\{\}|\s+|(?![A-Za-z]))")


def _last_argument(node: Any, l2tobj: Any) -> str:
    """pylatexenc hands the converter over under this name."""
    text: str = l2tobj.nodelist_to_text(node.nodeargs[-1:])
    return text


_GROUPING = str.maketrans({"{": "", "}": "", "$": "", "~": " "})


def _accented(found: re.Match[str]) -> str:
    letter = (found.group(3) or found.group(4)).removeprefix("\\")
    return unicodedata.normalize("NFC", letter + _MARKS[found.group(1) or found.group(2)])


@cache
def _decoder() -> tuple[latex2text.LatexNodes2Text, object]:
    """The converter, and the context of its parser (made once: it is slow to make)."""
    context = latex2text.get_default_latex_context_db()
    macros = [latex2text.MacroTextSpec(name, simplify_repl=char) for name, char in _CHARACTERS.items()]
    # an address is its own text; a footnote is none
    macros += [
        latex2text.MacroTextSpec(name, discard=True) for name in ("footnote", "thanks", "cite", "label", "ref")
    ]
    macros += [latex2text.MacroTextSpec(name, simplify_repl=_last_argument) for name in ("href", "url")]
    context.add_context_category("atlas", macros=macros, prepend=True)
    converter = latex2text.LatexNodes2Text(
        latex_context=context, math_mode="text", keep_comments=True, strict_latex_spaces="macros"
    )
    parser = latexwalker.get_default_latex_context_db()
    arguments = {"href": "{{", "url": "{", "footnote": "[{", "thanks": "{"}
    specs = [macrospec.MacroSpec(name, form) for name, form in arguments.items()]
    parser.add_context_category("atlas", macros=specs, prepend=True)
    return converter, parser


@lru_cache(maxsize=8192)  # names come again and again
def to_text(source: str) -> str:
    """Plain text on one line. Braces only group; what the parser cannot follow loses its commands."""
    return " ".join(_decode(source).replace("\u00a0", " ").split())


def _decode(source: str) -> str:
    if not _PLAIN.search(source):
        return source.replace("{", "").replace("}", "")
    if _depth(source) > MAX_DEPTH:
        return _stripped(source)
    source = _LETTER.sub(lambda found: _LETTERS[found.group(1)], _ACCENT.sub(_accented, source))
    bare = source.replace("\\&", "&")
    if "\\" not in bare and not _LIGATURE.search(bare) and bare.count("$") % 2 == 0:
        # nothing but grouping, and formulas that read as they are written
        return bare.translate(_GROUPING)
    if bare.count("[") > MAX_OPTIONAL:
        return _stripped(source)
    # outside of a document, % begins no comment and & ends no column
    safe = _COLUMN.sub(r"\\&", _COMMENT.sub(r"\\%", source))
    if len(_DOLLAR.findall(safe)) % 2:
        safe = _DOLLAR.sub(r"\\$", safe)  # a price, not a formula
    converter, context = _decoder()
    try:
        text: str = converter.latex_to_text(safe, latex_context=context)
    except (latexwalker.LatexWalkerError, RecursionError, LookupError, ValueError, TypeError, AttributeError):
        return _stripped(source)  # pylatexenc stumbles over macros that lack their arguments
    return text


def _stripped(source: str) -> str:
    """Without commands and braces: better a bare word than no entry."""
    return re.sub(r"[{}$~]", " ", re.sub(r"\\([A-Za-z]+|.)", " ", source))


def _depth(source: str) -> int:
    deepest = depth = 0
    for char in source:
        if char == "{":
            depth += 1
            deepest = max(deepest, depth)
        elif char == "}":
            depth -= 1
    # commands take the next token as their argument, environments nest without braces
    return deepest + source.count("\\begin")
