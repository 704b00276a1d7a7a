"""Mathematics: column arithmetic and word problems whose solutions are worked digit by digit."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from reference_impls.benchmarks.base import Benchmark, Problem
from reference_impls.benchmarks.words import OBJECTS
from reference_impls.core.answers import final_answer

_NAMES = ["Tom", "Ann", "Max", "Eva", "Ben", "Lia", "Sam", "Ida"]


def worked(a: int, op: str, b: int) -> str:
    """The column-wise working of one operation, ones first, then the result.

    >>> print(worked(47, "+", 85))
    47+85
    7+5=12
    4+8+1=13
    = 132
    """
    lines = [f"{a}{op}{b}"]
    left, right = str(a)[::-1], str(b)[::-1]
    carry = 0
    for i in range(max(len(left), len(right)) if op != "*" else len(left)):
        x = int(left[i]) if i < len(left) else 0
        if op == "*":
            total = x * b + carry
            lines.append(f"{x}*{b}{f'+{carry}' if carry else ''}={total}")
            carry = total // 10
            continue
        y = int(right[i]) if i < len(right) else 0
        if op == "+":
            total = x + y + carry
            lines.append(f"{x}+{y}{'+1' if carry else ''}={total}")
            carry = total // 10
        else:
            borrow = int(x - carry < y)
            total = x + 10 * borrow - carry - y
            lines.append(f"{x}{'+10' if borrow else ''}{'-1' if carry else ''}-{y}={total}")
            carry = borrow
    lines.append(f"= {evaluate(a, op, b)}")
    return "\n".join(lines)


def evaluate(a: int, op: str, b: int) -> int:
    """``a op b`` for + - *."""
    return a + b if op == "+" else a - b if op == "-" else a * b


def _chain(start: int, steps: list[tuple[str, int]]) -> tuple[str, int]:
    """The working of several operations one after another, and the result."""
    blocks, value = [], start
    for op, b in steps:
        blocks.append(worked(value, op, b))
        value = evaluate(value, op, b)
    return " " + "\n".join(blocks), value


class Arithmetic(Benchmark):
    """Sums, differences, products and word problems; the last number of the response must be the answer."""

    name = "math"
    title = "Mathematics"
    kind = "number"
    seed = 202
    levels = {"two-digit": 0.2, "three-digit": 0.2, "times": 0.15, "word": 0.2, "two-step word": 0.25}

    def problem(self, rng: np.random.Generator, level: str) -> Problem:
        if level in ("two-digit", "three-digit"):
            low, high = (10, 100) if level == "two-digit" else (100, 1000)
            op = "+-"[rng.integers(2)]
            b, a = sorted(int(v) for v in rng.integers(low, high, 2))
            if op == "+" and rng.integers(2):
                a, b = b, a
            return self._build(level, (op, min(a, b), max(a, b)), f"{a} {op} {b} = ?", a, [(op, b)])
        if level == "times":
            a, b = int(rng.integers(11, 100)), int(rng.integers(2, 10))
            return self._build(level, ("*", a, b), f"{a} * {b} = ?", a, [("*", b)])
        return self._story(rng, level)

    def _story(self, rng: np.random.Generator, level: str) -> Problem:
        name, thing = str(rng.choice(_NAMES)), f"{rng.choice(OBJECTS)}s"
        steps_wanted = 2 if level == "two-step word" else 1
        a = int(rng.integers(12, 80))
        value, start, text, steps = a, a, f"{name} has {a} {thing}.", []
        kinds = list(rng.permutation(["find", "lose", "times"]))[:steps_wanted]
        for kind in sorted(kinds, key=["times", "find", "lose"].index):
            if kind == "find":
                b = int(rng.integers(11, 70))
                text += str(rng.choice([f" Then {name} finds {b} more.", f" A friend gives {name} {b} more."]))
                steps.append(("+", b))
            elif kind == "lose":
                b = int(rng.integers(5, value - 1))
                text += str(rng.choice([f" Then {name} loses {b}.", f" {name} gives away {b}."]))
                steps.append(("-", b))
            else:
                b = int(rng.integers(2, 7))
                text += f" A chest holds {b} times as many and {name} takes the chest instead."
                steps.append(("*", b))
            value = evaluate(value, *steps[-1])
        question = f"{text} How many {thing} does {name} have?"
        return self._build(level, ("story", start, tuple(steps)), question, start, steps)

    @staticmethod
    def _build(level: str, key: tuple[Any, ...], question: str, start: int, steps: list[tuple[str, int]]) -> Problem:
        solution, value = _chain(start, steps)
        return Problem(key, level, f"Q: {question}\nA:", solution, {"answer": value})

    def corrupt(self, rng: np.random.Generator, problem: Problem) -> str:
        answer = int(problem.reference["answer"])
        wrong = answer + int(rng.choice([-10, -1, 1, 10, 9, -9, 100]))
        return re.sub(r"-?\d+$", str(wrong), problem.solution)

    def score(self, reference: Mapping[str, Any], text: str) -> float:
        return float(final_answer(text, "number") == str(reference["answer"]))
