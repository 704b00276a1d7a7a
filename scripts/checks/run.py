"""Runs every rule over an Atlas and turns problems into findings with file, line and column."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from scripts.checks import chinese, claims, glossary, guides, methods
from scripts.checks import corpus as between
from scripts.checks import entry as single
from scripts.checks.findings import Finding
from scripts.checks.halves import in_halves
from scripts.checks.problem import Problem
from scripts.checks.rules import RULES
from scripts.model.claims import read_claims
from scripts.model.corpus import MAX_TAXONOMY_BYTES, Corpus, Entry, entry_files, no_search_for_cycles
from scripts.model.glossary import read_glossary
from scripts.model.guides import read_guides
from scripts.model.methods import read_methods
from scripts.model.yaml_reader import Mark, parse, read_text


def load_and_validate(root: Path, only: Collection[Path] = ()) -> tuple[Corpus, list[Finding]]:
    """What `Corpus.load` and `validate` give, in one go: a large Atlas is halved between two processes."""
    corpus = Corpus.without_entries(root)
    today = datetime.datetime.now(datetime.UTC).date()
    with no_search_for_cycles():
        parts = in_halves(partial(_read_and_check, corpus, only, today), entry_files(root / "papers"))
        corpus.entries = [entry for entries, _ in parts for entry in entries]
        return corpus, _in_order([f for _, findings in parts for f in findings] + _between(corpus, only))


def _read_and_check(
    atlas: Corpus, only: Collection[Path], today: datetime.date, files: list[Path]
) -> tuple[list[Entry], list[Finding]]:
    """Some entries of an Atlas, and what is wrong with each on its own."""
    entries = [Entry.read(path) for path in files]
    return entries, _single(entries, atlas, only, today)


def validate(corpus: Corpus, only: Collection[Path] = (), today: datetime.date | None = None) -> list[Finding]:
    """All findings, by file and line. With `only` (files or folders) those elsewhere are left out; the rules
    between entries still see every entry."""
    today = today or datetime.datetime.now(datetime.UTC).date()
    return _in_order(_single(corpus.entries, corpus, only, today) + _between(corpus, only))


def _single(entries: list[Entry], atlas: Corpus, only: Collection[Path], today: datetime.date) -> list[Finding]:
    chosen = [entry for entry in entries if not only or _below(entry.path, only)]
    return [_finding(atlas.root, e, problem) for e in chosen for problem in single.problems(e, atlas, today)]


def _between(corpus: Corpus, only: Collection[Path]) -> list[Finding]:
    found = [pair for pair in between.problems(corpus) if not only or _below(pair[0].path, only)]
    return [_finding(corpus.root, entry, problem) for entry, problem in found] + list(_named(corpus, only))


def _named(corpus: Corpus, only: Collection[Path]) -> Iterator[Finding]:
    """Findings in the project's own data files."""
    said, terms, told = read_claims(corpus.root), read_glossary(corpus.root), read_guides(corpus.root)
    theirs = read_methods(corpus.root)
    map_path = corpus.root / "taxonomy" / "taxonomy.yml"
    if not only or _below(map_path, only):
        found = list(chinese.problems(chinese.of_taxonomy(corpus.taxonomy)))
        entry = Entry(map_path, document=parse(read_text(map_path, MAX_TAXONOMY_BYTES)) if found else None)
        yield from (_finding(corpus.root, entry, problem) for problem in found)
    for file, problems in (
        (said, claims.problems(said, corpus)),
        (terms, glossary.problems(terms, corpus)),
        (told, guides.problems(told, corpus)),
        (theirs, methods.problems(theirs)),
    ):
        if not only or _below(file.path, only):
            entry = Entry(file.path, document=file.document, unreadable=file.unreadable)
            yield from (_finding(corpus.root, entry, problem) for problem in problems)


def _in_order(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (f.file, f.mark, f.rule))


def _below(path: Path, places: Collection[Path]) -> bool:
    resolved = path.absolute()
    return any(resolved == place.absolute() or place.absolute() in resolved.parents for place in places)


def _finding(root: Path, entry: Entry, problem: Problem) -> Finding:
    document = entry.document
    if entry.unreadable:
        mark = entry.unreadable.mark
    elif document and problem.rule == "unknown-key" and problem.path in document.key_marks:
        mark = document.key_marks[problem.path]
    else:
        mark = document.mark(problem.path) if document and problem.path else Mark()
    file = entry.path.relative_to(root) if entry.path.is_relative_to(root) else entry.path
    rule = RULES[problem.rule]
    return Finding(file.as_posix(), mark, rule.level, rule.id, problem.message, problem.repair)
