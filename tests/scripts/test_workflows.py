"""The workflows: what they may do, and their two scripts, with a `gh` that only writes down what it is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SCRIPTS = sorted((GITHUB / "scripts").glob("*.sh"))
# a marker inside a comment is how a stranger's text would begin
EVENT = re.compile(r"\$\{\{[^}]*github\.(event|head_ref)[^}]*\}\}")


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_least_rights(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    value = yaml.safe_load(text)
    assert value["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in text
    assert "workflow_run" not in text
    assert not re.search(r"\bsecrets\.\w", text)
    for used in re.findall(r"uses: (.+)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used
    for step in steps(path):
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
    for job in value["jobs"].values():
        assert job["timeout-minutes"] <= 180


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_text_of_strangers_in_a_shell(path: Path) -> None:
    for step in steps(path):
        script = step.get("run", "")
        assert "${{" not in script
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)  # noqa: S607
        assert done.returncode == 0, done.stderr
        for name, value in step.get("env", {}).items():
            if EVENT.search(str(value)):
                assert name in {"NUMBER", "SENDER", "ATLAS_SITE_URL"}, f"{name} comes from an event"


@pytest.mark.parametrize("path", WORKFLOWS + SCRIPTS, ids=lambda path: path.name)
def test_no_failure_is_hidden_in_another_command(path: Path) -> None:
    """A shell ends where a command fails, also in `name=$(…)`, but not where it stands in another command."""
    scripts = [step.get("run", "") for step in steps(path)] if path in WORKFLOWS else [path.read_text("utf-8")]
    for line in "\n".join(scripts).splitlines():
        assert "$(" not in line or re.match(r"\s*\w+=", line), line


def test_an_entry_that_is_refused_ends_the_job(tmp_path: Path) -> None:
    (step,) = (s for s in steps(GITHUB / "workflows" / "issue-form.yml") if s.get("id") == "entry")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    output = tmp_path / "output"
    output.touch()
    for answer, status, told in (("exit 1", 1, ""), ("echo papers/2024/a.yml", 0, "path=papers/2024/a.yml\n")):
        python.write_text(f"#!/bin/sh\n{answer}\n")
        python.chmod(0o755)
        environment = {**os.environ, "GITHUB_OUTPUT": str(output)}
        command = ["bash", "-e", "-c", step["run"]]  # as GitHub starts it
        done = subprocess.run(command, cwd=tmp_path, env=environment, check=False)
        assert (done.returncode, output.read_text()) == (status, told)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_who_may_write_runs_on_this_branch(path: Path) -> None:
    """A job with a right to write never belongs to a workflow that a pull request starts."""
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    rights = [right for job in value["jobs"].values() for right in (job.get("permissions") or {}).values()]
    triggers = value[True]  # YAML 1.1 reads the key `on` as true
    if "pull_request" in triggers:
        assert "write" not in rights
    reading = [job for job in value["jobs"].values() if "write" not in (job.get("permissions") or {}).values()]
    if "write" in rights and path.name in ("issue-form.yml", "upkeep.yml"):
        # the job that meets the world may write nothing
        assert any("GITHUB_EVENT_PATH" in str(job) or "atlas links" in str(job) for job in reading)


def test_commands_of_the_workflows_exist() -> None:
    """What the workflows call is there: a renamed option would be noticed only a week later."""
    text = " ".join(" ".join(str(step.get("run", "")).split()) for path in WORKFLOWS for step in steps(path))
    for name in re.findall(r"python -m (scripts[.\w]+)", text):
        place = ROOT / name.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()
    for script in re.findall(r"\.github/scripts/[\w-]+\.sh", text):
        assert os.access(ROOT / script, os.X_OK)
    source = "".join(path.read_text("utf-8") for path in (ROOT / "scripts" / "cli").glob("*.py"))
    for call in re.findall(r"\.venv/bin/atlas (\w+ [^>|&;]*)", text):
        for option in re.findall(r"--[a-z-]+", call):
            assert f'"{option}"' in source or f'"{option}/' in source or f"/{option}" in source or (
                f"{option[2:].replace('-', '_')}: Annotated" in source
            ), option  # fmt: skip


# --- the scripts ------------------------------------------------------------------------------------------------

GH = """#!/usr/bin/env python3
import json, os, pathlib, sys
log = pathlib.Path(os.environ["GH_LOG"])
words = sys.argv[1:]
body = words[words.index("--body-file") + 1] if "--body-file" in words else None
text = pathlib.Path(body).read_text() if body else None
log.open("a").write(json.dumps([words, text]) + chr(10))
if words[1] == "list":
    # as `gh --jq` would: the filter is run by jq itself, on what GitHub lists
    import subprocess
    rows = pathlib.Path(os.environ["GH_ROWS"]).read_text()
    sys.exit(subprocess.run(["jq", "-r", words[words.index("--jq") + 1]], input=rows, text=True).returncode)
