"""Recorded answers as models: what a real model once wrote, with its tokens, its cost and its latency."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from reference_impls.core.model import Dress, Floats, Generation, Price


class NotRecordedError(LookupError):
    """A model was asked for what it was not recorded with; the message is one line."""


class ReplayModel:
    """A model whose responses to a fixed set of prompts were recorded.

    Args:
        name: the model's name.
        responses: recorded responses by prompt; the first is the greedy one, all of them are the samples.
        price: US dollars per million tokens.
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
    ``completion_tokens``, ``latency``.

    Raises:
        ValueError: a line that is no such record; the message names file and line.
    """
    responses: dict[str, list[Generation]] = {}
    with path.open(encoding="utf-8") as lines:
        try:
            number = 1
            head = json.loads(next(lines, "{}"))
            name, price = head["model"], Price(*head["price"])
            for number, line in enumerate(lines, 2):  # noqa: B007 (read in the except clause)
                record = json.loads(line)
                responses.setdefault(record["prompt"], []).append(
                    Generation(
                        name, record["text"], tuple(record.get("tokens", ())), tuple(record.get("logprobs", ())),
                        record.get("prompt_tokens", 0), record.get("completion_tokens", 0),
                        record.get("latency", 0.0),
                    )
                )  # fmt: skip
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}:{number}: no recorded response ({error!r})") from None
    return ReplayModel(name, responses, price, head.get("size", 0.0))
