"""`atlas` as an engineer has it: look at a pool, run methods, fetch or import answers, reproduce published numbers.

A package that is installed beside may add commands of its own, as a checkout's tools over the data do: an entry point
of the group below names a mapping like `GROUPS`.

Exit status: 0 good, 1 findings, 2 wrong use.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points

import typer
from rich.text import Text

from reference_impls.cli.console import Commands, say
from reference_impls.safe import extras

# Small matrices, many processes: threads of the linear algebra only get in each other's way. Before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

#: The entry points of other packages.
ENTRY_POINTS = "llm_ensemble_atlas.groups"
#: Module -> the commands that its `register` puts on the tool. Only the modules of the command that is asked for are
#: loaded, so that it starts at once.
GROUPS = {
    "reference_impls.cli.methods": ("methods", "run", "bench"),
    "reference_impls.cli.data": ("data",),
    "reference_impls.cli.record": ("record",),
    "reference_impls.cli.importing": ("import",),
    "reference_impls.cli.preflight": ("preflight",),
    "reference_impls.cli.recommend": ("recommend",),
    "reference_impls.cli.evaluate_log": ("evaluate-log",),
    "reference_impls.cli.serve": ("serve", "decisions"),
    "reference_impls.cli.gateways": ("export",),
    "reference_impls.cli.reproduce": ("reproduce",),
    "reference_impls.cli.tracing": ("trace",),
}


def tool(groups: Mapping[str, tuple[str, ...]] = GROUPS, chosen: str | None = None) -> typer.Typer:
    """The tool with the chosen command; with all commands where no group has it, for a list of them or a slip."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Run and compare methods that combine several language models.",
    )
    app.callback()(speak_utf8)
    for module in [module for module, names in groups.items() if chosen in names] or groups:
        try:
            import_module(module).register(app)
        except ModuleNotFoundError as error:
            if (line := extras.told(error, f"the commands of {module} need")) is None:
                raise
            say.print(Text(f"atlas: {line}"))
    return app


def speak_utf8() -> None:
    """Run, compare and curate methods that combine several language models."""
    # What is written is UTF-8 whatever the locale says; what no text can hold is spelt out.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def start(groups: Mapping[str, tuple[str, ...]]) -> None:
    """Runs the command that the program's arguments name."""
    chosen = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    tool(groups, chosen)()


def main() -> None:
    """The installed script."""
    groups = dict(GROUPS)
    for point in entry_points(group=ENTRY_POINTS):
        groups |= point.load()
    start(groups)
