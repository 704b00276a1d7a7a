"""Reads JSON Lines that strangers wrote: one object a line, and every error names its line.

Wherever a value could be wrong the message says what was found, what is wanted and how to mend it, and the file is
given up at once: nothing runs on data of which half is wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from reference_impls.core.suggest import nearest

MAX_LINE = 16 * 1024 * 1024
"""Bytes of one line; a response of this length would be several books."""
MAX_NAME = 512
"""Characters of an identifier, a task or a model's name."""
MAX_COUNT = 10**9
"""Largest number of tokens, and of anything else that is counted."""


class LineError(ValueError):
    """``file:line: what is wrong (how to mend it)``, in one line."""

    def __init__(self, file: Path, line: int, what: str, mend: str) -> None:
        super().__init__(f"{file}:{line}: {what} ({mend})")


def shown(value: object) -> str:
    """A found value for a message: in quotes, short, on one line.

    >>> shown("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…"
    """
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        text = ascii(value) if not value.isprintable() else repr(value[:60])
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**15:
        return "a huge number"
    else:
        text = json.dumps(value)
    return text if len(text) <= 41 else f"{text[:40]}…"


def _number_as_text(value: float) -> str:
    """A number as text; whole ones without a point.

    >>> _number_as_text(7.0), _number_as_text(0.5), _number_as_text(12)
    ('7', '0.5', '12')
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return str(value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {shown(next(n for n in names if names.count(n) > 1))} stands twice")
    return made


#: Told of a line that is wrong, after which the others are read; without one, the first wrong line is raised.
Told = Callable[["LineError"], None]


def objects(file: Path, told: Told | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with their line numbers, counted from 1, one after the other.

    Raises:
        LineError: a line that is empty, too long, not UTF-8 or not one JSON object, where nobody is `told` of it.
        OSError: the file cannot be read.
    """
    with file.open("rb") as stream:
        number = 0
        while raw := stream.readline(MAX_LINE + 1):
            number += 1
            long = len(raw) > MAX_LINE
            while long and raw and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_LINE)
            try:
                made = _parsed(file, number, raw, long=long)
            except LineError as error:
                if told is None:
                    raise
                told(error)
                continue
            yield number, made


