"""A .bib file as fields of entries. A broken entry is named with its line, and the others go on.

bibtexparser splits the file into blocks; everything about their content is decided here, so that nothing that
a stranger wrote can raise anything but `BibtexError`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bibtexparser import model as blocks
from bibtexparser.exceptions import ParserStateException
from bibtexparser.splitter import Splitter

from scripts.checks.entry import bad_link
from scripts.imports import venues
from scripts.imports.identify import identifiers_in
from scripts.imports.latex import to_text
from scripts.model.identifiers import FORMS, arxiv_month

MAX_BYTES = 32 * 1024 * 1024
MAX_FIELD = 20_000  # characters; @string can double itself

# every broken block is reported by `read`; the parser's own report would go to stderr a second time
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL + 1)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CONTAINERS = {"proceedings", "collection", "mvproceedings", "periodical", "set"}
_ARTICLES = {"article", "periodical"}
# what a field's crossref takes over under another name
_INHERITED = {"title": "booktitle", "subtitle": "booksubtitle"}
_NOT_INHERITED = {"author", "editor", "crossref", "key", "url", "doi", "eprint", "abstract", "note"}
_STRAY = re.compile(r"[,}]|\w+\s*=\s*[{\"\w]")


class BibtexError(Exception):
    """The file as a whole cannot be read."""


@dataclass(frozen=True)
class Remark:
    """Something to tell about a place in the file."""

    line: int
    key: str
    text: str


@dataclass(frozen=True)
class BibEntry:
    """One paper: the line where it begins, its BibTeX key, and its fields in the form of an Atlas entry."""

    line: int
    key: str
    fields: dict[str, Any]


@dataclass
class BibFile:
    """What was read, what could not be read, and what is odd but harmless; each in the file's order."""

    entries: list[BibEntry] = field(default_factory=list)
    broken: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class _Raw:
    """An entry whose values are still as written."""

    line: int
    key: str
    kind: str
    values: dict[str, str]


class _BrokenError(Exception):
    """An entry cannot be used; the message says why."""


def read(raw: bytes) -> BibFile:
    """Every paper of a .bib file in UTF-8 (with or without BOM), UTF-16 with BOM, Latin-1 or Windows-1252."""
    if len(raw) > MAX_BYTES:
        raise BibtexError(f"the file has {len(raw):,} bytes; at most {MAX_BYTES:,} are read")
    text = decode(raw).replace("\r\n", "\n").replace("\r", "\n")
    try:
        library = Splitter(text).split()
    except ParserStateException as error:
        raise BibtexError(f"the parser lost its way: {error.message}") from error
    file = BibFile()
    entries = _entries(library.blocks, file)
    by_key: dict[str, _Raw] = {}
    for entry in entries:
        if entry.key and entry.key.lower() in by_key:
            first = by_key[entry.key.lower()].line
            file.notes.append(Remark(entry.line, entry.key, f"the key stands on line {first} already; both are read"))
        by_key.setdefault(entry.key.lower(), entry)
    for entry in entries:
        if entry.kind in _CONTAINERS:
            continue
        try:
            values = _inherit(entry, by_key)
            if lost := values.get("crossref", ""):
                file.notes.append(Remark(entry.line, entry.key, f"its crossref '{lost}' is not in the file"))
            file.entries.append(BibEntry(entry.line, entry.key, _fields(entry.kind, values)))
        except _BrokenError as error:
            file.broken.append(Remark(entry.line, entry.key, str(error)))
    file.broken.sort(key=lambda remark: remark.line)
    file.notes.sort(key=lambda remark: remark.line)
    return file


