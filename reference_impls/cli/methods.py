"""The commands over the reference implementations: `methods`, `run`, `bench`. `register` puts them on the tool.

What runs models is loaded when a command runs, so that `atlas validate` starts as fast as before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from reference_impls.cli.console import OUT, OUT_DEFAULT, kept, say, writable, wrong_use
from reference_impls.safe.terminal import one_line

if TYPE_CHECKING:
    from reference_impls.measuring.alone import Comparison


def methods() -> None:
    """List the reference implementations with their category, family and papers."""
    from reference_impls.running import catalog  # noqa: PLC0415

    table = Table("method", "category", "family", "needs", "papers", box=None)
    for column in table.columns:
        column.no_wrap = True
    infos = sorted(catalog.methods().values(), key=lambda info: (info.category, info.name))
    for info in infos:
        table.add_row(info.name, info.category, info.family or "", ", ".join(info.needs), ", ".join(info.papers))
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
    say.print(f"{len(infos)} methods. Run one: atlas run majority-vote --benchmark math")


def run(
    method: Annotated[str, typer.Argument(help="a method's name (atlas methods lists them)")],
    benchmark: Annotated[
        str,
        typer.Option(
            help="stream (all tasks mixed), qa, math, code, instructions or writing; or recorded:NAME or"
            " recorded:FOLDER for recorded answers (atlas data list names the sources)"
        ),
    ],
    pool: Annotated[
        str,
        typer.Option(
            help="a pool's name, or names of models with commas between",
            show_default="the built-in models; of recorded answers all models",
        ),
    ] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="a parameter: name=value; may be repeated")
    ] = None,
    seed: Annotated[int, typer.Option(help="of the method's random numbers")] = 0,
    limit: Annotated[int | None, typer.Option(help="only the first so many queries", min=1)] = None,
    train: Annotated[
        int,
        typer.Option(
            help="draw so many queries of recorded answers at random to train on (0: their own split)", min=0
        ),
    ] = 0,
    dump: Annotated[
        Path | None, typer.Option(help="write what was chosen, its score and cost to this file, a JSON line a query")
    ] = None,
) -> None:
    """Run one method on one benchmark, and beside it the models alone; a table stands at the end."""
    from reference_impls.measuring import alone as models_alone  # noqa: PLC0415
    from reference_impls.running import runner, setups  # noqa: PLC0415

    chosen = dict(pair(text) for text in settings or [])
    with progress_bar() as bar:
        task = bar.add_task(one_line(f"{method} on {benchmark}"), total=None)
        try:
            runner.named(method, chosen, dump)
            place = setups.setup(benchmark, pool=pool, limit=limit, train=train, seed=seed)
            result = runner.run(
                method,
                place,
                seed=seed,
                settings=chosen,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
                dump=dump,
            )
            alone = bar.add_task("", total=len(place.models))
            beside = models_alone.compare(
                result["items"]["score"],
                place,
                lambda name: bar.update(alone, advance=1, description=one_line(f"{name} alone")),
            )
        except ValueError as error:  # unknown names and unusable values; each message is one line
            bar.stop()
            raise wrong_use(str(error)) from error
    Console(highlight=False).print(_table(result, beside))


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[METHOD]...", help="default: all methods")] = None,
    benchmark: Annotated[list[str] | None, typer.Option(help="may be repeated; default: all benchmarks")] = None,
    pool: Annotated[str, typer.Option(help="a pool's name")] = "builtin",
    seed: Annotated[
        list[int] | None, typer.Option(help="of the random numbers of methods that draw any; default: 0, 1 and 2")
    ] = None,
    jobs: Annotated[int, typer.Option(help="processes", min=1)] = 2,
    backend: Annotated[str, typer.Option(help="processes, loky or dask")] = "processes",
    scheduler: Annotated[
        str,
        typer.Option(
            help="address of a dask scheduler, tcp://HOST:PORT, whose workers have the Atlas installed"
            " (one thread each: dask worker --nthreads 1)",
            show_default="with dask a local cluster",
        ),
    ] = "",
    out: Annotated[Path | None, typer.Option(help=OUT, show_default=OUT_DEFAULT)] = None,
) -> None:
    """Run methods on benchmarks, into one file each, and bring the telling traces of these runs up to date. A stopped
    run goes on where it ended.
    """
    from reference_impls.running import summary, telling  # noqa: PLC0415
    from reference_impls.running.bench import bench as run_all  # noqa: PLC0415
    from reference_impls.running.bench import shown  # noqa: PLC0415

    folder = writable(out or summary.RESULTS)
    finished = "nothing was finished"

    with kept(lambda: finished), progress_bar() as bar:
        task = bar.add_task("bench", total=None)

        def told(done: int, total: int, label: str) -> None:
            nonlocal finished
            finished = f"{done} of {total} tasks are finished and kept; the same command goes on from there"
            bar.update(task, completed=done, total=total, description=label)

        try:
            written = run_all(
                names or [],
                benchmark or [],
                pool=pool,
                seeds=seed or (0, 1, 2),
                jobs=jobs,
                backend=backend,
                scheduler=scheduler,
                folder=folder,
                progress=told,
            )
            names = shown(names or [], benchmark or [], pool)
            traced, failed = telling.remake(names, folder, jobs=jobs, progress=told) if names else ([], [])
        except ValueError as error:
            bar.stop()
            raise wrong_use(str(error)) from error
    say.print(Text(one_line(f"{len(written)} results are up to date in {folder}")))
    if names:
        say_traces(len(traced), failed, folder / telling.FOLDER)


def pair(text: str) -> tuple[str, str]:
    """A setting, ``name=value``."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise wrong_use(f"--set {text}: write name=value")
    return name, value


