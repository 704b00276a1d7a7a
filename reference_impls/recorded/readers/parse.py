"""What the readers share: opening the files of a source, and final answers in a form that can be compared."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Files = Mapping[str, Path]
"""Where the files of a source lie, by their path in the repository."""

_NUMBER = re.compile(r"([-−])?(?=\.?[0-9])([0-9]*)(?:\.([0-9]+))?")
_LARGEST_FIELD = 16 * 1024 * 1024


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
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise SourceError(f"{file}: no JSON: {error} (fetch the file again)") from error


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
