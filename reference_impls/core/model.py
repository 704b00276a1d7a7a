"""What a model is: text in, generations out; and, where the backend gives it, one token at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    prompt: float
    completion: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Cost in US dollars."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


@dataclass(frozen=True, slots=True)
class Generation:
    """One response of one model.

    Attributes:
        model: the model's name.
        text: the response without the prompt.
        tokens: the completion's tokens as text pieces, without the end token; empty if the backend does not tell.
        logprobs: natural log-probabilities of `tokens` under the model at temperature 1, and, if `finished`,
            of the end token after them; empty if the backend does not tell.
        prompt_tokens, completion_tokens: what is billed; the end token counts as a completion token.
        latency: seconds (for replayed responses the recorded ones).
        finished: False if the response was cut at the token limit.
        answer: the final answer where the backend knows it (recorded responses); None leaves it to
            `core.text.answer_of` to read it from the text.
        cost: US dollars where the backend knows what was paid; None is price times tokens.
    """

    model: str
    text: str
    tokens: tuple[str, ...] = ()
    logprobs: tuple[float, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency: float = 0.0
    finished: bool = True
    answer: str | None = None
    cost: float | None = None

    @property
    def mean_logprob(self) -> float:
        """Mean token log-probability; -inf where the backend gives none."""
        return float(np.mean(self.logprobs)) if self.logprobs else -np.inf


@runtime_checkable
class Model(Protocol):
    """A language model behind any backend."""

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
