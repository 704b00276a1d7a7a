"""Candidates from an arXiv that a local server plays."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
import typer
from typer.testing import CliRunner

from scripts.cli import upkeep as upkeep_jobs
from scripts.model import Corpus
from scripts.model.corpus import CorpusError
from scripts.sources import Client
from scripts.upkeep import candidates
from scripts.upkeep.candidates import Preprint, Query, Refusals, load_queries, load_refusals, rank, search, unknown
from tests.conftest import MakeAtlas, fields
from tests.scripts.sources.server import ATOM, HTML, Reply, Request, Server
from tests.scripts.sources.services import QUICK, as_json, settings

SINCE, UNTIL = datetime.date(2026, 10, 23), datetime.date(2026, 11, 22)
LABEL = "before/discrete-utility"
ONE = [Query(id="routing", ask='abs:"LLM routing"')]


def entry(number: str, title: str, abstract: str = "An abstract.", authors: tuple[str, ...] = ("Ann Author",)) -> str:
    people = "".join(f"<author><name>{escape(name)}</name></author>" for name in authors)
    return (
        f"<entry><id>http://arxiv.org/abs/{number}v2</id><title>{escape(title)}</title>"
        f"<published>2026-11-20T17:00:00Z</published><summary>{escape(abstract)}</summary>{people}</entry>"
    )


def feed(*entries: str, total: int | None = None) -> Reply:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"'
        ' xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
        f"<opensearch:totalResults>{len(entries) if total is None else total}</opensearch:totalResults>"
        f"{''.join(entries)}</feed>"
    )
    return Reply(body.encode(), ATOM)


def ask(server: Server, queries: list[Query] | None = None, **changes: Any) -> candidates.Search:
    return search(Client(settings(server)), queries or ONE, SINCE, UNTIL, **changes)


def test_search(server: Server) -> None:
    server.on("/arxiv/api/query", feed(entry("2611.00001", "Routing\n   Anew", "We\nroute.", ("A B", "C D"))))
    found = ask(server)
    assert found.found == {
        "2611.00001": Preprint("2611.00001", "Routing Anew", ("A B", "C D"), "2026-11-20", "We route.")
    }
    (request,) = server.log
    assert request.query["search_query"] == '(abs:"LLM routing") AND submittedDate:[202610230000 TO 202611222359]'
    assert (request.query["sortBy"], request.query["sortOrder"]) == ("submittedDate", "descending")


def test_pages(server: Server) -> None:
    def answer(request: Request) -> Reply:
        start, size = int(request.query["start"]), int(request.query["max_results"])
        numbers = range(start, min(start + size, 250))
        return feed(*(entry(f"2611.{number:05d}", f"Paper {number}") for number in numbers), total=250)

    server.on("/arxiv/api/query", answer)
    assert len(ask(server).found) == 250
    assert len(server.log) == 3
    assert len(ask(server, most=120).found) == 120


def test_a_page_that_is_empty_ends_it(server: Server) -> None:
    server.on("/arxiv/api/query", feed(total=5000))
    assert ask(server) == candidates.Search({}, {}, {})
    assert len(server.log) == 1


def test_two_queries_one_paper(server: Server) -> None:
    server.on("/arxiv/api/query", feed(entry("2611.00001", "Routing Anew")))
    found = ask(server, [*ONE, Query(id="cascade", ask="abs:cascade")])
    assert found.by == {"2611.00001": ["routing", "cascade"]}


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>&b;</title></entry></feed>'
)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>sign in</html>", HTML),
        Reply(b"not xml", ATOM),
        Reply(BOMB, ATOM),
        Reply(b"<rss/>", ATOM),
        Reply(status=500),
        Reply(status=429, headers={"Retry-After": "9000"}),
        Reply(status=302, headers={"Location": "file:///etc/passwd"}),
        Reply(status=302, headers={"Location": "http://10.0.0.1/"}),
        Reply(b"<feed/>", ATOM, fault="cut"),
        Reply(b"x" * 90, ATOM, fault="drip"),
        Reply(kind=ATOM, fault="endless", length=100 * 1024 * 1024),
        feed("<entry><id>http://arxiv.org/api/errors#x</id><title>Error</title><summary>bad query</summary></entry>"),
        as_json({"error": "?"}),
    ],
)
def test_faults_are_told(server: Server, reply: Reply) -> None:
    server.on("/arxiv/api/query", reply)
    limits = dataclasses.replace(QUICK, total=0.6, silence=0.5)
    found = search(Client(settings(server, limits=limits)), ONE, SINCE, UNTIL)
    assert not found.found
    assert list(found.failed) == ["routing"]


def test_a_query_that_fails_leaves_the_others(server: Server) -> None:
    server.on("/arxiv/api/query", Reply(b"?", HTML), feed(entry("2611.00001", "Routing Anew")))
    found = ask(server, [*ONE, Query(id="cascade", ask="abs:cascade")])
    assert (list(found.failed), list(found.found)) == (["routing"], ["2611.00001"])


def test_odd_entries_are_left_out(server: Server) -> None:
    odd = [
        "<entry/>",
        entry("2611.00001", ""),
        entry("not-an-id", "A Title"),
        entry("2611.00002", "A Title").replace("2026-11-20", "yesterday"),
    ]
    server.on("/arxiv/api/query", feed(*odd, entry("2611.00003", "A <b>Title</b> \u202eof Mine")))
    assert [p.title for p in ask(server).found.values()] == ["A Title of Mine"]


# --- what is known --------------------------------------------------------------------------------------------


def preprint(number: str, title: str, authors: tuple[str, ...] = ("Ann Author",), abstract: str = "") -> Preprint:
    return Preprint(number, title, authors, "2026-11-20", abstract)


def test_known_and_refused_are_skipped(make_atlas: MakeAtlas) -> None:
    corpus = make_atlas({"doe2024deferral": fields(ids={"arxiv": "2406.00001"})})
    refusals = Refusals.model_validate({
        "refused": [
            {"arxiv": "2611.00009", "reason": "about routing of packets"},
            {"title": "A Survey of Soups", "reason": "about cooking"},
        ]
    })  # fmt: skip
    offered = [
        preprint("2406.00001", "Known by Its Identifier"),
        preprint("2611.00001", "Deferral without Regret -- Asking a Larger Model Late", ("Somebody",)),
        preprint("2611.00002", "Deferral Without Regret: Asking a Larger Model Later", ("Jane Doe",)),
        preprint("2611.00009", "Refused by Its Identifier"),
        preprint("2611.00010", "A survey of soups"),
        preprint("2611.00003", "Something Else"),
    ]
    left = unknown(corpus, refusals, {one.arxiv: one for one in offered})
    assert [one.arxiv for one in left] == ["2611.00003"]


def test_no_entry_of_the_atlas_is_a_candidate(corpus: Corpus) -> None:
    known = {
        paper.ids.arxiv: preprint(paper.ids.arxiv, paper.title, tuple(paper.authors))
        for paper in corpus.papers.values()
        if paper.ids.arxiv
    }
    assert unknown(corpus, load_refusals(corpus.root), known) == []


def test_rank(make_atlas: MakeAtlas) -> None:
    corpus = make_atlas({
        "doe2024a": fields(title="Routing Queries to Models", categories=[LABEL], summary="A router."),
        "doe2024b": fields(title="A Router for Queries", categories=[LABEL], summary="Routes queries."),
        "doe2024c": fields(title="Voting over Answers", categories=["after/non-cascade"], summary="Majority vote."),
    })  # fmt: skip
    offered = [
        preprint("2611.00001", "Baking Bread", abstract="Flour and water."),
        preprint("2611.00002", "Learned Routing of Queries", abstract="A router sends queries to models."),
        preprint("2611.00003", "Majority Voting", abstract="We vote over answers."),
    ]
    ranked = rank(corpus.papers, offered, {"2611.00002": ["routing"]})
    assert [one.preprint.arxiv for one in ranked] == ["2611.00002", "2611.00003", "2611.00001"]
    assert ranked[0].category == LABEL
    assert ranked[0].near[0][0] in ("doe2024a", "doe2024b")
    assert ranked[0].queries == ("routing",)
    assert ranked[1].category == "after/non-cascade"
    assert ranked[2].score == 0.0
    assert rank({}, offered, {})[0].score == 0.0


def test_real_entries_find_their_like(corpus: Corpus) -> None:
    """Left out of the Atlas, an entry's own summary lies nearer to it than a text about something else."""
    keys = list(corpus.papers)[:40]
    rest = {key: paper for key, paper in corpus.papers.items() if key not in keys}
    mine = [
        preprint(f"2611.{place:05d}", corpus.papers[key].title, abstract=corpus.papers[key].summary or "")
        for place, key in enumerate(keys)
    ]
    bread = preprint("2611.99999", "Baking bread at home", abstract="Flour, water, salt and time make a loaf.")
    assert rank(rest, [*mine, bread], {})[-1].preprint == bread


