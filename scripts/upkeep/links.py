"""Asks for every link of every entry: slowly, one request at a time to a host, HEAD first and then GET.

What a host says to a program is not what it says to a reader: 403, 429 and 999 mean 'blocked', not 'dead'. A
link is dead only after failing in three runs that lie a day or more apart (`link_state`).
"""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies

from reference_impls.safe.guard import PrivateAddressError, cause_of, guarded_adapter, is_private_literal, origin
from scripts.checks.findings import Finding, Level
from scripts.imports.identify import implied
from scripts.model import Corpus, Paper
from scripts.model.corpus import Entry
from scripts.model.identifiers import FORMS
from scripts.model.yaml_reader import YamlPath

# the words of the polite client for the same events; that they are private there is told to its author
from scripts.sources.http import plain_reason, retry_after, user_agent
from scripts.sources.settings import Settings
from scripts.upkeep.link_state import APART, FAILURES, Answer, Link, Outcome, State
from scripts.upkeep.reports import code, fit, link

BLOCKED = {401, 403, 429, 451, 999}
NO_HEAD_NEEDED = {429, 999}  # asking again with GET would only make it worse
_PERMANENT, _REDIRECT = {301, 308}, {301, 302, 303, 307, 308}
_UNREACHED = 3  # failures in a row after which a host is not asked again in this run
_OFFLINE = 3  # hosts, none of which answers: then this machine is offline, and nothing is counted
# arXiv's robots.txt asks for 15 seconds; the identifiers of most entries are checked through its API instead
PAUSES = {"arxiv.org": 15.0, "www.arxiv.org": 15.0, "export.arxiv.org": 3.0}

RULES: dict[str, tuple[Level, str]] = {
    "link-dead": (Level.WARNING, "A link that leads nowhere sends every reader away."),
    "link-failing": (Level.INFO, "A link that fails once may come back; it is asked again."),
    "link-moved": (Level.INFO, "A page that moved for good may lose its old address."),
}


@dataclass(frozen=True)
class Place:
    """Where a link stands: the entry and the path of the value inside."""

    entry: Entry
    path: YamlPath


Links = dict[str, list[Place]]


def collect(corpus: Corpus, *, identifiers: bool = False) -> Links:
    """Every link with the places where it stands, fragments left out.

    The canonical pages of an entry's own identifiers, also where `checked` names them, come only with
    `identifiers`: `atlas verify` asks their sources, which is surer and gentler.
    """
    found: Links = defaultdict(list)
    for entry in corpus.entries:
        if not entry.paper:
            continue
        own = {FORMS[kind].url(value) for kind, value in implied(dict(entry.paper.ids.items())).items()}
        for path, url in _links(entry.paper):
            if identifiers or url not in own:
                found[urldefrag(url).url].append(Place(entry, path))
    return dict(sorted(found.items()))


def _links(paper: Paper) -> Iterator[tuple[YamlPath, str]]:
    for kind, value in paper.ids.items():
        yield ("ids", kind), FORMS[kind].url(value)
    yield from ((("links", "code", place), url) for place, url in enumerate(paper.links.code))
    for name in ("page", "project", "video", "slides"):
        if url := getattr(paper.links, name):
            yield ("links", name), url
    if paper.checked:
        yield from ((("checked", "against", place), url) for place, url in enumerate(paper.checked.against))


# --- asking ---------------------------------------------------------------------------------------------------


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


# --- a run ----------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """What a run did. `offline` says why nothing was counted, where no host at all answered."""

    taken_up: bool
    asked: int = 0
    offline: bool = False


