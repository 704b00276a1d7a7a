"""Connections that refuse private addresses and give up at a deadline.

An entry, a mirror or a redirect is written by strangers: no address of theirs may make this machine talk to itself or
to its own network. The check is made on the address that the socket is connected to, before a byte is sent,
so that a name which resolves to another address the second time gains nothing. Base addresses from the
settings are trusted.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_PORTS = {"http": 80, "https": 443}
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 addresses for hosts that speak IPv6 only
Origin = tuple[str, int]


class PrivateAddressError(OSError):
    """A connection to an address that is not public and not configured."""


def origin(url: str) -> Origin:
    """Host and port of an address. ValueError where it has none or is not http(s)."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or "%" in parts.hostname.partition(":")[0]:
        raise ValueError(f"'{url[:80]}' is no http(s) address")
    return parts.hostname.lower(), parts.port or _PORTS[parts.scheme]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet; IPv4 in IPv6 counts as the IPv4 inside."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _TRANSLATED else None
        ip = ip.ipv4_mapped or ip.sixtofour or translated or ip
    return ip.is_global and not ip.is_multicast


def is_private_literal(host: str) -> bool:
    """Whether a host is written as a private IP address, or names this machine. Behind a proxy nothing else tells.

    >>> [is_private_literal(host) for host in ("127.1", "0x7f000001", "2130706433", "localhost.", "8.8.8.8")]
    [True, True, True, True, False]
    """
    # as a resolver reads it: other scripts' digits and full stops are folded, a last full stop says nothing
    host = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower().rstrip(".").strip("[]")
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".localdomain")):
        return True
    try:
        return not is_public(host)
    except ValueError:
        pass
    try:  # one to four numbers, each decimal, octal or hexadecimal, as C libraries take them
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, UnicodeEncodeError):
        return False


def cause_of(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first error of `kind` among an error, what it wraps, and its causes."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        if isinstance(item, kind):
            return item
        seen.add(id(item))
        waiting += [*item.args, item.__cause__, item.__context__, getattr(item, "reason", None)]
    return None


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
