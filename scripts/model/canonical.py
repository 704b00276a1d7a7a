"""The one way to write an entry: key order, quoting and wrapping are settled, so that a diff shows facts only.

PyYAML decides the quoting; this module decides the order of keys, which values wrap, and puts the comments back.
Comments on lines of their own stay above the key or item that followed them, comments at a line's end stay on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import groupby
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel

from scripts.model import yaml_reader
from scripts.model.identifiers import DATE
from scripts.model.names import GroupName, written
from scripts.model.paper import Paper
from scripts.model.yaml_reader import Document, YamlPath

SCHEMA_LINE = "# yaml-language-server: $schema=../schema.json"
WIDTH = 110
_UNLIMITED = 10**6
_FOLDED = {"summary", "notes"}
_INLINE = {"venue"}  # a short mapping on one line
_BLOCK = {"code", "against"}  # lists of addresses, one a line
_COMMENT = re.compile(r"[\s,:?\[\]{}-]*(#.*)")  # after a line's last text only signs of structure come before one
_STR, _INT = "tag:yaml.org,2002:str", "tag:yaml.org,2002:int"
_RESOLVER = yaml.resolver.Resolver()
_BOOL, _NULL, _DATE = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null", "tag:yaml.org,2002:timestamp"


@dataclass
class Comments:
    """Comments by the path of the value they belong to; () holds those at the end of the file."""

    above: dict[YamlPath, list[str]] = field(default_factory=dict)
    beside: dict[YamlPath, str] = field(default_factory=dict)


def canonical(text: str, document: Document | None = None) -> str:
    """The canonical form of an entry's text, comments kept. UnreadableError where it cannot be read.

    `document` is the text already parsed, for a caller that has it."""
    value = (document or yaml_reader.parse(text)).value
    if not isinstance(value, dict):
        return text
    plain = emit(value)
    # most entries are in order and carry no comment: nothing to look for then
    return text if plain == text else emit(value, find_comments(text))


def emit(value: dict[str, Any], comments: Comments | None = None) -> str:
    """An entry's value as canonical text."""
    body = f"{SCHEMA_LINE}\n"
    for width, items in groupby(_ordered(value, Paper), lambda item: _width(*item)):
        body += _emit_keys([*items], width)
    return _put_back(body, comments) if comments and (comments.above or comments.beside) else body


def _width(key: str, value: Any) -> int:
    """The width at which a key is written: lists, mappings and folded texts wrap, other texts stand on one line.

    One that no width below WIDTH would break gets WIDTH, too, so that keys can be written together."""
    if isinstance(value, list | dict) or key in _FOLDED:
        return WIDTH
    text = str(value)
    # quoting doubles an ASCII character at most
    short = key in Paper.model_fields and text.isascii() and text.isprintable() and 2 * len(text) + 40 < WIDTH
    return WIDTH if short else _UNLIMITED


@cache
def _order(model: type[BaseModel]) -> dict[str, int]:
    return {name: place for place, name in enumerate(model.model_fields)}


def _ordered(value: dict[str, Any], model: type[BaseModel] | None) -> list[tuple[str, Any]]:
    """Known keys in the model's order, empty ones dropped, unknown ones last as they came."""
    order = _order(model) if model else {}
    items = [(key, item) for key, item in value.items() if item not in (None, [], {})]
    return sorted(items, key=lambda item: order.get(item[0], len(order)))


@cache
def _submodels() -> dict[str, type[BaseModel]]:
    """The models of the keys of Paper that hold a mapping, or a list of mappings."""
    return {
        name: option
        for name, field_info in Paper.model_fields.items()
        for option in (field_info.annotation, *get_args(field_info.annotation))
        if isinstance(option, type) and issubclass(option, BaseModel)
    }


def _in_order(key: str, value: Any) -> Any:
    """A mapping, or the mappings of a list, with their keys in the model's order."""
    model = _submodels().get(key)
    if isinstance(value, dict):
        return dict(_ordered(value, model))
    if model and isinstance(value, list) and get_origin(Paper.model_fields[key].annotation) is list:
        order = _order(model)
        return [
            dict(sorted(item.items(), key=lambda pair: order.get(pair[0], len(order))))
            if isinstance(item, dict)
            else item
            for item in value
        ]
    return value


def _emit_keys(items: list[tuple[str, Any]], width: int) -> str:
    """Some keys of an entry with their values, as YAML whose lines break after `width` characters."""
    events: list[yaml.Event] = [yaml.MappingStartEvent(None, None, True, flow_style=False)]
    for key, item in items:
        value = _in_order(key, item)
        if value != {}:
            events.append(_tagged(_STR, key))
            _put(value, key, events)
    if len(events) == 1:
        return ""
    events = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False), *events]
    events += [yaml.MappingEndEvent(), yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent()]
    text: str = yaml.emit(events, Dumper=yaml.CSafeDumper, width=width, allow_unicode=True)
    return text


def _put(value: Any, key: str, events: list[yaml.Event]) -> None:
    """Adds the events of a value to `events`."""
    if isinstance(value, GroupName):
        value = written(value)
    if isinstance(value, dict):
        events.append(yaml.MappingStartEvent(None, None, True, flow_style=key in _INLINE))
        for name, item in value.items():
            events.append(_tagged(_STR, str(name)))
            _put(item, str(name), events)
        events.append(yaml.MappingEndEvent())
    elif isinstance(value, list):
        flat = key == "authors" or not any(isinstance(item, dict | list) for item in value)
        events.append(yaml.SequenceStartEvent(None, None, True, flow_style=flat and key not in _BLOCK))
        for item in value:
            if type(item) is str:  # nearly every one
                events.append(_tagged(_STR, item))
            else:
                _put(item, "", events)
        events.append(yaml.SequenceEndEvent())
    else:
        events.append(_scalar(value, key))


