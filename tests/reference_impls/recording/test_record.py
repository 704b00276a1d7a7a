"""`atlas record` as a user has it, against a real server on 127.0.0.1 with the habits of vendors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reference_impls.recorded import files
from reference_impls.recording.store import Store
from tests.reference_impls.backends.server import Answer, Scripted, choice, said, serving
from tests.reference_impls.recording.kills import kill_at_random

#: Of a token, as servers tell them.
LOGS = {"content": [{"token": "yes", "logprob": -0.25}]}
SECRET = "sk-secret-0123456789abcdef"  # noqa: S105


def written(folder: Path, server: Scripted, prompts: int = 4, **more: Any) -> Path:
    """A configuration for one model of a server, and its prompts ``0+1`` to ``n-1+1``."""
    lines = [json.dumps({"question": f"{i}+1", "gold": i + 1}) for i in range(prompts)]
    (folder / "prompts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    model = {"name": "small", "base_url": server.url, "price": {"prompt": 1, "completion": 2}, "key_env": "MY_KEY"}
    values = {
        "prompts": "prompts.jsonl", "fields": {"prompt": "question", "reference": "gold"},
        "scorer": {"kind": "number"}, "max_tokens": 100, "models": [model | more.pop("model", {})], **more,
    }  # fmt: skip
    (folder / "atlas.yml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return folder / "atlas.yml"


def started(config: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "scripts.cli", "record", str(config), *words]
    own = {"MY_KEY": SECRET} if env is None else dict(env)
    clean = {name: value for name, value in os.environ.items() if "KEY" not in name}
    return subprocess.Popen(program, env=clean | own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def recorded(config: Path, *words: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit status and what was said; the key is in none of it, and in no file."""
    run = started(config, *words, env=env)
    out, err = run.communicate(timeout=120)
    assert "Traceback" not in err, err
    assert SECRET not in out + err
    for file in config.parent.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    return run.returncode, out, err


def right(body: dict[str, Any]) -> Answer:
    """The sum, with a bill of 10 tokens read and 5 written: 20 millionths of a dollar."""
    left, plus, one = body["messages"][-1]["content"].partition("+")
    if not plus:  # a probe
        return 200, said(choice("yes", logprobs=LOGS), prompt=10, completion=5)
    return 200, said(choice(f"It is {int(left) + int(one)}."), prompt=10, completion=5)


def calls(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()]


def test_what_it_may_cost_is_told_before_anybody_is_asked(tmp_path: Path) -> None:
    with serving(right) as server:
        config = written(tmp_path, server, budget={"usd": 1})
        status, out, _ = recorded(config, "--dry-run", "--limit", "2", env={})  # not even a key is needed
    assert status == 0
    assert server.seen == []
    # Of each: at most 256 + 16 + 3 tokens read for 1 dollar a million, and 100 written for 2.
    assert out.splitlines()[1].split() == ["small", "0", "2", "1", "200", f"{2 * (275 + 200) / 1e6:.4f}"]
    assert not list(tmp_path.glob("atlas-outcomes*"))


def test_a_recording_that_the_reader_loads_and_that_costs_nothing_again(tmp_path: Path) -> None:
    with serving(right) as server:
        config = written(tmp_path, server, budget={"usd": 1}, samples=1)
        assert recorded(config)[0] == 0
        made = files.load(tmp_path / "atlas-outcomes")
        assert len(server.seen) == 1 + 8, "a probe comes first, as a server may take no temperature"
        # The price is another one; the answers are the same and are not asked for again.
        assert recorded(written(tmp_path, server, samples=1, model={"price": {"prompt": 9, "completion": 9}}))[0] == 0
        assert len(server.seen) == 9
        # Other parameters are another question.
        assert recorded(written(tmp_path, server, samples=1, model={"params": {"top_p": 0.5}}))[0] == 0
        assert len(server.seen) == 2 * 9
    assert made.scores[:, 0].tolist() == [1.0] * 4
    assert made.costs[:, 0].tolist() == [pytest.approx(20e-6)] * 4
    assert [(r.sample, r.answer) for r in made.responses[:4]] == [(0, "1"), (1, "1"), (0, "2"), (1, "2")]
    assert all(request.headers["authorization"] == f"Bearer {SECRET}" for request in server.seen)
    assert {(b["temperature"], b["seed"]) for b in server.bodies[1:9]} == {(0.0, 0), (0.7, 1)}


