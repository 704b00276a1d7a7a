"""Verdicts on the claims of the field: what our own results hold of each, what follows, and the log of changes."""

from scripts.claims.evidence import Evidence
from scripts.claims.verdicts import Judged, judge

__all__ = ["Evidence", "Judged", "judge"]
