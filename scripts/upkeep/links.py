"""Asks for every link of every entry, several hosts at a time (`prober`).

What a host says to a program is not what it says to a reader: 403, 429 and 999 mean 'blocked', not 'dead'. A
link is dead only after failing in three runs that lie a day or more apart (`link_state`).
"""

from __future__ import annotations

import datetime
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urlsplit

from scripts.imports.identify import implied
from scripts.model import Corpus, Paper
from scripts.model.corpus import Entry
from scripts.model.identifiers import FORMS
from scripts.model.yaml_reader import YamlPath
from scripts.upkeep.link_state import Answer, State
from scripts.upkeep.prober import Prober

_OFFLINE = 3  # hosts, none of which answers: then this machine is offline, and nothing is counted


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
    yield from ((("relations", "sources", url), url) for url in paper.relations.sources)
    if paper.checked:
        yield from ((("checked", "against", place), url) for place, url in enumerate(paper.checked.against))


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
