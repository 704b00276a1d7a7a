"""The models behind the endpoint: each asked for a whole answer, or for one piece after the other."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import ClientConnectorError, ClientError, ClientResponse

from reference_impls.backends import refusals
from reference_impls.backends.one_host import RefusedError
from reference_impls.backends.usage import read
from reference_impls.core.model import Dress, Generation, Price, cost_of
from reference_impls.recording.asking import Asking, Reply
from reference_impls.recording.config import ModelConfig
from reference_impls.serving.way import Way, lines, whole

if TYPE_CHECKING:  # ONNX Runtime is loaded only where the built-in models serve
    from reference_impls.backends.builtin import BuiltinModel

Messages = Sequence[Mapping[str, Any]]
Parameters = Mapping[str, Any]
#: Requests at once of a model whose configuration does not say: waiting is the servers' part, not ours.
AT_ONCE = 256


class CutError(Exception):
    """A stream that could not begin, or broke off; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.said)
        self.reply = reply


class Upstream(Protocol):
    """A model that can be asked."""

    @property
    def name(self) -> str: ...
    @property
    def price(self) -> Price | None: ...
    @property
    def dress(self) -> Dress: ...

    async def ask(self, messages: Messages, parameters: Parameters) -> Reply:
        """One attempt; `data` is an answer of the OpenAI form."""
        ...

    def stream(self, messages: Messages, parameters: Parameters) -> AsyncGenerator[dict[str, Any], None]:
        """The answer's chunks, of the OpenAI form, the usage among the last.

        Raises:
            CutError: it could not begin, or broke off.
        """
        ...

    async def close(self) -> None: ...


def cost(price: Price | None, reply: Reply) -> float | None:
    """US dollars of a reply: as the provider tells, else price times tokens, else None."""
    bill = reply.bill
    if bill.cost is not None:
        return bill.cost
    if reply.free:
        return 0.0
    if price is None or bill.prompt is None or bill.completion is None:
        return None
    return price.of(bill.prompt, bill.completion, bill.cached)


class Server(Asking):
    """A model behind a server of the OpenAI form.

    Raises:
        ValueError, ModuleNotFoundError: as of `Asking` and `Way`.
    """

    dress: Dress = "chat"

    def __init__(self, model: ModelConfig, price: Price | None) -> None:
        super().__init__(model)
        at_once = model.concurrency if "concurrency" in model.model_fields_set else AT_ONCE
        self._way = Way(model, self._key, at_once)
        self.name, self.price = model.name, price
        self._next = 0.0

    async def close(self) -> None:
        await self._way.close()

    async def ask(self, messages: Messages, parameters: Parameters) -> Reply:
        await self._turn()
        return await super().ask(self._said(messages), dict(parameters) | self.model.params)

    async def _post(self, body: Mapping[str, Any]) -> tuple[Reply, object]:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.model.timeout), self._way.post(body) as answer:
                content = await whole(answer)
        except (TimeoutError, ValueError, RefusedError, ClientError) as error:
            return self._lost(error, started), None
        if answer.status != 200:
            return self._refused_with(answer, content, started)
        return self._read(content, time.perf_counter() - started), None

    async def stream(self, messages: Messages, parameters: Parameters) -> AsyncGenerator[dict[str, Any], None]:
        await self._turn()
        wanted = dict(parameters) | {"stream_options": {"include_usage": True}} | self.model.params
        started = time.perf_counter()
        ended = False
        async with AsyncExitStack() as opened:
            answer = await self._begun(opened, self._said(messages), wanted, started)
            try:
                async for line in lines(answer):
                    field, _, value = line.partition(":")
                    if field != "data":
                        continue
                    if value.strip() == "[DONE]":
                        ended = True
                        break
                    chunk = self._chunk(value, started)
                    ended = ended or any(c.get("finish_reason") for c in chunk["choices"])
                    yield chunk
            except (TimeoutError, RefusedError, ClientError) as error:
                raise CutError(self._lost(error, started)) from None
        if not ended:
            raise CutError(self._broken("the stream ends in the middle", started))

    async def _begun(
        self, opened: AsyncExitStack, messages: Messages, wanted: Parameters, started: float
    ) -> ClientResponse:
        """A stream that has begun; it is closed with `opened`.

        Raises:
            CutError: it does not begin.
        """
        while True:
            sent = {"model": self.model.served, "messages": messages, "stream": True} | self._adapted(wanted)
            try:
                async with asyncio.timeout(self.model.timeout):  # until it begins
                    answer = await opened.enter_async_context(self._way.post(sent))
                    if answer.status == 200:
                        return answer
                    reply, body = self._refused_with(answer, await whole(answer), started)
            except (TimeoutError, ValueError, RefusedError, ClientError) as error:
                raise CutError(self._lost(error, started)) from None
            if reply.code not in refusals.STATUSES:
                raise CutError(reply)
            said, named = refusals.words(body)
            if "stream_options" in sent and ("stream_options" in said or "include_usage" in said):
                self.refused |= {"stream_options"}
                continue
            spare = [p for p in refusals.WITHOUT if p in sent and p not in self.model.params]
            found = refusals.refused_parameter(said, named, spare)
            if found is None:
                raise CutError(reply)
            self.refused |= {found}

    def _refused_with(self, answer: ClientResponse, content: bytes, started: float) -> tuple[Reply, object]:
        """What another status than 200 means, and the server's words."""
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = content.decode("utf-8", "replace")
        wait = answer.headers.get("retry-after")
        return self._refusal(answer.status, body, wait, time.perf_counter() - started), body

    def _lost(self, error: Exception, started: float) -> Reply:
        """What an error on the way means."""
        seconds = time.perf_counter() - started
        if isinstance(error, TimeoutError):
            return self._failed(f"no answer within {self.model.timeout:g} seconds", seconds, again=True)
        if isinstance(error, ClientError):
            unsent = isinstance(error, ClientConnectorError)
            return self._failed(f"no answer ({type(error).__name__})", seconds, free=unsent, again=True)
        if isinstance(error, RefusedError):
            return self._failed(str(error), seconds)
        return self._failed("the request holds what JSON cannot say", seconds, free=True, code=400)

    def _chunk(self, value: str, started: float) -> dict[str, Any]:
        """One event.

        Raises:
            CutError: it is no chunk.
        """
        if len(self._key) >= 8:
            value = value.replace(json.dumps(self._key)[1:-1], "[key]")
        try:
            chunk = json.loads(value)
        except (ValueError, RecursionError):
            raise CutError(self._broken("an event that is no JSON", started)) from None
        if not isinstance(chunk, dict) or chunk.get("error"):
            said = refusals.words(chunk)[0] if isinstance(chunk, dict) else "an event that is no object"
            raise CutError(self._broken(said, started))
        choices = chunk.get("choices") or []
        if not isinstance(choices, list) or not all(isinstance(c, dict) for c in choices):
            raise CutError(self._broken("an event without its usual fields", started))
        return chunk | {"choices": choices}

    def _broken(self, said: str, started: float) -> Reply:
        return self._failed(said, time.perf_counter() - started, again=True)

    def _said(self, messages: Messages) -> list[Mapping[str, Any]]:
        """The client's messages, after the configuration's system message where they have none."""
        own = self.model.system and not any(m.get("role") in ("system", "developer") for m in messages)
        return [*([{"role": "system", "content": self.model.system}] if own else []), *messages]

    async def _turn(self) -> None:
        """Waits for a place in the rate."""
        if self.model.rpm is None:
            return
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + 60.0 / self.model.rpm
        if at > now:
            await asyncio.sleep(at - now)


