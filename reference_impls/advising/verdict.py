"""What to use: one model, unless a method is clearly better, or as good at clearly less cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference_impls.advising.comparisons import PER, Comparisons, Limits, Row
from reference_impls.advising.gains import Z, crossed, detectable, labels_needed
from reference_impls.measuring.comparison import BETTER

#: Shares of 1: how much worse "as good" may be, and how much less "clearly less" costs at least.
MARGIN, SAVED = 0.01, 0.1
#: Gains, in shares of 1, for which the number of labels is told.
GAINS = (0.01, 0.02, 0.05)


@dataclass(frozen=True)
class Power:
    """What the labels can tell.

    Attributes:
        queries: labelled ones.
        least: gain that they tell from chance four times in five; None where no method differs from the model.
        needed: gain -> labelled queries that would tell it.
        leading: the method of the largest gain that is not clear, where there is one above 0; its gain; and the
            labelled queries that would tell it.
    """

    queries: int
    least: float | None
    needed: dict[float, int]
    leading: tuple[str, float, int] | None


@dataclass(frozen=True)
class Verdict:
    """What to use.

    Attributes:
        kind: ``method``, ``model`` (one alone) or ``nothing`` (that keeps the limits).
        name: of the method or model; empty where there is nothing.
        why: ``better``, ``as good and cheaper``, ``default`` (nothing is clearly better) or ``limits``.
        sentences: the verdict in words, the first one the whole of it.
        power: what the labels can tell; None where there is nothing.
    """

    kind: str
    name: str
    why: str
    sentences: tuple[str, ...]
    power: Power | None


def decide(found: Comparisons, queries: int, limits: Limits, margin: float = MARGIN) -> Verdict:
    """The verdict on what was compared.

    Clearly better is what `measuring.comparison` calls so after the adjustment to all rows. Of several such rows it
    is, among those whose gain is within the margin of the largest, the cheapest. As good is an adjusted interval
    that ends above minus the margin; clearly cheaper, costs whose 95 % interval ends below nine tenths of the
    model's.

    Args:
        found: all rows.
        queries: how many are labelled.
        limits: as `found` was made with.
        margin: in shares of 1.
    """
    if found.model is None:
        return Verdict("nothing", "", "limits", _nothing(found, limits), None)
    baseline, usable = found.baseline, [row for row in found.rows if row.kind != "baseline" and not row.over]
    power = _power(usable, queries, found.tests)
    winners = [row for row in usable if row.gain.verdict == BETTER]
    if winners:
        largest = max(row.gain.mean for row in winners)
        near = [row for row in winners if row.gain.mean >= largest - margin]
        chosen = min(near, key=lambda row: (row.cost is None, row.cost or 0.0, -row.gain.mean))
        return Verdict(_kind(chosen), chosen.name, "better", (_better(chosen, found), *_beside(chosen, found)), power)
    saving = [row for row in usable if low(row) >= -margin and cheaper(row, baseline, found.folds)]
    if saving:
        chosen = min(saving, key=lambda row: (row.cost or 0.0, -row.score))
        said = (_cheaper(chosen, found, margin), *_beside(chosen, found))
        return Verdict(_kind(chosen), chosen.name, "as good and cheaper", said, power)
    return Verdict("model", found.model, "default", (_default(found, usable, margin), *_few(power)), power)


def low(row: Row) -> float:
    """The lower end of the adjusted interval."""
    return (row.gain.adjusted or (row.gain.low, row.gain.high))[0]


def cheaper(row: Row, baseline: Row, folds: int) -> bool:
    """Whether its costs lie below nine tenths of the baseline's, by their 95 % interval."""
    if row.cost is None or not baseline.cost:
        return False
    saved = row.tried.costs - (1 - SAVED) * baseline.tried.costs
    mean, error = crossed(saved, folds, learned=True)
    return mean + Z * error < 0


def _kind(row: Row) -> str:
    return "model" if row.kind == "model" else "method"


def _power(usable: list[Row], queries: int, tests: int) -> Power:
    methods = [row for row in usable if row.kind == "method" and row.gain.differ]
    if not methods:
        return Power(queries, None, {}, None)
    unclear = [row for row in methods if min(row.gain.mean, row.over_model) > 0 and row.gain.verdict != BETTER]
    leading = max(unclear, key=lambda row: min(row.gain.mean, row.over_model), default=None)
    told = None
    if leading is None:
        error = float(np.median([row.error for row in methods]))
    else:
        ahead, error = min(leading.gain.mean, leading.over_model), leading.error
        told = leading.name, ahead, labels_needed(ahead, queries, error, tests)
    needed = {gain: labels_needed(gain, queries, error, tests) for gain in GAINS}
    return Power(queries, detectable(error, tests), needed, told)


