"""The rules for taxonomy/guides.yml: its form, that all it names exists, and that its numbers stand in entries."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from scripts.checks import chinese
from scripts.checks.claims import missing_numbers, names
from scripts.checks.entry import count_sentences
from scripts.checks.named import address, read, unknown
from scripts.checks.problem import Problem
from scripts.model.claims import read_claims
from scripts.model.corpus import Corpus
from scripts.model.guides import Guide, GuidesFile
from scripts.model.yaml_reader import YamlPath

RULE = "guide"
SENTENCES = (2, 5)
#: A share, a decimal or a multiple: what is measured, and what a sentence of ours must not state by itself.
_MEASURED = re.compile(r"\d+(?:\.\d+)?\s*(?:%|points?\b|times\b|×|个?百分点|倍)|\d+\.\d+")


def problems(file: GuidesFile, corpus: Corpus) -> Iterator[Problem]:
    """Everything wrong with the guides; places are paths in the file."""
    yield from read(file, "guides")
    yield from chinese.problems((("guides", name), guide) for name, guide in file.things.items())
    claims = read_claims(corpus.root).claims if file.things else {}
    known = file.document.value["guides"] if file.document else {}
    for name, guide in file.things.items():
        for problem in (*address(RULE, name), *_text(guide, corpus), *_named(name, guide, corpus, claims, known)):
            yield problem._replace(path=("guides", name, *problem.path))


def _text(guide: Guide, corpus: Corpus) -> Iterator[Problem]:
    if not SENTENCES[0] <= (count := count_sentences(guide.answer)) <= SENTENCES[1]:
        yield Problem(("answer",), RULE, f"{count} sentence(s)", "write two to five, each with its full stop")
    if (guide.kind == "problem") != (guide.solved is not None):
        hint = "say what an answer would look like" if guide.kind == "problem" else "remove it, or make it a problem"
        yield Problem(("solved",), RULE, "it belongs to open problems, and to each of them", hint)
    own: list[tuple[YamlPath, str]] = [
        (("answer",), guide.answer),
        (("solved",), guide.solved or ""),
        (("question",), guide.question),
    ]
    own += [(("avoid", place), text) for place, text in enumerate(guide.avoid)]
    own += [(("first", place, "why"), trial.why) for place, trial in enumerate(guide.first)]
    if zh := guide.zh:
        own += [(("zh", name), getattr(zh, name) or "") for name in ("answer", "solved", "question")]
        own += [(("zh", "avoid", place), text) for place, text in enumerate(zh.avoid)]
        own += [(("zh", "first", name), text) for name, text in zh.first.items()]
    for path, text in own:
        if found := _MEASURED.search(text):
            message = f"'{found[0]}' is a number typed by hand"
            yield Problem(path, RULE, message, "leave it to the results below, or quote a paper under 'papers'")
    quoted: list[tuple[YamlPath, str, str]] = [
        (("papers", place, "says"), finding.paper, finding.says) for place, finding in enumerate(guide.papers)
    ]
    quoted += [(("zh", "papers", key), key, says) for key, says in (zh.papers if zh else {}).items()]
    for path, key, says in quoted:
        if (paper := corpus.papers.get(key)) and (gone := missing_numbers(says, paper.summary)):
            message = f"{gone[0]} does not stand in the summary of {key}"
            yield Problem(path, RULE, message, "quote what stands there")


def _named(
    name: str, guide: Guide, corpus: Corpus, claims: Collection[str], known: Collection[str]
) -> Iterator[Problem]:
    methods, _, places = names()
    papers, trials = [one.paper for one in guide.papers], [one.method for one in guide.first]
    listed: list[tuple[str, str, list[str], Collection[str], tuple[str, ...]]] = [
        ("papers", "entry", papers, corpus.papers, ("paper",)),
        ("first", "method", trials, methods, ("method",)),
        ("evidence", "recording or benchmark", guide.evidence, places, ()),
        ("claims", "claim", guide.claims, claims, ()),
        ("see", "guide", guide.see, known, ()),
    ]
    for key, what, mine, there, inner in listed:
        for place, one in enumerate(mine):
            if one not in there:
                yield unknown(RULE, (key, place, *inner), what, one, there)
            elif one in mine[:place] or (key == "see" and one == name):
                yield Problem((key, place, *inner), RULE, f"'{one}' needs no mention here", "remove it")
