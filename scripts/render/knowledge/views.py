"""Plain dictionaries for the templates. Templates never see model objects, so both sides can change apart."""

from __future__ import annotations

import calendar
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from scripts.exports import bibtex, csl
from scripts.model import Corpus, Paper
from scripts.model.identifiers import FORMS, arxiv_html
from scripts.model.metrics import FILE as METRICS
from scripts.model.metrics import load as load_metrics
from scripts.model.metrics import repository_name
from scripts.model.names import is_group
from scripts.model.paper import Version
from scripts.model.venues import cited_venue
from scripts.render.knowledge import authors

View = dict[str, Any]
MONTHS = list(calendar.month_name)[1:]
RELATED_SHOWN = 5
NEIGHBOURS = 30


class Views:
    """Makes every view of one Atlas; relations between entries are worked out once."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.papers = corpus.papers
        self.place = {key: place for place, key in enumerate(self.papers)}
        self.bibtex = {key: bibtex.entry_text(key, paper) for key, paper in self.papers.items()}
        self.metrics = load_metrics(corpus.root / METRICS)
        self.repositories = {name.lower(): item for name, item in self.metrics.repositories.items()}
        self.folders = {entry.key: entry.path.parent.name for entry in corpus.entries}
        self.categories = {full_id: self._category_head(full_id) for full_id, _, _ in corpus.taxonomy}
        self._cards: dict[str, View] = {}
        self.by_category: dict[str, list[str]] = {full_id: [] for full_id in self.categories}
        self.by_family: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.by_benchmark: dict[str, list[str]] = defaultdict(list)
        self.by_author: dict[str, list[str]] = defaultdict(list)
        self.backward: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for key, paper in self.papers.items():
            for category in paper.categories:
                self.by_category.setdefault(category, []).append(key)
            if paper.family:
                self.by_family[paper.categories[0], paper.family].append(key)
            for benchmark in paper.attributes.benchmarks:
                self.by_benchmark[benchmark].append(key)
            for author in dict.fromkeys(paper.authors):
                self.by_author[author].append(key)
            for relation, targets in paper.relations.items():
                for target in targets:
                    self.backward[target][relation].append(key)

    # --- shared pieces ------------------------------------------------------------------------------------------

    def _category_head(self, full_id: str) -> View:
        stage = next(s for s in self.corpus.taxonomy.stages if s.id == full_id.split("/", maxsplit=1)[0])
        category = self.corpus.taxonomy.category(full_id)
        assert category
        return {
            "id": full_id,
            "name": category.name,
            "code": category.code,
            "summary": category.summary,
            "stage": {"id": stage.id, "name": stage.name},
            "page": f"taxonomy/{full_id}/",
        }

    def category_tag(self, full_id: str) -> View:
        """A category for display; one that the taxonomy does not know shows as it is written."""
        stage = {"id": "related", "name": ""}
        return self.categories.get(full_id) or {"id": full_id, "name": full_id, "stage": stage, "page": None}

    def card(self, key: str) -> View:
        """What lists show of a paper; made once, for a dozen pages show it. Nobody may change it."""
        if key not in self._cards:
            self._cards[key] = self._card(key)
        return self._cards[key]

    def _card(self, key: str) -> View:
        paper = self.papers[key]
        return {
            "key": key,
            "page": f"papers/{key}/",
            "title": paper.title,
            "name": paper.name,
            "authors": short_authors(paper),
            "date": long_date(paper.date),
            "year": paper.year,
            "venue": venue_text(paper),
            "category": self.category_tag(paper.categories[0]),
            "family": self._family_name(paper),
            "summary": paper.summary,
            "code": [{**repository(url), **self._figures(url)} for url in paper.links.code],
            "verified": paper.checked is not None,
        }

    def cards(self, keys: Iterable[str]) -> list[View]:
        """Cards of several papers."""
        return [self.card(key) for key in keys]

    def _figures(self, url: str) -> View:
        """What GitHub said of a repository, and when; nothing where it was not asked."""
        known = self.repositories.get((repository_name(url) or "").lower())
        if known is None or known.gone:
            return {"stars": None, "figures": "GitHub does not know it any more" if known else None}
        facts = [
            f"{known.stars:,} stars",
            f"licence {known.licence}" if known.licence else "no licence stated",
            f"last commit {long_date(known.last_commit)}" if known.last_commit else "",
            "archived" if known.archived else "",
        ]
        told = ", ".join(filter(None, facts))
        return {"stars": known.stars, "figures": f"{told} (GitHub, {long_date(known.date)})"}

    def _citations(self, key: str) -> View | None:
        """How often a paper is cited, by whose count, on which day."""
        known = self.metrics.papers.get(key)
        if known is None:
            return None
        return {"count": known.count, "source": known.source, "url": known.address, "date": long_date(known.date)}

    def counted(self, key: str) -> str | None:
        """Who counted a paper's citations, and when."""
        cited = self._citations(key)
        return f"{cited['source']}, {cited['date']}" if cited else None

    def _family_name(self, paper: Paper) -> str | None:
        if not paper.family:
            return None
        family = self.corpus.taxonomy.family(paper.categories[0], paper.family)
        return family.name if family else paper.family

    # --- pages --------------------------------------------------------------------------------------------------

    def paper(self, key: str) -> View:
        """Everything a paper's page shows."""
        paper = self.papers[key]
        family = self.corpus.taxonomy.family(paper.categories[0], paper.family) if paper.family else None
        return {
            **self.card(key),
            "all_authors": [self._author(name) for name in paper.authors],
            "authors_complete": paper.authors_complete,
            "categories": [self.category_tag(full_id) for full_id in paper.categories],
            "family_definition": family.definition if family else None,
            "siblings": self._siblings(paper) if family else None,
            "readings": _readings(paper),
            "kind": self._term("kinds", paper.kind),
            "track": self._term("tracks", paper.venue.track) if paper.venue and paper.venue.track else None,
            "identifiers": [
                {"name": FORMS[kind].name, "value": value, "url": FORMS[kind].url(value)}
                for kind, value in paper.ids.items()
            ],
            "links": [
                {"name": name, "url": url}
                for name in ("page", "project", "video", "slides")
                if (url := getattr(paper.links, name))
            ],
            "attributes": self._attributes(paper),
            "strategy": paper.attributes.strategy,
            "benchmarks": paper.attributes.benchmarks,
            "base_models": paper.attributes.base_models,
            "folder": self.folders[key],
            "survey": _survey(paper),
            "survey_place": self._survey_place(paper),
            "citations": self._citations(key),
            "versions": [_version(one) for one in paper.versions],
            "notes": paper.notes,
            "checked": paper.checked.model_dump() if paper.checked else None,
            "checked_date": long_date(paper.checked.date) if paper.checked else None,
            "groups": self._related(key, paper),
            "bibtex": self.bibtex[key],
            "csl": csl.item(key, paper),
            "description": paper.summary or f"{paper.title}: an entry of the LLM Ensemble Atlas.",
            "citation": _citation_tags(paper),
            "json_ld": _json_ld(paper),
            "url": paper.url,
        }

    def _author(self, name: str) -> View:
        """An author, and where their other entries are listed, if there are any."""
        count = len(self.by_author[name])
        return {"name": name, "count": count, "page": authors.address(name) if count >= authors.LEAST else None}

    def authors(self) -> list[View]:
        """The pages of the authors of several entries."""
        return authors.pages({name: self.cards(keys) for name, keys in self.by_author.items() if len(keys) > 1})

    def _siblings(self, paper: Paper) -> View:
        """How many papers a paper's family has, and where they are listed."""
        category, family = paper.categories[0], paper.family or ""
        return {"count": len(self.by_family[category, family]), "page": f"taxonomy/{category}/#{family}"}

    def _term(self, group: str, value: str) -> View:
        terms = getattr(self.corpus.vocabulary, group)
        term = terms.get(value)
        return {"name": term.name if term else value, "definition": term.definition if term else ""}

    def _attributes(self, paper: Paper) -> list[View]:
        """Attributes with the definition of each value; unknown ones are left out."""
        rows = []
        for name, attribute in self.corpus.vocabulary.attributes.items():
            value = getattr(paper.attributes, name)
            values = value if isinstance(value, list) else [value] if value is not None else []
            terms = [attribute.values.get(v) for v in values]
            if values:
                rows.append(
                    {
                        "id": name,
                        "name": attribute.name,
                        "definition": attribute.definition,
                        "values": [
                            {"id": v, "name": t.name if t else v, "definition": t.definition if t else ""}
                            for v, t in zip(values, terms, strict=True)
                        ],
                    }
                )
        return rows

    def _survey_place(self, paper: Paper) -> View | None:
        """The category that the survey places the method in, where it is another one than the first here."""
        code = paper.survey.category if paper.survey else None
        there = next((head for head in self.categories.values() if head["code"] == code), None) if code else None
        return there if there and there["id"] != paper.categories[0] else None

    def _related(self, key: str, paper: Paper) -> list[View]:
        """Groups of related entries: stated relations first, then the family's, then shared benchmarks."""
        stated = paper.relations
        backward = self.backward[key]
        groups = [
            ("Builds on", [k for k in stated.builds_on if k in self.papers]),
            ("Built on by", backward["builds_on"]),
            ("Compared with", [k for k in stated.compares_with if k in self.papers]),
            ("Compared by", backward["compares_with"]),
            ("Surveyed in", [k for k in stated.surveyed_in if k in self.papers]),
            ("Surveys, in this Atlas", backward["surveyed_in"]),
        ]
        seen = {key, *(k for _, keys in groups for k in keys)}
        benchmarks = Counter(
            other
            for benchmark in paper.attributes.benchmarks
            for other in neighbours(self.by_benchmark[benchmark], self.place, key, NEIGHBOURS)
            if other not in seen
        )
        shared = [k for k, _ in benchmarks.most_common(RELATED_SHOWN)]
        family = neighbours(
            self.by_family.get((paper.categories[0], paper.family or ""), []), self.place, key, NEIGHBOURS
        )
        others = [k for k in family if k not in seen and k not in shared][:RELATED_SHOWN]
        groups += [("Evaluated on the same benchmarks", shared), ("In the same family", others)]
        texts = {
            "Builds on": stated.builds_on,
            "Compared with": stated.compares_with,
            "Surveyed in": stated.surveyed_in,
        }
        return [
            {"name": name, "papers": self.cards(keys), "sources": self._read_in(paper, texts.get(name, []))}
            for name, keys in groups
            if keys
        ]

    def _read_in(self, paper: Paper, keys: Iterable[str]) -> list[View]:
        """The addresses that tell of relations of `paper`, each once."""
        addresses = dict.fromkeys(address for key in keys for address in paper.relations.read_in(key))
        return [{"url": address, "name": address.split("://", 1)[-1].rstrip("/")} for address in addresses]

    def lineage(self, cards: Iterable[View]) -> View:
        """The papers that some papers build on, and those that build on them, each once."""
        keys = [card["key"] for card in cards]
        on = dict.fromkeys(k for key in keys for k in self.papers[key].relations.builds_on if k in self.papers)
        by = dict.fromkeys(k for key in keys for k in self.backward[key]["builds_on"])
        return {"on": self.cards(k for k in on if k not in keys), "by": self.cards(k for k in by if k not in keys)}

    def category(self, full_id: str) -> View:
        """A category's page: its text, its families with their papers, and the papers without a family."""
        category = self.corpus.taxonomy.category(full_id)
        assert category
        keys = self.by_category[full_id]
        primary = [k for k in keys if self.papers[k].categories[0] == full_id]
        families = [
            {**family.model_dump(), "papers": self.cards(self.by_family.get((full_id, family.id), []))}
            for family in category.families
        ]
        grouped = {card["key"] for family in families for card in family["papers"]}
        access = self.corpus.vocabulary.attributes["access"].values.get(category.needs.access)
        return {
            **self.categories[full_id],
            **category.model_dump(exclude={"id", "families"}),
            "families": families,
            "others": self.cards(k for k in primary if k not in grouped),
            "secondary": self.cards(k for k in keys if k not in primary),
            "count": len(keys),
            "primary_count": len(primary),
            "access": {"name": access.name, "definition": access.definition} if access else None,
            "figure": full_id.replace("/", "-"),
        }

    def stage(self, stage_id: str) -> View:
        """A stage's page."""
        stage = next(s for s in self.corpus.taxonomy.stages if s.id == stage_id)
        categories = [
            {
                **self.categories[f"{stage_id}/{c.id}"],
                "question": c.question,
                "strategy": c.strategy,
                "granularity": c.granularity,
                "goals": c.goals,
                "families": [
                    {
                        "id": f.id,
                        "name": f.name,
                        "definition": f.definition,
                        "source": f.source,
                        "count": len(self.by_family.get((f"{stage_id}/{c.id}", f.id), [])),
                        "years": self._years(self.by_family.get((f"{stage_id}/{c.id}", f.id), [])),
                    }
                    for f in c.families
                ],
                "count": len(self.by_category[f"{stage_id}/{c.id}"]),
                "years": self._years(self.by_category[f"{stage_id}/{c.id}"]),
            }
            for c in stage.categories
        ]
        keys = {k for c in categories for k in self.by_category[c["id"]]}
        return {
            **stage.model_dump(exclude={"categories"}),
            "page": f"taxonomy/{stage_id}/",
            "categories": categories,
            "count": len(keys),
            "years": self._years(keys),
        }

    def _years(self, keys: Iterable[str]) -> str:
        """Papers by year, as ``2024:3 2025:7``; those of an unknown year are left out."""
        counts = Counter(self.papers[key].year for key in keys)
        return " ".join(f"{year}:{count}" for year, count in sorted((y, n) for y, n in counts.items() if y))

    def stages(self) -> list[View]:
        """All stages in order."""
        return [self.stage(stage.id) for stage in self.corpus.taxonomy.stages]

    def numbers(self) -> View:
        """What the home and about pages count."""
        papers = self.papers.values()
        years = sorted({paper.year for paper in papers if paper.year})
        return {
            "papers": len(self.papers),
            "verified": sum(paper.checked is not None for paper in papers),
            "code": sum(bool(paper.links.code) for paper in papers),
            "venue": sum(paper.venue is not None for paper in papers),
            "summaries": sum(paper.summary is not None for paper in papers),
            "surveyed": sum(paper.survey is not None for paper in papers),
            "categories": len(self.categories),
            "families": sum(len(c.families) for _, _, c in self.corpus.taxonomy),
            "years": years,
            "checked": max((p.checked.date for p in papers if p.checked), default=None),
        }


