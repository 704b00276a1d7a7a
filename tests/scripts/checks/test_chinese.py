"""The rules for Chinese words: what has none, what is older than its English, what has other parts than it."""

from __future__ import annotations

from pathlib import Path

import yaml

from reference_impls.running import catalog
from scripts.checks import methods
from scripts.checks.chinese import of_taxonomy, problems
from scripts.checks.problem import Problem
from scripts.model import Corpus
from scripts.model.chinese import Bilingual
from scripts.model.glossary import Term, read_glossary
from scripts.model.guides import Guide, read_guides
from scripts.model.methods import FILE, ChineseMethod, Method, Said, read_methods
from tests.conftest import ROOT

PLAIN = Term(term="Oracle", text="It knows all scores.")


def spoken(**changes: object) -> Term:
    """A term with Chinese that is as new as its English."""
    words = {"of": "?", "term": "全知路由", "text": "它知道所有分数。", **changes}
    term = Term.model_validate({"term": "Best-of-n", "text": "A scorer keeps one.", "zh": words})
    return term.model_validate({**term.model_dump(), "zh": {**words, "of": term.mark}})


def found(*things: Bilingual) -> list[Problem]:
    return list(problems(((str(place),), thing) for place, thing in enumerate(things)))


def test_chinese_that_is_as_new_as_its_english_is_no_finding() -> None:
    assert found(spoken(), spoken(synonyms=["神谕"])) == []


def test_what_has_no_chinese_is_named_only_where_others_have() -> None:
    assert found(PLAIN) == []
    assert [(p.rule, p.path) for p in found(PLAIN, spoken())] == [("chinese-missing", ("0",))]


def test_an_edit_of_the_english_is_told_with_the_new_mark() -> None:
    edited = spoken().model_copy(update={"text": "A scorer keeps two."})
    (problem,) = found(edited)
    assert (problem.rule, problem.path) == ("chinese-stale", ("0", "zh", "of"))
    assert edited.mark in problem.repair
    assert edited.stale
    assert not spoken().stale
    # what was not written in Chinese does not count
    assert not spoken().model_copy(update={"papers": ["doe2024x"]}).stale


def test_both_languages_have_the_same_parts() -> None:
    guide = Guide.model_validate({
        "name": "A", "kind": "task", "question": "B?", "answer": "C. D.", "avoid": ["Do not.", "Never."],
        "papers": [{"paper": key, "says": "It works."} for key in ("one", "two", "three")],
        "zh": {
            "of": "?", "name": "甲", "question": "乙？", "answer": "丙。", "avoid": ["不要。"],
            "papers": {"one": "有效。", "two": "有效。", "tree": "有效。"},
        },
    })  # fmt: skip
    rules = {(p.rule, p.path) for p in found(guide) if p.rule != "chinese-stale"}
    assert rules == {
        ("chinese", ("0", "zh", "avoid")),
        ("chinese", ("0", "zh", "papers", "tree")),
        ("chinese-missing", ("0", "zh", "papers")),
    }
    said = guide.in_chinese()
    assert [one.says for one in said.papers] == ["有效。", "有效。", "It works."]
    assert (said.name, said.kind) == ("甲", "task")


def test_methods_are_held_to_their_docstrings(tmp_path: Path) -> None:
    doc = catalog.methods()["majority-vote"].doc
    words = {"title": "多数投票", "lead": "最多的获胜。"}
    mark = Method.of(doc, Said(zh=ChineseMethod(of="?", **words))).mark
    (tmp_path / "taxonomy").mkdir()
    said = {"majority-vote": {"zh": {"of": mark, **words}}, "majority-vot": {"zh": {"of": mark, **words}}}
    (tmp_path / FILE).write_text(yaml.safe_dump({"methods": said}), encoding="utf-8")
    told = list(methods.problems(read_methods(tmp_path)))
    assert [(p.rule, p.path) for p in told if p.rule != "chinese-missing"] == [
        ("chinese", ("methods", "majority-vot"))
    ]
    assert any(p.message == "'weighted-vote' has no Chinese yet" and p.path == ("methods",) for p in told)
    said = {"majority-vote": {"zh": {"of": "en-0", **words}}}
    (tmp_path / FILE).write_text(yaml.safe_dump({"methods": said}), encoding="utf-8")
    told = list(methods.problems(read_methods(tmp_path)))
    assert ("chinese-stale", ("methods", "majority-vote", "zh", "of")) in [(p.rule, p.path) for p in told]


def test_the_chinese_of_the_real_atlas_has_the_parts_of_its_english(corpus: Corpus) -> None:
    """Missing or older Chinese is for `atlas validate` to name: who adds a term need not know Chinese."""
    things = [
        *of_taxonomy(corpus.taxonomy),
        *(((name,), term) for name, term in read_glossary(ROOT).things.items()),
        *(((name,), guide) for name, guide in read_guides(ROOT).things.items()),
    ]
    told = [*problems(things), *methods.problems(read_methods(ROOT))]
    assert [problem for problem in told if problem.rule == "chinese"] == []
    assert all(thing.zh for _, thing in of_taxonomy(corpus.taxonomy))
