"""The command `trace`: what happened to one query, call by call and decision by decision. `register` puts it on the
tool.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reference_impls.cli.console import kept, say, writable, wrong_use
from reference_impls.cli.methods import pair, progress_bar, say_traces
from reference_impls.safe.terminal import one_line

# Small matrices, many processes: threads of the linear algebra only get in each other's way. Before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def trace(
    method: Annotated[str, typer.Argument(help="a method's name (atlas methods lists them)")] = "",
    benchmark: Annotated[
        str, typer.Option(help="a mini-benchmark; or recorded:NAME or recorded:FOLDER for recorded answers")
    ] = "",
    query: Annotated[str, typer.Option(help="a query's id, for instance qa/test/0000")] = "",
    pool: Annotated[
        str,
        typer.Option(
            help="a pool's name, or names of models with commas between",
            show_default="the built-in models; of recorded answers all models",
        ),
    ] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="a parameter: name=value; may be repeated")
    ] = None,
    seed: Annotated[int, typer.Option(help="of the method's random numbers")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="write it to this file; with --all the folder of results", show_default="standard output"),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="write three telling traces of each method, or of the one named, into the folder of results, where"
            " those that are there are not up to date",
        ),
    ] = False,
    jobs: Annotated[int, typer.Option(help="processes, with --all", min=1)] = 2,
) -> None:
    """Record what a method does with one query, as JSON: every call, decision and cost."""
    chosen = dict(pair(text) for text in settings or [])
    if every:
        if benchmark or query or pool or chosen or seed:
            raise wrong_use("--all chooses benchmark, query and pool itself, with default parameters")
        _all([method] if method else [], out, jobs)
        return
    if not (method and benchmark and query):
        raise wrong_use("name a method, --benchmark and --query; or --all for the telling traces of all methods")
    from reference_impls.running import setups  # noqa: PLC0415
    from reference_impls.running.summary import write_whole  # noqa: PLC0415
    from reference_impls.running.trace import trace as traced  # noqa: PLC0415

    try:
        [made] = traced(method, setups.setup(benchmark, pool=pool), [query], seed=seed, settings=chosen)
        text = json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False)
        if out is None:
            print(text)
        else:
            write_whole(f"{text}\n", out)
            say.print(Text(one_line(f"{len(made['events'])} events are written to {out}")))
    except ValueError as error:  # unknown names and unusable values; each message is one line
        raise wrong_use(str(error)) from error


def _all(methods: list[str], out: Path | None, jobs: int) -> None:
    """Brings the telling traces up to date; exit status 1 where a method's could not be made."""
    from reference_impls.running import summary, telling  # noqa: PLC0415

    folder = writable(out or summary.RESULTS)
    finished = "nothing was finished"

    with kept(lambda: finished), progress_bar() as bar:
        task = bar.add_task("trace", total=None)

        def told(done: int, total: int, name: str) -> None:
            nonlocal finished
            finished = f"{done} of {total} methods are finished and kept; the same command goes on from there"
            bar.update(task, completed=done, total=total, description=name)

        try:
            made, failed = telling.remake(methods, folder, jobs=jobs, progress=told)
        except ValueError as error:
            bar.stop()
            raise wrong_use(str(error)) from error
    say_traces(len(made), failed, folder / telling.FOLDER)
    if failed:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Puts the command on the tool."""
    app.command("trace")(trace)