def test_azure_has_its_own_address_and_header(tmp_path: Path) -> None:
    with serving(right) as server:
        azure = {"kind": "azure", "base_url": server.url.removesuffix("/v1"), "api_version": "2025-01-01"}
        assert recorded(written(tmp_path, server, model=azure))[0] == 0
    assert {request.path for request in server.seen} == {
        "/openai/deployments/small/chat/completions?api-version=2025-01-01"
    }
    assert all(request.headers["api-key"] == SECRET for request in server.seen)
    assert all("authorization" not in request.headers for request in server.seen)
    assert files.load(tmp_path / "atlas-outcomes").scores[:, 0].tolist() == [1.0] * 4


HABITS: dict[str, Answer] = {
    "0+1": (200, said(choice([{"type": "text", "text": "1"}]))),
    "1+1": (200, {"error": {"message": f"overloaded {SECRET}", "code": 529}}),
    "2+1": (200, said(choice() | {"message": {"content": None, "refusal": "I cannot."}})),
    "3+1": (200, said(choice("The answer is fo", "length"))),
    "4+1": (200, {"choices": [choice("5")], "usage": None}),
    "5+1": (400, {"error": {"code": "content_filter", "message": "The prompt was filtered"}}),
    "6+1": (200, said(choice("7"), choice("8"), cost=0.125)),
    "7+1": (200, said(choice("8"), completion=905, completion_tokens_details={"reasoning_tokens": 900})),
    "8+1": (200, b"<html>"),
}


def test_the_habits_of_vendors_end_no_run(tmp_path: Path) -> None:
    first = threading.Event()

    def behave(body: dict[str, Any]) -> Answer:
        if not first.is_set():
            first.set()
            return 429, {"error": {"message": "slow down"}}, {"Retry-After": "0"}
        if "max_tokens" in body:
            return 400, {
                "error": {"message": "Unsupported parameter: use 'max_completion_tokens'", "param": "max_tokens"}
            }
        return HABITS[body["messages"][-1]["content"]]

    with serving(behave) as server:
        status, _, err = recorded(written(tmp_path, server, prompts=9))
        asked = len(server.seen)
    assert status == 0, err
    assert asked == 9 + 2, "once too many, and once refused"
    made = files.load(tmp_path / "atlas-outcomes")
    statuses = ["ok", "error", "refused", "cut", "ok", "filtered", "ok", "ok", "error"]
    assert [call["status"] for call in calls(tmp_path / "atlas-outcomes")] == statuses
    assert made.scores[:, 0].tolist() == [1, 0, 0, 0, 1, 0, 1, 1, 0]
    costs = made.costs[:, 0].tolist()
    assert str(costs[4]) == "nan", "no usage was sent"
    assert costs[6] == 0.125, "the provider's own"
    assert costs[5] == 0.0
    assert costs[7] == pytest.approx((9 + 2 * 905) / 1e6)
    assert calls(tmp_path / "atlas-outcomes")[7]["reasoning_tokens"] == 900


@pytest.mark.parametrize("cap", [0.0, 0.0007, 0.003])
def test_the_cap_is_never_passed(tmp_path: Path, cap: float) -> None:
    """Every answer costs the most it can: what the server has charged stays within the cap."""

    def dear(_body: dict[str, Any]) -> Answer:
        return 200, said(choice("1"), prompt=275, completion=100)

    with serving(dear) as server:
        config = written(tmp_path, server, prompts=20, budget={"usd": cap}, model={"concurrency": 16})
        status, _, err = recorded(config)
        again = recorded(config)[0]
        asked = len(server.seen)
    worst = (275 + 2 * 100) / 1e6
    assert asked == int(cap / worst), "as many as fit, over both runs"
    assert (status, again) == ((1, 1) if asked else (2, 2))
    assert "the budget is spent" in err


