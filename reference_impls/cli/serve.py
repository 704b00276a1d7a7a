"""The commands `serve` (one endpoint in front of one's models) and `decisions` (what it has decided). `register` puts
them on the tool.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reference_impls.cli.console import say, wrong_use
from reference_impls.safe import extras
from reference_impls.safe.terminal import one_line

#: Where the models are looked for, if a recommendation is served and nothing is said.
CONFIG = Path("atlas.yml")


def serve(
    recommended: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RECOMMENDED]",
            show_default=False,
            help="recommended.yml of atlas recommend: what it advises answers for the name 'atlas'",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="whose models", show_default="with RECOMMENDED atlas.yml in the working folder"),
    ] = None,
    builtin: Annotated[bool, typer.Option("--builtin", help="the built-in models, as stand-ins")] = False,
    pool: Annotated[
        str, typer.Option(help="of the built-in models: a pool, or names with commas between")
    ] = "builtin",
    model: Annotated[str, typer.Option(help="the model that answers for the name 'atlas'")] = "",
    method: Annotated[
        str,
        typer.Option(
            help="the method that does, for instance knn-router; linucb-router, thompson-router and"
            " budgeted-bandit-router learn from feedback",
        ),
    ] = "",
    data: Annotated[Path | None, typer.Option(help="folder of recorded answers that the method learns from")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="of the method")] = None,
    explore: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="share of queries whose model is drawn; default: 0, of linucb-router and budgeted-bandit-router 0.1",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="address to listen at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 8080,
    key_env: Annotated[str, typer.Option(help="variable with the key that clients have to send")] = "",
    state: Annotated[
        str,
        typer.Option(
            help="file of decisions and feedback, or redis://HOST:PORT/NUMBER, which servers share",
            show_default="atlas-serve.sqlite beside the config",
        ),
    ] = "",
    deadline: Annotated[float, typer.Option(min=0.1, max=3600, help="seconds for one request")] = 120.0,
    max_body: Annotated[int, typer.Option(min=1024, help="bytes of a request")] = 4 << 20,
    keep_prompts: Annotated[bool, typer.Option("--keep-prompts", help="keep prompts with decisions")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="processes")] = 1,
) -> None:
    """Serve your models, or a method that chooses among them, at one OpenAI-compatible address."""
    for library in ("httpx2", "genai_prices", "starlette", "uvicorn", "aiohttp"):
        try:
            import_module(library)
        except ModuleNotFoundError as error:
            raise wrong_use(extras.missing(error.name or library, "atlas serve needs")) from error
    from reference_impls.serving import run  # noqa: PLC0415 (optional libraries)
    from reference_impls.serving.settings import Settings  # noqa: PLC0415

    if recommended is not None and config is None and not builtin and CONFIG.is_file():
        config = CONFIG
    if (config is not None) == builtin:
        raise wrong_use("write --config atlas.yml or --builtin, one of them")
    if model and method:
        raise wrong_use("write --model or --method, one of them")
    if recommended is not None and (model or method or data is not None or set_):
        raise wrong_use(f"{recommended} says who answers (leave out --model, --method, --data and --set)")
    if data is not None and not method:
        raise wrong_use("--data: nobody learns from it (name a method with --method)")
    pairs = [one.partition("=") for one in set_ or ()]
    if wrong := [one for one, equal, _ in pairs if not equal]:
        raise wrong_use(f"--set {wrong[0]}: write NAME=VALUE")
    settings = Settings(
        config, recommended, pool, model, method, {name: value for name, _, value in pairs}, data, explore,
        _state(state) if state else run.state_beside(config), host, port, key_env, deadline, max_body, keep_prompts,
    )  # fmt: skip
    try:
        run.check_address(host, key_env)
        with run.listening(host, port) as own:
            address = f"http://{f'[{host}]' if ':' in host else host}:{own.getsockname()[1]}/v1"
            say.print(
                Text(one_line(f"atlas: serving at {address}; decisions go to {settings.state}; Ctrl-C ends it"))
            )
            try:
                run.serve(settings, own, workers)
            except KeyboardInterrupt:
                say.print(Text("atlas: stopped; what was running is finished"))
    except ValueError as error:
        raise wrong_use(str(error)) from error


def _state(text: str) -> Path | str:
    """A file, or Redis' address as it stands."""
    from reference_impls.serving.redis_state import is_address  # noqa: PLC0415

    return text if is_address(text) else Path(text)


def decisions(
    state: Annotated[str, typer.Argument(metavar="STATE", help="the file of atlas serve, or Redis' address")],
    everything: Annotated[bool, typer.Option("--all", help="those without a score too")] = False,
) -> None:
    """Print what an endpoint has decided, one JSON line each, as atlas evaluate-log reads it."""
    from reference_impls.serving.state import StateError  # noqa: PLC0415
    from reference_impls.serving.state import decisions as read  # noqa: PLC0415

    where = _state(state)
    try:
        if isinstance(where, Path):
            found = read(where, everything=everything)
        else:
            from reference_impls.serving.redis_state import RedisState  # noqa: PLC0415

            found = RedisState(where).decisions(everything=everything)
        for line in found:
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    except StateError as error:
        raise wrong_use(str(error)) from error


def register(app: typer.Typer) -> None:
    """Puts the commands on the tool."""
    app.command("serve")(serve)
    app.command("decisions")(decisions)
