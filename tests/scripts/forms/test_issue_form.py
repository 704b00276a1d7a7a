"""Forms as GitHub renders them, from friendly and from hostile hands."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts import issue_form
from scripts.checks import validate
from scripts.checks.findings import Level
from scripts.issue_form import (
    FORMS,
    FormError,
    Issue,
    WrongUseError,
    apply,
    find_key,
    handle,
    parse_form,
    people,
    read_event,
    write,
)
from scripts.model import Corpus
from scripts.model.names import GroupName
from tests.conftest import ROOT, MakeAtlas, fields
from tests.scripts.sources.server import Reply, Server

PAPER = {
    "identifier": "https://arxiv.org/abs/2601.01234v2",
    "title": "LateBird: Asking Models One After the Other",
    "authors": "Ada Example\nBo Sample",
    "date": "",
    "category": "after/cascade",
    "code": "",
    "summary": "",
}
CORRECTION = {
    "key": "doe2024deferral",
    "correction": "The date is 2024-06-25.",
    "source": "https://arxiv.org/abs/2406.1",
}


def body(kind: str = "add-paper", **changes: str) -> str:
    """A form's text as GitHub renders it."""
    answers = {**(PAPER if kind == "add-paper" else CORRECTION), **changes}
    return "\n\n".join(
        f"### {field.label}\n\n{answers[name] or '_No response_'}" for name, field in FORMS[kind].items()
    )


@pytest.fixture
def atlas(make_atlas: MakeAtlas) -> Corpus:
    return make_atlas({"doe2024deferral": fields(name="Deferral", ids={"arxiv": "2406.00001"})})


def taken(atlas: Corpus, **changes: str) -> issue_form.Result:
    result = handle(atlas, Issue("add-paper", 12, body(**changes)))
    assert result.ok, result.message
    return result


def refused(atlas: Corpus, kind: str = "add-paper", **changes: str) -> str:
    result = handle(atlas, Issue(kind, 12, body(kind, **changes)))
    assert not result.ok
    assert (result.path, result.text, result.body) == (None, None, None)
    return result.message


# --- the form and its reader ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(FORMS))
def test_labels_are_those_of_the_form(kind: str) -> None:
    """The reader knows every field of the form by its label, in order, and which ones are required."""
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{kind}.yml").read_text(encoding="utf-8"))
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert [part["id"] for part in asked] == list(FORMS[kind])
    for part, field in zip(asked, FORMS[kind].values(), strict=True):
        assert part["attributes"]["label"] == field.label
        assert part.get("validations", {}).get("required", False) == field.required
        if part["type"] == "textarea":
            assert field.lines
    assert form["labels"] == [kind]


def test_categories_of_the_form_are_those_of_the_taxonomy(corpus: Corpus) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "add-paper.yml").read_text(encoding="utf-8"))
    options = next(part for part in form["body"] if part.get("id") == "category")["attributes"]["options"]
    assert options == [*(full_id for full_id, _, _ in corpus.taxonomy), issue_form.NO_CATEGORY]


def test_parse_form() -> None:
    found = parse_form(body(summary="One.\n\n### Not a label\n\nTwo."), "add-paper")
    assert found == {**PAPER, "summary": "One.\n\n### Not a label\n\nTwo."}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(end: str) -> None:
    assert parse_form(body().replace("\n", end), "add-paper") == PAPER


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not the text of the form"),
        ("Hello, please add my paper!", "not the text of the form"),
        (body() + "\n\n### Title\n\nAnother", "stands twice"),
        (body(title=""), "`Title` is empty"),
        (body(title="   "), "`Title` is empty"),
        (body(title="x" * 501), "`Title` has 501 characters"),
        (body(title="a\nb"), "`Title` has several lines"),
        (body(title="a\x00b"), "invisible character U+0000"),
        (body(title="a\x1b[31mb"), "invisible character U+001B"),
        (body(title="a\u202eb"), "invisible character U+202E"),
        (body(title="a\u200bb"), "invisible character U+200B"),
        (body(title="a\ud800b"), "invisible character U+D800"),
        (body(summary="a\u2066b"), "invisible character U+2066"),
        ("x" * 65_537, "more than 65,536 characters"),
    ],
)
def test_forms_that_are_none(text: str, why: str) -> None:
    with pytest.raises(FormError, match=why.replace("+", r"\+")):
        parse_form(text, "add-paper")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(FormError) as caught:
        parse_form(body(title="", identifier="x" * 501, authors="\x07"), "add-paper")
    assert len(caught.value.faults) == 3


