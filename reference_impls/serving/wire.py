"""What goes over the wire: a request's body read and understood, answers and errors in the OpenAI form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.types import Receive, Send

from reference_impls.core.query import ANSWER_KINDS
from reference_impls.core.suggest import nearest
from reference_impls.recording.config import LIMITS

T = TypeVar("T")
#: Characters of a name that a client gives.
MAX_NAME = 512


class GoneError(Exception):
    """The client has hung up."""


class RequestError(Exception):
    """Something is wrong with the request, or nothing could be made of it.

    Attributes:
        status: of the answer.
        code: a word for programs.
    """

    def __init__(self, status: int, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.status, self.code = status, code

    @property
    def body(self) -> dict[str, Any]:
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": str(self), "type": kind, "param": None, "code": self.code}}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for an answer.

    Attributes:
        model: as the client names it.
        messages: as they came.
        parameters: everything else that goes on to the models.
        stream: whether pieces are wanted; `usage`, whether their bill too.
        task, query, kind: what the client tells about the query (``"atlas": {...}`` in the body).
    """

    model: str
    messages: list[dict[str, Any]]
    parameters: dict[str, Any]
    stream: bool
    usage: bool
    task: str | None
    query: str | None
    kind: str | None


async def body_of(receive: Receive, most: int) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        RequestError: it is too large, or no JSON object.
        GoneError: the client hung up before its end.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise RequestError(413, f"the body is larger than {most} bytes (send less)", "too_large")
        parts.append(part)
        if not message.get("more_body", False):
            break
    try:
        values = json.loads(b"".join(parts))
    except (ValueError, RecursionError):
        raise RequestError(400, "the body is no JSON (send an object)") from None
    if not isinstance(values, dict):
        raise RequestError(400, "the body is no JSON object (send one)")
    return values


def asked(values: dict[str, Any]) -> Asked:
    """A chat request.

    Raises:
        RequestError: a field is missing or has another form.
    """
    rest = dict(values)
    model, messages = rest.pop("model", None), rest.pop("messages", None)
    if not isinstance(model, str) or not model:
        raise RequestError(400, "model: is missing (write the name of a model, GET /v1/models lists them)")
    whole = isinstance(messages, list) and messages and all(isinstance(m, dict) for m in messages)
    if not whole or not all(isinstance(m.get("role"), str) for m in messages):
        raise RequestError(400, 'messages: is no list of messages (write [{"role": "user", "content": "..."}])')
    stream, options = rest.pop("stream", None) or False, rest.pop("stream_options", None) or {}
    if not isinstance(stream, bool) or not isinstance(options, dict):
        raise RequestError(400, "stream: is to be true or false")
    about = rest.pop("atlas", None) or {}
    if not isinstance(about, dict):
        raise RequestError(400, 'atlas: is no object (write {"task": "..."} or leave it out)')
    if unknown := set(about) - {"task", "query", "kind"}:
        raise RequestError(400, f"atlas.{min(unknown)[:60]}: there is no such key (task, query or kind)")
    kind = about.get("kind")
    if kind is not None and kind not in ANSWER_KINDS:
        raise RequestError(400, f"atlas.kind: is none of {', '.join(ANSWER_KINDS)}{nearest(str(kind), ANSWER_KINDS)}")
    for limit in LIMITS:
        value = rest.get(limit)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise RequestError(400, f"{limit}: is to be a whole number above 0")
    if rest.get("n") == 1:
        del rest["n"]
    return Asked(
        model, messages, rest, stream, bool(options.get("include_usage")), _name(about, "task"),
        _name(about, "query"), kind,
    )  # fmt: skip


def feedback(values: Mapping[str, Any]) -> tuple[str, float]:
    """The decision and the score of a feedback.

    Raises:
        RequestError: a field is missing or has another form.
    """
    if unknown := set(values) - {"decision", "score"}:
        raise RequestError(400, f"{min(unknown)[:60]}: there is no such key (decision and score)")
    name, score = values.get("decision"), values.get("score")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise RequestError(400, "decision: write what x-atlas-decision of the answer says")
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:  # nor nan
        raise RequestError(400, "score: is to be a number from 0 (wrong) to 1 (right)")
    return name, float(score)


def _name(about: Mapping[str, Any], key: str) -> str | None:
    value = about.get(key)
    if value is None:
        return None
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_NAME
        or not value.isprintable()
        or value != value.strip()
    ):
        raise RequestError(400, f"atlas.{key}: is no name (write 1 to {MAX_NAME} printable characters)")
    return value


async def watched(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What some work gives; if the client hangs up before, the work is cancelled, and with it every call under way.

    Raises:
        GoneError: the client has hung up.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise GoneError
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def header(name: str) -> bytes:
    """A model's name as a header's value; what no header can hold is percent-encoded.

    >>> header("Qwen/Qwen3-8B:free, ü")
    b'Qwen/Qwen3-8B:free, %C3%BC'
    """
    return quote(name, safe="/:@!$&'()*+,;=?#[] <>|^`{}\"").encode("ascii")


async def answer(
    send: Send, status: int, values: Mapping[str, Any], headers: Mapping[bytes, bytes] | None = None
) -> None:
    """A whole answer in JSON."""
    content = json.dumps(values, allow_nan=False).encode()
    own = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *(headers or {}).items()]})
    await send({"type": "http.response.body", "body": content})


def event(values: Mapping[str, Any]) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps(values, allow_nan=False).encode() + b"\n\n"
