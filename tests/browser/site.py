"""Builds sites and serves them as a web server on the internet does: compressed, with the site's own 404 page."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import ROOT, Entries, write_entries

BUILD_SECONDS = 240  # far above what a build takes, also on a busy machine
ADDRESSES = ("ATLAS_SITE_URL", "ATLAS_REPOSITORY")
# the same on every machine; the system's own tables differ
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".xml": "application/xml",
    ".txt": "text/plain; charset=utf-8",
    ".bib": "application/x-bibtex; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".map": "application/json",
}


def environment(**settings: str) -> dict[str, str]:
    """The environment of a build: both addresses unset but for `settings`, whatever the caller's shell says."""
    return {**os.environ, "NO_MKDOCS_2_WARNING": "1", **dict.fromkeys(ADDRESSES, ""), **settings}


def make_root(root: Path, entries: Entries) -> Path:
    """An Atlas of `entries` that MkDocs can build: the real taxonomy, sources and tools, and these papers."""
    for name in ("taxonomy", "site_src"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copyfile(ROOT / "mkdocs.yml", root / "mkdocs.yml")
    (root / "scripts").symlink_to(ROOT / "scripts")
    (root / "papers").mkdir()
    shutil.copyfile(ROOT / "papers" / "schema.json", root / "papers" / "schema.json")
    write_entries(root, entries)
    (root / "build" / "docs").mkdir(parents=True)
    return root


def build(root: Path, out: Path, **settings: str) -> Path:
    """Builds the Atlas at `root` into `out` as `make site` does; a warning is an error."""
    (root / "build" / "docs").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    run = subprocess.run(
        command,
        cwd=root,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert run.returncode == 0, f"mkdocs build ended with {run.returncode}:\n{run.stdout}{run.stderr}"
    return out


class SiteServer(ThreadingHTTPServer):
    """Serves one built site on a free port of 127.0.0.1 and counts the bytes that it sends."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.sent: list[tuple[str, int]] = []  # (path, bytes of headers and body) of each answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser may hang up at any time."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SiteServer

    def do_GET(self) -> None:
        self.directory = str(self.server.folder)
        path, status = Path(self.translate_path(self.path)), HTTPStatus.OK
        asked = urlsplit(self.path).path
        if path.is_dir() and not asked.endswith("/"):
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", f"{asked}/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            path, status = self.server.folder / "404.html", HTTPStatus.NOT_FOUND
        kind = TYPES.get(path.suffix, "application/octet-stream")
        zipped = path.suffix in TYPES and "gzip" in self.headers.get("Accept-Encoding", "")
        body = _zipped(path) if zipped else path.read_bytes()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        self._sent_headers = 0
        self.end_headers()
        self.wfile.write(body)
        self.server.sent.append((asked, self._sent_headers + len(body)))

    def flush_headers(self) -> None:
        self._sent_headers = sum(map(len, getattr(self, "_headers_buffer", [])))
        super().flush_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the parent's name
        """Says nothing: the tests' output is for findings."""


@cache
def _zipped(path: Path) -> bytes:
    """A built site does not change, so each file is compressed once."""
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)


@contextmanager
def serving(folder: Path) -> Iterator[SiteServer]:
    """Serves the site in `folder` while the block runs."""
    with SiteServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
