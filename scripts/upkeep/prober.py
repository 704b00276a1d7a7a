"""Asks for one address after the other: one request at a time to a host, HEAD first and then GET."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies

from reference_impls.safe.guard import PrivateAddressError, cause_of, guarded_adapter, is_private_literal, origin

# the words of the polite client for the same events; that they are private there is told to its author
from scripts.sources.http import plain_reason, retry_after, user_agent
from scripts.sources.settings import Settings
from scripts.upkeep.link_state import Answer, Outcome

BLOCKED = {401, 403, 429, 451, 999}
NO_HEAD_NEEDED = {429, 999}  # asking again with GET would only make it worse
_PERMANENT, _REDIRECT = {301, 308}, {301, 302, 303, 307, 308}
_UNREACHED = 3  # failures in a row after which a host is not asked again in this run
# arXiv's robots.txt asks for 15 seconds; the identifiers of most entries are checked through its API instead
PAUSES = {"arxiv.org": 15.0, "www.arxiv.org": 15.0, "export.arxiv.org": 3.0}


@dataclass
class _Host:
    """What the prober knows of a host. Its lock is held while a request to it is under way."""

    pause: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0
    unreached: int = 0  # links in a row that no server answered for
    resting: str | None = None  # why it is not asked again in this run


class Prober:
    """Asks for links. Safe to use from several threads; a host sees one request at a time."""

    def __init__(
        self,
        settings: Settings,
        pause: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = settings.limits
        self._pause, self._sleep, self._clock = pause, sleep, clock
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._trusted = {origin(url) for url in settings.bases.values()}
        self._session = requests.Session()
        # proxies are looked up below; passwords from ~/.netrc must not be sent to anybody
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": user_agent(settings.contact), "Accept": "*/*"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, guarded_adapter(lambda: self._trusted, self.limits.total))
        self.requests = 0

    def ask(self, url: str) -> Answer:
        """What is at `url`. Never raises for what a server does."""
        host = self._host(urlsplit(url).hostname or "")
        if host.resting:
            return Answer(Outcome.BLOCKED, why=f"{host.resting}; not asked")
        if host.unreached >= _UNREACHED:
            why = "its host did not answer for other links and was not asked again in this run"
            return Answer(Outcome.FAILED, why=why, reached=False)
        try:
            answer = self._walk("HEAD", url)
            # many servers know no HEAD, or answer it with whatever their framework does
            if answer.outcome is not Outcome.OK and answer.status not in NO_HEAD_NEEDED:
                answer = self._walk("GET", url)
        except _RefusedError as error:
            return Answer(Outcome.FAILED, why=str(error))
        host.unreached = 0 if answer.reached else host.unreached + 1
        return answer

    def _walk(self, method: str, url: str) -> Answer:
        """The answer at the end of the redirects."""
        here, permanent, again = url, True, True
        for _ in range(self.limits.redirects + 2):
            try:
                status, target, wait = self._once(method, here)
            except _UnreachedError as error:
                return Answer(Outcome.FAILED, why=str(error), reached=False)
            if status == 429:
                host = self._host(urlsplit(here).hostname or "")
                if again and wait is not None and wait <= self.limits.longest_wait:
                    again, host.free_at = False, self._clock() + wait
                    continue
                # it was told to stop, so it stops
                host.resting = f"answered 429{f' and asks for {wait:.0f} s of rest' if wait is not None else ''}"
            if status in _REDIRECT and target:
                here, permanent = self._follow(here, target), permanent and status in _PERMANENT
                continue
            moved = here if urldefrag(here).url != urldefrag(url).url else None
            outcome, why = _judge(status)
            return Answer(outcome, status, why, moved, permanent and moved is not None)
        raise _RefusedError(f"redirects more than {self.limits.redirects} times")

    @staticmethod
    def _follow(here: str, target: str) -> str:
        try:
            # header fields are bytes; requests reads them as Latin-1, servers mean UTF-8
            there = urljoin(here, target.encode("latin-1", "replace").decode("utf-8", "replace"))
            origin(there)
        except ValueError as error:
            raise _RefusedError("redirects to something that is no http(s) address") from error
        return there

    def _once(self, method: str, url: str) -> tuple[int, str | None, float | None]:
        """One request: status, where it redirects to, how long it asks to wait. Only the head is read."""
        try:
            place = origin(url)
        except ValueError as error:
            raise _RefusedError("is no http(s) address") from error
        if place not in self._trusted and is_private_literal(place[0]):
            raise _RefusedError(f"leads to the private address {place[0]}")
        proxies = {} if is_private_literal(place[0]) else get_environ_proxies(url)
        with self._turn(place[0]):
            self.requests += 1
            try:
                with self._session.request(
                    method,
                    url,
                    stream=True,
                    allow_redirects=False,
                    timeout=(self.limits.connect, min(self.limits.silence, self.limits.total)),
                    proxies=proxies,
                    verify=os.environ.get("REQUESTS_CA_BUNDLE") or True,
                ) as response:
                    return response.status_code, response.headers.get("Location"), retry_after(response)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                if refused := cause_of(error, PrivateAddressError):
                    raise _RefusedError(str(refused)) from error
                if isinstance(error, ValueError):
                    raise _RefusedError("is, or leads to, no address that can be asked") from error
                raise _UnreachedError(plain_reason(error)) from error

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """Waits for the host's turn; nobody else asks it meanwhile."""
        host = self._host(name)
        with host.lock:
            delay = host.free_at - self._clock()
            if delay > 0:
                self._sleep(delay)
            try:
                yield
            finally:
                host.free_at = max(host.free_at, self._clock() + host.pause)

    def _host(self, name: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(name, _Host(max(self._pause, PAUSES.get(name, 0.0))))


class _RefusedError(Exception):
    """The address, or one that it redirects to, is not asked for."""


class _UnreachedError(Exception):
    """No answer came."""


def _judge(status: int) -> tuple[Outcome, str]:
    if status in BLOCKED:
        return Outcome.BLOCKED, f"answered {status}"
    if 200 <= status < 300:
        return Outcome.OK, ""
    return Outcome.FAILED, f"answered {status}"
