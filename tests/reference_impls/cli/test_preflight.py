"""`atlas preflight`: what it prints of recorded answers and of models that run, and how wrong use is answered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from reference_impls.measuring.preflight import preflight
from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording, save
from tests.tool import app

RUNNER = CliRunner()
#: Answers of three models to six questions whose answer is 7; c is the one who errs alone.
GIVEN = [("7", "7", "8"), ("7", "7", "8"), ("7", "8", "7"), ("8", "8", "7"), ("7", "7", "7"), ("8", "8", "8")]


def folder(path: Path, *, scored: bool = True, reference: str | None = "7") -> Path:
    queries = tuple(RecordedQuery(f"q{i}", f"{i}?", reference, f"t{i % 2}", "test", "number") for i in range(6))
    responses = tuple(
        RecordedResponse(f"q{i}", model, 0, None, said, float(said == "7") if scored else None, cost, 1, 1, None)
        for i, row in enumerate(GIVEN)
        for model, said, cost in zip("abc", row, (0.003, 0.002, 0.001), strict=True)
    )
    save(Recording("six", queries, responses, {}), path)
    return path


def printed(*arguments: str) -> str:
    done = RUNNER.invoke(app, ["preflight", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_prints_the_numbers_and_the_sentence(tmp_path: Path) -> None:
    out = printed(f"recorded:{folder(tmp_path / 'six')}")
    scores = np.array([[float(said == "7") for said in row] for row in GIVEN])
    found = preflight(
        scores, list("abc"), tasks=["t0", "t1"] * 3, answers=[list(row) for row in GIVEN],
        costs=np.tile([0.003, 0.002, 0.001], (6, 1)),
    )  # fmt: skip
    rows = {line[:42].strip(): line[42:].strip() for line in out.splitlines()}
    assert rows["queries"] == "6"
    assert rows["a"] == "0.667, 0.003 US dollars a query"
    assert rows["oracle"].startswith("0.833 (+0.167")
    assert found.effective is not None
    assert rows["effective number of independent models"] == f"{found.effective:.1f} of 3"
    assert rows["labels to find a gain of 2 points"].startswith(f"{found.needed[0.02]:,} queries")
    assert out.splitlines()[-1] == found.sentence()


def test_the_json_holds_the_same(tmp_path: Path) -> None:
    made = folder(tmp_path / "six")
    found = json.loads(printed(f"recorded:{made}", "--json", "--pool", "a,b"))
    assert (found["models"], found["best"], found["queries"]) == (["a", "b"], "a", 6)
    assert found["oracle"]["gain"] == 0
    assert found["correlation"][0][0] == 1
    assert set(found["needed"]) == {"0.01", "0.02", "0.05"}
    assert found["sentence"].endswith(".")
    assert list(json.loads(printed(f"recorded:{made}", "--json", "--points", "3"))["needed"]) == ["0.03"]


def test_answers_are_graded_where_scores_are_missing(tmp_path: Path) -> None:
    scored = printed(f"recorded:{folder(tmp_path / 'one' / 'six')}", "--json")
    assert printed(f"recorded:{folder(tmp_path / 'two' / 'six', scored=False)}", "--json") == scored


def test_models_that_run_are_asked() -> None:
    found = json.loads(printed("qa", "--pool", "sprout,oak", "--json"))
    results = Path(__file__).parents[3] / "reference_impls" / "results" / "builtin" / "qa"
    for model, score, cost in zip(found["models"], found["scores"], found["costs"], strict=True):
        committed = json.loads((results / f"single-{model}.json").read_text(encoding="utf-8"))
        assert score == pytest.approx(committed["score"]["mean"], abs=0.011)
        assert cost == pytest.approx(committed["usage"]["cost"], rel=0.05)
    assert found["tasks"] == 1
    assert found["plurality"] is not None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["maths"], "did you mean 'math'"),
        (["recorded:zeroeval-gsm8"], "zeroeval-gsm8k"),
        (["math", "--pool", "sprot"], "sprout"),
        (["math", "--points", "0"], "between 0 and 100"),
        (["math", "--points", "-2"], "between 0 and 100"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], told: str) -> None:
    done = RUNNER.invoke(app, ["preflight", *arguments])
    assert done.exit_code == 2
    [line] = [line for line in done.output.splitlines() if line.startswith("atlas:")]
    assert told in line
    assert "Traceback" not in done.output


def test_a_model_or_scores_that_are_not_there_are_one_line(tmp_path: Path) -> None:
    made = folder(tmp_path / "six")
    done = RUNNER.invoke(app, ["preflight", f"recorded:{made}", "--pool", "a,bb"])
    assert (done.exit_code, "no model 'bb'" in done.output) == (2, True)
    blind = folder(tmp_path / "blind", scored=False, reference=None)
    done = RUNNER.invoke(app, ["preflight", f"recorded:{blind}"])
    assert (done.exit_code, "have no score" in done.output) == (2, True)


def test_names_of_strangers_are_printed_as_they_stand(tmp_path: Path) -> None:
    query = RecordedQuery("q", "?", "7", "t", "test", "number")
    rude = tuple(
        RecordedResponse("q", name, 0, None, "7", 1.0, None, None, None, None) for name in ("[red]y", "[/]", "x" * 99)
    )
    save(Recording("rude", (query,), rude, {}), tmp_path / "rude")
    out = printed(f"recorded:{tmp_path / 'rude'}")
    assert "[red]y" in out
    assert "[/]" in out
