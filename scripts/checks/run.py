"""Runs every rule over an Atlas and turns problems into findings with file, line and column."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path

from scripts.checks import corpus as between
from scripts.checks import entry as single
from scripts.checks.entry import Problem
from scripts.checks.findings import Finding
from scripts.checks.rules import RULES
from scripts.model.corpus import Corpus, Entry
from scripts.model.yaml_reader import Mark


def validate(corpus: Corpus, only: Collection[Path] = (), today: datetime.date | None = None) -> list[Finding]:
    """All findings, by file and line. With `only` (files or folders) those elsewhere are left out; the rules
    between entries still see every entry."""
    today = today or datetime.datetime.now(datetime.UTC).date()
    chosen = [entry for entry in corpus.entries if not only or _below(entry.path, only)]
    found = [(entry, problem) for entry in chosen for problem in single.problems(entry, corpus, today)]
    found += [pair for pair in between.problems(corpus) if not only or _below(pair[0].path, only)]
    findings = [_finding(corpus.root, entry, problem) for entry, problem in found]
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
