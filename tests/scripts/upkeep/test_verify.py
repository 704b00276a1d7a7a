"""Entries held against their sources, on a local server with all services."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from scripts.model import Corpus
from scripts.model.canonical import canonical
from scripts.model.corpus import Entry
from scripts.upkeep.verify import RULES, Report, verify
from tests.conftest import fields
from tests.scripts.sources import services
from tests.scripts.sources.server import HTML, Reply, Server
from tests.scripts.sources.services import as_json, record, sources

MakeAtlas = Callable[..., Corpus]
TODAY = datetime.date(2026, 12, 1)
ROUTE: dict[str, Any] = fields(
    title="RouteLLM: Learning to Route LLMs with Preference Data",
    authors=record("arxiv.json")["2406.18665"]["authors"],
    date="2024-06-26",
    venue={"name": "ICLR", "year": 2025, "track": "main"},
    ids={"arxiv": "2406.18665"},
    checked=None,
)


def run(corpus: Corpus, server: Server, **options: Any) -> Report:
    return verify(corpus.entries, corpus.root, sources(server), today=TODAY, **options)


def rules(report: Report) -> list[str]:
    return [finding.rule for finding in report.findings]


def changed(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**ROUTE, **changes}.items() if value is not None}


def test_agreement_is_written(make_atlas: MakeAtlas, world: Server) -> None:
    corpus = make_atlas({"ong2024routellm": changed()})
    report = run(corpus, world)
    assert rules(report) == ["verify-identifier-more"]  # OpenReview, which DBLP knows
    assert report.agreed == ["ong2024routellm"]
    paper = Corpus.load(corpus.root).papers["ong2024routellm"]
    assert paper.checked
    assert (paper.checked.date, paper.checked.against) == ("2026-12-01", ["https://arxiv.org/abs/2406.18665"])


def test_nothing_is_written_without_leave(make_atlas: MakeAtlas, world: Server) -> None:
    corpus = make_atlas({"ong2024routellm": changed()})
    before = corpus.entries[0].path.read_text()
    assert run(corpus, world, write=False).agreed == ["ong2024routellm"]
    assert corpus.entries[0].path.read_text() == before


def test_comments_and_other_sources_are_kept(make_atlas: MakeAtlas, world: Server) -> None:
    checked = {"date": "2026-11-22", "against": ["https://openreview.net/forum?id=8sSqNntaMr"]}
    corpus = make_atlas({"ong2024routellm": changed(checked=checked)})
    path = corpus.entries[0].path
    path.write_text(path.read_text().replace("kind: method", "# why\nkind: method  # beside"), encoding="utf-8")
    run(Corpus.load(corpus.root), world)
    text = path.read_text()
    assert "# why\nkind: method  # beside\n" in text
    assert canonical(text) == text
    paper = Corpus.load(corpus.root).papers["ong2024routellm"]
    assert paper.checked
    # the page that a person looked at was not asked today: its date stays
    assert paper.checked.date == "2026-11-22"
    assert paper.checked.against == ["https://arxiv.org/abs/2406.18665", "https://openreview.net/forum?id=8sSqNntaMr"]


@pytest.mark.parametrize(
    ("changes", "rule", "told"),
    [
        (
            {"title": "RouteLLM: Learning to Route Models with Preferences"},
            "verify-title",
            "arXiv has the title 'RouteLLM: Learning to Route LLMs",
        ),
        ({"authors": ROUTE["authors"][:-1]}, "verify-authors", "also names Ion Stoica"),
        ({"authors": [*ROUTE["authors"], "Ann Other"]}, "verify-authors", "does not name Ann Other"),
        ({"authors": ROUTE["authors"][::-1]}, "verify-authors", "has the order Isaac Ong"),
        ({"date": "2024-07-26"}, "verify-date", "first version on 2024-06-26"),
        ({"date": "2024-05"}, "verify-date", "first version on 2024-06-26"),
        ({"date": None}, "verify-date", "no date"),
        ({"venue": {"name": "ICML", "year": 2025}}, "verify-venue", "the venue is ICML 2025; DBLP: ICLR 2025"),
        ({"venue": {"name": "ICLR", "year": 2024}}, "verify-venue", "year is 2024; DBLP says 2025"),
        (
            {"venue": None},
            "verify-published",
            "published since at ICLR 2025 (DBLP, https://dblp.org/rec/conf/iclr/OngAWC0GKS25)",
        ),
        ({"ids": {"arxiv": "2401.99999"}}, "verify-unknown", "does not know 2401.99999"),
        ({"ids": {"arxiv": "2306.02561"}}, "verify-other-paper", "arxiv 2306.02561 is 'LLM-Blender"),
    ],
)
def test_differences(make_atlas: MakeAtlas, world: Server, changes: dict[str, Any], rule: str, told: str) -> None:
    corpus = make_atlas({"ong2024routellm": changed(**changes)})
    before = corpus.entries[0].path.read_text()
    report = run(corpus, world)
    (found,) = (finding for finding in report.findings if finding.rule == rule)
    assert told in found.message
    assert found.text().startswith("papers/2024/ong2024routellm.yml:")
    assert "\n" not in found.text()
    assert report.agreed == []
    assert corpus.entries[0].path.read_text() == before


def test_findings_stand_where_the_value_stands(make_atlas: MakeAtlas, world: Server) -> None:
    corpus = make_atlas({"ong2024routellm": changed(title="RouteLLM: Learning to Route Models with Preferences")})
    (found,) = (finding for finding in run(corpus, world).findings if finding.rule == "verify-title")
    assert corpus.entries[0].text.splitlines()[found.mark.line - 1].startswith("title:")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "ROUTELLM – learning to route LLMs with preference data!"},
        {"authors": ["I. Ong", *ROUTE["authors"][1:]]},
        {"date": "2024-06"},
        {"date": "2024"},
        {"date": "2024-05-01", "notes": "Shown at a workshop in May."},
        {
            "title": "RouteLLM: Learning to Route",
            "notes": "On arXiv 'RouteLLM: Learning to Route LLMs with Preference Data'.",
        },
        {"authors": ROUTE["authors"][:4], "authors_complete": False},
        {"venue": {"name": "International Conference on Learning Representations", "year": 2025}},
        {"venue": {"name": "ICLR"}},
    ],
)
def test_what_is_no_difference(make_atlas: MakeAtlas, world: Server, changes: dict[str, Any]) -> None:
    report = run(make_atlas({"ong2024routellm": changed(**changes)}), world)
    assert report.agreed == ["ong2024routellm"], [finding.text() for finding in report.findings]


def test_all_identifiers_are_asked(make_atlas: MakeAtlas, world: Server) -> None:
    blender = record("arxiv.json")["2306.02561"]
    ids = {"arxiv": "2306.02561", "doi": "10.18653/v1/2023.acl-long.792", "acl": "2023.acl-long.792"}
    entry = fields(
        title=blender["title"], authors=blender["authors"], date="2023-06-05", ids=ids, checked=None,
        venue={"name": "ACL", "year": 2023, "track": "main"},
    )  # fmt: skip
    corpus = make_atlas({"jiang2023llmblender": entry})
    report = run(corpus, world)
    assert report.findings == []
    paper = Corpus.load(corpus.root).papers["jiang2023llmblender"]
    assert paper.checked
    assert paper.checked.against == [
        "https://arxiv.org/abs/2306.02561",
        "https://doi.org/10.18653/v1/2023.acl-long.792",
        "https://aclanthology.org/2023.acl-long.792/",
    ]


def test_a_track_that_the_anthology_denies(make_atlas: MakeAtlas, world: Server) -> None:
    blender = record("arxiv.json")["2306.02561"]
    entry = fields(
        title=blender["title"], authors=blender["authors"], date="2023-06-05", checked=None,
        ids={"acl": "2023.acl-long.792"}, venue={"name": "ACL", "year": 2023, "track": "findings"},
    )  # fmt: skip
    report = run(make_atlas({"jiang2023llmblender": entry}), world)
    assert "verify-venue" in rules(report)


def test_one_title_with_other_authors_proves_nothing(make_atlas: MakeAtlas, world: Server) -> None:
    """DBLP's ICLR paper has this title; nobody of the entry wrote it."""
    entry = changed(authors=["Jane Doe"], ids=None, venue=None)
    report = run(make_atlas({"doe2024routellm": entry}), world)
    assert report.findings == []
    assert report.agreed == []  # nothing was held against anything


