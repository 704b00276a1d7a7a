"""Renews papers/metrics.json: citation counts and facts of code repositories. `scripts.model.metrics` is its form.

A run renews what is older than `max_age` days and keeps an old figure where no new one can be had, so a run that was
stopped is taken up by starting it again.
"""

from __future__ import annotations

import datetime
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from reference_impls.safe.guard import origin
from reference_impls.safe.writing import write_text
from scripts.imports.identify import implied
from scripts.model import Corpus, Paper
from scripts.model.metrics import FILE, Citations, Metrics, Repository, load, repository_name
from scripts.sources import Client, NotFoundError, Settings, SourceDownError, SourceError
from scripts.sources.match import OVERLAP, RENAMED_TITLE, SAME_TITLE, author_overlap, title_score
from scripts.sources.metadata import clean, mapping, rows, text
from scripts.upkeep.reports import code, fit, link, plain

GITHUB = "https://api.github.com"
_BATCH = 50  # identifiers in one request to OpenAlex, whose lists hold up to 100 works
_GIVEN_UP = 3  # failures in a row after which a source is not asked again in this run
_SPDX = re.compile(r"[A-Za-z0-9.+-]{1,64}\Z")


def repositories(papers: Iterable[Paper]) -> list[str]:
    """The GitHub repositories among the links to code, as 'owner/name', each once whatever its case."""
    found: dict[str, str] = {}
    for paper in papers:
        for url in paper.links.code:
            if name := repository_name(url):
                found.setdefault(name.lower(), name)
    return sorted(found.values(), key=str.lower)


def client(settings: Settings) -> Client:
    """A polite client that knows GitHub too (ATLAS_GITHUB_URL for another base address). It keeps nothing on
    disk: figures are to be new, and an address may carry a key."""
    base = os.environ.get("ATLAS_GITHUB_URL") or settings.bases.get("github") or GITHUB
    return Client(replace(settings, bases={**settings.bases, "github": base}, cache=None))


@dataclass
class Run:
    """What a run did: how many figures are new, and which sources failed."""

    renewed: int = 0
    unknown: list[str] = field(default_factory=list)  # keys that no source knows
    notes: dict[str, str] = field(default_factory=dict)  # source -> why it was not asked further


