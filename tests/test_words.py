"""Plain English wherever readers look: pages, the words of the data, docstrings that become pages, messages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from scripts.model import Corpus
from tests.conftest import ROOT

HARD: dict[str, str] = yaml.safe_load((ROOT / "tests/data/plain_words.yml").read_text(encoding="utf-8"))
WORD = re.compile(r"(?<![\w.-])(?:" + "|".join(re.escape(word) for word in HARD) + r")(?![\w-])", re.IGNORECASE)
PAGES = ("site_src/templates", "site_src/pages", "site_src/overrides", "site_src/assets")
#: Results stand on the bytes of all other files of the package: whoever computes them again mends their words, too.
FREE = re.compile(r"scripts/|reference_impls/(?:advising|cli|importing|recording|serving|api\.py)")


def texts() -> Iterator[tuple[str, str]]:
    """Where a text stands, and the text."""
    for folder in PAGES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".j2", ".html", ".js", ".svg"} and "vendor" not in path.parts:
                yield from lines(path)
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "mkdocs.yml", "site_src/site.yml"):
        yield from lines(ROOT / name)
    for path in sorted((ROOT / "taxonomy").glob("*.yml")):
        yield from lines(path)
    for folder in ("scripts", "reference_impls"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if FREE.match(path.relative_to(ROOT).as_posix()):
                yield from strings(path)


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a file, but for comments of scripts."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not (path.suffix == ".js" and line.lstrip().startswith(("//", "/*", "*"))):
            yield f"{path.relative_to(ROOT)}:{number}", line


def strings(path: Path) -> Iterator[tuple[str, str]]:
    """Docstrings and every other text of a module; comments are for those who work on it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for number, line in enumerate(node.value.splitlines()):
                yield f"{path.relative_to(ROOT)}:{node.lineno + number}", line


def of_papers(corpus: Corpus) -> Iterator[tuple[str, str]]:
    """What we wrote of papers; their titles are theirs."""
    for key, paper in corpus.papers.items():
        for field, text in {"summary": paper.summary, "notes": paper.notes}.items():
            yield f"{key}: {field}", text or ""


def test_no_hard_word_where_a_plain_one_does(corpus: Corpus) -> None:
    found = [
        f"{place}: '{hit[0]}' (write: {HARD[hit[0].lower()]}): {text.strip()[:90]}"
        for place, text in (*texts(), *of_papers(corpus))
        for hit in WORD.finditer(text)
    ]
    assert not found, "\n".join(found)


def test_the_search_finds_words_alone() -> None:
    assert [hit[0] for hit in WORD.finditer("The dearest, not dearestly; Prior to it")] == ["dearest", "Prior to"]
