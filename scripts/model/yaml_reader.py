"""Reads YAML that strangers wrote, and remembers where each value stood.

The file is walked as a flat stream of libyaml events, so neither depth nor aliases can make it grow in memory or
overflow a stack. Only the plain core of YAML is understood: mappings, lists, strings, integers, true/false, null.
Dates and decimals stay strings: `2410.10` is an arXiv identifier whose last zero counts, not a number.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

MAX_ENTRY_BYTES = 64 * 1024
MAX_DEPTH = 12

YamlPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Mark:
    """A place in a file; both numbers start at 1."""

    line: int = 1
    column: int = 1


@dataclass
class Document:
    """A parsed file: its value, and for every key and list item the place where its value begins."""

    value: Any
    marks: dict[YamlPath, Mark] = field(default_factory=dict)
    key_marks: dict[YamlPath, Mark] = field(default_factory=dict)

    def mark(self, path: YamlPath) -> Mark:
        """Where `path` stands, or its nearest ancestor that stands anywhere."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.marks:
                return self.marks[path[:end]]
        return Mark()


class UnreadableError(Exception):
    """A file cannot be read as an entry. Carries the rule it breaks and how to mend it."""

    def __init__(self, rule: str, message: str, repair: str, mark: Mark | None = None) -> None:
        super().__init__(message)
        self.rule, self.message, self.repair, self.mark = rule, message, repair, mark or Mark()


def read_text(path: Path, max_bytes: int = MAX_ENTRY_BYTES) -> str:
    """The file as text; UnreadableError where it is no regular file, too large, or not UTF-8."""
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode):
            what = "a folder" if stat.S_ISDIR(info.st_mode) else "a link or special file"
            raise UnreadableError("not-a-file", f"this is {what}", "replace it by a plain file, or remove it")
        if info.st_size > max_bytes:
            raise UnreadableError(
                "too-large",
                f"the file has {info.st_size:,} bytes; at most {max_bytes:,} are read",
                "an entry takes about 3 KB: keep the facts, drop the rest",
            )
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableError("not-a-file", f"cannot be read: {error.strerror}", "check its permissions") from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        raise UnreadableError(
            "encoding",
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            "save the file as UTF-8",
            Mark(line, column),
        ) from error
    if text.startswith("\ufeff"):
        raise UnreadableError("encoding", "the file starts with a byte-order mark", "save it as UTF-8 without BOM")
    return text


def parse(text: str) -> Document:
    """One YAML document as plain values. UnreadableError where it is empty, malformed or uses refused features."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(place.line + 1, place.column + 1) if place else Mark()
        raise UnreadableError(
            "yaml-syntax",
            f"this is not valid YAML: {error.problem or error.context}",
            "look at the line named and the one before it; quote text that holds ': ' or starts with a sign",
            mark,
        ) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UnreadableError(
            "yaml-syntax",
            f"character U+{ord(error.character) if isinstance(error.character, str) else error.character:04X}"
            " is not allowed in YAML",
            "remove the control character",
            Mark(line, 1),
        ) from error
    if not builder.seen:
        raise UnreadableError("empty-file", "the file holds nothing", "fill it (atlas new ...) or remove it")
    return builder.document


_INTEGER = re.compile(r"(0|-?[1-9][0-9]{0,17})\Z")
_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def _plain(text: str) -> Any:
    """The value of an unquoted scalar in YAML's core schema, without decimals and dates."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    return int(text) if _INTEGER.match(text) else text


class _Builder:
    """Builds the value from events with a stack of its own, so that no nesting can exhaust Python's."""

    def __init__(self) -> None:
        self.document = Document(None)
        self.seen = False
        self.stack: list[tuple[Any, YamlPath]] = []
        self.keys: list[str | None] = []  # for each open mapping, the key that waits for its value
        self.documents = 0

    def take(self, event: yaml.Event) -> None:
        place = event.start_mark
        mark = Mark(place.line + 1, place.column + 1) if place else Mark()
        match event:
            case yaml.AliasEvent():
                self._refuse(f"an alias (*{event.anchor})", "write the value out", mark)
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    self._refuse("a second document", "keep one entry a file; remove '---'", mark)
            case yaml.ScalarEvent():
                self._refuse_properties(event, mark)
                plain = event.implicit[0] and not event.style  # quoted text is never a number
                self._scalar(event.value, plain, mark)
            case yaml.MappingStartEvent():
                self._refuse_properties(event, mark)
                self._open({}, mark)
            case yaml.SequenceStartEvent():
                self._refuse_properties(event, mark)
                self._open([], mark)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.stack.pop()
                self.keys.pop()
            case _:
                pass

    def _refuse(self, what: str, repair: str, mark: Mark) -> None:
        raise UnreadableError("yaml-feature", f"{what} is not used in entries", repair, mark)

    def _refuse_properties(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, mark: Mark) -> None:
        if event.anchor is not None:
            self._refuse(f"an anchor (&{event.anchor})", "write the value out where it is needed", mark)
        if event.tag not in (None, "!"):
            self._refuse(f"a tag ({event.tag})", "remove the tag; quote text with '...'", mark)

    def _waits_for_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1][0], dict) and self.keys[-1] is None

    def _scalar(self, text: str, plain: bool, mark: Mark) -> None:
        if self._waits_for_key():
            container, path = self.stack[-1]
            if text in container:
                raise UnreadableError("yaml-feature", f"the key '{text}' stands twice", "keep one of the two", mark)
            self.keys[-1] = text
            self.document.key_marks[(*path, text)] = mark
        else:
            self._place(_plain(text) if plain else text, mark)

    def _open(self, container: Any, mark: Mark) -> None:
        if self._waits_for_key():
            self._refuse("a list or mapping as a key", "use plain text as the key", mark)
        if len(self.stack) >= MAX_DEPTH:
            self._refuse(f"nesting of more than {MAX_DEPTH} levels", "flatten the entry", mark)
        path = self._place(container, mark)
        self.stack.append((container, path))
        self.keys.append(None)

    def _place(self, value: Any, mark: Mark) -> YamlPath:
        """Puts a value where it belongs and returns its path."""
        self.seen = True
        path: YamlPath = ()
        if self.stack:
            container, parent = self.stack[-1]
            if isinstance(container, dict):
                key = self.keys[-1]
                container[key] = value
                self.keys[-1] = None
                path = (*parent, str(key))
            else:
                container.append(value)
                path = (*parent, len(container) - 1)
        else:
            self.document.value = value
        self.document.marks[path] = mark
        return path
