"""The committed results: their form, what they say of published numbers, and a sample recomputed from the mirror.

What needs the public files is skipped by name on a machine without a mirror of them.
"""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reference_impls import reproductions
from reference_impls.recorded import Recording
from reference_impls.recorded.readers import read_source
from reference_impls.recorded.readers.routellm import STRONG, WEAK
from reference_impls.reproductions import llmdrift, llmrouter, play, routellm, zeroeval
from reference_impls.reproductions.base import BASELINES, REFERENCES, Row, Spec, Table
from reference_impls.running import catalog
from tests.reference_impls.recorded.conftest import find_mirror
from tests.tool import app

NAMES = sorted(reproductions.studies())
Read = Callable[[str], Recording]


def committed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((reproductions.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Reads a recording from the mirror, through a cache of the tests' own."""
    mirror = find_mirror()
    if mirror is None:
        pytest.skip("no mirror of the recorded data here: set ATLAS_DATA_MIRROR to a folder that holds it")
    monkeypatch.setenv("ATLAS_DATA_MIRROR", str(mirror))
    monkeypatch.setenv("ATLAS_DATA", str(cache))
    return read_source


@pytest.mark.parametrize("name", NAMES)
def test_rows_agree_or_say_why_not(name: str) -> None:
    rows = committed(name)["rows"]
    assert rows
    for row in rows:
        told = f"{row['quantity']} of {row['method']}: {row['ours']['mean']}"
        compared = row["published"] is not None or row["expected"] is not None
        assert (row["agrees"] is not None) is compared, told
        assert row["agrees"] is not False or row["reason"], told
        if row["agrees"]:
            assert abs(row["difference"]) <= row["tolerance"] + 1e-6, told


def test_what_must_agree_does() -> None:
    """Base points agree to the printed digit and what needs no embedding agrees; no reason explains them away."""
    for name in NAMES:
        for row in committed(name)["rows"]:
            if (
                row["quantity"] in {"accuracy", "mean grade / 10", "mean cost", "mean latency"}
                and row["tolerance"] is not None
            ):
                assert row["agrees"], (name, row)
            if row["method"] in {"random", "oracle", "prompt-length"}:
                assert row["agrees"] is not False, (name, row)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "llmdrift-opinionqa"])
def test_every_method_has_been_run_or_refused(name: str) -> None:
    found = committed(name)
    runs = {run["label"]: run for run in found["runs"]}
    assert len(runs) == len(found["runs"])
    assert {"oracle", "random", "single"} <= set(runs)
    assert "prompt-length" in runs or name == "swe-bench", "of SWE-bench no prompts are recorded"
    told = {run["method"] for run in found["runs"]} | {
        entry["method"].partition(" (")[0] for entry in found["refused"]
    }
    assert set(catalog.methods()) <= told
    for run in runs.values():
        assert 0 <= run["score"]["low"] <= run["score"]["mean"] <= run["score"]["high"] <= 1
        assert (
            run["score"]["mean"] <= max(r["score"]["mean"] for r in runs.values() if r["method"] == "oracle") + 0.02
        )
        assert (run["cost"] is None) == (run["cost_quantiles"] is None)
        for x, y in run["curve"] or []:
            assert x >= 0
            assert 0 <= y <= 1


@pytest.mark.parametrize("name", NAMES)
def test_costs_are_never_zero_where_they_are_unknown(name: str) -> None:
    found = committed(name)
    measured = name.startswith("llmdrift") or name in {"routerarena", "swe-bench"}
    assert all((model["cost"] is not None) is measured for model in found["models"])
    assert all((run["cost"] is not None) is measured for run in found["runs"])
    assert all(run["cost"] is None or run["cost"] > 0 for run in found["runs"])


def test_a_plain_neighbour_search_reaches_the_papers_best_router() -> None:
    found = committed("routellm-mmlu")
    best = max(row["apgr"] for row in found["published"])
    run = next(run for run in found["runs"] if run["label"] == "knn-router")
    assert run["apgr_eleven"]["mean"] >= best == 0.603
    assert [row["label"] for row in found["published"]].count("random") == 1


# --- recomputed -------------------------------------------------------------------------------------------------


def compared(rows: list[Row]) -> int:
    """How many rows have something to be compared with; all of them agree or say why not."""
    for row in rows:
        assert row.agrees is not False or row.reason, row
    return sum(row.agrees is not None for row in rows)


def runs_of(name: str, data: Recording, specs: list[Spec]) -> dict[str, Any]:
    study = reproductions.studies()[name]
    return {spec.label: play.describe(study, spec, data) for spec in specs}


