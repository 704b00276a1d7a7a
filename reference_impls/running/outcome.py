"""What a method has made of one query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reference_impls.core.meter import Usage


@dataclass(frozen=True, slots=True)
class Outcome:
    """A method's answer to one query, scored.

    Attributes:
        query_id, level: of the query.
        text: what the method returned.
        score: in [0, 1].
        usage: what it has cost.
        chosen: model and sample of the recorded response that the text is; None if the models were not recorded.
        tie: how the choice was made where the method's own rule left several: one of `core.choice.TIES`, else empty.
        unknown: fields of `usage` that a response the method asked for has no record of; their values say nothing.
    """

    query_id: str
    level: str
    text: str
    score: float
    usage: Usage
    chosen: tuple[str, int] | None = None
    unknown: frozenset[str] = frozenset()
    tie: str = ""

    def known(self, field: str) -> float:
        """A number of `usage`; nan where it is unknown."""
        return float("nan") if field in self.unknown else float(getattr(self.usage, field))

    def choice(self) -> Mapping[str, Any]:
        """The query's line in a file of choices; what is unknown is null."""
        usage = self.usage
        chosen = None if self.chosen is None else {"model": self.chosen[0], "sample": self.chosen[1]}
        return {
            "query_id": self.query_id,
            "called": list(usage.models),
            "chosen": chosen,
            "text": None if chosen else str(self.text),
            "score": self.score,
            "cost": None if "cost" in self.unknown else usage.cost,
            "latency": None if "latency" in self.unknown else usage.latency,
            "calls": usage.calls,
        }
