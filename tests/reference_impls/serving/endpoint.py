"""The endpoint as its users have it: the real server on 127.0.0.1, in a thread or in a process of its own, and the
real `openai` client.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import uvicorn
import yaml

from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording, save
from reference_impls.serving import run
from reference_impls.serving.settings import Settings
from tests.reference_impls.backends.server import Answer, choice, said

SECRET = "sk-secret-0123456789abcdef"  # noqa: S105
#: What the models of a server are called, and their prices.
PRICES = {"small": {"prompt": 1, "completion": 2}, "large": {"prompt": 10, "completion": 20}}


def config(folder: Path, url: str, prices: Mapping[str, Any] = PRICES, **more: Any) -> Path:
    """A configuration whose models all stand behind one server."""
    models = [{"name": name, "base_url": url, "price": price, **more} for name, price in prices.items()]
    file = folder / "atlas.yml"
    file.write_text(yaml.safe_dump({"models": models, "max_tokens": 100}), encoding="utf-8")
    return file


def recording(folder: Path, count: int = 60, samples: int = 1) -> Path:
    """A folder in which `small` knows sums and `large` everything else, each answer `samples` times."""
    queries, responses = [], []
    for i in range(count):
        sums = i % 2 == 0
        prompt = f"add the numbers {i} and {i + 1}" if sums else f"name the capital of the country number {i}"
        queries.append(RecordedQuery(f"q{i}", prompt, "yes", "all", "test", "text"))
        for name in PRICES:
            right = sums == (name == "small")
            text = "yes" if right else "no"
            responses += [
                RecordedResponse(f"q{i}", name, sample, text, None, float(right), 1e-6, 5, 1, 0.1)
                for sample in range(samples)
            ]
    save(Recording("made", tuple(queries), tuple(responses), {}), folder / "made")
    return folder / "made"


def speaks(body: dict[str, Any]) -> Answer:
    """Says who it is, whole or in pieces; 10 tokens read and 5 written."""
    text = f"I am {body.get('model')}."
    if not body.get("stream"):
        return 200, said(choice(text), prompt=10, completion=5)
    return stream([*text.split(" ")])


def stream(words: Sequence[str], *, whole: bool = True) -> Answer:
    """A stream of words, with its end or cut off."""
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    chunks = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if whole:
        chunks.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        chunks.append(head | {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
    lines = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    return 200, lines + (b"data: [DONE]\n\n" if whole else b""), {"Content-Type": "text/event-stream"}


@contextmanager
def endpoint(settings: Settings) -> Iterator[str]:
    """Its address, while it runs in a thread."""
    with run.listening("127.0.0.1", 0) as own:
        server = uvicorn.Server(run.configured(settings))
        thread = threading.Thread(target=server.run, args=([own],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{own.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join()


#: Clients that a test has made; they are closed when it ends.
OPEN: list[openai.OpenAI] = []


def client(url: str, api_key: str = "unused") -> openai.OpenAI:
    OPEN.append(openai.OpenAI(base_url=url, api_key=api_key, max_retries=0, timeout=60))
    return OPEN[-1]


def ask(
    asker: openai.OpenAI, prompt: str = "hello", model: str = "atlas", **more: Any
) -> tuple[Any, Mapping[str, str]]:
    """The parsed answer and its headers."""
    raw = asker.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": prompt}], **more
    )
    return raw.parse(), raw.headers


class Process:
    """`atlas serve` in a process of its own.

    Attributes:
        url: its address with ``/v1``.
    """

    def __init__(self, *words: str | Path, env: Mapping[str, str] | None = None) -> None:
        program = [sys.executable, "-m", "scripts.cli", "serve", "--port", "0", *map(str, words)]
        clean = {name: value for name, value in os.environ.items() if "KEY" not in name}
        self.run = subprocess.Popen(program, env=clean | dict(env or {}), stderr=subprocess.PIPE, text=True)
        assert self.run.stderr is not None
        line = self.run.stderr.readline()
        found = re.search(r"serving at (\S+/v1)", line)
        assert found, line + self.run.stderr.read()
        self.url = found[1]

    def end(self, signal: int) -> tuple[int, str]:
        """Its exit status and what it said."""
        self.run.send_signal(signal)
        _, err = self.run.communicate(timeout=60)
        return self.run.returncode, err
