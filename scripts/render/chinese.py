"""The Chinese pages, under /zh/: the views of the English ones with the Chinese words of taxonomy/ in their place.

They have templates of their own (site_src/zh), for Chinese puts its sentences together in another way. All that is
counted or measured comes from the views that the English pages show, too.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from reference_impls.measuring.comparison import BETTER, WORSE
from reference_impls.running import catalog
from scripts.model.guides import Guide
from scripts.model.methods import Method, read_methods
from scripts.model.paper import Paper, Strict, Text
from scripts.model.taxonomy import Taxonomy
from scripts.model.yaml_reader import parse, read_text
from scripts.render.deciding import choose
from scripts.render.deciding.guides import Guides
from scripts.render.evidence.gains import Table, largest
from scripts.render.figures.drawing import Figure
from scripts.render.knowledge.glossary import glossary
from scripts.render.knowledge.views import View, Views

if TYPE_CHECKING:
    from scripts.render.site import Pages

#: Folder of the templates below site_src, of the pages on the site, and the language's code on both.
LANGUAGE = "zh"
_WORDS = Path(LANGUAGE) / "words.yml"
_LARGEST = 1024 * 1024
#: Pages that are there in Chinese, too, by their paths.
_TRANSLATED = re.compile(r"(?:index|glossary|choose|taxonomy/.*|guides/.*|methods/.*)\.md")
#: Of the kinds of guides.
HEADS = {"task": "按工作种类", "situation": "按手头条件", "problem": "未决问题"}
#: What is in English only, in the navigation of the Chinese pages: title to address.
ENGLISH_ONLY = {
    "论文（英文）": "papers/", "结果（英文）": "results/", "数据（英文）": "data/", "参与（英文）": "contribute/",
}  # fmt: skip
_SVG_TEXT = re.compile(r"(<(?:text|tspan|title|desc)\b[^>]*>)([^<]+)(?=<)")


class Words(Strict):
    """Fixed words: English to Chinese, for single values (`words`), the questions of a page, and in figures."""

    words: dict[Text, Text]
    choose: dict[Text, Text]
    figures: dict[Text, Text]

    @classmethod
    def read(cls, source: Path) -> Words:
        """Those of the site's sources; ValueError for a file that is none."""
        return cls.model_validate(parse(read_text(source / _WORDS, _LARGEST)).value)

    def said(self, text: str) -> str:
        """Values with a comma and a blank between them, in Chinese as far as it is known."""
        return "、".join(self.words.get(part, part) for part in text.split(", "))

    def drawn(self, svg: str) -> Markup:
        """A figure with its texts in Chinese, as far as they are known."""

        def told(found: re.Match[str]) -> str:
            return found[1] + str(escape(self.figures.get(found[2], found[2])))

        return Markup(_SVG_TEXT.sub(told, svg))  # noqa: S704  the project's own figures


def translated(path: str) -> bool:
    """Whether the page with this path is there in Chinese, too: at the same path below zh/."""
    return _TRANSLATED.fullmatch(path) is not None


class ChineseViews(Views):
    """The views of an Atlas in Chinese. What is worked out of the papers is shared with the English ones."""

    def __init__(self, views: Views) -> None:
        self.__dict__.update(views.__dict__)
        self._original: Taxonomy = views.corpus.taxonomy
        self._cards = {}
        self.corpus = dataclasses.replace(views.corpus, taxonomy=self._original.in_chinese())
        self.categories = {full_id: self._category_head(full_id) for full_id, _, _ in self.corpus.taxonomy}

    def _card(self, key: str) -> View:
        paper = self.papers[key]
        return {**super()._card(key), "authors": authors(paper), "date": date(paper.date)}

    def category(self, full_id: str) -> View:
        """As `Views.category`; `stale`: the English has changed since."""
        original = self._original.category(full_id)
        return {**super().category(full_id), "stale": original is not None and original.stale}

    def stage(self, stage_id: str) -> View:
        """As `Views.stage`; `stale`: the English has changed since."""
        original = next(stage for stage in self._original.stages if stage.id == stage_id)
        return {**super().stage(stage_id), "stale": original.stale}


def authors(paper: Paper) -> str:
    """'A、B、C', 'A 等 5 人', or '作者不详' where none is known."""
    names = paper.authors
    if not names:
        return "作者不详"
    if not paper.authors_complete:
        return f"{names[0]} 等"
    return "、".join(names) if len(names) <= 3 else f"{names[0]} 等 {len(names)} 人"


def date(iso: str | None) -> str:
    """'2024年6月26日', '2024年6月', '2024年' or '日期不详'."""
    if not iso:
        return "日期不详"
    return "".join(f"{int(part)}{unit}" for part, unit in zip(iso.split("-"), "年月日", strict=False))


