"""A data release: what the Atlas knew on a day, as files that stay valid when the site moves on.

`atlas release` writes one folder, named by the version and the day, with the data in each format, its JSON Schema,
the licence, how to cite it, a manifest, and the SHA-256 of every file. The same commit gives the same bytes.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import tomllib
from pathlib import Path

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
COPIED = ("papers/schema.json", "taxonomy/taxonomy.yml", "taxonomy/vocabulary.yml", "CITATION.cff", "LICENSE-DATA")


def write_release(corpus: Corpus, out: Path, day: datetime.date) -> Path:
    """Writes the release of `day` below `out` and returns its folder. An existing folder of that name is replaced."""
    version = tomllib.loads((corpus.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    folder = out / f"llm-ensemble-atlas-{version}-{day:%Y%m%d}"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for form, name in FILES.items():
        (folder / name).write_text(FORMATS[form](corpus, corpus.papers), encoding="utf-8")
    for source in COPIED:
        (folder / Path(source).name).write_bytes((corpus.root / source).read_bytes())
    manifest = {
        "name": "LLM Ensemble Atlas",
        "version": version,
        "date": day.isoformat(),
        "licence": "CC-BY-4.0",
        "papers": len(corpus.papers),
        "verified": sum(paper.checked is not None for paper in corpus.papers.values()),
        "fields": sorted({field for key, paper in corpus.papers.items() for field in record(key, paper)}),
    }
    (folder / "MANIFEST.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    return folder
