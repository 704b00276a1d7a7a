"""Models behind servers: what is sent, what servers do to it, what is billed, and who sees the key."""

import gc
import itertools
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from reference_impls.after_inference.majority_vote import MajorityVote
from reference_impls.backends import one_host
from reference_impls.backends.openai import BackendError, OpenAIModel
from reference_impls.core import Generation, Meter, Model, Price, Query, TokenModel
from reference_impls.running import catalog, responses, runner, summary
from reference_impls.running.responses import StoredModel
from tests.reference_impls import llama_server as llama
from tests.reference_impls.backends.server import Answer, Behaviour, Scripted, choice, one_at_a_time, said, serving

PRICE = Price(1.0, 2.0)
KEY = "sk-test-0123456789abcdef"
AT_ONCE = {"retry-after-ms": "1"}


def model(server: Scripted, **more: Any) -> OpenAIModel:
    return OpenAIModel("m", server.url, more.pop("price", PRICE), **more)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was told, a line each."""
    told = [record.getMessage() for record in caplog.records if record.name.startswith("reference_impls")]
    assert not any("\n" in line for line in told)
    return told


# What is sent, and what comes back


def test_a_chat_server(server: Scripted) -> None:
    log = {"content": [{"token": "4", "logprob": -0.5}]}
    server.behave = lambda _body: (200, said(choice(logprobs=log), choice(logprobs=log)))
    asked = model(server, key="k", system="Be short.")
    assert isinstance(asked, Model)
    assert not isinstance(asked, TokenModel)
    first, second = asked.generate("2+2?", n=2, temperature=0.7, stop=("\n",), seed=5)
    assert (first.text, first.logprobs, first.prompt_tokens, first.completion_tokens) == ("4", (-0.5,), 9, 1)
    assert first.latency == second.latency > 0
    (request,) = server.seen
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer k"
    assert request.body == {
        "model": "m", "n": 2, "temperature": 0.7, "max_tokens": 160, "seed": 5, "stop": ["\n"], "logprobs": True,
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "2+2?"}],
    }  # fmt: skip


def test_a_completions_server(server: Scripted) -> None:
    logs = {"tokens": [" 4", "!"], "token_logprobs": [-0.5, -2.0]}
    server.behave = lambda _body: (
        200,
        said({"text": " 4!", "logprobs": logs, "finish_reason": "length"}, completion=2),
    )
    (answer,) = model(server, chat=False).generate("2+2=")
    assert (answer.text, answer.tokens, answer.logprobs) == (" 4!", (" 4", "!"), (-0.5, -2.0))
    assert not answer.finished
    assert answer.status == "cut"
    (request,) = server.seen
    assert request.path == "/v1/completions"
    assert request.body["prompt"] == "2+2="
    assert "authorization" not in request.headers, "no key, no header"


def test_parameters_of_ones_own(server: Scripted) -> None:
    params = {"max_completion_tokens": 4000, "reasoning_effort": "low", "logprobs": None, "temperature": 1}
    model(server, served="vendor/m-2", params=params).generate("q", temperature=0.0)
    (body,) = server.bodies
    assert body == {
        "model": "vendor/m-2", "max_completion_tokens": 4000, "reasoning_effort": "low", "temperature": 1, "seed": 0,
        "messages": [{"role": "user", "content": "q"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("what", "text", "status", "finished"),
    [
        (choice("4"), "4", "", True),
        (choice("4", "length"), "4", "cut", False),
        (choice(None, "length", reasoning_content="2+2=4"), "", "cut", False),
        ({"message": {"content": None, "reasoning_content": "2+2=4"}, "finish_reason": "length"}, "", "cut", False),
        (choice(None, "content_filter"), "", "filtered", False),
        ({"message": {"content": None, "refusal": "I cannot."}, "finish_reason": "stop"}, "", "refused", True),
        (
            {"message": {"content": None, "tool_calls": [{"id": "1"}]}, "finish_reason": "tool_calls"},
            "",
            "tools",
            True,
        ),
        ({"message": {"tool_calls": [{"id": "1"}]}, "finish_reason": "tool_calls"}, "", "tools", True),
        (choice([{"type": "text", "text": "4"}]), "4", "", True),
        (choice([{"type": "thinking", "thinking": []}, {"type": "text", "text": "4"}, "!"]), "4!", "", True),
        (choice([]), "", "", True),
        (choice("4", logprobs=None), "4", "", True),
        (choice("4", logprobs={"content": None}), "4", "", True),
        (choice("4", logprobs={"content": [{"token": "4", "logprob": None}]}), "4", "", True),
        (choice("4", logprobs={"content": [{"token": "4"}]}), "4", "", True),
        (choice("4", logprobs={"content": "4"}), "4", "", True),
        (choice("4", logprobs={"tokens": ["4"], "token_logprobs": []}), "4", "", True),
        (choice("4", logprobs={"tokens": ["4"], "token_logprobs": [0.7]}), "4", "", True),
        (choice("4", logprobs=[-0.5]), "4", "", True),
        (choice("4", logprobs={"content": [{"token": None, "logprob": -0.5}]}), "4", "", True),
        (choice("a\ud83d"), "a?", "", True),
    ],
)
def test_answers_and_abstentions(server: Scripted, what: Any, text: str, status: str, finished: bool) -> None:
    server.behave = lambda _body: (200, said(what))
    (answer,) = model(server).generate("2+2?")
    assert (answer.text, answer.status, answer.finished) == (text, status, finished)
    assert answer.logprobs == ()


def test_a_very_small_probability_is_one(server: Scripted) -> None:
    server.behave = lambda _body: (200, said(choice(logprobs={"content": [{"token": "4", "logprob": -9999.0}]})))
    assert model(server).generate("q")[0].logprobs == (-9999.0,)


@pytest.mark.parametrize(
    "error",
    [
        {"code": "content_filter", "message": "The response was filtered due to the prompt.", "status": 400},
        {"code": None, "message": "Your request triggers Azure OpenAI's content management policy."},
        {"message": "Content Exists Risk", "type": "invalid_request_error"},
        {"code": 403, "message": "openai/gpt requires moderation. Your input was flagged for violence."},
    ],
)
def test_a_prompt_that_is_filtered_is_an_abstention(server: Scripted, error: Any) -> None:
    server.behave = lambda _body: (403 if error.get("code") == 403 else 400, {"error": error})
    meter = Meter([model(server)])
    meter.begin()
    answers = meter.pool[0].generate("how to", n=2, temperature=1.0)
    assert [(a.text, a.status, a.finished) for a in answers] == [("", "filtered", False)] * 2
    assert len(server.seen) == 1, "it will not be answered by asking again"
    assert {"prompt_tokens", "completion_tokens", "cost"} <= meter.end().unknown
    with pytest.raises(BackendError, match="filters the text"):
        model(server, chat=False).score("how", " to")


# Habits


def refusing(*parameters: str, status: int = 400) -> Behaviour:
    """A server that takes some parameters by no name."""

    def behave(body: dict[str, Any]) -> Answer:
        for parameter in parameters:
            if parameter in body:
                return status, {"error": {"message": f"Unsupported parameter: '{parameter}'", "param": parameter}}
        return 200, said(choice())

    return behave


@pytest.mark.parametrize("parameter", ["temperature", "seed", "logprobs", "stop", "max_tokens"])
@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_parameter_is_left_out_and_told_once(
    server: Scripted, caplog: pytest.LogCaptureFixture, parameter: str, status: int
) -> None:
    server.behave = refusing(parameter, status=status)
    asked = model(server)
    for _ in range(3):
        assert asked.generate("2+2?", stop=("x",), temperature=0.5)[0].text == "4"
    assert len(server.seen) == 4, "refused once, then remembered"
    assert not any(parameter in body for body in server.bodies[1:])
    assert [body.get("max_completion_tokens") for body in server.bodies[1:]] == [
        160 if parameter == "max_tokens" else None
    ] * 3
    (line,) = lines(caplog)
    assert f"refuses {parameter}" in line


def test_a_model_that_refuses_nearly_everything(server: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    server.behave = refusing("max_tokens", "temperature", "logprobs", "seed", "n", "stop")
    answers = model(server).generate("2+2?", n=3, temperature=1.0, stop=("x",))
    assert [a.text for a in answers] == ["4"] * 3
    assert len(lines(caplog)) == 6
    assert server.bodies[-1] == {
        "model": "m", "max_completion_tokens": 160, "messages": [{"role": "user", "content": "2+2?"}]
    }  # fmt: skip


def test_logprobs_that_are_forbidden(server: Scripted) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        message = "You are not allowed to request logprobs from this model"
        return (403, {"error": {"message": message}}) if body.get("logprobs") else (200, said(choice()))

    server.behave = behave
    assert model(server).generate("q")[0].text == "4"


def test_stop_texts_are_cut_here_if_the_server_takes_none(server: Scripted) -> None:
    inner = refusing("stop")

    def behave(body: dict[str, Any]) -> Answer:
        answer = inner(body)
        return answer if answer[0] != 200 else (200, said(choice("4\nQ: 3+3?")))

    server.behave = behave
    assert model(server).generate("q", stop=("\n", "Q:"))[0].text == "4"


def test_a_value_that_is_refused_is_not_replaced(server: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    message = "temperature must be between 0 and 1"
    server.behave = lambda _body: (400, {"error": {"message": message, "param": "temperature"}})
    with pytest.raises(BackendError, match=message):
        model(server).generate("q", temperature=1.5)
    server.behave = refusing("temperature")
    with pytest.raises(BackendError, match="Unsupported parameter"):
        model(server, params={"temperature": 0.3}).generate("q")
    server.behave = refusing("max_tokens", "max_completion_tokens")
    with pytest.raises(BackendError, match="max_completion_tokens"):
        model(server).generate("q")
    assert lines(caplog) == [], "nothing was learnt"


def test_what_nothing_mends_is_asked_once(server: Scripted) -> None:
    server.behave = lambda _body: (400, {"error": {"message": "The prompt is filtered"}})
    with pytest.raises(BackendError, match=r"m: http://127\.0\.0\.1:\d+/v1 answers 400: The prompt is filtered"):
        model(server).generate("q")
    assert len(server.seen) == 1


# Samples


def numbered(at_once: int) -> Behaviour:
    """A server that gives at most so many choices, each another one."""
    number = itertools.count()

    def behave(body: dict[str, Any]) -> Answer:
        count = min(body.get("n", 1), at_once)
        return 200, said(*(choice(str(next(number))) for _ in range(count)))

    return behave


@pytest.mark.parametrize(("at_once", "n", "requests"), [(9, 5, 1), (1, 5, 5), (2, 5, 4), (1, 1, 1), (1, 0, 0)])
def test_samples_that_a_server_does_not_give_are_made_up(
    server: Scripted, caplog: pytest.LogCaptureFixture, at_once: int, n: int, requests: int
) -> None:
    server.behave = numbered(at_once)
    meter = Meter([model(server)])
    meter.begin()
    answers = meter.pool[0].generate("q", n=n, temperature=0.7, seed=11)
    usage = meter.end()
    assert [a.text for a in answers] == [str(i) for i in range(n)]
    assert len(server.seen) == requests
    seeds = [body["seed"] for body in server.bodies]
    assert len(set(seeds)) == requests, "each with a seed of its own, so that a seeded server draws anew"
    assert seeds[:1] == [11][:requests]
    assert (usage.prompt_tokens, usage.completion_tokens) == (9 * requests, n), "every request's prompt is paid"
    assert usage.cost == pytest.approx((9 * requests + 2 * n) / 1e6)
    assert usage.calls == n
    assert len(lines(caplog)) == (requests > 1)


@pytest.mark.parametrize(
    "message", ["Only one completion choice is allowed", "n > 2 is not supported", {"message": "no", "param": "n"}]
)
def test_samples_that_a_server_refuses_are_asked_for_one_by_one(
    server: Scripted, caplog: pytest.LogCaptureFixture, message: Any
) -> None:
    inner = numbered(1)
    server.behave = lambda body: (400, {"error": message}) if "n" in body else inner(body)
    asked = model(server)
    assert [a.text for a in asked.generate("q", n=3, temperature=1.0)] == ["0", "1", "2"]
    assert [a.text for a in asked.generate("q", n=2, temperature=1.0)] == ["3", "4"]
    assert len(server.seen) == 6
    assert len(lines(caplog)) == 1


def test_a_seeded_servers_duplicates_count_as_what_they_are(server: Scripted) -> None:
    server.behave = one_at_a_time("the same")
    assert [a.text for a in model(server).generate("q", n=3, temperature=1.0)] == ["the same"] * 3


def test_fewer_samples_than_asked_for_are_an_error_that_is_billed(server: Scripted) -> None:
    inner = numbered(1)
    server.behave = lambda body: inner(body) if len(server.seen) <= 2 else (200, {"choices": []})
    meter = Meter([model(server)])
    meter.begin()
    with pytest.raises(BackendError, match=r"answers without choices \(before that, 2 of 4 samples had come\)"):
        meter.pool[0].generate("q", n=4, temperature=1.0)
    usage = meter.end()
    assert usage.calls == 3
    assert {"prompt_tokens", "completion_tokens", "cost"} <= usage.unknown, "the third may have been billed"
    server.behave = lambda body: inner(body) if len(server.seen) <= 5 else (400, {"error": "no more"})
    meter.begin()
    with pytest.raises(BackendError, match=r"answers 400: no more \(before that, 2 of 4 samples had come\)"):
        meter.pool[0].generate("q", n=4, temperature=1.0)
    usage = meter.end()
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (2, 18, 2), "what is refused costs nothing"
    assert not usage.unknown


def test_more_choices_than_asked_for_are_paid_but_not_used(server: Scripted) -> None:
    server.behave = lambda _body: (200, said(choice("a"), choice("b"), completion=7))
    (answer,) = model(server).generate("q")
    assert (answer.text, answer.completion_tokens) == ("a", 7)


# Bills


def bill(answers: list[Generation]) -> list[Any]:
    return [(a.prompt_tokens, a.completion_tokens, a.reasoning_tokens, a.cached_tokens, a.cost) for a in answers]


def test_what_was_thought_is_billed_though_nobody_sees_it(server: Scripted) -> None:
    usage: Any = {
        "completion_tokens_details": {"reasoning_tokens": 904},
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    log = {"content": [{"token": "4", "logprob": -0.5}]}
    server.behave = lambda _body: (200, said(choice(logprobs=log), completion=905, **usage))
    assert bill(model(server).generate("q")) == [(9, 905, 904, 4, None)]
    server.behave = lambda _body: (200, said(choice(logprobs=log), choice(logprobs=log), completion=907, **usage))
    assert bill(model(server).generate("q", n=2)) == [(9, 454, 452, 4, None), (9, 453, 452, 4, None)]
    meter = Meter([model(server, price=Price(2.0, 8.0, cached=1.0))])
    meter.begin()
    meter.pool[0].generate("q", n=2)
    assert meter.end().cost == pytest.approx((2 * 5 + 4 + 8 * 907) / 1e6)


def test_a_providers_own_cost_wins(server: Scripted) -> None:
    server.behave = lambda _body: (200, said(choice(), choice(), cost=0.5))
    meter = Meter([model(server)])
    meter.begin()
    assert [a.cost for a in meter.pool[0].generate("q", n=2)] == [0.25, 0.25]
    assert meter.end().cost == 0.5
    meter = Meter([model(server, price=None)])
    meter.begin()
    meter.pool[0].generate("q", n=2)
    usage = meter.end()
    assert usage.cost == 0.5
    assert not usage.unknown, "nobody has to know the price then"


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": None}])
def test_no_usage_is_no_bill_of_nothing(server: Scripted, usage: Any) -> None:
    server.behave = lambda _body: (200, {"choices": [choice()], "usage": usage})
    meter = Meter([model(server)])
    meter.begin()
    meter.pool[0].generate("q")
    used = meter.end()
    assert used.unknown == {"prompt_tokens", "completion_tokens", "tokens_by_model", "cost"}
    assert np.isnan(used.cost)


def test_a_model_without_a_price_has_no_cost(server: Scripted) -> None:
    meter = Meter([model(server, price=None)])
    meter.begin()
    meter.pool[0].generate("q")
    usage = meter.end()
    assert usage.unknown == {"cost"}
    assert usage.completion_tokens == 1


# Errors


@pytest.mark.parametrize(
    ("answer", "says", "billed"),
    [
        ((200, b"<html>"), "does not answer with JSON", None),
        ((200, b"data: {}\n\n", {"Content-Type": "text/event-stream"}), r"JSON \(text/event-stream\)", None),
        ((200, b"\xff{}"), "JSON", None),
        ((200, b"[" * 100_000), "JSON", None),
        ((200, []), "object", None),
        ((200, {}), "without choices", None),
        ((200, {"choices": [], "usage": None}), "without choices", None),
        ((200, {"choices": None, "usage": {"prompt_tokens": 3, "completion_tokens": 0}}), "without choices", 3),
        ((200, {"choices": [{}]}), "usual fields", None),
        ((200, {"choices": {"a": 1}}), "usual fields", None),
        ((200, {"choices": [None]}), "usual fields", None),
        ((200, said({"message": None})), "usual fields", 9),
        ((200, said(choice(7))), "usual fields", 9),
        ((200, said(choice([{"type": "text"}]))), "usual fields", 9),
        ((200, {"error": {"message": "over\nloaded", "code": 529}}), "an error: .*over", None),
        ((200, {"error": "no"} | said(choice())), "answers with an error: no", 9),
        ((200, said(choice("", "error", error={"message": "upstream"}))), "an error: .*upstream", 9),
        ((404, {"error": {"message": "no such model"}}), "answers 404: no such model", 0),
        ((401, {"detail": "who\x1b[31m are you"}), r"answers 401: who \[31m are you", 0),
        ((500, b"out of\nmemory", AT_ONCE), "answers 500: out of memory", 0),
        ((418, b""), "answers 418: nothing more", 0),
    ],
)
def test_a_broken_server_gets_one_line(server: Scripted, answer: Answer, says: str, billed: int | None) -> None:
    server.behave = lambda _body: answer
    meter = Meter([model(server)])
    meter.begin()
    with pytest.raises(BackendError, match=says) as caught:
        meter.pool[0].generate("q")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    usage = meter.end()
    assert usage.prompt_tokens == (billed or 0)
    assert ("cost" in usage.unknown) == (billed is None), "an answer that cannot be used may well be billed"


def test_a_method_over_a_broken_server_says_the_same_line(server: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    two = [OpenAIModel(name, server.url, PRICE) for name in ("m1", "m2")]
    vote = MajorityVote(Meter(two).pool)
    assert vote.answer(Query("q", "t", "2+2?", "number")) == "4"
    assert lines(caplog) == []
    server.behave = lambda _body: (200, {"choices": []})
    for _ in range(3):
        assert vote.answer(Query("q", "t", "2+2?", "number")) == ""
    assert lines(caplog) == [
        f"atlas: {name}: {server.url} answers without choices (counted as an abstention)" for name in ("m1", "m2")
    ]


def test_no_server_gets_one_line() -> None:
    meter = Meter([OpenAIModel("m", "http://127.0.0.1:9/v1", PRICE, retries=0)])
    meter.begin()
    with pytest.raises(BackendError, match=r"no answer from http://127\.0\.0\.1:9/v1 \(ConnectError\)"):
        meter.pool[0].generate("q")
    assert meter.end().calls == 0, "nobody was asked, nothing is owed"


@pytest.mark.parametrize("trouble", [(429, b"", AT_ONCE), (503, {"error": "busy"}, AT_ONCE), (529, b"", AT_ONCE)])
def test_trouble_that_passes_is_waited_for(server: Scripted, trouble: Answer) -> None:
    server.behave = lambda _body: trouble if len(server.seen) < 4 else (200, said(choice()))
    assert model(server).generate("q")[0].text == "4"
    assert len(server.seen) == 4


def test_a_lost_connection_is_tried_again(server: Scripted) -> None:
    server.behave = lambda _body: (0, b"") if len(server.seen) == 1 else (200, said(choice()))
    assert model(server).generate("q")[0].text == "4"
    server.behave = lambda _body: (0, b"")
    meter = Meter([model(server, retries=0)])
    meter.begin()
    with pytest.raises(BackendError, match=r"no answer from .*RemoteProtocolError"):
        meter.pool[0].generate("q")
    assert "cost" in meter.end().unknown, "the server had the request, and may bill it"


def test_trouble_that_stays_ends_in_one_line(server: Scripted) -> None:
    server.behave = lambda _body: (429, {"error": {"message": "Rate limit reached"}}, AT_ONCE)
    with pytest.raises(BackendError, match="answers 429: Rate limit reached"):
        model(server, retries=2).generate("q")
    assert len(server.seen) == 3
    server.behave = lambda _body: (429, {"error": {"message": "tomorrow"}}, {"Retry-After": "86400"})
    with pytest.raises(BackendError, match="tomorrow"):
        model(server).generate("q")
    assert len(server.seen) == 4, "a day is not waited for"


def test_an_answer_without_end_is_cut_off(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_host, "MOST", 10_000)
    server.behave = lambda _body: (200, said(choice("x" * 20_000)))
    with pytest.raises(BackendError, match="its answer is longer than"):
        model(server).generate("q")
    server.behave = lambda _body: (200, said(choice()), {"Content-Encoding": "gzip"})
    with pytest.raises(BackendError, match="compressed"):
        model(server).generate("q")


def test_an_answer_that_drips_is_not_waited_for() -> None:
    """A byte at a time for ever: every single one comes in time, the answer never."""

    class Drip(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return itertools.repeat(b" ")

    body = one_host._Bounded(Drip(), end=-1.0)
    with pytest.raises(httpx2.ReadTimeout):
        list(body)


# Scores of given texts


def test_a_completions_server_scores_texts(server: Scripted) -> None:
    logs = {
        "text_offset": [0, 3, 5, 7],
        "token_logprobs": [None, -1.0, -2.0, -9.0],
        "tokens": ["2+2", "=4", "!!", "x"],
    }
    server.behave = lambda _body: (200, {"choices": [{"text": "", "logprobs": logs}]})
    assert model(server, chat=False).score("2+2", "=4!!") == pytest.approx(np.array([-1.0, -2.0]))
    assert model(server, chat=False).score("", "2+2=4") == pytest.approx(np.array([-1.0])), "nothing before the first"
    (first, _) = server.bodies
    assert (first["prompt"], first["echo"]) == ("2+2=4!!", True)


@pytest.mark.parametrize(
    "logs",
    [
        None,
        {"content": [{"token": "x", "logprob": -1.0}]},
        {"text_offset": [0], "token_logprobs": [-1.0]},  # of what it wrote itself
        {"text_offset": [7], "token_logprobs": [-1.0]},
        {"text_offset": [0, 3], "token_logprobs": [None, None]},
        {"text_offset": [0, 3], "token_logprobs": [None]},
        {"text_offset": [], "token_logprobs": []},
    ],
)
def test_a_server_without_echo_scores_nothing(server: Scripted, logs: Any) -> None:
    server.behave = lambda _body: (200, {"choices": [{"text": "", "logprobs": logs}]})
    with pytest.raises(BackendError, match="no log-probabilities of a given text"):
        model(server, chat=False).score("2+2", "=4!!")


# The key


def test_the_environments_key_goes_to_openai_alone(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("MY_KEY", f"  {KEY}\n")
    for more, sent in (
        ({}, None),
        ({"key": ""}, None),
        ({"key": "own"}, "Bearer own"),
        ({"key_env": "OPENAI_API_KEY"}, f"Bearer {KEY}"),
        ({"key_env": "MY_KEY"}, f"Bearer {KEY}"),
    ):
        model(server, **more).generate("q")
        assert server.seen[-1].headers.get("authorization") == sent

    def given(url: str) -> str:
        return OpenAIModel("m", url, None)._key

    assert given("https://api.openai.com/v1") == given("https://API.openai.com:443/v1/") == KEY
    for url in (
        "http://api.openai.com/v1", "https://api.openai.com:8443/v1", "https://api.openai.com.example/v1",
        "https://eu.api.openai.com/v1", "https://example/api.openai.com/v1", "https://api.openai.com./v1",
    ):  # fmt: skip
        assert given(url) == "", url
    assert OpenAIModel("m", "https://api.openai.com/v1", None, key="")._key == ""
    with pytest.raises(ValueError, match="the environment has no OTHER_KEY"):
        model(server, key_env="OTHER_KEY")


def test_nothing_of_the_environment_is_sent(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("default login me password secret\n")
    with serving(one_at_a_time("of another")) as proxy:
        elsewhere = proxy.url.removesuffix("/v1")
        for name, value in {
            "HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc"), "OPENAI_API_KEY": KEY, "OPENAI_ADMIN_KEY": KEY,
            "OPENAI_ORG_ID": "org-secret", "OPENAI_PROJECT_ID": "proj-secret", "OPENAI_BASE_URL": proxy.url,
            "OPENAI_CUSTOM_HEADERS": f"Authorization: Bearer {KEY}\nX-Secret: {KEY}", "HTTP_PROXY": elsewhere,
            "http_proxy": elsewhere, "ALL_PROXY": elsewhere,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert model(server).generate("q")[0].text == "4"
        assert proxy.seen == []
    (request,) = server.seen
    assert set(request.headers) <= {*one_host.KEPT, "accept-encoding", "user-agent"}
    assert request.headers["user-agent"] == "llm-ensemble-atlas"


def test_a_redirect_takes_the_key_nowhere(server: Scripted) -> None:
    with serving(one_at_a_time()) as other:
        server.behave = lambda _body: (307, b"", {"Location": f"{other.url}/chat/completions?key={KEY}"})
        where = other.url.removesuffix("/v1")
        with pytest.raises(BackendError, match=f"it sends on to {where}, which was not asked for") as caught:
            model(server, key=KEY).generate("q")
        assert other.seen == []
        assert KEY not in str(caught.value)
    for place in ("//evil.example/v1", "https://127.0.0.1/v1", "file:///etc/passwd", "http://[", "\x1b[31m"):
        server.behave = lambda _body, place=place: (307, b"", {"Location": place})  # type: ignore[misc]
        with pytest.raises(BackendError) as caught:
            model(server, key=KEY, retries=0).generate("q")
        assert str(caught.value).isprintable()


def test_a_redirect_on_the_same_host_is_followed(server: Scripted) -> None:
    def behave(_body: dict[str, Any]) -> Answer:
        if server.seen[-1].path.startswith("/v1/"):
            return 308, b"", {"Location": "/v2/chat/completions"}
        return 200, said(choice())

    server.behave = behave
    assert model(server, key=KEY).generate("q")[0].text == "4"
    assert [r.headers["authorization"] for r in server.seen] == [f"Bearer {KEY}"] * 2
    assert server.bodies[0] == server.bodies[1]
    server.behave = lambda _body: (307, b"", {"Location": "/v1/chat/completions"})
    with pytest.raises(BackendError, match="TooManyRedirects"):
        model(server, retries=0).generate("q")


@pytest.mark.parametrize(
    "answer",
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}),
        (401, f"Bearer {KEY} is wrong".encode()),
        (500, KEY.encode(), AT_ONCE),
        (200, {"error": {"message": KEY}}),
        (200, {"error": [KEY, {KEY: [KEY]}]}),
        (200, said({"message": {"content": {KEY: 1}}})),
        (200, b"no JSON", {"Content-Type": KEY}),
        (307, b"", {"Location": f"http://{KEY}.example/"}),
        (307, b"", {"Location": f"http://127.0.0.1:9/{KEY}"}),
    ],
)
def test_a_server_that_says_the_key_again_gets_it_into_no_message(server: Scripted, answer: Answer) -> None:
    server.behave = lambda _body: answer
    with pytest.raises(BackendError) as caught:
        model(server, key=KEY).generate("q")
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert "01234567" not in str(caught.value)


def test_the_key_is_in_no_answer_repr_or_store(server: Scripted, tmp_path: Path) -> None:
    log = {"content": [{"token": KEY, "logprob": -0.5}]}
    server.behave = lambda _body: (200, said(choice(f"your key is {KEY}", logprobs=log)))
    asked = model(server, key=KEY)
    store = StoredModel(asked, tmp_path)
    (answer,) = store.generate("q")
    assert answer.text == "your key is [key]"
    assert KEY not in repr(asked) + repr(answer) + repr(store) + asked.digest
    assert KEY not in repr([vars(asked), vars(store), vars(asked._client._client._transport)])
    assert list(tmp_path.iterdir())
    for path in tmp_path.iterdir():
        assert KEY.encode() not in path.read_bytes()
    # What stands for a key where none is needed may be a word of an answer.
    server.behave = one_at_a_time("EMPTY handed")
    assert model(server, key="EMPTY").generate("q")[0].text == "EMPTY handed"


@pytest.mark.parametrize("key", ["sk-\nHost: evil", "sk-ключ-0123456789", "sk-\x00"])
def test_a_key_that_is_none_is_not_shown(server: Scripted, key: str) -> None:
    with pytest.raises(ValueError, match="characters that no key has") as caught:
        model(server, key=key)
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8000/v1", "ftp://127.0.0.1/", "http://", "http://me:secret@127.0.0.1/v1", "http://h/?key=secret",
     "http://h/\nx"],
)  # fmt: skip
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="no address like") as caught:
        OpenAIModel("m", url, PRICE)
    assert "secret" not in str(caught.value)


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://me:secret@127.0.0.1")
    monkeypatch.delenv("https_proxy", raising=False)
    with pytest.raises(ValueError, match="proxy that the environment names cannot be used") as caught:
        OpenAIModel("m", "https://example/v1", PRICE)
    assert "secret" not in str(caught.value)


# Identity, and the rest


def test_what_decides_an_answer_decides_the_digest(server: Scripted, tmp_path: Path) -> None:
    same = model(server).digest
    assert model(server, price=None, key=KEY, timeout=3, retries=1, size=7).digest == same
    assert OpenAIModel("nickname", server.url + "/", PRICE, served="m").digest == same
    others = [
        OpenAIModel("other", server.url, PRICE), OpenAIModel("m", "http://127.0.0.1:9/v1", PRICE),
        model(server, system="Be short."), model(server, chat=False), model(server, params={"top_p": 0.5}),
    ]  # fmt: skip
    assert len({same, *(m.digest for m in others)}) == 6
    # A dead server has not said what a living one has.
    StoredModel(model(server), tmp_path).generate("q")
    with pytest.raises(BackendError, match="no answer"):
        StoredModel(OpenAIModel("m", "http://127.0.0.1:9/v1", PRICE, retries=0), tmp_path).generate("q")
    StoredModel(model(server, system="Be short."), tmp_path).generate("q")
    assert len(server.seen) == 2
    (again,) = StoredModel(OpenAIModel("nickname", server.url, None, served="m"), tmp_path).generate("q")
    assert len(server.seen) == 2, "known by what it is, whatever it is called here"
    assert again.model == "nickname"


def test_a_run_over_servers_bills_what_is_known(
    server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "BUILD", tmp_path)

    def run(price: Price | None) -> summary.Result:
        pool: list[Model] = [OpenAIModel("a", server.url, price), OpenAIModel("b", server.url, price)]
        monkeypatch.setitem(catalog._added, "served", lambda: pool)
        return runner.run("majority-vote", "math", pool="served", limit=2)

    first = run(PRICE)
    assert first["usage"]["cost"] == pytest.approx(2 * (9 * 1.0 + 2.0) / 1e6)
    assert len(server.seen) == 4
    dearer = run(Price(3.0, 6.0))
    assert dearer["usage"]["cost"] == pytest.approx(3 * first["usage"]["cost"])
    assert dearer["pool_hash"] != first["pool_hash"], "the old result is not this one's"
    free = run(None)
    assert len(server.seen) == 4, "paid once, billed three times"
    assert (free["usage"]["cost"], free["items"]["cost"]) == (None, [None, None])
    assert free["usage"]["completion_tokens"] == 2
    server.behave = lambda _body: (200, {"choices": [choice()]})
    monkeypatch.setattr(responses, "BUILD", tmp_path / "other")
    silent = run(PRICE)
    assert {silent["usage"][field] for field in ("cost", "prompt_tokens", "completion_tokens")} == {None}
    assert silent["tokens_by_model"] == {"a": None, "b": None}
    assert silent["usage"]["calls"] == 2
    json.dumps([first, dearer, free, silent], allow_nan=False)


def test_a_run_that_cannot_learn_ends_in_one_line_and_keeps_what_was_paid(
    server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "BUILD", tmp_path)
    pool: list[Model] = [OpenAIModel(name, server.url, PRICE) for name in ("a", "b")]
    monkeypatch.setitem(catalog._added, "served", lambda: pool)
    server.behave = lambda _body: (404, {"error": "gone"}) if len(server.seen) > 10 else (200, said(choice()))
    with pytest.raises(runner.CannotRunError, match=r"^knn-router on math: [ab]: .* answers 404: gone$"):
        runner.run("knn-router", "math", pool="served", limit=2)
    server.behave = lambda _body: (404, {"error": "gone"})
    with pytest.raises(runner.CannotRunError):
        runner.run("knn-router", "math", pool="served", limit=2)
    assert len(server.seen) == 12, "ten answers were stored, and the eleventh is asked for again"


def test_connections_are_closed_with_the_model(server: Scripted) -> None:
    asked = model(server)
    asked.generate("q")
    asked.generate("q")
    client = asked._client._client
    assert not client.is_closed
    del asked
    gc.collect()
    assert client.is_closed


def test_the_library_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'llm-ensemble-atlas\[live\]'"):
        OpenAIModel("m", "http://127.0.0.1:9/v1", PRICE)


def test_a_real_server_bills_and_samples(llama_server: str, caplog: pytest.LogCaptureFixture) -> None:
    asked = OpenAIModel(llama.NAME, llama_server, Price(1.0, 1.0), context=llama.CONTEXT)
    meter = Meter([asked])
    meter.begin()
    prompt = "Name an animal. Answer with one word."
    samples = meter.pool[0].generate(prompt, n=llama.SLOTS + 3, temperature=2.0, max_tokens=6, seed=1)
    usage = meter.end()
    assert len(samples) == llama.SLOTS + 3
    assert len({s.text for s in samples}) > 1
    assert all(s.logprobs and all(-40 < value <= 0 for value in s.logprobs) for s in samples)
    assert all(s.completion_tokens and 1 <= s.completion_tokens <= 6 for s in samples)
    assert not usage.unknown
    assert usage.prompt_tokens == sum({s.request: s.prompt_tokens or 0 for s in samples}.values())
    assert len(lines(caplog)) <= 1
    (cut,) = asked.generate("Count from 1 to 100.", max_tokens=4)
    assert (cut.finished, cut.status, cut.completion_tokens) == (False, "cut", 4)
    plain = OpenAIModel(llama.NAME, llama_server, None, chat=False)
    (answer,) = plain.generate("The capital of France is", max_tokens=4, stop=(".",))
    assert answer.text == " Paris"
    assert answer.tokens[0] == " Paris"
    assert -1 < answer.logprobs[0] < 0
    with pytest.raises(BackendError, match="no log-probabilities of a given text"):
        plain.score("The capital of France is", " Paris")
    with pytest.raises(BackendError, match=r"answers 400: .*context"):
        asked.generate("word " * llama.CONTEXT, max_tokens=4)
