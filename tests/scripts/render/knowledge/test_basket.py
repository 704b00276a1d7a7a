"""What tables of papers hold follows from the entries; a reported gain is a quotation, never our own number."""

from __future__ import annotations

from scripts.model import Corpus
from scripts.render.deciding.claims import Claims
from scripts.render.knowledge.basket import COLUMNS, card, cards, reported
from scripts.render.knowledge.views import Views
from tests.conftest import MakeAtlas, fields


def test_every_paper_has_a_card_with_all_columns(corpus: Corpus) -> None:
    views = Views(corpus)
    made = dict(cards(views, Claims(corpus)))
    assert list(made) == list(corpus.papers)
    for key, one in made.items():
        assert set(COLUMNS) <= set(one)
        assert all(isinstance(one[name], list) for name in COLUMNS)
        assert one["bibtex"].startswith("@")
        assert f"{{{key}," in one["bibtex"]
    told = made["chen2023frugalgpt"]
    assert (told["stage"], told["category"], told["unit"]) == (["After inference"], ["Cascade"], ["response"])
    assert told["code"]
    assert told["gain"]


def test_what_is_not_known_is_an_empty_list(make_atlas: MakeAtlas) -> None:
    corpus = make_atlas({"doe2024deferral": fields(summary=None)})
    one = card(Views(corpus), Claims(corpus), "doe2024deferral")
    assert [one[name] for name in ("access", "benchmarks", "models", "gain", "guarantee", "code")] == [[]] * 6


def test_a_reported_gain_is_quoted_from_a_claim_or_from_the_summary(make_atlas: MakeAtlas) -> None:
    summary = (
        "Asks small models first. With v2.5 models it saves 59.2% of the cost. It is simple. Errors fall by 2.5"
        " points on GSM8K. Calls fall twofold."
    )
    paper = make_atlas({"doe2024deferral": fields(summary=summary)}).papers["doe2024deferral"]
    told = reported(paper, [])
    assert [part[:11] for part in told] == ["With v2.5 m", "Errors fall", "Calls fall "]
    assert all(part in summary for part in told)
    assert reported(paper, [{"figure": "98%"}, {"figure": "98%"}, {"figure": "9"}]) == ["98%", "9"]
