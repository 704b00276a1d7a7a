"""Recorded answers as models: what a real model once wrote, with its tokens, its cost and its latency."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from reference_impls.backends.usage import amount, count
from reference_impls.core.model import UNKNOWN_PRICE, Dress, Floats, Generation, Price

T = TypeVar("T")


class NotRecordedError(LookupError):
    """A model was asked for what it was not recorded with; the message is one line."""


class ReplayModel:
    """A model whose responses to a fixed set of prompts were recorded.

    Args:
        name: the model's name.
        responses: recorded responses by prompt; the first is the greedy one, all of them are the samples.
        price: US amount per million tokens.
        size: millions of parameters, 0 if unknown.
        dress: of the recorded prompts about others' answers, if there are any.
    """

    def __init__(
        self, name: str, responses: Mapping[str, Sequence[Generation]], price: Price, size: float = 0.0,
        dress: Dress = "chat",
    ) -> None:  # fmt: skip
        self.name = name
        self.price = price
        self.size = size
        self.context = 0
        self.dress = dress
        self._responses = responses

    def recorded(self, prompt: str) -> Sequence[Generation]:
        """All recorded responses to a prompt; none if it was not recorded."""
        return self._responses.get(prompt, ())

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,  # noqa: ARG002
        stop: Sequence[str] = (), seed: int = 0,  # noqa: ARG002
    ) -> list[Generation]:  # fmt: skip
        """The recorded responses, in their order (starting at `seed` for samples).

        Raises:
            NotRecordedError: the prompt was not recorded, or fewer than `n` responses to it.
        """
        recorded = self.recorded(prompt)
        if not recorded:
            raise NotRecordedError(f"no recorded response of {self.name} to the prompt {prompt[:60]!r}")
        if n > len(recorded):
            raise NotRecordedError(f"{self.name}: {n} samples wanted, {len(recorded)} recorded for {prompt[:60]!r}")
        if temperature <= 0:
            return [recorded[0]] * n
        return [recorded[(seed + i) % len(recorded)] for i in range(n)]

    def score(self, prompt: str, continuation: str) -> Floats:  # noqa: ARG002
        raise NotRecordedError(f"recorded answers of {self.name} hold no log-probabilities of other texts")


def load(path: Path) -> ReplayModel:
    """Reads a model from JSON lines: first ``{"model", "price": [prompt, completion], "size"}``, then one
    response a line.

    A response line has ``prompt``, ``text`` and, where known, ``tokens``, ``logprobs``, ``prompt_tokens``,
    ``completion_tokens``, ``reasoning_tokens``, ``cached_tokens``, ``cost``, ``latency``, ``finished``, ``status``
    and ``answer``. What is missing or null is unknown, and so is a price of null.

    Raises:
        ValueError: a line that is no such record; the message names file and line.
    """
    responses: dict[str, list[Generation]] = {}
    with path.open(encoding="utf-8") as lines:
        try:
            number = 1
            head = json.loads(next(lines, "{}"))
            name, price = head["model"], _price(head["price"])
            for number, line in enumerate(lines, 2):  # noqa: B007 (read in the except clause)
                record = json.loads(line)
                responses.setdefault(_valid(record["prompt"], _text), []).append(_response(name, record))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{path}:{number}: no recorded response ({error!r})") from None
    return ReplayModel(name, responses, price, head.get("size", 0.0))


def _price(amounts: list[float] | None) -> Price:
    if amounts is None:
        return UNKNOWN_PRICE
    prompt, completion = (_valid(one, amount) for one in amounts)
    return Price(prompt, completion)


def _response(model: str, record: dict[str, Any]) -> Generation:
    def told(name: str, kind: Callable[[Any], T | None], unknown: T) -> T:
        return unknown if record.get(name) is None else _valid(record[name], kind)

    return Generation(
        model, _valid(record["text"], _text), told("tokens", _texts, ()), told("logprobs", _logs, ()),
        told("prompt_tokens", count, None), told("completion_tokens", count, None),
        told("latency", amount, math.nan), told("finished", _truth, True), told("answer", _text, None),
        told("cost", amount, None), told("reasoning_tokens", count, None), told("cached_tokens", count, None),
        told("status", _text, ""),
    )  # fmt: skip


def _valid(value: object, kind: Callable[[Any], T | None]) -> T:
    """What a reader makes of a value that is there."""
    found = kind(value)
    if found is None:
        raise ValueError(f"{value!r:.60} is not what belongs there")
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _texts(value: list[object]) -> tuple[str, ...] | None:
    return tuple(v for v in value if isinstance(v, str)) if all(isinstance(v, str) for v in value) else None


def _logs(value: list[float]) -> tuple[float, ...] | None:
    return tuple(float(v) for v in value) if all(float(v) <= 0 for v in value) else None
