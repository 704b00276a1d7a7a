"""An advice as one page: it opens from the disk without a network, without a script, on a phone and on paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any
from xml.etree.ElementTree import Element

from reference_impls.advising.comparisons import PER, Row
from reference_impls.advising.differing import SHOWN, Differing, Returned, differing, returned
from reference_impls.advising.frontier import NARROW, WIDE, Point, bar, drawing, frontier
from reference_impls.advising.gains import crossed
from reference_impls.advising.page import Child, cut, facts, h, page, table
from reference_impls.advising.recommend import Advice
from reference_impls.measuring.comparison import LEVEL
from reference_impls.running import catalog

NAME = "report.html"
STYLES = Path(__file__).with_name("report.css")
#: Tasks that are told one by one; letters of a prompt and of a response that are shown.
_TASKS, _PROMPT, _RESPONSE = 40, 1500, 500
#: Fewer queries of a task than this tell nothing.
_FEWEST = 10
_LEGEND = """Squares are models used alone, circles methods, diamonds what nobody would use (the oracle knows the
right answers). Lines are 95 % intervals of each score by itself; which is better than which stands in a table
below, where differences are paired. On the dashed line nothing cheaper is as good."""
_GAINS = """Gains are over the best single model within the limits, chosen on the training folds as you would have to
choose it, on the same queries. Intervals of methods and models are adjusted to {tests} comparisons (Holm), so that
where none is better one is called so no more than one time in twenty; those of baselines are not, as nobody would use
them."""
_ERRORS = """Correlation of two models' errors, in per cent: at 100 they err on the same queries, and a vote between
them gains nothing; at 0 they err apart."""
_FOLDS = """Every method that fits was trained on all folds but one and tested on that one ({folds} folds{times},
tasks spread evenly, seed {seed}). Nothing is tested on what it has learned from; what can be served was then learned
again from all labelled queries."""
_INTERVALS = """A gain is paired, query by query. Its interval takes the overlap of the training sets into account
(Nadeau and Bengio 2003) and holds over the model that the training folds choose as well as over the one that is best
in hindsight. A method is named only if its adjusted interval lies above the best single model, or if it ends no more
than {margin:g} points below and the method clearly costs less; else the advice is one model."""
_COSTS = "Costs are those recorded, of all calls; seconds count calls to different models side by side."


def report(found: Advice, *, saved: str = "", why_not: str = "") -> str:
    """The page.

    Args:
        found: the advice.
        saved: name of the file beside the page that can be served; empty where there is none.
        why_not: why there is none.
    """
    told = found.json()
    rival = contender(found)
    sections = [
        _verdict(found),
        *_next(found, saved, why_not),
        *_frontier(found, told["rows"]),
        *_all(found),
        *_tasks(found, rival),
        *_together(found),
        *_differing(found, rival),
        *_left_out(found),
        _how(found),
    ]
    styles = "\n".join(line.strip() for line in STYLES.read_text(encoding="utf-8").splitlines() if line.strip())
    return page(f"{_headline(found)} – {found.data.recording.name}", styles, "en", sections)


def contender(found: Advice) -> Row | None:
    """What is held against the best single model query by query: what is advised, or the best of what is not."""
    verdict = found.verdict
    if verdict.kind == "method" or verdict.why not in ("default", "limits"):
        return found.found.row(verdict.name, verdict.kind)
    methods = [row for row in found.found.rows if row.kind == "method"]
    return max(methods, key=lambda row: min(row.gain.mean, row.over_model), default=None)


def _headline(found: Advice) -> str:
    verdict = found.verdict
    if verdict.kind == "nothing":
        return "Nothing keeps the limits"
    if verdict.why == "default":
        return f"Use one model: {verdict.name}"
    return f"Use {verdict.name}" + (" alone" if verdict.kind == "model" else "")


def _verdict(found: Advice) -> Element:
    first, *others = found.verdict.sentences
    data = found.data
    about = None
    if found.verdict.kind == "method":
        info = catalog.method(found.verdict.name)
        # The baselines share a file, so its docstring is about all of them.
        doc = ((info.cls.__doc__ if info.category == "baseline" else info.doc) or "").partition("\n\n")[0]
        about = h("p", h("strong", "What it is. "), " ".join(doc.split()))
    pairs: dict[str, Child] = {
        "recording": data.recording.name,
        "labelled queries": f"{len(data):,}",
        "models": f"{len(data.models)}",
        "compared": f"{found.found.tests} methods and models, each on queries it has not learned from",
    }
    if found.limits.cost is not None:
        pairs["cost limit"] = f"{found.limits.cost:g} US dollars for {PER:,} queries"
    if found.limits.latency is not None:
        pairs["time limit"] = f"{found.limits.latency:g} s for 95 of 100 queries"
    return h(
        "header", h("p", "atlas recommend", of="over"), h("h1", _headline(found)), h("p", first, of="lead"),
        *(h("p", sentence) for sentence in others), about, *(h("p", note) for note in found.notes), facts(pairs),
    )  # fmt: skip


def _section(anchor: str, title: str, *parts: Child) -> Element:
    return h("section", h("h2", title, id=anchor), *parts, aria_labelledby=anchor)


def _next(found: Advice, saved: str, why_not: str) -> Iterable[Element]:
    """What to do now."""
    steps: list[Element] = []
    if saved:
        command = f"atlas serve {saved} --config atlas.yml"
        steps.append(
            h("li", "Serve it, in the folder of this page, with your own configuration: ", h("code", command))
        )
    elif why_not:
        steps.append(h("li", f"There is nothing to serve: {why_not}."))
    power = found.verdict.power
    if power is not None and power.least is not None:
        steps.append(h("li", *_labels(found)))
    lacking = sum(why.startswith("needs samples") for why in found.left_out.values())
    if lacking:
        steps.append(
            h("li", f"{_methods(lacking)} could not be tried because each model was asked once: write ",
              h("code", "samples: 4"), " into atlas.yml and record again.")
        )  # fmt: skip
    if len(found.data.models) > 1:
        steps.append(h("li", f"Before you look for more methods: {_lower(found.data.preflight.sentence())}"))
    if steps:
        yield _section("next", "What to do next", h("ul", *steps))


def _labels(found: Advice) -> list[Child]:
    power = found.verdict.power
    assert power is not None
    assert power.least is not None
    n = power.queries
    known = (
        f"Label more. With {n:,} labelled queries a gain below {100 * power.least:.1f} points is not told from chance"
    )
    parts: list[Child] = [f"{known} beside so many others. For a gain to be told four times in five it takes: "]
    told = [
        f"of {100 * gain:g} point{'s' * (gain != 0.01)}, {_more(count, n)}" for gain, count in power.needed.items()
    ]
    parts.append(f"{'; '.join(told)}.")
    if power.leading:
        name, gain, wanted = power.leading
        parts.append(f" {name} leads by {100 * gain:.1f} points without being clear: {_more(wanted, n)} would tell.")
    return parts


def _more(wanted: int, have: int) -> str:
    more = wanted - have
    return f"{wanted:,} queries ({more:,} more)" if more > 0 else f"{wanted:,} queries, which you have"


def _methods(count: int) -> str:
    return f"{count} methods" if count != 1 else "One method"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _frontier(found: Advice, told: Sequence[dict[str, Any]]) -> Iterable[Element]:
    """Cost against quality, where every cost is known."""
    points = []
    for row, values in zip(found.found.rows, told, strict=True):
        if row.cost is None:
            continue
        score = values["score"]
        advised = (row.name, row.kind) == (found.verdict.name, found.verdict.kind)
        points.append(
            Point(row.name, row.kind, PER * row.cost, row.score, score["low"], score["high"],
                  row.kind != "baseline" and not row.over, advised, advised or row.kind == "model")
        )  # fmt: skip
    if not points:
        yield _section("frontier", "Cost and quality", h("p", "What answers cost is not known, so nothing is drawn."))
        return
    edge = {(p.name, p.kind) for p in frontier(points)}
    named = [
        Point(p.name, p.kind, p.cost, p.score, p.low, p.high, p.usable, p.advised,
              p.named or (p.name, p.kind) in edge or p.name == "oracle")
        for p in points
    ]  # fmt: skip
    legend = h("p", _words(_LEGEND), of="note")
    unknown = len(found.found.rows) - len(points)
    more = h("p", f"{unknown} rows are not drawn, as their cost is not known.", of="note") if unknown else None
    yield _section("frontier", "Cost and quality", drawing(named, WIDE), drawing(named, NARROW), legend, more)


def _all(found: Advice) -> Iterable[Element]:
    """Every row beside the best single model."""
    rows = [*found.found.rows]
    place = next((i for i, row in enumerate(rows) if row.score <= found.found.baseline.score), len(rows))
    rows.insert(place, found.found.baseline)
    ends = _ends(rows)
    marked, cells = [], []
    for i, row in enumerate(rows):
        if (row.name, row.kind) == (found.verdict.name, found.verdict.kind):
            marked.append(i)
        cells.append(_cells(row, ends))
    heads = ["", "what", "score, %", "gain, points", "95 % interval", "", "verdict", f"$ for {PER:,}",
             "seconds: median, 95 of 100", "calls"]  # fmt: skip
    yield _section(
        "all", "All that was compared",
        h("p", _words(_GAINS.format(tests=found.found.tests))),
        table("Methods, models and baselines, the best score first", heads, cells, numbers=2, marked=marked),
    )  # fmt: skip


def _ends(rows: Sequence[Row]) -> tuple[float, float]:
    judged = [row for row in rows if row.kind != "baseline"] or list(rows)
    values = [value for row in judged for value in (row.gain.adjusted or (row.gain.low, row.gain.high))]
    low, high = min(0.0, *values), max(0.0, *values)
    return (low, high) if high > low else (-0.01, 0.01)


def _cells(row: Row, ends: tuple[float, float]) -> list[Child]:
    low, high = row.gain.adjusted or (row.gain.low, row.gain.high)
    verdict = "" if row.kind == "baseline" else row.gain.verdict
    seconds = ", ".join("unknown" if s is None else f"{s:.2f}" for s in (row.latency(0.5), row.latency(0.95)))
    stage = row.category.partition("/")[0]
    what = (
        "one model" if row.kind == "model" else f"{stage} inference" if stage in ("before", "after") else "baseline"
    )
    return [
        row.name, what, f"{100 * row.score:.1f}",
        f"{100 * row.gain.mean:+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}",
        bar(row.gain.mean, low, high, ends, verdict), f"over the limit: {row.over}" if row.over else verdict,
        "unknown" if row.cost is None else f"{PER * row.cost:.4g}",
        seconds, f"{row.tried.calls.mean():.2f}",
    ]  # fmt: skip


def _tasks(found: Advice, rival: Row | None) -> Iterable[Element]:
    """Each task's scores, and what the contender gains there."""
    data = found.data
    places: dict[str, list[int]] = {}
    for i, task in enumerate(data.tasks):
        places.setdefault(task, []).append(i)
    if len(places) < 2:
        yield _section("tasks", "By task", h("p", "All queries are of one task, so there is nothing to tell apart."))
        return
    ordered = sorted(places, key=lambda task: (-len(places[task]), task))
    shown = ordered[:_TASKS]
    baseline = found.found.baseline
    z = NormalDist().inv_cdf(1 - (1 - LEVEL) / len(shown) / 2)
    heads = ["task", "queries", baseline.name]
    if rival is not None:
        heads += [rival.name, "gain, points", "95 % interval"]
    cells: list[list[Child]] = []
    for task in shown:
        rows = places[task]
        line: list[Child] = [task, f"{len(rows):,}", f"{100 * baseline.tried.scores[:, rows].mean():.0f}"]
        if rival is not None:
            gained = rival.tried.scores[:, rows] - baseline.tried.scores[:, rows]
            mean, error = crossed(gained, found.folds, learned=True)
            interval = f"{100 * (mean - z * error):+.1f} to {100 * (mean + z * error):+.1f}"
            line += [f"{100 * rival.tried.scores[:, rows].mean():.0f}", f"{100 * mean:+.1f}",
                     "too few queries" if len(rows) < _FEWEST else interval]  # fmt: skip
        line += [f"{100 * score:.0f}" for score in data.scores[rows].mean(0)]
        cells.append(line)
    about = (
        f"Scores in per cent. Gains are {rival.name}'s over the best single model; their intervals are adjusted to"
        f" {len(shown)} tasks." if rival is not None else "Scores in per cent."
    )  # fmt: skip
    more = f" The {len(ordered) - len(shown):,} smaller tasks are left out." if len(ordered) > len(shown) else ""
    yield _section(
        "tasks", "By task", h("p", about + more), table("Scores by task", [*heads, *data.models], cells, numbers=1)
    )


