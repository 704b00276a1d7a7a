"""The guides and the open problems (taxonomy/guides.yml): what to try for a kind of work, what nobody has solved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from scripts.model.chinese import Bilingual, Chinese
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


class ChineseGuide(Chinese):
    """A guide's words in Chinese."""

    name: Text
    question: Text
    answer: Text
    papers: dict[Text, Text] = Field(description="key of an entry -> what the paper found")
    first: dict[Text, Text] = Field(default={}, description="name of a method -> why")
    avoid: list[Text] = []
    solved: Text | None = None


class Guide(Bilingual):
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
    zh: ChineseGuide | None = None

    def english(self, name: str) -> Any:
        """As `Bilingual.english`: findings by their entries, reasons by their methods."""
        match name:
            case "papers":
                return {one.paper: one.says for one in self.papers}
            case "first":
                return {one.method: one.why for one in self.first}
        return super().english(name)

    def said(self, name: str, chinese: Any) -> Any:
        """As `Bilingual.said`."""
        match name:
            case "papers":
                return [one.model_copy(update={"says": chinese.get(one.paper, one.says)}) for one in self.papers]
            case "first":
                return [one.model_copy(update={"why": chinese.get(one.method, one.why)}) for one in self.first]
        return chinese


GuidesFile: TypeAlias = NamedFile[Guide]
_GUIDE = TypeAdapter(Guide)


def read_guides(root: Path) -> GuidesFile:
    """The guides of the Atlas at `root`; never raises for what is in the file. An Atlas may have none."""
    file: GuidesFile = NamedFile(root / FILE)
    file.read("guides", _GUIDE)
    return file
