"""The allowed attribute values, each with its definition (taxonomy/vocabulary.yml)."""

from __future__ import annotations

from functools import cached_property

from scripts.model.paper import Strict, Text


class Term(Strict):
    """A value that an entry may carry."""

    name: Text
    definition: Text


class Attribute(Strict):
    """An attribute with a closed set of values."""

    name: Text
    definition: Text
    values: dict[str, Term]


class Vocabulary(Strict):
    """Kinds of paper, publication tracks, attributes, and the one spelling of each benchmark."""

    kinds: dict[str, Term]
    tracks: dict[str, Term]
    attributes: dict[str, Attribute]
    benchmark_spellings: dict[str, list[Text]] = {}

    def spelling(self, benchmark: str) -> str:
        """The Atlas's spelling of a benchmark's name."""
        return self._spellings.get(benchmark.casefold(), benchmark)

    @cached_property
    def _spellings(self) -> dict[str, str]:
        """The Atlas's spelling by any spelling in small letters; the first that claims one has it."""
        found: dict[str, str] = {}
        for canonical, others in self.benchmark_spellings.items():
            for spelling in (canonical, *others):
                found.setdefault(spelling.casefold(), canonical)
        return found
