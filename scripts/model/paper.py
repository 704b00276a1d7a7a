"""The form of an entry: one paper, one YAML file. `papers/schema.json` is generated from this model."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from scripts.model.identifiers import DATE, FORMS
from scripts.model.names import author


class Strict(BaseModel):
    """Unknown keys are refused and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _date(value: object) -> object:
    """A bare year is an integer to YAML; the forms are YYYY, YYYY-MM and YYYY-MM-DD."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return value
    if not DATE.match(text):
        raise ValueError(f"'{text}' is no date; write YYYY, YYYY-MM or YYYY-MM-DD")
    if len(text) == len("YYYY-MM-DD"):
        datetime.date.fromisoformat(text)
    return text


Date = Annotated[str, BeforeValidator(_date)]
Text = Annotated[str, Field(min_length=1)]
_NAME = {"type": "string", "minLength": 1}
_GROUP = {
    "type": "object",
    "description": "a group whose name does not show that it is one",
    "properties": {"group": _NAME},
    "required": ["group"],
    "additionalProperties": False,
}
# an entry may write a mapping, programs always read a string
Author = Annotated[
    str,
    PlainValidator(author),
    WithJsonSchema({"anyOf": [_NAME, _GROUP]}, mode="validation"),
    WithJsonSchema(_NAME, mode="serialization"),
]


PUBLICATION = "publication"  # a value of `of` in Version


class Venue(Strict):
    """Where the paper was published, after or instead of a preprint."""

    name: Text = Field(description="short name of the conference or journal, for example ICLR")
    year: Annotated[int, Field(ge=1950, le=2100)] | None = Field(
        None, description="year of the proceedings or volume"
    )
    track: Text | None = Field(None, description="main, findings, industry, workshop, journal, ...")
    pages: Text | None = Field(None, description="pages in the proceedings or volume, for example 14165-14178")


class Ids(Strict):
    """Identifiers, each in its shortest form: no address, no version."""

    arxiv: Text | None = Field(None, description=f"for example {FORMS['arxiv'].example}")
    doi: Text | None = Field(None, description=f"for example {FORMS['doi'].example}")
    acl: Text | None = Field(None, description=f"ACL Anthology, for example {FORMS['acl'].example}")
    openreview: Text | None = Field(None, description=f"for example {FORMS['openreview'].example}")
    s2: Text | None = Field(None, description="Semantic Scholar paper id; only where no other identifier is known")

    def items(self) -> list[tuple[str, str]]:
        """The identifiers that are known, in a fixed order."""
        return [(kind, value) for kind in FORMS if (value := getattr(self, kind)) is not None]


class Links(Strict):
    """Addresses beside those that the identifiers imply; http or https only."""

    code: list[Text] = Field(default=[], description="repositories of the authors' code")
    page: Text | None = Field(None, description="the paper's own page, where no identifier leads to it")
    project: Text | None = None
    video: Text | None = None
    slides: Text | None = None


class Attributes(Strict):
    """What kind of method it is. The allowed values stand in taxonomy/vocabulary.yml; unknown = left out."""

    supervision: Text | None = None
    strategy: Text | None = Field(None, description="the mechanism in a phrase, in the Atlas's own words")
    access: Text | None = None
    vocabulary: Text | None = None
    models: Text | None = None
    goals: list[Text] = []
    tasks: list[Text] = []
    themes: list[Text] = []
    benchmarks: list[Text] = Field(default=[], description="as the vocabulary spells them")
    base_models: list[Text] = Field(default=[], description="as the paper spells them")


class SurveyRow(Strict):
    """What the tables of the survey (arXiv:2502.18036) say of the method; a cell that is absent is left out."""

    category: Text = Field(description="the survey's category: a1, a2, b1, b2, b3, c1 or c2")
    strategy: Text | None = None
    parametric: bool | None = None
    supervised: bool | None = None
    models: Text | None = None
    loss: Text | None = None
    traits: Text | None = None
    goals: list[Text] = []
    tasks: list[Text] = Field(default=[], description="open-ended, exact-match")
    generalises: bool | None = Field(None, description="works on new domains without being trained again")
    efficiency_aware: bool | None = None
    code: bool | None = None


class Version(Strict):
    """What another version of the paper says otherwise than the entry's own fields; what is left out agrees."""

    of: Text = Field(description="preprint, revision, workshop or publication: which version says so")
    title: Text | None = None
    authors: list[Author] = Field(default=[], description="all of them, in that version's order")
    figures: Text | None = Field(None, description="its figures where they differ, in the Atlas's own words")
    source: Text | None = Field(None, description="where that version was read")


class Relations(Strict):
    """Keys of other entries, and where it is read that they are related."""

    builds_on: list[Text] = []
    compares_with: list[Text] = []
    surveyed_in: list[Text] = []
    sources: dict[Text, list[Text]] = Field(
        default={}, description="the address of each text that was read, and the keys that it tells of"
    )

    def items(self) -> list[tuple[str, list[str]]]:
        """The kinds of relation and their keys, in a fixed order."""
        return [(kind, getattr(self, kind)) for kind in ("builds_on", "compares_with", "surveyed_in")]

    def read_in(self, key: str) -> list[str]:
        """The addresses where the relation to `key` is read; none if it is not known where."""
        return [address for address, keys in self.sources.items() if key in keys]


class Checked(Strict):
    """When the facts were held against which sources. Absent means: not verified, and the site says so."""

    date: Date
    against: Annotated[list[Text], Field(min_length=1)]


class Paper(Strict):
    """One paper of LLM-ensemble research."""

    title: Text
    name: Text | None = Field(None, description="the method's short name, if it has one")
    authors: list[Author] = Field(
        default=[],
        description="full names in the paper's order, {group: ...} for a group's; empty = unknown",
    )
    authors_complete: bool = Field(True, description="false where the sources name only some of the authors")
    date: Date | None = Field(None, description="first public version: YYYY, YYYY-MM or YYYY-MM-DD")
    venue: Venue | None = None
    ids: Ids = Ids()
    links: Links = Links()
    versions: list[Version] = Field(
        default=[], description="where title, authors or figures of a preprint and its publication differ"
    )
    kind: Text
    categories: Annotated[list[Text], Field(min_length=1, max_length=3)] = Field(
        description="stage/category; the first is the primary one"
    )
    family: Text | None = Field(None, description="a family of the primary category")
    attributes: Attributes = Attributes()
    survey: SurveyRow | None = None
    summary: Text | None = Field(None, description="two to four sentences in the project's own words")
    notes: Text | None = Field(None, description="curation notes: other titles, doubtful category, differing dates")
    relations: Relations = Relations()
    checked: Checked | None = None

    @property
    def url(self) -> str | None:
        """The canonical page: the first identifier's, else the page given."""
        return next((FORMS[kind].url(value) for kind, value in self.ids.items()), self.links.page)

    @property
    def cited_title(self) -> str:
        """The title of the version that is cited: the publication's where there is one."""
        return next((one.title for one in self.versions if one.of == PUBLICATION and one.title), self.title)

    @property
    def cited_authors(self) -> list[Author]:
        """The authors of the version that is cited."""
        return next((one.authors for one in self.versions if one.of == PUBLICATION and one.authors), self.authors)

    @property
    def year(self) -> int | None:
        """Year of the first public version."""
        return int(self.date[:4]) if self.date else None
