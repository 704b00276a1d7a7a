"""What methods ask models beyond the prompts: found out by running them on what is recorded so far, asked like any
question, and recorded.

A method is run on every query until it makes a call that nobody has recorded; these calls are asked all at once, and
the methods run again. So a reply is asked for as soon as all that its prompt is made of is there, and nothing is
asked twice, by whatever method or run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reference_impls.backends.usage import read
from reference_impls.core.meter import Meter
from reference_impls.core.model import ModelError
from reference_impls.core.pool import Pool
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.recorded.form import Call, Recording, Reply
from reference_impls.recorded.replies import MissingReplyError, Wanted
from reference_impls.recording.answers import logs_of, status_of, text_of
from reference_impls.recording.config import Config, ModelConfig
from reference_impls.recording.plan import Question, parameters_of, question
from reference_impls.recording.prompts import Prompt
from reference_impls.recording.scoring import graded
from reference_impls.recording.store import NO_ANSWER, Store

MOST_ROUNDS = 1000
"""Of asking; a method that still wants something then is left as it is."""
#: Of a method's random numbers: those of `atlas run`.
SEED = (0, 1)


@dataclass(frozen=True, slots=True)
class Demand:
    """A call that a method makes, and the query that it is about."""

    wanted: Wanted
    query: str


def demands(recording: Recording, infos: Sequence[MethodInfo]) -> Iterator[Demand]:
    """The first call of every method on every query that is not recorded.

    Raises:
        ValueError: a method that cannot run on the recording whatever is replied: one line.
    """
    everything = replace(recording, queries=tuple(replace(q, split="test") for q in recording.queries))
    trained = replace(recording, queries=tuple(replace(q, split="train") for q in recording.queries))
    place, school = RecordedBenchmark(everything), RecordedBenchmark(trained, split="train")
    meter = Meter([place.models[i] for i in Pool(place.models).by_price()])
    try:
        for info in infos:
            yield from _of_method(info, place, school, meter.pool)
    finally:
        meter.close()


def _of_method(info: MethodInfo, place: RecordedBenchmark, school: RecordedBenchmark, pool: Pool) -> Iterator[Demand]:
    def new() -> Method:
        return info.cls(pool, info.parameters(), np.random.default_rng(list(SEED)))

    method = new()
    if method.needs_training:
        train = school.training_set(info, method.training_samples)[0].of(pool.names)
        if (wanted := _missing(method.fit, train)) is not None:
            # What it asks of each query alone, so that all can be asked at once.
            each = [_missing(new().fit, train.subset([row])) for row in range(len(train))]
            found = [(one, item.query.id) for one, item in zip(each, place.items, strict=True) if one is not None]
            yield from (Demand(one, query) for one, query in found or [(wanted, place.items[0].query.id)])
            return
    for item in place.items:
        place.begin(item)
        wanted = _missing(copy.deepcopy(method).answer, item.query)
        if wanted is not None:
            yield Demand(wanted, item.query.id)


def _missing(run: Callable[[Any], object], about: object) -> Wanted | None:
    """The first call of a run that is not recorded."""
    try:
        run(about)
    except MissingReplyError as error:
        return error.wanted
    except (ModelError, ValueError, ArithmeticError):
        pass  # one query may be too few to learn from; `atlas run` tells what fails on all of them
    return None


def questions(
    config: Config, models: Mapping[str, ModelConfig], found: Sequence[Demand]
) -> dict[str, list[Question]]:
    """What is to be asked of each model."""
    made: dict[str, list[Question]] = {}
    for demand in dict.fromkeys(found):
        wanted = demand.wanted
        made.setdefault(wanted.model, []).extend(_questions(config, models[wanted.model], demand))
    return {name: list({q.id: q for q in asked}.values()) for name, asked in made.items()}


def _questions(config: Config, model: ModelConfig, demand: Demand) -> list[Question]:
    wanted = demand.wanted
    prompt = Prompt(demand.query, ({"role": "user", "content": wanted.prompt},), wanted.prompt, None, "", "")
    made = []
    for sample in range(wanted.n if wanted.temperature > 0 else 1):
        asked = parameters_of(config, model, wanted.temperature, wanted.seed + sample, wanted.max_tokens)
        if "logprobs" not in model.params:
            asked.pop("logprobs", None)  # a reply is read, and nobody asks how sure it was
        if wanted.stop:
            asked["stop"] = list(wanted.stop)
        made.append(question(model, prompt, sample, asked))
    return made


def call(config: Config, model: ModelConfig, demand: Demand, store: Store, reference: str | None) -> Call | None:
    """The recorded call; None where a reply is not there."""
    wanted, replies = demand.wanted, []
    for asked in _questions(config, model, demand):
        stored = store.get(asked.id)
        if stored is None:
            return None
        text, bill = text_of(stored), read(stored.answer.get("usage"))
        tokens, logprobs = logs_of(stored)
        score = None if stored.status in NO_ANSWER else graded(config.scorer, reference, text)[1]
        status, reason = status_of(stored)
        replies.append(Reply(
            text, None, score, stored.dollars, bill.prompt, bill.completion, stored.seconds, status, reason,
            bill.reasoning, bill.cached, tokens, logprobs,
        ))  # fmt: skip
    return Call(
        wanted.model, wanted.prompt, demand.query, wanted.temperature, wanted.max_tokens, wanted.stop, wanted.seed,
        tuple(replies),
    )  # fmt: skip


def complete(
    recording: Recording, infos: Sequence[MethodInfo], config: Config, store: Store,
    ask: Callable[[Mapping[str, list[Question]]], None],
) -> tuple[Recording, list[Demand]]:  # fmt: skip
    """The recording with all that methods ask.

    Args:
        recording: queries and responses, with no calls or some.
        infos: the methods.
        config: how models are asked.
        store: where their answers stand.
        ask: asks questions of each model, as far as the budget goes; the answers are in the store afterwards.

    Returns:
        the recording, and what is still wanted and was not answered, for want of money or because a server fails.
    """
    models = {model.name: model for model in config.models}
    references = {query.id: query.reference for query in recording.queries}
    for _ in range(MOST_ROUNDS):
        found = list(dict.fromkeys(demands(recording, infos)))
        made = [_call_of(config, models, d, store, references) for d in found]
        if any(one is None for one in made):
            ask(questions(config, models, [d for d, one in zip(found, made, strict=True) if one is None]))
            made = [_call_of(config, models, d, store, references) for d in found]
        new = [one for one in made if one is not None]
        if not new:
            return recording, found
        recording = replace(recording, calls=(*recording.calls, *new))
    return recording, found


def _call_of(
    config: Config, models: Mapping[str, ModelConfig], demand: Demand, store: Store,
    references: Mapping[str, str | None],
) -> Call | None:  # fmt: skip
    return call(config, models[demand.wanted.model], demand, store, references[demand.query])
