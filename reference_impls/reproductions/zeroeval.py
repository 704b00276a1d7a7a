"""ZeroEval's answers of twelve models to GSM8K: published accuracies, votes over several pools, a cascade."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from reference_impls.core.model import Floats
from reference_impls.recorded import Recording, fetch, registry
from reference_impls.reproductions.base import (
    CROSS_FITTED,
    UNPAID,
    Computed,
    Estimate,
    Json,
    Played,
    Row,
    Spec,
    Study,
    Table,
    cross_fitted,
    mean_of,
    queries_tested,
)

#: Models of at most 12 billion parameters with open weights.
OPEN = (
    "gemma-2-2b-it", "Qwen2-7B-Instruct", "Meta-Llama-3-8B-Instruct", "Yi-1.5-9B-Chat", "Meta-Llama-3.1-8B-Instruct",
    "gemma-2-9b-it", "Mistral-Nemo-Instruct-2407",
)  # fmt: skip
#: The cheap services that are recorded here.
CHEAP = ("gpt-4o-mini-2024-07-18", "gemini-1.5-flash", "claude-3-5-haiku-20241022")
#: The three of the highest published accuracy; the best of the whole collection, claude-3-5-sonnet, is not recorded.
DEAR = ("gpt-4o-2024-08-06", "o1-mini-2024-09-12", "claude-3-5-haiku-20241022")
ALL = (*OPEN, *CHEAP, *DEAR[:2])
POOLS = {"seven open models": OPEN, "three cheap services": CHEAP, "three strong services": DEAR, "all twelve": ALL}
#: The two that must agree, and the one that is asked where they do not.
PAIR, THIRD = ("gemma-2-9b-it", "Meta-Llama-3.1-8B-Instruct"), "gpt-4o-2024-08-06"
VOTES = ("majority-vote", "weighted-vote", "dawid-skene")
PLURALITY, AGREEMENT = "plurality, ties averaged", "agreement cascade"


def answers(recording: Recording, models: Sequence[str], queries: Sequence[str]) -> list[list[str | None]]:
    """Final answers, [queries][models]."""
    found = {(r.query_id, r.model): r.answer for r in recording.responses if r.sample == 0}
    return [[found[q, model] for model in models] for q in queries]


def plurality(parts: Sequence[Recording], table: Table) -> Played:
    """The answer that most models give; where several answers are level, the mean of their scores."""
    queries = queries_tested(parts)
    scores = table.of("scores", queries)
    made = []
    for row, right in zip(answers(table.recording, table.models, queries), scores, strict=True):
        votes = Counter(answer for answer in row if answer is not None)
        most = max(votes.values(), default=0)
        level = [answer for answer, count in votes.items() if count == most]
        made.append(np.mean([right[row.index(answer)] for answer in level]) if level else 0.0)
    return _all_called(queries, np.array(made), table)


def agree(parts: Sequence[Recording], table: Table) -> Played:
    """The answer of two models if they agree, else that of a third (the last of the pool)."""
    queries = queries_tested(parts)
    scores = table.of("scores", queries)
    rows = answers(table.recording, table.models, queries)
    asked = np.array([first is None or first != second for first, second, _ in rows])
    called = np.ones((len(queries), 3))
    called[:, 2] = asked
    return Played(
        queries, np.where(asked, scores[:, 2], scores[:, 0]), *_unknown(len(queries)), called.sum(1), called
    )


def _all_called(queries: list[str], scores: Floats, table: Table) -> Played:
    called = np.ones((len(queries), len(table.models)))
    return Played(queries, scores, *_unknown(len(queries)), called.sum(1), called)


def _unknown(n: int) -> tuple[Floats, Floats]:
    """Costs and latencies, of which there are no records."""
    return np.full(n, np.nan), np.full(n, np.nan)


def published_accuracies() -> dict[str, float]:
    """The source's own table of accuracies, by model."""
    source = registry.source("zeroeval-gsm8k")
    [file] = [file for file in source.files if file.path.endswith("gsm.summary.json")]
    path = fetch.place(source, file, fetch.cache_folder())
    table = json.loads(path.read_text(encoding="utf-8"))
    return {row["Model"]: float(row["Acc"]) / 100 for row in table}


def rows(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """Accuracies, votes by pool, the cascade."""
    table = published_accuracies()
    found = [
        Row(
            "accuracy", name, "1319 test questions", mean_of(recording.scores[:, m]), published=table[name],
            published_in="ZeroEval, result_dirs/gsm.summary.json", tolerance=6e-5,
        )
        for m, name in enumerate(recording.models)
    ]  # fmt: skip
    expected = {
        f"{PLURALITY} (seven open models)": 0.9203, "oracle": 0.9689,
        f"{AGREEMENT} (two open models, then gpt-4o)": 0.9568,
    }  # fmt: skip
    # Whether 18 and 18.0 count as one answer moves the vote by a question; here they do.
    tolerances = {f"{PLURALITY} (seven open models)": 1 / 1319}
    for label, run in runs.items():
        if any(label.startswith(name) for name in (PLURALITY, AGREEMENT, "oracle", *VOTES)):
            score = Estimate(run["score"]["mean"], run["score"]["low"], run["score"]["high"])
            setting = ("cross-fitted, " if run["learned"] else "") + f"{len(run['pool'])} models"
            found.append(
                Row("accuracy", label, setting, score, expected=expected.get(label),
                    tolerance=tolerances.get(label, 6e-5) if label in expected else None)
            )  # fmt: skip
    cascade = runs[f"{AGREEMENT} (two open models, then gpt-4o)"]
    found.append(
        Row("share of queries that reach the last model", AGREEMENT, f"{' = '.join(PAIR)}, else {THIRD}",
            Estimate(cascade["called"][THIRD]), expected=0.191, tolerance=5e-4, unit="share")
    )  # fmt: skip
    return found


def _specs() -> tuple[Spec, ...]:
    names = {pool: models for pool, models in POOLS.items() if models != OPEN}
    return (
        Spec(PLURALITY, models=OPEN, note="seven open models"),
        *(
            Spec(name, models=models, note=pool)
            for pool, models in names.items()
            for name in (PLURALITY, *VOTES, "oracle")
        ),
        *(Spec("single", {"model": name}, models=ALL) for name in ALL if name not in OPEN),
        Spec(AGREEMENT, models=(*PAIR, THIRD), note="two open models, then gpt-4o"),
    )


STUDIES = (
    Study(
        "zeroeval-gsm8k",
        CROSS_FITTED,
        cross_fitted,
        rows,
        pool=OPEN,
        specs=_specs(),
        left_out={"cascade-routing": UNPAID, "frugalgpt": UNPAID},
        computed={PLURALITY: Computed(plurality), AGREEMENT: Computed(agree, category="after/cascade")},
    ),
)
