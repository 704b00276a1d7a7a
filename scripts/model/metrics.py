"""Figures that change by themselves (citations, stars), in one file beside the entries: papers/metrics.json.

They are no facts of an entry and never go into one. Every figure carries its date and its source. Nothing depends on
the file: `load` answers with empty tables where it is absent or spoilt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripts.model.paper import Date

FILE = Path("papers") / "metrics.json"
MAX_BYTES = 16 * 1024 * 1024
_REPOSITORY = re.compile(
    r"https?://(?:www\.)?github\.com/([A-Za-z0-9][A-Za-z0-9-]{0,38})/([A-Za-z0-9._-]{1,100}?)(?:\.git)?(?:[/?#].*)?\Z"
)


class Loose(BaseModel):
    """Read from a file that tools write: types are checked, unknown keys are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Citations(Loose):
    """How often a paper is cited, by whose count, on which day."""

    count: int = Field(ge=0, lt=10**7)
    source: str = Field(max_length=40)
    address: str = Field(max_length=200)
    date: Date


class Repository(Loose):
    """A GitHub repository on one day. `gone`: GitHub does not know it (any more)."""

    stars: int = Field(0, ge=0, lt=10**8)
    licence: str | None = Field(None, max_length=64, description="SPDX; 'other' for a text GitHub does not know")
    last_commit: Date | None = None
    archived: bool = False
    moved_to: str | None = Field(None, max_length=150)
    gone: bool = False
    date: Date


class Metrics(Loose):
    """The file: figures by key and by 'owner/name'."""

    papers: dict[str, Citations] = {}
    repositories: dict[str, Repository] = {}

    def text(self) -> str:
        """As the file holds it: one figure a line, so that a diff shows which ones changed."""

        def table(items: Mapping[str, BaseModel]) -> str:
            lines = (
                f"  {json.dumps(name)}: {json.dumps(item.model_dump(exclude_defaults=True), ensure_ascii=False)}"
                for name, item in sorted(items.items())
            )
            inner = ",\n".join(lines)
            return f"{{\n{inner}\n }}" if inner else "{}"

        return f'{{\n "papers": {table(self.papers)},\n "repositories": {table(self.repositories)}\n}}\n'


def load(path: Path) -> Metrics:
    """The figures in `path`; empty where there is no such file or it cannot be used."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return Metrics()
        return Metrics.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError, RecursionError):
        return Metrics()


def repository_name(url: str) -> str | None:
    """'owner/name' of a link to a GitHub repository, else None."""
    found = _REPOSITORY.match(url)
    return f"{found[1]}/{found[2]}" if found else None