@pytest.mark.parametrize(
    ("name", "benchmark"), [("routellm-mmlu", "MMLU"), ("routellm-gsm8k", "GSM8K"), ("routellm-mt-bench", "MT-Bench")]
)
def test_routellm_base_points_and_random_routers(read: Read, name: str, benchmark: str) -> None:
    data = read(name)
    weak, strong = (data.scores[:, data.models.index(model)] for model in (WEAK, STRONG))
    assert compared(routellm.base_rows(benchmark, data, weak, strong)) == 5


def test_routellm_prompt_length_and_oracle(read: Read) -> None:
    data = read("routellm-gsm8k")
    runs = runs_of("routellm-gsm8k", data, [Spec("prompt-length"), Spec("oracle")])
    assert compared(routellm.gsm8k(data, runs)) == 5 + 6
    kept = next(run for run in committed("routellm-gsm8k")["runs"] if run["label"] == "oracle")
    beside = dict.fromkeys(("gain", "over_coin", "against"))  # these know of the pool's other runs
    assert runs["oracle"] | beside == kept | beside


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("llmdrift-leetcode", ("single", "coin", "oracle", "random", "knn-router", "prompt-length")),
        ("routellm-gsm8k", ("single", "coin", "oracle", "prompt-length", "majority-vote")),
        ("routerarena", ("single", "task-router", "single (model=gemini-2.0-flash-001)")),
        (
            "zeroeval-gsm8k",
            ("single", "single (three cheap services)", "oracle (all twelve)",
             "plurality, ties averaged (three strong services)"),
        ),
        ("swe-bench", ("single", "coin", "oracle")),
    ],
)  # fmt: skip
def test_a_sample_of_runs_of_every_kind_is_recomputed(read: Read, name: str, labels: tuple[str, ...]) -> None:
    """Scores, gains over the baseline of the pool, gains over a coin, and their intervals and p."""
    data, study = read(name), reproductions.studies()[name]
    wanted = {spec.label: spec for spec in reproductions.specs(study, data)}
    kept = {run["label"]: run for run in committed(name)["runs"]}
    for label in labels:
        made = play.describe(study, wanted[label], data)
        for key in ("pool", "split", "seeds", "learned", "queries", "settings", "parameters"):
            assert made[key] == kept[label][key], (label, key)
        for key in ("cost", "calls", "spread"):
            assert made[key] == (kept[label][key] and pytest.approx(kept[label][key], abs=1e-6)), (label, key)
        for key in ("score", "gain", "over_coin"):
            assert (made[key] is None) is (kept[label][key] is None), (label, key)
            for number in ("mean", "low", "high", "runs", *(("p",) if key != "score" else ())):
                if made[key] is not None:
                    near = noise(kept[label][key]) if number in ("low", "high") else 1e-6
                    assert made[key][number] == pytest.approx(kept[label][key][number], abs=near), (label, key)


@pytest.mark.parametrize("name", ["routellm-mt-bench", "zeroeval-gsm8k", "llmdrift-prime", "swe-bench"])
def test_the_preflight_of_every_pool_is_recomputed(read: Read, name: str) -> None:
    data, pools = read(name), committed(name)["pools"]
    for pool in pools:
        assert alike(play.pool_preflight(data, pool["models"]).json(), pool["preflight"]), pool["name"]
    # and so are the numbers that the command prints
    printed = CliRunner().invoke(
        app, ["preflight", f"recorded:{name}", "--json", "--pool", ",".join(pools[-1]["models"])]
    )
    assert printed.exit_code == 0, printed.output
    assert alike(json.loads(printed.stdout), pools[-1]["preflight"])


def noise(interval: dict[str, Any]) -> float:
    """How far the ends of a bootstrap may lie apart: NumPy's releases draw multinomials otherwise (2.5 than 2.4), and
    of 2,000 resamples the ends are that uncertain themselves.
    """
    low, high = interval["low"], interval["high"]
    return 1e-6 if low is None else max(1e-6, (high - low) / 20)


def alike(made: Any, kept: Any, near: float = 1e-6) -> bool:
    """Whether two JSON values are the same, numbers up to rounding, ends of an interval up to its `noise`."""
    if isinstance(made, dict) and isinstance(kept, dict):
        ends = dict.fromkeys(("low", "high"), noise(kept)) if {"low", "high"} <= set(kept) else {}
        return set(made) == set(kept) and all(alike(made[key], kept[key], ends.get(key, near)) for key in made)
    if isinstance(made, list) and isinstance(kept, list):
        return len(made) == len(kept) and all(map(alike, made, kept))
    if isinstance(made, float) and isinstance(kept, float):
        return made == pytest.approx(kept, rel=1e-5, abs=near)
    return bool(made == kept)


