"""Methods that ask several models: served they give what they give elsewhere, and their calls are parallel."""

from __future__ import annotations

import asyncio
import json
import threading
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

from reference_impls.backends.usage import read
from reference_impls.core.meter import Meter
from reference_impls.core.model import Dress, Generation, ModelError, Price
from reference_impls.core.query import Query
from reference_impls.recorded import files
from reference_impls.recording.asking import Reply
from reference_impls.running import catalog
from reference_impls.serving import fitted
from reference_impls.serving.combined import Combined, generation
from reference_impls.serving.settings import Settings
from reference_impls.serving.state import decisions
from tests.reference_impls.backends.server import Answer, choice, said, serving
from tests.reference_impls.serving.endpoint import PRICES, ask, client, config, endpoint, recording
from tests.reference_impls.serving.slow import slow

MODELS = {"small": Price(1.0, 2.0), "large": Price(10.0, 20.0)}
QUERY = Query("", "", "add the numbers 3 and 4", "text", 100)


def reply(model: str, prompt: str, parameters: Mapping[str, Any]) -> Reply:
    """What a made-up model says: it depends on all that it is sent."""
    told = zlib.crc32(json.dumps([model, prompt, parameters], sort_keys=True).encode())
    if told % 7 == 0:
        return Reply("error", said="overloaded", free=True)
    text = f"FINAL RANKING:\n1. Response {1 + told % 2}\n2. Response {2 - told % 2}" if "RANKING" in prompt else ""
    text = text or ("Verdict: correct" if told % 2 else f"Grade: {1 + told % 5}" if "Grade" in prompt else "yes")
    usage = {"prompt_tokens": len(prompt), "completion_tokens": len(text)}
    logs = {"content": [{"token": text, "logprob": -(told % 5) / 10}]}
    return Reply("", {"choices": [{"logprobs": logs}], "usage": usage}, text, bill=read(usage), seconds=0.1)


class Plain:
    """The same model as the runner would have it: asked one call after the other."""

    size, context = 0.0, 0
    dress: Dress = "chat"

    def __init__(self, name: str) -> None:
        self.name, self.price = name, MODELS[name]

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        sent = {"temperature": temperature, "max_tokens": max_tokens}
        stops = {"stop": list(stop)} if stop else {}
        replies = [reply(self.name, prompt, sent | {"seed": (seed + i) % 2**31} | stops) for i in range(n)]
        made = [generation(self.name, one, i) for i, one in enumerate(replies)]
        if any(one.status for one in replies):
            raise ModelError(f"{self.name}: overloaded", made)
        return made

    def score(self, prompt: str, continuation: str) -> Any:  # noqa: ARG002
        raise ModelError(f"{self.name}: the server gives no log-probabilities of a given text")


def fit(name: str, folder: Path) -> tuple[Any, Any]:
    info = catalog.method(name)
    pool = fitted.pool_of([fitted.NamedModel(name, price) for name, price in MODELS.items()])
    return info, fitted.fit(info, info.parameters({}), pool, files.load(folder))[0]


SERVED = sorted(
    name for name, info in catalog.methods().items()
    if info.category.startswith("after/") and not {"distributions", "scoring"} & set(info.needs)
)  # fmt: skip


