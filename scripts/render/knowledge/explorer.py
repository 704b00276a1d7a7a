"""The data of the papers explorer and of both searches, in files that stay small however many papers there are.

What the first view needs is one file: names and counts of all filters, and the cards of the newest papers. All else
is fetched when it is wanted, from a folder named by what is in it, so that no browser mixes the files of two
versions: cards in files of one screenful, for each value of a filter the papers that have it, the papers' numbers in
other orders, and the words of `shards`. A paper's number is its place among the papers, newest first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from scripts.model import Paper
from scripts.model.taxonomy import Category, Stage
from scripts.model.venues import full_venue
from scripts.render.knowledge.finding import (
    RELATIONS,
    folded,
    identifiers,
    relations_of,
    spellings,
    terms_of_papers,
)
from scripts.render.knowledge.shards import pieces
from scripts.render.knowledge.views import View, Views, repository, venue_text

FOLDER = "assets/data"
#: Cards in one file, and on one screenful of the explorer (PAGE in assets/explorer.js).
CARDS = 20
#: The facets whose values are the vocabulary's attributes: (facet, attribute).
_ATTRIBUTES = (
    ("access", "access"),
    ("supervision", "supervision"),
    ("task", "tasks"),
    ("goal", "goals"),
    ("theme", "themes"),
)


def explorer_files(views: Views, methods: Sequence[View] = ()) -> Iterator[tuple[str, str]]:
    """The files as (path, text); `methods` are the views of those that run here."""
    papers = views.papers
    cards = [_card(key, paper, views) for key, paper in papers.items()]
    starts, words = pieces(_fields(views, methods))
    labels, holding = _facets(views, methods)
    made = {
        **{f"cards/{place // CARDS}": cards[place : place + CARDS] for place in range(0, len(cards), CARDS)},
        "facets": {
            **{name: [_gaps(numbers) for numbers in lists] for name, lists in holding.items()},
            "year": [paper.year or 0 for paper in papers.values()],
        },
        "orders": _orders(views),
    }
    texts = {name: _compact(value) for name, value in made.items()}
    texts |= {f"words/{number}": text for number, text in enumerate(words)}
    digest = hashlib.sha256("\n".join(texts.values()).encode("utf-8", "replace")).hexdigest()[:12]
    find = {"folder": f"find/{digest}/", "papers": len(cards), "cards": CARDS, "words": starts}
    counts = {
        name: [[value, label, len(holding[name][at]), *others] for at, (value, label, *others) in enumerate(each)]
        for name, each in labels.items()
    }
    years = sorted({paper.year for paper in papers.values() if paper.year}, reverse=True)
    known = any(key in views.metrics.papers for key in papers)
    first = {
        "find": find,
        "stages": _stages(views),
        "facets": counts,
        "years": years,
        "cited": known,
        "papers": cards[:CARDS],
    }
    yield f"{FOLDER}/find.json", _compact(find)
    yield f"{FOLDER}/explorer.json", _compact(first)
    yield from ((f"{FOLDER}/{find['folder']}{name}.json", text) for name, text in texts.items())


def _fields(views: Views, methods: Sequence[View]) -> Iterator[dict[str, str]]:
    """What of each paper the index of words holds. Its filters' values are not among it: the explorer finds papers by
    them without, and a word of a category is one of thousands of papers."""
    terms = terms_of_papers(views.corpus)
    running: dict[str, list[str]] = defaultdict(list)
    for method in methods:
        for key in method["papers"][:1]:
            running[key] += [method["name"], method["title"]]
    for key, paper in views.papers.items():
        other = [key, *identifiers(paper), venue_text(paper) or "", *terms.get(key, ()), *running[key]]
        yield {
            "name": paper.name or "",
            "title": paper.title,
            "authors": "\n".join(paper.authors),
            "summary": paper.summary or "",
            "other": "\n".join(other),
        }


def _facets(views: Views, methods: Sequence[View]) -> tuple[dict[str, list[list[Any]]], dict[str, list[list[int]]]]:
    """For each facet its values in the order of the vocabulary, those that no paper has left out, as [value, name,
    other names ...]; and beside each the numbers of the papers that have it."""
    papers, vocabulary = list(views.papers.values()), views.corpus.vocabulary
    venues, venue = spellings([paper.venue.name] if paper.venue else [] for paper in papers)
    benchmarks, benchmark = spellings(paper.attributes.benchmarks for paper in papers)
    models, model = spellings(paper.attributes.base_models for paper in papers)
    running = {key for method in methods for key in method["papers"][:1]}
    relation = [
        relations_of(dict(paper.relations.items()), views.backward[key], runs=key in running)
        for key, paper in views.papers.items()
    ]
    named: dict[str, tuple[dict[str, str], list[list[str]]]] = {
        "venue": (venues, venue),
        "benchmark": (benchmarks, benchmark),
        "model": (models, model),
        "relation": (RELATIONS, relation),
        "kind": (
            {value: term.name for value, term in vocabulary.kinds.items()},
            [[paper.kind] if paper.kind else [] for paper in papers],
        ),
    }
    for name, attribute in _ATTRIBUTES:
        terms = {value: term.name for value, term in vocabulary.attributes[attribute].values.items()}
        named[name] = terms, [_listed(getattr(paper.attributes, attribute)) for paper in papers]
    named["code"] = {"1": "Has code"}, [["1"] if paper.links.code else [] for paper in papers]
    named["verified"] = {"1": "Verified"}, [["1"] if paper.checked else [] for paper in papers]

    topics = {topic: name for topic, name, _ in _topics(views)}
    found = {"topic": (topics, [_topics_of(paper, topics) for paper in papers]), **named}
    labels: dict[str, list[list[Any]]] = {}
    holding: dict[str, list[list[int]]] = {}
    for name, (names, values) in found.items():
        having: dict[str, list[int]] = {value: [] for value in names}
        for number, each in enumerate(values):
            for value in dict.fromkeys(each):
                having.setdefault(value, []).append(number)
        used = {value: numbers for value, numbers in having.items() if numbers or name == "topic"}
        labels[name] = [[value, names.get(value, value)] for value in used]
        holding[name] = list(used.values())
    for row, (_, _, synonyms) in zip(labels["topic"], _topics(views), strict=True):
        row.extend(synonyms)
    for row in labels["venue"]:
        row.extend(filter(None, [full_venue(row[1])]))
    return labels, holding


def _listed(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _topics(views: Views) -> Iterator[tuple[str, str, list[str]]]:
    """(id, name, other names) of stages, categories and families in reading order. A family's id may recur under
    another category, so its category is part of its identity here."""
    for stage in views.corpus.taxonomy.stages:
        yield stage.id, stage.name, stage.synonyms
        for category in stage.categories:
            yield f"{stage.id}/{category.id}", category.name, category.synonyms
            for family in category.families:
                yield f"{stage.id}/{category.id}/{family.id}", family.name, []


def _topics_of(paper: Paper, known: dict[str, str]) -> list[str]:
    """Every topic that a paper counts for: its categories, their stages, and its family under the first one."""
    asked = [*paper.categories, f"{paper.categories[0]}/{paper.family}"]
    steps = [id_.split("/") for id_ in asked if id_ in known]
    return ["/".join(parts[:depth]) for parts in steps for depth in range(1, len(parts) + 1)]


def _orders(views: Views) -> View:
    """Numbers of all papers in the orders other than newest first. Those without the field come last, and what is
    equal goes by its title."""
    papers = list(views.papers.values())
    titles = [_natural(paper.title) for paper in papers]
    names = [_natural(paper.name or "") for paper in papers]
    counts = [views.metrics.papers.get(key) for key in views.papers]
    numbers = range(len(papers))
    return {
        "oldest": sorted(numbers, key=lambda n: (papers[n].date is None, papers[n].date or "", titles[n])),
        "title": sorted(numbers, key=titles.__getitem__),
        "name": sorted(numbers, key=lambda n: (not papers[n].name, names[n], titles[n])),
        "cited": sorted(numbers, key=lambda n: (-known.count if (known := counts[n]) else 1, titles[n])),
    }


def _natural(text: str) -> list[Any]:
    """A key to sort by as people do: accents and signs do not count, and 9 comes before 10."""
    parts = re.split(r"(\d+)", re.sub(r"[\W_]+", " ", folded(text)).strip())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _stages(views: Views) -> list[View]:
    return [
        {
            **_topic(stage),
            "categories": [
                {
                    **_topic(category),
                    "id": f"{stage.id}/{category.id}",
                    "families": [{"id": f.id, "name": f.name} for f in category.families],
                }
                for category in stage.categories
            ],
        }
        for stage in views.corpus.taxonomy.stages
    ]


def _topic(topic: Stage | Category) -> View:
    return {"id": topic.id, "name": topic.name}


def _card(key: str, paper: Paper, views: Views) -> View:
    """What a card shows: short keys, unknown values absent."""
    cited = views.metrics.papers.get(key)
    row = {
        "k": key,
        "t": paper.title,
        "n": paper.name,
        "a": paper.authors,
        "s": paper.summary,
        "d": paper.date,
        "v": venue_text(paper),
        "c": paper.categories,
        "ids": identifiers(paper),  # for the header's search
        "kind": paper.kind,
        "code": [repository(url)["name"] for url in paper.links.code],
        "codeurl": paper.links.code,
        "ok": 1 if paper.checked else None,
        "cites": cited.count if cited else None,
        "counted": views.counted(key),
    }
    return {name: value for name, value in row.items() if value not in (None, [])}


def _gaps(numbers: Sequence[int]) -> list[int]:
    """Ascending numbers as the steps between them, which take fewer bytes."""
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
