"""Fetching against a real server on this machine that cuts, lies, ignores ranges, sends too much and is busy."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from reference_impls.recorded import fetch as module
from reference_impls.recorded.fetch import FetchError, Patience, fetch, is_good, place, problems
from reference_impls.recorded.registry import Source, SourceFile

BODY = bytes(range(256)) * 4000
CUT = 16 * 16384
HURRY = Patience(connect=2, silence=2, tries=3, first_wait=0.01, longest_wait=1)


def source_of(body: bytes = BODY, path: str = "data/answers.jsonl") -> Source:
    file = SourceFile(path, len(body), hashlib.sha256(body).hexdigest())
    return Source("made", "owner/name", "c" * 40, "MIT", "", None, "", {"made": ""}, (file,))


@dataclass
class Answer:
    """What the server does with one request."""

    status: int = 200
    body: bytes | None = None
    cut: int | None = None  # bytes after which the connection ends
    ranges: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False  # sends a byte, waits, and so on for ever
    drips_head: bool = False


class Handler(BaseHTTPRequestHandler):
    """Takes the answers in their order; then serves the body."""

    answers: ClassVar[list[Answer]]
    asked: ClassVar[list[tuple[str, str | None]]]
    sent: ClassVar[list[dict[str, str]]] = []
    hung_up: ClassVar[threading.Event]

    def do_GET(self) -> None:
        cls = type(self)
        wanted = self.headers.get("Range")
        cls.asked.append((self.path, wanted))
        answer = cls.answers.pop(0) if cls.answers else Answer()
        body, status, start = answer.body if answer.body is not None else BODY, answer.status, 0
        if status == 200 and wanted and answer.ranges:
            start, status = int(wanted.removeprefix("bytes=").removesuffix("-")), 206
        cls.sent.append(dict(self.headers))
        if answer.drips_head:
            self.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            return
        self.send_response(status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if status == 206 and "Content-Range" not in answer.headers:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        piece = body[start:] if status in {200, 206} else b"busy"
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        if answer.drips:
            self.drip(b"")
            return
        self.wfile.write(piece if answer.cut is None else piece[: answer.cut])

    def drip(self, start: bytes) -> None:
        """A byte every 50 ms until the client hangs up."""
        with suppress(OSError):
            self.wfile.write(start)
            while not self.hung_up.wait(0.05):
                self.wfile.write(b"x")
                self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(*answers: Answer) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    asked: list[tuple[str, str | None]] = []
    hung_up = threading.Event()
    handler = type("Once", (Handler,), {"answers": list(answers), "asked": asked, "hung_up": hung_up})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        hung_up.set()
        server.shutdown()
        thread.join()
        server.server_close()


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


NAME = f"owner/name/{'c' * 40}/data/answers.jsonl"


def test_a_file_is_fetched_whole_and_not_again(tmp_path: Path) -> None:
    told: list[int] = []
    with serving() as (base, asked):
        got = fetch(
            source_of(), cache=tmp_path, base=base, patience=HURRY, progress=lambda _, done: told.append(done)
        )
        assert fetch(source_of(), cache=tmp_path, base=base, patience=HURRY) == got
    assert asked == [(f"/{NAME}", None)]
    assert got == {"data/answers.jsonl": tmp_path / NAME}
    assert (tmp_path / NAME).read_bytes() == BODY
    assert listed(tmp_path) == [NAME]
    assert told == sorted(told)
    assert told[-1] == len(BODY)
    assert len(told) > 2


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_is_continued(tmp_path: Path, ranges: bool) -> None:
    with serving(Answer(cut=CUT), Answer(cut=CUT, ranges=ranges), Answer(ranges=ranges)) as (base, asked):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert (tmp_path / NAME).read_bytes() == BODY
    assert [start for _, start in asked] == [None, f"bytes={CUT}-", f"bytes={2 * CUT if ranges else CUT}-"]


def test_what_is_here_of_a_cut_download_is_kept_for_the_next_run_and_never_read(tmp_path: Path) -> None:
    with (
        serving(*[Answer(cut=0), Answer(cut=CUT), *[Answer(cut=0)] * 5]) as (base, _),
        pytest.raises(FetchError, match=rf"{CUT} of 1024000 bytes are here \(run it again later"),
    ):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert listed(tmp_path) == [f"{NAME}.part"]
    assert problems(source_of(), tmp_path) == [f"{tmp_path / NAME}: missing (atlas data fetch made)"]
    with serving() as (base, asked):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert asked == [(f"/{NAME}", f"bytes={CUT}-")]
    assert listed(tmp_path) == [NAME]


def test_a_part_that_proves_wrong_is_begun_anew(tmp_path: Path) -> None:
    part = tmp_path / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    for wrong in (b"wrong", b"w" * len(BODY), b"w" * (len(BODY) + 5)):
        part.write_bytes(wrong)
        with serving() as (base, _):
            fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
        assert (tmp_path / NAME).read_bytes() == BODY
        (tmp_path / NAME).unlink()


def test_another_range_than_asked_for_is_not_taken(tmp_path: Path) -> None:
    lie = Answer(headers={"Content-Range": "bytes 5-9/10"})
    with serving(Answer(cut=CUT), lie) as (base, asked):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert (tmp_path / NAME).read_bytes() == BODY
    assert [start for _, start in asked] == [None, f"bytes={CUT}-", None]


@pytest.mark.parametrize("status", [503, 429, 500])
def test_a_busy_server_is_asked_again(tmp_path: Path, status: int) -> None:
    with serving(Answer(status=status), Answer(status=status, headers={"Retry-After": "0"})) as (base, asked):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert len(asked) == 3
    assert is_good(tmp_path / NAME, source_of().files[0])


def test_a_server_that_asks_for_hours_is_left_alone(tmp_path: Path) -> None:
    with (
        serving(Answer(status=429, headers={"Retry-After": "7200"})) as (base, asked),
        pytest.raises(FetchError, match="answers 429"),
    ):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(status=404), "the server answers 404"),
        (Answer(body=BODY[:-1] + b"x"), "has the checksum .* nothing was kept"),
        (Answer(body=BODY + b"x"), "holds more than the 1024000 bytes of the registry; nothing was kept"),
    ],
)
def test_a_lie_is_refused_and_not_kept(tmp_path: Path, answer: Answer, told: str) -> None:
    with serving(answer) as (base, asked), pytest.raises(FetchError, match=told) as caught:
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert len(asked) == 1
    assert "\n" not in str(caught.value)
    assert not (tmp_path / NAME).exists()
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.part")) == 0


def test_an_endless_body_is_stopped_early(tmp_path: Path) -> None:
    body = BODY * 100
    with serving(Answer(body=body)) as (base, _), pytest.raises(FetchError, match="holds more than"):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)


def test_a_damaged_file_is_named_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY[:-1] + b"x")
    assert problems(source_of(), tmp_path) == [
        f"{path}: size or checksum is wrong (atlas data fetch made replaces it)"
    ]
    with serving() as (base, _):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert problems(source_of(), tmp_path) == []


def test_nobody_there_and_no_address(tmp_path: Path) -> None:
    with serving() as (base, _):
        pass
    with pytest.raises(FetchError, match="no connection; 0 of 1024000 bytes"):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    with pytest.raises(FetchError, match="no address"):
        fetch(source_of(), cache=tmp_path, base="http://:80:x", patience=HURRY)
    for base in ("ftp://example.org", str(tmp_path / "no")):
        with pytest.raises(FetchError, match="neither a folder nor an http"):
            fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)


def test_a_mirror_folder_serves_as_well_and_is_checked_as_well(tmp_path: Path) -> None:
    mirror, cache = tmp_path / "mirror", tmp_path / "cache"
    with pytest.raises(FetchError, match="neither a folder"):
        fetch(source_of(), cache=cache, base=str(mirror))
    (mirror / NAME).parent.mkdir(parents=True)
    with pytest.raises(FetchError, match=r"not in the mirror"):
        fetch(source_of(), cache=cache, base=str(mirror))
    for wrong, told in ((BODY[:-1], "has 1023999 bytes"), (BODY[1:] + b"x", "checksum"), (BODY + b"x", "more than")):
        (mirror / NAME).write_bytes(wrong)
        with pytest.raises(FetchError, match=told):
            fetch(source_of(), cache=cache, base=str(mirror))
        assert not (cache / NAME).exists()
    (mirror / NAME).write_bytes(BODY)
    fetch(source_of(), cache=cache, base=str(mirror))
    assert listed(cache) == [NAME]
    assert (cache / NAME).read_bytes() == BODY


def test_a_path_out_of_the_cache_is_refused(tmp_path: Path) -> None:
    for path in ("../../../../evil", "a/../../b", "/etc/evil"):
        with pytest.raises(FetchError, match="outside the cache folder"):
            place(source_of(path=path), source_of(path=path).files[0], tmp_path)
    outside, cache = tmp_path / "outside", tmp_path / "cache"
    outside.mkdir()
    (cache / "owner").mkdir(parents=True)
    (cache / "owner" / "name").symlink_to(outside)
    with serving() as (base, asked), pytest.raises(FetchError, match="outside the cache folder"):
        fetch(source_of(), cache=cache, base=base, patience=HURRY)
    (cache / "owner" / "name").unlink()
    (cache / "owner" / "name").symlink_to("name")
    with pytest.raises(FetchError, match="outside the cache folder"):
        fetch(source_of(), cache=cache, base=base, patience=HURRY)
    assert asked == []
    assert listed(outside) == []


def test_a_part_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    part = tmp_path / "cache" / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to(victim)
    with serving() as (base, _), pytest.raises(FetchError, match="cannot be written"):
        fetch(source_of(), cache=tmp_path / "cache", base=base, patience=HURRY)
    assert victim.read_text() == "mine"


def test_a_link_in_the_place_of_a_file_is_left_alone(tmp_path: Path) -> None:
    """It may lead to the right file, on another disk; to anything else it is not replaced by a file silently."""
    source, mine = source_of(), tmp_path / "mine"
    path = place(source, source.files[0], tmp_path / "cache")
    path.parent.mkdir(parents=True)
    path.symlink_to(mine)
    mirror = tmp_path / "mirror" / source.folder / source.files[0].path
    mirror.parent.mkdir(parents=True)
    mirror.write_bytes(BODY)
    for there in (b"somebody's own", None):
        if there is None:
            mine.unlink()
        else:
            mine.write_bytes(there)
        with pytest.raises(FetchError, match="is a link to something else"):
            fetch(source, cache=tmp_path / "cache", base=str(tmp_path / "mirror"))
        assert path.is_symlink()
        assert there is None or mine.read_bytes() == there
    mine.write_bytes(BODY)
    assert fetch(source, cache=tmp_path / "cache", base=str(tmp_path / "mirror")) == {"data/answers.jsonl": path}
    assert path.is_symlink()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "owner").write_text("a file where a folder should be")
    with serving() as (base, _), pytest.raises(FetchError, match=r"cannot be written: .* \(check the folder"):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)


def test_a_full_disk_is_named_and_gets_its_room_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append: Callable[..., None] = module._append

    def full(part: Any, piece: bytes, file: SourceFile, where: str) -> None:
        append(part, piece, file, where)
        if part.tell() > 500_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_append", full)
    with serving() as (base, _), pytest.raises(FetchError, match=r"no room for 1024000 bytes: No space left"):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
    assert listed(tmp_path) == []


def test_a_real_limit_on_the_size_of_files_is_met_like_a_full_disk(tmp_path: Path) -> None:
    """The kernel itself refuses the write here."""
    code = (
        "import resource, signal, sys; from pathlib import Path;"
        "from tests.reference_impls.recorded.test_fetch import HURRY, source_of;"
        "from reference_impls.recorded.fetch import FetchError, fetch;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000));\n"
        "try: fetch(source_of(), cache=Path(sys.argv[1]), base=sys.argv[2], patience=HURRY)\n"
        "except FetchError as error: print(error)"
    )
    with serving() as (base, _):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), base], capture_output=True, text=True, check=True
        )
    assert "no room for 1024000 bytes" in done.stdout
    assert listed(tmp_path) == []


def test_processes_at_once_do_not_disturb_one_another(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from tests.reference_impls.recorded.test_fetch import BODY, HURRY, source_of;"
        "from reference_impls.recorded.fetch import fetch;"
        "got = fetch(source_of(), cache=Path(sys.argv[1]), base=sys.argv[2], patience=HURRY);"
        "assert [path.read_bytes() for path in got.values()] == [BODY]"
    )
    with serving(*[Answer(cut=CUT)] * 2) as (base, asked):
        runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), base]) for _ in range(4)]
        assert [run.wait(timeout=60) for run in runs] == [0] * 4
    assert len(asked) == 3, "one process fetches, in three pieces; the others find the file"
    assert listed(tmp_path) == [NAME]


@pytest.mark.parametrize("answer", [Answer(drips=True), Answer(drips_head=True)], ids=["body", "head"])
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(tmp_path: Path, answer: Answer) -> None:
    hurry = dataclasses.replace(HURRY, tries=1, head=1.0, grace=0.3)
    with serving(answer) as (base, asked), pytest.raises(FetchError, match=r"too slow|ended early"):
        fetch(source_of(), cache=tmp_path, base=base, patience=hurry)
    assert len(asked) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "10.0.0.1"])
def test_a_mirror_cannot_send_us_to_a_private_address(tmp_path: Path, host: str) -> None:
    with serving() as (inside, asked):
        target = f"http://{host}:{inside.rpartition(':')[2]}/x"
        with (
            serving(Answer(status=302, headers={"Location": target})) as (base, _),
            pytest.raises(FetchError, match="private address") as caught,
        ):
            fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
        assert asked == []
    assert "\n" not in str(caught.value)


def test_a_redirect_within_the_mirror_is_followed_and_a_circle_is_not(tmp_path: Path) -> None:
    with serving(Answer(status=302, headers={"Location": "/there"})) as (base, asked):
        fetch(source_of(), cache=tmp_path, base=base, patience=HURRY)
        assert [path for path, _ in asked] == [f"/{NAME}", "/there"]
    with (
        serving(*[Answer(status=302, headers={"Location": "/round"})] * 9) as (base, asked),
        pytest.raises(FetchError, match="redirects more than 5 times"),
    ):
        fetch(source_of(), cache=tmp_path / "other", base=base, patience=HURRY)
    for target in ("ftp://example.org/x", "file:///etc/passwd"):
        with (
            serving(Answer(status=302, headers={"Location": target})) as (base, asked),
            pytest.raises(FetchError, match=r"something else than http"),
        ):
            fetch(source_of(), cache=tmp_path / "other", base=base, patience=HURRY)


def test_a_mirror_gets_no_password_of_the_netrc_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jane password s3cret\ndefault login jane password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    Handler.sent.clear()
    with serving() as (base, _):
        fetch(source_of(), cache=tmp_path / "cache", base=base, patience=HURRY)
    assert Handler.sent
    assert not [head for head in Handler.sent if "Authorization" in head]
