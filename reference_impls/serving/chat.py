"""``/v1/chat/completions``: decides, asks, falls back, answers, and notes what it did."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

from reference_impls.backends.usage import read
from reference_impls.core.model import ModelError
from reference_impls.core.query import Query
from reference_impls.recording.asking import Reply, limit_of
from reference_impls.recording.config import LIMITS
from reference_impls.serving import metrics
from reference_impls.serving.combined import Combined, bill
from reference_impls.serving.policy import Chosen, Policy
from reference_impls.serving.redis_state import RedisState
from reference_impls.serving.state import Decision, State, StateError
from reference_impls.serving.upstream import CutError, Upstream, cost, in_pieces, text_of
from reference_impls.serving.wire import (
    Asked,
    GoneError,
    RequestError,
    answer,
    asked,
    body_of,
    event,
    header,
    watched,
)

#: The model's name that leaves the choice to the policy.
ATLAS = "atlas"
ATTEMPTS = 2
"""Of one model for one request."""
_FIRST_WAIT = 0.1
"""Seconds before the second attempt, where the server does not say."""
_LONGEST = 1.0
"""Seconds that are waited for a model while another one could be asked."""


@dataclass(slots=True)
class Tally:
    """What one request has taken so far.

    Attributes:
        calls, failures: by model.
        dollars: of the calls whose cost is known; `unknown`, of how many it is not.
        waited: seconds in which a model was being waited for.
        served: whose answer it is; `status`, as of `Decision`.
        last: why the last call failed, by model.
    """

    started: float = field(default_factory=time.perf_counter)
    calls: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    last: dict[str, Reply] = field(default_factory=dict)
    dollars: float = 0.0
    unknown: int = 0
    waited: float = 0.0
    served: str | None = None
    status: str = ""

    def begin(self, model: str) -> float:
        """A call goes out; until `end` its cost is not known. The time."""
        self.calls[model] += 1
        self.unknown += 1
        return time.perf_counter()

    def end(self, model: str, since: float, reply: Reply, dollars: float | None) -> None:
        """A call is over, with an answer or without."""
        self.waited += time.perf_counter() - since
        if dollars is not None and not math.isnan(dollars):
            self.unknown -= 1
            self.dollars += dollars
        if lacks(reply):
            self.failures[model] += 1
            self.last[model] = reply

    @property
    def cost(self) -> float | None:
        """US dollars of all calls; None where one is not known."""
        return None if self.unknown else self.dollars


class Chat:
    """The endpoint.

    Args:
        models: by name.
        policy: of requests to `ATLAS`; None where every request names its model.
        state: of the policy's decisions and of the counters.
        deadline: seconds for one request.
        most: bytes of a request.
        keep_prompts: whether decisions are kept with their prompts.
        kind: of queries that do not tell theirs.
        max_tokens: most that a model may write where neither the client nor its configuration says.

    Attributes:
        running: requests under way.
    """

    def __init__(
        self, models: Mapping[str, Upstream], policy: Policy | Combined | None, state: State | RedisState, *,
        deadline: float, most: int, keep_prompts: bool, kind: str, max_tokens: int,
    ) -> None:  # fmt: skip
        self._models, self._policy, self._state = models, policy, state
        self._deadline, self._most, self._keep, self._kind = deadline, most, keep_prompts, kind
        self._max_tokens = max_tokens
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (the form of ASGI)
        self.running += 1
        try:
            request = asked(await body_of(receive, self._most))
            served = _Served(self, request)
            await watched(receive, served.stream(send) if request.stream else served.whole(send))
        except GoneError:
            pass  # nobody is there to be told
        except RequestError as error:
            await answer(send, error.status, error.body)
        finally:
            self.running -= 1

    def decide(self, request: Asked) -> tuple[Chosen | None, Query]:
        """Who is to answer; None where the client names the model itself.

        Raises:
            RequestError: there is no such model.
        """
        prompt = text_of(request.messages)
        limit = limit_of(request.parameters) if any(map(request.parameters.get, LIMITS)) else self._max_tokens
        query = Query("", request.task or "", prompt, request.kind or self._kind, limit)
        policy = self._policy
        if request.model == ATLAS and isinstance(policy, Combined):  # one way to answer, and so no choice
            return Chosen((policy.signature,), {policy.signature: 1.0}), query
        if request.model == ATLAS and policy is not None and not isinstance(policy, Combined):
            return policy.choose(query), query
        if request.model not in self._models:
            names = [ATLAS, *self._models] if self._policy else [*self._models]
            raise RequestError(
                404, f"there is no model {request.model[:80]!r} (one of {', '.join(names)})", "model_not_found"
            )
        return None, query


class _Served:
    """One request and what comes of it."""

    def __init__(self, chat: Chat, request: Asked) -> None:
        self._chat, self._request = chat, request
        self._tally = Tally()
        self._chosen, self._query = chat.decide(request)
        self._order = self._chosen.order if self._chosen else (request.model,)
        self._id = secrets.token_hex(12)
        self._noted = False
        parameters = dict(request.parameters)
        if all(parameters.get(name) is None for name in LIMITS):
            parameters["max_tokens"] = chat._max_tokens
        self._parameters = parameters
        self._combined = chat._policy if self._chosen and isinstance(chat._policy, Combined) else None
        if self._combined and (odd := {"tools", "functions", "n", "logprobs"} & set(parameters)):
            raise RequestError(
                400, f"{min(odd)}: {self._combined.signature} compares texts and takes none (leave it out)"
            )

    async def whole(self, send: Send) -> None:
        """Answers in one piece."""
        tally = self._tally
        try:
            async with asyncio.timeout(self._chat._deadline):
                name, reply = await self._asked()
            tally.served, tally.status = name, reply.status
        except TimeoutError:
            tally.status = "late"
            await self._note()
            raise self._late() from None
        except RequestError:
            tally.status = "error"
            await self._note()
            raise
        except asyncio.CancelledError:
            tally.status = "gone"
            await self._note()
            raise
        await self._note()
        values = {"id": f"chatcmpl-{self._id}", **reply.data, "model": name, "atlas": self._told()}
        try:
            await answer(send, 200, values, self._headers(name, whole=True))
        except ValueError:  # not a number, which JSON does not know
            raise RequestError(502, f"{name}: an answer that is no JSON", "no_answer") from None

    async def stream(self, send: Send) -> None:
        """Answers piece by piece. A failure before the first piece is one of the request; one after it ends the
        stream with an error, as what was sent cannot be taken back.
        """
        tally, begun = self._tally, False
        held: list[dict[str, Any]] = []
        usage: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(self._chat._deadline), aclosing(self._pieces()) as pieces:
                async for name, chunk in pieces:
                    if not begun:
                        begun, tally.served = True, name
                        await _open(send, self._headers(name, whole=False))
                    usage = chunk.get("usage") or usage
                    chunk |= {"id": f"chatcmpl-{self._id}", "model": name}
                    if any(c.get("finish_reason") for c in chunk["choices"]):
                        held.append(chunk)  # with it goes what is known only at the end
                    elif chunk["choices"]:
                        chunk.pop("usage", None)
                        await _more(send, event(chunk))
        except (CutError, TimeoutError, RequestError) as error:
            late = isinstance(error, TimeoutError)
            tally.status = "late" if late else "cut" if begun else "error"
            await self._note()
            if isinstance(error, CutError):
                error = RequestError(502, f"{tally.served}: {error}", "cut")
            told = self._late() if late else error
            assert isinstance(told, RequestError)
            if not begun:
                raise told from None
            await _more(send, event(told.body), last=True)
            return
        except asyncio.CancelledError:
            tally.status = "gone"
            await self._note()
            raise
        await self._note()
        for i, chunk in enumerate(held):
            chunk.pop("usage", None)
            last = {"atlas": self._told()} if i + 1 == len(held) else {}
            await _more(send, event(chunk | last))
        if self._request.usage and usage is not None:
            head = {"id": f"chatcmpl-{self._id}", "object": "chat.completion.chunk", "model": tally.served}
            await _more(send, event(head | {"created": int(time.time()), "choices": [], "usage": usage}))
        await _more(send, b"data: [DONE]\n\n", last=True)

    async def _asked(self) -> tuple[str, Reply]:
        """The first answer that comes, of the chosen model or of those that stand in for it; or the method's.

        Raises:
            RequestError: none of them answers.
        """
        if self._combined is not None:
            return await self._together(self._combined)
        for name in self._order:
            for attempt in range(ATTEMPTS):
                since = self._tally.begin(name)
                upstream = self._chat._models[name]
                reply = await upstream.ask(self._request.messages, self._parameters)
                self._tally.end(name, since, reply, cost(upstream.price, reply))
                if not lacks(reply):
                    return name, reply
                if not await self._again(name, attempt, reply):
                    break
        raise self._failed()

    async def _together(self, method: Combined) -> tuple[str, Reply]:
        """What a method makes of several models' answers, as the answer of one."""

        async def ask(
            name: str, messages: Sequence[Mapping[str, Any]] | None, parameters: Mapping[str, Any]
        ) -> Reply:
            upstream = self._chat._models[name]
            # To the client's prompt goes what the client wants besides; to the method's own prompts nothing.
            sent = dict(parameters) if messages else self._request.parameters | dict(parameters)
            for attempt in range(ATTEMPTS):
                since = self._tally.begin(name)
                reply = await upstream.ask(self._request.messages if messages is None else messages, sent)
                self._tally.end(name, since, reply, cost(upstream.price, reply))
                if not lacks(reply) or not await self._again(name, attempt, reply):
                    break
            return reply

        try:
            made = await method.answer(self._query, ask)
        except (ModelError, ValueError) as error:
            raise RequestError(502, f"{method.signature}: {error}", "no_answer") from None
        message = {"role": "assistant", "content": made.text}
        data = {
            "object": "chat.completion", "created": int(time.time()), "model": made.whose or method.signature,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": bill(made.usage),
        }  # fmt: skip
        return made.whose or method.signature, Reply("", data, made.text)

    async def _pieces(self) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        """The pieces of the first answer that begins, and whose they are.

        Raises:
            RequestError: none begins.
            CutError: one broke off.
        """
        if self._combined is not None:
            name, reply = await self._together(self._combined)
            for chunk in in_pieces(reply.data):
                yield name, chunk
            return
        for name in self._order:
            for attempt in range(ATTEMPTS):
                upstream, since = self._chat._models[name], self._tally.begin(name)
                waiting: list[dict[str, Any]] = []
                begun, usage = False, None
                try:
                    async with aclosing(upstream.stream(self._request.messages, self._parameters)) as chunks:
                        async for chunk in chunks:
                            usage = chunk.get("usage") or usage
                            waiting.append(chunk)
                            begun = begun or _tells(chunk)
                            while begun and waiting:
                                yield name, waiting.pop(0)
                except CutError as error:
                    reply = error.reply
                    self._tally.end(name, since, reply, 0.0 if reply.free else None)
                    if begun:
                        raise
                    if not await self._again(name, attempt, reply):
                        break
                    continue
                done = Reply("", bill=read(usage))
                self._tally.end(name, since, done, cost(upstream.price, done))
                for chunk in waiting:
                    yield name, chunk
                return
        raise self._failed()

    async def _again(self, name: str, attempt: int, reply: Reply) -> bool:
        """Whether the same model is to be asked again, after a wait: what no status has refused may be a whim."""
        whim = reply.status == "error" and not reply.code
        if not (reply.again or whim) or attempt + 1 == ATTEMPTS:
            return False
        wait = _FIRST_WAIT if reply.wait is None else reply.wait
        if wait > _LONGEST and name != self._order[-1]:
            return False
        await asyncio.sleep(wait)
        return True

    def _failed(self) -> RequestError:
        """No model has answered. What is the client's own fault is told as such."""
        last = self._tally.last
        said = "; ".join(f"{name}: {reply.said}" for name, reply in last.items())
        codes = {reply.code for reply in last.values()}
        status = 400 if codes <= {400, 413, 422} else 429 if codes == {429} else 502
        return RequestError(status, f"no model answers: {said}", "no_answer")

    def _late(self) -> RequestError:
        return RequestError(504, f"no answer within {self._chat._deadline:g} seconds", "deadline")

    async def _note(self) -> None:
        """Writes the decision and the counters, once; it is kept when this returns.

        Raises:
            RequestError: it cannot be kept.
        """
        if self._noted:
            return
        self._noted = True
        tally, chosen = self._tally, self._chosen
        took = time.perf_counter() - tally.started
        status, served = tally.status or "ok", tally.served or "none"
        counts = {metrics.named("atlas_requests_total", model=served, status=status): 1.0}
        counts |= {metrics.named("atlas_calls_total", model=m): n for m, n in tally.calls.items()}
        counts |= {metrics.named("atlas_call_failures_total", model=m): n for m, n in tally.failures.items()}
        counts |= metrics.seconds("atlas_request_seconds", took)
        if self._combined is None:  # of calls side by side the sum says nothing
            counts |= metrics.seconds("atlas_own_seconds", max(took - tally.waited, 0.0))
        counts |= {"atlas_cost_dollars_total": tally.dollars, "atlas_cost_unknown_total": float(tally.unknown > 0)}
        if chosen is not None and tally.served not in (None, chosen.order[0]) and self._combined is None:
            counts["atlas_fallbacks_total"] = 1.0
        state = self._chat._state
        try:
            if chosen is None or self._chat._policy is None:
                kept = state.counted(counts)
            else:
                prompt = self._query.prompt
                kept = state.decided(
                    Decision(
                        self._id, time.time(), self._request.query or state.name_of(prompt), self._request.task,
                        self._chat._policy.signature, chosen.order[0], tally.served, chosen.probabilities,
                        chosen.utilities, chosen.features, tally.status, tally.cost, took, tally.calls.total(),
                        prompt if self._chat._keep else None,
                    ),
                    counts,
                )  # fmt: skip
            await asyncio.shield(kept)
        except StateError as error:
            raise RequestError(503, str(error), "state") from None

    def _told(self) -> dict[str, Any]:
        """What stands beside the answer."""
        tally = self._tally
        made = {"model": tally.served, "cost": tally.cost, "calls": tally.calls.total()}
        return made | ({"decision": self._id, "chosen": self._order[0]} if self._chosen else {})

    def _headers(self, name: str, *, whole: bool) -> dict[bytes, bytes]:
        """The same as headers; the cost of a stream is known only at its end."""
        made = {b"x-atlas-model": header(name)}
        if self._chosen:
            made[b"x-atlas-decision"] = self._id.encode()
        if whole:
            dollars = self._tally.cost
            made[b"x-atlas-cost"] = b"unknown" if dollars is None else f"{dollars:.9g}".encode()
        return made


def lacks(reply: Reply) -> bool:
    """Whether there is nothing to send on: no answer, or a filter's word instead of one."""
    return reply.status == "error" or (reply.status == "filtered" and not reply.data)


def _tells(chunk: Mapping[str, Any]) -> bool:
    """Whether a chunk holds a part of the answer; from then on no other model can stand in."""
    choices: Sequence[Mapping[str, Any]] = chunk["choices"]
    return any(
        c.get("finish_reason") or any(v for k, v in (c.get("delta") or {}).items() if k != "role") for c in choices
    )


async def _open(send: Send, headers: Mapping[bytes, bytes]) -> None:
    own = {b"content-type": b"text/event-stream; charset=utf-8", b"cache-control": b"no-store"}
    await send({"type": "http.response.start", "status": 200, "headers": list((own | dict(headers)).items())})


async def _more(send: Send, content: bytes, *, last: bool = False) -> None:
    await send({"type": "http.response.body", "body": content, "more_body": not last})
