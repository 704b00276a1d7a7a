"""The rules for taxonomy/claims.yml: its form, and that all that a claim names exists and stands where it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache

from scripts.checks.entry import bad_link
from scripts.checks.named import address, read, unknown
from scripts.checks.problem import Problem
from scripts.model.claims import BASELINES, SUMMARY, Claim, ClaimsFile, CostTest, Report
from scripts.model.corpus import Corpus

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def problems(file: ClaimsFile, corpus: Corpus) -> Iterator[Problem]:
    """Everything wrong with the claims; places are paths in the file."""
    yield from read(file, "claims")
    for name, claim in file.claims.items():
        for problem in _claim(name, claim, corpus):
            yield problem._replace(path=("claims", name, *problem.path))


def _claim(name: str, claim: Claim, corpus: Corpus) -> Iterator[Problem]:
    yield from address("claim", name)
    if claim.stage not in (known := [stage.id for stage in corpus.taxonomy.stages]):
        yield unknown("claim", ("stage",), "stage", claim.stage, known)
    if not claim.supporters and not claim.opponents:
        yield Problem((), "claim", "no paper speaks for or against it", "name at least one under 'for' or 'against'")
    seen: set[tuple[str, str]] = set()
    for side, place, report in claim.reports():
        if (side, report.paper) in seen:
            message = f"{report.paper} stands twice under '{side}'"
            yield Problem((side, place, "paper"), "claim", message, "put both figures into one")
        seen.add((side, report.paper))
        for problem in _report(report, corpus):
            yield problem._replace(path=(side, place, *problem.path))
    for problem in _test(claim):
        yield problem._replace(path=("test", *problem.path))


def _report(report: Report, corpus: Corpus) -> Iterator[Problem]:
    paper = corpus.papers.get(report.paper)
    if paper is None:
        yield unknown("claim", ("paper",), "entry", report.paper, corpus.papers)
    if report.source != SUMMARY:
        if why := bad_link(report.source):
            message = f"'{report.source}' is neither '{SUMMARY}' nor an address: {why}"
            yield Problem(("source",), "claim", message, "say where the figure stands")
    elif paper:
        for field in ("figure", "conditions"):
            if missing := missing_numbers(getattr(report, field), paper.summary):
                message = f"{missing[0]} does not stand in the summary of {report.paper}"
                yield Problem((field,), "claim-figure", message, "quote what stands there, or name another source")


def missing_numbers(text: str, summary: str | None) -> list[str]:
    """The numbers of a text that do not stand in a paper's summary."""
    stand = set(_NUMBER.findall(summary or ""))
    return [number for number in _NUMBER.findall(text) if number not in stand]


def _test(claim: Claim) -> Iterator[Problem]:
    test, (methods, categories, places) = claim.test, names()
    for place, name in enumerate(test.methods):
        if name not in methods and name not in categories:
            yield unknown("claim", ("methods", place), "method or category", name, [*methods, *categories])
    for place, pattern in enumerate(test.on):
        if not any(fnmatchcase(found, pattern) for found in places):
            yield unknown("claim", ("on", place), "recording or benchmark", pattern, places)
    if not isinstance(test, CostTest) and test.against not in BASELINES and test.against not in methods:
        yield unknown("claim", ("against",), "baseline or method", test.against, [*BASELINES, *methods])
    if test.where and test.where.at_least is None and test.where.at_most is None:
        yield Problem(("where",), "claim", "it leaves no pool out", "add 'at_least' or 'at_most', or remove 'where'")


@cache
def names() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Names of all methods, of their categories, and of the places where methods are run (recordings, benchmarks)."""
    # a third of a second, and an Atlas without claims needs none of it
    from reference_impls.benchmarks import ALL  # noqa: PLC0415
    from reference_impls.recorded import registry  # noqa: PLC0415
    from reference_impls.running import catalog  # noqa: PLC0415

    infos = catalog.methods().values()
    places = [f"{catalog.RECORDED}{name}" for name in registry.recordings()]
    places += [f"{pool}/{name}" for pool in catalog.BUILTIN_POOLS for name in ALL]
    return frozenset(i.name for i in infos), frozenset(i.category for i in infos), frozenset(places)