@given(st.text(max_size=300))
def test_reader_never_fails_otherwise(text: str) -> None:
    for kind in FORMS:
        for form in (text, body(kind) + text, text + body(kind)):
            try:
                found = parse_form(form, kind)
            except FormError:
                continue
            else:
                assert set(found) == set(FORMS[kind])


def test_reader_is_quick() -> None:
    hostile = ("### Title\n" + "#" * 2000 + "\n`" * 5000)[:65_000]
    began = time.monotonic()
    for text in (hostile, "### Identifier\n" + "\u200b" * 60_000, "\r" * 65_000):
        with pytest.raises(FormError):
            parse_form(text, "add-paper")
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Example\nBo Sample", ["Ada Example", "Bo Sample"]),
        ("- Ada Example\n* Bo Sample\n\n", ["Ada Example", "Bo Sample"]),
        ("1. Ada Example\n2) Bo Sample", ["Ada Example", "Bo Sample"]),
        ("Ada Example,\nBo   Sample;", ["Ada Example", "Bo Sample"]),
        ("Ada Example, Bo Sample and Cy Third", ["Ada Example", "Bo Sample", "Cy Third"]),
        ("Example, Ada", ["Example, Ada"]),  # one person; the entry's rule says how to write it
        ("李明", ["李明"]),
        ("Ada Example\n{Tools and Snails Society, Elm}", ["Ada Example", GroupName("Tools and Snails Society, Elm")]),
        ("{group: 'Tools and Snails'}", [GroupName("Tools and Snails")]),
        ("Ada {Example}", ["Ada {Example}"]),
    ],
)
def test_people(text: str, names: list[str]) -> None:
    assert people(text) == names
    assert list(map(type, people(text))) == list(map(type, names))


def test_a_group_reaches_the_entry(atlas: Corpus) -> None:
    result = handle(atlas, Issue("add-paper", 12, body(authors="Ada Example\n{Tools and Snails Society, Elm}")))
    assert result.ok
    assert "authors: [Ada Example, {group: 'Tools and Snails Society, Elm'}]" in (result.text or "")


# --- a paper ----------------------------------------------------------------------------------------------------


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


# --- a correction -----------------------------------------------------------------------------------------------


def test_correction_is_a_note(atlas: Corpus) -> None:
    before = atlas.entries[0].path.read_bytes()
    result = handle(atlas, Issue("correct-entry", 12, body("correct-entry")))
    assert (result.ok, result.key, result.path) == (True, "doe2024deferral", None)
    assert "title: 'Deferral Without Regret" in result.message
    assert "date: 2024-06-26" in result.message
    assert "The date is 2024-06-25." in result.message
    assert "Source: <https://arxiv.org/abs/2406.1>" in result.message
    assert atlas.entries[0].path.read_bytes() == before


def test_correction_without_an_address(atlas: Corpus) -> None:
    result = handle(atlas, Issue("correct-entry", 12, body("correct-entry", source="I know it")))
    assert "That is no address" in result.message


@pytest.mark.parametrize(
    "text",
    ["doe2024deferral", " DOE2024deferral ", "https://atlas.example/papers/doe2024deferral/", "doe2024deferral.yml",
     "papers/2024/doe2024deferral.yml", "https://atlas.example/papers/doe2024deferral/#cite", "arXiv:2406.00001",
     "https://arxiv.org/abs/2406.00001v3", "deferral"],
)  # fmt: skip
def test_key_is_found(atlas: Corpus, text: str) -> None:
    assert find_key(atlas, text) == "doe2024deferral"


