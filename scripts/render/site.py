"""Writes the pages and data files. Files that would not change are left alone, those of removed entries go.

Nothing goes that an earlier rendering has not made (`safe.folders`).
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reference_impls.recorded import registry
from reference_impls.safe.folders import OwnFolder
from scripts.checks.rules import RULES
from scripts.exports import FORMATS
from scripts.model import Corpus
from scripts.model.corpus import no_search_for_cycles
from scripts.render import DEFAULT, Report, api
from scripts.render.building import unchanged
from scripts.render.building.made import Kept
from scripts.render.building.policy import policy
from scripts.render.building.runtime import runtime_files
from scripts.render.building.together import File, Group, fill
from scripts.render.chinese import LANGUAGE, Chinese, translated
from scripts.render.deciding import choose, claims, compare
from scripts.render.deciding.calculator import examples
from scripts.render.deciding.claims import Claims
from scripts.render.deciding.guides import HEADS, Guides
from scripts.render.evidence import recorded
from scripts.render.evidence.gains import Overview
from scripts.render.evidence.methods import coloured
from scripts.render.evidence.preflight import preflight_figures
from scripts.render.evidence.recorded import Recorded, source_views
from scripts.render.evidence.regret import COMMAND, GUIDE
from scripts.render.evidence.results import Results, figures
from scripts.render.figures.charts import unchecked
from scripts.render.figures.drawing import Figure, styles
from scripts.render.figures.flow import flow
from scripts.render.figures.pictures import picture_files
from scripts.render.figures.slides import address as slides_address
from scripts.render.figures.slides import slides
from scripts.render.figures.steps import Player, players
from scripts.render.knowledge import basket, entry_form, terms
from scripts.render.knowledge.categories import Categories
from scripts.render.knowledge.explorer import explorer_files
from scripts.render.knowledge.finding import search_documents
from scripts.render.knowledge.glossary import glossary
from scripts.render.knowledge.relations import Relations
from scripts.render.knowledge.trends import Trends
from scripts.render.knowledge.views import View, Views
from scripts.render.live import OF_CATEGORY, RECORDED_RUNS, WATCHED, live_files
from scripts.render.markup import front_matter, html_attribute, http, md, meta_tags, script_json, verbatim
from scripts.render.mathematics import prose
from scripts.render.measurements import measurements
from scripts.render.reference.chapters import address
from scripts.render.settings import Settings, load_settings

Item = TypeVar("Item")
# Of indented JSON what has nothing in it that is opened. Line feeds stand between values only: a string has none.
_SMALL, _LINE_END = re.compile(r"[\[{][^\[\]{}]*[\]}]"), re.compile(r"\n\s*")
#: Papers on one page of the plain list, and the folder of its pages but the first.
LISTED = 200
LIST = "papers/list"
#: Papers from which on a second process pays.
FEWEST = 100
#: Methods and papers in one group of files, and groups of papers.
METHODS_TOGETHER, PAPERS_TOGETHER, MOST_PARTS = 8, 50, 100
BIBTEX = "papers.bib"
#: Below an Atlas: templates as Python compiles them.
TEMPLATES = Path("build") / "templates"
#: The papers as documents of a search index, for Zensical, whose search has no other; no file of the site.
SEARCH = ".atlas-search.json"
#: What the theme says at the foot of each page: the version, and the day of the newest check of an entry.
FOOT = ".atlas-foot.json"
DOWNLOADS = {
    "csl-json": "papers.csl.json",
    "ris": "papers.ris",
    "json": "papers.json",
    "csv": "papers.csv",
    # a Markdown file as such would become a page of the site
    "markdown": "awesome-list.md.txt",
}


def render_site(corpus: Corpus, out: Path, inputs: unchanged.Inputs | None = None) -> Report:
    """Renders `corpus` into the folder `out`.

    Args:
        corpus: all entries.
        out: below which all is written.
        inputs: digests of what the corpus and its site are made from, taken before it was read; without them nothing
            is kept for the next rendering.

    Raises:
        FolderError: `out` holds what no rendering has made; build/docs of the Atlas itself always counts as made.
    """
    made_here = out.resolve() == (corpus.root / DEFAULT).resolve()
    folder = OwnFolder(out, protected=(corpus.root,), made_here=made_here)
    with closing(folder), no_search_for_cycles():
        site = _Site(corpus, inputs)
        made = fill(folder, list(site.groups()), worth=len(corpus.papers) >= FEWEST)
        folder.finish()
    return Report(out, sum(len(one.names) for one in made), sum(one.changed for one in made), folder.removed)


class _Site:
    """The files of the site, each as (path below the output folder, text, bytes or file to copy)."""

    def __init__(self, corpus: Corpus, inputs: unchanged.Inputs | None) -> None:
        self.corpus = corpus
        self.source = corpus.root / "site_src"
        self.views = Views(corpus)
        self.settings = load_settings(corpus.root)
        self.kept = Kept(corpus.root, inputs)
        measured = self.kept.once("measured", partial(measurements, corpus.root, self.views.categories))
        self.measured, self.methods = measured, measured.methods
        self.claims = Claims(corpus, measured.verdicts)
        self.pages = Pages(self.source, self.settings, live=bool(runtime_files(corpus.root)))
        self.views.cards(self.views.papers)  # most groups show some

    def groups(self) -> Iterator[Group]:
        """All files, in groups that hang on nothing that another one makes; first those that take long."""
        pages, views, measured, claims = self.pages, self.views, self.measured, self.claims
        results, recordings, overview = measured.results, measured.recordings, measured.overview
        runs, regrets, known = measured.runs, measured.regrets, "\n".join(sorted(views.papers))
        shown = [method for method in self.methods if method["category"] in views.categories]
        yield self.data
        yield self._seldom("reference", pages.render_reference)
        guides = Guides(views, results, recordings, claims)
        yield partial(pages.render_guides, guides, views, shown, regrets, runs)
        yield self._seldom("recorded", partial(pages.render_recorded, set(views.papers), recordings), known)
        yield self._seldom("results", partial(pages.render_results, results, overview))
        yield self._seldom("benchmarks", partial(pages.render_benchmarks, measured.benchmarks, results))
        yield partial(pages.render_claims, claims)
        yield partial(pages.render_choice, views, shown, results, overview, runs)
        yield partial(pages.render_lists, views, results, self.methods)
        yield partial(pages.render_categories, views, shown, overview, claims)
        yield partial(pages.render_live, measured.play, views, self.methods)
        yield partial(pages.render_method_list, views, shown)
        of_all = (overview, regrets, views.categories, self.corpus.root)
        for number, some in enumerate(_parts(shown, METHODS_TOGETHER)):
            told = {method["name"]: self._told_of(method) for method in some}
            files = partial(pages.render_methods, some, shown, told, *of_all)
            yield self._seldom(f"methods-{number}", files, repr(told))
        yield partial(pages.render_relations, views)
        yield partial(pages.render_trends, views)
        yield partial(api.files, self.corpus, self.settings, results, recordings, self.methods, claims)
        yield self.downloads
        for keys in _parts(list(views.papers), max(PAPERS_TOGETHER, len(views.papers) // MOST_PARTS)):
            yield partial(pages.render_papers, views, keys, shown, claims)

    def _seldom(self, name: str, files: Group, parts: str = "") -> Group:
        """A group whose files hang on no paper but as `parts` tell (`Kept.once`)."""
        return lambda: self.kept.once(f"pages/{name}", lambda: list(files()), parts)

    def _told_of(self, method: View) -> View:
        """What the page of a method shows of papers and claims."""
        cards = self.views.cards(key for key in method["papers"] if key in self.views.papers)
        claims = self.claims.of_method(method["name"], method["category"])
        return {"papers": cards, "lineage": self.views.lineage(cards), "claims": claims}

    def data(self) -> Iterator[tuple[str, File]]:
        """What the pages load."""
        views, assets = self.views, self.source / "assets"
        for file in sorted(assets.rglob("*")):
            if file.is_file():
                yield f"assets/{file.relative_to(assets).as_posix()}", file
        yield from picture_files(assets)
        yield terms.PATH, terms.style_sheet(self.corpus)
        yield from live_files(self.corpus.root)
        yield from explorer_files(views, self.methods)
        yield "assets/data/bibtex.json", _compact(views.bibtex)
        yield from (
            (f"assets/data/papers/{key}.json", _compact(one)) for key, one in basket.cards(views, self.claims)
        )
        yield SEARCH, _compact(search_documents(self.corpus))
        released = metadata.version("llm-ensemble-atlas")
        yield FOOT, _compact({"version": released, "checked": views.numbers()["checked"]})

    def downloads(self) -> Iterator[tuple[str, File]]:
        """The Atlas in the formats that other tools read."""
        corpus, views = self.corpus, self.views
        yield f"downloads/{BIBTEX}", "\n".join(views.bibtex.values())
        for full_id, keys in views.by_category.items():
            if full_id in views.categories:
                yield f"downloads/{full_id.replace('/', '-')}.bib", "\n".join(views.bibtex[key] for key in keys)
        for form, name in DOWNLOADS.items():
            yield f"downloads/{name}", FORMATS[form](corpus, corpus.papers)
        yield (
            "downloads/taxonomy.json",
            json.dumps(corpus.taxonomy.model_dump(), indent=1, ensure_ascii=False) + "\n",
        )
        yield "downloads/schema.json", corpus.root / "papers" / "schema.json"
        yield from ((f"downloads/recording/{file.name}", file) for file in registry.schemas())


def _way(address: str, target: str) -> str:
    """How a page at an address links to another one; from most pages it is near, among its own kind.

    >>> _way("papers/a", "papers/b/"), _way("papers/a", "methods/"), _way("papers", "papers/b/"), _way("", "data/")
    ('../b/', '../../methods/', '../papers/b/', 'data/')
    """
    folder, inner, _ = address.partition("/")
    if inner and target.startswith(f"{folder}/"):
        return "../" * address.count("/") + target[len(folder) + 1 :]
    return "../" * (address.count("/") + 1 if address else 0) + target


def _parts(things: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """All of them, `size` at a time."""
    yield from (things[start : start + size] for start in range(0, len(things), size))


def list_parts(cards: list[View]) -> list[View]:
    """The plain list of papers in pages, so that each stays light however many papers there are; one where there is
    no paper. The first page is the explorer's own, which it shows until it works."""
    spans = [(start + 1, min(start + LISTED, len(cards))) for start in range(0, max(len(cards), 1), LISTED)]
    pages: list[View] = [
        {"number": number, "first": first, "last": last, "address": f"{LIST}/{number}/" if number > 1 else "papers/"}
        for number, (first, last) in enumerate(spans, 1)
    ]
    return [{**page, "papers": cards[page["first"] - 1 : page["last"]], "pages": pages} for page in pages]


