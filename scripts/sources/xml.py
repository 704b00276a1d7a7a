"""XML from strangers: elements only. A document type, and with it every entity and every XML bomb, is
refused."""

from __future__ import annotations

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MAX_DEPTH = 64


class UnsafeXmlError(ValueError):
    """The document declares a type or entities, or nests deeper than any answer of a source does."""


def parse(body: bytes) -> Element:
    """The root element, tags as '{namespace}name'. ValueError where the body is not well formed or not
    safe."""
    parser = expat.ParserCreate(namespace_separator="}")
    tree = TreeBuilder()
    depth = 0

    def qualified(name: str) -> str:
        return "{" + name if "}" in name else name

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnsafeXmlError(f"more than {MAX_DEPTH} elements inside each other")
        tree.start(qualified(name), {qualified(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        tree.end(qualified(name))

    def refuse(*_: object) -> NoReturn:
        raise UnsafeXmlError("declares a document type or entities")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = tree.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise ValueError(f"not well formed: {error}") from error
    root: Element = tree.close()
    return root