def test_near_key_is_named(atlas: Corpus) -> None:
    assert "did you mean `doe2024deferral`?" in refused(atlas, "correct-entry", key="doe2024deferal")
    assert "stands in the address" in refused(atlas, "correct-entry", key="zzz")


# --- with the sources -------------------------------------------------------------------------------------------


@pytest.fixture
def online(world: Server, monkeypatch: pytest.MonkeyPatch, atlas: Corpus) -> Callable[..., issue_form.Result]:
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


def test_sources_complete_the_entry(online: Callable[..., issue_form.Result]) -> None:
    result = online()
    assert result.ok, result.message
    assert result.path == "papers/2024/ong2024routellm.yml"
    assert "Amjad Almahairi" in str(result.text)
    assert "date: 2024-06-26" in str(result.text)
    assert "the form's authors differs" in str(result.body)


def test_identifier_of_another_paper(online: Callable[..., issue_form.Result]) -> None:
    result = online(title="Baking Bread", authors="Bea Baker")
    assert not result.ok
    assert "identifier and title are of different papers" in result.message


def test_identifier_that_nobody_knows(online: Callable[..., issue_form.Result]) -> None:
    result = online(identifier="2406.99999")
    assert not result.ok
    assert "does not know" in result.message


def test_source_that_is_down_is_a_note(online: Callable[..., issue_form.Result], world: Server) -> None:
    for path in list(world.routes):
        del world.routes[path]
    world.on("/", Reply(status=503))
    result = online()
    assert result.ok, result.message
    assert "could not be asked" in str(result.body)
    assert "authors: [Isaac Ong]" in str(result.text)


# --- the event, the hand-over, the command ----------------------------------------------------------------------


def event(**changes: Any) -> dict[str, Any]:
    issue = {"number": 12, "body": body(), "labels": [{"name": "add-paper"}, {"name": "accepted"}], **changes}
    return {"action": "labeled", "issue": issue, "label": {"name": "accepted"}, "sender": {"login": "maintainer"}}


