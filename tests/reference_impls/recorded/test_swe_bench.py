"""SWE-bench's reader on boards made here in the shape of the source, and on the real file."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reference_impls.recorded import load, registry, save
from reference_impls.recorded.readers import read_source, swe_bench
from reference_impls.recorded.readers.parse import SourceError

ISSUES = ("django__django-11099", "psf__requests-1142")
Boards = dict[str, Any]


def run(folder: str, resolved: tuple[bool, bool], **more: Any) -> dict[str, Any]:
    details = {
        issue: {"api_calls": 12, "cost": 0.25, "resolved": right}
        for issue, right in zip(ISSUES, resolved, strict=True)
    }
    return {
        "folder": folder,
        "name": folder,
        "resolved": 50.0 * sum(resolved),
        "per_instance_details": details,
    } | more


@pytest.fixture
def boards() -> Boards:
    runs = [run("20251124_mini-v1.16.0_strong-1", (True, True)), run("20250720_mini-v0.0.0-weak", (False, True))]
    other = {"folder": "20240101_other", "resolved": 1.0}
    return {
        "leaderboards": [
            {"name": "bash-only", "results": [*runs, other]},
            {"name": "Lite", "results": [other]},
            {"name": "Verified", "results": copy.deepcopy([other, *runs])},
        ]
    }


@pytest.fixture
def files(tmp_path: Path) -> Callable[[Any], dict[str, Path]]:
    def written(content: Any) -> dict[str, Path]:
        file = tmp_path / "leaderboards.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return {"data/leaderboards.json": file}

    return written


Files = Callable[[Any], dict[str, Path]]


def test_issues_have_dollars_calls_and_their_repository(boards: Boards, files: Files, tmp_path: Path) -> None:
    made = swe_bench.swe_bench(files(boards))
    assert [(query.id, query.prompt, query.task) for query in made.queries] == [
        ("swe-bench/django__django-11099", "django__django-11099", "django/django"),
        ("swe-bench/psf__requests-1142", "psf__requests-1142", "psf/requests"),
    ]
    assert made.models == ("strong-1", "weak")
    assert made.scores.tolist() == [[1.0, 0.0], [1.0, 1.0]]
    assert made.costs.tolist() == [[0.25, 0.25]] * 2
    assert {(r.text, r.answer, r.calls) for r in made.responses} == {(None, None, 12)}
    assert swe_bench.board_totals(files(boards)) == {"strong-1": 1.0, "weak": 0.5}
    save(made, tmp_path / made.name)
    assert load(tmp_path / made.name) == made


def first(boards: Boards) -> dict[str, Any]:
    found: dict[str, Any] = boards["leaderboards"][0]["results"][0]["per_instance_details"]
    return found


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("cost", None, "'cost' of strong-1, django__django-11099 is no number"),
        ("cost", -0.1, "is no number from 0 on"),
        ("cost", "0.2", "is no number from 0 on"),
        ("cost", True, "is no number from 0 on"),
        ("cost", float("nan"), "NaN where a number is wanted"),
        ("cost", float("inf"), "Infinity where a number is wanted"),
        ("api_calls", 1.5, "is no count"),
        ("resolved", 1, "neither true nor false"),
        ("resolved", None, "neither true nor false"),
    ],
)
def test_a_wrong_value_is_named(boards: Boards, files: Files, key: str, value: Any, told: str) -> None:
    first(boards)[ISSUES[0]][key] = value
    with pytest.raises(SourceError, match=told) as caught:
        swe_bench.swe_bench(files(boards))
    assert "\n" not in str(caught.value)


def test_gaps_contradictions_and_repeated_issues_are_named(boards: Boards, files: Files) -> None:
    for board in (0, 2):
        del boards["leaderboards"][board]["results"][0 if board == 0 else 1]["per_instance_details"][ISSUES[1]]
    with pytest.raises(SourceError, match="strong-1 has no result for psf__requests-1142"):
        swe_bench.swe_bench(files(boards))
    first(boards)[ISSUES[0]]["resolved"] = False
    with pytest.raises(SourceError, match="bash-only and Verified do not hold the same results"):
        swe_bench.swe_bench(files(boards))
    text = json.dumps(boards).replace(f'"{ISSUES[0]}": {{', f'"{ISSUES[0]}": {{}}, "{ISSUES[0]}": {{', 1)
    with pytest.raises(SourceError, match="a key stands twice"):
        swe_bench.swe_bench(files(text))


def test_a_model_that_stands_twice_and_a_strange_name_are_named(boards: Boards, files: Files) -> None:
    boards["leaderboards"][0]["results"].append(run("20260101_mini-v2.0_strong-1", (True, True)))
    with pytest.raises(SourceError, match="strong-1 stands twice on bash-only"):
        swe_bench.swe_bench(files(boards))
    boards["leaderboards"][0]["results"].pop()
    for board in (0, 2):
        for result in boards["leaderboards"][board]["results"]:
            if details := result.get("per_instance_details"):
                details["../../etc"] = details.pop(ISSUES[0])
    with pytest.raises(SourceError, match="is no name of an issue"):
        swe_bench.swe_bench(files(boards))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"leaderboards": 5}', '{"leaderboards": [1, null]}'])
def test_other_json_is_named(files: Files, content: str) -> None:
    with pytest.raises(SourceError, match=r"leaderboards.json"):
        swe_bench.swe_bench(files(content))


def test_the_real_boards(mirror: Path, tmp_path: Path) -> None:
    made = read_source("swe-bench", cache=tmp_path)
    assert len(made.queries) == 500
    assert len(made.models) == 25
    table = {m: (made.scores[:, i].mean(), made.costs[:, i].mean()) for i, m in enumerate(made.models)}
    assert table["claude-opus-4-5-20251101"] == pytest.approx((0.744, 0.721), abs=5e-4)
    assert table["gemini-3-pro-preview-20251118"] == pytest.approx((0.742, 0.460), abs=5e-4)
    assert table["deepseek-v3.2-reasoner"] == pytest.approx((0.600, 0.028), abs=5e-4)
    assert table["gpt-5-mini"] == pytest.approx((0.598, 0.0355), abs=5e-4)
    source = registry.source("swe-bench")
    totals = swe_bench.board_totals({f.path: mirror / source.folder / f.path for f in source.files})
    far = {m for m in made.models if abs(table[m][0] - totals[m]) > 0.005}
    assert far == {swe_bench.CONTRADICTED}
    assert totals[swe_bench.CONTRADICTED] == 0.528
