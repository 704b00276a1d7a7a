"""The rules for taxonomy/methods.yml: its form, and that it is of methods that exist, as they are now."""

from __future__ import annotations

from collections.abc import Iterator

from reference_impls.running import catalog
from scripts.checks import chinese
from scripts.checks.named import read, unknown
from scripts.checks.problem import Problem
from scripts.model.methods import Method, MethodsFile


def problems(file: MethodsFile) -> Iterator[Problem]:
    """Everything wrong with the file; places are paths in it. What is missing is told at its top."""
    yield from read(file, "methods")
    if not file.things:
        return
    known = {name: info for name, info in catalog.methods().items() if info.category != "baseline"}
    for name in file.things:
        if name not in known:
            yield unknown(chinese.WRONG, ("methods", name), "method", name, known)
    things = [(name, Method.of(info.doc, file.things.get(name))) for name, info in known.items()]
    for problem in chinese.problems((("methods", name), method) for name, method in things):
        place = problem.path if problem.path[1] in file.things else ("methods",)
        said = f"'{problem.path[1]}' has no Chinese yet" if place == ("methods",) else problem.message
        yield problem._replace(path=place, message=said)
