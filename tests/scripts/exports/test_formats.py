"""What holds for every format."""

from __future__ import annotations

import pytest

from scripts.exports import FORMATS
from scripts.model import Corpus
from scripts.model.paper import Paper
from tests.conftest import fields


@pytest.mark.parametrize("form", FORMATS)
def test_no_export_holds_a_control_character(corpus: Corpus, form: str) -> None:
    """An entry can hold any character by an escape of YAML; a terminal would obey some of them."""
    controls = "".join(map(chr, [*range(9), *range(11, 32), *range(127, 160)]))
    hostile = f"A\x1b[31m\x9b2J{controls}B"
    paper = Paper.model_validate(
        fields(
            title=hostile,
            name=hostile,
            authors=[hostile, {"group": hostile}],
            venue={"name": hostile, "year": 2025},
            ids={"doi": hostile},
            links={"code": [hostile], "page": hostile},
            summary=hostile,
            notes=hostile,
        )
    )
    text = FORMATS[form](corpus, {"doe2024x": paper})
    assert "A\ufffd" in text or "A\\u001b" in text  # it is there, and harmless
    assert not [char for char in text if (char < " " and char not in "\n\t") or "\x7f" <= char <= "\x9f"]
