"""What the job that reads a form hands to the job that writes, and how that one takes it: on no trust."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from reference_impls.safe.writing import write_bytes, write_json, write_text
from scripts.checks.findings import Level
from scripts.checks.run import validate
from scripts.forms.reading import MAX_EVENT, WrongUseError
from scripts.model import Corpus
from scripts.model.identifiers import KEY
from scripts.model.yaml_reader import MAX_ENTRY_BYTES
from scripts.upkeep.reports import plain


@dataclass(frozen=True)
class Result:
    """What becomes of a form. Only `message`, `body` and the file's text hold words of its author."""

    kind: str
    number: int
    ok: bool
    message: str  # for the form's author, Markdown
    key: str | None = None
    body: str | None = None  # of the pull request, Markdown
    path: str | None = None  # of the new entry, below the Atlas's root
    text: str | None = None  # of the new entry
    duplicate: str | None = None

    @property
    def branch(self) -> str:
        """Made of the issue's number alone."""
        return f"issue-form/{self.number}"

    @property
    def title(self) -> str:
        """Made of the entry's key, which is letters and digits, and the issue's number."""
        return f"Add {self.key} (#{self.number})"

    def as_json(self) -> dict[str, object]:
        """What the workflow reads."""
        proposal = {"branch": self.branch, "title": self.title, "body": "body.md", "files": [self.path]}
        return {
            "kind": self.kind,
            "number": self.number,
            "ok": self.ok,
            "key": self.key,
            "duplicate": self.duplicate,
            "message": "message.md",
            **(proposal if self.path else {"files": []}),
        }


def write(result: Result, out: Path) -> None:
    """Hands the result over as files."""
    write_text(out / "message.md", result.message)
    if result.path and result.text and result.body:
        write_text(out / "body.md", result.body)
        write_text(out / "files" / result.path, result.text)
    write_json(out / "result.json", result.as_json())


def apply(corpus: Corpus, folder: Path) -> str:
    """Puts the entry of a handed-over result into its place and returns its path. WrongUseError where anything
    is not as `write` makes it, or where the entry would bring an error with it."""
    try:
        told = json.loads(regular(folder / "result.json", MAX_EVENT).read_text(encoding="utf-8"))
        files, number = told["files"], told["number"]
        sound = told["ok"] is True and told["kind"] == "add-paper" and type(number) is int and len(files) == 1
        name = str(files[0]) if sound else ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WrongUseError(f"{folder} holds no result ({plain(error, 100)})") from error
    found = re.fullmatch(r"papers/(\d{4})/([a-z0-9]{5,80})\.yml", name, re.ASCII)
    key = found[2] if found else ""
    match = KEY.match(key)
    if not found or not match or match[1] != found[1]:
        raise WrongUseError("the result names no entry that may be added")
    expected = Result("add-paper", number, ok=True, message="", key=key, path=name)
    if told.get("branch") != expected.branch or told.get("title") != expected.title:
        raise WrongUseError("branch or title are not those of the entry")
    target = corpus.root / name
    if any(entry.key.lower() == key for entry in corpus.entries) or target.exists():
        raise WrongUseError(f"{key} is here already")
    write_bytes(target, regular(folder / "files" / name, MAX_ENTRY_BYTES).read_bytes())
    errors = [finding for finding in validate(Corpus.load(corpus.root), [target]) if finding.level is Level.ERROR]
    if errors:
        target.unlink()
        raise WrongUseError("; ".join(finding.text() for finding in errors[:5]))
    return name


def regular(path: Path, limit: int) -> Path:
    """A path that is a plain file of at most `limit` bytes, no link. WrongUseError otherwise."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > limit:
        raise WrongUseError(f"{path.name} is no plain file of at most {limit:,} bytes")
    return path
