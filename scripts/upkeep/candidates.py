"""New papers on arXiv that may belong here: found by the queries of taxonomy/candidates.yml, without those that
are known or were refused (taxonomy/refused.yml), the likest to the entries first."""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element

from pydantic import model_validator

from scripts.imports.stubs import SAME_TITLE, Shelf
from scripts.model import Corpus, Paper
from scripts.model.corpus import read_data
from scripts.model.identifiers import FORMS
from scripts.model.paper import Date, Strict, Text
from scripts.sources import Client, SourceDownError, SourceError, xml
from scripts.sources.http import XML
from scripts.sources.match import title_score
from scripts.sources.metadata import clean
from scripts.upkeep import tfidf
from scripts.upkeep.reports import code, fit, link, plain

QUERIES = Path("taxonomy") / "candidates.yml"
REFUSED = Path("taxonomy") / "refused.yml"
#: Core entries whose mean likeness is the score: one alone may be near by accident. How many of them are named.
NEIGHBOURS, NAMED = 10, 3
#: Entries under these stages are core: what the Atlas is about.
CORE = ("before/", "during/", "after/")
_PAGE = 100
_ATOM = "{http://www.w3.org/2005/Atom}"
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


class Query(Strict):
    """One question to arXiv, in the language of its API."""

    id: Text
    ask: Text


class Queries(Strict):
    """taxonomy/candidates.yml."""

    queries: list[Query]


class Refusal(Strict):
    """A paper that does not belong here, and why."""

    arxiv: Text | None = None
    title: Text | None = None
    reason: Text
    date: Date | None = None

    @model_validator(mode="after")
    def _named(self) -> Refusal:
        if not self.arxiv and not self.title:
            raise ValueError("give the arXiv identifier or the title")
        return self


class Refusals(Strict):
    """taxonomy/refused.yml."""

    refused: list[Refusal] = []


@dataclass(frozen=True)
class Preprint:
    """What arXiv says of a paper."""

    arxiv: str
    title: str
    authors: tuple[str, ...]
    date: str
    abstract: str


@dataclass(frozen=True)
class Candidate:
    """A preprint with its likeness to the entries (0 to 1), the nearest ones, and the category most of them have."""

    preprint: Preprint
    score: float
    near: tuple[tuple[str, float], ...]
    category: str
    queries: tuple[str, ...]


@dataclass
class Search:
    """What asking gave: the preprints, by which queries, and which queries failed."""

    found: dict[str, Preprint] = field(default_factory=dict)
    by: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def search(
    client: Client,
    queries: Sequence[Query],
    since: datetime.date,
    until: datetime.date,
    *,
    most: int = 300,
    progress: Callable[[str], None] = lambda _: None,
) -> Search:
    """Asks arXiv every query for papers first submitted from `since` to `until`, at most `most` a query."""
    result = Search()
    for query in queries:
        progress(query.id)
        try:
            found = _ask(client, query, since, until, most)
        except SourceError as error:
            result.failed[query.id] = str(error)
            continue
        for preprint in found:
            result.found.setdefault(preprint.arxiv, preprint)
            result.by.setdefault(preprint.arxiv, []).append(query.id)
    return result


def _ask(client: Client, query: Query, since: datetime.date, until: datetime.date, most: int) -> dict[Preprint, None]:
    base = client.settings.base("arxiv")
    asked = f"({' '.join(query.ask.split())}) AND submittedDate:[{since:%Y%m%d}0000 TO {until:%Y%m%d}2359]"
    found: dict[Preprint, None] = {}
    for start in range(0, most, _PAGE):
        size = min(_PAGE, most - start)
        words = {
            "search_query": asked,
            "start": start,
            "max_results": size,
            "sortBy": "submittedDate",
            "sortOrder": "descending",
        }
        feed = client.get(f"{base}/api/query?{urlencode(words)}", XML, xml.parse)
        page, total = read_feed(feed, urlsplit(base).hostname or "arXiv")
        found |= dict.fromkeys(page)
        # arXiv now and then leaves a page empty that should not be: there is no more to be had then, either
        if not page or start + size >= total:
            break
    return found


def read_feed(feed: Element, host: str) -> tuple[list[Preprint], int]:
    """The preprints of an Atom feed, and how many the query has in all. SourceDownError for any other document."""
    if feed.tag != f"{_ATOM}feed":
        raise SourceDownError(host, "answered something that is no Atom feed")
    found = []
    for entry in feed.findall(f"{_ATOM}entry"):
        told = clean(entry.findtext(f"{_ATOM}id"))
        if "/api/errors" in told:
            raise SourceDownError(host, f"refuses: {clean(entry.findtext(f'{_ATOM}summary'))[:120]}")
        identifier = re.sub(r"v\d+\Z", "", told.partition("/abs/")[2])
        title = clean(entry.findtext(f"{_ATOM}title"))
        date = clean(entry.findtext(f"{_ATOM}published"))[:10]
        if not FORMS["arxiv"].pattern.match(identifier) or not title or not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
            continue
        people = [clean(author.findtext(f"{_ATOM}name")) for author in entry.findall(f"{_ATOM}author")]
        abstract = clean(entry.findtext(f"{_ATOM}summary"))
        found.append(Preprint(identifier, title, tuple(filter(None, people)), date, abstract))
    total = clean(feed.findtext(f"{_OPENSEARCH}totalResults"))
    return found, int(total) if total.isascii() and total.isdigit() and len(total) < 10 else len(found)


