"""The meter: every model call of a method passes it, and a method cannot reach a model around it.

A method is handed a `Pool` of metered models. A metered model holds plain data (name, price, vocabulary) and
a number; the model itself stays in this module's private table under that number. Nothing reachable from a
pool leads to an unmetered model.
"""

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from reference_impls.core.model import (
    Dress,
    Floats,
    Generation,
    Logits,
    Model,
    ModelError,
    Session,
    TokenModel,
    billed,
    cost_of,
)
from reference_impls.core.pool import Pool

_numbers = itertools.count(1)
_table: "dict[int, _Account | _OpenSession | Meter]" = {}


@dataclass
class Usage:
    """What one query has cost.

    A session that is driven token by token is billed by what its forward passes do, whoever chose the tokens. A
    next-token distribution is the work of one completion token, and the token that is then appended, the model's
    own or not, belongs to it. All other tokens that a pass reads, such as text that others wrote meanwhile, are
    prompt tokens. What no pass reads costs nothing. A model that writes alone pays as for `generate`.

    Attributes:
        models: names of the models called, in the order of their first call.
        calls: responses generated, texts scored and token sessions started.
        prompt_tokens, completion_tokens: tokens read and written. A prompt with several samples is read (and
            billed) once.
        cost: US dollars; nan where it is unknown.
        latency: seconds of all calls, one after another (for replayed responses the recorded ones).
        critical_path: seconds if calls inside `Pool.parallel` to different models run side by side.
        forward_seconds: of token sessions, the part of `wall_seconds` inside the models' forward passes.
        wall_seconds: from `Meter.begin` to `Meter.end`.
        tokens_by_model: completion tokens of every model called.
        unknown: names of the fields above to which a call has added an unknown amount; their values say nothing.
    """

    models: list[str] = field(default_factory=list)
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    latency: float = 0.0
    critical_path: float = 0.0
    forward_seconds: float = 0.0
    wall_seconds: float = 0.0
    tokens_by_model: dict[str, int] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)


class Meter:
    """Counts the calls of one method to one pool, query by query.

    Args:
        models: the models themselves; `pool` holds them metered, in the same order.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self._number = next(_numbers)
        _table[self._number] = self
        self._accounts = [next(_numbers) for _ in models]
        self._usage = Usage()
        self._branches: dict[str, float] = {}
        self._depth = 0
        self._started = 0.0
        metered: list[MeteredModel] = []
        for number, model in zip(self._accounts, models, strict=True):
            _table[number] = _Account(model, self)
            if isinstance(model, TokenModel):
                metered.append(MeteredTokenModel(number, model))
            else:
                metered.append(MeteredModel(number, model))
        self.pool = Pool(metered, parallel=_Parallel(self._number))

    def close(self) -> None:
        """Forgets the models; the pool is of no use afterwards."""
        for number in (self._number, *self._accounts):
            _table.pop(number, None)

    def begin(self) -> None:
        """Starts counting for a new query."""
        self._usage = Usage()
        self._depth = 0
        self._started = time.perf_counter()

    def end(self) -> Usage:
        """What was counted since `begin`."""
        self._usage.wall_seconds = time.perf_counter() - self._started
        return self._usage

    def record(
        self, model: Model, calls: int, prompt: int | None, completion: int | None, seconds: float,
        cost: float | None = None,
    ) -> None:  # fmt: skip
        """Books one call.

        Args:
            model: who was called.
            calls: responses, texts or sessions (see `Usage`).
            prompt, completion: tokens; None where that is unknown.
            seconds: that it took, nan where that is unknown.
            cost: US dollars, nan where that is unknown; None is price times tokens.
        """
        usage = self._usage
        paid = model.price.of(prompt, completion) if cost is None else cost
        if model.name not in usage.tokens_by_model:
            usage.models.append(model.name)
            usage.tokens_by_model[model.name] = 0
        if prompt is None:
            usage.unknown.add("prompt_tokens")
        if completion is None:
            usage.unknown |= {"completion_tokens", "tokens_by_model"}
        if math.isnan(paid):
            usage.unknown.add("cost")
        if math.isnan(seconds):
            usage.unknown |= {"latency", "critical_path"}
        usage.tokens_by_model[model.name] += completion or 0
        usage.calls += calls
        usage.prompt_tokens += prompt or 0
        usage.completion_tokens += completion or 0
        usage.cost += paid
        usage.latency += seconds
        if not self._depth:
            usage.critical_path += seconds
        else:
            self._branches[model.name] = self._branches.get(model.name, 0.0) + seconds

    def forward(self, seconds: float) -> None:
        """Books time inside a forward pass of a token session."""
        self._usage.forward_seconds += seconds

    def nest(self, levels: int) -> None:
        """Opens (1) or closes (-1) a block in which calls to different models overlap; those to one model follow one
        another. Nested blocks join the outer.
        """
        self._depth += levels
        if not self._depth:
            self._usage.critical_path += max(self._branches.values(), default=0.0)
            self._branches = {}


class _Parallel:
    """`Pool.parallel` of a metered pool; holds only the meter's number."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self) -> "_Parallel":
        return self

    def __enter__(self) -> None:
        self._nest(1)

    def __exit__(self, *_error: object) -> None:
        self._nest(-1)

    def _nest(self, levels: int) -> None:
        meter = _table[self._number]
        assert isinstance(meter, Meter)
        meter.nest(levels)


