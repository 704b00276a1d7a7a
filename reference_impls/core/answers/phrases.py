"""Short answers in words: names, phrases, and whatever fits on a line."""

import re

from reference_impls.core.answers.characters import plain, without_latex
from reference_impls.core.answers.formulas import formula, is_formula
from reference_impls.core.answers.numbers import plain_number
from reference_impls.core.answers.places import BOLD, SENTENCE_END, boxed, field, hashed, last_line, refuses, stated

_LETTER = re.compile(r"\(([a-d])\)")
_EXPLANATION = re.compile(
    r"\n[ \t]*+[*_#>]*+[ \t]*+(?:explanation|reasoning|note|rationale|justification|because|reason|why)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:(?:so|thus|therefore|hence),?\s)?(?:it|this|that|i (?:think|believe) it)(?: is|'s| was)\s", re.IGNORECASE
)
_MARKDOWN = re.compile(r"[*_`#>]+")
_REASON = re.compile(r",?\s(?:because|since|as|which|where|due to)(?:\s|$)|\s\(|\s[–—-]\s")


def normalise(text: str) -> str:
    """Lower case, without articles and punctuation at the ends, runs of white space as one blank.

    >>> normalise(" The  River. ")
    'river'
    """
    text = re.sub(r"\s+", " ", text.lower()).strip(" .,;:!?\"'")
    return re.sub(r"^(?:the|an|a) (?=\S)", "", text)


def canonical(answer: str) -> str | None:
    r"""A whole short answer in a form in which equal ones are equal: numbers by value, formulas without their
    typesetting, words by `normalise`.

    >>> canonical("**The River**."), canonical("18.0"), canonical(r"\dfrac{\sqrt{3}}{2}"), canonical("2x + 1")
    ('river', '18', '\\frac{\\sqrt{3}}{2}', '2x+1')
    """
    value = plain_number(answer)
    if value is not None:
        return value
    bare = without_latex(plain(answer)).strip()
    if is_formula(bare):
        return formula(bare)
    return normalise(_MARKDOWN.sub("", bare).strip(" $")) or None


def short(text: str) -> str | None:
    """The answer of a response that may hold steps before it and an explanation after it.

    >>> short("Paris"), short("The answer is **Paris**, because"), short("It rains.\\nThe River.")
    ('paris', 'paris', 'river')
    >>> short("Menlok (b)"), short("Paris.\\n\\nExplanation: the capital."), short("I don't know.")
    ('b', 'paris', None)
    """
    for marked in (boxed(text), field(text), hashed(text)):
        if marked is not None and (found := canonical(marked)):
            return found
    for rest in stated(text):
        if found := canonical(_clause(rest)):
            return found
    if refuses(text):
        return None
    explained = _EXPLANATION.search(text)
    if explained and text[: explained.start()].strip():
        text = text[: explained.start()]
    line = last_line(text)
    letter = _LETTER.search(line)
    if letter:
        return letter[1]
    bold = BOLD.findall(line)
    if len(bold) == 1:
        return canonical(bold[0][1])
    return canonical(_LEAD.sub("", line, count=1) if _LEAD.match(line) else line)


def _clause(text: str) -> str:
    """A statement without the explanation behind it."""
    bold = re.match(r"[*_]{0,2}([^*\n]{1,200})\*\*", text)
    if bold:
        return bold[1]
    text = _REASON.split(text, maxsplit=1)[0]
    end = SENTENCE_END.search(text)
    return text[: end.start()] if end else text.strip()
