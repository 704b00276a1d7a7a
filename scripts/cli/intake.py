"""The commands that bring papers in and hold them against their sources. `register` puts them on the tool.

What they need of the network and of LaTeX is loaded when they run, so that `atlas validate` starts as fast as
before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from reference_impls.cli.console import kept, say, showing, wrong_use
from reference_impls.cli.importing import imports
from scripts.checks import findings as forms
from scripts.checks.findings import Finding, Level
from scripts.cli.console import Report, existing, load
from scripts.model import Corpus
from scripts.model.corpus import Entry, entry_files
from scripts.model.yaml_reader import Mark

if TYPE_CHECKING:
    from scripts.imports.bibtex import BibEntry, Remark
    from scripts.sources import Sources


def new(
    identifier: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="arXiv id, DOI, ACL Anthology id, OpenReview id, or an address of these"),
    ] = None,
    title: Annotated[str | None, typer.Option(help="the title as the paper writes it")] = None,
    author: Annotated[list[str] | None, typer.Option(help="'Given Family'; once for each author, in order")] = None,
    date: Annotated[str | None, typer.Option(help="first public version: YYYY, YYYY-MM or YYYY-MM-DD")] = None,
    category: Annotated[str | None, typer.Option(help="stage/category, the primary one")] = None,
    kind: Annotated[str | None, typer.Option(help="method, benchmark, application, system, survey, ...")] = None,
    name: Annotated[str | None, typer.Option(help="the method's short name")] = None,
    arxiv: Annotated[str | None, typer.Option(help="arXiv identifier")] = None,
    doi: Annotated[str | None, typer.Option(help="DOI")] = None,
    acl: Annotated[str | None, typer.Option(help="ACL Anthology identifier")] = None,
    openreview: Annotated[str | None, typer.Option(help="OpenReview identifier")] = None,
    code: Annotated[list[str] | None, typer.Option(help="address of the authors' code")] = None,
    second_opinions: Annotated[
        bool,
        typer.Option("--second-opinions/--no-second-opinions", help="ask other sources for venue and identifiers"),
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show the entry")] = False,
) -> None:
    """Write a stub entry: from ID with the source's own metadata, or offline from --title and --author.

    Options overrule what the sources say.
    """
    from scripts.imports import stubs  # noqa: PLC0415
    from scripts.imports.identify import IdentifyError, identify  # noqa: PLC0415
    from scripts.model.paper import Paper  # noqa: PLC0415

    if identifier is None and not (title and author):
        raise wrong_use("give an identifier (atlas new 2406.18665), or --title and --author")
    corpus = load()
    shelf = stubs.Shelf(corpus)
    given = {"arxiv": arxiv, "doi": doi, "acl": acl, "openreview": openreview}
    ids: dict[str, str] = {key: value for key, value in given.items() if value}
    fields: dict[str, object] = {}
    if identifier is not None:
        try:
            found = identify(identifier)
        except IdentifyError as error:
            raise wrong_use(str(error)) from error
        # an entry that is here already is named before anybody is asked
        probe = Paper.model_validate(
            {"title": "?", "kind": "method", "categories": ["?"], "ids": {found.kind: found.value}}
        )
        if twin := shelf.twin(probe):
            raise wrong_use(str(stubs.DuplicateError(twin, corpus.papers[twin].title)))
        fields = _looked_up(found, second_opinions=second_opinions)
        ids = {**dict(fields.get("ids") or {}), **ids}  # type: ignore[call-overload]
    options = {"title": title, "authors": author, "date": date, "name": name, "kind": kind}
    fields |= {key: value for key, value in options.items() if value}
    fields |= {"ids": ids} | ({"categories": [category]} if category else {})
    fields |= {"links": {"code": code}} if code else {}
    if "date" not in fields and arxiv:
        from scripts.model.identifiers import arxiv_month  # noqa: PLC0415

        fields["date"] = arxiv_month(arxiv)
    try:
        stub = shelf.make(fields)
        if not dry_run:
            stubs.write(stub)
    except stubs.StubError as error:
        raise wrong_use(str(error)) from error
    for doubt in stub.doubts:
        say.print(Text(f"note: {doubt}"))
    if stub.namesakes:
        say.print(Text(f"note: {', '.join(stub.namesakes)} has the same title: are these two papers?"))
    sys.stdout.write(stub.text if dry_run else f"{stub.path}\n")
    if not dry_run:
        key = stub.path.stem
        say.print(Text(f"Next: set categories, family and attributes, write the summary, run: atlas validate {key}"))


def _looked_up(identifier: tuple[str, str], *, second_opinions: bool) -> dict[str, object]:
    """The fields that the sources give; status 1 where the paper's own source does not."""
    from scripts.imports.identify import Identifier  # noqa: PLC0415
    from scripts.imports.lookup import describe  # noqa: PLC0415
    from scripts.sources import SourceError  # noqa: PLC0415

    try:
        described = describe(Identifier(*identifier), _sources(), second_opinions=second_opinions)
    except SourceError as error:
        say.print(Text(f"atlas: {error}. Try again later, or write the entry offline with --title, --author, --date"))
        raise typer.Exit(1) from error
    for note in described.notes:
        say.print(Text(f"note: {note}"))
    return described.fields


