"""HTML by its elements: whatever a stranger wrote becomes text of it and never a tag, an attribute or a script."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, tostring

#: Nothing is fetched, run or sent, whatever stands in the page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
#: Characters that turn the direction of what follows round.
_TURNING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}

Child = Element | str | None


def h(tag: str, /, *children: Child, of: str = "", **attributes: str | float) -> Element:
    """An element.

    Args:
        tag: its name.
        children: elements, and texts as strangers may have written them; None is left out.
        of: its class.
        attributes: by name; an underscore stands for a hyphen, one at the end is left out.
    """
    told = {key.rstrip("_").replace("_", "-"): clean(str(value)) for key, value in attributes.items()}
    element = Element(tag, {"class": of} | told if of else told)
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif child is not None and len(element):
            element[-1].tail = (element[-1].tail or "") + clean(child)
        elif child is not None:
            element.text = (element.text or "") + clean(child)
    return element


def clean(text: str) -> str:
    """A text without what no page may hold: control characters, halves of characters, changes of direction.

    >>> clean("a\\x00b\\u202ec")
    'a\\ufffdb\\ufffdc'
    """
    return "".join(
        char
        if char in "\n\t" or (unicodedata.category(char) not in ("Cc", "Cs") and char not in _TURNING)
        else "\ufffd"
        for char in text.replace("\r\n", "\n").replace("\r", "\n")
    )


def cut(text: str, most: int) -> str:
    """A text's beginning, where it is long.

    >>> cut("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[Child]],
    *,
    numbers: int = 99,
    marked: Sequence[int] = (),
) -> Element:
    """A table whose first cells name the rows, in a box that scrolls by itself where it is wide.

    Args:
        caption: what it shows; also the box's name.
        heads: of the columns.
        rows: cells.
        numbers: column from which on cells are numbers, and stand to the right.
        marked: places of the rows that are set off.
    """
    head = h("tr", *(h("th", text, scope="col", of="number" if i >= numbers else "") for i, text in enumerate(heads)))
    body = h("tbody")
    for place, row in enumerate(rows):
        line = h("tr", h("th", row[0], scope="row"), of="marked" if place in marked else "")
        for i, cell in enumerate(row[1:], 1):
            line.append(h("td", cell, of="number" if i >= numbers else ""))
        body.append(line)
    made = h("table", h("caption", caption), h("thead", head), body)
    return h("div", made, of="scroll", tabindex=0, role="region", aria_label=caption)


def page(title: str, styles: str, language: str, parts: Sequence[Element]) -> str:
    """A whole page that opens by itself.

    Args:
        title: of its window.
        styles: the style sheet, the project's own.
        language: of its words.
        parts: of its main part.
    """
    style = Element("style")
    style.text = styles  # not escaped: no text of strangers
    head = h(
        "head", h("meta", charset="utf-8"), h("meta", http_equiv="Content-Security-Policy", content=POLICY),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"), h("meta", name="robots", content="noindex"),
        h("title", title), style,
    )  # fmt: skip
    whole = h("html", head, h("body", h("main", *parts)), lang=language)
    return "<!DOCTYPE html>\n" + tostring(whole, encoding="unicode", method="html") + "\n"


def facts(pairs: Mapping[str, Child]) -> Element:
    """Names and what they are."""
    made = h("dl")
    for name, value in pairs.items():
        made.append(h("div", h("dt", name), h("dd", value)))
    return made
