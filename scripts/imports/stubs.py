"""A new entry from given fields: complete in form, without summary and `checked`, refused where it would
double one.

That it has neither is the mark of a stub: `atlas validate` then says 'not verified' and 'no summary' of it.
"""

from __future__ import annotations

import datetime
import itertools
import re
import string
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rapidfuzz import fuzz, process

from reference_impls.safe.writing import create_text
from scripts.checks.duplicates import may_be_one_paper, normal_title
from scripts.checks.entry import problems
from scripts.checks.findings import Level
from scripts.checks.rules import RULES
from scripts.imports.identify import implied
from scripts.model import Corpus, Paper, yaml_reader
from scripts.model.canonical import emit
from scripts.model.corpus import Entry
from scripts.model.names import split
from scripts.sources.match import RENAMED_TITLE, author_overlap, title_score

NO_CATEGORY = "related/application"
SAME_TITLE = 95.0
# what a stub may still lack: a person adds it
_LATER = {"summary-missing", "summary-unknown", "unverified"}
_STOP_WORDS = {
    "a", "an", "the", "on", "of", "for", "to", "in", "with", "and", "is", "are", "how", "when", "what", "can",
    "do", "does", "towards", "toward", "via",
}  # fmt: skip
_NAMED = re.compile(r"([A-Za-z0-9][\w.+-]{1,23})(?:\s+\(.*\))?\s*:\s")


class StubError(Exception):
    """The fields do not make an entry; the message says why and how to mend it."""


class DuplicateError(StubError):
    """The paper is here already, under `key`."""

    def __init__(self, key: str, title: str) -> None:
        super().__init__(f"this paper is here already: {key} ({title})")
        self.key = key


class IdentifierTakenError(DuplicateError):
    """An identifier of the paper is that of another one, `key`, with another title and other authors."""

    def __init__(self, key: str, title: str) -> None:
        super().__init__(key, title)
        self.args = (f"an identifier of it is that of {key} ({title}), another paper: one of the two is wrong",)


@dataclass(frozen=True)
class Stub:
    """An entry that may be written. `namesakes`: keys of other papers that bear its title; `doubts`: what a person
    should look at, in the words of the checks."""

    path: Path
    text: str
    paper: Paper
    namesakes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


