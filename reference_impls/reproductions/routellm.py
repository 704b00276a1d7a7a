"""RouteLLM's records of GPT-4 and Mixtral-8x7B: routers trained on part of the benchmark beside the paper's rows.

The scores of the paper's own routers were not published, so their rows stand beside ours and cannot be run again. Its
MMLU routers learned from arena votes and the labels of MMLU's validation split; ours learn from about as many labels
of random test questions alone, and are tested on all others.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.embedding import LatentEmbedder
from reference_impls.core.learn import Logistic, kmeans, squared_distances
from reference_impls.core.model import Floats
from reference_impls.measuring import metrics
from reference_impls.recorded import Recording
from reference_impls.recorded.readers.routellm import STRONG, WEAK, mt_bench_turns
from reference_impls.reproductions.base import (
    CROSS_FITTED,
    UNPAID,
    Estimate,
    Json,
    Row,
    Spec,
    Study,
    cross_fitted,
    fetched,
    mean_of,
    number,
    over,
    random_splits,
)
from reference_impls.reproductions.play import pair_metrics

Rows = NDArray[np.bool_]
Triples = dict[str, Estimate]
#: CPT(50 %), CPT(80 %), APGR.
Triple = tuple[float, float, float]
NAMES = (("cpt50", "CPT(50 %)", "share"), ("cpt80", "CPT(80 %)", "share"), ("apgr_eleven", "APGR", "APGR"))
PAPER = "ong2024routellm (arXiv v4)"
#: The paper's rows by benchmark: random, then its routers.
RANDOM: Mapping[str, Triple] = {
    "MMLU": (0.5007, 0.7993, 0.500), "GSM8K": (0.5000, 0.8008, 0.497), "MT-Bench": (0.4903, 0.7808, 0.500),
}  # fmt: skip
ROUTERS: Mapping[str, Mapping[str, Triple]] = {
    "MMLU": {
        "BERT, arena": (0.4943, 0.7780, 0.502),
        "causal LLM, arena": (0.4888, 0.7793, 0.499),
        "matrix factorisation, arena": (0.4500, 0.7686, 0.524),
        "similarity-weighted, arena": (0.5582, 0.8025, 0.473),
        "BERT, arena and gold": (0.4130, 0.7220, 0.572),
        "causal LLM, arena and gold": (0.3549, 0.7031, 0.600),
        "matrix factorisation, arena and gold": (0.3546, 0.7140, 0.597),
        "similarity-weighted, arena and gold": (0.3540, 0.7155, 0.603),
    },
    "GSM8K": {
        "BERT, arena": (0.5878, 0.8384, 0.438),
        "causal LLM, arena": (0.5609, 0.8356, 0.461),
        "matrix factorisation, arena": (0.5359, 0.8524, 0.4746),
        "similarity-weighted, arena": (0.5443, 0.8211, 0.4753),
        "BERT, arena and judge": (0.4476, 0.7909, 0.531),
        "causal LLM, arena and judge": (0.3364, 0.6326, 0.622),
        "matrix factorisation, arena and judge": (0.3882, 0.7262, 0.565),
        "similarity-weighted, arena and judge": (0.4121, 0.7220, 0.568),
    },
    "MT-Bench": {
        "BERT, arena": (0.7809, 0.8764, 0.391),
        "causal LLM, arena": (0.2882, 0.7753, 0.573),
        "matrix factorisation, arena": (0.2532, 0.7426, 0.580),
        "similarity-weighted, arena": (0.3785, 0.5899, 0.610),
        "BERT, arena and judge": (0.1958, 0.3402, 0.751),
        "causal LLM, arena and judge": (0.3150, 0.4875, 0.679),
        "matrix factorisation, arena and judge": (0.1340, 0.3131, 0.802),
        "similarity-weighted, arena and judge": (0.2321, 0.3604, 0.759),
    },
}
#: What the paper's best training data give the two routers that are in the repository.
AUGMENTED = {"MMLU": "arena and gold", "GSM8K": "arena and judge", "MT-Bench": "arena and judge"}
TRAINED = (
    "the paper's router learned from human votes of the arena and from further labels, on text-embedding-3-small;"
    " this one from {n} labels of the benchmark alone, on TF-IDF"
)
DRAWS = 200


def published(benchmark: str, recording: Recording) -> list[Json]:
    """The paper's rows, with their points: at CPT(50 %) half of the gap is recovered, at CPT(80 %) four fifths."""
    weak, strong = (float(recording.scores[:, recording.models.index(name)].mean()) for name in (WEAK, STRONG))
    rows: Mapping[str, Triple] = {"random": RANDOM[benchmark], **ROUTERS[benchmark]}
    return [
        {
            "label": label, "source": f"{PAPER}, {benchmark}", "cpt50": half, "cpt80": most, "apgr": area,
            "points": [[x, number(weak + part * (strong - weak))] for x, part in ((half, 0.5), (most, 0.8))],
        }
        for label, (half, most, area) in rows.items()
    ]  # fmt: skip


