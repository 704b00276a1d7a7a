"""The stages: what a method of each stage implements. Whatever it is, a method answers a query with a text."""

import hashlib
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from reference_impls.core.answers import answer_of
from reference_impls.core.choice import Choice
from reference_impls.core.decoding import TextSession, blank_side
from reference_impls.core.learn import threshold_for_quality
from reference_impls.core.model import Floats, Generation, Logits, Model, ModelError, TokenModel
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.training import TrainingSet

#: Training queries that a lead is set on, at least.
FEWEST = 30
#: Models whose prices differ by this factor at most cost alike.
ALIKE = 1.1
#: What the method counts where such a lead is set.
LED = "queries that the lead leaves to the best single model"


@dataclass(frozen=True)
class NoParameters:
    """Parameters of a method that has none."""


class Method(ABC):
    """An ensemble method.

    Args:
        pool: metered models.
        parameters: an instance of the class's `Parameters`.
        rng: the only source of randomness.

    Attributes:
        choice: chooses among responses or models, and decides ties; the runner tells it held-out accuracies.
        asked, abstained: how many responses each model has given through `ask`, and how many of them hold no answer.
        failed: how many of the abstentions are responses that no call has brought, by the error's message.
        notes: what else the method counts for its result, by name, for instance replies that it could not read; in
            training too. What may be counted stands there from the start, with 0.
    """

    #: Frozen dataclass of the method's parameters; every default is the paper's, said in a comment.
    Parameters: ClassVar[type[Any]] = NoParameters
    #: How many sampled responses a model and query the method wants in its training set beside the greedy one. The
    #: runner asks the instance, so that it may depend on the parameters.
    training_samples: int = 0
    #: Whether `fit` needs a training set at all; without, none is recorded for it.
    needs_training: bool = False
    #: Whether queries say their task also where a benchmark hides it: for baselines that show what that is worth.
    told_tasks: ClassVar[bool] = False

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        self.pool = pool
        self.parameters = self.Parameters() if parameters is None else parameters
        self.rng = np.random.default_rng(0) if rng is None else rng
        self.choice = Choice(self.rng)
        self.asked, self.abstained, self.notes = Counter[str](), Counter[str](), Counter[str]()
        self.failed = Counter[str]()
        self._root: int | None = None

    def fit(self, train: TrainingSet) -> None:  # noqa: B027 (methods that learn nothing leave it as it is)
        """Learns from recorded responses; called once, before the first query, where `needs_training` is set."""

    @abstractmethod
    def answer(self, query: Query) -> str:
        """The ensemble's response."""

    def seed(self, *about: str) -> int:
        """A seed for a sampling call.

        Args:
            about: what the call is about (the model's name, the prompt, ...). The seed depends on it and on the
                generator alone, so that neither the order of the models nor that of the queries changes what is
                sampled. Nothing: a fresh seed each time.
        """
        if not about:
            return int(self.rng.integers(2**31))
        if self._root is None:
            self._root = int(self.rng.integers(2**31))
        return int.from_bytes(hashlib.sha256(repr((self._root, *about)).encode()).digest()[:4], "big") >> 1

    def ask(self, model: Model, query: Query, *, samples: int = 1, temperature: float = 0.0) -> list[Generation]:
        """Responses of one model to the query as it stands. What a call does not bring is an abstention: empty, its
        reason noted and told in one line.
        """
        seed = self.seed(model.name, query.prompt) if temperature > 0 else 0
        try:
            responses = model.generate(
                query.prompt, n=samples, temperature=temperature, max_tokens=query.max_tokens, stop=query.stop,
                seed=seed,
            )  # fmt: skip
        except ModelError as error:
            if str(error) not in self.failed:
                logging.getLogger(__name__).warning("atlas: %s (counted as an abstention)", error)
            came = [response for response in error.paid if response.text][:samples]
            self.failed[str(error)] += samples - len(came)
            responses = [*came, *[Generation(model.name, "", status="failed")] * (samples - len(came))]
        self.asked[model.name] += len(responses)
        self.abstained[model.name] += sum(answer_of(response, query) is None for response in responses)
        return responses


class Router(Method):
    """Before inference: one model is chosen from the query alone."""

    needs_training = True

    @abstractmethod
    def route(self, query: Query) -> int:
        """Position in the pool of the model that serves the query."""

    def answer(self, query: Query) -> str:
        return self.ask(self.pool[self.route(query)], query)[0].text


