"""What is known of every link from one run to the next: a JSON file, written as the run goes on.

A link is dead after failing in three runs that lie a day or more apart. A run that was stopped is taken up
where it ended.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from reference_impls.safe.writing import write_json

VERSION = 1
FAILURES = 3  # runs after which a link that keeps failing is dead
APART = datetime.timedelta(days=1)
TAKEN_UP = datetime.timedelta(hours=20)  # an unfinished run that is older is not taken up again


class Outcome(StrEnum):
    """ok: there. blocked: something is there that does not talk to a program. failed: not there, this time."""

    OK = "ok"
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(frozen=True)
class Answer:
    """What asking for one link gave."""

    outcome: Outcome
    status: int | None = None
    why: str = ""
    moved_to: str | None = None  # where redirects end, if elsewhere
    permanent: bool = False  # whether every redirect on the way was meant to stay
    reached: bool = True  # whether any server answered at all


@dataclass
class Link:
    """One link: its last answer, and the times of the failures that count."""

    asked: str
    outcome: Outcome
    status: int | None = None
    why: str = ""
    moved_to: str | None = None
    permanent: bool = False
    failures: list[str] = field(default_factory=list)

    @property
    def dead(self) -> bool:
        """Whether it failed often enough, for long enough."""
        return self.outcome is Outcome.FAILED and len(self.failures) >= FAILURES


class StateError(Exception):
    """The file is no state of a link check; the message says what to do."""


class State:
    """The links by their addresses, and the run that is under way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.links: dict[str, Link] = {}
        self.started: str | None = None  # of the run under way, or of the last one
        self.finished = True

    @classmethod
    def load(cls, path: Path) -> State:
        """The state in `path`, an empty one where there is no file. StateError for any other content."""
        state = cls(path)
        if not path.exists():
            return state
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            if value["version"] != VERSION:
                raise ValueError(f"version {value['version']!r}")  # noqa: TRY301  one message for all of these
            state.started = str(moment(value["run"]["started"]).isoformat()) if value["run"]["started"] else None
            state.finished = bool(value["run"]["finished"])
            state.links = {str(url): _link(known) for url, known in value["links"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StateError(f"{path} is no cache of the link check ({error}): remove it to begin again") from error
        return state

    def begin(self, now: datetime.datetime) -> bool:
        """Takes up the run that was stopped, or begins one; whether it is taken up."""
        if self.started and not self.finished and now - moment(self.started) < TAKEN_UP:
            return True
        self.started, self.finished = now.isoformat(), False
        return False

    def answered(self, url: str) -> bool:
        """Whether the run under way has this link's answer already."""
        known = self.links.get(url)
        return bool(known and self.started and moment(known.asked) >= moment(self.started))

    def record(self, url: str, answer: Answer, now: datetime.datetime) -> None:
        """Notes an answer. A failure counts if the last one that counts is a day old or more."""
        before = self.links.get(url)
        failures = list(before.failures) if before else []
        if answer.outcome is Outcome.OK:
            failures = []
        elif answer.outcome is Outcome.FAILED and (not failures or now - moment(failures[-1]) >= APART):
            failures.append(now.isoformat(timespec="seconds"))
        self.links[url] = Link(
            now.isoformat(),
            answer.outcome,
            answer.status,
            answer.why,
            answer.moved_to,
            answer.permanent,
            failures[-FAILURES * 4 :],
        )

    def forget(self, kept: set[str]) -> None:
        """Drops links that no entry holds any more."""
        self.links = {url: link for url, link in self.links.items() if url in kept}

    def save(self) -> None:
        """Writes the file in one step."""
        run = {"started": self.started, "finished": self.finished}
        known = {url: asdict(link) for url, link in sorted(self.links.items())}
        write_json(self.path, {"version": VERSION, "run": run, "links": known})


def moment(text: str) -> datetime.datetime:
    """A point in time with its zone. ValueError for anything else."""
    read = datetime.datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"'{text}' has no time zone")
    return read


def _link(known: dict[str, Any]) -> Link:
    link = Link(**known)
    link.outcome = Outcome(link.outcome)
    for time in (link.asked, *link.failures):
        moment(time)
    return link
