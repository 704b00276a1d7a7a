"""The repository's commands: over entries, to bring papers in, for the weekly upkeep, for the site.

One module a group. In a checkout `atlas` has them beside the engineer's (`reference_impls.cli`).
"""

from __future__ import annotations

import typer

from reference_impls.cli import tool
from scripts.cli import claims, entries, intake, site, upkeep


def register(app: typer.Typer) -> None:
    """Puts all of them on the tool."""
    for group in (entries, claims, site, intake, upkeep):
        group.register(app)


app = tool()
register(app)
