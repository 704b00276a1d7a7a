"""A data release: what the Atlas knew on a day, as files that stay valid when the site moves on.

`atlas release` writes one folder, named by the version and the day, with the data in each format, its JSON Schema,
the licence, how to cite it, a manifest, and the SHA-256 of every file. The same commit gives the same bytes.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import tempfile
import tomllib
from pathlib import Path

from reference_impls.safe.folders import FolderError
from reference_impls.safe.writing import settle, write_bytes, write_json, write_text
from scripts.exports import FORMATS
from scripts.exports.table import record
from scripts.model import Corpus

FILES = {
    "bibtex": "papers.bib",
    "csl-json": "papers.csl.json",
    "ris": "papers.ris",
    "csv": "papers.csv",
    "json": "papers.json",
    "markdown": "awesome-list.md",
}
SUMS = "SHA256SUMS"
COPIED = ("papers/schema.json", "taxonomy/taxonomy.yml", "taxonomy/vocabulary.yml", "CITATION.cff", "LICENSE-DATA")


def write_release(corpus: Corpus, out: Path, day: datetime.date) -> Path:
    """Writes the release of `day` below `out`, whole or not at all, and returns its folder.

    An earlier release in the folder of that name is replaced.

    Raises:
        FolderError: the folder of that name is no release, or holds more than one.
        OSError: it cannot be written; an earlier release is as it was.
    """
    version = tomllib.loads((corpus.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    folder = out / f"llm-ensemble-atlas-{version}-{day:%Y%m%d}"
    _check_replaceable(folder)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", suffix=".part", dir=out) as draft:
        made = Path(draft) / "new"
        made.mkdir()
        _fill(made, corpus, version, day)
        old = Path(draft) / "old"
        try:
            if folder.exists():
                folder.rename(old)
            made.rename(folder)
        except BaseException:  # stopped between the two
            if old.exists() and not folder.exists():
                old.rename(folder)
            raise
    settle(out)
    return folder


def _check_replaceable(folder: Path) -> None:
    """A folder may be replaced where it holds an earlier release and nothing else."""
    if not os.path.lexists(folder):
        return
    sums, listed = folder / SUMS, {SUMS}
    if sums.is_file() and not folder.is_symlink():
        lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()
        listed |= {line.partition("  ")[2] for line in lines}
    elif folder.is_symlink() or not folder.is_dir() or any(folder.iterdir()):
        raise FolderError(f"{folder}: is there and is no release (move it away, or name another folder with --out)")
    for file in folder.iterdir():
        if file.name not in listed or file.is_symlink() or not file.is_file():
            raise FolderError(f"{file}: is no file of a release, and would be lost (move it away)")


def _fill(folder: Path, corpus: Corpus, version: str, day: datetime.date) -> None:
    for form, name in FILES.items():
        write_text(folder / name, FORMATS[form](corpus, corpus.papers))
    for source in COPIED:
        write_bytes(folder / Path(source).name, (corpus.root / source).read_bytes())
    manifest = {
        "name": "LLM Ensemble Atlas",
        "version": version,
        "date": day.isoformat(),
        "licence": "CC-BY-4.0",
        "papers": len(corpus.papers),
        "verified": sum(paper.checked is not None for paper in corpus.papers.values()),
        "fields": sorted({field for key, paper in corpus.papers.items() for field in record(key, paper)}),
    }
    write_json(folder / "MANIFEST.json", manifest, indent=2)
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    write_text(folder / SUMS, "".join(sums))
