"""One request to one server, with the official ``openai`` library, and what came of it.

The library's own retries are off: every attempt is to have its place in the rate and in the budget.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reference_impls.backends import choices, refusals
from reference_impls.backends.usage import Bill, read
from reference_impls.recording.config import LIMITS, ModelConfig

RETRIED = (408, 409, 425, 429, 500, 502, 503, 504, 529)
"""Statuses that may be others the next time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one attempt.

    Attributes:
        status: empty, ``cut``, ``filtered``, ``refused``, ``tools`` or ``error``.
        data: the server's answer as it was sent; empty where none came.
        text: of its first choice.
        said: of a failure, why, in one line without the key.
        bill: its tokens and cost, as far as the server tells.
        seconds: until it was there.
        free: whether it is known that nothing is charged.
        again: whether another attempt may do better.
        wait: seconds that the server asks to wait before; None where it does not say.
        code: the HTTP status of a refusal, else 0.
    """

    status: str
    data: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    said: str = ""
    bill: Bill = field(default_factory=Bill)
    seconds: float = 0.0
    free: bool = False
    again: bool = False
    wait: float | None = None
    code: int = 0


def key_of(model: ModelConfig) -> str:
    """The key to send; empty for none.

    Raises:
        ValueError: as of `key_value`.
    """
    return key_value(model.variable, model.name) if model.variable else ""


def key_value(variable: str, who: str) -> str:
    """The key that a variable of the environment holds.

    Raises:
        ValueError: the variable is not there, or holds no key: one line without it.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ValueError(f"{who}: the environment has no {variable}, which is to hold the key (set it)")
    if not (key.isascii() and key.isprintable()):
        raise ValueError(f"{who}: {variable} holds characters that no key has (copy it whole and alone)")
    return key