class Collector:
    """Renews the figures of one file."""

    def __init__(
        self,
        corpus: Corpus,
        asking: Client,
        path: Path,
        *,
        today: datetime.date | None = None,
        max_age: int = 6,
        every: float = 5.0,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.corpus, self.client, self.path = corpus, asking, path
        self.today = today or datetime.datetime.now(datetime.UTC).date()
        self.max_age, self.every, self.progress = max_age, every, progress
        self.run = Run()
        old = load(path)
        names = repositories(corpus.papers.values())
        known = {name.lower(): repository for name, repository in old.repositories.items()}
        # what the entries do not hold any more is dropped
        self.papers = {key: count for key, count in old.papers.items() if key in corpus.papers}
        self.repositories = {name: known[name.lower()] for name in names if name.lower() in known}
        self._names, self._saved = names, time.monotonic()
        self._failed: dict[str, int] = {}

    def collect(self, *, citations: bool = True, repositories: bool = True) -> Run:
        """Asks for what is too old. Whatever happens, the file holds what was learned until then."""
        try:
            if citations:
                self._citations()
            if repositories:
                self._repositories()
        finally:
            self._save()
        return self.run

    @property
    def metrics(self) -> Metrics:
        """All figures, old and new."""
        return Metrics(papers=self.papers, repositories=self.repositories)

    def _save(self) -> None:
        wanted = self.metrics.text()
        if not self.path.is_file() or self.path.read_text(encoding="utf-8", errors="replace") != wanted:
            write_text(self.path, wanted)
        self._saved = time.monotonic()

    def _new(self, progress: str) -> None:
        self.run.renewed += 1
        self.progress(progress)
        if time.monotonic() - self._saved >= self.every:
            self._save()

    def _old(self, date: str | None) -> bool:
        """Whether a figure of this day is to be renewed; also one that claims to be of the future."""
        if date is None or len(date) != len("YYYY-MM-DD"):
            return True
        age = (self.today - datetime.date.fromisoformat(date)).days
        return not 0 <= age <= self.max_age

    def _ask(self, source: str, ask: Callable[[], Any]) -> Any:
        """What `ask` gives; None where the source does not know, or is down. Gives up after failures in a row."""
        if self._failed.get(source, 0) >= _GIVEN_UP:
            return None
        try:
            answer = ask()
        except NotFoundError:
            self._failed[source] = 0
            raise
        except SourceError as error:
            self._failed[source] = self._failed.get(source, 0) + 1
            self.run.notes[source] = error.why
            return None
        self._failed[source] = 0
        return answer

    # --- citations ----------------------------------------------------------------------------------------------

    def _citations(self) -> None:
        due = {key: paper for key, paper in self.corpus.papers.items() if self._due(key)}
        for key in self._openalex(due):
            self._new(f"citations of {key}")
            del due[key]
        for key, paper in due.items():
            try:
                counted = self._ask("Semantic Scholar", lambda: self._semanticscholar(paper))  # noqa: B023
            except NotFoundError:
                self.run.unknown.append(key)
                continue
            if counted:
                self.papers[key] = counted
                self._new(f"citations of {key}")

    def _due(self, key: str) -> bool:
        return self._old(self.papers[key].date if key in self.papers else None)

    def _openalex(self, due: Mapping[str, Paper]) -> list[str]:
        """Counts for those that OpenAlex knows by a DOI, many in one request; their keys."""
        owners: dict[str, str] = {}
        for key, paper in due.items():
            for doi in _dois(paper):
                owners.setdefault(doi, key)
        best: dict[str, Citations] = {}
        wanted = list(owners)
        for start in range(0, len(wanted), _BATCH):
            try:
                works = self._ask("OpenAlex", lambda: self._works(wanted[start : start + _BATCH]))  # noqa: B023
            except NotFoundError as error:
                self.run.notes["OpenAlex"] = error.why
                continue
            for work in works or []:
                doi = text(work.get("doi")).lower().removeprefix("https://doi.org/")
                owner = owners.get(doi)
                count, address = work.get("cited_by_count"), text(work.get("id"))
                title = clean(work.get("title"))
                if owner is None or not isinstance(count, int) or not address.startswith("https://openalex.org/"):
                    continue
                # under one DOI a title may change with the version, but not become another paper's
                if title and title_score(title, due[owner].title) < RENAMED_TITLE:
                    continue
                found = self._count(count, "OpenAlex", address)
                # a preprint and its publication may be two works there: their citations overlap, so the larger
                if found and (owner not in best or best[owner].count < found.count):
                    best[owner] = found
        self.papers.update(best)
        return list(best)

    def _works(self, dois: list[str]) -> list[Mapping[str, Any]]:
        settings = self.client.settings
        query = {
            "filter": "doi:" + "|".join(dois),
            "per_page": 100,
            "select": "id,doi,title,cited_by_count",
        }
        if settings.contact:
            query["mailto"] = settings.contact
        if key := os.environ.get("ATLAS_OPENALEX_KEY"):
            query["api_key"] = key
        answer = self.client.get_json(f"{settings.base('openalex')}/works?{urlencode(query)}")
        if not isinstance(mapping(answer).get("results"), list):
            raise SourceDownError("OpenAlex", "answered something that is no list of works")
        return [mapping(work) for work in rows(mapping(answer)["results"])]

    def _semanticscholar(self, paper: Paper) -> Citations | None:
        """The count by an identifier, else by title, where title and authors must agree."""
        settings = self.client.settings
        base, key = settings.base("semanticscholar"), settings.semanticscholar_key
        headers = {"x-api-key": key} if key else None
        fields = "title,authors,citationCount"
        for name in _names(paper):
            try:
                url = f"{base}/graph/v1/paper/{quote(name, safe='')}?{urlencode({'fields': fields})}"
                record = mapping(self.client.get_json(url, headers))
            except NotFoundError:
                continue
            return self._s2_count(paper, record, RENAMED_TITLE)
        query = urlencode({"query": paper.title, "fields": fields})
        answer = mapping(self.client.get_json(f"{base}/graph/v1/paper/search/match?{query}", headers))
        found = next(map(mapping, rows(answer.get("data"))), {})
        return self._s2_count(paper, found, SAME_TITLE)

    def _s2_count(self, paper: Paper, record: Mapping[str, Any], alike: float) -> Citations | None:
        people = [clean(mapping(person).get("name")) for person in rows(record.get("authors"))]
        agrees = title_score(paper.title, clean(record.get("title"))) >= alike
        if paper.authors and people:
            agrees = agrees and author_overlap(paper.authors, people) >= OVERLAP
        number, count = text(record.get("paperId")), record.get("citationCount")
        if not agrees or not re.fullmatch("[0-9a-f]{40}", number) or not isinstance(count, int):
            raise NotFoundError("Semantic Scholar", "does not know it")
        return self._count(count, "Semantic Scholar", f"https://www.semanticscholar.org/paper/{number}")

    def _count(self, count: int, source: str, address: str) -> Citations | None:
        try:
            return Citations(count=count, source=source, address=address, date=self.today.isoformat())
        except ValidationError:
            return None

    # --- repositories -------------------------------------------------------------------------------------------

    def _repositories(self) -> None:
        for name in self._names:
            known = self.repositories.get(name)
            if not self._old(known.date if known else None):
                continue
            try:
                found = self._ask("GitHub", lambda: self._repository(name))  # noqa: B023
            except NotFoundError:
                # the last figures would be of a repository that nobody can look at
                found = Repository(gone=True, date=self.today.isoformat())
            if found:
                self.repositories[name] = found
                self._new(name)

    def _repository(self, name: str) -> Repository:
        base = self.client.settings.base("github")
        facts = mapping(self._github(f"{base}/repos/{name}"))
        full = text(facts.get("full_name"))
        if not re.fullmatch(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}", full):
            raise SourceDownError("GitHub", "answered something that is no repository")
        try:
            commits = self._github(f"{base}/repos/{full}/commits?per_page=1")
        except (NotFoundError, SourceDownError):
            commits = []  # an empty repository answers 409
        commit = mapping(mapping(next(iter(rows(commits)), {})).get("commit"))
        date = text(mapping(commit.get("committer")).get("date"))[:10]
        licence = mapping(facts.get("license")).get("spdx_id")
        stars = facts.get("stargazers_count")
        try:
            return Repository(
                stars=stars if isinstance(stars, int) else 0,
                licence=_licence(licence) if facts.get("license") else None,
                last_commit=date or None,
                archived=facts.get("archived") is True,
                moved_to=full if full.lower() != name.lower() else None,
                date=self.today.isoformat(),
            )
        except ValidationError as error:
            raise SourceDownError("GitHub", "answered something that is no repository") from error

    def _github(self, url: str) -> Any:
        return self.client.get_json(url, github_headers(url))


def github_headers(url: str) -> dict[str, str]:
    """What GitHub wants to hear. The token of the environment goes to api.github.com alone, over TLS."""
    headers = {"X-GitHub-Api-Version": "2022-11-28"}
    token = os.environ.get("GITHUB_TOKEN", "").strip()
    if token and url.startswith("https://") and origin(url) == ("api.github.com", 443):
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _licence(spdx: object) -> str:
    return spdx if isinstance(spdx, str) and _SPDX.match(spdx) and spdx != "NOASSERTION" else "other"


def _dois(paper: Paper) -> Iterator[str]:
    """The DOIs under which OpenAlex may know a paper, in small letters; those that its filter can hold."""
    ids = implied(dict(paper.ids.items()))
    found = [ids.get("doi"), f"10.48550/arxiv.{ids['arxiv']}" if ids.get("arxiv") else None]
    found.append(f"10.18653/v1/{ids['acl']}" if ids.get("acl") else None)
    for doi in dict.fromkeys(doi.lower() for doi in found if doi):
        if not re.search(r"[,|!]", doi):
            yield doi


def _names(paper: Paper) -> Iterator[str]:
    """The identifiers by which Semantic Scholar knows papers."""
    ids = implied(dict(paper.ids.items()))
    for kind, prefix in (("arxiv", "ARXIV:"), ("doi", "DOI:"), ("acl", "ACL:"), ("s2", "")):
        if value := ids.get(kind):
            yield prefix + value


# --- telling --------------------------------------------------------------------------------------------------


def as_json(metrics: Metrics, run: Run) -> dict[str, object]:
    """For machines: what the run did, and the repositories to look at."""
    return {
        "renewed": run.renewed,
        "papers": len(metrics.papers),
        "repositories": len(metrics.repositories),
        "unknown": run.unknown,
        "notes": run.notes,
        "attention": {name: facts.model_dump(exclude_defaults=True) for name, facts in attention(metrics).items()},
    }


def attention(metrics: Metrics) -> dict[str, Repository]:
    """Repositories that are gone, moved or archived."""
    return {
        name: facts for name, facts in metrics.repositories.items() if facts.gone or facts.moved_to or facts.archived
    }


def as_markdown(metrics: Metrics) -> str:
    """For an issue: the repositories to look at; '' where there are none."""
    noted = attention(metrics)
    if not noted:
        return ""
    lines = ["Repositories among the links to code that a maintainer should look at:", ""]
    for name, facts in noted.items():
        told = "is gone" if facts.gone else f"moved to {code(facts.moved_to)}" if facts.moved_to else "is archived"
        lines.append(f"- [ ] {link(f'https://github.com/{name}')} {told} (seen {plain(facts.date)})")
    return fit(lines)


__all__ = ["FILE", "Citations", "Collector", "Metrics", "Repository", "Run", "client", "load", "repositories"]
