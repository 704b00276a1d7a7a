"""LLMDrift: GPT-3.5 and GPT-4 of March and June 2023, the only public records with measured cost and latency.

AutoMix asks the small model to check its own answer, which no recording holds. What is here in its place is another
sign of the same kind: whether the two versions of GPT-3.5 give the same answer. AutoMix's policies over bins of that
sign choose when GPT-4 is asked, and both versions of GPT-3.5 are paid.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from reference_impls.after_inference.automix import POLICIES, benefit
from reference_impls.core.model import Floats
from reference_impls.recorded import Recording
from reference_impls.recorded.readers.llmdrift import leetcode_unfenced
from reference_impls.reproductions.base import (
    CROSS_FITTED,
    Computed,
    Estimate,
    Json,
    Played,
    Row,
    Spec,
    Study,
    Table,
    cross_fitted,
    fetched,
    mean_of,
)

SMALL, CHECK = "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"
MARCH, JUNE = "gpt-4-0314", "gpt-4-0613"
PAPER = "Chen, Zaharia and Zou (arXiv 2307.09009)"
#: (recording, model) -> mean score, computed from the same file by other code.
SCORES = {
    ("llmdrift-prime", MARCH): 0.840, ("llmdrift-prime", JUNE): 0.502, ("llmdrift-happy", MARCH): 0.836,
    ("llmdrift-happy", JUNE): 0.352, ("llmdrift-happy", SMALL): 0.306, ("llmdrift-happy", CHECK): 0.482,
}  # fmt: skip
#: (recording, model) -> quantity, unit, value, tolerance (half of the last digit).
MEASURED = {
    ("llmdrift-prime", MARCH): [("latencies", "s", 8.0, 0.05)],
    ("llmdrift-happy", MARCH): [("latencies", "s", 59.4, 0.05), ("costs", "USD", 0.0812, 5e-5)],
}
BRACKETS = "here an answer is the last [Yes] or [No] in brackets; with the last bare yes or no it is 0.511"


def agreement(part: Recording, queries: Sequence[str]) -> Floats:
    """1 where both versions of GPT-3.5 give the same answer (none is no answer), else 0, [queries]."""
    answers = {(r.query_id, r.model): r.answer for r in part.responses if r.sample == 0}
    pairs = [(answers[q, SMALL], answers[q, CHECK]) for q in queries]
    return np.array([float(a is not None and a == b) for a, b in pairs])


def check_by_agreement(parts: Sequence[Recording], table: Table) -> Played:
    """AutoMix's policy of largest benefit per cost, with the agreement of two small models as the check."""
    made = []
    small, check, large = (table.models.index(name) for name in (SMALL, CHECK, MARCH))
    for part in parts:
        train, test = ([q.id for q in part.queries if q.split == split] for split in ("train", "test"))
        bins = agreement(part, train).astype(np.int64)
        scores, costs = (
            table.of("scores", train)[:, [small, large]],
            table.of("costs", train)[:, [small, check, large]],
        )
        policies = {policy for make in POLICIES.values() for policy in make(bins, scores[:, 0], scores[:, 1], 2)}
        best = max(sorted(policies), key=lambda policy: benefit(policy, bins, scores, costs)[0])
        asked = np.array(best)[agreement(part, test).astype(np.int64)]
        made.append((test, asked))
    queries = [q for test, _ in made for q in test]
    asked = np.concatenate([part for _, part in made])
    scores, costs, seconds = (table.of(what, queries) for what in ("scores", "costs", "latencies"))

    def paid(values: Floats) -> Floats:
        # One call after another: the check needs the answer, and the large model waits for the check.
        return np.asarray(values[:, small] + values[:, check] + asked * values[:, large])

    called = np.zeros((len(queries), len(table.models)))
    called[:, [small, check]], called[:, large] = 1.0, asked
    return Played(
        queries,
        np.where(asked, scores[:, large], scores[:, small]),
        paid(costs),
        paid(seconds),
        called.sum(1),
        called,
    )