PUBLISHED = "RouteLLM: Learning to Route LLMs from Preference Data"
NOBODY: dict[str, Any] = {
    "title": "A Preprint of Nobody Else", "authors": ["Søren Ørsted", "Łucja Müller"], "date": "2024-01-01",
    "ids": {"arxiv": "2401.00001"}, "venue": None,
}  # fmt: skip
BOTH = {"arxiv": "2406.18665", "openreview": "8sSqNntaMr"}


@pytest.mark.parametrize(
    "changes",
    [
        # OpenReview is asked by the entry's own identifier, or by the version's address; DBLP is asked by title
        {"ids": BOTH, "versions": [{"of": "publication", "title": PUBLISHED}]},
        {
            "versions": [
                {"of": "publication", "title": PUBLISHED, "source": "https://openreview.net/forum?id=8sSqNntaMr"}
            ]
        },
        {"versions": [{"of": "publication", "title": PUBLISHED}]},
        {"ids": BOTH, "title": PUBLISHED, "versions": [{"of": "preprint", "title": ROUTE["title"]}]},
        # what only figures tell has no source of metadata
        {"versions": [{"of": "publication", "figures": "3.66 times"}]},
        # arXiv's first, second and newest version
        {**NOBODY, "versions": [{"of": "preprint", "title": "On Preprints of Nobody", "authors": ["Søren Ørsted"]}]},
        {**NOBODY, "versions": [{"of": "revision", "title": "A Preprint of Nobody Else at All"}]},
        {
            **NOBODY,
            "title": "On Preprints of Nobody",
            "authors": ["Søren Ørsted"],
            "versions": [{"of": "revision", "title": NOBODY["title"], "authors": NOBODY["authors"]}],
        },
    ],
)
def test_each_version_agrees_with_its_own_source(
    make_atlas: MakeAtlas, world: Server, changes: dict[str, Any]
) -> None:
    report = run(make_atlas({"doe2024x": changed(**changes)}), world)
    assert report.agreed == ["doe2024x"], [finding.text() for finding in report.findings]
    assert {finding.rule for finding in report.findings} <= {"verify-identifier-more"}


