"""Holds entries against their sources: what each identifier's own source says, and what DBLP says of the
title.

An identifier alone proves nothing: a record counts only if title and authors agree with the entry, or with one of
its `versions`; and each version is held against a source of its own. Every difference is a finding. `checked` is
written where all sources of an entry answered and none differs; a source that is down is a note, and leaves
`checked` as it was.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from reference_impls.safe.writing import write_text
from scripts.checks.findings import Finding, Level
from scripts.imports.identify import implied
from scripts.imports.venues import same_venue
from scripts.model.canonical import emit, find_comments
from scripts.model.corpus import Entry
from scripts.model.identifiers import FORMS
from scripts.model.paper import PUBLICATION, Paper, Venue
from scripts.model.yaml_reader import Mark, YamlPath
from scripts.sources import Metadata, NotFoundError, SourceError, Sources
from scripts.sources.match import (
    OVERLAP,
    RENAMED_TITLE,
    SAME_TITLE,
    author_overlap,
    fold,
    missing,
    same_paper,
    same_person,
    title_score,
)
from scripts.upkeep.versions import PREPRINT, Face, faces, likest, own_records

RULES: dict[str, tuple[Level, str]] = {
    "verify-other-paper": (Level.ERROR, "An identifier that leads to another paper misleads every reader."),
    "verify-unknown": (
        Level.WARNING,
        "An identifier that its own source does not know is mistyped or withdrawn.",
    ),
    "verify-title": (Level.WARNING, "The title is what people search for."),
    "verify-authors": (Level.WARNING, "Credit is due to all authors, in their order."),
    "verify-authors-more": (Level.INFO, "An incomplete list of authors can be completed."),
    "verify-date": (Level.WARNING, "The date is that of the first public version."),
    "verify-earlier": (
        Level.INFO,
        "A record that is older than the date may show an earlier public version.",
    ),
    "verify-venue": (Level.WARNING, "A wrong venue is cited on."),
    "verify-published": (Level.WARNING, "A preprint that has been published is cited as published."),
    "verify-identifier": (Level.WARNING, "Two identifiers of one kind cannot both be right."),
    "verify-identifier-more": (Level.INFO, "Another identifier opens another way to the paper."),
    "verify-version": (Level.WARNING, "Who cites a version cites its title and its authors."),
    "verify-version-source": (Level.INFO, "A version that nothing was held against may be mistyped."),
    "verify-source": (Level.INFO, "A source that is down says nothing about the entry."),
}


@dataclass
class Verdict:
    """What holding one entry against its sources gave."""

    findings: list[Finding] = field(default_factory=list)
    against: list[str] = field(default_factory=list)  # canonical pages of the identifiers that agree
    complete: bool = True  # whether the source of every identifier answered

    @property
    def agrees(self) -> bool:
        """Whether everything was held and nothing differs."""
        return self.complete and bool(self.against) and all(f.level == Level.INFO for f in self.findings)


@dataclass
class Report:
    """The findings of a run, the entries that agree, and the second opinions that could not be had."""

    findings: list[Finding] = field(default_factory=list)
    held: int = 0
    agreed: list[str] = field(default_factory=list)  # keys
    unasked: list[str] = field(default_factory=list)  # keys of entries with a source that was down
    down: dict[str, str] = field(default_factory=dict)  # host -> why, for second opinions


def verify(
    entries: Iterable[Entry],
    root: Path,
    sources: Sources,
    *,
    write: bool = True,
    today: datetime.date | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Holds every readable entry against its sources; with `write`, puts `checked` into those that agree."""
    today = today or datetime.datetime.now(datetime.UTC).date()
    readable = [(entry, entry.paper) for entry in entries if entry.paper]
    report = Report()
    wanted = [paper.ids.arxiv for _, paper in readable if paper.ids.arxiv]
    with suppress(SourceError):  # told again, entry by entry
        sources.arxiv.prefetch([known for known in wanted if FORMS["arxiv"].pattern.match(known)])
    for entry, paper in readable:
        progress(entry.key)
        verdict = _Check(entry, paper, root, sources, report.down).run()
        report.held += 1
        report.findings += verdict.findings
        if not verdict.complete:
            report.unasked.append(entry.key)
        elif verdict.agrees:
            report.agreed.append(entry.key)
            if write:
                write_checked(entry, verdict.against, today)
    return report


