"""The files of the explorer: every paper once in each, small pieces, and numbers that mean the same everywhere."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import pytest

from scripts.model import Corpus
from scripts.model.glossary import read_glossary
from scripts.render.knowledge.explorer import CARDS, explorer_files
from scripts.render.knowledge.shards import FIELDS, PIECE, STOPWORDS, WHOLE, cut, pieces, postings
from scripts.render.knowledge.views import Views
from tests.conftest import MakeAtlas, fields

ROUTELLM = "ong2024routellm"
METHOD = {"name": "route-method", "title": "A route", "papers": [ROUTELLM]}


def files_of(views: Views, methods: list[dict[str, Any]]) -> dict[str, Any]:
    """The files by their names; those of the folder that is named by what is in it without its name."""
    found = {name.removeprefix("assets/data/"): json.loads(text) for name, text in explorer_files(views, methods)}
    folder = found["find.json"]["folder"]
    return {name.removeprefix(folder).removesuffix(".json"): value for name, value in found.items()}


@pytest.fixture(scope="module")
def files(corpus: Corpus) -> dict[str, Any]:
    return files_of(Views(corpus), [METHOD])


def cards(files: dict[str, Any]) -> list[dict[str, Any]]:
    """All cards in order."""
    count = len([name for name in files if name.startswith("cards/")])
    return [card for place in range(count) for card in files[f"cards/{place}"]]


def words(files: dict[str, Any]) -> dict[str, list[int]]:
    """The whole index."""
    pieces_ = (piece for name, piece in files.items() if name.startswith("words/"))
    return {word: numbers for piece in pieces_ for word, numbers in piece.items()}


def holding(files: dict[str, Any], word: str) -> list[int]:
    """Numbers of the papers that a word of the index has."""
    return sorted(set(accumulate(words(files)[word][::2])))


def test_cards_hold_every_paper_and_nothing_unknown(corpus: Corpus, files: dict[str, Any]) -> None:
    rows = cards(files)
    assert [row["k"] for row in rows] == list(corpus.papers)
    assert files["explorer"]["papers"] == rows[:CARDS]
    for row in rows:
        paper = corpus.papers[row["k"]]
        assert None not in row.values()
        assert [] not in row.values()
        assert (row.get("d"), row["t"]) == (paper.date, paper.title)
        assert (row.get("a", []), row.get("s")) == (paper.authors, paper.summary)
        assert row.get("codeurl", []) == paper.links.code
        assert ("ok" in row) == (paper.checked is not None)


def test_orders_are_permutations_that_end_with_what_is_unknown(corpus: Corpus, files: dict[str, Any]) -> None:
    papers = list(corpus.papers.values())
    for order in files["orders"].values():
        assert sorted(order) == list(range(len(papers)))
    dates = [papers[number].date or "9" for number in files["orders"]["oldest"]]
    assert dates == sorted(dates)
    named = [bool(papers[number].name) for number in files["orders"]["name"]]
    assert named == sorted(named, reverse=True)


def test_facets_count_the_papers_that_they_hold(corpus: Corpus, files: dict[str, Any]) -> None:
    papers = list(corpus.papers.values())
    assert files["facets"]["year"] == [paper.year or 0 for paper in papers]
    for name, rows in files["explorer"]["facets"].items():
        lists = [list(accumulate(gaps)) for gaps in files["facets"][name]]
        assert [len(numbers) for numbers in lists] == [count for _, _, count, *_ in rows]
        if name == "topic":
            for (topic, *_), numbers in zip(rows, lists, strict=True):
                if topic.count("/") == 1:
                    assert numbers == [n for n, paper in enumerate(papers) if topic in paper.categories]
    (neurips,) = (row for row in files["explorer"]["facets"]["venue"] if row[0] == "neurips")
    assert neurips[1] == "NeurIPS"
    assert neurips[2] > 10


def test_facets_hold_each_name_once_and_each_relation_from_both_ends(make_atlas: MakeAtlas) -> None:
    one = {"base_models": ["GPT-4 (gpt-4-0613)", "Llama-2-13B"], "benchmarks": ["MMLU-Pro"]}
    two = {"base_models": ["GPT-4", "LLaMA2-13B"], "benchmarks": ["MMLU Pro"]}
    venue = {"name": "Tiny Workshop @ NeurIPS", "year": 2024}
    small = make_atlas(
        {
            "doe2024a": fields(attributes=one, venue=venue, relations={"builds_on": ["doe2024b"]}),
            "doe2024b": fields(attributes=two, title="Another"),
        }
    )
    found = files_of(Views(small), [{**METHOD, "papers": ["doe2024b"]}])
    keys = [card["k"] for card in cards(found)]

    def filed(facet: str) -> dict[str, set[str]]:
        lists = (accumulate(gaps) for gaps in found["facets"][facet])
        rows = found["explorer"]["facets"][facet]
        return {row[0]: {keys[number] for number in numbers} for row, numbers in zip(rows, lists, strict=True)}

    both = {"doe2024a", "doe2024b"}
    assert filed("model") == {"gpt-4": both, "llama2-13b": both}
    assert filed("benchmark") == {"mmlu-pro": both}
    assert filed("relation") == {"builds-on": {"doe2024a"}, "built-on": {"doe2024b"}, "runs-here": {"doe2024b"}}
    ((place, _, count, full),) = found["explorer"]["facets"]["venue"]
    assert (count, filed("venue")[place]) == (1, {"doe2024a"})
    assert full == "Conference on Neural Information Processing Systems, NIPS"


def test_the_index_is_sorted_and_in_small_pieces(files: dict[str, Any]) -> None:
    starts = files["find"]["words"]
    assert [next(iter(files[f"words/{place}"])) for place in range(len(starts))] == starts
    found = list(words(files))
    assert found == sorted(found, key=lambda word: word.encode("utf-16-be"))
    assert not STOPWORDS & set(found)
    for place in range(len(starts)):
        piece = files[f"words/{place}"]
        assert len(piece) == 1 or len(json.dumps(piece, ensure_ascii=False, separators=(",", ":"))) < PIECE + 2_000


def test_a_paper_is_found_by_name_identifier_method_and_term(corpus: Corpus, files: dict[str, Any]) -> None:
    number = list(corpus.papers).index(ROUTELLM)
    for word in ("2406", "18665", ROUTELLM, "route", "method", "llm", "isaac", "iclr", "2025"):
        assert number in holding(files, word), word
    (council,) = (term for term in read_glossary(corpus.root).things.values() if term.term == "LLM council")
    assert council.papers
    for key in council.papers:
        for word in {*cut(" ".join([council.term, *council.synonyms]))} - STOPWORDS:
            assert list(corpus.papers).index(key) in holding(files, word)


def test_postings_say_where_a_word_stands() -> None:
    found = postings({"name": "FrugalGPT", "title": "Of GPT-4 and GPT", "authors": "Šakota", "summary": "a gpt"})
    assert found["gpt"] == [bits + 64 * (place + 1) for bits, place in [(7 + FIELDS["summary"] - 4, 1), (11, 4)]]
    assert found["gpt4"] == [FIELDS["title"]]
    assert found["frugalgpt"] == [FIELDS["name"] | WHOLE]
    assert found["frugal"] == [FIELDS["name"]]
    assert found["sakota"] == [FIELDS["authors"]]
    assert "of" not in found


def test_words_of_any_script_can_be_cut() -> None:
    assert cut("Œuvre  x²—naïve\u00a0Straße …") == ["oeuvre", "x2", "naive", "strasse"]
    assert cut("级联路由, 路由") == ["级联", "联路", "路由", "路由"]
    starts, made = pieces([{"title": "one two"}, {"title": "two"}])
    assert (starts, made) == (["one"], ['{"one":[0,66],"two":[0,130,1,66]}'])


def test_each_version_has_a_folder_of_its_own(make_atlas: MakeAtlas) -> None:
    first = make_atlas({"doe2024a": fields(title="One")})
    found = {name.split("/")[3] for name, _ in explorer_files(Views(first)) if "/find/" in name}
    assert len(found) == 1
