"""Recorded replies to prompts that methods wrote, found again by what was asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.backends.replay import NotRecordedError
from reference_impls.core.model import Generation
from reference_impls.recorded.form import Call, Recording, Reply


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that a method makes."""

    model: str
    prompt: str
    n: int
    temperature: float
    max_tokens: int
    stop: tuple[str, ...]
    seed: int

    def fits(self, call: Call) -> bool:
        """Whether a recorded call has asked the same, the seed aside; an unknown limit is taken for the one asked."""
        alike = (call.temperature == self.temperature, call.stop == self.stop)
        return all(alike) and call.max_tokens in (None, self.max_tokens)


class MissingReplyError(NotRecordedError):
    """A method makes a call that was not recorded.

    Attributes:
        wanted: the call.
    """

    def __init__(self, message: str, wanted: Wanted) -> None:
        super().__init__(message)
        self.wanted = wanted


class ReplyText(str):
    """A reply's text that remembers which one it is.

    Attributes:
        origin: of its call among the recording's, and of the reply among the call's. Not the reply: methods hold this
            text and must not see its score.
    """

    __slots__ = ("origin",)
    origin: tuple[int, int]


class Replies:
    """The replies of a recording.

    Args:
        recording: with its calls.
        listed: whether every model's price is known, so that calls can be billed by it.
    """

    def __init__(self, recording: Recording, *, listed: bool) -> None:
        self._recording, self._listed = recording, listed
        self._places: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, call in enumerate(recording.calls):
            self._places[call.model, call.prompt].append(place)

    def given(self, wanted: Wanted) -> list[Generation]:
        """The replies to a call.

        Those to the very call, seed and all, come as they came; else, of samples, as many others as are wanted, from
        a place that the seed draws. At temperature 0 there is one reply.

        Raises:
            MissingReplyError: there are none, or too few.
        """
        calls = self._recording.calls
        fitting = [p for p in self._places.get((wanted.model, wanted.prompt), ()) if wanted.fits(calls[p])]
        exact = [p for p in fitting if calls[p].seed == wanted.seed and len(calls[p].replies) == wanted.n]
        found = [(p, i) for p in exact[:1] or fitting for i in range(len(calls[p].replies))]
        if wanted.temperature <= 0 and found:
            found = [found[0]] * wanted.n
        if len(found) < wanted.n or not found:
            held = f"only {len(found)} recorded replies of" if found else "no recorded reply of"
            asked = f"temperature {wanted.temperature:g}, {wanted.n} wanted, {wanted.max_tokens} tokens at most"
            mend = "name the method under methods: and run atlas record again"
            message = f"{held} {wanted.model} to the prompt {wanted.prompt[:60]!r} ({asked}; {mend})"
            raise MissingReplyError(message, wanted)
        start = 0 if exact else wanted.seed % len(found)
        return [self._generation(*found[(start + i) % len(found)]) for i in range(wanted.n)]

    def score(self, text: ReplyText) -> float | None:
        """How good a reply is as an answer to the query, where that was recorded."""
        return self._reply(*text.origin).score

    def model(self, text: ReplyText) -> str:
        """Who wrote a reply."""
        return self._recording.calls[text.origin[0]].model

    def unknown(self, texts: Sequence[ReplyText]) -> set[str]:
        """Names of the fields of `core.meter.Usage` to which a reply adds an unknown amount."""
        found: set[str] = set()
        for text in texts:
            reply = self._reply(*text.origin)
            if self._recording.bill(self.model(text), reply) is None:
                found.add("cost")
            if reply.latency is None:
                found |= {"latency", "critical_path"}
            if reply.prompt_tokens is None:
                found.add("prompt_tokens")
            if reply.completion_tokens is None:
                found |= {"completion_tokens", "tokens_by_model"}
        return found

    def _reply(self, place: int, number: int) -> Reply:
        return self._recording.calls[place].replies[number]

    def _generation(self, place: int, number: int) -> Generation:
        call, reply = self._recording.calls[place], self._reply(place, number)
        told = ReplyText(f"{reply.grade:g}" if reply.text is None else reply.text)
        told.origin = (place, number)
        cost = reply.cost if self._listed else self._recording.bill(call.model, reply)
        return Generation(
            call.model, told, reply.tokens, reply.logprobs, reply.prompt_tokens, reply.completion_tokens,
            np.nan if reply.latency is None else reply.latency, reply.status not in ("cut", "filtered"), None, cost,
            reply.reasoning_tokens, reply.cached_tokens, "failed" if reply.status == "error" else reply.status,
            number,
        )  # fmt: skip
