"""Worlds in which the right advice is known, and whether it is given.

``python -m reference_impls.advising.simulation`` prints it.

Each world draws a recording: prompts of four tasks, some models, right and wrong answers whose chances are written
down, so that the true gain of any choice is known. The program prints

- of 100 recordings of each world, how often the advice is what the world demands,
- how often the intervals hold the true gain, in 1,000 recordings of each world: of a router by task and of a vote,
  each over the best single model as `gains.gain` tells it.

Advice with all methods that fit takes two minutes of processor time a recording. ``--quick`` has it choose among
`QUICK`, with each query tested once: 2 seconds.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from reference_impls.advising.gains import gain
from reference_impls.advising.labelled import deal
from reference_impls.advising.recommend import FOLDS, MANY, REPEATS, Advice, recommend
from reference_impls.core.model import Floats
from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.running import catalog
from reference_impls.running.executors import executor

#: Words of each task's prompts, so that a router can tell the tasks apart.
TASKS = {
    "law": "court statute verdict plaintiff appeal contract clause",
    "chemistry": "acid molecule reaction solvent oxide catalyst bond",
    "music": "chord melody tempo sonata rhythm octave harmony",
    "cooking": "simmer dough oven whisk broth garlic recipe",
}
OPTIONS = "ABCD"


@dataclass(frozen=True)
class World:
    """Where recordings come from.

    Attributes:
        right: chance that each model is right, [tasks, models].
        shared: correlation of the models' luck on one query; 1 is the same for all.
        prices: US dollars of one answer of each model.
    """

    right: Floats
    shared: float
    prices: tuple[float, ...] = ()

    def luck(
        self, queries: int, rng: np.random.Generator
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Floats]:
        """Tasks of some queries, and whether each model is right, [queries, models]."""
        tasks, models = self.right.shape
        task = rng.integers(tasks, size=queries)
        common, own = rng.standard_normal((queries, 1)), rng.standard_normal((queries, models))
        drawn = np.sqrt(self.shared) * common + np.sqrt(1 - self.shared) * own
        normal = NormalDist()
        limits = np.array([[normal.inv_cdf(chance) for chance in row] for row in self.right])
        return task, (drawn < limits[task]).astype(np.float64)

    def recording(self, queries: int, seed: int) -> Recording:
        """Multiple-choice questions; a wrong answer is any of the wrong options."""
        rng = np.random.default_rng(seed)
        task, right = self.luck(queries, rng)
        names = list(TASKS)
        asked: list[RecordedQuery] = []
        given: list[RecordedResponse] = []
        for i, (t, row) in enumerate(zip(task.tolist(), right.tolist(), strict=True)):
            words = " ".join(rng.permutation(TASKS[names[t]].split())[:5].tolist())
            reference = OPTIONS[int(rng.integers(4))]
            asked.append(RecordedQuery(str(i), f"{words} {i}?", reference, names[t], "test", "choice"))
            for m, good in enumerate(row):
                wrong = [option for option in OPTIONS if option != reference]
                answer = reference if good else wrong[int(rng.integers(3))]
                price = self.prices[m] if self.prices else 0.001
                text = f"The answer is {answer}."
                given.append(RecordedResponse(str(i), f"model-{m}", 0, text, answer, good, price, 20, 5, 0.5))
        return Recording("simulated", tuple(asked), tuple(given), {})


#: One model is best at everything, and the others err where it errs.
ONE_BEST = World(np.tile([0.8, 0.6, 0.5], (4, 1)), 0.7)
#: Each task has a model of its own.
ROUTER = World(np.array([[0.9, 0.4, 0.4], [0.4, 0.9, 0.4], [0.4, 0.4, 0.9], [0.9, 0.4, 0.4]]), 0.3)
#: Five models that are alike and err apart.
VOTE = World(np.full((4, 5), 0.65), 0.0)
#: Three that err much alike: what a vote gains (`gain_of_vote`) is less than few labels can tell.
FEW = World(np.full((4, 3), 0.6), 0.6)
#: Nothing tells the models apart and nothing can be gained.
LEVEL = World(np.tile([0.62, 0.6, 0.58], (4, 1)), 0.9)
#: One or two of each kind that advice may name and that learn in a moment: routers by length, by task, by regression
#: on the prompt and by a bandit; votes that are plain, weighted, of a latent class and by nearness; a cascade.
QUICK = (
    "prompt-length", "task-router", "ridge-router", "linucb-router", "majority-vote", "weighted-vote", "dawid-skene",
    "minimum-bayes-risk", "agreement-cascade",
)  # fmt: skip
#: All of them, by what is known of them.
WORLDS = {
    "one model best": ONE_BEST, "router must win": ROUTER, "votes must win": VOTE, "level": LEVEL, "few labels": FEW,
}  # fmt: skip


class Covered(NamedTuple):
    """Shares of the recordings: whose interval holds the true gain, lies above it, lies below it."""

    holds: float
    above: float
    below: float


def coverage(world: World, queries: int, recordings: int, seed: int = 0) -> dict[str, Covered]:
    """How often intervals hold the true gain: of a router by task learned on all labels, and of a plurality vote,
    over the model that is best on all labels.
    """
    _, many = world.luck(200_000, np.random.default_rng(seed))
    vote_in_truth = float(_vote(many).mean())
    held: dict[str, list[tuple[bool, bool, bool]]] = {"router by task": [], "vote": []}
    for i in range(recordings):
        task, right = world.luck(queries, np.random.default_rng([seed, i]))
        tested = deal([str(t) for t in task], FOLDS, REPEATS, i)
        routed, chosen = np.empty(tested.shape), np.empty(tested.shape)
        for repeat, of_query in enumerate(tested):
            for fold in range(FOLDS):
                rows = of_query == fold
                by_task, best = _learn(world, task[~rows], right[~rows])
                routed[repeat, rows] = right[rows, by_task[task[rows]]]
                chosen[repeat, rows] = right[rows, best]
        by_task, best = _learn(world, task, right)
        alone = float(world.right[:, best].mean())
        truth = float(world.right[np.arange(len(by_task)), by_task].mean()) - alone, vote_in_truth - alone
        voted = np.tile(_vote(right), (REPEATS, 1))
        for name, scores, true, learned in (
            ("router by task", routed, truth[0], True), ("vote", voted, truth[1], False),
        ):  # fmt: skip
            found, _ = gain(scores, chosen, right[:, best], FOLDS, learned=learned)
            held[name].append((found.low <= true <= found.high, found.low > true, found.high < true))
    return {name: Covered(*np.mean(rows, axis=0).tolist()) for name, rows in held.items()}


def _learn(
    world: World, task: np.ndarray[tuple[int], np.dtype[np.int64]], right: Floats
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
    """The best model of each task, and of all; of a task without queries, the latter."""
    means = right.mean(0)
    rows = [right[task == t].mean(0) if (task == t).any() else means for t in range(len(world.right))]
    return np.array([int(row.argmax()) for row in rows]), int(means.argmax())


def _vote(right: Floats) -> Floats:
    """Whether most of the models are right."""
    most: Floats = (right.mean(1) > 0.5).astype(np.float64)
    return most


def gain_of_vote(world: World, queries: int = 200_000, seed: int = 0) -> float:
    """What a plurality vote truly gains over the best model: a wrong answer is any of the wrong options, and ties are
    decided by chance.
    """
    rng = np.random.default_rng(seed)
    _, right = world.luck(queries, rng)
    given = np.where(right > 0, 0, rng.integers(1, len(OPTIONS), size=right.shape))
    votes = (given[:, :, None] == np.arange(len(OPTIONS))).sum(1)
    most = votes == votes.max(1, keepdims=True)
    return float((most[:, 0] / most.sum(1)).mean() - world.right.mean(0).max())


def advised(
    world: World, queries: int, seeds: Sequence[int], methods: Sequence[str] = (), repeats: int | None = None
) -> list[Advice]:
    """The advice on some recordings of a world."""
    return [recommend(world.recording(queries, s), methods=methods, repeats=repeats, seed=s) for s in seeds]


def demanded(world: str, advice: Advice) -> bool:
    """Whether the advice is what a world of `WORLDS` demands."""
    verdict = advice.verdict
    category = catalog.method(verdict.name).category if verdict.kind == "method" else ""
    power = verdict.power
    return {
        "one model best": (verdict.kind, verdict.name) == ("model", "model-0"),
        "router must win": category.startswith("before/") or verdict.name == "task-router",
        "votes must win": category.startswith("after/"),
        "level": verdict.kind == "model",
        # A vote is a little better there, so that who names one is right, and else more labels are to be asked for.
        "few labels": (category.startswith("after/") and gain_of_vote(FEW) > 0)
        or (verdict.kind == "model" and power is not None and power.leading is not None
            and power.leading[2] > power.queries),
    }[world]  # fmt: skip


def told(name: str, queries: int, seed: int, methods: Sequence[str], repeats: int | None) -> tuple[str, bool]:
    """The advice on a recording of a world in a few words, and whether it is what the world demands."""
    [advice] = advised(WORLDS[name], queries, [seed], methods, repeats)
    verdict = advice.verdict
    return f"{verdict.kind}: {verdict.name} ({verdict.why})", demanded(name, advice)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=100, help="recordings of each world that advice is given on")
    parser.add_argument("--recordings", type=int, default=1000, help="of each world for the coverage")
    parser.add_argument("--labels", type=int, default=300, help="labelled queries of a recording")
    parser.add_argument("--world", action="append", choices=list(WORLDS), help="only these; default: all")
    parser.add_argument("--method", action="append", help="try only these; default: all that fit")
    parser.add_argument("--quick", action="store_true", help=f"try only {', '.join(QUICK)}, and test each query once")
    parser.add_argument("--repeats", type=int, help=f"how often each query is tested; default: {REPEATS}")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    chosen = parser.parse_args()
    names = chosen.world or list(WORLDS)
    methods = chosen.method or (QUICK if chosen.quick else ())
    repeats = chosen.repeats or (1 if chosen.quick or chosen.labels > MANY else REPEATS)
    # Small matrices: threads of the linear algebra only get in each other's way. For the processes that begin now.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with executor("processes", chosen.jobs, "") as workers:
        if chosen.recordings:
            print(f"coverage of intervals of nominal 95 %, {chosen.labels} labels", flush=True)
        counted = names if chosen.recordings else []
        covered = [workers.submit(coverage, WORLDS[n], chosen.labels, chosen.recordings) for n in counted]
        for name, future in zip(counted, covered, strict=True):
            for what, found in future.result().items():
                print(
                    f"  {name:16} {what:15} {found.holds:.3f} (above {found.above:.3f}, below {found.below:.3f})",
                    flush=True,
                )
        among = ", ".join(methods) or "all methods that fit"
        tested = f"each query tested {repeats} times" if repeats > 1 else "each query tested once"
        print(
            f"advice on {chosen.seeds} recordings of {chosen.labels} labels each, {tested}, among {among}", flush=True
        )
        for name in names:
            given = [
                workers.submit(told, name, chosen.labels, seed, methods, repeats) for seed in range(chosen.seeds)
            ]
            results = [future.result() for future in given]
            right = sum(good for _, good in results)
            truth = f"a vote is {100 * gain_of_vote(WORLDS[name]):+.1f} points off the best model in truth"
            print(f"  {name}: what it demands in {right} of {chosen.seeds} ({truth})", flush=True)
            for words, count in Counter(words for words, _ in results).most_common():
                print(f"    {count:4} {words}", flush=True)


if __name__ == "__main__":
    main()
