"""Telling traces: for every method a query on which it beats the best single model, one on which it loses to it, and
an ordinary one, in a small file that the site plays.

The ordinary query is one question for all methods (of step-by-step search, one that is answered in steps), so that
several can be shown at work on it. The others are taken from a run's result, and kept only if the trace bears them
out: a method that draws random numbers draws others where it answers few queries. Where there is none, the trace is
None.

    method, benchmark, pool   of all three
    best                      the best single model, by the mean score on the train split
    traces                    {ordinary, helps, hurts}: each in the form of `trace`, or None
    rests_on                  what a file was made of; one whose is still the same is not made again
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from functools import cache
from pathlib import Path

from reference_impls.core.registry import MethodInfo
from reference_impls.running import catalog
from reference_impls.running.executors import executor
from reference_impls.running.listening import Json
from reference_impls.running.responses import code_hash, pool_hash, stored
from reference_impls.running.runner import source_hash
from reference_impls.running.setups import Setup, setup
from reference_impls.running.summary import RESULTS, result_path, write_whole
from reference_impls.running.trace import trace
from reference_impls.running.wording import Limits

FOLDER = "traces"
#: Questions that about half of the models of either pool answer.
ORDINARY = {"qa": "qa/test/0165", "math": "math/test/0007"}
#: The benchmarks that methods are shown on, by the beginning of their category; the last holds for all others.
#: Routers have something to tell apart where tasks are mixed, searches over lines where responses have several.
BENCHMARKS = (("before/", "stream"), ("during/process-level", "math"), ("", "qa"))
#: How much better or worse than the best single model tells.
CLEAR = 0.5
#: Queries tried for each side.
TRIED = 3
SMALL = Limits(steps=16, formulas=5, calls=24, tokens=16, text=400, row=8)
#: Bytes of one trace in a file.
SIZE = 9_500
MADE_BY = tuple(f"running/{name}.py" for name in ("listening", "telling", "trace", "wording"))


def place_of(info: MethodInfo) -> tuple[str, str]:
    """(benchmark, pool) on which a method is shown; models of equal size where they write one response together."""
    benchmark = next(name for start, name in BENCHMARKS if info.category.startswith(start))
    return benchmark, "peers" if info.category.startswith("during/") else "builtin"


@cache
def _setup(benchmark: str, pool: str) -> tuple[Setup, str, str]:
    """A set-up, the name of its best single model and the id of the ordinary query there; made once a process."""
    place = setup(benchmark, pool=pool)
    held_out = place.accuracies()
    best = max(sorted(held_out), key=lambda name: held_out[name])
    if benchmark in ORDINARY:
        return place, best, ORDINARY[benchmark]
    # A stream holds the queries of other benchmarks under ids of its own.
    prompts = {item.query.id: item.query.prompt for item in catalog.benchmark("qa").items(place.split)}
    same = [item.query.id for item in place.items if item.query.prompt == prompts[ORDINARY["qa"]]]
    return place, best, same[0]


def telling(method: str, results: Path = RESULTS) -> Json:
    """The telling traces of a method in the form above.

    Args:
        method: its name.
        results: folder of the results of runs; without the method's there is the ordinary trace alone.

    Raises:
        UnknownNameError, ValueError: as for `trace`.
    """
    info = catalog.method(method)
    benchmark, pool = place_of(info)
    place, best, ordinary = _setup(benchmark, pool)
    found = _differences(info.name, best, benchmark, pool, results)
    ids = [item.query.id for item in place.items]
    gains = [(ids[i], by) for i, by in enumerate(found) if abs(by) >= CLEAR and ids[i] != ordinary]
    tried = [[name for name, by in gains if (by > 0) == up][:TRIED] for up in (True, False)]
    made = trace(method, place, [ordinary, *tried[0], *tried[1]], limits=SMALL)
    first, rest = made[0], made[1:]
    return {
        "method": info.name,
        "benchmark": benchmark,
        "pool": pool,
        "best": best,
        "traces": {
            "ordinary": fitted(first),
            "helps": next((fitted(t) for t in rest if _gain(t, best) >= CLEAR), None),
            "hurts": next((fitted(t) for t in rest if _gain(t, best) <= -CLEAR), None),
        },
        "rests_on": rests_on(info, results),
    }


def _differences(method: str, best: str, benchmark: str, pool: str, results: Path) -> list[float]:
    """A method's scores less those of the best single model, query by query; empty where either was not run."""
    try:
        ours, theirs = (
            json.loads(result_path(label, benchmark, pool, results).read_text(encoding="utf-8"))["items"]["score"]
            for label in (method, f"single-{best}")
        )
    except FileNotFoundError:
        return []
    return [a - b for a, b in zip(ours, theirs, strict=True)]


