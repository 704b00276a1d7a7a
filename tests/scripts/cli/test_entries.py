"""The command line as its users meet it: what it prints where, and its exit status."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bibtexparser.entrypoint import parse_string
from typer.testing import CliRunner, Result

from scripts.exports import FORMATS
from scripts.model import Corpus
from scripts.model.corpus import entry_files
from tests.conftest import ROOT, MakeAtlas, entry_text, fields
from tests.tool import app

FINDING = re.compile(
    r"(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<level>error|warning|info)\[(?P<rule>[a-z-]+)\] .+ \(.+\)"
)

CONTROL = {*range(32), 127} - {10}


def atlas(*arguments: str | Path, root: Path = ROOT) -> Result:
    """One command, in this process."""
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"ATLAS_ROOT": str(root)}, catch_exceptions=False)


def process(*arguments: str | Path, root: Path = ROOT, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """One command, as a process of its own."""
    environment = {**os.environ, "ATLAS_ROOT": str(root), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "scripts.cli", *map(str, arguments)],
        capture_output=True,
        check=False,
        cwd=cwd or root,
        env=environment,
        timeout=120,
    )


def told(result: Result) -> str:
    """What was said on stderr, however wide the terminal."""
    return " ".join(result.stderr.split())


def findings(result: Result) -> list[tuple[str, str]]:
    """(file, rule) of each line on stdout; fails where a line has another form."""
    found = []
    for line in result.stdout.splitlines():
        match = FINDING.fullmatch(line)
        assert match, line
        found.append((match["file"], match["rule"]))
    return found


# --- validate -----------------------------------------------------------------------------------------------------


def test_the_real_entries_are_valid_and_checked_within_two_seconds() -> None:
    begin = time.process_time()
    result = atlas("validate")
    assert time.process_time() - begin < 2
    assert result.exit_code == 0
    assert {rule for _, rule in findings(result)} <= {"unverified", "summary-unknown", "relation-unsourced"}
    assert re.search(r"\d+ entries: 0 errors, 0 warnings, \d+ info", told(result))


def test_errors_and_warnings_fail_and_infos_do_not(make_atlas: MakeAtlas) -> None:
    root = make_atlas({"doe2024a": fields(checked=None)}).root
    assert atlas("validate", root=root).exit_code == 0
    make_atlas({"doe2024a": fields(title="A Title.")})
    assert atlas("validate", root=root).exit_code == 1
    make_atlas({"doe2024a": fields(kind="poem")})
    result = atlas("validate", root=root)
    assert result.exit_code == 1
    assert findings(result) == [("papers/2024/doe2024a.yml", "vocabulary")]
    assert told(result) == "1 entries: 1 error, 0 warnings, 0 info"


def test_validate_in_the_other_forms(make_atlas: MakeAtlas) -> None:
    root = make_atlas({"doe2024a": fields(kind="poem"), "doe2024b": "title: [\n"}).root
    as_json = atlas("validate", "--format", "json", root=root)
    assert as_json.exit_code == 1
    assert [(row["file"], row["line"], row["rule"]) for row in json.loads(as_json.stdout)] == [
        ("papers/2024/doe2024a.yml", 5, "vocabulary"),
        ("papers/2024/doe2024b.yml", 2, "yaml-syntax"),
    ]
    as_github = atlas("validate", "--format", "github", root=root)
    assert [line.split(" ")[0] for line in as_github.stdout.splitlines()] == ["::error", "::error"]
    empty = atlas(
        "validate",
        "--format",
        "json",
        root=make_atlas({"doe2024a": fields(), "doe2024b": fields(title="B", summary=None, checked=None)}).root,
    )
    assert empty.exit_code == 0
    assert {row["level"] for row in json.loads(empty.stdout)} == {"info"}


def test_validate_of_chosen_files_folders_and_keys(make_atlas: MakeAtlas) -> None:
    bad = fields(kind="poem")
    root = make_atlas(
        {
            "doe2023a": {**bad, "date": "2023"},
            "doe2024b": {**bad, "title": "B", "summary": None},
            "doe2024c": fields(title="C"),
        }
    ).root
    for choice, keys in (
        (("doe2024b",), {"doe2024b"}),
        (("doe2024b.yml",), {"doe2024b"}),
        ((root / "papers" / "2024",), {"doe2024b", "doe2024c"}),
        ((root / "papers" / "2024" / "doe2024b.yml", "doe2023a"), {"doe2024b", "doe2023a"}),
        ((root / "papers" / "schema.json",), set()),
    ):
        result = atlas("validate", *choice, root=root)
        assert {Path(file).stem for file, _ in findings(result)} == keys, choice
        assert result.exit_code == (1 if keys else 0)


# --- bad files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ruined(make_atlas: MakeAtlas) -> Path:
    """An Atlas with one good entry, one with a plain mistake, and every kind of bad file."""
    bomb = "a: &a [x]\n" + "".join(
        f"{n}: &{n} [{','.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    root = make_atlas(
        {
            "doe2024good": fields(),
            "doe2024mistake": fields(title="Mistaken", summary=None, kind="poem", checked=None),
            "doe2024syntax": "title: [unclosed\n",
            "doe2024latin": "title: Jérôme\n".encode("latin-1"),
            "doe2024bomb": bomb,
            "doe2024empty": "",
            "doe2024comments": "# nothing but a comment\n",
            "doe2024deep": "a: " + "[" * 20_000 + "]" * 20_000 + "\n",
            "doe2024huge": b"[" * 100_000,
            "doe2024escape": "title: A\nname: \x1b[31mred\n",
            "doe2024doubled": 'title: A\n"\\e[31mkind": a\n"\\e[31mkind": b\n',
            "doe2024twice": "title: A\n---\ntitle: B\n",
            "doe2024tag": "title: !!python/object/apply:os.system [id]\n",
            "doe2024bytes": bytes(range(256)),
            "2024/doe2024\udcff.yml": "title: A\n",
        }
    ).root
    folder = root / "papers" / "2024"
    (folder / "doe2024folder.yml").mkdir()
    (folder / "doe2024link.yml").symlink_to("/etc/passwd")
    (folder / "doe2024gone.yml").symlink_to("nowhere.yml")
    os.mkfifo(folder / "doe2024pipe.yml")
    with (folder / "doe2024large.yml").open("wb") as file:
        file.truncate(50_000_000)
    return root


EXPECTED = {
    "mistake": "vocabulary", "syntax": "yaml-syntax", "latin": "encoding", "bomb": "yaml-feature",
    "empty": "empty-file",
    "comments": "empty-file", "deep": "yaml-feature", "huge": "too-large", "escape": "yaml-syntax",
    "doubled": "yaml-feature",
    "twice": "yaml-feature", "tag": "yaml-feature", "bytes": "encoding", "folder": "not-a-file", "link": "not-a-file",
    "gone": "not-a-file", "pipe": "not-a-file", "large": "too-large",
}  # fmt: skip


def test_each_bad_file_has_one_finding_and_the_others_are_still_checked(ruined: Path) -> None:
    begin = time.process_time()
    result = atlas("validate", root=ruined)
    assert time.process_time() - begin < 2
    assert result.exit_code == 1
    found = [
        (Path(file).stem, rule) for file, rule in findings(result) if rule not in ("unverified", "summary-unknown")
    ]
    named = [(stem, rule) for stem, rule in found if "\\udcff" not in stem]
    assert sorted(named) == sorted((f"doe2024{name}", rule) for name, rule in EXPECTED.items())
    assert "Traceback" not in result.output


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_findings_of_bad_files_are_safe_to_print(ruined: Path, form: str) -> None:
    result = atlas("validate", "--format", form, root=ruined)
    assert result.exit_code == 1
    assert not set(result.stdout_bytes + result.stderr_bytes) & CONTROL
    assert b"doe2024pipe" in result.stdout_bytes


def test_bad_files_in_a_process_of_its_own(ruined: Path) -> None:
    done = process("validate", root=ruined)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert not set(done.stdout + done.stderr) & CONTROL
    assert done.stdout.decode("utf-8").count("\n") > len(EXPECTED)


@pytest.mark.parametrize(
    "command", [["fmt", "--check"], ["duplicates"], ["export", "bibtex"], ["export", "csv"], ["schema"]], ids=" ".join
)
def test_no_other_command_falls_over_bad_files(ruined: Path, command: list[str]) -> None:
    result = atlas(*command, root=ruined)
    assert result.exit_code == (1 if command[0] == "fmt" else 0)
    assert not set(result.stdout_bytes + result.stderr_bytes) & CONTROL - {9}
    if command[0] == "fmt":
        assert "doe2024latin.yml: left alone" in told(result)


def test_a_broken_taxonomy_is_told_in_one_line(make_atlas: MakeAtlas) -> None:
    root = make_atlas({"doe2024a": fields()}).root
    (root / "taxonomy" / "vocabulary.yml").write_text("kinds: [\n")
    for command in (
        ["validate"],
        ["export", "json"],
        ["duplicates"],
        ["schema"],
        ["render", "--out", str(root / "out")],
    ):
        result = atlas(*command, root=root)
        assert result.exit_code == 2
        assert "vocabulary.yml:2: this is not valid YAML" in told(result)
        assert "Traceback" not in result.output
        assert result.stdout == ""


# --- fmt ----------------------------------------------------------------------------------------------------------


def test_the_real_entries_are_canonical() -> None:
    result = atlas("fmt", "--check")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert re.search(r"\d+ files: 0 to change, 0 unreadable", told(result))


def test_fmt_tells_and_changes(make_atlas: MakeAtlas) -> None:
    loose = (
        entry_text().replace("kind: method\n", "").replace("title:", "kind: 'method'  # why?\n# the title\ntitle:")
    )
    root = make_atlas({"doe2024a": loose, "doe2024b": fields(title="B")}).root
    path = root / "papers" / "2024" / "doe2024a.yml"

    check = atlas("fmt", "--check", root=root)
    assert check.exit_code == 1
    assert check.stdout == f"would change {path}\n"
    assert path.read_text() == loose

    change = atlas("fmt", root=root)
    assert change.exit_code == 0
    assert change.stdout == f"changed {path}\n"
    text = path.read_text()
    assert "# the title\ntitle: " in text
    assert "\nkind: method  # why?\n" in text
    assert atlas("fmt", "--check", root=root).exit_code == 0


def test_fmt_of_one_key_leaves_the_others(make_atlas: MakeAtlas) -> None:
    root = make_atlas({"doe2024a": "title:   A\n", "doe2024b": "title:   B\n"}).root
    assert atlas("fmt", "doe2024a", root=root).exit_code == 0
    assert (root / "papers" / "2024" / "doe2024b.yml").read_text() == "title:   B\n"


def test_fmt_leaves_unreadable_files_alone(make_atlas: MakeAtlas) -> None:
    root = make_atlas({"doe2024a": "title: [\n", "doe2024b": "title:   B\n"}).root
    result = atlas("fmt", root=root)
    assert result.exit_code == 1
    assert "doe2024a.yml: left alone" in told(result)
    assert (root / "papers" / "2024" / "doe2024a.yml").read_text() == "title: [\n"
    assert "title: B\n" in (root / "papers" / "2024" / "doe2024b.yml").read_text()


# --- duplicates, schema, render -----------------------------------------------------------------------------------


def test_duplicates_are_listed_with_their_likeness(make_atlas: MakeAtlas) -> None:
    root = make_atlas(
        {"doe2024a": fields(), "doe2024b": fields(title="Deferral Without Regrets: Asking Larger Models Late")}
    ).root
    result = atlas("duplicates", root=root)
    assert result.exit_code == 1
    assert re.search(r"9\d\.\d +doe2024a +doe2024b +yes +no", result.stdout)
    assert told(result) == "1 likely duplicates"
    assert atlas("duplicates", "--threshold", "99", root=root).exit_code == 0
    assert atlas("duplicates", "--threshold", "101", root=root).exit_code == 2


def test_schema_writes_the_schema(make_atlas: MakeAtlas) -> None:
    root = make_atlas({}).root
    (root / "papers" / "schema.json").unlink()
    assert atlas("schema", root=root).exit_code == 0
    assert (root / "papers" / "schema.json").read_bytes() == (ROOT / "papers" / "schema.json").read_bytes()


def test_render_tells_what_it_did(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    root = make_atlas({"doe2024a": fields()}, site=True).root
    first = atlas("render", root=root)
    assert first.exit_code == 0
    assert (root / "build" / "docs" / "papers" / "doe2024a.md").is_file()
    assert re.search(r"(\d+) files in .* \(\1 written, 0 removed\)", told(first))
    assert "(0 written, 0 removed)" in told(atlas("render", root=root))
    assert atlas("render", "--out", tmp_path / "else", root=root).exit_code == 0
    assert (tmp_path / "else" / "index.md").is_file()


# --- export -------------------------------------------------------------------------------------------------------


def test_export_of_each_format_holds_every_paper(corpus: Corpus) -> None:
    count = len(corpus.papers)
    sizes = {
        "bibtex": lambda text: len(parse_string(text).entries),
        "csl-json": lambda text: len(json.loads(text)),
        "json": lambda text: len(json.loads(text)),
        "csv": lambda text: len(list(csv.DictReader(io.StringIO(text)))),
        "markdown": lambda text: len(re.findall(r"^- (?!.*\]\(#)", text, re.MULTILINE)),
    }
    for form in FORMATS:
        result = atlas("export", form)
        assert result.exit_code == 0
        assert result.stderr == ""
        if form in sizes:
            assert sizes[form](result.stdout) == count, form
        else:
            assert result.stdout
    assert set(sizes) <= set(FORMATS)


def test_export_of_a_category_or_stage_to_a_file(corpus: Corpus, tmp_path: Path) -> None:
    for chosen in ("after/cascade", "after"):
        out = tmp_path / "some.json"
        result = atlas("export", "json", "--category", chosen, "--out", out)
        keys = {record["key"] for record in json.loads(out.read_text(encoding="utf-8"))}
        wanted = {k for k, p in corpus.papers.items() if any(f"{c}/".startswith(f"{chosen}/") for c in p.categories)}
        assert keys == wanted
        assert result.stdout == ""
        assert told(result).startswith(f"{len(wanted)} papers in ")


# --- wrong use ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "helpful"),
    [
        (["export", "docx"], "there is no format 'docx'; one of: bibtex, csl-json"),
        (
            ["export", "bibtex", "--category", "after/nothing"],
            "there is no stage or category 'after/nothing'; one of: after, after/cascade",
        ),
        (["validate", "nobody2020nothing"], "there is no file, folder or key 'nobody2020nothing'"),
        (["fmt", "nobody2020nothing"], "there is no file, folder or key 'nobody2020nothing'"),
        (["validate", "--format", "xml"], "xml"),
        (["valdate"], "valdate"),
        (["export"], "FORMAT"),
        (["validate", "--nonsense"], "--nonsense"),
        (["fmt", "\x1b[31mred"], "there is no file, folder or key '\\u001b[31mred'"),
    ],
    ids=lambda value: " ".join(value).replace("\x1b", "") if isinstance(value, list) else "",
)
def test_wrong_use_is_told_with_status_2(arguments: list[str], helpful: str) -> None:
    result = atlas(*arguments)
    assert result.exit_code == 2
    assert helpful in re.sub(r"[│╭╮╰╯─ \n]+", " ", result.stderr)
    assert result.stdout == ""
    assert "Traceback" not in result.output


def test_an_export_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    result = atlas("export", "json", "--category", "related/survey", "--out", tmp_path / "missing" / "x.json")
    assert result.exit_code == 2
    assert "missing" in told(result)


def test_help_names_every_command_and_what_findings_look_like() -> None:
    result = atlas("--help")
    assert result.exit_code == 0
    for command in ("validate", "fmt", "duplicates", "new", "render", "export", "schema"):
        assert re.search(rf"\b{command}\b", result.stdout)
    assert "level[rule]" in atlas("validate", "--help").stdout


def test_no_arguments_show_the_help() -> None:
    assert "Usage" in atlas().output


# --- as a process -------------------------------------------------------------------------------------------------


def test_the_installed_command_validates_from_a_folder_below() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "ATLAS_ROOT"}
    done = subprocess.run(
        [Path(sys.executable).with_name("atlas"), "validate", "ong2024routellm"],
        capture_output=True, check=False, cwd=ROOT / "papers" / "2024", env=environment, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""


def test_output_is_utf8_whatever_the_locale(make_atlas: MakeAtlas) -> None:
    root = make_atlas({"doe2024a": fields(title="大模型 Ünïcode", authors=["李明"])}).root
    done = subprocess.run(
        [sys.executable, "-m", "scripts.cli", "export", "csl-json"],
        capture_output=True, check=False, cwd=ROOT, timeout=120,
        env={**os.environ, "ATLAS_ROOT": str(root), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
             "PYTHONIOENCODING": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode("utf-8"))[0]["title"] == "大模型 Ünïcode"


def test_entry_files_of_the_real_atlas_lie_in_folders_of_a_year() -> None:
    for path in entry_files(ROOT / "papers"):
        assert re.fullmatch(r"\d{4}", path.parent.name)
        assert path.parent.parent == ROOT / "papers"