def decode(raw: bytes) -> str:
    """The text of a .bib file. Every byte sequence is some text: what is not UTF-8 is Windows-1252 or
    Latin-1."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


# --- blocks -------------------------------------------------------------------------------------------------


def _entries(found: Iterable[blocks.Block], file: BibFile) -> list[_Raw]:
    """The entries with their strings put in. What is broken goes to `file`."""
    strings = {month: f"{{{month}}}" for month in _MONTHS}
    entries: list[_Raw] = []
    previous: blocks.Block | None = None
    for given in found:
        line = (given.start_line or 0) + 1
        block: blocks.Block | None = given
        if isinstance(given, blocks.DuplicateBlockKeyBlock | blocks.DuplicateFieldKeyBlock):
            block = given.ignore_error_block  # a doubled key is no reason to lose the entry
        try:
            match block:
                case blocks.String():
                    strings[block.key.lower()] = f"{{{_value(block.value, strings)}}}"
                case blocks.Entry():
                    values: dict[str, str] = {}
                    for item in block.fields:
                        values.setdefault(item.key.lower().strip(), _value(item.value, strings))
                    entries.append(_Raw(line, block.key, block.entry_type.lower(), values))
                case blocks.ParsingFailedBlock():
                    key = re.match(r"@\w*\s*[{(]\s*([^,\s{}=\"]*)", block.raw or "")
                    why = getattr(block.error, "abort_reason", None) or str(block.error)
                    file.broken.append(Remark(line, key.group(1) if key else "", " ".join(str(why).split())))
                case blocks.ImplicitComment() if _STRAY.match(block.comment) and isinstance(previous, blocks.Entry):
                    lost = entries.pop() if entries else _Raw(line, "", "", {})
                    why = f"it ends before line {line}, where more of it follows: a brace too many"
                    file.broken.append(Remark(lost.line, lost.key, why))
                case _:
                    pass
        except _BrokenError as error:
            file.broken.append(Remark(line, getattr(block, "key", ""), str(error)))
            block = None
        previous = block
    return entries


_TOKEN = re.compile(r"\s*(?:#\s*)?([{\"]|[^\s#{}\"]+)")


def _value(source: str, strings: dict[str, str]) -> str:
    """A field's value without its delimiters, strings put in and pieces joined (`jan # " 5"`)."""
    pieces: list[str] = []
    place = size = 0
    while found := _TOKEN.match(source, place):
        opening = found.group(1)
        if opening == "{":
            end = _closing(source, found.end())
            piece = source[found.end() : end]
        elif opening == '"':
            end = _quote(source, found.end())
            piece = source[found.end() : end]
        else:
            end = found.end() - 1
            piece = strings.get(opening.lower(), opening)
            piece = piece[1:-1] if piece.startswith("{") else piece
        pieces.append(piece)
        place = end + 1
        size += len(piece)
        if size > MAX_FIELD:
            raise _BrokenError(f"a field is longer than {MAX_FIELD:,} characters")
    return "".join(pieces)


_BRACE = re.compile(r"[{}]")
_BRACE_OR_QUOTE = re.compile(r"[{}\"]")


def _closing(source: str, place: int) -> int:
    """Where the brace closes that was opened before `place`; the end of the text where it does not."""
    depth = 1
    for found in _BRACE.finditer(source, place):
        depth += 1 if found.group() == "{" else -1
        if depth == 0:
            return found.start()
    return len(source)


def _quote(source: str, place: int) -> int:
    """Where the quote ends that was opened before `place`: at the first quote outside of braces."""
    depth = 0
    for found in _BRACE_OR_QUOTE.finditer(source, place):
        if found.group() == '"' and depth <= 0:
            return found.start()
        depth += {"{": 1, "}": -1}.get(found.group(), 0)
    return len(source)


def _inherit(entry: _Raw, by_key: dict[str, _Raw]) -> dict[str, str]:
    """The entry's values with those of its crossref; `crossref` stays where that is not in the file."""
    values = dict(entry.values)
    named = values.get("crossref", "").strip().lower()
    parent = by_key.get(named) if named else None
    if parent is None or parent is entry:
        return values
    values.pop("crossref")
    for name, value in parent.values.items():
        if name in _INHERITED and parent.kind in _CONTAINERS | {"book"}:
            values.setdefault(_INHERITED[name], value)
        elif name not in _NOT_INHERITED:
            values.setdefault(name, value)
    return values


# --- fields -------------------------------------------------------------------------------------------------