def test_a_kill_loses_no_answer_and_pays_none_twice(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(body: dict[str, Any]) -> Answer:
        if int(body["messages"][-1]["content"].partition("+")[0]) >= 5 and not go_on.is_set():
            reached.set()
            go_on.wait(60)
            return 0, None
        return right(body)

    with serving(slow) as server:
        config = written(tmp_path, server, prompts=8, budget={"usd": 1}, model={"concurrency": 1})
        run = started(config)
        assert reached.wait(60)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        go_on.set()
        before = [body["messages"][-1]["content"] for body in server.bodies]
        status, _, err = recorded(config)
        after = [body["messages"][-1]["content"] for body in server.bodies][len(before) :]
    assert before == [f"{i}+1" for i in range(6)]
    assert after == ["5+1", "6+1", "7+1"], "the one that was under way has brought nothing, and is asked again"
    assert status == 0
    # It may have been billed: 275 tokens read at most, 100 written.
    assert f"spent {(8 * 20 + 275 + 200) / 1e6:.6f} dollars" in err


def test_kills_at_random_moments_lose_nothing_that_was_paid(tmp_path: Path) -> None:
    found = kill_at_random(tmp_path, times=25, seed=1)
    assert found.kills >= 20, "the others had ended by themselves"
    assert (found.again, found.lost, found.keys) == (0, 0, 0)
    assert found.unpaid <= 0, "what may have been billed stands in the account"
    assert found.answered == found.prompts


def test_a_dead_server_is_not_asked_everything(tmp_path: Path) -> None:
    with serving(lambda _: (401, {"error": {"message": f"wrong key {SECRET}"}})) as server:
        status, _, err = recorded(written(tmp_path, server, prompts=50))
        assert len(server.seen) == 1
    assert status == 1
    assert "small: 49 questions not asked: the server answers 401: wrong key [key]" in err


def test_the_key_of_openai_goes_to_nobody_else(tmp_path: Path) -> None:
    with serving(right) as server:
        config = written(tmp_path, server, model={"key_env": ""})
        assert recorded(config, env={"OPENAI_API_KEY": SECRET})[0] == 0
        assert all("authorization" not in request.headers for request in server.seen)
        status, _, err = recorded(written(tmp_path, server, model={"key_env": "OPENAI_API_KEY"}))
    assert status == 2
    assert "models.0: key_env: OPENAI_API_KEY goes to api.openai.com alone" in err


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "atlas-outcomes").mkdir()
    (tmp_path / "atlas-outcomes" / "thesis.tex").touch()
    with serving(right) as server:
        status, _, err = recorded(written(tmp_path, server))
        assert server.seen == []
    assert status == 2
    assert len(err.splitlines()) == 1
    assert "holds other files" in err


def test_without_a_price_there_is_no_budget_to_keep(tmp_path: Path) -> None:
    with serving(right) as server:
        status, _, err = recorded(written(tmp_path, server, budget={"usd": 1}, model={"price": "auto"}))
        assert (status, len(err.splitlines())) == (2, 1)
        assert "the price of small is unknown" in err
        assert recorded(written(tmp_path, server, model={"price": "auto"}))[0] == 0
    assert str(files.load(tmp_path / "atlas-outcomes").costs[0, 0]) == "nan"


def test_one_prompt_that_is_refused_does_not_stop_the_others(tmp_path: Path) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        if body["messages"][-1]["content"] == "0+1":
            return 400, {"error": {"message": "the prompt is longer than the context"}}
        return right(body)

    with serving(behave) as server:
        status, _, err = recorded(written(tmp_path, server), "--on-error", "drop")
    assert status == 1
    assert "1 prompts are left out" in err
    assert [query.id for query in files.load(tmp_path / "atlas-outcomes").queries] == ["2", "3", "4"]


def test_two_runs_at_once_do_not_share_a_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "atlas-outcomes.sqlite")
    with serving(right) as server:
        status, _, err = recorded(written(tmp_path, server))
        assert server.seen == []
    store.close()
    assert (status, len(err.splitlines())) == (2, 1)
    assert "another atlas record uses it" in err
