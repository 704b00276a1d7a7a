"""The page that helps to write an entry without git: its fields, and what its checks are told."""

from __future__ import annotations

import json
from typing import Any

from scripts.checks.entry import SUMMARY_CHARACTERS
from scripts.model import Corpus
from scripts.model.paper import Paper

View = dict[str, Any]


def menus(corpus: Corpus) -> dict[str, list[View]]:
    """Field -> its values in their order, each with its name and what it means."""
    words = corpus.vocabulary
    found = {
        name: [_choice(one, value.name, value.definition) for one, value in attribute.values.items()]
        for name, attribute in words.attributes.items()
    }
    found["kind"] = [_choice(one, value.name, value.definition) for one, value in words.kinds.items()]
    found["track"] = [_choice(one, value.name, value.definition) for one, value in words.tracks.items()]
    found["categories"] = [
        _choice(full_id, f"{stage.name}: {category.name}", category.definition)
        for full_id, stage, category in corpus.taxonomy
    ]
    return found


def rules(corpus: Corpus) -> View:
    """What the page's checks need: the schema, the limits, the families of each category, and the papers that are
    here.
    """
    return {
        "schema": json.loads((corpus.root / "papers" / "schema.json").read_text(encoding="utf-8")),
        "limits": {"characters": list(SUMMARY_CHARACTERS)},
        "families": {
            full_id: [{"id": family.id, "name": family.name} for family in category.families]
            for full_id, _, category in corpus.taxonomy
        },
        "known": [[key, paper.title, _marks(paper)] for key, paper in corpus.papers.items()],
    }


def _choice(one: str, name: str, meaning: str) -> View:
    return {"id": one, "name": name, "meaning": meaning}


def _marks(paper: Paper) -> list[str]:
    """Its identifiers, each as the page writes them too."""
    return [f"{kind}:{value.lower()}" for kind, value in paper.ids.model_dump(exclude_none=True).items()]