def say_traces(made: int, failed: list[str], folder: Path) -> None:
    """What has become of telling traces."""
    say.print(Text(one_line(f"traces of {made} methods were made in {folder}")))
    for line in failed:
        say.print(Text(one_line(f"not made: {line}")))


def progress_bar() -> Progress:
    """A progress bar on stderr, so that what is written can be piped."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(file=sys.stderr))


#: Of the numbers of a result that have one.
UNITS = {"cost": " US dollars", "latency": " s", "critical_path": " s"}


def _table(result: dict[str, Any], beside: Comparison) -> Table:
    """What a run gave: score with its interval, what the models reach alone, ties, abstentions, what the method has
    counted, calls, tokens, cost, latency.
    """
    table = Table(box=None, show_header=False)
    score = result["score"]
    what = f"{result['method']} on {result['benchmark']}, pool {result['pool']}"
    table.add_row("method", Text(one_line(what)))  # the folder of a recording may have any name
    table.add_row("score", f"{score['mean']:.3f} (95 % interval {score['low']:.3f} to {score['high']:.3f})")
    for label, told in _beside(beside):
        table.add_row(label, Text(one_line(told)))
    table.add_row("queries", f"{result['queries']}")
    table.add_row("ties", _ties(result["ties"]))
    if sum(result["responses"].values()):  # methods that drive models token by token get no responses
        table.add_row("abstentions", Text(one_line(_abstentions(result["responses"], result["abstentions"]))))
    for message, number in result["failed"].items():
        table.add_row("failed", Text(one_line(f"{number:.0f} responses: {message}")))
    for name, number in result["notes"].items():
        table.add_row(name, f"{number:,.6g}")
    usage = result["usage"] | {name: result["timing"][name] for name in ("latency", "critical_path")}
    for name, value in usage.items():
        shown = "unknown" if value is None else f"{value:,.6g}{UNITS.get(name, '')}"
        table.add_row(f"{name.replace('_', ' ')} a query", shown)
    return table


def _beside(beside: Comparison) -> list[tuple[str, str]]:
    """Rows on the best single model, the difference to it, the cheapest model and the oracle."""
    chosen = "chosen on the train split" if beside.chosen_on_train else "chosen on these very queries: optimistic"
    interval = f"95 % interval {beside.low:+.3f} to {beside.high:+.3f}, paired"
    cheapest = "unknown" if beside.cheapest is None else f"{beside.cheapest_score:.3f} ({beside.cheapest})"
    if not beside.priced:
        cheapest += "; no price tells the models apart: the alphabet decides which a method takes for cheap"
    return [
        ("best single model", f"{beside.best_score:.3f} ({beside.best}, {chosen})"),
        ("difference to it", f"{beside.difference:+.3f} ({interval}): {beside.verdict}"),
        ("cheapest model", cheapest),
        ("oracle", f"{beside.oracle:.3f} (the best response to every query)"),
    ]


def _ties(ties: dict[str, float]) -> str:
    """The share of the queries with a tie, and by what ties were decided."""
    parts = [f"by {how} {share:.1%}" for how, share in ties.items() if share]
    return f"{sum(ties.values()):.1%} of the queries" + (f", decided {', '.join(parts)}" if parts else "")


def _abstentions(responses: dict[str, float], abstentions: dict[str, float]) -> str:
    """How many responses hold no answer, in all and of which models."""
    parts = [f"{name} {number:.0f}" for name, number in abstentions.items() if number]
    told = f"{sum(abstentions.values()):.0f} of {sum(responses.values()):.0f} responses hold no answer"
    return told + (f": {', '.join(parts)}" if parts else "")


COMMANDS: dict[str, Callable[..., None]] = {"methods": methods, "run": run, "bench": bench}


def register(app: typer.Typer) -> None:
    """Puts the commands on the tool."""
    for name, command in COMMANDS.items():
        app.command(name)(command)
