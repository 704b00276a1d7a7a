"""The command `record`: one's own models asked one's own prompts, into a folder of the recorded form. `register` puts
it on the tool.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from reference_impls.cli import probing
from reference_impls.cli.console import kept, say, wrong_use
from reference_impls.cli.probing import cap
from reference_impls.safe import extras
from reference_impls.safe.terminal import one_line

if TYPE_CHECKING:  # at run time only when the command runs
    from reference_impls.core.model import Price
    from reference_impls.core.registry import MethodInfo
    from reference_impls.recorded import Recording
    from reference_impls.recording.config import Config
    from reference_impls.recording.plan import Estimate, Question
    from reference_impls.recording.run import State
    from reference_impls.recording.store import Store


def record(
    config: Annotated[Path, typer.Argument(help="what to ask whom: atlas.yml")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what it would cost, and ask nobody")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="tell what each model can, by three short requests, and end")
    ] = False,
    no_probe: Annotated[
        bool, typer.Option("--no-probe", help="do not find out first whether each model gives what is asked of it")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first prompts")] = None,
    out: Annotated[Path | None, typer.Option(help="folder of the recording; default: atlas-outcomes beside")] = None,
    on_error: Annotated[
        str, typer.Option(help="a call without an answer: zero (score 0), drop (the prompt) or fail (write nothing)")
    ] = "zero",
) -> None:
    """Ask your models your prompts within a budget; what has come is kept, and the same command goes on from it."""
    _needs()
    from reference_impls.recording import config as configs  # noqa: PLC0415
    from reference_impls.recording import plan, prompts, write  # noqa: PLC0415
    from reference_impls.recording.store import Store  # noqa: PLC0415
    from reference_impls.running import catalog  # noqa: PLC0415

    if on_error not in ("zero", "drop", "fail"):
        raise wrong_use("--on-error: write zero, drop or fail")
    folder = out or config.parent / "atlas-outcomes"
    try:
        read = configs.load(config)
        infos = [catalog.method(name) for name in dict.fromkeys(read.methods)]
        asked = prompts.load(config.parent / read.prompts, read.fields)[:limit]
        if why := write.refusal(folder):
            raise wrong_use(f"{folder}: {why} (name another folder with --out)")
        priced = _priced(config, read)
        wanted = {model.name: plan.questions(read, model, asked) for model in read.models if model.pool}
        file = folder.with_name(f"{folder.name}.sqlite")
        store = Store(Path(":memory:") if dry_run and not file.exists() else file)
        try:
            if probe and not dry_run:
                raise probing.told(read, priced, store)
            estimates = {name: plan.estimate(wanted[name], store, priced[name]) for name in wanted}
            open_ = [] if no_probe else probing.open_questions(read, estimates, store)
            _show(probing.counted(estimates, open_, priced), to_stdout=dry_run)
            say.print(Text(f"spent so far {store.spent():.6f} dollars, {cap(read)}"))
            for line in [*probing.announced(open_, priced), *_further(read, infos)]:
                say.print(Text(one_line(line)))
            probing.hold(config, read, infos, asked, priced, store, known=not no_probe)
            if dry_run:
                return
            probing.ask(config, read, infos, asked, priced, store, open_)
            asker = _Asker(read, priced, store, file)
            asker.ask(wanted)
            failing: Literal["zero", "drop", "fail"] = on_error  # type: ignore[assignment]
            dresses = {model.name: model.dress for model in read.models}
            recording, calls, made = write.gather(folder, wanted, store, priced, dresses, read.scorer, failing)
            recording, short = _completed(recording, read, infos, store, asker)
            write.write(folder, recording, calls)
            spent = store.spent()
        finally:
            store.close()
    except ValueError as error:
        raise wrong_use(str(error)) from error
    what = f"{made.queries} prompts, {made.responses} responses ({made.failed} without an answer) in {folder}"
    say.print(Text(f"{what}; spent {spent:.6f} dollars, {cap(read)}"))
    if made.left:
        say.print(Text(f"{made.left} prompts are left out: not every model has answered them"))
    for line in short:
        say.print(Text(one_line(f"atlas: {line}")))
    raise typer.Exit(1 if made.left or short else 0)


def _further(read: Config, infos: Sequence[MethodInfo]) -> list[str]:
    """What the estimate does not hold, as nobody knows it before the answers are there."""
    more = [f"{read.scorer.judge} then judges every answer"] if read.scorer.judge else []
    more += [f"{', '.join(info.name for info in infos)} then ask about the answers"] if infos else []
    return [f"{one}: within the budget, and not in this estimate" for one in more]


def _completed(
    recording: Recording, read: Config, infos: Sequence[MethodInfo], store: Store, asker: _Asker
) -> tuple[Recording, list[str]]:
    """The recording with a judge's scores and what methods ask, and what is short of that, a line each."""
    from reference_impls.recording import judging, methods  # noqa: PLC0415

    short: list[str] = []
    if read.scorer.judge:
        judge = next(model for model in read.models if model.name == read.scorer.judge)
        asker.ask({judge.name: judging.questions(read, judge, recording)})
        recording, unread = judging.judged(read, judge, recording, store)
        if unread:
            short.append(f"{unread} responses have no score: no grade of {judge.name} can be read for them")
    if infos:
        recording, left = methods.complete(recording, infos, read, store, asker.ask)
        if left:
            short.append(f"methods want {len(left)} more replies, which did not come (run it again)")
    return recording, short