@pytest.mark.parametrize(
    ("changes", "rule", "line", "told"),
    [
        (
            {"ids": BOTH, "versions": [{"of": "publication", "title": PUBLISHED.replace("from", "by")}]},
            "verify-version", "  title: ", f"no publication has the title '{PUBLISHED.replace('from', 'by')}'",
        ),
        (
            {"ids": BOTH, "versions": [{"of": "publication", "title": PUBLISHED, "authors": ["Ion Stoica"]}]},
            "verify-version", "  authors:", "OpenReview names the authors Isaac Ong",
        ),
        # the entry's own title is nobody's: each source shows another version
        (
            {"title": "RouteLLM: Learning", "ids": BOTH, "versions": [
                {"of": "publication", "title": PUBLISHED}, {"of": "preprint", "title": ROUTE["title"]}]},
            "verify-title", "title: ", "no source has this title",
        ),
        (
            {**NOBODY, "versions": [{"of": "preprint", "title": "On Preprints of Everybody"}]},
            "verify-version", "  title: ", "arXiv: 'On Preprints of Nobody'",
        ),
        (
            {**NOBODY, "versions": [{"of": "preprint", "title": "On Preprints of Nobody"}]},
            "verify-version", "- of: ", "arXiv names the authors Søren Ørsted",
        ),
        (
            {"versions": [{"of": "workshop", "title": "Routes", "source": "https://openreview.net/forum?id=Rejected01"}]},
            "verify-other-paper", "  source: ", "openreview Rejected01 is 'An Unlucky Router' by Jane Doe",
        ),
    ],
)  # fmt: skip
def test_a_version_that_its_source_denies(
    make_atlas: MakeAtlas, world: Server, changes: dict[str, Any], rule: str, line: str, told: str
) -> None:
    corpus = make_atlas({"doe2024x": changed(**changes)})
    report = run(corpus, world)
    (found,) = (finding for finding in report.findings if finding.rule == rule)
    assert told in found.message
    assert corpus.entries[0].text.splitlines()[found.mark.line - 1].startswith(line)
    assert report.agreed == []


def test_titles_that_are_exchanged(make_atlas: MakeAtlas, world: Server) -> None:
    """The Anthology, where the paper is published, has what the entry says is the preprint's title."""
    blender = record("arxiv.json")["2306.02561"]
    entry = fields(
        title="Ranking and Fusing Large Language Models: LLM-Blender", authors=blender["authors"], date="2023-06-05",
        ids={"arxiv": "2306.02561", "acl": "2023.acl-long.792"}, venue={"name": "ACL", "year": 2023, "track": "main"},
        versions=[{"of": "preprint", "title": blender["title"]}], checked=None,
    )  # fmt: skip
    report = run(make_atlas({"jiang2023llmblender": entry}), world)
    assert "where it is published, has the preprint's title" in report.findings[-1].message
    assert report.agreed == []


def test_a_version_without_a_source_is_told_and_leaves_the_rest_checked(make_atlas: MakeAtlas, world: Server) -> None:
    entry = changed(versions=[{"of": "workshop", "title": "Routing"}])
    report = run(make_atlas({"ong2024routellm": entry}), world)
    assert "no source of the workshop could be asked" in "".join(finding.message for finding in report.findings)
    assert report.agreed == ["ong2024routellm"]


