"""Counters in Prometheus' text form. They are kept under the names that they are shown by (`State.counts`)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from functools import lru_cache

#: Upper ends of the buckets of seconds.
ENDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
PROCESSOR = "process_cpu_seconds_total"
#: What there is: its kind, and what it counts.
FAMILIES = {
    "atlas_requests_total": ("counter", "Requests by the model that answered and by their status."),
    "atlas_calls_total": ("counter", "Calls of models, failed ones included."),
    "atlas_call_failures_total": ("counter", "Calls that brought no answer."),
    "atlas_fallbacks_total": ("counter", "Requests that another model than the chosen one answered."),
    "atlas_cost_dollars_total": ("counter", "US dollars, as far as they are known."),
    "atlas_cost_unknown_total": ("counter", "Requests whose cost is not known."),
    "atlas_feedback_total": ("counter", "Scores that came for decisions."),
    "atlas_request_seconds": ("histogram", "Seconds until the answer was there."),
    "atlas_own_seconds": ("histogram", "Seconds of that in which no model was being waited for."),
    "atlas_requests_running": ("gauge", "Requests under way in this process."),
    PROCESSOR: ("counter", "Processor seconds of this process."),
}


@lru_cache(1 << 12)
def named(name: str, **labels: str) -> str:
    """A sample's name with its labels.

    >>> named("atlas_requests_total", model='a"b', status="ok")
    'atlas_requests_total{model="a\\\\"b",status="ok"}'
    """
    told = ",".join(
        '{}="{}"'.format(key, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for key, value in labels.items()
    )
    return f"{name}{{{told}}}" if told else name


def seconds(name: str, value: float) -> dict[str, float]:
    """What one duration adds to a histogram."""
    return dict.fromkeys(_buckets(name, bisect_left(ENDS, value)), 1.0) | {f"{name}_sum": value}


@lru_cache(1 << 8)
def _buckets(name: str, first: int) -> tuple[str, ...]:
    """What counts a duration that ends in the first of some buckets."""
    ends = [f"{end:g}" for end in ENDS[first:]] + ["+Inf"]
    return (*(named(f"{name}_bucket", le=end) for end in ends), f"{name}_count")


def text(counts: Mapping[str, float]) -> str:
    """All samples, those of one family together, under what the family is."""
    lines = []
    for family, (kind, about) in FAMILIES.items():
        lines += [f"# HELP {family} {about}", f"# TYPE {family} {kind}"]
        own = {n: v for n, v in counts.items() if n.partition("{")[0] in _parts(family, kind)}
        if kind == "histogram":  # a bucket that nothing has fallen into has no counter yet
            ends = [f"{end:g}" for end in ENDS] + ["+Inf"]
            names = [named(f"{family}_bucket", le=end) for end in ends] + [f"{family}_sum", f"{family}_count"]
            own = {name: own.get(name, 0.0) for name in names}
        lines += [f"{name} {value:.12g}" for name, value in own.items()]
    return "\n".join(lines) + "\n"


def _parts(family: str, kind: str) -> tuple[str, ...]:
    return (f"{family}_bucket", f"{family}_sum", f"{family}_count") if kind == "histogram" else (family,)
