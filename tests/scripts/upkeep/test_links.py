"""The link check, against a server on this machine that answers well and badly."""

from __future__ import annotations

import datetime
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from scripts.cli import upkeep as upkeep_jobs
from scripts.model import Corpus
from scripts.sources import Settings
from scripts.sources.settings import Limits
from scripts.upkeep import link_state, links
from scripts.upkeep.link_report import Summary
from scripts.upkeep.link_state import Answer, Outcome, State, StateError
from scripts.upkeep.links import check, collect
from scripts.upkeep.prober import Prober
from tests.conftest import MakeAtlas, fields
from tests.scripts.sources.server import Reply, Request, Server, _Handler

QUICK = Limits(connect=1, silence=0.5, total=1, redirects=3, longest_wait=5)
OK = Reply(b"hello", "text/html")
Method = Callable[[str], Reply]


class LinkServer(Server):
    """A server that knows HEAD, and notes method, time and how many requests it had at once."""

    def __init__(self) -> None:
        super().__init__()
        self.methods: list[tuple[str, str]] = []
        self.spans: list[tuple[str, float, float]] = []  # host as named, from, to
        owner = self

        class Handler(_Handler):
            def do_GET(self) -> None:  # noqa: N802  the library's name
                began = time.monotonic()
                owner.methods.append((self.command, self.path))
                super().do_GET()
                owner.spans.append((self.headers["Host"], began, time.monotonic()))

            def do_HEAD(self) -> None:  # noqa: N802
                self.do_GET()

            def _pieces(self, reply: Reply) -> Iterator[bytes]:
                yield from () if self.command == "HEAD" else super()._pieces(reply)

        Handler.owner = self
        self._server.RequestHandlerClass = Handler

    def asked_by(self, method: str, path: str) -> int:
        """How often a path was asked by a method."""
        return self.methods.count((method, path))


@pytest.fixture
def server() -> Iterator[LinkServer]:
    running = LinkServer()
    with running:
        yield running


def settings(server: Server, **changes: Any) -> Settings:
    """The server, under both of its names, is the one private place that may be asked."""
    local = server.url.replace("127.0.0.1", "localhost")
    return Settings(**{"bases": {"one": server.url, "two": local}, "limits": QUICK, **changes})


def prober(server: Server, **changes: Any) -> Prober:
    return Prober(settings(server), **{"pause": 0.0, **changes})


def day(number: int, hour: int = 0) -> Callable[[], datetime.datetime]:
    return lambda: datetime.datetime(2026, 11, number, hour, tzinfo=datetime.UTC)


def as_links(*urls: str) -> links.Links:
    return {url: [] for url in urls}


# --- one link -------------------------------------------------------------------------------------------------


def test_head_is_enough(server: LinkServer) -> None:
    server.on("/page", OK)
    assert prober(server).ask(f"{server.url}/page") == Answer(Outcome.OK, 200)
    assert server.methods == [("HEAD", "/page")]


def by_method(**answers: Reply) -> Callable[[LinkServer], Callable[[Request], Reply]]:
    def make(server: LinkServer) -> Callable[[Request], Reply]:
        return lambda _: answers[server.methods[-1][0]]

    return make


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 501])
def test_get_where_head_is_not_liked(server: LinkServer, status: int) -> None:
    server.on("/page", by_method(HEAD=Reply(status=status), GET=OK)(server))
    assert prober(server).ask(f"{server.url}/page").outcome is Outcome.OK
    assert server.methods == [("HEAD", "/page"), ("GET", "/page")]


@pytest.mark.parametrize("status", [401, 403, 429, 451, 999])
def test_blocked_is_not_dead(server: LinkServer, status: int) -> None:
    server.on("/page", Reply(status=status))
    answer = prober(server).ask(f"{server.url}/page")
    assert (answer.outcome, answer.status) == (Outcome.BLOCKED, status)
    # whoever says 'too many' is not asked a second time at once
    assert server.asked_by("GET", "/page") == (0 if status in (429, 999) else 1)