@imports.command("bibtex")
def import_bibtex(
    file: Annotated[Path, typer.Argument(help="a .bib file", exists=True, dir_okay=False, readable=True)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="write nothing, tell what would be written")] = False,
    category: Annotated[str | None, typer.Option(help="stage/category for all of them")] = None,
) -> None:
    """Write a stub for every paper of a .bib file. Duplicates are named and skipped; what is broken, was mended or is
    left out is named with its line and column.

    Status 1 where an entry was broken or could not be made an entry of the Atlas.
    """
    from scripts.imports import bibtex, stubs  # noqa: PLC0415

    try:
        found = bibtex.read(file.read_bytes())
    except (OSError, bibtex.BibtexError) as error:
        raise wrong_use(f"{file}: {error}") from error
    shelf = stubs.Shelf(load())
    remarks = {"bibtex-broken": found.broken, "bibtex-mended": found.mended, "bibtex-note": found.notes}
    things: list[tuple[int, int, str, Remark | BibEntry]] = [
        (thing.line, thing.column, rule, thing) for rule, told in remarks.items() for thing in told
    ]
    things += [(entry.line, entry.column, "", entry) for entry in found.entries]
    counts = dict.fromkeys(["written", *_BIBTEX_RULES], 0)

    def tell(rule: str, where: Remark | BibEntry, text: str) -> None:
        counts[rule] += 1
        _print_now(_told(file, where, rule, text).text())

    # each line is written when its entry is, so that a run that is stopped has told what it did
    for _, _, rule, thing in sorted(things, key=lambda item: item[:3]):
        if isinstance(thing, bibtex.Remark):
            tell(rule, thing, thing.text)
            continue
        fields = {**thing.fields, "name": stubs.name_in(thing.fields["title"])}
        try:
            stub = shelf.make({**fields, "categories": [category]} if category else fields)
            path = stub.path if dry_run else stubs.write(stub, durable=False)
        except stubs.IdentifierTakenError as error:
            tell("bibtex-unusable", thing, str(error))
            continue
        except stubs.DuplicateError as error:
            tell("bibtex-duplicate", thing, f"skipped: {error}")
            continue
        except stubs.StubError as error:
            tell("bibtex-unusable", thing, str(error))
            continue
        counts["written"] += 1
        _print_now(path.relative_to(shelf.corpus.root).as_posix())
        for doubt in stub.doubts:
            tell("bibtex-doubt", thing, doubt)
        if stub.namesakes:
            why = f"{stub.path.stem} has the title of {', '.join(stub.namesakes)}: are they two papers?"
            tell("bibtex-title", thing, why)
    if not dry_run and hasattr(os, "sync"):
        os.sync()  # once for all: waiting for the disk after each file takes a hundred times as long
    warned = counts["bibtex-mended"] + counts["bibtex-title"]
    say.print(
        Text(
            f"{counts['written']} {'would be written' if dry_run else 'written'}, "
            f"{counts['bibtex-duplicate']} here already, "
            f"{counts['bibtex-broken']} broken, {counts['bibtex-unusable']} unusable"
            + (f"; {warned} to look at" if warned else "")
        )
    )
    raise typer.Exit(1 if counts["bibtex-broken"] or counts["bibtex-unusable"] else 0)


