"""`atlas record --probe`, and the probe that comes before a run, against a server with the habits of vendors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reference_impls.recording.config import ModelConfig
from reference_impls.recording.probing import known
from reference_impls.recording.store import Store
from tests.reference_impls.backends.server import Answer, choice, said, serving
from tests.reference_impls.forked import Forks, forks
from tests.reference_impls.recording.test_record import LOGS, SECRET, recorded, right, written
from tests.reference_impls.serving.endpoint import stream

BILL = {"prompt_tokens": 5, "completion_tokens": 1}


def _full(body: dict[str, Any]) -> Answer:
    """Does all."""
    if "prompt" in body:
        logs = {"tokens": ["The", " sky"], "token_logprobs": [None, -0.5, -0.25]}
        return 200, {"choices": [{"text": body["prompt"] + " So", "logprobs": logs}], "usage": BILL}
    if body.get("stream"):
        return stream(["yes"])
    return 200, said(*[choice("yes", logprobs=LOGS)] * body.get("n", 1), prompt=5, completion=2, cost=0.000001)


def _thinks(body: dict[str, Any]) -> Answer:
    """Refuses what the models that think do, one parameter after the other."""
    if "prompt" in body:
        return 404, {"error": {"message": "no such address"}}
    for name in ("max_tokens", "temperature", "logprobs", "seed", "n"):
        if name in body:
            what = f"Unsupported parameter: '{name}' is not supported with this model."
            return 400, {"error": {"message": what, "param": name}}
    if "stream_options" in body:
        return 400, {"error": {"message": "Unknown parameter: 'stream_options'"}}
    if body.get("stream"):
        return stream(["yes"], whole=False)
    return 200, said(choice("", "length"), completion=16, completion_tokens_details={"reasoning_tokens": 16})


def _little(body: dict[str, Any]) -> Answer:
    """Ignores what it does not know, and tells no bill; busy at first."""
    if "prompt" in body:
        return 200, {"choices": [{"text": "and so on", "logprobs": None}]}
    return 200, {"choices": [choice("yes")], "usage": None}


@pytest.mark.parametrize("usd", [1, 0.0005])
def test_what_each_model_can(tmp_path: Path, usd: float) -> None:
    busy = [1, 1]

    def behave(body: dict[str, Any]) -> Answer:
        if body["model"] == "little" and busy:
            busy.pop()
            return 429, {"error": {"message": "slow down"}}, {"Retry-After": "0"}
        if body["model"] == "gone":
            return 401, {"error": {"message": "wrong key"}}
        return {"full": _full, "thinks": _thinks, "little": _little}[body["model"]](body)

    names = ("full", "thinks", "little", "gone")
    with serving(behave) as server:
        price = {"prompt": 1, "completion": 2}
        models = [{"name": n, "base_url": server.url, "price": price, "key_env": "MY_KEY"} for n in names]
        values = {"prompts": "prompts.jsonl", "budget": {"usd": usd}, "models": models}
        (tmp_path / "prompts.jsonl").write_text('{"prompt": "1+1"}\n')
        (tmp_path / "atlas.yml").write_text(yaml.safe_dump(values))
        status, out, err = recorded(tmp_path / "atlas.yml", "--probe")
        seen = len(server.seen)
    if usd < 1:
        assert status == 2
        assert "a probe of all models may cost 0.003" in " ".join(err.split())
        assert seen == 0
        return
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()[0] in names}
    #        limit, temperature, seed, log-probabilities, n > 1, usage, thoughts, cost, streams, with usage, echo
    assert rows == {
        "full": ["max_tokens", *["yes"] * 5, "no", *["yes"] * 4],
        "thinks": ["max_completion_tokens", *["no"] * 4, "yes", "yes", "no", "yes", "no", "no"],
        "little": ["max_tokens", "yes", "yes", *["no"] * 8],
        "gone": ["?"] * 11,
    }
    assert status == 1, "one does not answer"
    said_ = " ".join(err.split())
    assert "atlas: gone does not answer: the server answers 401: wrong key" in said_
    assert "thinks, little: no log-probabilities of a model's own response, so not for " in said_
    assert not (tmp_path / "atlas-outcomes").exists()
    store = Store(tmp_path / "atlas-outcomes.sqlite")
    spent = store.spent()
    store.close()
    # what is billed; of what is not, the worst: of `thinks` the stream, of `little` everything
    one, streamed, echoed = (256 + 2 * 2 * 16) / 1e6, (256 + 2 * 16) / 1e6, (256 + 2) / 1e6
    full = 0.000001 + (10 + 2 * 5) / 1e6 + (5 + 2) / 1e6
    thinks = (9 + 2 * 16) / 1e6 + streamed
    assert spent == pytest.approx(full + thinks + one + streamed + echoed)


#: A configuration that asks a model for what it may not give.
WANTS: dict[str, Any] = {"logprobs": True, "samples": 1, "budget": {"usd": 1}}
#: Of one question at most: 275 tokens read and 100 written; of a probe: 256 read, and two samples of 16.
QUESTION, PROBE = (275 + 200) / 1e6, (256 + 2 * 2 * 16) / 1e6


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("said"), {"MY_KEY": SECRET}) as made:
        yield made


def ran(tool: Forks, config: Path, *words: str) -> tuple[int, str]:
    """Exit status and what was said."""
    status, told = tool.start("record", config, *words).end()
    assert "Traceback" not in told, told
    return status, told


def test_a_run_finds_out_first_what_it_needs_and_once(tmp_path: Path, tool: Forks) -> None:
    with serving(right) as server:
        config = written(tmp_path, server, prompts=2, **WANTS)
        status, err = ran(tool, config, "--dry-run")
        assert (status, server.seen) == (0, [])
        row = next(line for line in err.splitlines() if line.startswith(" small")).split()
        assert (row[2], row[-1]) == ("5", f"{4 * QUESTION + PROBE:.4f}"), "the probe is in the estimate"
        assert f"first one short request each tells what small can: in this estimate, {PROBE:.6f} dollars" in err
        assert ran(tool, config)[0] == 0
        assert [body.get("n") for body in server.bodies] == [2, None, None, None, None]
        # More prompts are more questions, and the probe is none of them; what is known is said to nobody.
        assert "short request" not in ran(tool, written(tmp_path, server, prompts=3, **WANTS))[1]
        assert [body.get("n") for body in server.bodies[5:]] == [None, None]
        # Other parameters may change what a model gives.
        assert ran(tool, written(tmp_path, server, model={"params": {"top_p": 1}}, **WANTS), "--no-probe")[0] == 0
        assert {body.get("n") for body in server.bodies[7:]} == {None}


def test_what_a_model_cannot_give_is_said_before_the_run(tmp_path: Path, tool: Forks) -> None:
    with serving(_little) as server:
        config = written(tmp_path, server, methods=["quantile-deferral"], **WANTS)
        status, err = ran(tool, config)
        assert (status, len(server.seen)) == (2, 1), "the probe, and nothing after it"
        assert f"{config}: logprobs: small tells no log-probabilities, as a probe has found (to record it" in err
        assert ran(tool, config, "--dry-run")[0] == 2, "what is known is told without asking"
        assert len(server.seen) == 1
        # What the message says to write is taken, and a method that lives on them is named.
        config = written(
            tmp_path, server, methods=["quantile-deferral"], model={"params": {"logprobs": None}}, **WANTS
        )
        status, err = ran(tool, config)
        assert (status, len(server.seen)) == (2, 1)
        assert (
            "methods: quantile-deferral needs log-probabilities of a model's own response, and of small none" in err
        )
        assert ran(tool, written(tmp_path, server, model={"params": {"logprobs": None}}, **WANTS))[0] == 0
        assert all("logprobs" not in body for body in server.bodies[1:])


def test_a_budget_that_does_not_reach_for_the_probe(tmp_path: Path, tool: Forks) -> None:
    with serving(right) as server:
        config = written(tmp_path, server, **WANTS | {"budget": {"usd": 0.0001}})
        status, err = ran(tool, config)
        assert (status, server.seen) == (2, [])
    assert "a probe of 1 models may cost 0.000320 dollars" in err
    assert "(raise budget.usd, or leave the probe out: --no-probe)" in err


def test_methods_that_no_answers_will_do_for_are_named_before_anybody_is_asked(tmp_path: Path, tool: Forks) -> None:
    with serving(right) as server:
        methods = ["packllm", "model-switch", "quantile-deferral"]
        status, err = ran(tool, written(tmp_path, server, methods=methods))
        assert (status, server.seen) == (2, [])
        said_ = " ".join(err.split())
        assert (
            "packllm needs log-probabilities of given text under a model, which recorded answers do not hold" in said_
        )
        assert (
            "model-switch needs several sampled responses of one model, and none are asked for (write samples"
            in said_
        )
        assert "quantile-deferral needs log-probabilities of a model's own response, and of small none are" in said_
        config = written(tmp_path, server, methods=["automix"])
        (tmp_path / "prompts.jsonl").write_text('{"question": "1+1", "gold": 2}\n{"question": "1+2"}\n')
        status, err = ran(tool, config)
        assert (status, server.seen) == (2, [])
        assert "and 1 of 2 prompts have no right answer (give each a reference" in err


def test_a_kill_while_the_probe_is_under_way_is_accounted_for(tmp_path: Path, tool: Forks) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(body: dict[str, Any]) -> Answer:
        if "n" in body and not go_on.is_set():
            reached.set()
            go_on.wait(60)
            return 0, None
        return right(body)

    with serving(slow) as server:
        run = tool.start("record", written(tmp_path, server, prompts=1, **WANTS))
        assert reached.wait(60)
        run.kill()
        go_on.set()
        status, err = ran(tool, tmp_path / "atlas.yml")
        assert [body.get("n") for body in server.bodies] == [2, 2, None, None]
    assert status == 0, err
    assert f"spent {PROBE + 3 * 20e-6:.6f} dollars" in err, "what was lost may have been billed"


def test_what_is_found_or_not_and_stops_no_run_is_told(tmp_path: Path, tool: Forks) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        if body["model"] == "gone":
            return 401, {"error": {"message": "wrong key"}}
        if "temperature" in body:
            return 400, {"error": {"message": "Unsupported parameter: 'temperature'", "param": "temperature"}}
        return 200, said(choice("", "length") if "n" in body else choice("1"), prompt=10, completion=5)

    with serving(behave) as server:
        models = [
            {"name": name, "base_url": server.url, "price": {"prompt": 1, "completion": 2}}
            for name in ("thinks", "gone")
        ]
        status, err = ran(tool, written(tmp_path, server, prompts=1, **WANTS, models=models))
        asked = [(body["model"], "n" in body) for body in server.bodies]
    said_ = " ".join(err.split())
    assert "thinks: whether it tells log-probabilities is not known: the probe's answer holds no text" in said_
    assert "thinks takes no temperature: its further samples are drawn at the server's own" in said_
    assert "gone does not answer the probe, so what it can is not known: the server answers 401: wrong key" in said_
    assert status == 2, "not one prompt has an answer of every model"
    assert asked.count(("thinks", False)) >= 2, "the run went on"
    store = Store(tmp_path / "atlas-outcomes.sqlite")
    found = [known(ModelConfig.model_validate(model), store) for model in models]
    store.close()
    assert [one is not None for one in found] == [True, False], "who does not answer is asked again"
