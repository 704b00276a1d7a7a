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
   byte is what the two models must agree on; the end of text maps to the end of text only. Between vocabularies with
   more than `EXACT` pairs to compare, tokens more than one edit off take the one that shares the longest beginning.
4. The weights are found once, from the prompt; the authors' code finds them anew in every forward pass.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    Fusion,
    Logits,
    Query,
    TextSession,
    TokenModel,
    method,
    softmax,
    token_ids,
    unwritten,
)

#: Pairs of a token without an equal and a token of the other vocabulary up to which all distances are computed.
EXACT = 4_000_000


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
        tried = np.zeros(len(steps))
        # Few places at a time, as every mix is as large as they are.
        for at in range(0, len(targets), 64):
            part = slice(at, at + 64)
            pairs = mix[part], logits[i][part], targets[part]
            tried += [prompt_loss(s * pairs[0] + (1 - s) * pairs[1], pairs[2]) * len(pairs[2]) for s in steps]
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
def token_map(reference: tuple[bytes, ...], other: tuple[bytes, ...], end: int | None = None) -> NDArray[np.int64]:
    """For every token of the reference vocabulary the id of the nearest token of the other, [V]; of those without
    bytes the other's end token, by default its first without bytes.

    >>> token_map((b"", b"a", b"lamp", b"the"), (b"", b"a", b"lam", b"h", b"t")).tolist()
    [0, 1, 2, 4]
    """
    known = token_ids(other)
    result = np.array([known.get(token, -1) for token in reference])
    result[[i for i, token in enumerate(reference) if not token]] = other.index(b"") if end is None else end
    lacking = sorted({token for token in reference if token and token not in known})
    if len(lacking) * len(other) <= EXACT:
        width = max(map(len, other))
        table = np.full((len(other), width), 256)  # 256: no byte
        for i, token in enumerate(other):
            table[i, : len(token)] = list(token)
        lengths = np.array([len(token) for token in other])
        nearest = {token: _nearest(token, table, lengths) for token in lacking}
    else:
        nearest = _one_edit(lacking, known)
        nearest |= _same_beginning([token for token in lacking if token not in nearest], known)
    for i in np.flatnonzero(result < 0).tolist():
        result[i] = nearest[reference[i]]
    return result


def _by_length(tokens: Iterable[bytes]) -> dict[int, list[bytes]]:
    result: dict[int, list[bytes]] = {}
    for token in tokens:
        result.setdefault(len(token), []).append(token)
    return result


def _one_edit(tokens: Sequence[bytes], known: dict[bytes, int]) -> dict[bytes, int]:
    """For the tokens at one edit from a known one its id, of several that with the longest common beginning, then the
    first: place by place, and length by length to hold few strings at a time."""
    found: dict[bytes, int] = {}
    mine, theirs = (_by_length(names) for names in (tokens, sorted(known, key=lambda token: known[token])))
    for size, same in mine.items():
        for at in range(size + 1):  # a later place is a longer common beginning
            changed, longer = (
                {t[:at] + t[at + 1 :]: known[t] for t in reversed(theirs.get(size + more, []))} for more in (0, 1)
            )
            for token in same:
                short = token[:at] + token[at + 1 :]
                ids = [longer.get(token), *((changed.get(short), known.get(short)) if at < size else ())]
                here = [i for i in ids if i is not None]
                if here:
                    found[token] = min(here)
    return found


def _shared(one: bytes, other: bytes) -> int:
    """Length of the common beginning."""
    return next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _same_beginning(tokens: Sequence[bytes], known: dict[bytes, int]) -> dict[bytes, int]:
    """For every token the id of the known one that shares most of its beginning: one beside it in byte order."""
    listed = sorted(known)
    result = {}
    for token in tokens:
        at = bisect_left(listed, token)
        beside = listed[max(at - 1, 0) : at + 1]
        result[token] = known[max(beside, key=lambda other: _shared(token, other))]
    return result


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
        # An empty prompt tells nothing, and the weights are equal.
        pairs = zip(logits, ids, strict=True)
        surprise = np.array([prompt_loss(z, own) * len(own) if own else 0.0 for z, own in pairs])
        best = int(surprise.argmin())
        self.reference_ = models[best]
        main = tuple(self.reference_.vocabulary)
        self.maps_ = [token_map(main, tuple(model.vocabulary), model.end_token) for model in models]
        self.never_ = unwritten(main, self.reference_.end_token)
        self.losses_: Floats = surprise / max(len(ids[best]), 1)
        if len(models) == 1 or not ids[best] or self.parameters.variant == "sim":
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
        fused[self.never_] = -np.inf
        return self.reference_.vocabulary[int(fused.argmax())] or None
