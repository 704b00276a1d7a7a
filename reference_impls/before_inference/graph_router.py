"""GraphRouter: queries and models are nodes of a graph, scores its edges, and a graph network predicts missing edges.

With x_q = A e(q) + a and a vector x_m [d] a model, edges weighted eps_qm = leaky(w Y[q, m] + v) run from queries to
models. A convolution adds to a model what its edges that are seen, S, bring, and leaves a query as it is:

    h_m = x_m + mean over (q, m) in S of (W x_q + u eps_qm + b),      h_q = x_q,

then all nodes are standardised together, coordinate by coordinate (batch normalisation, scaled by g, shifted by c).
After two of them, a leaky one and one that is not, p(q, m) = sigmoid(mean over d of x_q * h_m) predicts whether m is
the best model of q. Learnt by Adam on the cross-entropy of edges of training queries: `seen` of them, drawn anew each
time, are seen, the others are predicted. The epoch serves whose choices score best on queries set aside.
A new query has no edges, so the h_m stay as they are: a product with [e, d] and one with [models, d] numbers a query,
and one model call.

Differences from the paper
1. Held against LLMRouter's version, whose edges carry scores alone; in the paper there are nodes for tasks as well,
   and edges weigh performance against cost. The repository of the paper itself was not at hand.
2. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not a Longformer's, scaled to
   [0, 1] as there.
3. A model starts as a vector of random numbers; the paper starts from an embedding of a description by another model.
4. Of models that scored the same the cheaper one is the best; in the code the first is.
5. Weights do not decay; the code's AdamW takes 1e-7 of them a step. A message has one bias, not one for the query and
   one for the edge.
6. Messages are averaged, and it learns in 300 epochs at a rate of 0.01. LLMRouter adds messages up (`messages=sum`)
   and learns in 100 at 0.001: the sum over a thousand queries drowns what tells models apart, and with either rate it
   stayed far below the best model on validation queries of the stream.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Adam,
    Floats,
    LatentEmbedder,
    Pool,
    Query,
    TrainingSet,
    UtilityRouter,
    method,
    nearest,
    sigmoid,
)

MESSAGES = ("mean", "sum")
#: Slope of leaky units below 0, what a variance is raised by, and the share of a batch in running means; PyTorch's.
SLOPE, LITTLE, MOMENTUM = 0.01, 1e-5, 0.1


@dataclass(frozen=True)
class Parameters:
    """Parameters of the network and of its training; defaults are LLMRouter's where nothing else is said."""

    #: d, size of the nodes.
    hidden: int = 64
    #: Epochs, each of one step; 100 there.
    epochs: int = 300
    #: Masks whose losses a step takes the mean of.
    masks: int = 4
    #: What a model takes of its edges' messages: their ``mean`` or, as the code, their ``sum``.
    messages: str = "mean"
    #: Share of the training edges that are seen.
    seen: float = 0.3
    #: Share of the training queries that are set aside to choose the epoch.
    aside: float = 0.2
    #: Of Adam; 0.001 there.
    learning_rate: float = 0.01
    #: e, size of the embedding; 768 there.
    embedding: int = 64


class Layer(NamedTuple):
    """A convolution and its normalisation: W [d, d], u [d], b [d], g [d], c [d]."""

    message: Floats
    edge: Floats
    bias: Floats
    scale: Floats
    shift: Floats


class Weights(NamedTuple):
    """A [e, d], a [d], the models' vectors [models, d], (w, v) and two layers."""

    query: Floats
    offset: Floats
    models: Floats
    edge: Floats
    first: Layer
    second: Layer

    def arrays(self) -> list[Floats]:
        """All arrays, one after another."""
        return [*self[:4], *self.first, *self.second]


#: Mean and variance of the nodes, [d] each, for each of the two layers.
Moments = list[tuple[Floats, Floats]]


class Pass(NamedTuple):
    """What a pass over the graph has made.

    Attributes:
        logits: of the edges, [queries, models].
        nodes: what goes into each layer and into the prediction: queries and models below each other, [n, d].
        standard: the nodes of each layer before scale and shift.
        moments: of each layer.
    """

    logits: Floats
    nodes: list[Floats]
    standard: list[Floats]
    moments: Moments


def leaky(x: Floats) -> Floats:
    """x, and a hundredth of it below 0."""
    return np.where(x > 0, x, SLOPE * x)


