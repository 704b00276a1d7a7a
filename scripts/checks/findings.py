"""A finding: where, how bad, which rule, what is wrong, how to mend it. And its three written forms."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reference_impls.safe.terminal import one_line
from scripts.model.yaml_reader import Mark


class Level(StrEnum):
    """error: wrong. warning: very likely wrong. info: worth knowing, never fails a run."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One thing to mend. `file` is relative to the Atlas's root."""

    file: str
    mark: Mark
    level: Level
    rule: str
    message: str
    repair: str

    def text(self) -> str:
        """`file:line:column: level[rule-id] message (how to mend it)`, on one line."""
        place = f"{self.file}:{self.mark.line}:{self.mark.column}"
        return one_line(f"{place}: {self.level}[{self.rule}] {self.message} ({self.repair})")


def as_text(findings: Iterable[Finding]) -> str:
    """One line a finding."""
    return "\n".join(finding.text() for finding in findings)


def as_json(findings: Iterable[Finding]) -> str:
    """A list of objects with file, line, column, level, rule, message, repair; in ASCII, for any terminal."""
    rows = [
        {
            "file": f.file,
            "line": f.mark.line,
            "column": f.mark.column,
            "level": f.level,
            "rule": f.rule,
            "message": f.message,
            "repair": f.repair,
        }
        for f in findings
    ]
    return json.dumps(rows, indent=2)


def as_github(findings: Iterable[Finding]) -> str:
    """Workflow commands that GitHub shows beside the changed lines."""
    names = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "notice"}

    def escape(text: str, *, within: bool = False) -> str:
        text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        return text.replace(":", "%3A").replace(",", "%2C") if within else text

    return "\n".join(
        f"::{names[f.level]} file={escape(one_line(f.file), within=True)},line={f.mark.line},col={f.mark.column},"
        f"title={escape(f.rule, within=True)}::{escape(one_line(f'{f.message} ({f.repair})'))}"
        for f in findings
    )
