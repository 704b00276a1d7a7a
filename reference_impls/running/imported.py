"""The files of the package that a file stands on: what results are made anew for when it changes.

Read from the imports in the text, not from what is loaded, so that the answer is the same in every process. A name
that a package only passes on, as ``from reference_impls.core import Query``, leads to the file that it is from: a new
line in `core/__init__.py` makes no result stale.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def imported(*files: Path) -> list[Path]:
    """The files themselves and those of the package that they import, directly or not, by name."""
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        if (file := waiting.pop()) not in found:
            found.add(file)
            waiting += _direct(file)
    return sorted(found)


@cache
def _direct(file: Path) -> tuple[Path, ...]:
    return tuple(path for module, name in _names(file) for path in _home(module, name))


def _names(file: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every import from the package; no name where the module itself is imported."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom) and _ours(node.module or ""):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if _ours(alias.name))


def _ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] == PACKAGE.name


def _home(module: str, name: str) -> Iterable[Path]:
    """The file that a name of a module is from."""
    place = PACKAGE.joinpath(*module.split(".")[1:])
    if (file := place.with_suffix(".py")).is_file():
        return [file]
    if name and (file := place / f"{name}.py").is_file():
        return [file]
    if name and (place / name).is_dir():
        return [place / name / "__init__.py"]
    for inner, passed_on in _names(place / "__init__.py"):
        if passed_on == name:
            return _home(inner, name)
    return [place / "__init__.py"]
