"""The verdict on a claim, computed from our own results by the claim's test.

Every pool of models that can be compared stands for the claim, against it, or is undecided (`scripts.model.claims`
says when, test by test). Then, with n pools that can be compared:

* **supported**: at least `LEAST` pools, two thirds of them for it and at most a tenth against;
* **refuted**: at least `LEAST` pools, two thirds of them against it and at most a tenth for it;
* **depends on** a factor: neither, at least two pools for it and two against, and their stand (for 1, undecided 0,
  against -1) rises or falls with the factor: rank correlation, permutation test at 5 %, adjusted by Holm's rule to
  the factors that the claim names;
* **open**: everything else: too few pools, or they do not tell.

A claim of a relation between the gain and a factor is supported where the rank correlation over at least `RELATED`
pools has the expected sign and the permutation test rejects chance at 5 %; refuted where it has the other sign; else
open. Pools that share queries are not independent, so counts of pools are no sample of the world.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from reference_impls.measuring.comparison import Gain, holm
from scripts.claims.evidence import COIN, Comparison, Evidence, Pool, Run
from scripts.model.claims import BASELINES, FACTORS, Claim, CostTest, GainTest, RelationTest, Where

LEAST, RELATED = 3, 6
ERROR, DRAWS = 0.05, 4999
SUPPORTED, REFUTED, DEPENDS, OPEN = "supported", "refuted", "depends on", "open"
#: Verdicts in the order of the tables -> what each means, in a line.
VERDICTS = {
    SUPPORTED: "at least two thirds of the pools stand for it, at most a tenth against",
    DEPENDS: "pools stand on both sides, and a factor tells which",
    REFUTED: "at least two thirds of the pools stand against it, at most a tenth for it",
    OPEN: "too few pools can be compared, or they do not tell",
}
FOR, AGAINST, UNDECIDED = "for", "against", "undecided"
#: A comparison that says nothing: what it would take is not known.
UNKNOWN = "not known"
_VALUE = {FOR: 1.0, UNDECIDED: 0.0, AGAINST: -1.0}
_NOT = {FOR: AGAINST, AGAINST: FOR, UNDECIDED: UNDECIDED}
_MORE = 10_000  # pools at which one stops to look for what would change a verdict


@dataclass(frozen=True)
class Vote:
    """What one pool says.

    Attributes:
        pool: which.
        comparisons: what decides, with the stand of each.
        stand: ``for``, ``against`` or ``undecided``.
        telling: the comparison to show of the pool: where one method is enough, the one that comes nearest to what is
            claimed, else the one of the middle gain.
    """

    pool: Pool
    comparisons: tuple[tuple[Comparison, str], ...]
    stand: str
    telling: Comparison

    @property
    def gain(self) -> float:
        """Mean gain of the methods."""
        return float(np.mean([comparison.gain.mean for comparison, _ in self.comparisons]))


@dataclass(frozen=True)
class Trend:
    """How the pools' stand or gain goes with a factor: rank correlation, and its p beside others that were tried."""

    factor: str
    correlation: float
    p: float
    pools: int


@dataclass(frozen=True)
class Judged:
    """The verdict on a claim.

    Attributes:
        verdict: one of `VERDICTS`.
        sentence: why, from the results.
        change: what would change it.
        votes: the pools that could be compared, in the order of the results.
        trend: on which factor it depends, or of the relation that is claimed.
        untested: why other pools that the claim speaks of say nothing -> how many.
        digest: of the test and of all numbers that it looked at.
    """

    verdict: str
    sentence: str
    change: str
    votes: tuple[Vote, ...] = ()
    trend: Trend | None = None
    untested: dict[str, int] = field(default_factory=dict)
    digest: str = ""

    @property
    def counts(self) -> Counter[str]:
        """Pools by their stand."""
        return Counter(dict.fromkeys(_VALUE, 0) | Counter(vote.stand for vote in self.votes))

    @property
    def told(self) -> str:
        """The verdict with the factor that it depends on."""
        factor = f" the {FACTORS[self.trend.factor][0]}" if self.verdict == DEPENDS and self.trend else ""
        return f"{self.verdict}{factor}"


def judge(claim: Claim, evidence: Evidence) -> Judged:
    """The verdict on a claim."""
    votes, untested = _votes(claim, evidence.pools)
    made = _related(claim.test, votes) if isinstance(claim.test, RelationTest) else _counted(claim.test, votes)
    verdict, sentence, further, trend = made
    if not votes:
        sentence = f"Open: no result here can be compared for it{_reasons(untested)}."
    return Judged(verdict, sentence, further, tuple(votes), trend, untested, _digest(claim, votes))