# --- the files ------------------------------------------------------------------------------------------------


def test_real_files(corpus: Corpus) -> None:
    queries = load_queries(corpus.root).queries
    assert len({query.id for query in queries}) == len(queries) >= 3
    for query in queries:
        assert query.ask.count("(") == query.ask.count(")")
        assert query.ask.count('"') % 2 == 0
    load_refusals(corpus.root)


@pytest.mark.parametrize(
    "text",
    ["refused: [{arxiv: '2401.00001'}]", "refused: [{reason: because}]", "refused: 3", "refuse: []", "[]", "&a *a"],
)
def test_refusals_out_of_form(make_atlas: MakeAtlas, text: str) -> None:
    root = make_atlas({}).root
    (root / candidates.REFUSED).write_text(text)
    with pytest.raises(CorpusError, match=r"refused\.yml:\d+"):
        load_refusals(root)


def test_absent_refusals(make_atlas: MakeAtlas) -> None:
    root = make_atlas({}).root
    (root / candidates.REFUSED).unlink()
    assert load_refusals(root) == Refusals()


def test_example_in_the_file_of_refusals_is_in_form(corpus: Corpus, tmp_path: Path) -> None:
    text = (corpus.root / candidates.REFUSED).read_text(encoding="utf-8")
    (example,) = [line.removeprefix("#") for line in text.splitlines() if line.startswith("#   - {")]
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / candidates.REFUSED).write_text(f"refused:\n{example}\n")
    assert load_refusals(tmp_path).refused[0].arxiv == "2401.00001"