def write_checked(entry: Entry, against: list[str], today: datetime.date) -> bool:
    """Puts `checked` into an entry's file, comments kept; whether the file changed.

    Sources that a person named and that were not asked here are kept, and with them the date: the oldest
    check counts.
    """
    if not entry.document or not entry.paper:
        return False
    before = entry.paper.checked
    kept = [url for url in before.against if url not in against] if before else []
    date = before.date if before and kept else today.isoformat()
    value = {**entry.document.value, "checked": {"date": date, "against": [*against, *kept]}}
    text = emit(value, find_comments(entry.text))
    if text == entry.text:
        return False
    write_text(entry.path, text)
    return True


class _Check:
    """One entry and what is found of it."""

    def __init__(self, entry: Entry, paper: Paper, root: Path, sources: Sources, down: dict[str, str]) -> None:
        self.entry, self.paper, self.root, self.sources, self.down = entry, paper, root, sources, down
        self.verdict = Verdict()
        self.told: set[tuple[str, str]] = set()
        self.faces = faces(paper)

    def run(self) -> Verdict:
        """Asks every source and compares."""
        own = list(self._own())
        records = [record for _, record in own]
        for record in records:
            self._title(record)
            self._authors(record)
            self._date(record)
        # the opinions of Semantic Scholar and OpenAlex are asked for only where they can help
        venue_known = self.paper.venue is not None or any(record.venue for record in records)
        opinions = []
        ids = implied(dict(self.paper.ids.items()))
        authors = self.paper.authors or [name for record in records for name in record.authors]
        published = [face.title for face in self.faces if face.of == PUBLICATION and face.own_title]
        for title in (self.paper.title, *published):
            more = not venue_known and title == self.paper.title
            for opinion in self.sources.opinions(title, authors, ids, all_of_them=more):
                if isinstance(opinion, SourceError):
                    self.down.setdefault(opinion.host, opinion.why)
                else:
                    opinions.append(opinion)
        for record in (*records, *opinions):
            self._identifiers(record)
        self._venue([*records, *opinions])
        self._versions(own, opinions)
        return self.verdict

    def _own(self) -> Iterator[tuple[str, Metadata]]:
        """The kinds and records of the entry's own identifiers, as far as they are of the same paper."""
        for kind, value in self.paper.ids.items():
            if not FORMS[kind].pattern.match(value):
                self.verdict.complete = False  # `atlas validate` says so
            elif record := self._asked(kind, value, ("ids", kind)):
                yield kind, record

    def _asked(self, kind: str, value: str, path: YamlPath) -> Metadata | None:
        """What an identifier's own source says, if it is of this paper; what else it says is a finding."""
        try:
            record = self.sources.fetch(kind, value)
        except NotFoundError as error:
            self._find(path, "verify-unknown", f"{error.host} does not know {value}", "look it up again")
        except SourceError as error:
            self._could_not_ask(error, value, path)
        else:
            if any(self._is_same(face, record) for face in self.faces):
                self.verdict.against.append(FORMS[kind].url(value))
                return record
            message = f"{record.source}: {kind} {value} is '{record.title}' by {_names(record.authors)}"
            self._find(path, "verify-other-paper", message, "correct the identifier")
        return None

    def _could_not_ask(self, error: SourceError, value: str, path: YamlPath) -> None:
        self.verdict.complete = False
        message = f"{error.host} could not be asked for {value}: {error.why}"
        self._find(path, "verify-source", message, "try again later")

    def _is_same(self, face: Face, record: Metadata) -> bool:
        """Title and authors agree; under one identifier a version's title may differ, but not its authors."""
        score = title_score(face.title, record.title)
        if not face.authors or not record.authors:
            return score >= SAME_TITLE
        same = same_paper(face.title, face.authors, record.title, record.authors)
        overlap = author_overlap(face.authors, record.authors)
        return same or (overlap >= OVERLAP and (score >= RENAMED_TITLE or self._noted(record.title)))

    def _noted(self, text: str) -> bool:
        """Whether the entry's notes name a differing title."""
        return bool(fold(text)) and fold(text) in fold(self.paper.notes or "")

    def _title(self, record: Metadata) -> None:
        if not likest(self.faces, record) and not self._noted(record.title):
            message = f"{record.source} has the title '{record.title}'"
            self._find(("title",), "verify-title", message, "take it over, or name the other title under `versions`")

    def _authors(self, record: Metadata) -> None:
        face = likest(self.faces, record) or self.faces[0]
        mine, theirs = face.authors, record.authors
        if not theirs:
            return
        lost, extra = missing(theirs, mine), missing(mine, theirs)
        if not mine or (lost and not face.complete):
            message = f"{record.source} names {_names(theirs if not mine else lost)}"
            self._find(("authors",), "verify-authors-more", message, "complete the list, remove authors_complete")
        elif lost:
            self._find(("authors",), "verify-authors", f"{record.source} also names {_names(lost)}", "add them")
        if extra and record.authors_complete:
            message = f"{record.source} does not name {_names(extra)}"
            self._find(("authors",), "verify-authors", message, "look at the paper itself")
        if not lost and not extra and not all(map(same_person, mine, theirs)):
            message = f"{record.source} has the order {_names(theirs)}"
            self._find(("authors",), "verify-authors", message, "write them in the paper's order")

    def _date(self, record: Metadata) -> None:
        mine, theirs = self.paper.date, record.date
        if not theirs:
            return
        if mine is None:
            if record.first:
                self._find((), "verify-date", f"no date; {record.source} says {theirs}", f"write date: {theirs}")
            return
        shared = min(len(mine), len(theirs))
        differs, earlier = mine[:shared] != theirs[:shared], mine[:shared] < theirs[:shared]
        if record.first and differs and not (earlier and self.paper.notes):
            message = f"the date is {mine}; {record.source} had the first version on {theirs}"
            self._find(("date",), "verify-date", message, f"write date: {theirs}, or say under `notes` why not")
        elif not record.first and differs and not earlier:
            message = f"the date is {mine}; {record.source} gives {theirs}"
            self._find(("date",), "verify-earlier", message, "look whether it was public earlier")

    def _identifiers(self, record: Metadata) -> None:
        mine = implied(dict(self.paper.ids.items()))
        for kind, value in record.ids.items():
            if (kind, value.lower()) in self.told or not value or kind == "s2":
                continue
            self.told.add((kind, value.lower()))
            if kind not in mine:
                message = f"{record.source} also knows it as {kind} {value}"
                self._find(("ids",), "verify-identifier-more", message, f"add `{kind}: {value}` to ids")
            elif mine[kind].lower() != value.lower() and record.source not in (
                "DBLP",
                "Semantic Scholar",
                "OpenAlex",
            ):
                message = f"{record.source} has the {kind} {value}"
                self._find(("ids", kind), "verify-identifier", message, "correct one of them")

    def _venue(self, records: list[Metadata]) -> None:
        claims = [(record, record.venue) for record in records if record.venue]
        mine = self.paper.venue
        if mine is None:
            if claims:
                told = "; ".join(
                    f"{_told(venue)} ({record.source}, {record.address})" for record, venue in claims[:3]
                )
                wanted = yaml_venue(claims[0][1])
                self._find((), "verify-published", f"published since at {told}", f"write venue: {wanted}")
            return
        agreeing = [(record, venue) for record, venue in claims if same_venue(mine.name, venue.name)]
        if claims and not agreeing:
            told = "; ".join(f"{record.source}: {_told(venue)}" for record, venue in claims[:3])
            self._find(("venue",), "verify-venue", f"the venue is {_told(mine)}; {told}", "correct it")
        for record, venue in agreeing:
            sure = record.venue_year_sure and venue.year and mine.year
            if sure and venue.year != mine.year and not any(v.year == mine.year for _, v in agreeing):
                message = f"the venue's year is {mine.year}; {record.source} says {venue.year}"
                self._find(("venue", "year"), "verify-venue", message, "correct it")
                break
        for record, venue in agreeing:
            if mine.track and venue.track and mine.track != venue.track:
                message = f"the track is {mine.track}; {record.source} says {venue.track}"
                self._find(("venue", "track"), "verify-venue", message, "correct it")
                break

    def _versions(self, own: list[tuple[str, Metadata]], opinions: list[Metadata]) -> None:
        """Holds each version against its own source, and the entry's own title against what all of them show."""
        if len(self.faces) == 1:
            return
        shown = list(own)
        if any(face.on_arxiv for face in self.faces) and any(kind == "arxiv" for kind, _ in own):
            shown += [("arxiv", record) for record in self._earlier()]
        for face in self.faces[1:]:
            path: YamlPath = ("versions", face.place or 0)
            elsewhere = [one for one in face.named() if one not in self.paper.ids.items()]
            asked = [record for one in elsewhere if (record := self._asked(*one, (*path, "source")))]
            records = list(own_records(face, shown, asked)) or [
                record for record in opinions if face.of == PUBLICATION and record.venue
            ]
            self._version(face, records, path)
            shown += [("", record) for record in asked]
        seen = [likest(self.faces, record) for _, record in shown]
        if seen and all(seen) and not any(face and face.title == self.paper.title for face in seen):
            told = "; ".join(dict.fromkeys(f"{record.source}: '{record.title}'" for _, record in shown))
            self._find(("title",), "verify-title", f"no source has this title: {told}", "take over the newest one")
        for face in self.faces[1:]:
            late = [record for kind, record in own if kind in ("acl", "doi") and record.venue]
            if face.of == PREPRINT and face.own_title:
                for record in (record for record in late if fold(record.title) == fold(face.title)):
                    message = f"{record.source}, where it is published, has the preprint's title '{record.title}'"
                    self._find(("versions", face.place or 0), "verify-version", message, "exchange the two titles")

    def _version(self, face: Face, records: list[Metadata], path: YamlPath) -> None:
        if any(face.shown(record) for record in records):
            return
        if not records:
            message = f"no source of the {face.of} could be asked"
            repair = "give its identifier, or its address under `source`"
            self._find(path, "verify-version-source", message, repair)
            return
        titled = [record for record in records if fold(record.title) == fold(face.title)]
        if titled:
            message = f"{titled[0].source} names the authors {_names(titled[0].authors)}"
            self._find((*path, "authors") if face.own_authors else path, "verify-version", message, "correct them")
        else:
            told = "; ".join(dict.fromkeys(f"{record.source}: '{record.title}'" for record in records))
            message = f"no {face.of} has the title '{face.title}': {told}"
            self._find((*path, "title") if face.own_title else path, "verify-version", message, "correct it")

    def _earlier(self) -> list[Metadata]:
        """What arXiv's earlier versions say of title and authors."""
        identifier = self.paper.ids.arxiv or ""
        try:
            return self.sources.arxiv.earlier(identifier)
        except SourceError as error:
            self._could_not_ask(error, f"the earlier versions of {identifier}", ("ids", "arxiv"))
            return []

    def _find(self, path: YamlPath, rule: str, message: str, repair: str) -> None:
        document, file = self.entry.document, self.entry.path
        place = file.relative_to(self.root) if file.is_relative_to(self.root) else file
        mark = document.mark(path) if document and path else Mark()
        finding = Finding(place.as_posix(), mark, RULES[rule][0], rule, message, repair)
        if finding not in self.verdict.findings:
            self.verdict.findings.append(finding)


def yaml_venue(venue: Venue) -> str:
    """A venue as an entry writes it."""
    parts = [f"{name}: {value}" for name, value in venue.model_dump(exclude_none=True).items()]
    return "{" + ", ".join(parts) + "}"


def _told(venue: Venue) -> str:
    return " ".join(str(part) for part in (venue.name, venue.year, venue.track) if part)


def _names(people: Iterable[str]) -> str:
    listed = list(people)
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "") or "nobody"


__all__ = ["RULES", "Report", "Verdict", "verify", "write_checked"]
