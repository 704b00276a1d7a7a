"""Each service's own shapes, brought into one form."""

from __future__ import annotations

import contextlib

import pytest

from scripts.model.paper import Venue
from scripts.sources import NotFoundError, SourceDownError, SourceError, xml
from scripts.sources.arxiv import told_venue
from scripts.sources.metadata import clean
from tests.scripts.sources.server import ATOM, Reply, Server
from tests.scripts.sources.services import as_json, record, sources

ROUTE = "RouteLLM: Learning to Route LLMs with Preference Data"
BLENDER = "LLM-Blender: Ensembling Large Language Models with Pairwise Ranking and Generative Fusion"


def test_arxiv(world: Server) -> None:
    found = sources(world).arxiv.fetch("2406.18665")
    assert found.title == ROUTE  # arXiv breaks titles over lines
    assert found.authors[0] == "Isaac Ong"
    assert len(found.authors) == 8
    assert (found.date, found.first) == ("2024-06-26", True)
    assert found.venue is None
    assert found.ids == {"arxiv": "2406.18665"}  # without the version
    assert found.address == "https://arxiv.org/abs/2406.18665"
    assert found.links == {"code": "https://github.com/lm-sys/RouteLLM"}


def test_arxiv_comment_names_the_venue(world: Server) -> None:
    found = sources(world).arxiv.fetch("2306.02561")
    assert found.venue == Venue(name="ACL", year=2023)
    assert not found.venue_year_sure
    assert sources(world).arxiv.fetch("2401.00001").venue is None  # only submitted


@pytest.mark.parametrize(
    ("remark", "venue"),
    [
        ("Published as a conference paper at ICLR 2025", Venue(name="ICLR", year=2025)),
        ("To appear in Findings of EMNLP'24", Venue(name="EMNLP", year=2024, track="findings")),
        (
            "NeurIPS 2024 Datasets and Benchmarks, poster",
            Venue(name="NeurIPS", year=2024, track="datasets-and-benchmarks"),
        ),
        ("Under review at ICML 2025", None),
        ("Accepted at the ICML 2024 workshop on things", None),
        ("21 pages, 5 figures", None),
        ("Accepted by a journal nobody knows", None),
        ("ICLR 2025", None),
    ],
)
def test_remarks_on_arxiv(remark: str, venue: Venue | None) -> None:
    assert told_venue(remark, sure=False) == venue


def test_arxiv_many_at_once(world: Server) -> None:
    asked = sources(world)
    asked.arxiv.prefetch(["2406.18665", "2306.02561", "2401.99999"])
    assert asked.arxiv.fetch("2306.02561").title == BLENDER
    assert len(world.log) == 1
    with pytest.raises(NotFoundError):
        asked.arxiv.fetch("2401.99999")


def test_arxiv_error_with_status_200(world: Server) -> None:
    with pytest.raises(SourceDownError, match="incorrect id format"):
        sources(world).arxiv.fetch("?")


def test_arxiv_throttles_in_plain_text(server: Server) -> None:
    server.on("/arxiv", Reply(b"Rate exceeded.", "text/plain"))
    with pytest.raises(SourceDownError, match="text/plain in place of"):
        sources(server).arxiv.fetch("2406.18665")


BOMB = b"""<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><feed>&d;</feed>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]><feed>&x;</feed>"""


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        EXTERNAL,
        b'<!DOCTYPE feed SYSTEM "http://127.0.0.1/x.dtd"><feed/>',
        b"<feed>&nbsp;</feed>",
        b"",
        b"<feed>",
        b"<a>" * 5000 + b"</a>" * 5000,
        b"<?xml version='1.0' encoding='UTF-8'?><feed>M\xfcller</feed>",
        b"<rss/>",
        b"\x00",
    ],
    ids=["bomb", "external", "dtd", "entity", "empty", "half", "deep", "latin-1", "no feed", "nul"],
)
def test_arxiv_xml_of_strangers(server: Server, body: bytes) -> None:
    server.on("/arxiv", Reply(body, ATOM))
    with pytest.raises(SourceDownError):
        sources(server).arxiv.fetch("2406.18665")


def test_xml_in_another_declared_encoding() -> None:
    assert xml.parse("<?xml version='1.0' encoding='ISO-8859-1'?><a>Müller</a>".encode("latin-1")).text == "Müller"


