"""The polite client: asks slowly, waits when told to, believes nothing that it is sent, keeps what it was
told."""

from __future__ import annotations

import datetime
import email.utils
import json
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies

from reference_impls.safe.guard import (
    Origin,
    PrivateAddressError,
    cause_of,
    guarded_adapter,
    is_private_literal,
    origin,
)
from reference_impls.safe.reading import pieces
from scripts.sources.cache import Answer, Cache
from scripts.sources.errors import NotFoundError, SourceDownError
from scripts.sources.settings import Settings

_AGAIN = {429, 500, 502, 503, 504}
_REDIRECT = {301, 302, 303, 307, 308}
_FAILURES = 2  # addresses in a row after which a host counts as down for this run
JSON = ("application/json", "application/vnd.api+json")
XML = ("application/atom+xml", "application/xml", "text/xml")
BIBTEX = ("application/x-bibtex", "text/x-bibtex", "text/plain", "application/octet-stream")


Read = TypeVar("Read")


@dataclass
class _Host:
    """What the client knows of a host."""

    interval: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0  # when the next request may go out
    failures: int = 0  # addresses in a row that no try could get
    down: str | None = None  # why it is not asked again in this run


class _TransientError(Exception):
    """A try that failed and may be repeated, after `wait` seconds if the server named them."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Client:
    """One session for all sources. Safe to use from several threads; a host sees one request at a time."""

    def __init__(
        self,
        settings: Settings,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.limits = settings, settings.limits
        self._sleep, self._clock = sleep, clock
        self._cache = Cache(settings.cache, settings.limits.cache_age) if settings.cache else None
        self._hosts: dict[Origin, _Host] = {}
        self._lock = threading.Lock()
        self._trusted = {origin(url) for url in settings.bases.values()}
        self._session = requests.Session()
        # proxies are looked up below; passwords from ~/.netrc must not be sent to anybody
        self._session.trust_env = False
        self._session.headers["User-Agent"] = user_agent(settings.contact)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, guarded_adapter(lambda: self._trusted, self.limits.total))
        self.requests = 0  # how many went out, for reports and tests

    def get(
        self,
        url: str,
        accept: tuple[str, ...],
        read: Callable[[bytes], Read],
        headers: Mapping[str, str] | None = None,
    ) -> Read:
        """What `read` makes of the body at `url`; `read` raises ValueError for a body that it cannot use.

        NotFoundError for 404 and 410; SourceDownError for everything else that is no answer of a type in
        `accept`. Only what could be read is kept on disk, so that a login page is not remembered as an
        answer.
        """
        host = _name(url)
        kept = self._cache.read(url) if self._cache else None
        answer = kept or self._ask(url, {"Accept": ", ".join(accept), **(headers or {})})
        if answer.status in (404, 410):
            self._keep(url, answer, kept)
            raise NotFoundError(host, "does not know it")
        if answer.status != 200:
            raise SourceDownError(host, f"answered with status {answer.status}")
        kind = answer.content_type.partition(";")[0].strip().lower()
        if kind not in accept:
            raise SourceDownError(host, f"answered {kind or 'without a type'} in place of {accept[0]}")
        try:
            value = read(answer.body)
        except (ValueError, RecursionError) as error:
            raise SourceDownError(host, f"answered something that is no {accept[0]}") from error
        self._keep(url, answer, kept)
        return value

    def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON value at `url`; errors as in `get`."""
        return self.get(url, JSON, json.loads, headers)

    def _keep(self, url: str, answer: Answer, kept: Answer | None) -> None:
        if self._cache and kept is None:
            self._cache.write(url, answer)

    # --- one request and its tries --------------------------------------------------------------------------

    def _ask(self, url: str, headers: Mapping[str, str]) -> Answer:
        name = _name(url)
        try:
            host = self._host(url)
        except ValueError as error:
            raise SourceDownError(name, str(error)) from error
        with host.lock:
            for attempt in range(1, self.limits.tries + 1):
                if host.down:
                    raise SourceDownError(name, f"{host.down} (not asked again in this run)")
                try:
                    answer = self._follow(url, headers, host)
                except _TransientError as error:
                    wait, why = self._wait(error, attempt), str(error)
                    if wait > self.limits.longest_wait:
                        host.down = why = f"{why} and asks for {wait:.0f} s of rest"
                    if host.down or attempt == self.limits.tries:
                        break
                    host.free_at = self._clock() + wait
                else:
                    host.failures = 0
                    return answer
            host.failures += 1
            if host.failures >= _FAILURES:
                host.down = why
            raise SourceDownError(name, why)

    def _wait(self, error: _TransientError, attempt: int) -> float:
        if error.wait is not None:
            return error.wait
        # half of the wait is random, so that clients that failed together do not return together
        return self.limits.first_wait * 2.0 ** (attempt - 1) * (0.5 + random.random() / 2)  # noqa: S311

    def _host(self, url: str) -> _Host:
        place = origin(url)
        with self._lock:
            if place not in self._hosts:
                names = [name for name, base in self.settings.bases.items() if origin(base) == place]
                asked = [self.settings.intervals[n] for n in names if n in self.settings.intervals]
                self._hosts[place] = _Host(max(asked, default=self.limits.interval))
            return self._hosts[place]

    def _follow(self, url: str, headers: Mapping[str, str], host: _Host) -> Answer:
        """One try: the request and its redirects."""
        first = _name(url)
        here, sent = url, dict(headers)
        for _ in range(self.limits.redirects + 1):
            self._pace(host)
            answer, target = self._once(here, sent)
            if target is None:
                return answer
            try:
                there = urljoin(here, target)
                same = origin(there) == origin(here)
            except ValueError as error:
                raise SourceDownError(first, f"redirects to something else than http(s): {target[:80]}") from error
            if not same:
                sent = {"Accept": sent["Accept"]}  # a key is meant for the host that it was given for
            here = there
        raise SourceDownError(first, f"redirects more than {self.limits.redirects} times")

    def _pace(self, host: _Host) -> None:
        delay = host.free_at - self._clock()
        if delay > 0:
            self._sleep(delay)
        host.free_at = self._clock() + host.interval

    def _once(self, url: str, headers: Mapping[str, str]) -> tuple[Answer, str | None]:
        """One request: the answer, and where it redirects to."""
        name, port = origin(url)
        trusted = (name, port) in self._trusted
        if not trusted and is_private_literal(name):
            raise SourceDownError(name, "is a private address")
        proxies = {} if is_private_literal(name) else get_environ_proxies(url)
        deadline = self._clock() + self.limits.total
        self.requests += 1
        try:
            with self._session.get(
                url,
                headers=dict(headers),
                stream=True,
                allow_redirects=False,
                timeout=(self.limits.connect, min(self.limits.silence, self.limits.total)),
                proxies=proxies,
                verify=os.environ.get("REQUESTS_CA_BUNDLE") or True,
            ) as response:
                status = response.status_code
                if status in _AGAIN:
                    raise _TransientError(f"answered with status {status}", retry_after(response))
                if status in _REDIRECT and (target := response.headers.get("Location")):
                    return Answer(url, status, "", b""), target
                kind = response.headers.get("Content-Type", "")
                return Answer(url, status, kind, self._body(response, name, deadline)), None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if refused := cause_of(error, PrivateAddressError):
                raise SourceDownError(name, str(refused)) from error
            if isinstance(error, ValueError):  # requests' InvalidURL among them
                raise SourceDownError(name, "has, or redirects to, an address that cannot be asked") from error
            raise _TransientError(plain_reason(error)) from error

    def _body(self, response: requests.Response, name: str, deadline: float) -> bytes:
        """The body, decompressed, as long as it stays within the limits of size and time."""
        got, size = [], 0
        for piece in pieces(response):
            size += len(piece)
            if size > self.limits.body:
                raise SourceDownError(name, f"sends more than {self.limits.body:,} bytes")
            if self._clock() > deadline:
                raise _TransientError(f"did not finish within {self.limits.total:.0f} s")
            got.append(piece)
        told = response.headers.get("Content-Length", "")
        plain = not response.headers.get("Content-Encoding")
        if plain and told.isdigit() and size != int(told):
            raise _TransientError("the connection was cut")
        return b"".join(got)


def _name(url: str) -> str:
    """An address's host for a message; the address itself where it has none."""
    try:
        return urlsplit(url).hostname or url[:80]
    except ValueError:
        return url[:80]


def user_agent(contact: str | None) -> str:
    """Who asks, with an address to complain to where one is set."""
    try:
        version = metadata.version("llm-ensemble-atlas")
    except metadata.PackageNotFoundError:
        version = "0"
    about = f"mailto:{contact}" if contact else "a curated list of papers; set ATLAS_CONTACT to be named here"
    return f"llm-ensemble-atlas/{version} ({about})"


def retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from either form of Retry-After; None where it is absent or unreadable."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit() and text.isascii():
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.UTC)
    return max(0.0, (when - datetime.datetime.now(datetime.UTC)).total_seconds())


def plain_reason(error: BaseException) -> str:
    """An error of the network in a few words."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return "did not answer in time"
    if isinstance(error, urllib3.exceptions.DecodeError):
        return "sends a body that cannot be decompressed"
    if isinstance(error, requests.exceptions.SSLError):
        return "has no valid certificate"
    if isinstance(error, urllib3.exceptions.ProtocolError | requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    return "cannot be reached"
