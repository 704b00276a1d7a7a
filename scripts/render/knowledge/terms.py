"""What the words of a paper's classification mean, as a style sheet that shows it beside them: in the pages of papers
themselves, each definition would stand hundreds of times."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from scripts.model import Corpus

#: The style sheet, below the site's root. `.atlas-term` in assets/atlas.css shows what it sets.
PATH = "assets/terms.css"


def term_id(definition: str) -> str:
    """The name by which a page asks for a definition."""
    return f"{crc32(definition.encode()):x}"


def definitions(corpus: Corpus) -> Iterator[str]:
    """Every definition that a page may show beside a term."""
    words = corpus.vocabulary
    yield from (kind.definition for kind in words.kinds.values())
    for attribute in words.attributes.values():
        yield attribute.definition
        yield from (value.definition for value in attribute.values.values())
    for stage in corpus.taxonomy.stages:
        for category in stage.categories:
            yield from (family.definition for family in category.families)


def style_sheet(corpus: Corpus) -> str:
    """A rule a definition."""
    rules = {term_id(one): _string(one) for one in definitions(corpus)}
    return "".join(f'[data-term="{name}"] {{ --atlas-definition: {text}; }}\n' for name, text in rules.items())


def _string(words: str) -> str:
    """A string of CSS."""
    flat = " ".join(words.split())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'