def test_crossref(world: Server) -> None:
    found = sources(world).crossref.fetch("10.18653/v1/2023.acl-long.792")
    assert found.title == BLENDER  # without the markup
    assert found.authors == ("Dongfu Jiang", "Xiang Ren", "Bill Yuchen Lin")
    assert (found.date, found.first) == ("2023", False)
    assert found.venue == Venue(name="ACL", year=2023, track="main")


def test_crossref_journal_and_preprint(world: Server) -> None:
    asked = sources(world, contact="a@example.org")
    found = asked.crossref.fetch("10.1234/journal.7")
    assert found.title == "Voting & agreement: a study of committees"
    assert found.authors == ("Anna Muster Jr.", "The Committee Consortium")
    assert found.date == "2025-03-07"
    assert found.venue == Venue(name="Journal of Artificial Committees", year=2025, track="journal")
    assert asked.crossref.fetch("10.1101/2024.05.05.592000").venue is None
    assert world.log[0].query == {"mailto": "a@example.org"}


def test_datacite(world: Server) -> None:
    asked = sources(world)
    found = asked.datacite.fetch("10.48550/arxiv.2406.18665")
    assert (found.title, found.authors) == (ROUTE, ("Isaac Ong", "Amjad Almahairi"))
    assert (found.date, found.first) == ("2024-06-26", True)
    assert found.ids == {"arxiv": "2406.18665"}
    tool = asked.datacite.fetch("10.5281/zenodo.1234567")
    assert tool.authors == ("Jane Doe", "Ensemble, Inc.")
    assert (tool.date, tool.first) == ("2025-01-02", False)


def test_doi_is_asked_where_it_was_given_out(world: Server) -> None:
    asked = sources(world)
    assert asked.fetch("doi", "10.5281/zenodo.1234567").source == "DataCite"
    assert asked.fetch("doi", "10.18653/v1/2023.acl-long.792").source == "Crossref"
    with pytest.raises(NotFoundError):
        asked.fetch("doi", "10.9999/nothing")
    assert [request.path.split("/")[1] for request in world.log[-2:]] == ["crossref", "datacite"]


def test_acl(world: Server) -> None:
    found = sources(world).fetch("acl", "2023.acl-long.792")
    assert found.title == BLENDER
    assert found.authors == ("Dongfu Jiang", "Xiang Ren", "Bill Yuchen Lin")
    assert found.venue == Venue(name="ACL", year=2023, track="main")
    assert found.ids == {"doi": "10.18653/v1/2023.acl-long.792", "acl": "2023.acl-long.792"}
    assert found.date == "2023-07"
    with pytest.raises(NotFoundError):
        sources(world).fetch("acl", "2023.acl-long.9999")


@pytest.mark.parametrize(
    "body", [b"", b"@inproceedings{x, title = {Half", "@misc{x, title={Müller}}".encode("latin-1")]
)
def test_acl_unusable(server: Server, body: bytes) -> None:
    server.on("/acl", Reply(body, "text/x-bibtex"))
    with pytest.raises(SourceDownError):
        sources(server).fetch("acl", "2023.acl-long.792")


def test_openreview(world: Server) -> None:
    asked = sources(world)
    found = asked.fetch("openreview", "8sSqNntaMr")
    assert found.title == "RouteLLM: Learning to Route LLMs from Preference Data"
    assert found.venue == Venue(name="ICLR", year=2025, track="main")
    assert (found.date, found.first) == ("2024-10-04", False)
    assert asked.fetch("openreview", "Rejected01").venue is None


def test_openreview_of_before_2023(world: Server) -> None:
    asked = sources(world)
    found = asked.fetch("openreview", "OldNote123")
    assert (found.title, found.venue) == ("An Old Ensemble", Venue(name="ICLR", year=2022, track="main"))
    assert [request.path.split("/")[1] for request in world.log] == ["openreview", "openreview_v1"]
    with pytest.raises(NotFoundError):
        asked.fetch("openreview", "Nobody0000")


@pytest.mark.parametrize(
    ("name", "venue_id", "venue"),
    [
        ("NeurIPS 2024 poster", "NeurIPS.cc/2024/Conference", Venue(name="NeurIPS", year=2024, track="main")),
        (
            "NeurIPS 2025 Datasets and Benchmarks Track poster",
            "NeurIPS.cc/2025/Datasets_and_Benchmarks_Track",
            Venue(name="NeurIPS", year=2025, track="datasets-and-benchmarks"),
        ),
        ("Accepted by TMLR", "TMLR", Venue(name="TMLR", track="journal")),
        ("ICLR 2025 Conference Withdrawn Submission", "ICLR.cc/2025/Conference/Withdrawn_Submission", None),
        ("Under review for TMLR", "TMLR/Under_Review", None),
        ("CoRR 2024", "dblp.org/journals/CORR/2024", None),
    ],
)
def test_openreview_venues(server: Server, name: str, venue_id: str, venue: Venue | None) -> None:
    note = record("openreview.json")["8sSqNntaMr"]
    note["content"] |= {"venue": {"value": name}, "venueid": {"value": venue_id}}
    server.on("/openreview/notes", as_json({"notes": [note], "count": 1}))
    assert sources(server).fetch("openreview", "8sSqNntaMr").venue == venue


