"""`atlas serve` with the real `openai` client in front and real servers behind."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import openai
import pytest
from typer.testing import CliRunner

from reference_impls.cli import decision_log, tool
from reference_impls.serving.settings import Settings
from reference_impls.serving.state import State, decisions
from tests.reference_impls.backends.server import Answer, choice, said, serving
from tests.reference_impls.serving.endpoint import (
    SECRET,
    Process,
    ask,
    client,
    config,
    endpoint,
    recording,
    speaks,
    stream,
)

#: Of 10 tokens read and 5 written.
SMALL, LARGE = 20e-6, 200e-6


def served(folder: Path, url: str, **more: Any) -> Settings:
    return Settings(config=config(folder, url), state=folder / "state.sqlite", **more)


def pieces(chunks: Any) -> tuple[str, Any]:
    """The text of a stream, and its last chunk with a choice."""
    all_of_them = [chunk for chunk in chunks if chunk.choices]
    return "".join(c.choices[0].delta.content or "" for c in all_of_them), all_of_them[-1]


def test_one_model_whole_and_in_pieces(tmp_path: Path) -> None:
    with serving(speaks) as upstream, endpoint(served(tmp_path, upstream.url, model="large")) as url:
        asker = client(url)
        assert [card.id for card in asker.models.list()] == ["atlas", "small", "large"]
        made, headers = ask(asker, temperature=0.5)
        assert made.choices[0].message.content == "I am large."
        assert headers["x-atlas-model"] == "large"
        assert float(headers["x-atlas-cost"]) == pytest.approx(LARGE)
        assert made.model == made.atlas["model"] == "large"
        assert made.atlas["cost"] == pytest.approx(LARGE)
        assert made.atlas["decision"] == headers["x-atlas-decision"]
        text, last = pieces(ask(asker, stream=True)[0])
        assert text == "Iamlarge."
        assert (last.choices[0].finish_reason, last.model) == ("stop", "large")
        assert last.atlas["cost"] == pytest.approx(LARGE)
        whole = list(ask(asker, stream=True, stream_options={"include_usage": True})[0])
        assert whole[-1].usage is not None
        assert whole[-1].usage.completion_tokens == 5
    assert upstream.bodies[0]["temperature"] == 0.5
    assert upstream.bodies[0]["max_tokens"] == 100, "the configuration's, where the client names none"
    lines = list(decisions(tmp_path / "state.sqlite", everything=True))
    assert [(d["model"], d["probabilities"], d["score"]) for d in lines] == [("large", {"large": 1.0}, None)] * 3
    assert "hello" not in json.dumps(lines)
    assert b"hello" not in (tmp_path / "state.sqlite").read_bytes()


def test_a_model_by_its_own_name_is_no_decision(tmp_path: Path) -> None:
    with serving(speaks) as upstream, endpoint(served(tmp_path, upstream.url, model="large")) as url:
        made, headers = ask(client(url), model="small")
        assert made.choices[0].message.content == "I am small."
        assert float(headers["x-atlas-cost"]) == pytest.approx(SMALL)
        assert "x-atlas-decision" not in headers
        with pytest.raises(openai.NotFoundError, match="there is no model 'smal'"):
            ask(client(url), model="smal")
    assert list(decisions(tmp_path / "state.sqlite", everything=True)) == []


def test_a_fitted_router_chooses_and_its_log_is_evaluated(tmp_path: Path) -> None:
    settings = served(
        tmp_path, "", method="knn-router", data=recording(tmp_path), explore=0.5, seed=3, keep_prompts=True
    )
    with serving(speaks) as upstream:
        config(tmp_path, upstream.url)
        with endpoint(settings) as url:
            asker = client(url)
            for i in range(20):
                prompt = f"add the numbers {200 + i} and 7" if i % 2 else "name the capital of the country number 77"
                made, headers = ask(asker, prompt, extra_body={"atlas": {"task": "sums" if i % 2 else "capitals"}})
                score = float((made.model == "small") == (i % 2 == 1))
                asker.post(
                    "/feedback", body={"decision": headers["x-atlas-decision"], "score": score}, cast_to=object
                )
    lines = list(decisions(tmp_path / "state.sqlite"))
    assert {line["model"] for line in lines} == {"small", "large"}, "half of them are drawn"
    for line in lines:
        best = "small" if line["task"] == "sums" else "large"
        assert line["probabilities"][best] == 0.75
        assert max(line["utilities"], key=line["utilities"].get) == best
        assert line["prompt"].startswith("add" if best == "small" else "name")
    log = tmp_path / "log.jsonl"
    result = CliRunner().invoke(tool(), ["decisions", str(tmp_path / "state.sqlite")])
    log.write_text(result.stdout, encoding="utf-8")
    read, wrong = decision_log.read(log)
    assert (len(read.chosen), wrong) == (20, [])
    assert read.taken.tolist() == [line["probabilities"][line["model"]] for line in lines]
    assert CliRunner().invoke(tool(), ["evaluate-log", str(log)]).exit_code == 0


def test_where_one_model_fails_the_next_one_answers(tmp_path: Path) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        if body["model"] == "large":
            return 500, {"error": {"message": f"out of order {SECRET}"}}
        return speaks(body)

    with serving(behave) as upstream:
        settings = served(tmp_path, upstream.url, model="large")
        config(tmp_path, upstream.url, key_env="MY_KEY")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MY_KEY", SECRET)
            with endpoint(settings) as url:
                asker = client(url)
                made, headers = ask(asker)
                text, last = pieces(ask(asker, stream=True)[0])
                with pytest.raises(openai.InternalServerError) as failed:
                    ask(asker, model="large")
                told = asker.get("/../metrics", cast_to=str)
    assert (made.model, headers["x-atlas-model"], made.atlas["chosen"]) == ("small", "small", "large")
    assert made.atlas["calls"] == 3, "the failing one is asked twice"
    assert (text, last.model) == ("Iamsmall.", "small")
    assert SECRET not in str(failed.value)
    assert "out of order [key]" in str(failed.value)
    assert "atlas_fallbacks_total 2" in told
    assert 'atlas_call_failures_total{model="large"} 6' in told
    for line in decisions(tmp_path / "state.sqlite", everything=True):
        assert (line["model"], line["served"]) == ("large", "small")
        assert "cost" not in line, "what a failed call has cost is not known"
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()


def test_what_is_wrong_with_a_request_is_said_as_such(tmp_path: Path) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        if "tools" in body:
            return 400, {"error": {"message": "tools.0: no such type"}}
        return 429, {"error": {"message": "too many"}}, {"Retry-After": "0"}

    with serving(behave) as upstream, endpoint(served(tmp_path, upstream.url, model="large", max_body=2048)) as url:
        asker = client(url)
        with pytest.raises(openai.BadRequestError, match="no such type"):
            ask(asker, tools=[{"type": "?"}])
        with pytest.raises(openai.RateLimitError, match="too many"):
            ask(asker)
        with pytest.raises(openai.APIStatusError, match="larger than 2048 bytes"):
            ask(asker, "x" * 4096)
        for body in ({}, {"model": "atlas"}, {"model": "atlas", "messages": [1]}, {"model": "atlas", "messages": []}):
            with pytest.raises(openai.BadRequestError):
                asker.post("/chat/completions", body=body, cast_to=object)
        with pytest.raises(openai.BadRequestError, match="max_tokens: is to be a whole number"):
            ask(asker, extra_body={"max_tokens": "many"})
        with pytest.raises(openai.BadRequestError, match="no such key"):
            ask(asker, extra_body={"atlas": {"tusk": 1}})


def test_a_stream_that_breaks_off_ends_with_an_error(tmp_path: Path) -> None:
    """What was sent cannot be taken back, and nothing pretends to be whole."""
    with (
        serving(lambda _: stream(["half", "an"], whole=False)) as upstream,
        endpoint(served(tmp_path, upstream.url, model="large")) as url,
    ):
        chunks = ask(client(url), stream=True)[0]
        got: list[str] = []
        with pytest.raises(openai.APIError, match="the stream ends in the middle"):
            got.extend(chunk.choices[0].delta.content for chunk in chunks)
    assert got == ["", "half", "an"]
    assert [(d["status"], d["served"]) for d in decisions(tmp_path / "state.sqlite", everything=True)] == [
        ("cut", "large")
    ]


def test_a_stream_that_does_not_begin_is_asked_elsewhere(tmp_path: Path) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        if body["model"] == "large":
            return 200, b'data: {"error": {"message": "overloaded"}}\n\n', {"Content-Type": "text/event-stream"}
        if "stream_options" in body:
            return 400, {"error": {"message": "Unknown parameter: stream_options", "param": "stream_options"}}
        return speaks(body)

    with serving(behave) as upstream, endpoint(served(tmp_path, upstream.url, model="large")) as url:
        text, last = pieces(ask(client(url), stream=True)[0])
    assert (text, last.model) == ("Iamsmall.", "small")


def test_the_deadline_of_a_request(tmp_path: Path) -> None:
    asked: list[str] = []

    def behave(body: dict[str, Any]) -> Answer:
        asked.append(body["model"])
        return 429, {"error": {"message": "later"}}, {"Retry-After": "600"}

    settings = served(tmp_path, "", deadline=0.5)
    with serving(behave) as upstream:
        config(tmp_path, upstream.url)
        with endpoint(settings) as url, pytest.raises(openai.APIStatusError, match="no answer within") as late:
            ask(client(url), model="large")
    assert late.value.status_code == 504
    assert asked == ["large"]


def test_without_a_key_it_listens_to_this_machine_alone(tmp_path: Path) -> None:
    file = config(tmp_path, "http://127.0.0.1:9/v1")
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):  # noqa: S104
        result = CliRunner().invoke(tool(), ["serve", "--config", str(file), "--host", host, "--port", "0"])
        assert result.exit_code == 2
        assert "--key-env" in result.output
    assert not (tmp_path / "atlas-serve.sqlite").exists()


def test_a_web_page_cannot_spend_the_readers_money(tmp_path: Path) -> None:
    """Neither by a name of its own for 127.0.0.1, nor by a form, which cannot say that it sends JSON."""
    import httpx2  # noqa: PLC0415 (with the openai library)

    with serving(speaks) as upstream, endpoint(served(tmp_path, upstream.url, model="large")) as url:
        body = json.dumps({"model": "atlas", "messages": [{"role": "user", "content": "hi"}]})
        plain = {"Content-Type": "text/plain"}
        as_json = {"Content-Type": "application/json"}
        with httpx2.Client(trust_env=False) as http:
            where = f"{url}/chat/completions"
            assert http.post(where, content=body, headers=plain).status_code == 415
            assert http.post(where, content=body, headers=as_json | {"Host": "evil.example"}).status_code == 403
            assert http.get(f"{url}/models", headers={"Host": "evil.example:80"}).status_code == 403
            assert http.post(where, content=body, headers=as_json).status_code == 200
    assert len(upstream.seen) == 1


def test_the_key_that_clients_send(tmp_path: Path) -> None:
    """It is compared, goes on to no model, and lies nowhere on the disk."""
    with serving(speaks) as upstream:
        file = config(tmp_path, upstream.url)
        words = ("--config", file, "--model", "small", "--key-env", "ATLAS_KEY", "--keep-prompts")
        process = Process(*words, env={"ATLAS_KEY": SECRET})
        try:
            for key in ("wrong", SECRET[:-1], f"{SECRET}0"):
                with pytest.raises(openai.AuthenticationError, match="wrong or no key"):
                    ask(client(process.url, api_key=key))
            assert ask(client(process.url, api_key=SECRET))[0].model == "small"
        finally:
            status, err = process.end(signal.SIGTERM)
    assert status == 0
    assert err == "atlas: stopped; what was running is finished\n"
    assert [request.headers.get("authorization") for request in upstream.seen] == [None]
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    if sys.platform != "win32":
        assert (tmp_path / "atlas-serve.sqlite").stat().st_mode & 0o077 == 0, "prompts stand in it"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "write --config atlas.yml or --builtin"),
        (["--config", "FILE", "--model", "smal"], "did you mean 'small'"),
        (["--config", "FILE", "--method", "knn-ruter"], "did you mean 'knn-router'"),
        (["--config", "FILE", "--method", "knn-router"], "--data"),
        (["--config", "FILE", "--method", "knn-router", "--set", "k=many", "--data", "."], "k='many' is no int"),
        (["--config", "FILE", "--key-env", "NOT_THERE"], "the environment has no NOT_THERE"),
        (["--config", "FILE", "--state", "FILE"], "cannot be used"),
    ],
)
def test_wrong_use_is_told_in_one_line(tmp_path: Path, words: list[str], line: str) -> None:
    file = str(config(tmp_path, "http://127.0.0.1:9/v1"))
    words = [file if word == "FILE" else word for word in words]
    result = CliRunner().invoke(tool(), ["serve", "--port", "0", *words])
    assert result.exit_code == 2, result.output
    assert line in result.output
    assert "Traceback" not in result.output


def test_a_store_of_something_else_is_left_alone(tmp_path: Path) -> None:
    from reference_impls.recording.store import Store  # noqa: PLC0415

    Store(tmp_path / "answers.sqlite").close()
    before = (tmp_path / "answers.sqlite").read_bytes()
    with pytest.raises(ValueError, match="holds something else"):
        State(tmp_path / "answers.sqlite")
    assert (tmp_path / "answers.sqlite").read_bytes() == before


def test_an_answer_with_no_text_is_passed_on(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    tool_call = choice() | {"finish_reason": "tool_calls", "message": {"content": None, "tool_calls": [call]}}
    with (
        serving(lambda _: (200, said(tool_call))) as upstream,
        endpoint(served(tmp_path, upstream.url, model="large")) as url,
    ):
        made, _ = ask(client(url))
    assert made.choices[0].message.tool_calls[0].function.name == "add"
    assert made.atlas["calls"] == 1
