"""The syntax of .bib files: which entries and fields a file holds, and where, whatever stands between and in them.

BibTeX stops at the first fault of an entry, and other readers glue or drop what follows it. Here every field that
can be told apart is read, and whatever was mended, skipped or given up is a `Fault` with its place: no entry and no
field is lost without one. BibTeX's own rules hold otherwise: braces nest and count even where they are escaped, a
quote ends a value only outside of braces, a string is known from its definition on, text between entries means
nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

MAX_FIELD = 200_000  # characters: thousands of authors; but @string can double itself

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
TYPES = {
    "article", "artwork", "audio", "book", "bookinbook", "booklet", "collection", "conference", "dataset",
    "electronic", "inbook", "incollection", "inproceedings", "inreference", "letter", "manual", "mastersthesis",
    "misc", "mvbook", "mvcollection", "mvproceedings", "online", "patent", "periodical", "phdthesis", "preprint",
    "proceedings", "reference", "report", "set", "software", "standard", "suppbook", "suppcollection",
    "suppperiodical", "techreport", "thesis", "unpublished", "video", "www", "xdata",
}  # fmt: skip
# a value that holds one of these with an equals sign behind it has swallowed a field
FIELDS = {
    "abstract", "address", "archiveprefix", "author", "bibsource", "booksubtitle", "booktitle", "chapter",
    "copyright", "crossref", "date", "doi", "edition", "editor", "eid", "eprint", "eprintclass", "eprinttype",
    "eventtitle", "file", "howpublished", "institution", "isbn", "issn", "journal", "journaltitle", "keywords",
    "language", "langid", "location", "month", "note", "number", "organization", "pages", "pdf", "primaryclass",
    "publisher", "school", "series", "shorttitle", "subtitle", "timestamp", "title", "type", "url", "urldate",
    "volume", "year",
}  # fmt: skip
# these are short: another field inside of one is no accident of its text
_SHORT = {"title", "author", "editor", "booktitle", "journal", "journaltitle", "year", "date", "volume", "number"}


class Grade(Enum):
    """broken: not read at all. mended: read, but a person should look. told: harmless, or meant so."""

    BROKEN = "broken"
    MENDED = "mended"
    TOLD = "told"


class Fault(NamedTuple):
    """Something that is not as BibTeX wants it, at an offset of the text."""

    offset: int
    key: str
    text: str
    grade: Grade


@dataclass(frozen=True)
class Field:
    """A field with its value, strings put in and pieces joined, LaTeX as written."""

    offset: int
    name: str
    value: str


@dataclass
class Entry:
    """An entry: its type in small letters, its key, and its fields in their order, doubled ones included."""

    offset: int
    kind: str
    key: str
    fields: list[Field] = field(default_factory=list)


@dataclass
class Source:
    """What a file holds, each in its order, and the places of its lines."""

    text: str
    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ends = [found.start() for found in re.finditer("\n", self.text)]

    def line_start(self, offset: int) -> int:
        """Where the line begins that holds `offset`."""
        line = bisect_left(self._ends, offset)
        return self._ends[line - 1] + 1 if line else 0

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_left(self._ends, offset)
        return line + 1, offset - (self._ends[line - 1] if line else -1)


def parse(text: str) -> Source:
    """Every entry of `text`, whose lines end in \\n."""
    return _Reader(text).read()


class _BrokenError(Exception):
    """An entry cannot be used."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset


