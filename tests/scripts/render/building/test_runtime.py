"""What npm brings is kept only if it is what the lock names, and served only as long as it is."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from scripts.render.building import runtime
from scripts.render.building.runtime import Lock, RuntimeFilesError, fetch, kept, runtime_files
from tests import javascript_types
from tests.conftest import ROOT

FILES = {"a.mjs": b"export {};", "b.wasm": b"\0asm" * 100}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An Atlas whose lock names an archive of two files, and an npm that brings it."""
    archive = tmp_path / "there.tar"
    with tarfile.open(archive, "w:gz") as packed:
        for name, data in FILES.items():
            (tmp_path / name).write_bytes(data)
            packed.add(tmp_path / name, f"package/dist/{name}")
    lock = {
        "name": "some-runtime", "version": "1.2.3", "licence": "MIT", "folder": "package/dist",
        "integrity": f"sha512-{base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}",
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()},
    }  # fmt: skip
    (tmp_path / "requirements").mkdir()
    (tmp_path / runtime.LOCK).write_text(json.dumps(lock), encoding="utf-8")
    programs = tmp_path / "bin"
    programs.mkdir()
    npm = programs / "npm"
    npm.write_text(f'#!/bin/sh\ntest "$2" = some-runtime@1.2.3 && cp "{archive}" "$PWD/some-runtime.tgz"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return tmp_path


def test_what_the_lock_names_is_kept_and_served(root: Path) -> None:
    assert runtime_files(root) == {}
    fetch(root)
    served = runtime_files(root)
    assert served["a.js"] == FILES["a.mjs"]
    assert gzip.decompress(served["b.wasm.gz"]) == FILES["b.wasm"]


def test_what_was_changed_later_is_not_served(root: Path) -> None:
    fetch(root)
    file = kept(root, Lock.load(root / runtime.LOCK)) / "b.wasm.gz"
    for content in (gzip.compress(b"another"), file.read_bytes()[:-9], b"none"):
        file.write_bytes(content)
        assert runtime_files(root) == {}
    fetch(root)
    assert set(runtime_files(root)) == {"a.js", "b.wasm.gz"}


@pytest.mark.parametrize(("field", "value"), [("integrity", "sha512-AAAA"), ("files", {"a.mjs": "0" * 64})])
def test_another_archive_is_refused(root: Path, field: str, value: object) -> None:
    lock = json.loads((root / runtime.LOCK).read_text(encoding="utf-8"))
    (root / runtime.LOCK).write_text(json.dumps(lock | {field: value}), encoding="utf-8")
    with pytest.raises(RuntimeFilesError, match="is not the one that"):
        fetch(root)
    assert runtime_files(root) == {}


def test_without_npm_or_its_registry_one_line_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "bin" / "npm").write_text("#!/bin/sh\necho 'npm error no such host' >&2\nexit 1\n")
    with pytest.raises(RuntimeFilesError, match="ended with 1: npm error no such host"):
        fetch(root)
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(RuntimeFilesError, match="npm is not installed"):
        fetch(root)


def test_a_compiler_is_used_only_as_the_lock_names_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / runtime.LOCK).rename(root / javascript_types.LOCK)
    script = javascript_types.compiler(root, root / "out")
    assert (script.parent / "a.mjs").read_bytes() == FILES["a.mjs"]
    [archive] = (root / runtime.FOLDER).glob("*.tgz")
    archive.write_bytes(b"another")
    assert javascript_types.compiler(root, root / "again").parent.is_dir()  # fetched anew
    archive.write_bytes(b"another")
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(RuntimeFilesError, match="npm is not installed"):
        javascript_types.compiler(root, root / "none")


@pytest.mark.parametrize("path", [runtime.LOCK, javascript_types.LOCK])
def test_our_locks_name_no_registry(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    lock = Lock.load(ROOT / path)
    assert "//" not in text.replace(lock.integrity, "")
    assert lock.integrity.startswith("sha512-")
    assert all(len(digest) == 64 for digest in lock.files.values())
