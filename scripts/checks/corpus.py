"""The rules that need all entries at once: duplicates, equal summaries, relations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from difflib import get_close_matches

from scripts.checks.duplicates import find_duplicates, may_be_one_paper, normal_title
from scripts.checks.entry import bad_link
from scripts.checks.problem import Problem
from scripts.model.corpus import Corpus, Entry
from scripts.model.paper import Relations

NEAR = 92.0


def problems(corpus: Corpus) -> Iterator[tuple[Entry, Problem]]:
    """Every breach between entries, reported at the later one (by path)."""
    read = [entry for entry in corpus.entries if entry.paper]
    yield from _equal_keys(corpus.entries)
    yield from _equal_identifiers(read)
    yield from _equal_texts(read)
    yield from _near_titles(read)
    yield from _relations(read, {entry.key for entry in corpus.entries})


def _equal_keys(entries: list[Entry]) -> Iterator[tuple[Entry, Problem]]:
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.key.lower(), entry)
        if other is not entry:
            where = f"{other.path.parent.name}/{other.path.name}"
            yield (
                entry,
                Problem((), "duplicate-key", f"the key {entry.key} is taken by {where}", "rename one"),
            )


def _equal_identifiers(entries: list[Entry]) -> Iterator[tuple[Entry, Problem]]:
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        assert entry.paper
        for kind, value in entry.paper.ids.items():
            other = first.setdefault((kind, value.lower()), entry)
            if other is not entry:
                yield (
                    entry,
                    Problem(
                        ("ids", kind),
                        "duplicate-identifier",
                        f"{kind} {value} belongs to {other.key} already",
                        f"merge both into {other.key}",
                    ),
                )


def _equal_texts(entries: list[Entry]) -> Iterator[tuple[Entry, Problem]]:
    titles: dict[str, list[Entry]] = defaultdict(list)
    summaries: dict[str, Entry] = {}
    for entry in entries:
        assert entry.paper
        namesakes = titles[normal_title(entry.paper.title) or entry.paper.title]
        for other in namesakes:
            assert other.paper
            rule = "duplicate-title" if may_be_one_paper(entry.paper, other.paper) else "same-title"
            repair = f"merge both into {other.key}, or correct the title"
            if rule == "same-title":
                repair = f"nothing if these are two papers, else merge both into {other.key}"
            yield entry, Problem(("title",), rule, f"{other.key} has the same title", repair)
        namesakes.append(entry)
        if entry.paper.summary:
            other = summaries.setdefault(normal_title(entry.paper.summary) or entry.paper.summary, entry)
            if other is not entry:
                yield (
                    entry,
                    Problem(
                        ("summary",),
                        "summary-equal",
                        f"the same summary as {other.key}",
                        "write one of its own",
                    ),
                )


def _near_titles(entries: list[Entry]) -> Iterator[tuple[Entry, Problem]]:
    by_key = {entry.key: entry for entry in entries}
    papers = {key: entry.paper for key, entry in by_key.items() if entry.paper}
    related: dict[str, set[str]] = defaultdict(set)
    for key, paper in papers.items():
        related[key] |= {*paper.relations.builds_on, *paper.relations.compares_with}
    for pair in find_duplicates(papers, NEAR, with_common_author=True):
        same = normal_title(papers[pair.first].title) == normal_title(papers[pair.second].title)
        linked = pair.second in related[pair.first] or pair.first in related[pair.second]
        if same or linked or pair.shared_identifier or not pair.shared_author:
            continue
        yield (
            by_key[pair.second],
            Problem(
                ("title",),
                "near-duplicate-title",
                f"{pair.score:.0f}% like the title of {pair.first}, with a common author",
                "merge them if they are one paper, else name one in the other's relations",
            ),
        )


def _relations(entries: list[Entry], keys: set[str]) -> Iterator[tuple[Entry, Problem]]:
    for entry in entries:
        assert entry.paper
        for name, targets in entry.paper.relations.items():
            for place, target in enumerate(targets):
                path = ("relations", name, place)
                if target == entry.key:
                    yield entry, Problem(path, "relation", "a paper is not related to itself", "remove it")
                elif target not in keys:
                    near = get_close_matches(target, keys, n=1)
                    hint = f"did you mean '{near[0]}'?" if near else "add that entry first, or remove the relation"
                    yield entry, Problem(path, "relation", f"there is no entry '{target}'", hint)
        yield from ((entry, problem) for problem in _sources(entry.paper.relations))


def _sources(relations: Relations) -> Iterator[Problem]:
    """Every relation that a text must tell of has one, and no text is named for anything else."""
    stated = {*relations.builds_on, *relations.compares_with, *relations.surveyed_in}
    for address, keys in relations.sources.items():
        path = ("relations", "sources", address)
        if why := bad_link(address):
            yield Problem(path, "link", f"'{address}' {why}", "give the full address: https://...")
        for place, key in enumerate(keys):
            if key not in stated:
                repair = "name it under builds_on or compares_with, or remove it here"
                yield Problem((*path, place), "relation-source", f"no relation to '{key}' is stated", repair)
    for kind in ("builds_on", "compares_with"):
        for place, key in enumerate(getattr(relations, kind)):
            if not relations.read_in(key):
                repair = "add the address of what you read: sources: {'https://...': [key]}"
                message = f"no text is named that tells of '{key}'"
                yield Problem(("relations", kind, place), "relation-unsourced", message, repair)
