"""Formulas, in LaTeX or plain, without what only sets the type. They are compared as written, not by meaning."""

import re

from reference_impls.core.answers.characters import plain, without_latex

_SIGNS = re.compile(r"[\\^=+*/<>|]|\d[a-z]\b|\d\s*-\s*\d")
_WORD = re.compile(r"(?<![\\A-Za-z])[^\W\d_]{3,}")


def is_formula(text: str) -> bool:
    r"""Whether a text is mathematics and not words.

    >>> is_formula(r"2\sqrt{3}"), is_formula("2x + 1"), is_formula("and/or"), is_formula("18")
    (True, True, False, False)
    """
    return bool(_SIGNS.search(text)) and not _WORD.search(text)


def formula(text: str) -> str:
    r"""A formula without blanks, sizes, needless braces and a lone ``x =`` in front.

    >>> formula(r"x = \left( \frac12 , 3 \right)"), formula("$x^{2} + 1$")
    ('(1/2,3)', 'x^2+1')
    """
    text = without_latex(plain(text)).strip().strip("$").rstrip(".")
    text = re.sub(r"\\[dtc]frac", r"\\frac", text)
    text = re.sub(r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\sqrt\s*(\w)", r"\\sqrt{\1}", text)
    text = "".join(text.split())
    text = re.sub(r"([\^_])\{(\w)\}", r"\1\2", text)
    return re.sub(r"^[A-Za-z](?:\([a-z]\))?=(?=[^=]*$)", "", text) or text