def test_dblp(world: Server) -> None:
    found = sources(world).dblp.search(ROUTE)
    assert [record.venue for record in found] == [
        Venue(name="ICLR", year=2025),
        Venue(name="Some Book", year=2026),
        None,
    ]
    published, book, preprint = found
    assert published.title == "RouteLLM: Learning to Route LLMs from Preference Data"  # without the full stop
    assert published.authors[4] == "Tianhao Wu"  # without the number
    assert published.ids == {"openreview": "8sSqNntaMr"}
    assert preprint.ids == {"arxiv": "2406.18665"}
    assert book.authors == ("Somebody Else",)
    assert book.title.endswith("& Luck")


def test_dblp_finds_nothing(world: Server) -> None:
    assert sources(world).dblp.search("zzz: a | $title?") == []
    assert world.log[0].query["q"] == "zzz a title"  # no operators of the search


def test_semantic_scholar(world: Server) -> None:
    found = sources(world, semanticscholar_key="k").semanticscholar.fetch("2406.18665", "arxiv")
    assert found.venue == Venue(name="ICLR", year=2024)
    assert not found.venue_year_sure
    assert found.ids["arxiv"] == "2406.18665"
    assert world.log[0].headers["x-api-key"] == "k"


def test_openalex(world: Server) -> None:
    asked = sources(world)
    found = asked.openalex.fetch("10.48550/arXiv.2406.18665")
    assert (found.venue, found.ids) == (None, {"arxiv": "2406.18665"})
    journal = asked.openalex.fetch("10.1234/journal.7")
    assert journal.venue == Venue(name="Journal of Artificial Committees", year=2025, track="journal")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        7,
        "text",
        {"message": []},
        {"message": {"title": [7]}},
        {"data": {"attributes": []}},
        {"notes": 5},
        {"notes": [[]]},
        {"notes": [{"content": 3}]},
        {"result": {"hits": {"hit": [1, {"info": 2}]}}},
        {"title": {"a": 1}, "authors": [3, None]},
        {"results": [None]},
        {"title": "x", "authors": {"a": 1}, "externalIds": 2},
    ],
)
def test_any_json_at_all(server: Server, answer: object) -> None:
    """Whatever a service answers, a client gives metadata, or says that it is down or does not know."""
    server.on("/", as_json(answer))
    asked = sources(server)
    for kind, identifier in (("doi", "10.1/x"), ("openreview", "8sSqNntaMr"), ("s2", "0" * 40), ("doi", "10.5281/x")):
        with contextlib.suppress(SourceError):
            assert asked.fetch(kind, identifier).title
    for search in (asked.dblp.search, asked.openalex.search):
        with contextlib.suppress(SourceError):
            search("x")


def test_opinions_agree_in_title_and_authors(world: Server) -> None:
    asked = sources(world)
    found = list(asked.opinions(ROUTE, ["Isaac Ong", "Ion Stoica"], {"arxiv": "2406.18665"}))
    assert [getattr(record, "source", record) for record in found] == ["DBLP", "DBLP", "Semantic Scholar", "OpenAlex"]
    assert list(asked.opinions(ROUTE, ["Nobody Known"], {"arxiv": "2406.18665"})) == []


def test_opinions_of_sources_that_are_down(server: Server) -> None:
    server.on("/", Reply(b"", "text/plain", 503))
    errors = list(sources(server).opinions("x", ["y"], {"arxiv": "2406.18665"}))
    assert len(errors) == 3
    assert all(isinstance(error, SourceDownError) for error in errors)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("<i>k</i>NN &amp; co", "kNN & co"),
        ("a < b > c", "a < b > c"),
        ("a\n  b\x00\u200b", "a b"),
        (None, ""),
        ("&lt;b&gt;x", "x"),
    ],
)
def test_clean(raw: object, wanted: str) -> None:
    assert clean(raw) == wanted
