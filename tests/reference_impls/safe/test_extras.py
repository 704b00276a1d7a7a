"""Libraries that are missing are named with the command that installs them, and the command is right."""

from __future__ import annotations

import doctest
import re
import tomllib
from importlib.metadata import packages_distributions

import pytest

from reference_impls.safe import extras
from tests.conftest import ROOT

#: Distributions that bring a module but are not asked for by name: another one of the extra brings them.
BROUGHT = {"httpx2": "openai", "markdown": "mkdocs"}


@pytest.mark.parametrize("library", sorted(extras.EXTRAS))
def test_the_extra_brings_the_library(library: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[^\w.-]", text)[0] for text in project["optional-dependencies"][extras.EXTRAS[library]]}
    brings = {name.lower() for name in packages_distributions().get(library, [library])}
    assert (brings | {BROUGHT.get(library, library)}) & wanted


def test_only_libraries_of_extras_are_told() -> None:
    told = extras.told(ModuleNotFoundError("No module named 'mkdocs.utils'", name="mkdocs.utils"), "this needs")
    assert told == "this needs mkdocs: pip install 'llm-ensemble-atlas[site]'"
    assert extras.told(ModuleNotFoundError("a line of our own"), "this needs") == "a line of our own"
    assert extras.told(ModuleNotFoundError("No module named 'reference_imps'", name="reference_imps"), "x") is None


def test_the_example_is_right() -> None:
    outcome = doctest.testmod(extras)
    assert outcome.attempted
    assert not outcome.failed
