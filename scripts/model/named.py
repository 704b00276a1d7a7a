"""Data files of the project's own that hold one key with a thing under each address (claims, the glossary)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from scripts.model import yaml_reader
from scripts.model.corpus import MAX_TAXONOMY_BYTES
from scripts.model.yaml_reader import Document, UnreadableError, YamlPath

Thing = TypeVar("Thing")


@dataclass
class NamedFile(Generic[Thing]):
    """Such a file as far as it could be read.

    Attributes:
        path: where it lies.
        document: what was read, if anything; None where there is no file.
        unreadable: why not more.
        things: those that have the form, by address.
        errors: (path from the top of the file, pydantic's error) for those that have not.
    """

    path: Path
    document: Document | None = None
    unreadable: UnreadableError | None = None
    things: dict[str, Thing] = field(default_factory=dict)
    errors: list[tuple[YamlPath, dict[str, Any]]] = field(default_factory=list)

    def read(
        self,
        key: str,
        form: TypeAdapter[Thing],
        place: Callable[[tuple[str | int, ...]], YamlPath] = lambda loc: loc,
    ) -> None:
        """Fills the rest, where there is a file; never raises for what is in it. `place` turns the place of an error
        in a thing into the one in the file."""
        if not self.path.exists() and not self.path.is_symlink():
            return
        try:
            self.document = yaml_reader.parse(yaml_reader.read_text(self.path, MAX_TAXONOMY_BYTES))
        except UnreadableError as error:
            self.unreadable = error
            return
        value = self.document.value
        if not isinstance(value, dict) or set(value) != {key} or not isinstance(value[key], dict):
            what = f"the file must hold one key '{key}' with one of them under each address"
            hint = f"see the head of taxonomy/{self.path.name} in the repository"
            self.unreadable = UnreadableError("wrong-type", what, hint)
            return
        for name, content in value[key].items():
            try:
                self.things[name] = form.validate_python(content)
            except ValidationError as error:
                for one in error.errors(include_url=False):
                    self.errors.append(((key, name, *place(one["loc"])), dict(one)))
