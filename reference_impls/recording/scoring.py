"""Scorers that do more than read: a program on the reference's cases, a function of one's own, a model as judge."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

from reference_impls.core.answers import program
from reference_impls.core.prompts import grade_prompt
from reference_impls.core.replies import read_grade
from reference_impls.recorded import scoring
from reference_impls.recorded.scoring import Scorer

#: How long a judge's reply may be.
REPLY_TOKENS = 250


def graded(scorer: Scorer, reference: str | None, text: str) -> tuple[str | None, float | None]:
    """The answer in a text and its score, as `recorded.scoring.graded`, of every kind; a judge's score is None, as it
    stands in the judge's reply (`verdict`).

    Raises:
        ValueError: a reference that is none for this scorer, a function that is not there or fails, or no sandbox to
            run programs in: one line.
    """
    if scorer.kind == "code":
        return program(text), None if reference is None else _passes(scorer.function, reference, program(text))
    if scorer.kind == "judge":
        return None, None
    if scorer.kind is not None and scorer.kind.startswith("python:"):
        return None, _called(scorer.kind, reference, text)
    return scoring.graded(scorer, reference, text)


def cases(reference: str) -> list[tuple[list[Any], Any]]:
    """The cases of a reference, ``[[[arguments], expected], ...]``.

    >>> cases("[[[2, 3], 5]]")
    [([2, 3], 5)]
    """
    try:
        read = json.loads(reference)
        made = [(arguments, expected) for arguments, expected in read]
    except (ValueError, TypeError, RecursionError):
        made = []
    if not made or not all(isinstance(arguments, list) for arguments, _ in made):
        raise ValueError("a reference of the scorer code is no list of cases (write [[[2, 3], 5]]: f(2, 3) is 5)")
    return made


@cache
def _passes(function: str, reference: str, code: str) -> float:
    """1 where a program gives what every case expects; it runs in the benchmarks' sandbox."""
    from reference_impls.benchmarks import sandbox  # noqa: PLC0415 (starts no process unless programs are scored)

    known = cases(reference)
    called = f"{code}\n\n_called = {function}\n\n\ndef f(arguments):\n    return _called(*arguments)\n"
    try:
        got = sandbox.run_cases(called, sandbox.to_cases([arguments for arguments, _ in known]))
    except sandbox.SandboxUnavailableError as error:
        raise ValueError(f"the scorer code cannot run programs here: {error}") from None
    return float(all(sandbox.matches(one, expected) for one, (_, expected) in zip(got, known, strict=True)))


@cache
def _function(name: str) -> Callable[..., Any]:
    _, module, function = name.split(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        told = " ".join(str(error).split())[:200]
        raise ValueError(f"scorer {name}: {told} (is the module on PYTHONPATH?)") from None
    return found


def _called(name: str, reference: str | None, text: str) -> float | None:
    """What a function of the user's own says: a number from 0 to 1, or None where it cannot tell."""
    function = _function(name)
    try:
        score = function(text, reference)
    except Exception as error:  # noqa: BLE001 (it may do anything)
        raise ValueError(f"scorer {name}: fails: {type(error).__name__}: {str(error)[:100]!r}") from None
    if score is None:
        return None
    if not isinstance(score, int | float) or not (math.isfinite(score) and 0 <= score <= 1):
        raise ValueError(f"scorer {name}: gives {str(score)[:40]!r} (return a number from 0 to 1, or None)")
    return float(score)


def question(prompt: str, reference: str | None, text: str) -> str:
    """What a judge is asked: a grade from 1 to 5, with the right answer beside it where it is known."""
    if reference:
        prompt = f"{prompt}\n\n(The right answer, which the response is to agree with: {reference})"
    return grade_prompt(prompt, text, "chat")


def verdict(reply: str) -> float | None:
    """The score of a judge's reply: 0, 0.25, 0.5, 0.75 or 1; None where no grade can be read from it.

    >>> verdict("Grade: 4"), verdict("Fine.")
    (0.75, None)
    """
    grade = read_grade(reply)
    return None if grade is None else (grade - 1) / 4