@pytest.mark.parametrize("status", [404, 410, 500, 503, 304])
def test_failures(server: LinkServer, status: int) -> None:
    server.on("/page", Reply(status=status))
    answer = prober(server).ask(f"{server.url}/page")
    assert (answer.outcome, answer.status, answer.why) == (Outcome.FAILED, status, f"answered {status}")


def test_body_is_never_read(server: LinkServer) -> None:
    big = Reply(kind="application/pdf", fault="endless", length=100 * 1024 * 1024)
    server.on("/paper.pdf", by_method(HEAD=Reply(status=405), GET=big)(server))
    began = time.monotonic()
    assert prober(server).ask(f"{server.url}/paper.pdf").outcome is Outcome.OK
    assert time.monotonic() - began < 5
    assert server.sent < 20 * 1024 * 1024  # what fits into the buffers of the sockets


def test_head_that_comes_letter_by_letter(server: LinkServer) -> None:
    server.on("/page", Reply(fault="slow-head"))
    began = time.monotonic()
    assert prober(server).ask(f"{server.url}/page").status in (200, None)  # its first line said 200
    assert time.monotonic() - began < 5


def test_server_that_does_not_answer(server: LinkServer) -> None:
    server.on("/page", Reply(fault="silent"))
    answer = prober(server).ask(f"{server.url}/page")
    assert (answer.outcome, answer.status, answer.reached) == (Outcome.FAILED, None, False)
    assert answer.why


def test_nobody_listens() -> None:
    with Server() as gone:
        url = gone.url
    answer = Prober(Settings(bases={"one": url}, limits=QUICK), pause=0).ask(f"{url}/page")
    assert (answer.outcome, answer.why, answer.reached) == (Outcome.FAILED, "cannot be reached", False)


def redirect(where: str, status: int = 301) -> Reply:
    return Reply(status=status, headers={"Location": where})


def test_redirects_are_recorded(server: LinkServer) -> None:
    server.on("/old", redirect("/newer"))
    server.on("/newer", redirect("/new", 308))
    server.on("/new", OK)
    server.on("/today", redirect("/new", 302))
    asking = prober(server)
    assert asking.ask(f"{server.url}/old") == Answer(Outcome.OK, 200, "", f"{server.url}/new", True)
    assert asking.ask(f"{server.url}/today") == Answer(Outcome.OK, 200, "", f"{server.url}/new", False)


def test_redirect_to_a_page_that_is_gone(server: LinkServer) -> None:
    server.on("/old", redirect("/gone"))
    answer = prober(server).ask(f"{server.url}/old")
    assert (answer.outcome, answer.status, answer.moved_to) == (Outcome.FAILED, 404, f"{server.url}/gone")


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("file:///etc/passwd", "no http(s) address"),
        ("gopher://127.0.0.1/", "no http(s) address"),
        ("http://169.254.169.254/latest/meta-data/", "private address 169.254.169.254"),
        ("http://[::1]:80/", "private address ::1"),
        ("http://10.0.0.1/", "private address 10.0.0.1"),
        ("http://[not-an-address/", "no address that can be asked"),
        ("/loop", "redirects more than"),
    ],
)
def test_redirects_that_are_not_followed(server: LinkServer, target: str, why: str) -> None:
    server.on("/loop", redirect(target))
    answer = prober(server).ask(f"{server.url}/loop")
    assert answer.outcome is Outcome.FAILED
    assert why in answer.why
    assert server.asked_by("GET", "/loop") == 0  # GET would lead to the same place


def test_private_link_is_not_asked(server: LinkServer) -> None:
    asking = Prober(Settings(bases={}, limits=QUICK), pause=0)
    answer = asking.ask(f"{server.url}/page")
    assert (answer.outcome, answer.why) == (Outcome.FAILED, "leads to the private address 127.0.0.1")
    assert (server.methods, asking.requests) == ([], 0)


def test_retry_after_is_honoured(server: LinkServer) -> None:
    server.on("/page", Reply(status=429, headers={"Retry-After": "3"}), OK)
    slept: list[float] = []
    assert prober(server, sleep=slept.append).ask(f"{server.url}/page").outcome is Outcome.OK
    assert len(slept) == 1
    assert 2.5 < slept[0] <= 3


