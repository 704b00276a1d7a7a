"""What a method has learned, as a tree of JSON values and a list of arrays, and back: no pickle, no code.

`freeze` walks the method's attributes. Arrays, numbers, texts, lists, tuples, sets, dictionaries, generators, models
of the pool, and instances of classes of `core` or of the method's own file are written down by what they hold;
anything else is refused by its name. `thaw` makes the same attributes again. It calls no constructor of what it finds
in the tree and imports nothing, so a stranger's tree can hold wrong numbers and no commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.pool import Pool
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method

Arrays = list[NDArray[Any]]
#: Attributes that every method is made with; what it counts is not what it has learned.
_OWN = ("pool", "parameters", "rng", "choice", "asked", "abstained", "notes", "failed")
#: Levels of lists and objects in each other.
_DEEPEST = 40
#: Kinds of arrays: truth values, whole numbers, numbers, texts.
_KINDS = "biufU"
_CORE = "reference_impls.core."


class CannotSaveError(ValueError):
    """A method holds something that is neither numbers nor text; the message is one line."""


class NotThisError(ValueError):
    """A tree that is not of this method; the message is a part of a line."""


def freeze(method: Method, info: MethodInfo) -> tuple[Any, Arrays]:
    """What a fitted method holds beside its pool and its parameters.

    Args:
        method: fitted.
        info: of its class.

    Returns:
        a JSON value, and the arrays that it names by their place.

    Raises:
        CannotSaveError: something in it cannot be written down: the method, where it stands, and what it is.
    """
    writer = _Writer(method, info)
    held = {name: writer.told(value, name) for name, value in vars(method).items() if name not in _OWN}
    return {"holds": held, "rng": writer.told(method.rng, "rng")}, writer.arrays


def thaw(info: MethodInfo, parameters: Any, pool: Pool, tree: Any, arrays: Sequence[NDArray[Any]]) -> Method:
    """The method that `freeze` was given, on a pool of models of the same names in the same order.

    Raises:
        NotThisError: no such tree, or not of this method.
    """

    method = info.cls(pool, parameters)
    reader = _Reader(info, pool, arrays)
    try:
        for name, value in tree["holds"].items():
            _set(method, name, reader.made(value))
        method.rng = _generator(tree["rng"]["generator"])
    except NotThisError:
        raise
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise NotThisError(f"cannot be read ({type(error).__name__})") from None
    method.choice.rng = method.rng
    return method


class _Writer:
    """Turns values into JSON, and collects the arrays."""

    def __init__(self, method: Method, info: MethodInfo) -> None:
        self._pool, self._info = method.pool, info
        self.arrays: Arrays = []

    def told(self, value: Any, where: str, deep: int = 0) -> Any:
        """A value that stands at a place, so many levels below the method."""
        if deep > _DEEPEST:
            raise CannotSaveError(
                f"{self._info.name} cannot be saved: its {where} leads to itself, or is nested too deeply"
            )
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in _KINDS:
            self.arrays.append(np.asarray(value))
            return {"array" if isinstance(value, np.ndarray) else "number": len(self.arrays) - 1}
        if type(value) is list:
            return self._all(value, where, deep)
        return self._marked(value, where, deep)

    def _marked(self, value: Any, where: str, deep: int) -> dict[str, Any]:
        """What JSON has no form for: an object whose first key says what it stands for."""
        if type(value) is tuple:
            return {"tuple": self._all(value, where, deep)}
        if type(value) in (set, frozenset):
            return {type(value).__name__: self._all(sorted(value, key=repr), where, deep)}
        if type(value) is dict:
            return {"dict": self._all([list(pair) for pair in value.items()], where, deep)}
        if isinstance(value, np.random.Generator) and isinstance(value.bit_generator, np.random.PCG64):
            return {"generator": dict(value.bit_generator.state)}
        if value is self._pool:
            return {"pool": len(value)}
        return self._of(value, where, deep)

    def _of(self, value: Any, where: str, deep: int) -> dict[str, Any]:
        if any(value is model for model in self._pool):
            return {"model": value.name}
        cls = type(value)
        if not _known(cls, self._info):
            raise CannotSaveError(
                f"{self._info.name} cannot be saved: its {where} is a {cls.__name__}, not numbers or text"
            )
        name = f"{cls.__module__}:{cls.__qualname__}"
        if isinstance(value, tuple):  # with names
            return {"of": name, "parts": self._all(value, where, deep)}
        return {"of": name, "holds": {k: self.told(v, f"{where}.{k}", deep + 1) for k, v in _attributes(value)}}

    def _all(self, values: Sequence[Any], where: str, deep: int) -> list[Any]:
        return [self.told(part, f"{where}[{i}]", deep + 1) for i, part in enumerate(values)]


class _Reader:
    """Turns JSON into values."""

    def __init__(self, info: MethodInfo, pool: Pool, arrays: Sequence[NDArray[Any]]) -> None:
        self._info, self._pool, self._arrays = info, pool, arrays
        self._kinds: dict[str, Callable[[Any], Any]] = {
            "array": self._array, "number": lambda inner: self._array(inner)[()], "generator": _generator,
            "tuple": lambda inner: tuple(self.made(inner)), "set": lambda inner: set(self.made(inner)),
            "frozenset": lambda inner: frozenset(self.made(inner)), "dict": lambda inner: dict(self.made(inner)),
            "pool": lambda _: pool, "model": lambda inner: pool[pool.index(inner)],
        }  # fmt: skip

    def made(self, value: Any) -> Any:
        """A value. JSON that is nested too deeply ends in a RecursionError before it gets here."""
        if isinstance(value, list):
            return [self.made(part) for part in value]
        if not isinstance(value, dict):
            return value
        kind = next(iter(value), "")
        if kind == "of":
            return self._instance(value)
        if kind not in self._kinds:
            raise NotThisError(f"holds {kind[:40]!r}, which means nothing")
        return self._kinds[kind](value[kind])

    def _array(self, place: Any) -> NDArray[Any]:
        if type(place) is not int or not 0 <= place < len(self._arrays):
            raise NotThisError("names an array that is not there")
        return self._arrays[place]

    def _instance(self, value: dict[str, Any]) -> Any:
        """An instance of a class, which no constructor has seen."""
        module, _, own = str(value["of"]).partition(":")
        cls = getattr(sys.modules.get(module), own, None)
        if not isinstance(cls, type) or not _known(cls, self._info):
            raise NotThisError(f"holds a {str(value['of'])[:80]!r}, which {self._info.name} does not")
        if issubclass(cls, tuple):
            parts = self.made(value["parts"])
            if len(parts) != len(getattr(cls, "_fields", ())):
                raise NotThisError(f"holds a {cls.__name__} of {len(parts)} parts")
            return tuple.__new__(cls, parts)
        instance = object.__new__(cls)
        for name, part in value["holds"].items():
            _set(instance, name, self.made(part))
        return instance


def _known(cls: type, info: MethodInfo) -> bool:
    """Whether a class is `core`'s or of the method's file, and no method itself."""
    if cls.__module__ != info.cls.__module__ and not cls.__module__.startswith(_CORE):
        return False
    others = (Method, Pool, BaseException, dict, list, set, str, int, float)
    return getattr(sys.modules.get(cls.__module__), cls.__qualname__, None) is cls and not issubclass(cls, others)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """What an object holds, in its dictionary and its slots."""
    slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
    for name in dict.fromkeys([*slots, *getattr(value, "__dict__", {})]):
        if name not in ("__dict__", "__weakref__") and hasattr(value, name):
            yield name, getattr(value, name)


def _set(instance: Any, name: str, value: Any) -> None:
    own = isinstance(instance, Method) and name in _OWN
    if own or not name.isidentifier() or name.startswith("__") or callable(getattr(type(instance), name, None)):
        raise NotThisError(f"sets {name[:40]!r}, which is not learned")
    object.__setattr__(instance, name, value)


def _generator(state: Any) -> np.random.Generator:
    made = np.random.PCG64(0)
    made.state = state
    return np.random.Generator(made)
