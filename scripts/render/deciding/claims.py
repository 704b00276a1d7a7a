"""Views of the claims of the field: what is claimed and reported, the verdict that our own results give, and how it
came to it. Verdicts come from `scripts.claims`; nothing of them is written down anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from reference_impls.benchmarks import ALL
from reference_impls.core.registry import MethodInfo
from reference_impls.recorded import registry
from reference_impls.running import catalog
from scripts.claims import Evidence, Judged, judge
from scripts.claims.evidence import FOLDER, RECORDED, Comparison, Pool, Run
from scripts.claims.log import Line, Log, read_log
from scripts.claims.verdicts import (
    AGAINST,
    DEPENDS,
    FOR,
    LEAST,
    OPEN,
    REFUTED,
    RELATED,
    SUPPORTED,
    UNDECIDED,
    VERDICTS,
    Vote,
)
from scripts.model import Corpus
from scripts.model.claims import BASELINES, FACTORS, SUMMARY, Claim, CostTest, RelationTest, Report, read_claims
from scripts.render.evidence.recorded import TITLES
from scripts.render.evidence.results import POOLS
from scripts.render.figures.drawing import Figure
from scripts.render.figures.forest import Row, forest

View = dict[str, Any]
#: A verdict -> its sign and the class of its colour (assets/results.css).
SIGNS = {SUPPORTED: ("▲", "better"), DEPENDS: ("◆", "even"), REFUTED: ("▼", "worse"), OPEN: ("○", "none")}
HEADS = {FOR: "Stand for it", AGAINST: "Stand against it", UNDECIDED: "Undecided"}
#: What the pages say of how verdicts are made.
CONSTANTS = {"least": LEAST, "related": RELATED, "verdicts": VERDICTS, "factors": FACTORS}
_FREE = "CC BY-NC"  # a licence that begins so is named wherever numbers show


class Claims:
    """All views of an Atlas's claims. What of the file cannot be read is left out; `atlas validate` tells it.

    Raises:
        ResultError, LogError: a file of results, or the log, is none: one line.
    """

    def __init__(self, corpus: Corpus, judged: Mapping[str, Judged] | None = None) -> None:
        """`judged`: what `verdicts` says, which is asked by default."""
        self.papers = corpus.papers
        self.stages = {stage.id: stage.name for stage in corpus.taxonomy.stages}
        self.claims = read_claims(corpus.root).claims
        self.log: Log = read_log(corpus.root) if self.claims else {}
        self._judged = verdicts(corpus.root, self.claims) if judged is None else judged

    @cached_property
    def heads(self) -> dict[str, View]:
        """Address -> what lists show of a claim."""
        return {name: self._head(name, claim) for name, claim in self.claims.items()}

    @cached_property
    def pages(self) -> dict[str, View]:
        """Address -> its page."""
        return {name: self._page(name, claim) for name, claim in self.claims.items()}

    def groups(self) -> list[View]:
        """The pages by verdict, those without any left out."""
        return [
            {"verdict": verdict, "means": means, "sign": SIGNS[verdict], "pages": mine}
            for verdict, means in VERDICTS.items()
            if (mine := [page for page in self.pages.values() if page["verdict"] == verdict])
        ]

    @cached_property
    def _of_papers(self) -> dict[str, list[View]]:
        made: dict[str, list[View]] = {}
        for name, claim in self.claims.items():
            for side, _, report in claim.reports():
                told = {"side": side, "figure": report.figure, "conditions": report.conditions}
                made.setdefault(report.paper, []).append({**told, "claim": self.heads[name]})
        return made

    def of_paper(self, key: str) -> list[View]:
        """The claims that a paper speaks to: on which side, with what figure."""
        return self._of_papers.get(key, [])

    def of_method(self, name: str, category: str) -> list[View]:
        """The claims that are tested with a method, or by holding others against it."""
        return [
            self.heads[address]
            for address, claim in self.claims.items()
            if {name, category} & {*claim.test.methods, getattr(claim.test, "against", "")}
        ]

    def changes(self) -> list[View]:
        """The log, newest first: day, claim, the verdict before and after, and what had changed."""
        made = []
        for name, lines in self.log.items():
            for place, line in enumerate(lines):
                before = lines[place - 1] if place else None
                head = self.heads.get(name)
                told = {"title": head["claim"], "page": head["page"]} if head else {"title": name, "page": None}
                verdicts = {"before": before and before.verdict, "verdict": line.verdict}
                made.append({"date": line.date, **told, **verdicts, "why": _why(before, line)})
        return sorted(made, key=lambda change: change["date"], reverse=True)

    def records(self) -> list[View]:
        """All claims for programs."""
        return [self._record(name, claim) for name, claim in self.claims.items()]

    # --- one claim --------------------------------------------------------------------------------------------------

    def _head(self, name: str, claim: Claim) -> View:
        judged = self._judged[name]
        sign, colour = SIGNS[judged.verdict]
        return {
            "name": name,
            "page": f"claims/{name}/",
            "claim": claim.claim,
            "stage": claim.stage if claim.stage in self.stages else "related",
            "stage_name": self.stages.get(claim.stage, claim.stage),
            "verdict": judged.verdict,
            "told": judged.told,
            "sign": sign,
            "colour": colour,
            "counts": {"pools": len(judged.votes), **judged.counts},
            "related": isinstance(claim.test, RelationTest),
            "papers": {"for": len(claim.supporters), "against": len(claim.opponents)},
        }

    def _page(self, name: str, claim: Claim) -> View:
        judged = self._judged[name]
        return {
            **self.heads[name],
            "conditions": claim.conditions,
            "limits": claim.limits,
            "sentence": judged.sentence,
            "change": judged.change,
            "for": [self._report(report) for report in claim.supporters],
            "against": [self._report(report) for report in claim.opponents],
            "test": _test(claim),
            "figure": _figure(name, claim, judged) if judged.votes else None,
            "rows": [row for vote in judged.votes for row in _rows(vote)],
            "untested": judged.untested,
            "credit": _credit(judged),
            "log": [line.model_dump() for line in self.log.get(name, [])],
        }

    def _report(self, report: Report) -> View:
        paper = self.papers.get(report.paper)
        return {
            "title": paper.title if paper else report.paper,
            "name": paper.name if paper else None,
            "year": paper.year if paper else None,
            "page": f"papers/{report.paper}/" if paper else None,
            "figure": report.figure,
            "conditions": report.conditions,
            "address": None if report.source == SUMMARY else report.source,
        }

    def _record(self, name: str, claim: Claim) -> View:
        judged = self._judged[name]
        trend = judged.trend
        return {
            "id": name,
            **claim.model_dump(mode="json", by_alias=True, exclude_none=True),
            "verdict": judged.verdict,
            "depends_on": trend.factor if trend and judged.verdict == DEPENDS else None,
            "sentence": judged.sentence,
            "change": judged.change,
            "pools": {"for": judged.counts[FOR], "against": judged.counts[AGAINST],
                      "undecided": judged.counts[UNDECIDED]},
            "trend": None if trend is None else vars(trend),
            "comparisons": [
                {
                    "place": vote.pool.place, "pool": vote.pool.name, "models": list(vote.pool.models),
                    "method": one.run.method, "label": one.run.label, "over": one.reference.label,
                    "gain": _short(one.gain.mean), "low": _short(one.low), "high": _short(one.high), "stand": stand,
                }
                for vote in judged.votes
                for one, stand in vote.comparisons
            ],
            "log": [line.model_dump() for line in self.log.get(name, [])],
        }  # fmt: skip


_last: dict[str, tuple[object, dict[str, Judged]]] = {}


def verdicts(root: Path, claims: Mapping[str, Claim]) -> dict[str, Judged]:
    """The verdicts; those of the last call where neither claims nor results have changed since, as a server renders
    after each edit."""
    if not claims:
        return {}
    files = sorted((root / FOLDER).rglob("*.json"))
    state = ({name: claim.model_dump_json() for name, claim in claims.items()},
             [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files])  # fmt: skip
    known = _last.get(str(root))
    if known and known[0] == state:
        return known[1]
    evidence = Evidence(root / FOLDER)
    made = {name: judge(claim, evidence) for name, claim in claims.items()}
    _last.clear()
    _last[str(root)] = (state, made)
    return made


def _why(before: Line | None, line: Line) -> str:
    if before is None:
        return "first verdict"
    return "another test" if before.test != line.test else "other results"


def _short(value: float) -> float:
    return float(f"{value:.6g}")


# --- the test in words ----------------------------------------------------------------------------------------------


def _test(claim: Claim) -> View:
    """What is compared with what, and where, with links."""
    test = claim.test
    against = "best-single" if isinstance(test, CostTest) else test.against
    return {
        "methods": [_method(name) for name in test.methods],
        "against": _method(against) if against in catalog.methods() and against not in BASELINES else {
            "name": BASELINES.get(against, against), "page": None,
        },
        "on": list(test.on),
        "where": None if test.where is None else _where(claim),
        "depends": [FACTORS[factor] for factor in getattr(test, "depends", [])],
        "rule": _rule(claim),
    }  # fmt: skip


def _rule(claim: Claim) -> str:
    """When a pool stands for the claim, in words."""
    test = claim.test
    if isinstance(test, RelationTest):
        name, means = FACTORS[test.factor]
        return f"From pool to pool, the mean gain {test.expect} with the {name}: {means}."
    margin = f"{test.margin} point{'' if test.margin == 1 else 's'} of 100"
    if isinstance(test, CostTest):
        return (
            f"A pool stands for it if a method saves {test.saving} % or more and the interval of its gain lies above"
            f" minus {margin}; against it if curves over all thresholds of methods are known and none of their points"
            " does as well."
        )
    wanted = {
        "better": "lies above zero", "not-better": f"lies below {margin}", "as-good": f"lies above minus {margin}",
        "worse": "lies below zero",
    }[test.expect]  # fmt: skip
    if len(test.methods) == 1 and "/" not in test.methods[0]:
        return f"A pool stands for it if the interval of the gain {wanted}."
    whose = "one of the methods" if test.pick == "any" else "more than half of the methods"
    return f"A pool stands for it if the interval of the gain of {whose} {wanted}."


def _where(claim: Claim) -> str:
    where = claim.test.where
    assert where
    ends = [("at least", where.at_least), ("at most", where.at_most)]
    bounds = " and ".join(f"{word} {value}" for word, value in ends if value is not None)
    return f"{FACTORS[where.factor][0]} {bounds} ({FACTORS[where.factor][1]})"


def _method(name: str) -> View:
    info: MethodInfo | None = catalog.methods().get(name)
    if info and info.category != "baseline":
        return {"name": name, "page": f"methods/{name}/"}
    if "/" in name:
        return {"name": f"all methods of {name}", "page": f"taxonomy/{name}/"}
    return {"name": name, "page": None}


# --- pools ----------------------------------------------------------------------------------------------------------


def place_of(pool: Pool) -> View:
    """What pages call a pool's place, and where its numbers stand."""
    folder, _, name = pool.place.partition(":" if pool.place.startswith(f"{RECORDED}:") else "/")
    models = f"{len(pool.models)} models"
    if folder == RECORDED:
        note = f"{pool.name}, {models}" if pool.name else models
        return {"title": TITLES.get(name, name), "note": note, "page": f"recorded/{name}/"}
    title = ALL[name].title if name in ALL else name
    page = f"benchmarks/{name}/" if name in ALL else "results/"
    return {"title": title, "note": f"{POOLS.get(folder, folder)}, {models}", "page": page}


