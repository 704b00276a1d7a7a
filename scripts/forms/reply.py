"""What becomes of a filled-in form: a new paper's stub, a note on a correction, or what has to be mended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from scripts.checks.entry import bad_link
from scripts.forms.handover import Result
from scripts.forms.reading import FormError, Issue, parse_form
from scripts.forms.stub import add_paper
from scripts.imports.identify import IdentifyError, identify
from scripts.model import Corpus
from scripts.model.canonical import emit
from scripts.upkeep.reports import block, code, link


def handle(corpus: Corpus, issue: Issue, *, online: bool = False) -> Result:
    """What becomes of the issue; a form that cannot be taken is a result, too."""
    try:
        answers = parse_form(issue.body, issue.kind)
        if issue.kind == "add-paper":
            return add_paper(corpus, answers, issue.number, online=online)
        return correct_entry(corpus, answers, issue.number)
    except FormError as error:
        listed = "\n".join(f"- {fault}" for fault in error.faults)
        message = (
            "Thank you. This form cannot be taken yet:\n\n" + listed + "\n\nPlease edit the issue's text;"
            " a maintainer sets its label again then.\n"
        )
        if error.duplicate:
            message = f"Thank you. {error.faults[0]}\n"
        return Result(issue.kind, issue.number, ok=False, message=message, duplicate=error.duplicate)


def correct_entry(corpus: Corpus, answers: Mapping[str, str], number: int) -> Result:
    """A note for the maintainers: what the entry says now, what the sender says, and on whose word."""
    key = find_key(corpus, answers["key"])
    entry = next(entry for entry in corpus.entries if entry.key == key)
    path = entry.path.relative_to(corpus.root).as_posix()
    paper = corpus.papers.get(key)
    shown = {"title", "authors", "date", "venue", "ids", "links", "categories"}
    facts = paper.model_dump(include=shown) if paper else {}
    now = emit({name: _bare(value) for name, value in facts.items()}).partition("\n")[2] if facts else entry.text
    addresses = [word.strip("<>()[],;.") for word in answers["source"].split() if re.match(r"<?https?://", word)]
    told = [link(url) for url in addresses[:5] if not bad_link(url)]
    lines = [
        f"A correction for {code(key)} (`{path}`), for a maintainer to judge; nothing was changed.",
        "",
        "What the entry says now:",
        "",
        block(now),
        "",
        "What the sender writes:",
        "",
        block(answers["correction"]),
        "",
        f"Source: {' '.join(told) if told else code(answers['source'], 1_000)}",
    ]
    if not told:
        lines.append("\nThat is no address. Please add the page that proves it: arXiv, a DOI, the venue's page.")
    lines += ["", f"After the change: `atlas fmt {key} && atlas validate {key} && atlas verify {key}`"]
    return Result("correct-entry", number, ok=True, key=key, message="\n".join(lines) + "\n")


def find_key(corpus: Corpus, text: str) -> str:
    """The key that is meant: the key itself, its page's address, its file, an identifier. FormError names the
    nearest ones."""
    keys = {entry.key.lower(): entry.key for entry in corpus.entries}
    path = re.split("[?#]", text.strip().lower())[0].rstrip("/")
    last = re.split(r"[/\\]", path)[-1]
    words = [text.strip().lower(), last, re.sub(r"\.(ya?ml|html|md)$", "", last)]
    for word in words:
        if word in keys:
            return keys[word]
    try:
        wanted = identify(text)
    except IdentifyError:
        pass
    else:
        for key, paper in corpus.papers.items():
            if wanted in paper.ids.items():
                return key
    by_name = {paper.name.lower(): key for key, paper in corpus.papers.items() if paper.name}
    if words[0] in by_name:
        return by_name[words[0]]
    near = get_close_matches(words[-1][:60], list(keys), n=3, cutoff=0.6)
    hint = "the key stands in the address of the paper's page."
    if near:
        hint = f"did you mean {' or '.join(code(keys[word]) for word in near)}?"
    raise FormError(f"There is no entry {code(text)}: {hint}")


def _bare(value: Any) -> Any:
    """A dumped value without what is empty."""
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if item not in (None, [], {})}
    return value
