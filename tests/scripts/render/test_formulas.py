"""Method pages: typeset formulas whose symbols are explained, a figure, relatives and coloured source, for each."""

from __future__ import annotations

import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from reference_impls.running import catalog
from scripts.model import Corpus
from scripts.model.corpus import CorpusError
from scripts.model.formulas import FILE, Formulas, latex_of, read_formulas
from scripts.render.evidence.methods import highlighted, method_views
from scripts.render.figures.drawing import styles
from scripts.render.figures.flow import flow
from scripts.render.knowledge.views import Views
from scripts.render.mathematics import Typesetter, prose
from tests.conftest import ROOT

FORMULAS = read_formulas(ROOT)
TYPESETTER = Typesetter.of(ROOT)
METHODS = [info.name for info in catalog.methods().values() if info.category != "baseline"]


def test_every_method_is_explained_and_no_other() -> None:
    assert set(FORMULAS.methods) == set(METHODS)


def test_every_piece_of_mathematics_is_converted_and_none_left_over() -> None:
    """Else: python -m scripts.upkeep.mathematics."""
    made = json.loads((ROOT / "site_src" / "mathml.json").read_text(encoding="utf-8"))
    assert set(made) == set(latex_of(FORMULAS))
    for latex, mathml in made.items():
        letters = "".join(ET.fromstring(f"<math>{mathml}</math>").itertext())  # noqa: S314  ours
        assert "\\" not in letters, latex  # a command that the converter does not know
        plain = re.sub(r"\\[A-Za-z]+", "", latex)
        assert set(re.findall(r"[A-Za-z]", plain)) <= set(unicodedata.normalize("NFKD", letters)), latex


@pytest.mark.parametrize("name", METHODS)
def test_the_symbols_of_formulas_are_explained_and_no_others(name: str) -> None:
    one = FORMULAS.methods[name]
    used = set(chain.from_iterable(map(TYPESETTER.symbols, one.formulas)))
    own = [TYPESETTER.symbols(latex) for latex in one.where]
    common = [TYPESETTER.symbols(latex) for latex in FORMULAS.common]
    explained = set(chain.from_iterable([*own, *(s for s in common if s and s[0] in used)]))
    assert used <= explained
    for latex, letters in zip(one.where, own, strict=True):
        assert not letters or letters[0] in used, latex


def test_relatives_are_methods_and_no_method_goes_out_from_itself() -> None:
    def ancestors(name: str) -> Iterator[str]:
        for other in FORMULAS.methods[name].akin:
            yield other
            yield from ancestors(other)

    for name in METHODS:
        assert name not in set(ancestors(name))  # and it ends, and finds each
    assert {name for name in METHODS if not FORMULAS.methods[name].akin} < set(METHODS)


def test_figures_open_by_themselves_and_say_in_words_what_they_show() -> None:
    sheet = styles(ROOT / "site_src" / "assets")
    for name in ("knn-router", "cascade-routing", "gac"):
        figure = flow(name, name, FORMULAS.methods[name], "before")
        root = ET.fromstring(figure.file(sheet))  # noqa: S314  ours
        shown = " ".join(root.itertext())
        assert "CC BY 4.0" in shown
        for step in FORMULAS.methods[name].answer:
            assert (step if isinstance(step, str) else step.calls) in figure.desc
        assert figure.narrow.width < figure.wide.width


def test_views_hold_the_formulas_and_the_relatives_of_both_sides() -> None:
    views = {view["name"]: view for view in method_views(ROOT)}
    vote, weighted = views["majority-vote"], views["weighted-vote"]
    assert weighted["kin"]["from"][0]["page"] == "methods/majority-vote/"
    assert "methods/weighted-vote/" in {one["page"] for one in vote["kin"]["to"]}
    assert all('display="block"' in formula for formula in weighted["explained"]["formulas"])
    symbols = [str(symbol) for symbol, _ in vote["explained"]["where"]]
    assert any("a_m" in symbol for symbol in symbols)
    assert any("cdot" in symbol for symbol in symbols)  # the bracket that is 1 or 0
    assert not any("q'" in symbol for symbol in symbols)


def test_lineage_is_that_of_the_papers() -> None:
    views = Views(Corpus.load(ROOT))
    found = views.lineage(views.cards(["wang2022selfconsistency"]))
    assert "chen2023usc" in {card["key"] for card in found["by"]}
    assert {"wang2022selfconsistency"} == {card["key"] for card in views.lineage(views.cards(["chen2023usc"]))["on"]}


def test_text_of_docstrings_is_typeset_and_escaped() -> None:
    assert str(prose("alpha_k of `top_k` <b>, A_m^-1 and tau")) == (
        "<var>α</var><sub>k</sub> of <code>top_k</code> &lt;b&gt;, <var>A</var><sub>m</sub><sup>-1</sup> and τ"
    )
    assert str(prose("``<`` in gpt_4 and knn_router")) == "<code>&lt;</code> in gpt_4 and knn_router"
    assert "<script" not in TYPESETTER.text("$<script>$ and <script>")


def test_source_is_coloured_and_escaped() -> None:
    made = str(highlighted('def f(a: int) -> str:\n    """<b>"""\n'))
    assert '<span class="k">def</span>' in made
    assert "<b>" not in made


def test_a_file_of_another_form_is_told_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    assert read_formulas(tmp_path) == Formulas()
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / FILE).write_text("methods: {a: {formulas: []}}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"formulas\.yml"):
        read_formulas(tmp_path)
