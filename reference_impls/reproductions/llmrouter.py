"""LLMRouter's outcomes of nine models on fourteen tasks, with the source's own train and test queries.

The records hold prices but neither costs nor tokens, so the price of a call stands on the axis of the curves.
"""

from collections.abc import Mapping

import numpy as np

from reference_impls.recorded import Recording
from reference_impls.reproductions.base import (
    UNPAID,
    Estimate,
    Json,
    Row,
    Spec,
    Study,
    Table,
    as_split,
    mean_of,
)

#: Run -> test accuracy computed from the same files by other code (TF-IDF of uni- and bigrams, SVD 256, seed 0).
EXPECTED = {
    "random": 0.3755, "single": 0.5626, "oracle": 0.7434, "task-router": 0.5866, "knn-router (k=5)": 0.5601,
    "knn-router (k=20)": 0.5564, "knn-router (k=50)": 0.5726, "cluster-router (clusters=8, top_k=1)": 0.5746,
    "cluster-router (clusters=16, top_k=1)": 0.5726, "cluster-router (clusters=64, top_k=1)": 0.6126,
    "ridge-router": 0.5722,
}  # fmt: skip
#: These are counted, not learned from embeddings, so nothing may differ.
EXACT = {"random", "single", "oracle", "task-router"}
NAMES = {"random": "mean of the models", "single": "best single model on train", "task-router": "best model per task"}


def bounds(recording: Recording) -> list[Row]:
    """What no router reaches that gives every task one model, and how many test queries need no prediction at all.

    The source's test split repeats train prompts word for word, and lacks some of the tasks of its train split.
    """
    splits = {name: [q for q in recording.queries if q.split == name] for name in ("train", "test")}
    known = {query.prompt for query in splits["train"]}
    repeated = np.array([query.prompt in known for query in splits["test"]])
    scores = Table(recording).of("scores", [query.id for query in splits["test"]])
    tasks = np.array([query.task for query in splits["test"]])
    best, told = np.empty(len(tasks)), scores.max(1)
    for task in np.unique(tasks):
        best[tasks == task] = scores[tasks == task][:, scores[tasks == task].mean(0).argmax()]
    lacking = len({query.task for query in splits["train"]} - set(tasks))
    setting = f"{len(tasks)} test queries of {len(np.unique(tasks))} tasks; {lacking} train tasks are not among them"
    return [
        Row("test queries", "word for word in the train split", setting, Estimate(float(repeated.sum())),
            unit="queries"),
        Row("mean score", "best model of each task, chosen on the test queries themselves", setting, mean_of(best)),
        Row("mean score", "the same, and the oracle where the train split has the prompt", setting,
            mean_of(np.where(repeated, told, best))),
    ]  # fmt: skip


def rows(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """Test scores of the baselines and of the routers, and bounds."""
    found = bounds(recording)
    for label, run in runs.items():
        if run["settings"].get("model"):
            continue
        score, reason = run["score"], None
        if score["runs"]:
            low, high = min(score["runs"]), max(score["runs"])
            reason = f"the expected value is one run of k-means; seeds 0 to 4 give {low:.4f} to {high:.4f} here"
        found.append(
            Row(
                "mean score", NAMES.get(label, label),
                "5608 train, 500 test queries" if run["learned"] else "500 test queries",
                Estimate(score["mean"], score["low"], score["high"], tuple(score["runs"])),
                expected=EXPECTED.get(label), tolerance=6e-5 if label in EXACT else None, reason=reason,
            )
        )  # fmt: skip
    return found


STUDIES = (
    Study(
        "llmrouter",
        "Methods that learn have the source's 5608 train queries and are tested on its 500 test queries.",
        as_split,
        rows,
        plain=lambda recording: recording,
        axis="price",
        specs=(
            *(Spec("knn-router", {"k": k}) for k in ("5", "20", "50")),
            *(Spec("cluster-router", {"clusters": k, "top_k": "1"}, repeats=5) for k in ("8", "16", "64")),
        ),
        left_out={"cascade-routing": UNPAID},
    ),
)
