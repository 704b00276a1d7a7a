"""Two servers that share their state in a real Redis: they learn together, and each knows what the other has done."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from typer.testing import CliRunner

from reference_impls.serving.redis_state import RedisState
from reference_impls.serving.settings import Settings
from reference_impls.serving.state import StateError
from tests.reference_impls.backends.server import serving
from tests.reference_impls.serving.endpoint import ask, client, config, endpoint, speaks
from tests.reference_impls.serving.loops import in_a_loop
from tests.reference_impls.serving.test_lasting import teach
from tests.tool import app

pytest.importorskip("redis", reason="the library redis is not installed (make setup)")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a Redis of the test's own, which listens at a port that the kernel has just had free."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server here (apt-get install redis-server)")

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir", str(tmp_path))
    with subprocess.Popen([program, *words], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = next((line for line in server.stdout if "Ready to accept" in line), None)
        assert said is not None
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def test_two_servers_learn_together(address: str, tmp_path: Path) -> None:
    with serving(speaks) as upstream:
        settings = Settings(config(tmp_path, upstream.url), method="linucb-router", state=address, explore=0.0)
        with endpoint(settings) as first, endpoint(settings) as second:
            assert ask(client(first))[0].model == "small", "nothing is known yet: the cheaper one"
            teach(client(first), 6)
            assert ask(client(second))[0].model == "large", "which has served nobody yet"
            teach(client(second), 2)
            ask(client(first))
            name = ask(client(first))[1]["x-atlas-decision"]
            asker = client(second)
            assert asker.post("/feedback", body={"decision": name, "score": 1}, cast_to=dict)["status"] == "kept"
            assert asker.post("/feedback", body={"decision": name, "score": 1}, cast_to=dict)["status"] == "known"
            with pytest.raises(openai.ConflictError, match="another score"):
                asker.post("/feedback", body={"decision": name, "score": 0.5}, cast_to=dict)
            with pytest.raises(openai.NotFoundError, match="no such decision"):
                asker.post("/feedback", body={"decision": "f" * 24, "score": 1}, cast_to=dict)
        with endpoint(settings) as third:
            ask(client(third))
    run = CliRunner().invoke(app, ["decisions", address, "--all"])
    assert run.exit_code == 0, run.output
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(lines) == 13
    assert len([line for line in lines if line["score"] is not None]) == 9
    assert lines[-1]["utilities"]["large"] > 0.5 > lines[-1]["utilities"]["small"]
    state = RedisState(address)
    assert in_a_loop(state.counts())["atlas_feedback_total"] == 9
    state.close()


def test_what_cannot_be_used_is_one_line(address: str) -> None:
    for wrong, told in (
        ("redis://127.0.0.1:1/0", "cannot be used"), ("redis://:secret@127.0.0.1/0", "without user and password"),
        ("redis://127.0.0.1:x/0", "cannot be used"),
    ):  # fmt: skip
        with pytest.raises(StateError, match=told) as caught:
            RedisState(wrong)
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)
    run = CliRunner().invoke(app, ["decisions", address])
    assert (run.exit_code, run.stdout) == (0, "")