def random_draws(weak: Floats, strong: Floats) -> dict[str, Estimate]:
    """Mean and central 95 % of `DRAWS` random orders of the queries, read at eleven equal shares."""
    rng = np.random.default_rng(0)
    curves = [
        metrics.equal_shares(metrics.threshold_curve(rng.random(len(weak)), weak, strong)) for _ in range(DRAWS)
    ]
    values: dict[str, list[float | None]] = {
        "cpt50": [metrics.cpt(curve, 0.5) for curve in curves],
        "cpt80": [metrics.cpt(curve, 0.8) for curve in curves],
        "apgr_eleven": [metrics.apgr(curve) for curve in curves],
    }
    made = {}
    for name, found in values.items():
        known = np.array([value for value in found if value is not None])
        low, high = np.quantile(known, [0.025, 0.975])
        made[name] = Estimate(float(known.mean()), float(low), float(high))
    return made


def triple(
    method: str, setting: str, ours: Mapping[str, Any], *, expected: Sequence[Any] = (None, None, None),
    paper: Triple | None = None, where: str | None = None, tolerances: Sequence[float | None] = (None, None, None),
    reason: str | None = None,
) -> list[Row]:  # fmt: skip
    """Rows of CPT(50 %), CPT(80 %) and APGR."""
    return [
        Row(
            quantity, method, setting, estimate_of(ours[key]), paper[i] if paper else None, where, expected[i],
            tolerances[i], reason, unit,
        )
        for i, (key, quantity, unit) in enumerate(NAMES)
    ]  # fmt: skip


def estimate_of(value: Estimate | Json) -> Estimate:
    """An estimate, also from its form in the file."""
    if isinstance(value, Estimate):
        return value
    return Estimate(value["mean"], value["low"], value["high"], tuple(value["runs"]))


def base_rows(benchmark: str, recording: Recording, weak: Floats, strong: Floats) -> list[Row]:
    """Both models' means, and random routers beside the paper's."""
    expected = {"MMLU": (68.09, 80.59), "GSM8K": (63.73, 85.77), "MT-Bench": (82.81, 92.12)}[benchmark]
    quantity = "mean grade / 10" if benchmark == "MT-Bench" else "accuracy"
    n = len(recording.queries)
    rows = [
        Row(
            quantity,
            name,
            f"{n} queries, contaminated ones dropped",
            mean_of(scores),
            expected=e / 100,
            tolerance=6e-5,
        )
        for name, scores, e in ((WEAK, weak, expected[0]), (STRONG, strong, expected[1]))
    ]
    return rows + triple(
        "random", f"{DRAWS} random orders of all {n}", random_draws(weak, strong), paper=RANDOM[benchmark],
        where=f"{PAPER}, {benchmark}",
    )  # fmt: skip


