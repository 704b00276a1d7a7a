"""What the readers share: opening the files of a source, and final answers in a form that can be compared."""

from __future__ import annotations

import csv
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Files = Mapping[str, Path]
"""Where the files of a source lie, by their path in the repository."""

_NUMBER = re.compile(r"([-−])?(?=\.?[0-9])([0-9]*)(?:\.([0-9]+))?")
_LARGEST_FIELD = 16 * 1024 * 1024
LARGEST_MEMBER = 64 * 1024 * 1024
"""Bytes of what a zip file holds, unpacked."""
LARGEST_RATIO = 50
"""Unpacked bytes for a packed one: text has 4 to 6, a bomb a thousand."""


class SourceError(ValueError):
    """A file of a source has not the shape that its reader knows; says which file."""


def named(files: Files, ending: str) -> Path:
    """The one file whose path ends so.

    Raises:
        SourceError: there is none, or more than one.
    """
    found = [file for path, file in files.items() if path.endswith(ending)]
    if len(found) != 1:
        raise SourceError(f"{len(found)} files end in {ending}; one is needed (atlas data fetch gets it)")
    return found[0]


def csv_rows(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by column name.

    Raises:
        SourceError: a row has not as many fields as the header.
    """
    csv.field_size_limit(_LARGEST_FIELD)
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        for row in reader:
            if None in row or None in row.values():
                raise SourceError(
                    f"{file}:{reader.line_num}: not as many fields as the header (fetch the file again)"
                )
            yield row


def json_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file with one JSON object a line.

    Raises:
        SourceError: a line that is no JSON object.
    """
    with file.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            try:
                value = json.loads(line)
            except ValueError as error:
                raise SourceError(f"{file}:{number}: no JSON: {error} (fetch the file again)") from error
            if not isinstance(value, dict):
                raise SourceError(f"{file}:{number}: no JSON object (fetch the file again)")
            yield value


def json_file(file: Path) -> Any:
    """A whole JSON file.

    Raises:
        SourceError: the file is no JSON.
    """
    return _json(file.read_bytes(), file)


def zipped_json(file: Path) -> Any:
    """The JSON of a zip file's only member, unpacked in memory and never written anywhere.

    Raises:
        SourceError: no zip file, not one member, a member that is encrypted or too large or packed too tightly, or
            no JSON.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            member = _only_member(archive, file)
            with archive.open(member) as stream:  # gives no more bytes than the member says that it has
                raw = stream.read(LARGEST_MEMBER)
    except SourceError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, OSError, ValueError) as error:
        # An encrypted member is a RuntimeError, an offset before the beginning a ValueError.
        raise SourceError(f"{file}: cannot be unpacked: {error} {_AGAIN}") from error
    return _json(raw, file)


def _only_member(archive: zipfile.ZipFile, file: Path) -> zipfile.ZipInfo:
    members = archive.infolist()
    what = ""
    if len(members) != 1 or members[0].is_dir():
        what = f"holds {len(members)} members where one file is known"
    elif members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        what = "is packed in a way that is not known"
    elif members[0].file_size > LARGEST_MEMBER:
        what = f"unpacks to more than {LARGEST_MEMBER} bytes"
    elif members[0].file_size > LARGEST_RATIO * max(members[0].compress_size, 1):
        what = f"unpacks to more than {LARGEST_RATIO} times its size"
    if what:
        raise SourceError(f"{file}: {what} {_AGAIN}")
    return members[0]


_AGAIN = "(fetch the file again)"


def _json(raw: bytes, file: Path) -> Any:
    """JSON in which no key of an object stands twice and every number is one."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise SourceError(f"{file}: a key stands twice in one object {_AGAIN}")
        return made

    def never(constant: str) -> float:
        raise SourceError(f"{file}: {constant} where a number is wanted {_AGAIN}")

    try:
        return json.loads(raw, object_pairs_hook=once, parse_constant=never)
    except SourceError:
        raise
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SourceError(f"{file}: no JSON: {what} {_AGAIN}") from error


def amount(value: Any, what: str, file: Path) -> float:
    """A number of a JSON file that is finite and not negative.

    Raises:
        SourceError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise SourceError(f"{file}: {what} is no number from 0 on {_AGAIN}")
    return float(value)


def first_number(text: str) -> str | None:
    """The first number in a text in canonical form: no separators of thousands, no needless zeros, no exponent.

    >>> first_number("$1,234.50 a day"), first_number("18.00"), first_number("none")
    ('1234.5', '18', None)
    """
    found = _NUMBER.search(re.sub(r"(?<=\d),(?=\d)", "", text))
    if not found:
        return None
    sign, whole, fraction = found.groups(default="")
    number = (whole.lstrip("0") or "0") + ("." + fraction.rstrip("0")).rstrip(".")
    return number if number == "0" or not sign else f"-{number}"


def marked_number(text: str, mark: str) -> str | None:
    """The number after the last mark, for instance ``####`` at the end of a GSM8K solution; None without one.

    >>> marked_number("6 * 3 = 18 #### 18", "####")
    '18'
    """
    _, found, rest = text.rpartition(mark)
    return first_number(rest) if found else None
