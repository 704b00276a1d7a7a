"""Answers on disk: one file an address, a line of JSON above the body."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from reference_impls.safe.writing import write_bytes


@dataclass(frozen=True)
class Answer:
    """What a server said: the address it came from in the end, the status, the content type, the body."""

    url: str
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Cache:
    """A folder of answers that are read again until they are `max_age` seconds old."""

    folder: Path
    max_age: float

    def read(self, url: str) -> Answer | None:
        """The answer kept for `url`; None where there is none, where it is too old, or where its file is
        spoilt."""
        try:
            head, _, body = self._path(url).read_bytes().partition(b"\n")
            facts = json.loads(head)
            fresh = 0 <= time.time() - facts["at"] < self.max_age
            if not fresh or facts["asked"] != url or len(body) != facts["length"]:
                return None
            return Answer(str(facts["url"]), int(facts["status"]), str(facts["type"]), body)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, url: str, answer: Answer) -> None:
        """Keeps an answer. A cache that cannot be written is no reason to stop."""
        facts = {
            "asked": url,
            "url": answer.url,
            "status": answer.status,
            "type": answer.content_type,
            "length": len(answer.body),
            "at": time.time(),
        }
        path = self._path(url)
        try:
            write_bytes(path, json.dumps(facts).encode() + b"\n" + answer.body, durable=False)
        except OSError:
            return

    def _path(self, url: str) -> Path:
        name = hashlib.sha256(url.encode()).hexdigest()
        return self.folder / name[:2] / name
