"""The text of a form, and the event that it comes in: what was asked, and what was answered."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from scripts.model.names import GroupName
from scripts.upkeep.reports import code, plain

MAX_EVENT = 1024 * 1024
MAX_BODY = 65_536  # characters; GitHub takes no longer issue
NO_ANSWER = "_No response_"
NO_CATEGORY = "I do not know"


@dataclass(frozen=True)
class Field:
    """A field of a form: the label that GitHub puts above the answer, and what an answer may be."""

    label: str
    limit: int  # characters
    required: bool = False
    lines: bool = False  # whether the answer may have several lines


# the labels of .github/ISSUE_TEMPLATE/*.yml; a test holds both against each other
FORMS: dict[str, dict[str, Field]] = {
    "add-paper": {
        "identifier": Field("Identifier", 500, required=True),
        "title": Field("Title", 500, required=True),
        "authors": Field("Authors", 20_000, required=True, lines=True),
        "date": Field("First public version", 10),
        "category": Field("Primary category", 64, required=True),
        "code": Field("Code by the authors", 1_000),
        "summary": Field("Summary", 4_000, lines=True),
    },
    "correct-entry": {
        "key": Field("Entry", 300, required=True),
        "correction": Field("What is wrong, and what is right", 8_000, required=True, lines=True),
        "source": Field("Source", 1_000, required=True, lines=True),
    },
}


class FormError(Exception):
    """The form cannot be taken. `faults` are for its author, each with its repair, as Markdown."""

    def __init__(self, *faults: str, duplicate: str | None = None) -> None:
        super().__init__("; ".join(faults))
        self.faults, self.duplicate = faults, duplicate


class WrongUseError(Exception):
    """What was given is no event, no form, or no handed-over result."""


def parse_form(body: str, kind: str) -> dict[str, str]:
    """The answers by field; '' for an empty one. FormError for text that is no filled-in form of this kind.

    A heading counts where it is the label of a field, so that an answer may hold other headings.
    """
    fields = FORMS[kind]
    if len(body) > MAX_BODY:
        raise FormError(f"The text has more than {MAX_BODY:,} characters: keep the facts, drop the rest.")
    by_label = {f"### {field.label}": name for name, field in fields.items()}
    answers: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        name = by_label.get(line.rstrip())
        if name is None:
            if current is not None:
                current.append(line)
            continue
        if name in answers:
            raise FormError(f"The heading {code(line)} stands twice: keep one of them.")
        current = answers[name] = []
    if not answers:
        raise FormError("This is not the text of the form: please open a new issue and fill in its fields.")
    faults, found = [], {}
    for name, field_ in fields.items():
        text = "\n".join(answers.get(name, [])).strip()
        text = "" if text == NO_ANSWER else text
        faults += _faults(field_, text)
        found[name] = text if field_.lines else " ".join(text.split())
    if faults:
        raise FormError(*faults)
    return found


def _faults(field_: Field, text: str) -> list[str]:
    label = code(field_.label)
    if not text:
        return [f"{label} is empty: please fill it in."] if field_.required else []
    if len(text) > field_.limit:
        return [f"{label} has {len(text):,} characters; at most {field_.limit:,} are taken."]
    if bad := next((c for c in text if c not in "\n\t" and unicodedata.category(c) in _CONTROL), None):
        return [f"{label} holds the invisible character U+{ord(bad):04X}: please remove it."]
    if "\n" in text and not field_.lines:
        return [f"{label} has several lines: please give one answer on one line."]
    return []


_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn"}


_GROUP = re.compile(r"\{(?:group:)?[\s'\"]*([^{}]*?)[\s'\"]*\}\Z")


def people(text: str) -> list[str]:
    """Authors, one a line; marks of lists are dropped. One line of full names with commas is taken apart. Braces say,
    as in BibTeX and as `{group: ...}` in an entry, that a name is a group's, whatever it holds."""
    lines = [re.sub(r"^(?:[-*+•]|\d{1,3}[.)])\s+", "", " ".join(line.split())) for line in text.split("\n")]
    names = [line.rstrip(",;").strip() for line in lines if line.strip()]
    if len(names) == 1 and not _GROUP.match(names[0]):
        parts = [part.strip() for part in re.split(r"[,;]|\s+and\s+", names[0]) if part.strip()]
        # 'Doe, Jane' is one person; 'Jane Doe, Richard Roe' are two
        if len(parts) > 1 and all(" " in part for part in parts):
            names = parts
    return [GroupName(found[1]) if (found := _GROUP.match(name)) else name for name in names]


@dataclass(frozen=True)
class Issue:
    """What an event says of its issue."""

    kind: str
    number: int
    body: str


def read_event(path: Path) -> Issue:
    """The issue of a GitHub event. WrongUseError where the file is no such event."""
    try:
        if path.stat().st_size > MAX_EVENT:
            raise WrongUseError(f"{path} is larger than {MAX_EVENT:,} bytes")
        event = json.loads(path.read_text(encoding="utf-8"))
        issue = event["issue"]
        labels = {str(label["name"]) for label in issue["labels"]}
        number, body = issue["number"], issue["body"] or ""
        kinds = [kind for kind in FORMS if kind in labels]
        if type(number) is not int or not 0 < number < 10**9 or not isinstance(body, str):
            raise TypeError("number or body")  # noqa: TRY301  one message for all of these
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WrongUseError(f"{path} is no event of an issue ({plain(error, 100)})") from error
    if len(kinds) != 1:
        raise WrongUseError(f"the issue needs exactly one of the labels {' and '.join(FORMS)}")
    return Issue(kinds[0], number, body)
