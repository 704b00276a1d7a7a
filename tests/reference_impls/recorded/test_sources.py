"""The public files themselves, from the mirror: checksums, and the numbers that authors or a count by hand give.

Skipped by name on a machine without the mirror.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from reference_impls.recorded import Recording, fetch, registry
from reference_impls.recorded.readers import read_source

ROOT = Path(__file__).resolve().parents[3]
Read = Callable[[str], Recording]


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def read(mirror: Path, shared_cache: Path) -> Read:
    assert mirror.is_dir()
    return lambda name: read_source(name, cache=shared_cache)


def percent(recording: Recording) -> dict[str, float]:
    """Mean score of each model in percent, to two digits."""
    means = np.nanmean(recording.scores, axis=0)
    return {model: round(100 * float(mean), 2) for model, mean in zip(recording.models, means, strict=True)}


def test_the_registry_is_well_formed() -> None:
    seen = set()
    for source in registry.sources().values():
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", source.repository)
        assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
        assert source.licence in {"Apache-2.0", "MIT", "CC-BY-NC-4.0"}
        assert source.citation
        assert source.holds
        for file in source.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.bytes > 0
            assert file.path not in seen
            seen.add(file.path)
        for recording in source.recordings:
            assert source.files_of(recording)
        used = {file for recording in source.recordings for file in source.files_of(recording)}
        assert used == set(source.files), "no file is fetched that nobody reads"


def test_papers_of_the_registry_are_in_the_list() -> None:
    keys = {path.stem for path in (ROOT / "papers").rglob("*.yml")}
    named = {source.paper for source in registry.sources().values() if source.paper}
    assert named
    assert named <= keys


def test_the_registry_has_no_key_but_the_known_ones() -> None:
    raw = yaml.safe_load(registry.REGISTRY.read_text(encoding="utf-8"))
    known = {"repository", "commit", "licence", "citation", "paper", "holds", "recordings", "files"}
    assert all(set(entry) <= known for entry in raw.values())


def test_every_checksum_of_the_registry_is_that_of_the_mirror(mirror: Path) -> None:
    for source in registry.sources().values():
        for file in source.files:
            assert fetch.is_good(mirror / source.folder / file.path, file), file.path


def test_routellm_base_points(read: Read) -> None:
    mmlu, gsm8k, bench = (read(f"routellm-{name}") for name in ("mmlu", "gsm8k", "mt-bench"))
    assert len(mmlu.queries) == 14037
    assert list(percent(mmlu).values()) == [68.09, 80.59]
    both, weak_only, strong_only, neither = (
        int(((mmlu.scores[:, 0] == weak) & (mmlu.scores[:, 1] == strong)).sum())
        for weak, strong in ((1, 1), (1, 0), (0, 1), (0, 0))
    )
    assert (neither, weak_only, strong_only, both) == (1983, 742, 2496, 8816)
    assert len(gsm8k.queries) == 1307
    assert list(percent(gsm8k).values()) == [63.73, 85.77]
    assert len(bench.queries) == 72
    assert [round(10 * float(mean), 3) for mean in bench.scores.mean(axis=0)] == [8.281, 9.212]


def test_zeroeval_accuracy_is_the_published_one_of_every_model(read: Read, mirror: Path) -> None:
    recording = read("zeroeval-gsm8k")
    source = registry.source("zeroeval")
    summary = json.loads((mirror / source.folder / "result_dirs/gsm.summary.json").read_text(encoding="utf-8"))
    published = {row["Model"]: float(row["Acc"]) for row in summary if row["Model"] in recording.models}
    assert len(published) == 12
    assert percent(recording) == published


def test_llmdrift_scores_costs_and_seconds(read: Read) -> None:
    prime, happy = percent(read("llmdrift-prime")), read("llmdrift-happy")
    assert (prime["gpt-4-0314"], prime["gpt-4-0613"]) == (84.0, 50.2)
    assert percent(happy) == {
        "gpt-3.5-turbo-0301": 30.6, "gpt-3.5-turbo-0613": 48.2, "gpt-4-0314": 83.6, "gpt-4-0613": 35.2,
    }  # fmt: skip
    march = happy.models.index("gpt-4-0314")
    assert happy.latencies[:, march].mean() == pytest.approx(59.4, abs=0.05)
    assert happy.costs[:, march].mean() == pytest.approx(0.0812, abs=5e-5)
    assert percent(read("llmdrift-leetcode"))["gpt-4-0314"] == 52.0
    opinions = read("llmdrift-opinionqa")
    assert np.isnan(opinions.scores).all()
    assert len(opinions.queries) == 1506


def test_llmrouter_numbers_of_a_count_by_hand(read: Read) -> None:
    """The tasks are inferred: the best model of each task on train gives the accuracy that their names give."""
    recording = read("llmrouter")
    train, test = (np.array([q.split == split for q in recording.queries]) for split in ("train", "test"))
    assert (train.sum(), test.sum(), len(recording.models)) == (5608, 500, 9)
    scores = recording.scores
    assert 100 * scores[test].mean() == pytest.approx(37.55, abs=0.005)
    assert 100 * scores[test, scores[train].mean(axis=0).argmax()].mean() == pytest.approx(56.26, abs=0.005)
    assert 100 * scores[test].max(axis=1).mean() == pytest.approx(74.34, abs=0.005)
    task = np.array([query.task for query in recording.queries])
    best = {name: scores[train & (task == name)].mean(axis=0).argmax() for name in set(task)}
    assert len(best) == 14
    assert 100 * np.mean([scores[i, best[task[i]]] for i in np.flatnonzero(test)]) == pytest.approx(58.66, abs=0.005)
    soft = {task[i] for i in np.flatnonzero(((scores != 0) & (scores != 1)).any(axis=1))}
    assert soft == {"agentverse-commongen"}, "only one task is scored in between"
    assert set(recording.prices) == set(recording.models)


def test_routerarena_cheap_model_dominates(read: Read) -> None:
    recording = read("routerarena")
    assert percent(recording) == {"claude-3-haiku-20240307": 52.34, "gemini-2.0-flash-001": 69.01}
    np.testing.assert_allclose(recording.costs.mean(axis=0), [1.76e-4, 4.75e-5], rtol=0.002)
    for response in recording.responses:  # the recorded cost is price times tokens
        price = recording.prices[response.model]
        assert response.prompt_tokens is not None
        assert response.completion_tokens is not None
        assert response.cost == pytest.approx(price.of(response.prompt_tokens, response.completion_tokens))


def test_gsm8k_solutions_accuracy_and_answers(read: Read) -> None:
    recording = read("gsm8k-solutions")
    assert list(percent(recording).values()) == [21.68, 39.04, 34.72, 56.25]
    references = {query.id: query.reference for query in recording.queries}
    assert all((r.answer == references[r.query_id]) == (r.score == 1) for r in recording.responses)


@pytest.mark.parametrize("name", ["routellm-mmlu", "zeroeval-gsm8k", "llmrouter"])
def test_a_recording_needs_little_memory(mirror: Path, shared_cache: Path, tmp_path: Path, name: str) -> None:
    """The three largest: read, written and read again within 300 MB, Python and NumPy included."""
    code = (
        "import re, sys; from pathlib import Path;"
        "from reference_impls.recorded import load, save; from reference_impls.recorded.readers import read_source;"
        "made = read_source(sys.argv[1], cache=Path(sys.argv[2])); save(made, Path(sys.argv[3]));"
        "assert load(Path(sys.argv[3])) == made;"
        # not getrusage: that starts with the size of the process that was forked, here all of pytest
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name, str(shared_cache), str(tmp_path / name)],
        capture_output=True, text=True, check=True, env={**os.environ, "ATLAS_DATA_MIRROR": str(mirror)},
    )  # fmt: skip
    assert int(done.stdout) < 300 * 1024
