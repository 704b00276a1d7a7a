"""Runs a coroutine where a browser may have the thread's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

R = TypeVar("R")


def in_a_loop(coroutine: Coroutine[Any, Any, R]) -> R:
    """What it returns, in a loop and a thread of its own: the browser tests of a run leave a loop in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, coroutine).result()
