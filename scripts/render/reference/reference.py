"""The API reference: pages made from the docstrings and signatures of the package, as they stand in its files.

Griffe, the library beneath mkdocstrings, reads both without importing anything. mkdocstrings itself is a plugin of
MkDocs, and the pages of this site must build with any engine: so what Griffe has read goes through a template of our
own, as everything else does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import griffe
from markupsafe import Markup, escape

import reference_impls
from reference_impls import core
from scripts.render.reference.chapters import CHAPTERS, Chapter, address

PACKAGE = Path(reference_impls.__file__).parent
NAME = PACKAGE.name
#: Longer signatures get a line a parameter.
LINE = 84
_CODE = re.compile(r"``(.+?)``|`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """A line of a table: a parameter, an attribute or an error."""

    name: str
    kind: str
    text: Markup


@dataclass(frozen=True)
class Block:
    """A piece of a docstring: ``text``, ``code``, or ``rows`` with a heading."""

    kind: str
    text: Markup | str = ""
    heading: str = ""
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Thing:
    """What one name stands for.

    Attributes:
        name: with its class in front if it has one.
        home: what it is imported from; empty for a member.
        kind: ``class``, ``function``, ``method``, ``property`` or ``value``.
        signature: as one would write it.
        members: of a class.
    """

    name: str
    home: str
    kind: str
    signature: str
    blocks: tuple[Block, ...]
    members: tuple[Thing, ...] = field(default=())

    @property
    def anchor(self) -> str:
        """Of its heading; the case stays, as `method` is not `Method`."""
        return self.name.replace(".", "-")


def chapters() -> Iterator[dict[str, Any]]:
    """Every page with what stands on it, for the template."""
    modules: dict[str, griffe.Module] = {}
    known = {chapter.path: dict(_places(chapter, modules)) for chapter in CHAPTERS}
    for chapter in CHAPTERS:
        up = "../" * address(chapter).count("/")
        # a name that two pages describe leads to the one that is read
        nearest_last = [*(known[other.path] for other in reversed(CHAPTERS)), known[chapter.path]]
        places = {name: up + place for page in nearest_last for name, place in page.items()}
        parts = [
            {"heading": part.heading, "things": [_thing(_found(name, modules), name, places) for name in part.names]}
            for part in chapter.parts
        ]
        beside = [other for other in CHAPTERS if other is not chapter]
        yield {"path": chapter.path, "chapter": chapter, "parts": parts, "beside": beside}


def _places(chapter: Chapter, modules: dict[str, griffe.Module]) -> Iterator[tuple[str, str]]:
    """Where the names of a page are described: address in the site with the anchor."""
    for name in (name for part in chapter.parts for name in part.names):
        thing = _thing(_found(name, modules), name, {})
        for described in (thing, *thing.members):
            yield described.name, f"{address(chapter)}#{described.anchor}"


def _home(name: str) -> str:
    """The module, below the package, that a name is written in."""
    if "." in name:
        return name.rpartition(".")[0]
    return reference_impls.HOMES.get(name, "api")


def _found(name: str, modules: dict[str, griffe.Module]) -> griffe.Object:
    module = _home(name)
    if module not in modules:
        path = PACKAGE.joinpath(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        code = path.read_text(encoding="utf-8")
        modules[module] = griffe.visit(f"{NAME}.{module}", path, code)
    found = modules[module][name.rpartition(".")[2]]
    assert isinstance(found, griffe.Object), f"{name} is only imported there"
    return found


def _thing(found: griffe.Object, name: str, places: dict[str, str]) -> Thing:
    short = name.rpartition(".")[2]
    home = NAME if "." not in name else f"{NAME}.{_home(name)}"
    if short in core.__all__ and home.startswith(core.__name__):
        home = core.__name__  # a method's file imports from there
    if isinstance(found, griffe.Function):
        return Thing(short, home, "function", signature(short, found), _blocks(found, places))
    assert isinstance(found, griffe.Class)
    made = found.members.get("__init__")
    written = signature(short, made) if isinstance(made, griffe.Function) else short
    described = {row.name for block in _blocks(found, places) for row in block.rows}
    members = [
        member
        for key, value in found.members.items()
        if not key.startswith("_") and key not in described and (member := _member(short, value, places))
    ]
    return Thing(short, home, "class", written, _blocks(found, places), tuple(members))


def _member(owner: str, found: object, places: dict[str, str]) -> Thing | None:
    """A method, a property or a documented value of a class."""
    if isinstance(found, griffe.Function):
        name = f"{owner}.{found.name}"
        return Thing(name, "", "method", signature(found.name, found), _blocks(found, places))
    if not isinstance(found, griffe.Attribute):
        return None
    kind = "property" if "property" in found.labels else "value"
    blocks = _blocks(found, places) or _comment(found, places)
    if kind == "value" and not blocks:
        return None
    return Thing(f"{owner}.{found.name}", "", kind, f"{found.name}: {found.annotation}", blocks)


def signature(name: str, function: griffe.Function) -> str:
    """As it stands in the code, without `self`; a line a parameter where it is long."""
    parts: list[str] = []
    kinds = griffe.ParameterKind
    before: griffe.ParameterKind | None = None
    for parameter in function.parameters:
        if parameter.name in ("self", "cls") and before is None and function.parent and function.parent.is_class:
            continue
        if before is kinds.positional_only and parameter.kind is not kinds.positional_only:
            parts.append("/")
        if parameter.kind is kinds.keyword_only and before not in (kinds.keyword_only, kinds.var_positional):
            parts.append("*")
        before = parameter.kind
        star = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(parameter.kind, "")
        annotation = f": {_plain(parameter.annotation)}" if parameter.annotation is not None else ""
        default = ""
        if parameter.default is not None and not star:
            default = f" = {parameter.default}" if annotation else f"={parameter.default}"
        parts.append(f"{star}{parameter.name}{annotation}{default}")
    if before is kinds.positional_only:
        parts.append("/")
    back = f" -> {_plain(function.returns)}" if function.returns is not None and function.name != "__init__" else ""
    flat = f"{name}({', '.join(parts)}){back}"
    return flat if len(flat) <= LINE else f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){back}"


def _plain(annotation: object) -> str:
    """An annotation that is written as a string, without its quotation marks."""
    text = str(annotation)
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, str) else text


_HEADINGS = {
    griffe.DocstringSectionKind.parameters: "Parameters",
    griffe.DocstringSectionKind.attributes: "Attributes",
    griffe.DocstringSectionKind.raises: "Raises",
    griffe.DocstringSectionKind.returns: "Returns",
}


def _blocks(found: griffe.Object, places: dict[str, str]) -> tuple[Block, ...]:
    """The docstring in pieces."""
    if found.docstring is None:
        return ()
    made: list[Block] = []
    for section in found.docstring.parse(
        "google", warnings=False, returns_named_value=False, returns_multiple_items=False
    ):
        if section.kind is griffe.DocstringSectionKind.text:
            made += _texts(section.value, places)
        elif section.kind is griffe.DocstringSectionKind.returns:
            own = str(found.returns) if isinstance(found, griffe.Function) else ""
            (item,) = section.value
            what = "" if item.annotation is None or str(item.annotation) == own else f"{item.annotation}: "
            made.append(Block("text", inline(f"{what}{item.description}", places), "Returns"))
        elif section.kind in _HEADINGS:
            rows = tuple(_row(item, places) for item in section.value)
            made.append(Block("rows", heading=_HEADINGS[section.kind], rows=rows))
        else:
            raise ValueError(f"{found.path}: the reference cannot show a section of {section.kind.value}")
    return tuple(made)


def _row(item: Any, places: dict[str, str]) -> Row:
    """One of several names that share a line of a docstring is read as a name and a type; they are put together."""
    kind = "" if item.annotation is None else _plain(item.annotation)
    name = getattr(item, "name", "") or ""
    if not name:  # an error: what Griffe takes for its type is its name
        name, kind = kind.strip("()"), ""
    elif name.endswith(","):
        name, kind = f"{name} {kind}", ""
    return Row(name, kind, inline(item.description, places))


def _texts(text: str, places: dict[str, str]) -> Iterator[Block]:
    """Paragraphs, and what is indented or an example as code."""
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        if paragraph.startswith((">>>", "    ")):
            yield Block("code", paragraph)
        else:
            yield Block("text", inline(paragraph, places))


def _comment(found: griffe.Attribute, places: dict[str, str]) -> tuple[Block, ...]:
    """The `#:` comment above a value, as one piece of text."""
    lines: Sequence[str] = found.module.filepath.read_text(encoding="utf-8").splitlines()  # type: ignore[union-attr]
    number = (found.lineno or 1) - 2
    above: list[str] = []
    while number >= 0 and lines[number].strip().startswith("#:"):
        above.insert(0, lines[number].strip().removeprefix("#:").strip())
        number -= 1
    return (Block("text", inline(" ".join(above), places)),) if above else ()


def inline(text: str, places: dict[str, str]) -> Markup:
    """A paragraph on one line as HTML, code as code; a name of `places` is a link to there."""
    made, end = Markup(), 0
    flat = " ".join(text.split())
    for found in _CODE.finditer(flat):
        made += escape(flat[end : found.start()])
        code = found[1] or found[2]
        shown = Markup("<code>{}</code>").format(code)
        place = None if found[1] else places.get(code.removesuffix("()"))
        made += Markup('<a href="{}">{}</a>').format(place, shown) if place else shown
        end = found.end()
    return made + escape(flat[end:])
