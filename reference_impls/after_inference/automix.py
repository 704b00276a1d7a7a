"""AutoMix: a small model checks its own answer a few times, and a meta-verifier decides from that whom to believe.

The small model answers and is asked k times (temperature > 0) whether the answer is right; v, the share of "yes"
among replies that can be read (0 if none can), falls into the bin j of 0 .. k next to k v. A meta-verifier is a
policy: the set of bins from which the query goes to the large model. From training responses with scores Y and costs
C (US dollars) policies are listed,

    threshold: bins 0 .. j;      double: bins i .. j;
    pomdp:     bins with  r P(needy | j) + P(hopeless | j) > 100  for rewards r = 0 .. 4999, where a query is needy if
               the large model scores more, else hopeless if neither scores, else good (the code's table of rewards:
               keeping costs r, 0, r + 1 in these states [needy, good, hopeless], routing 100, 100, r + 100);
    greedy:    the bins of largest mean gain Y_large - Y_small, smoothed over bins (Gaussian, sigma 2), one more each,

and the policy of largest incremental benefit per cost, IBC = (quality - quality_small) / (cost - cost_small), is
kept; its cost holds that of checking. Calls: one and k to the small model, one to the large where it is routed to.

Differences from the paper
1. The check is zero-shot, in the model's dress (`check_prompt`): the built-in models know a terse one, chat models
   are asked for reasons and a verdict as the paper asks, but without its examples and the context of its questions.
2. Bins are the k + 1 shares of k checks; replies without a verdict leave the denominator, as in the authors' code.
3. P(state | bin) of a bin without training queries takes the shares over all of them.
4. Two models (the cheapest and the dearest of the pool); the later version's chain of three is left out.
5. k = 8 is the default of the authors' function; they call it with 32 checks, whose share falls into bins of 1 / 8.
6. Policies are compared by IBC itself, not by its lift over the large model's: the order is the same where the large
   model is the better one, and where it is not the lift says nothing.
7. A query is hopeless where neither model scores, and good where the small model scores more. In the authors' code it
   is hopeless where both scores are within the lowest tenth of their model's, and where the small model scores more
   it has no state and counts in none. So graded scores can lead to another POMDP policy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    REPLY_TOKENS,
    Attempt,
    Cascade,
    Floats,
    ModelError,
    Pool,
    Query,
    TrainingSet,
    check_prompt,
    cost_of,
    known_costs,
    method,
    read_verdict,
)

#: For every bin whether the query goes to the large model.
Policy = tuple[bool, ...]
Bins = NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """Parameters of the self-verification and of the meta-verifier."""

    #: k; 8 in the authors' function (see 5.).
    samples: int = 8
    #: The most tokens of a check; 0: as many as its dress takes. Models that reason before they reply take more.
    reply_tokens: int = 0
    #: Of the checks; must be above 0 for them to differ.
    temperature: float = 1.0
    #: threshold, double, pomdp, greedy or union (of all four, the code's `POMDP`).
    policy: str = "union"


def states(small: Floats, large: Floats) -> Floats:
    """Whether each query is needy, good, hopeless: one-hot [queries, 3] of the scores [queries] of both models.

    >>> states(np.array([0, 1, 0.0]), np.array([1, 1, 0.0])).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    needy = large > small
    hopeless = ~needy & (small <= 0)
    return np.stack([needy, ~needy & ~hopeless, hopeless], 1).astype(np.float64)


def smooth(values: Floats, sigma: float = 2.0) -> Floats:
    """Gaussian smoothing of a row, mirrored at its ends, cut at four sigma (as SciPy's `gaussian_filter`)."""
    radius = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return np.convolve(np.pad(values, radius, mode="symmetric"), kernel / kernel.sum(), mode="valid")


def thresholds(bins: Bins, small: Floats, large: Floats, count: int) -> list[Policy]:  # noqa: ARG001
    """Route from bins 0 .. j, for every j, and from none."""
    return [tuple(i <= j for i in range(count)) for j in range(-1, count)]


def double(bins: Bins, small: Floats, large: Floats, count: int) -> list[Policy]:  # noqa: ARG001
    """Route from bins i .. j: the least sure ones may be hopeless."""
    return [tuple(i <= b <= j for b in range(count)) for i in range(count) for j in range(i, count)]


def pomdp(bins: Bins, small: Floats, large: Floats, count: int) -> list[Policy]:
    """The best action in every bin, for every reward."""
    one_hot = states(small, large)
    chances = np.array([one_hot[bins == b if np.any(bins == b) else slice(None)].mean(0) for b in range(count)])
    needy, hopeless = chances[:, 0], chances[:, 2]
    return sorted({tuple((r * needy + hopeless > 100).tolist()) for r in range(5000)})


