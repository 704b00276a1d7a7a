"""What must hold of every entry, and how to mend it where it does not."""

from scripts.checks.findings import Finding, Level
from scripts.checks.run import load_and_validate, validate

__all__ = ["Finding", "Level", "load_and_validate", "validate"]
