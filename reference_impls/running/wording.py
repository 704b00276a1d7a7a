"""The words of a trace: numbers, texts and small arrays as JSON values, rounded and cut to limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from reference_impls.core.model import Floats, Generation
from reference_impls.core.query import Query

#: What has no words in the form.
NOTHING = object()
#: A byte, or the end of text, where something is chosen byte by byte.
BYTES = [*(bytes([i]) for i in range(256)), b""]


@dataclass(frozen=True)
class Limits:
    """How much of a run a trace holds. What is left out is counted (``omitted``), what is cut ends in an ellipsis.

    Attributes:
        top: candidates of a distribution; entries of a large array.
        digits: of a number, significant ones.
        steps: steps of a method that decides token by token.
        formulas: calls of each of the method's own functions; drafts and ratings of `core.decoding` have twice and
            four times as many.
        calls: calls to models.
        tokens: of a response, with their log-probabilities.
        text: characters of a text or prompt.
        row: entries of a small array, list or record; decisions of a kind.
    """

    top: int = 5
    digits: int = 4
    steps: int = 64
    formulas: int = 24
    calls: int = 64
    tokens: int = 160
    text: int = 2000
    row: int = 16


class Words:
    """Puts things into the words of a trace.

    Args:
        limits: of them.
        vocabularies: of the pool's models, so that the entries of an array as long as one can be told by its tokens.
    """

    def __init__(self, limits: Limits, vocabularies: Sequence[Sequence[bytes]] = ()) -> None:
        self.limits = limits
        self._labels: dict[int, Sequence[bytes] | None] = {len(BYTES): BYTES}
        for vocabulary in vocabularies:
            same = self._labels.setdefault(len(vocabulary), vocabulary)
            if same is not None and list(same) != list(vocabulary):
                self._labels[len(vocabulary)] = None  # of two vocabularies of one size nothing tells which

    def number(self, value: Any) -> Any:
        """Rounded; None for what is unknown, ``inf`` and ``-inf`` in words, as JSON has no numbers for them.

        >>> [Words(Limits()).number(x) for x in (0.123456, np.int64(7), np.True_, float("nan"), -np.inf)]
        [0.1235, 7, True, None, '-inf']
        """
        if isinstance(value, (bool, np.bool_)):
            return bool(value)
        if isinstance(value, (int, np.integer)):
            return int(value)
        if not isinstance(value, (float, np.floating)) or math.isnan(value):
            return None
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return float(f"{value:.{self.limits.digits}g}")

    def cut(self, text: str) -> str:
        """A text, or its beginning with an ellipsis."""
        return text if len(text) <= self.limits.text else text[: self.limits.text - 1] + "…"

    def top(self, values: Floats, strings: Sequence[bytes]) -> list[Any]:
        """The largest entries with their texts; an empty text is the end."""
        order = np.argsort(-values, kind="stable")[: self.limits.top].tolist()
        return [[as_text(strings[i]), self.number(values[i])] for i in order]

    def value(self, value: Any, depth: int = 2) -> Any:
        """A thing in the form's words; `NOTHING` where it has none.

        Args:
            value: a number, text, array, response, model, text under a model, or a collection or record of them.
            depth: of collections within collections.
        """
        if value is None or is_number(value):
            return self.number(value)
        if isinstance(value, (str, bytes)):
            return self.cut(value if isinstance(value, str) else as_text(value))
        if isinstance(value, np.ndarray):
            return self._array(value)
        named = self._named(value)
        return named if named is not NOTHING or not depth else self._collection(value, depth)

    def _named(self, value: Any) -> Any:
        """Responses, texts under a model, and models, which a name and a text tell."""
        if isinstance(value, Generation):
            return {"model": value.model, "text": self.cut(value.text)}
        if hasattr(value, "model") and isinstance(getattr(value, "data", None), bytes):
            return {"model": value.model.name, "text": self.cut(as_text(value.data))}
        return value.name if hasattr(value, "price") and hasattr(value, "name") else NOTHING

    def _collection(self, value: Any, depth: int) -> Any:
        row = self.limits.row
        if isinstance(value, Mapping):
            pairs = [(self.value(k, 0), self.value(v, depth - 1)) for k, v in list(value.items())[:row]]
            made = {str(k): v for k, v in pairs if k is not NOTHING and v is not NOTHING}
            return made if made or not value else NOTHING
        if isinstance(value, (list, tuple, set, frozenset)):
            parts = [self.value(part, depth - 1) for part in list(value)[:row]]
            kept = [part for part in parts if part is not NOTHING]
            return kept if kept or not value else NOTHING
        if is_dataclass(value) and not isinstance(value, (type, Query)):
            return self._record(value, depth)
        return NOTHING

    def _record(self, value: Any, depth: int) -> Any:
        """The plain fields of an object, and of its properties the text and the score."""
        names = [field.name for field in fields(value) if not field.name.startswith("_")]
        names += [name for name in ("data", "score") if isinstance(getattr(type(value), name, None), property)]
        made = {}
        for name in names:
            try:
                found = getattr(value, name)
            except (ArithmeticError, ValueError, IndexError):  # a property of something that holds nothing yet
                continue
            if isinstance(found, (str, bytes)) or is_number(found) or (depth > 1 and is_row(found)):
                made["text" if name == "data" else name] = self.value(found, 0)
        return made or NOTHING

    def _array(self, value: Any) -> Any:
        """A small array as lists, a row of many entries as its largest, a large array as its shape."""
        if value.dtype.kind not in "fiub":
            return NOTHING
        if value.size <= self.limits.row:
            return self._lists(value.tolist())
        if value.ndim != 1:
            return {"shape": list(value.shape)}
        strings = self._labels.get(len(value))
        order = np.argsort(-value.astype(np.float64), kind="stable")[: self.limits.top].tolist()
        largest = [[i if strings is None else as_text(strings[i]), self.number(value[i])] for i in order]
        return {"shape": [len(value)], "largest": largest}

    def _lists(self, value: Any) -> Any:
        return [self._lists(part) for part in value] if isinstance(value, list) else self.number(value)


def as_text(data: bytes) -> str:
    """Bytes as text; those that are no UTF-8 (yet) become U+FFFD."""
    return data.decode("utf-8", "replace")


def is_number(value: Any) -> bool:
    """Whether it is one number."""
    return isinstance(value, (bool, int, float, np.number, np.bool_))


def is_row(value: Any) -> bool:
    """Whether it is an array of numbers of one dimension."""
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "fiub" and len(value) > 0


def is_strings(value: Any) -> bool:
    """Whether it is a list of byte strings."""
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(part, bytes) for part in value)
