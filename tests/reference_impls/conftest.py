"""Where a built-in model has not been trained yet, the tests that need it are skipped by name."""

from __future__ import annotations

from collections.abc import Generator

import pytest

MISSING = "run `make models`"


def _skip_if_missing(error: FileNotFoundError) -> None:
    if MISSING in str(error):
        pytest.skip(str(error))
    raise error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, None, None]:
    """A fixture may load the model."""
    try:
        return (yield)
    except FileNotFoundError as error:
        _skip_if_missing(error)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Or the test itself."""
    try:
        return (yield)
    except FileNotFoundError as error:
        _skip_if_missing(error)
