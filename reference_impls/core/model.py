"""What a model is: text in, generations out; and, where the backend gives it, one token at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Logits = NDArray[np.float32]
#: How a model wants to be asked about others' answers (`core.prompts`): ``terse``, the short forms that the built-in
#: models were trained on and that a model without instruction tuning continues, or ``chat``, an instruction in words.
Dress = Literal["terse", "chat"]


class ModelError(RuntimeError):
    """A model gave no answer, or fewer than it was asked for; the message is one line.

    Attributes:
        paid: what the call has cost all the same: responses that came before it failed, and, without a text, what was
            billed or may have been.
    """

    def __init__(self, message: str, paid: "Sequence[Generation]" = ()) -> None:
        super().__init__(message)
        self.paid = tuple(paid)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.

    Attributes:
        prompt, completion: tokens read and written; nan where it is not known.
        cached: tokens of the prompt that the provider still had; None: they cost as much as others.
    """

    prompt: float
    completion: float
    cached: float | None = field(default=None, repr=False)

    def of(self, prompt_tokens: int | None, completion_tokens: int | None, cached_tokens: int | None = None) -> float:
        """Cost in US dollars; nan where the price or a number of tokens is unknown.

        >>> Price(2.0, 8.0, cached=0.5).of(1_000_000, 250_000, 400_000)
        3.4
        >>> Price(2.0, 8.0).of(12, None)
        nan
        """
        if prompt_tokens is None or completion_tokens is None:
            return float("nan")
        cached = 0 if cached_tokens is None or self.cached is None else min(cached_tokens, prompt_tokens)
        saved = cached * (self.prompt - (self.cached or 0.0))
        return (self.prompt * prompt_tokens + self.completion * completion_tokens - saved) / 1e6


#: Of a model whose price nobody has told.
UNKNOWN_PRICE = Price(float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class Generation:
    """One response of one model.

    Attributes:
        model: the model's name.
        text: the response without the prompt.
        tokens: the completion's tokens as text pieces, without the end token; empty if the backend does not tell.
        logprobs: natural log-probabilities of `tokens` under the model at temperature 1, and, if `finished`,
            of the end token after them; empty if the backend does not tell.
        prompt_tokens, completion_tokens: what is billed, None where that is unknown; the end token counts as a
            completion token.
        latency: seconds (for replayed responses the recorded ones).
        finished: False if the response was cut, at the token limit or by a filter.
        answer: the final answer where the backend knows it (recorded responses); None leaves it to
            `core.answers.answer_of` to read it from the text.
        cost: US dollars where the backend knows what was paid; None is price times tokens.
        reasoning_tokens: those of `completion_tokens` that were written before the text and are not shown; None where
            the backend does not tell.
        cached_tokens: those of `prompt_tokens` that the provider still had; None where the backend does not tell.
        status: why there is no text, or not all of it: ``cut`` (at the token limit), ``filtered``, ``refused``,
            ``tools`` (the model calls a tool instead), ``failed`` (nothing came that can be used); else empty.
        request: responses of one call that came with one request share its number; its prompt is billed once.
    """

    model: str
    text: str
    tokens: tuple[str, ...] = ()
    logprobs: tuple[float, ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency: float = 0.0
    finished: bool = True
    answer: str | None = None
    cost: float | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    status: str = ""
    request: int = 0

    @property
    def mean_logprob(self) -> float:
        """Mean token log-probability; -inf where the backend gives none."""
        return float(np.mean(self.logprobs)) if self.logprobs else -np.inf


def billed(responses: Sequence[Generation]) -> tuple[int | None, int | None]:
    """Prompt and completion tokens of the responses of one call, every request's prompt once; None where one is
    unknown.
    """
    prompts = {r.request: r.prompt_tokens for r in responses}
    return _total(prompts.values()), _total(r.completion_tokens for r in responses)


def cost_of(price: Price, responses: Sequence[Generation]) -> float:
    """US dollars of the responses of one call: what the backend knows was paid, else price times tokens; nan where
    neither is known.
    """
    total = 0.0
    for request in dict.fromkeys(r.request for r in responses):
        part = [r for r in responses if r.request == request]
        if all(r.cost is None for r in part):
            total += price.of(*billed(part), part[0].cached_tokens)
        else:
            total += sum(_own_cost(price, r) if r.cost is None else r.cost for r in part)
    return total


def _own_cost(price: Price, response: Generation) -> float:
    return price.of(response.prompt_tokens, response.completion_tokens, response.cached_tokens)


def _total(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if any(count is None for count in known) else sum(count for count in known if count is not None)


@runtime_checkable
class Model(Protocol):
    """A language model behind any backend.

    One with a ``digest``, a text that changes with all that decides its answers beside the arguments (its price does
    not), has them stored (`reference_impls.running.responses`).
    """

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> float:
        """Parameters, in millions."""
        ...

    @property
    def price(self) -> Price: ...
    @property
    def context(self) -> int:
        """Tokens of prompt and response that fit; 0 where it is not known."""
        ...

    @property
    def dress(self) -> Dress:
        """How it wants to be asked about others' answers."""
        ...

    def generate(
        self,
        prompt: str,
        *,
        n: int = 1,
        temperature: float = 0.0,
        max_tokens: int = 160,
        stop: Sequence[str] = (),
        seed: int = 0,
    ) -> list[Generation]:
        """`n` responses; temperature 0 is greedy; the same arguments give the same responses. A response stops
        at the end of the context, unfinished.

        Raises:
            ValueError: the prompt leaves no room for a response in the context.
            ModelError: there is no answer, or not as many as asked for.
        """  # fmt: skip
        ...

    def score(self, prompt: str, continuation: str) -> Floats:
        """Log-probabilities [tokens of the continuation] of the continuation's own tokens after the prompt."""
        ...


class Session(Protocol):
    """The state of one text under one token model; keys and values of what was read are kept."""

    @property
    def tokens(self) -> tuple[int, ...]:
        """Ids appended after the prompt."""
        ...

    def next_logits(self) -> Logits:
        """Logits [vocabulary] of the next token; runs the model over what was appended since the last call.

        Raises:
            ValueError: the text is longer than the model's context.
        """
        ...

    def append(self, *tokens: int) -> None:
        """Adds tokens to the text; costs nothing until the model is asked."""
        ...

    def rollback(self, count: int) -> None:
        """Takes back the last `count` appended tokens."""
        ...

    def fork(self) -> "Session":
        """An independent session with the same text; shares the cache."""
        ...

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        """Logits [len(tokens), vocabulary] before each of some tokens that would follow; the session stays as it
        is. One forward pass.
        """
        ...

    def score(self, tokens: Sequence[int]) -> Floats:
        """Log-probabilities [len(tokens)] of tokens that would follow, from the same pass as `logits_of`."""
        ...


@runtime_checkable
class TokenModel(Model, Protocol):
    """A model that can be driven token by token."""

    @property
    def vocabulary(self) -> Sequence[bytes]:
        """Every token's bytes; the end token's are empty."""
        ...

    @property
    def end_token(self) -> int: ...

    @property
    def forward_seconds(self) -> float:
        """Seconds spent inside forward passes since the model was loaded."""
        ...

    def encode(self, text: str) -> list[int]: ...
    def decode(self, tokens: Sequence[int]) -> str: ...
    def start(self, prompt: str) -> Session: ...