def _scalar(value: Any, key: str) -> yaml.ScalarEvent:
    text = str(value)
    if not isinstance(value, str):
        if isinstance(value, bool):
            return _tagged(_BOOL, text.lower())
        if isinstance(value, int):
            return _tagged(_INT, text)
        if value is None:
            return _tagged(_NULL, "null")
    if key == "date" and DATE.match(text):  # plain, as in `date: 2024-06-26`
        return _tagged({4: _INT, 10: _DATE}.get(len(text), _STR), text)
    if key in _FOLDED:
        return _tagged(_STR, " ".join(text.split()), style=">")
    return _tagged(_STR, text)


@lru_cache(maxsize=10_000)  # keys, values of vocabularies and people come again and again
def _tagged(tag: str, text: str, style: str | None = None) -> yaml.ScalarEvent:
    """A scalar that is written without its tag where readers of YAML 1.1 find the same by themselves."""
    plain = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == tag  # type: ignore[no-untyped-call]
    return yaml.ScalarEvent(None, tag, (plain, tag == _STR), text, style=style)


def find_comments(text: str) -> Comments:
    """The comments of a file, each under the path of the value it belongs to."""
    comments = Comments()
    if "#" not in text:
        return comments
    lines = text.splitlines()
    spans, starts = _spans(text)
    waiting: list[str] = []
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if stripped.startswith("#") and number not in spans:
            if stripped != SCHEMA_LINE:
                waiting.append(stripped)
            continue
        first, last, end_column = starts.get(number, (None, None, 0))
        if waiting and first is not None:
            comments.above.setdefault(first, []).extend(waiting)
            waiting = []
        beside = _COMMENT.match(line, end_column) if first is not None or number not in spans else None
        if beside and last is not None and last not in comments.beside:
            comments.beside[last] = beside[1]
        elif beside:
            waiting.append(beside[1])
    if waiting:
        comments.above[()] = waiting
    return comments


def _spans(text: str) -> tuple[set[int], dict[int, tuple[YamlPath, YamlPath, int]]]:
    """Lines that lie inside a scalar of several lines; per line its first path, last path and last end column."""
    document = yaml_reader.parse(text)
    path_at = {(mark.line, mark.column): path for path, mark in document.marks.items() if path}
    # a mapping begins where its first key does; the comment above belongs to the key
    path_at.update({(mark.line, mark.column): path for path, mark in document.key_marks.items()})
    inside: set[int] = set()
    starts: dict[int, tuple[YamlPath, YamlPath, int]] = {}
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        start, stop = event.start_mark, event.end_mark
        if not isinstance(event, yaml.ScalarEvent) or start is None or stop is None:
            continue
        first_line, last_line = start.line + 1, stop.line + 1
        if event.style in (">", "|"):
            # a block scalar ends where the next key starts; its first line may carry a comment
            inside.update(range(first_line + 1, last_line + (stop.column > 0)))
            end = len(text.splitlines()[first_line - 1].split("#")[0])
        else:
            inside.update(range(first_line + 1, last_line + 1))
            end = stop.column
        path = path_at.get((first_line, start.column + 1))
        if path is None:
            continue
        line = first_line if event.style in (">", "|") else last_line
        first = starts[first_line][0] if first_line in starts else path
        starts.setdefault(first_line, (first, path, end))
        starts[line] = (starts[line][0] if line in starts else first, path, end)
    return inside, starts


def _put_back(body: str, comments: Comments) -> str:
    """Writes the comments at the places where their values now stand."""
    document = yaml_reader.parse(body)
    inside, _ = _spans(body)
    lines = body.splitlines()
    above: dict[int, list[str]] = {}
    beside: dict[int, list[str]] = {}
    for path, texts in comments.above.items():
        above.setdefault(_line_above(document, path, lines), []).extend(texts)
    for path, comment in comments.beside.items():
        line = _line_of(document, path, len(lines) + 1)
        # a second comment that lands on the same line, or on a line whose value goes on below, goes above it
        if line <= len(lines) and line not in beside and line + 1 not in inside and _closes(lines[line - 1]):
            beside[line] = [comment]
        else:
            above.setdefault(_line_above(document, path, lines), []).append(comment)
    result: list[str] = []
    for number, line_text in enumerate(lines, 1):
        indent = " " * (len(line_text) - len(line_text.lstrip()))
        result.extend(indent + comment for comment in above.get(number, []))
        result.append("  ".join([line_text, *beside.get(number, [])]))
    result.extend(above.get(len(lines) + 1, []))
    return "\n".join(result) + "\n"


def _closes(line: str) -> bool:
    """Whether a comment may follow on this line: not inside a flow list that goes on below."""
    return line.count("[") == line.count("]") and not line.rstrip().endswith((",", ">", ">-", "|", "|-"))


def _line_of(document: Document, path: YamlPath, end: int) -> int:
    """The line where `path`'s key begins; of its nearest ancestor where it was dropped."""
    if path == ():
        return end
    while path:
        if path in document.key_marks:
            return document.key_marks[path].line
        if path in document.marks:
            return document.marks[path].line
        path = path[:-1]
    return end


def _line_above(document: yaml_reader.Document, path: YamlPath, lines: list[str]) -> int:
    """The line of `path` or of its nearest ancestor that begins a line, so that a comment above splits no text."""
    while path:
        mark = document.key_marks.get(path) or document.marks.get(path)
        if mark and lines[mark.line - 1][: mark.column - 1].strip() in ("", "-"):
            return mark.line
        path = path[:-1]
    return len(lines) + 1
