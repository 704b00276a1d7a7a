"""Views of the reference implementations, from their registry, their files and their measured results.

The registry is all that the tools over the data know of `reference_impls`: names, papers, docstrings, files.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from reference_impls.core.registry import MethodInfo
from reference_impls.running import catalog
from scripts.render import recorded
from scripts.render.recorded import Recorded
from scripts.render.results import FOLDER, Results
from scripts.render.steps import traces

View = dict[str, Any]
_PARAMETER = re.compile(r"((?:^    #: ?.*\n)+)^    (\w+):", re.MULTILINE)
_ITEM = re.compile(r"^\d+\. ", re.MULTILINE)


def method_views(root: Path, results: Results | None = None, recordings: Recorded | None = None) -> list[View]:
    """All methods but the baselines, by category and name; both kinds of results are those of `root` by default."""
    results, recordings = results or Results(root / FOLDER), recordings or Recorded(root / recorded.FOLDER)
    infos = [info for info in catalog.methods().values() if info.category != "baseline"]
    return [
        _view(root, info, results, recordings) for info in sorted(infos, key=lambda info: (info.category, info.name))
    ]


def _view(root: Path, info: MethodInfo, results: Results, recordings: Recorded) -> View:
    lead, body, differences = read_docstring(info.doc)
    source = info.path.read_text(encoding="utf-8")
    return {
        "name": info.name,
        "page": f"methods/{info.name}/",
        "title": _title(info, lead),
        "lead": sentence(lead.split(":", 1)[-1].strip()),
        "body": body,
        "differences": differences,
        "category": info.category,
        "family": info.family,
        "papers": list(info.papers),
        "parameters": _parameters(info, source),
        "path": info.path.relative_to(root).as_posix() if info.path.is_relative_to(root) else info.path.name,
        "source": source,
        "results": results.records_of(info.name),
        "measured": results.of_method(info.name),
        "recorded": recordings.of_method(info.name),
        "traces": traces(root, info.name),
    }


def sentence(text: str) -> str:
    """With a capital at the beginning."""
    return text[:1].upper() + text[1:]


def _title(info: MethodInfo, lead: str) -> str:
    """What stands before the docstring's first colon; with the method's name where a file holds several methods."""
    title = lead.split(":", 1)[0] if ":" in lead else info.name
    several = sum(other.path == info.path for other in catalog.methods().values()) > 1
    return f"{title} ({info.name})" if several else title


def read_docstring(doc: str) -> tuple[str, list[View], list[str]]:
    """(first paragraph, further paragraphs, numbered differences from the paper).

    A further paragraph is text, or `code` where all its lines are indented."""
    head, _, tail = doc.strip().partition("Differences from the paper")
    paragraphs = [part for part in re.split(r"\n\s*\n", head.strip()) if part.strip()]
    body = [
        {"code": all(line.startswith("    ") for line in part.split("\n")), "text": _dedent(part)}
        for part in paragraphs[1:]
    ]
    differences = [" ".join(item.split()) for item in _ITEM.split(tail)[1:]]
    return " ".join(paragraphs[0].split()), body, differences


def _dedent(part: str) -> str:
    lines = part.split("\n")
    if all(line.startswith("    ") for line in lines):
        return "\n".join(line[4:] for line in lines)
    return " ".join(part.split()) if not any(line.startswith("    ") for line in lines) else part


def _parameters(info: MethodInfo, source: str) -> list[View]:
    """Name, default and comment of each parameter."""
    comments = {
        name: " ".join(line.strip().removeprefix("#:").strip() for line in block.strip().split("\n"))
        for block, name in _PARAMETER.findall(source)
    }
    defaults = info.cls.Parameters()
    return [
        {"name": field.name, "default": repr(getattr(defaults, field.name)), "comment": comments.get(field.name, "")}
        for field in dataclasses.fields(defaults)
    ]


def api_record(view: View) -> View:
    """A method for programs: what it is and where, without its source."""
    keys = ("name", "category", "family", "papers", "parameters", "differences", "path", "results")
    return {key: view[key] for key in keys}
