"""What runs the models of the page play in a browser: onnxruntime-web, from the npm registry.

`requirements/onnxruntime-web.json` names the one package, its version, the integrity that the registry must answer
with, and a digest of each file that is served. `make runtime` (a part of `make site` and `make test`) has npm fetch
it and keeps those files in build/web; a rendering takes them from there, and only where each is the one that the lock
names. Without them (no npm, no network) the site is whole but for that page, which then shows recorded runs alone.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_impls.safe.writing import write_bytes
from scripts.model.corpus import CorpusError, find_root

LOCK = Path("requirements") / "onnxruntime-web.json"
#: Below the Atlas: what npm has brought, a folder a version.
FOLDER = Path("build") / "web"
#: Seconds for the 33 MB of the package.
PATIENCE = 300


class RuntimeFilesError(ValueError):
    """The files could not be fetched, or are not what the lock names; says in one line why."""


@dataclass(frozen=True)
class Lock:
    """A package of the npm registry and what is taken of it.

    Attributes:
        name, version, licence: of the package.
        integrity: of its archive, as npm writes it: the name of a hash, a dash, the hash in base64.
        folder: of `files` in the archive.
        files: name -> SHA-256 in hexadecimal digits.
    """

    name: str
    version: str
    integrity: str
    licence: str
    folder: str
    files: Mapping[str, str]

    @classmethod
    def load(cls, path: Path) -> Lock:
        """The lock of a file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def kept(root: Path, lock: Lock) -> Path:
    """Where the files of the Atlas at `root` are kept."""
    return root / FOLDER / f"{lock.name}-{lock.version}"


def runtime_files(root: Path) -> dict[str, bytes]:
    """The files to serve by name; empty where one is missing or is not what the lock names.

    Scripts end in ``.js``, which every server calls a script; WebAssembly stays compressed, as few servers would
    compress it."""
    path = root / LOCK
    if not path.is_file():
        return {}
    lock = Lock.load(path)
    found: dict[str, bytes] = {}
    for name, digest in lock.files.items():
        packed = _content(kept(root, lock) / f"{name}.gz")
        data = _unpacked(packed)
        if hashlib.sha256(data).hexdigest() != digest:
            return {}
        if name.endswith(".mjs"):
            found[f"{name.removesuffix('.mjs')}.js"] = data
        else:
            found[f"{name}.gz"] = packed
    return found


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _unpacked(data: bytes) -> bytes:
    """What was compressed; nothing where the file was cut short or is none."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return b""


def fetch(root: Path) -> Path:
    """Has npm fetch the package and keeps what is served; what is there already is left alone.

    Raises:
        RuntimeFilesError: no npm, no network, or an archive that is not what the lock names.
    """
    lock = Lock.load(root / LOCK)
    place = kept(root, lock)
    if runtime_files(root):
        return place
    if (npm := shutil.which("npm")) is None:
        raise RuntimeFilesError("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        archive = packed(npm, lock, Path(folder), LOCK)
        for name, data in _members(archive, lock).items():
            write_bytes(place / f"{name}.gz", gzip.compress(data, mtime=0))
    return place


def packed(npm: str, lock: Lock, folder: Path, path: Path) -> Path:
    """A package's archive, fetched by npm into a folder and held against the lock, which stands in `path`.

    Raises:
        RuntimeFilesError: no network, or an archive that is not what the lock names.
    """
    command = [npm, "pack", f"{lock.name}@{lock.version}", "--ignore-scripts", "--silent", "--pack-destination", "."]
    try:
        run = subprocess.run(  # noqa: S603  npm, and what our own lock names
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeFilesError(f"npm pack: {error}") from error
    archives = list(folder.glob("*.tgz"))
    if run.returncode or len(archives) != 1:
        said = [line for line in run.stderr.splitlines() if line.strip()]
        raise RuntimeFilesError(f"npm pack ended with {run.returncode}: {said[0] if said else 'it says nothing'}")
    if not held(archives[0], lock):
        raise RuntimeFilesError(f"{lock.name} {lock.version}: the archive is not the one that {path} names")
    return archives[0]


def held(archive: Path, lock: Lock) -> bool:
    """Whether an archive is the one that a lock names."""
    kind, _, expected = lock.integrity.partition("-")
    return base64.b64encode(hashlib.new(kind, archive.read_bytes()).digest()).decode() == expected


def _members(archive: Path, lock: Lock) -> dict[str, bytes]:
    """The files of the archive that the lock names."""
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as packed:
        for name, digest in lock.files.items():
            try:
                member = packed.extractfile(f"{lock.folder}/{name}")
            except KeyError:
                member = None
            data = member.read() if member else b""
            if hashlib.sha256(data).hexdigest() != digest:
                raise RuntimeFilesError(f"{name} in {lock.name} {lock.version} is not the one that {LOCK} names")
            found[name] = data
    return found


def main() -> None:
    """Fetches what the page play runs on. Without it the site is built all the same: a line says so, status 0."""
    try:
        root = find_root()
        fetch(root)
    except CorpusError as error:
        sys.exit(f"atlas: {error}")
    except (OSError, RuntimeFilesError) as error:
        print(f"atlas: the page play will show recorded runs alone: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
