"""Citation counts and repositories, from services that a local server plays."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from scripts.cli import upkeep as upkeep_jobs
from scripts.model import Corpus
from scripts.model.corpus import entry_files
from scripts.model.paper import Paper
from scripts.upkeep import metrics
from scripts.upkeep.metrics import Citations, Collector, Metrics, Repository, github_headers, load, repositories
from tests.conftest import MakeAtlas, fields
from tests.scripts.sources.server import HTML, Reply, Request, Server
from tests.scripts.sources.services import QUICK, as_json, settings

TODAY = datetime.date(2026, 11, 22)
S2 = "a" * 40
TITLE = "Deferral Without Regret: Asking a Larger Model Late"
OTHER = "Voting of Many Small Models"


@pytest.fixture
def atlas(make_atlas: MakeAtlas) -> Corpus:
    """One paper with an arXiv id and a repository, one known by OpenReview only."""
    return make_atlas({
        "doe2024deferral": fields(ids={"arxiv": "2406.00001"}, links={"code": ["https://github.com/doe/Deferral"]}),
        "roe2024voting": fields(title=OTHER, ids={"openreview": "8sSqNntaMr"}, checked=None),
    })  # fmt: skip


def works(*rows: dict[str, Any]) -> Reply:
    return as_json({"meta": {"count": len(rows)}, "results": list(rows)})


def work(doi: str, count: Any, title: str = TITLE, number: str = "W1") -> dict[str, Any]:
    return {
        "id": f"https://openalex.org/{number}",
        "doi": f"https://doi.org/{doi}",
        "title": title,
        "cited_by_count": count,
    }


def s2(count: Any, title: str = OTHER, authors: tuple[str, ...] = ("Jane Doe",)) -> dict[str, Any]:
    return {"paperId": S2, "title": title, "authors": [{"name": name} for name in authors], "citationCount": count}


def github(stars: Any = 7, **changes: Any) -> Reply:
    facts = {"full_name": "doe/Deferral", "stargazers_count": stars, "license": {"spdx_id": "MIT"}, "archived": False}
    return as_json({**facts, **changes})


COMMITS = as_json([{"commit": {"committer": {"date": "2025-03-04T05:06:07Z"}}}])


def serve(server: Server) -> None:
    server.on("/openalex/works", works(work("10.48550/arxiv.2406.00001", 12)))
    server.on("/semanticscholar/graph/v1/paper/search/match", as_json({"data": [{**s2(5), "matchScore": 300.5}]}))
    server.on("/github/repos/doe/Deferral", github())
    server.on("/github/repos/doe/Deferral/commits", COMMITS)


def collector(atlas: Corpus, server: Server, path: Path, **changes: Any) -> Collector:
    made = settings(server)
    bases = {**made.bases, "github": f"{server.url}/github"}
    client = metrics.client(settings(server, bases=bases))
    return Collector(atlas, client, path, **{"today": TODAY, **changes})


def test_collect(atlas: Corpus, server: Server, tmp_path: Path) -> None:
    serve(server)
    path = tmp_path / "metrics.json"
    run = collector(atlas, server, path).collect()
    assert (run.renewed, run.notes, run.unknown) == (3, {}, [])
    assert json.loads(path.read_text()) == {
        "papers": {
            "doe2024deferral": {
                "count": 12,
                "source": "OpenAlex",
                "address": "https://openalex.org/W1",
                "date": "2026-11-22",
            },
            "roe2024voting": {
                "count": 5,
                "source": "Semantic Scholar",
                "address": f"https://www.semanticscholar.org/paper/{S2}",
                "date": "2026-11-22",
            },
        },
        "repositories": {
            "doe/Deferral": {"stars": 7, "licence": "MIT", "last_commit": "2025-03-04", "date": "2026-11-22"}
        },
    }
    assert load(path).papers["doe2024deferral"].count == 12
    (asked,) = server.asked("/openalex/works")
    assert asked.query["filter"] == "doi:10.48550/arxiv.2406.00001"


def test_nothing_is_asked_again_before_it_is_old(atlas: Corpus, server: Server, tmp_path: Path) -> None:
    serve(server)
    path = tmp_path / "metrics.json"
    collector(atlas, server, path).collect()
    before, asked = path.read_bytes(), len(server.log)
    run = collector(atlas, server, path, today=TODAY + datetime.timedelta(days=6)).collect()
    assert (run.renewed, len(server.log), path.read_bytes()) == (0, asked, before)
    run = collector(atlas, server, path, today=TODAY + datetime.timedelta(days=7)).collect()
    assert run.renewed == 3


def test_figures_of_the_future_are_renewed(atlas: Corpus, server: Server, tmp_path: Path) -> None:
    serve(server)
    path = tmp_path / "metrics.json"
    collector(atlas, server, path, today=datetime.date(2030, 1, 1)).collect()
    assert collector(atlas, server, path).collect().renewed == 3


def test_old_figures_stay_where_a_source_is_down(atlas: Corpus, server: Server, tmp_path: Path) -> None:
    serve(server)
    path = tmp_path / "metrics.json"
    collector(atlas, server, path).collect()
    before = load(path)
    for start in ("/openalex", "/semanticscholar", "/github"):
        server.on(start, Reply(status=500))
    for start in list(server.routes):
        if start.count("/") > 1:
            del server.routes[start]
    later = collector(atlas, server, path, today=TODAY + datetime.timedelta(days=30))
    run = later.collect()
    assert run.renewed == 0
    assert set(run.notes) == {"OpenAlex", "Semantic Scholar", "GitHub"}
    assert load(path) == before  # with the old dates


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>sign in</html>", HTML),
        Reply(b"{", "application/json"),
        Reply(b"[" * 200_000, "application/json"),
        as_json([1, 2]),
        as_json({"results": "many"}),
        as_json({"results": [1, None, {"doi": 5, "id": [], "cited_by_count": "12"}]}),
        Reply(b'{"results": []}', "application/json", fault="cut"),
        Reply('{"results": []}'.encode("utf-16"), "application/json; charset=utf-16"),
    ],
)
def test_unusable_answers_of_openalex(atlas: Corpus, server: Server, tmp_path: Path, reply: Reply) -> None:
    serve(server)
    server.on("/openalex/works", reply)
    server.on("/semanticscholar/graph/v1/paper/ARXIV:2406.00001", as_json(s2(3, TITLE)))
    run = collector(atlas, server, tmp_path / "m.json").collect(repositories=False)
    found = load(tmp_path / "m.json").papers["doe2024deferral"]
    assert (found.count, found.source, run.renewed) == (3, "Semantic Scholar", 2)  # the second in line is asked


def test_openalex_that_asks_for_rest(atlas: Corpus, server: Server, tmp_path: Path) -> None:
    serve(server)
    server.on("/openalex/works", Reply(status=429, headers={"Retry-After": "9000"}))
    run = collector(atlas, server, tmp_path / "m.json").collect(repositories=False)
    assert "asks for 9000 s of rest" in run.notes["OpenAlex"]
    assert len(server.log) == 1  # every service is on this one host


@pytest.mark.parametrize("count", [-1, "12", None, 1.5, True, 10**9])
def test_counts_that_are_none(atlas: Corpus, server: Server, tmp_path: Path, count: Any) -> None:
    serve(server)
    server.on("/openalex/works", works(work("10.48550/arxiv.2406.00001", count)))
    collector(atlas, server, tmp_path / "m.json").collect(repositories=False)
    known = load(tmp_path / "m.json").papers
    assert "doe2024deferral" not in known or known["doe2024deferral"].count == 1


def test_another_papers_count_is_not_taken(atlas: Corpus, server: Server, tmp_path: Path) -> None:
    serve(server)
    server.on("/openalex/works", works(work("10.48550/arxiv.2406.00001", 900, "Attention Is All You Need")))
    server.on(
        "/semanticscholar/graph/v1/paper/search/match",
        as_json({"data": [s2(800, OTHER, ("Somebody Else", "Another One"))]}),
    )
    server.on("/semanticscholar/graph/v1/paper/ARXIV:2406.00001", as_json(s2(700, "Attention Is All You Need")))
    run = collector(atlas, server, tmp_path / "m.json").collect(repositories=False)
    assert (run.renewed, sorted(run.unknown)) == (0, ["doe2024deferral", "roe2024voting"])


def test_preprint_and_publication_count_once(make_atlas: MakeAtlas, server: Server, tmp_path: Path) -> None:
    ids = {"arxiv": "2406.00001", "acl": "2024.acl-long.1"}
    corpus = make_atlas({"doe2024deferral": fields(ids=ids)})
    server.on(
        "/openalex/works",
        works(
            work("10.48550/arxiv.2406.00001", 30, number="W1"), work("10.18653/v1/2024.acl-long.1", 20, number="W2")
        ),
    )
    collector(corpus, server, tmp_path / "m.json").collect()
    assert load(tmp_path / "m.json").papers["doe2024deferral"].count == 30
    assert server.log[0].query["filter"] == "doi:10.48550/arxiv.2406.00001|10.18653/v1/2024.acl-long.1"


def test_many_papers_take_few_requests(make_atlas: MakeAtlas, server: Server, tmp_path: Path) -> None:
    many = {f"doe2024m{n}": fields(title=f"Method {n}", ids={"arxiv": f"2406.{n:05d}"}) for n in range(120)}
    corpus = make_atlas(many)

    def answer(request: Request) -> Reply:
        dois = request.query["filter"].removeprefix("doi:").split("|")
        assert len(dois) <= 50
        return works(*(work(doi, 1, f"Method {int(doi[-5:])}") for doi in dois))

    server.on("/openalex/works", answer)
    assert collector(corpus, server, tmp_path / "m.json").collect().renewed == 120
    assert len(server.log) == 3


def test_source_is_given_up_after_three_failures(make_atlas: MakeAtlas, server: Server, tmp_path: Path) -> None:
    code = {"code": [f"https://github.com/doe/r{number}" for number in range(9)]}
    corpus = make_atlas({"doe2024deferral": fields(links=code)})
    server.on("/github", Reply(b'{"message": "API rate limit exceeded"}', status=403))
    run = collector(corpus, server, tmp_path / "m.json").collect(citations=False)
    assert len(server.log) == 3
    assert run.notes == {"GitHub": "answered with status 403"}


def test_file_is_written_as_the_run_goes_on(atlas: Corpus, server: Server, tmp_path: Path) -> None:
    """A run that is stopped keeps what it learned, and the next one asks for the rest only."""
    serve(server)
    path = tmp_path / "m.json"

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collector(atlas, server, path, progress=stop).collect()
    assert list(load(path).papers) == ["doe2024deferral"]
    assert collector(atlas, server, path).collect().renewed == 2
    assert len(server.asked("/openalex")) == 1
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["m.json"]


# --- repositories -----------------------------------------------------------------------------------------------


def paper(*code: str) -> Paper:
    return Paper.model_validate({"title": "T", "kind": "method", "categories": ["a"], "links": {"code": list(code)}})


def test_names_of_repositories() -> None:
    found = repositories([
        paper("https://github.com/doe/one", "https://www.github.com/doe/two.git", "http://github.com/Doe/ONE/tree/main/x"),
        paper("https://github.com/doe/three/", "https://github.com/doe", "https://gitlab.com/doe/four"),
        paper("https://github.com.example/doe/five", "https://github.com/../six", "https://github.com/doe/se ven"),
    ])  # fmt: skip
    assert found == ["doe/one", "doe/three", "doe/two"]


def test_moved_archived_and_gone(make_atlas: MakeAtlas, server: Server, tmp_path: Path) -> None:
    names = ["moved", "archived", "gone", "empty", "odd"]
    corpus = make_atlas({"doe2024x": fields(links={"code": [f"https://github.com/doe/{name}" for name in names]})})
    server.on("/github/repos/doe/moved", Reply(status=301, headers={"Location": "/github/repositories/5"}))
    server.on("/github/repositories/5", github(3, full_name="new-home/moved"))
    server.on("/github/repos/new-home/moved/commits", COMMITS)
    server.on("/github/repos/doe/archived", github(4, full_name="doe/archived", archived=True, license=None))
    server.on("/github/repos/doe/archived/commits", COMMITS)
    server.on("/github/repos/doe/empty", github(0, full_name="doe/empty", license={"spdx_id": "NOASSERTION"}))
    server.on("/github/repos/doe/empty/commits", Reply(b'{"message": "Git Repository is empty."}', status=409))
    server.on("/github/repos/doe/odd", as_json({"full_name": "<b>@x</b>/y", "stargazers_count": "many"}))
    asking = collector(corpus, server, tmp_path / "m.json")
    run = asking.collect(citations=False)
    found = load(tmp_path / "m.json").repositories
    day = TODAY.isoformat()
    assert found == {
        "doe/moved": Repository(
            stars=3, licence="MIT", last_commit="2025-03-04", moved_to="new-home/moved", date=day
        ),
        "doe/archived": Repository(stars=4, last_commit="2025-03-04", archived=True, date=day),
        "doe/gone": Repository(gone=True, date=day),
        "doe/empty": Repository(licence="other", date=day),
    }
    assert run.notes == {"GitHub": "answered something that is no repository"}
    text = metrics.as_markdown(asking.metrics)
    assert "<https://github.com/doe/gone> is gone" in text
    assert "moved to `new-home/moved`" in text
    assert "doe/empty" not in text


def test_token_goes_to_github_alone(
    atlas: Corpus, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret-token")
    assert github_headers("https://api.github.com/repos/a/b")["Authorization"] == "Bearer secret-token"
    for elsewhere in (
        "http://api.github.com/repos/a/b",
        "https://api.github.com.example/repos/a/b",
        "https://api.github.com@evil.example/",
        "https://github.com/a/b",
        "https://api.github.com:8443/repos/a/b",
    ):
        assert "Authorization" not in github_headers(elsewhere)
    serve(server)
    collector(atlas, server, tmp_path / "m.json").collect()
    assert len(server.log) == 4
    assert not any("secret-token" in str(request) for request in server.log)


# --- the file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"papers": {"x": {"count": -1}}}', b"[" * 100_000, b'{"papers": 3}', b"null"],
)
def test_spoilt_file_is_no_figures(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.json").write_bytes(content)
    assert load(tmp_path / "m.json") == Metrics()


def test_absent_file_is_no_figures(tmp_path: Path) -> None:
    assert load(tmp_path / "m.json") == load(tmp_path) == Metrics()


def test_one_figure_a_line(tmp_path: Path) -> None:
    many = {
        f"k{n}": Citations(count=n, source="OpenAlex", address="https://openalex.org/W1", date="2026-11-22")
        for n in range(5)
    }
    figures = Metrics(papers=many)
    assert len(figures.text().splitlines()) == 5 + 5
    (tmp_path / "m.json").write_text(figures.text())
    assert load(tmp_path / "m.json") == figures


def test_what_the_entries_do_not_hold_is_dropped(atlas: Corpus, server: Server, tmp_path: Path) -> None:
    serve(server)
    path = tmp_path / "m.json"
    gone = Citations(count=1, source="OpenAlex", address="https://openalex.org/W1", date="2026-11-22")
    path.write_text(Metrics(papers={"gone2020": gone}, repositories={"a/b": Repository(date="2026-11-22")}).text())
    collector(atlas, server, path).collect()
    assert "gone2020" not in load(path).papers
    assert "a/b" not in load(path).repositories


def test_file_beside_the_entries_is_no_entry(atlas: Corpus) -> None:
    (atlas.root / metrics.FILE).write_text(Metrics().text())
    assert not [path for path in entry_files(atlas.root / "papers") if path.suffix == ".json"]
    assert set(Corpus.load(atlas.root).papers) == set(atlas.papers)


def test_command(atlas: Corpus, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(server)
    monkeypatch.setenv("ATLAS_ROOT", str(atlas.root))
    for name in ("openalex", "semanticscholar", "github"):
        monkeypatch.setenv(f"ATLAS_{name.upper()}_URL", f"{server.url}/{name}")
    monkeypatch.setenv("ATLAS_HTTP_INTERVAL", "0")
    monkeypatch.setenv("ATLAS_HTTP_FIRST_WAIT", str(QUICK.first_wait))
    app = typer.Typer()
    upkeep_jobs.register(app)
    words = ["metrics", "--json", str(tmp_path / "r.json"), "--markdown", str(tmp_path / "r.md")]
    (tmp_path / "r.md").write_text("of an earlier run")
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "3 figures renewed" in done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["renewed"] == 3
    assert not (tmp_path / "r.md").exists()  # nothing asks for a look
    assert load(atlas.root / "papers" / "metrics.json").papers["doe2024deferral"].count == 12
