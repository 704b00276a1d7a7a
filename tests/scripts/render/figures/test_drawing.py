"""Figures of numbers: what they show follows from what they are given, and nothing lies outside or on one another."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.render.figures import drawing
from scripts.render.figures.bars import Bar, bars
from scripts.render.figures.drawing import (
    NARROW,
    WIDE,
    Drawing,
    Figure,
    Scale,
    cut,
    signed,
    styles,
    ticks,
    width_of,
    wrapped,
)
from scripts.render.figures.forest import NOT_MEASURED, Row, forest
from scripts.render.figures.heatmap import heatmap
from tests.conftest import ROOT

ASSETS = ROOT / "site_src" / "assets"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script> & \"quoted' {{ 7*7 }}"
numbers = st.floats(-1, 1, allow_nan=False).map(lambda value: round(value, 3))
words = st.text(alphabet="abcdefghijklmWM-. 0123456789", max_size=80)


def drawn(drawing: Drawing) -> ElementTree.Element:
    return parsed(f'<svg xmlns="http://www.w3.org/2000/svg">{drawing.body}</svg>')


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode())  # noqa: S314  our own


def texts(drawing: Drawing) -> list[ElementTree.Element]:
    return list(drawn(drawing).iter(f"{SVG}text"))


def inside(figure: Figure) -> None:
    """No text leaves the drawing, by the widths that the drawing itself reckons with."""
    for one in (figure.wide, figure.narrow):
        for element in texts(one):
            classes = (element.get("class") or "").split()
            wide = width_of(element.text or "", 11.5 if "small" in classes else 13)
            x, y = float(element.get("x") or 0), float(element.get("y") or 0)
            left = x - wide if "end" in classes else x - wide / 2 if "mid" in classes else x
            assert left >= -0.1, element.text
            assert left + wide <= one.width + 0.1, element.text
            assert 0 < y < one.height, element.text


ROWS = [
    Row(
        "votes", 0.048, 0.04, 0.057, "better", "7 models", group="After inference", stage="after", others=(-0.3, 0.01)
    ),
    Row("routers", -0.1, -0.3, -0.05, "worse", page="methods/knn-router/"),
    Row("cascades", 0.0, -0.01, 0.01),
    Row("fusion", None),
]


def test_a_forest_plot_shows_each_row() -> None:
    figure = forest("name", "What pays", ROWS, limits=(-0.2, 0.1))
    inside(figure)
    shown = " ".join(element.text or "" for element in texts(figure.wide))
    for told in ("+0.048 (+0.040 to +0.057)", "−0.100 (−0.300 to −0.050)", "+0.000 (−0.010 to +0.010)", NOT_MEASURED):
        assert told in shown
    assert "at zero: 1; clearly below: 1; no clear difference: 1; not measured: 1." in figure.desc
    assert figure.table
    assert [cell.text for cell in figure.table.rows[0]] == [
        "After inference: votes", "+0.048 (+0.040 to +0.057)", "better",
    ]  # fmt: skip
    assert figure.table.rows[1][0].page == "methods/knn-router/"


def test_marks_stand_where_the_numbers_say() -> None:
    figure = forest("name", "What pays", ROWS[:1], limits=(-0.1, 0.1))
    found = re.search(r'class="fill good" d="M([\d.]+)', str(figure.wide.body))
    span = re.search(r'class="span good" d="M([\d.]+) [\d.]+H([\d.]+)', str(figure.wide.body))
    assert found
    assert span
    at = Scale(-0.1, 0.1, 316, 660)
    assert float(found[1]) == pytest.approx(at(0.048), abs=0.06)
    assert (float(span[1]), float(span[2])) == pytest.approx((at(0.04), at(0.057)), abs=0.06)


@given(st.lists(st.builds(Row, words, st.none() | numbers, numbers, numbers, note=words), min_size=1, max_size=6))
def test_no_text_of_a_forest_plot_leaves_it(rows: list[Row]) -> None:
    inside(forest("name", "What pays", rows))


@given(st.lists(words, min_size=1, max_size=26), st.data())
def test_no_text_of_a_heat_map_leaves_it(names: list[str], data: st.DataObject) -> None:
    value = data.draw(st.none() | numbers)
    inside(heatmap("name", "Who errs together", "", names, [[value] * len(names)] * len(names)))


@given(st.lists(st.builds(Bar, words, st.none() | st.floats(0, 1), words), min_size=1, max_size=6))
def test_no_text_of_bars_leaves_them(rows: list[Bar]) -> None:
    inside(bars("name", "Headroom", "", rows))


def test_a_heat_map_fills_by_its_numbers() -> None:
    figure = heatmap("name", "Who errs together", "", ["a", "b"], [[1.0, 0.25], [-0.5, 1.0]])
    filled = [
        (box.get("class"), box.get("fill-opacity"))
        for box in drawn(figure.wide).iter(f"{SVG}rect")
        if box.get("fill-opacity")
    ]
    assert filled == [("fill-after", "0.25"), ("fill-before", "0.5")]
    assert figure.table
    assert [[cell.text for cell in row] for row in figure.table.rows] == [["1 a", "", "+0.25"], ["2 b", "−0.50", ""]]


def test_bars_reach_as_far_as_their_values() -> None:
    body = drawn(bars("name", "Headroom", "", [Bar("one", 0.5), Bar("all", 1.0), Bar("unknown", None)]).wide)
    half, whole = (float(box.get("width") or 0) for box in body.iter(f"{SVG}rect"))
    assert half * 2 == pytest.approx(whole)
    assert "not known" in "".join(body.itertext())


def test_a_figure_of_data_that_may_not_be_sold_may_not_be_sold_either() -> None:
    figure = bars("name", "Headroom", "", [Bar("one", 0.5)], credit="Answers: a/b, CC-BY-NC-4.0.")
    assert figure.terms == "CC BY-NC 4.0"
    assert "LLM Ensemble Atlas, CC BY-NC 4.0. Answers: a/b, CC-BY-NC-4.0." in " ".join(
        "".join(parsed(figure.file(styles(ASSETS))).itertext()).split()
    )
    assert bars("name", "Headroom", "", [Bar("one", 0.5)], credit="Answers: a/b, MIT.").terms == "CC BY 4.0"


def test_a_file_opens_by_itself() -> None:
    """It is well-formed, holds its colours for both schemes and its licence, and asks for nothing from elsewhere."""
    figure = forest("name", HOSTILE, [Row(HOSTILE, 0.1, 0.0, 0.2, note=HOSTILE)], credit="Answers: MIT.")
    text = figure.file(styles(ASSETS))
    root = parsed(text)
    assert root.find(f"{SVG}script") is None
    style = root.findtext(f"{SVG}style") or ""
    assert "prefers-color-scheme: dark" in style
    used = set(re.findall(r"var\((--[\w-]+)\)", style))
    assert used
    assert all(style.count(f"{name}:") == 2 for name in used), "each colour, once a scheme"
    said = "".join(root.itertext())
    assert "LLM Ensemble Atlas, CC BY 4.0." in said
    assert "Answers: MIT." in said
    assert not re.search(r"url\(|href=|@import", text)
    classes = {name for element in root.iter() for name in (element.get("class") or "").split()}
    known = set(re.findall(r"\.([\w-]+)", style))
    assert classes - known <= {"good", "bad"}, "classes that no rule knows"


def test_both_drawings_have_names_of_their_own() -> None:
    html = str(forest("name", "What pays", ROWS).inline)
    found = re.findall(r' id="([^"]+)"', html)
    assert len(found) == len(set(found)) == 4
    assert f'viewBox="0 0 {WIDE} ' in html
    assert f'viewBox="0 0 {NARROW} ' in html


# --- measures -------------------------------------------------------------------------------------------------------


@given(st.floats(-1e4, 1e4), st.floats(1e-4, 1e4), st.integers(2, 12))
def test_ticks_are_round_even_and_within(low: float, wide: float, most: int) -> None:
    found = ticks(low, low + wide, most)
    assert len(found) <= most + 1
    assert all(low - 1e-6 * wide <= value <= low + wide * (1 + 1e-6) for value in found)
    steps = {float(f"{b - a:.3g}") for a, b in pairwise(found)}
    assert len(steps) <= 1
    assert all(re.match(r"[125]0*\.?0*$", f"{step * 1e6:.0f}".rstrip("0") or "1") for step in steps)


@given(st.floats(1e-6, 1e3), st.floats(1.5, 1e6))
def test_a_logarithm_places_factors_alike(low: float, factor: float) -> None:
    scale = Scale(low, low * factor, 0, 100, log=True)
    assert scale(low) == pytest.approx(0, abs=1e-6)
    assert scale(low * factor) == pytest.approx(100)
    assert scale(low * factor**0.5) == pytest.approx(50)
    assert all(low <= value <= low * factor for value in scale.ticks(6))


@given(words, st.floats(30, 400))
def test_text_that_is_cut_finds_room(text: str, room: float) -> None:
    assert width_of(cut(text, room)) <= room
    assert all(width_of(line) <= room for line in wrapped(text, room))


def test_signs() -> None:
    assert [signed(value, 2) for value in (0.1, -0.1, -0.001, 0.0)] == ["+0.10", "−0.10", "+0.00", "+0.00"]


def test_a_style_sheet_is_what_a_drawing_uses() -> None:
    sheet = drawing._used(styles(ASSETS), frozenset({"fill-after", "grid"}))
    after = re.search(r"\.fill-after\{fill:var\((--c\d+)\)\}", sheet)
    assert after
    assert re.findall(rf"{after[1]}:(#\w+)", sheet) == ["#a8480b", "#f2a368"]  # of assets/tokens.css, by scheme
    assert ".grid{fill:none}" in sheet
    assert " {" not in sheet
    assert "\n" not in sheet
    assert "fill-before" not in sheet
    assert "atlas" not in sheet


def test_the_styles_of_several_files_in_one_strip_agree() -> None:
    some, more = (drawing._used(styles(ASSETS), frozenset(classes)) for classes in (["grid"], ["fill-after", "grid"]))
    colours = [dict(re.findall(r"(--c\d+):(#\w+)", sheet.split("@media")[0])) for sheet in (some, more)]
    assert colours[0].items() < colours[1].items()
    assert set(re.findall(r"[^{}]+\{[^{}]*\}", some.split("}}")[1])) < set(
        re.findall(r"[^{}]+\{[^{}]*\}", more.split("}}")[1])
    )