def run(w: Weights, x: Floats, scores: Floats, flow: Floats, moments: Moments | None = None) -> Pass:
    """One pass over a graph.

    Args:
        w: the weights.
        x: scaled embeddings of the queries, [queries, e].
        scores: on the edges, [queries, models]; only those of seen ones are read.
        flow: how much of an edge's message the model takes, 0 of one that is not seen, [queries, models].
        moments: that nodes are standardised by; by default their own.
    """
    count, made = len(x), Pass(np.zeros(0), [np.vstack([x @ w.query + w.offset, w.models])], [], [])
    edges = (flow * leaky(w.edge[0] * scores + w.edge[1])).sum(0)
    for i, layer in enumerate((w.first, w.second)):
        nodes = made.nodes[-1].copy()
        nodes[count:] += (flow.T @ made.nodes[-1][:count]) @ layer.message
        nodes[count:] += np.outer(edges, layer.edge) + np.outer(flow.sum(0), layer.bias)
        mean, variance = moments[i] if moments else (nodes.mean(0), nodes.var(0))
        made.moments.append((mean, variance))
        made.standard.append((nodes - mean) / np.sqrt(variance + LITTLE))
        behind = layer.scale * made.standard[-1] + layer.shift
        made.nodes.append(leaky(behind) if i == 0 else behind)
    return made._replace(logits=made.nodes[0][:count] @ made.nodes[2][count:].T / len(w.offset))


def flows(seen: NDArray[np.bool_], messages: str) -> Floats:
    """How much of each edge's message a model takes, [queries, models]: all of it (`sum`), or a share (`mean`).

    >>> flows(np.array([[True, False], [True, True]]), "mean").tolist()
    [[0.5, 0.0], [0.5, 1.0]]
    """
    return seen.astype(float) if messages == "sum" else seen / np.maximum(seen.sum(0), 1)


def gradients(w: Weights, x: Floats, scores: Floats, flow: Floats, best: Floats) -> tuple[Pass, list[Floats]]:
    """A pass, and the gradient of the mean cross-entropy of the edges that are not seen, in the order of
    `Weights.arrays`.

    Args:
        best: 1 where the model is the best of the query, else 0, [queries, models].
    """
    made, count, seen = run(w, x, scores, flow), len(x), flow > 0
    by_logits = np.where(seen, 0.0, sigmoid(made.logits) - best) / max(int((~seen).sum()), 1) / len(w.offset)
    by_first = by_logits @ made.nodes[2][count:]  # of the prediction; what the layers add follows
    by_nodes = np.zeros_like(made.nodes[2])
    by_nodes[count:] = by_logits.T @ made.nodes[0][:count]
    weighed = w.edge[0] * scores + w.edge[1]
    edges, by_edges = (flow * leaky(weighed)).sum(0), np.zeros(flow.shape[1])
    found: list[Floats] = []
    for i, layer in ((1, w.second), (0, w.first)):
        if i == 0:
            by_nodes = by_nodes * np.where(made.nodes[1] > 0, 1.0, SLOPE)
        standard, below = made.standard[i], made.nodes[i][:count]
        by_scale, by_shift = (by_nodes * standard).sum(0), by_nodes.sum(0)
        # Through the standardisation: what all nodes share, and what follows their spread, drops out.
        by_nodes = by_nodes - by_shift / len(standard) - standard * (by_scale / len(standard))
        by_nodes *= layer.scale / np.sqrt(made.moments[i][1] + LITTLE)
        by_models = by_nodes[count:]
        found[:0] = [(flow.T @ below).T @ by_models, edges @ by_models, flow.sum(0) @ by_models, by_scale, by_shift]
        by_nodes[:count] += flow @ (by_models @ layer.message.T)
        by_edges += by_models @ layer.edge
    by_first += by_nodes[:count]
    by_weighed = flow * by_edges * np.where(weighed > 0, 1.0, SLOPE)
    of_edge = np.array([(by_weighed * scores).sum(), by_weighed.sum()])
    return made, [x.T @ by_first, by_first.sum(0), by_nodes[count:], of_edge, *found]


def first_weights(embedding: int, models: int, hidden: int, rng: np.random.Generator) -> Weights:
    """Weights to begin with: uniform up to one over the root of the inputs, as PyTorch's."""

    def drawn(inputs: int, *shape: int) -> Floats:
        return np.asarray(rng.uniform(-1, 1, shape) / np.sqrt(inputs))

    def layer() -> Layer:
        bias = drawn(hidden, hidden) + drawn(1, hidden)  # of the message and of the edge
        return Layer(drawn(hidden, hidden, hidden), drawn(1, hidden), bias, np.ones(hidden), np.zeros(hidden))

    query, offset = drawn(embedding, embedding, hidden), drawn(embedding, hidden)
    return Weights(query, offset, rng.random((models, hidden)), drawn(1, 2), layer(), layer())


