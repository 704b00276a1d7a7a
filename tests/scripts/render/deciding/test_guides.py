"""Pages of guides: what is measured comes from the results and changes with them; strangers' text stays text."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from mkdocs.utils.meta import get_data

from scripts.model import Corpus
from scripts.model.guides import FILE
from scripts.render.deciding.claims import Claims
from scripts.render.deciding.guides import Guides, sentence
from scripts.render.evidence import recorded, results
from scripts.render.evidence.gains import Table
from scripts.render.knowledge.views import Views
from scripts.render.site import render_site
from tests.conftest import ROOT, MakeAtlas, fields
from tests.scripts.render.pages import Page, render_markdown

PAPER, HOSTILE = "doe2024example", 'Best *of* n <b>&amp; "x" {{ y }} [a](b)'
GUIDES: dict[str, dict[str, Any]] = {
    "programs": {
        "name": HOSTILE, "kind": "task", "question": HOSTILE, "answer": f"{HOSTILE}. Run it.",
        "papers": [{"paper": key, "says": HOSTILE} for key in (PAPER, "gone2024a", "gone2024b")],
        "evidence": ["recorded:swe-bench", "builtin/code"], "first": [{"method": "majority-vote", "why": HOSTILE}],
        "avoid": [HOSTILE], "see": ["open", "gone"],
    },
    "open": {
        "name": "Open", "kind": "problem", "question": "Who knows?", "answer": "Nobody. Yet.", "solved": "A proof.",
        "papers": [{"paper": PAPER, "says": f"It tries {time}."} for time in ("once", "twice", "again")],
    },
}  # fmt: skip


@pytest.fixture
def atlas(make_atlas: MakeAtlas) -> Corpus:
    made = make_atlas({PAPER: fields()}, site=True)
    (made.root / FILE).write_text(yaml.safe_dump({"guides": GUIDES}), encoding="utf-8")
    return made


def rendered(corpus: Corpus, name: str) -> Page:
    out = corpus.root / "out"
    render_site(corpus, out)
    page = render_markdown(get_data((out / "guides" / f"{name}.md").read_text(encoding="utf-8"))[0])
    assert page.problems == []
    return page


def test_a_guide_shows_what_it_names_and_text_stays_text(atlas: Corpus) -> None:
    page = rendered(atlas, "programs")
    assert page.text.count(HOSTILE) >= 5
    links = page.attribute("href")
    assert {"../../methods/majority-vote/", f"../../papers/{PAPER}/", "../open/"} <= set(links)
    assert [link for link in links if "gone" in link] == []
    assert "atlas run majority-vote" not in page.text, "it has no result there"


def test_an_open_problem_says_what_an_answer_would_be(atlas: Corpus) -> None:
    page = rendered(atlas, "open")
    assert "A proof." in page.text
    assert "None of our results is on this yet." in page.text


def test_the_list_has_the_kinds_in_order(atlas: Corpus) -> None:
    page = rendered(atlas, "index")
    headings = [attributes.get("id") for tag, attributes in page.elements if tag == "h2"]
    assert headings == ["by-kind-of-work", "open-problems"]


def row(title: str, verdict: str, mean: float) -> dict[str, Any]:
    gain = {"verdict": verdict, "mean": mean, "low": mean - 0.01, "high": mean + 0.01, "adjusted": None}
    return {"title": title, "gain": gain}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row("a", "no clear difference", 0.01)], "None of 1 methods is clearly better."),
        (
            [row("a", "better", 0.02), row("b", "better", 0.03), row("c", "worse", -0.02)],
            "2 of 3 methods are clearly better, most of all b with +3.0 points (+2.0 to +4.0); 1 is clearly worse.",
        ),
    ],
)
def test_the_sentence_follows_the_results(rows: list[dict[str, Any]], told: str) -> None:
    table = Table("pool", "", "", "oak", tuple(rows), None, {"oak": 0.5}, None)
    assert sentence(table) == f"The best single model, oak, scores 0.500. {told}"


def test_a_command_names_a_place_where_the_method_has_a_result(corpus: Corpus) -> None:
    boards, recordings = results.Results(ROOT / results.FOLDER), recorded.Recorded(ROOT / recorded.FOLDER)
    pages = Guides(Views(corpus), boards, recordings, Claims(corpus)).pages
    commands = [one["command"].split() for page in pages.values() for one in page["first"] if one["command"]]
    assert len(commands) > len(pages)
    for _, _, method, _, benchmark, *pool in commands:
        if pool:
            rows = boards.boards[pool[1], benchmark]["rows"]
        else:
            rows = recordings.pages[benchmark.removeprefix("recorded:")]["runs"]
        assert method in {row["method"] for row in rows}
