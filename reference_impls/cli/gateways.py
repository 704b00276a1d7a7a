"""The command `export`: a saved recommendation as the configuration of a gateway. `register` puts it on the tool.

In a checkout the command of that name exports papers too (`scripts.cli.site`) and hands gateways on to `write`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.text import Text

from reference_impls.cli.console import say, wrong_use
from reference_impls.safe.terminal import one_line

#: Names of `serving.gateways.GATEWAYS`, which other commands start without.
GATEWAYS = ("litellm", "vllm-sr")
CONFIG = Path("atlas.yml")
RECOMMENDED = "recommended.yml of atlas recommend, for a gateway"
OF_GATEWAY = "whose models, for a gateway"


def export(
    gateway: Annotated[str, typer.Argument(metavar="FORMAT", help=f"one of: {', '.join(GATEWAYS)}")],
    recommended: Annotated[Path | None, typer.Argument(help=RECOMMENDED, show_default=False)] = None,
    config: Annotated[Path, typer.Option(help=OF_GATEWAY)] = CONFIG,
    out: Annotated[Path | None, typer.Option(help="file to write; default: stdout")] = None,
) -> None:
    """Write what atlas recommend advises as the configuration of a gateway that can do the same."""
    if gateway not in GATEWAYS:
        raise wrong_use(f"there is no format '{gateway}'; one of: {', '.join(GATEWAYS)}")
    write(gateway, recommended, config, out)


def write(gateway: str, recommended: Path | None, config: Path, out: Path | None) -> None:
    """Writes a gateway's configuration to a file, or to stdout."""
    from reference_impls.recording.config import load_as  # noqa: PLC0415  only when it is needed
    from reference_impls.safe.writing import write_text  # noqa: PLC0415
    from reference_impls.serving import gateways, saved  # noqa: PLC0415
    from reference_impls.serving.settings import Served  # noqa: PLC0415

    if recommended is None:
        raise wrong_use(f"{gateway}: name the {saved.NAME} that atlas recommend wrote")
    try:
        values = gateways.exported(gateway, saved.load(recommended), load_as(config, Served))
    except ValueError as error:
        raise wrong_use(str(error)) from error
    text = f"# Written by atlas export {gateway}; keys stay in the environment.\n"
    text += yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=118)
    if out is None:
        sys.stdout.write(text)
        return
    if not out.parent.is_dir():
        raise wrong_use(f"{out}: cannot be written: there is no folder {out.parent}")
    write_text(out, text)
    say.print(Text(one_line(f"written: {out}")))


def register(app: typer.Typer) -> None:
    """Puts the command on the tool."""
    app.command("export")(export)
