"""Ten tables as people bring them, drawn from one seed: what the calculator and the Python are held against."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

import numpy as np

Cells = dict[str, object]
TASKS = ("law", "chemistry", "music", "cooking")


def written(rows: Sequence[Cells], separator: str = ",") -> str:
    """CSV with every column that any row has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def drawn(
    seed: int, queries: int, chances: Sequence[float], *, tasks: int = 4, shared: float = 0.5, graded: int = 0,
    answers: str = "", reference: bool = False, scores: bool = True, priced: bool = True, timed: bool = True,
) -> list[Cells]:  # fmt: skip
    """Rows of a wide table.

    Args:
        seed: of everything.
        queries: how many rows.
        chances: that each model is right.
        tasks: how many; a model is better at every fourth one.
        shared: how far the models' luck is the same.
        graded: steps of a score; 0 is right or wrong.
        answers: ``choice``, ``number``, ``yes-no`` or ``word``; empty for none.
        reference, scores, priced, timed: which columns there are.
    """
    rng = np.random.default_rng(seed)
    said: dict[str, Callable[[int], str]] = {
        "choice": lambda k: "ABCD"[k],
        "number": lambda k: ["12", "1,200.50", "-3", "7%"][k],
        "yes-no": lambda k: ["yes", "No", "no.", "False"][k],
        "word": lambda k: ["The owl", "a hen", "swans", "geese"][k],
    }  # fmt: skip
    rows = []
    for i in range(queries):
        task = int(rng.integers(tasks))
        row: Cells = {"id": f"q{i}", "prompt": f"What is {i}?", "task": TASKS[task]}
        right = int(rng.integers(4))
        if reference:
            row["reference"] = said[answers](right)
        common = rng.standard_normal()
        for m, chance in enumerate(chances):
            name = f"model-{'bacdefghijkl'[m]}"
            luck = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal()
            worth = min(max(chance + 0.25 * (task == m % 4) + 0.3 * luck, 0.0), 1.0)
            good = worth > 0.5
            if scores:
                row[f"{name}:score"] = round(worth * graded) / graded if graded else int(good)
            if answers:
                other = (right + 1 + int(rng.integers(3))) % 4
                row[f"{name}:answer"] = said[answers](right if good else other)
            if priced:
                row[f"{name}:cost"] = f"{(m + 1) * 1e-4 * rng.uniform(0.5, 1.5):.9f}"
            if timed:
                row[f"{name}:latency"] = f"{rng.uniform(0.1, 2):.3f}"
        rows.append(row)
    return rows


def _gaps() -> list[Cells]:
    """Rows in which models have not answered, and one of them said nothing."""
    rows = drawn(5, 220, [0.6, 0.55, 0.5], answers="choice", reference=True)
    for i, row in enumerate(rows):
        if i % 17 == 3:
            for column in ("score", "answer", "cost", "latency"):
                row[f"model-a:{column}"] = ""
        if i % 23 == 5:
            row["model-b:answer"] = "None"
    return rows


def _long() -> list[Cells]:
    """A row a response."""
    rows = []
    for row in drawn(10, 120, [0.6, 0.45, 0.5], answers="number", reference=True):
        for model in ("model-a", "model-b", "model-c"):
            one = {key: row[key] for key in ("id", "prompt", "task", "reference")} | {"model": model}
            rows.append(one | {key: row[f"{model}:{key}"] for key in ("answer", "score", "cost", "latency")})
    return rows


def tables() -> dict[str, str]:
    """Name -> CSV."""
    even, bare = [0.5, 0.5, 0.5], {"priced": False, "timed": False}
    many = [0.6, 0.5, 0.55, 0.4, 0.5, 0.3, 0.45, 0.5, 0.2]
    return {
        "choices": written(drawn(1, 300, [0.7, 0.5, 0.45, 0.4], answers="choice", reference=True)),
        "graded in tenths": written(drawn(2, 400, [0.6, 0.6, 0.5, 0.5, 0.3], graded=10)),
        "numbers without scores": written(drawn(3, 250, even, answers="number", reference=True, scores=False)),
        "words without references": written(drawn(4, 200, [0.6, 0.5, 0.5, 0.4, 0.4], answers="word")),
        "gaps": written(_gaps()),
        "two models, one task": written(drawn(6, 90, [0.6, 0.55], tasks=1, answers="yes-no", reference=True)),
        "alike": written(drawn(7, 60, [0.5] * 5, shared=0.0, answers="choice", reference=True)),
        "many": written(drawn(8, 3500, many, answers="choice", reference=True)),
        "no prices": written(drawn(9, 150, [0.6, 0.4, 0.5], answers="word", reference=True, **bare)),
        "a row a response": written(_long(), ";"),
    }  # fmt: skip
