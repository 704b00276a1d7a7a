"""crowd-kit, which some methods are compared with: it needs much, and has an environment of its own."""

from collections.abc import Sequence
from typing import Any

import pytest

WHERE = "compared in an environment of its own: make crowdkit"


def crowd_kit() -> Any:
    """crowd-kit's module of aggregations; the test is skipped where it is not installed."""
    return pytest.importorskip("crowdkit.aggregation", reason=WHERE)


def frame(rows: Sequence[tuple[Any, Any, Any]]) -> Any:
    """Rows of a task, a worker and a label in crowd-kit's form."""
    return _pandas().DataFrame(rows, columns=["task", "worker", "label"])


def series(values: Sequence[float], name: str) -> Any:
    """A number a worker in crowd-kit's form."""
    return _pandas().Series(values, name=name)


def _pandas() -> Any:
    return pytest.importorskip("pandas", reason=WHERE)
