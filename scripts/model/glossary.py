"""The glossary (taxonomy/glossary.yml): the field's terms in plain words, one under each address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from pydantic import Field, TypeAdapter

from scripts.model.chinese import Bilingual, Chinese
from scripts.model.named import NamedFile
from scripts.model.paper import Text

FILE = Path("taxonomy") / "glossary.yml"
_WORD = re.compile(r"[^\W_]+")


class ChineseTerm(Chinese):
    """A term in Chinese; its English names are its synonyms there by themselves."""

    term: Text
    synonyms: list[Text] = []
    text: Text


class Term(Bilingual):
    """One term; its address is its key in the file."""

    term: Text = Field(description="the name under which it stands")
    synonyms: list[Text] = Field(default=[], description="other names and abbreviations of the same")
    text: Text = Field(description="one to three sentences in plain English")
    category: Text | None = Field(None, description="of the taxonomy, as stage/category")
    see: list[Text] = Field(default=[], description="addresses of other terms")
    papers: list[Text] = Field(default=[], description="keys of entries")
    methods: list[Text] = Field(default=[], description="names of methods that run here")
    zh: ChineseTerm | None = None

    def names(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """(where it stands in the term, name), for the term and its synonyms, and those in Chinese."""
        yield ("term",), self.term
        yield from ((("synonyms", place), name) for place, name in enumerate(self.synonyms))
        if self.zh:
            yield ("zh", "term"), self.zh.term
            yield from ((("zh", "synonyms", place), name) for place, name in enumerate(self.zh.synonyms))


GlossaryFile: TypeAlias = NamedFile[Term]
_TERM = TypeAdapter(Term)


def folded(name: str) -> str:
    """What two spellings of a name share: "Best-of-N" and "best of n"."""
    return " ".join(_WORD.findall(name.casefold()))


def read_glossary(root: Path) -> GlossaryFile:
    """The glossary of the Atlas at `root`; never raises for what is in the file. An Atlas may have none."""
    file: GlossaryFile = NamedFile(root / FILE)
    file.read("glossary", _TERM)
    return file
