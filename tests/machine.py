"""Machines that refuse: commands in a mount namespace of their own, where a disk is full or a tree read-only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

ATLAS = "atlas"
# argv: what to do first (a line of shell), the commands as JSON, the file for what they gave. The tool is loaded
# once, and each of its commands is a process that is forked then.
DRIVER = """
import json, os, subprocess, sys, tempfile
from reference_impls.safe.terminal import one_line
from tests.tool import app

def gives(words):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if words[0] != "atlas":
            code = subprocess.run(words, stdout=out, stderr=err).returncode
        elif pid := os.fork():
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        else:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.argv = words
            app()
        return (code, *(stream.seek(0) or stream.read().decode(errors="replace") for stream in (out, err)))

subprocess.run(sys.argv[1], shell=True, check=True)
done = [gives(words) for words in json.loads(sys.argv[2])]
with open(sys.argv[3], "w") as file:
    json.dump(done, file)
"""


class Done(NamedTuple):
    """What a command gave."""

    code: int
    stdout: str
    stderr: str


@cache
def _unshare() -> tuple[str, ...] | None:
    """The command that gives a namespace in which mounting is permitted."""
    for command in (("unshare", "-m"), ("unshare", "-rm")):
        probe = [*command, "sh", "-c", "mount -t tmpfs none /mnt && mount --bind /usr /mnt"]
        try:
            done = subprocess.run(probe, capture_output=True, check=False)
        except FileNotFoundError:
            return None
        if done.returncode == 0:
            return command
    return None


def commands(prepare: str, lines: Sequence[Sequence[str | Path]], out: Path, **environment: str) -> list[Done]:
    """Runs commands one after another where `prepare` has mounted what it likes; skips where nobody may mount."""
    unshare = _unshare()
    if unshare is None:
        pytest.skip("no namespace here in which a tmpfs may be mounted (unshare -rm)")
    words = [[str(word) for word in line] for line in lines]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", **environment}
    argv = [*unshare, sys.executable, "-c", DRIVER, prepare, json.dumps(words), str(out)]
    subprocess.run(argv, env=env, cwd=out.parent, check=True, timeout=300)
    return [Done(*one) for one in json.loads(out.read_text())]


def told_in_one_line(done: Done) -> str:
    """The line on stderr that begins with 'atlas: '; fails where there is a traceback, or more than that line."""
    assert done.code == 2, done
    lines = [line for line in done.stderr.splitlines() if line.startswith("atlas: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]