def unknown(corpus: Corpus, refusals: Refusals, preprints: Mapping[str, Preprint]) -> list[Preprint]:
    """Those that are neither here, by identifier or near title, nor refused."""
    shelf = Shelf(corpus)
    ids = {refusal.arxiv for refusal in refusals.refused}
    titles = [refusal.title for refusal in refusals.refused if refusal.title]
    return [
        preprint
        for preprint in preprints.values()
        if preprint.arxiv not in ids
        and not any(title_score(preprint.title, title) >= SAME_TITLE for title in titles)
        and shelf.twin(paper := _paper(preprint)) is None
        and not any(shelf.alike(paper))
    ]


def _paper(preprint: Preprint) -> Paper:
    value = {
        "title": preprint.title,
        "authors": list(preprint.authors),
        "ids": {"arxiv": preprint.arxiv},
        "kind": "method",
        "categories": ["?"],
    }
    return Paper.model_validate(value)


def rank(
    papers: Mapping[str, Paper],
    preprints: Sequence[Preprint],
    by: Mapping[str, list[str]],
    *,
    without_itself: bool = False,
) -> list[Candidate]:
    """The preprints by the mean likeness to their nearest core entries, times the queries that found them.

    `atlas recall` measures what an order is worth: what several queries find is core more often than what is like the
    entries.

    Args:
        papers, preprints: the entries, and what was found.
        by: the queries that found each, by its identifier.
        without_itself: leave a preprint's own entry out of its neighbours, to see where it stood if it were new.
    """
    keys = [key for key, paper in papers.items() if paper.categories[0].startswith(CORE)] or list(papers)
    here = [tfidf.terms(_text(papers[key])) for key in keys]
    # a title says what a paper is about, so it counts twice
    there = [tfidf.terms(f"{preprint.title} {preprint.title} {preprint.abstract}") for preprint in preprints]
    idf = tfidf.inverse_frequencies([*here, *there])
    entries = [tfidf.vector(document, idf) for document in here]
    found = []
    for preprint, document in zip(preprints, there, strict=True):
        mine = tfidf.vector(document, idf)
        likeness = sorted(
            (
                (key, tfidf.cosine(mine, entry))
                for key, entry in zip(keys, entries, strict=True)
                if not (without_itself and papers[key].ids.arxiv == preprint.arxiv)
            ),
            key=lambda pair: (-pair[1], pair[0]),
        )[:NEIGHBOURS]
        near = tuple((key, round(cosine, 3)) for key, cosine in likeness[:NAMED])
        score = round(sum(cosine for _, cosine in likeness) / max(1, len(likeness)), 3)
        votes: dict[str, float] = defaultdict(float)
        for key, cosine in likeness:
            votes[papers[key].categories[0]] += cosine
        category = max(votes, key=lambda name: votes[name], default="")
        found.append(Candidate(preprint, score, near, category, tuple(by.get(preprint.arxiv, []))))
    return sorted(found, key=lambda one: (-one.score * max(1, len(one.queries)), one.preprint.arxiv))


def _text(paper: Paper) -> str:
    return " ".join(filter(None, [paper.title, paper.title, paper.attributes.strategy, paper.summary]))


def load_queries(root: Path) -> Queries:
    """CorpusError where the file is absent or not in form."""
    return read_data(root / QUERIES, Queries)


def load_refusals(root: Path) -> Refusals:
    """The refusals; none where there is no file. CorpusError where it is not in form."""
    path = root / REFUSED
    return read_data(path, Refusals) if path.exists() else Refusals()


# --- telling --------------------------------------------------------------------------------------------------


def as_text(candidates: Sequence[Candidate]) -> str:
    """One candidate a line."""
    return "\n".join(
        f"{c.score:.3f} {c.preprint.arxiv} {c.preprint.date} {c.category}: {plain(c.preprint.title)}"
        f" (near {', '.join(key for key, _ in c.near)})"
        for c in candidates
    )


def as_json(candidates: Sequence[Candidate], failed: Mapping[str, str]) -> dict[str, object]:
    """For machines."""
    rows = [
        {
            "arxiv": c.preprint.arxiv,
            "title": c.preprint.title,
            "authors": list(c.preprint.authors),
            "date": c.preprint.date,
            "score": c.score,
            "category": c.category,
            "near": [{"key": key, "likeness": likeness} for key, likeness in c.near],
            "queries": list(c.queries),
        }
        for c in candidates
    ]
    return {"candidates": rows, "failed": dict(failed)}


def as_markdown(candidates: Sequence[Candidate], failed: Mapping[str, str]) -> str:
    """For an issue: what to look at, the command that enters it, the line that refuses it. '' where there is none."""
    if not candidates:
        return ""
    lines = [
        "Papers on arXiv that are not here yet, the likest to the entries first. Enter one with the command given,",
        f"or add its line to `{REFUSED.as_posix()}` with a reason; either way it is not named again.",
        "",
    ]
    for c in candidates:
        people = ", ".join(c.preprint.authors[:3]) + (" and others" if len(c.preprint.authors) > 3 else "")
        near = ", ".join(f"{code(key)} {likeness:.2f}" for key, likeness in c.near)
        command = f"atlas new {c.preprint.arxiv} --category {c.category}"
        refusal = f"- {{arxiv: '{c.preprint.arxiv}', reason: }}"
        lines += [
            f"- [ ] **{c.score:.2f}** {code(c.preprint.title)} {link(FORMS['arxiv'].url(c.preprint.arxiv))}",
            f"  {code(people)}, {c.preprint.date}; near {near}; found by {code(', '.join(c.queries))}",
            f"  enter: {code(command)}; refuse: {code(refusal)}",
        ]
    if failed:
        told = "; ".join(f"{name}: {why}" for name, why in failed.items())
        lines += ["", f"Not asked this time: {code(told)}"]
    return fit(lines)


__all__ = ["Candidate", "Preprint", "Queries", "Refusals", "Search", "rank", "search", "unknown"]