@dataclass
class _Account:
    """A model and the meter that its calls are booked on."""

    model: Model
    meter: Meter

    def book(self, responses: Sequence[Generation]) -> None:
        """Books one call's responses."""
        if responses:
            seconds = sum(r.latency for r in responses)
            cost = cost_of(self.model.price, responses)
            self.meter.record(self.model, len(responses), *billed(responses), seconds, cost)


@dataclass
class _OpenSession:
    """A token session, its model and its meter.

    Attributes:
        unread: appended tokens that no forward pass has read yet.
        paid: how many of them, 0 or 1, belong to the last distribution.
        asked: whether the distribution at the end of the text has been billed.
    """

    session: Session
    model: TokenModel
    meter: Meter
    unread: int = 0
    paid: int = 0
    asked: bool = False

    def bill(self, calls: int, read: int, written: int, before: float) -> None:
        """Books what the model has done since its clock of forward passes stood at `before`."""
        seconds = self.model.forward_seconds - before
        self.meter.forward(seconds)
        self.meter.record(self.model, calls, max(self.unread - self.paid, 0) + read, written, seconds)
        self.unread, self.paid = 0, written


class MeteredModel:
    """A `core.model.Model` whose every call is booked."""

    def __init__(self, number: int, model: Model) -> None:
        self._number = number
        self.name = model.name
        self.size = model.size
        self.price = model.price
        self.context = model.context
        self.dress: Dress = model.dress

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        account = _account(self._number)
        try:
            responses = account.model.generate(
                prompt, n=n, temperature=temperature, max_tokens=max_tokens, stop=stop, seed=seed
            )
        except ModelError as error:
            account.book(error.paid)
            raise
        account.book(responses)
        if len(responses) != n:
            raise ModelError(f"{self.name}: {len(responses)} of {n} responses came")
        return responses

    def score(self, prompt: str, continuation: str) -> Floats:
        account = _account(self._number)
        started = time.perf_counter()
        result = account.model.score(prompt, continuation)
        seconds = time.perf_counter() - started
        # Who does not show its tokens does not tell how many the prompt has either.
        read = None
        if isinstance(account.model, TokenModel):
            read = len(account.model.encode(prompt)) + 1 + len(result)
        account.meter.record(account.model, 1, read, 0, seconds)
        return result


class MeteredTokenModel(MeteredModel):
    """A `core.model.TokenModel` whose every call and every forward pass is booked."""

    def __init__(self, number: int, model: TokenModel) -> None:
        super().__init__(number, model)
        self.vocabulary = model.vocabulary
        self.end_token = model.end_token

    @property
    def forward_seconds(self) -> float:
        return self._model().forward_seconds

    def _model(self) -> TokenModel:
        # A cast, as asking whether an object has all members of a protocol takes as long as a small forward pass.
        return cast(TokenModel, _account(self._number).model)

    def encode(self, text: str) -> list[int]:
        return self._model().encode(text)

    def decode(self, tokens: Sequence[int]) -> str:
        return self._model().decode(tokens)

    def start(self, prompt: str) -> "MeteredSession":
        account, model = _account(self._number), self._model()
        session = model.start(prompt)
        # Where the session does not tell how it begins (with a template, say), one token comes before the prompt's.
        read = getattr(session, "prompt_length", 0) or len(model.encode(prompt)) + 1
        account.meter.record(model, 1, read, 0, 0.0)
        return MeteredSession(_OpenSession(session, model, account.meter))


class MeteredSession:
    """A `core.model.Session` whose forward passes are booked (see `Usage` for what counts as read and written)."""

    __slots__ = ("_number",)

    def __init__(self, opened: _OpenSession) -> None:
        self._number = next(_numbers)
        _table[self._number] = opened

    def __del__(self) -> None:
        _table.pop(self._number, None)

    def _open(self) -> _OpenSession:
        opened = _table[self._number]
        assert isinstance(opened, _OpenSession)
        return opened

    @property
    def tokens(self) -> tuple[int, ...]:
        return self._open().session.tokens

    @property
    def prompt_length(self) -> int:
        """Tokens before the response; 0 where the back end's session does not tell."""
        return int(getattr(self._open().session, "prompt_length", 0))

    def next_logits(self) -> Logits:
        opened = self._open()
        before = opened.model.forward_seconds
        logits = opened.session.next_logits()
        if not opened.asked:
            opened.bill(0, 0, 1, before)
            opened.asked = True
        # A copy: a method may write into what it gets without disturbing the session.
        return np.array(logits)

    def append(self, *tokens: int) -> None:
        opened = self._open()
        opened.session.append(*tokens)
        opened.unread += len(tokens)
        opened.asked = opened.asked and not tokens

    def rollback(self, count: int) -> None:
        opened = self._open()
        opened.session.rollback(count)
        opened.unread = max(opened.unread - count, 0)
        opened.asked = opened.asked and not count

    def fork(self) -> "MeteredSession":
        old = self._open()
        new = _OpenSession(old.session.fork(), old.model, old.meter, old.unread, old.paid, old.asked)
        return MeteredSession(new)

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        opened = self._open()
        before = opened.model.forward_seconds
        result = opened.session.logits_of(tokens)
        opened.bill(1, len(tokens), 0, before)
        return result

    def score(self, tokens: Sequence[int]) -> Floats:
        opened = self._open()
        before = opened.model.forward_seconds
        result = opened.session.score(tokens)
        opened.bill(1, len(tokens), 0, before)
        return result


def _account(number: int) -> _Account:
    account = _table.get(number)
    if isinstance(account, _Account):
        return account
    raise RuntimeError("this pool's meter is closed")