def _parsed(file: Path, number: int, raw: bytes, *, long: bool = False) -> dict[str, Any]:
    if long:
        raise LineError(file, number, f"longer than {MAX_LINE} bytes", "one object a line; shorten the text")
    if number == 1 and raw.startswith(b"\xef\xbb\xbf"):
        raise LineError(file, number, "starts with a byte-order mark", "save the file as UTF-8 without BOM")
    if not raw.strip():
        raise LineError(file, number, "an empty line", "remove it")
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        what = f"byte 0x{raw[error.start]:02x} at column {error.start + 1} is not UTF-8"
        raise LineError(file, number, what, "save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        what = f"not valid JSON at column {error.colno}: {error.msg}"
        raise LineError(file, number, what, "write one JSON object a line") from error
    except RecursionError as error:
        raise LineError(file, number, "nested too deeply", "a line is one flat object") from error
    except ValueError as error:  # a constant, a key twice, or more digits than Python reads
        what = "a number with thousands of digits" if str(error).startswith("Exceeds") else str(error)
        raise LineError(file, number, what, "correct the value") from error
    if not isinstance(value, dict):
        raise LineError(file, number, f"{shown(value)} instead of an object", "write one JSON object a line")
    return value


@dataclass(slots=True)
class Fields:
    """The fields of one line, taken out with their types checked.

    Raises:
        LineError: a key is missing or unknown, or a value has the wrong type or lies outside its range.
    """

    file: Path
    line: int
    values: Mapping[str, Any]

    def wrong(self, what: str, mend: str) -> LineError:
        """The error, to be raised."""
        return LineError(self.file, self.line, what, mend)

    def check_keys(self, required: Sequence[str], allowed: Sequence[str]) -> None:
        """Every required key is there and every key is an allowed one."""
        for key in self.values:
            if key not in allowed:
                raise self.wrong(f"unknown key {shown(key)}", f"remove it{nearest(key[:MAX_NAME], allowed)}")
        for key in required:
            if key not in self.values:
                raise self.wrong(f"the key '{key}' is missing", f"a line here has {', '.join(required)}")

    def text(self, key: str) -> str | None:
        """A string or null."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.wrong(f"'{key}' is {shown(value)}", "write a string or null")
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError as error:
                what = f"'{key}' holds half of a surrogate pair at character {error.start + 1}"
                raise self.wrong(what, "write the whole character") from error
        return value

    def required_text(self, key: str) -> str:
        """A string that holds more than white space."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(f"'{key}' is {shown(value)}", "write a string that is not empty")
        value = self.text(key)
        if value is None or not value.strip():
            raise self.wrong(f"'{key}' is {'null' if value is None else 'empty'}", "write a string that is not empty")
        return value

    def written(self, key: str) -> str | None:
        """A string, a number as it is written, or null: what libraries for tables make of a column of numbers."""
        value = self.values.get(key)
        if isinstance(value, bool):
            return "true" if value else "false"
        return _number_as_text(value) if isinstance(value, int | float) else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, or null."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) < 2:
            raise self.wrong(f"'{key}' is {shown(value)}", "write a list of at least two strings, or null")
        parts = [Fields(self.file, self.line, {key: part}).written(key) for part in value]
        return tuple(part if part is not None else "" for part in parts)

    def pieces(self, key: str) -> tuple[str, ...]:
        """A list of strings, or null."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise self.wrong(f"'{key}' is {shown(value)}", "write a list of strings, or null")
        return tuple(Fields(self.file, self.line, {key: part}).text(key) or "" for part in value)

    def logs(self, key: str) -> tuple[float, ...]:
        """A list of log-probabilities, or null; -1e9 and less is as good as impossible."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.wrong(f"'{key}' is {shown(value)}", "write a list of numbers up to 0, or null")
        for part in value:
            if isinstance(part, bool) or not isinstance(part, int | float) or not -1e15 <= part <= 1e-3:
                raise self.wrong(f"'{key}' holds {shown(part)}", "natural logarithms are numbers up to 0")
        return tuple(min(float(part), 0.0) for part in value)

    def choice(self, key: str, among: Sequence[str]) -> str:
        """One of some words; null is none of them, and empty."""
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or value not in among:
            raise self.wrong(f"'{key}' is {shown(value)}", f"write one of {', '.join(among)}, or null")
        return value

    def name(self, key: str) -> str:
        """A string that can stand in a table and in a message: printable, without blanks at its ends. A number is its
        digits, 7.0 as 7.
        """
        value = self.values.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _number_as_text(value)
        value = self.required_text(key)
        if not value.isprintable() or value != value.strip() or len(value) > MAX_NAME:
            what = f"'{key}' is {shown(value)}"
            raise self.wrong(what, f"at most {MAX_NAME} printable characters on one line, no blank at the ends")
        return value

    def number(self, key: str, largest: float = math.inf) -> float | None:
        """A finite number between 0 and `largest`, or null."""
        value = self.values.get(key)
        if value is None:
            return None
        wanted = "not negative" if largest == math.inf else f"from 0 to {largest:g}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(f"'{key}' is {shown(value)}", f"write a number {wanted}, or null")
        if not 0 <= value <= min(largest, 1e15):  # catches an overflow to infinity too
            raise self.wrong(f"'{key}' is {shown(value)}", f"write a number {wanted}, or null")
        return float(value)

    def count(self, key: str, largest: int = MAX_COUNT) -> int | None:
        """A whole number from 0 to `largest`, or null."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer() and abs(value) <= largest:
            value = int(value)  # a column with a gap in it is written as 12.0
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
            raise self.wrong(f"'{key}' is {shown(value)}", f"write a whole number from 0 to {largest}")
        return value
