"""No test of the scripts may talk to anybody but this machine; a local server stands in for the world."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scripts.sources.server import Server
from tests.scripts.sources.services import serve


def _outside(host: object) -> bool:
    """Whether a host is anything but this machine."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in ("", "localhost", "None"):
        return False
    try:
        return not ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return True


@pytest.fixture(scope="module", autouse=True)
def _no_outside_request() -> Iterator[None]:
    """Every connection and every look-up of a name that leaves this machine fails the test. The failure is no
    Exception, so code that forgives a network that is down cannot hide it."""
    patch = pytest.MonkeyPatch()

    def guard(owner: object, name: str, place: int) -> None:
        real = getattr(owner, name)

        def guarded(*args: Any, **kwargs: Any) -> Any:
            target = args[place] if len(args) > place else kwargs.get("host")
            host = target[0] if isinstance(target, tuple) else target
            unix = isinstance(args[0], socket.socket) and args[0].family == socket.AF_UNIX
            if not unix and _outside(host):
                pytest.fail(f"the test reaches outside: {name}({host!r})")
            return real(*args, **kwargs)

        patch.setattr(owner, name, guarded)

    for method in ("connect", "connect_ex", "sendto"):
        guard(socket.socket, method, -1 if method == "sendto" else 1)
    for function in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        guard(socket, function, 0)
    yield
    patch.undo()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server without any answer."""
    with Server() as running:
        yield running


@pytest.fixture
def world(server: Server) -> Server:
    """A server on which all services answer with the recorded papers."""
    serve(server)
    return server
