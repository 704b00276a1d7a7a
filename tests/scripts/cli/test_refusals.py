"""What the machine refuses ends in one line, and every file is as it was: full disks, read-only trees, limits."""

from __future__ import annotations

import json
import os
import resource
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.model.canonical import canonical
from scripts.results.reading import Measured, Recomputed, ResultError, read_result
from tests.browser.site import environment, make_root
from tests.conftest import ROOT, MakeAtlas, entry_text, fields
from tests.machine import ATLAS, Done, commands, told_in_one_line
from tests.tool import app

PROCESS = (sys.executable, "-m", "scripts.cli")
BIB = "@article{hu2021lora, title={LoRA: Low-Rank Adaptation}, author={Hu, Edward}, year={2021}}"
NEW = (ATLAS, "new", "--title", "FooBarBaz", "--author", "Ann Doe", "--date", "2024")
RUN = (ATLAS, "run", "random", "--benchmark", "qa", "--pool", "sprout", "--limit", "1")
LOOSE = entry_text(checked=None, notes="Notes. " * 300).replace("title: ", "title:    ")


@pytest.fixture
def small(make_atlas: MakeAtlas, tmp_path: Path) -> Path:
    """An Atlas that can be rendered and released, with an entry that `atlas fmt` would change."""
    summary = "Three models are asked, and the answer that most of them give is taken. " * 3
    other = fields(title="B", checked=None, summary=summary)
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


# --- results that are damaged -------------------------------------------------------------------------------------


