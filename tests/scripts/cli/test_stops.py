"""A command that is stopped, at any moment and however, leaves every file old or new, and says what it has kept."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scripts.model.canonical import canonical
from scripts.sources.settings import BASES
from tests.conftest import ROOT, MakeAtlas, entry_text, fields
from tests.scripts.sources.server import Reply, Server
from tests.scripts.upkeep.test_verify import ROUTE

#: Whoever waits longer than so many seconds waits in vain; nothing is measured by it.
IN_VAIN = 120


def start(*words: str, root: Path, **environment: str) -> subprocess.Popen[str]:
    """A command in a session of its own, as from a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ATLAS_ROOT": str(root), **environment},
        cwd=root,
        start_new_session=True,
    )


def until(true: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Waits until something is so; fails where the process that should make it so has ended."""
    deadline = time.monotonic() + IN_VAIN
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)


def asking(server: Server) -> dict[str, str]:
    """The environment in which every source is this server."""
    urls = {f"ATLAS_{name.upper()}_URL": f"{server.url}/{name}" for name in BASES}
    return {**urls, "ATLAS_HTTP_INTERVAL": "0", "ATLAS_HTTP_TRIES": "1"}


# --- kill -9 ------------------------------------------------------------------------------------------------------


def killed_at_random(
    *words: str, root: Path, before: Mapping[Path, str], is_new: Callable[[str], bool], **environment: str
) -> None:
    """Kills the command after some number of files, again and again, until it has done them all. Each file is old
    or new after each kill, and nothing lies beside them that would be read."""
    drawn, left = random.Random(0), set(before)  # noqa: S311
    for _ in range(4):
        most = drawn.randrange(1, len(before) // 4)
        process = start(*words, root=root, **environment)
        until(lambda: sum(path.read_text() != before[path] for path in left) >= most, process)  # noqa: B023
        process.kill()
        process.communicate()
        for path, text in before.items():
            now = path.read_text()
            assert now == text or is_new(now), path
        left = {path for path in left if path.read_text() == before[path]}
        assert set((root / "papers").rglob("*.yml")) == set(before)
    process = start(*words, root=root, **environment)
    process.communicate()
    assert all(is_new(path.read_text()) for path in before)
    hidden = [path for path in (root / "papers").rglob("*") if path.is_file() and path not in before]
    assert hidden == [root / "papers" / "schema.json"], "what the killed ones left is swept away"


def test_fmt_killed_at_any_moment_leaves_every_entry_old_or_new(make_atlas: MakeAtlas) -> None:
    loose = entry_text(notes="Notes. " * 2000).replace("title: ", "title:    ")
    letters = "abcdefghijklmn"
    root = make_atlas({f"doe2024{one}{other}": loose for one in letters for other in letters}).root
    before = {path: path.read_text() for path in (root / "papers").rglob("*.yml")}
    wanted = canonical(loose)
    killed_at_random("fmt", root=root, before=before, is_new=lambda text: text == wanted)


def test_verify_killed_at_any_moment_leaves_every_entry_old_or_new(make_atlas: MakeAtlas, world: Server) -> None:
    entry = {key: value for key, value in ROUTE.items() if value is not None}
    root = make_atlas({f"ong2024{letter}{other}": entry for letter in "abcdef" for other in "abcdef"}).root
    before = {path: path.read_text() for path in (root / "papers").rglob("*.yml")}
    (old,) = set(before.values())

    def is_new(text: str) -> bool:
        return text.startswith(old.rstrip("\n")) and text.endswith(
            "  against:\n  - https://arxiv.org/abs/2406.18665\n"
        )

    killed_at_random("verify", root=root, before=before, is_new=is_new, **asking(world))


# --- Ctrl-C -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["verify"], "every entry is as it was, or marked as checked"),
        (["links", "--pause", "0"], "the answers so far are kept; the same command goes on from there"),
        (["metrics"], "the figures so far are kept"),
        (["data", "fetch", "gsm8k-solutions"], "what was fetched is kept; the same command goes on from there"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_that_waits_for_an_answer_is_stopped_at_once(
    make_atlas: MakeAtlas, server: Server, words: list[str], says: str, stop: signal.Signals
) -> None:
    """The server never ends its answer: the command ends all the same, before its own patience does."""
    asked: list[str] = []

    def never(request: object) -> Reply:
        asked.append(str(request))
        return Reply(b"x" * 1_000_000, fault="drip")

    server.on("/", never)
    links = {"code": [f"{server.url}/code"]}
    root = make_atlas({"doe2024a": fields(ids={"arxiv": "2406.00001"}, links=links)}).root
    patience = {"ATLAS_HTTP_SILENCE": "1000", "ATLAS_HTTP_TOTAL": "1000"}
    mirror = {"ATLAS_DATA_MIRROR": server.url, "ATLAS_DATA": str(root / "data")}
    process = start(*words, root=root, **asking(server), **patience, **mirror)
    until(lambda: asked, process)
    os.killpg(process.pid, stop)
    out, said = process.communicate(timeout=IN_VAIN)
    assert process.returncode == 128 + stop, said
    assert "Traceback" not in out + said
    (line,) = [line for line in said.splitlines() if line.startswith("atlas: ")]
    assert line.startswith("atlas: stopped; ")
    assert says in line
