"""Where the sources are and how they are asked. Every base address can be replaced by an environment
variable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

BASES: dict[str, str] = {
    "arxiv": "https://export.arxiv.org",
    "crossref": "https://api.crossref.org",
    "datacite": "https://api.datacite.org",
    "acl": "https://aclanthology.org",
    "openreview": "https://api2.openreview.net",
    "openreview_v1": "https://api.openreview.net",
    "dblp": "https://dblp.org",
    "semanticscholar": "https://api.semanticscholar.org",
    "openalex": "https://api.openalex.org",
}
# Seconds between two requests to one source. arXiv asks for 3, Semantic Scholar for 1 without a key; the
# others publish limits far above these.
INTERVALS: dict[str, float] = {"arxiv": 3.0, "semanticscholar": 1.1, "dblp": 1.0, "openreview": 0.5}


@dataclass(frozen=True)
class Limits:
    """How long, how large and how often. Seconds and bytes."""

    connect: float = 10.0
    silence: float = 20.0  # between two pieces of an answer
    total: float = 60.0  # for one answer, redirects not counted
    body: int = 8 * 1024 * 1024
    tries: int = 4
    first_wait: float = 2.0  # doubled at each further try
    longest_wait: float = 60.0  # a source that asks for more is left alone for this run
    redirects: int = 5
    interval: float = 0.3  # between requests to a host without an interval of its own
    cache_age: float = 86400.0


@dataclass(frozen=True)
class Settings:
    """Base addresses, cache, contact and limits."""

    bases: Mapping[str, str] = field(default_factory=lambda: dict(BASES))
    intervals: Mapping[str, float] = field(default_factory=lambda: dict(INTERVALS))
    cache: Path | None = None  # no folder, no cache
    contact: str | None = None  # an e-mail address; Crossref and OpenAlex then answer from their polite pools
    semanticscholar_key: str | None = None
    limits: Limits = Limits()

    def base(self, name: str) -> str:
        """The base address of a source, without a slash at its end."""
        return self.bases[name].rstrip("/")

    @classmethod
    def from_environment(cls, cache: Path | None = None) -> Settings:
        """ATLAS_<SOURCE>_URL for a base address, ATLAS_CACHE, ATLAS_CONTACT, ATLAS_SEMANTICSCHOLAR_KEY, and
        the limits as ATLAS_HTTP_<LIMIT>. ValueError where a limit is no number."""
        env = os.environ
        numbers: dict[str, Any] = {
            limit.name: (int if limit.type == "int" else float)(env[f"ATLAS_HTTP_{limit.name.upper()}"])
            for limit in fields(Limits)
            if f"ATLAS_HTTP_{limit.name.upper()}" in env
        }
        intervals = dict.fromkeys(INTERVALS, numbers["interval"]) if "interval" in numbers else INTERVALS
        return cls(
            bases={name: env.get(f"ATLAS_{name.upper()}_URL") or url for name, url in BASES.items()},
            intervals=dict(intervals),
            cache=Path(env["ATLAS_CACHE"]) if env.get("ATLAS_CACHE") else cache,
            contact=env.get("ATLAS_CONTACT") or None,
            semanticscholar_key=env.get("ATLAS_SEMANTICSCHOLAR_KEY") or None,
            limits=Limits(**numbers),
        )
