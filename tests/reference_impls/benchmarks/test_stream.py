"""The stream of mixed tasks: every query of the five benchmarks, none that says where it is from."""

import dataclasses
import logging
from pathlib import Path

import pytest

from reference_impls.benchmarks import ALL, BENCHMARKS, SPLIT_SIZES, sandbox
from reference_impls.benchmarks.stream import Stream
from reference_impls.core import Pool
from reference_impls.running import catalog, responses
from reference_impls.running.setups import MiniBenchmark


@pytest.fixture
def stream() -> Stream:
    return Stream(BENCHMARKS)


@pytest.mark.parametrize("split", SPLIT_SIZES)
def test_each_split_holds_those_of_the_tasks(stream: Stream, split: str) -> None:
    found = [
        (i.level, i.query.prompt, i.query.kind, i.query.max_tokens, i.query.options) for i in stream.items(split)
    ]
    wanted = [
        (name, q.prompt, q.kind, q.max_tokens, q.options)
        for name, task in BENCHMARKS.items()
        for q in (item.query for item in task.items(split))
    ]
    assert sorted(found) == sorted(wanted)
    assert found != wanted, "mixed"
    assert len(found) == stream.sizes[split]
    assert [i.query for i in stream.items(split)] == [i.query for i in Stream(BENCHMARKS).items(split)]
    assert sum(stream.levels.values()) == pytest.approx(1)


def test_no_query_says_which_task_it_is_of(stream: Stream) -> None:
    by_prompt = {i.query.prompt: i.query for task in BENCHMARKS.values() for i in task.items("test")}
    items = stream.items("test")
    for item in items:
        same = by_prompt[item.query.prompt]
        names = [field.name for field in dataclasses.fields(same)]
        differs = {name for name in names if getattr(item.query, name) != getattr(same, name)}
        assert differs == {"id", "task"}
        assert item.query.task == "stream"
        assert item.query.id.startswith("stream/test/")
    # Neither does the place in the queue: no task comes oftener in one half than chance has it.
    first = [item.level for item in items[: len(items) // 2]]
    for task in BENCHMARKS:
        assert 70 <= first.count(task) <= 130


def test_every_item_is_scored_by_its_own_benchmark(stream: Stream) -> None:
    items = [item for item in stream.items("validation")[:60] if item.level != "code"]
    assert {item.level for item in items} == set(BENCHMARKS) - {"code"}
    for item in items:
        task, own = stream.scored_by(item.reference)
        assert task is BENCHMARKS[item.level]
        assert stream.score(item.reference, item.solution) == task.score(own, item.solution) > 0.7
        assert stream.score(item.reference, "") == 0


@pytest.mark.skipif(sandbox.unavailable() is not None, reason=str(sandbox.unavailable()))
def test_a_program_runs_once_for_the_stream_and_its_task(stream: Stream, tmp_path: Path) -> None:
    item = next(i for i in stream.items("validation") if i.level == "code")
    assert responses.Scorer(stream, tmp_path)(item.reference, item.solution) == 1
    _, own = stream.scored_by(item.reference)
    alone = responses.Scorer(BENCHMARKS["code"], tmp_path)
    assert alone._store.get(responses.Store.key(own, item.solution)) == 1


def test_without_a_sandbox_code_is_left_out_with_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sandbox, "unavailable", lambda: "no filter here: the code benchmark is left out")
    stream = Stream(BENCHMARKS)
    with caplog.at_level(logging.WARNING):
        items = stream.items("test") + stream.items("train")
    assert {item.level for item in items} == set(BENCHMARKS) - {"code"}
    said = [record.getMessage() for record in caplog.records]
    assert said == ["atlas: stream: no filter here: the code benchmark is left out"]
    assert stream.sizes["test"] == 4 * SPLIT_SIZES["test"]


def test_only_a_baseline_is_told_the_task() -> None:
    place = MiniBenchmark(ALL["stream"], "sprout", "test", 20)
    levels = [item.level for item in place.items]
    assert len(set(levels)) > 1
    for name, tasks in {"task-router": levels, "knn-router": ["stream"] * 20}.items():
        info = catalog.method(name)
        place.check(info, info.cls(Pool(place.models), info.parameters()))
        assert [item.query.task for item in place.items] == tasks
    assert [name for name, info in catalog.methods().items() if info.cls.told_tasks] == ["task-router"]


def test_the_stream_is_a_benchmark_by_name() -> None:
    assert list(ALL) == ["stream", *BENCHMARKS]
