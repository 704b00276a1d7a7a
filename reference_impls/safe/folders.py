"""A folder that a command fills again and again: it removes what it has made itself, and nothing else.

A marker in the folder lists what was made. It grows before each new file is written, so that a command which was
stopped still knows its own files; at the end it is put right.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from reference_impls.safe.writing import write_bytes, write_text

MARKER = ".atlas-made"


class FolderError(ValueError):
    """The folder may not be filled; says in one line why, and what to do."""


class OwnFolder:
    """Fills `folder`, then removes what an earlier filling has made and this one has not.

    Args:
        folder: the folder; it and its ancestors are made where they are not there.
        protected: folders that must not lie in it, or be it; the current one and the user's home never may.
        made_here: whether all that is in it counts as made, where there is no marker.

    Raises:
        FolderError: it holds what was not made by this class, or must not be touched.
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path, *, protected: tuple[Path, ...] = (), made_here: bool = False) -> None:
        self.folder = folder
        self._real = Path(os.path.realpath(folder))
        self._refuse_ancestors((Path.cwd(), *_home(), *protected))
        self._marker = self._real / MARKER
        self.removed = 0
        if self._real.exists() and not self._real.is_dir():
            raise FolderError(f"{folder}: is no folder (name another one)")
        self._before = self._made_before(made_here=made_here)
        self._kept: set[str] = set()
        self._sound: dict[Path, bool] = {}
        self._journal: TextIO | None = None

    def _refuse_ancestors(self, folders: tuple[Path, ...]) -> None:
        for inside in folders:
            if Path(os.path.realpath(inside)).is_relative_to(self._real):
                raise FolderError(f"{self.folder}: holds {inside} (name a folder for this alone)")

    def _made_before(self, *, made_here: bool) -> set[str]:
        """What the marker lists; the last line may have been cut off, before its file was made."""
        if self._marker.is_file() and not self._marker.is_symlink():
            text = self._marker.read_text(encoding="utf-8", errors="surrogateescape")
            return set(text.split("\n")[:-1]) - {MARKER}
        inside = list(self._real.iterdir()) if self._real.is_dir() else []
        if made_here:
            return {file.relative_to(self._real).as_posix() for file in self._real.rglob("*") if file.is_file()}
        if inside:
            raise FolderError(
                f"{self.folder}: is not empty and was not made by this command (name a new folder, or empty it)"
            )
        return set()

    def write(self, name: str, data: bytes) -> bool:
        """Makes the file `name` (a path below the folder) hold `data`; whether it has changed."""
        path = self._real / name
        if not self._is_sound(path) or path.is_symlink():
            raise FolderError(f"{self.folder / name}: a link leads elsewhere (remove it)")
        self._kept.add(name)
        there = path.read_bytes() if path.is_file() else None
        if there == data:
            self._note(name)
            return False
        if there is not None:
            self._refuse_strange(name)
        self._note(name)
        write_bytes(path, data, durable=False)
        return True

    def share(self) -> None:
        """To be called before a copy of this object in a second process writes, too: both then put what they make on
        one marker. What the copy has made must be told by `keep` before `finish`."""
        if self._journal is None:
            self._open_journal()

    def keep(self, names: Iterable[str]) -> None:
        """Takes `names` for files of this filling that a copy has written."""
        made = set(names)
        self._before |= made
        self._kept |= made

    def _refuse_strange(self, name: str) -> None:
        if name not in self._before:
            raise FolderError(f"{self.folder / name}: was not made by this command (move it away)")

    def _is_sound(self, path: Path) -> bool:
        """Whether no link stands between the folder and a file."""
        parent = path.parent
        if parent not in self._sound:
            self._sound[parent] = os.path.realpath(parent) == str(parent) and parent.is_relative_to(self._real)
        return self._sound[parent]

    def _note(self, name: str) -> None:
        """Puts a new name on the marker, before its file is made."""
        if name in self._before:
            return
        self._before.add(name)
        if self._journal is None:
            self._open_journal()
            return
        self._journal.write(f"{name}\n")
        self._journal.flush()  # a line at a time, so that lines of two processes do not mix

    def _open_journal(self) -> None:
        """The marker must have whole lines only, and none missing, before it grows. The first has its own name on it
        until the end: a full disk takes an empty file, and would be left with it."""
        self._mark(self._before or {MARKER}, durable=True)
        self._journal = self._marker.open("a", encoding="utf-8", newline="\n")

    def finish(self) -> None:
        """Removes what was made before and not now, and the folders that are empty then."""
        self.close()
        for name in sorted(self._before - self._kept, reverse=True):
            path = self._real / name
            # a marker may have been written by a stranger: what it names must lie in the folder
            if ".." in Path(name).parts or not self._is_sound(path) or path.is_symlink() or not path.is_file():
                continue
            path.unlink()
            self.removed += 1
            parent = path.parent
            while parent != self._real and not any(parent.iterdir()):
                parent.rmdir()
                parent = parent.parent
        self._mark(self._kept, durable=False)

    def _mark(self, names: set[str], *, durable: bool) -> None:
        """Puts these names on the marker, if it has not just them."""
        text = "".join(f"{name}\n" for name in sorted(names))
        if not self._marker.is_file() or self._marker.read_text(encoding="utf-8", errors="replace") != text:
            write_text(self._marker, text, durable=durable)

    def close(self) -> None:
        """Ends a filling, also one that has failed: the marker then lists what was made before and since."""
        if self._journal:
            self._journal.close()
            self._journal = None


def _home() -> tuple[Path, ...]:
    try:
        return (Path.home(),)
    except RuntimeError:
        return ()
