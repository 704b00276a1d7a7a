"""The sources as they answer, on one local server: shapes written by hand from their public documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from scripts.sources import Client, Settings, Sources
from scripts.sources.settings import BASES, Limits
from tests.scripts.sources.server import ATOM, JSON, Reply, Request, Server

RECORDED = Path(__file__).parent / "recorded"
# no waiting in tests: the waits themselves are tested with a clock of their own
QUICK = Limits(connect=2, silence=1, total=3, tries=2, first_wait=0.01, interval=0, longest_wait=5)


def settings(server: Server, **changes: Any) -> Settings:
    """Every source on one server, each under a path of its own."""
    bases = {name: f"{server.url}/{name}" for name in BASES}
    return Settings(**{"bases": bases, "intervals": {}, "limits": QUICK, **changes})


def sources(server: Server, **changes: Any) -> Sources:
    """Sources that ask this server."""
    return Sources.over(Client(settings(server, **changes)))


def record(name: str) -> Any:
    """A recorded JSON answer."""
    return json.loads((RECORDED / name).read_text(encoding="utf-8"))


def as_json(value: Any, status: int = 200, kind: str = JSON) -> Reply:
    """A JSON answer."""
    return Reply(json.dumps(value).encode(), kind, status)


def serve(server: Server) -> None:
    """Puts all services with the recorded papers on the server."""
    server.on("/arxiv/api/query", arxiv)
    server.on("/crossref/works/", lambda request: _named(request, "crossref"))
    server.on("/datacite/dois/", lambda request: _named(request, "datacite", "application/vnd.api+json"))
    server.on("/acl/", acl)
    server.on("/openreview/notes", lambda request: openreview(request, "openreview"))
    server.on("/openreview_v1/notes", lambda request: openreview(request, "openreview_v1"))
    server.on("/dblp/search/publ/api", dblp)
    server.on("/semanticscholar/graph/v1/paper/", lambda request: _named(request, "semanticscholar"))
    server.on("/openalex/works", lambda request: _named(request, "openalex"))


_NOT_FOUND: Mapping[str, Reply] = {
    "crossref": Reply(b"Resource not found.", "text/plain", 404),
    "datacite": as_json(
        {"errors": [{"status": "404", "title": "The resource you are looking for doesn't exist."}]}, 404
    ),
    "semanticscholar": as_json({"error": "Paper with id ? not found"}, 404),
    "openalex": Reply(b"<!doctype html><title>404 Not Found</title>", "text/html", 404),
}


def _named(request: Request, service: str, kind: str = JSON) -> Reply:
    """The record whose name in the recorded file ends the path, whatever its case."""
    known = {name.lower(): value for name, value in record(f"{service}.json").items()}
    for name, value in known.items():
        if request.path.lower().endswith("/" + name):
            return as_json(value, kind=kind)
    return _NOT_FOUND[service]


def arxiv(request: Request) -> Reply:
    """The Atom API: unknown identifiers are left out, malformed ones are an entry called Error."""
    papers = record("arxiv.json")
    wanted = request.query["id_list"].split(",")
    if any(not name[:1].isalnum() for name in wanted):
        error = (
            "<entry><id>https://arxiv.org/api/errors#incorrect_id_format</id><title>Error</title>"
            "<summary>incorrect id format</summary></entry>"
        )
        return Reply(_feed(error), ATOM)
    return Reply(_feed("".join(_entry(name, papers[name]) for name in wanted if name in papers)), ATOM)


def _feed(entries: str) -> bytes:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns="http://www.w3.org/2005/Atom">\n<id>https://arxiv.org/api/x</id><title>arXiv Query</title>'
        f"<opensearch:totalResults>1</opensearch:totalResults>{entries}</feed>"
    ).encode()


def _entry(identifier: str, paper: Mapping[str, Any]) -> str:
    """As arXiv writes it: an https id with the version, titles broken over lines; of 'x' the newest version."""
    if "v" not in identifier:
        identifier += "v3"
    title = escape(paper["title"]).replace(": ", ":\n  ")
    people = "".join(f"<author><name>{escape(name)}</name></author>" for name in paper["authors"])
    more = "".join(
        f"<arxiv:{tag}>{escape(paper[tag])}</arxiv:{tag}>"
        for tag in ("comment", "journal_ref", "doi")
        if tag in paper
    )
    return (
        f"<entry><id>https://arxiv.org/abs/{identifier}</id><title>{title}</title>"
        f"<updated>2025-02-23T00:00:00Z</updated><published>{paper['published']}</published>"
        f'<link href="https://arxiv.org/abs/{identifier}" rel="alternate" type="text/html"/>'
        f"<summary>{escape(paper.get('summary', 'An abstract.'))}</summary>"
        f'<category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>{people}{more}</entry>'
    )


def acl(request: Request) -> Reply:
    """The Anthology's BibTeX files."""
    path = RECORDED / request.path.rpartition("/")[2]
    if not path.is_file():
        return Reply(b"<html>404</html>", "text/html", 404)
    return Reply(path.read_bytes(), "application/x-bibtex")


def openreview(request: Request, service: str) -> Reply:
    """Both APIs: an unknown note is an error object with status 404."""
    note = record(f"{service}.json").get(request.query["id"])
    if note is None:
        message = f"The Note {request.query['id']} was not found"
        return as_json({"name": "NotFoundError", "message": message, "status": 404}, 404)
    return as_json({"notes": [note], "count": 1})


def dblp(request: Request) -> Reply:
    """The search: `hit` and `author` are lists only if they hold more than one."""
    assert request.query["format"] == "json"
    words = request.query["q"].split()
    hits = [hit for hit in record("dblp.json") if words and words[0] in hit["info"]["title"].lower()]
    found: dict[str, Any] = {
        "@total": str(len(hits)),
        "@computed": str(len(hits)),
        "@sent": str(len(hits)),
        "@first": "0",
    }
    if hits:
        found["hit"] = hits
    return as_json({"result": {"query": request.query["q"], "status": {"@code": "200", "text": "OK"}, "hits": found}})
