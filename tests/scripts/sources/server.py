"""An HTTP server on this machine that answers as told, and as badly as told."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

JSON, ATOM, HTML = "application/json", "application/atom+xml; charset=utf-8", "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What was asked: the path as sent, the query decoded, the headers by their small names."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer. `fault` is how it goes wrong: cut (half of the body), drip (a byte at a time), slow-head (the head
    a letter at a time), silent (nothing at all), endless (zeros until `length` bytes are sent)."""

    body: bytes = b""
    kind: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    length: int = 0


Answer = Reply | Callable[[Request], Reply]


class Server:
    """Routes by the start of the path; the longest wins. A list of answers is given one after the other, the last
    one again and again."""

    def __init__(self) -> None:
        self.routes: dict[str, list[Answer]] = {}
        self.log: list[Request] = []
        self.times: list[float] = []
        self.sent = 0  # bytes of endless bodies
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, path: str, *answers: Answer) -> None:
        """Answers requests whose path begins with `path`."""
        self.routes[path] = list(answers)

    def asked(self, path: str) -> list[Request]:
        """The requests whose path begins with `path`."""
        return [request for request in self.log if request.path.startswith(path)]

    def reply(self, request: Request) -> Reply:
        """What is to be said."""
        self.log.append(request)
        self.times.append(time.monotonic())
        fitting = [path for path in self.routes if request.path.startswith(path)]
        if not fitting:
            return Reply(b"Resource not found.", "text/plain", 404)
        answers = self.routes[max(fitting, key=len)]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(request) if callable(answer) else answer

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two pieces; without this each answer takes 40 ms

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        with contextlib.suppress(OSError):  # the client may have hung up, that is what is tested
            self._send(self.owner.reply(Request(unquote(parts.path), query, headers)))

    def _send(self, reply: Reply) -> None:
        if reply.fault == "silent":
            time.sleep(1.5)
            self.close_connection = True
            return
        if reply.fault == "slow-head":
            for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200:
                self.wfile.write(bytes([letter]))
                self.wfile.flush()
                time.sleep(0.05)
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.kind, **reply.headers}.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(reply.length or len(reply.body)))
        self.end_headers()
        for piece in self._pieces(reply):
            self.wfile.write(piece)
            self.wfile.flush()

    def _pieces(self, reply: Reply) -> Iterator[bytes]:
        if reply.fault == "cut":
            yield reply.body[: len(reply.body) // 2]
            self.close_connection = True
        elif reply.fault == "drip":
            for byte in reply.body:
                yield bytes([byte])
                time.sleep(0.05)
        elif reply.fault == "endless":
            zeros = b"0" * 65536
            while self.owner.sent < reply.length:
                yield zeros
                self.owner.sent += len(zeros)
        else:
            yield reply.body

    def log_message(self, *_: Any) -> None:
        """The log of the test is `owner.log`."""
