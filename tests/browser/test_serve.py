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
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.browser.site import environment, make_root
from tests.conftest import fields

STARTED, BUILDING, BUILT = "Serving on", "Building documentation", "Reloading browsers"
START_SECONDS, EDIT_SECONDS = 120, 30
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


def test_an_edit_shows_and_the_server_comes_to_rest(tmp_path: Path) -> None:
    before, after = "A Title Before the Edit", "A Title After the Edit"
    entries = {"doe2024deferral": fields(title=before), "roe2024other": fields(title="Another Paper")}
    root = make_root(tmp_path / "atlas", entries)
    entry = root / "papers" / "2024" / "doe2024deferral.yml"
    with live_server(root) as (url, log):
        assert before in read(f"{url}/papers/doe2024deferral/")
        log.rest(REST_SECONDS)
        assert sum(BUILDING in line for line in log.lines) == 1  # the first build; it starts no second one

        log.lines.clear()
        started = time.monotonic()
        entry.write_text(entry.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
        log.wait_for(BUILT, EDIT_SECONDS)
        page = read(f"{url}/papers/doe2024deferral/")
        assert after in page
        assert before not in page
        assert after in read(f"{url}/papers/")
        assert after in read(f"{url}/assets/data/explorer.json")
        assert time.monotonic() - started < EDIT_SECONDS
        log.rest(REST_SECONDS)
        assert 1 <= sum(BUILDING in line for line in log.lines) <= 2, "".join(log.lines)

        log.lines.clear()
        (root / "papers" / "2024" / "roe2024other.yml").unlink()
        log.wait_for(BUILT, EDIT_SECONDS)
        assert "Another Paper" not in read(f"{url}/papers/")


@pytest.mark.browser
def test_an_open_page_reloads_itself_after_an_edit(tmp_path: Path, new_page: NewPage) -> None:
    """The server's own script runs under the page's Content-Security-Policy."""
    before, after = "A Title Before the Edit", "A Title After the Edit"
    root = make_root(tmp_path / "atlas", {"doe2024deferral": fields(title=before)})
    entry = root / "papers" / "2024" / "doe2024deferral.yml"
    with live_server(root) as (url, log):
        page = new_page(url=url)
        page.goto("/papers/doe2024deferral/")
        expect(page.get_by_role("heading", level=1)).to_contain_text(before)
        assert page.locator('meta[http-equiv="Content-Security-Policy"]').count() == 1
        entry.write_text(entry.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
        log.wait_for(BUILT, EDIT_SECONDS)
        expect(page.get_by_role("heading", level=1)).to_contain_text(after)
        page.goto("about:blank")  # it asks the server for the next build until it is left


def test_a_broken_entry_does_not_stop_the_server(tmp_path: Path) -> None:
    root = make_root(tmp_path / "atlas", {"doe2024deferral": fields(title="A Paper That Stays")})
    with live_server(root) as (url, log):
        log.lines.clear()
        (root / "papers" / "2024" / "roe2024broken.yml").write_text("title: [never closed\n", encoding="utf-8")
        log.wait_for(BUILT, EDIT_SECONDS)
        assert "A Paper That Stays" in read(f"{url}/papers/")
        log.lines.clear()
        taxonomy = root / "taxonomy" / "taxonomy.yml"
        text = taxonomy.read_text(encoding="utf-8")
        taxonomy.write_text("stages: [\n", encoding="utf-8")
        log.wait_for("taxonomy.yml", EDIT_SECONDS)  # the reason is on the console
        taxonomy.write_text(text, encoding="utf-8")
        log.wait_for(BUILT, EDIT_SECONDS)
        assert "A Paper That Stays" in read(f"{url}/papers/")
