"""The rules for taxonomy/glossary.yml: its form, that a name stands for one term, and that all it names exists."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.checks import chinese
from scripts.checks.claims import names
from scripts.checks.entry import count_sentences
from scripts.checks.named import address, read, unknown
from scripts.checks.problem import Problem
from scripts.model.corpus import Corpus
from scripts.model.glossary import GlossaryFile, Term, folded

RULE = "glossary"
SENTENCES = (1, 3)


def problems(file: GlossaryFile, corpus: Corpus) -> Iterator[Problem]:
    """Everything wrong with the glossary; places are paths in the file."""
    yield from read(file, "terms")
    yield from chinese.problems((("glossary", name), term) for name, term in file.things.items())
    taken: dict[str, str] = {}
    for name, term in file.things.items():
        for problem in (*address(RULE, name), *_names(name, term, taken), *_term(name, term, file, corpus)):
            yield problem._replace(path=("glossary", name, *problem.path))


def _names(address: str, term: Term, taken: dict[str, str]) -> Iterator[Problem]:
    """Names of the term that another one has, or the term twice; `taken` holds those met so far."""
    mine: set[str] = set()
    for path, name in term.names():
        if (owner := taken.setdefault(folded(name), address)) != address:
            yield Problem(path, RULE, f"'{name}' is a name of '{owner}' already", "keep it at one of the two")
        elif folded(name) in mine:
            yield Problem(path, RULE, f"'{name}' stands here twice", "remove it")
        mine.add(folded(name))


def _term(address: str, term: Term, file: GlossaryFile, corpus: Corpus) -> Iterator[Problem]:
    if not SENTENCES[0] <= (count := count_sentences(term.text)) <= SENTENCES[1]:
        yield Problem(
            ("text",), RULE, f"{count} sentence(s)", "write one to three sentences, each with its full stop"
        )
    known = corpus.taxonomy.categories
    if term.category is not None and term.category not in known:
        yield unknown(RULE, ("category",), "category", term.category, known)
    methods = names()[0] if term.methods else ()
    listed = (
        ("see", "term", term.see, file.document and file.document.value["glossary"]),
        ("papers", "entry", term.papers, corpus.papers),
        ("methods", "method", term.methods, methods),
    )
    for key, what, mine, there in listed:
        for place, name in enumerate(mine):
            if name not in (there or ()):
                yield unknown(RULE, (key, place), what, name, there or ())
            elif name in mine[:place] or (key == "see" and name == address):
                yield Problem((key, place), RULE, f"'{name}' needs no mention here", "remove it")
