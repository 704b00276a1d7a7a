"""PackLLM: the models' logits are averaged with weights that the prompt decides: who finds it less surprising counts
for more.

With L_m = -log P_m(prompt) / n the loss of model m in nats a token (n: the prompt's tokens under the reference
tokenizer, that of the model of least loss) and z_m [V] its logits, mapped to the reference vocabulary,

    sim:  lambda = softmax(-L / tau);
    opt:  models in order of L, the best with lambda = 1; each next one joins with the l in {0, .05, .., 1} that
          minimises the prompt's loss under the logits  l * mix + (1 - l) * z_next, and all earlier lambdas are
          multiplied by l;

    next = argmax sum_m lambda_m z_m.      Models of weight 0 are not asked while the response is written.

A token of the reference vocabulary takes the logit of the model's own equal token, else of the one at the least edit
distance. Calls: one reading of the prompt a model; opt reads it a second time, as it needs all logits of each place.

Differences from the paper
1. L_m is taken on the model's own tokens of the prompt and divided by the reference's number of tokens; the paper's
   code takes it on token ids mapped one by one. A mean over own tokens would favour models of short tokens (bytes).
2. Texts, not mapped ids, pass between the models: each reads its own tokenisation.
3. Of several tokens at the least edit distance the one that shares the longest beginning is taken, since the next
   byte is what the two models must agree on; the end of text maps to the end of text only.
4. The weights are found once, from the prompt; the paper's code finds them anew in every forward pass.
5. A session gives one row of logits at a time, so opt reads the prompt token by token, which is billed and timed as
   if it were written; a server that returns all rows of a pass would bill it as reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Floats, Fusion, Query, TextSession, TokenModel, log_softmax, method, softmax


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: How the weights are found: ``sim`` or ``opt``; the paper has both.
    variant: str = "opt"
    #: tau, temperature of sim; the paper: 1.
    tau: float = 1.0
    #: Width of opt's grid; the paper: 0.05.
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


def prompt_loss(logits: Floats, targets: Sequence[int]) -> float:
    """Mean negative log-probability of the targets [n] under logits [n, V], in nats."""
    return -float(log_softmax(logits)[np.arange(len(targets)), list(targets)].mean())


def greedy_weights(logits: Sequence[Floats], targets: Sequence[int], losses: Floats, grid: float) -> Floats:
    """lambda of opt, [models], from the logits [models][n, V] at every place of the prompt."""
    first, *rest = (int(i) for i in np.argsort(losses, kind="stable"))
    weights = np.zeros(len(losses))
    weights[first], mix = 1.0, logits[first]
    steps = np.linspace(0, 1, round(1 / grid) + 1)
    for i in rest:
        tried = [prompt_loss(share * mix + (1 - share) * logits[i], targets) for share in steps]
        share = float(steps[int(np.argmin(tried))])
        mix = share * mix + (1 - share) * logits[i]
        weights *= share
        weights[i] = 1 - share
    return weights


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
    papers=["mavromatis2024packllm"],
)  # fmt: skip
class PackLLM(Fusion):
    """Average of logits with weights from the prompt's perplexity."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        if self.parameters.variant not in ("sim", "opt"):
            raise ValueError(f"variant={self.parameters.variant!r} is neither 'sim' nor 'opt'")
        return super().members()[: self.parameters.models or None]

    def begin(self, query: Query, texts: Sequence[TextSession]) -> None:
        with self.pool.parallel():
            surprise = np.array([-TextSession(t.model, "").score(query.prompt.encode()).sum() for t in texts])
        self.reference_ = texts[int(surprise.argmin())].model
        vocabulary = tuple(self.reference_.vocabulary)
        targets = self.reference_.encode(query.prompt)
        self.maps_ = [token_map(vocabulary, tuple(t.model.vocabulary)) for t in texts]
        self.losses_: Floats = surprise / len(targets)
        if len(texts) == 1 or self.parameters.variant == "sim":
            self.weights_ = similarity_weights(self.losses_, self.parameters.tau)
            return
        with self.pool.parallel():
            logits = [
                self._read(t.model, [vocabulary[i] for i in targets], places)
                for t, places in zip(texts, self.maps_, strict=True)
            ]
        self.weights_ = greedy_weights(logits, targets, self.losses_, self.parameters.grid)

    @staticmethod
    def _read(model: TokenModel, pieces: Sequence[bytes], places: NDArray[np.int64]) -> Floats:
        """The model's logits before every piece of the prompt, on the reference vocabulary, [n, V]."""
        text, rows = TextSession(model, ""), []
        for piece in pieces:
            rows.append(text.next_logits()[places])
            text.append(piece)
        return np.array(rows, np.float64)

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        fused = np.zeros(len(self.reference_.vocabulary))
        for text, places, weight in zip(texts, self.maps_, self.weights_, strict=True):
            if weight > 0:
                fused += weight * text.next_logits()[places]
        return self.reference_.vocabulary[int(fused.argmax())] or None