_FIELD = r"[^\s=,{}\"#()%@']+"  # a field's name
_REMARK = r"(?:%[^\n]*\n\s*)*"  # lines behind %, which BibTeX does not know inside of entries, but people do
_HEAD = re.compile(r"@\s*([A-Za-z][\w.:+*/-]*)\s*([{(])")
# a key, which may be missing, and the first field
_FIRST_FIELD = re.compile(rf"\s*[^,{{}}\"=%]{{0,300}}?,\s*{_REMARK}{_FIELD}\s*=|\s*[A-Za-z]\w*\s*=\s*[{{\"\d]")
_STRING_NAME = re.compile(rf"\s*{_FIELD}\s*=")
_LINE_HEAD = re.compile(
    r"^[ \t]*@[ \t]*(?:(?:string|preamble|comment)\s*[{(]"
    r"|[A-Za-z]\w*\s*[{(]\s*(?:[^\s,{}\"=%]*\s*,|[A-Za-z]\w*\s*=\s*[{\"]))",
    re.MULTILINE | re.IGNORECASE,
)
_BLANKS = re.compile(r"\s*")
_BLANKS_AND_REMARKS = re.compile(r"(?:\s+|%[^\n]*)*")
_REMARK_LINES = re.compile(r"(?=[ \t]*%)(?:[ \t]*%(?![ \t]*@)[^\n]*(?:\n|\Z))*")
_COMMENTED_FIELD = re.compile(r"%[^\n]*?([A-Za-z][\w-]*)\s*=[^\n]*")
_NAME = re.compile(_FIELD)
_NAME_IS = re.compile(rf"({_FIELD})\s*=(?!=)")
_WORD = re.compile(r"[^\s#{}\",=()@%]+")
_KEY = re.compile(r"(?!%)(?:[^\s,{}=]|=(?!\s*[{\"]))*|")  # DOIs serve as keys, with % and = in them
_BRACE = re.compile(r"[{}]")
_QUOTE_OR_BRACE = re.compile(r"[\"{}]")
_ESCAPED = re.compile(r"\\[{}]")
_PLAIN_BRACE = re.compile(r"(?<!\\)[{}]")
_QUOTE_OR_PLAIN_BRACE = re.compile(r"\"|(?<!\\)[{}]")
# what may follow a quote that ends a value: the next piece, the end, a comma and a field, a field on its own line
_BEHIND_QUOTE = {
    closer: re.compile(
        rf"\s*{_REMARK}(?:[{closer}#]|\Z|,\s*{_REMARK}(?:{_FIELD}\s*=|[,{closer}@]|\Z))"
        rf"|\s*\n\s*{_FIELD}\s*=\s*[{{\"\w]"
    )
    for closer in "})"
}
_ODD_STOP = re.compile(rf"[{{}},\"]|\n\s*{_FIELD}\s*=(?!=)")
_SWALLOWED = re.compile(r",[ \t]*(\n?)\s*([A-Za-z][\w-]*)\s*=\s*([{\"]|\w)")
_KNOWN = "|".join(sorted(FIELDS))
# more of an entry behind its end: it ended too early
_MORE = re.compile(rf"[\s}})]*,\s*[A-Za-z][\w-]*\s*=(?!=)|[\s}})]*({_KNOWN})\s*=\s*[{{\"\d]", re.IGNORECASE)
_STRAY_FIELD = re.compile(rf"\b((?:{_KNOWN})(?=\s*=\s*\d)|[A-Za-z][\w-]{{0,40}}(?=\s*=\s*[{{\"]))", re.IGNORECASE)


