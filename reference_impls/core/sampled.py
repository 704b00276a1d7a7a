"""Cascades whose tiers answer several times: what a tier says most often is its answer, the share its confidence."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impls.core.answers import answer_of
from reference_impls.core.choice import counts
from reference_impls.core.model import Floats, Generation
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.stages import Attempt, Cascade
from reference_impls.core.training import TrainingSet

#: A score from which on an answer counts as right.
RIGHT = 0.5


def shares(answers: Sequence[str | None]) -> dict[str, float]:
    """Of each answer among all samples, the commonest first, of equals by name; abstentions count in their number.

    >>> shares(["7", "8", None, "7"])
    {'7': 0.5, '8': 0.25}
    """
    found = Counter(answer for answer in answers if answer is not None)
    return {answer: n / len(answers) for answer, n in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))}


class SampledCascade(Cascade):
    """Tiers are models evenly spaced by price, from the cheapest to the dearest; each gives several samples.

    The parameters hold `tiers` and `samples`. Samples have the temperature of the training samples and are no more of
    them than a training query has, as what is learned from those holds for no others.
    """

    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        if p.tiers < 1 or p.samples < 1:
            raise ValueError("a cascade needs at least one tier and one sample a tier")
        places = np.linspace(len(self.order) - 1, 0, min(p.tiers, len(self.order))).round().astype(int)[::-1]
        self.order = [self.order[i] for i in places]
        self.training_samples = self.samples_ = p.samples
        self.temperature_ = 1.0

    def fit(self, train: TrainingSet) -> None:
        self.temperature_, self.samples_ = train.temperature, train.sample_scores.shape[2]

    def commonest(self, query: Query, responses: Sequence[Generation]) -> int:
        """The place of the sample that stands for all of one tier."""
        answers = [answer_of(r, query) for r in responses]
        chosen = self.choice.response(responses, answers, counts(answers))
        return next(i for i, r in enumerate(responses) if r is chosen)

    def attempt(self, query: Query, stage: int) -> Attempt:
        model = self.order[stage]
        responses = self.ask(self.pool[model], query, samples=self.samples_, temperature=self.temperature_)
        return Attempt(stage, model, responses, responses[self.commonest(query, responses)].text)

    def tops(self, train: TrainingSet, stage: int) -> tuple[Floats, Floats]:
        """Confidence of a tier's commonest answer, and whether it is wrong, of every training query, [queries]."""
        model = self.order[stage]
        confidence, wrong = np.zeros(len(train)), np.ones(len(train))
        for i, query in enumerate(train.queries):
            samples = train.samples[i][model]
            said = shares([answer_of(r, query) for r in samples])
            if said:
                confidence[i] = max(said.values())
                wrong[i] = train.sample_scores[i, model, self.commonest(query, samples)] < RIGHT
        return confidence, wrong
