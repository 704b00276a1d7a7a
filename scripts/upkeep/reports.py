"""Reports of the upkeep jobs: Markdown for an issue and JSON for machines, safe with texts that strangers wrote.

`python -m scripts.upkeep.reports published|verify FINDINGS.json` turns the JSON of `atlas verify` into Markdown.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scripts.checks.entry import bad_link

ISSUE_LIMIT = 60_000  # GitHub takes 65,536 characters as the body of an issue
# GitHub starts a workflow command at these, wherever a job prints them at the start of a line
_COMMAND = re.compile(r"^(::|##\[)")


def plain(text: object, limit: int = 400) -> str:
    """`text` on one line, without control characters and bidirectional marks, cut at `limit`."""
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    line = _COMMAND.sub(r" \1", line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def code(text: object, limit: int = 400) -> str:
    """`text` as a code span: GitHub reads no mark-up, no @mention and no #reference inside."""
    line = plain(text, limit).strip() or "-"
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def block(text: str, limit: int = 8_000) -> str:
    """`text` as a code block, its lines kept."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    kept = "\n".join("".join(c if c.isprintable() else " " for c in line) for line in shown.splitlines())
    ticks = "`" * max(3, _longest_run(kept) + 1)
    return f"{ticks}text\n{kept}\n{ticks}"


def link(url: str) -> str:
    """An address that can be followed, or a code span where it is none to show."""
    return code(url) if bad_link(url) else f"<{url}>"


def fit(lines: Sequence[str], limit: int = ISSUE_LIMIT) -> str:
    """The lines as one text; those that an issue has no room for are counted in its last line."""
    size, kept = 0, 0
    for line in lines:
        if size + len(line) + 1 > limit - 80:
            break
        size, kept = size + len(line) + 1, kept + 1
    rest = len(lines) - kept
    more = [f"\n... and {rest} more lines, see the files of the run."] if rest else []
    return "\n".join([*lines[:kept], *more]) + "\n"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


# --- what `atlas verify --format json` found ------------------------------------------------------------------


def published(findings: Iterable[dict[str, Any]]) -> list[str]:
    """Preprints that a source calls published, one a line."""
    return [_line(finding) for finding in findings if finding.get("rule") == "verify-published"]


def differences(findings: Iterable[dict[str, Any]]) -> list[str]:
    """Everything that a pull request's entries and their sources do not agree in."""
    order = {"error": 0, "warning": 1, "info": 2}
    ranked = sorted(findings, key=lambda finding: order.get(str(finding.get("level")), 3))
    return [f"{_line(finding)} [{code(finding.get('rule', ''))}]" for finding in ranked]


def _line(finding: dict[str, Any]) -> str:
    key = Path(str(finding.get("file", ""))).stem
    return f"- {code(key)}: {code(finding.get('message', ''))}; {code(finding.get('repair', ''))}"


def main(words: list[str]) -> int:
    """The command line: prints Markdown; nothing for 'published' where there is nothing to tell."""
    if len(words) != 2 or words[0] not in ("published", "verify"):
        sys.stderr.write("use: python -m scripts.upkeep.reports published|verify FINDINGS.json\n")
        return 2
    try:
        findings = json.loads(Path(words[1]).read_text(encoding="utf-8"))
        rows = [row for row in findings if isinstance(row, dict)]
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"{words[1]}: {plain(error)}\n")
        return 2
    if words[0] == "published":
        lines = published(rows)
        head = [f"{len(lines)} entries stand here as preprints, and a source calls them published.", ""]
        sys.stdout.write(fit([*head, *lines]) if lines else "")
        return 0
    lines = differences(rows)
    told = "Nothing differs." if not lines else f"{len(lines)} remarks; they ask for a look and fail nothing."
    sys.stdout.write(fit(["### The entries of this pull request and their sources", "", told, "", *lines]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
