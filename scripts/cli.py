"""`atlas`: the one command-line tool over the data. Exit status 0 good, 1 findings, 2 wrong use."""

from __future__ import annotations

import datetime
import io
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reference_impls.safe.folders import FolderError
from reference_impls.safe.writing import write_text
from scripts import experiments, recorded, reproduce, upkeep, upkeep_jobs
from scripts.checks import findings as forms
from scripts.checks import validate as run_checks
from scripts.checks.duplicates import LIKELY, find_duplicates
from scripts.checks.findings import Level
from scripts.console import Commands, Report, existing, load, say, wrong_use
from scripts.exports import FORMATS
from scripts.model.canonical import canonical
from scripts.model.corpus import Entry, entry_files, find_root
from scripts.model.schema import schema_text
from scripts.model.yaml_reader import UnreadableError

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Check, write, export and render the LLM Ensemble Atlas.",
)
upkeep.register(app)
upkeep_jobs.register(app)
experiments.register(app)
recorded.register(app)
reproduce.register(app)


@app.callback()
def speak_utf8() -> None:
    """What is written is UTF-8 whatever the locale says; what no text can hold is spelt out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


Paths = Annotated[list[Path] | None, typer.Argument(help="files, folders or keys; default: all entries")]


@app.command()
def validate(
    paths: Paths = None,
    form: Annotated[Report, typer.Option("--format", help="how findings are written")] = Report.text,
) -> None:
    """Check every entry. Findings go to stdout, one a line: file:line:column: level\\[rule] message (repair)."""
    corpus = load()
    found = run_checks(corpus, existing(paths or []))
    text = {Report.text: forms.as_text, Report.json: forms.as_json, Report.github: forms.as_github}[form](found)
    if text:
        sys.stdout.write(text + "\n")
    counts = {level: sum(f.level == level for f in found) for level in Level}
    told = ", ".join(
        f"{count} {level}{'s' if count != 1 and level != 'info' else ''}" for level, count in counts.items()
    )
    say.print(Text(f"{len(corpus.entries)} entries: {told}"))
    raise typer.Exit(1 if counts[Level.ERROR] or counts[Level.WARNING] else 0)


@app.command()
def fmt(
    paths: Paths = None,
    check: Annotated[bool, typer.Option("--check", help="only tell which files would change")] = False,
) -> None:
    """Put entries into canonical form: key order, quoting, wrapping. Comments are kept.

    Of a folder outside papers/, what is no entry is left alone.
    """
    papers = find_root() / "papers"
    found = [(Entry.read(file), path) for path in existing(paths or [papers]) for file in _files(path)]
    entries = [entry for entry, named in found if entry.path == named or _is_entry(entry, papers)]
    changed = failed = 0
    for entry in entries:
        try:
            wanted = _canonical(entry, papers)
        except UnreadableError as error:
            failed += 1
            why = f"{entry.path}: left alone, {error.message} ({error.repair})"
            say.print(Text(forms.one_line(why)))
            continue
        if wanted != entry.text:
            if not check:
                write_text(entry.path, wanted)
            changed += 1
            sys.stdout.write(forms.one_line(f"{'would change' if check else 'changed'} {entry.path}") + "\n")
    say.print(Text(f"{len(entries)} files: {changed} {'to change' if check else 'changed'}, {failed} unreadable"))
    raise typer.Exit(1 if failed or (check and changed) else 0)


def _canonical(entry: Entry, papers: Path) -> str:
    """The canonical form of an entry's file; UnreadableError for any other file."""
    if entry.unreadable:
        raise entry.unreadable
    if not _is_entry(entry, papers):
        raise UnreadableError("not-an-entry", "this is no entry", "name files below papers/")
    return canonical(entry.text)


def _is_entry(entry: Entry, papers: Path) -> bool:
    """Whether a file is an entry: it lies below papers/, or has what every entry has."""
    if entry.path.resolve().is_relative_to(papers.resolve()):
        return True
    value = entry.document.value if entry.document else None
    return isinstance(value, dict) and {"title", "categories"} <= set(value)


def _files(path: Path) -> list[Path]:
    return entry_files(path) if path.is_dir() else [path]


@app.command()
def duplicates(
    threshold: Annotated[float, typer.Option(help="how alike titles must be, 0 to 100", min=50, max=100)] = LIKELY,
) -> None:
    """List pairs of entries that may be one paper, with the likeness of their titles."""
    pairs = find_duplicates(load().papers, threshold)
    table = Table("likeness", "entry", "entry", "common author", "common identifier", box=None)
    for pair in pairs:
        marks = ["yes" if mark else "no" for mark in (pair.shared_author, pair.shared_identifier)]
        table.add_row(f"{pair.score:.1f}", pair.first, pair.second, *marks)
    if pairs:
        Console(highlight=False).print(table)
    say.print(Text(f"{len(pairs)} likely duplicates"))
    raise typer.Exit(1 if pairs else 0)


@app.command()
def render(
    out: Annotated[Path | None, typer.Option(help="folder for Markdown and data; default build/docs")] = None,
) -> None:
    """Write the site's Markdown pages and data files."""
    from scripts.render import render_site  # noqa: PLC0415  Jinja is not needed by the other commands
    from scripts.render.reading import ResultError  # noqa: PLC0415
    from scripts.render.site import DEFAULT  # noqa: PLC0415

    corpus = load()
    try:
        report = render_site(corpus, out or corpus.root / DEFAULT)
    except (FolderError, ResultError) as error:
        raise wrong_use(str(error)) from error
    say.print(Text(f"{report.files} files in {report.out} ({report.written} written, {report.removed} removed)"))


@app.command()
def export(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=f"one of: {', '.join(FORMATS)}")],
    category: Annotated[str | None, typer.Option(help="only this stage (before) or category (before/...)")] = None,
    out: Annotated[Path | None, typer.Option(help="file to write; default: stdout")] = None,
) -> None:
    """Export all papers, or those of a stage or category."""
    if form not in FORMATS:
        raise wrong_use(f"there is no format '{form}'; one of: {', '.join(FORMATS)}")
    corpus = load()
    known = {full_id for full_id, _, _ in corpus.taxonomy} | {stage.id for stage in corpus.taxonomy.stages}
    if category and category not in known:
        raise wrong_use(f"there is no stage or category '{category}'; one of: {', '.join(sorted(known))}")
    papers = {
        key: paper
        for key, paper in corpus.papers.items()
        if not category or any(c == category or c.startswith(f"{category}/") for c in paper.categories)
    }
    text = FORMATS[form](corpus, papers)
    if out:
        if not out.parent.is_dir():
            raise wrong_use(f"{out}: cannot be written: there is no folder {out.parent}")
        write_text(out, text)
        say.print(Text(f"{len(papers)} papers in {out}"))
    else:
        sys.stdout.write(text)


@app.command()
def schema() -> None:
    """Write papers/schema.json from the model, the taxonomy and the vocabulary."""
    corpus = load()
    path = corpus.root / "papers" / "schema.json"
    write_text(path, schema_text(corpus.taxonomy, corpus.vocabulary))
    say.print(Text(f"wrote {path}"))


@app.command()
def release(
    out: Annotated[Path | None, typer.Option(help="folder for the release; default build/release")] = None,
    date: Annotated[str | None, typer.Option(help="day of the release, YYYY-MM-DD; default today")] = None,
) -> None:
    """Write a dated, checksummed data release: every format, the schema, the licence, how to cite it."""
    from scripts.release import write_release  # noqa: PLC0415  only this command needs it

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


if __name__ == "__main__":
    app()
