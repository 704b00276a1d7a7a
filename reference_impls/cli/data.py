"""The commands over recorded answers of real LLMs: `data list`, `fetch`, `verify`, `check` and `export`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from reference_impls.cli.console import kept, say, wrong_use
from reference_impls.safe.terminal import one_line

if TYPE_CHECKING:  # at run time only when a command runs, so that `atlas validate` starts as fast as before
    from reference_impls.recorded import registry

data = typer.Typer(
    no_args_is_help=True, help="Recorded answers of real LLMs: list, fetch, verify, check and export them."
)
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[SOURCE]...", help="names of sources or recordings; default: all")
]


def register(app: typer.Typer) -> None:
    """Puts the group of commands on the tool."""
    app.add_typer(data, name="data")


@data.command("list")
def list_sources() -> None:
    """List the sources: recordings, licence, files, size, and whether they are in the cache folder."""
    from reference_impls.recorded import fetch, registry  # noqa: PLC0415

    cache = fetch.cache_folder()
    table = Table("source", "recordings", "licence", "files", "MB", "fetched", box=None)
    for source in registry.sources().values():
        there = [file for file in source.files if os.path.isfile(cache / source.folder / file.path)]  # noqa: PTH113
        size = sum(file.bytes for file in source.files) / 1e6
        state = "yes" if len(there) == len(source.files) else f"{len(there)} files" if there else "no"
        recordings = "\n".join(source.recordings)
        table.add_row(source.name, recordings, source.licence, str(len(source.files)), f"{size:.1f}", state)
    Console(highlight=False, width=None if sys.stdout.isatty() else 120).print(table)
    say.print(
        Text(f"Cache folder: {cache}. Fetch: atlas data fetch. Run: atlas run METHOD --benchmark recorded:NAME")
    )


@data.command("fetch")
def fetch_sources(names: Names = None) -> None:
    """Fetch the files of sources into the cache folder; what is there and right stays."""
    from reference_impls.recorded import fetch  # noqa: PLC0415

    chosen, cache = _chosen(names), fetch.cache_folder()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    failed = 0
    so_far = "what was fetched is kept; the same command goes on from there"
    with kept(lambda: so_far), Progress(*columns, console=Console(file=sys.stderr)) as bar:
        for source in chosen:
            task = bar.add_task(source.name, total=sum(file.bytes for file in source.files))
            done: dict[str, int] = {}

            def told(file: registry.SourceFile, have: int, task: TaskID = task, done: dict[str, int] = done) -> None:
                done[file.path] = have
                bar.update(task, completed=sum(done.values()))

            try:
                fetch.fetch(source, cache=cache, progress=told)
            except fetch.FetchError as error:
                failed += 1
                bar.console.print(Text(one_line(f"atlas: {source.name}: {error}")), soft_wrap=True)
    say.print(Text(f"{len(chosen) - failed} of {len(chosen)} sources are complete in {cache}"))
    raise typer.Exit(1 if failed else 0)


@data.command()
def verify(names: Names = None) -> None:
    """Hold the fetched files against the registry's sizes and checksums; a line for each that is missing or wrong."""
    from reference_impls.recorded import fetch  # noqa: PLC0415

    chosen, cache = _chosen(names), fetch.cache_folder()
    found = []
    for source in chosen:
        try:
            found += fetch.problems(source, cache)
        except fetch.FetchError as error:
            found.append(str(error))
    for line in found:
        sys.stdout.write(one_line(line) + "\n")
    files = sum(len(source.files) for source in chosen)
    say.print(Text(f"{files - len(found)} of {files} files are right in {cache}"))
    raise typer.Exit(1 if found else 0)


@data.command()
def export(
    recording: Annotated[str, typer.Argument(help="a recording's name (atlas data list)")],
    folder: Annotated[Path, typer.Argument(help="a new folder")],
) -> None:
    """Write a recording in the generic form: queries.jsonl, responses.jsonl and, with prices, models.yml."""
    from reference_impls.recorded import files  # noqa: PLC0415
    from reference_impls.recorded.readers import read_source  # noqa: PLC0415

    try:
        made = read_source(recording)
        files.save(made, folder)
    except ValueError as error:
        raise wrong_use(str(error)) from error
    say.print(Text(f"{len(made.queries)} queries, {len(made.responses)} responses in {folder}"))


@data.command()
def check(
    folder: Annotated[Path, typer.Argument(help="a recording's folder")],
    strict: Annotated[bool, typer.Option("--strict", help="stop at the first line that is wrong")] = False,
) -> None:
    """Hold a folder against the recorded form; a line for everything that is wrong, with how to mend it."""
    from reference_impls.recorded import files  # noqa: PLC0415

    found, made = files.problems(folder, 1 if strict else files.MOST_PROBLEMS)
    for line in found:
        sys.stdout.write(one_line(line) + "\n")
    if made is None:
        say.print(Text(f"{len(found)} wrong; what comes after that was not read"))
    else:
        held = f"{len(made.queries)} queries, {len(made.responses)} responses of {len(made.models)} models"
        beside = f", {len(made.calls)} calls of methods" if made.calls else ""
        say.print(Text(f"{held}{beside} are right, {len(found)} lines are wrong"))
    raise typer.Exit(1 if found else 0)


def _chosen(names: list[str] | None) -> list[registry.Source]:
    """The sources named, each once; status 2 where there is none of a name."""
    from reference_impls.recorded import registry  # noqa: PLC0415

    try:
        named = [registry.source(name) for name in names] if names else list(registry.sources().values())
    except ValueError as error:
        raise wrong_use(str(error)) from error
    return list({source.name: source for source in named}.values())