def test_arxiv_that_fails_on_earlier_versions(make_atlas: MakeAtlas, world: Server) -> None:
    answer = services.arxiv
    world.on("/arxiv/api/query", lambda r: Reply(b"", "text/plain", 500) if "v1" in r.query["id_list"] else answer(r))
    entry = {**NOBODY, "versions": [{"of": "revision", "title": "A Preprint of Nobody Else at All"}]}
    report = run(make_atlas({"doe2024x": changed(**entry)}), world)
    assert "verify-source" in rules(report)
    assert (report.unasked, report.agreed) == (["doe2024x"], [])


DOWN = {
    "500": Reply(b"", "text/plain", 500),
    "429": Reply(b"Rate exceeded.", "text/plain", 429, {"Retry-After": "100000"}),
    "cut": Reply(b"<feed>" * 100, fault="cut"),
    "html": Reply(b"<html>log in</html>", HTML),
    "nonsense": as_json({"surprise": []}),
}


@pytest.mark.parametrize("fault", DOWN)
def test_a_source_that_is_down_is_a_note(make_atlas: MakeAtlas, world: Server, fault: str) -> None:
    corpus = make_atlas({"ong2024routellm": changed()})
    before = corpus.entries[0].path.read_text()
    world.on("/arxiv/api/query", DOWN[fault])
    report = run(corpus, world)
    assert [finding.level for finding in report.findings if finding.rule == "verify-source"] == ["info"]
    assert report.unasked == ["ong2024routellm"]
    assert report.agreed == []
    assert corpus.entries[0].path.read_text() == before


@pytest.mark.parametrize("fault", DOWN)
def test_second_opinions_that_are_down(make_atlas: MakeAtlas, world: Server, fault: str) -> None:
    world.on("/dblp/search/publ/api", DOWN[fault])
    report = run(make_atlas({"ong2024routellm": changed()}), world)
    assert report.agreed == ["ong2024routellm"]
    assert list(report.down) == ([] if fault == "nonsense" else ["127.0.0.1"])


def test_everything_down(make_atlas: MakeAtlas, server: Server) -> None:
    server.on("/", Reply(b"", "text/plain", 503))
    corpus = make_atlas(
        {f"doe2024x{n}": changed(title=f"Title {n} {'x' * n}", ids={"arxiv": f"2406.0000{n}"}) for n in range(5)}
    )
    report = run(corpus, server)
    assert {finding.level for finding in report.findings} == {"info"}
    assert len(server.log) <= 8  # the host is left alone once it is known to be down


def test_arxiv_is_asked_once_for_all(make_atlas: MakeAtlas, world: Server) -> None:
    entries = {f"doe2024x{n}": changed(title=f"T{n}", ids={"arxiv": f"2406.0000{n}"}) for n in range(9)}
    run(make_atlas(entries), world)
    assert len(world.asked("/arxiv")) >= 1
    assert len(world.asked("/arxiv")[0].query["id_list"].split(",")) == 9


def test_unreadable_and_malformed_entries(make_atlas: MakeAtlas, world: Server) -> None:
    corpus = make_atlas(
        {"doe2024bad": b"title: [", "doe2024ids": changed(ids={"doi": "10.1/../../x?y", "arxiv": "x"})}
    )
    report = run(corpus, world)
    assert report.held == 1
    assert report.unasked == ["doe2024ids"]
    assert all(".." not in request.path for request in world.log)


def test_sources_cannot_write_to_the_terminal(make_atlas: MakeAtlas, world: Server) -> None:
    evil = record("crossref.json")["10.1234/journal.7"]
    evil["message"]["title"] = ["Evil \x1b[31m\n::error::title\u202e " + "x" * 10]
    world.on("/crossref/works/", as_json(evil))
    report = run(make_atlas({"doe2024x": changed(ids={"doi": "10.1234/journal.7"})}), world)
    assert report.findings
    for finding in report.findings:
        assert finding.text().isprintable()


def test_every_rule_has_a_reason() -> None:
    assert all(level in ("error", "warning", "info") and reason.endswith(".") for level, reason in RULES.values())


def test_entry_of_another_folder(make_atlas: MakeAtlas, world: Server) -> None:
    corpus = make_atlas({"ong2024routellm": changed(date="2024-07-01")})
    report = verify([Entry.read(corpus.entries[0].path)], corpus.root / "elsewhere", sources(world), today=TODAY)
    assert report.findings[0].file.endswith("ong2024routellm.yml")
