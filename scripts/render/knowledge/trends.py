"""The page trends: what the entries say about the field over time.

Every number is counted here; what an entry does not say is counted as unknown and shown.

A paper counts once, in its primary category and in the year of its first public version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any

from scripts.model import Paper
from scripts.render.figures.charts import STAGE_COLOURS, Chart, rows
from scripts.render.knowledge.views import MONTHS, Views, long_date

View = dict[str, Any]
MONTHS_SHOWN = 24
NEWEST_MONTHS = 3
TOP = 15
UNKNOWN = "unknown"
_ROW = 24  # pixels of a bar or a line of cells
_INK, _SOFT, _LINE = "var(--atlas-ink)", "var(--atlas-ink-soft)", "var(--atlas-line)"
_HUE = "var(--atlas-before)"


class Trends:
    """Counts of one Atlas's papers, and the charts that draw them."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.papers = views.papers
        known = [paper.year for paper in self.papers.values() if paper.year]
        self.years = list(range(min(known), max(known) + 1)) if known else []
        self.stages = [(stage.id, stage.name) for stage in views.corpus.taxonomy.stages]
        if any(self._stage(paper) == UNKNOWN for paper in self.papers.values()):
            self.stages.append((UNKNOWN, "Not in the taxonomy"))

    def page(self) -> View:
        """Everything that the page shows."""
        by_stage, by_category = self.by_stage(), self.by_category()
        by_code, by_month = self.by_code(), self.by_month()
        venues, benchmarks, models = self.venues(), self.values("benchmarks"), self.values("base_models")
        attributes = [self.attribute(name) for name in ("access", "supervision", "goals", "tasks")]
        charts = {
            "stages": self.stage_chart(by_stage),
            "categories": self.category_chart(by_category),
            "months": self.month_chart(by_month),
            "code": self.code_chart(by_code),
            "venues": _bars("venues", "Papers by venue", "venue", venues["rows"]),
            "benchmarks": _bars("benchmarks", "Papers by benchmark", "benchmark", benchmarks["rows"]),
            "models": _bars("base-models", "Papers by model used", "model", models["rows"]),
        }
        return {
            "years": self.years,
            "by_stage": by_stage,
            "by_category": by_category,
            "by_family": self.by_family(),
            "by_month": by_month,
            "by_code": by_code,
            "newest": self.newest(),
            "venues": venues,
            "benchmarks": benchmarks,
            "models": models,
            "attributes": attributes,
            "charts": charts,
            "until": self.until(),
            "checked": max((p.checked.date for p in self.papers.values() if p.checked), default=None),
        }

    def until(self) -> View | None:
        """The newest paper's date: the last year is counted up to it."""
        newest = max((paper.date for paper in self.papers.values() if paper.date), default=None)
        return {"text": long_date(newest), "year": int(newest[:4])} if newest else None

    # --- counts -------------------------------------------------------------------------------------------------

    def _line(self, name: str, papers: Iterable[Paper], page: str | None = None, **more: Any) -> View:
        """A line of a table: papers in each year, of an unknown year, and in all. Its name leads to `page`."""
        counts = Counter(paper.year for paper in papers)
        years = [counts[year] for year in self.years]
        return {"name": name, "years": years, "unknown": counts[None], "total": counts.total(), "page": page, **more}

    def by_stage(self) -> list[View]:
        """Papers a year in each stage, and those whose category the taxonomy does not know."""
        return [
            self._line(
                name,
                [paper for paper in self.papers.values() if self._stage(paper) == id_],
                stage=id_,
                page=f"taxonomy/{id_}/" if id_ != UNKNOWN else None,
            )
            for id_, name in self.stages
        ]

    def by_category(self) -> list[View]:
        """The same for each category."""
        lines = [
            self._line(
                head["name"],
                [paper for paper in self.papers.values() if paper.categories[0] == full_id],
                page=head["page"],
                stage=head["stage"]["id"],
            )
            for full_id, head in self.views.categories.items()
        ]
        if strays := [p for p in self.papers.values() if p.categories[0] not in self.views.categories]:
            lines.append(self._line("Not in the taxonomy", strays, stage=UNKNOWN))
        return lines

    def _stage(self, paper: Paper) -> str:
        head = self.views.categories.get(paper.categories[0])
        return head["stage"]["id"] if head else UNKNOWN

    def by_family(self) -> list[View]:
        """The same for each family of the ensemble's categories, most papers first, and those without a family."""
        lines = []
        for full_id, stage, category in self.views.corpus.taxonomy:
            if stage.id == "related":
                continue
            head = {"category": category.name, "stage": stage.id}
            page = self.views.categories[full_id]["page"]
            for family in category.families:
                keys = self.views.by_family.get((full_id, family.id), [])
                papers = [self.papers[key] for key in keys]
                lines.append(self._line(family.name, papers, page=f"{page}#{family.id}", **head))
            known = {family.id for family in category.families}
            mine = [paper for paper in self.papers.values() if paper.categories[0] == full_id]
            left = [paper for paper in mine if paper.family not in known]
            if left:
                lines.append(self._line("no family", left, page=page, **head))
        return sorted(lines, key=lambda line: -line["total"])

    def by_month(self) -> View:
        """The last months up to the newest paper's, by stage; and how many papers have no known month."""
        dated = [paper.date[:7] for paper in self.papers.values() if paper.date and len(paper.date) >= 7]
        if not dated:
            return {"rows": [], "unknown": len(self.papers)}
        year, month = map(int, max(dated).split("-"))
        last = year * 12 + month - 1
        shown = [divmod(place, 12) for place in range(last - MONTHS_SHOWN + 1, last + 1)]
        counts = Counter((paper.date[:7], self._stage(paper)) for paper in self.papers.values() if paper.date)
        months = []
        for year, month in shown:
            id_ = f"{year}-{month + 1:02}"
            stages = [counts[id_, stage] for stage, _ in self.stages]
            months.append({"id": id_, "name": f"{MONTHS[month]} {year}", "stages": stages, "total": sum(stages)})
        return {"rows": months, "unknown": len(self.papers) - len(dated)}

    def newest(self) -> list[View]:
        """The papers of the last months that have any, newest month first."""
        months: dict[str, list[str]] = {}
        for key, paper in self.papers.items():
            if paper.date and len(paper.date) >= 7:
                months.setdefault(paper.date[:7], []).append(key)
        return [
            {"name": long_date(month), "papers": self.views.cards(months[month])}
            for month in sorted(months, reverse=True)[:NEWEST_MONTHS]
        ]

    def by_code(self) -> list[View]:
        """A year's papers, and how many of them name code by their authors."""
        lines = []
        for year in [*self.years, None]:
            papers = [paper for paper in self.papers.values() if paper.year == year]
            if year is None and not papers:
                continue
            code = sum(bool(paper.links.code) for paper in papers)
            share = code / len(papers) if papers else None
            lines.append({"year": year, "papers": len(papers), "code": code, "share": share})
        return lines

    def venues(self) -> View:
        """Venues by their number of papers, whatever the year."""
        return self._top([[paper.venue.name] if paper.venue else [] for paper in self.papers.values()])

    def values(self, name: str) -> View:
        """Values of a free attribute by their number of papers."""
        return self._top([list(dict.fromkeys(getattr(paper.attributes, name))) for paper in self.papers.values()])

    def _top(self, lists: list[list[str]]) -> View:
        counts = Counter(chain.from_iterable(lists))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0].casefold()))
        return {
            "rows": [{"name": name, "count": count} for name, count in ranked[:TOP]],
            "different": len(ranked),
            "known": sum(bool(names) for names in lists),
            "unknown": sum(not names for names in lists),
        }

    def attribute(self, name: str) -> View:
        """A year's papers for each value of an attribute of the vocabulary; a paper may have several values."""
        terms = self.views.corpus.vocabulary.attributes[name]

        held = [(paper, _listed(getattr(paper.attributes, name))) for paper in self.papers.values()]
        lines = [
            self._line(term.name, [paper for paper, values in held if value in values])
            for value, term in terms.values.items()
        ]
        if others := [paper for paper, values in held if set(values) - set(terms.values)]:
            lines.append(self._line("not in the vocabulary", others))
        lines.append(self._line("not recorded", [paper for paper, values in held if not values]))
        several = any(len(values) > 1 for _, values in held)
        return {"name": terms.name, "definition": terms.definition, "lines": lines, "several": several}

    # --- charts -------------------------------------------------------------------------------------------------

    def stage_chart(self, lines: list[View]) -> Chart | None:
        """Columns of papers a year, one part a stage."""
        cells = _cells(lines, self.years)
        label = "Papers a year, by stage"
        return Chart("trends-stages", label, 260, _columns(cells, "year:O", "Year", self.stages)) if cells else None

    def category_chart(self, lines: list[View]) -> Chart | None:
        """A cell for every category and year, with its number."""
        import altair as alt  # noqa: PLC0415  see `charts.rows`

        cells = _cells(lines, self.years)
        if not cells:
            return None
        most = max(cell["papers"] for cell in cells)
        order = [line["name"] for line in lines]
        base = alt.Chart(rows(cells)).encode(
            x=alt.X(
                "year:O",
                title=None,
                axis=alt.Axis(orient="top", labelAngle=0, labelFlush=False, domain=False, ticks=False),
            ),
            y=alt.Y(
                "name:N",
                title=None,
                sort=order,
                axis=alt.Axis(labelLimit=150, labelFlush=False, domain=False, ticks=False),
            ),
            tooltip=[
                alt.Tooltip("name:N", title="Category"),
                alt.Tooltip("year:O", title="Year"),
                alt.Tooltip("papers:Q", title="Papers"),
            ],
        )
        squares = base.mark_rect(stroke=_LINE).encode(
            color=alt.ColorValue(_HUE),
            opacity=alt.Opacity("papers:Q", scale=alt.Scale(domain=[0, most], range=[0, 0.55]), legend=None),
        )
        drawing = squares + base.mark_text(fontSize=12, color=_INK).encode(text="papers:Q")
        return Chart("trends-categories", "Papers a year in each category", _ROW * len(order) + 30, drawing)

    def month_chart(self, months: View) -> Chart | None:
        """Columns of papers a month, one part a stage."""
        cells = [
            {"month": month["id"], "when": month["name"], "name": name, "place": place, "papers": count}
            for month in months["rows"]
            for place, ((_, name), count) in enumerate(zip(self.stages, month["stages"], strict=True))
        ]
        label = f"Papers a month, by stage, over the last {MONTHS_SHOWN} months"
        return Chart("trends-months", label, 240, _columns(cells, "month:O", None, self.stages)) if cells else None

    def code_chart(self, lines: list[View]) -> Chart | None:
        """The share of papers with code a year."""
        import altair as alt  # noqa: PLC0415  see `charts.rows`

        cells = [line for line in lines if line["year"] and line["share"] is not None]
        if not cells:
            return None
        drawing = (
            alt.Chart(rows(cells))
            .mark_line(color=_HUE, point={"color": _HUE, "size": 70})
            .encode(
                x=alt.X("year:O", title="Year", axis=alt.Axis(labelAngle=0)),
                y=alt.Y(
                    "share:Q", title="Share with code", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
                ),
                tooltip=[
                    alt.Tooltip("year:O", title="Year"),
                    alt.Tooltip("share:Q", title="Share with code", format=".0%"),
                    alt.Tooltip("code:Q", title="Papers with code"),
                    alt.Tooltip("papers:Q", title="Papers"),
                ],
            )
        )
        return Chart("trends-code", "Share of each year's papers that name code by their authors", 220, drawing)