"""


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a false `gh` before the real one. Called, it gives what `gh` was told: (words, text of --body-file)."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    if subprocess.run(["bash", "-c", "command -v jq"], capture_output=True, check=False).returncode:  # noqa: S607
        pytest.skip("jq is not installed")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("GH_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("GH_ROWS", str(tmp_path / "rows"))
    (tmp_path / "rows").write_text("[]")
    return lambda: [tuple(json.loads(line)) for line in (tmp_path / "log").read_text().splitlines()]


def one_issue(tmp_path: Path, report: str | None) -> None:
    path = tmp_path / "report.md"
    if report is not None:
        path.write_text(report)
    subprocess.run([GITHUB / "scripts" / "one-issue.sh", "links", "Links that are dead", path], check=True)


EVIL = '$(touch /tmp/evil) `id` "; rm -rf / #\n<!-- x -->\n'


def test_first_report_opens_an_issue(gh: Any, tmp_path: Path) -> None:
    one_issue(tmp_path, EVIL)
    (_, _), (words, text) = gh()
    assert words[:4] == ["issue", "create", "--title", "Links that are dead"]
    assert text == f"<!-- atlas-upkeep:links -->\n\n{EVIL}"


def test_next_report_renews_it(gh: Any, tmp_path: Path) -> None:
    rows = [
        {"number": 3, "body": "talks about <!-- atlas-upkeep:links -->"},
        {"number": 4, "body": "<!-- atlas-upkeep:candidates -->\n\nx"},
        {"number": 5, "body": "<!-- atlas-upkeep:links -->\r\n\r\nold"},
    ]
    (tmp_path / "rows").write_text(json.dumps(rows))
    one_issue(tmp_path, "new\n")
    (listing, _), (words, text) = gh()
    assert "--app" in listing  # an issue of anybody else is not looked at
    assert words[:3] == ["issue", "edit", "5"]
    assert str(text).endswith("new\n")


@pytest.mark.parametrize("report", ["", None])
def test_nothing_to_tell_closes_it(gh: Any, tmp_path: Path, report: str | None) -> None:
    (tmp_path / "rows").write_text(json.dumps([{"number": 5, "body": "<!-- atlas-upkeep:links -->"}]))
    one_issue(tmp_path, report)
    assert gh()[1][0][:3] == ["issue", "close", "5"]


def test_nothing_to_tell_and_no_issue(gh: Any, tmp_path: Path) -> None:
    one_issue(tmp_path, None)
    assert len(gh()) == 1


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a bare repository with one commit."""
    origin, work = tmp_path / "origin.git", tmp_path / "work"
    origin.mkdir()
    git(origin, "init", "--quiet", "--bare")
    git(tmp_path, "clone", "--quiet", str(origin), str(work))
    (work / "papers").mkdir()
    (work / "papers" / "a.yml").write_text("title: A\n")
    (work / "body.md").write_text(EVIL)
    git(work, "add", "papers")
    git(work, "commit", "--quiet", "-m", "first")
    git(work, "push", "--quiet", "origin", "HEAD:main")
    return work


def propose(clone: Path) -> None:
    script = GITHUB / "scripts" / "one-pull-request.sh"
    command = [str(script), "issue-form/12", "Add b (#12)", "body.md", "papers/b.yml"]
    subprocess.run(command, cwd=clone, check=True, capture_output=True)


def test_pull_request(gh: Any, clone: Path, tmp_path: Path) -> None:
    (clone / "papers" / "b.yml").write_text("title: B\n")
    (clone / "papers" / "a.yml").write_text("something else that is not to be taken\n")
    propose(clone)
    branch = tmp_path / "origin.git"
    assert git(branch, "diff", "--name-only", "main", "issue-form/12") == "papers/b.yml"
    assert git(branch, "log", "-1", "--format=%s|%an", "issue-form/12") == "Add b (#12)|github-actions[bot]"
    (setup, _), _, (words, text) = gh()
    assert setup == ["auth", "setup-git"]
    assert words[:4] == ["pr", "create", "--head", "issue-form/12"]
    assert str(text).startswith(EVIL)
    # set again, the label renews branch and pull request; one of a fork with that name is another one
    rows = [{"number": 8, "isCrossRepository": True}, {"number": 9, "isCrossRepository": False}]
    (tmp_path / "rows").write_text(json.dumps(rows))
    git(clone, "switch", "--quiet", "main" if "main" in git(clone, "branch") else "master")
    (clone / "papers" / "b.yml").write_text("title: B, renewed\n")
    propose(clone)
    assert git(branch, "show", "issue-form/12:papers/b.yml") == "title: B, renewed"
    assert git(branch, "rev-list", "--count", "main..issue-form/12") == "1"
    assert gh()[-1][0][:3] == ["pr", "edit", "9"]


def test_no_change_no_pull_request(gh: Any, clone: Path, tmp_path: Path) -> None:
    (clone / "papers" / "b.yml").write_text("title: B\n")
    git(clone, "add", "papers")
    git(clone, "commit", "--quiet", "-m", "second")
    (tmp_path / "log").write_text("")
    propose(clone)
    assert gh() == []
