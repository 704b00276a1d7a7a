"""The command `preflight`: what a pool of models has to offer, before any method is run. `register` puts it on the
tool.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from reference_impls.cli.console import wrong_use
from reference_impls.safe.terminal import one_line

if TYPE_CHECKING:
    from reference_impls.measuring.preflight import Preflight, Room

# Small matrices, many processes: threads of the linear algebra only get in each other's way. Before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def preflight(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCHMARK",
            help="a mini-benchmark's name; or recorded:NAME or recorded:FOLDER for recorded answers"
            " (atlas data list names the sources)",
        ),
    ],
    pool: Annotated[
        str,
        typer.Option(
            help="a pool's name, or names of models with commas between",
            show_default="the built-in models; of recorded answers all models",
        ),
    ] = "",
    points: Annotated[
        list[float] | None,
        typer.Option(help="a gain, in points, for which labels are counted; may be repeated; default: 1, 2 and 5"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the numbers as JSON")] = False,
) -> None:
    """Tell what a pool of models has to offer, before any method is run: headroom, shared errors, labels needed."""
    from reference_impls.measuring.preflight import needed  # noqa: PLC0415  only when it is needed

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    if wrong := [one for one in points or () if not 0 < one < 100]:
        raise wrong_use(f"--points {wrong[0]:g}: a gain lies between 0 and 100 points")
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(one_line(benchmark), total=None)

        def told(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=one_line(f"{name} alone"))

        try:
            found = look(benchmark, pool, told)
        except ValueError as error:  # unknown names, files that are not there; each message is one line
            bar.stop()
            raise wrong_use(str(error)) from error
    if points:
        found = replace(found, needed={one / 100: needed(one / 100, found.differ) for one in points})
    if as_json:
        print(json.dumps(found.json(), indent=1, ensure_ascii=False, allow_nan=False))
        return
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    out.print(_numbers(found))
    if len(found.models) > 1:
        out.print(_together(found))
    out.print(Text(one_line(found.sentence())), soft_wrap=True)


def look(benchmark: str, pool: str, progress: Callable[[int, int, str], None] | None = None) -> Preflight:
    """The preflight of what the names of a benchmark and a pool stand for.

    Raises:
        ValueError: a name that does not exist, or scores that are not there: one line.
    """
    import numpy as np  # noqa: PLC0415  only when it is needed

    from reference_impls.measuring import alone  # noqa: PLC0415
    from reference_impls.recorded.benchmark import RecordedBenchmark  # noqa: PLC0415
    from reference_impls.reproductions.base import all_tested  # noqa: PLC0415
    from reference_impls.reproductions.play import pool_preflight  # noqa: PLC0415
    from reference_impls.running import catalog, setups  # noqa: PLC0415

    if not benchmark.startswith(catalog.RECORDED):
        return alone.survey(setups.setup(benchmark, pool=pool), progress)
    recording = catalog.recording(benchmark.removeprefix(catalog.RECORDED))
    names = tuple(dict.fromkeys(pool.split(","))) if pool else recording.models
    recording.only(names)  # names the nearest of a model that is not there
    if np.isnan(recording.scores).all():  # answers and references may tell what scores do not
        return alone.survey(RecordedBenchmark(all_tested(recording), names), progress)
    return pool_preflight(recording, names)


def _numbers(found: Preflight) -> Table:
    """The models, what is above the best of them, and what it takes to tell."""
    table = Table(box=None, show_header=False)
    table.add_row("queries", f"{found.queries:,}")
    for i in sorted(range(len(found.models)), key=lambda i: -found.scores[i]):
        cost = f", {found.costs[i]:.4g} US dollars a query" if found.costs else ""
        table.add_row(Text(one_line(found.models[i])), f"{found.scores[i]:.3f}{cost}")
    one = "unknown: all queries are of one task" if found.tasks < 2 else "unknown: too few queries a task"
    for label, room, why in (
        ("oracle", found.oracle, ""), ("plurality", found.plurality, "unknown: no answers can be compared"),
        ("best model of each task, in hindsight", found.task_hindsight, one),
        ("best model of each task, chosen on half", found.task_chosen, one),
    ):  # fmt: skip
        table.add_row(label, why if room is None else _above(room))
    together = "unknown" if found.mean_correlation is None else f"{found.mean_correlation:+.2f}"
    worth = "unknown" if found.effective is None else f"{found.effective:.1f} of {len(found.models)}"
    table.add_row("mean correlation of errors", together)
    table.add_row("effective number of independent models", worth)
    table.add_row("agreement of two responses", f"{found.agreement:.1%}")
    table.add_row("queries on which not all agree", f"{found.disagree:.1%}")
    for gain, count in found.needed.items():
        table.add_row(f"labels to find a gain of {100 * gain:g} points", f"{count:,} queries (power .8, 5 % error)")
    return table


def _above(room: Room) -> str:
    return f"{room.score:.3f} ({room.gain:+.3f}, 95 % interval {room.low:+.3f} to {room.high:+.3f})"


def _together(found: Preflight) -> Table:
    """The correlation of errors in per cent; models are numbered, so that the table stays narrow."""
    table = Table(box=None, title="correlation of errors, in per cent", title_justify="left")
    table.add_column(no_wrap=True, overflow="ellipsis", min_width=12)
    for i in range(len(found.models)):
        table.add_column(str(i + 1), justify="right", no_wrap=True)
    for i, (name, row) in enumerate(zip(found.models, found.correlation, strict=True)):
        cells = ["" if i == j else "?" if value is None else f"{100 * value:.0f}" for j, value in enumerate(row)]
        table.add_row(Text(one_line(f"{i + 1} {name}")), *cells)
    return table


def register(app: typer.Typer) -> None:
    """Puts the command on the tool."""
    app.command("preflight")(preflight)
