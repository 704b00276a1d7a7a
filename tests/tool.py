"""The tool with all commands of a checkout, for tests that run them in their own process."""

from reference_impls.cli import GROUPS as ENGINEERS
from reference_impls.cli import tool
from scripts.cli import GROUPS

app = tool({**ENGINEERS, **GROUPS})
