"""The authors of several entries, each with what they have here: a page a letter of their family names.

An entry knows its authors by name only. So two people of one name stand together, and one person under two names
twice; the pages say so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from scripts.model.names import is_group, split

View = dict[str, Any]
#: Entries from which on an author stands on a page.
LEAST = 2
#: Authors whom the first page names.
FIRST = 30
#: The page of names that begin with no letter of the Latin alphabet.
OTHER = "other"


def address(name: str) -> str:
    """Where an author's entries are listed."""
    return f"{_page(_letter(name))}#{quote(_anchor(name), safe='')}"


def pages(by_author: Mapping[str, list[View]]) -> list[View]:
    """The pages: that of the authors with most entries, then one a letter that any has.

    Args:
        by_author: name -> the cards of the author's entries.
    """
    several = {name: cards for name, cards in by_author.items() if len(cards) >= LEAST}
    letters: dict[str, list[str]] = {}
    for name in sorted(several, key=_sorted_as):
        letters.setdefault(_letter(name), []).append(name)
    heads = [
        {"letter": letter, "title": letter.upper() if letter != OTHER else "Others", "page": _page(letter)}
        for letter in sorted(letters, key=lambda one: (one == OTHER, one))
    ]
    most = sorted(several, key=lambda name: (-len(several[name]), _sorted_as(name)))[:FIRST]
    first: View = {"file": "authors/index.md", "head": None, "count": len(several), "authors": []}
    first["most"] = [{"name": name, "page": address(name), "count": len(several[name])} for name in most]
    return [
        {**first, "heads": heads},
        *(
            {"file": f"authors/{head['letter']}.md", "head": head, "heads": heads,
             "authors": [{"name": name, "id": _anchor(name), "papers": several[name]}
                         for name in letters[head["letter"]]]}
            for head in heads
        ),
    ]  # fmt: skip


def _page(letter: str) -> str:
    return f"authors/{letter}/"


def _anchor(name: str) -> str:
    return "by-" + re.sub(r"\s+", "_", name.strip())


def _letter(name: str) -> str:
    first = _sorted_as(name)[:1]
    return first if "a" <= first <= "z" else OTHER


def _sorted_as(name: str) -> str:
    """The family name first, without accents."""
    parts = None if is_group(name) else split(name)
    text = f"{parts.family} {parts.given}" if parts else name
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).strip()