def _reasons(untested: dict[str, int]) -> str:
    told = "; ".join(f"{count} {'pool' if count == 1 else 'pools'}: {why}" for why, count in untested.items())
    return f" ({told})" if told else ""


def _digest(claim: Claim, votes: Iterable[Vote]) -> str:
    numbers = [
        [v.pool.key, c.run.label, c.reference.label, f"{c.gain.mean:.6f}", f"{c.low:.6f}", f"{c.high:.6f}", stand]
        for v in votes
        for c, stand in v.comparisons
    ]
    text = json.dumps([claim.test.model_dump(mode="json"), numbers], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# --- pools ----------------------------------------------------------------------------------------------------------


def _votes(claim: Claim, pools: Sequence[Pool]) -> tuple[list[Vote], dict[str, int]]:
    test = claim.test
    against = "best-single" if isinstance(test, CostTest) else test.against
    votes: list[Vote] = []
    untested: Counter[str] = Counter()
    for pool in pools:
        if not any(fnmatchcase(pool.place, pattern) for pattern in test.on):
            continue
        if test.where and (why := _outside(pool, test.where)):
            untested[why] += 1
            continue
        runs = [run for run in pool.runs if _meant(run, test.methods)]
        if isinstance(test, CostTest):
            runs = [run for run in runs if run.cost is not None]
        found = pool.compare(runs, against)
        if isinstance(test, CostTest):
            found = [one for one in found if one.reference.cost]
        if not found:
            untested[_why_not(pool, runs, against, test)] += 1
            continue
        stands = tuple((comparison, _stand(test, comparison)) for comparison in found)
        votes.append(Vote(pool, stands, _pool_stand(test, [stand for _, stand in stands]), _telling(test, stands)))
    return votes, dict(untested)


def _meant(run: Run, methods: Iterable[str]) -> bool:
    return any(name in (run.method, run.category) for name in methods)


def _outside(pool: Pool, where: Where) -> str | None:
    """Why a pool is not one that the claim speaks of; None if it is."""
    value, name = pool.factors.get(where.factor), FACTORS[where.factor][0]
    if value is None:
        return f"the {name} is not known"
    if where.at_least is not None and value < where.at_least:
        return f"the {name} is below {where.at_least}"
    if where.at_most is not None and value > where.at_most:
        return f"the {name} is above {where.at_most}"
    return None


def _why_not(pool: Pool, runs: Sequence[Run], against: str, test: GainTest | CostTest | RelationTest) -> str:
    if not runs:
        return "no method of known cost ran" if isinstance(test, CostTest) else "none of the methods ran"
    if against == COIN:
        return "what the models cost is not known"
    if pool.reference(against) is None:
        return f"there is no run of {BASELINES.get(against, against)} to compare with"
    return "no paired comparison is recorded"


def _stand(test: GainTest | CostTest | RelationTest, comparison: Comparison) -> str:
    """What one comparison says."""
    if isinstance(test, RelationTest):
        return UNDECIDED
    low, high, margin = comparison.low, comparison.high, test.margin / 100
    if isinstance(test, CostTest):
        return _saves(test, comparison)
    if test.expect in ("better", "not-better"):
        stand = FOR if low > 0 else AGAINST if high < margin else UNDECIDED
    else:
        stand = FOR if low > -margin else AGAINST if high < 0 else UNDECIDED
    return _NOT[stand] if test.expect in ("not-better", "worse") else stand


def _saves(test: CostTest, comparison: Comparison) -> str:
    """Where a method was run is one point of many: only a curve of all can speak against it."""
    run, reference, margin = comparison.run, comparison.reference, test.margin / 100
    assert run.cost is not None
    assert reference.cost is not None
    most = (1 - test.saving / 100) * reference.cost
    if run.cost <= most and comparison.low > -margin:
        return FOR
    if run.curve is None or reference.score is None:
        return UNKNOWN
    least = reference.score - margin
    return UNDECIDED if any(x <= most and y > least for x, y in run.curve) else AGAINST


def _pool_stand(test: GainTest | CostTest | RelationTest, stands: Sequence[str]) -> str:
    if isinstance(test, CostTest) or (isinstance(test, GainTest) and test.pick == "any"):
        return FOR if FOR in stands else AGAINST if set(stands) - {UNKNOWN} == {AGAINST} else UNDECIDED
    counts = Counter(stands)
    return next((stand for stand in (FOR, AGAINST) if counts[stand] * 2 > len(stands)), UNDECIDED)


def _telling(test: GainTest | CostTest | RelationTest, stands: Sequence[tuple[Comparison, str]]) -> Comparison:
    by_gain = sorted((one for one, _ in stands), key=lambda one: one.gain.mean)
    if isinstance(test, CostTest):
        return max(stands, key=lambda pair: (_VALUE.get(pair[1], -2.0), pair[0].low))[0]
    if isinstance(test, RelationTest) or test.pick == "each":
        return by_gain[len(by_gain) // 2]
    if test.expect in ("better", "as-good"):
        return max(by_gain, key=lambda one: one.low)
    return min(by_gain, key=lambda one: one.high)


# --- verdicts -------------------------------------------------------------------------------------------------------


def by_counts(for_it: int, against: int, pools: int) -> str:
    """Supported, refuted, or open: by the numbers of pools.

    >>> by_counts(8, 1, 12), by_counts(8, 2, 12), by_counts(0, 2, 3), by_counts(2, 0, 2)
    ('supported', 'open', 'refuted', 'open')
    """
    if pools >= LEAST:
        if 3 * for_it >= 2 * pools and 10 * against <= pools:
            return SUPPORTED
        if 3 * against >= 2 * pools and 10 * for_it <= pools:
            return REFUTED
    return OPEN


_Made = tuple[str, str, str, Trend | None]


def _counted(test: GainTest | CostTest, votes: Sequence[Vote]) -> _Made:
    counts = Counter(vote.stand for vote in votes)
    f, a, n = counts[FOR], counts[AGAINST], len(votes)
    verdict, trend = by_counts(f, a, n), None
    if verdict == OPEN and min(f, a) >= 2 and (trend := _dependence(test, votes)):
        verdict = DEPENDS
    head = "" if not trend else f" the {FACTORS[trend.factor][0]}"
    sentence = (
        f"{verdict.capitalize()}{head}: of {_pools(n)} that can be compared {f or 'none'} {_stands(f)} for it"
        f" ({_phrase(test, FOR)}), {a or 'none'} against it ({_phrase(test, AGAINST)}), and {n - f - a or 'none'}"
        f" {'is' if n - f - a == 1 else 'are'} undecided."
    )
    if trend:
        sentence += f" {_split(trend, votes)}"
    return verdict, sentence, change(f, a, n, verdict, trend), trend


def _pools(count: int) -> str:
    return f"{count} pool{'' if count == 1 else 's'} of models"


def _stands(count: int) -> str:
    return "stands" if count == 1 else "stand"


def _phrase(test: GainTest | CostTest, stand: str) -> str:
    """What it means that a pool stands for the claim or against it."""
    margin = f"{test.margin} point{'' if test.margin == 1 else 's'}"
    one = len(test.methods) == 1 and "/" not in test.methods[0]
    if isinstance(test, CostTest):
        if stand == AGAINST:
            return f"wherever their thresholds are set, all save less or lose {margin} or more"
        return f"a method saves {test.saving} % or more of the best single model's cost and loses less than {margin}"
    over = BASELINES.get(test.against, test.against)
    turned = test.expect in ("not-better", "worse")
    positive = (stand == FOR) != turned
    if test.expect in ("better", "not-better"):
        is_, are = ("is clearly better than", "are clearly better than") if positive else (
            f"gains less than {margin} over", f"gain less than {margin} over"
        )  # fmt: skip
    else:
        is_, are = (f"loses less than {margin} to", f"lose less than {margin} to") if positive else (
            "is clearly worse than", "are clearly worse than"
        )  # fmt: skip
    if one:
        return f"{test.methods[0]} {is_} {over}"
    if test.pick == "any":
        return f"at least one method {is_} {over}" if stand == FOR else f"every method {is_} {over}"
    return f"most methods {are} {over}"


def _dependence(test: GainTest | CostTest, votes: Sequence[Vote]) -> Trend | None:
    """The factor that tells best which pools stand for the claim; None where none does."""
    trends = [trend for factor in test.depends if (trend := _trend(factor, votes, lambda vote: _VALUE[vote.stand]))]
    gains = holm([Gain(trend.correlation, 0.0, 0.0, trend.p, 0) for trend in trends])
    adjusted = [
        Trend(trend.factor, trend.correlation, gain.p_adjusted or trend.p, trend.pools)
        for trend, gain in zip(trends, gains, strict=True)
    ]
    best = min(adjusted, key=lambda trend: (trend.p, -abs(trend.correlation)), default=None)
    return best if best and best.p <= ERROR else None


def _trend(factor: str, votes: Sequence[Vote], value: Callable[[Vote], float]) -> Trend | None:
    """Rank correlation of a value of the pools with a factor, with the p of a permutation test; None where one of the
    two is the same everywhere or too few pools are known."""
    known = [vote for vote in votes if factor in vote.pool.factors]
    x, y = _ranks([v.pool.factors[factor] for v in known]), _ranks([value(v) for v in known])
    if len(known) < RELATED or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    drawn = np.random.default_rng(0).permuted(np.tile(y, (DRAWS, 1)), axis=1) @ x
    found = float(x @ y)
    p = (1 + int((np.abs(drawn) >= abs(found) - 1e-9).sum())) / (1 + DRAWS)
    return Trend(factor, found / len(known), p, len(known))


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Ranks, equal values at their mean."""
    array = np.array(values)
    below, level = (array[:, None] > array).sum(1), (array[:, None] == array).sum(1)
    ranks: NDArray[np.float64] = below + (level - 1) / 2
    return ranks


def cut(trend: Trend, votes: Sequence[Vote]) -> float:
    """The value of the factor that tells the pools apart best: those up to it stand on one side more often."""
    told = (vote for vote in votes if trend.factor in vote.pool.factors)
    known: list[tuple[float, float]] = sorted((vote.pool.factors[trend.factor], _VALUE[vote.stand]) for vote in told)
    places = [i for i in range(1, len(known)) if known[i - 1][0] < known[i][0]]

    def apart(place: int) -> float:
        low, high = ([value for _, value in part] for part in (known[:place], known[place:]))
        return float(abs(float(np.mean(low)) - float(np.mean(high))) * min(len(low), len(high)) ** 0.5)

    return known[max(places, key=apart) - 1][0]


def _split(trend: Trend, votes: Sequence[Vote]) -> str:
    edge = cut(trend, votes)

    def told(part: list[Vote]) -> str:
        counts = Counter(vote.stand for vote in part)
        f, a = counts[FOR], counts[AGAINST]
        return f"of {_pools(len(part))} {f or 'none'} {_stands(f)} for it and {a or 'none'} against"

    known = [vote for vote in votes if trend.factor in vote.pool.factors]
    low, high = (
        [vote for vote in known if (vote.pool.factors[trend.factor] <= edge) == side] for side in (True, False)
    )
    name = FACTORS[trend.factor][0]
    return f"Where the {name} is {edge:.3g} or less, {told(low)}; where it is more, {told(high)}. {_told(trend)}"


def _told(trend: Trend) -> str:
    correlation = f"{trend.correlation:+.2f}".replace("-", "−")
    return f"Rank correlation {correlation}, p {trend.p:.2g} by permutation, over {_pools(trend.pools)}."


def _related(test: RelationTest, votes: Sequence[Vote]) -> _Made:
    name, over = FACTORS[test.factor][0], BASELINES.get(test.against, test.against)
    trend = _trend(test.factor, votes, lambda vote: vote.gain)
    known = sum(test.factor in vote.pool.factors for vote in votes)
    what = f"the mean gain of {' and '.join(test.methods)} over {over}"
    more = f"{RELATED} pools whose {name} is known and differs are needed"
    if trend is None:
        return (
            OPEN,
            f"Open: {what} is known with the {name} in {_pools(known)}; {more}.",
            f"{more.capitalize()}.",
            None,
        )
    if trend.p > ERROR:
        sentence = f"Open: that {what} {test.expect} with the {name} cannot be told from chance. {_told(trend)}"
        return OPEN, sentence, f"A relation whose p over all pools is {ERROR} or less would decide it.", trend
    rises = "rises" if trend.correlation > 0 else "falls"
    verdict = SUPPORTED if rises == test.expect else REFUTED
    sentence = f"{verdict.capitalize()}: {what} {rises} with the {name}. {_told(trend)}"
    return verdict, sentence, f"It would be open again if p over all pools were above {ERROR}.", trend


# --- what would change it -------------------------------------------------------------------------------------------


def change(f: int, a: int, n: int, verdict: str, trend: Trend | None = None) -> str:
    """The fewest further pools that would give another verdict."""

    def first(after: Callable[[int], str], wanted: Callable[[str], bool]) -> int | None:
        return next((k for k in range(1, _MORE) if wanted(after(k))), None)

    more_for = first(lambda k: by_counts(f + k, a, n + k), lambda made: made == SUPPORTED)
    more_against = first(lambda k: by_counts(f, a + k, n + k), lambda made: made == REFUTED)
    if verdict == SUPPORTED:
        lost = first(lambda k: by_counts(f, a + k, n + k), lambda made: made != SUPPORTED)
        return f"It would no longer be supported if {_further(lost)} stood against it."
    if verdict == REFUTED:
        lost = first(lambda k: by_counts(f + k, a, n + k), lambda made: made != REFUTED)
        return f"It would no longer be refuted if {_further(lost)} stood for it."
    told = (
        f"It would be supported if {_further(more_for)} stood for it, and refuted if {_further(more_against)} against"
    )
    if trend:
        return f"{told}; it would be open if the {FACTORS[trend.factor][0]} did not tell the pools apart any more."
    return f"{told}."


def _further(count: int | None) -> str:
    return "very many further pools" if count is None else f"{count} further pool{'' if count == 1 else 's'}"