_BIBTEX_RULES = {
    "bibtex-broken": (Level.ERROR, "correct it in the .bib file and import that again"),
    "bibtex-unusable": (Level.ERROR, "add it with: atlas new --title ... --author ..."),
    "bibtex-mended": (Level.WARNING, "compare the stub with the paper"),
    "bibtex-doubt": (Level.INFO, "mend the stub where the paper says otherwise"),
    "bibtex-title": (Level.WARNING, "nothing if they are, else remove the new one"),
    "bibtex-duplicate": (Level.INFO, "correct the existing entry if the .bib file knows better"),
    "bibtex-note": (Level.INFO, "nothing to do if it is meant so"),
}


def _print_now(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _told(file: Path, where: Remark | BibEntry, rule: str, text: str) -> Finding:
    level, repair = _BIBTEX_RULES[rule]
    message = f"{where.key}: {text}" if where.key else text
    return Finding(file.as_posix(), Mark(where.line, where.column), level, rule, message, repair)


def verify(
    paths: Annotated[list[Path] | None, typer.Argument(help="keys, files or folders; default: all entries")] = None,
    changed: Annotated[bool, typer.Option("--changed", help="the entries that this branch changes")] = False,
    base: Annotated[str | None, typer.Option(help="with --changed: the branch to compare with")] = None,
    form: Annotated[Report, typer.Option("--format", help="how findings are written")] = Report.text,
    write: Annotated[bool, typer.Option("--write/--no-write", help="put `checked` into entries that agree")] = True,
) -> None:
    """Hold entries against arXiv, Crossref, DataCite, the ACL Anthology, OpenReview and DBLP; one difference
    a line.

    Status 1 where something differs. A source that is down is a note and never a failure.
    """
    from scripts.upkeep.changes import ChangesError, changed_entries  # noqa: PLC0415
    from scripts.upkeep.verify import verify as hold  # noqa: PLC0415

    if changed and paths:
        raise wrong_use("give paths or --changed, not both")
    corpus = load()
    if changed:
        try:
            files = changed_entries(corpus.root, base)
        except ChangesError as error:
            raise wrong_use(str(error)) from error
    else:
        named = existing(paths) if paths else [corpus.root / "papers"]
        files = [file for path in named for file in (entry_files(path) if path.is_dir() else [path])]
    entries = [Entry.read(file.resolve()) for file in files]
    told = "every entry is as it was, or marked as checked; the answers so far are in the cache"
    with kept(lambda: told), say.status("") as status:
        report = hold(entries, corpus.root.resolve(), _sources(corpus), write=write, progress=showing(status))
    text = {Report.text: forms.as_text, Report.json: forms.as_json, Report.github: forms.as_github}[form](
        report.findings
    )
    if text:
        sys.stdout.write(text + "\n")
    for host, why in report.down.items():
        say.print(Text(f"note: no second opinion from {host}: {why}"))
    unread = sum(entry.paper is None for entry in entries)
    differ = len({finding.file for finding in report.findings if finding.level != Level.INFO})
    told = f"{report.held} entries held: {len(report.agreed)} agree, {differ} differ"
    told += f", {len(report.unasked)} with a source that was down" if report.unasked else ""
    told += f"; {unread} unreadable (atlas validate says why)" if unread else ""
    say.print(Text(told))
    raise typer.Exit(1 if differ else 0)


def _sources(corpus: Corpus | None = None) -> Sources:
    """Every source, set up from the environment, with the cache under build/."""
    from scripts.sources import Client, Settings, Sources  # noqa: PLC0415

    root = (corpus or load()).root
    try:
        settings = Settings.from_environment(cache=root / "build" / "cache" / "sources")
        return Sources.over(Client(settings))
    except ValueError as error:
        raise wrong_use(f"a setting in the environment is unusable: {error}") from error


COMMANDS: dict[str, Callable[..., None]] = {"new": new, "verify": verify}


def register(app: typer.Typer) -> None:
    """Puts the commands on the tool: `new`, `verify`, `import bibtex`."""
    for name, command in COMMANDS.items():
        app.command(name)(command)
    app.add_typer(imports, name="import")  # the engineer's own group, which has `bibtex` now