def _together(found: Advice) -> Iterable[Element]:
    """How the models' errors go together."""
    flight = found.data.preflight
    if len(flight.models) < 2:
        return
    worth = "unknown" if flight.effective is None else f"{flight.effective:.1f} of {len(flight.models)}"
    mean = "unknown" if flight.mean_correlation is None else f"{flight.mean_correlation:+.2f}"
    pairs: dict[str, Child] = {
        "mean correlation of errors": mean,
        "effective number of independent models": worth,
        "queries on which not all agree": f"{100 * flight.disagree:.0f} %",
        "the oracle above the best model": f"{100 * flight.oracle.gain:+.1f} points",
    }
    cells: list[list[Child]] = []
    for i, (name, row) in enumerate(zip(flight.models, flight.correlation, strict=True)):
        line: list[Child] = [f"{i + 1} {name}"]
        for j, value in enumerate(row):
            told = "" if i == j else "unknown" if value is None else f"{100 * value:.0f}"
            line.append(h("span", told, of=_heat(None if i == j else value)))
        cells.append(line)
    heads = ["", *(str(i + 1) for i in range(len(flight.models)))]
    yield _section(
        "together", "Who errs together",
        h("p", _words(_ERRORS)),
        table("Correlation of errors", heads, cells, numbers=1), facts(pairs),
    )  # fmt: skip


