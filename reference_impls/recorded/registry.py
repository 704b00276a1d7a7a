"""The registry of public sources: where their files are, at which commit, with which checksum and licence.

`sources.yml` beside this module holds it. The project carries none of the files; `fetch` gets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import yaml

from reference_impls.core.suggest import nearest

REGISTRY = Path(__file__).with_name("sources.yml")
SCHEMAS = Path(__file__).with_name("schemas")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source.

    Attributes:
        path: in the repository.
        bytes: its size.
        sha256: of its content, in hexadecimal digits.
    """

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """A repository at one commit with the files that readers need.

    Attributes:
        name: short name.
        repository: ``owner/name`` on GitHub.
        commit: 40 hexadecimal digits.
        licence: SPDX identifier, as in the repository at that commit.
        citation: how to cite it.
        paper: key of its paper in papers/, where the list has one.
        holds: what the files are, in one sentence.
        recordings: for each recording that can be read from it the folder of its files in the repository; an empty
            text stands for all files.
        files: all its files.
    """

    name: str
    repository: str
    commit: str
    licence: str
    citation: str
    paper: str | None
    holds: str
    recordings: dict[str, str]
    files: tuple[SourceFile, ...]

    @property
    def folder(self) -> PurePosixPath:
        """``owner/name/commit``: where its files stand on the public host, in a mirror and in the cache."""
        return PurePosixPath(self.repository) / self.commit

    def files_of(self, recording: str) -> tuple[SourceFile, ...]:
        """The files that one recording is read from."""
        return tuple(file for file in self.files if file.path.startswith(self.recordings[recording]))


@cache
def sources() -> dict[str, Source]:
    """All sources by name."""
    raw = yaml.load(REGISTRY.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {
        name: Source(
            name=name, repository=entry["repository"], commit=entry["commit"], licence=entry["licence"],
            citation=entry["citation"], paper=entry.get("paper"), holds=entry["holds"],
            recordings=dict(entry["recordings"]), files=tuple(SourceFile(**file) for file in entry["files"]),
        )
        for name, entry in raw.items()
    }  # fmt: skip


def source(name: str) -> Source:
    """The source of this name, or the one that gives the recording of this name.

    Raises:
        ValueError: there is none; names the nearest.
    """
    known = sources()
    for entry in known.values():
        if name == entry.name or name in entry.recordings:
            return entry
    names = {*known, *(recording for entry in known.values() for recording in entry.recordings)}
    raise ValueError(f"there is no recorded source or recording '{name[:80]}'{nearest(name[:80], names)}")


def schemas() -> list[Path]:
    """The JSON Schemas of a recording's files."""
    return sorted(SCHEMAS.glob("*.schema.json"))


def recordings() -> dict[str, Source]:
    """The source of every recording, by the recording's name."""
    return {recording: entry for entry in sources().values() for recording in entry.recordings}
