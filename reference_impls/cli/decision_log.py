"""Reads logs of routing decisions, and files of choices, for `evaluate-log`: JSON lines, one decision or choice each.

A decision: {"query": name or list of numbers, "task"?, "models"?: [...], "probabilities": {model: p} or
"probability": p of the chosen, "model": the chosen, "score": number, "cost"?: US dollars}; what `atlas decisions`
writes besides is left alone.
A choice: {"query": name, "model": name} or {"query": name, "probabilities": {model: p}}.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.core.model import Floats
from reference_impls.importing.files import json_lines
from reference_impls.measuring.off_policy import Log, SupportError
from reference_impls.recorded.lines import Fields, LineError, shown

#: Of different models in a log, and of features of a query.
MOST = 1000
#: Probability of a chosen model; what is rarer is 0 that was rounded, and its weight would outweigh all others.
LEAST = 1e-9
KEYS = ("query", "task", "models", "probabilities", "probability", "model", "score", "cost")
#: What `atlas serve` notes besides, and nothing here needs.
NOTED = ("decision", "time", "served", "utilities", "status", "seconds", "calls", "prompt")


class ProbabilityError(LineError):
    """No, or no valid, probability: the rest of the log without this line would tell another story."""


@dataclass(frozen=True)
class _Decision:
    query: str | None
    features: tuple[float, ...] | None
    task: str | None
    offered: tuple[str, ...]
    probabilities: dict[str, float]
    model: str
    score: float
    cost: float | None


def read(file: Path, *, strict: bool = False) -> tuple[Log, list[LineError]]:
    """A log, and what is wrong with the lines that were left out.

    Raises:
        LineError: a line without valid probabilities; where `strict`, the first malformed line.
        ValueError: no decision is left, there are too many models, or queries differ in how many features they have.
        OSError: the file cannot be read.
    """
    kept: list[_Decision] = []
    wrong: list[LineError] = []
    for item in json_lines(file):
        try:
            if isinstance(item, LineError):
                raise item
            kept.append(_decision(Fields(file, *item)))
        except LineError as error:
            if strict or isinstance(error, ProbabilityError):
                raise
            wrong.append(error)
    if not kept:
        raise ValueError(f"{wrong[0] if wrong else file}: the log holds no decision (write one a line)")
    models = tuple(sorted({name for one in kept for name in one.offered}))
    if len(models) > MOST:
        raise ValueError(f"{file}: more than {MOST} models (split the log)")
    index = {name: i for i, name in enumerate(models)}
    p, offered = np.full((len(kept), len(models)), np.nan), np.zeros((len(kept), len(models)), bool)
    for row, one in enumerate(kept):
        offered[row, [index[name] for name in one.offered]] = True
        if len(one.probabilities) > 1 or one.probabilities[one.model] == 1:
            p[row] = 0  # all are known; models that are not named could not be chosen
        for name, value in one.probabilities.items():
            p[row, index[name]] = value
    sizes = sorted({len(one.features) if one.features else 0 for one in kept})
    if len(sizes) > 1:
        told = ", ".join(str(size) if size else "no" for size in sizes)
        raise ValueError(f"{file}: queries have {told} features (give all of them as many, or name all of them)")
    costs = [one.cost for one in kept]
    log = Log(
        models, np.array([index[one.model] for one in kept]), p, np.array([one.score for one in kept]), offered,
        queries=tuple(one.query for one in kept), tasks=tuple(one.task for one in kept),
        features=np.array([one.features for one in kept]) if sizes[0] else None,
        costs=None if None in costs else np.array(costs, np.float64),
    )  # fmt: skip
    return log, wrong


def choices(file: Path, log: Log) -> Floats:
    """[n, m], the policy that a file of choices gives the log's decisions.

    Raises:
        LineError: a malformed line.
        SupportError: it wants a model that the log does not know, or says nothing of a query of the log.
        OSError: the file cannot be read.
    """
    made: dict[str, dict[str, float]] = {}
    for item in json_lines(file):
        if isinstance(item, LineError):
            raise item
        row = Fields(file, *item)
        row.check_keys(("query",), ("query", "model", "probabilities"))
        if ("model" in row.values) == ("probabilities" in row.values):
            raise row.wrong("'model' or 'probabilities' is wanted, one of them", "write one")
        query = row.name("query")
        if query in made:
            raise row.wrong(f"the query {shown(query)} stands twice", "remove one")
        made[query] = {row.name("model"): 1.0} if "model" in row.values else _probabilities(row)
    policy = np.zeros(log.offered.shape)
    if missing := sum(query not in made for query in log.queries):
        raise SupportError(f"{file}: says nothing of {missing} of {len(log.queries)} decisions (add their queries)")
    for i, asked in enumerate(log.queries):
        for name, value in made[asked or ""].items():
            if name not in log.models:
                if value == 0:
                    continue
                raise SupportError(f"{file}: wants {shown(name)}, which the log never could choose")
            policy[i, log.models.index(name)] = value
    return policy


def _decision(row: Fields) -> _Decision:
    row.check_keys(("query", "model", "score"), (*KEYS, *NOTED))
    model, query = row.name("model"), row.values["query"]
    features = None
    if isinstance(query, list):
        if not 0 < len(query) <= MOST:
            raise row.wrong(f"'query' has {len(query)} features", f"write 1 to {MOST} numbers, or a name")
        features = tuple(_number(row, "query", value) for value in query)
    if ("probability" in row.values) == ("probabilities" in row.values):
        what = "'probability' or 'probabilities' is wanted, one of them"
        raise ProbabilityError(row.file, row.line, what, "log with which probability the model was chosen")
    if "probabilities" in row.values:
        chances = _probabilities(row)
    else:
        chances = {model: _chance(row, row.values["probability"])}
    if chances.get(model, 0) < LEAST:
        what = f"the probability of the chosen model {shown(model)} is missing or 0 (less than {LEAST:g})"
        raise ProbabilityError(row.file, row.line, what, "it lies in (0, 1]")
    offered = row.values.get("models")
    if offered is None:
        offered = list(chances)
    if not isinstance(offered, list) or not offered:
        raise row.wrong(f"'models' is {shown(offered)}", "write a list of names")
    names = tuple(Fields(row.file, row.line, {"models": name}).name("models") for name in offered)
    if stray := {name for name, value in chances.items() if value > 0} - set(names):
        raise row.wrong(f"{shown(min(stray))} has a probability and is not among 'models'", "add it")
    return _Decision(
        query=None if features else row.name("query"), features=features,
        task=None if row.values.get("task") is None else row.name("task"), offered=names,
        probabilities={name: value for name, value in chances.items() if name in names}, model=model,
        score=_number(row, "score", row.values["score"]), cost=row.number("cost"),
    )  # fmt: skip


def _number(row: Fields, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e15:
        raise row.wrong(f"'{key}' holds {shown(value)}", "write a finite number")
    return float(value)


def _chance(row: Fields, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ProbabilityError(row.file, row.line, f"a probability is {shown(value)}", "it lies in (0, 1]")
    return float(value)


def _probabilities(row: Fields) -> dict[str, float]:
    given = row.values["probabilities"]
    if not isinstance(given, dict) or not given:
        what = f"'probabilities' is {shown(given)}"
        raise ProbabilityError(row.file, row.line, what, "write an object of models and numbers")
    made = {Fields(row.file, row.line, {"a model": n}).name("a model"): _chance(row, v) for n, v in given.items()}
    if not math.isclose(total := sum(made.values()), 1, abs_tol=1e-6):
        raise ProbabilityError(row.file, row.line, f"the probabilities sum to {total:g}", "they sum to 1")
    return made