class _Reader:
    def __init__(self, text: str) -> None:
        self.source = Source(text)
        self.text = text
        self.strings = {month: month for month in MONTHS}
        self.closing = _matched(text, _BRACE)
        self.plain: dict[int, int] | None = None
        self.marks = _QUOTE_OR_BRACE
        self.line_heads = [found.start() for found in _LINE_HEAD.finditer(text)]
        self.key = ""
        self.closer = "}"

    # --- blocks ---------------------------------------------------------------------------------------------------

    def read(self) -> Source:
        place = ended = 0
        lost = False
        while head := _HEAD.search(self.text, place):
            if not lost:
                self._between(ended, head.start())
            place = ended = self._block(head, lost=lost)
            lost = place < 0
            place = head.end() if lost else place
        if not lost:
            self._between(ended, len(self.text))
        return self.source

    def _between(self, begin: int, end: int) -> None:
        """Text between entries means nothing, but a field in it was meant for one."""
        if found := _STRAY_FIELD.search(self.text, begin, end):
            self.key = ""
            self._tell(
                found.start(1), Grade.TOLD, f"'{found.group(1)} =' stands outside of any entry and is not read"
            )

    def _block(self, head: re.Match[str], *, lost: bool) -> int:
        """Where to go on behind a block; -1 behind one that is broken, so that the next one is looked for inside of
        it. `lost`: the last one was."""
        kind = head.group(1).lower()
        self.key = ""
        first = self._blanks(self.source.line_start(head.start()))
        form = _STRING_NAME if kind == "string" else _FIRST_FIELD
        meant = bool(form.match(self.text, head.end()))
        if self.text.startswith("%", first) and (end := self._commented_out(head)):
            if meant or kind in TYPES:
                found = _KEY.match(self.text, self._blanks(head.end()))
                self.key = found.group() if found else ""
                self._tell(head.start(), Grade.TOLD, f"the {kind} behind % is not read")
            return end
        if kind == "comment":
            return self._comment(head)
        if kind == "preamble":
            end = self.closing.get(head.end() - 1, -1)
            return end + 1 if end > 0 and not self._head_within(head.end(), end) else -1
        within_line = first != head.start()
        if (lost and within_line) or kind not in TYPES | {"string"}:
            # inside of a broken entry and in running text only a clear beginning counts
            clear = meant and (not lost or not within_line or kind in TYPES)
            if not clear:
                if not within_line:
                    self._tell(head.start(), Grade.TOLD, f"'{head.group()}' begins no entry and is not read")
                return -1 if lost else head.end()
        return self._entry_or_string(head, kind)

    def _entry_or_string(self, head: re.Match[str], kind: str) -> int:
        """Reads the block; where that fails, once more as JabRef does, to whom an escaped brace is a sign."""
        seen = len(self.source.faults)
        try:
            return self._once(head, kind)
        except _BrokenError as error:
            del self.source.faults[seen:]  # what was mended inside is of no use any more
            broken = error
        end = self._next_line_head(head.end())
        if _ESCAPED.search(self.text, head.end(), end if end > 0 else len(self.text)):
            usual = self.closing, self.marks
            self.closing, self.marks = self._unescaped(), _QUOTE_OR_PLAIN_BRACE
            try:
                place = self._once(head, kind)
            except _BrokenError:
                del self.source.faults[seen:]
            else:
                why = "its braces match only if those behind a backslash do not count"
                self._tell(head.start(), Grade.MENDED, why)
                return place
            finally:
                self.closing, self.marks = usual
        line, _ = self.source.place(broken.offset)
        where = f" (line {line})" if line != self.source.place(head.start())[0] else ""
        self._tell(head.start(), Grade.BROKEN, f"{broken}{where}")
        return -1

    def _once(self, head: re.Match[str], kind: str) -> int:
        self.closer = "}" if head.group(2) == "{" else ")"
        return self._string(head) if kind == "string" else self._entry(head, kind)

    def _unescaped(self) -> dict[int, int]:
        """The pairs of braces without the escaped ones."""
        if self.plain is None:
            self.plain = _matched(self.text, _PLAIN_BRACE)
        return self.plain

    def _commented_out(self, head: re.Match[str]) -> int:
        """The end of the lines behind % that hold a whole block; 0 where only its first line stands behind %, for
        BibTeX knows no such comments and reads the block."""
        line = self.text.find("\n", head.end())
        close = self.closing.get(head.end() - 1, -1)
        if line < 0 or 0 < close < line:
            return line if line >= 0 else len(self.text)
        block = _REMARK_LINES.match(self.text, line + 1)
        return block.end() if block else 0

    def _comment(self, head: re.Match[str]) -> int:
        """A @comment is skipped where it closes. What stands in one that does not, or that began with text of its
        own, is read as BibTeX would."""
        if head.group(2) == "(":
            line = self._next_line_head(head.end())
            close = self.text.find(")", head.end(), line if line >= 0 else len(self.text))
            return close + 1 if close >= 0 else head.end()
        close = self.closing.get(head.end() - 1, -1)
        if close < 0:
            self._tell(head.start(), Grade.TOLD, "the @comment never closes; what follows is read")
            return head.end()
        heads = (found for found in _HEAD.finditer(self.text, head.end(), close) if found.group(1).lower() in TYPES)
        first = next(heads, None)
        if first is None:
            return close + 1
        if self._blanks(head.end()) != first.start() and self._head_within(head.end(), close):
            return head.end()
        count = 1 + sum(1 for _ in heads)
        what = "an entry" if count == 1 else f"{count} entries"
        self._tell(head.start(), Grade.TOLD, f"a @comment holds what looks like {what}; not read")
        return close + 1

    def _string(self, head: re.Match[str]) -> int:
        place = self._skip(head.end())
        found = _NAME_IS.match(self.text, place)
        if not found:
            raise _BrokenError(place, "a @string without '='")
        self.key = found.group(1)
        value, place = self._value(found.group(1), found.end())
        if len(value) > MAX_FIELD:
            raise _BrokenError(place, f"the string is longer than {MAX_FIELD:,} characters")
        self.strings[found.group(1).lower()] = value
        place = self._skip(place)
        if self.text.startswith(",", place):
            place = self._skip(place + 1)
        if not self.text.startswith(self.closer, place):
            self._tell(place, Grade.MENDED, f"the @string '{self.key}' does not close")
            return place
        return place + 1

    def _entry(self, head: re.Match[str], kind: str) -> int:
        entry = Entry(head.start(), kind, "")
        place = self._entry_key(entry, head.end())
        if place < 0:
            self.source.entries.append(entry)
            return -place
        end = self._fields(entry, place)
        if found := _MORE.match(self.text, end):
            line, _ = self.source.place(found.end() - 1)
            raise _BrokenError(end, f"it ends before line {line}, where more of it follows: a brace too many")
        self.source.entries.append(entry)
        return end

    def _entry_key(self, entry: Entry, place: int) -> int:
        """Reads the key; returns where the fields begin, or minus the end of an entry that has none."""
        place = self._skip(place)
        found = _KEY.match(self.text, place)
        assert found
        end = self._skip(found.end())
        if self.text.startswith("=", end) or found.group().partition("=")[0].lower() in FIELDS & {"title", "author"}:
            self._tell(place, Grade.MENDED, "it has no key")
            return place
        key = found.group()
        if self.closer == ")" and key.endswith(")") and not self.text.startswith(",", end):
            key, end = key[:-1], found.end() - 1
        while not self.text.startswith((",", self.closer), end):
            if _NAME_IS.match(self.text, end):
                self.key = entry.key = key
                self._tell(end, Grade.MENDED, "a comma is missing behind the key")
                return end
            more = _KEY.match(self.text, end)
            if not more or not more.group():
                shown = self.text[end : end + 1] or "the end of the file"
                raise _BrokenError(end, f"a comma is missing behind the key: found {shown!r}")
            key, end = f"{key} {more.group()}", self._skip(more.end())
        self.key = entry.key = key
        if self.text.startswith(self.closer, end):
            return -(end + 1)
        return end + 1

    # --- fields ---------------------------------------------------------------------------------------------------

    def _fields(self, entry: Entry, place: int) -> int:
        """Reads the fields of an entry; returns where it ends."""
        while True:
            place = self._skip(place)
            char = self.text[place : place + 1]
            if char in {self.closer, "}"}:
                return place + 1
            if not char or (char == "@" and self._is_line_head(place)):
                self._tell(place, Grade.MENDED, "the entry does not close; read up to here")
                return place
            if char == ",":
                place += 1
                continue
            found = _NAME_IS.match(self.text, place)
            if not found:
                place = self._no_field(place)
                continue
            name = found.group(1).lower()
            value, end = self._value(name, found.end())
            self._swallowed(name, found.end(), end)
            entry.fields.append(Field(place, name, value))
            place = self._separator(name, end)

    def _no_field(self, place: int) -> int:
        """What stands where a field should: a lone word is left out, anything else breaks the entry."""
        word = _NAME.match(self.text, place)
        end = self._skip(word.end()) if word else place
        if word and self.text.startswith((",", self.closer), end):
            self._tell(place, Grade.MENDED, f"'{word.group()}' stands where a field should and is left out")
            return end
        line = self.text[place : place + 40].split("\n")[0]
        raise _BrokenError(place, f"a field should begin at '{line}'")

    def _separator(self, name: str, place: int) -> int:
        """Where the next field begins, behind the comma that should stand at `place`."""
        if self.text.startswith(",", place):
            return place + 1
        if _NAME_IS.match(self.text, place):
            self._tell(place, Grade.MENDED, f"a comma is missing behind the field '{name}'")
        return place

    def _value(self, name: str, place: int) -> tuple[str, int]:
        """A field's value, and where the comma or the closing brace behind it stands."""
        pieces: list[str] = []
        size = 0
        begin = place = self._skip(place)
        while True:
            char = self.text[place : place + 1]
            if char == "{":
                end = self.closing.get(place, -1)
                self._hold(place, end, "brace")
                piece, place = self.text[place + 1 : end], end + 1
            elif char == '"':
                end = self._quote(name, place)
                piece, place = self.text[place + 1 : end], end + 1
            elif found := _WORD.match(self.text, place):
                piece, place = self._word(found), found.end()
            elif pieces or char in {",", self.closer}:
                piece = ""
            else:
                raise _BrokenError(begin, f"the field '{name}' has no value")
            pieces.append(piece)
            size += len(piece)
            if size > MAX_FIELD:  # one character more tells that it is too long
                pieces = ["".join(pieces)[: MAX_FIELD + 1]]
                size = MAX_FIELD + 1
            behind = self._skip(place)
            if not self.text.startswith("#", behind):
                break
            place = self._skip(behind + 1)
        if self._ends_here(behind):
            return "".join(pieces), behind
        return self._odd_end(name, begin, behind)

    def _word(self, found: re.Match[str]) -> str:
        word = found.group()
        known = self.strings.get(word.lower())
        if known is None and word[0].isalpha():
            self._tell(found.start(), Grade.TOLD, f"there is no @string '{word}' before this line; taken as written")
        return word if known is None else known

    def _ends_here(self, place: int) -> bool:
        """Whether a value may end before `place`: at a comma, the entry's end, the next field or the next entry."""
        char = self.text[place : place + 1]
        return char in {",", "}", self.closer, ""} or bool(_NAME_IS.match(self.text, place)) or char == "@"

    def _odd_end(self, name: str, begin: int, place: int) -> tuple[str, int]:
        """A value behind whose end more text stands, as in `{A} and {B}` or `2024 (to appear)`: all of it."""
        while found := _ODD_STOP.search(self.text, place):
            if found.group() == '"':
                raise _BrokenError(place, f"the value of '{name}' closes too early")
            if found.group() != "{":
                break
            end = self.closing.get(found.start(), -1)
            self._hold(found.start(), end, "brace")
            place = end + 1
        if not found:
            raise _BrokenError(begin, f"the value of '{name}' does not end")
        end = found.start()
        if self._head_within(begin, end):
            raise _BrokenError(begin, f"the value of '{name}' does not end before the next entry")
        written = self.text[begin:end].strip()
        self._tell(begin, Grade.MENDED, f"the value of '{name}' is not one piece; read as '{_shown(written)}'")
        return written.replace("{", "").replace("}", "").replace('"', ""), self._skip(end)

    def _quote(self, name: str, begin: int) -> int:
        """Where the quote closes that opens at `begin`: behind a quote inside of the value that closes it early, the
        one that a comma and a field or the entry's end follow."""
        first = end = self._next_quote(begin, begin + 1)
        while not _BEHIND_QUOTE[self.closer].match(self.text, end + 1):
            end = self._next_quote(begin, end + 1)
        if end != first:
            line, _ = self.source.place(end)
            self._tell(first, Grade.MENDED, f"a quote inside of '{name}' closes it early; read up to line {line}")
        return end

    def _next_quote(self, begin: int, place: int) -> int:
        """The next quote outside of braces."""
        while found := self.marks.search(self.text, place):
            if found.group() == '"':
                self._hold(begin, found.start(), "quote")
                return found.start()
            if found.group() == "}":
                break
            place = self.closing.get(found.start(), -1) + 1
            if not place:
                break
        raise _BrokenError(begin, "the quote that opens here does not close")

    def _hold(self, begin: int, end: int, what: str) -> None:
        """An error where what opens at `begin` does not close, or only behind the beginning of another entry."""
        if end < 0 or self._head_within(begin, end):
            raise _BrokenError(begin, f"the {what} that opens here does not close")

    def _swallowed(self, name: str, begin: int, end: int) -> None:
        """A value that holds a field has lost its own end."""
        if self.text.find("=", begin, end) < 0:
            return
        for found in _SWALLOWED.finditer(self.text, begin, end):
            line_start, inner, value = found.groups()
            known = inner.lower() in FIELDS
            if known and (line_start or name in _SHORT):
                raise _BrokenError(begin, f"the value of '{name}' holds a field '{inner}': it does not close before")
            if known or (line_start and value in '{"'):
                self._tell(found.start(2), Grade.MENDED, f"'{inner} =' stands inside of the value of '{name}'")

    # --- places ---------------------------------------------------------------------------------------------------

    def _skip(self, place: int) -> int:
        """Behind blanks and % comments; a field in such a comment is told."""
        found = _BLANKS_AND_REMARKS.match(self.text, place)
        assert found
        if "%" in found.group():
            for comment in _COMMENTED_FIELD.finditer(found.group()):
                why = f"the field '{comment.group(1)}' behind % is not read"
                self._tell(place + comment.start(1), Grade.TOLD, why)
        return found.end()

    def _blanks(self, place: int) -> int:
        found = _BLANKS.match(self.text, place)
        assert found
        return found.end()

    def _is_line_head(self, place: int) -> bool:
        found = bisect_left(self.line_heads, self.source.line_start(place))
        return found < len(self.line_heads) and self.line_heads[found] <= place

    def _next_line_head(self, place: int) -> int:
        found = bisect_right(self.line_heads, place)
        return self.line_heads[found] if found < len(self.line_heads) else -1

    def _head_within(self, begin: int, end: int) -> bool:
        return 0 <= self._next_line_head(begin) < end

    def _tell(self, offset: int, grade: Grade, text: str) -> None:
        self.source.faults.append(Fault(offset, self.key, text, grade))


def _matched(text: str, braces: re.Pattern[str]) -> dict[int, int]:
    """For each opening brace that closes, where."""
    closing: dict[int, int] = {}
    open_: list[int] = []
    for found in braces.finditer(text):
        if found.group() == "{":
            open_.append(found.start())
        elif open_:
            closing[open_.pop()] = found.start()
    return closing


def _shown(text: str) -> str:
    short = " ".join(text.split())
    return short if len(short) <= 60 else f"{short[:57]}..."
