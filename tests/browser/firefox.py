"""Drives Debian's Firefox over Marionette, the protocol that it speaks itself: JSON with its length in front, on TCP.

Playwright drives builds of its own and newer ones alone, and geckodriver, which Selenium needs, is no Debian package.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

NO_FIREFOX = (
    "no Firefox found: install one (Debian: apt install firefox-esr), or name one by ATLAS_FIREFOX=/path/to/firefox"
)
START_SECONDS = 90  # far above the two that it takes, for a busy machine
PATIENCE_SECONDS = 60


@cache
def find_firefox() -> str | None:
    """Path of the Firefox to test with. ATLAS_FIREFOX wins and must be right where it is set."""
    if named := os.environ.get("ATLAS_FIREFOX"):
        found = shutil.which(named)
        assert found, f"ATLAS_FIREFOX names no program: {named}"
        return found
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


class Firefox:
    """One window. Scripts run in the page, with its policy out of the way, as a reader's own tools do."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._sent = 0
        self._receive()  # who it is
        self.tell("WebDriver:NewSession", capabilities={"alwaysMatch": {}})
        self.tell("WebDriver:SetTimeouts", script=PATIENCE_SECONDS * 1000, pageLoad=PATIENCE_SECONDS * 1000)

    def tell(self, command: str, **parameters: Any) -> Any:
        """Sends a command and gives its answer."""
        self._sent += 1
        message = json.dumps([0, self._sent, command, parameters]).encode()
        self._connection.sendall(b"%d:%s" % (len(message), message))
        _, _, error, answer = self._receive()
        if error:
            raise AssertionError(f"{command}: {error['error']}: {error['message']}")
        return answer["value"] if isinstance(answer, dict) and "value" in answer else answer

    def _receive(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            got = self._stream.read(1)
            assert got, "Firefox hung up"
            length += got
        return json.loads(self._stream.read(int(length[:-1])))

    def open(self, address: str) -> None:
        """Loads a page."""
        self.tell("WebDriver:Navigate", url=address)

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of a function gives in the page; a promise is waited for."""
        return self.tell("WebDriver:ExecuteScript", script=script, args=list(arguments), sandbox=None)

    def find(self, css: str) -> str:
        """The first element that a selector finds, once it is visible."""
        self.wait(f"element {css}", "return Boolean(document.querySelector(arguments[0])?.checkVisibility())", css)
        (element,) = self.tell("WebDriver:FindElement", using="css selector", value=css).values()
        return str(element)

    def click(self, css: str) -> None:
        """Clicks an element as a reader does."""
        self.tell("WebDriver:ElementClick", id=self.find(css))

    def type(self, css: str, text: str) -> None:
        """Types into an element."""
        self.tell("WebDriver:ElementSendKeys", id=self.find(css), text=text)

    def wait(self, what: str, script: str, *arguments: Any) -> Any:
        """Waits until a script gives something, and gives it."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (found := self.run(script, *arguments)):
            assert time.monotonic() < end, f"{self.run('return location.href')}: no {what} within a minute"
            time.sleep(0.1)
        return found


@contextmanager
def firefox(scheme: str) -> Iterator[Firefox]:
    """A Firefox without a screen, in a colour scheme and a profile of its own, which reaches this machine only."""
    program = find_firefox()
    assert program, NO_FIREFOX
    settings = {
        "marionette.port": 0,  # any that is free
        "layout.css.prefers-color-scheme.content-override": 0 if scheme == "dark" else 1,
        "ui.prefersReducedMotion": 1,
        "network.proxy.type": 1,  # all other hosts: to a port that nobody has
        **{f"network.proxy.{kind}": "127.0.0.1" for kind in ("http", "ssl")},
        **{f"network.proxy.{kind}_port": 9 for kind in ("http", "ssl")},
        "network.proxy.no_proxies_on": "127.0.0.1",
        "network.proxy.allow_hijacking_localhost": False,
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        profile = Path(name)
        lines = (f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in settings.items())
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        command = [program, "--headless", "--marionette", "--no-remote", "--profile", name]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = int(_once((profile / "MarionetteActivePort").read_text, process))
            with socket.create_connection(("127.0.0.1", port), timeout=2 * PATIENCE_SECONDS) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _once(read: Callable[[], str], process: subprocess.Popen[bytes]) -> str:
    """What a file says as soon as it says something."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if text := read():
                return text
        except FileNotFoundError:
            pass
        time.sleep(0.1)
    raise AssertionError("Firefox opened no port for Marionette")