def _needs() -> None:
    """Both libraries of the extra, before anything is read."""
    for library in ("openai", "genai_prices"):
        try:
            import_module(library)
        except ModuleNotFoundError as error:
            raise wrong_use(extras.missing(error.name or library, "atlas record needs")) from error


def _priced(file: Path, read: Config) -> dict[str, Price | None]:
    """Every model's price.

    Raises:
        ValueError: one is unknown, and there is a budget.
    """
    from reference_impls.recording.prices import price_of  # noqa: PLC0415

    priced = {model.name: price_of(model) for model in read.models}
    unknown = [name for name, price in priced.items() if price is None]
    if read.budget is not None and unknown:
        raise ValueError(
            f"{file}: models: the price of {unknown[0]} is unknown, so the budget cannot be kept"
            " (write price: {prompt: 0.5, completion: 1.5}, dollars per million tokens; 0 where nobody is paid)"
        )
    return priced


class _Asker:
    """Asks what is missing, and says which models were not asked to the end."""

    def __init__(self, read: Config, priced: Mapping[str, Price | None], store: Store, file: Path) -> None:
        self._read, self._priced, self._store, self._file = read, priced, store, file

    def ask(self, wanted: Mapping[str, Sequence[Question]]) -> None:
        from reference_impls.recording.run import record as ask  # noqa: PLC0415

        read = self._read
        asked = [m for m in read.models if m.name in wanted]
        models = [(model, self._priced[model.name], wanted[model.name]) for model in asked]
        told = f"what has come is kept in {self._file}; the same command goes on from there"
        with kept(lambda: told), _Bars(cap(read)) as bars:
            limit = None if read.budget is None else read.budget.usd
            states = asyncio.run(ask(models, self._store, limit, bars.told))
        for name, state in states.items():
            if state.stopped:
                left = state.total - state.done
                say.print(Text(one_line(f"atlas: {name}: {left} questions not asked: {state.stopped}")))


def _show(estimates: Mapping[str, Estimate], *, to_stdout: bool) -> None:
    table = Table("model", box=None)
    for title in ("stored", "requests", "tokens read (about)", "tokens written (at most)", "dollars (at most)"):
        table.add_column(title, justify="right")
    for name, found in estimates.items():
        dollars = "unknown" if found.dollars is None else f"{found.dollars:.4f}"
        counts = (found.stored, found.requests, found.read, found.written)
        table.add_row(Text(one_line(name)), *(f"{count:,}" for count in counts), dollars)
    stream = sys.stdout if to_stdout else sys.stderr
    Console(file=stream, highlight=False, width=None if stream.isatty() else 120).print(table)


class _Bars:
    """A line a model: done, failed, time left; the dollars of all in a line of their own."""

    def __init__(self, cap: str) -> None:
        columns = (
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False), TimeRemainingColumn(),
        )  # fmt: skip
        self._bar = Progress(*columns, console=Console(file=sys.stderr))
        self._cap = cap
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def told(self, states: Mapping[str, State], dollars: float) -> None:
        for name, state in states.items():
            if name not in self._rows:
                self._rows[name] = self._bar.add_task(one_line(name), total=state.total, note="")
            note = f"{state.failed} failed, all models {dollars:.4f} dollars, {self._cap}"
            self._bar.update(self._rows[name], completed=state.done, note=note)


def register(app: typer.Typer) -> None:
    """Puts the command on the tool."""
    app.command("record")(record)
