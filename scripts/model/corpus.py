"""The whole Atlas in memory: every entry as it was read, with the taxonomy and the vocabulary."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from scripts.model import yaml_reader
from scripts.model.identifiers import KEY
from scripts.model.paper import Paper, Strict
from scripts.model.taxonomy import Taxonomy
from scripts.model.vocabulary import Vocabulary
from scripts.model.yaml_reader import Document, UnreadableError

MAX_TAXONOMY_BYTES = 1024 * 1024

Model = TypeVar("Model", bound=Strict)


class CorpusError(Exception):
    """The taxonomy or the vocabulary cannot be read; nothing can be checked without them."""


def find_root(start: Path | None = None) -> Path:
    """The folder that holds papers/ and taxonomy/: $ATLAS_ROOT, an ancestor of `start`, or this source tree."""
    if named := os.environ.get("ATLAS_ROOT"):
        return Path(named).resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "taxonomy" / "taxonomy.yml").is_file():
            return folder
    return Path(__file__).resolve().parents[2]


@dataclass
class Entry:
    """A file under papers/: what was read of it, and why not more."""

    path: Path
    text: str = ""
    document: Document | None = None
    paper: Paper | None = None
    unreadable: UnreadableError | None = None
    schema_errors: list[Any] = field(default_factory=list)  # pydantic's error dictionaries

    @property
    def key(self) -> str:
        """The paper's key: the file's name."""
        return self.path.stem

    @classmethod
    def read(cls, path: Path) -> Entry:
        """Reads as far as the file allows; never raises for what is in it."""
        entry = cls(path)
        try:
            entry.text = yaml_reader.read_text(path)
            entry.document = yaml_reader.parse(entry.text)
        except UnreadableError as error:
            entry.unreadable = error
            return entry
        try:
            entry.paper = Paper.model_validate(entry.document.value)
        except ValidationError as error:
            entry.schema_errors = list(error.errors(include_url=False))
        return entry


@dataclass
class Corpus:
    """Every entry of an Atlas."""

    root: Path
    taxonomy: Taxonomy
    vocabulary: Vocabulary
    entries: list[Entry]

    @classmethod
    def load(cls, root: Path | None = None) -> Corpus:
        """Reads everything below `root`. CorpusError where the taxonomy or the vocabulary is unusable."""
        corpus = cls.without_entries(root or find_root())
        with no_search_for_cycles():
            corpus.entries = [Entry.read(path) for path in entry_files(corpus.root / "papers")]
        return corpus

    @classmethod
    def without_entries(cls, root: Path) -> Corpus:
        """The taxonomy and the vocabulary below `root`, whose entries are still to be read."""
        return cls(
            root,
            read_data(root / "taxonomy" / "taxonomy.yml", Taxonomy),
            read_data(root / "taxonomy" / "vocabulary.yml", Vocabulary),
            [],
        )

    @cached_property
    def papers(self) -> dict[str, Paper]:
        """Key to paper, for every entry that could be read; newest first, unknown dates last.

        A file whose name is no key is left out: its name would reach addresses, BibTeX and file names of the site."""
        read = {entry.key: entry.paper for entry in self.entries if entry.paper and KEY.match(entry.key)}
        order = sorted(read, key=lambda key: (read[key].date or "", key), reverse=True)
        return {key: read[key] for key in order}


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Python looks for cycles among all objects whenever there are a quarter more of them. Reading makes a hundred an
    entry that stay, and no cycles: the search took a third of the time for 10,000 entries. What was made counts as
    old afterwards, so that it is looked through once."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()  # the two together move everything to the oldest generation
        if before:
            gc.enable()


def entry_files(papers: Path) -> list[Path]:
    """Every *.yml or *.yaml below papers/, also those that will turn out to be no files."""
    return sorted(p for p in papers.rglob("*") if p.suffix.lower() in {".yml", ".yaml"})


def read_data(path: Path, model: type[Model]) -> Model:
    """A data file of the project's own as `model`; CorpusError with file and line where it does not fit."""
    try:
        document = yaml_reader.parse(yaml_reader.read_text(path, MAX_TAXONOMY_BYTES))
    except UnreadableError as error:
        raise CorpusError(f"{path}:{error.mark.line}: {error.message} ({error.repair})") from error
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        line = document.mark(first["loc"]).line
        raise CorpusError(f"{path}:{line}: {where}: {first['msg']}") from error
