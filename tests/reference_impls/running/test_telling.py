"""Telling traces: chosen by what a run measured, kept if the trace bears it out, small, made anew when stale."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running import catalog, telling
from reference_impls.running.runner import run
from reference_impls.running.summary import result_path, write
from reference_impls.running.trace import trace
from tests.reference_impls.recorded.test_benchmark import RIGHT, WRONG, once, recording

TWO = ("9", 0.0)
#: c is the best single model. The vote beats it on q1, loses to it on q2 and q3, and both are right on q0 and q4.
ROWS = [
    once(a=RIGHT, b=RIGHT, c=RIGHT), once(a=RIGHT, b=RIGHT, c=WRONG), once(a=WRONG, b=WRONG, c=RIGHT),
    once(a=TWO, b=TWO, c=RIGHT), once(a=RIGHT, b=TWO, c=RIGHT),
]  # fmt: skip


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of a vote and of the best single model; its ordinary query is q4."""
    place = RecordedBenchmark(recording(ROWS))
    monkeypatch.setattr(telling, "_setup", lambda *_: (place, "c", "q4"))
    for method, label, settings in (("majority-vote",) * 2 + ({},), ("single", "single-c", {"model": "c"})):
        write(run(method, place, settings=settings), result_path(label, "qa", "builtin", tmp_path))
    return tmp_path


def test_three_queries_tell_what_a_method_does(results: Path) -> None:
    found = telling.telling("majority-vote", results)
    ids = {kind: made["query"]["id"] for kind, made in found["traces"].items()}
    assert ids == {"ordinary": "q4", "helps": "q1", "hurts": "q2"}
    assert [found["traces"][kind]["final"]["score"] for kind in ("helps", "hurts")] == [1.0, 0.0]
    assert (found["best"], found["benchmark"], found["pool"]) == ("c", "qa", "builtin")


def test_without_a_run_there_is_the_ordinary_query_alone(results: Path) -> None:
    result_path("majority-vote", "qa", "builtin", results).unlink()
    found = telling.telling("majority-vote", results)["traces"]
    assert found["ordinary"]["query"]["id"] == "q4"
    assert (found["helps"], found["hurts"]) == (None, None)


def test_what_a_trace_does_not_bear_out_is_not_told(results: Path) -> None:
    """The result says that the vote wins on q0 and q3, which it does not."""
    path = result_path("majority-vote", "qa", "builtin", results)
    result = json.loads(path.read_text(encoding="utf-8"))
    theirs = result_path("single-c", "qa", "builtin", results)
    single = json.loads(theirs.read_text(encoding="utf-8"))
    result["items"]["score"] = [1.0, 0.0, 1.0, 1.0, 1.0]
    single["items"]["score"] = [0.0, 1.0, 1.0, 0.0, 1.0]
    write(result, path)
    write(single, theirs)
    found = telling.telling("majority-vote", results)["traces"]
    assert found["helps"]["query"]["id"] == "q1", "said to lose on it; the trace says that it wins"
    assert found["hurts"]["query"]["id"] == "q3"


def test_files_are_made_once_and_anew_when_what_they_rest_on_changes(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a thread: a process would not know this test's set-up."""
    monkeypatch.setattr(telling, "executor", lambda *_: ThreadPoolExecutor(1))
    path, seen = telling.path_of("majority-vote", results), list[str]()
    made = telling.remake(["majority-vote"], results, progress=lambda done, total, _: seen.append(f"{done}/{total}"))
    assert (made, seen) == (([path], []), ["1/1"])
    assert path.stat().st_size < 30_000
    assert json.loads(path.read_text(encoding="utf-8"))["traces"]["helps"]["query"]["id"] == "q1"
    assert telling.remake(["majority-vote"], results) == ([], [])
    path.write_text("{", encoding="utf-8")
    assert telling.remake(["majority-vote"], results) == ([path], []), "a file that cannot be read"
    before = telling.rests_on(catalog.method("majority-vote"), results)
    result_path("single-oak", "qa", "builtin", results).write_text('{"items": {"score": [1.0]}}', encoding="utf-8")
    after = telling.rests_on(catalog.method("majority-vote"), results)
    assert {key for key in before if before[key] != after[key]} == {"scores"}


def test_a_method_that_cannot_run_is_told_and_the_others_are_made(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "executor", lambda *_: ThreadPoolExecutor(1))
    made, [why] = telling.remake(["gac", "majority-vote"], results)
    assert [path.name for path in made] == ["majority-vote.json"]
    assert "gac" in why
    assert "distributions" in why


def test_a_trace_is_cut_to_its_size_and_says_what_went() -> None:
    [whole] = trace("majority-vote", RecordedBenchmark(recording(ROWS)), ["q4"])
    size = len(telling.compact(whole)) - 200
    cut = telling.fitted(whole, size)
    assert len(telling.compact(cut)) <= size + len(telling.compact(cut["omitted"]))
    assert sum(cut["omitted"].values()) == len(whole["events"]) - len(cut["events"]) > 0
    kept: list[Any] = [event for event in whole["events"] if event in cut["events"]]
    assert kept == cut["events"], "in their order"
    assert telling.fitted(whole, 10**6) == whole


def test_every_method_has_a_place() -> None:
    places = {info.category: telling.place_of(info) for info in catalog.methods().values()}
    assert places["before/continuous-utility"] == ("stream", "builtin")
    assert places["during/process-level"] == ("math", "peers")
    assert places["during/token-level"] == ("qa", "peers")
    assert places["after/cascade"] == ("qa", "builtin")


def test_the_ordinary_query_of_a_stream_is_that_of_its_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    from reference_impls.running.setups import MiniBenchmark  # noqa: PLC0415

    monkeypatch.setattr(MiniBenchmark, "accuracies", lambda _: {"a": 0.5, "b": 0.5})
    prompts = set()
    for benchmark in ("qa", "stream"):
        place, best, ordinary = telling._setup.__wrapped__(benchmark, "sprout")
        [item] = [item for item in place.items if item.query.id == ordinary]
        prompts.add(item.query.prompt)
        assert best == "a"
    assert len(prompts) == 1
