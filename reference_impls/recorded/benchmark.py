"""A recording as a benchmark: recorded responses stand for the models, recorded scores for the scorer.

Methods run on it as on any other. What a method returns is traced back to the response that it is, and that
response's recorded score, cost and latency are the result. What was not recorded is unknown, never zero.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.backends.replay import ReplayModel
from reference_impls.core.answers import answer_of, final_answer, given_answer, kind_of
from reference_impls.core.meter import Usage
from reference_impls.core.model import Dress, Floats, Generation, Price
from reference_impls.core.query import Query
from reference_impls.core.registry import NEEDS, MethodInfo
from reference_impls.core.stages import Method
from reference_impls.core.suggest import nearest
from reference_impls.core.training import TrainingSet
from reference_impls.recorded.form import SPLITS, RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.replies import Replies, ReplyText, Wanted
from reference_impls.recorded.scoring import READ, graded
from reference_impls.running.outcome import Outcome

#: What the public sources never hold.
NEVER = ("logprobs", "scoring", "distributions", "shared-vocabulary", "new-prompts")
#: Of these what a folder in the form can hold all the same, and where.
HELD = {"logprobs": "'logprobs' in responses.jsonl", "new-prompts": "replies.jsonl"}
#: Said of what it cannot hold.
UNHELD = "recorded answers do not hold that"


class RecordedText(str):
    """A response's text that remembers whose it is: two models may well write the same.

    Attributes:
        origin: query, model and sample. Not the response: methods hold this text and must not see its score.
    """

    __slots__ = ("origin",)
    origin: tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class RecordedItem:
    """A query of a split, its right answer where that is known, and its task as the level."""

    query: Query
    reference: str | None
    level: str


class RecordedBenchmark:
    """A recording that methods can run on.

    Args:
        recording: the data.
        models: names of the pool in its order; by default all of the recording.
        split: of the queries that are run.
        limit: only the first so many of them.

    Attributes:
        label: ``recorded:<name>``.
        pool: names of the models with commas between, or ``all``.
        models: the pool.
        items: the queries to run.

    Raises:
        ValueError: no such model or split, no queries, or a response or score that is missing: one line.
    """

    def __init__(
        self, recording: Recording, models: Sequence[str] = (), *, split: str = "test", limit: int | None = None
    ) -> None:
        self.label = f"recorded:{recording.name}"
        self.pool = ",".join(models) or "all"
        self.names = tuple(models) or recording.models
        for name in self.names:
            if name not in recording.models:
                raise ValueError(f"{self.label} has no model {name!r}{nearest(name, recording.models)}")
        if split not in SPLITS:
            raise ValueError(f"no split {split!r}{nearest(split, SPLITS)}")
        self.split = split
        self._recording = recording
        self._listed = all(name in recording.prices for name in self.names)
        self._replies = Replies(recording, listed=self._listed)
        self._responses: dict[tuple[str, str], list[RecordedResponse]] = defaultdict(list)
        for response in recording.responses:
            self._responses[response.query_id, response.model].append(response)
        kinds = answer_kinds(recording.queries)
        items = {
            part: [
                RecordedItem(Query(q.id, q.task, q.prompt, kinds[q.id], options=q.options), q.reference, q.task)
                for q in recording.queries
                if q.split == part
            ]
            for part in SPLITS
        }
        self.items, self._train = items[split][:limit], items["train"]
        if not self.items:
            raise ValueError(f"{self.label} has no {split} queries ('split' in queries.jsonl says which are)")
        cells = (r for (_, name), cell in self._responses.items() if name in self.names for r in cell)
        # Of scores alone no answer can be read; elsewhere a response without text and answer is one that failed.
        self._readable = any(r.text is not None or r.answer is not None for r in cells)
        self._check_complete()
        self.models = [
            RecordedModel(self, name, price, recording.dresses.get(name, "chat"))
            for name, price in zip(self.names, self._prices(), strict=True)
        ]
        self._current = self.items[0]
        self._given: list[Generation] = []

    def _check_complete(self) -> None:
        """A pool with gaps would be judged on the queries that the gaps leave, so every model has to have answered
        all; and every response that is run has to have a score.
        """
        queries = [item.query.id for item in [*self.items, *self._train]]
        gaps = {name: sum((query, name) not in self._responses for query in queries) for name in self.names}
        if any(gaps.values()):
            whole = ",".join(name for name, gap in gaps.items() if not gap)
            what = ", ".join(f"{gap} of {name}" for name, gap in gaps.items() if gap)
            mend = f"take the models that answered all: --pool {whole}" if whole else "remove the queries with gaps"
            raise ValueError(f"{self.label}: to {len(queries)} queries, responses are missing: {what} ({mend})")
        unknown = sum(
            self._score(item, response) is None
            for item in self.items
            for name in self.names
            for response in self._responses[item.query.id, name]
        )
        if unknown:
            raise ValueError(
                f"{self.label}: {unknown} responses to {self.split} queries have no score and cannot be graded"
                " (give a score, or the query's reference and the response's answer)"
            )

    def _prices(self) -> list[Price]:
        """List prices; where one is missing, what a response has cost on average stands for them all, and where not
        even that is known, nothing does: then the names of the models say which count as the cheap ones.
        """
        if self._listed:
            return [self._recording.prices[name] for name in self.names]
        return [Price(0.0, 1e6 * mean) for mean in self._mean_costs().tolist()]

    def _mean_costs(self) -> Floats:
        """Mean cost of the responses whose cost is known, in US dollars, [models]; all 0 if of some model none is, as
        that model would pass for the cheapest.
        """
        queries = [item.query.id for item in self._train or self.items]
        rows = [[self._recording.cost_of(self._responses[q, name][0]) for q in queries] for name in self.names]
        known = [[cost for cost in row if cost is not None] for row in rows]
        return np.array([np.mean(row) if all(known) else 0.0 for row in known])

    def check(self, info: MethodInfo, method: Method) -> None:
        """Holds a method's needs against what was recorded.

        Raises:
            ValueError: something that the method needs is missing: one line.
        """
        # First what no recording mends.
        for need in sorted(info.needs, key=lambda need: need not in NEVER):
            lack = self._lack(need, method)
            if lack:
                raise ValueError(f"{info.name} needs {need} ({NEEDS[need]}), but {lack}")

    def _lack(self, need: str, method: Method) -> str:
        """Why a need is not met; empty where it is."""
        if need in NEVER:
            return self._beside(need)
        if need in ("labels", "feedback"):
            if not method.needs_training:
                return ""
            if not self._train:
                return f"{self.label} has no train queries (draw some: --train 500)"
            unknown = sum(
                self._score(item, self._responses[item.query.id, name][0]) is None
                for item in self._train
                for name in self.names
            )
            return f"{unknown} responses to train queries of {self.label} have no score" if unknown else ""
        queries = [item.query.id for item in [*self.items, *self._train]]
        cells = [self._responses[query, name] for query in queries for name in self.names]
        if need == "samples":
            # Of some models only: a cascade does not draw any from its last one.
            return f"{self.label} has one response a model and query" if max(map(len, cells)) < 2 else ""
        # A response without one among others that have it has failed: it abstains, and the result counts it.
        missing = sum(cell[0].text is None and (need == "text" or cell[0].answer is None) for cell in cells)
        return f"{missing} of {len(cells)} responses in {self.label} have none" if missing == len(cells) else ""

    def _beside(self, need: str) -> str:
        """Why something that only a folder may hold, beside its responses, is not there; empty where it is."""
        if need == "logprobs":
            held = any(cell[0].logprobs for (_, name), cell in self._responses.items() if name in self.names)
        else:
            held = need in HELD and any(call.model in self.names for call in self._recording.calls)
        if held:
            return ""
        return f"{self.label} does not hold that ({HELD[need]} would)" if need in HELD else UNHELD

    def training_set(self, info: MethodInfo, samples: int = 0) -> tuple[TrainingSet, str]:
        """What a method learns from, and its name.

        The train split; for a method that needs no labels, where there is none, the queries that are run without
        their scores, as such methods are run in their papers. Samples are as many as every model has. An unknown cost
        is the model's mean (`_mean_costs`).
        """
        labelled = bool(self._train)
        assert labelled or not {"labels", "feedback"} & set(info.needs), "`check` comes first"
        items = self._train or self.items
        cells = [[self._responses[item.query.id, name] for name in self.names] for item in items]
        drawn = min(samples, *(len(cell) - 1 for row in cells for cell in row))
        means = self._mean_costs()

        def score(item: RecordedItem, response: RecordedResponse) -> float:
            found = self._score(item, response) if labelled else None
            return np.nan if found is None else found

        def cost(response: RecordedResponse, mean: float) -> float:
            known = self._recording.cost_of(response)
            return known if known is not None and means.any() else mean

        rows = list(zip(items, cells, strict=True))
        samples_of = [[[self.generation(r) for r in cell[1 : drawn + 1]] for cell in row] for row in cells]
        sample_scores = [[[score(item, r) for r in cell[1 : drawn + 1]] for cell in row] for item, row in rows]
        train = TrainingSet(
            [item.query for item in items], self.names, [[self.generation(cell[0]) for cell in row] for row in cells],
            np.array([[score(item, cell[0]) for cell in row] for item, row in rows]),
            np.array([[cost(cell[0], mean) for cell, mean in zip(row, means, strict=True)] for row in cells]),
            samples_of, np.array(sample_scores).reshape(len(items), len(self.names), drawn),
        )  # fmt: skip
        return train, "train" if labelled else f"{self.split}, without scores"

    def accuracies(self) -> Mapping[str, float]:
        """Mean score of every model on the train split; empty if there is none, or a score in it is missing."""
        firsts = [[self._responses[item.query.id, name][0] for name in self.names] for item in self._train]
        scores = np.array(
            [[self._score(item, r) for r in row] for item, row in zip(self._train, firsts, strict=True)], np.float64
        )
        if self.split == "train" or not scores.size or np.isnan(scores).any():
            return {}
        return dict(zip(self.names, scores.mean(0).tolist(), strict=True))

    def begin(self, item: RecordedItem) -> None:
        """The query that the models are asked from now on."""
        self._current, self._given = item, []

    def responses(self, model: str, prompt: str) -> list[Generation]:
        """What a model has answered to the query that is run; none to any other prompt."""
        if prompt != self._current.query.prompt:
            return []
        return [self.generation(response) for response in self._responses[self._current.query.id, model]]

    def reply(self, wanted: Wanted) -> list[Generation] | None:
        """What a model has replied to a prompt that a method wrote; None to the prompt of a query.

        Raises:
            MissingReplyError: that was not recorded.
        """
        return None if wanted.prompt == self._current.query.prompt else self._replies.given(wanted)

    def generation(self, response: RecordedResponse) -> Generation:
        """A recorded response as a model would have given it. Where only the answer was recorded it is the text.

        Where neither was, the response has failed and is empty; but if the recording holds only scores, it has an
        answer of its own that nobody knows.
        """
        text = response.answer if response.text is None else response.text
        answer = response.answer
        if text is None:
            unknown = f"[response of {response.model}, sample {response.sample}, not recorded]"
            text = answer = "" if self._readable else unknown
        told = RecordedText(text)
        told.origin = (response.query_id, response.model, response.sample)
        # Where the price is a list price the meter can bill by it, several samples' prompt once.
        cost = response.cost if self._listed else self._recording.cost_of(response)
        return Generation(
            response.model, told, response.tokens, response.logprobs, response.prompt_tokens,
            response.completion_tokens, np.nan if response.latency is None else response.latency,
            response.status not in ("cut", "filtered"), answer, cost, response.reasoning_tokens,
            response.cached_tokens, "failed" if response.status == "error" else response.status,
        )  # fmt: skip

    def give(self, generations: Sequence[Generation]) -> None:
        """Notes what the method has been given."""
        self._given.extend(generations)

    def outcome(self, text: str, usage: Usage) -> Outcome:
        """The score of what a method has returned to the current query.

        Raises:
            ValueError: the text is no recorded response and cannot be graded: one line.
        """
        item = self._current
        chosen = self._trace(text)
        score = self._grade(text) if chosen is None else self._score(item, chosen)
        assert score is not None, "`_check_complete` has seen a score for every response"
        unknown = self._replies.unknown([g.text for g in self._given if isinstance(g.text, ReplyText)])
        for response in (self._origin(g) for g in self._given if not isinstance(g.text, ReplyText)):
            if self._recording.cost_of(response) is None:
                unknown.add("cost")
            if response.latency is None:
                unknown |= {"latency", "critical_path"}
            if response.prompt_tokens is None:
                unknown.add("prompt_tokens")
            if response.completion_tokens is None:
                unknown |= {"completion_tokens", "tokens_by_model"}
        place = None if chosen is None else (chosen.model, chosen.sample)
        return Outcome(item.query.id, item.level, text, score, usage, place, frozenset(unknown))

    def _trace(self, text: str) -> RecordedResponse | None:
        """The response that a text is: the very one that was handed out, else the last one asked for with the same
        text.
        """
        if isinstance(text, RecordedText) and text.origin[0] == self._current.query.id:
            return self._named(text)
        if isinstance(text, ReplyText) and self._replies.score(text) is not None:
            return None
        same = [g for g in self._given if g.text.strip() == text.strip() and not isinstance(g.text, ReplyText)]
        return self._origin(same[-1]) if same else None

    def _origin(self, generation: Generation) -> RecordedResponse:
        assert isinstance(generation.text, RecordedText), "made by `generation`"
        return self._named(generation.text)

    def _named(self, text: RecordedText) -> RecordedResponse:
        query, model, sample = text.origin
        return next(r for r in self._responses[query, model] if r.sample == sample)

    def digest(self, model: ReplayModel) -> str:
        """Of the queries, the model's price and its responses."""
        own = [r for r in self._recording.responses if r.model == model.name]
        calls = [call for call in self._recording.calls if call.model == model.name]
        told = (self._recording.queries, model.price, own, *([calls, model.dress] if calls else []))
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def _grade(self, text: str) -> float:
        """The score of a text that is no response: its own, if it is a reply with one; that of the recorded responses
        with the same answer, if they agree; else whether it is the reference.
        """
        item, query = self._current, self._current.query
        told = self._replies.score(text) if isinstance(text, ReplyText) else None
        if told is not None:
            return told
        scorer = self._recording.scorer
        answer = final_answer(text, query.kind, query.options)
        row = [r for name in self.names for r in self._responses[item.query.id, name]]
        scores = {self._score(item, r) for r in row if answer and answer_of(self.generation(r), query) == answer}
        if len(scores) == 1 and None not in scores:
            return float(next(iter(scores)) or 0.0)
        # Patterns, programs and judges of a folder that a stranger may have written are not run here.
        unread = scorer is not None and (scorer.kind not in (*READ, None) or scorer.kind == "regex")
        if item.reference is None or unread:
            lack = f"by a scorer of kind {scorer.kind}" if unread and scorer else "without a reference"
            raise ValueError(
                f"{self.label}: the method's text for query {item.query.id!r}, {text[:60]!r}, is no recorded response"
                f" and cannot be graded {lack}"
            )
        if scorer is not None and scorer.kind in ("contains", "json"):
            return float(graded(scorer, item.reference, text)[1] or 0.0)
        return float(answer is not None and answer == given_answer(item.reference, query.kind, query.options))

    def _score(self, item: RecordedItem, response: RecordedResponse) -> float | None:
        """The recorded score, else whether the answer is the reference; None if neither is known."""
        if response.score is not None:
            return response.score
        if item.reference is None or (response.text is None and response.answer is None):
            return None
        query = item.query
        right = given_answer(item.reference, query.kind, query.options)
        if right is None:
            return None
        return float(answer_of(self.generation(response), query) == right)


