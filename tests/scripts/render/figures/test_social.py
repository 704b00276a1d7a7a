"""The pictures beside links: one a category, and each shows the words that the taxonomy has now."""

from __future__ import annotations

from scripts.model import Corpus
from scripts.render.figures.social import FOLDER, words, words_of
from scripts.render.settings import load_settings
from tests.conftest import ROOT


def test_every_category_has_its_picture_with_its_words(corpus: Corpus) -> None:
    settings = load_settings(ROOT)
    wanted = words(corpus, settings.name, settings.description)
    there = {path.stem: words_of(path.read_bytes()) for path in (ROOT / FOLDER).iterdir()}
    assert there == wanted, "draw them again: python -m scripts.render.figures.social"