def test_host_that_asks_for_rest_is_left_alone(server: LinkServer) -> None:
    server.on("/", Reply(status=429, headers={"Retry-After": "3600"}))
    asking = prober(server)
    assert asking.ask(f"{server.url}/1").outcome is Outcome.BLOCKED
    second = asking.ask(f"{server.url}/2")
    assert (second.outcome, second.why) == (Outcome.BLOCKED, "answered 429 and asks for 3600 s of rest; not asked")
    assert server.methods == [("HEAD", "/1")]


def test_silent_host_is_not_asked_for_every_link(server: LinkServer) -> None:
    server.on("/", Reply(fault="silent"))
    asking = prober(server)
    answers = [asking.ask(f"{server.url}/{number}") for number in range(5)]
    assert [answer.outcome for answer in answers] == [Outcome.FAILED] * 5
    assert asking.requests == 6  # HEAD and GET for three links


# --- many links -----------------------------------------------------------------------------------------------


def test_one_request_at_a_time_a_host_and_several_hosts(server: LinkServer, tmp_path: Path) -> None:
    def slow(_: Request) -> Reply:
        time.sleep(0.03)
        return OK

    server.on("/", slow)
    local = server.url.replace("127.0.0.1", "localhost")
    wanted = as_links(*(f"{base}/{number}" for base in (server.url, local) for number in range(8)))
    run = check(wanted, State(tmp_path / "links.json"), prober(server))
    assert run.asked == 16
    by_host: dict[str, list[tuple[float, float]]] = {}
    for host, began, ended in server.spans:
        by_host.setdefault(host, []).append((began, ended))
    assert len(by_host) == 2
    for spans in by_host.values():
        spans.sort()
        assert all(first[1] <= second[0] + 0.005 for first, second in itertools.pairwise(spans))
    first, second = (spans for spans in by_host.values())
    assert min(first)[0] < max(second)[1]
    assert min(second)[0] < max(first)[1]  # at the same time


def test_redirects_wait_for_the_other_hosts_turn(server: LinkServer, tmp_path: Path) -> None:
    """doi.org leads to publishers: their turn counts, not that of doi.org."""
    busy = {"now": 0, "most": 0}
    lock = threading.Lock()

    def slow(_: Request) -> Reply:
        with lock:
            busy["now"] += 1
            busy["most"] = max(busy.values())
        time.sleep(0.03)
        with lock:
            busy["now"] -= 1
        return OK

    local = server.url.replace("127.0.0.1", "localhost")
    server.on("/direct", slow)
    server.on("/doi", redirect(f"{local}/direct", 302))
    wanted = as_links(*(f"{server.url}/doi{n}" for n in range(5)), *(f"{local}/direct{n}" for n in range(5)))
    check(wanted, State(tmp_path / "links.json"), prober(server))
    assert busy["most"] == 1


def test_pause_between_requests(server: LinkServer) -> None:
    server.on("/", OK)
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    asking = prober(server, pause=1.0, sleep=sleep, clock=lambda: now[0])
    for number in range(3):
        asking.ask(f"{server.url}/{number}")
    assert slept == [1.0, 1.0]


def test_dead_after_three_runs_a_day_apart(server: LinkServer, tmp_path: Path) -> None:
    path, url = tmp_path / "links.json", f"{server.url}/gone"

    def run(now: Callable[[], datetime.datetime]) -> link_state.Link:
        check(as_links(url), State.load(path), prober(server), now=now)
        return State.load(path).links[url]

    assert not run(day(1)).dead
    assert len(run(day(1, 6)).failures) == 1  # the same day does not count again
    assert len(run(day(2)).failures) == 2
    assert not run(day(2, 12)).dead
    third = run(day(9))
    assert third.dead
    assert [time_[:10] for time_ in third.failures] == ["2026-11-01", "2026-11-02", "2026-11-09"]
    server.on("/gone", OK)
    back = run(day(10))
    assert (back.dead, back.failures) == (False, [])


