"""The Atlas in the formats that other tools read. Each module turns keys and papers into text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scripts.exports import atom, bibtex, csl, markdown, ris, table
from scripts.model import Corpus, Paper

FORMATS: dict[str, Callable[[Corpus, Mapping[str, Paper]], str]] = {
    "bibtex": lambda _, papers: bibtex.export(papers),
    "csl-json": lambda _, papers: csl.export(papers),
    "ris": lambda _, papers: ris.export(papers),
    "json": table.export_json,
    "csv": table.export_csv,
    "atom": lambda _, papers: atom.export(papers, "LLM Ensemble Atlas", "feed.xml"),
    "markdown": markdown.export,
}

__all__ = ["FORMATS"]
