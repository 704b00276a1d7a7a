"""How answers are held against references, by the one reader of answers that all of the Atlas uses."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reference_impls.core.answers import final_answer, given_answer, kind_of

#: Kinds that are read from the text and the reference alone.
READ = ("choice", "number", "short", "yes-no", "exact", "contains", "regex", "json")
#: Those that ask a model, or run somebody's code.
OTHERS = ("code", "judge")
_FENCE = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)```", re.DOTALL)
MOST_JSON = 256 * 1024
"""Characters of a text in which JSON is looked for; nothing that a model writes as an answer comes near."""
_OPENS = re.compile(r"[\[{]")
MOST_TRIES = 1000
"""Brackets at which JSON may begin."""


class Scorer(BaseModel):
    """How answers are held against the references.

    Attributes:
        kind: ``choice``, ``number``, ``short`` (a word or a few) and ``yes-no`` read the final answer; ``exact``
            compares whole texts, ``contains`` looks for the reference in the text, ``regex`` for `pattern`; ``json``
            compares values; ``code`` runs a program on the reference's cases; ``judge`` asks a model;
            ``python:module:function`` calls a function of one's own. None leaves it to each reference.
        pattern: of ``regex``: its first group, else all that it matches, is the answer; the last match counts.
        keys: of ``json``: only these keys of the object count; none: the whole value.
        function: of ``code``: the program's function that the cases call.
        judge: of ``judge``: the model that grades.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: (
        Literal["choice", "number", "short", "yes-no", "exact", "contains", "regex", "json", "code", "judge"]
        | Annotated[str, Field(pattern=r"^python:[A-Za-z_][\w.]*:[A-Za-z_]\w*$", max_length=200)]
        | None
    ) = None
    pattern: str = Field("", max_length=10_000)
    keys: tuple[str, ...] = ()
    function: str = Field("", pattern=r"^([A-Za-z_]\w*)?$", max_length=200)
    judge: str = Field("", max_length=512)

    @field_validator("kind", mode="before")
    @classmethod
    def _kinds(cls, value: object) -> object:
        own = isinstance(value, str) and re.fullmatch(r"python:[A-Za-z_][\w.]*:[A-Za-z_]\w*", value)
        if value is not None and value not in (*READ, *OTHERS) and not own:
            raise ValueError(f"is none: write {', '.join((*READ, *OTHERS))} or python:module:function")
        return value

    @model_validator(mode="after")
    def _settings(self) -> Scorer:
        for setting, kind in (("pattern", "regex"), ("function", "code"), ("judge", "judge")):
            if (self.kind == kind) != bool(getattr(self, setting)):
                raise ValueError(f"{setting} goes with kind: {kind}, and with no other")
        if self.keys and self.kind != "json":
            raise ValueError("keys goes with kind: json, and with no other")
        try:
            re.compile(self.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"pattern is no regular expression: {str(error)[:100]}") from None
        return self


def kind(scorer: Scorer, reference: str | None) -> str | None:
    """How the recorded form calls the kind of a question; None where nothing tells."""
    if scorer.kind is not None:
        return scorer.kind if scorer.kind in ("choice", "number", "short", "yes-no", "code") else "text"
    return kind_of(reference) if reference else None


def graded(scorer: Scorer, reference: str | None, text: str) -> tuple[str | None, float | None]:
    """The answer in a text, where it is not the whole, and its score, by a scorer whose kind is one of `READ`.

    Returns:
        The answer ("" where the text has none; None where it is the whole text), and 0 or 1 (None where there is no
        reference to tell; of `regex` without one, whether the pattern is found).

    >>> graded(Scorer(kind="number"), "42", "It is 42.0."), graded(Scorer(kind="contains"), "Oslo", "In OSLO!")
    (('42', 1.0), (None, 1.0))
    >>> graded(Scorer(kind="regex", pattern="<(.)>"), "b", "<a>, no, <b>"), graded(Scorer(), None, "perhaps")
    (('b', 1.0), (None, None))
    >>> graded(Scorer(kind="json", keys=["a"]), '{"a": 1}', 'Here: {"b": 2, "a": 1.0} as asked')
    ('{"a": 1}', 1.0)
    """
    if scorer.kind == "regex":
        found = list(re.finditer(scorer.pattern, text))
        answer = (found[-1][1] if found[-1].re.groups else found[-1][0]) or "" if found else ""
        return answer, float(bool(found) if reference is None else answer.strip() == reference.strip())
    if scorer.kind == "contains":
        return None, None if reference is None else float(_plain(reference) in _plain(text))
    if scorer.kind == "json":
        answer = json_in(text, scorer.keys)
        right = None if reference is None else json_in(reference, scorer.keys)
        if reference is not None and not right:
            raise ValueError("a reference holds no JSON to compare with (correct it, or take another scorer)")
        return answer, None if right is None else float(answer == right)
    read = kind(scorer, reference)
    if read is None:
        return None, None
    answer = final_answer(text, read)
    right = None if reference is None else given_answer(reference, read)
    score = None if right is None else float(answer == right)
    return (None if read == "text" else answer or ""), score


def json_in(text: str, keys: tuple[str, ...] = ()) -> str:
    """The JSON value of a text in a form in which equal values are equal strings; empty where it has none.

    It is the whole text, else the last fence that holds a value, else the last object or list that stands in it.

    >>> json_in('{"b": 2.0, "a": [1, null]}'), json_in("none"), json_in("so:\\n```json\\n[1]\\n```\\nor not")
    ('{"a": [1, null], "b": 2}', '', '[1]')
    """
    text = text.rpartition("</think>")[2].strip()[:MOST_JSON]
    for part in (text, *reversed(_FENCE.findall(text))):
        found, value = _value(part)
        if found:
            return _canonical(value, keys)
    value, found, place, tries = None, False, 0, 0
    decoder = json.JSONDecoder()
    # Every value that stands in the text; what is nested in one is not looked at again.
    while (match := _OPENS.search(text, place)) and (tries := tries + 1) <= MOST_TRIES:
        try:
            value, place = decoder.raw_decode(text, match.start())
            found = True
        except (ValueError, RecursionError):
            place = match.start() + 1
    return _canonical(value, keys) if found else ""


def _value(text: str) -> tuple[bool, Any]:
    try:
        return True, json.loads(text)
    except (ValueError, RecursionError):
        return False, None


def _canonical(value: Any, keys: tuple[str, ...]) -> str:
    if keys:
        value = {key: value[key] for key in keys if key in value} if isinstance(value, dict) else None
    try:
        return json.dumps(_whole(value), sort_keys=True, ensure_ascii=False)
    except (RecursionError, ValueError):
        return ""


def _whole(value: Any) -> Any:
    """A value with whole numbers written without a point."""
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(text: str) -> str:
    """Without a difference of case or white space."""
    return " ".join(text.casefold().split())
