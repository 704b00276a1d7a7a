"""Processes of the tool that begin in a moment: one process has loaded everything, and forks for each command.

What is killed is a real process of `atlas`; only that Python starts and loads its libraries is saved, as tests that
kill fifty times could else not be run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 120.0
_EXIT = "exit status "


@dataclass
class Child:
    """One running command.

    Attributes:
        pid: of its process.
        said: file with all that it prints.
    """

    pid: int
    said: Path

    def alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """`kill -9`, and waits until it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        end = time.monotonic() + _PATIENCE
        while self.alive():
            assert time.monotonic() < end, self.said.read_text()
            time.sleep(0.002)

    def end(self) -> tuple[int, str]:
        """Waits for it; its exit status, and all that it said."""
        self.wait()
        told, _, status = self.said.read_text().rpartition(_EXIT)
        return int(status), told

    def line(self, start: str) -> str:
        """The first line that it says with this in it, once it has said it."""
        end = time.monotonic() + _PATIENCE
        while True:
            found = [line for line in self.said.read_text().splitlines(keepends=True) if start in line]
            if found and found[0].endswith("\n"):
                return found[0]
            assert self.alive(), self.said.read_text()
            assert time.monotonic() < end, self.said.read_text()
            time.sleep(0.002)


class Forks:
    """The process that forks."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        clean = {name: value for name, value in os.environ.items() if "KEY" not in name}
        self._run = subprocess.Popen(
            [sys.executable, "-m", "tests.reference_impls.forked"], env=clean | dict(env), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._folder, self._begun = folder, 0

    def start(self, *words: str | Path) -> Child:
        assert self._run.stdin is not None
        assert self._run.stdout is not None
        self._begun += 1
        said = self._folder / f"said-{self._begun}.txt"
        said.touch()
        self._run.stdin.write(json.dumps([str(said), *map(str, words)]) + "\n")
        self._run.stdin.flush()
        return Child(int(self._run.stdout.readline()), said)

    def close(self) -> None:
        assert self._run.stdin is not None
        assert self._run.stdout is not None
        self._run.stdin.close()
        self._run.wait()
        self._run.stdout.close()


@contextmanager
def forks(folder: Path, env: Mapping[str, str]) -> Iterator[Forks]:
    """Forks whose children write what they say into a folder."""
    made = Forks(folder, env)
    try:
        yield made
    finally:
        made.close()


def _serve() -> None:
    import genai_prices  # noqa: F401, PLC0415
    import openai  # noqa: F401, PLC0415
    import uvicorn  # noqa: F401, PLC0415

    from reference_impls.running import catalog  # noqa: PLC0415
    from reference_impls.serving import run  # noqa: F401, PLC0415
    from tests.tool import app  # noqa: PLC0415

    catalog.methods()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel clears away what has ended
    for line in sys.stdin:
        said, *words = json.loads(line)
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            to = os.open(said, os.O_WRONLY | os.O_APPEND)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.dup2(to, 1)
            os.dup2(to, 2)
            try:
                app(words)
            except SystemExit as status:
                print(f"{_EXIT}{status.code or 0}", flush=True)
            finally:
                os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