def _gain(made: Json, best: str) -> float:
    alone = next(entry["score"] for entry in made["alone"] if entry["model"] == best)
    return float(made["final"]["score"] - alone)


def fitted(made: Json, size: int = SIZE) -> Json:
    """A trace of so many bytes at most: of the kind of events that takes most room the last one goes, again and
    again, and is counted.
    """
    events, omitted = list(made["events"]), Counter[str](made["omitted"])
    lengths = [len(compact(event)) for event in events]
    over = len(compact(made)) - size
    while over > 0 and events:
        room: Counter[str] = Counter()
        for event, length in zip(events, lengths, strict=True):
            room[_kind(event)] += length
        largest = max(room, key=lambda kind: (room[kind], kind))
        last = max(i for i, event in enumerate(events) if _kind(event) == largest)
        over -= lengths.pop(last) + 1
        del events[last]
        omitted[largest] += 1
    return made | {"events": events, "omitted": dict(sorted(omitted.items()))}


def _kind(event: Json) -> str:
    return f"formula {event['name']}" if event["kind"] == "formula" else str(event["kind"])


def compact(value: Json) -> str:
    """As JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def rests_on(info: MethodInfo, results: Path = RESULTS) -> Json:
    """What the traces of a method were made of: its code, that of traces, the models, the scores of the runs."""
    benchmark, pool = place_of(info)
    scores = hashlib.sha256()
    for label in [info.name, *(f"single-{model.name}" for model in catalog.pool(pool))]:
        path = result_path(label, benchmark, pool, results)
        if path.is_file():
            scores.update(repr(json.loads(path.read_text(encoding="utf-8"))["items"]["score"]).encode())
    return {
        "source": source_hash(info),
        "traces": code_hash(MADE_BY)[:12],
        "pool": pool_hash(stored(catalog.pool(pool))),
        "scores": scores.hexdigest()[:12],
    }


def path_of(method: str, results: Path = RESULTS) -> Path:
    """``results/traces/<method>.json``."""
    return results / FOLDER / f"{method}.json"


def remake(
    methods: Sequence[str] = (), results: Path = RESULTS, *, jobs: int = 2,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[list[Path], list[str]]:  # fmt: skip
    """Writes the telling traces of methods, those that are still what they rest on excepted.

    Args:
        methods: names; empty means all but the baselines.
        results: folder of the results; the traces are written into a folder there.
        jobs: processes.
        progress: told (methods done, methods in all, which one).

    Returns:
        the files that were made, and why others could not be: one line each.

    Raises:
        UnknownNameError: a name that does not exist.
        ValueError: a file that cannot be written: one line.
    """
    infos = [catalog.method(name) for name in methods] or [
        info for info in catalog.methods().values() if info.category != "baseline"
    ]
    stale = [info for info in infos if _made_of(path_of(info.name, results)) != rests_on(info, results)]
    # What is done token by token takes longest and goes first.
    stale.sort(key=lambda info: (not info.category.startswith("during"), info.name))
    made, failed = [], []
    with executor("processes", jobs, "") as workers:
        tasks = {workers.submit(_job, info.name, results): info.name for info in stale}
        for done, task in enumerate(as_completed(tasks), 1):
            text, why = task.result()
            if text is None:
                failed.append(why)
            else:
                write_whole(text, path_of(tasks[task], results))
                made.append(path_of(tasks[task], results))
            if progress:
                progress(done, len(tasks), tasks[task])
    return sorted(made), sorted(failed)


def _job(method: str, results: Path) -> tuple[str | None, str]:
    """The text of a method's file, or why there is none."""
    try:
        return compact(telling(method, results)) + "\n", ""
    except ValueError as error:
        return None, str(error)


def _made_of(path: Path) -> Json | None:
    """What a file was made of; None where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return dict(found["rests_on"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
