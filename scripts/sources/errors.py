"""What can go wrong when a source is asked. A caller reports these; none of them says that an entry is
wrong."""

from __future__ import annotations


class SourceError(Exception):
    """A source gave no usable answer; `host` is the one that was asked."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host}: {why}")
        self.host, self.why = host, why


class SourceDownError(SourceError):
    """The source could not be reached, refused to answer, or answered something that is no metadata."""


class NotFoundError(SourceError):
    """The source answered, and does not know the identifier."""
