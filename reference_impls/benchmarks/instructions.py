"""Instruction following: put given words into a demanded selection, order, case and format, all of it
checkable.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reference_impls.benchmarks.base import Benchmark, Problem
from reference_impls.benchmarks.words import ANIMALS, OBJECTS

_WORDS = OBJECTS[:12] + ANIMALS[:8]
_CASES = {"upper": "in capital letters", "title": "each with a capital first letter"}
_ORDERS = {"reverse": "in reverse order", "sorted": "in alphabetical order"}
_COUNTS = {
    "first": "only the first",
    "last": "only the last",
    "drop first": "without the first",
    "drop last": "without the last",
}
_FORMATS = {
    "commas": "with commas between",
    "bullets": "as a list with dashes",
    "brackets": "in square brackets",
    "plus": "with plus signs between",
}


def select(words: list[str], count: str | None) -> list[str]:
    """The words that the count constraint keeps."""
    slices = {
        "first": slice(1),
        "last": slice(-1, None),
        "drop first": slice(1, None),
        "drop last": slice(-1),
    }
    return words[slices[count]] if count else words


def arrange(words: list[str], order: str | None) -> list[str]:
    """The words in the demanded order."""
    return words[::-1] if order == "reverse" else sorted(words) if order == "sorted" else words


def write(words: list[str], layout: str | None) -> str:
    """The words in the demanded format."""
    if layout == "bullets":
        return "\n".join(f"- {w}" for w in words)
    if layout == "brackets":
        return f"[{' '.join(words)}]"
    return {"commas": ", ", "plus": " + "}.get(layout or "", " ").join(words)


def _in_case(word: str, case: str | None) -> str:
    return word.upper() if case == "upper" else word.capitalize() if case == "title" else word


class Instructions(Benchmark):
    """One to four verifiable constraints; a response scores 1 if it meets all of them (strict accuracy of the
    prompt).
    """

    name = "instructions"
    title = "Instruction following"
    kind = "list"
    seed = 303
    levels = {"1": 0.2, "2": 0.3, "3": 0.3, "4": 0.2}

    def problem(self, rng: np.random.Generator, level: str) -> Problem:
        words = [str(w) for w in rng.choice(_WORDS, int(level) + int(rng.integers(1, 3)), replace=False)]
        kinds = sorted(str(k) for k in rng.choice(["count", "order", "case", "format"], int(level), replace=False))
        tables = {"count": _COUNTS, "order": _ORDERS, "case": _CASES, "format": _FORMATS}
        wanted = {kind: str(rng.choice(list(tables[kind]))) for kind in kinds}
        demand = ", ".join(tables[kind][wanted[kind]] for kind in tables if kind in wanted)
        prompt = f"Q: Write these words {demand}: {' '.join(words)}\nA:"
        answer = self._answer(words, wanted)
        key = (tuple(words), tuple(sorted(wanted.items())))
        return Problem(key, level, prompt, f" {answer}", {"words": words, **wanted})

    @staticmethod
    def _answer(words: list[str], wanted: Mapping[str, str]) -> str:
        kept = arrange(select(words, wanted.get("count")), wanted.get("order"))
        return write([_in_case(w, wanted.get("case")) for w in kept], wanted.get("format"))

    def corrupt(self, rng: np.random.Generator, problem: Problem) -> str:
        wanted = {k: str(v) for k, v in problem.reference.items() if k != "words"}
        words = list(problem.reference["words"])
        if rng.integers(2):
            dropped = str(rng.choice(list(wanted)))
            wrong = self._answer(words, {k: v for k, v in wanted.items() if k != dropped})
        else:
            i, j = rng.choice(len(words), 2, replace=False)
            words[i], words[j] = words[j], words[i]
            wrong = self._answer(words, wanted)
        return f" {wrong}" if f" {wrong}" != problem.solution else f" {wrong} {words[0]}"

    def score(self, reference: Mapping[str, Any], text: str) -> float:
        wanted = {k: str(v) for k, v in reference.items() if k != "words"}
        right = self._answer(list(reference["words"]), wanted)
        # Blanks at line ends and around the response are no violation of any of the constraints.
        lines = [line.rstrip() for line in text.strip().splitlines()]
        return float("\n".join(lines) == right)
