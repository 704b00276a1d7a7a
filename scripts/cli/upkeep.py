"""The commands of the weekly upkeep: links, metrics, candidates. `register` puts them on the tool."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from reference_impls.cli.console import kept, say, showing, wrong_use
from scripts.checks import findings as forms
from scripts.cli.console import Report, load

if TYPE_CHECKING:
    from scripts.sources import Settings

JsonFile = Annotated[Path | None, typer.Option("--json", help="write a summary as JSON to this file")]
MarkdownFile = Annotated[
    Path | None, typer.Option("--markdown", help="write what asks for a look as Markdown; removed where nothing does")
]


def links(
    cache: Annotated[
        Path | None, typer.Option(help="what is known of every link; default build/cache/links.json")
    ] = None,
    identifiers: Annotated[
        bool,
        typer.Option(
            "--identifiers/--no-identifiers",
            help="also the pages of arXiv, DOI, Anthology and OpenReview that identifiers stand for",
        ),
    ] = False,
    pause: Annotated[float, typer.Option(min=0, help="seconds between two requests to a host")] = 1.0,
    workers: Annotated[int, typer.Option(min=1, max=32, help="how many hosts are asked at the same time")] = 8,
    form: Annotated[Report, typer.Option("--format", help="how findings are written")] = Report.text,
    json_file: JsonFile = None,
    markdown: MarkdownFile = None,
) -> None:
    """Ask for every link, one request at a time to a host. A run that was stopped goes on where it ended.

    A link is dead after failing in three runs a day or more apart; then the status is 1.
    """
    from reference_impls.safe.writing import write_json  # noqa: PLC0415
    from scripts.upkeep import link_report, link_state, prober  # noqa: PLC0415
    from scripts.upkeep import links as job  # noqa: PLC0415

    corpus = load()
    settings = _settings()
    try:
        state = link_state.State.load(cache or corpus.root / "build" / "cache" / "links.json")
    except link_state.StateError as error:
        raise wrong_use(str(error)) from error
    found = job.collect(corpus, identifiers=identifiers)
    state.forget(set(job.collect(corpus, identifiers=True)))
    with kept(lambda: "the answers so far are kept; the same command goes on from there"), say.status("") as status:
        run = job.check(found, state, prober.Prober(settings, pause), workers=workers, progress=showing(status))
    summary = link_report.Summary.of(found, state)
    findings = summary.findings()
    text = {Report.text: forms.as_text, Report.json: forms.as_json, Report.github: forms.as_github}[form](findings)
    if text:
        sys.stdout.write(text + "\n")
    if json_file:
        write_json(json_file, summary.as_json())
    worth = summary.groups["dead"] or summary.groups["moved"]
    _markdown(markdown, summary.as_markdown() if worth else "")
    told = ", ".join(f"{count} {name}" for name, count in summary.counts.items() if count)
    taken_up = " (taken up where the last run ended)" if run.taken_up else ""
    say.print(Text(f"{run.asked} links asked{taken_up}; of {len(found)}: {told or 'none known'}"))
    if run.offline:
        say.print(Text("atlas: no host answered at all. Is this machine offline? Nothing was counted"))
    raise typer.Exit(1 if run.offline or summary.groups["dead"] else 0)


def metrics(
    out: Annotated[Path | None, typer.Option(help="the file of figures; default papers/metrics.json")] = None,
    max_age: Annotated[int, typer.Option(min=0, help="figures of at most this many days are kept")] = 6,
    citations: Annotated[bool, typer.Option("--citations/--no-citations", help="ask for citation counts")] = True,
    repositories: Annotated[bool, typer.Option("--repositories/--no-repositories", help="ask GitHub")] = True,
    json_file: JsonFile = None,
    markdown: MarkdownFile = None,
) -> None:
    """Renew citation counts and facts of repositories in papers/metrics.json.

    GITHUB_TOKEN raises GitHub's limit from 60 to 5,000 requests an hour, ATLAS_OPENALEX_KEY that of OpenAlex. A
    source that is down is a note; its old figures stay, with their dates.
    """
    from reference_impls.safe.writing import write_json  # noqa: PLC0415
    from scripts.upkeep import metrics as job  # noqa: PLC0415

    corpus = load()
    path = out or corpus.root / job.FILE
    with kept(lambda: "the figures so far are kept; the same command asks for the others"), say.status("") as status:
        collector = job.Collector(corpus, job.client(_settings()), path, max_age=max_age, progress=showing(status))
        run = collector.collect(citations=citations, repositories=repositories)
    figures = collector.metrics
    if json_file:
        write_json(json_file, job.as_json(figures, run))
    _markdown(markdown, job.as_markdown(figures))
    for source, why in run.notes.items():
        say.print(Text(f"note: {source}: {why}"))
    say.print(
        Text(
            f"{run.renewed} figures renewed; {path} holds {len(figures.papers)} citation counts of"
            f" {len(corpus.papers)} papers and {len(figures.repositories)} repositories"
        )
    )


def candidates(
    days: Annotated[int, typer.Option(min=1, max=3650, help="papers submitted in the last so many days")] = 30,
    limit: Annotated[int, typer.Option(min=1, help="name at most so many")] = 30,
    at_least: Annotated[float, typer.Option(min=0, max=1, help="leave out those less like the entries")] = 0.1,
    form: Annotated[str, typer.Option("--format", help="text, json or markdown")] = "text",
    json_file: JsonFile = None,
    markdown: MarkdownFile = None,
) -> None:
    """Name new papers on arXiv that may belong here, the likest to the entries first.

    The queries stand in taxonomy/candidates.yml; what stands in taxonomy/refused.yml is not named. Status 1 where
    arXiv answered none of them.
    """
    import json  # noqa: PLC0415

    from reference_impls.safe.writing import write_json  # noqa: PLC0415
    from scripts.model.corpus import CorpusError  # noqa: PLC0415
    from scripts.sources import Client  # noqa: PLC0415
    from scripts.upkeep import candidates as job  # noqa: PLC0415

    if form not in ("text", "json", "markdown"):
        raise wrong_use(f"there is no format '{form}'; one of: text, json, markdown")
    corpus = load()
    try:
        queries, refusals = job.load_queries(corpus.root).queries, job.load_refusals(corpus.root)
    except CorpusError as error:
        raise wrong_use(str(error)) from error
    today = datetime.datetime.now(datetime.UTC).date()
    with say.status("") as status:
        found = job.search(
            Client(_settings(corpus.root / "build" / "cache" / "sources")),
            queries,
            today - datetime.timedelta(days=days),
            today,
            progress=showing(status),
        )
    for query, why in found.failed.items():
        say.print(Text(f"note: query '{query}' was not answered: {why}"))
    if queries and len(found.failed) == len(queries):
        raise typer.Exit(1)
    fresh = job.unknown(corpus, refusals, found.found)
    ranked = [one for one in job.rank(corpus.papers, fresh, found.by) if one.score >= at_least][:limit]
    if json_file:
        write_json(json_file, job.as_json(ranked, found.failed))
    _markdown(markdown, job.as_markdown(ranked, found.failed))
    if form == "json":
        sys.stdout.write(json.dumps(job.as_json(ranked, found.failed), indent=1) + "\n")
    elif ranked:
        sys.stdout.write((job.as_text(ranked) if form == "text" else job.as_markdown(ranked, found.failed)) + "\n")
    say.print(
        Text(
            f"{len(found.found)} papers found, {len(found.found) - len(fresh)} known or refused, {len(ranked)} named"
        )
    )


def recall(
    years: Annotated[str, typer.Option(help="years of the entries, apart by commas")] = "2025,2026",
    archive: Annotated[
        Path | None,
        typer.Option(help="preprints as JSON lines with id, title, summary, categories, date: abstracts and hits"),
    ] = None,
    since: Annotated[str, typer.Option(help="first day of the archive whose hits are counted")] = "",
    until: Annotated[str, typer.Option(help="last day of the archive whose hits are counted")] = "",
    missed: Annotated[bool, typer.Option("--missed", help="name the entries or papers that are not found")] = False,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", help="instead: a list of papers that others made, as Markdown; may be given again"),
    ] = None,
    without: Annotated[
        Path | None,
        typer.Option(help="keys of entries, one a line, that count as missing: they came after what is measured"),
    ] = None,
) -> None:
    """Measure the queries of taxonomy/candidates.yml: which core entries they find, at how many hits, in which order.

    Without an archive an entry's title and summary stand in for its abstract, which makes the share too low rather
    than too high, and hits cannot be counted. With --list, measure the entries instead: how many of the papers that
    a list names are here, by year, category and section of the list.
    """
    if lists:
        return _held(lists, without, missed=missed)
    from scripts.model.corpus import CorpusError  # noqa: PLC0415
    from scripts.upkeep import candidates as job  # noqa: PLC0415
    from scripts.upkeep import recall as measuring  # noqa: PLC0415

    corpus = load()
    try:
        wanted = [int(year) for year in years.split(",")]
        known = measuring.read_archive(archive) if archive else None
        window = (since, until or "9999") if known else None
        found = measuring.measure(corpus.papers, job.load_queries(corpus.root).queries, wanted, known, window)
    except (CorpusError, OSError, ValueError) as error:
        raise wrong_use(str(error)) from error
    if missed:
        sys.stdout.write("".join(f"{key}: {corpus.papers[key].title}\n" for key in found.missed))
    say.print(Text(found.as_text()))
    return None


def gaps(
    kind: Annotated[str, typer.Option(help="name the entries that have this gap")] = "",
) -> None:
    """Count what entries leave out that a source may hold: numbers, days, tracks, families, code, comparisons, ..."""
    from scripts.upkeep import gaps as job  # noqa: PLC0415

    found = job.find(load(), datetime.datetime.now(datetime.UTC).year)
    if kind and kind not in found:
        raise wrong_use(f"there is no gap '{kind}'; one of: {', '.join(found)}")
    if kind:
        sys.stdout.write("".join(f"{key}\n" for key in found[kind][1]))
    else:
        sys.stdout.write("".join(f"{name:<12}{len(keys):>5}  {told}\n" for name, (told, keys) in found.items()))


def _held(paths: list[Path], without: Path | None, *, missed: bool) -> None:
    """What the Atlas holds of lists that others made."""
    from scripts.model.corpus import CorpusError  # noqa: PLC0415
    from scripts.upkeep import candidates as job  # noqa: PLC0415
    from scripts.upkeep import lists as reading  # noqa: PLC0415

    corpus = load()
    try:
        listed = [one for path in paths for one in reading.read_list(path)]
        later = reading.read_keys(without, corpus) if without else frozenset()
        held = reading.hold(corpus, job.load_refusals(corpus.root), listed, later)
    except (CorpusError, OSError, ValueError) as error:
        raise wrong_use(str(error)) from error
    if missed:
        for one in held.missing:
            known = " ".join(f"{kind}:{value}" for kind, value in one.ids.items()) or "-"
            sys.stdout.write(f"{known}\t{one.year or '?'}\t{one.section}\t{one.title}\n")
    say.print(Text(held.as_text()))


def _markdown(path: Path | None, text: str) -> None:
    """Writes a report, or takes an earlier one away where there is nothing to tell."""
    from reference_impls.safe.writing import write_text  # noqa: PLC0415

    if path and text:
        write_text(path, text)
    elif path:
        path.unlink(missing_ok=True)


def _settings(cache: Path | None = None) -> Settings:
    from scripts.sources import Settings  # noqa: PLC0415

    try:
        return Settings.from_environment(cache=cache)
    except ValueError as error:
        raise wrong_use(f"a setting in the environment is unusable: {error}") from error


COMMANDS: dict[str, Callable[..., None]] = {
    "links": links,
    "metrics": metrics,
    "candidates": candidates,
    "recall": recall,
    "gaps": gaps,
}


def register(app: typer.Typer) -> None:
    """Puts the commands on the tool."""
    for name, command in COMMANDS.items():
        app.command(name)(command)