# --- the command ----------------------------------------------------------------------------------------------


@pytest.fixture
def run(make_atlas: MakeAtlas, server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    corpus = make_atlas({"doe2024deferral": fields(ids={"arxiv": "2406.00001"})})
    monkeypatch.setenv("ATLAS_ROOT", str(corpus.root))
    monkeypatch.setenv("ATLAS_ARXIV_URL", f"{server.url}/arxiv")
    monkeypatch.setenv("ATLAS_HTTP_INTERVAL", "0")
    monkeypatch.setenv("ATLAS_HTTP_TRIES", "1")
    app = typer.Typer()
    upkeep_jobs.register(app)
    return lambda *words: CliRunner().invoke(app, ["candidates", *words])


def test_command(run: Any, server: Server, tmp_path: Path) -> None:
    odd = "Deferral of `x` @octocat <img src=x> [a](javascript:b) #1"
    abstract = "Asks a larger model where the small model disagrees; a threshold and calibration."
    server.on("/arxiv/api/query", feed(entry("2611.00001", odd, abstract), entry("2611.00002", "Bread", "Flour.")))
    files = ["--json", str(tmp_path / "c.json"), "--markdown", str(tmp_path / "c.md")]
    done = run(*files)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].split()[1] == "2611.00001"
    assert len(done.stdout.splitlines()) == 1  # bread is too far off
    (row,) = json.loads((tmp_path / "c.json").read_text())["candidates"]
    assert (row["arxiv"], row["near"][0]["key"]) == ("2611.00001", "doe2024deferral")
    text = (tmp_path / "c.md").read_text()
    assert "``Deferral of `x` @octocat" in text  # inside a code span
    assert "`atlas new 2611.00001 --category after/cascade`" in text
    # the line that refuses it is what the file takes, once it has a reason
    assert "`- {arxiv: '2611.00001', reason: }`" in text
    assert json.loads(run("--format", "json").stdout)["candidates"] == [row]
    assert run("--format", "markdown").stdout.startswith("Papers on arXiv")


def test_command_without_arxiv(run: Any, server: Server, tmp_path: Path) -> None:
    server.on("/arxiv", Reply(status=500))
    (tmp_path / "c.md").write_text("of an earlier run")
    done = run("--markdown", str(tmp_path / "c.md"))
    assert done.exit_code == 1
    assert "was not answered" in done.stderr
    assert (tmp_path / "c.md").read_text() == "of an earlier run"


def test_command_with_nothing_new(run: Any, server: Server, tmp_path: Path) -> None:
    server.on("/arxiv/api/query", feed())
    (tmp_path / "c.md").write_text("of an earlier run")
    assert run("--markdown", str(tmp_path / "c.md")).exit_code == 0
    assert not (tmp_path / "c.md").exists()
    assert run("--format", "html").exit_code == 2
