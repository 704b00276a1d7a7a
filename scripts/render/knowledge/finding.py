"""What a reader may look for besides a paper's own words: full names of venues, spellings of one name, relations,
identifiers, and terms of the glossary."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from scripts.model import Corpus, Paper
from scripts.model.glossary import read_glossary
from scripts.render.markup import html_attribute

#: What stands between a paper and others here, in the order of the facet.
RELATIONS = {
    "builds-on": "Builds on a paper here",
    "built-on": "A paper here builds on it",
    "compares-with": "Compared with a paper here",
    "compared-by": "A paper here compares with it",
    "in-survey": "In a survey here",
    "surveys": "Surveys papers here",
    "runs-here": "Runs here as a method",
}


def folded(text: str) -> str:
    """Small letters without accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).lower()


def slug(name: str) -> str:
    """A name for an address: words with hyphens between them, no comma, never empty."""
    return re.sub(r"[\W_]+", "-", folded(name)).strip("-") or "other"


def spellings(names: Iterable[Sequence[str]]) -> tuple[dict[str, str], list[list[str]]]:
    """The distinct names among those of all papers, as {slug: commonest spelling}, the most frequent first; and for
    each paper its slugs. Names that differ in accents, case, signs, or in a remark in brackets alone are one."""
    read = [[re.sub(r"\s*\([^()]*\)\s*\Z", "", name) or name for name in each] for each in names]
    same: dict[str, Counter[str]] = defaultdict(Counter)
    for each in read:
        for name in each:
            same[_letters(name)][name] += 1
    chosen = {letters: max(sorted(found), key=found.__getitem__) for letters, found in same.items()}
    order = sorted(chosen, key=lambda letters: (-same[letters].total(), chosen[letters].lower()))
    slugs = {letters: slug(chosen[letters]) for letters in order}
    labels = {slugs[letters]: chosen[letters] for letters in order}
    return labels, [list(dict.fromkeys(slugs[_letters(name)] for name in each)) for each in read]


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", folded(name)) or name


def terms_of_papers(corpus: Corpus) -> dict[str, list[str]]:
    """For each paper that the glossary names, the terms that name it and their synonyms."""
    found: dict[str, list[str]] = defaultdict(list)
    for term in read_glossary(corpus.root).things.values():
        for key in term.papers:
            found[key] += [term.term, *term.synonyms]
    return found


def identifiers(paper: Paper) -> list[str]:
    """What a reader may paste to find a paper."""
    return [value for _, value in paper.ids.items()]


def search_documents(corpus: Corpus) -> list[dict[str, str]]:
    """The papers as documents of the search index of an engine that has no other: what a reader may type, escaped for
    HTML."""
    return [
        {
            "location": f"papers/{key}/",
            "title": html_attribute(paper.title),
            "text": html_attribute(
                " ".join([paper.name or "", *paper.authors, paper.summary or "", *identifiers(paper), key])
            ),
        }
        for key, paper in corpus.papers.items()
    ]


def relations_of(
    stated: Mapping[str, Sequence[str]], backward: Mapping[str, Sequence[str]], *, runs: bool
) -> list[str]:
    """The values of RELATIONS that hold for a paper with these relations, stated by it and by others."""
    holds = {
        "builds-on": stated["builds_on"],
        "built-on": backward.get("builds_on"),
        "compares-with": stated["compares_with"],
        "compared-by": backward.get("compares_with"),
        "in-survey": stated["surveyed_in"],
        "surveys": backward.get("surveyed_in"),
        "runs-here": runs,
    }
    return [name for name in RELATIONS if holds[name]]
