"""What each method was held against (taxonomy/fidelity.yml): its authors' code, its formula, or nothing, and why."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import yaml
from pydantic import AnyHttpUrl, Field, TypeAdapter, ValidationError, model_validator

from scripts.model.corpus import CorpusError
from scripts.model.paper import Strict, Text

FILE = Path("taxonomy") / "fidelity.yml"
NOT_COMPARED = "not compared"
By: TypeAlias = Literal["authors' code run", "third-party code run", "formula recomputed", "not compared"]
_ADDRESS = TypeAdapter(AnyHttpUrl)


class Fidelity(Strict):
    """One method."""

    code: Text | None = Field(description="address of the authors' repository; null where none is known")
    looked: Text | None = Field(None, description="where none is known: where one looked, or why there is none")
    by: By = Field(description="what stood on the other side")
    what: Text | None = Field(None, description="which function of theirs against which of ours")
    inputs: Text | None = Field(None, description="which, and how many")
    difference: Text | None = Field(None, description="what came out")
    date: datetime.date | None = None
    why: Text | None = Field(None, description="where nothing was compared: why not")

    @property
    def compared(self) -> bool:
        """Whether anything stood on the other side."""
        return self.by != NOT_COMPARED

    @model_validator(mode="after")
    def _whole(self) -> Fidelity:
        """What a reader needs in order to judge the comparison, or its absence."""
        if self.code is not None:
            _ADDRESS.validate_python(self.code)
        told = {name for name in ("what", "inputs", "difference", "date", "why", "looked") if getattr(self, name)}
        wanted = {"what", "inputs", "difference", "date"} if self.compared else {"why"}
        if self.code is None:
            wanted.add("looked")
        if told != wanted:
            raise ValueError(f"with this `by` and `code` an entry has {sorted(wanted)}, not {sorted(told)}")
        return self


_FILE = TypeAdapter(dict[Text, Fidelity])


def read_fidelity(root: Path) -> dict[str, Fidelity]:
    """The file of the Atlas at `root`, by method; empty where there is none.

    Raises:
        CorpusError: it has not this form.
    """
    if not (root / FILE).is_file():
        return {}
    try:
        return _FILE.validate_python(yaml.load((root / FILE).read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (yaml.YAMLError, ValidationError) as error:
        raise CorpusError(f"{FILE.as_posix()}: {error}") from error
