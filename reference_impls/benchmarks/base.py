"""What the mini-benchmarks share: problems, fixed splits and the scorer's interface."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reference_impls.core.query import Query

#: Items in each split. The splits, and so every result, change when these numbers change.
SPLIT_SIZES = {"test": 200, "train": 400, "validation": 100}


@dataclass(frozen=True)
class Problem:
    """One generated problem.

    Attributes:
        key: what makes it this problem and no other; problems of a split never share a key with training
            text.
        level: difficulty level within the benchmark.
        prompt: what a model is asked, ending in ``A:``.
        solution: a right response as the models learn to write it, beginning with a space.
        reference: what the scorer needs; never shown to a method.
        options: texts of the options of a multiple-choice question, which the prompt shows.
    """

    key: tuple[Any, ...]
    level: str
    prompt: str
    solution: str
    reference: Mapping[str, Any]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """A problem of a split: the query that methods see and the reference that only the scorer sees."""

    query: Query
    reference: Mapping[str, Any]
    level: str
    solution: str


class Benchmark(ABC):
    """A task with generated problems, fixed splits and a scorer in [0, 1]."""

    name: str
    title: str
    kind: str
    seed: int
    #: Share of every level in each split; sums to one.
    levels: Mapping[str, float]
    max_tokens: int = 160

    @abstractmethod
    def problem(self, rng: np.random.Generator, level: str) -> Problem:
        """One random problem of a level."""

    @abstractmethod
    def score(self, reference: Mapping[str, Any], text: str) -> float:
        """How good a response is, in [0, 1]."""

    def scored_by(self, reference: Mapping[str, Any]) -> tuple["Benchmark", Mapping[str, Any]]:
        """The benchmark whose scorer judges an item, and the reference that it needs."""
        return self, reference

    def told(self, item: Item) -> Item:
        """The item with its task in the query, where the benchmark hides it from methods."""
        return item

    @property
    def sizes(self) -> Mapping[str, int]:
        """Items in each split."""
        return SPLIT_SIZES

    @abstractmethod
    def corrupt(self, rng: np.random.Generator, problem: Problem) -> str:
        """A plausible wrong response, beginning with a space; models learn to judge answers from these."""

    @cached_property
    def _drawn(self) -> dict[str, list[Problem]]:
        rng = np.random.default_rng(self.seed)
        seen: set[tuple[Any, ...]] = set()
        splits: dict[str, list[Problem]] = {}
        for split, size in SPLIT_SIZES.items():
            problems: list[Problem] = []
            for level, share in self.levels.items():
                wanted = round(size * share)
                drawn = tries = 0
                while drawn < wanted:
                    tries += 1
                    if tries > 200 * wanted:
                        raise RuntimeError(
                            f"{self.name}: level {level} has too few different problems for its splits"
                        )
                    candidate = self.problem(rng, level)
                    if candidate.key not in seen:
                        seen.add(candidate.key)
                        problems.append(candidate)
                        drawn += 1
            splits[split] = [problems[i] for i in rng.permutation(len(problems))]
        return splits

    @cached_property
    def reserved(self) -> frozenset[tuple[Any, ...]]:
        """Keys of all problems in the splits: training text must hold none of them."""
        return frozenset(problem.key for problems in self._drawn.values() for problem in problems)

    def items(self, split: str) -> list[Item]:
        """The items of ``train``, ``validation`` or ``test``, always the same ones in the same order."""
        return [
            Item(self._query(f"{self.name}/{split}/{i:04d}", p), p.reference, p.level, p.solution)
            for i, p in enumerate(self._drawn[split])
        ]

    def _query(self, name: str, problem: Problem) -> Query:
        kind = "choice" if problem.options else self.kind
        return Query(name, self.name, problem.prompt, kind, self.max_tokens, options=problem.options)