def _rows(vote: Vote) -> list[View]:
    place = place_of(vote.pool)
    return [
        {
            **place, "method": one.run.label, "method_page": _method(one.run.method)["page"], "gain": one.gain.mean,
            "low": one.low, "high": one.high, "stand": stand, "over": _over(one.reference), "cost": one.run.cost,
        }
        for one, stand in vote.comparisons
    ]  # fmt: skip


def _over(run: Run) -> str:
    return "best single model" if run.method == "single" else run.label


def _figure(name: str, claim: Claim, judged: Judged) -> Figure:
    """A row a pool: the comparison that tells, and thin strokes for the gains of the pool's other methods."""
    test = claim.test
    votes = list(judged.votes)
    if isinstance(test, RelationTest):
        factor = test.factor
        votes = sorted((v for v in votes if factor in v.pool.factors), key=lambda v: v.pool.factors[factor]) or votes
        heads = ["Pool", "Gain", FACTORS[factor][0].capitalize()]
        rows = [
            _row(vote, "", f"{vote.pool.factors[factor]:.3g}" if factor in vote.pool.factors else "unknown")
            for vote in votes
        ]
        title = f"{claim.claim}: gains by {FACTORS[factor][0]}, from the least to the most"
    else:
        heads = ["Pool", "Gain", "Method"]
        votes.sort(key=lambda vote: (list(HEADS).index(vote.stand), -vote.telling.gain.mean))
        rows = [_row(vote, HEADS[vote.stand], vote.telling.run.label) for vote in votes]
        title = f"{claim.claim}: gains in each pool of models"
    return forest(f"claim-{name}", title, rows, heads=heads, left="worse", right="better", credit=_credit(judged))


def _row(vote: Vote, group: str, detail: str) -> Row:
    one, place = vote.telling, place_of(vote.pool)
    others = tuple(other.gain.mean for other, _ in vote.comparisons if other is not one)
    return Row(
        place["title"], one.gain.mean, one.low, one.high, _side(one), place["note"], group, "related", others,
        place["page"], (detail,),
    )  # fmt: skip


def _side(one: Comparison) -> str:
    return "better" if one.low > 0 else "worse" if one.high < 0 else "no clear difference"


@cache
def _licences() -> dict[str, str]:
    return {name: f"{source.repository}, {source.licence}" for name, source in registry.recordings().items()}


def _credit(judged: Judged) -> str:
    """Whose data may not be sold, where some of it decides."""
    names = dict.fromkeys(vote.pool.place.removeprefix(f"{RECORDED}:") for vote in judged.votes)
    told = [_licences()[name] for name in names if _FREE in _licences().get(name, "").replace("CC-BY", "CC BY")]
    return f"With data of {'; '.join(dict.fromkeys(told))}." if told else ""
