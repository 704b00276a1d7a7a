"""Reading strangers' files piece by piece: every piece that is wrong is told with its line, and the rest goes on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference_impls.recorded.lines import MAX_LINE, LineError, shown

MAX_DOCUMENT = 512 * 1024 * 1024
"""Bytes of a file that is one JSON document, which is read as a whole."""
MAX_DEPTH = 64
"""Levels of lists and objects in one another; logs of agents have about ten."""
MAX_COLUMNS = 4096


def json_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]] | LineError]:
    """The objects of a file of JSON lines with their line numbers; blank lines are passed over.

    Raises:
        OSError: the file cannot be read.
    """
    with file.open("rb") as stream:
        number = 0
        while raw := stream.readline(MAX_LINE + 1):
            number += 1
            if len(raw) > MAX_LINE:
                while raw and not raw.endswith(b"\n"):  # the rest of the same line
                    raw = stream.readline(MAX_LINE + 1)
                yield LineError(file, number, f"longer than {MAX_LINE} bytes", "shorten the texts")
            elif raw.strip():
                value = parsed(file, number, raw.strip())
                if isinstance(value, dict):
                    yield number, value
                elif isinstance(value, LineError):
                    yield value
                else:
                    yield LineError(file, number, f"{shown(value)} instead of an object", "one JSON object a line")


def document(file: Path) -> Any:
    """The value of a file that is one JSON document, or the `LineError` that says why there is none.

    Raises:
        OSError: the file cannot be read.
    """
    if file.stat().st_size > MAX_DOCUMENT:
        return LineError(file, 1, f"larger than {MAX_DOCUMENT // 1024**2} MiB", "split it")
    return parsed(file, 1, file.read_bytes())


def objects(file: Path, what: str, mend: str) -> Iterator[tuple[int, dict[str, Any]] | LineError]:
    """The objects of a file that holds one a line (.jsonl), a list of them, or one, each with its line; where one is
    none, `what` was found and what mends it.

    Raises:
        OSError: the file cannot be read.
    """
    if file.suffix.lower() == ".jsonl":
        yield from json_lines(file)
        return
    whole = document(file)
    for value in whole if isinstance(whole, list) else [whole]:
        wrong = LineError(file, 1, what, mend)
        yield value if isinstance(value, LineError) else (1, value) if isinstance(value, dict) else wrong


def parsed(file: Path, line: int, raw: bytes) -> Any:
    """The JSON value of some bytes, or the `LineError` that says why there is none."""
    try:
        value = json.loads(raw.decode("utf-8-sig" if line == 1 else "utf-8"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        place = line + raw.count(b"\n", 0, error.start)
        return LineError(file, place, f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8")
    except json.JSONDecodeError as error:
        place = line + error.lineno - 1
        return LineError(file, place, f"not valid JSON at column {error.colno}: {error.msg}", "correct this line")
    except RecursionError:
        return LineError(file, line, "nested too deeply", f"at most {MAX_DEPTH} levels")
    except ValueError as error:  # else more digits than Python reads
        what = str(error) if isinstance(error, _TwiceError) else "a number with thousands of digits"
        return LineError(file, line, what, "correct the value")
    if _deeper_than(value, MAX_DEPTH):
        return LineError(file, line, "nested too deeply", f"at most {MAX_DEPTH} levels")
    return value


class _TwiceError(ValueError):
    """A key stands twice in an object, and there is no telling which counts."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(f"the key {shown(next(n for n in names if names.count(n) > 1))} stands twice in an object")
    return made


def _deeper_than(value: object, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [
            part
            for one in level
            for part in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(part, dict | list)
        ]
        if not level:
            return False
    return True


def table(file: Path) -> Iterator[tuple[int, dict[str, str]] | LineError]:
    """The rows of a CSV file with a header, by the names of its columns, with the lines at which they begin.

    The separator is the one of comma, semicolon and tab that the header has most of. The header itself is the first
    row, each column with its own name.

    Raises:
        OSError: the file cannot be read.
    """
    before = csv.field_size_limit(MAX_LINE)
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:

            def lines() -> Iterator[str]:
                while text := stream.readline(MAX_LINE + 1):
                    yield text

            head = stream.readline(MAX_LINE + 1)
            stream.seek(0)
            separator = max(",;\t", key=head.count)
            yield from _rows(file, csv.reader(lines(), delimiter=separator, strict=True))
    finally:
        csv.field_size_limit(before)


def _rows(file: Path, reader: Any) -> Iterator[tuple[int, dict[str, str]] | LineError]:
    names: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield LineError(
                file, line, f"not valid CSV: {error}; the rest of the file is not read", "mend the quotes"
            )
            return
        if cells is None:
            if not names:
                yield LineError(file, 1, "holds no header", "the first line names the columns")
            return
        if not any(cell.strip() for cell in cells):
            continue
        if any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
            yield LineError(file, line, "holds bytes that are not UTF-8", "save the file as UTF-8")
            if not names:
                return
            continue
        if not names:
            names = [cell.strip() for cell in cells]
            twice = next((name for name in names if name and names.count(name) > 1), None)
            if len(names) > MAX_COLUMNS or twice:
                what = f"the column {shown(twice)} stands twice" if twice else f"more than {MAX_COLUMNS} columns"
                yield LineError(file, line, what, "correct the header")
                return
            yield line, {name: name for name in names if name}
            continue
        if len(cells) != len(names):
            what = f"{len(cells)} cells where the header names {len(names)}"
            yield LineError(file, line, what, "put texts with separators in quotes")
            continue
        yield line, {name: cell for name, cell in zip(names, cells, strict=True) if name}
