"""The calculator's examples are the results of the project's own models, query by query."""

from __future__ import annotations

import csv
import io
import json

from scripts.render.deciding.calculator import examples
from scripts.render.evidence.results import FOLDER, LEADING, Results
from tests.conftest import ROOT


def test_an_example_holds_the_scores_of_each_model_alone() -> None:
    example = next(examples(Results(ROOT / FOLDER)))
    rows = list(csv.DictReader(io.StringIO(example.text)))
    assert len(rows) == example.queries
    benchmarks = sorted({row["task"] for row in rows})
    assert LEADING not in benchmarks, "its queries are those of the others, and would count twice"
    models = [column.removesuffix(":score") for column in rows[0] if column.endswith(":score")]
    assert len(models) == example.models
    for model in models:
        wanted: list[float] = []
        for name in benchmarks:
            file = ROOT / FOLDER / example.name / name / f"single-{model}.json"
            wanted += json.loads(file.read_text(encoding="utf-8"))["items"]["score"]
        assert [float(row[f"{model}:score"]) for row in rows] == wanted
