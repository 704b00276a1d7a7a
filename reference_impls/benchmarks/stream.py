"""A stream of mixed tasks: the queries of all mini-benchmarks in one queue, without a word on which task each is of.

On a single task one model is mostly the best for every query. Where tasks are mixed, routing and cascading can show
what they are for, as in use nobody says which task a query is of.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from reference_impls.benchmarks import sandbox
from reference_impls.benchmarks.base import Benchmark, Item, Problem
from reference_impls.core.query import Query


class Stream(Benchmark):
    """The queries of some benchmarks in an order that a seed fixes; each is scored by its own benchmark.

    Each split holds the same split of every benchmark. A query has the prompt, the form of the answer and the limit
    of tokens that it has there (so that stored responses serve here too), but neither its id nor its task says where
    it is from; the item's level does, which methods do not see.

    Args:
        tasks: the benchmarks by name. Where generated programs cannot be run, those of ``code`` are left out, and a
            line says so.
    """

    name = "stream"
    title = "A stream of mixed tasks"
    kind = "text"
    seed = 106

    def __init__(self, tasks: Mapping[str, Benchmark]) -> None:
        self._all = tasks

    @cached_property
    def tasks(self) -> dict[str, Benchmark]:
        """The benchmarks that the stream is of, by name."""
        reason = sandbox.unavailable()
        if reason is None or "code" not in self._all:
            return dict(self._all)
        logging.getLogger(__name__).warning("atlas: stream: %s", reason)
        return {name: task for name, task in self._all.items() if name != "code"}

    @cached_property
    def levels(self) -> Mapping[str, float]:  # type: ignore[override]
        """The share of every task."""
        return {name: 1 / len(self.tasks) for name in self.tasks}

    @property
    def sizes(self) -> Mapping[str, int]:
        """Items in each split."""
        return {split: size * len(self.tasks) for split, size in super().sizes.items()}

    def items(self, split: str) -> list[Item]:
        mixed = [(name, item) for name, task in self.tasks.items() for item in task.items(split)]
        order = np.random.default_rng([self.seed, len(mixed)]).permutation(len(mixed))
        return [self._item(f"{self.name}/{split}/{i:04d}", *mixed[at]) for i, at in enumerate(order)]

    def _item(self, name: str, task: str, item: Item) -> Item:
        old = item.query
        query = Query(name, self.name, old.prompt, old.kind, old.max_tokens, old.stop, old.options)
        return Item(query, {"task": task, "reference": item.reference}, task, item.solution)

    def told(self, item: Item) -> Item:
        return replace(item, query=replace(item.query, task=item.level))

    def scored_by(self, reference: Mapping[str, Any]) -> tuple[Benchmark, Mapping[str, Any]]:
        return self.tasks[reference["task"]], reference["reference"]

    def score(self, reference: Mapping[str, Any], text: str) -> float:
        task, own = self.scored_by(reference)
        return task.score(own, text)

    def problem(self, rng: np.random.Generator, level: str) -> Problem:
        """A random problem of a task, at any of its levels."""
        task = self.tasks[level]
        return task.problem(rng, str(rng.choice(list(task.levels), p=list(task.levels.values()))))

    def corrupt(self, rng: np.random.Generator, problem: Problem) -> str:
        raise NotImplementedError("models learn from the tasks' own problems")
