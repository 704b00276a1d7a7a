"""The commands over entries: `validate`, `fmt`, `duplicates`, `schema`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reference_impls.cli.console import say
from reference_impls.safe.terminal import one_line
from reference_impls.safe.writing import write_text
from scripts.checks import findings as forms
from scripts.checks import load_and_validate
from scripts.checks.duplicates import LIKELY, find_duplicates
from scripts.checks.findings import Level
from scripts.checks.halves import in_halves
from scripts.cli.console import Report, existing, load, needing_taxonomy
from scripts.model.canonical import canonical
from scripts.model.corpus import entry_files, find_root
from scripts.model.schema import schema_text
from scripts.model.yaml_reader import UnreadableError, parse, read_text

Paths = Annotated[list[Path] | None, typer.Argument(help="files, folders or keys; default: all entries")]


def validate(
    paths: Paths = None,
    form: Annotated[Report, typer.Option("--format", help="how findings are written")] = Report.text,
) -> None:
    """Check every entry. Findings go to stdout, one a line: file:line:column: level\\[rule] message (repair)."""
    chosen = existing(paths or [])
    with needing_taxonomy():
        corpus, found = load_and_validate(find_root(), chosen)
    text = {Report.text: forms.as_text, Report.json: forms.as_json, Report.github: forms.as_github}[form](found)
    if text:
        sys.stdout.write(text + "\n")
    counts = {level: sum(f.level == level for f in found) for level in Level}
    told = ", ".join(
        f"{count} {level}{'s' if count != 1 and level != 'info' else ''}" for level, count in counts.items()
    )
    say.print(Text(f"{len(corpus.entries)} entries: {told}"))
    raise typer.Exit(1 if counts[Level.ERROR] or counts[Level.WARNING] else 0)


def fmt(
    paths: Paths = None,
    check: Annotated[bool, typer.Option("--check", help="only tell which files would change")] = False,
) -> None:
    """Put entries into canonical form: key order, quoting, wrapping. Comments are kept.

    Of a folder outside papers/, what is no entry is left alone.
    """
    papers = find_root() / "papers"
    files = [(file, file == path) for path in existing(paths or [papers]) for file in _files(path)]
    entries = [entry for part in in_halves(partial(_in_order, papers.resolve()), files) for entry in part]
    changed = failed = 0
    for path, wanted in entries:
        if isinstance(wanted, UnreadableError):
            failed += 1
            say.print(Text(one_line(f"{path}: left alone, {wanted.message} ({wanted.repair})")))
        elif wanted is not None:
            if not check:
                write_text(path, wanted)
            changed += 1
            sys.stdout.write(one_line(f"{'would change' if check else 'changed'} {path}") + "\n")
    say.print(Text(f"{len(entries)} files: {changed} {'to change' if check else 'changed'}, {failed} unreadable"))
    raise typer.Exit(1 if failed or (check and changed) else 0)


def _in_order(papers: Path, files: list[tuple[Path, bool]]) -> list[tuple[Path, str | UnreadableError | None]]:
    """The entries among some files, each with its canonical text where it has another one, or why there is none.

    `files` come with whether each was named by itself; what is found in a folder outside `papers` may be no entry."""
    found: list[tuple[Path, str | UnreadableError | None]] = []
    for file, named in files:
        below = file.resolve().is_relative_to(papers)
        try:
            text = read_text(file)
            document = parse(text)
            # an entry lies below papers/, or has what every entry has
            if below or (isinstance(document.value, dict) and {"title", "categories"} <= set(document.value)):
                wanted = canonical(text, document)
                found.append((file, None if wanted == text else wanted))
            elif named:
                found.append((file, UnreadableError("not-an-entry", "this is no entry", "name files below papers/")))
        except UnreadableError as error:
            if below or named:
                found.append((file, error))
    return found


def _files(path: Path) -> list[Path]:
    return entry_files(path) if path.is_dir() else [path]


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


def schema() -> None:
    """Write papers/schema.json from the model, the taxonomy and the vocabulary."""
    corpus = load()
    path = corpus.root / "papers" / "schema.json"
    write_text(path, schema_text(corpus.taxonomy, corpus.vocabulary))
    say.print(Text(f"wrote {path}"))


def register(app: typer.Typer) -> None:
    """Puts the commands on the tool."""
    for command in (validate, fmt, duplicates, schema):
        app.command()(command)
