"""A new paper from a form, without and with the sources."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts.forms.handover import Result
from scripts.forms.reading import (
    Issue,
)
from scripts.forms.reply import handle
from scripts.model import Corpus
from tests.conftest import fields
from tests.scripts.forms.filled_in import body, refused, taken
from tests.scripts.sources.server import Reply, Server


def test_stub(atlas: Corpus) -> None:
    result = taken(atlas, code="https://github.com/ada/latebird")
    assert result.path == "papers/2026/example2026latebird.yml"
    assert result.text == (
        "# yaml-language-server: $schema=../schema.json\n"
        "title: 'LateBird: Asking Models One After the Other'\n"
        "name: LateBird\n"
        "authors: [Ada Example, Bo Sample]\n"
        "date: 2026-01\n"
        "ids:\n"
        "  arxiv: '2601.01234'\n"
        "links:\n"
        "  code:\n"
        "  - https://github.com/ada/latebird\n"
        "kind: method\n"
        "categories: [after/cascade]\n"
    )
    assert (result.branch, result.title) == ("issue-form/12", "Add example2026latebird (#12)")
    assert result.body
    assert "Closes #12" in result.body


def test_summary_is_taken_over_or_quoted(atlas: Corpus) -> None:
    good = str(fields()["summary"])
    assert "summary: >-\n  Asks a small model" in str(taken(atlas, summary=good).text)
    bad = taken(atlas, summary="Great paper! @octocat ```\n</details><img src=x>")
    assert "summary" not in str(bad.text)
    assert "left out" in str(bad.body)
    assert "````text\nGreat paper! @octocat ```\n</details><img src=x>\n````" in str(bad.body)


def test_unknown_category_is_a_placeholder_that_is_told(atlas: Corpus) -> None:
    result = taken(atlas, category="I do not know")
    assert "categories: [related/application]" in str(result.text)
    assert "leaves the category open" in str(result.body)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"identifier": "hello"}, "is no identifier or address known here"),
        ({"identifier": "javascript:alert(1)"}, "is no identifier"),
        ({"identifier": "$(touch /tmp/x) `id`"}, "is no identifier"),
        ({"category": "after/everything"}, "there is no `after/everything`"),
        ({"date": "yesterday"}, "please write YYYY-MM-DD"),
        ({"date": "2026-02-30"}, "2026-02-30"),
        ({"identifier": "10.1145/1234567.1234568"}, "`First public version` is empty"),
        ({"date": "2099-01-01"}, "date-future"),
        ({"authors": "Example, Ada"}, "author-name"),
        ({"authors": "Ada Example et al."}, "author-name"),
        ({"authors": "\n".join(f"Ada Example{chr(97 + n % 26)}" for n in range(501))}, "at most 500"),
        ({"code": "javascript:alert(1)"}, "[link]"),
        ({"code": "https://user:pass@github.com/a/b"}, "[link]"),
        ({"title": "A <script>alert(1)</script> Title"}, "[text-html]"),
        ({"title": "DEFERRAL WITHOUT REGRET AND MORE OF IT"}, "[title-capitals]"),
    ],
)
def test_papers_that_cannot_be_taken(atlas: Corpus, changes: dict[str, str], why: str) -> None:
    message = refused(atlas, **changes)
    assert why in message
    assert "Please edit the issue's text" in message


ELSEWHERE = {"identifier": "10.1145/1234567.1234568", "date": "2025"}  # where the paper may have been published, too


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": "2406.00001"},
        {"identifier": "https://doi.org/10.48550/arXiv.2406.00001"},
        {"title": "Deferral without regret: asking a larger model late", "authors": "Jane Doe", **ELSEWHERE},
        {"title": "Deferral Without Regret: Asking a Larger Model Later", "authors": "Jane Doe", **ELSEWHERE},
    ],
)
def test_duplicates_are_refused_by_name(atlas: Corpus, changes: dict[str, str]) -> None:
    result = handle(atlas, Issue("add-paper", 12, body(**changes)))
    assert (result.ok, result.duplicate) == (False, "doe2024deferral")
    assert "This paper is here already: `doe2024deferral`" in result.message
    assert "Correct an entry" in result.message


def test_another_paper_of_the_same_title_is_a_question(atlas: Corpus) -> None:
    title = "Deferral without regret: asking a larger model late"
    result = taken(atlas, title=title, authors="Somebody Else", **ELSEWHERE)
    assert "- [ ] `doe2024deferral` has the same title: are these two papers?" in str(result.body)


def test_words_of_strangers_stay_in_code(atlas: Corpus) -> None:
    """Nothing that a stranger wrote may mention people, refer to issues, or make links or images."""
    evil = "@octocat #1 ![x](https://evil.example/p.png) <!-- atlas-upkeep:links -->"
    for message in (
        refused(atlas, identifier=f"{evil} `"),
        refused(atlas, category=evil[:64]),
        refused(atlas, date="@octocat"),
        refused(atlas, "correct-entry", key=evil),
        handle(atlas, Issue("correct-entry", 1, body("correct-entry", correction=evil, source=evil))).message,
        str(taken(atlas, summary=f"``` {evil} ````").body),
    ):
        assert "@octocat" in message
        assert "@octocat" not in without_code(message)
        assert "evil.example" not in without_code(message)


def without_code(text: str) -> str:
    """Markdown without its code blocks and code spans, by CommonMark's rule for their ends."""
    lines, kept, fence = text.splitlines(), [], ""
    for line in lines:
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if not fence and len(ticks) >= 3 and "`" not in line[len(ticks) :]:
            fence = ticks
        elif fence:
            if len(ticks) >= len(fence) and not line[len(ticks) :].strip():
                fence = ""
        else:
            kept.append(_without_spans(line))
    assert not fence
    return "\n".join(kept)