def learn(x: Floats, scores: Floats, p: Parameters, rng: np.random.Generator) -> tuple[Weights, Moments]:
    """Weights of the epoch that chooses best on queries set aside, and the moments that its nodes have by then.

    Args:
        x: scaled embeddings, [queries, e].
        scores: [queries, models]; of models that score the same the first counts as the best.
    """
    order = rng.permutation(len(x))
    aside = order[: int(p.aside * len(x))]
    train = np.setdiff1d(order, aside)
    taught, labels = x[train], np.eye(scores.shape[1])[scores[train].argmax(1)]
    w = first_weights(x.shape[1], scores.shape[1], p.hidden, rng)
    adam = Adam(w.arrays(), p.learning_rate)
    moments: Moments = [(np.zeros(p.hidden), np.ones(p.hidden)) for _ in range(2)]
    everything = flows(np.ones(labels.shape, bool), p.messages)
    best, kept = -np.inf, (w, moments)
    for _ in range(p.epochs):
        total = [np.zeros_like(array) for array in w.arrays()]
        for _ in range(p.masks):
            flow = flows(rng.random(labels.shape) < p.seen, p.messages)
            made, by_arrays = gradients(w, taught, scores[train], flow, labels)
            moments = [updated(old, new, len(made.nodes[0])) for old, new in zip(moments, made.moments, strict=True)]
            total = [array + by_array / p.masks for array, by_array in zip(total, by_arrays, strict=True)]
        adam.step(total)
        served = choices(w, x[aside], keys(w, taught, scores[train], everything, moments)).argmax(1)
        reached = float(scores[aside, served].mean()) if len(aside) else 0.0
        if reached > best or not len(aside):
            best, kept = reached, (copied(w), moments)
    return kept


def updated(old: tuple[Floats, Floats], new: tuple[Floats, Floats], count: int) -> tuple[Floats, Floats]:
    """Running moments after a pass over so many nodes, whose variance counts as that of a sample."""
    (mean, variance), (fresh, spread) = old, new
    spread = spread * count / max(count - 1, 1)
    return mean + MOMENTUM * (fresh - mean), variance + MOMENTUM * (spread - variance)


def copied(w: Weights) -> Weights:
    """The weights as they are, for good."""
    query, offset, models, edge = map(np.copy, w[:4])
    return Weights(query, offset, models, edge, Layer(*map(np.copy, w.first)), Layer(*map(np.copy, w.second)))


def keys(w: Weights, x: Floats, scores: Floats, flow: Floats, moments: Moments) -> Floats:
    """h_m of the models after both layers, [models, d]."""
    return run(w, x, scores, flow, moments).nodes[2][len(x) :]


def choices(w: Weights, x: Floats, of_models: Floats) -> Floats:
    """p(q, m) of queries without edges, [queries, models]."""
    return sigmoid((x @ w.query + w.offset) @ of_models.T / len(w.offset))


@method(
    name="graph-router", category="before/continuous-utility", family="predictive",
    papers=["feng2024graphrouter"], needs=("labels",),
)  # fmt: skip
class GraphRouter(UtilityRouter):
    """Routing by predicted edges of a graph of queries and models."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.messages not in MESSAGES:
            told = nearest(self.parameters.messages, MESSAGES)
            raise ValueError(f"graph-router: no messages {self.parameters.messages!r}{told}")

    def fit(self, train: TrainingSet) -> None:
        p, by_price = self.parameters, self.pool.by_price()
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        vectors = self.embedder_.transform(train.prompts).astype(np.float64)
        self.low_, self.range_ = vectors.min(0), np.maximum(np.ptp(vectors, axis=0), 1e-9)
        x, scores = self.scaled(vectors), train.scores[:, by_price]
        self.weights_, moments = learn(x, scores, p, self.rng)
        found = keys(self.weights_, x, scores, flows(np.ones(scores.shape, bool), p.messages), moments)
        # From the cheapest to the dearest while learning, so that each model starts alike wherever it stands.
        self.keys_ = found[np.argsort(by_price)]

    def scaled(self, vectors: Floats) -> Floats:
        """Embeddings with the training queries' least and largest coordinates at 0 and 1."""
        return np.asarray((vectors - self.low_) / self.range_)

    def utilities(self, query: Query) -> Floats:
        x = self.scaled(self.embedder_.transform([query.prompt]).astype(np.float64))
        utility: Floats = choices(self.weights_, x, self.keys_)[0]
        return utility
