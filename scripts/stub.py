"""A new entry from given fields: complete in form, refused where it would double an existing one."""

from __future__ import annotations

import datetime
import re
import unicodedata
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rapidfuzz import fuzz

from scripts.checks.duplicates import normal_title
from scripts.checks.entry import problems
from scripts.checks.rules import RULES
from scripts.model import Corpus, Paper
from scripts.model.canonical import emit
from scripts.model import yaml_reader
from scripts.model.corpus import Entry

NO_CATEGORY = "related/application"
# what a stub may still lack: a person adds it
_LATER = {"summary-missing", "summary-unknown", "unverified"}
_STOP_WORDS = {"a", "an", "the", "on", "of", "for", "to", "in", "with", "and", "is", "are", "how", "when", "what"}


class StubError(Exception):
    """The fields do not make an entry; the message says why and how to mend it."""


def write(corpus: Corpus, fields: dict[str, Any]) -> Path:
    """Writes papers/<year>/<key>.yml and returns its path. StubError for a duplicate or unusable fields."""
    try:
        paper = Paper.model_validate(_known(fields))
    except ValidationError as error:
        first = error.errors()[0]
        raise StubError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if twin := find_twin(corpus, paper):
        raise StubError(f"this paper is here already: {twin} ({corpus.papers[twin].title})")
    key = make_key(paper, set(corpus.papers))
    path = corpus.root / "papers" / key_year(key) / f"{key}.yml"
    entry = Entry(path, emit(paper.model_dump(exclude_defaults=True)))
    entry = _reread(entry)
    today = datetime.datetime.now(datetime.UTC).date()
    wrong = [problem for problem in problems(entry, corpus, today) if problem.rule not in _LATER]
    if wrong:
        told = "; ".join(f"[{RULES[p.rule].id}] {p.message} ({p.repair})" for p in wrong)
        raise StubError(f"these fields make no valid entry: {told}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(entry.text)
    return path


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields without the unknown ones, at both levels."""
    kept = {
        key: {k: v for k, v in value.items() if v} if isinstance(value, dict) else value
        for key, value in fields.items()
    }
    return {key: value for key, value in kept.items() if value}


def _reread(entry: Entry) -> Entry:
    entry.document = yaml_reader.parse(entry.text)
    entry.paper = Paper.model_validate(entry.document.value)
    return entry


def find_twin(corpus: Corpus, paper: Paper) -> str | None:
    """The key of an entry with a common identifier, or with nearly the same title."""
    mine = {(kind, value.lower()) for kind, value in paper.ids.items()}
    title = normal_title(paper.title)
    for key, other in corpus.papers.items():
        if mine & {(kind, value.lower()) for kind, value in other.ids.items()}:
            return key
        if title and fuzz.token_sort_ratio(title, normal_title(other.title)) >= 95:
            return key
    return None


def make_key(paper: Paper, taken: set[str]) -> str:
    """family name + year + short name (or the title's first telling word), made unique by a letter."""
    if not paper.date and not paper.ids.arxiv:
        raise StubError("give --date: the key and the folder need the year of the first public version")
    year = paper.date[:4] if paper.date else f"20{(paper.ids.arxiv or '')[:2]}"
    family = _ascii(paper.authors[0].split()[-1]) if paper.authors else "anon"
    words = [_ascii(word) for word in paper.title.split()]
    telling = next((word for word in words if word and word not in _STOP_WORDS), "")
    base = f"{re.sub('[^a-z]', '', family) or 'anon'}{year}{_ascii(paper.name or '') or telling}"
    for suffix in ("", *"bcdefghijklmnopqrstuvwxyz"):
        if base + suffix not in taken:
            return base + suffix
    raise StubError(f"every key like {base} is taken")


def key_year(key: str) -> str:
    """The year inside a key."""
    found = re.search(r"\d{4}", key)
    assert found
    return found.group()


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]", "", plain.lower())
