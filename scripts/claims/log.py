"""The log of verdicts (taxonomy/verdicts.json): for each claim every verdict that it has had, oldest first.

A line is added only where the verdict, or the factor that it depends on, is another one than before: with the day,
what it says, why, and digests of the test and of the results, which tell later which of the two had changed. Lines
are never taken away, also not those of a claim that is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from reference_impls.safe.writing import write_text
from scripts.claims.verdicts import Judged
from scripts.model.claims import Claim
from scripts.model.paper import Date

FILE = Path("taxonomy") / "verdicts.json"
MAX_BYTES = 4 * 1024 * 1024


class LogError(ValueError):
    """The log cannot be read; says in one line why and what to do."""


class Line(BaseModel):
    """One verdict on a claim."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    date: Date
    verdict: str = Field(max_length=100, description="with the factor that it depends on")
    sentence: str = Field(max_length=2000)
    test: str = Field(max_length=64, description="digest of the claim's test")
    results: str = Field(max_length=64, description="digest of the test and of all numbers that it looked at")


Log = dict[str, list[Line]]
_LOG = TypeAdapter(Log)


def read_log(root: Path) -> Log:
    """The log of the Atlas at `root`; empty where there is none.

    Raises:
        LogError: there is a file, but it is no log.
    """
    path = root / FILE
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LogError(f"{path}: is too large to be a log (take an earlier version from git)")
        return _LOG.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise LogError(f"{path}: is no log: {where}: {first['msg']} (take an earlier version from git)") from error
    except OSError as error:
        raise LogError(f"{path}: cannot be read: {error.strerror} (check its permissions)") from error


def line(claim: Claim, judged: Judged, date: str) -> Line:
    """A verdict as a line of the log."""
    return Line(date=date, verdict=judged.told, sentence=judged.sentence, test=digest(claim), results=judged.digest)


def digest(claim: Claim) -> str:
    """Of a claim's test."""
    return hashlib.sha256(claim.test.model_dump_json().encode()).hexdigest()[:12]


def changed(log: Log, judged: Mapping[str, Judged]) -> list[str]:
    """The claims whose verdict is not the last one of the log."""
    return [name for name, one in judged.items() if not (log.get(name) and log[name][-1].verdict == one.told)]


def updated(log: Log, claims: Mapping[str, Claim], judged: Mapping[str, Judged], date: str) -> Log:
    """The log with a line more for every verdict that changed."""
    new = {name: [line(claims[name], judged[name], date)] for name in changed(log, judged)}
    return {name: [*log.get(name, []), *new.get(name, [])] for name in dict.fromkeys([*log, *new])}


def write_log(root: Path, log: Log) -> None:
    """Writes the log, a verdict a line, so that a diff shows what changed."""
    parts = []
    for name, lines in sorted(log.items()):
        told = ",\n".join(f"  {json.dumps(one.model_dump(), ensure_ascii=False)}" for one in lines)
        parts.append(f" {json.dumps(name)}: [\n{told}\n ]")
    write_text(root / FILE, "{\n" + ",\n".join(parts) + "\n}\n")