def test_blocked_in_between_neither_counts_nor_clears(tmp_path: Path) -> None:
    state = State(tmp_path / "links.json")
    failed, blocked = Answer(Outcome.FAILED, 404, "answered 404"), Answer(Outcome.BLOCKED, 403, "answered 403")
    for number, answer in enumerate([failed, failed, blocked, failed], 1):
        state.record("https://a.example", answer, day(number)())
    assert state.links["https://a.example"].dead
    assert len(state.links["https://a.example"].failures) == 3


def test_stopped_run_is_taken_up(server: LinkServer, tmp_path: Path) -> None:
    server.on("/", OK)
    path = tmp_path / "links.json"
    wanted = as_links(*(f"{server.url}/{number}" for number in range(6)))
    real = prober(server)

    class Stopped(Prober):
        def ask(self, url: str) -> Answer:
            if real.requests == 3:
                raise KeyboardInterrupt
            return real.ask(url)

    with pytest.raises(KeyboardInterrupt):
        check(wanted, State.load(path), Stopped(settings(server)), now=day(1))
    kept = State.load(path)
    assert (len(kept.links), kept.finished) == (3, False)
    run = check(wanted, State.load(path), real, now=day(1, 2))
    assert (run.taken_up, run.asked) == (True, 3)
    assert len(server.methods) == 6
    assert State.load(path).finished
    # a finished run is followed by a new one, a stopped run of long ago too
    assert check(wanted, State.load(path), real, now=day(1, 3)).asked == 6


def test_state_is_written_while_the_run_goes_on(server: LinkServer, tmp_path: Path) -> None:
    path = tmp_path / "links.json"
    seen: list[int] = []

    def look(_: Request) -> Reply:
        seen.append(len(State.load(path).links))
        return OK

    server.on("/", look)
    check(as_links(*(f"{server.url}/{n}" for n in range(4))), State(path), prober(server), every=0.0)
    assert seen == [0, 1, 2, 3]
    assert [file.name for file in tmp_path.iterdir()] == ["links.json"]  # no half-written file stays


def test_offline_machine_counts_nothing(tmp_path: Path) -> None:
    class Offline(Prober):
        def ask(self, url: str) -> Answer:  # noqa: ARG002
            return Answer(Outcome.FAILED, why="cannot be reached", reached=False)

    state = State(tmp_path / "links.json")
    wanted = as_links("https://a.example/", "https://b.example/", "https://c.example/")
    run = check(wanted, state, Offline(Settings()), now=day(1))
    assert run.offline
    assert not State.load(state.path).links


def test_one_dead_host_among_living_ones_counts(server: LinkServer, tmp_path: Path) -> None:
    server.on("/", OK)
    real = prober(server)

    class Partly(Prober):
        def ask(self, url: str) -> Answer:
            dead = Answer(Outcome.FAILED, why="cannot be reached", reached=False)
            return dead if ".example" in url else real.ask(url)

    state = State(tmp_path / "links.json")
    wanted = as_links("https://a.example/", "https://b.example/", "https://c.example/", f"{server.url}/1")
    assert not check(wanted, state, Partly(Settings())).offline
    assert [link.outcome for link in state.links.values()].count(Outcome.FAILED) == 3


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"version": 2}', '{"version": 1, "run": {}, "links": {}}',
     '{"version": 1, "run": {"started": "yesterday", "finished": true}, "links": {}}',
     '{"version": 1, "run": {"started": null, "finished": true}, "links": {"u": {"asked": "x"}}}',
     "[" * 100_000],
)  # fmt: skip
def test_spoilt_cache_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "links.json"
    path.write_text(content)
    with pytest.raises(StateError, match="remove it to begin again"):
        State.load(path)
    assert path.read_text() == content


def test_state_round_trip(tmp_path: Path) -> None:
    state = State(tmp_path / "links.json")
    state.begin(day(1)())
    state.record("https://a.example/ä", Answer(Outcome.OK, 200, "", "https://b.example", True), day(1)())
    state.save()
    again = State.load(state.path)
    assert (again.links, again.started, again.finished) == (state.links, state.started, False)
    again.forget(set())
    assert not again.links


