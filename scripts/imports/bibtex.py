"""A .bib file as fields of entries. A broken entry is named with its place, and the others go on.

`syntax` reads the file; everything about the content of its fields is decided here, so that nothing that a stranger
wrote can raise anything but `BibtexError`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scripts.checks.entry import bad_link
from scripts.imports import syntax, venues
from scripts.imports.identify import identifiers_in, whole_doi
from scripts.imports.latex import address, to_text
from scripts.imports.latex import read as read_latex
from scripts.imports.people import read as authors
from scripts.imports.syntax import MAX_FIELD, MONTHS, Grade
from scripts.model.identifiers import FORMS, arxiv_month

MAX_BYTES = 32 * 1024 * 1024
MAX_TEXT = 20_000  # characters of a field that is no list

_CONTAINERS = {"xdata", "proceedings", "collection", "mvproceedings", "periodical", "set"}
# the fields that a paper is made of; of the others any length is taken and nothing kept
_USED = (
    "title", "subtitle", "author", "year", "date", "month", "journal", "journaltitle", "booktitle", "eventtitle",
    "eprint", "archiveprefix", "eprinttype", "doi", "url", "volume",
)  # fmt: skip
_ARTICLES = {"article", "periodical"}
# what a field's crossref takes over under another name
_INHERITED = {"title": "booktitle", "subtitle": "booksubtitle"}
_NOT_INHERITED = {"author", "editor", "crossref", "key", "url", "doi", "eprint", "abstract", "note"}


class BibtexError(Exception):
    """The file as a whole cannot be read."""


@dataclass(frozen=True)
class Remark:
    """Something to tell about a place in the file."""

    line: int
    column: int
    key: str
    text: str


@dataclass(frozen=True)
class BibEntry:
    """One paper: where it begins, its BibTeX key, and its fields in the form of an Atlas entry."""

    line: int
    column: int
    key: str
    fields: dict[str, Any]


@dataclass
class BibFile:
    """What was read; `broken`: what could not be read; `mended`: what was, but not as it stands; `notes`: what is odd
    but harmless. Each in the file's order."""

    entries: list[BibEntry] = field(default_factory=list)
    broken: list[Remark] = field(default_factory=list)
    mended: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class _Raw:
    """An entry whose values are still as written."""

    offset: int
    key: str
    kind: str
    values: dict[str, str]
    places: dict[str, int]  # of the fields, as offsets


class _BrokenError(Exception):
    """An entry cannot be used; the message says why."""


def read(raw: bytes) -> BibFile:
    """Every paper of a .bib file in UTF-8 (with or without BOM), UTF-16 with BOM, Latin-1 or Windows-1252."""
    if len(raw) > MAX_BYTES:
        raise BibtexError(f"the file has {len(raw):,} bytes; at most {MAX_BYTES:,} are read")
    source = syntax.parse(decode(raw).replace("\r\n", "\n").replace("\r", "\n"))
    papers = _Papers(source)
    if odd := _not_utf8(raw):
        papers.tell_encoding(*odd)
    return papers.read()


def decode(raw: bytes) -> str:
    """The text of a .bib file. Every byte sequence is some text: what is not UTF-8 in it is Windows-1252 or
    Latin-1, also in a file that was put together from both."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    return raw.decode("utf-8-sig", errors=_OLD)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """What a decoder of UTF-8 puts for bytes that it cannot read."""
    assert isinstance(error, UnicodeDecodeError)
    found = error.object[error.start : error.end]
    try:
        return found.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return found.decode("latin-1"), error.end


_OLD = "windows-1252"
codecs.register_error(_OLD, _as_windows)


def _not_utf8(raw: bytes) -> tuple[int, int] | None:
    """How many bytes are no UTF-8, and how many characters stand before the first of them."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
        return raw.decode("utf-8", errors="replace").count("\ufffd"), len(before)
    return None


