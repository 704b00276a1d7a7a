"""Reader of verdicts on two responses: which one is better, and whether by much."""

import re

from reference_impls.core.replies import LONGEST

#: Verdicts in the order of what they are worth, from the first response much better to the second much better.
VERDICTS = ("A>>B", "A>B", "A=B", "B>A", "B>>A")
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.IGNORECASE | re.DOTALL)
_MARKED = re.compile(r"\[\[\s*([AB])\s*(>>|>|=|<<|<)\s*([AB])\s*\]\]", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w\[])([AB])\s*(>>|>|=|<<|<)\s*([AB])(?!\w)", re.IGNORECASE)
#: A reply that is no more than a number, the terse dress of a verdict.
_NUMBER = re.compile(r"[\s\"'(*]*([12])[\s\"').*]*")


def read_preference(reply: str) -> int | None:
    """How much better a reply calls the first of two responses: 2, 1, 0, -1 or -2; None if it does not say, or says
    different things.

    >>> [read_preference(r) for r in ("A is right.\\n[[A>>B]]", "[[A=B]]", "**B>A**", " 1", "2.", "1 or 2")]
    [2, 0, -1, 1, -1, None]
    """
    text = _THOUGHT.sub("", reply[:LONGEST])
    found = _MARKED.findall(text) or _BARE.findall(text)
    values = {_value(first.upper(), sign, second.upper()) for first, sign, second in found}
    if not found and (number := _NUMBER.fullmatch(text)):
        return 1 if number[1] == "1" else -1
    return values.pop() if len(values) == 1 else None


def _value(first: str, sign: str, second: str) -> int | None:
    """What a verdict is worth for A; None if it compares a response with itself."""
    if first == second:
        return None
    size = 0 if sign == "=" else len(sign)
    return size if (first == "A") == (sign[0] == ">") else -size
