"""Yes and no, true and false, in a dozen languages."""

import re

from reference_impls.core.answers.characters import plain, without_latex
from reference_impls.core.answers.places import boxed, field, hashed, last_line, refuses, stated

#: Words at the beginning of an answer; those that are everyday words in running text are not looked for there.
_YES = (
    "yes|yeah|yep|true|correct|right|да|верно|правда|是的|是|对|正确|真|はい|正しい|네|예|ja|wahr|richtig|oui|vrai"
    "|sí|si|verdadero|verdadeiro|sim|vero"
)
_NO = (
    "no|nope|false|incorrect|wrong|нет|неверно|ложь|否|不是|不|错误|错|不正确|假|いいえ|아니요|nein|falsch|non|faux"
    "|falso|não|nao"
)
_AT_START = re.compile(
    rf"[\s\W]*?(?:(?P<no>not (?:{_YES})|{_NO})|(?P<yes>{_YES}))(?![^\W\d_\u3000-\u9fff])", re.IGNORECASE
)
_INSIDE = re.compile(
    r"(?<![^\W\d_])(?:(?P<no>not (?:true|correct|right)|no|false|incorrect|wrong|нет|否|不是|nein|non)"
    r"|(?P<yes>yes|true|correct|да|是|ja|oui|sí))(?![^\W\d_])",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\[\s*(?:(?P<no>no|false)|(?P<yes>yes|true))\s*\]", re.IGNORECASE)


def yes_no(text: str) -> str | None:
    """``yes`` or ``no``, however it is said; None if a response says neither.

    >>> [yes_no(t) for t in ("Yes, it is.", "**No**", "The answer is false.", "是的", "17 is prime: [Yes]", "17")]
    ['yes', 'no', 'no', 'yes', 'yes', None]
    """
    text = plain(text)
    for marked in (boxed(text), field(text), hashed(text)):
        if marked is not None and (found := _AT_START.match(without_latex(marked))):
            return _verdict(found)
    if found := _last(_IN_BRACKETS, text):
        return _verdict(found)
    for rest in stated(text):
        if found := _AT_START.match(rest):
            return _verdict(found)
    if refuses(text):
        return None
    for line in (text.lstrip().partition("\n")[0], last_line(text)):
        if found := _AT_START.match(line):
            return _verdict(found)
    found = _last(_INSIDE, text)
    return _verdict(found) if found else None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for match in pattern.finditer(text):
        found = match
    return found


def _verdict(found: re.Match[str]) -> str:
    return "no" if found["no"] else "yes"
