"""The commands that make something of the data: `render`, `export`, `release`."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reference_impls.cli import gateways
from reference_impls.cli.console import say, wrong_use
from reference_impls.safe.folders import FolderError
from reference_impls.safe.writing import write_text
from scripts.cli.console import load
from scripts.exports import FORMATS
from scripts.model.corpus import CorpusError, find_root, no_search_for_cycles


def render(
    out: Annotated[Path | None, typer.Option(help="folder for Markdown and data; default build/docs")] = None,
) -> None:
    """Write the site's Markdown pages and data files."""
    from scripts.render import DEFAULT, render_atlas  # noqa: PLC0415  the other commands need none of it
    from scripts.results.reading import ResultError  # noqa: PLC0415

    try:
        root = find_root()
        report = render_atlas(root, out or root / DEFAULT)
    except (CorpusError, FolderError, ResultError) as error:
        raise wrong_use(str(error)) from error
    say.print(Text(f"{report.files} files in {report.out} ({report.written} written, {report.removed} removed)"))


def export(
    form: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT", help=f"one of: {', '.join(FORMATS)}; or a gateway: {', '.join(gateways.GATEWAYS)}"
        ),
    ],
    recommended: Annotated[Path | None, typer.Argument(help=gateways.RECOMMENDED, show_default=False)] = None,
    category: Annotated[str | None, typer.Option(help="only this stage (before) or category (before/...)")] = None,
    config: Annotated[Path, typer.Option(help=gateways.OF_GATEWAY)] = gateways.CONFIG,
    out: Annotated[Path | None, typer.Option(help="file to write; default: stdout")] = None,
) -> None:
    """Export all papers, or those of a stage or category; or what atlas recommend advises, for a gateway."""
    if form in gateways.GATEWAYS:
        gateways.write(form, recommended, config, out)
        return
    if form not in FORMATS:
        raise wrong_use(f"there is no format '{form}'; one of: {', '.join((*FORMATS, *gateways.GATEWAYS))}")
    if recommended is not None:
        raise wrong_use(f"{recommended}: only a gateway takes a recommendation ({', '.join(gateways.GATEWAYS)})")
    corpus = load()
    known = {full_id for full_id, _, _ in corpus.taxonomy} | {stage.id for stage in corpus.taxonomy.stages}
    if category and category not in known:
        raise wrong_use(f"there is no stage or category '{category}'; one of: {', '.join(sorted(known))}")
    papers = {
        key: paper
        for key, paper in corpus.papers.items()
        if not category or any(c == category or c.startswith(f"{category}/") for c in paper.categories)
    }
    with no_search_for_cycles():
        text = FORMATS[form](corpus, papers)
    if out:
        if not out.parent.is_dir():
            raise wrong_use(f"{out}: cannot be written: there is no folder {out.parent}")
        write_text(out, text)
        say.print(Text(f"{len(papers)} papers in {out}"))
    else:
        sys.stdout.write(text)


def release(
    out: Annotated[Path | None, typer.Option(help="folder for the release; default build/release")] = None,
    date: Annotated[str | None, typer.Option(help="day of the release, YYYY-MM-DD; default today")] = None,
) -> None:
    """Write a dated, checksummed data release: every format, the schema, the licence, how to cite it."""
    from scripts.exports.release import write_release  # noqa: PLC0415  only this command needs it

    try:
        day = datetime.date.fromisoformat(date) if date else datetime.datetime.now(datetime.UTC).date()
    except ValueError as error:
        raise wrong_use(f"'{date}' is no day; write YYYY-MM-DD") from error
    corpus = load()
    try:
        folder = write_release(corpus, out or corpus.root / "build" / "release", day)
    except FolderError as error:
        raise wrong_use(str(error)) from error
    sys.stdout.write(f"{folder}\n")


def register(app: typer.Typer) -> None:
    """Puts the commands on the tool."""
    for command in (render, export, release):
        app.command()(command)
