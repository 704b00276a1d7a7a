"""What the commands over the data share: where the Atlas is, which files are meant, how findings are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from reference_impls.cli.console import wrong_use
from scripts.model import Corpus
from scripts.model.corpus import CorpusError, entry_files, find_root


class Report(StrEnum):
    """How findings are written."""

    text = "text"
    json = "json"
    github = "github"


def load() -> Corpus:
    """The Atlas around the current folder; a short message and status 2 where there is none."""
    with needing_taxonomy():
        return Corpus.load()


@contextmanager
def needing_taxonomy() -> Iterator[None]:
    """A short message and status 2 where the block finds no taxonomy or vocabulary that can be used."""
    try:
        yield
    except CorpusError as error:
        raise wrong_use(str(error)) from error


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
