"""Models behind an OpenAI-compatible server (vLLM, llama.cpp, Ollama, a vendor), over its completions or chat
interface, with the official ``openai`` library (optional: ``pip install 'llm-ensemble-atlas[live]'``).

Servers of one form differ in their habits. What a server refuses is left out or sent otherwise (`refusals.WITHOUT`),
and samples that it does not give at once, though asked for, are asked for one by one, each with its own seed. One
line says so, and the model remembers it. Too many requests, a server's errors and lost connections are tried again,
after the time that the server asks for.
"""

import hashlib
import json
import logging
import os
import time
import weakref
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference_impls.backends import choices, refusals
from reference_impls.backends.usage import Bill, read, shares
from reference_impls.core.model import UNKNOWN_PRICE, Dress, Floats, Generation, ModelError, Price

#: Where the environment's ``OPENAI_API_KEY`` goes unless a model names it.
OPENAI_HOST = "api.openai.com"


class BackendError(ModelError):
    """The server did not answer as it should; the message is one line."""


class _Secret(str):
    """A key that shows itself only to those who send it, not in a picture of the objects that hold it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[key]'"


class _FilteredError(Exception):
    """The server does not answer the prompt, for what it is about."""


class _RefusedRequestError(Exception):
    """The server finds something wrong with the request.

    Attributes:
        body: its answer.
    """

    def __init__(self, message: str, body: object) -> None:
        super().__init__(message)
        self.body = body


class OpenAIModel:
    """A model of a server.

    Args:
        name: of the model in tables, and on the server unless `served` says otherwise.
        base_url: for instance ``http://127.0.0.1:8000/v1``.
        price: US dollars per million tokens; None where it is unknown, and then every cost is, except those that the
            provider tells.
        size: millions of parameters, 0 if unknown.
        chat: use ``/chat/completions`` with the prompt as the user's message; else ``/completions``.
        key: sent as bearer token, to the host of `base_url` alone; empty for none.
        key_env: the environment's variable that holds the key. If neither is given, `OPENAI_HOST` is sent
            ``OPENAI_API_KEY`` over https, and nobody else is sent any.
        timeout: seconds for one request.
        system: system message of the chat form.
        context: tokens of prompt and response that fit, 0 if unknown.
        served: the model's name on the server.
        params: further parameters of every request, for instance ``{"reasoning_effort": "low"}``; they replace those
            of the same name that are sent otherwise, and None leaves one out.
        retries: how often a request is sent again that too many others, a server's error or a lost connection kept
            from an answer. The bill is that of the answer, though a provider may charge for what was lost.

    Attributes:
        digest: of all that decides the answers beside the arguments of `generate`.

    Raises:
        ModuleNotFoundError: the ``openai`` library is not installed.
        ValueError: no address or key to use.
    """

    def __init__(
        self, name: str, base_url: str, price: Price | None, *, size: float = 0.0, chat: bool = True,
        key: str | None = None, key_env: str = "", timeout: float = 120.0, system: str = "", context: int = 0,
        served: str = "", params: Mapping[str, Any] | None = None, retries: int = 4,
    ) -> None:  # fmt: skip
        try:
            import httpx2  # noqa: PLC0415 (optional, and half a second)
            import openai  # noqa: PLC0415

            from reference_impls.backends import one_host  # noqa: PLC0415
        except ImportError:
            raise ModuleNotFoundError(
                "models behind a server need the openai library: pip install 'llm-ensemble-atlas[live]'"
            ) from None
        self.name = name
        self.served = served or name
        self.price = UNKNOWN_PRICE if price is None else price
        self.size = size
        self.context = context
        # Behind the completions interface stands a model that continues texts, or one whose chat form is bypassed.
        self.dress: Dress = "chat" if chat else "terse"
        self._chat = chat
        self._system = system
        self._params = dict(params or {})
        self._refused: frozenset[str] = frozenset()
        self._openai, self._refusal = openai, one_host.RefusedError
        try:
            url = httpx2.URL(base_url.strip().rstrip("/"))
        except httpx2.InvalidURL:
            url = httpx2.URL("")
        if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
            raise ValueError(
                f"{name}: base_url is no address like http://127.0.0.1:8000/v1 (with no user, key or question mark)"
            )
        self._url = str(url)
        self._key = _key(name, key, key_env, one_host.origin(url) == ("https", OPENAI_HOST, 443))
        told = [type(self).__name__, self._url, self.served, chat, system, self._params]
        self.digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        try:
            transport = one_host.OneHost(url, self._key, timeout)
        except one_host.RefusedError as error:
            raise ValueError(f"{name}: {error}") from None
        client = httpx2.Client(transport=transport, follow_redirects=True, timeout=timeout, trust_env=False)
        # The library's own headers, this key among them, reach nobody: the transport writes those that are sent.
        self._client = openai.OpenAI(
            api_key="unused", admin_api_key="", base_url=self._url, timeout=timeout, max_retries=retries,
            http_client=client,
        )  # fmt: skip
        weakref.finalize(self, client.close)

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        came: list[Generation] = []
        request = 0
        while len(came) < n:
            wanted = 1 if "n" in self._refused else n - len(came)
            body: dict[str, Any] = {
                "temperature": temperature,
                "max_tokens": max_tokens,
                "seed": _seed(seed, request),
            }
            if wanted > 1:
                body["n"] = wanted
            if stop:
                body["stop"] = list(stop)
            try:
                came += self._ask(prompt, body, stop, request)
            except BackendError as error:
                if not came:
                    raise
                message = f"{error} (before that, {len(came)} of {n} samples had come)"
                raise BackendError(message, [*came, *error.paid]) from None
            request += 1
        return came

    def score(self, prompt: str, continuation: str) -> Floats:
        """Uses ``echo`` of the completions interface (vLLM has it, llama.cpp and most vendors do not)."""
        body = {"prompt": prompt + continuation, "max_tokens": 1, "echo": True, "logprobs": 1, "temperature": 0}
        try:
            data = self._complete("completions", body)
        except _FilteredError:
            raise BackendError(f"{self.name}: {self._url} filters the text") from None
        end = len(prompt) + len(continuation)
        try:
            logs = data["choices"][0]["logprobs"]
            pairs = list(zip(logs["text_offset"], logs["token_logprobs"], strict=True))
            inside = [value for offset, value in pairs if len(prompt) <= offset < end]
            if not prompt:
                inside = inside[1:]  # nothing comes before the first token
            values = np.array(inside, np.float64)
            echoed = min(offset for offset, _ in pairs) == 0 and (values.size or not continuation or not prompt)
        except (KeyError, TypeError, IndexError, ValueError):
            echoed = False
        if not echoed or np.isnan(values).any():
            raise BackendError(f"{self.name}: the server gives no log-probabilities of a given text")
        return values

    def _ask(self, prompt: str, body: dict[str, Any], stop: Sequence[str], request: int) -> list[Generation]:
        """The responses to one request: as many as `body` asks for, or fewer."""
        started = time.perf_counter()
        wanted = body.get("n", 1)
        if self._chat:
            messages = [{"role": "system", "content": self._system}] if self._system else []
            messages.append({"role": "user", "content": prompt})
            path, body = "chat/completions", body | {"messages": messages, "logprobs": True}
        else:
            # 0 would do for the written tokens alone, but to llama.cpp it means none at all.
            path, body = "completions", body | {"prompt": prompt, "logprobs": 1}
        try:
            data = self._complete(path, body)
        except _FilteredError:  # no failure of the server: it will never say anything else to this prompt
            silence = self._nothing(Bill(), (time.perf_counter() - started) / wanted, request, "filtered")
            return [silence] * wanted
        seconds = time.perf_counter() - started
        bill = read(data.get("usage"))
        try:
            responses = self._responses(data, bill, wanted, seconds, stop, request)
        except BackendError as error:
            raise BackendError(str(error), [self._nothing(bill, seconds, request)]) from None
        if len(responses) < wanted:
            self._learn(frozenset("n"), "ignores")
        return responses

    def _responses(
        self, data: dict[str, Any], bill: Bill, wanted: int, seconds: float, stop: Sequence[str], request: int
    ) -> list[Generation]:
        if data.get("error"):
            raise BackendError(f"{self.name}: {self._url} answers with an error: {self._plain(data['error'])}")
        if not data.get("choices"):
            raise BackendError(f"{self.name}: {self._url} answers without choices")
        try:
            came = data["choices"][:wanted]
            failed = next((c["error"] for c in came if c.get("error")), None)
            texts = [self._text(choice) for choice in came]
            logs = [choices.logprobs(choice) for choice in came]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            what = self._plain(repr(error))
            raise BackendError(f"{self.name}: {self._url}: an answer without its usual fields ({what})") from None
        if failed is not None:
            raise BackendError(f"{self.name}: {self._url} answers with an error: {self._plain(failed)}")
        tokens = shares(bill.completion, [len(pieces) for pieces, _ in logs])
        reasoning = shares(bill.reasoning, [0] * len(came))
        return [
            Generation(
                self.name, _cut(text, stop), pieces, values, bill.prompt, written, seconds / len(came),
                status not in ("cut", "filtered"), None, None if bill.cost is None else bill.cost / len(came),
                thought, bill.cached, status, request,
            )
            for (text, status), (pieces, values), written, thought in zip(texts, logs, tokens, reasoning, strict=True)
        ]  # fmt: skip

    def _nothing(self, bill: Bill, seconds: float, request: int, status: str = "failed") -> Generation:
        """What stands in a bill for a request without an answer."""
        return Generation(
            self.name, "", prompt_tokens=bill.prompt, completion_tokens=bill.completion, latency=seconds,
            finished=False, cost=bill.cost, reasoning_tokens=bill.reasoning, cached_tokens=bill.cached,
            status=status, request=request,
        )  # fmt: skip

    def _text(self, choice: dict[str, Any]) -> tuple[str, str]:
        """A choice's text, and why there is none or not all of it."""
        message = choice["message"] if self._chat else choice
        content = message.get("content") if self._chat else message["text"]
        return choices.read(message, content, choice.get("finish_reason"))

    def _complete(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request; what the server refuses is left out, and remembered if it then answers."""
        refused = self._refused
        while True:
            sent = self._adapted(body, refused)
            try:
                data = self._post(path, sent)
            except _RefusedRequestError as error:
                # What the caller has set in `params` is meant.
                spare = [p for p in refusals.WITHOUT if p in sent and p not in self._params]
                found = refusals.refused_parameter(*refusals.words(error.body), spare)
                if found is None and refusals.filters(error.body):
                    raise _FilteredError from None
                if found is None:
                    raise BackendError(str(error)) from None
                refused |= {found}
                continue
            self._learn(refused, "refuses")
            return data

    def _adapted(self, body: dict[str, Any], refused: frozenset[str]) -> dict[str, Any]:
        """A request as this server wants it."""
        sent = {"model": self.served} | {name: value for name, value in body.items() if name not in refused}
        if "max_tokens" in refused and "max_tokens" in body:
            sent["max_completion_tokens"] = body["max_tokens"]
        if "max_completion_tokens" in self._params:
            sent.pop("max_tokens", None)
        return {name: value for name, value in (sent | self._params).items() if value is not None}

    def _learn(self, parameters: frozenset[str], verb: str) -> None:
        for parameter in sorted(parameters - self._refused):
            text = "atlas: %s: %s %s %s; %s"
            logging.getLogger(__name__).warning(
                text, self.name, self._url, verb, parameter, refusals.WITHOUT[parameter]
            )
        self._refused |= parameters

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        import httpx2  # noqa: PLC0415 (`__init__` has seen that it is there)

        started = time.perf_counter()
        try:
            answer = self._client.post(f"/{path}", body=body, cast_to=httpx2.Response)
        except self._openai.APIStatusError as error:
            said = self._plain(refusals.words(error.body)[0]) or "nothing more"
            message = f"{self.name}: {self._url} answers {error.status_code}: {said}"
            if error.status_code in refusals.STATUSES:
                raise _RefusedRequestError(message, error.body) from None
            raise BackendError(message) from None
        except self._openai.APIConnectionError as error:
            cause = error.__cause__
            message = f"{self.name}: no answer from {self._url} ({type(cause or error).__name__})"
            # What was sent may have been answered, and billed, though nothing came.
            unsent = isinstance(cause, (httpx2.ConnectError, httpx2.ConnectTimeout))
            lost = self._nothing(Bill(), time.perf_counter() - started, 0)
            raise BackendError(message, [] if unsent else [lost]) from None
        except (self._refusal, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise BackendError(f"{self.name}: {self._url}: {self._plain(str(error))}") from None
        content = answer.content
        if len(self._key) >= 16:  # a server that says it again must not get it into an answer, and so into files
            content = content.replace(self._key.encode(), b"[key]")
        what = "does not answer with JSON"
        try:
            data = json.loads(content)
            if isinstance(data, dict):
                return data
            what = "answers with something other than an object"
        except (ValueError, RecursionError):
            pass
        kind = self._plain(answer.headers.get("content-type", "no type"))
        lost = self._nothing(Bill(), time.perf_counter() - started, 0)
        raise BackendError(f"{self.name}: {self._url} {what} ({kind})", [lost])

    def _plain(self, what: object) -> str:
        return refusals.plain(what, self._key)


def _key(name: str, key: str | None, variable: str, is_openai: bool) -> str:
    """The key to send; empty for none."""
    if key is None and variable:
        if not os.environ.get(variable, "").strip():
            raise ValueError(f"{name}: the environment has no {variable}, which is to hold the key")
        key = os.environ[variable]
    if key is None:
        key = os.environ.get("OPENAI_API_KEY", "") if is_openai else ""
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise ValueError(f"{name}: the key holds characters that no key has (was it copied whole and alone?)")
    return _Secret(key)


def _seed(seed: int, request: int) -> int:
    """Of a call's further requests; a server with the same seed would say the same again."""
    return seed if not request else zlib.crc32(f"{seed} {request}".encode()) >> 1


def _cut(text: str, stop: Sequence[str]) -> str:
    """The text before the first of some texts that end it, if the server has not cut it there."""
    return text[: min((text.index(s) for s in stop if s in text), default=len(text))]