class Builtin:
    """A built-in model as a stand-in for one behind a server. A stream of it is written whole first."""

    dress: Dress = "terse"

    def __init__(self, model: BuiltinModel, threads: Executor) -> None:
        self.name, self.price = model.name, model.price
        self._model, self._threads = model, threads

    async def ask(self, messages: Messages, parameters: Parameters) -> Reply:
        started = time.perf_counter()
        prompt = text_of(messages)
        stop = parameters.get("stop") or ()
        limit = parameters.get("max_completion_tokens") or parameters.get("max_tokens") or 160

        def write() -> Any:
            return self._model.generate(
                prompt, temperature=float(parameters.get("temperature") or 0.0), max_tokens=int(limit),
                stop=(stop,) if isinstance(stop, str) else tuple(stop), seed=int(parameters.get("seed") or 0),
            )[0]  # fmt: skip

        try:
            made = await asyncio.get_running_loop().run_in_executor(self._threads, write)
        except (ValueError, TypeError) as error:  # longer than the context, a parameter of another type
            return Reply("error", said=str(error), seconds=time.perf_counter() - started, free=True, code=400)
        usage = {
            "prompt_tokens": made.prompt_tokens, "completion_tokens": made.completion_tokens,
            "total_tokens": made.prompt_tokens + made.completion_tokens, "cost": cost_of(self.price, [made]),
        }  # fmt: skip
        reason = "stop" if made.finished else "length"
        data = {
            "object": "chat.completion", "created": int(time.time()), "model": self.name,
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": made.text}, "finish_reason": reason,
                 "logprobs": _logs(made) if parameters.get("logprobs") is True else None}
            ],
            "usage": usage,
        }  # fmt: skip
        status = "" if made.finished else "cut"
        return Reply(status, data, made.text, bill=read(usage), seconds=time.perf_counter() - started)

    async def stream(self, messages: Messages, parameters: Parameters) -> AsyncGenerator[dict[str, Any], None]:
        reply = await self.ask(messages, parameters)
        if reply.status == "error":
            raise CutError(reply)
        for chunk in in_pieces(reply.data):
            yield chunk

    async def close(self) -> None:
        pass


def _logs(made: Generation) -> dict[str, Any]:
    """Log-probabilities as servers tell them: of the text's own tokens, without the end token."""
    pairs = zip(made.tokens, made.logprobs, strict=False)
    return {
        "content": [{"token": token, "logprob": value, "bytes": None, "top_logprobs": []} for token, value in pairs]
    }


def in_pieces(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A whole answer as the chunks of a stream, a word each."""
    head = {"object": "chat.completion.chunk", "created": data["created"], "model": data["model"]}
    first = data["choices"][0]
    text = first["message"]["content"]
    cuts = [0, *(i for i, c in enumerate(text) if c.isspace() and i), len(text)]
    words = [text[a:b] for a, b in pairwise(cuts) if b > a]

    def chunk(delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    return [
        chunk({"role": "assistant", "content": ""}), *(chunk({"content": word}) for word in words),
        chunk({}, first["finish_reason"]), head | {"choices": [], "usage": data["usage"]},
    ]  # fmt: skip


def text_of(messages: Messages) -> str:
    """The prompt as a recording shows it: the user's text where nothing else was said, else all messages with their
    roles. Parts that are no text are left out.
    """
    said = [(str(message.get("role", "")), _content(message.get("content"))) for message in messages]
    if len(said) == 1 and said[0][0] == "user":
        return said[0][1]
    return "\n\n".join(f"{role}: {content}" for role, content in said)


def _content(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(p.get("text", "")) for p in content if isinstance(p, dict) and p.get("type") == "text")
    return content if isinstance(content, str) else ""
