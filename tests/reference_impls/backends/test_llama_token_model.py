"""llama.cpp's server as a token model: a real one fused with a built-in model; what hostile ones say is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from reference_impls.backends.llama_server import LlamaServerModel
from reference_impls.backends.openai import BackendError
from reference_impls.core import Meter, Price, Query, TokenModel, log_softmax
from reference_impls.during_inference.chared import CharED
from reference_impls.during_inference.chared import Parameters as Bytes
from reference_impls.during_inference.sweetspan import Parameters as Spans
from reference_impls.during_inference.sweetspan import SweetSpan
from reference_impls.during_inference.unite import Parameters as Union
from reference_impls.during_inference.unite import UniTE
from reference_impls.running import catalog
from tests.reference_impls import llama_server as llama

pytest.importorskip("httpx2")
PROMPT = "The capital of France is"
QUERY = Query("t/0", "qa", PROMPT, "text", max_tokens=6)


@pytest.fixture(scope="module")
def model(llama_server: str) -> LlamaServerModel:
    return LlamaServerModel(llama.NAME, llama_server, Price(1.0, 1.0))


def test_it_is_a_token_model_that_spells_what_it_reads(model: LlamaServerModel) -> None:
    assert isinstance(model, TokenModel)
    assert (len(model.vocabulary), model.context, round(model.size, 1)) == (49152, llama.CONTEXT, 134.5)
    for text in ("Zürich, à l'est 🦉", "x = [1,\n\t2]", "<|im_end|>", ""):
        assert model.decode(model.encode(text)) == text
    assert model.vocabulary[model.end_token] == b""
    assert model.end_token not in model.encode("<|im_end|>"), "what others wrote is text, no end"


def test_a_distribution_is_one_and_holds_the_servers_own(model: LlamaServerModel, llama_server: str) -> None:
    logits = model.start(PROMPT).next_logits()
    logs = log_softmax(logits)
    assert np.exp(logits).sum() == pytest.approx(1, abs=0.01)
    assert model.vocabulary[int(logits.argmax())] == b" Paris"
    every = LlamaServerModel("every", llama_server, top=10**6).start(PROMPT).next_logits()
    largest = np.argsort(-every)[:100]
    assert np.abs(log_softmax(every)[largest] - logs[largest]).max() < 0.02
    assert logits[np.argsort(-every)[500:]].max() < logits[np.argsort(-every)[:490]].min()


def test_sessions_go_on_back_and_apart(model: LlamaServerModel) -> None:
    session = model.start(PROMPT)
    first = session.next_logits().copy()
    ids = model.encode(" Paris.")
    scored = session.score(ids)
    assert session.tokens == ()
    twin = session.fork()
    twin.append(*ids)
    assert (twin.tokens, session.tokens) == (tuple(ids), ())
    twin.rollback(len(ids))
    assert np.abs(twin.next_logits()[first.argsort()[-50:]] - np.sort(first)[-50:]).max() < 0.05
    assert scored[0] == pytest.approx(float(log_softmax(first)[ids[0]]))
    assert model.score(PROMPT, " Paris.").sum() > model.score(PROMPT, " Tokyo.").sum()
    with pytest.raises(ValueError, match="cannot take back"):
        twin.rollback(1)


def test_it_answers_alone(model: LlamaServerModel, llama_server: str) -> None:
    [answer] = model.generate(PROMPT, max_tokens=4)
    assert answer.text.startswith(" Paris")
    assert "".join(answer.tokens) == answer.text
    assert len(answer.logprobs) == answer.completion_tokens == 4
    sampled = model.generate(PROMPT, n=2, temperature=1.0, max_tokens=4, seed=3)
    assert sampled[0].text != sampled[1].text
    chat = LlamaServerModel("chat", llama_server, chat=True)
    assert "Paris" in chat.generate("What is the capital of France? Answer with one word.", max_tokens=12)[0].text


def test_methods_fuse_it_with_a_built_in_model(model: LlamaServerModel) -> None:
    """Tokens of two vocabularies, bytes, spans; both are asked, and the text ends within its limit."""
    for cls, parameters in ((UniTE, Union(gap=1)), (CharED, Bytes()), (SweetSpan, Spans(words=2))):
        meter = Meter([model, *catalog.pool("willow")])
        meter.begin()
        text = cls(meter.pool, parameters).answer(QUERY)
        usage = meter.end()
        meter.close()
        assert set(usage.models) == {llama.NAME, "willow"}, cls
        assert text.strip(), cls
        assert usage.forward_seconds > 0


@pytest.mark.parametrize(("cls", "parameters"), [(UniTE, Union(gap=1)), (CharED, Bytes()), (SweetSpan, Spans())])
def test_fused_with_itself_it_writes_what_it_writes_alone(model: LlamaServerModel, cls: Any, parameters: Any) -> None:
    [alone] = model.generate(QUERY.prompt, max_tokens=QUERY.max_tokens)
    assert cls(Meter([model]).pool, parameters).answer(QUERY) == alone.text


# --- servers that are none of llama.cpp's ---------------------------------------------------------------------------

MODELS = {"data": [{"id": "m", "meta": {"n_vocab": 3, "n_ctx": 16, "n_params": 10}}]}
TOP = [
    {"id": 0, "bytes": [], "logprob": -2.0}, {"id": 1, "bytes": list(b"owl"), "logprob": -0.2},
    {"id": 2, "bytes": [97], "logprob": -3.0},
]  # fmt: skip
GOOD: dict[str, Any] = {
    "/v1/models": MODELS, "/props": {"eos_token": "</s>"}, "/tokenize": {"tokens": [1]},
    "/completion": {"completion_probabilities": [{"top_logprobs": TOP}]},
}  # fmt: skip


@contextmanager
def serving(answers: dict[str, Any]) -> Iterator[str]:
    """A server that gives fixed answers; the end token's is the id 0."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            given = {"tokens": [0]} if b"</s>" in sent and answers["/tokenize"] == {"tokens": [1]} else None
            body = given or answers[self.path]
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_sound_server_is_read() -> None:
    with serving(GOOD) as address:
        model = LlamaServerModel("m", f"{address}/v1", top=2)
        assert (model.vocabulary, model.end_token, model.context) == ([b"", b"owl", b"a"], 0, 16)
        assert model.start("x").next_logits().tolist() == pytest.approx([-2.0, -0.2, -3.0])
        with pytest.raises(ValueError, match="longer than the context of 16"):
            model.start("x").score([1] * 20)


