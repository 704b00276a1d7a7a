"""BibTeX: one entry a paper, in UTF-8, written and readable by bibtexparser 2.

Every character that BibTeX or LaTeX would take for a command is written so that it prints as itself; braces become
\\textbraceleft{} because BibTeX counts braces even where they are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from bibtexparser.entrypoint import write_string
from bibtexparser.library import Library
from bibtexparser.model import Entry, Field

from scripts.model.names import is_group, split
from scripts.model.paper import Paper
from scripts.model.venues import cited_venue

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # the classic font encoding prints other signs in their places
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{char: f"\\{char}" for char in "#$%&_"},
}
_WRITTEN = {written: char for char, written in _SPECIAL.items()}
_ESCAPE = re.compile("|".join(map(re.escape, _SPECIAL)))
# two signs that LaTeX would join into a dash, a quotation mark or an inverted sign
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=`)(?=`)|(?<=[?!])(?=`)")
_UNESCAPE = re.compile("|".join(map(re.escape, sorted(_WRITTEN, key=len, reverse=True))))
# a word whose capitals a style must not lower: RouteLLM, LLMs, kNN, GPT-4; but not "A" or "Multi-Agent"
_PROTECT = re.compile(r"\b\w*(?:[a-z0-9][A-Z]|[A-Z][A-Z0-9])\w*(?:-\d[\w.]*\w)?")

# the word that stands between two authors, and the one that stands for the rest
_AND = re.compile(r"\b(and|others)\b", re.IGNORECASE)


def export(papers: Mapping[str, Paper]) -> str:
    """All papers, in the order given, as one .bib file."""
    return "\n".join(entry_text(key, paper) for key, paper in papers.items())


def entry_text(key: str, paper: Paper) -> str:
    """One paper as a BibTeX entry, with a line break at its end."""
    fields = [Field(name, f"{{{value}}}") for name, value in _fields(paper).items() if value]
    library = Library([Entry(_entry_type(paper), key, fields)])
    text: str = write_string(library, unparse_stack=[])  # the values have their braces: no copies needed to add them
    return text.strip() + "\n"


def _entry_type(paper: Paper) -> str:
    if paper.venue is None:
        return "misc"
    return "article" if paper.venue.track == "journal" else "inproceedings"


def _fields(paper: Paper) -> dict[str, str]:
    venue, ids = paper.venue, paper.ids
    container = "journal" if venue and venue.track == "journal" else "booktitle"
    year = venue.year if venue and venue.year else paper.year
    return {
        "title": protect(paper.cited_title),
        "author": " and ".join([*map(_author, paper.cited_authors), *([] if paper.authors_complete else ["others"])]),
        container: escape(cited_venue(venue)) if venue else "",
        "year": str(year or ""),
        "month": str(int(paper.date[5:7])) if paper.date and not venue and len(paper.date) > 4 else "",
        "pages": re.sub(r"(?<=\d)[-–](?=\d)", "--", escape(venue.pages)) if venue and venue.pages else "",
        "eprint": escape(ids.arxiv or ""),
        "archiveprefix": "arXiv" if ids.arxiv else "",
        "doi": verbatim(ids.doi or ""),
        "url": re.sub(r"[\\{}\s]", lambda found: f"%{ord(found.group()):02X}", paper.url or ""),
    }


def escape(text: str) -> str:
    """Text that prints as itself after BibTeX and LaTeX; line breaks and runs of blanks become one blank."""
    return escape_keeping_blanks(" ".join(text.split()))


def verbatim(identifier: str) -> str:
    """An identifier as it is: BibLaTeX takes `doi` verbatim, and BibTeX's styles make an address of it, so that the
    backslash of `\\_` would be a part of the DOI. Only braces and backslashes, which could end the field, are written
    as in text."""
    return escape(identifier) if re.search(r"[\\{}\s]", identifier) else identifier


def unescape(text: str) -> str:
    """The inverse of `escape` and of the braces that `protect` adds."""
    pieces, last = [], 0
    for found in _UNESCAPE.finditer(text):
        pieces += [text[last : found.start()].replace("{", "").replace("}", ""), _WRITTEN[found.group()]]
        last = found.end()
    return "".join([*pieces, text[last:].replace("{", "").replace("}", "")])


def protect(title: str) -> str:
    """The escaped title with braces around words whose capitals carry meaning."""
    pieces, last = [], 0
    for found in _PROTECT.finditer(title):
        pieces += [escape_keeping_blanks(title[last : found.start()]), "{", escape(found.group()), "}"]
        last = found.end()
    return " ".join("".join([*pieces, escape_keeping_blanks(title[last:])]).split())


def escape_keeping_blanks(text: str) -> str:
    """`escape` for a piece of a text: its blanks at the ends count."""
    return _LIGATURE.sub("{}", _ESCAPE.sub(lambda found: _SPECIAL[found.group()], text))


@lru_cache(maxsize=100_000, typed=True)  # the same people write many papers; a GroupName is another key than a str
def _author(name: str) -> str:
    """A name as 'von Last, Jr., First', which no BibTeX style misreads; in braces where BibTeX must not look for
    parts: a group's name, and one that holds what BibTeX reads as its own. A single word has none: braces would say
    that it is a group."""
    parts = split(name)
    plain = escape(name)
    if is_group(name) or _AND.search(name) or (parts is None and (plain != name or "," in name)):
        return f"{{{plain}}}"
    if parts is None:
        return plain
    family = f"{parts.particle} {parts.family}".strip()
    return ", ".join(escape(part) for part in (family, parts.suffix, parts.given) if part)
