"""A data release: complete, checksummed, the same from the same data."""

from __future__ import annotations

import datetime
import hashlib
import json
import resource
from pathlib import Path

import pytest

from reference_impls.safe.folders import FolderError
from scripts.exports.release import FILES, write_release
from scripts.model import Corpus

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
    (folder / "papers.csv").write_text("<of an older release>")
    assert "<of an older release>" not in (write_release(corpus, tmp_path, DAY) / "papers.csv").read_text()
    assert list(tmp_path.iterdir()) == [folder]


def test_what_is_no_file_of_a_release_is_never_removed(corpus: Corpus, tmp_path: Path) -> None:
    folder = write_release(corpus, tmp_path, DAY)
    before = (folder / "SHA256SUMS").read_bytes()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(FolderError, match=r"mine\.txt: is no file of a release"):
        write_release(corpus, tmp_path, DAY)
    assert (folder / "mine.txt").read_text() == "mine"
    assert (folder / "SHA256SUMS").read_bytes() == before
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(FolderError, match="is no release"):
        write_release(corpus, tmp_path, DAY)
    other = tmp_path / "other"
    other.mkdir()
    (other / folder.name).symlink_to(folder)
    with pytest.raises(FolderError, match="is no release"):
        write_release(corpus, other, DAY)
    assert (other / folder.name).is_symlink()
    assert list(other.iterdir()) == [other / folder.name]


def test_a_release_that_fails_leaves_the_older_one(corpus: Corpus, tmp_path: Path) -> None:
    """No file of this process may have more than 100 kB: the first that has cannot be written."""
    folder = write_release(corpus, tmp_path, DAY)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        for out in (tmp_path, tmp_path / "new"):
            with pytest.raises(OSError, match="File too large"):
                write_release(corpus, out, DAY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(tmp_path.iterdir()) == [folder, tmp_path / "new"]
    assert list((tmp_path / "new").iterdir()) == []
