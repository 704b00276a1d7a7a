"""How good the search for new papers is: which of the core entries its queries would find, at how many hits, and
where those stand in the list.

arXiv cannot be asked what it would have answered, so its query language is read here and held against texts: an
archive of preprints with their abstracts where there is one, else an entry's title and summary, which stand in for
the abstract and miss words that it has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.model import Paper
from scripts.upkeep.candidates import CORE, Preprint, Query, rank

_TOKEN = re.compile(r'\s*(?:(\()|(\))|(ANDNOT|AND|OR)\b|(ti|abs|all|cat):(?:"([^"]*)"|([^\s()]+)))')


@dataclass(frozen=True)
class Text:
    """What a query is held against; unknown categories match every one."""

    title: str
    abstract: str
    categories: tuple[str, ...] = ()


Test = Callable[[Text], bool]


def parse(ask: str) -> Test:
    """A query of arXiv's API as a test of texts: ti, abs, all and cat, phrases, AND, OR, ANDNOT and parentheses.

    Operators of one level are taken from left to right, as arXiv does. ValueError for anything else.
    """
    tokens: list[re.Match[str]] = []
    at = 0
    while ask[at:].strip():
        found = _TOKEN.match(ask, at)
        if found is None:
            raise ValueError(f"not understood: {ask[at : at + 30].strip()!r}")
        tokens.append(found)
        at = found.end()
    test, rest = _terms(tokens)
    if rest:
        raise ValueError("a parenthesis is closed that was not opened")
    return test


def _terms(tokens: Sequence[re.Match[str]]) -> tuple[Test, Sequence[re.Match[str]]]:
    test, rest = _term(tokens)
    while rest and (operator := rest[0][3]):
        right, rest = _term(rest[1:])
        test = _joined(test, operator, right)
    return test, rest


def _joined(left: Test, operator: str, right: Test) -> Test:
    if operator == "AND":
        return lambda text: left(text) and right(text)
    if operator == "OR":
        return lambda text: left(text) or right(text)
    return lambda text: left(text) and not right(text)


def _term(tokens: Sequence[re.Match[str]]) -> tuple[Test, Sequence[re.Match[str]]]:
    if not tokens:
        raise ValueError("a term is missing at the end")
    first, rest = tokens[0], tokens[1:]
    if first[1]:
        test, rest = _terms(rest)
        if not rest or not rest[0][2]:
            raise ValueError("a parenthesis is not closed")
        return test, rest[1:]
    if not first[4]:
        raise ValueError(f"a term is missing before {first[0].strip()!r}")
    field, words = first[4], first[5] if first[5] is not None else first[6]
    if field == "cat":
        return lambda text: not text.categories or words in text.categories, rest
    pattern = re.compile(
        r"(?<!\w)" + r"\W+".join(map(re.escape, re.findall(r"\w+", words))) + r"(?!\w)", re.IGNORECASE
    )
    return {
        "ti": lambda text: bool(pattern.search(text.title)),
        "abs": lambda text: bool(pattern.search(text.abstract)),
        "all": lambda text: bool(pattern.search(text.title) or pattern.search(text.abstract)),
    }[field], rest


def core(papers: Mapping[str, Paper], years: Iterable[int]) -> dict[str, Paper]:
    """The core entries of some years that are on arXiv."""
    wanted = set(years)
    return {
        key: paper
        for key, paper in papers.items()
        if paper.categories[0].startswith(CORE) and paper.year in wanted and paper.ids.arxiv
    }


def read_archive(path: Path) -> dict[str, tuple[Preprint, tuple[str, ...]]]:
    """Preprints and their categories by identifier, from JSON lines with id, title, summary, categories and date.

    ValueError, naming the line, where one is not in this form.
    """
    found = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                one = json.loads(line)
                people = tuple(one.get("authors") or ())
                preprint = Preprint(one["id"], one["title"], people, one["date"], one["summary"])
                found[preprint.arxiv] = (preprint, tuple(one["categories"]))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"{path}, line {number}: not a preprint ({error})") from error
    return found


@dataclass(frozen=True)
class Found:
    """What the queries find of the core entries.

    Attributes:
        core, matched: how many there are, and how many a query matches.
        abstracts: how many of the core were held against their abstract, not a summary of ours.
        missed: the keys that no query matches.
        hits, since, until: preprints of the archive that match, submitted in these days; None without an archive.
        ranked, first_fifth: core entries among those hits, and how many of these the first fifth of the list holds.
    """

    core: int
    matched: int
    abstracts: int
    missed: tuple[str, ...]
    hits: int | None = None
    since: str = ""
    until: str = ""
    ranked: int = 0
    first_fifth: int = 0

    def as_text(self) -> str:
        """In sentences."""
        matched = f"{self.matched} of {self.core} core entries ({_share(self.matched, self.core)}) match a query"
        told = [
            f"{matched}; {self.abstracts} were held against their abstracts, the others against title and summary"
        ]
        if self.hits is not None:
            told.append(f"{self.hits} preprints of the archive match from {self.since} to {self.until}")
            ranked = f"{self.first_fifth} of the {self.ranked} core entries among them"
            share = _share(self.first_fifth, self.ranked)
            told.append(f"{ranked} ({share}) stand in the first fifth of the list, each ranked as if it were new")
        return "\n".join(told)


def measure(
    papers: Mapping[str, Paper],
    queries: Sequence[Query],
    years: Iterable[int],
    archive: Mapping[str, tuple[Preprint, tuple[str, ...]]] | None = None,
    window: tuple[str, str] | None = None,
) -> Found:
    """Holds the queries against the core entries of `years`, and against an archive's preprints of a window of days.

    ValueError where a query is not understood.
    """
    tests = {query.id: parse(query.ask) for query in queries}
    known = archive or {}
    wanted = core(papers, years)
    missed, abstracts = [], 0
    for key, paper in wanted.items():
        text = Text(paper.title, f"{paper.title} {paper.summary or ''} {paper.attributes.strategy or ''}")
        if (held := known.get(paper.ids.arxiv or "")) and held[0].abstract:
            text, abstracts = Text(held[0].title, held[0].abstract, held[1]), abstracts + 1
        if not any(test(text) for test in tests.values()):
            missed.append(key)
    found = Found(len(wanted), len(wanted) - len(missed), abstracts, tuple(missed))
    if archive is None or window is None:
        return found
    since, until = window
    by = {
        preprint.arxiv: ids
        for preprint, categories in known.values()
        if since <= preprint.date <= until
        and (text := Text(preprint.title, preprint.abstract, categories))
        and (ids := [name for name, test in tests.items() if test(text)])
    }
    here = {paper.ids.arxiv: key for key, paper in wanted.items()}
    hits = [known[arxiv][0] for arxiv in by]
    order = [candidate.preprint.arxiv for candidate in rank(papers, hits, by, without_itself=True)]
    places = [place for place, arxiv in enumerate(order) if arxiv in here]
    fifth = sum(place < len(order) / 5 for place in places)
    return Found(found.core, found.matched, abstracts, found.missed, len(hits), since, until, len(places), fifth)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "none there"
