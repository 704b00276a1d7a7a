"""The way to a model's server: what leaves the machine, and what of a strange server's answers comes in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reference_impls.core.model import Price
from reference_impls.recording.asking import Reply
from reference_impls.recording.config import ModelConfig
from reference_impls.serving import way
from reference_impls.serving.upstream import CutError, Server
from tests.reference_impls.backends.server import Answer, Scripted, choice, said, serving
from tests.reference_impls.serving.endpoint import SECRET, stream
from tests.reference_impls.serving.loops import in_a_loop

MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with serving(lambda _body: (200, said(choice()))) as scripted:
        yield scripted


def ask(server: Scripted, parameters: dict[str, Any] | None = None, **more: Any) -> tuple[Reply, list[Any], str]:
    """The answer in one piece; in pieces; and why these broke off, if they did."""
    model = Server(ModelConfig(name="m", base_url=server.url, **more), Price(1, 1))

    async def both() -> tuple[Reply, list[Any], str]:
        reply, pieces, why = await model.ask(MESSAGES, parameters or {}), [], ""
        try:
            async for chunk in model.stream(MESSAGES, parameters or {}):
                pieces += [chunk]
        except CutError as error:
            why = str(error)
        await model.close()
        return reply, pieces, why

    return in_a_loop(both())


def test_the_key_goes_as_the_server_wants_it(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # plain http goes through none
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server.behave = lambda body: stream(["a"]) if body.get("stream") else (200, said(choice("4")))
    reply, pieces, why = ask(server, key_env="MY_KEY")
    assert (reply.status, reply.text, why) == ("", "4", "")
    assert "".join(c["delta"].get("content", "") for p in pieces for c in p["choices"]) == "a"
    azure = server.url.removesuffix("/v1")
    model = ModelConfig(name="m", model="my gpt", kind="azure", base_url=azure, api_version="2025-01-01")
    assert way.address(model) == f"{azure}/openai/deployments/my%20gpt/chat/completions?api-version=2025-01-01"
    server.behave = lambda _body: (200, said(choice("5")))
    scripted = Scripted(azure, server.behave)
    assert ask(scripted, model="my gpt", kind="azure", api_version="2025-01-01", key_env="MY_KEY")[0].text == "5"
    plain, own = server.seen[0], server.seen[2]
    assert plain.path == "/v1/chat/completions"
    assert plain.headers["authorization"] == f"Bearer {SECRET}"
    assert own.path == "/openai/deployments/my%20gpt/chat/completions?api-version=2025-01-01"
    assert own.headers["api-key"] == SECRET
    assert "authorization" not in own.headers
    sent = {"host", "content-length", "accept", "accept-encoding", "content-type", "user-agent"}
    assert set(plain.headers) == sent | {"authorization"}
    assert plain.headers["user-agent"] == "llm-ensemble-atlas"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}), "the server answers 302: nothing more"),
        ((200, b"\x1f\x8b", {"Content-Encoding": "gzip"}), "it answers compressed, which was not asked for"),
        ((200, b"{", {"Content-Length": "9"}), "no answer within 0.3 seconds"),
        ((0, None), "no answer (ServerDisconnectedError)"),
        ((200, b"{", {"Content-Length": "9", "Connection": "close"}), "no answer (ClientPayloadError)"),
        ((200, b"data: " + b"x" * 4096), "an event without end"),
        ((200, b"x" * 8192), "its answer is longer than 0 MiB"),
        ((401, {"error": {"message": f"wrong key {SECRET}"}}), "the server answers 401: wrong key [key]"),
        ((503, b"<html>busy</html>"), "the server answers 503: <html>busy</html>"),
    ],
)
def test_what_a_strange_server_answers(
    answer: Answer, told: str, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second limit is that of events, which whole answers do not have."""
    monkeypatch.setenv("MY_KEY", SECRET)
    monkeypatch.setattr(way, "EVENT", 1024)
    monkeypatch.setattr(way, "MOST", 6000)
    server.behave = lambda _body: answer
    before = len(server.seen)
    reply, pieces, why = ask(server, key_env="MY_KEY", timeout=0.3 if "within" in told else 60.0)
    assert why == told
    assert pieces == []
    assert reply.status == "error"
    assert reply.said == ("the server does not answer with JSON" if told == "an event without end" else told)
    assert len(server.seen) == before + 2, "nobody else was asked, and nothing twice"
    assert SECRET not in json.dumps([reply.said, why])


def test_what_is_wrong_before_anything_is_sent(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    reply, _, why = ask(server, {"temperature": float("inf")})
    assert reply.said == why == "the request holds what JSON cannot say"
    assert (reply.code, reply.free) == (400, True)
    gone, _, why = ask(Scripted("http://127.0.0.1:1/v1", server.behave))
    assert gone.said == why == "no answer (ClientConnectorError)"
    assert (gone.free, gone.again) == (True, True)
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(ValueError, match=r"^m: the proxy .* cannot be used \(correct HTTPS_PROXY\)$"):
        Server(ModelConfig(name="m", base_url="https://models.example/v1"), None)