class _Papers:
    """The papers of a file and the remarks on it."""

    def __init__(self, source: syntax.Source) -> None:
        self.source = source
        self.remarks: dict[Grade, list[tuple[int, Remark]]] = {grade: [] for grade in Grade}
        for fault in source.faults:
            self._tell(fault.grade, fault.offset, fault.key, fault.text)

    def read(self) -> BibFile:
        """Each entry that is a paper."""
        entries = [self._raw(entry) for entry in self.source.entries]
        by_key: dict[str, _Raw] = {}
        for entry in entries:
            if entry.key and entry.key.lower() in by_key:
                line, _ = self.source.place(by_key[entry.key.lower()].offset)
                self._note(entry, f"the key stands on line {line} already; both are read")
            by_key.setdefault(entry.key.lower(), entry)
        file = BibFile()
        named = {
            key.strip().lower()
            for entry in entries
            for name in ("crossref", "xdata")
            for key in entry.values.get(name, "").split(",")
        }
        for entry in entries:
            if entry.kind in _CONTAINERS:
                if entry.key.lower() not in named:
                    self._note(entry, f"a @{entry.kind} is no paper; not read")
                continue
            try:
                values = _inherit(entry, by_key)
                if lost := values.get("crossref", ""):
                    self._note(entry, f"its crossref '{lost}' is not in the file")
                fields = _Paper(entry.kind, values, partial(self._tell_of, entry)).fields()
            except _BrokenError as error:
                self._tell(Grade.BROKEN, entry.offset, entry.key, str(error))
            else:
                file.entries.append(BibEntry(*self.source.place(entry.offset), entry.key, fields))
        for grade, remarks in ((Grade.BROKEN, file.broken), (Grade.MENDED, file.mended), (Grade.TOLD, file.notes)):
            remarks += [remark for _, remark in sorted(self.remarks[grade], key=lambda pair: pair[0])]
        return file

    def tell_encoding(self, count: int, offset: int) -> None:
        """That some bytes are of another encoding, which nothing names."""
        self._tell(Grade.MENDED, offset, "", f"{count} byte(s) are no UTF-8, the first here; read as Windows-1252")

    def _raw(self, entry: syntax.Entry) -> _Raw:
        """An entry's values by the names of their fields: of a doubled field the first."""
        values: dict[str, str] = {}
        places: dict[str, int] = {}
        for item in entry.fields:
            if item.name in values:
                why = f"the field '{item.name}' stands twice; the first is read"
                self._tell(Grade.TOLD, item.offset, entry.key, why)
            values.setdefault(item.name, item.value)
            places.setdefault(item.name, item.offset)
        return _Raw(entry.offset, entry.key, entry.kind, values, places)

    def _tell_of(self, entry: _Raw, grade: Grade, name: str, text: str) -> None:
        self._tell(grade, entry.places.get(name, entry.offset), entry.key, text)

    def _note(self, entry: _Raw, text: str) -> None:
        self._tell(Grade.TOLD, entry.offset, entry.key, text)

    def _tell(self, grade: Grade, offset: int, key: str, text: str) -> None:
        self.remarks[grade].append((offset, Remark(*self.source.place(offset), key, text)))


def _inherit(entry: _Raw, by_key: dict[str, _Raw]) -> dict[str, str]:
    """The entry's values with those of its crossref; `crossref` stays where that is not in the file."""
    values = dict(entry.values)
    for key in values.pop("xdata", "").split(","):
        if (shared := by_key.get(key.strip().lower())) and shared.kind == "xdata":
            values = shared.values | values
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


