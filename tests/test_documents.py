"""README and CONTRIBUTING: what they say of rooms is what the rooms say of themselves, and every path is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DOCUMENTS = ["CONTRIBUTING.md", "README.md"]
TOPS = r"papers|taxonomy|scripts|reference_impls|site_src|tests|requirements|\.github|\.ci"
PATH = re.compile(rf"(?<![\w/.-])(?:(?:{TOPS})/[\w.*/-]*|mkdocs\.yml|Makefile|pyproject\.toml)")
# one row for all three, as their files may not be touched without measuring all methods anew
STAGES = {"before_inference", "during_inference", "after_inference"}


def rooms() -> list[Path]:
    """The packages and modules at the top of both trees, and the rooms of the largest package."""
    tops = ("scripts", "reference_impls", "scripts/render")
    found = [path for top in tops for path in sorted((ROOT / top).iterdir())]
    packages = [path for path in found if (path / "__init__.py").exists() and path.name not in STAGES]
    modules = [path for path in found if path.suffix == ".py" and path.parent.name != "render"]
    return [*packages, *(path for path in modules if path.name != "__init__.py")]


def first_words(room: Path) -> str:
    """The first paragraph of a room's docstring, without the full stop at its end."""
    text = (room / "__init__.py" if room.is_dir() else room).read_text(encoding="utf-8")
    return " ".join((ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].split()).removesuffix(".")


@pytest.mark.parametrize("room", rooms(), ids=lambda room: room.relative_to(ROOT).as_posix())
def test_the_table_of_rooms_says_what_the_room_says(room: Path) -> None:
    name = room.relative_to(ROOT).as_posix() + ("/" if room.is_dir() else "")
    words = first_words(room)
    assert 20 < len(words) < 190, "a first line worth reading"
    assert f"| `{name}` | {words} |" in CONTRIBUTING.splitlines()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    paths = {path.rstrip(".") for path in PATH.findall(text)}
    assert len(paths) > 5
    assert {path for path in paths if not any(ROOT.glob(path.rstrip("/")))} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_that_is_started_is_there(document: str) -> None:
    for module in re.findall(r"python -m ([\w.]+)", (ROOT / document).read_text(encoding="utf-8")):
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module
