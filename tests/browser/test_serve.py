"""`mkdocs serve`, as `make serve` starts it: an edit of an entry shows, and the server then comes to rest."""

from __future__ import annotations

import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.browser.site import environment, make_root
from tests.conftest import fields

STARTED, BUILDING, BUILT = "Serving on", "Building documentation", "Reloading browsers"
START_SECONDS, EDIT_SECONDS = 120, 30
TITLES = {
    "doe2024deferral": "A Title Before the Edit",
    "roe2024other": "Another Paper",
    "poe2024open": "A Paper That Is Open",
    "poe2024stays": "A Paper That Stays",
}
REST_SECONDS = 3  # a server in a loop builds again within the second


class Log:
    """The lines that a server prints, awaited one by one."""

    def __init__(self, stream: IO[str]) -> None:
        self.lines: list[str] = []
        self._queue: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(stream,))
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._queue.put(line)

    def next(self, seconds: float) -> str | None:
        """The next line, or None if none came in time."""
        try:
            line = self._queue.get(timeout=max(seconds, 0))
        except queue.Empty:
            return None
        self.lines.append(line)
        return line

    def wait_for(self, text: str, seconds: float) -> None:
        """Waits for a line with `text`."""
        end = time.monotonic() + seconds
        while (line := self.next(end - time.monotonic())) is not None:
            if text in line:
                return
        raise AssertionError(f"no line with {text!r} within {seconds} s:\n{''.join(self.lines)}")

    def rest(self, seconds: float) -> None:
        """Reads on until nothing is printed for so long."""
        while self.next(seconds) is not None:
            pass

    def join(self) -> None:
        """Ends with the server."""
        self._thread.join()


@contextmanager
def live_server(root: Path) -> Iterator[tuple[str, Log]]:
    """Serves the Atlas at `root` as `make serve` does, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "--livereload", "--dev-addr", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        command,
        cwd=root,
        env={**environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        log = Log(process.stdout)
        try:
            log.wait_for(STARTED, START_SECONDS)
            yield f"http://127.0.0.1:{port}", log
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
            log.join()


def read(address: str) -> str:
    """A page as it is served; the server holds the answer while it builds."""
    with urllib.request.urlopen(address, timeout=EDIT_SECONDS) as answer:  # noqa: S310  our own server
        text: str = answer.read().decode()
        return text


@dataclass
class Live:
    """A server of a few papers that has come to rest; each test edits its own, or puts back what it edits."""

    root: Path
    url: str
    log: Log

    def entry(self, key: str) -> Path:
        """The file of an entry of 2024."""
        return self.root / "papers" / "2024" / f"{key}.yml"

    def edit(self, path: Path, old: str, new: str) -> None:
        """Changes a file, and waits until its site is built."""
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        self.log.wait_for(BUILT, EDIT_SECONDS)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all tests: to start one is to build a site."""
    entries = {key: fields(title=title) for key, title in TITLES.items()}
    root = make_root(tmp_path_factory.mktemp("served") / "atlas", entries)
    with live_server(root) as (url, log):
        log.rest(REST_SECONDS)
        assert sum(BUILDING in line for line in log.lines) == 1  # the first build; it starts no second one
        yield Live(root, url, log)


@pytest.fixture(autouse=True)
def at_rest(live: Live) -> None:
    """Nothing of the test before is still being built."""
    live.log.rest(1)
    live.log.lines.clear()


def test_an_edit_shows_and_the_server_comes_to_rest(live: Live) -> None:
    before, after = TITLES["doe2024deferral"], "A Title After the Edit"
    assert before in read(f"{live.url}/papers/doe2024deferral/")
    started = time.monotonic()
    live.edit(live.entry("doe2024deferral"), before, after)
    page = read(f"{live.url}/papers/doe2024deferral/")
    assert after in page
    assert before not in page
    assert after in read(f"{live.url}/papers/")
    assert after in read(f"{live.url}/assets/data/explorer.json")
    assert time.monotonic() - started < EDIT_SECONDS
    live.log.rest(REST_SECONDS)
    assert 1 <= sum(BUILDING in line for line in live.log.lines) <= 2, "".join(live.log.lines)

    live.log.lines.clear()
    live.entry("roe2024other").unlink()
    live.log.wait_for(BUILT, EDIT_SECONDS)
    assert TITLES["roe2024other"] not in read(f"{live.url}/papers/")


@pytest.mark.browser
def test_an_open_page_reloads_itself_after_an_edit(live: Live, new_page: NewPage) -> None:
    """The server's own script runs under the page's Content-Security-Policy."""
    page = new_page(url=live.url)
    page.goto("/papers/poe2024open/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(TITLES["poe2024open"])
    assert page.locator('meta[http-equiv="Content-Security-Policy"]').count() == 1
    live.edit(live.entry("poe2024open"), TITLES["poe2024open"], "Another Title of the Open Paper")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Another Title of the Open Paper")
    page.goto("about:blank")  # it asks the server for the next build until it is left


def test_a_broken_entry_does_not_stop_the_server(live: Live) -> None:
    live.entry("roe2024broken").write_text("title: [never closed\n", encoding="utf-8")
    live.log.wait_for(BUILT, EDIT_SECONDS)
    assert TITLES["poe2024stays"] in read(f"{live.url}/papers/")
    live.log.lines.clear()
    taxonomy = live.root / "taxonomy" / "taxonomy.yml"
    text = taxonomy.read_text(encoding="utf-8")
    taxonomy.write_text("stages: [\n", encoding="utf-8")
    live.log.wait_for("taxonomy.yml", EDIT_SECONDS)  # the reason is on the console
    taxonomy.write_text(text, encoding="utf-8")
    live.log.wait_for(BUILT, EDIT_SECONDS)
    assert TITLES["poe2024stays"] in read(f"{live.url}/papers/")
