"""The taxonomy: stages, their categories, their families (taxonomy/taxonomy.yml)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated

from pydantic import Field

from scripts.model.paper import Strict, Text

Texts = Annotated[list[Text], Field(min_length=1)]


class Family(Strict):
    """A group of methods inside a category; `source` says whether the survey or the Atlas set it up."""

    id: Text
    name: Text
    definition: Text
    source: Text


class Needs(Strict):
    """What a typical method of the category needs."""

    access: Text
    training_data: Text
    extra_calls: Text


class Category(Strict):
    """A category; its full id is stage/id."""

    id: Text
    name: Text
    code: Text | None = None
    summary: Text
    question: Text
    definition: Text
    how_it_works: Texts
    strengths: Texts
    limits: Texts
    when_to_use: Text
    needs: Needs
    strategy: Text | None = None
    granularity: Text | None = None
    goals: list[Text] = []
    synonyms: list[Text] = []
    families: list[Family] = []


class Stage(Strict):
    """When, relative to inference, the models are combined. `related` holds the neighbouring groups."""

    id: Text
    name: Text
    code: Text | None = None
    question: Text
    definition: Text
    synonyms: list[Text] = []
    categories: Annotated[list[Category], Field(min_length=1)]


class Taxonomy(Strict):
    """All stages in order."""

    stages: Annotated[list[Stage], Field(min_length=1)]

    def __iter__(self) -> Iterator[tuple[str, Stage, Category]]:  # type: ignore[override]
        """(full id, stage, category), in order."""
        for stage in self.stages:
            for category in stage.categories:
                yield f"{stage.id}/{category.id}", stage, category

    @cached_property
    def categories(self) -> dict[str, Category]:
        """Every category by its full id, in order."""
        found: dict[str, Category] = {}
        for full_id, _, category in self:
            found.setdefault(full_id, category)
        return found

    def category(self, full_id: str) -> Category | None:
        """The category with this full id, or None."""
        return self.categories.get(full_id)

    def family(self, full_id: str, family_id: str) -> Family | None:
        """The family of this category, or None."""
        category = self.category(full_id)
        return next((f for f in category.families if f.id == family_id), None) if category else None
