"""A scripted server, and an environment without keys."""

from collections.abc import Iterator

import pytest

from tests.reference_impls.backends.server import Scripted, one_at_a_time, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(one_at_a_time()) as running:
        yield running
