"""MMLU-Pro's answers of eighteen models in four pools: where votes gain, where routing by subject does, and where
both lose.

The figures held against come from other code on the letters that the source reads (``pred``). Ours are of the common
reader of answers, which finds answers in texts in which the source finds none, most of all those of Gemini 1.5 Pro
and Qwen1.5-7B-Chat; rows of both readings stand beside each other (see `recorded.readers.mmlu_pro`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from reference_impls.core.model import Floats
from reference_impls.recorded import Recording
from reference_impls.recorded.readers.mmlu_pro import GEMINIS, source_scores
from reference_impls.reproductions.base import (
    UNPAID,
    Computed,
    Estimate,
    Json,
    Played,
    Row,
    Spec,
    Study,
    Table,
    fetched,
    mean_of,
    queries_tested,
    random_splits,
)
from reference_impls.reproductions.zeroeval import answers

TRAIN = 3600
"""30 % of the questions."""
SPLITS = random_splits(TRAIN)
PROTOCOL = (
    "Methods that learn have 3600 random questions (30 %) with labels and are tested on the other 8402; three seeds."
    " Votes are tested on 3000 random questions and what compares whole texts on 500, as all would take hours."
)
SAMPLES = {
    **dict.fromkeys(("majority-vote", "weighted-vote", "dawid-skene"), 3000),
    **dict.fromkeys(("minimum-bayes-risk", "pair-ranker", "smoothie-global", "smoothie-local", "agent-forest"), 500),
}
"""How many questions slow methods are tested on. `PLURALITY` is the vote on all."""
PLURALITY = "plurality, ties averaged"
READ = "the common reader finds answers where the source reads none or a letter that stands for something else"
#: Accuracy by the source's letters, computed from the same files by other code.
SINGLES = {
    "gemini-1.5-pro-002": 0.701, "gemini-1.5-flash-002": 0.639, "Meta-Llama-3.1-70B-Instruct": 0.628,
    "Meta-Llama-3-70B": 0.520, "jamba-1.5-large": 0.493, "Qwen1.5-110B": 0.492, "Qwen1.5-72B-Chat": 0.472,
    "Meta-Llama-3.1-8B-Instruct": 0.442, "Yi-34B": 0.421, "mathstral-7B": 0.420, "Mixtral-8x7B-Instruct-v0.1": 0.419,
    "Phi-3-mini-4k-instruct": 0.415, "Mixtral-8x7B-v0.1": 0.399, "c4ai-command-r-v01": 0.366,
    "Meta-Llama-3-8B": 0.342, "gemma-7b": 0.323, "Qwen1.5-7B-Chat": 0.265,
}  # fmt: skip
Range = tuple[float, float]
#: recording -> oracle, then the intervals of plurality, the best model of each subject and kNN over the best single.
EXPECTED: Mapping[str, tuple[float, Range, Range, Range]] = {
    "mmlu-pro-small": (0.762, (0.040, 0.057), (0.013, 0.030), (0.010, 0.027)),
    "mmlu-pro-middle": (0.785, (0.044, 0.061), (-0.007, 0.010), (-0.006, 0.009)),
    "mmlu-pro-large": (0.839, (0.013, 0.028), (0.009, 0.023), (0.001, 0.015)),
}
#: The same for the two Geminis alone.
TWO: tuple[float, Range, Range, Range] = (0.778, (0.0, 0.0), (0.011, 0.021), (-0.011, -0.001))
NOTE = "two Geminis"


def plurality(parts: Sequence[Recording], table: Table) -> Played:
    """The letter that most models give; where several are level, the mean of their scores."""
    queries = queries_tested(parts)
    scores = table.of("scores", queries)
    made = np.zeros(len(queries))
    for i, row in enumerate(answers(table.recording, table.models, queries)):
        votes = Counter(letter for letter in row if letter is not None)
        most = max(votes.values(), default=0)
        level = [letter for letter, count in votes.items() if count == most]
        # A letter's score is that of its voters: a few questions have two keys among the files.
        made[i] = np.mean([scores[i, [v == letter for v in row]].mean() for letter in level]) if level else 0.0
    unknown = np.full(len(queries), np.nan)
    called = np.ones((len(queries), len(table.models)))
    return Played(queries, made, unknown, unknown, called.sum(1), called)


def by_source(recording: Recording) -> Floats:
    """Scores by the letters that the source reads, [queries, models]."""
    return _by_source(recording.name, recording.models, tuple(query.id for query in recording.queries))


@lru_cache(maxsize=1)
def _by_source(name: str, models: tuple[str, ...], queries: tuple[str, ...]) -> Floats:
    return source_scores(fetched(Recording(name, (), (), {})), models, queries)


def subject_gain(recording: Recording, scores: Floats) -> Floats:
    """The best model of each subject over the best of all, both chosen on the first split's train questions, by other
    scores than the recording's, [queries tested].
    """
    [[part]] = random_splits(TRAIN, seeds=(0,))(recording)
    train = np.array([query.split == "train" for query in part.queries])
    subjects = np.array([query.task for query in part.queries])
    best = np.full(len(train), scores[train].mean(0).argmax())
    chosen = best.copy()
    for subject in np.unique(subjects):
        chosen[subjects == subject] = scores[train & (subjects == subject)].mean(0).argmax()
    rows = np.arange(len(train))
    return np.asarray((scores[rows, chosen] - scores[rows, best])[~train])


def rows(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """Singles by both readings, the oracle, and what votes, subjects and neighbours gain."""
    theirs, n = by_source(recording), f"{len(recording.queries)} questions"
    found = []
    for m, name in enumerate(recording.models):
        expected = SINGLES.get(name)
        found += [
            Row("accuracy by the source's letters", name, n, mean_of(theirs[:, m]), expected=expected),
            Row("accuracy by the common reader", name, n, mean_of(recording.scores[:, m]), expected=expected,
                reason=READ),
        ]  # fmt: skip
    if recording.name in EXPECTED:
        found += _pool(recording, runs, theirs, EXPECTED[recording.name], "")
    else:
        columns = [recording.models.index(name) for name in GEMINIS]
        found += _pool(recording.only(GEMINIS), runs, theirs[:, columns], TWO, f" ({NOTE})")
        gain = runs[PLURALITY]["gain"]
        found.append(
            Row("gain over the best single model", PLURALITY, f"{len(recording.models)} models; no gain is expected",
                Estimate(gain["mean"], gain["low"], gain["high"]), expected=(-0.2, 0.0))
        )  # fmt: skip
    return found


def _pool(
    recording: Recording,
    runs: Mapping[str, Json],
    theirs: Floats,
    expected: tuple[float, Range, Range, Range],
    note: str,
) -> list[Row]:
    """The figures of one pool, with the note that its runs have."""
    oracle, vote, subject, neighbours = expected
    setting = f"{len(recording.models)} models"
    found = [
        Row("oracle by the source's letters", "oracle", setting, mean_of(theirs.max(1)), expected=oracle),
        Row("score", f"oracle{note}", setting, mean_of(recording.scores.max(1)), expected=oracle, reason=READ),
        Row(
            "gain over the best single model by the source's letters", "best model of each subject", setting,
            mean_of(subject_gain(recording, theirs)), expected=subject,
        ),
    ]  # fmt: skip
    ties = "ties between letters count as their mean here; " + READ
    for label, interval, reason in (
        (PLURALITY, vote, ties), ("task-router", subject, READ), ("knn-router", neighbours, READ),
    ):  # fmt: skip
        run = runs.get(f"{label}{note}")
        if run:
            gain = run["gain"]
            found.append(
                Row("gain over the best single model", f"{label}{note}", setting,
                    Estimate(gain["mean"], gain["low"], gain["high"], tuple(gain["runs"])), expected=interval,
                    reason=reason)
            )  # fmt: skip
    return found


def _study(name: str, pool: str, specs: Sequence[Spec] = ()) -> Study:
    return Study(
        name,
        PROTOCOL,
        SPLITS,
        rows,
        name=pool,
        specs=(Spec(PLURALITY), *specs),
        left_out={"cascade-routing": UNPAID, "frugalgpt": UNPAID},
        samples=SAMPLES,
        judges=lambda recording: {"the source's letters": by_source(recording)},
        computed={PLURALITY: Computed(plurality)},
    )


STUDIES = (
    _study("mmlu-pro-small", "seven small models"),
    _study("mmlu-pro-middle", "seven middle models"),
    _study("mmlu-pro-large", "six large models"),
    _study(
        "mmlu-pro-all",
        "all eighteen models",
        [Spec(method, models=GEMINIS, note=NOTE) for method in (PLURALITY, "knn-router")],
    ),
)