def rows(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """Score, cost and latency of every version; then what cascades on the measured cost and latency bring."""
    ids, found = [query.id for query in recording.queries], []
    for name in recording.models:
        table, key = Table(recording, [name]), (recording.name, name)
        if not np.isnan(table.of("scores", ids)).any():
            found.append(
                Row(
                    "mean score", name, f"{len(ids)} queries", mean_of(table.of("scores", ids)[:, 0]),
                    expected=SCORES.get(key), tolerance=5e-4 if key in SCORES else None,
                )
            )  # fmt: skip
        measured = {what: (unit, value, near) for what, unit, value, near in MEASURED.get(key, [])}
        for what, quantity, unit in (("costs", "mean cost", "USD"), ("latencies", "mean latency", "s")):
            _, value, near = measured.get(what, (unit, None, None))
            found.append(
                Row(
                    quantity, name, f"{len(ids)} queries", mean_of(table.of(what, ids)[:, 0]), expected=value,
                    tolerance=near, unit=unit,
                )
            )  # fmt: skip
    if recording.name == "llmdrift-prime":
        # The abstract gives two digits of March's number.
        for name, value, near, where in ((MARCH, 0.84, 5e-3, ", abstract"), (JUNE, 0.511, 5e-4, "")):
            scores = mean_of(Table(recording, [name]).of("scores", ids)[:, 0])
            found.append(
                Row(
                    "accuracy in the paper", name, f"{len(ids)} queries", scores, published=value,
                    published_in=PAPER + where, tolerance=near, reason=BRACKETS,
                )
            )  # fmt: skip
    for label in ("frugalgpt", "automix-style", "cascade-routing", "majority-vote", "weighted-vote"):
        if label in runs:
            run = runs[label]
            score = Estimate(run["score"]["mean"], run["score"]["low"], run["score"]["high"])
            found.append(Row("mean score", label, "cross-fitted" if run["learned"] else "all queries", score))
            found.append(Row("mean cost", label, "measured US dollars", Estimate(run["cost"]), unit="USD"))
            found.append(Row("mean latency", label, "measured seconds", Estimate(run["latency"]), unit="s"))
    return found


def answered(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """Opinions are neither right nor wrong: how often a version names an option at all, and what it costs."""
    found = []
    for name in recording.models:
        named = [float(r.answer is not None) for r in recording.responses if r.model == name]
        found.append(
            Row(
                "share of responses that name an option",
                name,
                f"{len(named)} queries",
                mean_of(np.array(named)),
                unit="share",
            )
        )
    return found + rows(recording, runs)


def unfenced(recording: Recording) -> Mapping[str, Floats]:
    """The judge on the code alone: as written, many responses fail only by what stands around it."""
    return leetcode_unfenced(fetched(recording), recording.models, [query.id for query in recording.queries])


def no_other(_: Recording) -> Mapping[str, Floats]:
    """There is one judge."""
    return {}


def _study(recording: str, *, check: bool, leaks: bool = False) -> Study:
    budgets = ("0.1", "0.25", "0.5", "0.75", "1.0")
    return Study(
        recording,
        CROSS_FITTED,
        cross_fitted,
        rows,
        axis="cost",
        specs=(Spec("automix-style"),) if check else (),
        left_out={"task-router": "its tasks are primes and composites, which is the answer"} if leaks else {},
        sweeps={"frugalgpt": ("budget", budgets), "cascade-routing": ("budget", budgets)},
        computed={"automix-style": Computed(check_by_agreement, learned=True, category="after/cascade")}
        if check
        else {},
        judges=unfenced if recording == "llmdrift-leetcode" else no_other,
    )


STUDIES = (
    _study("llmdrift-prime", check=True, leaks=True),
    _study("llmdrift-happy", check=True),
    _study("llmdrift-leetcode", check=False),
    Study(
        "llmdrift-opinionqa", "Nothing is run: opinions have no right answer, so there are no scores.", cross_fitted,
        answered, scored=False,
    ),
)  # fmt: skip
