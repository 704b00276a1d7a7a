"""What the rules for the project's own data files share: their form, addresses, and names that must exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

from scripts.checks.entry import texts
from scripts.checks.problem import Problem
from scripts.model.corpus import Entry
from scripts.model.named import NamedFile
from scripts.model.yaml_reader import YamlPath

_ADDRESS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_LONGEST = 60  # characters of an address


def read(file: NamedFile[Any], others: str) -> Iterator[Problem]:
    """What is wrong with the form of a file, and with its texts; `others` is what a hint calls the things in it."""
    if file.unreadable:
        yield Problem((), file.unreadable.rule, file.unreadable.message, file.unreadable.repair)
    for path, error in file.errors:
        yield _form(path, error, others)
    if file.document:
        yield from texts(Entry(file.path, file.document.text, file.document))


def address(rule: str, name: str) -> Iterator[Problem]:
    """Whether a key can be an address of the site."""
    if not _ADDRESS.match(name) or len(name) > _LONGEST:
        message = f"'{name}' is no address"
        yield Problem((), rule, message, f"small letters, digits and single hyphens, at most {_LONGEST} signs")


def unknown(rule: str, path: YamlPath, what: str, name: str, known: Collection[str]) -> Problem:
    """That a name is of none that exists, with the nearest that is."""
    near = get_close_matches(name, known, n=1)
    hint = (
        f"did you mean '{near[0]}'?"
        if near
        else f"write the name of one that exists, for instance {min(known, default='?')}"
    )
    return Problem(path, rule, f"there is no {what} '{name}'", hint)


def _form(path: YamlPath, error: dict[str, Any], others: str) -> Problem:
    key, told = path[-1], str(error["msg"])
    match error["type"]:
        case "extra_forbidden":
            hint = f"remove it, or look at other {others}"
            return Problem(path, "unknown-key", f"there is no key '{key}' here", hint)
        case "missing":
            return Problem(path, "missing-key", f"'{key}' is missing", f"add '{key}: ...'")
    hint = f"look at how other {others} write it"
    return Problem(path, "wrong-type", f"'{key}': {told[:1].lower()}{told[1:]}", hint)