# --- the Atlas's links ----------------------------------------------------------------------------------------


def entry(url: str, **changes: Any) -> dict[str, Any]:
    links_ = {"code": [f"{url}/code"], "project": f"{url}/project#part", "slides": f"{url}/gone"}
    return fields(links=links_, ids={"arxiv": "2406.00001"}, **changes)


def test_collect(make_atlas: MakeAtlas) -> None:
    other = fields(title="Another", links={"code": ["https://a.example/code"]}, ids={"arxiv": "2406.00002"})
    corpus = make_atlas({"doe2024deferral": entry("https://a.example"), "doe2024other": other})
    found = collect(corpus)
    # the second entry names the page of another paper: that one is a link like any other
    assert list(found) == [
        "https://a.example/code",
        "https://a.example/gone",
        "https://a.example/project",
        "https://arxiv.org/abs/2406.00001",
    ]
    assert [place.entry.key for place in found["https://a.example/code"]] == ["doe2024deferral", "doe2024other"]
    assert {"https://arxiv.org/abs/2406.00001", "https://arxiv.org/abs/2406.00002"} <= set(
        collect(corpus, identifiers=True)
    )


def test_real_links_are_collected(corpus: Corpus) -> None:
    without, with_ = collect(corpus), collect(corpus, identifiers=True)
    assert 100 < len(without) < len(with_)
    assert all(place.entry.document for places in with_.values() for place in places)


def app() -> typer.Typer:
    made = typer.Typer()
    upkeep_jobs.register(made)
    return made


def test_command(make_atlas: MakeAtlas, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = make_atlas({"doe2024deferral": entry(server.url)})
    monkeypatch.setenv("ATLAS_ROOT", str(corpus.root))
    monkeypatch.setenv("ATLAS_ARXIV_URL", server.url)  # a base address may be private
    server.on("/code", redirect("/moved"))
    server.on("/moved", OK)
    server.on("/project", Reply(status=403))
    cache, told, words = tmp_path / "c.json", tmp_path / "t.json", tmp_path / "t.md"
    command = ["links", "--pause", "0", "--cache", str(cache), "--json", str(told), "--markdown", str(words)]
    done = CliRunner().invoke(app(), command)
    assert done.exit_code == 0, done.output
    file = "papers/2024/doe2024deferral.yml:"
    assert any(line.startswith(file) and "info[link-moved]" in line for line in done.stdout.splitlines())
    assert any("info[link-failing]" in line for line in done.stdout.splitlines())
    # two weeks on, as if it had failed before
    state = json.loads(cache.read_text())
    state["links"][f"{server.url}/gone"]["failures"] = ["2026-01-01T00:00:00+00:00", "2026-01-08T00:00:00+00:00"]
    cache.write_text(json.dumps(state))
    done = CliRunner().invoke(app(), command)
    assert done.exit_code == 1
    assert "warning[link-dead]" in done.stdout
    counts = json.loads(told.read_text())["counts"]
    assert counts == {"dead": 1, "failing": 0, "moved": 1, "blocked": 1, "ok": 0, "unasked": 0}
    assert words.read_text().index("### Dead") < words.read_text().index("### Moved")
    assert "(`doe2024deferral`)" in words.read_text()


def test_command_with_a_spoilt_cache(make_atlas: MakeAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_ROOT", str(make_atlas({}).root))
    (tmp_path / "c.json").write_text("{")
    done = CliRunner().invoke(app(), ["links", "--cache", str(tmp_path / "c.json")])
    assert done.exit_code == 2
    assert "remove it to begin again" in done.stderr.replace("\n", " ")


def test_summary_shows_no_markup_of_strangers(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    url = "https://a.example/`x`@you<img>"
    corpus = make_atlas({"doe2024deferral": fields(links={"project": url}, ids={})})
    state = State(tmp_path / "c.json")
    for number in (1, 2, 3):
        state.record(url, Answer(Outcome.FAILED, 404, "answered 404"), day(number)())
    text = Summary.of(collect(corpus), state).as_markdown()
    assert f"``{url}``" in text
