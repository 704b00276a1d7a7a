"""A write is whole or not at all, whatever ends it: an error, a limit, a full disk, kill -9."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.safe import writing
from tests.conftest import ROOT

OLD = "old content\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.txt"
    path.write_text(OLD)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_content_is_replaced_and_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    writing.write_text(path, "one")
    writing.write_text(path, "zwei ü\r\n")
    assert path.read_bytes() == "zwei ü\r\n".encode()
    writing.write_json(path, {"ü": [1]})
    assert path.read_text(encoding="utf-8") == '{\n "ü": [\n  1\n ]\n}\n'
    assert names(path.parent) == ["file.txt"]


def test_permissions_are_kept_and_a_new_file_has_the_usual_ones(file: Path) -> None:
    file.chmod(0o640)
    writing.write_text(file, "new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    before = os.umask(0o027)
    try:
        writing.write_text(file.with_name("new"), "")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.with_name("new").stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_is_kept(file: Path) -> None:
    os.chown(file, 1234, 2345)
    writing.write_text(file, "new")
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_left(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(PermissionError, match=re.escape(str(file))):
        writing.write_text(file, "new")
    assert file.read_text() == OLD


def test_a_link_stays_and_its_target_is_written(file: Path) -> None:
    (file.parent / "elsewhere").mkdir()
    link = file.parent / "elsewhere" / "link"
    link.symlink_to("../file.txt")
    writing.write_text(link, "new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    hanging = file.parent / "hanging"
    hanging.symlink_to("made.txt")
    writing.write_text(hanging, "made")
    assert hanging.is_symlink()
    assert (file.parent / "made.txt").read_text() == "made"


def test_errors_name_the_file_and_change_nothing(file: Path) -> None:
    loop = file.parent / "loop"
    loop.symlink_to("loop")
    for path in (file.parent, file / "below", loop):
        with pytest.raises(OSError, match=re.escape(str(file.parent))):
            writing.write_text(path, "new")
        with pytest.raises(OSError, match=re.escape(str(file.parent))):
            writing.create_text(path, "new")
    with pytest.raises(UnicodeEncodeError):
        writing.write_text(file, "\ud800")
    assert file.read_text() == OLD
    assert names(file.parent) == ["file.txt", "loop"]


def test_a_device_is_written_as_it_is() -> None:
    writing.write_text(Path("/dev/null"), "gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("x")])
def test_a_block_that_fails_half_way_leaves_the_old_file(file: Path, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, writing.replacing(file) as stream:  # noqa: PT012  the block is it
        stream.write(b"half")
        raise error
    assert file.read_text() == OLD
    assert names(file.parent) == ["file.txt"]
    assert not isinstance(error, OSError) or str(file) in str(caught.value)


def test_an_error_of_another_file_keeps_its_name(file: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"other\.txt"), writing.replacing(file) as stream:
        stream.write((file.parent / "other.txt").read_bytes())


def test_only_a_new_file_is_created(file: Path) -> None:
    with pytest.raises(FileExistsError):
        writing.create_text(file, "new")
    assert file.read_text() == OLD
    writing.create_text(file.with_name("new.txt"), "new")
    assert file.with_name("new.txt").read_text() == "new"
    assert names(file.parent) == ["file.txt", "new.txt"]


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)
    writing.write_text(path, "one")
    writing.write_text(path, "two")
    assert path.read_text() == "two"


@pytest.fixture
def small_files() -> Iterator[int]:
    """No file of this process may have more than 4,096 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield 4096
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@given(old=st.binary(max_size=3000), new=st.binary(max_size=200), times=st.integers(1, 100))
def test_a_write_that_fails_half_way_leaves_the_old_file(
    tmp_path_factory: pytest.TempPathFactory, old: bytes, new: bytes, times: int
) -> None:
    """For any content: it is there in full, or the write says why not and the old one is."""
    folder = tmp_path_factory.mktemp("limited")
    file = folder / "file"
    file.write_bytes(old)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    fits = len(new) * times <= 4096
    try:
        with nullcontext() if fits else pytest.raises(OSError, match=re.escape(str(file))):
            writing.write_bytes(file, new * times)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.read_bytes() == (new * times if fits else old)
    assert names(folder) == ["file"]


@pytest.mark.usefixtures("small_files")
def test_what_cannot_be_written_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"big\.txt"):
        writing.create_text(tmp_path / "big.txt", "x" * 5000)
    assert not names(tmp_path)


WRITER = """
    import sys
    from pathlib import Path
    from reference_impls.safe import writing

    file, size = Path(sys.argv[1]), int(sys.argv[2])
    for number in range(10**9):
        with writing.replacing(file, durable=False) as stream:
            for _ in range(size // 1000):
                stream.write(bytes([65 + number % 26]) * 1000)
"""


def test_kill_9_at_any_moment_leaves_one_whole_content(tmp_path: Path) -> None:
    """Whichever of its writes a process is killed in, the file has one letter and its full size."""
    file, size, drawn = tmp_path / "file", 300_000, random.Random(0)  # noqa: S311
    writing.write_text(file, "x" * size)
    amid = 0
    while amid < 4:
        writer = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(file), str(size)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        begun = file.stat().st_ino
        while file.stat().st_ino == begun:
            assert writer.poll() is None
            time.sleep(0.001)
        least = drawn.randrange(size)
        while not any(sizes(tmp_path, least)):
            assert writer.poll() is None
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        data = file.read_bytes()
        assert len(data) == size
        assert data == data[:1] * size
        amid += len(names(tmp_path)) > 1


def sizes(folder: Path, least: int) -> Iterator[int]:
    """Those of the parts of at least so many bytes."""
    for part in folder.glob(".*.part"):
        with suppress(FileNotFoundError):
            if (size := part.stat().st_size) >= least:
                yield size


def test_parts_that_the_dead_left_go_and_those_in_use_stay(file: Path) -> None:
    left = file.with_name(".file.txt.0123456789abcdef.part")
    left.write_text("half")
    other = file.with_name(".file.txt.part")
    other.write_text("somebody's own")
    linked = file.with_name(".link.0123456789abcdef.part")
    linked.symlink_to(file)
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WAITING), str(file.with_name("slow.txt"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout
    assert writer.stdout.readline() == b"half\n"
    assert not left.exists(), "the writer has swept its folder"
    writing.write_text(file, "new")
    assert writer.communicate(b"\n")[0] == b""
    assert file.with_name("slow.txt").read_text() == "half and half"
    assert names(file.parent) == [".file.txt.part", linked.name, "file.txt", "slow.txt"]


WAITING = """
    import sys
    from pathlib import Path
    from reference_impls.safe import writing

    with writing.replacing(Path(sys.argv[1])) as stream:
        stream.write(b"half")
        print("half", flush=True)
        sys.stdin.readline()
        stream.write(b" and half")
"""


def test_git_ignores_parts() -> None:
    part = "papers/2024/.ong2024routellm.yml.0123456789abcdef.part"
    done = subprocess.run(["git", "check-ignore", part], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    assert done.returncode == 0