class RecordedModel(ReplayModel):
    """A model of a recording: it answers the query that is run, and replies to what was recorded beside."""

    def __init__(self, benchmark: RecordedBenchmark, name: str, price: Price, dress: Dress) -> None:
        super().__init__(name, {}, price, dress=dress)
        self._benchmark = benchmark

    @property
    def digest(self) -> str:
        """Changes with the queries and with what was recorded of the model."""
        return self._benchmark.digest(self)

    def recorded(self, prompt: str) -> Sequence[Generation]:
        return self._benchmark.responses(self.name, prompt)

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        wanted = Wanted(self.name, prompt, n, temperature, max_tokens, tuple(stop), seed)
        given = self._benchmark.reply(wanted)
        if given is None:
            given = super().generate(
                prompt, n=n, temperature=temperature, max_tokens=max_tokens, stop=stop, seed=seed
            )
        self._benchmark.give(given)
        return given


def answer_kinds(queries: Sequence[RecordedQuery]) -> dict[str, str]:
    """How the final answer to each query reads, by its `id`: as it says itself, else by its own reference, else as to
    most queries of its task, else the whole text.
    """
    kinds = {
        q.id: q.kind or kind_of(q.reference or "", q.options)
        for q in queries
        if q.kind or q.options or (q.reference or "").strip()
    }
    known = Counter((q.task, kinds[q.id]) for q in queries if q.id in kinds)
    usual: dict[str, str] = {}
    for (task, kind), _ in known.most_common():
        usual.setdefault(task, kind)
    return {q.id: kinds.get(q.id) or usual.get(q.task, "text") for q in queries}
