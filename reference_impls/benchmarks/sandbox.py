"""Runs generated code in a process of its own that can compute and do nothing else.

The child (`sandbox_child.py`) gets the program and the inputs, never the expected values: results come back
as JSON and are compared here, so nothing that the program does to its own process can turn a wrong answer
into a right one. Before the program runs, the child enters namespaces without network (where the kernel lets
it), drops its capabilities, sets resource limits, and installs a seccomp filter that refuses every system call
except those for memory, time and writing to what is already open: no file can be opened, no process or thread
started, no socket made. Then it says that it is locked in, and only then the program starts: what ends the child
before that is the machine's fault and is an error, what ends it afterwards is the program's and scores 0.
"""

import json
import os
import platform
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_CHILD = Path(__file__).with_name("sandbox_child.py")
#: Wall-clock seconds for a program and all its cases; processor time is limited to two seconds inside.
WALL_SECONDS = 6.0
#: Wall-clock seconds for the child to start and lock itself in; on a busy machine Python alone takes some.
START_SECONDS = 60.0
#: Characters of a program; nothing that a model writes as an answer comes near.
MOST_PROGRAM = 1 << 20
#: Bytes of results that are read; more means the program floods the pipe.
MOST_OUTPUT = 1 << 16
#: What the child says when it is locked in.
LOCKED = b"locked\n"
#: Exit status of a child that could not lock itself in; means something only without `LOCKED`.
NO_ISOLATION = 97


class SandboxUnavailableError(RuntimeError):
    """This machine cannot isolate generated code."""


def unavailable() -> str | None:
    """Why generated code cannot run here, or None if it can (the filter itself is tried at the first run)."""
    if sys.platform != "linux":
        return f"generated code runs only on Linux (seccomp), this is {sys.platform}: the code benchmark is left out"
    if platform.machine() not in ("x86_64", "aarch64"):
        return f"no system-call filter for {platform.machine()}: the code benchmark is left out"
    return None


def to_cases(values: Sequence[Any]) -> str:
    """The inputs of the hidden tests, for `run_cases`."""
    return json.dumps(values)


def matches(got: str | None, wanted: Any) -> bool:
    """Whether a result equals the expected value, type and all (``True`` is not ``1``)."""
    return got is not None and got == json.dumps(wanted)


def run_cases(program: str, cases: str) -> tuple[str | None, ...]:
    """Calls the program's function ``f`` on every input.

    Args:
        program: Python source that defines ``f`` with one parameter.
        cases: JSON list of inputs (`to_cases`).

    Returns:
        for each input the result as JSON, or None: an exception, a value that is no plain JSON value, no time
            or memory left.

    Raises:
        SandboxUnavailableError: the child could not be isolated; nothing of the program was run.
    """
    if reason := unavailable():
        raise SandboxUnavailableError(reason)
    count = len(json.loads(cases))
    if len(program) > MOST_PROGRAM:
        return (None,) * count
    child = subprocess.Popen(  # noqa: S603 (our own interpreter and file)
        # as isolated as by -I, which would ignore the hash seed: with one, a set has the same order each time
        [sys.executable, "-P", "-s", "-S", str(_CHILD)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"PYTHONHASHSEED": "0"}, cwd="/", start_new_session=True,
    )  # fmt: skip
    try:
        output = _exchange(child, json.dumps({"program": program, "cases": cases}).encode())
    finally:
        # The child cannot have started others; killing it ends everything.
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        status = child.wait()
    if output is not None:
        return _parse(output, count)
    if status == NO_ISOLATION:
        raise SandboxUnavailableError(
            "the kernel refuses the system-call filter (seccomp): generated code is not run"
        )
    raise SandboxUnavailableError(
        f"the sandbox's process ended with status {status} before it was locked in: generated code is not run"
        " (is there memory left, and does the interpreter start?)"
    )


def _exchange(child: "subprocess.Popen[bytes]", message: bytes) -> bytes | None:
    """Sends the program, then reads results until the child closes, the time is over or there is too much.

    Returns:
        what the program's process wrote, empty if it took too long or wrote too much; None if it was never locked in.
    """
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("the child has no pipes")
    output, locked, deadline = b"", False, time.monotonic() + START_SECONDS
    with child.stdin, child.stdout:
        try:
            child.stdin.write(message)
            child.stdin.close()
        except BrokenPipeError:  # it could not start and has left
            return None
        while len(output) <= MOST_OUTPUT:
            ready, _, _ = select.select([child.stdout], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(child.stdout.fileno(), MOST_OUTPUT) if ready else None
            if not part:  # the time is over (None), or the child has closed the pipe
                return None if not locked else output if part is not None else b""
            output += part
            if not locked and output.startswith(LOCKED):
                locked, output, deadline = True, output[len(LOCKED) :], time.monotonic() + WALL_SECONDS
    return b""


def _parse(output: bytes, count: int) -> tuple[str | None, ...]:
    """The child's last line is a JSON list of JSON texts; anything else means no results."""
    try:
        results = json.loads(output)
        canonical = [None if r is None else json.dumps(json.loads(r)) for r in results]
    except (ValueError, TypeError, RecursionError):
        return (None,) * count
    return tuple(canonical) if len(canonical) == count else (None,) * count
