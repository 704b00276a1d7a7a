"""A small Atlas for the tests of the forms."""

from __future__ import annotations

import pytest

from scripts.model import Corpus
from tests.conftest import MakeAtlas, fields


@pytest.fixture
def atlas(make_atlas: MakeAtlas) -> Corpus:
    return make_atlas({"doe2024deferral": fields(name="Deferral", ids={"arxiv": "2406.00001"})})
