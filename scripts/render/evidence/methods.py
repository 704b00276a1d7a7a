"""Views of the reference implementations, from their registry, their files and their measured results.

The registry is all that the tools over the data know of `reference_impls`: names, papers, docstrings, files.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pygments
from markupsafe import Markup
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer
from pygments.token import Name, Operator, Punctuation, Text, Whitespace

from reference_impls.core.registry import MethodInfo
from reference_impls.running import catalog
from scripts.model.fidelity import read_fidelity
from scripts.model.formulas import Formulas, read_formulas
from scripts.render.building.made import made_once
from scripts.render.evidence import recorded
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.results import FOLDER, Results
from scripts.render.figures.steps import traces
from scripts.render.mathematics import Typesetter

View = dict[str, Any]
_PARAMETER = re.compile(r"((?:^    #: ?.*\n)+)^    (\w+):", re.MULTILINE)
_ITEM = re.compile(r"^\d+\. ", re.MULTILINE)
#: A bracket with a relation in it, which is 1 or 0.
_CONDITION = re.compile(r"\[[^\]]*(?:=|\\ge|\\le|\\in|<|>)[^\]]*\]")


def method_views(root: Path, results: Results | None = None, recordings: Recorded | None = None) -> list[View]:
    """All methods but the baselines, by category and name; both kinds of results are those of `root` by default."""
    results, recordings = results or Results(root / FOLDER), recordings or Recorded(root / recorded.FOLDER)
    infos = [info for info in catalog.methods().values() if info.category != "baseline"]
    formulas, typesetter, held = read_formulas(root), Typesetter.of(root), read_fidelity(root)
    views = []
    for info in sorted(infos, key=lambda info: (info.category, info.name)):
        view = _view(root, info, results, recordings)
        explained = _explained(info.name, formulas, typesetter)
        views.append({**view, "explained": explained, "fidelity": held.get(info.name)})
    titles = {view["name"]: view["title"] for view in views}
    for view in views:
        view["kin"] = _kin(view["name"], formulas, titles)
    return views


def _explained(name: str, formulas: Formulas, typesetter: Typesetter) -> View | None:
    """Formulas, their symbols and notes, typeset; None where nobody has written them down."""
    if (found := formulas.methods.get(name)) is None:
        return None
    used = {letter for latex in found.formulas for letter in typesetter.symbols(latex)}
    own = {letters[0] for latex in found.where if (letters := typesetter.symbols(latex))}
    common = {
        latex: meaning
        for latex, meaning in formulas.common.items()
        if (letters := typesetter.symbols(latex))
        and letters[0] in used - own
        and set(letters) <= used
        and ("'" not in latex or any("q'" in one for one in found.formulas))
    }
    brackets = {latex: words for latex, words in formulas.common.items() if not typesetter.symbols(latex)}
    if any(_CONDITION.search(latex) for latex in found.formulas):
        common |= brackets
    where = {**found.where, **common}
    return {
        "formulas": [typesetter.display(latex) for latex in found.formulas],
        "where": [(typesetter.inline(latex), typesetter.text(meaning)) for latex, meaning in where.items()],
        "notes": typesetter.text(found.notes),
        "steps": found,
    }


def _kin(name: str, formulas: Formulas, titles: Mapping[str, str]) -> View:
    """Methods that this one goes out from and that go out from it, each with what is done otherwise."""
    every = [(mine, other, how) for mine, one in formulas.methods.items() for other, how in one.akin.items()]
    known = [(mine, other, how) for mine, other, how in every if {mine, other} <= set(titles)]
    return {
        "from": [
            {"title": titles[other], "page": f"methods/{other}/", "how": how}
            for mine, other, how in known
            if mine == name
        ],
        "to": [
            {"title": titles[mine], "page": f"methods/{mine}/", "how": how}
            for mine, other, how in known
            if other == name
        ],
    }


def coloured(root: Path, name: str, source: str) -> Markup:
    """`highlighted`, kept below the Atlas at `root` under a method's name."""
    parts = repr([metadata.version("pygments"), source]).encode() + Path(__file__).read_bytes()
    return Markup(made_once(root, f"sources/{name}.html", parts, lambda: highlighted(source).encode()).decode())  # noqa: S704


@lru_cache(maxsize=512)  # a server that renders again, and again, has few files that changed
def highlighted(source: str) -> str:
    """Python with its parts marked by the classes that the theme colours, for inside <pre>."""
    parts = PythonLexer(stripnl=False).get_tokens(source)
    # names have no colour of their own; nor need signs have one, which are more than half of all parts
    plain = ((Text if kind in (Name, Whitespace, Operator, Punctuation) else kind, words) for kind, words in parts)
    return str(pygments.format(plain, HtmlFormatter(nowrap=True)))  # which escapes


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
        "needs": list(info.needs),
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
