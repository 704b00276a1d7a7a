"""What the endpoint adds to a call: many clients at once against a fake back end that always takes the same time.

    python -m reference_impls.serving.load --clients 64 --rate 200 --requests 4000

Every client has a connection of its own and asks again when it has been answered: at once with ``--rate 0``, which
asks as fast as the machine can and measures how fast that is; else all together so many times a second, at moments
that are fixed beforehand, which measures what a request waits for. Back end, endpoint and clients are three processes
of one machine. The processor time that the endpoint spends on a request is told too: unlike the waiting, it hardly
depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml

from reference_impls.serving.metrics import PROCESSOR

GOAL = (5, 20)
"""Milliseconds that it may add at the median and at the 99th percentile, with 64 clients at the usual rate."""
_ANSWER = json.dumps({
    "id": "x", "object": "chat.completion", "created": 1, "model": "fake",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "It is 4."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}).encode()  # fmt: skip
_ASKED = json.dumps({"model": "atlas", "messages": [{"role": "user", "content": "What is 2 + 2?"}]}).encode()


class _BackEnd(asyncio.Protocol):
    """Answers every request after the same time."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._read = seconds, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            found = re.search(rb"content-length: *(\d+)", self._read[:end], re.IGNORECASE)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            asyncio.get_running_loop().call_later(self._seconds, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_ANSWER)
            self._transport.write(head + _ANSWER)


async def back_end(seconds: float) -> None:
    """Serves until it is killed; says its port on the standard output."""
    server = await asyncio.get_running_loop().create_server(lambda: _BackEnd(seconds), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def measure(port: int, clients: int, requests: int, rate: float) -> tuple[np.ndarray, float, int]:
    """Seconds of every request, requests a second, and how many were answered with anything but 200."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    sent = head + b"content-length: %d\r\n\r\n" % len(_ASKED) + _ASKED
    took: list[float] = []
    failed = 0
    numbers = iter(range(requests))
    started = time.perf_counter() + 0.2

    async def client() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            due = started + (number / rate if rate else 0.0)
            await asyncio.sleep(max(due - time.perf_counter(), 0.0))
            before = due if rate else time.perf_counter()  # a client that is late has kept somebody waiting
            writer.write(sent)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", answer, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            took.append(time.perf_counter() - before)
            failed += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return np.array(took), requests / (time.perf_counter() - started), failed


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of this Python, ended in the end."""
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603  (this program itself)
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def _port(process: subprocess.Popen[str], pattern: str) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(pattern, line)
    if found is None:
        raise SystemExit(f"it does not start: {line}{process.stdout.read()}")
    return int(found[1])


def _processor(port: int) -> float:
    """Processor seconds that the endpoint says that it has spent (of one of its processes, if it has several)."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = re.search(rf"^{PROCESSOR} (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description="What the endpoint adds to a call.")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second; 0 is as many as possible")
    parser.add_argument("--seconds", type=float, default=0.05, help="that the back end takes")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--back-end", action="store_true", help="be the back end")
    options = parser.parse_args()
    if options.back_end:
        asyncio.run(back_end(options.seconds))
        return
    own = ("-m", "reference_impls.serving.load", "--back-end", "--seconds", str(options.seconds))
    with tempfile.TemporaryDirectory() as folder, running(*own) as behind:
        port = _port(behind, r"^(\d+)$")
        model = {
            "name": "fake", "base_url": f"http://127.0.0.1:{port}/v1", "price": {"prompt": 1, "completion": 2},
            "concurrency": 256,
        }  # fmt: skip
        config = Path(folder) / "atlas.yml"
        config.write_text(yaml.safe_dump({"models": [model]}), encoding="utf-8")
        words = ("-c", "from reference_impls.cli import main; main()", "serve", "--config", str(config))
        with running(*words, "--model", "fake", "--port", "0", "--workers", str(options.workers)) as endpoint:
            front = _port(endpoint, r"serving at http://127\.0\.0\.1:(\d+)/v1")
            rows = {}
            for name, at in (("direct", port), ("through atlas serve", front)):
                asyncio.run(measure(at, options.clients, 2 * options.clients, options.rate))  # connections, caches
                before = _processor(front)
                rows[name] = asyncio.run(measure(at, options.clients, options.requests, options.rate))
                spent = _processor(front) - before
    for name, (took, speed, failed) in rows.items():
        middle, late = 1000 * np.quantile(took, [0.5, 0.99])
        print(f"{name}: median {middle:.1f} ms, 99th percentile {late:.1f} ms, {speed:.0f} a second, {failed} failed")
    (direct, _, _), (through, _, _) = rows.values()
    more = 1000 * (np.quantile(through, [0.5, 0.99]) - np.quantile(direct, [0.5, 0.99]))
    asked = f"{options.rate:g} requests a second" if options.rate else "as many requests as possible"
    print(
        f"{options.clients} clients, {asked}: it adds {more[0]:.1f} ms at the median and {more[1]:.1f} ms at the 99th"
        f" percentile (goal: {GOAL[0]} and {GOAL[1]})"
    )
    if options.workers == 1:
        print(f"processor time of the endpoint: {1000 * spent / options.requests:.2f} ms a request")
    raise SystemExit(bool(any(failed for _, _, failed in rows.values()) or any(more > GOAL)))


if __name__ == "__main__":
    main()
