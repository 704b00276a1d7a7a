"""What the commands share: how they speak, where the Atlas is, which files are meant."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import typer
from rich.console import Console
from rich.status import Status
from rich.text import Text

from scripts.checks.findings import one_line
from scripts.model import Corpus
from scripts.model.corpus import CorpusError, entry_files, find_root

WRONG_USE = 2
say = Console(stderr=True, highlight=False, soft_wrap=True)


class Report(StrEnum):
    """How findings are written."""

    text = "text"
    json = "json"
    github = "github"


def load() -> Corpus:
    """The Atlas around the current folder; a short message and status 2 where there is none."""
    try:
        return Corpus.load()
    except CorpusError as error:
        raise wrong_use(str(error)) from error


def wrong_use(message: str) -> typer.Exit:
    """Says what is wrong on stderr; to be raised."""
    say.print(Text(one_line(f"atlas: {message}")))
    return typer.Exit(WRONG_USE)


def showing(status: Status) -> Callable[[str], None]:
    """Shows texts beside a spinner as they stand: a file's name may be a command to the terminal or to Rich."""
    return lambda text: status.update(Text(one_line(text)))


def existing(paths: list[Path]) -> list[Path]:
    """The paths, or status 2 with the first that does not exist; a key or file name is looked up under papers/."""
    papers = find_root() / "papers"
    found = []
    for path in paths:
        named = [path] if path.exists() else [p for p in entry_files(papers) if str(path) in (p.stem, p.name)]
        if not named:
            raise wrong_use(f"there is no file, folder or key '{path}' here or under {papers.name}/")
        found += named
    return found
