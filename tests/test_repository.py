"""The repository itself: locks that anyone can use, and nothing of one person's machine in it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
# folders of homes and of workplaces; an address on the web may hold such a word behind its host
MACHINE_PATH = re.compile(rb"(?<![\w.:/~-])(?:/(?:home|Users|root|work|workspace)/[\w.-]+|[A-Z]:\\\\?Users\\\\?\w+)")


@cache
def tracked_files() -> list[Path]:
    """The files that git knows; the test is skipped where this is no checkout."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    if done.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def requirements(lock: Path) -> dict[str, str]:
    """Name and block of each requirement of a lock file."""
    text = re.sub(r"^ *#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    return {re.split(r"[=\[ ;]", block, maxsplit=1)[0].lower(): block for block in blocks}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_requirement_is_pinned_and_hashed(lock: Path) -> None:
    locked = requirements(lock)
    assert len(locked) > 10
    for name, block in locked.items():
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==[\w.+!-]+", block), name
        hashes = re.findall(r"--hash=sha256:([0-9a-f]+)", block)
        assert hashes, name
        assert all(len(digest) == 64 for digest in hashes), name


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_no_lock_names_an_index(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"index-url|find-links|trusted-host|https?://|@ file", text)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(wanted: list[str]) -> set[str]:
        return {re.split(r"[^\w.-]", name, maxsplit=1)[0].lower() for name in wanted}

    extras = project["optional-dependencies"]

    def wanted(extra: str) -> set[str]:
        """Of an extra and of those that it names."""
        own = f"{project['name']}["
        named = [part for text in extras[extra] if text.startswith(own) for part in text[len(own) : -1].split(",")]
        return names([text for text in extras[extra] if not text.startswith(own)]).union(*map(wanted, named))

    locks = {name: set(requirements(ROOT / "requirements" / f"{name}.lock")) for name in ("base", "dev", "models")}
    assert names(project["dependencies"]) <= locks["base"]
    assert locks["base"] <= locks["dev"] <= locks["models"]
    assert {*names(project["dependencies"]), *wanted("dev")} <= locks["dev"]
    assert wanted("models") <= locks["models"]
    assert {"altair", "onnxruntime", "openai"} <= wanted("dev"), "a checkout has the site and the back ends"
    assert not locks["base"] & {"altair", "mkdocs", "onnxruntime", "openai", "torch"}, "the wheel stays small"


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked_files()
        for match in MACHINE_PATH.finditer(path.read_bytes())
        if path.suffix not in {".onnx", ".npz", ".png", ".woff2"}
    }
    assert found == set()


def test_the_pattern_finds_such_paths() -> None:
    # written in two pieces, so that this file holds none of them itself
    for start, end in (("see /", "home/jane/x"), ("'/", "Users/jane'"), ("(/", "root/x)"), ("C:\\", "Users\\jane")):
        assert MACHINE_PATH.search(f"{start}{end}".encode()), end
    for text in (b"https://a.example/home/jane", b"~/workspace/x", b"a/home/b", b"/usr/share", b"/homes/x"):
        assert not MACHINE_PATH.search(text), text


def test_what_is_generated_is_not_committed() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in tracked_files()]
    assert not [name for name in names if name.startswith(("build/", ".venv/")) or "__pycache__" in name]
    assert not [name for name in names if name.endswith((".pyc", ".orig", ".rej", ".log"))]


def test_texts_end_with_a_line_feed_and_have_no_carriage_returns() -> None:
    for path in tracked_files():
        if (
            path.suffix in {".py", ".yml", ".yaml", ".md", ".j2", ".toml", ".lock", ".css"}
            and "vendor" not in path.parts
        ):
            content = path.read_bytes()
            assert content == b"" or content.endswith(b"\n"), path
            assert b"\r" not in content, path


def test_security_names_tests_that_are_there() -> None:
    """Each test stands in the file that is named last before it."""
    path, checked = ROOT, 0
    for name in re.findall(r"`([^`]+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")):
        if name.startswith("tests/"):
            path = ROOT / name
            assert path.is_file(), name
        elif name.startswith("test_"):
            assert f"def {name}(" in path.read_text(encoding="utf-8"), (path.name, name)
            checked += 1
    assert checked > 10
