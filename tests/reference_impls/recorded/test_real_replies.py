"""Methods that ask more than the prompts, on a small recording of a real language model (`make_fixture`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reference_impls.core.replies import read_verdict
from reference_impls.recorded import Recording, files, load
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running import runner

FOLDER = Path(__file__).with_name("smollm2")
METHODS = ("automix", "peer-review", "llm-council", "mixture-of-agents", "quantile-deferral")


@pytest.fixture(scope="module")
def made() -> Recording:
    return load(FOLDER)


def test_the_folder_is_right_and_small(made: Recording) -> None:
    assert files.problems(FOLDER) == ([], made)
    assert set(made.models) == {"sprout", "willow", "smollm2"}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 300_000


@pytest.mark.parametrize("name", METHODS)
def test_they_run_on_recorded_replies(name: str, made: Recording) -> None:
    result = runner.run(name, RecordedBenchmark(made))
    assert result["queries"] == sum(query.split == "test" for query in made.queries)
    assert 0 <= result["score"]["mean"] <= 1
    assert result["usage"]["cost"] > 0, "every reply's bill is known"
    assert result["usage"]["calls"] >= 1
    assert runner.run(name, RecordedBenchmark(made)) == result | {
        "timing": pytest.approx(result["timing"], nan_ok=True)
    }
    if name == "quantile-deferral":
        bare = replace(made, responses=tuple(replace(r, tokens=(), logprobs=()) for r in made.responses))
    else:
        bare = replace(made, calls=())
    with pytest.raises(ValueError, match=rf"^{name} needs .* does not hold that \(.* would\)"):
        runner.run(name, RecordedBenchmark(bare))


def test_what_automix_is_billed_is_what_its_checks_cost(made: Recording) -> None:
    """By hand: the small model's answer and its eight checks, and the large one's answer where it is asked."""
    result = runner.run("automix", RecordedBenchmark(made))
    checks = {call.query_id: call for call in made.calls if call.model == "sprout" and "Right?" in call.prompt}
    assert result["notes"]["replies"] == 8 * len(made.queries), "train and test"
    unread = sum(read_verdict(r.text or "") is None for call in checks.values() for r in call.replies)
    assert result["notes"]["unreadable replies"] == unread
    first = {(r.query_id, r.model): r for r in made.responses if r.sample == 0}
    costs = []
    for query in (q for q in made.queries if q.split == "test"):
        spent = made.cost_of(first[query.id, "sprout"]) or 0.0
        spent += sum(made.bill("sprout", reply) or 0.0 for reply in checks[query.id].replies)
        costs.append((spent, made.cost_of(first[query.id, "smollm2"]) or 0.0))
    small, large = sum(c for c, _ in costs), sum(c for _, c in costs)
    assert small <= result["usage"]["cost"] * len(costs) + 1e-12 <= small + large + 1e-9
    if result["usage"]["models_called"] == 1:
        assert result["usage"]["cost"] * len(costs) == pytest.approx(small)


def test_a_call_that_was_not_recorded_is_told(made: Recording) -> None:
    lacking = replace(made, calls=tuple(call for call in made.calls if "Right?" not in call.prompt))
    with pytest.raises(ValueError, match="automix on recorded:smollm2: no recorded reply of sprout to the prompt"):
        runner.run("automix", RecordedBenchmark(lacking))
