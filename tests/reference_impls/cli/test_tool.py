"""The tool itself: commands of another package, what one command loads, what is said where libraries are missing."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest
import typer
from typer.main import get_command

from reference_impls import cli
from scripts.cli import GROUPS
from tests.conftest import ROOT


class Group(ModuleType):
    """A module of commands that another package has."""

    def __init__(self, register: object) -> None:
        super().__init__("others")
        self.register = register


def started(monkeypatch: pytest.MonkeyPatch, register: object, *words: str) -> int:
    """Exit status of `atlas`, beside which a package is installed whose module registers the command `chart`."""
    monkeypatch.setitem(sys.modules, "others", Group(register))
    point = SimpleNamespace(load=lambda: {"others": ("chart",)})
    monkeypatch.setattr(cli, "entry_points", lambda group: [point] if group == cli.ENTRY_POINTS else [])
    monkeypatch.setattr(sys, "argv", ["atlas", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def missing(name: str) -> object:
    def load(*_: object) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return load


def test_without_the_tools_libraries_the_engineers_commands_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert started(monkeypatch, missing("jinja2"), "methods") == 0
    out, err = capsys.readouterr()
    assert "majority-vote" in out
    assert "jinja2" not in err, "nobody has asked for what needs it"
    assert started(monkeypatch, missing("jinja2"), "--help") == 0
    out, err = capsys.readouterr()
    assert "methods" in out
    assert err == "atlas: the commands of others need jinja2: pip install 'llm-ensemble-atlas[site]'\n"


def test_a_module_that_no_extra_brings_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModuleNotFoundError):
        started(monkeypatch, missing("scripts.clii"), "chart")


def test_a_command_that_misses_a_library_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def register(app: typer.Typer) -> None:
        def chart() -> None:
            raise ModuleNotFoundError("No module named 'altair'", name="altair")

        app.command()(chart)

    assert started(monkeypatch, register, "chart") == 2
    assert capsys.readouterr().err == "atlas: this command needs altair: pip install 'llm-ensemble-atlas[site]'\n"


@pytest.mark.parametrize(("module", "names"), [*cli.GROUPS.items(), *GROUPS.items()])
def test_each_module_has_the_commands_that_it_is_said_to_have(module: str, names: tuple[str, ...]) -> None:
    assert set(get_command(cli.tool({module: names})).commands) == set(names)  # type: ignore[attr-defined]


def test_only_what_a_command_needs_is_loaded() -> None:
    program = (
        "import sys; from reference_impls import cli; from scripts.cli import GROUPS;"
        "cli.tool({**cli.GROUPS, **GROUPS}, 'record');"
        "print({'numpy', 'yaml', 'pydantic', 'scripts.model', 'reference_impls.core'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
    assert told.stdout == "set()\n"


def test_a_slip_is_answered_from_all_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def register(app: typer.Typer) -> None:
        app.command("chart")(print)

    assert started(monkeypatch, register, "chrat") == 2
    assert "chart" in capsys.readouterr().err
