"""`atlas` as an engineer has it: look at a pool, run methods, fetch or import answers, reproduce published numbers.

A package that is installed beside may add commands of its own, as a checkout's tools over the data do.

Exit status: 0 good, 1 findings, 2 wrong use.
"""

from __future__ import annotations

import io
import sys
from importlib.metadata import entry_points

import typer
from rich.text import Text

from reference_impls.cli import (
    data,
    evaluate_log,
    gateways,
    importing,
    methods,
    preflight,
    recommend,
    record,
    reproduce,
    serve,
    tracing,
)
from reference_impls.cli.console import Commands, say
from reference_impls.safe import extras

#: Entry points of this group are called with the tool and put their commands on it.
GROUP = "llm_ensemble_atlas.commands"


def tool() -> typer.Typer:
    """The tool with the engineer's commands."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Run and compare methods that combine several language models.",
    )
    app.callback()(speak_utf8)
    for group in (
        methods, data, record, importing, preflight, recommend, evaluate_log, serve, gateways, reproduce, tracing,
    ):  # fmt: skip
        group.register(app)
    return app


def speak_utf8() -> None:
    """Run, compare and curate methods that combine several language models."""
    # What is written is UTF-8 whatever the locale says; what no text can hold is spelt out.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main() -> None:
    """The installed script."""
    app = tool()
    for point in entry_points(group=GROUP):
        try:
            point.load()(app)
        except ModuleNotFoundError as error:
            if (line := extras.told(error, f"the commands of {point.value} need")) is None:
                raise
            say.print(Text(f"atlas: {line}"))
    app()
