"""The command `recommend`: what to use of the models that a recording holds. `register` puts it on the tool."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from reference_impls.cli.console import kept, say, writable, wrong_use
from reference_impls.safe.terminal import one_line

if TYPE_CHECKING:
    from reference_impls.advising.comparisons import Row
    from reference_impls.advising.recommend import Advice

# Small matrices, many processes: threads of the linear algebra only get in each other's way. Before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
#: Beside what can be served (`serving.saved`).
REPORT = "report.json"


def recommend(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="a folder that atlas record or atlas import wrote, or the name of a public recording"
            " (atlas data list)",
        ),
    ],
    pool: Annotated[
        str, typer.Option(help="names of models with commas between", show_default="all of the recording")
    ] = "",
    method: Annotated[
        list[str] | None, typer.Option(help="try only this one; may be repeated; default: all that fit")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="most US dollars for 1,000 queries, in the mean", min=0)
    ] = None,
    max_latency: Annotated[
        float | None, typer.Option(help="most seconds for 95 of 100 queries, calls side by side", min=0)
    ] = None,
    margin: Annotated[
        float, typer.Option(help="points that something cheaper may be worse and still count as as good", min=0)
    ] = 1.0,
    folds: Annotated[int, typer.Option(help="of the cross-validation", min=2)] = 5,
    repeats: Annotated[
        int | None, typer.Option(help="how often it is repeated", min=1, show_default="5; 1 above 3,000 queries")
    ] = None,
    seed: Annotated[int, typer.Option(help="of the folds and of the methods' random numbers", min=0)] = 0,
    jobs: Annotated[int, typer.Option(help="processes", min=1)] = min(2, os.cpu_count() or 1),
    scheduler: Annotated[
        str, typer.Option(help="address of a dask scheduler, tcp://HOST:PORT, whose workers have the Atlas installed")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="folder of what is written", show_default="DATA with -advice at its end")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the numbers as JSON")] = False,
) -> None:
    """Tell what to use: one model, unless a method is clearly better, or as good at clearly less cost."""
    from reference_impls.advising import recommend as advising  # noqa: PLC0415  only when it is needed
    from reference_impls.advising import report  # noqa: PLC0415
    from reference_impls.advising.comparisons import Limits  # noqa: PLC0415
    from reference_impls.running import catalog  # noqa: PLC0415
    from reference_impls.safe.writing import write_json, write_text  # noqa: PLC0415

    name = data.removeprefix(catalog.RECORDED)
    folder = writable(out or _beside(name))
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with kept(lambda: "nothing was written"), Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(one_line(name), total=None)

        def told(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, description=one_line(label))

        try:
            recording = catalog.recording(name)
            found = advising.recommend(
                recording,
                models=pool.split(",") if pool else (),
                methods=method or (),
                limits=Limits(max_cost, max_latency),
                margin=margin / 100,
                folds=folds,
                repeats=repeats,
                seed=seed,
                jobs=jobs,
                scheduler=scheduler,
                progress=told,
            )
        except ValueError as error:  # each message is one line
            bar.stop()
            raise wrong_use(str(error)) from error
    write_json(folder / REPORT, found.json())
    file, why_not = _save(found, folder)
    page = report.report(found, saved="" if why_not else file.name, why_not=why_not)
    write_text(folder / report.NAME, page)
    if as_json:
        print(json.dumps(found.json(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        _tell(found)
    say.print(Text(one_line(f"written: {folder / report.NAME} and {REPORT}")))
    if why_not:
        say.print(Text(one_line(f"atlas: nothing to serve was written: {why_not}")))
    else:
        say.print(Text(one_line(f"written: {file}; serve it: atlas serve {file} --config atlas.yml")))


def _save(found: Advice, folder: Path) -> tuple[Path, str]:
    """Writes what is advised, learned from all labelled queries, so that it can be served; the file, and why there is
    none. What an earlier run has written is no longer what is advised, and goes.
    """
    from reference_impls.serving import saved  # noqa: PLC0415

    file, verdict = folder / saved.NAME, found.verdict
    why = "nothing is advised"
    if verdict.kind != "nothing":
        alone = verdict.kind == "model"
        try:
            saved.save(saved.learn(verdict.name, found.data.recording, found.data.models, alone=alone), file)
        except ValueError as error:
            why = str(error)
        else:
            return file, ""
    for old in (file, file.with_suffix(".npz")):
        old.unlink(missing_ok=True)
    return file, why


def _beside(name: str) -> Path:
    """The folder of an advice: beside a recording, as `atlas record` keeps strangers' files out of its own."""
    path = Path(name)
    if path.is_dir():
        path = path.resolve()
        return path.with_name(f"{path.name}-advice")
    return Path(f"{path.name or 'atlas'}-advice")


def _tell(found: Advice) -> None:
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    for sentence in found.verdict.sentences:
        out.print(Text(one_line(sentence)), soft_wrap=True)
    out.print(Text(one_line(_how(found))), soft_wrap=True)
    table = Table("", box=None)
    for title in ("score", "gain", "95 % interval", "", "$ / 1,000", "seconds (median, 95 %)", "calls"):
        table.add_column(title, justify="left" if title == "" else "right", no_wrap=True)
    for row in [*found.found.rows, found.found.baseline]:
        table.add_row(*_cells(row))
    out.print(table)
    for note in found.notes:
        out.print(Text(one_line(note)), soft_wrap=True)
    if found.left_out:
        count = len(found.left_out)
        out.print(f"{count} methods were not compared:" if count > 1 else "One method was not compared:")
        for name, why in found.left_out.items():
            out.print(Text(one_line(f"  {name}: {why}")), soft_wrap=True)


def _how(found: Advice) -> str:
    return (
        f"{len(found.data):,} labelled queries, {len(found.data.models)} models; {found.folds} folds, repeated"
        f" {found.repeats} times; gains over the best single model, intervals adjusted to {found.found.tests}"
        " comparisons."
    )


def _cells(row: Row) -> tuple[Text, ...]:
    low, high = row.gain.adjusted or (row.gain.low, row.gain.high)
    verdict = f"over the limit: {row.over}" if row.over else "" if row.kind == "baseline" else row.gain.verdict
    name = f"always {row.name}" if row.kind == "model" else row.name
    seconds = [row.latency(0.5), row.latency(0.95)]
    return tuple(
        Text(one_line(cell))
        for cell in (
            name,
            f"{row.score:.3f}",
            f"{100 * row.gain.mean:+.1f}",
            f"{100 * low:+.1f} to {100 * high:+.1f}",
            verdict,
            "unknown" if row.cost is None else f"{1000 * row.cost:.4g}",
            "unknown" if None in seconds else f"{seconds[0]:.2f}, {seconds[1]:.2f}",
            f"{row.tried.calls.mean():.2f}",
        )
    )


def register(app: typer.Typer) -> None:
    """Puts the command on the tool."""
    app.command("recommend")(recommend)