class UtilityRouter(Router):
    """A router that gives every model a number and takes the largest; ties as `Choice.model` decides them.

    Attributes:
        single_, lead_: position of one model, and how much larger another model's utility must be before that one
            serves instead. No model has a lead unless `give_lead` gives it one.
    """

    single_ = 0
    lead_ = 0.0

    @abstractmethod
    def utilities(self, query: Query) -> Floats:
        """Utility of every model for the query, [models]."""

    def give_lead(self, held_out: Floats, rewards: Floats, single: int) -> None:
        """Gives one model the lead that earns most on training queries.

        So a router that is no better than one model leaves all queries to it (`threshold_for_quality`). Fewer than
        `FEWEST` queries cannot tell, and give none.

        Args:
            held_out: utilities of training queries that they were not learned from, [queries, models].
            rewards: what the models earned on them, in the same unit.
            single: the model that is best over all training queries.
        """
        self.single_, self.lead_ = single, 0.0
        if len(self.pool) > 1 and len(rewards) >= FEWEST:
            others = np.where(np.arange(len(self.pool)) == single, -np.inf, held_out)
            earned = rewards[np.arange(len(rewards)), others.argmax(1)]
            ahead = others.max(1) - held_out[:, single]
            self.lead_ = max(threshold_for_quality(ahead, rewards[:, single], earned), 0.0)
            self.notes[LED] = 0

    def best_single(self, rewards: Floats) -> int:
        """Position of the model of the largest mean of rewards [queries, models]; of equals the cheapest."""
        means = rewards.mean(0)
        return next(m for m in self.pool.by_price() if means[m] >= means.max() - 1e-12)

    def route(self, query: Query) -> int:
        utilities = self.utilities(query)
        if self.lead_ > 0:
            self.notes[LED] += bool(utilities[self.single_] < utilities.max() <= utilities[self.single_] + self.lead_)
            utilities = np.where(np.arange(len(utilities)) == self.single_, utilities + self.lead_, utilities)
        return self.choice.model(self.pool, utilities)


@dataclass(frozen=True)
class ThresholdParameters:
    """Parameters of every `ThresholdRouter`."""

    #: Names of the strong and the weak model; empty: the dearest and the cheapest of the pool, or the pair that
    #: training queries choose (`ThresholdRouter.take_pair`).
    strong: str = ""
    weak: str = ""
    #: Least probability at which the strong model serves: 0 is always strong, above 1 always weak. Below 0 it is
    #: calibrated on training queries.
    threshold: float = -1.0


class ThresholdRouter(Router):
    """A router between two models: the strong one serves where the estimated probability that it is needed reaches a
    threshold. One pass over `strong_probability` gives its whole cost-quality curve.

    Attributes:
        strong_, weak_: positions in the pool.
        threshold_: of the probability; set by `fit`.
    """

    Parameters = ThresholdParameters
    threshold_: float

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p, order = self.parameters, self.pool.by_price()
        self.strong_ = self.pool.index(p.strong) if p.strong else order[-1]
        self.weak_ = self.pool.index(p.weak) if p.weak else order[0]

    def take_pair(self, scores: Floats) -> None:
        """Sets the pair by training scores [queries, models] unless a model of it is named.

        It is the best single model and the one that adds most to it where the better of both serves every query; the
        dearer is the strong one. The dearest model of a large pool need not be its best, and nothing that routes
        between two weak models reaches the best of the pool.
        """
        order = self.pool.by_price()
        if len(order) < 3 or self.parameters.strong or self.parameters.weak:
            return
        best = max(order, key=lambda m: float(scores[:, m].mean()))
        both = {m: float(np.maximum(scores[:, best], scores[:, m]).mean()) for m in order if m != best}
        self.weak_, self.strong_ = sorted((best, max(both, key=lambda m: both[m])), key=order.index)
        pair = f"{self.pool[self.weak_].name} and {self.pool[self.strong_].name}"
        self.notes[f"models of the pool that never serve, as it chooses between {pair}"] = len(order) - 2

    @abstractmethod
    def strong_probabilities(self, prompts: Sequence[str]) -> Floats:
        """Probability that the strong model is needed, [prompts]."""

    def strong_probability(self, query: Query) -> float:
        """The same for one query."""
        return float(self.strong_probabilities([query.prompt])[0])

    def route(self, query: Query) -> int:
        return self.strong_ if self.strong_probability(query) >= self.threshold_ else self.weak_