def _heat(value: float | None) -> str:
    return "heat" if value is None or math.isnan(value) else f"heat heat{min(4, max(0, int(5 * value)))}"


def _differing(found: Advice, rival: Row | None) -> Iterable[Element]:
    """Queries on which the contender and the best single model differ."""
    if rival is None:
        return
    where = differing(rival, found.found.baseline)
    n, total = len(found.data), where.better + where.worse
    if not total:
        told = f"{rival.name} and the best single model score alike on every query."
        yield _section("differ", "Where they differ", h("p", told))
        return
    told = (
        f"{rival.name} and the best single model score differently on {total:,} of {n:,} queries: it is better on"
        f" {where.better:,} and worse on {where.worse:,}."
        + (f" Here are {len(where.shown)}, of both kinds as they are in number." if total > SHOWN else "")
    )
    items = [_one(found, rival, place) for place in where.shown]
    yield _section("differ", "Where they differ", h("p", told), _counted(where), h("ol", *items, of="prompts"))


def _counted(where: Differing) -> Element | None:
    """A word of caution where few differ."""
    if where.better + where.worse >= _FEWEST:
        return None
    return h("p", "So few tell little: they may as well be chance.", of="note")


def _one(found: Advice, rival: Row, place: int) -> Element:
    query = found.data.recording.queries[place]
    ahead = rival.tried.scores[0, place] > found.found.baseline.tried.scores[0, place]
    head = h("summary", h("span", "better" if ahead else "worse", of="good" if ahead else "bad"), " ",
             h("bdi", cut(" ".join(query.prompt.split()), 110)))  # fmt: skip
    right = (
        h("p", h("strong", "Right answer: "), h("bdi", cut(query.reference, _RESPONSE))) if query.reference else None
    )
    listed = h("ul", *(_said(one) for one in returned(found.data, found.found, place)))
    body = h("div", h("p", query.task, of="over"), h("pre", cut(query.prompt, _PROMPT), dir="auto"), right, listed)
    return h("li", h("details", head, body))


