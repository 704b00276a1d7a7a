"""Small, readable reference implementations of LLM-ensemble methods, and the few names that use them.

>>> import reference_impls as atlas
>>> atlas.method("majority-vote", samples=3)
method('majority-vote', samples=3, temperature=0.0)

What a name stands for is loaded when it is first used, so that a module of the package can be imported alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_impls.api import (
        Answer,
        Configured,
        Ensemble,
        Interval,
        Models,
        PerQuery,
        Result,
        load_recording,
        method,
        methods,
        pool,
        run,
    )
    from reference_impls.backends.openai import OpenAIModel
    from reference_impls.backends.transformers import TransformersModel
    from reference_impls.core.model import Price
    from reference_impls.core.query import Query
    from reference_impls.recorded.form import Recording

__all__ = [
    "Answer", "Configured", "Ensemble", "Interval", "Models", "OpenAIModel", "PerQuery", "Price", "Query",
    "Recording", "Result", "TransformersModel", "load_recording", "method", "methods", "pool", "run",
]  # fmt: skip
#: Names that come from elsewhere than `api`.
HOMES = {
    "OpenAIModel": "backends.openai",
    "TransformersModel": "backends.transformers",
    "Price": "core.model",
    "Query": "core.query",
    "Recording": "recorded.form",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{HOMES.get(name, 'api')}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
