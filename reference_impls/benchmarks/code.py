"""Code: a small Python function from a description, judged by hidden tests in a sandbox."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from reference_impls.benchmarks.base import Benchmark, Problem
from reference_impls.core.answers import program


@dataclass(frozen=True)
class _Piece:
    """A part of a description, the code for it and what it computes."""

    says: str
    code: str
    does: Callable[[Any], Any]


def _steps(k: int) -> list[_Piece]:
    return [
        _Piece(f"plus {k}", f"+ {k}", lambda x: x + k),
        _Piece(f"minus {k}", f"- {k}", lambda x: x - k),
        _Piece(f"times {k}", f"* {k}", lambda x: x * k),
        _Piece(f"modulo {k}", f"% {k}", lambda x: x % k),
    ]


def _filters(k: int) -> list[_Piece]:
    return [
        _Piece("even", "x % 2 == 0", lambda x: x % 2 == 0),
        _Piece("odd", "x % 2 == 1", lambda x: x % 2 == 1),
        _Piece("negative", "x < 0", lambda x: x < 0),
        _Piece(f"larger than {k}", f"x > {k}", lambda x: x > k),
        _Piece(f"smaller than {k}", f"x < {k}", lambda x: x < k),
        _Piece(f"not {k}", f"x != {k}", lambda x: x != k),
    ]


def _maps(k: int) -> list[_Piece]:
    return [
        _Piece("the squares of", "x * x", lambda x: x * x),
        _Piece("twice", "2 * x", lambda x: 2 * x),
        _Piece(f"{k} more than", f"x + {k}", lambda x: x + k),
        _Piece("the negatives of", "-x", lambda x: -x),
    ]


_FOLDS = [
    _Piece("the sum of", "sum({})", sum),
    _Piece("the number of different values of", "len(set({}))", lambda xs: len(set(xs))),
    _Piece("the largest of", "max([{}], default=0)", lambda xs: max(xs, default=0)),
    _Piece("the smallest of", "min([{}], default=0)", lambda xs: min(xs, default=0)),
    _Piece("a list of", "[{}]", list),
    _Piece("a sorted list of", "sorted({})", sorted),
]
_WORD_PICKS = [
    _Piece("in reverse order", "[::-1]", lambda ws: ws[::-1]),
    _Piece("without the first", "[1:]", lambda ws: ws[1:]),
    _Piece("without the last", "[:-1]", lambda ws: ws[:-1]),
    _Piece("every second", "[::2]", lambda ws: ws[::2]),
    _Piece("only the first 2", "[:2]", lambda ws: ws[:2]),
    _Piece("only the last 2", "[-2:]", lambda ws: ws[-2:]),
    _Piece("only the last 3", "[-3:]", lambda ws: ws[-3:]),
]
_WORD_MAPS = [
    _Piece("in upper case", "w.upper()", str.upper),
    _Piece("capitalised", "w.capitalize()", str.capitalize),
    _Piece("reversed", "w[::-1]", lambda w: w[::-1]),
    _Piece("cut to 3 letters", "w[:3]", lambda w: w[:3]),
    _Piece("doubled", "w * 2", lambda w: w * 2),
    _Piece("without its first letter", "w[1:]", lambda w: w[1:]),
    _Piece("in quotes", "f\"'{w}'\"", lambda w: f"'{w}'"),
]
_JOINERS = {
    "dashes": "-",
    "commas": ",",
    "dots": ".",
    "plus signs": "+",
    "colons": ":",
    "slashes": "/",
    "bars": "|",
    "stars": "*",
}
_SENTENCES = ("red fox runs far", "one", "a bb ccc dddd eeeee", "the old mill stands here", "Go on Now")


def _pick(rng: np.random.Generator, pieces: Sequence[_Piece]) -> _Piece:
    return pieces[int(rng.integers(len(pieces)))]


@lru_cache(maxsize=20_000)
def _run(code: str, cases: str) -> tuple[str | None, ...]:
    """Results of the cases (JSON) in the sandbox; the same code on the same cases runs once a process."""
    # The sandbox is looked up here so that data generation works where no isolation is to be had.
    from reference_impls.benchmarks.sandbox import run_cases  # noqa: PLC0415

    return run_cases(code, cases)


class Code(Benchmark):
    """Functions over numbers, lists and words; 1 if every hidden test gives the right value, else 0."""

    name = "code"
    title = "Code"
    kind = "code"
    seed = 505
    levels = {"number": 0.1, "list": 0.15, "two conditions": 0.25, "two values": 0.25, "words": 0.25}

    def problem(self, rng: np.random.Generator, level: str) -> Problem:
        if level == "number":
            return self._number(rng)
        if level == "words":
            return self._words(rng)
        if level == "two values":
            return self._two_values(rng)
        description, body, does = self._fold(rng, two_conditions=level == "two conditions")
        return self._build(rng, level, f"f(xs): {description}", f"def f(xs):\n    return {body}", does)

    def _number(self, rng: np.random.Generator) -> Problem:
        steps = [_pick(rng, _steps(int(rng.integers(2, 10)))) for _ in range(3)]
        body = f"((x {steps[0].code}) {steps[1].code}) {steps[2].code}"
        says = ", then ".join(step.says for step in steps)

        def does(x: int) -> int:
            for step in steps:
                x = step.does(x)
            return x

        return self._build(rng, "number", f"f(x): x {says}", f"def f(x):\n    return {body}", does)

    def _words(self, rng: np.random.Generator) -> Problem:
        pick, change = _pick(rng, _WORD_PICKS), _pick(rng, _WORD_MAPS)
        says, joiner = list(_JOINERS.items())[rng.integers(len(_JOINERS))]
        code = f'def f(s):\n    return "{joiner}".join({change.code} for w in s.split(){pick.code})'
        description = f"f(s): the words of s {pick.says}, each {change.says}, joined by {says}"

        def does(s: str) -> str:
            return joiner.join(change.does(w) for w in pick.does(s.split()))

        return self._build(rng, "words", description, code, does)

    @staticmethod
    def _fold(
        rng: np.random.Generator, *, two_conditions: bool, folds: Sequence[_Piece] = _FOLDS
    ) -> tuple[str, str, Callable[[list[int]], Any]]:
        """Description, expression and meaning of a fold over a mapped and filtered list."""
        fold, change = _pick(rng, folds), _pick(rng, _maps(int(rng.integers(2, 10))))
        keep = _pick(rng, _filters(int(rng.integers(2, 10))))
        says, condition, holds = keep.says, keep.code, keep.does
        if two_conditions:
            other = _pick(rng, _filters(int(rng.integers(2, 10))))
            both = bool(rng.integers(2))
            says = f"{keep.says} {'and' if both else 'or'} {other.says}"
            condition = f"{keep.code} {'and' if both else 'or'} {other.code}"

            def holds(x: int) -> bool:
                return bool(keep.does(x) and other.does(x) if both else keep.does(x) or other.does(x))

        def does(xs: list[int]) -> Any:
            return fold.does([change.does(x) for x in xs if holds(x)])

        body = fold.code.format(f"{change.code} for x in xs if {condition}")
        return f"{fold.says} {change.says} the {says} numbers in xs", body, does

    def _two_values(self, rng: np.random.Generator) -> Problem:
        """Two folds that give numbers, added, subtracted or multiplied."""
        word, sign = [("plus", "+"), ("minus", "-"), ("times", "*")][rng.integers(3)]
        first_says, first_body, first = self._fold(rng, two_conditions=False, folds=_FOLDS[:4])
        second_says, second_body, second = self._fold(rng, two_conditions=False, folds=_FOLDS[:4])
        description = f"f(xs): {first_says.removesuffix(' in xs')}, {word} {second_says}"
        code = f"def f(xs):\n    return {first_body} {sign} {second_body}"

        def does(xs: list[int]) -> int:
            a, b = first(xs), second(xs)
            return int(a + b if sign == "+" else a - b if sign == "-" else a * b)

        return self._build(rng, "two values", description, code, does)

    @staticmethod
    def _build(rng: np.random.Generator, level: str, says: str, code: str, does: Callable[[Any], Any]) -> Problem:
        if level == "number":
            inputs: list[Any] = [0, 1, 7, -5, *(int(v) for v in rng.integers(-50, 100, 3))]
        elif level == "words":
            inputs = list(_SENTENCES)
        else:
            inputs = [[int(v) for v in rng.integers(-9, 16, n)] for n in (0, 3, 6, 9, 12, 12)]
        reference = {"tests": [(value, does(value)) for value in inputs]}
        return Problem((says,), level, f"Q: Write {says}.\nA:", f" {code}", reference)

    def corrupt(self, rng: np.random.Generator, problem: Problem) -> str:
        """The same program with one part changed, as a model that misread the description would write it."""
        swaps = [
            ("sum(", "len("), ("max(", "min("), ("min(", "max("), (" > ", " < "), (" < ", " > "), ("== 0", "== 1"),
            ("== 1", "== 0"), ("* x", "+ x"), ("[::-1]", "[1:]"), ("upper", "lower"), (" + ", " - "), (" * ", " + "),
            (" - ", " + "), ("[1:]", "[:-1]"), ("[:-1]", "[1:]"), ("sorted(", "list("), ("!=", "=="), (" % ", " * "),
            ("[::2]", "[:2]"), ("[:2]", "[::2]"), ("capitalize", "upper"), ("[:3]", "[3:]"),
        ]  # fmt: skip
        fitting = [(a, b) for a, b in swaps if a in problem.solution]
        if not fitting:
            return re.sub(r"return .*", "return 0", problem.solution)
        old, new = fitting[rng.integers(len(fitting))]
        return problem.solution.replace(old, new, 1)

    def score(self, reference: Mapping[str, Any], text: str) -> float:
        from reference_impls.benchmarks.sandbox import matches, to_cases  # noqa: PLC0415 (see _run)

        tests = reference["tests"]
        results = _run(program(text), to_cases([value for value, _ in tests]))
        return float(all(matches(got, wanted) for got, (_, wanted) in zip(results, tests, strict=True)))
