"""The polite client against a server with every fault that a service has."""

from __future__ import annotations

import datetime
import email.utils
import gzip
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from reference_impls.safe.guard import is_public
from scripts.sources import Client, NotFoundError, Settings, SourceDownError
from scripts.sources.http import JSON
from scripts.sources.settings import Limits
from tests.scripts.sources.server import HTML, Reply, Server
from tests.scripts.sources.services import QUICK, as_json, settings

GOOD = as_json({"good": True})


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def client(server: Server, **changes: Any) -> Client:
    return Client(settings(server, **changes))


def down(asked: Client, url: str) -> str:
    """Why the source counts as down."""
    with pytest.raises(SourceDownError) as caught:
        asked.get_json(url)
    return caught.value.why


def test_answer_and_user_agent(server: Server) -> None:
    server.on("/arxiv/x", GOOD)
    asked = client(server, contact="atlas@example.org")
    assert asked.get_json(f"{server.url}/arxiv/x") == {"good": True}
    (request,) = server.log
    assert request.headers["user-agent"].startswith("llm-ensemble-atlas/")
    assert "mailto:atlas@example.org" in request.headers["user-agent"]
    assert "authorization" not in request.headers


@pytest.mark.parametrize("status", [404, 410])
def test_not_found_is_no_fault(server: Server, status: int) -> None:
    server.on("/x", Reply(b"gone", "text/plain", status))
    with pytest.raises(NotFoundError):
        client(server).get_json(f"{server.url}/x")
    assert len(server.log) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 451])
def test_refusal_is_not_repeated(server: Server, status: int) -> None:
    server.on("/x", Reply(b"no", "text/plain", status))
    assert down(client(server), f"{server.url}/x") == f"answered with status {status}"
    assert len(server.log) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_is_tried_again(server: Server, status: int) -> None:
    server.on("/x", Reply(b"oh", "text/plain", status), GOOD)
    assert client(server).get_json(f"{server.url}/x") == {"good": True}
    assert len(server.log) == 2


def test_waits_grow_and_end(server: Server) -> None:
    server.on("/x", Reply(b"oh", "text/plain", 500))
    clock = Clock()
    limits = Limits(tries=4, first_wait=2, interval=0)
    asked = Client(settings(server, limits=limits), clock.sleep, clock)
    assert down(asked, f"{server.url}/x") == "answered with status 500"
    assert len(server.log) == 4
    assert [1 <= clock.slept[0] <= 2, 2 <= clock.slept[1] <= 4, 4 <= clock.slept[2] <= 8] == [True] * 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(server: Server, form: str) -> None:
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=17)
    told = "17" if form == "seconds" else email.utils.format_datetime(when, usegmt=True)
    server.on("/x", Reply(b"Rate exceeded.", "text/plain", 429, {"Retry-After": told}), GOOD)
    clock = Clock()
    asked = Client(settings(server, limits=Limits(interval=0)), clock.sleep, clock)
    assert asked.get_json(f"{server.url}/x") == {"good": True}
    assert 14 <= sum(clock.slept) <= 17.1


def test_a_long_retry_after_leaves_the_host_alone(server: Server) -> None:
    server.on("/x", Reply(b"", "text/plain", 429, {"Retry-After": "86400"}))
    clock = Clock()
    asked = Client(settings(server, limits=Limits(interval=0)), clock.sleep, clock)
    assert "86400 s of rest" in down(asked, f"{server.url}/x")
    assert "not asked again" in down(asked, f"{server.url}/y")
    assert len(server.log) == 1
    assert clock.slept == []


@pytest.mark.parametrize("told", ["soon", "-5", "", "١٢", "Wed, 99 Foo 2024", "9" * 400])
def test_unreadable_retry_after(server: Server, told: str) -> None:
    server.on("/x", Reply(b"", "text/plain", 503, {"Retry-After": told.encode().decode("latin-1")}), GOOD)
    asked = client(server)
    if told == "9" * 400:
        assert "rest" in down(asked, f"{server.url}/x")
    else:
        assert asked.get_json(f"{server.url}/x") == {"good": True}


def test_two_addresses_that_fail_mark_the_host_as_down(server: Server) -> None:
    server.on("/", Reply(b"", "text/plain", 500))
    asked = client(server)
    down(asked, f"{server.url}/a")
    down(asked, f"{server.url}/b")
    before = len(server.log)
    assert "not asked again" in down(asked, f"{server.url}/c")
    assert len(server.log) == before == 2 * QUICK.tries


def test_requests_to_a_host_keep_their_distance(server: Server) -> None:
    server.on("/arxiv", GOOD)
    clock = Clock()
    asked = Client(settings(server, intervals={"arxiv": 3.0}), clock.sleep, clock)
    for number in range(3):
        asked.get_json(f"{server.url}/arxiv/{number}")
    assert clock.slept == [3.0, 3.0]


