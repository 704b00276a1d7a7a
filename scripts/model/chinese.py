"""Chinese words beside the English ones, in the same file: a thing may have a key `zh` with some of its texts.

The Chinese holds a mark of the English that it was written from (`of`). Where the mark is not that of the English as
it stands now, the English has changed since, and the Chinese may say something else.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Self

from scripts.model.paper import Strict, Text


class Chinese(Strict):
    """The Chinese of a thing: names of its own texts, each in Chinese, and the mark of their English."""

    of: Text

    @property
    def texts(self) -> dict[str, Any]:
        """What is written in Chinese, by the names of the thing's fields."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"of"}}


class Bilingual(Strict):
    """A thing whose texts may be there in Chinese, too; a subclass says under `zh` which of them."""

    zh: Chinese | None = None

    def english(self, name: str) -> Any:
        """The English of the Chinese text `name`, in the same form."""
        return getattr(self, name)

    def said(self, name: str, chinese: Any) -> Any:  # noqa: ARG002  subclasses look at it
        """What the thing's field `name` is with this Chinese text."""
        return chinese

    @property
    def mark(self) -> str:
        """Of the English of all texts that are there in Chinese; no YAML reader takes it for a number."""
        texts = {name: self.english(name) for name in self.zh.texts} if self.zh else {}
        digest = hashlib.sha256(json.dumps(texts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
        return f"en-{digest[:8]}"

    @property
    def stale(self) -> bool:
        """Whether the English has changed since the Chinese was written."""
        return self.zh is not None and self.zh.of != self.mark

    def in_chinese(self) -> Self:
        """A copy with its Chinese texts in the place of the English ones, as far as there are any."""
        texts = self.zh.texts if self.zh else {}
        return self.model_copy(update={name: self.said(name, text) for name, text in texts.items()})
