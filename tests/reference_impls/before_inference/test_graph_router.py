"""GraphRouter: a pass by hand, the gradient against differences and against PyTorch, and laws of the choice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.graph_router import (
    MESSAGES,
    SLOPE,
    GraphRouter,
    Layer,
    Parameters,
    Weights,
    choices,
    copied,
    first_weights,
    flows,
    gradients,
    keys,
    learn,
    run,
    updated,
)
from reference_impls.core import Floats, sigmoid
from tests.reference_impls.before_inference.cases import NAME, PROMPTS, SPLIT, SUM, many, pool, training


def router(
    scores: Sequence[Sequence[float]], order: tuple[int, ...] = (0, 1), prompts: Sequence[str] = PROMPTS,
    **parameters: Any,
) -> GraphRouter:  # fmt: skip
    method = GraphRouter(pool(order), Parameters(**parameters), np.random.default_rng(0))
    method.fit(training(scores, prompts=prompts).of([model.name for model in pool(order)]))
    return method


def graph(
    seed: int, queries: int = 6, models: int = 3, messages: str = "mean"
) -> tuple[Weights, Floats, Floats, Floats, Floats]:  # fmt: skip
    """Weights, embeddings, scores, what is seen of them, and which model is the best."""
    rng = np.random.default_rng(seed)
    w, scores = first_weights(4, models, 5, rng), rng.random((queries, models))
    x, seen = rng.random((queries, 4)), rng.random(scores.shape) < 0.4
    return w, x, scores, flows(seen, messages), np.eye(models)[scores.argmax(1)]


def test_a_pass_worked_by_hand() -> None:
    # One coordinate. Queries 1 and 3 become x = 2 x 1 = 2 and 6; the models are 0 and 1. Seen are (1, a) and (3, b)
    # with scores 1 and .5: edges 1 and .5 (w = 1, v = 0). Messages of the first layer: W x + u eps + b with W = 1,
    # u = 2, b = -1 give a: 2 + 2 - 1 = 3, and b: 6 + 1 - 1 = 6, so that the nodes are 2, 6, 0 + 3, 1 + 6.
    layer = Layer(np.array([[1.0]]), np.array([2.0]), np.array([-1.0]), np.array([1.0]), np.array([0.0]))
    w = Weights(np.array([[2.0]]), np.array([0.0]), np.array([[0.0], [1.0]]), np.array([1.0, 0.0]), layer, layer)
    scores, seen = np.array([[1.0, 9.0], [9.0, 0.5]]), flows(np.array([[True, False], [False, True]]), "sum")
    as_it_is = (np.zeros(1), np.ones(1) - 1e-5)
    made = run(w, np.array([[1.0], [3.0]]), scores, seen, [as_it_is, as_it_is])
    assert made.nodes[1].ravel() == pytest.approx([2, 6, 3, 7])
    # Again: a: 3 + (2 + 2 - 1) = 6, b: 7 + (6 + 1 - 1) = 13. Predicted is the sigmoid of 2 or 6 times 6 or 13.
    assert made.nodes[2][2:].ravel() == pytest.approx([6, 13])
    assert made.logits == pytest.approx(np.array([[12, 26], [36, 78]]))
    # Standardised by their own moments the first layer's nodes have mean 0, and what is below 0 counts a hundredth.
    made = run(w, np.array([[1.0], [3.0]]), scores, seen)
    assert made.standard[0].ravel() == pytest.approx(np.array([-2.5, 1.5, -1.5, 2.5]) / np.sqrt(4.25 + 1e-5))
    assert made.nodes[1][0] == pytest.approx(SLOPE * made.standard[0][0])
    assert np.ravel(made.moments[0]) == pytest.approx([4.5, 4.25])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), messages=st.sampled_from(MESSAGES))
def test_the_gradient_is_that_of_the_loss(seed: int, messages: str) -> None:
    w, x, scores, seen, best = graph(seed, messages=messages)
    hidden = seen == 0
    if not hidden.any():
        return

    def loss() -> float:
        p = sigmoid(run(w, x, scores, seen).logits)[hidden]
        return float(-np.log(np.where(best[hidden] > 0, p, 1 - p)).mean())

    for array, found in zip(w.arrays(), gradients(w, x, scores, seen, best)[1], strict=True):
        assert found.shape == array.shape
        at = np.unravel_index(int(np.abs(found).argmax()), found.shape)
        before = float(array[at])
        values = []
        for step in (1e-6, -1e-6):
            array[at] = before + step
            values.append(loss())
        array[at] = before
        assert found[at] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-3, abs=1e-8)


@pytest.mark.parametrize("messages", MESSAGES)
def test_the_gradient_is_pytorch_s(messages: str) -> None:
    torch = pytest.importorskip("torch")
    w, x, scores, seen, best = graph(5, queries=9, messages=messages)
    hidden = seen == 0
    held = [torch.tensor(array, requires_grad=True) for array in w.arrays()]
    query, offset, models, edge = held[:4]
    queries, nodes = torch.tensor(x) @ query + offset, models
    start = queries
    eps = torch.nn.functional.leaky_relu(edge[0] * torch.tensor(scores) + edge[1])
    mask = torch.tensor(seen)
    for i, (message, u, b, scale, shift) in enumerate((held[4:9], held[9:])):
        each = (queries @ message)[:, None] + eps[:, :, None] * u + b  # [queries, models, d], edge by edge
        both = torch.cat([queries, nodes + (mask[:, :, None] * each).sum(0)])
        both = torch.nn.functional.batch_norm(both, None, None, scale, shift, training=True)
        both = torch.nn.functional.leaky_relu(both) if i == 0 else both
        queries, nodes = both[: len(x)], both[len(x) :]
    predicted = torch.sigmoid((start[:, None] * nodes).mean(-1))[torch.tensor(hidden)]
    torch.nn.functional.binary_cross_entropy(predicted, torch.tensor(best[hidden])).backward()
    made, found = gradients(w, x, scores, seen, best)
    assert sigmoid(made.logits)[hidden] == pytest.approx(predicted.detach().numpy())
    for array, ours in zip(held, found, strict=True):
        assert ours == pytest.approx(array.grad.numpy(), abs=1e-12)


def test_running_moments_are_pytorch_s() -> None:
    torch = pytest.importorskip("torch")
    rows, norm = np.random.default_rng(0).random((7, 3)), torch.nn.BatchNorm1d(3, dtype=torch.float64)
    norm(torch.tensor(rows))
    mean, variance = updated((np.zeros(3), np.ones(3)), (rows.mean(0), rows.var(0)), 7)
    assert mean == pytest.approx(norm.running_mean.numpy())
    assert variance == pytest.approx(norm.running_var.numpy())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_scores_on_edges_that_are_not_seen_are_not_read(seed: int) -> None:
    w, x, scores, seen, best = graph(seed)
    other = np.where(seen > 0, scores, np.random.default_rng(seed + 1).random(scores.shape))
    made, again = gradients(w, x, scores, seen, best), gradients(w, x, other, seen, best)
    assert made[0].logits.tolist() == again[0].logits.tolist()
    assert all(a.tolist() == b.tolist() for a, b in zip(made[1], again[1], strict=True))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_queries_and_models_changes_nothing(seed: int) -> None:
    w, x, scores, seen, _ = graph(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(x)), rng.permutation(3)
    found = run(w, x, scores, seen).logits[rows][:, columns]
    turned = run(w._replace(models=w.models[columns]), x[rows], scores[rows][:, columns], seen[rows][:, columns])
    assert turned.logits == pytest.approx(found, abs=1e-12)


def test_a_query_without_edges_is_predicted_from_the_models_nodes() -> None:
    w, x, scores, seen, _ = graph(3)
    moments = run(w, x, scores, seen).moments
    wider = np.vstack([seen, np.zeros((1, 3))])
    new = np.full((1, 4), 0.3)
    whole = run(w, np.vstack([x, new]), np.vstack([scores, np.zeros((1, 3))]), wider, moments)
    assert choices(w, new, keys(w, x, scores, seen, moments)) == pytest.approx(sigmoid(whole.logits[-1:]))


def test_it_routes_by_what_the_query_is_like() -> None:
    scores, prompts = many(200)
    method = router(scores, prompts=prompts)
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]


def test_the_epoch_that_chooses_best_is_kept() -> None:
    x, scores = np.random.default_rng(0).random((2, 40, 3))
    seen = []
    for epochs in range(1, 13):
        w, moments = learn(x, scores, Parameters(hidden=4, epochs=epochs), np.random.default_rng(7))
        order = np.random.default_rng(7).permutation(40)
        aside, train = order[:8], np.setdiff1d(order, order[:8])
        served = choices(w, x[aside], keys(w, x[train], scores[train], np.full((32, 3), 1 / 32), moments)).argmax(1)
        seen.append(float(scores[aside, served].mean()))
    assert seen == sorted(seen), "more epochs never choose worse on the queries set aside"


def test_a_copy_does_not_change_with_the_weights() -> None:
    w = graph(0)[0]
    kept = copied(w)
    before = [array.tolist() for array in kept.arrays()]
    for array in w.arrays():
        np.add(array, 1, out=array)
    assert [array.tolist() for array in kept.arrays()] == before


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_queries_are_enough(count: int) -> None:
    method = router([[0.0, 1.0]] * count, prompts=PROMPTS[:count], hidden=8, epochs=5)
    assert method.answer(SUM) in ("from a", "from b")


def test_the_order_of_the_models_changes_no_utility() -> None:
    first, second = router(SPLIT, hidden=8, epochs=20), router(SPLIT, (1, 0), hidden=8, epochs=20)
    for query in (SUM, NAME):
        assert first.utilities(query).tolist() == second.utilities(query)[::-1].tolist()


def test_messages_of_another_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"graph-router: no messages 'means'.*mean"):
        router(SPLIT, messages="means")
