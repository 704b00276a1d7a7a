"""Prints, for every during-inference method, what it takes to be ready for models of real vocabulary sizes.

``python -m reference_impls.measuring.vocabulary_cost [METHOD...] [--size N]`` fuses two stand-ins for models
whose vocabularies of N tokens (150,000 unless told otherwise) differ in a half, up to the second token of a first
response: by then all tables of the vocabularies are made. Their forward passes are random numbers, so that what is
measured is the method's own. Seconds are CPU seconds; megabytes are the most that is held at once beyond the models.
The exit status is 1 if a method takes more than the budget.
"""

import argparse
import sys
import time
import tracemalloc
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from reference_impls.core import Dress, Floats, Generation, Logits, Meter, Price, Query, TrainingSet, log_softmax
from reference_impls.running import catalog

SECONDS, MEGABYTES = 5.0, 1000.0
#: As long as a usual question.
QUERY = Query("cost/0", "cost", "Q: Which of the two owls found the lamp first?\nA:", "text", 2)


def vocabulary(size: int, seed: int) -> tuple[bytes, ...]:
    """The end, all bytes, and words of some letters (with and without a blank before) and Chinese characters; half of
    them are the same for any seed."""
    tokens = dict.fromkeys([b"", *(bytes([b]) for b in range(256))])
    for share, source in ((0.5, np.random.default_rng(0)), (1.0, np.random.default_rng([1, seed]))):
        while len(tokens) < share * size:
            lengths = source.integers(1, 9, 4096)
            letters = source.integers(ord("a"), ord("z") + 1, (4096, 8), np.uint8)
            for row, length, kind in zip(letters, lengths, source.random(4096), strict=True):
                word = row[:length].tobytes()
                if kind > 0.8:
                    word = "".join(chr(0x4E00 + int(c) * 7) for c in row[: length // 2 + 1]).encode()
                if len(tokens) < share * size:
                    tokens[b" " + word if kind < 0.5 else word] = None
    return tuple(tokens)[:size]


class StandIn:
    """A token model without a network: every token is a byte to its tokenizer, and its logits are random numbers that
    a text of one length repeats."""

    end_token = 0
    context = 0
    dress: Dress = "terse"
    forward_seconds = 0.0

    def __init__(self, name: str, tokens: tuple[bytes, ...], price: float) -> None:
        self.name, self.size, self.price, self.vocabulary = name, 1.0, Price(price, price), tokens

    def encode(self, text: str) -> list[int]:
        return [1 + b for b in text.encode()]

    def decode(self, tokens: Sequence[int]) -> str:
        return b"".join(self.vocabulary[t] for t in tokens).decode("utf-8", "replace")

    def start(self, prompt: str) -> "StandInSession":
        return StandInSession(self, [0, *self.encode(prompt)])

    def score(self, prompt: str, continuation: str) -> Floats:
        return self.start(prompt).score(self.encode(continuation))

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,  # noqa: ARG002
        stop: Sequence[str] = (), seed: int = 0,  # noqa: ARG002
    ) -> list[Generation]:  # fmt: skip
        return [Generation(self.name, " an owl\nand a lamp", prompt_tokens=9, completion_tokens=9)] * n


class StandInSession:
    """A text under a stand-in."""

    def __init__(self, model: StandIn, ids: list[int], prompt_length: int = 0) -> None:
        self._model, self._ids = model, ids
        self.prompt_length = prompt_length or len(ids)

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._ids[self.prompt_length :])

    def _row(self, length: int) -> Logits:
        return np.random.default_rng(length).standard_normal(len(self._model.vocabulary), np.float32)

    def next_logits(self) -> Logits:
        return self._row(len(self._ids))

    def append(self, *tokens: int) -> None:
        self._ids.extend(tokens)

    def rollback(self, count: int) -> None:
        del self._ids[len(self._ids) - count :]

    def fork(self) -> "StandInSession":
        return StandInSession(self._model, list(self._ids), self.prompt_length)

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        return np.array([self._row(len(self._ids) + i) for i in range(len(tokens))])

    def score(self, tokens: Sequence[int]) -> Floats:
        # Row by row: all at once would be a cost of the stand-in.
        rows = (log_softmax(self._row(len(self._ids) + i))[token] for i, token in enumerate(tokens))
        return np.array(list(rows), np.float64)


def measured(name: str, size: int, memory: bool) -> float:
    """CPU seconds, or megabytes, up to the second token of the first response."""
    shared = "shared-vocabulary" in catalog.method(name).needs
    models = [StandIn(n, vocabulary(size, 0 if shared else i), 2.0 - i) for i, n in enumerate(("dear", "cheap"))]
    info = catalog.method(name)
    method = info.cls(Meter(models).pool, info.parameters(), np.random.default_rng(0))
    if memory:
        tracemalloc.start()
    started = time.process_time()
    if method.needs_training:
        method.fit(_training_set(models, method.training_samples))
    method.answer(QUERY)
    return tracemalloc.get_traced_memory()[1] / 1e6 if memory else time.process_time() - started


def _training_set(models: Sequence[StandIn], samples: int) -> TrainingSet:
    """Two queries, answered by everybody as well."""
    drawn = [[m.generate(QUERY.prompt, n=samples) for m in models]] * 2
    given = [[m.generate(QUERY.prompt)[0] for m in models]] * 2
    scores, costs = np.array([[1.0, 0.5], [0.5, 1.0]]), np.zeros((2, 2))
    marks = np.resize([1.0, 0.0, 0.0], (2, 2, samples))
    return TrainingSet([QUERY] * 2, tuple(m.name for m in models), given, scores, costs, drawn, marks)


def main() -> None:
    during = [m.name for m in catalog.methods().values() if m.category.startswith("during/")]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", help="names (default: every during-inference method)")
    parser.add_argument("--size", type=int, default=150_000, help="tokens of a vocabulary")
    options = parser.parse_args()
    over = False
    # Every figure in a process of its own: nothing is stored from an earlier one, and memory is seen in a slower run.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as executor:
        for name in options.methods or during:
            seconds, megabytes = (executor.submit(measured, name, options.size, m).result() for m in (False, True))
            too_much = seconds > SECONDS or megabytes > MEGABYTES
            over |= too_much
            print(
                f"{name:26s}{seconds:7.2f} s of {SECONDS:.0f}{megabytes:9.1f} MB of {MEGABYTES:,.0f}"
                + "   TOO MUCH" * too_much,
                flush=True,
            )
    sys.exit(over)


if __name__ == "__main__":
    main()
