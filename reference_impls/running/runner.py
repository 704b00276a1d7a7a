"""Runs one method on one benchmark."""

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.backends.replay import NotRecordedError
from reference_impls.core.meter import Meter
from reference_impls.core.model import ModelError
from reference_impls.core.pool import Pool
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.running import catalog
from reference_impls.running.imported import imported
from reference_impls.running.outcome import Outcome
from reference_impls.running.setups import Setup, setup
from reference_impls.running.summary import RESULTS, Result, summary, write, write_whole

# `reproductions` writes its results by these two
__all__ = ["RESULTS", "CannotRunError", "Progress", "answer_all", "named", "run", "source_hash", "write"]

#: Called with (queries done, queries in all).
Progress = Callable[[int, int], None]
#: What runs under way offer their methods, each under its number (see `_held_out`).
_offered: dict[int, Callable[[], Mapping[str, float]]] = {}
_numbers = itertools.count()
#: Kinds of failed calls that a result lists.
FAILURES = 20


class CannotRunError(ValueError):
    """Something that a method needs is missing where it is to run; the message is one line."""


def run(
    method: str, benchmark: str | Setup, *, pool: str = "", seed: int = 0, settings: dict[str, str] | None = None,
    split: str = "test", limit: int | None = None, train: int = 0, progress: Progress | None = None,
    dump: Path | None = None,
) -> Result:  # fmt: skip
    """Runs one method on one benchmark.

    Args:
        method: its name (see `catalog`).
        benchmark: its name, ``recorded:<folder or name>``, or what `setup` gave (then pool, split, limit and train
            are those of the set-up).
        pool: a pool's name, or names of models with commas between; by default the built-in models, or all of the
            recording.
        seed: of the method's random numbers, and of the queries drawn by `train`.
        settings: parameters as text, ``{"k": "10"}``.
        split: ``test``; ``validation`` to choose parameters.
        limit: only the first so many queries.
        train: so many queries of a recording, drawn at random, become its train split; 0 keeps its splits.
        progress: told after every query.
        dump: file for the choices, a JSON line a query (`Outcome.choice`), written when all queries are done.

    Returns:
        the result: a JSON value (see `summary`), with one score and cost a query under ``items``.

    Raises:
        UnknownNameError, ValueError: a name or parameter that does not exist, or something that the method needs
            and the benchmark lacks: one line.
    """
    info, parameters = named(method, settings, dump)
    place = benchmark
    if isinstance(place, str):
        place = setup(place, pool=pool, split=split, limit=limit, train=train, seed=seed)
    outcomes, told = answer_all(info, parameters, place, np.random.default_rng([seed, 1]), progress)
    if dump is not None:
        lines = (json.dumps(o.choice(), ensure_ascii=False, allow_nan=False) for o in outcomes)
        write_whole("".join(f"{line}\n" for line in lines), dump)
    return summary(info, place, seed, parameters, outcomes) | told | {"source_hash": source_hash(info)}


def named(method: str, settings: dict[str, str] | None = None, dump: Path | None = None) -> tuple[MethodInfo, Any]:
    """The method and its parameters, before anything is read or run.

    Raises:
        UnknownNameError, ValueError: a name or parameter that does not exist, or a file that cannot be written: one
            line.
    """
    if dump is not None and (dump.is_dir() or not os.access(dump.absolute().parent, os.W_OK)):
        raise ValueError(f"{dump}: choices cannot be written there (name a file in a folder that you may write to)")
    info = catalog.method(method)
    return info, info.parameters(settings)


def answer_all(
    info: MethodInfo, parameters: Any, place: Setup, rng: np.random.Generator, progress: Progress | None = None,
    listen: Callable[[Method], None] | None = None,
) -> tuple[list[Outcome], Result]:  # fmt: skip
    """Runs a method on all queries.

    The method sees the models from the cheapest to the dearest, so that the order in which they were named, or stand
    in a file, changes nothing.

    Args:
        info, parameters: of the method.
        place: models and queries.
        rng: the method's generator.
        progress: told after every query.
        listen: is given the method before its first query.

    Returns:
        one outcome a query, and what belongs into the result besides: what it has learned from, the responses of each
        model and how many of them abstain, why calls failed, and whether random numbers were drawn.

    Raises:
        CannotRunError: something that the method needs is missing, what it learns from among it, or every call
            failed: one line.
    """
    untouched = rng.bit_generator.state
    meter = Meter([place.models[i] for i in Pool(place.models).by_price()])
    number = next(_numbers)
    outcomes: list[Outcome] = []
    trained_on = None
    try:
        instance = info.cls(meter.pool, parameters, rng)
        try:
            place.check(info, instance)
        except ValueError as error:
            raise CannotRunError(str(error)) from error
        if may_see_labels(info, instance):
            _offered[number] = cache(place.accuracies)
            instance.choice.accuracies = partial(_held_out, number)
        if instance.needs_training:
            train, trained_on = place.training_set(info, instance.training_samples)
            instance.fit(train.of(meter.pool.names))
        if listen:
            listen(instance)
        for done, item in enumerate(place.items, 1):
            place.begin(item)
            meter.begin()
            instance.choice.tie = ""
            text = instance.answer(item.query)
            outcomes.append(replace(place.outcome(text, meter.end()), tie=instance.choice.tie))
            if progress:
                progress(done, len(place.items))
    except (NotRecordedError, ModelError) as error:
        raise CannotRunError(f"{info.name} on {place.label}: {error}") from error
    finally:
        meter.close()
        _offered.pop(number, None)
    names = [model.name for model in place.models]
    if instance.failed.total() == instance.asked.total() > 0:
        raise CannotRunError(
            f"{info.name} on {place.label}: no call has brought a response: {next(iter(instance.failed))}"
        )
    return outcomes, {
        "trained_on": trained_on,
        "responses": {name: instance.asked[name] for name in names},
        "abstentions": {name: instance.abstained[name] for name in names},
        "draws": rng.bit_generator.state != untouched,
        "failed": dict(instance.failed.most_common(FAILURES)),
        "notes": dict(instance.notes),
    }


def _held_out(number: int) -> Mapping[str, float]:
    """The accuracies that a run offers its method: the numbers alone, so that nothing the method holds leads to the
    set-up, which knows the right answers.
    """
    return _offered[number]()


def may_see_labels(info: MethodInfo, method: Method) -> bool:
    """Whether held-out accuracies may decide ties: not where the method promises to learn without labels, nor where
    it sees no score but those of its own choices.
    """
    return "labels" in info.needs or not method.needs_training


@cache
def source_hash(info: MethodInfo) -> str:
    """Changes with the method's file, with what it imports of the package, and with what counts its calls: an old
    result is then run again.
    """
    files = imported(info.path, Path(__file__).parents[1] / "core/meter.py")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