def neighbours(keys: list[str], place: Mapping[str, int], key: str, count: int) -> list[str]:
    """Up to `count` others of `keys` (which are sorted by `place`) around `key`, the nearest in time first.

    Looking only at neighbours keeps the work per page the same however many papers a group has."""
    here = bisect_left(keys, place[key], key=place.__getitem__)
    window = [k for k in keys[max(0, here - count) : here + count + 1] if k != key]
    return sorted(window, key=lambda k: abs(place[k] - place[key]))[:count]


def short_authors(paper: Paper) -> str:
    """'A', 'A and B', 'A, B and C', or 'A and N others'; 'authors unknown' where none is known."""
    names = paper.authors
    if not names:
        return "authors unknown"
    if not paper.authors_complete:
        return f"{names[0]} and others"
    if len(names) <= 3:
        return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{names[0]} and {len(names) - 1} others"


def long_date(date: str | None) -> str:
    """'26 June 2024', 'June 2024', '2024' or 'date unknown'."""
    if not date:
        return "date unknown"
    year, *rest = date.split("-")
    month = [MONTHS[int(rest[0]) - 1]] if rest else []
    day = [str(int(rest[1]))] if len(rest) > 1 else []
    return " ".join([*day, *month, year])


def venue_text(paper: Paper) -> str | None:
    """'ICLR 2025', or None for a preprint."""
    if not paper.venue:
        return None
    return " ".join(str(part) for part in (paper.venue.name, paper.venue.year) if part)


