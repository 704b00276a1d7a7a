"""The command over the claims of the field: `claims`."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer
from rich.text import Text

from reference_impls.cli.console import say, wrong_use
from reference_impls.safe.terminal import one_line
from scripts.cli.console import needing_taxonomy


def claims(
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; status 1 if a verdict is not logged")
    ] = False,
    date: Annotated[str | None, typer.Option(help="day of the verdicts: YYYY-MM-DD; default: today (UTC)")] = None,
) -> None:
    """Compute the verdicts on the claims of taxonomy/claims.yml from the results, and log those that changed."""
    from scripts.claims import Evidence, judge  # noqa: PLC0415  NumPy, which no other command over entries needs
    from scripts.claims.evidence import FOLDER  # noqa: PLC0415
    from scripts.claims.log import FILE, LogError, changed, read_log, updated, write_log  # noqa: PLC0415
    from scripts.model.claims import read_claims  # noqa: PLC0415
    from scripts.model.corpus import find_root  # noqa: PLC0415
    from scripts.results.reading import ResultError  # noqa: PLC0415

    day = _day(date)
    with needing_taxonomy():
        root = find_root()
    file = read_claims(root)
    if file.unreadable or file.errors:
        raise wrong_use(f"{file.path}: not every claim can be read (atlas validate tells what to mend)")
    try:
        log, evidence = read_log(root), Evidence(root / FOLDER)
    except (LogError, ResultError) as error:
        raise wrong_use(str(error)) from error
    judged = {name: judge(claim, evidence) for name, claim in file.claims.items()}
    for name, one in judged.items():
        counts = one.counts
        told = (
            f"{one.told:<28} {counts['for']:>3} for {counts['against']:>3} against {counts['undecided']:>3} undecided"
        )
        typer.echo(one_line(f"{told}  {name}"))
    new = changed(log, judged)
    for name in new:
        before = log[name][-1].verdict if log.get(name) else "new"
        say.print(Text(one_line(f"{name}: {before} -> {judged[name].told}")))
    if check:
        say.print(Text(f"{len(judged)} claims: {len(new)} verdicts are not in {FILE} (atlas claims writes them)"))
        raise typer.Exit(1 if new else 0)
    if new:
        try:
            write_log(root, updated(log, file.claims, judged, day))
        except OSError as error:
            raise wrong_use(f"{root / FILE}: cannot be written: {error.strerror or error}") from error
    say.print(Text(f"{len(judged)} claims: {len(new)} verdicts changed{f', written to {FILE}' if new else ''}"))


def _day(date: str | None) -> str:
    try:
        return (datetime.date.fromisoformat(date) if date else datetime.datetime.now(datetime.UTC).date()).isoformat()
    except ValueError as error:
        raise wrong_use(f"--date {date}: is no day (write YYYY-MM-DD)") from error


def register(app: typer.Typer) -> None:
    """Puts the command on the tool."""
    app.command()(claims)
