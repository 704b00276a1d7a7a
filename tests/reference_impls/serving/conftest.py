"""No client is left open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reference_impls.serving.endpoint import OPEN


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()
