"""Entropy token routing (R2R without its trained router): a small model writes, and where its next-token distribution
is uncertain the large model writes the token.

With p [V] the small model's next-token probabilities,

    H = -sum_x p(x) log p(x)  (nats),        the large model writes where  H >= threshold,

greedily. A step costs O(V) beside the forward passes. Calls: one session of the small model; one of the large from
the first token that it is asked for; it reads what was written meanwhile. `share` tells which part of all tokens the
large model has written.

Differences from the paper
1. This is the rule without training that R2R's code has beside its router. The router is a network on the small
   model's last state, the token and the 100 largest logits, which estimates whether large and small diverge there.
2. Where the two tokenizers differ the large model reads its own tokenisation of what the small one wrote.
3. Where the text fills the large model's context the small one goes on alone.
4. Decoding is greedy; R2R samples.
"""

from dataclasses import dataclass

from reference_impls.core import Handover, Logits, entropy, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: Least entropy, in nats, at which the large model writes: R2R's untrained rule; 0 is all large, inf all small.
    threshold: float = 0.45
    #: Names of the two models; empty means the cheapest and the dearest of the pool.
    small: str = ""
    large: str = ""


@method(
    name="entropy-token-router", category="during/token-level", family="token-routing",
    papers=["fu2025r2r"], needs=("distributions",),
)  # fmt: skip
class EntropyTokenRouter(Handover):
    """A small model that lets a large one write where it is uncertain."""

    Parameters = Parameters

    def hands_over(self, logits: Logits) -> bool:
        return bool(entropy(logits) >= self.parameters.threshold)