def _listed(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _cells(lines: list[View], years: list[int]) -> list[View]:
    """One value a line and year."""
    return [
        {"name": line["name"], "place": place, "year": year, "papers": count}
        for place, line in enumerate(lines)
        for year, count in zip(years, line["years"], strict=True)
    ]


def _columns(cells: list[View], x: str, title: str | None, stages: list[tuple[str, str]]) -> Any:
    import altair as alt  # noqa: PLC0415  see `charts.rows`

    names = [name for _, name in stages]
    scale = alt.Scale(domain=names, range=[STAGE_COLOURS.get(stage, _SOFT) for stage, _ in stages])
    time = alt.Tooltip("when:N", title="Month") if x.startswith("month") else alt.Tooltip(x, title=title)
    return (
        alt.Chart(rows(cells))
        .mark_bar()
        .encode(
            x=alt.X(x, title=title, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("papers:Q", title="Papers", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("name:N", title=None, scale=scale),
            order=alt.Order("place:Q"),
            tooltip=[time, alt.Tooltip("name:N", title="Stage"), alt.Tooltip("papers:Q", title="Papers")],
        )
    )


def _bars(name: str, label: str, kind: str, lines: list[View]) -> Chart | None:
    """Bars to the right, one a name, with its number."""
    import altair as alt  # noqa: PLC0415  see `charts.rows`

    if not lines:
        return None
    base = alt.Chart(rows(lines)).encode(
        x=alt.X("count:Q", title="Papers", axis=alt.Axis(tickMinStep=1)),
        y=alt.Y(
            "name:N",
            title=None,
            sort=[line["name"] for line in lines],
            axis=alt.Axis(labelLimit=150, labelFlush=False),
        ),
        tooltip=[alt.Tooltip("name:N", title=kind.capitalize()), alt.Tooltip("count:Q", title="Papers")],
    )
    drawing = base.mark_bar(color=_HUE) + base.mark_text(align="left", dx=4, color=_SOFT).encode(text="count:Q")
    return Chart(f"trends-{name}", f"{label}, the {len(lines)} most frequent", _ROW * len(lines) + 40, drawing)
