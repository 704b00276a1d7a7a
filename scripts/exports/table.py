"""Everything known of each paper, as JSON for programs and as CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from scripts.model import Corpus, Paper

COLUMNS = [
    "key", "title", "name", "authors", "date", "venue", "venue_year", "track", "arxiv", "doi", "acl", "openreview",
    "url", "code", "kind", "stage", "category", "categories", "family", "supervision", "strategy", "access",
    "vocabulary", "models", "goals", "tasks", "themes", "benchmarks", "base_models", "summary", "notes", "verified",
]  # fmt: skip
OWN = [column for column in COLUMNS if column == "url" or column in Paper.model_fields]  # the rest lies deeper
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # some spreadsheets take the wide signs, too
# letters and signs by their category that show nothing: fillers of Hangul, and the blank of Braille
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def record(key: str, paper: Paper) -> dict[str, Any]:
    """The entry's own fields without the unknown ones, with the key, the canonical address and `verified`."""
    fields = paper.model_dump(exclude_defaults=True)
    return {"key": key, "url": paper.url, "verified": paper.checked is not None, **fields}


def export_json(_: Corpus, papers: Mapping[str, Paper]) -> str:
    """A JSON array of records."""
    lines = ",\n".join(json.dumps(record(key, paper), ensure_ascii=False) for key, paper in papers.items())
    return f"[\n{lines}\n]\n"


def export_csv(_: Corpus, papers: Mapping[str, Paper]) -> str:
    """One row a paper; lists are joined by '; '."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for key, paper in papers.items():
        row = _row(key, paper)
        writer.writerow([_cell(row[column]) for column in COLUMNS])
    return out.getvalue()


def _row(key: str, paper: Paper) -> dict[str, Any]:
    venue = paper.venue
    return {
        **dict.fromkeys(COLUMNS),
        **{column: getattr(paper, column) for column in OWN},
        **paper.attributes.model_dump(),
        **dict(paper.ids.items()),
        "key": key,
        "venue": venue.name if venue else None,
        "venue_year": venue.year if venue else None,
        "track": venue.track if venue else None,
        "code": paper.links.code,
        "stage": paper.categories[0].split("/")[0],
        "category": paper.categories[0],
        "verified": "yes" if paper.checked else "no",
    }


def _cell(value: object) -> str:
    """A cell as text on one line. One that a spreadsheet would run as a formula gets an apostrophe in front."""
    text = "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    flat = " ".join(text.split())
    return f"'{flat}" if _first_seen(flat).startswith(FORMULA) else flat


def _first_seen(text: str) -> str:
    """The first character that shows; spreadsheets drop controls, zero-width signs and lone accents before it."""
    if text[:1].isalnum() and text[0] not in _UNSEEN:
        return text[0]
    return next((char for char in text if char not in _UNSEEN and unicodedata.category(char)[0] not in "CMZ"), "")
