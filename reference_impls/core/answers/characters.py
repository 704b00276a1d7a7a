"""Characters that mean the same, written the same: digits of all scripts, signs, blanks, LaTeX around plain text."""

import re
import unicodedata

#: Stands for a narrow blank, which separates thousands and nothing else.
THIN = "\u00a0"

#: The zero of each script whose digits models write; nine digits follow it.
_ZEROS = "٠۰०০੦૦୦௦౦೦൦๐໐༠၀០᠐" + "".join(chr(0x1D7CE + 10 * i) for i in range(5))
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-", strict=True))
_FRACTIONS = {
    c: unicodedata.normalize("NFKC", c).replace("\u2044", "/") for c in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
}  # fmt: skip

_SAME = {
    **{chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)},  # full-width forms of ASCII
    **{chr(ord(zero) + i): str(i) for zero in _ZEROS for i in range(10)},
    **dict.fromkeys("\u2212\u2010\u2011\ufe63", "-"),
    **dict.fromkeys("\u2009\u202f\u2007\u2005\u2006", THIN),
    **dict.fromkeys("\u3000\u2002\u2003", " "),
    **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad", ""),
    **dict.fromkeys("\u2018\u2019\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e", '"'),
    "\u066b": ".", "\u066c": ",", "\u2044": "/", "\u2215": "/", "\u2217": "*", "\u22c5": "·", "。": ". ", "、": ", ",
}  # fmt: skip
_TABLE = str.maketrans(_SAME)
_SUPERSCRIPT = re.compile(r"(?<=[\d)}])[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]++")
_FRACTION = re.compile(f"(\\d[ {THIN}]?)?([{''.join(_FRACTIONS)}])")

_LATEX_WORDS = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mbox|operatorname|bf|rm)\s*\{([^{}]*)\}"
)
_LATEX_FRACTION = re.compile(r"(\d\s*)?\\[dtc]?frac\s*(?:\{([^{}\\]*)\}|(\d))\s*(?:\{([^{}\\]*)\}|(\d))")
_PLAIN_NUMBER = re.compile(r"\s*-?\s*[\d.,]+\s*")
_LATEX_SAME = (
    ("{,}", ","), ("\\,", THIN), ("\\;", " "), ("\\:", " "), ("\\ ", " "), ("\\!", ""), ("\\$", "$"), ("\\%", "%"),
    ("\\left", ""), ("\\right", ""), ("\\(", " "), ("\\)", " "), ("\\[", " "), ("\\]", " "), ("\\times", "×"),
    ("\\cdot", "×"), ("\\approx", "≈"), ("^{\\circ}", "°"), ("^\\circ", "°"), ("\\circ", "°"), ("\\quad", " "),
    ("\\colon", ":"), ("\\#", "#"), ("\\&", "&"), ("\\_", "_"),
)  # fmt: skip


def plain(text: str) -> str:
    """The text with one character for each meaning.

    >>> plain("\uff22\uff1a\uff11.\uff15"), plain("\u22124"), plain("2½ and 10²"), plain("٤٢")
    ('B:1.5', '-4', '2 1/2 and 10^2', '42')
    """
    if text.isascii():
        return text
    text = _SUPERSCRIPT.sub(lambda found: "^" + "".join(_SUPERSCRIPTS[c] for c in found.group()), text)
    text = _FRACTION.sub(lambda found: f"{f'{found[1].strip()} ' if found[1] else ''}{_FRACTIONS[found[2]]}", text)
    return text.translate(_TABLE)


def without_latex(text: str) -> str:
    r"""The text without the LaTeX that plain numbers and words stand in; formulas keep theirs.

    >>> without_latex(r"2\frac{1}{2}"), without_latex(r"\dfrac34"), without_latex(r"\$1{,}234\text{ a day}")
    ('2 1/2', '3/4', '$1,234 a day')
    >>> without_latex(r"\frac{\sqrt{3}}{2}")
    '\\frac{\\sqrt{3}}{2}'
    """
    if "\\" not in text and "{" not in text:
        return text
    for old, new in _LATEX_SAME:
        text = text.replace(old, new)
    text = _LATEX_WORDS.sub(r"\1", text)

    def fraction(found: re.Match[str]) -> str:
        whole, above, below = found[1] or "", found[2] or found[3] or "", found[4] or found[5] or ""
        if not _PLAIN_NUMBER.fullmatch(above) or not _PLAIN_NUMBER.fullmatch(below):
            return found.group()
        return f"{whole.strip()}{' ' if whole else ''}{above.strip()}/{below.strip()}"

    return _LATEX_FRACTION.sub(fraction, text)