def trained_rows(benchmark: str, labels: int, runs: Mapping[str, Json]) -> list[Row]:
    """The paper's two routers that are in the repository, trained in the domain, beside its rows."""
    names = {
        "matrix-factorisation-router": "matrix factorisation", "similarity-weighted-router": "similarity-weighted",
    }  # fmt: skip
    found: list[Row] = []
    for method, name in names.items():
        if method in runs and runs[method]["apgr_eleven"]:
            found += triple(
                method, f"{labels} labels; seeds 0 to 2", runs[method],
                paper=ROUTERS[benchmark][f"{name}, {AUGMENTED[benchmark]}"],
                where=f"{PAPER}, {benchmark}, {AUGMENTED[benchmark]}", reason=TRAINED.format(n=labels),
            )  # fmt: skip
    return found


def other_rows(labels: int, runs: Mapping[str, Json], expected: Mapping[str, Sequence[Any]]) -> list[Row]:
    """All other routers between the two models."""
    done = {"random", "oracle", "prompt-length", "matrix-factorisation-router", "similarity-weighted-router"}
    found: list[Row] = []
    for label, run in runs.items():
        if label not in done and run["apgr_eleven"]:
            found += triple(
                label, f"{labels} labels; seeds 0 to 2", run, expected=expected.get(label, (None, None, None))
            )
    return found


def counted(values: NDArray[np.bool_]) -> Estimate:
    """A number of queries."""
    return Estimate(float(values.sum()))


