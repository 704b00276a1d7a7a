"""What must hold of every entry, and how to mend it where it does not."""

from scripts.checks.findings import Finding, Level
from scripts.checks.run import validate

__all__ = ["Finding", "Level", "validate"]
