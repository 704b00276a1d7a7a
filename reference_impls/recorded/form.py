"""The generic recorded form: what models answered to queries, with scores, costs and latencies.

A folder with ``queries.jsonl``, ``responses.jsonl`` and what else is known (`files`). Anyone can bring their own
outcomes in it; the readers of the public sources give the same `Recording`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from reference_impls.core.model import Dress, Floats, Price
from reference_impls.core.suggest import nearest
from reference_impls.recorded.scoring import Scorer

SPLITS = ("train", "validation", "test")
#: Why a response holds no text, or not all of it; none of them: all is well.
STATUSES = ("cut", "filtered", "refused", "tools", "error")


@dataclass(frozen=True, slots=True)
class RecordedQuery:
    """One question that models were asked.

    Attributes:
        id: unique within the recording.
        prompt: what the models were given.
        reference: the right answer, where there is one and it is known.
        task: the task or data set that the query belongs to.
        split: ``train``, ``validation`` or ``test``.
        kind: how its answers are read, one of `ANSWER_KINDS`; None leaves it to the reference.
        options: texts of the options of a multiple-choice question, A first, where they are known.
        messages: what was sent, ``{"role": ..., "content": ...}`` each, where it was more than the prompt.
        metadata: whatever else is known of it; nothing here reads it.
    """

    id: str
    prompt: str
    reference: str | None
    task: str
    split: str
    kind: str | None = None
    options: tuple[str, ...] = ()
    messages: tuple[Mapping[str, str], ...] = field(default=(), hash=False)
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """One response of one model to one query; None stands for what was not recorded.

    Attributes:
        query_id: the query's `id`.
        model: the model's name.
        sample: 0, 1, 2, … where a model was asked more than once.
        text: the whole response.
        answer: the final answer in a form in which equal answers are equal strings.
        score: quality in [0, 1]; 1 is right.
        cost: US dollars.
        prompt_tokens, completion_tokens: what was billed.
        latency: seconds.
        calls: how often the model was called for it, where that was more than once, as by an agent.
        status: one of `STATUSES`; empty where all is well.
        finish_reason: as the server called it.
        reasoning_tokens, cached_tokens: those of the tokens that were thoughts, and that the provider still had.
        tokens: of the text, as pieces of it; empty if unknown.
        logprobs: of these tokens, and perhaps of the end token behind them; empty if unknown.
    """

    query_id: str
    model: str
    sample: int
    text: str | None
    answer: str | None
    score: float | None
    cost: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency: float | None
    calls: int | None = None
    status: str = ""
    finish_reason: str | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    tokens: tuple[str, ...] = ()
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model replied to a prompt that a method wrote; beside these as in `RecordedResponse`.

    Attributes:
        text: the whole reply; None where only its grade was kept.
        grade: that a judge gives in it.
        score: of the reply as an answer to the query, in [0, 1].
    """

    text: str | None
    grade: float | None = None
    score: float | None = None
    cost: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency: float | None = None
    status: str = ""
    finish_reason: str | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    tokens: tuple[str, ...] = ()
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call with a prompt that a method wrote: to judge, check, rank, fuse or debate.

    Attributes:
        model: who was asked.
        prompt: the whole of it.
        query_id: the query that it is about, where it is about one.
        temperature, max_tokens, stop, seed: as asked for; None stands for what nobody knows.
        replies: one each sample.
    """

    model: str
    prompt: str
    query_id: str | None
    temperature: float
    max_tokens: int | None
    stop: tuple[str, ...]
    seed: int | None
    replies: tuple[Reply, ...]


#: Keys that are written only where they say something.
ADDED = (
    "kind", "options", "messages", "metadata", "calls", "status", "finish_reason", "reasoning_tokens",
    "cached_tokens", "tokens", "logprobs", "stop",
)  # fmt: skip
QUERY_KEYS = tuple(field.name for field in fields(RecordedQuery))
RESPONSE_KEYS = tuple(field.name for field in fields(RecordedResponse))
REPLY_KEYS = tuple(field.name for field in fields(Reply))
CALL_KEYS = tuple(field.name for field in fields(Call))


@dataclass(frozen=True)
class Recording:
    """Queries and the responses of models to them.

    Attributes:
        name: the recording's name; for a folder the folder's.
        queries: in the order of the source.
        responses: those of one query and model in the order of their samples.
        prices: US dollars per million tokens of the models whose price is known.
        calls: what the models replied to prompts of methods.
        dresses: how a model was asked about others' answers, where that is known (`core.model.Dress`).
        scorer: how the scores were made, where that is known.
    """

    name: str
    queries: tuple[RecordedQuery, ...]
    responses: tuple[RecordedResponse, ...]
    prices: Mapping[str, Price]
    calls: tuple[Call, ...] = ()
    dresses: Mapping[str, Dress] = field(default_factory=dict)
    scorer: Scorer | None = None

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Names of the models: first those with a price in the order of the prices, then as they appear."""
        return tuple(dict.fromkeys([*self.prices, *(response.model for response in self.responses)]))

    @cached_property
    def row(self) -> Mapping[str, int]:
        """The position of each query by its `id`."""
        return {query.id: i for i, query in enumerate(self.queries)}

    @cached_property
    def scores(self) -> Floats:
        """[queries, models] scores of sample 0; nan where there is none."""
        return self._table({(r.query_id, r.model): r.score for r in self.responses if r.sample == 0})

    @cached_property
    def costs(self) -> Floats:
        """[queries, models] US dollars of sample 0: as recorded, else price times tokens, else nan."""
        return self._table({(r.query_id, r.model): self.cost_of(r) for r in self.responses if r.sample == 0})

    @cached_property
    def latencies(self) -> Floats:
        """[queries, models] seconds of sample 0; nan where none was measured."""
        return self._table({(r.query_id, r.model): r.latency for r in self.responses if r.sample == 0})

    def cost_of(self, response: RecordedResponse) -> float | None:
        """US dollars of one response: as recorded, else price times tokens, else None."""
        return self.bill(response.model, response)

    def bill(self, model: str, what: RecordedResponse | Reply) -> float | None:
        """US dollars of what a model wrote: as recorded, else price times tokens, else None."""
        if what.cost is not None:
            return what.cost
        price = self.prices.get(model)
        if price is None or what.prompt_tokens is None or what.completion_tokens is None:
            return None
        return price.of(what.prompt_tokens, what.completion_tokens)

    def _table(self, cells: Mapping[tuple[str, str], float | None]) -> Floats:
        table = np.full((len(self.queries), len(self.models)), np.nan)
        column = {model: j for j, model in enumerate(self.models)}
        for (query_id, model), value in cells.items():
            if value is not None:
                table[self.row[query_id], column[model]] = value
        return table

    def resplit(self, *, train: int, validation: int = 0, seed: int) -> Recording:
        """The same data with fresh splits: `train` and `validation` queries drawn at random, the rest for testing.

        Raises:
            ValueError: no query would be left to test on.
        """
        if min(train, validation) < 0 or train + validation >= len(self.queries):
            raise ValueError(
                f"{train} queries to train on and {validation} to validate leave none of {len(self.queries)} for"
                " the test; ask for fewer"
            )
        split = np.full(len(self.queries), "test", dtype="<U10")
        order = np.random.default_rng(seed).permutation(len(self.queries))
        split[order[:train]] = "train"
        split[order[train : train + validation]] = "validation"
        queries = (replace(query, split=str(name)) for query, name in zip(self.queries, split, strict=True))
        return replace(self, queries=tuple(queries))

    def only(self, models: Iterable[str]) -> Recording:
        """The same queries with the responses of some models only, in the order given.

        Raises:
            ValueError: a model that the recording does not know.
        """
        wanted = tuple(dict.fromkeys(models))
        for model in wanted:
            if model not in self.models:
                raise ValueError(f"recording {self.name} has no model {model!r}{nearest(model, self.models)}")
        prices = {model: self.prices[model] for model in wanted if model in self.prices}
        place = {model: j for j, model in enumerate(wanted)}
        kept = sorted((r for r in self.responses if r.model in place), key=lambda r: place[r.model])
        calls = tuple(call for call in self.calls if call.model in place)
        return replace(self, responses=tuple(kept), prices=prices, calls=calls)
