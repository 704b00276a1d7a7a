"""The registry of methods and the conventions for their parameters."""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from reference_impls.core.stages import Method
from reference_impls.core.suggest import nearest

#: Stage and category ids of the taxonomy that hold methods.
CATEGORIES = (
    "before/discrete-utility", "before/continuous-utility", "during/token-level", "during/span-level",
    "during/process-level", "after/non-cascade", "after/cascade", "baseline",
)  # fmt: skip


#: What a method asks of its models and data beyond one response a model and query, and what that means.
NEEDS = {
    "labels": "scored training queries",
    "feedback": "the score of its own choices, query by query",
    "text": "the full text of responses",
    "answers": "final answers that can be compared",
    "samples": "several sampled responses of one model",
    "logprobs": "log-probabilities of a model's own response",
    "scoring": "log-probabilities of given text under a model",
    "distributions": "next-token distributions, token by token",
    "shared-vocabulary": "models that share one vocabulary",
    "new-prompts": "models that respond to prompts which the method writes (judging, checking, fusing)",
}


@dataclass(frozen=True)
class MethodInfo:
    """A registered method.

    Attributes:
        name: as on the command line, for instance ``majority-vote``.
        category, family: ids of the taxonomy (``baseline`` has no family).
        papers: keys of the paper entries, the method's own first.
        cls: its class; `cls.Parameters` is the frozen dataclass of its parameters.
        doc: the docstring of its file.
        path: of its file.
        needs: keys of `NEEDS`: what the method with its default parameters asks for.
    """

    name: str
    category: str
    family: str
    papers: tuple[str, ...]
    cls: type[Method]
    doc: str
    path: Path
    needs: tuple[str, ...] = ()

    def parameters(self, settings: dict[str, str] | None = None) -> Any:
        """The parameters with some set from text (``name=value`` on the command line).

        Raises:
            ValueError: an unknown name (the message names the nearest) or a text that is no value of its
                type.
        """
        kinds = {
            f.name: type(getattr(self.cls.Parameters(), f.name)) for f in dataclasses.fields(self.cls.Parameters)
        }
        values: dict[str, Any] = {}
        for name, text in (settings or {}).items():
            if name not in kinds:
                raise ValueError(f"{self.name} has no parameter {name!r}{nearest(name, kinds)}")
            try:
                values[name] = parse(text, kinds[name])
            except ValueError:
                raise ValueError(f"{self.name}: {name}={text!r} is no {kinds[name].__name__}") from None
        return self.cls.Parameters(**values)


def parse(text: str, kind: type) -> Any:
    """A parameter's value from text; tuples are comma-separated numbers."""
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if kind is tuple:
        return tuple(float(part) for part in text.split(",") if part)
    return kind(text)


_methods: dict[str, MethodInfo] = {}
M = TypeVar("M", bound=type[Method])


def method(
    *, name: str, category: str, family: str = "", papers: Sequence[str] = (), needs: Sequence[str] = ()
) -> Callable[[M], M]:
    """Registers a class as a method; the docstring of its file describes it.

    Raises:
        ValueError: the name is taken by another file, or the category or a need does not exist.
    """

    def register(cls: M) -> M:
        if category not in CATEGORIES:
            raise ValueError(f"{name}: no category {category!r}{nearest(category, CATEGORIES)}")
        for need in needs:
            if need not in NEEDS:
                raise ValueError(f"{name}: no need {need!r}{nearest(need, NEEDS)}")
        path = Path(inspect.getfile(cls))
        if name in _methods and _methods[name].path != path:
            raise ValueError(f"two methods are called {name!r}: {_methods[name].path} and {path}")
        doc = inspect.getdoc(inspect.getmodule(cls)) or ""
        _methods[name] = MethodInfo(name, category, family, tuple(papers), cls, doc, path, tuple(needs))
        return cls

    return register


def registered() -> dict[str, MethodInfo]:
    """All methods registered so far, by name (`reference_impls.running.catalog.methods` imports every file first)."""
    return dict(sorted(_methods.items()))
