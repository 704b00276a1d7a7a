"""The Chinese of what the reference implementations say of themselves (taxonomy/methods.yml).

Their English stands in their own files, and their measured results rest on these files: so the Chinese lies apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from pydantic import Field, TypeAdapter

from scripts.model.chinese import Bilingual, Chinese
from scripts.model.named import NamedFile
from scripts.model.paper import Strict, Text

FILE = Path("taxonomy") / "methods.yml"


class ChineseMethod(Chinese):
    """A method's words in Chinese."""

    title: Text
    lead: Text = Field(description="the first paragraph of its page")


class Said(Strict):
    """What the file holds of one method; its address is the method's name."""

    zh: ChineseMethod


class Method(Bilingual):
    """What a method says of itself: its docstring's first paragraph, which holds its title and its lead."""

    paragraph: Text
    zh: ChineseMethod | None = None

    def english(self, name: str) -> str:  # noqa: ARG002  all comes from the one paragraph
        """As `Bilingual.english`."""
        return self.paragraph

    @classmethod
    def of(cls, doc: str, said: Said | None) -> Method:
        """A method by its docstring, and what the file holds of it."""
        paragraph = doc.strip().split("\n\n", 1)[0]
        return cls(paragraph=" ".join(paragraph.split()), zh=said.zh if said else None)


MethodsFile: TypeAlias = NamedFile[Said]
_SAID = TypeAdapter(Said)


def read_methods(root: Path) -> MethodsFile:
    """The file of the Atlas at `root`; never raises for what is in it. An Atlas may have none."""
    file: MethodsFile = NamedFile(root / FILE)
    file.read("methods", _SAID)
    return file