def repository(url: str) -> View:
    """A code link with the name a reader knows: owner/repository, or the host."""
    try:
        parts = urlsplit(url)
        path, host = parts.path.strip("/"), parts.hostname
    except ValueError:
        path, host = "", None
    return {"url": url, "name": "/".join(path.split("/")[:2]) or host or url}


def _version(one: Version) -> View:
    """What a version says otherwise, as (label, text) pairs, and where that is read."""
    lines = [("Title", one.title), ("Authors", ", ".join(one.authors)), ("Figures", one.figures)]
    name = f"{one.of.capitalize()}"
    return {"name": name, "lines": [{"label": a, "text": b} for a, b in lines if b], "source": one.source}


def _survey(paper: Paper) -> list[View] | None:
    """The survey's row as (label, text) pairs."""
    if not paper.survey:
        return None
    labels = {
        "category": "Category", "strategy": "Strategy", "parametric": "Parametric", "supervised": "Supervised",
        "models": "Models", "loss": "Loss", "traits": "Traits", "goals": "Goals", "tasks": "Tasks",
        "generalises": "Generalises to new domains", "efficiency_aware": "Efficiency-aware", "code": "Code",
    }  # fmt: skip
    rows = []
    for name, label in labels.items():
        value = getattr(paper.survey, name)
        if value is None or value == []:
            continue
        text = ", ".join(value) if isinstance(value, list) else {True: "yes", False: "no"}.get(value, value)
        rows.append({"label": label, "text": text})
    return rows


