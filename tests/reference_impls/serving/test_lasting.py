"""What lasts: feedback over kills and between processes, requests over failures, and nothing that nobody wants."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import openai
import pytest

from reference_impls.before_inference.linucb_router import LinUCB, Parameters
from reference_impls.core.model import Price
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.running import catalog
from reference_impls.serving.bandits import BANDITS, LinUCBBandit
from reference_impls.serving.fitted import Context, NamedModel
from reference_impls.serving.settings import Settings
from reference_impls.serving.state import Lesson, decisions
from tests.reference_impls.backends.server import Answer, serving
from tests.reference_impls.serving.endpoint import Process, ask, client, config, endpoint, recording, speaks
from tests.reference_impls.serving.kills import kill_at_random
from tests.reference_impls.serving.slow import slow


def bandit(folder: Path, url: str, **more: Any) -> Settings:
    return Settings(config(folder, url), method="linucb-router", state=folder / "state.sqlite", **more)


def teach(asker: openai.OpenAI, rounds: int, prompt: str = "hello", good: str = "large") -> None:
    """Answers of one model are worth 1, of all others 0."""
    for _ in range(rounds):
        made, headers = ask(asker, prompt)
        body = {"decision": headers["x-atlas-decision"], "score": float(made.model == good)}
        assert asker.post("/feedback", body=body, cast_to=dict)["status"] == "kept"


def test_feedback_teaches_all_processes_and_outlives_a_restart(tmp_path: Path) -> None:
    with serving(speaks) as upstream:
        settings = bandit(tmp_path, upstream.url, explore=0.0)
        with endpoint(settings) as first, endpoint(settings) as second:
            assert ask(client(first))[0].model == "small", "nothing is known yet: the cheaper one"
            teach(client(first), 10)
            assert ask(client(second))[0].model == "large", "which has served nobody yet"
            teach(client(second), 2)
            ask(client(first))
        with endpoint(settings) as third:
            ask(client(third))
    utilities = [line["utilities"] for line in decisions(tmp_path / "state.sqlite", everything=True)]
    assert utilities[0] == {"small": 0.0, "large": 0.0}
    assert utilities[-1] == utilities[-2], "bit for bit the same in another process, and after a restart"
    assert utilities[-1]["large"] > 0.5 > utilities[-1]["small"] == 0.0


def test_a_bandit_with_recorded_answers_sees_the_prompt(tmp_path: Path) -> None:
    settings = bandit(tmp_path, "", data=recording(tmp_path), explore=0.0)
    with serving(speaks) as upstream:
        config(tmp_path, upstream.url)
        with endpoint(settings) as url:
            assert ask(client(url), "add the numbers 300 and 4")[0].model == "small"
            assert ask(client(url), "name the capital of the country number 9")[0].model == "large"
            teach(client(url), 80, "add the numbers 300 and 4")
            assert ask(client(url), "add the numbers 300 and 4")[0].model == "large", "what was true has changed"
            assert ask(client(url), "name the capital of the country number 9")[0].model == "large"


def test_the_bandit_is_linucb() -> None:
    """The same sums as by Sherman and Morrison, one lesson after the other."""
    rng = np.random.default_rng(0)
    lessons = [
        Lesson(i + 1, "ab"[int(rng.integers(2))], rng.normal(size=1), float(rng.random()), 0.01) for i in range(50)
    ]
    pool = Pool([NamedModel("a", None), NamedModel("b", None)])
    parameters = Parameters(price_weight=2.0)
    own = LinUCBBandit(
        pool, parameters, Context([], 16), None, 0.0, rng, lambda _, after: [x for x in lessons if x.number > after]
    )
    plain = LinUCB(2, 1, parameters.penalty)
    for lesson in lessons:
        plain.update("ab".index(lesson.model), lesson.features, lesson.score - 2.0 * 0.01)
    chosen = own.choose(Query("", "", "hello"))
    assert chosen.utilities is not None
    assert list(chosen.utilities.values()) == pytest.approx(plain.means(np.ones(1)))
    assert chosen.order[0] == "ab"[int(plain.bounds(np.ones(1), 1.0).argmax())]


def test_probabilities_are_those_that_it_draws_with() -> None:
    """At three deviations: of 400 decisions with 0.3 explored, 0.15 go to the other model."""
    rng = np.random.default_rng(5)
    pool = Pool([NamedModel("a", None), NamedModel("b", None)])
    own = LinUCBBandit(pool, Parameters(), Context([], 16), None, 0.3, rng, lambda *_: [])
    made = [own.choose(Query("", "", "hello")) for _ in range(400)]
    assert {tuple(sorted(chosen.probabilities.values())) for chosen in made} == {(0.15, 0.85)}
    rare = sum(chosen.probabilities[chosen.order[0]] == 0.15 for chosen in made)
    assert abs(rare - 60) < 3 * (400 * 0.15 * 0.85) ** 0.5


@pytest.mark.parametrize("name", sorted(BANDITS))
def test_every_bandit_learns_on_line_and_knows_the_same_after_a_restart(name: str) -> None:
    """Of two models that cost alike one is worth more; what was logged is what it drew with."""
    info = catalog.method(name)
    pool = Pool([NamedModel("a", Price(1, 1)), NamedModel("b", Price(1, 1))])
    lessons: list[Lesson] = []

    def made(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        return BANDITS[name](
            pool, info.parameters(), Context([], 16), None, BANDITS[name].explored, rng,
            lambda _, after: [x for x in lessons if x.number > after],
        )  # fmt: skip

    own, rng, served, expected = made(0), np.random.default_rng(1), [], []
    for number in range(1, 401):
        chosen = own.choose(Query("", "", "hello"))
        assert sum(chosen.probabilities.values()) == pytest.approx(1)
        assert chosen.features is not None
        served.append(chosen.order[0] == "b")
        expected.append(chosen.probabilities["b"])
        score = float(rng.random() < (0.8 if served[-1] else 0.3))
        lessons.append(Lesson(number, chosen.order[0], chosen.features, score, 0.01))
    assert np.mean(served[-100:]) > 0.85
    assert abs(sum(served) - sum(expected)) < 4 * sum(p * (1 - p) for p in expected) ** 0.5 + 1
    again, before = made(2).choose(Query("", "", "hello")), own.choose(Query("", "", "hello"))
    assert again.utilities == before.utilities
    assert again.probabilities == before.probabilities


def test_the_budgeted_bandit_spends_its_budget() -> None:
    """The better model costs ten times as much: it serves as often as the budget lets it."""
    info = catalog.method("budgeted-bandit-router")
    pool, lessons = Pool([NamedModel("a", Price(1, 1)), NamedModel("b", Price(10, 10))]), list[Lesson]()
    own = BANDITS[info.name](
        pool, info.parameters({"budget": "0.04", "burn_in": "5"}), Context([], 16), None, 0.0,
        np.random.default_rng(0), lambda _, after: [x for x in lessons if x.number > after],
    )  # fmt: skip
    for number in range(1, 1201):
        chosen = own.choose(Query("", "", "hello"))
        dear = chosen.order[0] == "b"
        assert chosen.features is not None
        lessons.append(Lesson(number, chosen.order[0], chosen.features, 0.9 if dear else 0.4, 0.1 if dear else 0.01))
    costs = [lesson.cost or 0.0 for lesson in lessons[-600:]]
    assert np.mean(costs) == pytest.approx(0.04, rel=0.15)


def test_feedback_is_taken_once(tmp_path: Path) -> None:
    with serving(speaks) as upstream, endpoint(bandit(tmp_path, upstream.url)) as url:
        asker = client(url)
        name = ask(asker)[1]["x-atlas-decision"]
        assert asker.post("/feedback", body={"decision": name, "score": 1}, cast_to=dict)["status"] == "kept"
        assert asker.post("/feedback", body={"decision": name, "score": 1}, cast_to=dict)["status"] == "known"
        with pytest.raises(openai.ConflictError, match="another score"):
            asker.post("/feedback", body={"decision": name, "score": 0.5}, cast_to=dict)
        with pytest.raises(openai.NotFoundError, match="no such decision"):
            asker.post("/feedback", body={"decision": "f" * 24, "score": 1}, cast_to=dict)
        wrong: list[dict[str, Any]] = [
            {"decision": name}, {"decision": name, "score": True}, {"decision": name, "score": 2},
            {"decision": name, "score": float("nan")}, {"decision": 1, "score": 1}, {"decision": name, "scor": 1},
        ]  # fmt: skip
        for body in wrong:
            with pytest.raises(openai.BadRequestError):
                asker.post("/feedback", content=json.dumps(body).encode(), cast_to=dict)
    assert [line["score"] for line in decisions(tmp_path / "state.sqlite")] == [1.0]


def test_a_kill_at_any_moment_loses_no_acknowledged_feedback(tmp_path: Path) -> None:
    told, lost = kill_at_random(tmp_path, times=25, seed=1)
    assert told >= 25
    assert lost == 0


def test_no_request_is_lost_while_one_call_in_ten_fails(tmp_path: Path) -> None:
    calls = itertools.count()
    failed: set[str] = set()
    failures: list[Answer] = [
        (500, {"error": {"message": "no"}}), (0, None), (200, {"error": {"message": "overloaded"}}), (200, b"<html>"),
        (429, {"error": {"message": "slow down"}}, {"Retry-After": "0"}),
    ]  # fmt: skip

    def behave(body: dict[str, Any]) -> Answer:
        # a model fails a question once at most: two models with two attempts each could fail it by chance
        number, question = next(calls), str([body["model"], body["messages"]])
        if number % 10 != 9 or question in failed:
            return speaks(body)
        failed.add(question)
        return failures[number // 10 % len(failures)]

    with serving(behave) as upstream, endpoint(Settings(config(tmp_path, upstream.url), model="small",
                                                        state=tmp_path / "s.sqlite")) as url:  # fmt: skip
        asker = client(url)

        def one(number: int) -> str:
            question = f"question {number}"
            if number % 2:
                chunks = ask(asker, question, stream=True)[0]
                return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            return str(ask(asker, question)[0].choices[0].message.content).replace(" ", "")

        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(one, range(200)))
    assert set(answers) <= {"Iamsmall.", "Iamlarge."}
    assert len(answers) == 200
    assert next(calls) > 200, "some were asked again"


@pytest.mark.parametrize("streaming", [False, True])
def test_when_the_client_goes_the_call_is_cancelled(tmp_path: Path, streaming: bool) -> None:
    with slow() as upstream, endpoint(
        Settings(config(tmp_path, upstream.url), model="small", state=tmp_path / "s.sqlite")
    ) as url:  # fmt: skip
        if streaming:
            chunks = ask(client(url), stream=True)[0]
            assert next(iter(chunks)).choices[0].delta.content == "and "
            chunks.close()
        else:
            with pytest.raises(openai.APITimeoutError):
                ask(client(url).with_options(timeout=0.2))
        assert upstream.left.wait(30)
    lines = list(decisions(tmp_path / "s.sqlite", everything=True))
    assert [line["status"] for line in lines] == ["gone"]
    assert "cost" not in lines[0], "what it has cost is not known"


@pytest.mark.parametrize("workers", [1, 2])
def test_it_finishes_what_is_running_before_it_stops(tmp_path: Path, workers: int) -> None:
    with slow() as upstream:
        words = ("--config", config(tmp_path, upstream.url), "--model", "small", "--workers", str(workers))
        process = Process(*words)
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(ask, client(process.url))
            assert upstream.asked.wait(60)
            process.run.send_signal(signal.SIGTERM)
            while _listens(process.url):
                threading.Event().wait(0.01)
            assert not running.done()
            upstream.go_on.set()
            made, headers = running.result(60)
        _, err = process.run.communicate(timeout=60)
    assert made.choices[0].message.content == "late"
    assert process.run.returncode == 0, err
    kept = [line["decision"] for line in decisions(tmp_path / "atlas-serve.sqlite", everything=True)]
    assert kept == [headers["x-atlas-decision"]]


def _listens(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port or 0), timeout=5).close()
    except OSError:
        return False
    return True
