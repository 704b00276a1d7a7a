"""The glossary as its page shows it: terms in alphabetical order, with what each one points to."""

from __future__ import annotations

from collections.abc import Iterable

from scripts.model.glossary import Term, folded, read_glossary
from scripts.render.knowledge.views import View, Views


def glossary(views: Views, methods: Iterable[View], *, chinese: bool = False) -> list[View]:
    """All terms of the Atlas's glossary, in the order of their English names. What of the file cannot be read, and
    what a term names that does not exist, is left out; `atlas validate` tells it."""
    terms = read_glossary(views.corpus.root).things
    pages = {method["name"]: method["page"] for method in methods}
    ordered = sorted(terms.items(), key=lambda item: (folded(item[1].term), item[0]))
    if not chinese:
        return [_view(address, term, terms, views, pages) for address, term in ordered]
    said = {address: term.in_chinese() for address, term in terms.items()}
    return [
        {
            **_view(address, said[address], said, views, pages),
            "letter": _letter(term), "english": [term.term, *term.synonyms], "stale": term.stale,
            "synonyms": term.zh.synonyms if term.zh else [],
        }
        for address, term in ordered
    ]  # fmt: skip


def _letter(term: Term) -> str:
    return (folded(term.term)[:1] or "#").upper()


def _view(address: str, term: Term, terms: dict[str, Term], views: Views, pages: dict[str, str]) -> View:
    category = views.categories.get(term.category or "")
    papers = [(key, views.papers[key]) for key in term.papers if key in views.papers]
    return {
        "id": address,
        "letter": _letter(term),
        "term": term.term,
        "synonyms": term.synonyms,
        "text": term.text,
        "category": category and {"title": category["name"], "page": category["page"]},
        "see": [{"title": terms[name].term, "id": name} for name in term.see if name in terms],
        "papers": [
            {"title": paper.name or paper.title, "year": paper.year, "page": f"papers/{key}/"}
            for key, paper in papers
        ],
        "methods": [{"title": name, "page": pages[name]} for name in term.methods if name in pages],
    }
