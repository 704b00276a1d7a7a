"""The guard of conftest.py: the suite makes no request to the outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from scripts.sources import Client, Settings, Sources
from scripts.sources.settings import Limits

OUTSIDE = ("192.0.2.1", 80)  # an address for documentation: nobody is there


def test_connection_outside_fails() -> None:
    with socket.socket() as plain, pytest.raises(pytest.fail.Exception, match="outside"):
        plain.connect(OUTSIDE)
    with pytest.raises(pytest.fail.Exception, match="outside"):
        socket.create_connection(OUTSIDE, timeout=1)


def test_datagram_outside_fails() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain,
        pytest.raises(pytest.fail.Exception, match="outside"),
    ):
        plain.sendto(b"?", OUTSIDE)


def test_name_outside_is_not_looked_up() -> None:
    with pytest.raises(pytest.fail.Exception, match="outside"):
        socket.getaddrinfo("export.arxiv.org", 443)
    with pytest.raises(pytest.fail.Exception, match="outside"):
        requests.get("https://export.arxiv.org", timeout=1)


def test_real_base_addresses_are_caught() -> None:
    """A test that forgets to set the base addresses fails; the client does not report 'down' in its place."""
    sources = Sources.over(Client(Settings(limits=Limits(tries=1))))
    with pytest.raises(pytest.fail.Exception, match="outside"):
        sources.arxiv.fetch("2406.18665")


def test_this_machine_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()


def test_guard_is_taken_away() -> None:
    """Outside of a module of tests/scripts the guard is gone: it must not change what other tests see."""
    code = "import socket, tests.scripts.conftest; assert socket.socket.connect.__qualname__ == 'socket.connect'"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