def as_file(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "event.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_event(tmp_path: Path) -> None:
    assert read_event(as_file(tmp_path, event())) == Issue("add-paper", 12, body())
    assert read_event(as_file(tmp_path, event(body=None))).body == ""


@pytest.mark.parametrize(
    "value",
    ["", "{", "[]", "{}", "[" * 100_000, {"issue": {}}, {"issue": {"number": 1, "body": "x", "labels": "add-paper"}},
     event(number="12; rm -rf /"), event(number=True), event(number=0), event(number=-3), event(body=["x"]),
     event(labels=[]), event(labels=[{"name": "bug"}]), event(labels=[{"name": kind} for kind in FORMS]),
     "x" * (1024 * 1024 + 1)],
)  # fmt: skip
def test_events_that_are_none(tmp_path: Path, value: object) -> None:
    with pytest.raises(WrongUseError):
        read_event(as_file(tmp_path, value))


def hand_over(atlas: Corpus, out: Path) -> issue_form.Result:
    result = taken(atlas)
    write(result, out)
    return result


def test_hand_over(atlas: Corpus, tmp_path: Path) -> None:
    result = hand_over(atlas, tmp_path)
    assert json.loads((tmp_path / "result.json").read_text()) == {
        "kind": "add-paper",
        "number": 12,
        "ok": True,
        "key": "example2026latebird",
        "duplicate": None,
        "message": "message.md",
        "branch": "issue-form/12",
        "title": "Add example2026latebird (#12)",
        "body": "body.md",
        "files": ["papers/2026/example2026latebird.yml"],
    }
    assert apply(atlas, tmp_path) == result.path
    written = atlas.root / str(result.path)
    assert written.read_text() == result.text
    again = Corpus.load(atlas.root)
    assert not [f for f in validate(again, [written]) if f.level is Level.ERROR]
    with pytest.raises(WrongUseError, match="is here already"):
        apply(again, tmp_path)


def change(**changes: Any) -> Callable[[Path], None]:
    def make(out: Path) -> None:
        told = json.loads((out / "result.json").read_text())
        (out / "result.json").write_text(json.dumps({**told, **changes}))

    return make


def entry_file(text: str | bytes) -> Callable[[Path], None]:
    def make(out: Path) -> None:
        path = out / "files" / "papers" / "2026" / "example2026latebird.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return make


def linked(out: Path) -> None:
    path = out / "files" / "papers" / "2026" / "example2026latebird.yml"
    path.unlink()
    path.symlink_to("/etc/passwd")


def device(out: Path) -> None:
    path = out / "files" / "papers" / "2026" / "example2026latebird.yml"
    path.unlink()
    os.mkfifo(path)
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize(
    "spoil",
    [
        change(files=["papers/2026/../../.github/workflows/evil.yml"]),
        change(files=["/etc/passwd"]),
        change(files=[".github/workflows/check.yml"]),
        change(files=["papers/2026/example2026latebird.yml\n"]),
        change(files=["papers/2025/example2026latebird.yml"]),
        change(files=["papers/2026/example2026latebird.yml", "scripts/cli/entries.py"]),
        change(files=[]),
        change(files="papers/2026/example2026latebird.yml"),
        change(branch="main"),
        change(title="$(id)"),
        change(number="12"),
        change(ok="yes"),
        change(kind="correct-entry"),
        lambda out: (out / "result.json").write_text("{"),
        lambda out: (out / "result.json").unlink(),
        linked,
        device,
        entry_file("x" * 70_000),
        entry_file(b"\xff\xfe"),
        entry_file("&a [*a, *a]"),
        entry_file("title: T\nkind: method\ncategories: [after/cascade]\nlinks: {project: 'javascript:alert(1)'}\n"),
        entry_file("title: <img src=x onerror=alert(1)>\nkind: method\ncategories: [after/cascade]\n"),
    ],
)
def test_hand_over_is_not_trusted(atlas: Corpus, tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    hand_over(atlas, tmp_path / "out")
    spoil(tmp_path / "out")
    before = sorted(path for path in atlas.root.rglob("*") if path.is_file())
    with pytest.raises(WrongUseError):
        apply(atlas, tmp_path / "out")
    assert sorted(path for path in atlas.root.rglob("*") if path.is_file()) == before


def test_command(
    atlas: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATLAS_ROOT", str(atlas.root))

    def run(*words: str | Path) -> tuple[int, str]:
        status = issue_form.main([*map(str, words)])
        told = capsys.readouterr()
        # a job that prints '::' at the start of a line gives the runner a command
        assert not [line for line in (told.out + told.err).splitlines() if line.startswith("::")]
        return status, told.out

    evil = tmp_path / "evil.md"
    evil.write_text(body(identifier="::error::x", title="\n::stop-commands::x"))
    out = tmp_path / "out"
    assert run("--event", as_file(tmp_path, event()), "--out", out) == (0, "ok: add-paper #12 example2026latebird\n")
    asked = ("--body", evil, "--kind", "add-paper", "--out", tmp_path / "out2")
    assert run(*asked) == (1, "refused: add-paper #1 \n")
    assert run("--event", as_file(tmp_path, "{"), "--out", out) == (2, "")
    assert run("--apply", out) == (0, "papers/2026/example2026latebird.yml\n")
    assert run("--apply", out) == (2, "")
    for words in ([], ["--body", str(evil), "--out", str(out)], ["--event", str(evil)]):
        with pytest.raises(SystemExit, match="2"):
            issue_form.main(words)


def test_command_as_the_workflow_starts_it(atlas: Corpus, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.issue_form", "--event", as_file(tmp_path, "{"), "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "ATLAS_ROOT": str(atlas.root)},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no event of an issue" in done.stderr
    assert "Traceback" not in done.stderr
