"""What `atlas record` finds out about models: all of it with ``--probe``, and before a run what the run needs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reference_impls.cli.console import kept, say
from reference_impls.safe.terminal import one_line

if TYPE_CHECKING:  # at run time only when the command runs
    from reference_impls.core.model import Price
    from reference_impls.core.registry import MethodInfo
    from reference_impls.recording.config import Config, ModelConfig
    from reference_impls.recording.plan import Estimate
    from reference_impls.recording.prompts import Prompt
    from reference_impls.recording.store import Store

#: Columns of the table after the limit, and the field of `recording.probing.Found` that each shows.
_TITLES = {
    "temperature": "temperature", "seed": "seed", "logprobs": "log-probabilities", "samples": "n > 1",
    "billed": "usage", "reasons": "thoughts", "priced": "cost", "streams": "streams", "streams_bill": "with usage",
    "scores": "echo",
}  # fmt: skip


def cap(read: Config) -> str:
    return "no budget is set" if read.budget is None else f"of at most {read.budget.usd:g}"


def _limit(read: Config) -> float | None:
    return None if read.budget is None else read.budget.usd


def told(read: Config, priced: Mapping[str, Price | None], store: Store) -> typer.Exit:
    """Prints what every model can, and which methods that leaves out; the command's end, to be raised."""
    from reference_impls.core.registry import NEEDS  # noqa: PLC0415
    from reference_impls.recording.probing import probe  # noqa: PLC0415
    from reference_impls.running import catalog  # noqa: PLC0415

    found = asyncio.run(probe([(model, priced[model.name]) for model in read.models], store, _limit(read)))
    table = Table("model", "limit", box=None)
    for title in _TITLES.values():
        table.add_column(title)
    for name, one in found.items():
        words = {None: "?", True: "yes", False: "no"}
        table.add_row(Text(one_line(name)), one.limit or "?", *(words[getattr(one, key)] for key in _TITLES))
    Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 160).print(table)
    for name, one in found.items():
        if one.said:
            say.print(Text(one_line(f"atlas: {name} does not answer: {one.said}")))
    asked = {model.name for model in read.models if model.pool}
    for need in ("logprobs", "scoring"):
        without = [
            name for name, one in found.items() if name in asked and not one.said and one.gives()[need] is False
        ]
        if without:
            methods = ", ".join(one for one in catalog.methods() if need in catalog.method(one).needs)
            say.print(Text(one_line(f"{', '.join(without)}: no {NEEDS[need]}, so not for {methods}")))
    say.print(Text(f"spent so far {store.spent():.6f} dollars, {cap(read)}"))
    return typer.Exit(1 if any(one.said for one in found.values()) else 0)


def open_questions(read: Config, estimates: Mapping[str, Estimate], store: Store) -> list[ModelConfig]:
    """Models that are still to be asked something that they may not give, where no probe has told whether they do."""
    from reference_impls.recording import needs  # noqa: PLC0415
    from reference_impls.recording.probing import known  # noqa: PLC0415

    return [
        model
        for model in read.models
        if needs.unknown(read, model) and estimates[model.name].requests and known(model, store) is None
    ]


def counted(
    estimates: Mapping[str, Estimate], open_: Sequence[ModelConfig], priced: Mapping[str, Price | None]
) -> dict[str, Estimate]:
    """The estimates with one request more for each model that is probed."""
    from reference_impls.recording.probing import first  # noqa: PLC0415

    made = dict(estimates)
    for model in open_:
        read, written, dollars = first(model, priced[model.name])
        one = made[model.name]
        total = None if one.dollars is None or dollars is None else one.dollars + dollars
        made[model.name] = replace(
            one, requests=one.requests + 1, read=one.read + read, written=one.written + written, dollars=total
        )
    return made


def announced(open_: Sequence[ModelConfig], priced: Mapping[str, Price | None]) -> Iterator[str]:
    """That models are probed first, and what that may cost; nothing where none is."""
    from reference_impls.recording.probing import first  # noqa: PLC0415

    if open_:
        costs = [first(model, priced[model.name])[2] for model in open_]
        known = [cost for cost in costs if cost is not None]
        dollars = f"{sum(known):.6f} dollars at most" if len(known) == len(costs) else "dollars unknown"
        names = ", ".join(model.name for model in open_)
        yield f"first one short request each tells what {names} can: in this estimate, {dollars} (--no-probe: none)"


def ask(
    file: Path, read: Config, infos: Sequence[MethodInfo], prompts: Sequence[Prompt],
    priced: Mapping[str, Price | None], store: Store, open_: Sequence[ModelConfig],
) -> None:  # fmt: skip
    """Probes models, and tells what does not stop the run.

    Raises:
        ValueError: as `hold`; a key is missing, or the budget does not reach: one line.
    """
    from reference_impls.recording import needs  # noqa: PLC0415
    from reference_impls.recording.probing import probe  # noqa: PLC0415

    if not open_:
        return
    with kept(lambda: "what the probe has found is kept; the same command goes on from there"):
        models = [(model, priced[model.name]) for model in open_]
        found = asyncio.run(probe(models, store, _limit(read), whole=False))
    for line in needs.notes(read, found):
        say.print(Text(one_line(f"atlas: {line}")))
    hold(file, read, infos, prompts, priced, store, known=True)


def hold(
    file: Path, read: Config, infos: Sequence[MethodInfo], prompts: Sequence[Prompt],
    priced: Mapping[str, Price | None], store: Store, *, known: bool,
) -> None:  # fmt: skip
    """Holds what the configuration asks for against what there is; what probes have found only where it is `known`.

    Raises:
        ValueError: a run would not bring it: one line.
    """
    from reference_impls.recording import needs, probing  # noqa: PLC0415

    every = {model.name: probing.known(model, store) for model in read.models} if known else {}
    found = {name: one for name, one in every.items() if one is not None}
    if lacks := list(needs.lacks(read, infos, prompts, priced, found)):
        raise ValueError(f"{file}: {'; '.join(lacks)}")
