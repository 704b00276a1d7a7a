"""LaTeX as it stands in .bib files, read as plain text: accents, symbols, simple mathematics, formatting.

No command takes its words with it: one that is not known here leaves its argument, or its own name where it has none,
and `read` says so.
"""

from __future__ import annotations

import html
import logging
import re
import sys
import unicodedata
from functools import cache, lru_cache
from typing import Any

from pylatexenc import latex2text, latexwalker, macrospec  # type: ignore[import-untyped]

from scripts.imports.braces import closing

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
    "b": "\u0331", "h": "\u0309", "textcommabelow": "\u0326", "textogonekcentered": "\u0328",
}  # fmt: skip
_LETTERS = {
    "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ss": "ß", "SS": "ẞ", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ",
    "aa": "å", "AA": "Å", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ",
    "ng": "ŋ", "NG": "Ŋ", "ohorn": "ơ", "OHORN": "Ơ", "uhorn": "ư", "UHORN": "Ư",
    "TeX": "TeX", "LaTeX": "LaTeX", "LaTeXe": "LaTeX2e", "BibTeX": "BibTeX", "XeTeX": "XeTeX", "XeLaTeX": "XeLaTeX",
    "LuaTeX": "LuaTeX", "LuaLaTeX": "LuaLaTeX", "pdfTeX": "pdfTeX", "pdfLaTeX": "pdfLaTeX", "ConTeXt": "ConTeXt",
    "pounds": "£", "S": "§", "P": "¶", "eTeX": "eTeX", "AmS": "AMS", "MF": "METAFONT", "MP": "MetaPost",
}  # fmt: skip
# an accent, then its letter: bare, in braces, or a dotless \i or \j
_ACCENT = re.compile(
    r"""\\(?:(["'`^~=.])\s*|([uvHckrdbh]|textcommabelow|textogonekcentered)(?:\s+|(?=[{\\])))"""
    r"(?:\{\s*(\\[ij]|[^\W\d_])\s*\}|(\\[ij](?![A-Za-z])|[^\W\d_]))"
)
_LETTER = re.compile(r"\\(" + "|".join(sorted(_LETTERS, key=len, reverse=True)) + r")(?:\{\}|\s+|(?![A-Za-z]))")
_DOTLESS = {"i", "j"}


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", text))