def entries(**changes: Any) -> dict[str, Any]:
    return {"completion_probabilities": [{"top_logprobs": [TOP[0], TOP[1] | changes]}]}


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v1/models", b"<html>"),
        ("/v1/models", []),
        ("/v1/models", {"data": []}),
        ("/v1/models", {"data": [{"meta": {"n_vocab": 10**9}}]}),
        ("/v1/models", b"[" * 100_000),
        ("/completion", {"content": "owl"}),
        ("/completion", {"completion_probabilities": [{"top_logprobs": []}]}),
        ("/completion", entries(id=3)),
        ("/completion", entries(id=-1)),
        ("/completion", entries(id=True)),
        ("/completion", entries(id=0)),
        ("/completion", entries(logprob=2.0)),
        ("/completion", entries(logprob="high")),
        ("/completion", entries(logprob=float("nan"))),
        ("/completion", entries(bytes=[256])),
        ("/completion", entries(bytes=[1] * 2000)),
        ("/completion", entries(bytes=None)),
        ("/tokenize", {"tokens": [7]}),
        ("/tokenize", {"tokens": "1"}),
        ("/props", {}),
    ],
)
def test_what_is_no_answer_of_llama_cpp_is_refused_in_one_line(path: str, answer: Any) -> None:
    with serving(GOOD | {path: answer}) as address, pytest.raises(BackendError) as caught:
        LlamaServerModel("m", address)
    assert str(caught.value).startswith(f"m: {address}/")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://192.0.2.1:8080", "another machine"),
        ("http://example.org", "another machine"),
        ("ftp://127.0.0.1", "no address"),
        ("http://me:secret@127.0.0.1", "no address"),
        ("", "no address"),
    ],
)
def test_other_machines_are_not_asked_unless_said(address: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        LlamaServerModel("m", address)
    assert "secret" not in str(caught.value)
