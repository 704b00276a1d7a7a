"""Small files in the shapes of other tools, and what is left of a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reference_impls.importing import FORMATS, Choices, Gathered, gather
from reference_impls.recorded.form import RecordedResponse


def lines(file: Path, *objects: Any) -> Path:
    """A file of JSON lines; a text is a line as it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in objects), "utf-8")
    return file


def read(name: str, *files: Path, choices: Choices | None = None) -> Gathered:
    return gather(FORMATS[name](files, choices or Choices()), "made")


def responses(found: Gathered) -> Sequence[RecordedResponse]:
    assert found.recording is not None
    return found.recording.responses
