"""The wheel in an environment of its own: what it brings along, and that it works from any folder.

The environment is put together without an index: the wheel is built and installed for real, and of what this
environment holds, the new one gets exactly the libraries that the wheel asks for, and what these ask for.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.reference_impls.test_face import write_recording


class Installed(NamedTuple):
    """An environment, what lies in its folder of packages, and the wheel."""

    folder: Path
    packages: Path
    wheel: Path

    def runs(self, where: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the environment in some folder, without anything of this checkout."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "SYSTEMROOT")}
        mine = {"HOME": str(where), "XDG_CACHE_HOME": str(where / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        program = [str(self.folder / "bin" / words[0]), *words[1:]]
        done = subprocess.run(program, cwd=where, env=kept | mine, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def files(self) -> set[str]:
        """Everything in the folder of packages, but not what lies behind links."""
        return {str(path.relative_to(self.packages)) for path in self.packages.rglob("*")}


def closure(names: Iterable[str], extra: str = "") -> set[str]:
    """Distributions that requirements stand for, with all that those need here."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        if (wanted.marker and not wanted.marker.evaluate({"extra": extra})) or wanted.name in found:
            continue
        found.add(wanted.name)
        waiting += [Requirement(text) for text in importlib.metadata.requires(wanted.name) or ()]
    return found


def link(names: Iterable[str], packages: Path) -> list[Path]:
    """Puts distributions of this environment into another one's folder of packages; gives what is new there."""
    made = []
    for name in names:
        here = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in here.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (packages / top).exists():
                (packages / top).symlink_to(str(here.locate_file(top)))
                made.append(packages / top)
    return made


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel without any extra."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    install = ["install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip[:3], "--python", str(folder / "env" / "bin" / "python"), *pip[3:], *install], check=True)
    wanted = importlib.metadata.Distribution.at(next(packages.glob("llm_ensemble_atlas-*.dist-info"))).requires or ()
    needed = closure(wanted)
    assert len(needed) + 1 <= 20, f"with the wheel {len(needed) + 1} packages: {', '.join(sorted(needed))}"
    link(needed, packages)
    return Installed(folder / "env", packages, wheel)


def test_the_wheel_holds_the_engineers_part_alone(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"reference_impls", "llm_ensemble_atlas"}
    inside = {name.removeprefix("reference_impls/") for name in names}
    assert inside >= {
        "py.typed", "models/weights/oak.onnx", "models/weights/SHA256SUMS", "recorded/sources.yml",
        "benchmarks/cards/qa.md", "results/builtin/math/majority-vote.json", "results/recorded/llmrouter.json",
    }  # fmt: skip
    find = (
        "from importlib.util import find_spec as f; print([n for n in ('scripts', 'tests', 'onnxruntime') if f(n)])"
    )
    assert installed.runs(installed.folder, "python", "-c", find).stdout == "[]\n"


def test_recorded_answers_are_run_from_any_folder(installed: Installed, tmp_path: Path) -> None:
    before = installed.files()
    write_recording(tmp_path / "sums")
    assert "knn-router" in installed.runs(tmp_path, "atlas", "methods").stdout
    assert "llmrouter" in installed.runs(tmp_path, "atlas", "data", "list").stdout
    done = installed.runs(tmp_path, "atlas", "run", "knn-router", "--benchmark", "recorded:sums")
    assert done.returncode == 0, done.stderr
    assert "score                      1.000" in done.stdout
    program = (
        "import reference_impls as atlas; print(atlas.run('knn-router', atlas.load_recording('sums')).score.mean)"
    )
    assert installed.runs(tmp_path, "python", "-c", program).stdout == "1.0\n"
    assert installed.files() == before


def test_what_is_not_installed_is_said_in_one_line(installed: Installed, tmp_path: Path) -> None:
    write_recording(tmp_path / "sums")
    commands = {
        "builtin": (
            ("run", "majority-vote", "--benchmark", "math"),
            ("bench", "majority-vote", "--benchmark", "math"),
        ),
        "index": (("run", "knn-router", "--benchmark", "recorded:sums", "--set", "index=ivf"),),
    }
    for extra, lines in commands.items():
        for words in lines:
            done = installed.runs(tmp_path, "atlas", *words)
            assert done.returncode == 2, done.stderr
            said = [line for line in done.stderr.splitlines() if line.startswith("atlas: ")]
            assert len(said) == 1
            assert said[0].endswith(f"pip install 'llm-ensemble-atlas[{extra}]'")
    done = installed.runs(tmp_path, "atlas", "reproduce", "llmrouter", "--jobs", "1")
    assert done.returncode == 2
    assert "atlas data fetch llmrouter" in done.stderr
    program = "import reference_impls as atlas; atlas.OpenAIModel('m', 'http://127.0.0.1:1/v1', None)"
    caught = f"try:\n    {program}\nexcept ModuleNotFoundError as error:\n    print(error)"
    told = installed.runs(tmp_path, "python", "-c", caught).stdout
    assert told == "models behind a server need the openai library: pip install 'llm-ensemble-atlas[live]'\n"


@pytest.fixture
def with_builtin(installed: Installed) -> Iterator[Installed]:
    """The wheel with the extra of the built-in models."""
    added = link(closure(["onnxruntime"]), installed.packages)
    yield installed
    for path in added:
        path.unlink()


def test_the_built_in_models_write_results_where_one_works(with_builtin: Installed, tmp_path: Path) -> None:
    """A folder that cannot be written refuses before anything is computed."""
    installed = with_builtin
    before = installed.files()
    done = installed.runs(
        tmp_path, "atlas", "run", "majority-vote", "--benchmark", "qa", "--pool", "sprout", "--limit", "2"
    )
    assert done.returncode == 0, done.stderr
    bench = ("atlas", "bench", "random", "--benchmark", "qa", "--pool", "sprout", "--jobs", "1", "--seed", "0")
    done = installed.runs(tmp_path, *bench)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "3 results are up to date in atlas-results"
    result = json.loads((tmp_path / "atlas-results/sprout/qa/random.json").read_text(encoding="utf-8"))
    assert (result["method"], result["queries"]) == ("random", 200)
    assert (tmp_path / "cache" / "llm-ensemble-atlas" / "responses").is_dir()
    (tmp_path / "file").touch()
    done = installed.runs(tmp_path, *bench, "--out", "file")
    assert done.returncode == 2
    assert "file: results cannot be written there: Not a directory (name another folder with --out)" in done.stderr
    assert installed.files() == before