def greedy(bins: Bins, small: Floats, large: Floats, count: int) -> list[Policy]:
    """Route from the bins of largest smoothed gain, one more each time."""
    gains = np.array([(large - small)[bins == b].mean() if np.any(bins == b) else 0.0 for b in range(count)])
    ranks = np.argsort(np.argsort(-smooth(gains), kind="stable"), kind="stable")
    return [tuple((ranks <= j).tolist()) for j in range(count)]


POLICIES: dict[str, Callable[[Bins, Floats, Floats, int], list[Policy]]] = {
    "threshold": thresholds, "double": double, "pomdp": pomdp, "greedy": greedy,
}  # fmt: skip


def benefit(policy: Policy, bins: Bins, scores: Floats, costs: Floats) -> tuple[float, float]:
    """IBC (per US dollar) and mean cost of a policy.

    Args:
        policy: [bins].
        bins: of every query, [queries].
        scores: of the small and the large model, [queries, 2].
        costs: of the small model, its checks and the large model, [queries, 3].
    """
    routed = np.array(policy)[bins]
    gain = float((routed * (scores[:, 1] - scores[:, 0])).mean())
    added = float((costs[:, 1] + routed * costs[:, 2]).mean())
    return (gain / added if added > 0 else 0.0), float(costs[:, 0].mean()) + added


@method(
    name="automix", category="after/cascade", family="supervised-deferral",
    papers=["aggarwal2023automix"], needs=("labels", "new-prompts"),
)  # fmt: skip
class AutoMix(Cascade):
    """Route by a policy over the share of self-checks that say yes."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.policy not in (*POLICIES, "union"):
            raise ValueError(f"no policy {self.parameters.policy!r}: {', '.join(POLICIES)} or union")
        by_price = self.pool.by_price()
        self.order = by_price[:1] + by_price[1:][-1:]
        self.notes.update(dict.fromkeys(("replies", "unreadable replies", "answers without a readable check"), 0))

    def check(self, query: Query, answer: str) -> tuple[int, float]:
        """The bin of an answer by its k checks, and their cost in US dollars."""
        p, small = self.parameters, self.pool[self.order[0]]
        prompt, limit = check_prompt(query.prompt, answer, small.dress), p.reply_tokens or REPLY_TOKENS[small.dress]
        try:
            seed = self.seed(small.name, query.prompt)
            replies = small.generate(prompt, n=p.samples, temperature=p.temperature, max_tokens=limit, seed=seed)
        except ValueError:  # longer than the model's context
            replies = []
        except ModelError as error:
            replies = list(error.paid)
        verdicts = [verdict for r in replies if (verdict := read_verdict(r.text)) is not None]
        self.notes["replies"] += len(replies)
        self.notes["unreadable replies"] += len(replies) - len(verdicts)
        self.notes["answers without a readable check"] += not verdicts
        # The next bin, halves up.
        nearest = (2 * p.samples * sum(verdicts) + len(verdicts)) // (2 * len(verdicts)) if verdicts else 0
        return nearest, cost_of(small.price, replies)

    def fit(self, train: TrainingSet) -> None:
        small, large = self.order[0], self.order[-1]
        checks = [self.check(q, row[small].text) for q, row in zip(train.queries, train.responses, strict=True)]
        bins = np.array([place for place, _ in checks])
        scores = train.scores[:, [small, large]]
        costs = known_costs(np.stack([train.costs[:, small], [cost for _, cost in checks], train.costs[:, large]], 1))
        self.policy_ = self.best(self.candidates(bins, scores), bins, scores, costs)

    def candidates(self, bins: Bins, scores: Floats) -> list[Policy]:
        """The policies of the chosen kind."""
        p = self.parameters
        kinds: Sequence[str] = list(POLICIES) if p.policy == "union" else [p.policy]
        return [c for kind in kinds for c in POLICIES[kind](bins, scores[:, 0], scores[:, 1], p.samples + 1)]

    def best(self, policies: Sequence[Policy], bins: Bins, scores: Floats, costs: Floats) -> Policy:
        """The policy of largest IBC; ties go to the cheaper one."""

        def key(policy: Policy) -> tuple[float, float]:
            ibc, cost = benefit(policy, bins, scores, costs)
            return ibc, -cost

        return max(policies, key=key)

    def accept(self, query: Query, response: Attempt) -> bool:
        place, _ = self.check(query, response.text)
        return not self.policy_[place]
