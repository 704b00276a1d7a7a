"""`atlas record --probe` against a server with the habits of vendors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reference_impls.recording.store import Store
from tests.reference_impls.backends.server import Answer, choice, said, serving
from tests.reference_impls.recording.test_record import recorded
from tests.reference_impls.serving.endpoint import stream

LOGS = {"content": [{"token": "yes", "logprob": -0.25}]}
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
