"""The Atlas in the formats that other tools read. Each module turns keys and papers into text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from scripts.model import Corpus, Paper

Export = Callable[[Corpus, Mapping[str, Paper]], str]
# all but line feeds and tabs: commands to a terminal, ends of text to old readers; no format has a use for them
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _without_controls(export: Export) -> Export:
    """`export`, with U+FFFD for each control character of an entry (`atlas validate` refuses such entries)."""
    return lambda corpus, papers: _CONTROLS.sub("\ufffd", export(corpus, papers))


def _module(name: str) -> Any:
    """A format's module, loaded when it is asked for: other commands start without it."""
    return import_module(f"scripts.exports.{name}")


_FORMATS: dict[str, Export] = {
    "bibtex": lambda _, papers: _module("bibtex").export(papers),
    "csl-json": lambda _, papers: _module("csl").export(papers),
    "ris": lambda _, papers: _module("ris").export(papers),
    "json": lambda corpus, papers: _module("table").export_json(corpus, papers),
    "csv": lambda corpus, papers: _module("table").export_csv(corpus, papers),
    "atom": lambda _, papers: _module("atom").export(papers, "LLM Ensemble Atlas", "feed.xml"),
    "markdown": lambda corpus, papers: _module("markdown").export(corpus, papers),
}
FORMATS = {name: _without_controls(export) for name, export in _FORMATS.items()}

__all__ = ["FORMATS"]
