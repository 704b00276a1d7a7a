"""Reads result files. One that is damaged or no result is told in one line, before anything is computed from it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NoReturn, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, ValidationError, model_validator

Number = FiniteFloat | None  # None: unknown


class ResultError(ValueError):
    """A file holds no result; says in one line which, why, and what to do."""


class _Form(BaseModel):
    """The fields that pages are made of; there may be more."""

    model_config = ConfigDict(extra="allow", strict=True)


class Score(_Form):
    mean: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat


class Usage(_Form):
    models_called: Number
    calls: Number
    cost: Number


class Items(_Form):
    score: list[FiniteFloat]
    cost: list[Number]


class Measured(_Form):
    """A result of `atlas bench`: a method on a benchmark."""

    method: str
    label: str
    category: str
    benchmark: str
    split: str
    pool: str
    pool_hash: str
    models: list[str]
    seed: int
    parameters: dict[str, Any]
    versions: dict[str, str]
    queries: PositiveInt
    score: Score
    levels: dict[str, FiniteFloat] = {}
    usage: Usage
    timing: dict[str, Number]
    items: Items

    @model_validator(mode="after")
    def _one_item_a_query(self) -> Self:
        if not self.queries == len(self.items.score) == len(self.items.cost):
            raise ValueError("queries, items.score and items.cost differ in number")
        return self


class Estimate(_Form):
    mean: Number
    low: Number
    high: Number
    runs: list[Number] | None


class Gain(Estimate):
    """Over the best single model of the run's own pool."""

    baseline: str
    p: Number
    p_adjusted: Number
    adjusted: tuple[FiniteFloat, FiniteFloat] | None = Field(strict=False)
    verdict: Literal["better", "worse", "no clear difference"] | None


class Pool(_Form):
    name: str
    models: list[str]
    queries: int
    baselines: dict[str, str]
    absent: dict[str, str]
    preflight: dict[str, Any] | None


class Model(_Form):
    name: str
    score: Estimate
    cost: Number
    latency: Number
    price: dict[str, Any] | None


class Run(_Form):
    label: str
    method: str
    category: str
    learned: bool
    queries: int
    pool: list[str]
    settings: dict[str, Any]
    score: Estimate
    called: dict[str, Number] | None
    calls: Number
    models_called: Number
    latency: Number
    cost: Number
    cost_quantiles: dict[str, FiniteFloat] | None
    curve: Any
    point: Any
    gain: Gain | None
    over_coin: Gain | None
    judges: dict[str, Estimate]
    spread: list[FiniteFloat] | None
    apgr_eleven: Estimate | None
    cpt50: Estimate | None
    cpt80: Estimate | None


class Row(_Form):
    method: str
    quantity: str
    agrees: bool | None
    ours: Estimate | None


class Refused(_Form):
    method: str
    reason: str


class Recomputed(_Form):
    """A result of `atlas reproduce`: a recording."""

    recording: str
    command: str
    protocol: str
    axis: str | None
    pools: list[Pool]
    verifier: dict[str, Any] | None
    queries: int
    tasks: dict[str, int]
    models: list[Model]
    rows: list[Row]
    runs: list[Run]
    refused: list[Refused]
    published: list[dict[str, Any]]


def read_result(path: Path, form: type[Measured] | type[Recomputed], command: str) -> dict[str, Any]:
    """A result as it stands in its file; not to be changed, for others get the same.

    Args:
        path: the file.
        form: what it must have.
        command: what makes it again.

    Raises:
        ResultError: it cannot be read, is no JSON, or lacks what the form has.
    """
    repair = f"({command} makes it again)"
    try:
        return _parsed(path.read_bytes(), form)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise ResultError(f"{path}: is no result: {where}: {first['msg']} {repair}") from error
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ResultError(f"{path}: cannot be read: {why} {repair}") from error


@lru_cache(maxsize=4096)  # pages and verdicts rest on the same files, and a server reads them after each edit
def _parsed(data: bytes, form: type[Measured] | type[Recomputed]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(data.decode("utf-8"), parse_constant=_refuse)
    form.model_validate(value)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
