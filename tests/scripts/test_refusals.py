"""What the machine refuses ends in one line, and every file is as it was: full disks, read-only trees, limits."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, MakeAtlas, entry_text, fields
from tests.machine import ATLAS, Done, commands, told_in_one_line

PROCESS = (sys.executable, "-m", "scripts.cli")
BIB = "@article{hu2021lora, title={LoRA: Low-Rank Adaptation}, author={Hu, Edward}, year={2021}}"
NEW = (ATLAS, "new", "--title", "FooBarBaz", "--author", "Ann Doe", "--date", "2024")
RUN = (ATLAS, "run", "random", "--benchmark", "qa", "--pool", "sprout", "--limit", "1")
LOOSE = entry_text(notes="Notes. " * 300).replace("title: ", "title:    ")


@pytest.fixture
def small(make_atlas: MakeAtlas, tmp_path: Path) -> Path:
    """An Atlas that can be rendered and released, with an entry that `atlas fmt` would change."""
    other = fields(title="B", summary="Three models are asked, and the answer that most of them give is taken. " * 3)
    root = make_atlas({"doe2024loose": LOOSE, "doe2024b": other}, site=True).root
    for name in ("pyproject.toml", "CITATION.cff", "LICENSE-DATA"):
        shutil.copy(ROOT / name, root)
    (tmp_path / "x.bib").write_text(BIB)
    return root


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(*words: str | Path, root: Path, **environment: str) -> Done:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "ATLAS_ROOT": str(root), **environment}
    done = subprocess.run([*map(str, words)], env=env, capture_output=True, text=True, check=False, cwd=root)
    return Done(done.returncode, done.stdout, done.stderr)


# --- a read-only checkout -----------------------------------------------------------------------------------------


def test_in_a_read_only_checkout_reading_works_and_writing_says_what_it_cannot(small: Path, tmp_path: Path) -> None:
    """The code's own checkout cannot be written either, and there is no home: a mounted image."""
    before = files(small)
    fixed = "mount --bind '{0}' '{0}'; mount -o remount,bind,ro '{0}'"
    read_only = "; ".join(fixed.format(place) for place in (small, ROOT))
    reading = {
        "validate": (ATLAS, "validate", "doe2024b"),
        "export": (ATLAS, "export", "csv"),
        "duplicates": (ATLAS, "duplicates"),
        "methods": (ATLAS, "methods"),
        "data list": (ATLAS, "data", "list"),
        "fmt --check": (ATLAS, "fmt", "--check", "doe2024b"),
        "run": RUN,
    }
    writing = {
        "fmt": (ATLAS, "fmt"),
        "schema": (ATLAS, "schema"),
        "render": (ATLAS, "render"),
        "release": (ATLAS, "release"),
        "new": NEW,
        "import": (ATLAS, "import", "bibtex", tmp_path / "x.bib"),
        "export --out": (ATLAS, "export", "csv", "--out", small / "x.csv"),
        "bench": (ATLAS, "bench", "random", "--benchmark", "qa", "--pool", "sprout", "--jobs", "1"),
        "links": (ATLAS, "links"),
    }
    lines = [*reading.values(), *writing.values()]
    environment = {"ATLAS_ROOT": str(small), "HOME": str(tmp_path / "x.bib"), "XDG_CACHE_HOME": "", "ATLAS_BUILD": ""}
    done = commands(f"set -e; {read_only}", lines, tmp_path / "done.json", **environment)
    for name, one in zip(reading, done, strict=False):
        assert one.code == 0, (name, one)
    for name, one in zip(writing, done[len(reading) :], strict=True):
        assert "Read-only file system" in told_in_one_line(one), name
    assert files(small) == before


# --- a full disk --------------------------------------------------------------------------------------------------


def test_on_a_full_disk_every_file_is_as_it_was(small: Path, tmp_path: Path) -> None:
    """The Atlas lies on a disk of its own, whose last byte is taken before the commands begin."""
    disk = tmp_path / "disk"
    disk.mkdir()
    prepare = (
        f"set -e; mount -t tmpfs -o size=4m none '{disk}'; cp -a '{small}/.' '{disk}'; (cd '{disk}'; find . -type f"
        f" ! -name fill | sort | xargs sha256sum > '{tmp_path}/before'); cat /dev/zero > '{disk}/fill' || true"
    )
    writing = {
        "new": NEW,
        "import": (ATLAS, "import", "bibtex", tmp_path / "x.bib"),
        "fmt": (ATLAS, "fmt"),
        "render": (ATLAS, "render"),
        "release": (ATLAS, "release"),
        "export --out": (ATLAS, "export", "csv", "--out", disk / "x.csv"),
        "links": (ATLAS, "links"),
    }
    after = ("sh", "-c", f"cd '{disk}'; find . -type f ! -name fill | sort | xargs sha256sum > '{tmp_path}/after'")
    same = ("diff", tmp_path / "before", tmp_path / "after")
    lines = [*writing.values(), RUN, after, same]
    done = commands(prepare, lines, tmp_path / "done.json", ATLAS_ROOT=str(disk), ATLAS_BUILD=str(disk / "build"))
    for name, one in zip(writing, done, strict=False):
        assert "No space left on device" in told_in_one_line(one), name
    ran = done[len(writing)]
    assert ran.code == 0, ran
    assert "responses are not kept" in ran.stderr
    assert done[-1].code == 0, done[-1].stdout


# --- a limit on the size of files ---------------------------------------------------------------------------------


def limited(*words: str, root: Path, size: int) -> Done:
    """A command that may write no file of more than `size` bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    env = {**os.environ, "PYTHONPATH": str(ROOT), "ATLAS_ROOT": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*PROCESS, *words], env=env, capture_output=True, text=True, check=False, preexec_fn=limit, cwd=root
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_fmt_whose_write_fails_half_way_leaves_the_entry(small: Path) -> None:
    before = files(small)
    done = limited("fmt", root=small, size=1024)
    assert "File too large" in told_in_one_line(done)
    assert done.stdout == "", "nothing is called changed that was not"
    assert files(small) == before


def test_new_that_fails_leaves_no_file_and_its_key_free(small: Path) -> None:
    before = files(small)
    assert "File too large" in told_in_one_line(limited(*NEW[1:], root=small, size=10))
    assert files(small) == before
    done = run(*PROCESS, *NEW[1:], root=small)
    assert done.code == 0, done
    assert [path.name for path in small.rglob("*foobarbaz*")] == ["doe2024foobarbaz.yml"]
