"""A breach of a rule, and the commonest one: a value that is none of a list."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from scripts.model.yaml_reader import YamlPath


class Problem(NamedTuple):
    """A breach of a rule at a place inside an entry."""

    path: YamlPath
    rule: str
    message: str
    repair: str


def allowed(path: YamlPath, value: str, among: Collection[str]) -> Iterator[Problem]:
    if value not in among:
        name = next(part for part in reversed(path) if isinstance(part, str))
        yield Problem(path, "vocabulary", f"'{value}' is no value of '{name}'", nearest(value, among))


def nearest(value: str, among: Collection[str]) -> str:
    near = get_close_matches(value, among, n=1)
    return f"did you mean '{near[0]}'?" if near else f"one of: {', '.join(among) or 'none'}"