def check(
    links: Links,
    state: State,
    prober: Prober,
    *,
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    workers: int = 8,
    every: float = 2.0,
    progress: Callable[[str], None] = lambda _: None,
) -> Run:
    """Asks for the links that this run has no answer for. The state is saved every `every` seconds, and at the
    end, also where the run is stopped."""
    run = Run(state.begin(now()))
    by_host: dict[str, list[str]] = defaultdict(list)
    for url in links:
        if not state.answered(url):
            by_host[urlsplit(url).hostname or ""].append(url)
    total = sum(map(len, by_host.values()))
    noting = _Notes(state, run, total, every, now, progress)
    # the longest row begins first, so that it does not stand alone at the end
    rows = sorted(by_host.values(), key=len, reverse=True)
    waiting, errors = deque(rows), deque[BaseException]()

    def ask_hosts() -> None:
        try:
            while row := _taken(waiting):
                for url in row:
                    if not noting.note(url, prober.ask(url)):
                        return
        except BaseException as error:  # noqa: BLE001  raised again where the threads were started
            errors.append(error)
            waiting.clear()

    # Threads that end with the program: whoever presses Ctrl-C does not wait for answers under way.
    threads = [threading.Thread(target=ask_hosts, daemon=True) for _ in range(min(max(1, workers), len(rows)))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        run.offline = noting.end(hosts=len(rows))
        state.finished = not run.offline
    finally:
        noting.close()
    return run


def _taken(rows: deque[list[str]]) -> list[str]:
    """The next row, which no other thread gets; empty where none is left."""
    try:
        return rows.popleft()
    except IndexError:
        return []


@dataclass
class _Notes:
    """Takes down answers from several threads. Failures to reach anybody wait until somebody was reached."""

    state: State
    run: Run
    total: int
    every: float
    now: Callable[[], datetime.datetime]
    progress: Callable[[str], None]
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: list[tuple[str, Answer, datetime.datetime]] = field(default_factory=list)
    online: bool = False
    closed: bool = False
    saved: float = field(default_factory=time.monotonic)

    def note(self, url: str, answer: Answer) -> bool:
        """Whether more answers are wanted."""
        with self.lock:
            if self.closed:
                return False
            self.run.asked += 1
            self.progress(f"{self.run.asked} of {self.total} links")
            # an address that is refused before asking proves nothing about the line
            self.online = self.online or answer.status is not None
            self.waiting.append((url, answer, self.now()))
            if self.online:
                self._put_down()
            if time.monotonic() - self.saved >= self.every:
                self.state.save()
                self.saved = time.monotonic()
            return True

    def close(self) -> None:
        """Saves what is known; what comes later is left out."""
        with self.lock:
            self.closed = True
            self.state.save()

    def _put_down(self) -> None:
        for url, answer, time_ in self.waiting:
            self.state.record(url, answer, time_)
        self.waiting.clear()

    def end(self, hosts: int) -> bool:
        """Whether this machine seems to be offline; if not, what waited is taken down."""
        if not self.online and hosts >= _OFFLINE and any(not answer.reached for _, answer, _ in self.waiting):
            return True
        self._put_down()
        return False


# --- telling --------------------------------------------------------------------------------------------------


@dataclass
class Summary:
    """The state of the links that the Atlas holds now, by how they stand."""

    checked: str | None
    groups: dict[str, dict[str, Link]]  # dead, failing, moved, blocked, ok
    unasked: list[str]
    places: Links

    @classmethod
    def of(cls, links: Links, state: State) -> Summary:
        """What `state` says of `links`."""
        groups: dict[str, dict[str, Link]] = {name: {} for name in ("dead", "failing", "moved", "blocked", "ok")}
        for url in links:
            if known := state.links.get(url):
                groups[_group(known)][url] = known
        return cls(state.started, groups, [url for url in links if url not in state.links], links)

    def findings(self) -> list[Finding]:
        """Dead, failing and moved links at every place where they stand."""
        texts = {
            "dead": ("link-dead", "look for its new address, or remove it"),
            "failing": ("link-failing", "nothing yet: it is asked again"),
            "moved": ("link-moved", "write the new address if it is the same page"),
        }
        found = []
        for group, (rule, repair) in texts.items():
            for url, known in self.groups[group].items():
                told = f"now at {known.moved_to}" if group == "moved" else _failed(known)
                for place in self.places[url]:
                    entry = place.entry
                    assert entry.document
                    file = "/".join(entry.path.parts[-3:])
                    mark = entry.document.mark(place.path)
                    found.append(Finding(file, mark, RULES[rule][0], rule, f"{url}: {told}", repair))
        return found

    def as_json(self) -> dict[str, object]:
        """For machines: counts, and every link that is not simply there."""
        rows = [
            {
                "url": url,
                "state": group,
                "status": known.status,
                "why": known.why,
                "moved_to": known.moved_to,
                "failures": known.failures,
                "asked": known.asked,
                "entries": sorted({place.entry.key for place in self.places[url]}),
            }
            for group, links in self.groups.items()
            if group != "ok"
            for url, known in links.items()
        ]
        return {"checked": self.checked, "counts": self.counts, "links": rows}

    @property
    def counts(self) -> dict[str, int]:
        """How many links stand how."""
        return {**{group: len(links) for group, links in self.groups.items()}, "unasked": len(self.unasked)}

    def as_markdown(self) -> str:
        """For an issue: dead links first, then those that moved, then those to be watched."""
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        lines = [f"Links checked in the run of {(self.checked or '')[:10]}: {counts or 'none'}.", ""]
        lines.append(
            f"A link is dead after failing in {FAILURES} runs, {APART.days} day or more apart; 'blocked' are"
            " answers such as 403 and 429, which a program gets where a reader may not."
        )
        for group, head in (
            ("dead", "Dead"),
            ("moved", "Moved for good"),
            ("failing", "Failing"),
            ("blocked", "Blocked"),
        ):
            if not self.groups[group]:
                continue
            lines += ["", f"### {head}", ""]
            for url, known in self.groups[group].items():
                keys = ", ".join(code(key) for key in sorted({place.entry.key for place in self.places[url]}))
                told = f"now at {link(known.moved_to or '')}" if group == "moved" else code(_failed(known))
                box = "- [ ]" if group in ("dead", "moved") else "-"
                lines.append(f"{box} {link(url)} ({keys}): {told}")
        return fit(lines)


def _group(known: Link) -> str:
    if known.dead:
        return "dead"
    match known.outcome:
        case Outcome.FAILED:
            return "failing"
        case Outcome.BLOCKED:
            return "blocked"
        case Outcome.OK:
            return "moved" if known.moved_to and known.permanent else "ok"


def _failed(known: Link) -> str:
    if known.outcome is Outcome.BLOCKED:
        return known.why
    since = f", since {known.failures[0][:10]}" if len(known.failures) > 1 else ""
    return f"{known.why} ({len(known.failures)} of {FAILURES} runs{since})"


__all__ = ["BLOCKED", "RULES", "Links", "Place", "Prober", "Run", "Summary", "check", "collect"]
