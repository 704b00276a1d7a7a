"""Answers held against references, by the one reader of answers that all of the Atlas uses."""

from __future__ import annotations

import re

from reference_impls.core.answers import final_answer, given_answer, kind_of
from reference_impls.recording.config import Scorer


def kind(scorer: Scorer, reference: str | None) -> str | None:
    """How the recorded form calls the kind of a question; None where nothing tells."""
    if scorer.kind in ("exact", "contains", "regex"):
        return "text"
    if scorer.kind is not None:
        return scorer.kind
    return kind_of(reference) if reference else None


def graded(scorer: Scorer, reference: str | None, text: str) -> tuple[str | None, float | None]:
    """The answer in a text, where it is not the whole, and its score.

    Returns:
        The answer ("" where the text has none; None where it is the whole text), and 0 or 1 (None where there is no
        reference to tell; of `regex` without one, whether the pattern is found).

    >>> graded(Scorer(kind="number"), "42", "It is 42.0."), graded(Scorer(kind="contains"), "Oslo", "In OSLO!")
    (('42', 1.0), (None, 1.0))
    >>> graded(Scorer(kind="regex", pattern="<(.)>"), "b", "<a>, no, <b>"), graded(Scorer(), None, "perhaps")
    (('b', 1.0), (None, None))
    """
    if scorer.kind == "regex":
        found = list(re.finditer(scorer.pattern, text))
        answer = (found[-1][1] if found[-1].re.groups else found[-1][0]) or "" if found else ""
        return answer, float(bool(found) if reference is None else answer.strip() == reference.strip())
    if scorer.kind == "contains":
        return None, None if reference is None else float(_plain(reference) in _plain(text))
    read = kind(scorer, reference)
    if read is None:
        return None, None
    answer = final_answer(text, read)
    right = None if reference is None else given_answer(reference, read)
    score = None if right is None else float(answer == right)
    return (None if read == "text" else answer or ""), score


def _plain(text: str) -> str:
    """Without a difference of case or white space."""
    return " ".join(text.casefold().split())
