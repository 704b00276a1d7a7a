"""Prints how long every router takes to decide on a query, and to be fitted, as the number of training queries grows.

``python -m reference_impls.measuring.decision_time [ROUTER...] [--sizes 1000,10000]``. A decision is a prompt of
some 500 characters turned into a vector and the choice of a model; no model runs. At most a millisecond is allowed
at 10,000 training queries; the exit status is 1 if a router takes more.

Prompts and scores are synthetic: words drawn from a few thousand by frequency and by topic, and four models, each
better at some topics. From `DRAWN` training queries on, embeddings are not computed but drawn (those of `DRAWN`
prompts with noise added, so that they lie as densely as real ones), and routers that learn by gradient steps take one
pass over the data: what they keep, and so a decision, is of the same size. Fitting times of such sizes are marked.

The last row is scikit-learn's nearest neighbours, where it is installed: 50 of them, on the same embedding.

Every router is measured in a process of its own with one thread, so that the peak of memory is its own. Times are
processor time, which other work on the machine changes little; that of a decision is the median over 200 prompts.
"""

import argparse
import inspect
import os
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.embedding import LatentEmbedder, Vectors, unit
from reference_impls.core.model import Dress, Floats, Generation, Model, Price
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.registry import MethodInfo
from reference_impls.core.training import TrainingSet
from reference_impls.running import catalog

MOST, AT = 1e-3, 10_000
SIZES = (1_000, 10_000, 100_000, 1_000_000)
DRAWN = 20_000
TOPICS, MODELS = 20, 4
#: Measured beside the routers where scikit-learn is there: its nearest neighbours, on the same embedding.
PEER, NEIGHBOURS = "scikit-learn-knn", 50
#: From this number of training queries on, a router that has an index uses it.
INDEXED = 100_000


@dataclass(frozen=True)
class Measurement:
    """Processor seconds of a decision and of fitting, and the process's peak memory in bytes."""

    decision: float
    fit: float
    peak: int


@dataclass(frozen=True)
class Stub:
    """A model that is routed to and never runs."""

    name: str
    price: Price
    size: int = 0
    context: int = 0
    dress: Dress = "terse"

    def generate(self, prompt: str, **_: object) -> list[Generation]:
        raise NotImplementedError("a decision calls no model")

    def score(self, prompt: str, continuation: str) -> Floats:
        raise NotImplementedError("a decision calls no model")


