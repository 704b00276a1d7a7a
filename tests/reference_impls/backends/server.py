"""A scripted server of the OpenAI form on 127.0.0.1 that notes what it is sent."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Status and content of an answer (JSON, or bytes as they are), and headers if there are any.
Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
#: What the server does with a request's body.
Behaviour = Callable[[dict[str, Any]], Answer]


@dataclass
class Seen:
    """A request."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Scripted:
    """A server that runs.

    Attributes:
        url: its address with ``/v1``.
        behave: makes the next answers; may be replaced.
        seen: the requests so far.
    """

    url: str
    behave: Behaviour
    seen: list[Seen] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request.body for request in self.seen]


def choice(content: Any = "4", finish: str = "stop", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content}, "finish_reason": finish, **more}


def said(*choices: dict[str, Any], prompt: int = 9, completion: int | None = None, **usage: Any) -> dict[str, Any]:
    """An answer with some choices, one token each unless told otherwise."""
    written = len(choices) if completion is None else completion
    return {
        "choices": list(choices),
        "usage": {"prompt_tokens": prompt, "completion_tokens": written, **usage},
    }


def one_at_a_time(text: str = "4") -> Behaviour:
    """Says the same to everything, once."""
    return lambda _body: (200, said(choice(text)))


@contextmanager
def serving(behave: Behaviour) -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length) or b"{}")
            headers = {name.lower(): value for name, value in self.headers.items()}
            scripted.seen.append(Seen(self.path, headers, body))
            status, data, *more = scripted.behave(body)
            if status == 0:  # hangs up
                self.close_connection = True
                return
            payload = data if isinstance(data, bytes) else json.dumps(data).encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(payload))}
            self.send_response(status)
            for name, value in (headers | dict(*more)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST  # noqa: N815 (the name that http.server wants)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exception(), ConnectionError):  # who asked was killed
                super().handle_error(request, client_address)

    httpd = Server(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    scripted = Scripted(f"http://127.0.0.1:{httpd.server_address[1]}/v1", behave)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield scripted
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
