"""The Atlas in the formats that other tools read. Each module turns keys and papers into text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from scripts.exports import atom, bibtex, csl, markdown, ris, table
from scripts.model import Corpus, Paper

Export = Callable[[Corpus, Mapping[str, Paper]], str]
# all but line feeds and tabs: commands to a terminal, ends of text to old readers; no format has a use for them
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _without_controls(export: Export) -> Export:
    """`export`, with U+FFFD for each control character of an entry (`atlas validate` refuses such entries)."""
    return lambda corpus, papers: _CONTROLS.sub("\ufffd", export(corpus, papers))


_FORMATS: dict[str, Export] = {
    "bibtex": lambda _, papers: bibtex.export(papers),
    "csl-json": lambda _, papers: csl.export(papers),
    "ris": lambda _, papers: ris.export(papers),
    "json": table.export_json,
    "csv": table.export_csv,
    "atom": lambda _, papers: atom.export(papers, "LLM Ensemble Atlas", "feed.xml"),
    "markdown": markdown.export,
}
FORMATS = {name: _without_controls(export) for name, export in _FORMATS.items()}

__all__ = ["FORMATS"]
