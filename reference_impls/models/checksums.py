"""Checksums of the built-in models' files: a damaged weight would not fail but answer wrongly without a word."""

import hashlib
from pathlib import Path

from reference_impls.safe.writing import write_text

#: The committed list, in the form of `sha256sum`: a checksum, two blanks and a file's name a line.
SUMS = "SHA256SUMS"


class DamagedModelError(ValueError):
    """A file of a built-in model is not what was committed; the message is one line."""


def listed(folder: Path) -> dict[str, str]:
    """Checksum by file name."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}


def read_checked(path: Path) -> bytes:
    """The bytes of a model's file.

    Raises:
        DamagedModelError: they have another checksum than the list beside the file, or there is none.
        FileNotFoundError: the file or the list is not there.
    """
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != listed(path.parent).get(path.name):
        raise DamagedModelError(
            f"{path}: its checksum is not that of {SUMS} beside it: the file is damaged or was changed, and the model"
            " would answer wrongly (restore it with git or install the package anew; after training, `make models`"
            " writes the list)"
        )
    return content


def write_sums(folder: Path) -> None:
    """Writes the list for the models and tokenizers of a folder."""
    files = sorted([*folder.glob("*.onnx"), *folder.glob("*.json")])
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    write_text(folder / SUMS, "".join(lines))