def test_a_host_sees_one_request_at_a_time(server: Server) -> None:
    running, most = [0], [0]

    def slow(_: object) -> Reply:
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.05)
        running[0] -= 1
        return GOOD

    server.on("/", slow)
    asked = client(server)
    threads = [threading.Thread(target=asked.get_json, args=(f"{server.url}/{n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.log) == 5
    assert most == [1]


def test_cut_connection(server: Server) -> None:
    server.on("/x", Reply(b'{"half": "' + b"x" * 5000, fault="cut"), GOOD)
    assert client(server).get_json(f"{server.url}/x") == {"good": True}
    server.on("/y", Reply(b'{"half": "' + b"x" * 5000, fault="cut"))
    assert down(client(server), f"{server.url}/y") == "the connection was cut"


@pytest.mark.parametrize("fault", ["drip", "silent", "slow-head"])
def test_slow_answers_end(server: Server, fault: str) -> None:
    server.on("/x", Reply(b"[" + b" " * 200 + b"]", fault=fault))
    limits = Limits(connect=1, silence=0.3, total=0.4, tries=1, interval=0)
    start = time.monotonic()
    why = down(client(server, limits=limits), f"{server.url}/x")
    assert time.monotonic() - start < 3
    assert why.startswith(("did not", "the connection was cut", "cannot be reached"))


def test_nobody_listens(server: Server) -> None:
    with Server() as gone:
        asked = client(gone)
    assert down(asked, f"{gone.url}/x") in ("cannot be reached", "the connection was cut")
    assert server.log == []


@pytest.mark.parametrize("kind", [HTML, "text/plain", "", "application/octet-stream"])
def test_another_type_than_asked_for(server: Server, kind: str) -> None:
    server.on("/x", Reply(b"<!doctype html><title>Please log in</title>", kind))
    assert "in place of application/json" in down(client(server), f"{server.url}/x")


@pytest.mark.parametrize(
    "body",
    [b"<html>", b'{"a": ', b'{"title": "M\xfcller"}', b"[" * 100_000, b"", b"\xff\xfe[\x00]\x00\x00"],
    ids=["html", "half", "latin-1", "deep", "empty", "broken utf-16"],
)
def test_body_that_is_no_json(server: Server, body: bytes) -> None:
    server.on("/x", Reply(body))
    assert "no application/json" in down(client(server), f"{server.url}/x")


def test_a_hundred_megabytes_are_not_read(server: Server) -> None:
    server.on("/x", Reply(fault="endless", length=100 * 1024 * 1024))
    assert "more than 8,388,608 bytes" in down(client(server), f"{server.url}/x")
    assert server.sent < 40 * 1024 * 1024
    assert len(server.log) == 1


def test_a_compressed_bomb_is_not_unpacked(server: Server) -> None:
    bomb = gzip.compress(b"0" * (20 * 1024 * 1024))
    server.on("/x", Reply(bomb, headers={"Content-Encoding": "gzip"}))
    assert "more than" in down(client(server), f"{server.url}/x")


def test_compressed_and_broken_compressed(server: Server) -> None:
    server.on("/x", Reply(gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"}))
    server.on("/y", Reply(b"not gzip at all", headers={"Content-Encoding": "gzip"}))
    asked = client(server)
    assert asked.get_json(f"{server.url}/x") == [1]
    assert "decompressed" in down(asked, f"{server.url}/y")


# --- redirects and private addresses ----------------------------------------------------------------------------


def moved(target: str, status: int = 302) -> Reply:
    return Reply(b"", "", status, {"Location": target})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_on_the_same_host(server: Server, status: int) -> None:
    server.on("/x", moved("/y", status))
    server.on("/y", GOOD)
    assert client(server).get_json(f"{server.url}/x") == {"good": True}


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://example.org/x", "gopher://x/", "javascript:alert(1)", "data:text/html,x"]
)
def test_redirect_to_something_else_than_http(server: Server, target: str) -> None:
    server.on("/x", moved(target))
    assert "something else than http" in down(client(server), f"{server.url}/x")


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:9/x",
        "http://localhost:9/x",
        "http://10.0.0.1/x",
        "http://192.168.1.1/admin",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:9/x",
        "http://[::ffff:127.0.0.1]:9/x",
        "http://0.0.0.0:9/x",
        "http://printer.local/x",
        "http://metadata.google.internal/x",
    ],
)
def test_redirect_to_a_private_address(server: Server, target: str) -> None:
    server.on("/x", moved(target))
    assert "private address" in down(client(server), f"{server.url}/x")


def test_redirect_to_another_local_server(server: Server) -> None:
    """Only the address that was configured is trusted, not the machine that it is on."""
    with Server() as other:
        other.on("/", GOOD)
        server.on("/x", moved(f"{other.url}/y"))
        assert "private address" in down(client(server), f"{server.url}/x")
        assert other.log == []


def test_name_that_resolves_to_a_private_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is on the connection, so a public name with a private address behind it is refused, too."""
    with Server() as other:
        other.on("/", GOOD)
        port = int(other.url.rpartition(":")[2])
        asked = Client(Settings(bases={}, limits=QUICK))
        found = [(2, 1, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
        assert (
            down(asked, f"http://papers.example.org:{port}/x")
            == "papers.example.org is the private address 127.0.0.1"
        )
        assert other.log == []
    assert server.log == []


def test_redirect_to_a_malformed_address(server: Server) -> None:
    server.on("/x", moved("http://[::1"))
    assert "cannot be asked" in down(client(server), f"{server.url}/x")
    assert len(server.log) == 1


def test_redirects_in_a_circle(server: Server) -> None:
    server.on("/x", moved("/x"))
    assert "redirects more than 5 times" in down(client(server), f"{server.url}/x")
    assert len(server.log) == 6


def test_a_key_stays_with_its_host(server: Server) -> None:
    with Server() as other:
        other.on("/y", GOOD)
        server.on("/x", moved(f"{other.url}/y"))
        bases = {"semanticscholar": server.url, "openalex": other.url}
        asked = Client(settings(server, bases=bases))
        asked.get_json(f"{server.url}/x", {"x-api-key": "secret"})
        assert server.log[0].headers["x-api-key"] == "secret"
        assert "x-api-key" not in other.log[0].headers


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("127.0.0.1", False), ("100.64.0.1", False),
        ("224.0.0.1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("2002:7f00:1::", False), ("::", False),
    ],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "nothing", "http://x:99999/", "http://[::1"])
def test_addresses_that_cannot_be_asked(server: Server, url: str) -> None:
    down(client(server), url)


# --- the cache --------------------------------------------------------------------------------------------------


def test_answers_are_kept(server: Server, tmp_path: Path) -> None:
    server.on("/x", GOOD)
    server.on("/gone", Reply(b"", "text/plain", 404))
    for _ in range(2):
        asked = client(server, cache=tmp_path)
        assert asked.get_json(f"{server.url}/x") == {"good": True}
        with pytest.raises(NotFoundError):
            asked.get_json(f"{server.url}/gone")
    assert len(server.log) == 2


def test_old_answers_are_asked_again(server: Server, tmp_path: Path) -> None:
    server.on("/x", GOOD)
    limits = Limits(cache_age=0, interval=0)
    for _ in range(2):
        client(server, cache=tmp_path, limits=limits).get_json(f"{server.url}/x")
    assert len(server.log) == 2


def test_faults_are_not_kept(server: Server, tmp_path: Path) -> None:
    server.on("/x", Reply(b"<html>log in</html>", HTML), Reply(b"{broken"), GOOD)
    asked = client(server, cache=tmp_path)
    down(asked, f"{server.url}/x")
    down(asked, f"{server.url}/x")
    assert asked.get_json(f"{server.url}/x") == {"good": True}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] != []


@pytest.mark.parametrize("spoilt", [b"", b"no json\n", b'{"at": 1}\n', b"[]\n", b'{"at": "x"}\nbody'])
def test_spoilt_cache_files_are_asked_again(server: Server, tmp_path: Path, spoilt: bytes) -> None:
    server.on("/x", GOOD)
    client(server, cache=tmp_path).get_json(f"{server.url}/x")
    (kept,) = (path for path in tmp_path.rglob("*") if path.is_file())
    kept.write_bytes(spoilt)
    assert client(server, cache=tmp_path).get_json(f"{server.url}/x") == {"good": True}
    assert len(server.log) == 2


def test_cache_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    server.on("/x", GOOD)
    (tmp_path / "file").write_text("in the way")
    assert client(server, cache=tmp_path / "file").get_json(f"{server.url}/x") == {"good": True}


# --- settings ---------------------------------------------------------------------------------------------------


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATLAS_ARXIV_URL", "http://127.0.0.1:1/a/")
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path))
    monkeypatch.setenv("ATLAS_CONTACT", "a@example.org")
    monkeypatch.setenv("ATLAS_HTTP_TRIES", "2")
    monkeypatch.setenv("ATLAS_HTTP_INTERVAL", "0.5")
    read = Settings.from_environment()
    assert read.base("arxiv") == "http://127.0.0.1:1/a"
    assert read.base("crossref") == "https://api.crossref.org"
    assert (read.cache, read.contact) == (tmp_path, "a@example.org")
    assert (read.limits.tries, read.limits.interval, read.intervals["arxiv"]) == (2, 0.5, 0.5)
    monkeypatch.setenv("ATLAS_HTTP_TRIES", "often")
    with pytest.raises(ValueError, match="often"):
        Settings.from_environment()


def test_proxy_is_not_used_for_this_machine(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.on("/x", GOOD)
    assert client(server).get(f"{server.url}/x", JSON, bytes) == GOOD.body
