"""The guides and the open problems (taxonomy/guides.yml): what to try for a kind of work, what nobody has solved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from scripts.model.named import NamedFile
from scripts.model.paper import Strict, Text

FILE = Path("taxonomy") / "guides.yml"
#: Kind -> what a page of the kind is of.
KINDS = {"task": "a kind of work", "situation": "what an engineer has at hand", "problem": "an open problem"}


class Finding(Strict):
    """What one paper found."""

    paper: Text = Field(description="key of an entry")
    says: Text = Field(description="in our own words; numbers only as they stand in the entry's summary")


class Trial(Strict):
    """A method to try."""

    method: Text = Field(description="name of a method that runs here")
    why: Text


class Guide(Strict):
    """One page; its address is its key in the file."""

    name: Text
    kind: Literal["task", "situation", "problem"]
    question: Text = Field(description="what the reader comes with")
    answer: Text = Field(description="two to five sentences without numbers; of a problem, where the field stands")
    papers: Annotated[list[Finding], Field(min_length=3)]
    evidence: list[Text] = Field(
        default=[], description="pools of which the results are told: recorded:NAME or POOL/BENCHMARK"
    )
    claims: list[Text] = Field(default=[], description="addresses of claims whose verdicts are told")
    first: list[Trial] = Field(default=[], description="what to try, the first one first")
    avoid: list[Text] = Field(default=[], description="what not to do, a sentence each, without numbers")
    solved: Text | None = Field(None, description="of a problem: what an answer would look like")
    see: list[Text] = Field(default=[], description="addresses of other guides")


GuidesFile: TypeAlias = NamedFile[Guide]
_GUIDE = TypeAdapter(Guide)


def read_guides(root: Path) -> GuidesFile:
    """The guides of the Atlas at `root`; never raises for what is in the file. An Atlas may have none."""
    file: GuidesFile = NamedFile(root / FILE)
    file.read("guides", _GUIDE)
    return file