def _pretty(value: object) -> str:
    """JSON to be read: what holds no more than words and numbers, such as an author, is one line."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return _SMALL.sub(lambda found: _LINE_END.sub(" ", found[0]), text)


def _brief(value: float) -> str:
    """A number to sort by: what a page shows of it has fewer digits."""
    return f"{value:.6g}"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _compiled(root: Path) -> BytecodeCache | None:
    """Compiled templates, for the next rendering and for its second process; Jinja looks each up by its path and a
    checksum of its text. None where they cannot be kept."""
    place = root / TEMPLATES
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(place)) if os.access(place, os.W_OK) else None


def _most_telling(played: list[Player]) -> Player:
    """The run in which the method helps, where there is one."""
    return next((player for player in played if player.kind == "helps"), played[0])


class _Environment(Environment):
    """Jinja's, quicker with views, which are plain dictionaries."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As it is anyway: a value of the dictionary, if dictionaries have no such attribute."""
        if type(obj) is dict and attribute in obj and not hasattr(dict, attribute):
            return obj[attribute]
        return super().getattr(obj, attribute)


class Pages:
    """Renders templates to Markdown pages. A page's address is its path without `index.md` or `.md`, with '/'."""

    def __init__(self, source: Path, settings: Settings, *, live: bool = False) -> None:
        """`live`: whether models can run in the page, so that pages may show a frame with a run."""
        self.settings = settings
        self.live = live
        self.source = source
        self.styles = styles(source / "assets")
        self.environment = _Environment(
            loader=FileSystemLoader([source / "templates", source / "pages", source]),
            autoescape=True,
            undefined=StrictUndefined,
            bytecode_cache=_compiled(source.parent),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters.update(
            md=md,
            http=http,
            meta_tags=meta_tags,
            verbatim=verbatim,
            pretty=_pretty,
            brief=_brief,
            figures=figures,
            prose=prose,
            term_id=terms.term_id,
        )
        self.environment.globals.update(
            site=settings.model_dump(), figure=self.figure, coloured=partial(coloured, source.parent)
        )

    def figure(self, name: str) -> Markup:
        """A figure of the project's own, to stand in the page itself so that it follows the colour scheme."""
        return Markup((self.source / "assets" / "figures" / f"{name}.svg").read_text(encoding="utf-8"))  # noqa: S704

    def render_lists(self, views: Views, results: Results, every: list[View]) -> Iterator[tuple[str, str]]:
        """Pages of which there is one, and the explorer; `every` holds the views of all methods."""
        stages, numbers = views.stages(), views.numbers()
        shared: View = {"stages": stages, "numbers": numbers}
        newest = views.cards(list(views.papers)[:8])
        everything = views.cards(views.papers)
        rules = [{"id": r.id, "level": r.level.value, "reason": r.reason} for r in RULES.values()]
        bibs = [
            {
                "name": c["name"],
                "stage": c["stage"],
                "file": f"downloads/{c['id'].replace('/', '-')}.bib",
                "count": n,
            }
            for c in views.categories.values()
            if (n := len(views.by_category.get(c["id"], [])))
        ]
        vocabulary = views.corpus.vocabulary.model_dump()
        yield self.page("index.md", newest=newest, **shared)
        yield self.page("about.md", unverified=[card for card in everything if not card["verified"]], **shared)
        yield self.page("contribute.md", rules=rules, vocabulary=vocabulary, **shared)
        yield self.page("metrics.md", papers=set(views.papers), **shared)
        yield self.page("glossary.md", terms=glossary(views, every))
        yield self.page(
            "recorded-form.md",
            papers=set(views.papers),
            sources=source_views(),
            schemas=[file.name.partition(".")[0] for file in registry.schemas()],
        )
        yield self.page("your-models.md")
        yield self.page("related-work.md", columns=list(basket.COLUMNS.items()))
        offered = list(examples(results))
        yield from ((example.file, example.text) for example in offered)
        yield self.page("calculator.md", examples=offered)
        yield self.page("contribute/form.md", template="entry-form.md", menus=entry_form.menus(views.corpus))
        yield "assets/data/entry-form.json", _compact(entry_form.rules(views.corpus))
        yield self.page(
            "data.md",
            example=next(iter(views.papers), ""),
            downloads={**DOWNLOADS, "bibtex": BIBTEX},
            bibs=bibs,
            **shared,
        )
        yield self.page("taxonomy/index.md", template="taxonomy.md", vocabulary=vocabulary, **shared)
        first, *others = list_parts(everything)
        yield self.page("papers/index.md", template="explorer.md", part=first, **shared)
        for part in others:
            yield self.page(f"{LIST}/{part['number']}.md", template="list.md", part=part)
        for part in views.authors():
            yield self.page(part["file"], template="authors.md", part=part)

    def render_categories(
        self, views: Views, methods: list[View], overview: Overview, field: Claims
    ) -> Iterator[tuple[str, str]]:
        """A page for each stage and category."""
        categories = Categories(views, field, overview, methods)
        for stage in views.stages():
            yield self.page(f"taxonomy/{stage['id']}/index.md", template="stage.md", stage=stage)
            for category in stage["categories"]:
                view, told = views.category(category["id"]), categories.page(category["id"])
                path = f"taxonomy/{category['id']}.md"
                yield self.page(
                    path, template="category.md", category=view, stage=stage, told=told, most=compare.MOST,
                    frame=self.frame(OF_CATEGORY.get(category["id"])),
                )  # fmt: skip
                yield from self.drawn([told["figure"]])

    def render_trends(self, views: Views) -> Iterator[tuple[str, str]]:
        """The trends with their charts."""
        with unchecked():
            trends = Trends(views).page()
            charts = [(chart.path, chart.text) for chart in trends["charts"].values() if chart]
        yield self.page("trends.md", trends=trends, numbers=views.numbers())
        yield from charts

    def render_relations(self, views: Views) -> Iterator[tuple[str, str]]:
        """Who compares with whom and who builds on whom, with the data that the page's script reads."""
        relations = Relations(views)
        page = relations.page()
        yield self.page("comparisons.md", relations=page)
        yield "assets/data/relations.json", _compact(relations.data())
        yield from self.drawn(page["figures"].values())

    def render_papers(
        self, views: Views, keys: Iterable[str], methods: list[View], field: Claims
    ) -> Iterator[tuple[str, str]]:
        """A page for each of these papers."""
        running: dict[str, list[View]] = defaultdict(list)
        for method in methods:
            for key in dict.fromkeys(method["papers"]):
                running[key].append(method)
        for key in keys:
            told = {"paper": views.paper(key), "methods": running[key], "claims": field.of_paper(key)}
            yield self.page(f"papers/{key}.md", template="paper.md", **told)

    def render_reference(self) -> Iterator[tuple[str, str]]:
        """The pages of the API reference."""
        from scripts.render.reference.reference import chapters  # noqa: PLC0415  Griffe takes as long as a hundred pages

        for found in chapters():
            yield self.page(template="reference.md", address=address, **found)

    def render_results(self, results: Results, overview: Overview) -> Iterator[tuple[str, str]]:
        """What pays over all pools, and the figures of all pages of results of the project's own models."""
        figures, boards = overview.figures(), list(results.boards.values())
        yield from self.drawn(figures.values())
        for board in boards:
            yield from self.drawn([board["chart"], board["forest"], *preflight_figures(board["preflight"])])
        yield self.page(
            "results.md", overview=overview, figures=figures, boards=boards, leading=results.leading(),
            pools=results.pools(),
        )  # fmt: skip

    def render_benchmarks(self, benchmarks: list[View], results: Results) -> Iterator[tuple[str, str]]:
        """The list of benchmarks and a page for each."""
        yield self.page("benchmarks/index.md", template="benchmarks.md", benchmarks=benchmarks, results=results)
        for benchmark in benchmarks:
            boards = results.of_benchmark(benchmark["name"])
            path = f"benchmarks/{benchmark['name']}.md"
            yield self.page(path, template="benchmark.md", benchmark=benchmark, boards=boards)

    def drawn(self, figures: Iterable[Figure | None]) -> Iterator[tuple[str, str]]:
        """The files of figures."""
        yield from ((figure.path, figure.file(self.styles)) for figure in figures if figure)

    def render_recorded(self, papers: set[str], recordings: Recorded) -> Iterator[tuple[str, str]]:
        """What was computed on recorded answers: all recordings, and a page for each; `papers` are those known."""
        pages = list(recordings.pages.values())
        headroom = recordings.headroom()
        yield from self.drawn([headroom])
        yield self.page("recorded/index.md", template="recorded-index.md", pages=pages, headroom=headroom)
        for page in pages:
            path = f"recorded/{page['name']}.md"
            yield self.page(path, template="recorded.md", page=page, papers=papers, **recorded.CONSTANTS)
            yield from self.drawn(page["figures"])

    def render_claims(self, field: Claims) -> Iterator[tuple[str, str]]:
        """The claims of the field: all of them by their verdict, and a page for each."""
        groups, changes = field.groups(), field.changes()
        yield self.page("claims/index.md", template="claims.md", groups=groups, changes=changes, **claims.CONSTANTS)
        for page in field.pages.values():
            yield self.page(f"claims/{page['name']}.md", template="claim.md", page=page, **claims.CONSTANTS)
            yield from self.drawn([page["figure"]])

    def render_guides(
        self, guides: Guides, views: Views, methods: list[View], regrets: list[View], runs: list[choose.Run]
    ) -> Iterator[tuple[str, str]]:
        """The guides and the open problems: all of them, and a page for each. The Chinese pages have them, too."""
        yield from self.drawn(regret["figure"] for regret in regrets)
        yield from Chinese(self, views, methods, guides, runs).render()
        yield self.page("guides/index.md", template="guides.md", groups=guides.groups())
        for page in guides.pages.values():
            yield self.page(
                f"guides/{page['name']}.md",
                template="guide.md",
                page=page,
                head=HEADS[page["kind"]],
                regrets=regrets if page["name"] == GUIDE else [],
                regret_command=COMMAND,
            )
            yield from self.drawn([page["figure"]])

    def render_choice(
        self, views: Views, methods: list[View], results: Results, overview: Overview, runs: list[choose.Run]
    ) -> Iterator[tuple[str, str]]:
        """The pages that lead to a method, and the data that they share."""
        compared = compare.comparison(views, methods, results, overview)
        yield "assets/data/methods.json", _compact(compared)
        yield self.page("compare.md", compared=compared, starts=compare.starts(compared))
        yield "assets/data/choose.json", _compact(choose.page_data(views, methods, runs))
        by_name = {method["name"]: method for method in methods}
        yield self.page(
            "choose.md", methods=methods, runs=runs, questions=choose.QUESTIONS,
            situations=choose.situations(runs, by_name),
        )  # fmt: skip

    def render_method_list(self, views: Views, methods: list[View]) -> Iterator[tuple[str, str]]:
        """The list of reference implementations."""
        groups = [
            {"category": head, "methods": mine}
            for full_id, head in views.categories.items()
            if (mine := [method for method in methods if method["category"] == full_id])
        ]
        yield self.page("methods/index.md", template="methods.md", methods=methods, groups=groups)

    def render_methods(
        self, some: Iterable[View], methods: list[View], shown: Mapping[str, View], overview: Overview,
        regrets: list[View], categories: Mapping[str, View], root: Path,
    ) -> Iterator[tuple[str, File]]:  # fmt: skip
        """A page for `some` of the reference implementations, and what belongs to it. All that it says of papers and
        claims is in `shown`, by the method's name."""
        for method in some:
            category = categories[method["category"]]
            beside = compare.beside(method, methods)
            path, name = f"methods/{method['name']}.md", method["name"]
            gains, told = overview.method_figure(name), overview.method_sentence(name)
            explained = method["explained"]
            steps = flow(name, method["title"], explained["steps"], category["stage"]["id"]) if explained else None
            yield from self.drawn([gains, steps])
            played = players(method["traces"], method["title"], category["stage"]["id"]) if method["traces"] else []
            for one in played:
                yield from self.drawn(one.figures)
            if method["traces"]:
                yield f"assets/data/traces/{name}.json", _compact(method["traces"])
                yield slides_address(name), slides(name, method["title"], played, self.styles, root)
            yield self.page(
                path, template="method.md", method=method, played=played, category=category, **shown[name],
                beside=beside, gains=gains, told=told, watched=WATCHED.get(name), frame=self.frame(name),
                reasons=overview.reasons(name), steps=steps,
                regrets=[regret for regret in regrets if name in regret["methods"]], regret_command=COMMAND,
                slides=slides_address(name),
            )  # fmt: skip

    def render_live(self, play: View, views: Views, methods: list[View]) -> Iterator[tuple[str, str]]:
        """The pages on which models run."""
        yield from self.play(play, methods)
        yield self.learn(views, methods)

    def frame(self, method: str | None) -> str | None:
        """The address of a frame with a run of a method; None where there is none."""
        address = WATCHED.get(method or "") if self.live else None
        return address and address.replace("play/", "play/embed/", 1)

    def play(self, view: View, methods: list[View]) -> Iterator[tuple[str, str]]:
        """The page on which models run, recorded runs beside them; and the frame that other pages show."""
        told = [method for method in methods if method["name"] in RECORDED_RUNS and method["traces"]]
        recorded_runs = [
            {"method": method, "played": _most_telling(players(method["traces"], method["title"], stage))}
            for method in told
            if (stage := method["category"].partition("/")[0])
        ]
        data = script_json(view["data"])
        yield self.page("play.md", view=view, data=data, runs=recorded_runs)
        if view["lock"]:
            rules = policy(["'wasm-unsafe-eval'"])
            yield (
                "play/embed/index.html",
                self.environment.get_template("watch.html.j2").render(data=data, rules=rules),
            )

    def learn(self, views: Views, methods: list[View]) -> tuple[str, str]:
        """The lessons, one a category; each ends with the three papers of its category that are cited most."""
        cited = {key: views.metrics.papers[key].count for key in views.papers if key in views.metrics.papers}
        reading = {
            name: views.cards(sorted(views.by_category.get(name, []), key=lambda key: -cited.get(key, 0))[:3])
            for name in views.categories
        }
        titles = {method["name"]: method["title"] for method in methods}
        frames = {name: self.frame(name) for name in WATCHED}
        return self.page(
            "learn.md", watched=WATCHED, frames=frames, reading=reading, categories=views.categories, titles=titles
        )

    def page(self, path: str, template: str | None = None, **context: Any) -> tuple[str, str]:
        """One page as (path, text). The template sets its metadata by calling `meta(...)`."""
        address = path.removesuffix("index.md").removesuffix(".md").rstrip("/")
        depth = len(address.split("/")) if address else 0
        meta: dict[str, Any] = {}
        if address.split("/")[0] == LANGUAGE:
            meta["lang"] = LANGUAGE
        elif translated(path):
            meta["translated"] = True

        def set_meta(*, title: str, description: str, json_ld: object = None, **more: Any) -> str:
            meta.update(title=html_attribute(title), description=html_attribute(description), **more)
            if json_ld is not None:
                meta["json_ld"] = script_json(json_ld)
            return ""

        body = self.environment.get_template(f"{template or path}.j2").render(
            to=partial(_way, address),
            zh=lambda target: f"{'../' * depth}{LANGUAGE}/{target}",
            meta=set_meta,
            **context,
        )
        return path, front_matter(meta) + body.lstrip("\n")
