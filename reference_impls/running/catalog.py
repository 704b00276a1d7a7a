"""What there is by name: methods, benchmarks, recordings, pools."""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

from reference_impls import after_inference, before_inference, during_inference
from reference_impls import baselines as _baselines  # noqa: F401 (registers them)
from reference_impls.benchmarks import ALL, Benchmark
from reference_impls.core.model import Model
from reference_impls.core.registry import MethodInfo, registered
from reference_impls.core.suggest import nearest
from reference_impls.models.pool import BY_NAME, POOLS
from reference_impls.recorded import Recording, files, registry
from reference_impls.safe import extras

#: Pools by name -> names of built-in models: the two whole ones, and parts of them. Further ones are added by
#: `add_pool`.
BUILTIN_POOLS = {
    **{name: tuple(spec.name for spec in specs) for name, specs in POOLS.items()},
    "weak-strong": ("sprout", "oak"),
    "specialists": ("abacus", "almanac", "forge"),
    "same-vocabulary": ("sprout", "almanac", "oak"),
    "generalists": ("sprout", "willow", "oak"),
    "peer-pair": ("elm", "fir"),
}
#: What the name of a recording follows where a benchmark is asked for.
RECORDED = "recorded:"
_added: dict[str, Callable[[], list[Model]]] = {}


class UnknownNameError(ValueError):
    """A name that does not exist; the message is one line and names the nearest one."""


@cache
def methods() -> dict[str, MethodInfo]:
    """All methods by name; imports every file of the three stages."""
    for package in (before_inference, during_inference, after_inference):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return registered()


def method(name: str) -> MethodInfo:
    """The method of a name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in methods():
        raise UnknownNameError(f"no method {name!r}{nearest(name, methods())}")
    return methods()[name]


def benchmark(name: str) -> Benchmark:
    """The benchmark of a name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in ALL:
        known = [*ALL, f"{RECORDED}FOLDER"]
        raise UnknownNameError(f"no benchmark {name!r}{nearest(name, known)}")
    return ALL[name]


def recording(name: str) -> Recording:
    """The recording of a public source by its name, or of a folder in the generic form by its path.

    Raises:
        UnknownNameError: neither the one nor the other.
        ValueError: something in the folder is wrong, or the source's files are not there: one line.
    """
    known = registry.recordings()
    if name in known:
        from reference_impls.recorded.readers import read_source  # noqa: PLC0415 (fetches: only where one is read)

        return read_source(name)
    if name and Path(name).is_dir():
        return files.load(Path(name))
    raise UnknownNameError(f"no recording and no folder {name!r}{nearest(name, known)}")


def add_pool(name: str, load: Callable[[], list[Model]]) -> None:
    """Makes models of one's own (of a server, of recorded answers) a pool by name."""
    _added[name] = load


def pool(name: str) -> list[Model]:
    """The models of a pool: a pool's name, or names of built-in models with commas between.

    Raises:
        UnknownNameError: no such pool or model.
        MissingExtraError: ONNX Runtime, which runs the built-in models, is not installed.
    """
    if name in _added:
        return _added[name]()
    names = BUILTIN_POOLS.get(name) or tuple(name.split(","))
    for part in names:
        if part not in BY_NAME:
            raise UnknownNameError(f"no pool or model {part!r}{nearest(part, [*BUILTIN_POOLS, *_added, *BY_NAME])}")
    try:
        from reference_impls.backends import builtin  # noqa: PLC0415 (ONNX Runtime is loaded only where models run)
    except ModuleNotFoundError as error:
        if (line := extras.told(error, "the built-in models need")) is None:
            raise
        raise extras.MissingExtraError(line) from error
    return [builtin.load(part) for part in names]
