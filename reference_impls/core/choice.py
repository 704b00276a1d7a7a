"""The choice of one response or one model, which the order in which models stand plays no part in.

The largest merit wins. Where different answers share it there is a tie, decided by the first of these that tells
them apart:

    accuracy    the mean held-out accuracy of the models that give the answer, where a scored train split is known;
    confidence  the sum of exp(mean log-probability) of the responses that give it, where the models tell it;
    draw        a random number of the method's generator, among the answers in alphabetical order.

A tie between models for a query goes to the cheapest first: what is as good is worth what it saves. An abstention (a
response without an answer) never wins over an answer.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from reference_impls.core.answers import answer_of
from reference_impls.core.model import Floats, Generation
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query

#: How a tie can have been decided.
TIES = ("price", "accuracy", "confidence", "draw")
#: Merits that differ by less are equal: rounding must decide nothing.
SAME = 1e-9
T = TypeVar("T")


class Choice:
    """Chooses for one method, and notes how ties were decided.

    Args:
        rng: the method's generator.

    Attributes:
        accuracies: gives the mean score of every model on held-out queries, by name; empty where there are none.
            Called at the first tie only, as the models may have to answer those queries first.
        tie: how the last tie was decided, one of `TIES`; empty where there was none since it was last emptied.

    >>> said = [Generation(name, text) for name, text in (("a", "7"), ("b", "8"), ("c", "8"), ("d", ""))]
    >>> Choice(np.random.default_rng(0)).response(said, ["7", "8", "8", None], [1, 2, 2, 0]).model
    'b'
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.accuracies: Callable[[], Mapping[str, float]] = dict
        self.tie = ""

    def response(
        self, responses: Sequence[Generation], answers: Sequence[str | None], merits: Sequence[float] | Floats
    ) -> Generation:
        """The response to return: one that gives the answer of the largest merit.

        Args:
            responses: all of them, at least one.
            answers: what each of them says; equal strings are one answer, None is an abstention.
            merits: of each of them; those of abstentions are not read.

        Returns:
            of the responses with the chosen answer and the largest merit the most confident one, of equals the one of
            the model first by name. If all abstain, one that is not blank where there is such a one.
        """
        voices = [i for i, answer in enumerate(answers) if answer is not None]
        if not voices:
            return min(responses, key=lambda r: (not r.text.strip(), *_place(r)))
        largest = max(float(merits[i]) for i in voices)
        best: dict[str, list[Generation]] = {}
        for i in voices:
            if merits[i] >= largest - SAME:
                best.setdefault(str(answers[i]), []).append(responses[i])
        rules: dict[str, Callable[[str], float]] = {
            "accuracy": lambda answer: self._accuracy([r.model for r in best[answer]]),
            "confidence": lambda answer: math.fsum(confidence(r) for r in best[answer]),
        }
        return min(best[self._settle(sorted(best), rules)], key=_place)

    def model(self, pool: Pool, utilities: Floats) -> int:
        """Position of the model of the largest utility [models]; of equals the cheapest, then the most accurate one,
        then a draw.
        """
        prices = pool.prices
        best = [i for i in pool.by_price() if utilities[i] >= utilities.max() - 1e-12]
        rules: dict[str, Callable[[int], float]] = {
            "price": lambda i: -float(prices[i]),
            "accuracy": lambda i: self._accuracy([pool[i].name]),
        }
        return self._settle(best, rules)

    def _accuracy(self, models: Sequence[str]) -> float:
        """Mean held-out accuracy of some models; the same for all of them where one is unknown."""
        known = self.accuracies()
        return math.fsum(known[name] for name in models) / len(models) if known else 0.0

    def _settle(self, candidates: list[T], rules: Mapping[str, Callable[[T], float]]) -> T:
        """One of several candidates, in an order of their own, by the first rule that tells them apart."""
        for name, rule in rules.items():
            if len(candidates) == 1:
                break
            values = [rule(candidate) for candidate in candidates]
            kept = [c for c, value in zip(candidates, values, strict=True) if value >= max(values) - SAME]
            if len(kept) < len(candidates):
                candidates, self.tie = kept, name
        if len(candidates) == 1:
            return candidates[0]
        self.tie = "draw"
        return candidates[int(self.rng.integers(len(candidates)))]


def confidence(response: Generation) -> float:
    """exp(mean log-probability) in [0, 1]; 0 where the model tells none."""
    return math.exp(response.mean_logprob)


def said(responses: Sequence[Generation], query: Query) -> list[str | None]:
    """The texts of responses that are compared as they stand; None where one holds no final answer."""
    return [None if answer_of(response, query) is None else response.text for response in responses]


def counts(answers: Sequence[str | None]) -> list[int]:
    """How many of the responses give the answer that each gives; 0 for an abstention.

    >>> counts(["7", "8", None, "8"])
    [1, 2, 0, 2]
    """
    return [0 if answer is None else list(answers).count(answer) for answer in answers]


def _place(response: Generation) -> tuple[float, str, str]:
    """Orders responses without regard to where their models stand."""
    return -confidence(response), response.model, response.text