def points(share: float) -> str:
    """A gain in points with its sign."""
    return f"{100 * share:+.1f} points"


def _margin(share: float) -> str:
    return f"{100 * share:g} point{'' if round(100 * share, 9) == 1 else 's'}"


def times(row: Row, baseline: Row) -> str:
    """Its cost as a multiple of the baseline's, in words."""
    if row.cost is None or not baseline.cost:
        return "at a cost that is not known"
    return f"at {row.cost / baseline.cost:.2f} times its cost"


def _interval(row: Row) -> str:
    ends = row.gain.adjusted or (row.gain.low, row.gain.high)
    return f"95 % interval {100 * ends[0]:+.1f} to {100 * ends[1]:+.1f}, adjusted"


def _better(row: Row, found: Comparisons) -> str:
    what = f"Use {row.name} alone" if row.kind == "model" else f"Use {row.name}"
    return (
        f"{what}: {points(row.gain.mean)} over the best single model ({_interval(row)} to {found.tests} comparisons),"
        f" {times(row, found.baseline)}."
    )


def _cheaper(row: Row, found: Comparisons, margin: float) -> str:
    what = f"Use {row.name} alone" if row.kind == "model" else f"Use {row.name}"
    return (
        f"{what}: it is as good as the best single model within {_margin(margin)} ({points(row.gain.mean)},"
        f" {_interval(row)} to {found.tests} comparisons), {times(row, found.baseline)}."
    )


def _beside(row: Row, found: Comparisons) -> tuple[str, ...]:
    """What else one should know of what is advised."""
    told = []
    if found.model != row.name:
        told.append(
            f"Over {found.model}, the best single model in hindsight, it gains {points(row.over_model)}; the interval"
            " holds for both."
        )
    if row.name == "task-router":
        told.append("It has to be told the task of every query.")
    samples = found.row("best-samples", "method")
    if samples and samples.name != row.name:
        mean, error = crossed(row.tried.scores - samples.tried.scores, found.folds, learned=True)
        told.append(
            f"Over a vote among samples of the best model for the money of one answer of each model it gains"
            f" {points(mean)} (95 % interval {100 * (mean - Z * error):+.1f} to {100 * (mean + Z * error):+.1f})."
        )
    return tuple(told)


def _default(found: Comparisons, usable: list[Row], margin: float) -> str:
    methods = sum(row.kind == "method" for row in usable)
    if not methods:
        return f"Use one model: {found.model}. No method can be compared with it."
    tried = f"None of the {methods} methods" if methods > 1 else "The one method"
    held = "that fit" if not any(row.over for row in found.rows) else "that fit and keep the limits"
    is_ = "is" if methods > 1 else "that fits is not"
    subject = f"{tried} {held} {is_}" if methods > 1 else f"{tried} {is_}"
    return (
        f"Use one model: {found.model}. {subject} clearly better, nor as good within {_margin(margin)} at"
        " clearly less cost."
    )


def _few(power: Power) -> tuple[str, ...]:
    if power.least is None:
        return ()
    known = (
        f"With {power.queries:,} labelled queries a gain below {100 * power.least:.1f} points is not told from chance"
    )
    told = [f"{known} beside so many others."]
    if power.leading:
        name, gain, wanted = power.leading
        more = wanted - power.queries
        told.append(
            f"{name} leads by {100 * gain:.1f} points; about {more:,} more labelled queries would tell whether that"
            " is more than chance." if more > 0 else f"{name} leads by {100 * gain:.1f} points, which is not clear."
        )  # fmt: skip
    return tuple(told)


def _nothing(found: Comparisons, limits: Limits) -> tuple[str, ...]:
    asked = [
        *([f"{limits.cost:g} dollars for {PER:,} queries"] if limits.cost is not None else []),
        *([f"{limits.latency:g} s for 95 of 100 queries"] if limits.latency is not None else []),
    ]
    models = sorted((row for row in found.rows if row.kind == "model"), key=lambda row: (row.cost is None, row.cost))
    nearest = f"; {models[0].name}: {models[0].over}" if models else ""
    return (f"No model alone keeps the limits ({' and '.join(asked)}){nearest}.",)