def _without_spans(line: str) -> str:
    kept, place = "", 0
    while place < len(line):
        run = len(line[place:]) - len(line[place:].lstrip("`"))
        if not run:
            kept, place = kept + line[place], place + 1
            continue
        end = place + run
        while end < len(line):
            close = len(line[end:]) - len(line[end:].lstrip("`"))
            if close == run:
                break
            end += max(1, close)
        else:
            return kept + line[place:]
        place = end + run
    return kept


def test_a_group_reaches_the_entry(atlas: Corpus) -> None:
    result = handle(atlas, Issue("add-paper", 12, body(authors="Ada Example\n{Tools and Snails Society, Elm}")))
    assert result.ok
    assert "authors: [Ada Example, {group: 'Tools and Snails Society, Elm'}]" in (result.text or "")


@pytest.fixture
def online(world: Server, monkeypatch: pytest.MonkeyPatch, atlas: Corpus) -> Callable[..., Result]:
    """The form of RouteLLM, handled with the recorded sources."""
    for name in (
        "arxiv",
        "crossref",
        "datacite",
        "acl",
        "openreview",
        "openreview_v1",
        "dblp",
        "semanticscholar",
        "openalex",
    ):
        monkeypatch.setenv(f"ATLAS_{name.upper()}_URL", f"{world.url}/{name}")
    for name, value in (("INTERVAL", "0"), ("FIRST_WAIT", "0.01"), ("TRIES", "2")):
        monkeypatch.setenv(f"ATLAS_HTTP_{name}", value)
    mine = {
        "identifier": "2406.18665",
        "title": "RouteLLM: Learning to Route LLMs with Preference Data",
        "authors": "Isaac Ong",
        "category": "before/discrete-utility",
    }
    return lambda **changes: handle(atlas, Issue("add-paper", 12, body(**{**mine, **changes})), online=True)


def test_sources_complete_the_entry(online: Callable[..., Result]) -> None:
    result = online()
    assert result.ok, result.message
    assert result.path == "papers/2024/ong2024routellm.yml"
    assert "Amjad Almahairi" in str(result.text)
    assert "date: 2024-06-26" in str(result.text)
    assert "the form's authors differs" in str(result.body)


def test_identifier_of_another_paper(online: Callable[..., Result]) -> None:
    result = online(title="Baking Bread", authors="Bea Baker")
    assert not result.ok
    assert "identifier and title are of different papers" in result.message


def test_identifier_that_nobody_knows(online: Callable[..., Result]) -> None:
    result = online(identifier="2406.99999")
    assert not result.ok
    assert "does not know" in result.message


def test_source_that_is_down_is_a_note(online: Callable[..., Result], world: Server) -> None:
    for path in list(world.routes):
        del world.routes[path]
    world.on("/", Reply(status=503))
    result = online()
    assert result.ok, result.message
    assert "could not be asked" in str(result.body)
    assert "authors: [Isaac Ong]" in str(result.text)