class Joint(Method):
    """During inference: several models write one response together.

    A `gap` among the parameters determines, before any query, who takes part (a rule of UniTE's): models that score
    worse than the best by more than that on the training queries are left out, and the others come in the order of
    their scores. From 1 on it leaves nobody out and needs no training set; without `fit` everybody takes part too.

    Where nothing was learned the dearest model comes first, as price is all that speaks for quality. Of models that
    cost alike (`ALIKE`) it says nothing: of those, the one of the best held-out accuracy comes first, where any are
    known.
    """

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.left_out_: frozenset[str] = frozenset()
        self.means_: dict[str, float] = {}
        if hasattr(self.parameters, "gap"):
            self.needs_training = self.parameters.gap < 1

    def fit(self, train: TrainingSet) -> None:
        means = train.scores.mean(0)
        low = means.max() - self.parameters.gap - 1e-9
        self.means_ = dict(zip(train.models, means.round(9).tolist(), strict=True))
        self.left_out_ = frozenset(name for name, mean in zip(train.models, means, strict=True) if mean < low)

    def members(self) -> list[TokenModel]:
        """The models that take part, the main one first: from the best on the training queries to the worst; of
        equals, and where nothing was learned, from the dearest to the cheapest.
        """
        models, prices = self.pool.token_models(), self.pool.prices
        left = [i for i in reversed(self.pool.by_price()) if models[i].name not in self.left_out_]
        if self.means_:
            return [models[i] for i in sorted(left, key=lambda i: -self.means_[models[i].name])]
        groups: list[list[int]] = []
        for i in left:
            if groups and prices[groups[-1][0]] <= ALIKE * prices[i]:
                groups[-1].append(i)
            else:
                groups.append([i])
        known = self.choice.accuracies() if len(groups) < len(left) else {}
        held_out = [round(known.get(model.name, 0.0), 9) for model in models]
        return [models[i] for group in groups for i in sorted(group, key=lambda i: -held_out[i])]


class Fusion(Joint):
    """During inference, token by token: all models read the same text, and each step decides the next piece
    of it. The response ends, cut, where it fills a model's context.
    """

    def begin(self, query: Query, texts: Sequence[TextSession]) -> None:
        """Called when all models have been given the prompt; for weights that depend on it."""

    @abstractmethod
    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        """The next piece of text, as bytes (any length), or None to end. The loop appends it to every model's text.

        A step tells which forward passes do not wait for one another: those inside `Pool.parallel`, as `logits`
        opens it.
        """

    def note_blanks(self, texts: Sequence[TextSession]) -> None:
        """Counts a query whose models disagree on where the blank between two words belongs."""
        sides = {blank_side(tuple(text.model.vocabulary)) for text in texts}
        self.notes["queries fused across blanks before and behind words"] += {-1, 1} <= sides

    def logits(self, texts: Sequence[TextSession]) -> list[Logits]:
        """Every model's logits of its next token, [models][vocabulary], asked side by side."""
        with self.pool.parallel():
            return [text.next_logits() for text in texts]

    def answer(self, query: Query) -> str:
        texts = [TextSession(model, query.prompt) for model in self.members()]
        self.begin(query, texts)
        for _ in range(query.max_tokens):
            piece = self.step(texts)
            if piece is None:
                break
            for text in texts:
                text.take(piece)
            if any(text.room <= 0 for text in texts) or any(stop in texts[0].text for stop in query.stop):
                break
        return texts[0].text


class Aggregator(Method):
    """After inference: every model answers, then one response is chosen or made."""

    def collect(self, query: Query) -> list[Generation]:
        """The responses to aggregate: one greedy response a model, in the pool's order, unless overridden."""
        with self.pool.parallel():
            return [response for model in self.pool for response in self.ask(model, query)]

    @abstractmethod
    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        """The final response."""

    def answer(self, query: Query) -> str:
        return self.aggregate(query, self.collect(query))


@dataclass(frozen=True)
class Attempt:
    """What one stage of a cascade has brought.

    Attributes:
        stage: 0 for the first model asked.
        model: position in the pool.
        responses: of that model.
        text: what is returned if the attempt is accepted.
    """

    stage: int
    model: int
    responses: Sequence[Generation]
    text: str

    def answers(self, query: Query) -> bool:
        """Whether there is a final answer in it; else the attempt is an abstention."""
        return any(answer_of(response, query) is not None for response in self.responses)


class Cascade(Method):
    """After inference, one model after another until a response is good enough.

    An abstention is never good enough, and if the last model abstains, the last answer before it is returned.
    """

    #: Positions of the models in the order in which they are asked; from cheap to dear unless `fit` sets another one.
    order: Sequence[int]

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.order = self.pool.by_price()

    def attempt(self, query: Query, stage: int) -> Attempt:
        """Asks the model of a stage: one greedy response unless overridden."""
        model = self.order[stage]
        responses = self.ask(self.pool[model], query)
        return Attempt(stage, model, responses, responses[0].text)

    @abstractmethod
    def accept(self, query: Query, response: Attempt) -> bool:
        """Whether the response is good enough; never asked about the last model's, nor about an abstention."""

    def answer(self, query: Query) -> str:
        attempts: list[tuple[Attempt, str]] = []
        for stage in range(len(self.order)):
            self.choice.tie = ""  # a tie at a stage that is not accepted decides nothing
            response = self.attempt(query, stage)
            attempts.append((response, self.choice.tie))
            if stage + 1 < len(self.order) and response.answers(query) and self.accept(query, response):
                break
        response, self.choice.tie = next((a for a in reversed(attempts) if a[0].answers(query)), attempts[-1])
        return response.text
