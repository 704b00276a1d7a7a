"""The ways of the page play, run in a browser and in Python on the same queries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from playwright.sync_api import Page

from reference_impls.after_inference.uncertainty_cascade import UncertaintyCascade
from reference_impls.before_inference.classifier_router import ClassifierRouter
from reference_impls.core.embedding import LatentEmbedder
from reference_impls.core.learn import Logistic
from reference_impls.core.meter import Meter
from reference_impls.core.model import Model
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.stages import Method
from reference_impls.core.training import TrainingSet
from reference_impls.during_inference.reward_guided_steps import Reward, RewardGuidedSteps
from reference_impls.models.pool import POOLS
from reference_impls.running import catalog
from scripts.render.live import FOLDER, WAYS, by_price
from tests.conftest import ROOT

Answer = dict[str, Any]

_RUN = """async ({ worker, runs }) => {
  // one worker a page: its models stay loaded, and its code stays compiled
  const made = (window.atlasWorker ??= new Worker(worker, { type: "module" }));
  const answers = [];
  for (const [id, run] of runs.entries()) {
    answers.push(await new Promise((resolve, reject) => {
      made.onerror = (event) => reject(new Error(event.message));
      made.onmessage = ({ data }) => {
        if (data.type === "failed") reject(new Error(data.message));
        if (data.type === "done") resolve({ text: data.text, usage: data.usage });
      };
      made.postMessage({ type: "run", id, ...run });
    }));
  }
  return answers;
}"""


def in_page(page: Page, way: str, pool: str, queries: Sequence[tuple[str, Query]]) -> list[Answer]:
    """Texts and bills of queries, each with its task, from the worker of the page's site; `pool` may name a model."""
    names = by_price([spec.name for spec in POOLS[pool]]) if pool in POOLS else [pool]
    runs = [
        {
            "way": way,
            "pool": pool if pool in POOLS else "builtin",
            "task": task,
            "names": names,
            "query": {"prompt": q.prompt, "kind": q.kind, "options": list(q.options), "maxTokens": q.max_tokens},
        }
        for task, q in queries
    ]
    found: list[Answer] = page.evaluate(_RUN, {"worker": "/assets/play/worker.js", "runs": runs})
    return found


def in_python(method: Method, meter: Meter, query: Query) -> Answer:
    """Text and bill of a query, in the form of `in_page`."""
    meter.begin()
    method.choice.tie = ""
    text = method.answer(query)
    usage = meter.end()
    read, written = usage.prompt_tokens, usage.completion_tokens
    bill = {"calls": usage.calls, "prompt": read, "completion": written, "cost": usage.cost}
    return {"text": text, "usage": bill, "tie": method.choice.tie}


def expected_answers(way: str, pool: str, task: str, queries: Sequence[Query]) -> list[Answer]:
    """What Python answers and is billed, with what the page has learned; `pool` may name a model."""
    if way == "one":
        [model] = catalog.pool(pool)
        return [alone(model, query) for query in queries]
    method, meter = from_parts(way, pool, task)
    try:
        return [in_python(method, meter, query) for query in queries]
    finally:
        meter.close()


def alone(model: Model, query: Query) -> Answer:
    """Text and bill of one model."""
    [response] = model.generate(query.prompt, max_tokens=query.max_tokens)
    read, written = response.prompt_tokens, response.completion_tokens
    bill = {"calls": 1, "prompt": read, "completion": written, "cost": model.price.of(read, written)}
    return {"text": response.text, "usage": bill, "tie": ""}


@cache
def parts() -> dict[str, Any]:
    """What the page has of the fitted methods."""
    found: dict[str, Any] = json.loads((ROOT / FOLDER / "fitted.json").read_text(encoding="utf-8"))
    return found


def from_parts(way: str, pool: str, task: str) -> tuple[Method, Meter]:
    """The Python method with what the page has learned, so that no model need answer a train split."""
    models = catalog.pool(pool)
    meter = Meter([models[i] for i in Pool(models).by_price()])
    info = catalog.method(WAYS[way]["method"])
    method: Method = info.cls(meter.pool, info.parameters(None), np.random.default_rng([0, 1]))
    known = parts()["fitted"][pool][task]
    scores = np.array([[known["accuracies"][name] for name in meter.pool.names]])
    method.choice.accuracies = lambda: known["accuracies"]
    if isinstance(method, UncertaintyCascade):
        threshold = known["cascade"]["threshold"]
        method.threshold_ = np.inf if threshold is None else threshold
    elif isinstance(method, ClassifierRouter):
        method.embedder_, method.classifiers_ = _embedder(), [_classifier(name) for name in meter.pool.names]
    elif isinstance(method, RewardGuidedSteps):
        method.reward_ = _reward(known["steps"])
    elif method.needs_training:
        none: list[Any] = [[[] for _ in meter.pool]]
        method.fit(TrainingSet([], meter.pool.names, [], scores, 0 * scores, none, scores[:, :, None]))
    return method, meter


def _embedder() -> LatentEmbedder:
    axes = parts()["router"]["axes"]
    embedder = LatentEmbedder(axes["width"])
    embedder.embedder.idf_ = np.zeros(axes["size"], np.float32)
    embedder.embedder.idf_[axes["seen"]] = axes["idf"]
    embedder.reduction.axes_ = np.zeros((axes["size"], axes["width"]), np.float32)
    halves = np.frombuffer((ROOT / FOLDER / "router.f16").read_bytes(), "<f2")
    embedder.reduction.axes_[axes["seen"]] = halves.reshape(-1, axes["width"])
    return embedder


def _reward(known: dict[str, Any]) -> Reward:
    reward = Reward(known["size"], 0.0)
    reward.embedder.idf_ = np.array(known["idf"], np.float32)
    reward.mean_, reward.deviation_ = np.array(known["mean"]), np.array(known["deviation"])
    reward.logistic.weights_, reward.logistic.intercept_ = np.array(known["weights"]), known["intercept"]
    return reward


def _classifier(name: str) -> Logistic:
    known = parts()["router"]["classifiers"][name]
    classifier = Logistic()
    classifier.weights_, classifier.intercept_ = np.array(known["weights"]), known["intercept"]
    return classifier
