"""The command `reproduce`: published numbers and all methods on recorded answers. `register` puts it on the tool."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from reference_impls.cli.console import OUT, OUT_DEFAULT, kept, say, writable, wrong_use
from reference_impls.safe.terminal import one_line

if TYPE_CHECKING:
    from reference_impls.reproductions import Spent

# Small matrices, many processes: threads of the linear algebra only get in each other's way. Before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE]...", help="recordings or sources (atlas data list); default: all"),
    ] = None,
    jobs: Annotated[int, typer.Option(help="processes", min=1)] = 2,
    out: Annotated[Path | None, typer.Option(help=OUT, show_default=OUT_DEFAULT)] = None,
) -> None:
    """Recompute published numbers on recorded answers, and run every method that can run on them.

    One file a recording, in the folder `recorded` of the results; those that are up to date are skipped.
    """
    from reference_impls import reproductions  # noqa: PLC0415  only when it is needed
    from reference_impls.running import catalog, summary, workers  # noqa: PLC0415

    told_errors = (
        catalog.UnknownNameError,
        reproductions.NoDataError,
        summary.CannotWriteError,
        workers.WorkersError,
    )
    folder = writable(out / reproductions.RESULTS.name if out else reproductions.RESULTS)
    seconds = peak = 0.0
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    complete = 0

    def so_far() -> str:
        return f"{complete} recordings are complete and kept; the same command goes on with the others"

    with kept(so_far), Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task("reproduce", total=None)

        def told(done: int, total: int, label: str, spent: Spent) -> None:
            nonlocal seconds, peak, complete
            complete += label.endswith(": written")
            seconds, peak = seconds + spent.seconds, max(peak, spent.peak)
            bar.update(task, completed=done, total=total, description=label)

        try:
            written = reproductions.reproduce(names or [], jobs=jobs, folder=folder, progress=told)
        except told_errors as error:
            bar.stop()
            raise wrong_use(str(error)) from error
    taken = f" ({seconds:.0f} s of processor time, at most {peak:.0f} MB a process)" if seconds else ""
    say.print(Text(one_line(f"{len(written)} results are up to date in {folder}{taken}")))


def register(app: typer.Typer) -> None:
    """Puts the command on the tool."""
    app.command("reproduce")(reproduce)
