"""Traces: what happened to one query, from the first call to the last decision, as a JSON value.

A trace is an object with these members. Numbers are rounded to four digits, but for the bill and the score, which
are those of the run; null is what is unknown, and infinite numbers are the words inf and -inf. An empty text where a
token is meant is the end of the response.

    form            1, the number of this form
    method, benchmark, split, pool, seed, parameters
    models          of the pool, as the method sees them, from the cheapest to the dearest: {name, price}, the price
                    in US dollars per million completion tokens
    query           {id, level, prompt, kind, max_tokens}
    trained_on      the split that the method has learned from; null
    learned         what it has learned, as far as it is a number, a word or a short row: {attribute: value}
    events          in the order of time; every one has a ``kind`` (below)
    formulas        what each of the method's own functions that events name says of itself: {name: words}
    omitted         how many events of a kind are left out (`wording.Limits`): {kind: number}
    final           {text, answer, score, cost, latency, calls, prompt_tokens, completion_tokens, models, chosen, tie}
    spent           what every model was billed: {model: {calls, prompt_tokens, completion_tokens, cost, seconds}}
    alone           each model alone on the query: [{model, text, answer, score, cost}]
    source_hash, pool_hash   of what the trace rests on, as in a result

The kinds of events, each with what it holds:

    call            one call that asked a model for responses: model, prompt (null: the query's own), samples,
                    temperature, prompt_tokens, completion_tokens, cost, seconds, responses [{text, finished, status,
                    tokens, logprobs, mean_logprob}]; none where the call failed. The log-probabilities are those of
                    the tokens and of the end after them
    score           one call that scored a given text: model, prompt, text, tokens, logprob, and what it has cost
    utilities       of a router: models [{model, value}]
    probability     that the strong model is needed: value, threshold
    route           the model that serves the query: model, values
    choice          of one response or model among several: options [{model, answer, merit}], chosen (its place among
                    them), tie (how one was decided; empty)
    accept          whether a stage of a cascade was good enough: model, stage, text, accepted, values
    aggregate       the end of a method that makes one response of many: text, values
    step            one step of a token-level fusion: models [{model, top}] with each model's own distribution, merged
                    (the distribution, or the scores, that the step chose by) and piece, the text that was written
                    (null: the end). A top is [[token, probability], ..], the largest first; merged is null where a
                    step has chosen otherwise than by the largest of several values
    draft           some words that a model proposes: model, text, ended
    rating          of a text by a model: model, text, ended, tokens, mean_logprob
    written         the response so far, after a span was added: text
    formula         one of the method's own functions: name, given (its arguments by name), result; of one that
                    returns nothing, its arguments afterwards. An array of many entries is {shape, largest}, its
                    largest entries with their places, or with their tokens where they stand for a vocabulary

``values`` are the numbers among the local variables where the decision was made. Scores and the answers of the models
alone never reach the method; they are taken afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference_impls.core.answers import answer_of
from reference_impls.core.meter import Meter, Usage
from reference_impls.core.model import Generation, Model, ModelError
from reference_impls.core.pool import Pool
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.core.suggest import nearest
from reference_impls.core.training import TrainingSet
from reference_impls.running import catalog
from reference_impls.running.listening import Json, Listener
from reference_impls.running.outcome import Outcome
from reference_impls.running.responses import pool_hash
from reference_impls.running.runner import answer_all, source_hash
from reference_impls.running.setups import Setup
from reference_impls.running.wording import Limits, Words

#: Number of the form.
FORM = 1
#: Of a trace that somebody asks for.
WHOLE = Limits()


class Picked:
    """Some queries of a set-up, in a given order.

    Args:
        place: the set-up.
        ids: of the queries.

    Raises:
        ValueError: no query has an id: one line.
    """

    def __init__(self, place: Setup, ids: Sequence[str]) -> None:
        self.place, self.ids = place, ids
        self.label, self.pool, self.split = place.label, place.pool, place.split
        known = {item.query.id for item in place.items}
        for query in ids:
            if query not in known:
                raise ValueError(f"{place.label}: no query {query!r}{nearest(query, known)}")

    @property
    def models(self) -> Sequence[Model]:
        return self.place.models

    @property
    def items(self) -> Sequence[Any]:
        # Of a baseline that is told tasks they are others once it was checked.
        known = {item.query.id: item for item in self.place.items}
        return [known[query] for query in self.ids]

    def check(self, info: MethodInfo, method: Method) -> None:
        self.place.check(info, method)

    def training_set(self, info: MethodInfo, samples: int) -> tuple[TrainingSet, str]:
        return self.place.training_set(info, samples)

    def accuracies(self) -> Mapping[str, float]:
        return self.place.accuracies()

    def begin(self, item: Any) -> None:
        self.place.begin(item)

    def outcome(self, text: str, usage: Usage) -> Outcome:
        return self.place.outcome(text, usage)


def trace(
    method: str, place: Setup, queries: Sequence[str], *, seed: int = 0, settings: dict[str, str] | None = None,
    limits: Limits = WHOLE,
) -> list[Json]:  # fmt: skip
    """Runs a method on some queries and tells what happened to each.

    The method learns as in `runner.run`, once. One that draws random numbers draws them from the beginning, so that
    it may answer otherwise than in a run over more queries.

    Args:
        method: its name.
        place: models and queries.
        queries: ids.
        seed, settings: as for `runner.run`.
        limits: of what a trace holds.

    Returns:
        one trace a query, in the form above.

    Raises:
        UnknownNameError, ValueError: a name, an id or a parameter that does not exist, or something that the method
            needs and the benchmark lacks: one line.
    """
    info = catalog.method(method)
    parameters, picked = info.parameters(settings), Picked(place, queries)
    items = picked.items
    listener, heard, learned = Listener(limits), [], {}

    def listen(instance: Method) -> None:
        nonlocal learned
        listener.start(instance)
        learned = listener.learned()

    try:
        outcomes, told = answer_all(
            info, parameters, picked, np.random.default_rng([seed, 1]),
            progress=lambda _done, _total: heard.append(listener.cut()), listen=listen,
        )  # fmt: skip
    finally:
        listener.stop()
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(parameters).items()}
    about = {
        "form": FORM, "method": info.name, "benchmark": place.label, "split": place.split, "pool": place.pool,
        "seed": seed, "parameters": listed, "models": _models(place),
    }  # fmt: skip
    rests_on = {"source_hash": source_hash(info), "pool_hash": pool_hash(place.models)}
    for item, (events, *_) in zip(items, heard, strict=True):
        own = Words(limits).cut(item.query.prompt)
        for event in events:
            if event.get("prompt") == own:
                event["prompt"] = None
    return [
        {
            **about, "query": _query(item, limits), "trained_on": told["trained_on"], "learned": learned,
            "events": events, "formulas": _named(events, listener.told), "omitted": omitted,
            "final": _final(item, outcome, answers), "spent": spent, "alone": beside, **rests_on,
        }
        for item, outcome, (events, omitted, spent, answers), beside in zip(
            items, outcomes, heard, alone(picked, limits), strict=True
        )
    ]  # fmt: skip


def alone(place: Setup, limits: Limits = WHOLE) -> list[list[Json]]:
    """Each model's own answer to every query, from the cheapest model to the dearest, [queries][models]; where a call
    fails its text, answer, score and cost are None.
    """
    meter = Meter([place.models[i] for i in Pool(place.models).by_price()])
    try:
        return [[_alone(place, item, meter, model, limits) for model in meter.pool] for item in place.items]
    finally:
        meter.close()


def _alone(place: Setup, item: Any, meter: Meter, model: Model, limits: Limits) -> Json:
    query = item.query
    place.begin(item)
    meter.begin()
    try:
        [given] = model.generate(query.prompt, max_tokens=query.max_tokens, stop=query.stop)
    except ModelError:
        return {"model": model.name, "text": None, "answer": None, "score": None, "cost": None}
    outcome = place.outcome(given.text, meter.end())
    return {
        "model": model.name, "text": Words(limits).cut(given.text), "answer": answer_of(given, query),
        "score": outcome.score, "cost": _known(outcome, "cost"),
    }  # fmt: skip


def _models(place: Setup) -> list[Json]:
    pool = Pool(place.models)
    prices = [(pool[i].name, pool[i].price.completion) for i in pool.by_price()]
    return [{"name": name, "price": None if np.isnan(price) else price} for name, price in prices]


def _query(item: Any, limits: Limits) -> Json:
    query = item.query
    about = {"id": query.id, "level": item.level, "prompt": Words(limits).cut(query.prompt)}
    return about | {"kind": query.kind, "max_tokens": query.max_tokens}


def _named(events: Sequence[Json], told: Mapping[str, str]) -> dict[str, str]:
    names = {event["name"] for event in events if event["kind"] == "formula"}
    return {name: words for name, words in told.items() if name in names and words}


def _final(item: Any, outcome: Outcome, answers: Mapping[str, str]) -> Json:
    """What came of it. The answer is that of a response of the text where a back end knows those."""
    usage, text = outcome.usage, str(outcome.text)
    return {
        "text": text, "answer": answers.get(text) or answer_of(Generation("", text), item.query),
        "score": outcome.score,
        **{name: _known(outcome, name) for name in ("cost", "latency", "prompt_tokens", "completion_tokens")},
        "calls": usage.calls, "models": list(usage.models),
        "chosen": None if outcome.chosen is None else {"model": outcome.chosen[0], "sample": outcome.chosen[1]},
        "tie": outcome.tie,
    }  # fmt: skip


def _known(outcome: Outcome, field: str) -> float | None:
    value = outcome.known(field)
    return None if np.isnan(value) else value
