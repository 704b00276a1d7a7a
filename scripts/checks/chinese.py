"""The rules for Chinese words (`zh`): what has none yet, what is older than its English, what is missing inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from scripts.checks.problem import Problem
from scripts.model.chinese import Bilingual
from scripts.model.taxonomy import Taxonomy
from scripts.model.yaml_reader import YamlPath

MISSING, STALE, WRONG = "chinese-missing", "chinese-stale", "chinese"

Things = list[tuple[YamlPath, Bilingual]]


def of_taxonomy(taxonomy: Taxonomy) -> Things:
    """(path in the file, thing) for all stages, categories and families."""
    things: Things = []
    for s, stage in enumerate(taxonomy.stages):
        things.append((("stages", s), stage))
        for c, category in enumerate(stage.categories):
            place: YamlPath = ("stages", s, "categories", c)
            things.append((place, category))
            things += [((*place, "families", f), family) for f, family in enumerate(category.families)]
    return things


def problems(things: Iterable[tuple[YamlPath, Bilingual]]) -> Iterator[Problem]:
    """What is to be done for the Chinese of one file's things. A file without any Chinese is left in peace."""
    things = list(things)
    if any(thing.zh for _, thing in things):
        for path, thing in things:
            yield from _problems(path, thing)


def _problems(path: YamlPath, thing: Bilingual) -> Iterator[Problem]:
    if thing.zh is None:
        yield Problem(path, MISSING, "this has no Chinese yet", "add 'zh:', or leave it to somebody who can")
        return
    if thing.stale:
        hint = f"look it over, and write 'of: {thing.mark}'"
        yield Problem((*path, "zh", "of"), STALE, "the English has changed since this Chinese was written", hint)
    for name, text in thing.zh.texts.items():
        yield from _same_parts((*path, "zh", name), thing.english(name), text)


def _same_parts(path: YamlPath, english: Any, chinese: Any) -> Iterator[Problem]:
    """Whether a list or a mapping has the same parts in both languages; synonyms are each language's own."""
    if isinstance(chinese, dict) and isinstance(english, dict):
        for name in chinese.keys() - english.keys():
            yield Problem((*path, name), WRONG, f"there is no '{name}' in English", "remove it, or correct its name")
        for name in english.keys() - chinese.keys():
            yield Problem(path, MISSING, f"'{name}' has no Chinese yet", f"add '{name}: ...'")
    elif isinstance(chinese, list) and path[-1] != "synonyms" and len(chinese) != len(english):
        message = f"{len(chinese)} in Chinese, {len(english)} in English"
        yield Problem(path, WRONG, message, "write one for each, in the same order")