def mmlu(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """MMLU: base points, baselines, routers."""
    weak, strong = (recording.scores[:, recording.models.index(name)] for name in (WEAK, STRONG))
    cells = (
        ("both models wrong", (weak == 0) & (strong == 0), 1983), ("only the weak one right", weak > strong, 742),
        ("only the strong one right", weak < strong, 2496), ("both models right", (weak == 1) & (strong == 1), 8816),
    )  # fmt: skip
    found = base_rows("MMLU", recording, weak, strong)
    found += [
        Row(what, f"{WEAK}, {STRONG}", "", counted(which), expected=float(n), tolerance=0.0, unit="queries")
        for what, which, n in cells
    ]
    subjects = np.array([query.task for query in recording.queries])
    gain = np.zeros(len(subjects))
    for subject in np.unique(subjects):
        gain[subjects == subject] = (strong - weak)[subjects == subject].mean()
    # The expected values are printed with one digit less than the difference that another order of ties makes.
    exact = (6e-4, 6e-4, 6e-4)
    found += triple(
        "prompt-length", "all queries", runs["prompt-length"], expected=(0.367, 0.694, 0.583), tolerances=exact
    )
    found += triple("oracle", "all queries", runs["oracle"], expected=(0.062, 0.100, 1.268), tolerances=exact)
    found += triple(
        "mean gain of the subject", "all labels", pair_metrics(gain, weak, strong), expected=(0.251, 0.528, 0.703),
        tolerances=(3e-3, 3e-3, 3e-3),  # the order of the queries of one subject moves them by as much
    )  # fmt: skip
    found += triple(
        "mean gain of the nearest of 57 clusters", "1531 labels; seeds 0 to 2", simple_router(by_clusters, recording),
        expected=(None, None, (0.594, 0.613)),
    )  # fmt: skip
    found += triple(
        "logistic regression: is the weak model wrong?", "1531 labels; seeds 0 to 2",
        simple_router(by_weak_model, recording), expected=(None, None, (0.581, 0.586)),
    )  # fmt: skip
    found += trained_rows("MMLU", 1531, runs)
    expected = {
        "knn-router (k=50)": ((0.31, 0.35), (0.66, 0.69), (0.607, 0.633)),
        "ridge-router": (None, None, (0.601, 0.626)),
    }
    return found + other_rows(1531, runs, expected)


def by_clusters(x: Floats, train: Rows, weak: Floats, strong: Floats, seed: int) -> Floats:
    """Mean gain of the strong model in the nearest of 57 clusters (as many as MMLU has subjects), [queries]."""
    centres, labels = kmeans(x[train], 57, np.random.default_rng(seed))
    gain = (strong - weak)[train]
    means: Floats = np.array(
        [gain[labels == c].mean() if np.any(labels == c) else gain.mean() for c in range(len(centres))]
    )
    nearest = squared_distances(x, centres).argmin(1)
    return np.asarray(means[nearest])


def by_weak_model(x: Floats, train: Rows, weak: Floats, strong: Floats, seed: int) -> Floats:  # noqa: ARG001
    """Probability that the weak model is wrong, however good the strong one is, [queries]."""
    return 1 - Logistic(1.0).fit(x[train], weak[train]).predict(x)


def simple_router(preference: Callable[[Floats, Rows, Floats, Floats, int], Floats], recording: Recording) -> Triples:
    """A router that is no method of the repository, on the same splits."""
    made = []
    for seed, [part] in enumerate(random_splits(1531)(recording)):
        train = np.array([query.split == "train" for query in part.queries])
        embedder = LatentEmbedder(256).fit([query.prompt for query in part.queries if query.split == "train"])
        x = embedder.transform([query.prompt for query in part.queries]).astype(np.float64)
        weak, strong = (part.scores[:, part.models.index(name)] for name in (WEAK, STRONG))
        made.append(pair_metrics(preference(x, train, weak, strong, seed)[~train], weak[~train], strong[~train]))
    return {name: over([m[name] for m in made]) for name in made[0]}


def gsm8k(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """GSM8K: base points, baselines, routers."""
    weak, strong = (recording.scores[:, recording.models.index(name)] for name in (WEAK, STRONG))
    found = base_rows("GSM8K", recording, weak, strong)
    # Another order of prompts of one length moves these by a thousandth, as the set is small.
    near = (1.6e-3, 1.6e-3, 1.6e-3)
    found += triple(
        "prompt-length", "all queries", runs["prompt-length"], expected=(0.370, 0.664, 0.597), tolerances=near
    )
    found += triple("oracle", "all queries", runs["oracle"], expected=(0.110, 0.176, 1.115), tolerances=(6e-4,) * 3)
    answers = {(r.query_id, r.model): r.answer for r in recording.responses}
    same = np.array([answers[q.id, WEAK] == answers[q.id, STRONG] is not None for q in recording.queries])
    for label, better, worse in ((WEAK, weak, strong), (STRONG, strong, weak)):
        found.append(
            Row(
                "equal answers, right of one model only", label, "graded by the records, which want 20, not $20.00",
                counted(same & (better > worse)), unit="queries",
            )
        )  # fmt: skip
    return found + trained_rows("GSM8K", 307, runs) + other_rows(307, runs, {})


def mt_bench(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """MT-Bench: base points and random routers; 36 labels are too few to compare what learns from them."""
    weak, strong = (recording.scores[:, recording.models.index(name)] for name in (WEAK, STRONG))
    found = base_rows("MT-Bench", recording, weak, strong)
    for name in ("prompt-length", "oracle"):
        found += triple(name, "all queries", runs[name])
    return found


def turns(recording: Recording) -> Mapping[str, Floats]:
    """MT-Bench has one judge, GPT-4, with a grade for each of two turns."""
    return mt_bench_turns(fetched(recording), recording.models, [query.id for query in recording.queries])


def _study(name: str, benchmark: str, protocol: str, **others: Any) -> Study:
    return Study(
        name, protocol, axis="share", published=partial(published, benchmark),
        left_out={"cascade-routing": UNPAID, "frugalgpt": UNPAID}, **others,
    )  # fmt: skip


STUDIES = (
    _study(
        "routellm-mmlu", "MMLU",
        "Methods that learn have 1531 random questions with labels and are tested on the others; three seeds.",
        learned=random_splits(1531), rows=mmlu, specs=(Spec("knn-router", {"k": "50"}),),
    ),
    _study(
        "routellm-gsm8k", "GSM8K",
        "Methods that learn have 307 random questions with labels and are tested on the other 1000; three seeds.",
        learned=random_splits(307), rows=gsm8k,
    ),
    _study(
        "routellm-mt-bench", "MT-Bench",
        CROSS_FITTED,
        learned=cross_fitted, rows=mt_bench, judges=turns,
    ),
)  # fmt: skip