def _fields(kind: str, values: dict[str, str]) -> dict[str, Any]:
    """An entry's fields from BibTeX's, empty ones left out."""
    title = to_text(values.get("title", "")).rstrip(".") or to_text(values.get("title", ""))
    if not title:
        raise _BrokenError("it has no title")
    if subtitle := to_text(values.get("subtitle", "")):
        title = f"{title}: {subtitle}"
    names = list(authors(values.get("author", "")))
    complete = "others" not in names
    year = _year(values)
    ids = _ids(values)
    venue = _venue(kind, values, year)
    date, note = _date(values, year, ids.get("arxiv"))
    url = values.get("url", "").strip().replace("\\_", "_").replace("\\%", "%")
    fields = {
        "title": title,
        "authors": [name for name in names if name != "others"],
        "authors_complete": None if complete else False,
        "date": date,
        "venue": venue.model_dump(exclude_none=True) if venue else None,
        "ids": ids,
        "links": {"page": url} if url and not ids and not bad_link(url) else None,
        "notes": note,
    }
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def authors(source: str) -> Iterator[str]:
    """'Given Family' for each author; 'others' where the list is not complete."""
    for person in _split(source, re.compile(r"\s+and(?=\s)", re.IGNORECASE)):
        raw = person.strip()
        if raw.lower() in ("others", "et al.", "et al"):
            yield "others"
        elif raw.startswith("{") and _closing(raw, 1) == len(raw) - 1:
            if name := to_text(raw):  # an organisation: no given name, no family name
                yield name
        else:
            parts = [to_text(part) for part in _split(raw, re.compile(","))]
            match parts:
                case [family, given]:
                    name = f"{given} {family}"
                case [family, junior, given]:
                    name = f"{given} {family} {junior}"
                case _:
                    name = ", ".join(parts)
            if name.strip():
                yield name.strip()


def _split(source: str, separator: re.Pattern[str]) -> Iterator[str]:
    """The pieces of `source` between separators outside of braces."""
    depth = last = 0
    edges = {found.start(): found.end() for found in separator.finditer(source)}
    if not edges:
        yield source
        return
    for place, char in enumerate(source):
        if char == "{":
            depth += 1
        elif char == "}":
            depth = max(0, depth - 1)
        elif place in edges and depth == 0:
            yield source[last:place]
            last = edges[place]
    yield source[last:]


def _year(values: dict[str, str]) -> int | None:
    found = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", values.get("year", "") or values.get("date", ""))
    return int(found.group()) if found else None


def _date(values: dict[str, str], year: int | None, arxiv: str | None) -> tuple[str | None, str | None]:
    """The first public version as far as the file tells it, and a note where the years need one."""
    month = arxiv_month(arxiv) if arxiv else None
    if month and (year is None or year >= int(month[:4])):
        return month, None  # the year of a .bib entry is that of the publication
    if year is None:
        return None, None
    if month:
        return str(year), f"Published in {year} according to its BibTeX entry, before arXiv {arxiv}."
    if found := re.fullmatch(r"\s*(\d{4}-(0[1-9]|1[0-2]))(-\d\d)?\s*", values.get("date", "")):
        return found.group(1), None
    number = _month(to_text(values.get("month", "")))
    return (f"{year}-{number:02d}" if number else str(year)), None


def _month(text: str) -> int | None:
    if text.isdigit() and text.isascii():
        return int(text) if len(text) < 3 and 1 <= int(text) <= 12 else None
    short = re.search("|".join(_MONTHS), text.lower())
    return _MONTHS.index(short.group()) + 1 if short else None


def _ids(values: dict[str, str]) -> dict[str, str]:
    """Identifiers from their own fields, and from the places where people hide them."""
    archive = (values.get("archiveprefix") or values.get("eprinttype") or "arxiv").strip().lower()
    eprint = values.get("eprint", "").strip() if archive == "arxiv" else ""
    doi = values.get("doi", "").strip()
    doi = to_text(doi) if "\\" in doi else doi.replace("{", "").replace("}", "")
    places = [
        f"arXiv:{eprint}" if eprint and "arxiv" not in eprint.lower() else eprint,
        f"https://doi.org/{doi}" if doi.startswith("10.") else doi,
        values.get("url", "").replace("\\", ""),
        *(values.get(name, "") for name in ("journal", "journaltitle", "volume", "note", "howpublished")),
    ]
    found: dict[str, str] = {}
    for place in places:
        for kind, value in identifiers_in(place):
            if FORMS[kind].pattern.match(value):
                found.setdefault(kind, value)
    return {kind: found[kind] for kind in FORMS if kind in found}


def _venue(kind: str, values: dict[str, str], year: int | None) -> Any:
    journal = to_text(values.get("journal") or values.get("journaltitle") or "")
    book = to_text(values.get("booktitle") or values.get("eventtitle") or "")
    name = journal or book if kind in _ARTICLES else book or journal
    return venues.read(name, year, journal=bool(journal) and name == journal)
