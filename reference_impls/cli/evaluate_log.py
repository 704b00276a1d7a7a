"""The command `evaluate-log`: what other policies would have scored, from a log of decisions. `register` puts it on
the tool.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reference_impls.cli.console import say, wrong_use
from reference_impls.safe.terminal import one_line

if TYPE_CHECKING:
    from reference_impls.core.model import Floats
    from reference_impls.measuring.off_policy import Estimate, Evaluation, Log

FINDINGS = 1


def evaluate_log(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="JSON lines, one decision each")],
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="logging, uniform, best-per-task, model:NAME or choices:FILE; may be repeated;"
            " default: all but files of choices"
        ),
    ] = None,
    strict: Annotated[bool, typer.Option(help="give up at the first malformed line")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the numbers as JSON")] = False,
) -> None:
    """Tell what other policies would have scored, from a log of decisions with their probabilities."""
    from reference_impls.cli import decision_log  # noqa: PLC0415  only when it is needed
    from reference_impls.measuring import off_policy  # noqa: PLC0415  only when it is needed

    try:
        held, wrong = decision_log.read(log, strict=strict)
    except ValueError as error:
        raise wrong_use(str(error)) from error
    for line in wrong:
        say.print(Text(one_line(f"left out: {line}")))
    names = policy or ["logging", "uniform", "best-per-task", *(f"model:{name}" for name in held.models)]
    found: dict[str, Evaluation | str] = {}
    for name in names:
        try:
            found[name] = off_policy.evaluate(held, _policy(held, name))
        except off_policy.SupportError as error:
            found[name] = str(error)
        except ValueError as error:  # an unknown policy or model, a malformed file of choices
            raise wrong_use(str(error)) from error
    if as_json:
        told = {
            "decisions": len(held.chosen), "left_out": len(wrong),
            "policies": {n: {"refused": e} if isinstance(e, str) else asdict(e) for n, e in found.items()},
        }  # fmt: skip
        print(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        _print(held, found, off_policy.FEW)
    if wrong or (policy and any(isinstance(one, str) for one in found.values())):
        raise typer.Exit(FINDINGS)


def _policy(log: Log, name: str) -> Floats:
    """The policy of a name.

    Raises:
        ValueError: there is none.
    """
    from reference_impls.cli import decision_log  # noqa: PLC0415
    from reference_impls.measuring import off_policy  # noqa: PLC0415

    made = {"logging": off_policy.logging, "uniform": off_policy.uniform, "best-per-task": off_policy.best_per_task}
    if name in made:
        return made[name](log)
    kind, _, rest = name.partition(":")
    if kind == "model":
        return off_policy.fixed(log, rest)
    if kind == "choices":
        return decision_log.choices(Path(rest), log)
    raise ValueError(f"--policy {name}: no such policy (one of {', '.join(made)}, model:NAME, choices:FILE)")


def _print(log: Log, found: dict[str, Evaluation | str], few: int) -> None:
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    table = Table(box=None)
    for column in ("policy", "IPS", "SNIPS", "doubly robust", "effective", "US dollars"):
        table.add_column(column)
    for name, one in found.items():
        if not isinstance(one, str):
            cells = [_cell(one.ips), _cell(one.snips), _cell(one.dr), Text(f"{one.effective:.1f}")]
            cost = "unknown" if one.cost.value is None else f"{one.cost.value:.4g}"
            table.add_row(Text(one_line(name)), *cells, cost)
    out.print(f"{len(log.chosen):,} decisions; 95 % intervals in brackets")
    out.print(table)
    for name, one in found.items():
        if isinstance(one, str):
            out.print(Text(one_line(f"{name}: refused: {one}")), soft_wrap=True)
        elif one.effective < few:
            told = f"{name}: fewer than {few} effective decisions: its intervals are too narrow"
            out.print(Text(one_line(told)), soft_wrap=True)


def _cell(one: Estimate) -> Text:
    if one.value is None:
        return Text("unknown")
    return Text(f"{one.value:.3f}" + ("" if one.low is None else f" [{one.low:.3f}, {one.high:.3f}]"))


def register(app: typer.Typer) -> None:
    """Puts the command on the tool."""
    app.command("evaluate-log")(evaluate_log)
