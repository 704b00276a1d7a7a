"""How the methods work (taxonomy/formulas.yml): formulas in LaTeX, what their symbols mean, the steps of a query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError

from scripts.model.corpus import CorpusError
from scripts.model.paper import Strict, Text

FILE = Path("taxonomy") / "formulas.yml"
#: The same mathematics as MathML, by its LaTeX.
MATHML = Path("site_src") / "mathml.json"
#: Mathematics within text.
INLINE = re.compile(r"\$([^$]+)\$")


class Calls(Strict):
    """A step that asks models."""

    calls: Text


class Explained(Strict):
    """One method."""

    formulas: Annotated[list[Text], Field(min_length=1, description="LaTeX, in the order of reading")]
    where: dict[Text, Text] = Field(description="symbols in LaTeX, and what they mean")
    notes: Text = Field(description="what else decides, and what it costs; mathematics between dollar signs")
    learn: list[Text | Calls] = Field(default=[], description="steps before the first query")
    answer: Annotated[list[Text | Calls], Field(min_length=2, description="steps of a query")]
    akin: dict[Text, Text] = Field(
        default={}, description="methods that this one goes out from, and what it does otherwise"
    )


class Formulas(Strict):
    """The whole file.

    Attributes:
        common: symbols that mean the same for many methods.
        methods: by name.
    """

    common: dict[Text, Text] = {}
    methods: dict[Text, Explained] = {}


def read_formulas(root: Path) -> Formulas:
    """The file of the Atlas at `root`; empty where there is none.

    Raises:
        CorpusError: it has not this form.
    """
    if not (root / FILE).is_file():
        return Formulas()
    try:
        return Formulas.model_validate(yaml.load((root / FILE).read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (yaml.YAMLError, ValidationError) as error:
        raise CorpusError(f"{FILE.as_posix()}: {error}") from error


def latex_of(formulas: Formulas) -> Iterator[str]:
    """All mathematics of the file."""
    yield from formulas.common
    for words in formulas.common.values():
        yield from INLINE.findall(words)
    for one in formulas.methods.values():
        yield from one.formulas
        for symbols, meaning in one.where.items():
            yield symbols
            yield from INLINE.findall(meaning)
        yield from INLINE.findall(one.notes)