def _readings(paper: Paper) -> list[View]:
    """Where the paper itself can be read, the publication before the preprint."""
    found = []
    for kind in ("acl", "openreview", "arxiv"):
        value = getattr(paper.ids, kind)
        if value and (url := FORMS[kind].pdf_url(value)):
            found.append({"form": "PDF", "source": FORMS[kind].name, "url": url})
    if paper.ids.arxiv and (url := arxiv_html(paper.ids.arxiv)):
        found.append({"form": "HTML", "source": "arXiv, where it could make one", "url": url})
    return found


def _citation_tags(paper: Paper) -> list[View]:
    """Highwire tags, which Google Scholar and Zotero read."""
    tags: list[tuple[str, str | None]] = [
        ("citation_title", paper.cited_title),
        *(("citation_author", author) for author in paper.cited_authors),
    ]
    date = paper.date.replace("-", "/") if paper.date else None
    venue = paper.venue
    tags += [
        ("citation_publication_date", str(venue.year) if venue and venue.year else date),
        ("citation_online_date", date),
        (
            "citation_journal_title" if venue and venue.track == "journal" else "citation_conference_title",
            cited_venue(venue) if venue else None,
        ),
        ("citation_doi", paper.ids.doi),
        ("citation_arxiv_id", paper.ids.arxiv),
        ("citation_pdf_url", next((one["url"] for one in _readings(paper)), None)),
        ("citation_abstract_html_url", paper.url),
    ]
    return [{"name": name, "content": content} for name, content in tags if content]


def _json_ld(paper: Paper) -> View:
    """The paper as a schema.org ScholarlyArticle."""
    fields = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "name": paper.title,
        "headline": paper.title,
        "alternateName": paper.cited_title if paper.cited_title != paper.title else None,
        "author": [
            {"@type": "Organization" if is_group(author) else "Person", "name": author} for author in paper.authors
        ],
        "datePublished": paper.date,
        "isPartOf": {"@type": "PublicationIssue", "name": venue_text(paper)} if paper.venue else None,
        "identifier": [
            {"@type": "PropertyValue", "propertyID": FORMS[kind].name, "value": value}
            for kind, value in paper.ids.items()
        ],
        "sameAs": [FORMS[kind].url(value) for kind, value in paper.ids.items()],
        "url": paper.url,
    }
    return {name: value for name, value in fields.items() if value}
