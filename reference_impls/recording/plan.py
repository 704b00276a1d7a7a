"""What is to be asked, and what it may cost at most, before a cent is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference_impls.core.model import Price
from reference_impls.recording.asking import limit_of
from reference_impls.recording.config import LIMITS, Config, ModelConfig
from reference_impls.recording.prompts import Prompt
from reference_impls.recording.store import Store, identity

_AROUND = 256
"""Tokens that a server's chat form may add to a prompt; and to each message of it `_MESSAGE`."""
_MESSAGE = 16


@dataclass(frozen=True, slots=True)
class Question:
    """One answer that is wanted: what is sent, and the name it is stored by."""

    prompt: Prompt
    sample: int
    messages: tuple[Mapping[str, str], ...]
    parameters: Mapping[str, Any]
    id: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one model still has to be asked.

    Attributes:
        stored: answers that are there and are not paid again.
        requests: answers that are missing.
        read: tokens of their prompts, about (four bytes a token).
        written: most tokens of their answers.
        dollars: most that they may cost; None where the price is unknown.
    """

    stored: int
    requests: int
    read: int
    written: int
    dollars: float | None


def questions(config: Config, model: ModelConfig, prompts: Sequence[Prompt]) -> list[Question]:
    """All that a model is asked, the first answers to all prompts first. Samples differ in their seed."""
    made = []
    for sample in range(config.samples + 1):
        asked = parameters_of(config, model, config.temperature if sample else 0.0, sample, config.max_tokens)
        made += [question(model, prompt, sample, asked) for prompt in prompts]
    return made


def parameters_of(
    config: Config, model: ModelConfig, temperature: float, seed: int, max_tokens: int
) -> dict[str, Any]:
    """What is sent beside the messages; the model's own `params` have the last word."""
    parameters: dict[str, Any] = {"temperature": temperature, "seed": seed}
    if config.logprobs:
        parameters["logprobs"] = True
    if not any(name in model.params for name in LIMITS):
        parameters["max_tokens"] = max_tokens
    asked = parameters | model.params
    if all(asked.get(name) is None for name in LIMITS):
        asked["max_tokens"] = max_tokens  # without one, no worst case is known
    return asked


def question(model: ModelConfig, prompt: Prompt, sample: int, asked: Mapping[str, Any]) -> Question:
    """A prompt as one model is asked it."""
    system = ({"role": "system", "content": model.system},) if model.system else ()
    messages = (*system, *prompt.messages)
    return Question(
        prompt, sample, messages, asked, identity(address_of(model), model.served, messages, asked, sample)
    )


def address_of(model: ModelConfig) -> str:
    """Who is asked, in an answer's name."""
    return f"{model.kind} {model.base_url} {model.api_version}".strip()


def worst(question: Question, price: Price | None) -> float | None:
    """Most that an answer may cost: a token has at least one byte."""
    if price is None:
        return None
    read = _AROUND + sum(_MESSAGE + len(m["content"].encode()) for m in question.messages)
    return price.of(read, limit_of(question.parameters))


def missing(wanted: Sequence[Question], store: Store) -> list[Question]:
    """What is not stored yet, or failed for a reason that may have gone."""
    found = ((q, store.get(q.id)) for q in wanted)
    return [q for q, stored in found if stored is None or stored.status == "error"]


def estimate(wanted: Sequence[Question], store: Store, price: Price | None) -> Estimate:
    """What is still to be asked of one model."""
    open_ = missing(wanted, store)
    costs = [worst(question, price) for question in open_]
    known = [cost for cost in costs if cost is not None]
    return Estimate(
        len(wanted) - len(open_), len(open_),
        sum(len(m["content"].encode()) for q in open_ for m in q.messages) // 4,
        sum(limit_of(q.parameters) for q in open_),
        sum(known) if len(known) == len(costs) else None,
    )  # fmt: skip
