"""The commands `import FORMAT`: other tools' files become a folder of recorded answers. `register` puts them on the
tool.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reference_impls.cli.console import say, writable, wrong_use
from reference_impls.safe.terminal import one_line

imports = typer.Typer(no_args_is_help=True, help="Bring in files of other tools.")
Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="files of the tool")]
Out = Annotated[Path, typer.Option("--out", help="a new folder")]
Strict = Annotated[bool, typer.Option("--strict", help="write nothing if anything cannot be used")]
Metric = Annotated[str, typer.Option("--metric", help="the score to take", show_default="the usual one")]


def register(app: typer.Typer) -> None:
    """Puts the group of commands on the tool."""
    app.add_typer(imports, name="import")


@imports.command("csv")
def import_csv(
    files: Files, out: Out, strict: Strict = False,
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=NAME", help="the column that holds a field; may be repeated")
    ] = None,
) -> None:  # fmt: skip
    """Import CSV: a row a response with a column `model`, or a row a prompt with columns MODEL:score and the like."""
    from reference_impls.importing.tables import FIELDS  # noqa: PLC0415  only when it is needed

    columns = {}
    for one in column or ():
        key, mark, name = one.partition("=")
        if not mark or key not in FIELDS:
            raise wrong_use(f"--column {one}: write FIELD=NAME with a FIELD of {', '.join(FIELDS)}")
        columns[key] = name
    _run("csv", [Path(file) for file in files], out, strict, columns=columns)


@imports.command("lm-eval")
def import_lm_eval(
    files: Annotated[
        list[str],
        typer.Argument(metavar="[MODEL=]FILE...", help="samples_*.jsonl; a model is called as its folder, or MODEL"),
    ],
    out: Out, strict: Strict = False, metric: Metric = "",
    chosen: Annotated[
        str, typer.Option("--filter", help="the filter to take", show_default="the first of each task")
    ] = "",
) -> None:  # fmt: skip
    """Import sample logs of lm-evaluation-harness (lm_eval --log_samples): one file a model and task."""
    models = {}
    paths = []
    for one in files:
        model, mark, file = one.partition("=")
        named = bool(mark and model) and not Path(one).exists()
        paths.append(Path(file if named else one))
        if named:
            models[paths[-1]] = model
    _run("lm-eval", paths, out, strict, metric=metric, chosen=chosen, models=models)


@imports.command("litellm")
def import_litellm(files: Files, out: Out, strict: Strict = False) -> None:
    """Import logs of LiteLLM (logging payloads or spend logs), and a CSV file with prompt and reference."""
    _run("litellm", [Path(file) for file in files], out, strict)


@imports.command("openai-batch")
def import_openai_batch(files: Files, out: Out, strict: Strict = False) -> None:
    """Import batches of OpenAI: input, output and error files, and a CSV file with custom_id and reference."""
    _run("openai-batch", [Path(file) for file in files], out, strict)


@imports.command("routerbench")
def import_routerbench(files: Files, out: Out, strict: Strict = False) -> None:
    """Import tables of RouterBench as CSV."""
    _run("routerbench", [Path(file) for file in files], out, strict)


@imports.command("eee")
def import_every_eval_ever(files: Files, out: Out, strict: Strict = False, metric: Metric = "") -> None:
    """Import the instance form of Every Eval Ever, to which HELM's, Inspect's and other logs can be converted."""
    _run("eee", [Path(file) for file in files], out, strict, metric=metric)


@imports.command("inspect")
def import_inspect(files: Files, out: Out, strict: Strict = False, metric: Metric = "") -> None:
    """Import logs of Inspect as JSON (inspect log convert --to json)."""
    _run("inspect", [Path(file) for file in files], out, strict, metric=metric)


@imports.command("vllm-sr")
def import_vllm_sr(files: Files, out: Out, strict: Strict = False) -> None:
    """Import router replays of the vLLM Semantic Router, and a CSV file with prompt and reference."""
    _run("vllm-sr", [Path(file) for file in files], out, strict)


def _run(
    name: str, files: Sequence[Path], out: Path, strict: bool, *,
    metric: str = "", chosen: str = "", columns: Mapping[str, str] | None = None,
    models: Mapping[Path, str] | None = None,
) -> None:  # fmt: skip
    """Reads the files and writes the folder. Status 1 where something could not be used, 2 for wrong use."""
    from reference_impls.importing import FORMATS, Choices, gather  # noqa: PLC0415
    from reference_impls.recorded.files import MAX_FILE, save  # noqa: PLC0415

    for file in files:
        if not file.is_file():
            raise wrong_use(f"{file}: no such file")
        if file.stat().st_size > MAX_FILE:
            raise wrong_use(f"{file}: larger than {MAX_FILE // 1024**3} GiB (split it)")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):  # before a long file is read
        raise wrong_use(f"{out}: is there already and not empty (name a new folder)")
    writable(out)
    found = gather(FORMATS[name](files, Choices(metric, chosen, columns or {}, models or {})), out.name)
    for line in found.findings:
        sys.stdout.write(one_line(line) + "\n")
    for line in found.notes:
        say.print(Text(one_line(f"note: {line}")))
    if found.recording is None or (strict and found.findings):
        why = "nothing could be used" if found.recording is None else "--strict"
        say.print(Text(one_line(f"atlas: nothing written: {why}; findings: {len(found.findings)}")))
        raise typer.Exit(1)
    try:
        save(found.recording, out)
    except ValueError as error:
        raise wrong_use(str(error)) from error
    made = found.recording
    counts = f"{len(made.queries)} queries, {len(made.responses)} responses of {len(made.models)} models in {out}"
    say.print(Text(one_line(f"{counts}; findings: {len(found.findings)}")))
    for model, gap in found.gaps().items():
        say.print(Text(one_line(f"note: {model} has not answered {gap} of {len(made.queries)} queries")))
    say.print(Text(one_line(f"Next: atlas preflight recorded:{out}")))
    raise typer.Exit(1 if found.findings else 0)
