"""Turns an Atlas into a folder of Markdown pages and data files that any Markdown site engine can build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scripts.render.building import unchanged

DEFAULT = Path("build") / "docs"


@dataclass
class Report:
    """What a run wrote."""

    out: Path
    files: int = 0
    written: int = 0
    removed: int = 0


def render_atlas(root: Path, out: Path) -> Report:
    """Reads the Atlas at `root` and renders it into the folder `out`, if it is not there already (`unchanged`).

    Raises:
        CorpusError: the taxonomy or the vocabulary is unusable.
        FolderError: as of `site.render_site`.
        ResultError: a file of results is none.
    """
    inputs = unchanged.of_inputs(root)
    if (files := unchanged.files_there(out, inputs and inputs.every)) is not None:
        return Report(out, files)
    from scripts.model import Corpus  # noqa: PLC0415  to see that nothing has changed takes less time than to import it
    from scripts.render.site import render_site  # noqa: PLC0415

    report = render_site(Corpus.load(root), out, inputs)
    unchanged.note(out, inputs and inputs.every)
    return report
