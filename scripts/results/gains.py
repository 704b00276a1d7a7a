"""The gains of one table, a pool of models on a mini-benchmark, over the best single model of the train split.

`atlas bench` writes scores query by query. Pages and the verdicts on claims take the gains from here, so that both
say the same of a method.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reference_impls.measuring.comparison import Gain, holm
from scripts.results import kept

Result = dict[str, Any]
#: The run that takes the best single model of the train split for every query, and the oracle: no methods.
SINGLE, ORACLE = "single", "oracle"
RESAMPLES = 1000
_BASIS = ("split", "queries", "pool_hash", "seed")


def is_model(label: str) -> bool:
    """Whether a result is that of one model, by its name."""
    return label.startswith("single-")


def best_single(files: Mapping[str, Result]) -> str | None:
    """The label of the model that was best on the train split, or of the run that took it where it does not say which
    one; of a table without that run, of the model that is best on these very queries, so that gains err on the safe
    side. None where no model was run alone.
    """
    if SINGLE in files:
        called = files[SINGLE].get("called") or {"": 1.0}
        label = f"single-{max(called, key=lambda model: called[model])}"
        return label if label in files else SINGLE
    return max(filter(is_model, files), key=lambda label: files[label]["score"]["mean"], default=None)


def alike(files: Mapping[str, Result]) -> dict[str, Result]:
    """Those that were measured on the same queries with the same models as the best single model: only these can be
    compared.
    """
    best = best_single(files)
    if best is None:
        return {}
    basis = [files[best][key] for key in _BASIS]
    return {label: file for label, file in files.items() if [file[key] for key in _BASIS] == basis}


def gain_over(ours: ArrayLike, theirs: ArrayLike) -> Gain:
    """The gain of scores over others on the same queries, not yet adjusted."""
    return kept.gain(np.asarray(ours, np.float64).tobytes(), np.asarray(theirs, np.float64).tobytes(), RESAMPLES)


def over_best(files: Mapping[str, Result]) -> dict[str, Gain]:
    """The gain of each of these results (which are `alike`) over the best single model. Those of methods, baselines
    and other models are adjusted together; the measure itself and the oracle are not judged.
    """
    best = best_single(files)
    if best is None:
        return {}
    found = {label: gain_over(file["items"]["score"], files[best]["items"]["score"]) for label, file in files.items()}
    judged = [label for label in found if label not in (best, SINGLE, ORACLE)]
    return found | dict(zip(judged, holm([found[label] for label in judged]), strict=True))
