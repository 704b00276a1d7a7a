"""Parts of the report that need no browser: the frontier, the queries that are shown, elements from texts."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from xml.etree.ElementTree import tostring

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.advising import recommend, report, simulation
from reference_impls.advising.comparisons import Row
from reference_impls.advising.differing import SHOWN, differing, returned
from reference_impls.advising.frontier import NARROW, WIDE, Point, drawing, frontier
from reference_impls.advising.page import clean, h

FAST = ("majority-vote", "ridge-router", "task-router", "random", "coin")


@pytest.fixture(scope="module")
def advice() -> recommend.Advice:
    world = replace(simulation.ROUTER, prices=(0.004, 0.002, 0.001))
    return recommend.recommend(world.recording(150, 0), methods=FAST, repeats=1)


def point(cost: float, score: float, *, usable: bool = True) -> Point:
    return Point(f"{cost} {score}", "method", cost, score, score - 0.05, min(score + 0.05, 1.0), usable, False, True)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1), st.booleans()), min_size=1, max_size=20))
def test_nothing_on_the_frontier_is_beaten_by_what_is_cheaper(values: list[tuple[float, float, bool]]) -> None:
    points = [point(cost, score, usable=usable) for cost, score, usable in values]
    edge = frontier(points)
    usable = [p for p in points if p.usable]
    for one in usable:
        beaten = any(p.cost <= one.cost and p.score >= one.score for p in usable if p is not one)
        assert one in edge or beaten
    for one in edge:
        assert not any(p.cost <= one.cost and p.score > one.score for p in usable)
    for width in (WIDE, NARROW):
        assert len(list(drawing(points, width).iter("g"))) == len(points)


def test_the_queries_shown_are_of_both_kinds_as_they_are_in_number(advice: recommend.Advice) -> None:
    rival, baseline = report.contender(advice), advice.found.baseline
    assert rival is not None
    ahead = rival.tried.scores[0] - baseline.tried.scores[0]
    found = differing(rival, baseline)
    assert (found.better, found.worse) == (int((ahead > 0).sum()), int((ahead < 0).sum()))
    assert found.better + found.worse > SHOWN
    assert found.worse
    assert len(found.shown) == len(set(found.shown)) == SHOWN
    better = sum(ahead[place] > 0 for place in found.shown)
    assert better == pytest.approx(SHOWN * found.better / (found.better + found.worse), abs=1)
    assert all(ahead[place] for place in found.shown)
    none = differing(baseline, baseline)
    assert (none.better, none.worse, none.shown) == (0, 0, ())


def test_a_rare_loss_is_shown_too() -> None:
    scores = np.ones((1, 300))
    row = simulation.advised(simulation.ONE_BEST, 40, [0], ["random"])[0].found.baseline
    lost = scores.copy()
    lost[0, 17] = 0
    first, second = (replace(row, tried=replace(row.tried, scores=s)) for s in (lost, np.zeros((1, 300))))
    second = replace(second, tried=replace(second.tried, scores=np.where(np.arange(300) == 17, 1.0, 0.0)[None]))
    assert 17 in differing(first, second).shown


def test_what_was_returned_is_what_was_scored(advice: recommend.Advice) -> None:
    data = advice.data
    methods = {row.name: row for row in advice.found.rows if row.kind == "method"}
    for place in range(0, len(data), 17):
        groups = returned(data, advice.found, place)
        names = [name for group in groups for name in group.names]
        assert sorted(names) == sorted([*methods, "best single model", "oracle"])
        assert {group.whose for group in groups} >= set(data.models)
        for group in groups:
            for name in group.names:
                row: Row | None = methods.get(name)
                if row is not None:
                    assert group.score == row.tried.scores[0, place]


class Read(HTMLParser):
    """What a browser would see: tags, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert [name for name, _ in attrs] == (["title"] if tag == "p" else [])

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(max_size=40))
def test_any_text_is_text(text: str) -> None:
    read = Read()
    read.feed(tostring(h("p", text, h("b", text), text, title=text), encoding="unicode", method="html"))
    read.close()
    assert read.tags == ["p", "b"]
    assert read.text == 3 * clean(text)
    assert "\r" not in read.text
