"""The tool itself: commands of another package, and what is said where its libraries are missing."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from reference_impls import cli

Point = SimpleNamespace


def started(monkeypatch: pytest.MonkeyPatch, load: object, *words: str) -> int:
    """Exit status of `atlas`, beside which a package is installed that registers commands."""
    monkeypatch.setattr(cli, "entry_points", lambda group: [Point(load=load, value=f"tools of {group}")])
    monkeypatch.setattr(sys, "argv", ["atlas", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def missing(name: str) -> object:
    def load() -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return load


def test_without_the_tools_libraries_the_engineers_commands_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert started(monkeypatch, missing("jinja2"), "methods") == 0
    out, err = capsys.readouterr()
    assert "majority-vote" in out
    assert err.splitlines()[0] == (
        "atlas: the commands of tools of llm_ensemble_atlas.commands need jinja2:"
        " pip install 'llm-ensemble-atlas[site]'"
    )


def test_a_module_that_no_extra_brings_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModuleNotFoundError):
        started(monkeypatch, missing("scripts.clii"), "methods")


def test_a_command_that_misses_a_library_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def register(app: object) -> None:
        app.command("chart")(missing("altair"))  # type: ignore[attr-defined]

    assert started(monkeypatch, lambda: register, "chart") == 2
    assert capsys.readouterr().err == "atlas: this command needs altair: pip install 'llm-ensemble-atlas[site]'\n"
