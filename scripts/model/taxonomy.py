"""The taxonomy: stages, their categories, their families (taxonomy/taxonomy.yml)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field

from scripts.model.chinese import Bilingual, Chinese
from scripts.model.paper import Strict, Text

Texts = Annotated[list[Text], Field(min_length=1)]


class ChineseFamily(Chinese):
    """A family's words in Chinese."""

    name: Text
    definition: Text


class Family(Bilingual):
    """A group of methods inside a category; `source` says whether the survey or the Atlas set it up."""

    id: Text
    name: Text
    definition: Text
    source: Text
    zh: ChineseFamily | None = None


class Needs(Strict):
    """What a typical method of the category needs."""

    access: Text
    training_data: Text
    extra_calls: Text


class ChineseNeeds(Strict):
    """What a category needs, in Chinese."""

    training_data: Text
    extra_calls: Text


class ChineseCategory(Chinese):
    """A category's words in Chinese."""

    name: Text
    summary: Text
    question: Text
    definition: Text
    when_to_use: Text
    needs: ChineseNeeds
    how_it_works: Texts
    strengths: Texts
    limits: Texts


class Category(Bilingual):
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
    zh: ChineseCategory | None = None

    def english(self, name: str) -> Any:
        """As `Bilingual.english`; of what is needed, the access is a word of the vocabulary, which has its own."""
        return self.needs.model_dump(exclude={"access"}) if name == "needs" else super().english(name)

    def said(self, name: str, chinese: Any) -> Any:
        """As `Bilingual.said`."""
        return self.needs.model_copy(update=chinese.model_dump()) if name == "needs" else chinese

    def in_chinese(self) -> Self:
        """As `Bilingual.in_chinese`, its families, too."""
        return super().in_chinese().model_copy(update={"families": [family.in_chinese() for family in self.families]})


class ChineseStage(Chinese):
    """A stage's words in Chinese."""

    name: Text
    question: Text
    definition: Text


class Stage(Bilingual):
    """When, relative to inference, the models are combined. `related` holds the neighbouring groups."""

    id: Text
    name: Text
    code: Text | None = None
    question: Text
    definition: Text
    synonyms: list[Text] = []
    categories: Annotated[list[Category], Field(min_length=1)]
    zh: ChineseStage | None = None

    def in_chinese(self) -> Self:
        """As `Bilingual.in_chinese`, its categories, too."""
        return (
            super()
            .in_chinese()
            .model_copy(update={"categories": [category.in_chinese() for category in self.categories]})
        )


class Taxonomy(Strict):
    """All stages in order."""

    stages: Annotated[list[Stage], Field(min_length=1)]

    def __iter__(self) -> Iterator[tuple[str, Stage, Category]]:  # type: ignore[override]
        """(full id, stage, category), in order."""
        for stage in self.stages:
            for category in stage.categories:
                yield f"{stage.id}/{category.id}", stage, category

    def in_chinese(self) -> Taxonomy:
        """A copy with the Chinese words in the place of the English ones, as far as there are any."""
        return Taxonomy(stages=[stage.in_chinese() for stage in self.stages])

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