def damaged(text: str) -> dict[str, str]:
    """A result, and what may have become of it."""
    value = json.loads(text)
    return {
        "cut off": text[: len(text) // 2],
        "empty": "",
        "no JSON": "<html>",
        "a list": "[]",
        "a field is gone": json.dumps({key: item for key, item in value.items() if key != "queries"}),
        "no number": text.replace('"queries": ', '"queries": NaN, "was": ', 1),
        "a text": json.dumps({**value, "queries": "300"}),
        "too deep": "[" * 100_000,
    }


@pytest.mark.parametrize("result", ["builtin/qa/majority-vote.json", "recorded/gsm8k-solutions.json"])
def test_a_damaged_result_is_told_with_its_file(result: str, tmp_path: Path) -> None:
    form = Recomputed if result.startswith("recorded") else Measured
    text = (ROOT / "reference_impls" / "results" / result).read_text()
    path = tmp_path / "result.json"
    for what, damage in damaged(text).items():
        path.write_text(damage)
        with pytest.raises(ResultError) as caught:
            read_result(path, form, "atlas bench")
        told = str(caught.value)
        assert told.startswith(f"{path}: "), what
        assert told.endswith("(atlas bench makes it again)"), what
        assert "\n" not in told, what
    path.write_text(text)
    assert read_result(path, form, "atlas bench") == json.loads(text)


def test_render_ends_in_one_line_at_a_damaged_result(small: Path) -> None:
    broken = small / "reference_impls" / "results" / "builtin" / "qa" / "majority-vote.json"
    broken.parent.mkdir(parents=True)
    broken.write_text('{"queries": 3')
    assert str(broken) in told_in_one_line(run(*PROCESS, "render", root=small))
    assert not (small / "build" / "docs" / "index.md").exists()


# --- where to render ----------------------------------------------------------------------------------------------


def test_render_touches_no_folder_that_it_has_not_made(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Atlas's own folder, which is a clone; entries; what Git keeps; somebody's folder; a link; the root."""
    subprocess.run(["git", "init", "--quiet", str(small)], check=True)  # noqa: S607
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    (tmp_path / "link").symlink_to(mine)
    before = files(tmp_path)
    monkeypatch.chdir(small)
    for out in (".", small / "papers", small / ".git", mine, tmp_path / "link", "/"):
        result = CliRunner().invoke(app, ["render", "--out", str(out)], env={"ATLAS_ROOT": str(small)})
        assert told_in_one_line(Done(result.exit_code, result.stdout, result.stderr)).startswith(f"atlas: {out}: ")
        assert files(tmp_path) == before, out


def test_fmt_leaves_alone_what_is_no_entry(small: Path, tmp_path: Path) -> None:
    """Of a folder that is named, also what hides in it: settings of other tools, workflows, issue forms."""
    there = {"mkdocs.yml": "site_name:   x\n", ".github/form.yml": "title:   x\nbody: []\n", "list.yml": "-   a\n"}
    for name, text in there.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = run(*PROCESS, "fmt", tmp_path, root=small)
    assert done.code == 0
    assert done.stdout == f"changed {small / 'papers' / '2024' / 'doe2024loose.yml'}\n"
    done = run(*PROCESS, "fmt", *(tmp_path / name for name in there), root=small)
    assert done.code == 1
    assert done.stderr.count("left alone, this is no entry") == 3
    assert {name: (tmp_path / name).read_text() for name in there} == there


# --- a port that is taken -----------------------------------------------------------------------------------------


def test_a_taken_port_is_told_before_the_site_is_built(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root", {"doe2024a": fields(checked=None)})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--dev-addr", f"127.0.0.1:{port}"]
        done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if str(port) in line]
    assert f"127.0.0.1:{port}: Address already in use (name another port: make serve PORT=8001)" in line
    assert list((root / "build" / "docs").iterdir()) == []


# --- streams, locales, names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["export csv", "validate", "methods", "--help"])
def test_a_full_or_closed_standard_output_is_told(words: str, small: Path) -> None:
    atlas = f"{shlex.join(PROCESS)} {words}"
    full = run("sh", "-c", f"{atlas} > /dev/full", root=small)
    assert "No space left on device" in told_in_one_line(full)
    closed = run("sh", "-c", f"{atlas} >&-", root=small)
    assert "standard output is closed" in told_in_one_line(closed)


def test_a_reader_that_has_left_is_no_error(small: Path) -> None:
    """`atlas export csv | head`: nothing is said."""
    atlas = f"{shlex.join(PROCESS)} export json"
    done = run("bash", "-c", f"{atlas} | true; exit ${{PIPESTATUS[0]}}", root=small)
    assert done == (141, "", "")


def test_a_closed_standard_error_gets_into_no_file(small: Path) -> None:
    """The number of a closed stream is given to the next file that is opened."""
    done = run("sh", "-c", f"{shlex.join(PROCESS)} fmt 2>&-", root=small)
    assert done.code == 0
    assert (small / "papers" / "2024" / "doe2024loose.yml").read_text() == canonical(LOOSE)


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "latin-1"}]
)
def test_another_locale_changes_nothing(make_atlas: MakeAtlas, tmp_path: Path, locale: dict[str, str]) -> None:
    root = make_atlas({"doe2024a": fields(title="Größe — 多数決", checked=None, authors=["Jürgen Müller"])}).root
    env = {**os.environ, "PYTHONPATH": str(ROOT), "ATLAS_ROOT": str(root)}
    wanted = subprocess.run([*PROCESS, "export", "csv"], env=env, capture_output=True, check=True).stdout
    other = subprocess.run([*PROCESS, "export", "csv"], env=env | locale, capture_output=True, check=True)
    assert other.stdout == wanted
    assert "多数決" in wanted.decode()
    out = tmp_path / "größe.csv"
    subprocess.run([*PROCESS, "export", "csv", "--out", str(out)], env=env | locale, capture_output=True, check=True)
    assert out.read_bytes() == wanted


@pytest.mark.parametrize(
    "words",
    [
        ["export", "csv", "--out", "{folder}"],
        ["links", "--cache", "{folder}"],
        ["metrics", "--out", "{folder}", "--no-citations", "--no-repositories"],
        ["release", "--out", "{file}"],
        ["release", "--out", "{file}/below"],
        ["render", "--out", "{file}/below"],
        ["run", "random", "--benchmark", "qa", "--pool", "sprout", "--limit", "1", "--dump", "{folder}"],
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_a_folder_for_a_file_and_a_file_for_a_folder_are_told(small: Path, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "folder").mkdir()
    before = files(tmp_path)
    given = [word.format(folder=tmp_path / "folder", file=tmp_path / "x.bib") for word in words]
    assert str(tmp_path) in told_in_one_line(run(*PROCESS, *given, root=small, ATLAS_BUILD=str(tmp_path / "build")))
    for kept_for_itself in (tmp_path / "build", small / "build"):
        shutil.rmtree(kept_for_itself, ignore_errors=True)
    assert files(tmp_path) == before


# --- line ends ----------------------------------------------------------------------------------------------------


def test_a_checkout_with_autocrlf_is_valid(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    command = ["git", "clone", "--quiet", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", str(ROOT), str(clone)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this is no clone of the repository")
    ends = subprocess.run(["git", "ls-files", "--eol"], cwd=clone, capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert [line for line in ends.splitlines() if "w/crlf" in line or "w/mixed" in line] == []
    for words in (["validate"], ["fmt", "--check"]):
        done = run(*PROCESS, *words, root=clone, PYTHONPATH=str(clone))
        assert done.code == 0, done
