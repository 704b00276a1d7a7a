"""`atlas import`: what it writes, how it ends, and that methods run on what it has written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reference_impls.recorded import load
from reference_impls.recorded.files import MAX_FILE
from tests.tool import app


def atlas(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Forty sums, of which the small model knows the even ones, and two cells that cannot be used."""
    rows = [f"q{i},{i} + {i}?,{2 * i},sum,{2 * i if i % 2 == 0 else 0},{2 * i},0.01" for i in range(40)]
    file = tmp_path / "t.csv"
    file.write_text("id,prompt,reference,task,s:response,l:response,l:cost\n" + "\n".join(rows) + "\n")
    return file


def test_methods_run_on_what_was_imported(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "made"
    done = atlas("import", "csv", table, "--out", out)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "40 queries, 80 responses of 2 models" in done.stderr
    made = load(out)
    assert made.models == ("s", "l")
    assert {r.cost for r in made.responses if r.model == "s"} == {None}  # unknown, not 0
    told = atlas("preflight", f"recorded:{out}", "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["scores"] == [0.5, 1.0]
    ran = atlas("run", "majority-vote", "--benchmark", f"recorded:{out}")
    assert ran.exit_code == 0, ran.stderr
    assert "score" in ran.stdout
    assert atlas("run", "knn-router", "--benchmark", f"recorded:{out}", "--train", "20").exit_code == 0


def test_a_wrong_line_is_told_and_the_others_are_kept(table: Path, tmp_path: Path) -> None:
    table.write_text(table.read_text() + "q40,x\n")
    done = atlas("import", "csv", table, "--out", tmp_path / "made")
    assert done.exit_code == 1
    assert done.stdout == f"{table}:42: 2 cells where the header names 7 (put texts with separators in quotes)\n"
    assert len(load(tmp_path / "made").queries) == 40
    done = atlas("import", "csv", table, "--out", tmp_path / "strict", "--strict")
    assert (done.exit_code, (tmp_path / "strict").exists()) == (1, False)


def test_nothing_is_overwritten(table: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine").write_text("x")
    done = atlas("import", "csv", table, "--out", tmp_path / "made")
    assert done.exit_code == 2
    assert "is there already and not empty" in done.stderr
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["mine"]


def test_wrong_use(table: Path, tmp_path: Path) -> None:
    assert atlas("import", "csv", tmp_path / "none.csv", "--out", tmp_path / "o").exit_code == 2
    done = atlas("import", "csv", table, "--out", tmp_path / "o", "--column", "prompd=x")
    assert done.exit_code == 2
    assert "--column prompd=x: write FIELD=NAME" in done.stderr
    assert atlas("import", "csv", table, "--out", table / "o").exit_code == 2  # below a file
    assert atlas("import", "csv", table).exit_code == 2
    with (tmp_path / "huge.csv").open("wb") as stream:
        stream.truncate(MAX_FILE + 1)  # a hole, no bytes on the disk
    done = atlas("import", "csv", tmp_path / "huge.csv", "--out", tmp_path / "o")
    assert done.exit_code == 2
    assert "larger than 4 GiB" in done.stderr


def test_bibtex_is_in_the_same_group() -> None:
    told = atlas("import", "--help").stdout
    assert all(name in told for name in ("bibtex", "csv", "lm-eval", "openai-batch", "routerbench", "eee", "inspect"))


def test_a_model_is_called_as_the_user_says(tmp_path: Path) -> None:
    sample = {
        "doc_id": 0, "target": "2", "arguments": [["1 + 1?", {}]], "resps": [["2"]], "filtered_resps": ["2"],
        "metrics": ["exact_match"], "exact_match": 1.0,
    }  # fmt: skip
    for folder in ("run1", "run2"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "samples_sum.jsonl").write_text(json.dumps(sample))
    files = [f"small={tmp_path}/run1/samples_sum.jsonl", f"{tmp_path}/run2/samples_sum.jsonl"]
    assert atlas("import", "lm-eval", *files, "--out", tmp_path / "made").exit_code == 0
    assert load(tmp_path / "made").models == ("small", "run2")