def test_knn_on_mmlu_with_1531_labels(read: Read) -> None:
    """One seed, and every fourth of the 12506 test questions."""
    data = read("routellm-mmlu").resplit(train=1531, seed=0)
    kept = [q for q in data.queries if q.split == "train"] + [q for q in data.queries if q.split == "test"][::4]
    small = replace(data, queries=tuple(kept))
    played = play.play(catalog.method("knn-router"), Spec("knn-router"), [small], 0)
    scores = Table(data).of("scores", played.queries)
    assert played.preference is not None
    found = play.pair_metrics(played.preference, scores[:, 0], scores[:, 1])["apgr_eleven"].mean
    assert found is not None
    # 0.607 to 0.633 on all; a quarter of the questions has twice the noise, of 0.01
    assert 0.56 < found < 0.68


def test_zeroeval_accuracies_votes_and_cascade(read: Read) -> None:
    specs = [
        Spec(zeroeval.PLURALITY, models=zeroeval.OPEN, note="seven open models"),
        Spec("oracle", models=zeroeval.OPEN),
        Spec(zeroeval.AGREEMENT, models=(*zeroeval.PAIR, zeroeval.THIRD), note="two open models, then gpt-4o"),
    ]
    data = read("zeroeval-gsm8k")
    rows = zeroeval.rows(data, runs_of("zeroeval-gsm8k", data, specs))
    assert compared(rows) == 12 + 3 + 1
    assert all(row.agrees is not False for row in rows)


def test_llmrouter_baselines(read: Read) -> None:
    data = read("llmrouter")
    specs = [Spec(method) for method in ("oracle", "random", "single", "task-router")]
    rows = llmrouter.rows(data, runs_of("llmrouter", data, specs))
    assert compared(rows) == 4
    assert all(row.agrees is not False for row in rows)  # what bounds routers is held against nothing


@pytest.mark.parametrize(("name", "count"), [("llmdrift-prime", 5), ("llmdrift-happy", 6)])
def test_llmdrift_scores_costs_and_latencies(read: Read, name: str, count: int) -> None:
    rows = llmdrift.rows(read(name), {})
    assert compared(rows) == count
    assert [row.reason for row in rows if row.agrees is False] == ([llmdrift.BRACKETS] if count == 5 else [])


@pytest.mark.parametrize(("name", "count"), [("routerarena", 4), ("gsm8k-solutions", 7)])
def test_the_base_points_of_the_other_sources(read: Read, name: str, count: int) -> None:
    rows = reproductions.studies()[name].rows(read(name), {})
    assert compared(rows) == count
    assert all(row.agrees for row in rows if row.target)


def test_a_recording_is_written_once_and_agrees_with_the_committed_file(read: Read, tmp_path: Path) -> None:
    assert read("routellm-mt-bench").queries
    told: list[str] = []
    # Linux counts what this process has held as held by the ones that it starts: other tests may have loaded PyTorch
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def tell(done: int, total: int, label: str, spent: reproductions.Spent) -> None:
        assert done <= total
        assert spent.peak < max(1000, held + 100)
        told.append(label)

    for _ in range(2):
        [path] = reproductions.reproduce(["routellm-mt-bench"], jobs=1, folder=tmp_path, progress=tell)
    assert told[-1] == "routellm-mt-bench: written"
    assert told.count(told[-1]) == 1, "the second call finds it up to date"
    made, kept = json.loads(path.read_text(encoding="utf-8")), committed("routellm-mt-bench")
    rest = {"source_hash": "", "run_hashes": {}, "runs": [], "rows": []}
    assert {**made, **rest} == {**kept, **rest}
    assert [run["label"] for run in made["runs"]] == [run["label"] for run in kept["runs"]]
    for ours, theirs in zip(made["runs"], kept["runs"], strict=True):
        # another processor may round otherwise, and one question of 72 be routed otherwise
        assert ours["score"]["mean"] == pytest.approx(theirs["score"]["mean"], abs=0.02), ours["label"]
    assert list(tmp_path.iterdir()) == [path]


def test_only_runs_whose_code_changed_are_made_again(read: Read) -> None:
    name = "routellm-mt-bench"
    data, kept = read(name), committed(name)
    planned = reproductions.specs(reproductions.studies()[name], data)
    hashes = {spec.label: reproductions.run_hash(name, spec.method) for spec in planned}
    runs = {run["label"] for run in kept["runs"]}

    def standing(changed: dict[str, str]) -> set[str]:
        earlier = kept | {"run_hashes": hashes | changed}
        return {planned[i].label for i in reproductions.still_standing(planned, data, earlier)}

    assert standing({}) == runs
    looked_at = {spec.label for spec in planned if spec.method in {*BASELINES.values(), *REFERENCES}}
    # the others are held against these query by query, so these are run beside it
    assert standing({"cluster-router": "other"}) == runs - {"cluster-router"} - looked_at
    assert standing({"knn-router": "other"}) == set()  # all are held against this one
    assert reproductions.still_standing(planned, data, {}) == {}