class Shelf:
    """The papers that are here, found by identifier and by title; stubs are added as they are made."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self._papers: dict[str, Paper] = {}
        self._keys = {entry.key.lower() for entry in corpus.entries}
        self._by_id: dict[tuple[str, str], str] = {}
        self._by_title: dict[str, list[str]] = defaultdict(list)
        # titles as sorted words, by their length: only titles of about one length can be alike
        self._by_length: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        self._today = datetime.datetime.now(datetime.UTC).date()
        for key, paper in corpus.papers.items():
            self._add(key, paper)

    def make(self, fields: dict[str, Any]) -> Stub:
        """A stub from fields in the form of an entry. DuplicateError, or StubError for unusable fields."""
        try:
            paper = Paper.model_validate(_known({"kind": "method", "categories": [NO_CATEGORY], **fields}))
        except ValidationError as error:
            first = error.errors()[0]
            raise StubError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        if twin := self.twin(paper):
            other = self._papers[twin]
            strange = title_score(paper.title, other.title) < RENAMED_TITLE
            if strange and paper.authors and other.authors and not author_overlap(paper.authors, other.authors):
                raise IdentifierTakenError(twin, other.title)
            raise DuplicateError(twin, other.title)
        namesakes = tuple(self._by_title.get(normal_title(paper.title), ()))
        key = make_key(paper, self._keys)
        path = self.corpus.root / "papers" / key_year(key) / f"{key}.yml"
        text = emit(paper.model_dump(exclude_defaults=True))
        entry = Entry(path, text, paper=paper)
        try:
            entry.document = yaml_reader.parse(text)
        except yaml_reader.UnreadableError as error:
            raise StubError(f"these fields make no valid entry: {error}") from error
        wrong: list[str] = []
        doubts: list[str] = []
        for problem in problems(entry, self.corpus, self._today, written_here=True):
            if problem.rule not in _LATER:
                told = f"[{problem.rule}] {problem.message} ({problem.repair})"
                (wrong if RULES[problem.rule].level is Level.ERROR else doubts).append(told)
        if wrong:
            raise StubError(f"these fields make no valid entry: {'; '.join(wrong)}")
        self._add(key, paper)
        return Stub(path, text, paper, namesakes, tuple(doubts))

    def twin(self, paper: Paper) -> str | None:
        """The key of the entry that is this paper: with a common identifier, or alike and `may_be_one_paper`."""
        for mark in _marks(paper):
            if mark in self._by_id:
                return self._by_id[mark]
        return next((key for key in self.alike(paper) if may_be_one_paper(paper, self._papers[key])), None)

    def alike(self, paper: Paper) -> Iterator[str]:
        """The keys of entries with the same title, or with nearly the same and a common author (or none named)."""
        title = normal_title(paper.title)
        if not title:
            return
        yield from self._by_title.get(title, ())
        words = _sorted_words(title)
        for length in range(int(len(words) * 0.9), int(len(words) * 1.12) + 1):
            titles, keys = self._by_length.get(length, ([], []))
            for _, _, place in process.extract(words, titles, scorer=fuzz.ratio, score_cutoff=SAME_TITLE, limit=None):
                others = self._papers[keys[place]].authors
                if _numbers(titles[place]) != _numbers(words):
                    continue  # parts and years of a series
                if not paper.authors or not others or author_overlap(paper.authors, others) > 0:
                    yield keys[place]

    def _add(self, key: str, paper: Paper) -> None:
        self._papers[key] = paper
        self._keys.add(key.lower())
        for mark in _marks(paper):
            self._by_id.setdefault(mark, key)
        for title in {normal_title(paper.title), *(normal_title(one.title) for one in paper.versions if one.title)}:
            if not title:
                continue
            self._by_title[title].append(key)
            words = _sorted_words(title)
            titles, keys = self._by_length[len(words)]
            titles.append(words)
            keys.append(key)


def write(stub: Stub, *, durable: bool = True) -> Path:
    """Writes a stub's file, never over another one, and returns its path. StubError where there is one. `durable`:
    whether to wait until the disk has it, which takes longer than all the rest."""
    try:
        create_text(stub.path, stub.text, durable=durable)
    except FileExistsError as error:
        raise StubError(f"{stub.path} is there already") from error
    return stub.path


def name_in(title: str) -> str | None:
    """The short name before a title's colon, 'RouteLLM: Learning to ...'; None where it is but a word."""
    found = _NAMED.match(title)
    if not found:
        return None
    name = found.group(1)
    return name if re.search(r"[A-Z].*[A-Z]|[a-z][A-Z]|\d", name) else None


def make_key(paper: Paper, taken: set[str]) -> str:
    """Family name, year, short name (or the title's first telling word), made unique by letters."""
    if not paper.date:
        raise StubError("give a date (--date): key and folder need the year of the first public version")
    first = paper.authors[0] if paper.authors else "anon"
    parts = split(first)  # the family name does not end in 'Jr.'
    family = _ascii((parts.family if parts else first).split()[-1])
    words = [_ascii(word) for word in re.split(r"[\s/:–—-]+", paper.title)]
    telling = next((word for word in words if word and word not in _STOP_WORDS), "")
    name = (_ascii(paper.name or "") or telling)[:40]
    base = f"{re.sub('[^a-z]', '', family) or 'anon'}{paper.date[:4]}{name}"
    return next(base + suffix for suffix in _suffixes() if base + suffix not in taken)


def _suffixes() -> Iterator[str]:
    """'', b, c, ..., z, aa, ab, ...: the entry without a letter is the first."""
    yield ""
    yield from string.ascii_lowercase[1:]
    for length in itertools.count(2):
        yield from map("".join, itertools.product(string.ascii_lowercase, repeat=length))


def key_year(key: str) -> str:
    """The year inside a key."""
    found: list[str] = re.findall(r"\d{4}", key)
    return found[0]


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields without the empty ones, at both levels; `false` is not empty."""
    kept = {
        key: {k: v for k, v in value.items() if v or v is False} if isinstance(value, dict) else value
        for key, value in fields.items()
    }
    return {key: value for key, value in kept.items() if value or value is False}


def _marks(paper: Paper) -> list[tuple[str, str]]:
    return [(kind, value.lower()) for kind, value in implied(dict(paper.ids.items())).items()]


def _numbers(title: str) -> list[str]:
    """The numbers in a title, also Roman ones, in order."""
    return sorted(re.findall(r"\d+|\b[ivx]+\b", title))


def _sorted_words(title: str) -> str:
    return " ".join(sorted(title.split()))


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]", "", plain.lower())