class Asking:
    """Asks one model, by whatever way a subclass sends.

    Attributes:
        refused: parameters that the server does not take, as found so far.

    Raises:
        ValueError: the environment has no key.
    """

    def __init__(self, model: ModelConfig) -> None:
        self.model = model
        self.refused: frozenset[str] = frozenset()
        self._key = key_of(model)

    async def ask(self, messages: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> Reply:
        """One attempt. A parameter that the server does not take is left out, or sent by its other name, and the
        model remembers it.
        """
        while True:
            sent = {"model": self.model.served, "messages": list(messages)} | self._adapted(parameters)
            reply, body = await self._post(sent)
            if reply.code not in refusals.STATUSES:
                return reply
            spare = [p for p in refusals.WITHOUT if p in sent and p not in self.model.params]
            found = refusals.refused_parameter(*refusals.words(body), spare)
            if found is None:
                return Reply("filtered", said=reply.said, free=True) if refusals.filters(body) else reply
            self.refused |= {found}

    def _adapted(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        sent = {name: value for name, value in parameters.items() if name not in self.refused and value is not None}
        if "max_tokens" in self.refused and "max_tokens" in parameters:
            sent["max_completion_tokens"] = parameters["max_tokens"]
        return sent

    async def _post(self, body: Mapping[str, Any]) -> tuple[Reply, object]:
        """The reply, and of a refusal the server's words."""
        raise NotImplementedError

    def _failed(self, said: object, seconds: float, **more: Any) -> Reply:
        """No answer, and why."""
        return Reply("error", said=refusals.plain(said, self._key), seconds=seconds, **more)

    def _refusal(self, code: int, body: object, wait: str | None, seconds: float) -> Reply:
        """What a status other than 200 means.

        Args:
            code: the status.
            body: what the server says to it.
            wait: its ``Retry-After``.
            seconds: until it was there.
        """
        said = f"the server answers {code}: {refusals.words(body)[0] or 'nothing more'}"
        free, again = code < 500 or code == 503, code in RETRIED
        return self._failed(said, seconds, free=free, again=again, wait=_seconds(wait), code=code)

    def _read(self, content: bytes, seconds: float) -> Reply:
        try:
            data = json.loads(content)
            if len(self._key) >= 8:  # a server that says it again must not get it into a file
                data = json.loads(json.dumps(data).replace(json.dumps(self._key)[1:-1], "[key]"))
            if not isinstance(data, dict):
                return self._failed("the server answers with something other than an object", seconds)
        except (ValueError, RecursionError):
            return self._failed("the server does not answer with JSON", seconds)
        bill = read(data.get("usage"))
        why = data.get("error")
        try:
            first = (data.get("choices") or [{}])[0]
            why = why or first.get("error")
            message = first.get("message")
            if why or message is None:
                said = refusals.words(why)[0] if why else "the server answers without choices"
                return self._failed(said, seconds, data=data, bill=bill)
            text, status = choices.read(message, message.get("content"), first.get("finish_reason"))
        except (KeyError, TypeError, AttributeError, IndexError):
            return self._failed("an answer without its usual fields", seconds, data=data, bill=bill)
        return Reply(status, data, text, refusals.plain(message.get("refusal") or "", self._key), bill, seconds)


class Asker(Asking):
    """Asks one model with the ``openai`` library.

    Raises:
        ValueError: no key, or a proxy that cannot be used.
        ModuleNotFoundError: the ``openai`` library is not installed.
    """

    def __init__(self, model: ModelConfig) -> None:
        import httpx2  # noqa: PLC0415 (optional, and half a second)
        import openai  # noqa: PLC0415

        from reference_impls.backends.one_host import RefusedError  # noqa: PLC0415
        from reference_impls.recording.transport import AsyncOneHost  # noqa: PLC0415

        super().__init__(model)
        self._openai, self._httpx, self._unsent = openai, httpx2, RefusedError
        header = "api-key" if model.kind == "azure" else "authorization"
        try:
            transport = AsyncOneHost(httpx2.URL(model.base_url), self._key, header, model.concurrency)
        except RefusedError as error:
            raise ValueError(f"{model.name}: {error}") from None
        http = httpx2.AsyncClient(transport=transport, follow_redirects=False, timeout=model.timeout, trust_env=False)
        # The library's own headers reach nobody: the transport writes those that are sent.
        if model.kind == "azure":
            self._client: Any = openai.AsyncAzureOpenAI(
                api_key="unused", azure_endpoint=model.base_url, api_version=model.api_version, max_retries=0,
                http_client=http, timeout=model.timeout,
            )  # fmt: skip
        else:
            self._client = openai.AsyncOpenAI(
                api_key="unused", base_url=model.base_url, max_retries=0, http_client=http, timeout=model.timeout
            )

    async def close(self) -> None:
        await self._client.close()

    async def content(self, path: str, body: Mapping[str, Any]) -> tuple[bytes | None, Reply | None]:
        """What a server sends to any request, as it is; or why it sends nothing."""
        content, reply, _ = await self._sent(path, body, time.perf_counter())
        return content, reply

    async def _post(self, body: Mapping[str, Any]) -> tuple[Reply, object]:
        started = time.perf_counter()
        content, reply, said = await self._sent("/chat/completions", body, started)
        if reply is not None:
            return reply, said
        assert content is not None
        return self._read(content, time.perf_counter() - started), None

    async def _sent(
        self, path: str, body: Mapping[str, Any], started: float
    ) -> tuple[bytes | None, Reply | None, object]:
        """The answer's content; or the failure, and of a refusal the server's words."""
        try:
            async with asyncio.timeout(self.model.timeout):
                answer = await self._client.post(path, body=body, cast_to=self._httpx.Response)
        except (
            self._openai.OpenAIError, self._httpx.HTTPError, self._httpx.InvalidURL, TimeoutError, self._unsent,
        ) as error:  # fmt: skip
            return None, *self._failure(error, time.perf_counter() - started)
        return answer.content, None, None

    def _failure(self, error: Exception, seconds: float) -> tuple[Reply, object]:
        """What an error of a request means, and of a refusal the server's words."""
        if isinstance(error, self._openai.APIStatusError):
            wait = error.response.headers.get("retry-after")
            return self._refusal(error.status_code, error.body, wait, seconds), error.body
        if isinstance(error, self._openai.APIConnectionError):
            cause = error.__cause__
            if isinstance(cause, self._unsent):
                return self._failed(str(cause), seconds), None
            unsent = isinstance(cause, (self._httpx.ConnectError, self._httpx.ConnectTimeout))
            said = f"no answer ({type(cause or error).__name__})"
            return self._failed(said, seconds, free=unsent, again=True), None
        if isinstance(error, TimeoutError):
            return self._failed(f"no answer within {self.model.timeout:g} seconds", seconds, again=True), None
        return self._failed(str(error), seconds), None


def limit_of(parameters: Mapping[str, Any]) -> int:
    """Most tokens that an answer may have."""
    return max(int(parameters[name]) for name in LIMITS if parameters.get(name) is not None)


def _seconds(value: str | None) -> float | None:
    """A ``Retry-After`` in seconds; a date, which servers of this form do not send, is none."""
    try:
        wait = float(value) if value is not None else None
    except ValueError:
        return None
    return wait if wait is not None and 0 <= wait <= 3600 else None
