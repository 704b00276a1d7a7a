"""A data release: complete, checksummed, the same from the same data."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path

from scripts.model import Corpus
from scripts.release import FILES, write_release

DAY = datetime.date(2026, 11, 22)


def test_every_file_is_there_and_has_its_checksum(corpus: Corpus, tmp_path: Path) -> None:
    folder = write_release(corpus, tmp_path, DAY)
    assert folder.name.endswith("-20261122")
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert set(sums) == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}
    assert set(FILES.values()) | {"schema.json", "CITATION.cff", "LICENSE-DATA", "MANIFEST.json"} <= set(sums)
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    assert manifest["papers"] == len(corpus.papers) == len(json.loads((folder / "papers.json").read_text()))


def test_the_same_data_give_the_same_bytes(corpus: Corpus, tmp_path: Path) -> None:
    first = write_release(corpus, tmp_path / "a", DAY)
    second = write_release(corpus, tmp_path / "b", DAY)
    assert (first / "SHA256SUMS").read_bytes() == (second / "SHA256SUMS").read_bytes()


def test_an_older_release_of_the_day_is_replaced(corpus: Corpus, tmp_path: Path) -> None:
    folder = write_release(corpus, tmp_path, DAY)
    (folder / "stray.txt").write_text("left over")
    assert not (write_release(corpus, tmp_path, DAY) / "stray.txt").exists()