def prompts_of(count: int, rng: np.random.Generator) -> tuple[list[str], NDArray[np.int64]]:
    """Prompts of some 500 characters and the topic of each."""
    letters = np.array(list("eeetttaaooiinnsshhrrddllucmfwypgbvk"))
    vocabulary = np.array(["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(4000)])
    weights = 1 / np.arange(1, len(vocabulary) + 1)
    topics = rng.integers(TOPICS, size=count)
    prompts = []
    for topic in topics:
        common = rng.choice(vocabulary, 50, p=weights / weights.sum())
        own = vocabulary[rng.integers(100, size=30) * TOPICS + topic]
        prompts.append(" ".join(rng.permutation(np.concatenate([common, own]))))
    return prompts, topics


def training_set(count: int, rng: np.random.Generator) -> TrainingSet:
    """Synthetic training queries; beyond `DRAWN` the prompts repeat and only their embeddings differ."""
    prompts, topics = prompts_of(min(count, DRAWN), rng)
    skill = rng.random((TOPICS, MODELS))
    rows = np.arange(count) % len(prompts)
    scores = (rng.random((count, MODELS)) < skill[topics[rows]]).astype(np.float64)
    queries = [Query(f"synthetic/{i}", "synthetic", prompt) for i, prompt in enumerate(prompts)]
    names = tuple(f"model-{m}" for m in range(MODELS))
    answers = [Generation(name, "") for name in names]
    none: list[list[Generation]] = [[] for _ in names]
    return TrainingSet(
        [queries[i] for i in rows], names, [answers] * count, scores, np.full((count, MODELS), 1e-4),
        [none] * count, np.zeros((count, MODELS, 0)),
    )  # fmt: skip


class DrawnEmbedder(LatentEmbedder):
    """Computes the embeddings of at most `DRAWN` texts and draws the others around them."""

    def transform(self, texts: Sequence[str]) -> Vectors:
        vectors = super().transform(texts[:DRAWN])
        rng = np.random.default_rng(0)
        parts = [vectors]
        for start in range(DRAWN, len(texts), DRAWN):
            near = vectors[: len(texts) - start]
            noise = rng.standard_normal(near.shape, dtype=np.float32) * np.float32(0.5 / np.sqrt(near.shape[1]))
            parts.append(unit(near + noise))
        return np.concatenate(parts)


class ScikitLearn:
    """What an engineer would write in ten lines: the mean scores of the nearest neighbours by scikit-learn."""

    def fit(self, train: TrainingSet) -> None:
        from sklearn.neighbors import KNeighborsRegressor  # noqa: PLC0415  only the table wants it

        self.embedder = DrawnEmbedder(64).fit(train.prompts)
        self.neighbours = KNeighborsRegressor(min(NEIGHBOURS, len(train)))
        self.neighbours.fit(self.embedder.transform(train.prompts), train.scores)

    def route(self, query: Query) -> int:
        return int(self.neighbours.predict(self.embedder.transform([query.prompt]))[0].argmax())


def settings(info: MethodInfo, count: int) -> dict[str, str]:
    """Parameters of a router for a size: an index where it has one, and one pass where it learns by steps."""
    names = {f.name for f in fields(info.cls.Parameters)}
    chosen = {"index": "ivf"} if "index" in names and count >= INDEXED else {}
    return chosen | ({"epochs": "1"} if "epochs" in names and count > DRAWN else {})


def _router(name: str, train: TrainingSet, count: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """A router that is not fitted yet, and the module that its embedder is taken from."""
    if name == PEER:
        return ScikitLearn(), sys.modules[__name__]
    info = catalog.method(name)
    models: list[Model] = [Stub(model, Price(10.0**i, 10.0**i)) for i, model in enumerate(train.models)]
    return info.cls(Pool(models), info.parameters(settings(info, count)), rng), inspect.getmodule(info.cls)


def measure(name: str, count: int) -> Measurement:
    """One router, or `PEER`, at one number of training queries."""
    rng = np.random.default_rng(0)
    train = training_set(count, rng)
    router, module = _router(name, train, count, rng)
    with patch.object(module, "LatentEmbedder", DrawnEmbedder):
        start = time.process_time()
        router.fit(train)
        fit = time.process_time() - start
    seconds = []
    for prompt in prompts_of(200, np.random.default_rng(1))[0]:
        query = Query("synthetic/new", "synthetic", prompt)
        start = time.process_time()
        router.route(query)
        seconds.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Measurement(float(np.median(seconds)), fit, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("routers", nargs="*", help="names (default: every router that learns)")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of training queries")
    arguments = parser.parse_args()
    found = catalog.methods().values()
    peer = [PEER] if find_spec("sklearn") else []
    names = arguments.routers or [*(m.name for m in found if m.category.startswith("before/")), *peer]
    sizes = [int(size) for size in arguments.sizes.split(",")]
    # Read by the processes that measure when they load NumPy and faiss.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    slow = False
    print(f"{'router':30s}{'queries':>10s}{'decision':>12s}{'ratio':>8s}{'fit':>11s}{'memory':>10s}")
    for name in names:
        before = None
        for size in sizes:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
                found_here = executor.submit(measure, name, size).result()
            ratio = f"{found_here.decision / before:.1f}x" if before else ""
            before = found_here.decision
            note = "" if size <= DRAWN else " *"
            over = name != PEER and size == AT and found_here.decision > MOST
            slow |= over
            print(
                f"{name:30s}{size:10,d}{1e3 * found_here.decision:9.3f} ms{ratio:>8s}{found_here.fit:9.1f} s"
                f"{found_here.peak / 2**20:7.0f} MB{note}{'   MORE THAN A MILLISECOND' if over else ''}",
                flush=True,
            )
    print("* embeddings drawn, one pass of gradient steps, an index where the router has one (see --help)")
    sys.exit(slow)


if __name__ == "__main__":
    main()