class _Paper:
    """One entry's fields in the form of an Atlas entry; what is left out or changed on the way is told."""

    def __init__(self, kind: str, values: dict[str, str], tell: Callable[[Grade, str, str], None]) -> None:
        self.kind, self.values, self.tell = kind, values, tell

    def fields(self) -> dict[str, Any]:
        """The fields, empty ones left out."""
        values = self.values
        for name in _USED:
            most = MAX_FIELD if name == "author" else MAX_TEXT
            if len(values.get(name, "")) > most:
                raise _BrokenError(f"the field '{name}' is longer than {most:,} characters")
        title = self._title()
        people = authors(values.get("author", ""))
        for text in people.told:
            self.tell(Grade.TOLD, "author", text)
        for text in people.mended:
            self.tell(Grade.MENDED, "author", text)
        year = _year(values)
        ids = self._ids()
        venue = self._venue(year)
        date, note = _date(values, year, ids.get("arxiv"))
        fields = {
            "title": title,
            "authors": people.names,
            "authors_complete": None if people.complete else False,
            "date": date,
            "venue": venue.model_dump(exclude_none=True) if venue else None,
            "ids": ids,
            "links": None if ids else self._page(),
            "notes": note,
        }
        return {name: value for name, value in fields.items() if value not in (None, [], {})}

    def _text(self, name: str) -> str:
        text, unknown = read_latex(self.values.get(name, ""))
        if hidden := _INVISIBLE.findall(text):
            shown = ", ".join(f"U+{ord(char):04X}" for char in dict.fromkeys(hidden))
            text = " ".join(_INVISIBLE.sub("", text).split())
            self.tell(Grade.MENDED, name, f"'{name}' holds signs that nobody sees ({shown}); read without them")
        if unknown:
            shown = ", ".join(f"\\{command}" for command in unknown)
            self.tell(Grade.MENDED, name, f"'{name}' holds LaTeX that is not known here ({shown}); read as '{text}'")
        return text

    def _title(self) -> str:
        title = self._text("title")
        title = re.sub(r"(?<!\.)\.\Z", "", title) or title
        if not title:
            raise _BrokenError("it has no title")
        if subtitle := self._text("subtitle"):
            title = f"{title}: {subtitle}"
        return title

    def _ids(self) -> dict[str, str]:
        """Identifiers from their own fields, and from the places where people hide them."""
        found: dict[str, str] = {}
        if written := address(self.values.get("doi", "")).strip(" .,;"):
            if doi := whole_doi(written):
                found[doi.kind] = doi.value
            elif not any(identifiers_in(written)):
                self.tell(Grade.MENDED, "doi", f"'{written}' is no DOI, and left out")
        for name, place in self._places():
            given = list(identifiers_in(place))
            for kind, value in given:
                found.setdefault(kind, value)
            if not given and name == "eprint":
                self.tell(Grade.MENDED, name, f"'{place}' is no arXiv identifier, and left out")
            elif (lost := _DOI_ADDRESS.search(place)) and not any(kind in ("doi", "arxiv") for kind, _ in given):
                self.tell(Grade.MENDED, name, f"the DOI in '{lost.group()}' cannot be told for sure, and is left out")
        return {kind: found[kind] for kind in FORMS if kind in found}

    def _places(self) -> Iterator[tuple[str, str]]:
        """Texts that may hold identifiers, the surest first, with their fields' names."""
        archive = address(self.values.get("archiveprefix") or self.values.get("eprinttype") or "").lower()
        if (eprint := address(self.values.get("eprint", ""))) and archive in ("", "arxiv"):
            subject = address(self.values.get("primaryclass") or self.values.get("eprintclass") or "")
            if re.fullmatch(r"\d{7}(v\d+)?", eprint) and subject:
                eprint = f"{subject}/{eprint}"  # of before 2007
            if archive or any(identifiers_in(f"arXiv:{eprint}")):
                yield "eprint", eprint if "arxiv" in eprint.lower() else f"arXiv:{eprint}"
            else:
                yield "", eprint
        if venues.is_preprint(address(self.values.get("journal", ""))) and "journal" in self.values:
            yield "volume", f"arXiv:{address(self.values.get('volume', ''))}"  # as DBLP: CoRR, cs.CL/0112017
        for name in _HIDING:
            if place := address(self.values.get(name, "")):
                yield name, f"arXiv:{place}" if name.startswith("arxiv") and "arxiv" not in place.lower() else place

    def _page(self) -> dict[str, str] | None:
        """The paper's page, where no identifier leads to it."""
        for name in ("url", "howpublished", "note", "ee", "link"):
            place = address(self.values.get(name, ""))
            if not (found := re.search(r"https?://\S+", place)):
                continue
            url = found.group() if name == "url" else found.group().rstrip(".,;)")
            if not (why := bad_link(url)):
                return {"page": url}
            self.tell(Grade.MENDED, name, f"'{url}' {why}, and is left out")
        return None

    def _venue(self, year: int | None) -> Any:
        journal = self._text("journal") or self._text("journaltitle")
        book = self._text("booktitle") or self._text("eventtitle")
        name = journal or book if self.kind in _ARTICLES else book or journal
        if why := venues.no_venue(name):
            field_name = next(key for key in _VENUES if self.values.get(key))
            self.tell(Grade.MENDED, field_name, f"'{name}' {why}: no venue is written")
        return venues.read(name, year, journal=bool(journal) and name == journal)


# soft hyphens, marks of zero width, signs of a private font
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ue000-\uf8ff]"
)
_VENUES = ("journal", "journaltitle", "booktitle", "eventtitle")
# where people hide identifiers
_HIDING = (
    "doi", "arxiv", "arxivid", "url", "journal", "journaltitle", "volume", "number", "pages", "eid",
    "howpublished", "note", "addendum", "ee", "link",
)  # fmt: skip
_DOI_ADDRESS = re.compile(r"(?:doi\.org/|\bdoi\s*[:=]\s*)10\.\S*", re.IGNORECASE)


def _year(values: dict[str, str]) -> int | None:
    found = re.search(r"(?<!\d)(?:1[6-9]|20)\d\d(?!\d)", values.get("year", "") or values.get("date", ""))
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
    if found := re.match(r"\s*(\d{4}-(0[1-9]|1[0-2]))(?!\d)", values.get("date", "")):
        return found.group(1), None
    number = _month(to_text(values.get("month", "")))
    return (f"{year}-{number:02d}" if number else str(year)), None


def _month(text: str) -> int | None:
    if text.isdigit() and text.isascii():
        return int(text) if len(text) < 3 and 1 <= int(text) <= 12 else None
    short = re.search("|".join(MONTHS), text.lower())
    return MONTHS.index(short.group()) + 1 if short else None
