"""PackLLM: the models' logits are averaged with weights that the prompt decides: who finds it less surprising counts
for more.

With L_m = -log P_m(prompt) / n the loss of model m in nats a token (n: the prompt's tokens under the reference
tokenizer, that of the model to which the prompt is likeliest) and z_m [V] its logits, mapped to the reference
vocabulary,

    sim:  lambda = softmax(-L / tau);
    opt:  models in order of L, the best with lambda = 1; each next one joins with the l in {0, .05, .., 1} that
          minimises the prompt's loss under the logits  l * mix + (1 - l) * z_next, and all earlier lambdas are
          multiplied by l;

    next = argmax sum_m lambda_m z_m.      Models of weight 0 are not asked while the response is written.

A token of the reference vocabulary takes the logit of the model's own equal token, else of the one at the least edit
distance. Calls: one reading of the prompt a model for the weights, side by side; then one session a model.

Differences from the paper
1. L_m is taken on the model's own tokens of the prompt and divided by the reference's number of tokens; the authors'
   code takes it on token ids mapped one by one, and chooses the reference by each model's mean over its own tokens,
   which would favour models of short tokens (bytes).
2. Texts, not mapped ids, pass between the models: each reads its own tokenisation. So opt compares the models at the
   places of the prompt at which a token begins under every model; the authors' code does so at every mapped token.
3. Of several tokens at the least edit distance the one that shares the longest beginning is taken, since the next
   byte is what the two models must agree on; the end of text maps to the end of text only.
4. The weights are found once, from the prompt; the authors' code finds them anew in every forward pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Floats, Fusion, Logits, Query, TextSession, TokenModel, method, softmax


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: How the weights are found: ``sim`` or ``opt``; the paper has both.
    variant: str = "opt"
    #: tau, temperature of sim; the authors' code: 1.
    tau: float = 1.0
    #: Width of opt's grid; the authors' code: 0.05.
    grid: float = 0.05
    #: How many models, from the dearest down; 0 takes all.
    models: int = 0


def similarity_weights(losses: Floats, tau: float) -> Floats:
    """lambda of sim, [models].

    >>> import numpy as np
    >>> similarity_weights(np.log([2.0, 6.0]), 1.0).round(3).tolist()
    [0.75, 0.25]
    """
    return softmax(-losses / tau)


def prompt_loss(logits: Logits | Floats, targets: Sequence[int]) -> float:
    """Mean negative log-probability of the targets [n] under logits [n, V], in nats."""
    # In the logits' own precision: opt comes here many times a prompt, and single precision serves.
    shifted = logits - logits.max(-1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(-1)) - shifted[np.arange(len(targets)), list(targets)]))


def greedy_weights(logits: Sequence[Logits | Floats], targets: Sequence[int], losses: Floats, grid: float) -> Floats:
    """lambda of opt, [models], from the logits [models][n, V] at every place of the prompt."""
    first, *rest = (int(i) for i in np.argsort(losses, kind="stable"))
    weights = np.zeros(len(losses))
    weights[first], mix = 1.0, logits[first]
    steps = np.linspace(0, 1, round(1 / grid) + 1).tolist()
    for i in rest:
        tried = [prompt_loss(share * mix + (1 - share) * logits[i], targets) for share in steps]
        share = steps[int(np.argmin(tried))]
        mix = share * mix + (1 - share) * logits[i]
        weights *= share
        weights[i] = 1 - share
    return weights


def common_starts(tokenisations: Sequence[Sequence[bytes]]) -> list[list[int]]:
    """Positions, in each tokenisation of one text, of the tokens that begin where one begins in every tokenisation.

    >>> common_starts([[b"a", b"bc", b"d"], [b"ab", b"c", b"d"]])
    [[0, 2], [0, 2]]
    """
    starts = [dict(zip(accumulate(map(len, t), initial=0), range(len(t)), strict=False)) for t in tokenisations]
    shared = sorted(set.intersection(*map(set, starts)))
    return [[places[start] for start in shared] for places in starts]


@lru_cache(maxsize=64)
def token_map(reference: tuple[bytes, ...], other: tuple[bytes, ...]) -> NDArray[np.int64]:
    """For every token of the reference vocabulary the id of the nearest token of the other, [V].

    >>> token_map((b"", b"a", b"lamp", b"the"), (b"", b"a", b"lam", b"h", b"t")).tolist()
    [0, 1, 2, 4]
    """
    known = {token: i for i, token in reversed(list(enumerate(other)))}
    width = max(map(len, other))
    table = np.full((len(other), width), 256)  # 256: no byte
    for i, token in enumerate(other):
        table[i, : len(token)] = list(token)
    lengths = np.array([len(token) for token in other])
    return np.array([known[t] if t in known else _nearest(t, table, lengths) for t in reference])


def _nearest(token: bytes, table: NDArray[np.int64], lengths: NDArray[np.int64]) -> int:
    """Row of the table at the least Levenshtein distance, of several the one with the longest common beginning."""
    columns = np.arange(table.shape[1] + 1)
    row = np.tile(columns, (len(table), 1))  # row[:, j]: distance of the token's first i bytes to the first j
    shared = np.zeros(len(table), np.int64)
    for i, byte in enumerate(token):
        change = np.minimum(row[:, 1:] + 1, row[:, :-1] + (table != byte))
        start = np.concatenate([np.full((len(table), 1), i + 1), change], axis=1)
        row = np.minimum.accumulate(start - columns, axis=1) + columns
        if i < table.shape[1]:
            shared += (shared == i) & (table[:, i] == byte)
    rank = row[np.arange(len(table)), lengths] * (len(token) + 1) - shared
    return int(np.where(lengths > 0, rank, rank.max() + 1).argmin())


@method(
    name="packllm", category="during/token-level", family="distribution-averaging",
    papers=["mavromatis2024packllm"], needs=("distributions", "scoring"),
)  # fmt: skip
class PackLLM(Fusion):
    """Average of logits with weights from the prompt's perplexity."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        if self.parameters.variant not in ("sim", "opt"):
            raise ValueError(f"variant={self.parameters.variant!r} is neither 'sim' nor 'opt'")
        return super().members()[: self.parameters.models or None]

    def begin(self, query: Query, texts: Sequence[TextSession]) -> None:
        models = [t.model for t in texts]
        ids = [model.encode(query.prompt) for model in models]
        with self.pool.parallel():
            logits = [model.start("").logits_of(own) for model, own in zip(models, ids, strict=True)]
        surprise = np.array([prompt_loss(z, own) * len(own) for z, own in zip(logits, ids, strict=True)])
        best = int(surprise.argmin())
        self.reference_ = models[best]
        self.maps_ = [token_map(tuple(self.reference_.vocabulary), tuple(model.vocabulary)) for model in models]
        self.losses_: Floats = surprise / len(ids[best])
        if len(models) == 1 or self.parameters.variant == "sim":
            self.weights_ = similarity_weights(self.losses_, self.parameters.tau)
        else:
            rows = common_starts([[m.vocabulary[i] for i in own] for m, own in zip(models, ids, strict=True)])
            shared = [z[r][:, places] for z, r, places in zip(logits, rows, self.maps_, strict=True)]
            targets = [ids[best][r] for r in rows[best]]
            self.weights_ = greedy_weights(shared, targets, self.losses_, self.parameters.grid)
        self.asked_ = [i for i, weight in enumerate(self.weights_) if weight > 0]

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        fused = np.zeros(len(self.reference_.vocabulary))
        for i, logits in zip(self.asked_, self.logits([texts[i] for i in self.asked_]), strict=True):
            fused += self.weights_[i] * logits[self.maps_[i]]
        return self.reference_.vocabulary[int(fused.argmax())] or None