#: Why some of them cannot be, by what they need.
REFUSED = {"new-prompts": "while it learns", "logprobs": "gives no log-probabilities"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording(tmp_path_factory.mktemp("recorded"), samples=4)


@pytest.mark.parametrize("name", SERVED)
def test_served_it_says_and_costs_what_it_does_elsewhere(name: str, folder: Path) -> None:
    refused = ""
    try:
        info, method = fit(name, folder)
    except ValueError as error:
        refused = str(error)
    if refused:
        needs = catalog.method(name).needs
        assert any(need in needs and why in refused for need, why in REFUSED.items()), refused
        assert name not in ("majority-vote", "weighted-vote", "frugalgpt", "mixture-of-agents", "peer-review")
        return
    plain = Meter([Plain(model) for model in method.pool.names])
    twin = info.cls(plain.pool, method.parameters, np.random.default_rng([0, 1]))
    twin.choice.accuracies = method.choice.accuracies
    if twin.needs_training:
        twin.fit(fitted.lessons(files.load(folder), info, twin).train)
    twin.rng = np.random.default_rng(zlib.crc32(QUERY.prompt.encode()))
    twin.choice.rng = twin.rng
    plain.begin()
    expected = twin.answer(QUERY)
    usage = plain.end()
    plain.close()

    async def send(model: str, messages: Any, parameters: Mapping[str, Any]) -> Reply:
        return reply(model, messages[0]["content"] if messages else QUERY.prompt, parameters)

    with ThreadPoolExecutor(2) as threads:
        # in a thread of its own: a browser of other tests keeps a loop in this one
        made = threads.submit(asyncio.run, Combined(info, method, threads).answer(QUERY, send)).result()
    assert made.text == expected
    assert made.usage.calls == usage.calls
    assert made.usage.cost == pytest.approx(usage.cost)
    assert made.usage.models == usage.models


def votes(folder: Path, url: str, **more: Any) -> Settings:
    file = config(folder, url, PRICES | {"third": {"prompt": 0, "completion": 0}})
    return Settings(file, state=folder / "s.sqlite", **more)


def test_a_vote_asks_all_models_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=30)

    def behave(body: dict[str, Any]) -> Answer:
        together.wait()  # nobody is answered before all are asked
        text = "the answer is 12" if body["model"] == "small" else "12 it is: 13"
        return 200, said(choice(text), prompt=10, completion=5)

    with serving(behave) as upstream, endpoint(votes(tmp_path, upstream.url, method="majority-vote")) as url:
        made, headers = ask(client(url), extra_body={"atlas": {"kind": "number"}}, temperature=1.5, top_p=0.5)
        chunks = list(ask(client(url), extra_body={"atlas": {"kind": "number"}}, stream=True)[0])
        with pytest.raises(openai.BadRequestError, match="majority-vote compares texts"):
            ask(client(url), n=2)
    assert made.choices[0].message.content == "12 it is: 13"
    assert (made.atlas["model"], headers["x-atlas-model"]) == ("majority-vote", "majority-vote"), "two said so"
    assert made.atlas["calls"] == 3
    assert made.atlas["cost"] == pytest.approx(220e-6)
    assert made.usage.total_tokens == 45
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "12 it is: 13"
    assert [body["top_p"] for body in upstream.bodies[:3]] == [0.5] * 3
    assert [body["temperature"] for body in upstream.bodies[:3]] == [0.0] * 3, "how to sample is the method's"
    line = next(decisions(tmp_path / "s.sqlite", everything=True))
    assert (line["model"], line["probabilities"]) == ("majority-vote", {"majority-vote": 1.0})


def test_a_model_that_fails_abstains(tmp_path: Path) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        if body["model"] == "small":
            return 400, {"error": {"message": "no"}}
        return 200, said(choice("12"), prompt=10, completion=5)

    with serving(behave) as upstream, endpoint(votes(tmp_path, upstream.url, method="majority-vote")) as url:
        made, _ = ask(client(url), extra_body={"atlas": {"kind": "number"}})
        assert (made.choices[0].message.content, made.atlas["calls"]) == ("12", 3)
        upstream.behave = lambda _: (400, {"error": {"message": "no"}})
        with pytest.raises(openai.InternalServerError, match=r"majority-vote: .*no"):
            ask(client(url))


def test_when_the_client_goes_all_calls_are_cancelled(tmp_path: Path) -> None:
    with slow() as upstream, endpoint(votes(tmp_path, upstream.url, method="majority-vote")) as url:
        with pytest.raises(openai.APITimeoutError):
            ask(client(url).with_options(timeout=0.5))
        assert upstream.left.wait(30)
    assert [line["status"] for line in decisions(tmp_path / "s.sqlite", everything=True)] == ["gone"]


def test_what_drives_models_token_by_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="drives models token by token"), endpoint(
        votes(tmp_path, "http://127.0.0.1:9/v1", method="gac")
    ):  # fmt: skip
        pass
