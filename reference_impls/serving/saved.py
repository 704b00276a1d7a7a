"""A recommendation that can be served: ``recommended.yml``, and the numbers it has learned in ``.npz`` beside it.

The ``.yml`` is for readers: what to use, of which models, learned from what. The ``.npz`` holds what was learned
(`serving.frozen`) as arrays and one JSON text, without pickle. The first names the second by its SHA-256, so that two
files that do not belong together are noticed. What is loaded chooses bit for bit as what was saved: the models keep
their order and the prices that the method has learned with, whatever the configuration says that they cost now.

Both files may come from strangers. Reading them runs no code of theirs, and what is wrong with them is one line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reference_impls.core.model import UNKNOWN_PRICE, Dress, Floats, Price
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method, Router
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.recorded.form import Recording
from reference_impls.running import catalog
from reference_impls.running.runner import source_hash
from reference_impls.safe.writing import write_bytes, write_text
from reference_impls.serving import frozen
from reference_impls.serving.fitted import Lessons, NamedModel, fit, lessons, pool_of

FORM = 1
NAME = "recommended.yml"
#: Bytes of the two files, and of all arrays.
MAX_TEXT, MAX_FILE, MAX_ARRAYS = 1 << 20, 1 << 28, 1 << 30
_HEAD = """\
# What atlas recommend advises, ready to be served:
#   atlas serve {name} --config atlas.yml
# What it has learned stands in {arrays}; the two files belong together.
"""
#: Texts that a router is tried on before it is believed.
_TRIED = ("", "What is 2 + 3?")


class SavedError(ValueError):
    """A saved recommendation cannot be used; the message is one line: file, what is wrong, what to do."""


@dataclass(frozen=True)
class Saved:
    """What is to be used.

    Attributes:
        name: of the method, or of the one model.
        method: fitted, on a pool of names and prices; None for one model.
        info: of the method.
        models: names, in the order of the method's pool.
        merits: mean score of each on the labelled queries.
        kind: how answers are read where a query does not say (`core.query.ANSWER_KINDS`).
        recording, queries: what it was learned from, and how many labelled queries that were.
    """

    name: str
    method: Method | None
    info: MethodInfo | None
    models: tuple[str, ...]
    merits: Floats
    kind: str
    recording: str
    queries: int


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Price(_Part):
    """US dollars per million tokens as the method has learned with them; what was not known is left out."""

    prompt: float | None = None
    completion: float | None = None
    cached: float | None = None


class _Listed(_Part):
    name: str
    price: _Price = _Price()


class _File(_Part):
    """The form of ``recommended.yml``."""

    form: Literal[1]
    use: Literal["method", "model"]
    name: str
    learned_from: str = Field(max_length=4096)
    queries: int = Field(ge=1)
    answers: str = Field(max_length=20)
    models: list[_Listed] = Field(min_length=1, max_length=10_000)
    parameters: dict[str, Any] = {}
    code: str = Field("", max_length=64)
    arrays: str = Field(pattern=r"^[0-9a-f]{64}$")


def learn(name: str, recording: Recording, models: Sequence[str], *, alone: bool = False) -> Saved:
    """What is to be used, learned from all labelled queries of a recording.

    Args:
        name: of the method, or of the model.
        recording: queries that all models have answered, with scores (`advising.labelled`).
        models: names of the pool.
        alone: whether it is a model, to be used alone.

    Raises:
        ValueError: something that the method needs is missing: one line.
    """
    priced = RecordedBenchmark(recording, models).models
    pool = pool_of([NamedModel(model.name, model.price) for model in priced])
    if alone:
        single = catalog.method("single")
        pool.index(name)  # that it is there
        taught = lessons(recording, single, single.cls(pool))
        return _of(name, None, None, pool, taught, recording)
    info = catalog.method(name)
    method, learned = fit(info, info.parameters(), pool, recording)
    assert learned is not None, "there is a recording"
    return _of(name, method, info, pool, learned, recording)


def _of(
    name: str, method: Method | None, info: MethodInfo | None, pool: Pool, taught: Lessons, recording: Recording
) -> Saved:
    queries = len(taught.train)
    return Saved(name, method, info, pool.names, taught.merits, taught.kind, recording.name, queries)


def save(saved: Saved, path: Path) -> None:
    """Writes both files; the arrays first, so that a kill between leaves two that do not fit, which `load` tells.

    Raises:
        CannotSaveError: the method holds what no file can: one line. Then nothing is written.
        OSError: a file cannot be written.
    """
    tree: Any = None
    arrays: frozen.Arrays = []
    prices: Sequence[Price] = [UNKNOWN_PRICE] * len(saved.models)
    means: Mapping[str, float] = {}
    if saved.method is not None and saved.info is not None:
        tree, arrays = frozen.freeze(saved.method, saved.info)
        prices = [model.price for model in saved.method.pool]
        means = saved.method.choice.accuracies()
    told = json.dumps({"method": tree, "accuracies": dict(means)}, ensure_ascii=True)
    held = {
        "merits": saved.merits, "learned": np.frombuffer(told.encode(), np.uint8),
        **{f"a{i}": array for i, array in enumerate(arrays)},
    }  # fmt: skip
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **held)  # type: ignore[arg-type]
    beside = path.with_suffix(".npz")
    write_bytes(beside, stream.getvalue())
    values: dict[str, Any] = {
        "form": FORM, "use": "model" if saved.method is None else "method", "name": saved.name,
        "learned_from": saved.recording, "queries": saved.queries, "answers": saved.kind,
        "models": [_listed(*pair) for pair in zip(saved.models, prices, strict=True)],
    }  # fmt: skip
    if saved.method is not None and saved.info is not None:
        values["parameters"] = _plain(saved.method.parameters)
        values["code"] = source_hash(saved.info)
    values["arrays"] = hashlib.sha256(stream.getvalue()).hexdigest()
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=118)
    write_text(path, _HEAD.format(name=path.name, arrays=beside.name) + text)


def load(path: Path, dresses: Mapping[str, Dress] | None = None) -> Saved:
    """A saved recommendation.

    Args:
        path: of the ``.yml``.
        dresses: how the models want to be asked; ``chat`` where nothing is said.

    Raises:
        SavedError: a file cannot be read, is not what it should be, or was learned by other code than this.
    """
    file = _overview(path)
    beside = path.with_suffix(".npz")
    held = _arrays(beside, file.arrays, path)
    names = tuple(model.name for model in file.models)
    merits = held.get("merits")
    if merits is None or merits.shape != (len(names),) or merits.dtype != np.float64:
        raise SavedError(f"{beside}: has no mean score of each model ({_AGAIN})")
    if file.use == "model":
        if file.name not in names:
            raise SavedError(f"{path}: name: {file.name!r} is none of its models ({_AGAIN})")
        return Saved(file.name, None, None, names, merits, file.answers, file.learned_from, file.queries)
    info, parameters = _method(file, path)
    try:
        learned = json.loads(held["learned"].tobytes())
        arrays = [held[f"a{i}"] for i in range(len(held) - 2)]
        pool = Pool([NamedModel(m.name, _price(m), (dresses or {}).get(m.name, "chat")) for m in file.models])
        method = frozen.thaw(info, parameters, pool, learned["method"], arrays)
        means = {str(name): float(mean) for name, mean in learned["accuracies"].items()}
    except frozen.NotThisError as error:
        raise SavedError(f"{beside}: {error} ({_AGAIN})") from None
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise SavedError(f"{beside}: does not hold what {info.name} has learned ({_AGAIN})") from None
    method.choice.accuracies = lambda: means
    _try(method, info, beside)
    return Saved(info.name, method, info, names, merits, file.answers, file.learned_from, file.queries)


_AGAIN = "run atlas recommend again"


def _read(path: Path, most: int, mend: str) -> bytes:
    try:
        if path.stat().st_size <= most:
            return path.read_bytes()
    except OSError as error:
        raise SavedError(f"{path}: cannot be read: {error.strerror} ({mend})") from None
    raise SavedError(f"{path}: larger than {most} bytes, so no recommendation ({_AGAIN})")


def _overview(path: Path) -> _File:
    text = _read(path, MAX_TEXT, "name the file of atlas recommend")
    try:
        return _File.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:200]
        raise SavedError(f"{path}: {where}: {first['msg']} ({_AGAIN})") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise SavedError(f"{path}: no valid YAML ({_AGAIN})") from None


def _arrays(path: Path, digest: str, named: Path) -> dict[str, NDArray[Any]]:
    """All arrays of the file, whose sizes are looked at before they are believed."""
    data = _read(path, MAX_FILE, f"it belongs beside {named.name}")
    if hashlib.sha256(data).hexdigest() != digest:
        raise SavedError(f"{path}: is not the file that {named.name} belongs to ({_AGAIN})")
    held: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            entries = zipped.infolist()
            left = MAX_ARRAYS - sum(entry.file_size for entry in entries)
            for entry in entries if left >= 0 else ():
                with zipped.open(entry) as stream:
                    held[entry.filename.removesuffix(".npy")] = _array(stream, entry.file_size)
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError, RuntimeError):
        raise SavedError(f"{path}: holds something else than arrays ({_AGAIN})") from None
    if left < 0:
        raise SavedError(f"{path}: would fill more than {MAX_ARRAYS} bytes ({_AGAIN})")
    return held


def _array(stream: Any, size: int) -> NDArray[Any]:
    """One array, whose head says no more than the entry holds. ValueError where it is none."""
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError("a form that savez does not write here")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > size:
        raise ValueError("no array of numbers")
    data = stream.read(size + 1)
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError("cut off")
    made = np.frombuffer(bytearray(data), dtype).reshape(shape[::-1] if fortran else shape)
    return made.T if fortran else made


def _method(file: _File, path: Path) -> tuple[MethodInfo, Any]:
    try:
        info = catalog.method(file.name)
    except ValueError as error:
        raise SavedError(f"{path}: {error}") from None
    if file.code != source_hash(info):
        raise SavedError(f"{path}: was learned by another version of {info.name} than this one ({_AGAIN})")
    default = dataclasses.asdict(info.cls.Parameters())
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in file.parameters.items()}
    if {k: type(v) for k, v in given.items()} != {k: type(v) for k, v in default.items()}:
        raise SavedError(f"{path}: parameters: not those of {info.name} ({_AGAIN})")
    try:
        return info, info.cls.Parameters(**given)
    except (TypeError, ValueError) as error:
        raise SavedError(f"{path}: parameters: {str(error)[:200]} ({_AGAIN})") from None


def _try(method: Method, info: MethodInfo, path: Path) -> None:
    """Lets a router choose before anybody waits for it: what it has learned may be of the wrong form."""
    if not isinstance(method, Router):
        return
    state = method.rng.bit_generator.state
    for prompt in _TRIED:
        try:
            chosen = method.route(Query("", "", prompt))
            good = 0 <= int(chosen) < len(method.pool)
        except Exception:  # noqa: BLE001 (whatever a stranger's numbers lead to)
            good = False
        if not good:
            raise SavedError(f"{path}: what it holds is not what {info.name} can choose with ({_AGAIN})")
    method.rng.bit_generator.state = state
    method.choice.tie = ""


def _plain(parameters: Any) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(parameters).items()
    }


def _listed(name: str, price: Price) -> dict[str, Any]:
    told = {part: float(getattr(price, part)) for part in ("prompt", "completion") if getattr(price, part) >= 0}
    if price.cached is not None:
        told["cached"] = float(price.cached)
    return {"name": name, **({"price": told} if told else {})}


def _price(model: _Listed) -> Price:
    price = model.price
    prompt, completion = (math.nan if part is None else part for part in (price.prompt, price.completion))
    return Price(prompt, completion, price.cached)
