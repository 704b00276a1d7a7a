"""`atlas methods`, `atlas run`: what they list, what they run, and how a wrong name is answered."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from reference_impls import catalog
from scripts.cli import app

RUNNER = CliRunner()


def test_methods_lists_every_method_with_its_papers() -> None:
    done = RUNNER.invoke(app, ["methods"])
    assert done.exit_code == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert set(catalog.methods()) <= set(lines)
    assert "ong2024routellm" in lines["matrix-factorisation-router"]
    assert "before/discrete-utility" in lines["matrix-factorisation-router"]


def test_run_shows_score_calls_and_cost() -> None:
    done = RUNNER.invoke(app, ["run", "majority-vote", "--benchmark", "qa", "--pool", "sprout", "--limit", "2"])
    assert done.exit_code == 0, done.output
    for word in ("score", "95 % interval", "calls", "cost", "queries"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["majorty-vote", "--benchmark", "math"], "majority-vote"),
        (["majority-vote", "--benchmark", "maths"], "math"),
        (["majority-vote", "--benchmark", "math", "--pool", "sprot"], "sprout"),
        (["majority-vote", "--benchmark", "math", "--set", "sample=3"], "samples"),
    ],
)
def test_a_wrong_name_is_answered_by_the_nearest_right_one(arguments: list[str], near: str) -> None:
    done = RUNNER.invoke(app, ["run", *arguments])
    assert done.exit_code == 2
    assert f"'{near}'" in done.output
    assert "Traceback" not in done.output


def test_a_setting_without_a_value_is_refused() -> None:
    done = RUNNER.invoke(app, ["run", "majority-vote", "--benchmark", "math", "--set", "samples"])
    assert done.exit_code == 2
    assert "name=value" in done.output