def _said(one: Returned) -> Element:
    names = list(one.names[:6])
    more = len(one.names) - len(names)
    who = ", ".join(names) + (f" and {more} more" if more > 0 else "")
    return h(
        "li", h("strong", one.whose or "a text of its own"), f", score {one.score:.3g}",
        f", returned by {who}: " if who else ", returned by none: ",
        h("bdi", cut(one.text, _RESPONSE) if one.text.strip() else "(empty)", of="said"),
    )  # fmt: skip


def _left_out(found: Advice) -> Iterable[Element]:
    if found.left_out:
        rows: list[list[Child]] = [[name, why] for name, why in found.left_out.items()]
        body = table("Methods that were not compared, and why", ["method", "why"], rows)
        summary = h("summary", f"{_methods(len(rows))}, and what each would need")
        yield _section("left-out", "What was not compared", h("details", summary, body))


def _how(found: Advice) -> Element:
    times = f", {found.repeats} times over" if found.repeats > 1 else ""
    folds = _FOLDS.format(folds=found.folds, times=times, seed=found.seed)
    parts = [folds, _INTERVALS.format(margin=100 * found.margin), _COSTS]
    return _section("how", "How this was found", *(h("p", _words(part)) for part in parts))


def _words(text: str) -> str:
    return " ".join(text.split())
