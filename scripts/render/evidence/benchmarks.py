"""Views of the mini-benchmarks: their cards, their levels, and one real item of each level.

Items shown are from the train split: what methods are measured on stays out of the pages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from reference_impls import benchmarks
from reference_impls.benchmarks import ALL, Benchmark

View = dict[str, Any]
CARDS = Path(benchmarks.__file__).parent / "cards"
_PART = re.compile(r"^\*\*(?P<head>.+?)\.\*\* (?P<text>.*?)(?=^\*\*|\Z)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")


def benchmark_views() -> list[View]:
    """All mini-benchmarks in the order of the tables: the one that leads, then the single tasks."""
    return [_view(benchmark) for benchmark in ALL.values()]


def _view(benchmark: Benchmark) -> View:
    card = (CARDS / f"{benchmark.name}.md").read_text(encoding="utf-8")
    parts = [{"head": part["head"], "text": code_spans(part["text"])} for part in _PART.finditer(card)]
    asks = next(part["text"] for part in _PART.finditer(card) if part["head"] == "Measures")
    first: dict[str, View] = {}
    for item in benchmark.items("train"):
        first.setdefault(item.level, {"prompt": item.query.prompt, "solution": item.solution.strip()})
    return {
        "name": benchmark.name,
        "title": benchmark.title,
        "page": f"benchmarks/{benchmark.name}/",
        "asks": code_spans(asks),
        "plain": " ".join(asks.replace("`", "").split()),
        "parts": parts,
        "splits": dict(benchmark.sizes),
        "levels": [
            {"name": level, "share": share, "items": round(benchmark.sizes["test"] * share), **first[level]}
            for level, share in benchmark.levels.items()
        ],
    }


def code_spans(text: str) -> Markup:
    """A card's paragraph on one line, with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(" ".join(text.split())))))  # noqa: S704  escaped before
