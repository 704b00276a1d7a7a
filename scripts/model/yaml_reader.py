"""Reads YAML that strangers wrote, and tells where each value stands.

The file is walked as a flat stream of libyaml events, so neither depth nor aliases can make it grow in memory or
overflow a stack. Only the plain core of YAML is understood: mappings, lists, strings, integers, true/false, null.
Dates and decimals stay strings: `2410.10` is an arXiv identifier whose last zero counts, not a number.

Most values are never pointed at, so that places are kept only when one is asked for: the text is then read again.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

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
class Places:
    """For every key and list item the place where its value begins; for every key the place of the key itself."""

    marks: dict[YamlPath, Mark] = field(default_factory=dict)
    key_marks: dict[YamlPath, Mark] = field(default_factory=dict)


@dataclass
class Document:
    """A parsed file: its value, and the text that it stands in."""

    value: Any
    text: str = field(repr=False)

    @cached_property
    def _places(self) -> Places:
        places = Places()
        _read(self.text, places)
        return places

    @property
    def marks(self) -> dict[YamlPath, Mark]:
        """For every key and list item the place where its value begins."""
        return self._places.marks

    @property
    def key_marks(self) -> dict[YamlPath, Mark]:
        """For every key of a mapping the place where it begins."""
        return self._places.key_marks

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

    def __reduce__(self) -> tuple[Any, ...]:
        """What makes it again in another process."""
        return type(self), (self.rule, self.message, self.repair, self.mark)


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
    try:
        value = _read(text)
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
    return Document(value, text)


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


def _read(text: str, places: Places | None = None) -> Any:  # noqa: PLR0912, PLR0915  a loop without calls
    """The value of a text, built from events with a stack of its own, so that no nesting can exhaust Python's.

    With `places`, the place of every key and value is put there."""
    root: Any = None
    documents = values = 0
    container: Any = None  # the innermost open list or mapping, None outside of any
    key: str | None = None  # of an open mapping, the one that waits for its value
    path: YamlPath = ()  # of the container; kept only for `places`
    stack: list[tuple[Any, str | None, YamlPath]] = []  # the same three of those around it
    value: Any
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None or event.tag is not None:
                _refuse_properties(event)
            value = event.value
            if key is None and isinstance(container, dict):
                if value in container:
                    what = f"the key '{value}' stands twice"
                    raise UnreadableError("yaml-feature", what, "keep one of the two", _mark(event))
                key = value
                if places:
                    places.key_marks[(*path, value)] = _mark(event)
                continue
            if event.implicit[0] and not event.style:  # quoted text is never a number
                value = _plain(value)
        elif isinstance(event, yaml.CollectionEndEvent):
            container, key, path = stack.pop()
            continue
        elif isinstance(event, yaml.CollectionStartEvent):
            _refuse_start(event, is_key=key is None and isinstance(container, dict), depth=len(stack))
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
        elif isinstance(event, yaml.AliasEvent):
            _refuse(event, f"an alias (*{event.anchor})", "write the value out")
        else:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                _refuse(event, "a second document", "keep one entry a file; remove '---'")
            continue
        # a value: it goes where it belongs
        values += 1
        inner: YamlPath = ()
        if places:
            if container is not None:
                inner = (*path, len(container) if key is None else key)
            places.marks[inner] = _mark(event)
        if container is None:
            root = value
        elif key is None:
            container.append(value)
        else:
            container[key] = value
            key = None
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append((container, key, path))
            container, key, path = value, None, inner
    if not values:
        raise UnreadableError("empty-file", "the file holds nothing", "fill it (atlas new ...) or remove it")
    return root


def _mark(event: yaml.Event) -> Mark:
    place = event.start_mark
    return Mark(place.line + 1, place.column + 1) if place else Mark()


def _refuse(event: yaml.Event, what: str, repair: str) -> NoReturn:
    raise UnreadableError("yaml-feature", f"{what} is not used in entries", repair, _mark(event))


def _refuse_start(event: yaml.CollectionStartEvent, *, is_key: bool, depth: int) -> None:
    _refuse_properties(event)
    if is_key:
        _refuse(event, "a list or mapping as a key", "use plain text as the key")
    if depth >= MAX_DEPTH:
        _refuse(event, f"nesting of more than {MAX_DEPTH} levels", "flatten the entry")


def _refuse_properties(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
    if event.anchor is not None:
        _refuse(event, f"an anchor (&{event.anchor})", "write the value out where it is needed")
    if event.tag not in (None, "!"):
        _refuse(event, f"a tag ({event.tag})", "remove the tag; quote text with '...'")
