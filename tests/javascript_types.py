"""`make lint`: holds the scripts of the pages play and calculator to the types that their comments state.

TypeScript's compiler comes from the npm registry as what runs the models does: `requirements/typescript.json` names
its version and the integrity of its archive, which is kept in build/web and held against that before each use. Where
npm, node or the registry is not to be had, a line says that the types were not checked.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from reference_impls.safe.writing import write_bytes
from scripts.render.building.runtime import FOLDER, Lock, RuntimeFilesError, held, packed
from tests.conftest import ROOT

LOCK = Path("requirements") / "typescript.json"
CONFIG = Path("site_src") / "tsconfig.json"


def compiler(root: Path, folder: Path) -> Path:
    """The compiler's script, unpacked into a folder.

    Raises:
        RuntimeFilesError: npm or the registry is not there, or the archive is not the one that the lock names.
    """
    lock = Lock.load(root / LOCK)
    archive = root / FOLDER / f"{lock.name}-{lock.version}.tgz"
    if not archive.is_file() or not held(archive, lock):
        if (npm := shutil.which("npm")) is None:
            raise RuntimeFilesError("npm is not installed")
        with tempfile.TemporaryDirectory() as fetched:
            write_bytes(archive, packed(npm, lock, Path(fetched), LOCK).read_bytes())
    with tarfile.open(archive) as members:
        members.extractall(folder, filter="data")
    return folder / lock.folder / "tsc.js"


def main() -> int:
    """The number of the compiler's exit; 0, and a line, where there is none."""
    if (node := shutil.which("node")) is None:
        return _unchecked("node is not installed")
    with tempfile.TemporaryDirectory() as folder:
        try:
            script = compiler(ROOT, Path(folder))
        except (OSError, RuntimeFilesError) as error:
            return _unchecked(error)
        command = [node, str(script), "--project", str(ROOT / CONFIG)]
        return subprocess.run(command, check=False).returncode


def _unchecked(why: object) -> int:
    print(f"atlas: the types of the pages' scripts were not checked: {why}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
