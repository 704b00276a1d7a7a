"""What an endpoint has to remember, in Redis: several servers behind any balancer share decisions and learn together.

It does what `state.State` does with a file. How well acknowledged feedback outlives a crash of Redis itself is Redis'
own setting (``appendonly yes``, ``appendfsync always``).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np

from reference_impls.serving.state import Decision, Lesson, StateError, line_of

SCHEMES = ("redis", "rediss")
PASSWORD = "ATLAS_REDIS_PASSWORD"  # noqa: S105  (the variable's name)
#: Before every key; the number changes with the form.
PREFIX = "atlas:serve:1:"
SECONDS = 5.0
"""To wait for Redis."""
_THREADS = 8
_PAGE = 1000
"""Decisions that are read at once."""
#: Feedback is kept once: all of this or nothing, whoever else writes.
_TOLD = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 'unknown' end
local before = redis.call('HGET', KEYS[2], ARGV[1])
if before then return before == ARGV[2] and 'known' or 'other' end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('RPUSH', KEYS[3], ARGV[1])
redis.call('HINCRBYFLOAT', KEYS[4], 'atlas_feedback_total', 1)
return 'kept'
"""
T = TypeVar("T")


def is_address(state: object) -> bool:
    """Whether a state is Redis' address and no file."""
    return isinstance(state, str) and state.partition("://")[0] in SCHEMES


def _opened(address: str) -> Any:
    """A client, of which threads may share one.

    Raises:
        StateError: no such address, nobody answers there, or the library is missing.
    """
    try:
        import redis  # noqa: PLC0415 (optional)
    except ModuleNotFoundError as error:
        raise StateError(
            "atlas serve --state redis:// needs redis: pip install 'llm-ensemble-atlas[redis]'"
        ) from error
    if urlsplit(address).password or urlsplit(address).username:
        raise StateError(f"--state: write the address without user and password (the password in {PASSWORD})")
    try:
        client = redis.Redis.from_url(
            address, password=os.environ.get(PASSWORD) or None, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        )
        client.ping()
    except (redis.RedisError, ValueError) as error:
        said = " ".join(str(error).split())[:150]
        raise StateError(f"{address}: cannot be used: {said} (write redis://HOST:PORT/NUMBER)") from None
    return client


class RedisState:
    """The address, opened by one process; others may have it open too.

    Raises:
        StateError: it cannot be used.
    """

    def __init__(self, address: str) -> None:
        self.file = address
        self._client = _opened(address)
        self._client.set(f"{PREFIX}salt", secrets.token_bytes(32), nx=True)
        self._salt: bytes = self._client.get(f"{PREFIX}salt")
        self._script = self._client.register_script(_TOLD)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="atlas-redis")

    def close(self) -> None:
        """Writes what waits, and ends."""
        self._threads.shutdown()
        self._client.close()

    def name_of(self, prompt: str) -> str:
        """A query's name, as `State.name_of`."""
        return hmac.new(self._salt, prompt.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:24]

    async def decided(self, decision: Decision, counts: Mapping[str, float]) -> None:
        """Keeps a decision and adds to the counters."""
        d = decision
        features = None if d.features is None else d.features.astype("<f8").tobytes().hex()
        values = {
            "id": d.id, "at": d.at, "query": d.query, "task": d.task, "policy": d.policy, "model": d.model,
            "served": d.served, "probabilities": dict(d.probabilities),
            "utilities": None if d.utilities is None else dict(d.utilities), "features": features,
            "status": d.status, "cost": d.cost, "seconds": d.seconds, "calls": d.calls, "prompt": d.prompt,
        }  # fmt: skip

        def write() -> None:
            with self._client.pipeline() as all_:
                all_.set(f"{PREFIX}decision:{d.id}", json.dumps(values))
                all_.rpush(f"{PREFIX}decisions", d.id)
                for name, value in counts.items():
                    all_.hincrbyfloat(f"{PREFIX}counts", name, value)
                all_.execute()

        await self._put(write)

    async def counted(self, counts: Mapping[str, float]) -> None:
        """Adds to the counters."""

        def write() -> None:
            with self._client.pipeline() as all_:
                for name, value in counts.items():
                    all_.hincrbyfloat(f"{PREFIX}counts", name, value)
                all_.execute()

        await self._put(write)

    async def told(self, decision: str, score: float, at: float) -> str:  # noqa: ARG002 (a list has the order)
        """Keeps a feedback, as `State.told`."""
        keys = [f"{PREFIX}{name}" for name in (f"decision:{decision}", "scores", "feedback", "counts")]
        return await self._put(lambda: self._script(keys=keys, args=[decision, repr(score)]).decode())

    def lessons(self, policy: str, after: int) -> list[Lesson]:
        """What feedback to a policy's decisions teaches, in its order, from a number on."""
        return self._tried(lambda: list(self._lessons(policy, after)))

    def _lessons(self, policy: str, after: int) -> Iterator[Lesson]:
        names = self._client.lrange(f"{PREFIX}feedback", after, -1)
        if not names:
            return
        made = self._client.mget([f"{PREFIX}decision:{name.decode()}" for name in names])
        scores = self._client.hmget(f"{PREFIX}scores", names)
        for number, (text, score) in enumerate(zip(made, scores, strict=True), after + 1):
            d = json.loads(text)
            if d["policy"] == policy and d["features"] is not None:
                features = np.frombuffer(bytes.fromhex(d["features"]), "<f8")
                yield Lesson(number, d["model"], features, float(score), d["cost"])

    async def counts(self) -> dict[str, float]:
        """All counters, of all processes together."""
        found = await self._put(lambda: self._client.hgetall(f"{PREFIX}counts"))
        return {name.decode(): float(value) for name, value in sorted(found.items())}

    def decisions(self, *, everything: bool = False) -> Iterator[dict[str, Any]]:
        """As `state.decisions`."""
        place = 0
        while page := self._tried(partial(self._page, place)):
            place += len(page)
            for text, score in page:
                if everything or score is not None:
                    d = json.loads(text)
                    yield line_of(
                        d["id"], d["at"], d["query"], d["task"], d["model"], d["served"], d["probabilities"],
                        d["utilities"], d["status"], d["cost"], d["seconds"], d["calls"], d["prompt"],
                        None if score is None else float(score),
                    )  # fmt: skip

    def _page(self, place: int) -> list[tuple[bytes, bytes | None]]:
        """Some decisions from a place on, each with its score."""
        names = self._client.lrange(f"{PREFIX}decisions", place, place + _PAGE - 1)
        if not names:
            return []
        made = self._client.mget([f"{PREFIX}decision:{name.decode()}" for name in names])
        return list(zip(made, self._client.hmget(f"{PREFIX}scores", names), strict=True))

    async def _put(self, write: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._tried, write)

    def _tried(self, run: Callable[[], T]) -> T:
        import redis  # noqa: PLC0415 (`_opened` has seen that it is there)

        try:
            return run()
        except redis.RedisError as error:
            said = " ".join(str(error).split())[:150]
            raise StateError(f"{self.file}: cannot be used: {said} (is Redis there?)") from None
