"""The versions of a paper that an entry tells apart, and which of them a source's record shows.

An entry has one title and one list of authors; `versions` says what another version of the same paper says instead.
Each is a face of the paper. A record of a source may show any of them, but a version counts as held only where a
source of its own shows it: arXiv for a preprint or a revision, the publisher, the ACL Anthology or OpenReview for a
publication or a workshop's paper, and in each case the address that the version names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scripts.imports.identify import Identifier, identifiers_in
from scripts.model.paper import PUBLICATION, Paper
from scripts.sources import Metadata
from scripts.sources.match import fold, missing, same_person

PREPRINT = "preprint"
#: The kinds of identifiers whose sources can show a version.
_SHOWN_BY = {
    PREPRINT: ("arxiv",),
    "revision": ("arxiv",),
    "workshop": ("openreview", "acl", "doi"),
    PUBLICATION: ("doi", "acl", "openreview"),
}


@dataclass(frozen=True)
class Face:
    """What one version of the paper says of itself.

    Attributes:
        of: which version, as in an entry's `versions`; '' for the entry's own fields.
        place: its place in `versions`; None for the entry's own fields.
        complete: whether these are all of the authors.
        own_title, own_authors: whether it has a title or authors that are not the entry's.
        address: where it was read, if the entry says so.
    """

    of: str
    place: int | None
    title: str
    authors: tuple[str, ...]
    complete: bool = True
    own_title: bool = False
    own_authors: bool = False
    address: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the entry's identifiers whose sources can show this version."""
        return _SHOWN_BY.get(self.of, ())

    @property
    def on_arxiv(self) -> bool:
        """Whether it is one of arXiv's versions, of which a plain question answers with the newest only."""
        return "arxiv" in self.kinds

    def named(self) -> list[Identifier]:
        """The identifiers in the address that the version names."""
        return list(dict.fromkeys(identifiers_in(self.address)))

    def shown(self, record: Metadata) -> bool:
        """Whether this record has exactly this title and these authors in this order."""
        return fold(self.title) == fold(record.title) and self._by(record)

    def _by(self, record: Metadata) -> bool:
        """Whether a record names these authors in this order, as far as both name all of them."""
        mine, theirs = self.authors, record.authors
        if not mine or not theirs:
            return True
        lost, extra = missing(theirs, mine), missing(mine, theirs)
        if (lost and self.complete) or (extra and record.authors_complete):
            return False
        return bool(lost or extra) or all(map(same_person, mine, theirs))


def faces(paper: Paper) -> list[Face]:
    """The entry's own face, then those of its versions that have a title or authors of their own.

    A version whose figures alone differ is not among them: no record of a source tells figures.
    """
    found = [Face("", None, paper.title, tuple(paper.authors), paper.authors_complete)]
    for place, one in enumerate(paper.versions):
        if one.title or one.authors:
            title, authors = one.title or paper.title, tuple(one.authors or paper.authors)
            complete = paper.authors_complete or bool(one.authors)
            own = bool(one.title), bool(one.authors)
            found.append(Face(one.of, place, title, authors, complete, *own, address=one.source or ""))
    return found


def likest(known: Sequence[Face], record: Metadata) -> Face | None:
    """The face that a record shows: one with its title and authors, else one with its title, else none."""
    titled = [face for face in known if fold(face.title) == fold(record.title)]
    return next((face for face in titled if face.shown(record)), titled[0] if titled else None)


def own_records(face: Face, shown: Iterable[tuple[str, Metadata]], named: Iterable[Metadata]) -> Iterator[Metadata]:
    """The records that can show this version: those of its own address, and those of the entry's identifiers."""
    yield from named
    yield from (record for kind, record in shown if kind in face.kinds and not (kind == "doi" and _preprint(record)))


def _preprint(record: Metadata) -> bool:
    """Whether a DOI is a preprint's: arXiv gives them out, too."""
    return record.ids.get("doi", "").lower().startswith("10.48550/")


__all__ = ["PREPRINT", "Face", "faces", "likest", "own_records"]
