"""Thompson-sampling router: a bandit that tries a model as often as the model may still turn out to be the best.

The reward of a model m on a query with context x = (1, e(q)) is taken as theta_m . x plus normal noise of deviation
sigma. With a normal prior of variance v, what is known of theta_m after the queries that m served is again normal:

    A_m = (sigma^2 / v) I + sum x x',   b_m = sum r x,   theta_m ~ N(A_m^-1 b_m, sigma^2 A_m^-1),

and while learning one theta_m is drawn for every model and the largest theta_m . x serves; the reward is
r = score - p * cost in US dollars. So a model is chosen with the probability that it is the best, as far as is known:
`probabilities` gives it in closed form for two models and by quadrature for more, which a log of decisions wants.
Only the number theta_m . x ~ N(A_m^-1 b_m . x, sigma^2 x' A_m^-1 x) is drawn, which is the same. Complexity a query:
O(models d^2); one model call.

Thompson's rule is of 1933, its linear form of Agrawal and Goyal (2013). GreenServ's authors compare it with LinUCB
and epsilon-greedy choices for routing between language models.

Differences from the paper
1. The context is the query's embedding (TF-IDF of hashed n-grams reduced by a singular value decomposition) after a
   constant; the authors' is the task, the semantic cluster and the complexity of the text, one-hot, after a constant.
2. The reward is the score less the weighted cost; the authors' weighs accuracy against energy.
3. It learns on the stream of training queries and then exploits: the utility of a test query is the mean of
   theta_m . x, as there is no feedback that exploring could bring.
4. The authors' code multiplies the covariance of theta_m by sigma^2 once more, so that its draws vary by a quarter of
   the posterior's deviation at their sigma. Here they vary as the posterior says.
"""

from dataclasses import dataclass

import numpy as np

from reference_impls.core import (
    Floats,
    LatentEmbedder,
    LinearArms,
    Query,
    TrainingSet,
    UtilityRouter,
    chances_of_largest,
    method,
    with_constant,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: sigma, deviation of a reward around its mean; .25 in the authors' configuration.
    noise: float = 0.25
    #: v, variance of a coordinate of theta before anything is known; 2 in the authors' configuration.
    variance: float = 2.0
    #: p, points of score that a US dollar is worth; 0 leaves quality alone in charge.
    price_weight: float = 0.0
    #: d, size of the embedding; that of `linucb-router`, whose rounds teach as little.
    embedding: int = 16


class Thompson:
    """The bandit's state: what is known of every model's theta.

    Args:
        models, dim: how many models and dimensions of a context.
        noise, variance: sigma and v.
    """

    def __init__(self, models: int, dim: int, noise: float, variance: float) -> None:
        self.noise = noise
        self.arms = LinearArms(models, dim, noise**2 / variance)

    def draw(self, x: Floats, normal: Floats) -> Floats:
        """Drawn rewards [models] of a context, from one standard normal number a model [models]."""
        return np.asarray(self.arms.means(x) + self.noise * np.sqrt(self.arms.variances(x)) * normal)

    def probabilities(self, x: Floats) -> Floats:
        """Of each model to be drawn the largest, [models]."""
        return chances_of_largest(self.arms.means(x), self.noise * np.sqrt(self.arms.variances(x)))


@method(
    name="thompson-router", category="before/continuous-utility", family="bandit-and-rl",
    papers=["ziller2026greenserv"], needs=("feedback",),
)  # fmt: skip
class ThompsonRouter(UtilityRouter):
    """Routing by a bandit that chose each model as often as it might be the best."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        contexts = dict(zip(train.prompts, with_constant(self.embedder_.transform(train.prompts)), strict=True))
        self.bandit_ = Thompson(len(self.pool), len(contexts[train.prompts[0]]), p.noise, p.variance)
        order, normal = self.pool.by_price(), np.empty(len(self.pool))
        for query, reveal in train.stream(self.rng):
            x = contexts[query.prompt]
            normal[order] = self.rng.standard_normal(len(order))  # whatever the pool's order
            model = int(self.bandit_.draw(x, normal).argmax())
            score, cost = reveal(model)
            self.bandit_.arms.update(model, x, score - p.price_weight * cost)

    def context(self, query: Query) -> Floats:
        """(1, e(q)), [d + 1]."""
        return np.asarray(with_constant(self.embedder_.transform([query.prompt]))[0])

    def utilities(self, query: Query) -> Floats:
        return self.bandit_.arms.means(self.context(query))

    def probabilities(self, query: Query) -> Floats:
        """Of each model to be chosen if the query were one to learn from, [models]."""
        return self.bandit_.probabilities(self.context(query))