# only the look of the argument, which stays
_LOOK = _words(
    """
    bm boldsymbol emph enquote ensuremath hbox lowercase MakeLowercase MakeUppercase mathbf mathit mathnormal
    mathop mathrm mathsf mathtt mbox NoCaseChange operatorname pmb text textbf textit textmd textnormal textrm
    textsc textsf textsl textsubscript texttt textup uline underline uppercase t
    """
)
# letters of their own for a single letter; a word in them is a word
_ALPHABETS = frozenset(["mathbb", "mathcal", "mathfrak", "mathscr"])
# switches, spaces and sizes: no words of the text
_SILENT = _words(
    """
    allowbreak bf bfseries big Big bigg Bigg Biggl biggl Biggr biggr bigl Bigl bigr Bigr break centering
    displaystyle em footnotesize hfil hfill huge Huge it itshape large Large LARGE left limits linebreak
    mdseries newline nobreak noindent nolimits nolinebreak nonumber normalfont normalsize par protect relax
    right rm rmfamily sc scriptsize scriptstyle scshape sf sffamily sl slshape small textstyle tiny tt ttfamily
    upshape xspace
    """
)
# their argument is no word of the text, either
_ASIDE = _words(
    """
    autoref cite Citealp citealp Citealt citealt Citeauthor citeauthor Citep citep Citet citet citeyear
    citeyearpar Cref cref eqref footnote footnotemark hphantom hspace index label nocite phantom ref thanks
    vphantom vspace
    """
)
_ONE_LETTER = re.compile(r"\{\s*[A-Za-z]\s*\}|[A-Za-z](?![A-Za-z])")
_COMMAND = re.compile(r"\\([A-Za-z@]+)\*?(\s*)(?=([{\[])?)")
_SPACE = re.compile(r"\\(kern|hskip|raise|lower|looseness)\s*=?\s*-?[\d.]+\s*(em|ex|pt|mu|sp)?\s*")
_SUPERSCRIPT = re.compile(r"\\textsuperscript\s*(?=\{\s*([^\d\s+-])?)")
_NOTHING = re.compile(r"\\[-@]|\\foreignlanguage\s*\{\w*\}|\\(?:selectlanguage|color)\s*\{\w*\}")
_VERBATIM = re.compile(r"\\verb\*?([^\sA-Za-z*])(.*?)\1")
_UNICODE = re.compile(r"\\unicode\s*\{\s*(\d{1,7})\s*\}")  # DBLP writes signs so that LaTeX lacks
_FUNCTION = re.compile(
    r"(?<=\w)\\(?=(?:log|ln|exp|max|min|sup|inf|lim|arg|sin|cos|tan|tanh|mod|det|dim)(?![A-Za-z]))"
)
_ESCAPES = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_TAG = re.compile(
    r"</?(i|b|em|strong|sub|sup|tt|u|scp|sc|italic|bold|inf|span|inline-formula|tex-math|(mml:)?m[a-z]+)(\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"\\?&(?:[A-Za-z]+|#\d+|#[xX][0-9A-Fa-f]+);")


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
    macros += [latex2text.MacroTextSpec(name, discard=True) for name in _ASIDE]
    macros += [latex2text.MacroTextSpec(name, simplify_repl=_last_argument) for name in ("href", "url")]
    context.add_context_category("atlas", macros=macros, prepend=True)
    converter = latex2text.LatexNodes2Text(
        latex_context=context, math_mode="text", keep_comments=True, strict_latex_spaces="macros"
    )
    parser = latexwalker.get_default_latex_context_db()
    arguments = {"href": "{{", "url": "{", "footnote": "[{", "thanks": "{"}
    arguments |= dict.fromkeys(("Cref", "cref", "autoref", "eqref", "index", "nocite", "phantom"), "{")
    specs = [macrospec.MacroSpec(name, form) for name, form in arguments.items()]
    parser.add_context_category("atlas", macros=specs, prepend=True)
    return converter, parser


def to_text(source: str) -> str:
    """Plain text on one line. Braces only group."""
    return read(source)[0]


@lru_cache(maxsize=8192)  # names come again and again
def read(source: str) -> tuple[str, tuple[str, ...]]:
    """Plain text on one line, and the commands in it that are not known here, each once."""
    unknown: list[str] = []
    if ("&" in source and _ENTITY.search(source)) or "<" in source:
        source = html.unescape(_TAG.sub("", _ENTITY.sub(_character, source)))
    text = _TAG.sub("", _decode(source, unknown))  # some write the tags' signs in LaTeX
    return " ".join(text.replace("\u00a0", " ").split()), tuple(dict.fromkeys(unknown))


def _character(entity: re.Match[str]) -> str:
    """What an entity of HTML stands for, unless LaTeX would take it for a sign of its own."""
    char = html.unescape(entity.group().removeprefix("\\"))
    return f"\\{char}" if char in {"&", "%", "#", "$", "_"} else char


def _decode(source: str, unknown: list[str]) -> str:
    if not _PLAIN.search(source):
        return source.replace("{", "").replace("}", "")
    if _depth(source) > MAX_DEPTH:
        return _stripped(source, unknown)
    source = _LETTER.sub(
        lambda found: found.group() if found.group(1) in _DOTLESS else _LETTERS[found.group(1)], source
    )
    source = _LETTER.sub(lambda found: _LETTERS[found.group(1)], _ACCENT.sub(_accented, source))
    bare = source.replace("\\&", "&")
    if "\\" not in bare and not _LIGATURE.search(bare) and bare.count("$") % 2 == 0:
        # nothing but grouping, and formulas that read as they are written
        return bare.translate(_GROUPING)
    if bare.count("[") > MAX_OPTIONAL:
        if bare.count("[") != bare.count("]"):
            return _stripped(source, unknown)
        source = source.replace("[", "{[}")  # signs of the text
    source = _without_unknown(source, unknown)
    # outside of a document, % begins no comment and & ends no column
    safe = _COLUMN.sub(r"\\&", _COMMENT.sub(r"\\%", source))
    if len(_DOLLAR.findall(safe)) % 2:
        safe = _DOLLAR.sub(r"\\$", safe)  # a price, not a formula
    converter, context = _decoder()
    try:
        text: str = converter.latex_to_text(safe, latex_context=context)
    except (latexwalker.LatexWalkerError, RecursionError, LookupError, ValueError, TypeError, AttributeError):
        return _stripped(source, unknown)  # pylatexenc stumbles over macros that lack their arguments
    return text


def _without_unknown(source: str, unknown: list[str]) -> str:
    """`source` with only those commands that the converter gives back as text."""
    source = _VERBATIM.sub(lambda found: _escaped(found.group(2)), source)
    source = _UNICODE.sub(_numbered, _NOTHING.sub("", _SPACE.sub("", source)))
    source = source.replace(r"\|", "\u2016").replace(r"\~{}", _ESCAPES["~"]).replace(r"\^{}", _ESCAPES["^"])
    source = _SUPERSCRIPT.sub(lambda found: "" if found.group(1) else "^", _FUNCTION.sub(r" \\", source))
    pieces, last = [], 0
    for found in _COMMAND.finditer(source):
        if found.start() < last:
            continue  # inside of an argument that is read already
        name, blank, argument = found.groups()
        pieces.append(source[last : found.start()])
        last = found.end()
        if name in _LOOK:
            continue
        if name in _SILENT:
            pieces.append(" " if blank else "")
        elif name in _ASIDE or name in _safe() or (name in _ALPHABETS and _ONE_LETTER.match(source, last)):
            pieces.append(found.group())
        elif name not in _ALPHABETS:
            unknown.append(name)
            if argument == "{" and not source.startswith("{}", last):
                while source.startswith("{", last):  # each argument is a text of its own
                    end = closing(source, last + 1)
                    pieces += [" ", _without_unknown(source[last + 1 : end], unknown), " " if blank else ""]
                    last = end + 1
            elif argument == "[":
                pieces.append(" ")
            else:  # a word of its own: 'setting\\Dash an'
                apart = " " if found.start() and source[found.start() - 1].isalnum() else ""
                pieces.append(f"{apart}{name}{blank}")
    return "".join([*pieces, source[last:]])


def _escaped(text: str) -> str:
    """What prints as `text`."""
    return re.sub(r"[\\{}$&%#_^~]", lambda found: _ESCAPES.get(found.group(), f"\\{found.group()}"), text)


def _numbered(found: re.Match[str]) -> str:
    """The sign of a number of Unicode; nothing for one that cannot be printed."""
    number = int(found.group(1))
    return chr(number) if number <= sys.maxunicode and chr(number).isprintable() else ""


@cache
def _safe() -> frozenset[str]:
    """The commands that the converter has a text for."""
    context = latex2text.get_default_latex_context_db()
    names = {spec.macroname for category in context.categories() for spec in context.iter_macro_specs([category])}
    # of these it makes nothing, or a placeholder
    made_up = {"author", "date", "fcolorbox", "includegraphics", "maketitle", "section", "title"}
    return frozenset((names | set(_CHARACTERS) | {"begin", "end", "href", "url", "verb"}) - made_up - _ALPHABETS)


def _stripped(source: str, unknown: list[str]) -> str:
    """Without commands and braces: better a bare word than no entry."""
    unknown += [found.group(1) for found in _COMMAND.finditer(source)]
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


# --- addresses ------------------------------------------------------------------------------------------------------

_LINK = re.compile(r"\\(?:url|nolinkurl|path|burl|href|texttt|tt|doi)\b\s*")
_TILDE = re.compile(
    r"\\string\s*~|\\~\s*(?:\{\s*\})?|\\textasciitilde(?:\{\}|\b)\s*|\\texttildelow(?:\{\}|\b)\s*|\$\\sim\$"
)
_SIGNS = {
    r"\textless": "<", r"\textgreater": ">", r"\textunderscore": "_", r"\textbar": "|", r"\slash": "/", r"\lt": "<",
    r"\gt": ">", r"\textbackslash": "\\", r"\allowbreak": "", r"\linebreak": "", r"\relax": "", r"\textendash": "-",
}  # fmt: skip
_SIGN = re.compile(
    "(" + "|".join(map(re.escape, sorted(_SIGNS, key=len, reverse=True))) + r")(?:\{\}|(?![A-Za-z])\s*)"
)


@lru_cache(maxsize=1024)
def address(source: str) -> str:
    """A text of identifiers and addresses as they are meant: without \\url, braces and LaTeX's ways to write their
    signs. A backslash that stays was not understood."""
    if not re.search(r"[\\{}$~&]", source):
        return " ".join(source.split())
    text = _TILDE.sub("~", html.unescape(source))
    text = _SIGN.sub(lambda found: _SIGNS[found.group(1)], _LINK.sub(" ", text))
    text = re.sub(r"\$\s*([<>_~])\s*\$", r"\1", text)
    text = re.sub(r"\\([&%$#_{}/ -])", lambda found: found.group(1) if found.group(1) not in "-/ " else "", text)
    text = re.sub(r"[{}]", "", re.sub(r"\}\s*\{", " ", text))
    # a blank; in an address, it stands before the name of somebody's pages
    return " ".join(re.sub(r"(?<![/\w-])~|~(?=\s|\Z)", " ", text).split())
