"""Connections that refuse private addresses and give up at a deadline.

An entry or a redirect is written by strangers: no address of theirs may make this machine talk to itself or
to its own network. The check is made on the address that the socket is connected to, before a byte is sent,
so that a name which resolves to another address the second time gains nothing. Base addresses from the
settings are trusted.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, int]


class PrivateAddressError(OSError):
    """A connection to an address that is not public and not configured."""


def origin(url: str) -> Origin:
    """Host and port of an address. ValueError where it has none or is not http(s)."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"'{url[:80]}' is no http(s) address")
    return parts.hostname.lower(), parts.port or _PORTS[parts.scheme]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet; IPv4 in IPv6 counts as the IPv4 inside."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    return ip.is_global and not ip.is_multicast


def is_private_literal(host: str) -> bool:
    """Whether a host is written as a private IP address, or names this machine."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_public(host)
    except ValueError:
        return False


def guarded_adapter(trusted: Callable[[], set[Origin]], total: float) -> HTTPAdapter:
    """An adapter for `requests` whose direct connections are checked. `total` is the time for an answer's
    head."""

    class Guard:
        """Mixed into both kinds of connection."""

        host: str
        port: int
        sock: Any

        def _new_conn(self) -> socket.socket:
            made: socket.socket = super()._new_conn()  # type: ignore[misc]
            peer = made.getpeername()[0]
            if not is_public(peer) and (self.host.lower(), self.port) not in trusted():
                made.close()
                raise PrivateAddressError(f"{self.host} is the private address {peer}")
            return made

        def getresponse(self, *args: Any, **kwargs: Any) -> Any:
            """The head of an answer; a server that sends it letter by letter is cut off."""
            held = self.sock

            def cut() -> None:
                with suppress(OSError):
                    held.shutdown(socket.SHUT_RDWR)

            timer = threading.Timer(total, cut)
            timer.daemon = True
            timer.start()
            try:
                return super().getresponse(*args, **kwargs)  # type: ignore[misc]
            finally:
                timer.cancel()

    class GuardedHTTP(Guard, HTTPConnection):
        pass

    class GuardedHTTPS(Guard, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = GuardedHTTP

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = GuardedHTTPS

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            manager: PoolManager = self.poolmanager
            manager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}

    return Adapter(max_retries=0)
