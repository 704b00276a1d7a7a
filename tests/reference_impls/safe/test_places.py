"""What the Atlas keeps lies in its checkout or in the user's cache folder, never in a stranger's folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_impls.safe import places
from tests.conftest import ROOT
from tests.machine import commands

RUN = [sys.executable, "-m", "scripts.cli", "run", "random", "--benchmark", "qa", "--pool", "sprout", "--limit", "2"]
UNSET = ("ATLAS_BUILD", "ATLAS_ROOT", "XDG_CACHE_HOME", "HOME", "ATLAS_DATA")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if the code lay in a folder of packages, and the user had a home."""
    monkeypatch.delenv("ATLAS_BUILD", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(places, "ROOT", tmp_path / "site-packages")
    return tmp_path


@pytest.fixture
def _forget_the_temporary_folder() -> Iterator[None]:
    yield
    os.environ.pop("ATLAS_BUILD", None)
    places._temporary.cache_clear()


def test_in_a_checkout_its_build_folder_wherever_one_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ATLAS_BUILD", raising=False)
    monkeypatch.chdir(tmp_path)
    assert places.build() == ROOT / "build"
    monkeypatch.setenv("ATLAS_BUILD", str(tmp_path / "mine"))
    assert places.build() == tmp_path / "mine"


def test_outside_a_checkout_the_cache_folder(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.build() == installed / "home" / ".cache" / "llm-ensemble-atlas"
    monkeypatch.setenv("XDG_CACHE_HOME", str(installed / "cache"))
    assert places.build() == places.user_cache() == installed / "cache" / "llm-ensemble-atlas"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/names/count/for/nothing")
    assert places.build() == installed / "home" / ".cache" / "llm-ensemble-atlas"


@pytest.mark.usefixtures("_forget_the_temporary_folder")
def test_where_nothing_can_be_written_a_temporary_folder_and_a_line(
    installed: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (installed / "home").write_text("a file, not a folder")
    folder = places.build()
    assert folder.is_dir()
    assert not folder.is_relative_to(installed / "home")
    assert os.environ["ATLAS_BUILD"] == str(folder), "processes started from here share it"
    monkeypatch.delenv("ATLAS_BUILD")
    assert places.build() == folder
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "ATLAS_BUILD" in caplog.text


def test_a_user_without_a_home_is_told_in_one_line(tmp_path: Path) -> None:
    """As in a container: no home, and a checkout that cannot be written."""
    fixed = f"set -e; mount --bind '{ROOT}' '{ROOT}'; mount -o remount,bind,ro '{ROOT}'"
    lines = [["atlas", "data", "list"], ["atlas", *RUN[3:]]]
    listed, ran = commands(fixed, lines, tmp_path / "done.json", **dict.fromkeys(UNSET, ""))
    assert listed == (2, "", "atlas: ~: there is no home folder (set HOME or XDG_CACHE_HOME)\n")
    assert ran.code == 0, ran
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("atlas: ")]
    assert "no folder to keep responses in" in line
    assert not Path(line.split(" are in ")[1].split(" until")[0]).exists(), "the temporary folder has gone"
    assert [path.name for path in tmp_path.iterdir()] == ["done.json"]


def test_a_user_of_whom_the_system_knows_nothing_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number without an entry in the list of users, as `docker run --user 54321` gives."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(places.NoHomeError, match="set HOME or XDG_CACHE_HOME"):
        places.user_cache()


def test_an_installed_atlas_leaves_nothing_in_a_strangers_folder(tmp_path: Path) -> None:
    packages, stranger, home = tmp_path / "packages", tmp_path / "stranger", tmp_path / "home"
    for name in ("scripts", "reference_impls"):
        shutil.copytree(ROOT / name, packages / name, ignore=shutil.ignore_patterns("results", "__pycache__"))
    stranger.mkdir()
    home.mkdir()
    environment = {key: value for key, value in os.environ.items() if key not in UNSET}
    environment |= {"PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home)}
    done = subprocess.run(RUN, cwd=stranger, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(stranger.iterdir()) == []
    assert sorted(path.name for path in packages.iterdir()) == ["reference_impls", "scripts"]
    stores = list((home / ".cache" / "llm-ensemble-atlas" / "responses").glob("sprout-*.sqlite"))
    assert len(stores) == 1


def test_a_store_that_cannot_be_made_is_gone_without_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file, not a folder")
    environment = {**os.environ, "ATLAS_BUILD": str(tmp_path / "build"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(RUN, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "score" in done.stdout
    said = [line for line in done.stderr.splitlines() if "ATLAS_BUILD" in line]
    assert len(said) == 1
    assert said[0].startswith(f"atlas: {tmp_path / 'build' / 'responses'}: responses are not kept: Not a directory")