class ChineseGuides(Guides):
    """The guides in Chinese. Their figures stay on the English pages; what these show is told in a sentence."""

    def __init__(self, guides: Guides) -> None:
        self.__dict__.update({name: value for name, value in guides.__dict__.items() if name != "pages"})
        self._original = guides._guides
        self._guides = {name: guide.in_chinese() for name, guide in self._original.items()}

    def groups(self) -> list[View]:
        """As `Guides.groups`."""
        return [{**group, "title": HEADS[group["kind"]]} for group in super().groups()]

    def sentence(self, table: Table) -> str:
        """What one pool's results say."""
        better = [row for row in table.rows if row["gain"]["verdict"] == BETTER]
        worse = sum(row["gain"]["verdict"] == WORSE for row in table.rows)
        alone, count = table.alone.get(table.baseline), len(table.rows)
        told = f"最佳单模型 {table.baseline} 得分 {alone:.3f}。" if alone is not None else ""
        if best := largest(better):
            told += (
                f"{count} 个方法中有 {len(better)} 个明显更好，收益最大的是 {best['title']}，{_points(best['gain'])}"
            )
        else:
            told += f"{count} 个方法中没有一个明显更好"
        return told + (f"；{worse} 个明显更差。" if worse else "。")

    def _figure(self, name: str, guide: Guide, tables: list[Table]) -> Figure | None:  # noqa: ARG002
        return None

    def _page(self, name: str, guide: Guide) -> View:
        return {**super()._page(name, guide), "stale": self._original[name].stale}


def _points(gain: View) -> str:
    """A gain in points, with its adjusted interval."""
    low, high = gain.get("adjusted") or (gain["low"], gain["high"])
    return f"{100 * gain['mean']:+.1f} 个百分点（{100 * low:+.1f} 至 {100 * high:+.1f}）"


def in_chinese(root: Path, methods: list[View]) -> list[View]:
    """The views of methods with their Chinese titles and leads; `stale`: the English has changed since."""
    said = read_methods(root).things
    told = []
    for view in methods:
        name = view["name"]
        method = Method.of(catalog.methods()[name].doc, said.get(name))
        words = method.zh.texts if method.zh else {}
        told.append({**view, **words, "stale": method.stale, "english": view["title"]})
    return told


class Chinese:
    """Renders the Chinese pages with the templates and the figures of `pages`; the page choose weighs `runs`."""

    def __init__(
        self, pages: Pages, views: Views, methods: list[View], guides: Guides, runs: Sequence[choose.Run] = ()
    ) -> None:
        self._pages, self._views, self._runs = pages, ChineseViews(views), runs
        self._methods = in_chinese(views.corpus.root, methods)
        self._guides = ChineseGuides(guides)

    @cached_property
    def words(self) -> Words:
        """The fixed words."""
        return Words.read(self._pages.source)

    def _page(self, path: str, template: str, **context: Any) -> tuple[str, str]:
        return self._pages.page(
            f"{LANGUAGE}/{path}",
            template=f"{LANGUAGE}/{template}",
            said=self.words.said,
            drawn=self._drawn,
            **context,
        )

    def _drawn(self, name: str) -> Markup:
        return self.words.drawn(self._pages.figure(name))

    def render(self) -> Iterator[tuple[str, str]]:
        """All Chinese pages as (path, text); none where the sources have no templates for them."""
        if not (self._pages.source / _WORDS).is_file():
            return
        views = self._views
        stages, numbers = views.stages(), views.numbers()
        newest = views.cards(list(views.papers)[:8])
        yield self._page("index.md", "index.md", stages=stages, numbers=numbers, newest=newest)
        yield self._page("glossary.md", "glossary.md", terms=glossary(views, self._methods, chinese=True))
        yield self._page("taxonomy/index.md", "taxonomy.md", stages=stages, numbers=numbers)
        for stage in stages:
            yield self._page(f"taxonomy/{stage['id']}/index.md", "stage.md", stage=stage)
            for category in stage["categories"]:
                path = f"taxonomy/{category['id']}.md"
                yield self._page(
                    path,
                    "category.md",
                    stage=stage,
                    category=views.category(category["id"]),
                    methods=self._of(category["id"]),
                )
        yield self._page("guides/index.md", "guides.md", groups=self._guides.groups())
        for page in self._guides.pages.values():
            yield self._page(f"guides/{page['name']}.md", "guide.md", page=page, head=HEADS[page["kind"]])
        groups = [
            {"category": head, "methods": mine}
            for full_id, head in views.categories.items()
            if (mine := self._of(full_id))
        ]
        yield self._page("methods/index.md", "methods.md", methods=self._methods, groups=groups)
        for method in self._methods:
            papers = views.cards(key for key in method["papers"] if key in views.papers)
            category = views.categories[method["category"]]
            path = f"methods/{method['name']}.md"
            yield self._page(path, "method.md", method=method, category=category, papers=papers)

        yield from self._choose()

    def _choose(self) -> Iterator[tuple[str, str]]:
        """The page that leads to a method, and the names that its script puts in the place of the English ones."""
        said = self.words.choose
        questions = [
            {
                "id": question.id,
                "text": said.get(question.text, question.text),
                "answers": [{"id": one.id, "label": said.get(one.label, one.label)} for one in question.answers],
            }
            for question in choose.QUESTIONS
        ]
        by_name = {method["name"]: method for method in self._methods}
        rows = choose.situations(self._runs, by_name)
        for row in rows:
            row.update({name: said.get(row[name], row[name]) for name in ("question", "answer")})
            for one in row["proposals"]:
                one["told"] = _points(one["run"].row["gain"])
        yield self._page(
            "choose.md", "choose.md", methods=self._methods, runs=self._runs, questions=questions, situations=rows
        )
        names = {
            "methods": {name: [method["title"], method["lead"]] for name, method in by_name.items()},
            "categories": {full_id: head["name"] for full_id, head in self._views.categories.items()},
        }
        yield "assets/data/choose-zh.json", json.dumps(names, ensure_ascii=False, separators=(",", ":"))

    def _of(self, full_id: str) -> list[View]:
        """The methods of a category."""
        return [method for method in self._methods if method["category"] == full_id]
