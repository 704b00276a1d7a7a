"""The built-in models: ONNX Runtime on the CPU with a key-value cache."""

import hashlib
import json
import time
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from reference_impls.core.learn import log_softmax
from reference_impls.core.model import Dress, Floats, Generation, Logits
from reference_impls.models.checksums import read_checked
from reference_impls.models.pool import price
from reference_impls.models.tokenizers import END, Tokenizer

WEIGHTS = Path(__file__).parent.parent / "models" / "weights"
#: Positions that the models know.
CONTEXT = 512

Cache = list[NDArray[np.float32]]


class BuiltinModel:
    """One model of the built-in pool.

    Args:
        name: the stem of its files in `models/weights`.

    Raises:
        FileNotFoundError: the model's files are not there (run `make models`).
        DamagedModelError: one of them is not what was committed.
    """

    end_token = END
    context = CONTEXT
    dress: Dress = "terse"

    def __init__(self, name: str, weights: Path = WEIGHTS) -> None:
        path = weights / f"{name}.onnx"
        if not path.exists():
            raise FileNotFoundError(f"the built-in model {name!r} is not in {weights}: run `make models`")
        card_text, graph = read_checked(weights / f"{name}.json"), read_checked(path)
        card = json.loads(card_text)
        self.name = name
        self.role: str = card["role"]
        self.size = card["parameters"] / 1e6
        self.price = price(card["parameters"])
        merges = read_checked(weights / f"{card['tokenizer']}.tokenizer.json")
        self._tokenizer = Tokenizer.parse(merges)
        self.vocabulary: Sequence[bytes] = tuple(self._tokenizer.vocabulary)
        self._pieces = [t.decode("utf-8", "replace") for t in self.vocabulary]
        self.digest = hashlib.sha256(graph + merges).hexdigest()
        self.forward_seconds = 0.0
        options = ort.SessionOptions()
        # Matrices this small gain nothing from a second thread, and idle threads would take the other core.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._run = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"]).run
        layers, heads, width = card["layers"], card["heads"], card["width"]
        self._names = [f"{kind}{i}" for i in range(layers) for kind in "kv"]
        self._empty: Cache = [np.zeros((1, heads, 0, width // heads), np.float32)] * (2 * layers)

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text)

    def decode(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.decode(t for t in tokens if t != END)

    def forward(
        self, tokens: NDArray[np.int64], past: Cache, before_tokens: NDArray[np.int64] | int = END
    ) -> tuple[Logits, Cache]:
        """tokens [rows, time] after a cache of some length -> logits [rows, time, vocabulary] and the longer cache.

        Raises:
            ValueError: the text would be longer than the models' context.
        """
        started = time.perf_counter()
        rows, length = tokens.shape
        before = past[0].shape[2]
        if before + length > CONTEXT:
            raise ValueError(
                f"{self.name}: a text of {before + length} tokens is longer than the context of {CONTEXT}"
                " (shorten it)"
            )
        feed: dict[str, Any] = dict(zip(self._names, past, strict=True))
        feed["tokens"] = tokens
        previous = np.empty_like(tokens)
        previous[:, 0] = before_tokens
        previous[:, 1:] = tokens[:, :-1]
        feed["previous"] = previous
        feed["positions"] = np.arange(before, before + length)
        mask = np.zeros((length, before + length), np.float32)
        if length > 1:
            mask[:, before:] = np.triu(np.full((length, length), -1e9, np.float32), 1)
        feed["mask"] = mask
        if rows > past[0].shape[0]:
            feed.update((n, np.repeat(p, rows, axis=0)) for n, p in zip(self._names, past, strict=True))
        logits, *now = self._run(None, feed)
        self.forward_seconds += time.perf_counter() - started
        return logits, now

    def start(self, prompt: str) -> "BuiltinSession":
        return BuiltinSession(self, [END, *self.encode(prompt)])

    def score(self, prompt: str, continuation: str) -> Floats:
        return self.start(prompt).score(self.encode(continuation))

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        return self.generate_batch([prompt] * n, temperature=temperature, max_tokens=max_tokens, stop=stop, seed=seed)

    def generate_batch(
        self, prompts: Sequence[str], *, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        """One response to each prompt. Prompts of equal length in tokens run side by side, which is where
        time is saved.

        The latency of a response is that of its group divided by the group's size.

        Raises:
            ValueError: a prompt leaves no room for a response in the models' context.
        """
        encoded = [[END, *self.encode(prompt)] for prompt in prompts]
        longest = max(map(len, encoded), default=0)
        if longest >= CONTEXT:
            raise ValueError(
                f"{self.name}: a prompt of {longest} tokens leaves no room for a response in the context of {CONTEXT}"
                " (shorten it)"
            )
        groups: dict[int, list[int]] = {}
        for i, ids in enumerate(encoded):
            groups.setdefault(len(ids), []).append(i)
        results: list[Generation | None] = [None] * len(prompts)
        for length, members in groups.items():
            for at in range(0, len(members), 32):
                part = members[at : at + 32]
                # With the model's name in it: two models of one vocabulary would else draw the same noise.
                rng = np.random.default_rng([seed, length, at, zlib.crc32(self.name.encode())])
                rows = np.array([encoded[i] for i in part], np.int64)
                for i, generation in zip(part, self._decode(rows, temperature, max_tokens, stop, rng), strict=True):
                    results[i] = generation
        return [g for g in results if g is not None]

    def _decode(
        self, rows: NDArray[np.int64], temperature: float, max_tokens: int, stop: Sequence[str],
        rng: np.random.Generator,
    ) -> list[Generation]:  # fmt: skip
        started = time.perf_counter()
        count, prompt_length = rows.shape
        max_tokens = min(max_tokens, CONTEXT - prompt_length)
        same = bool(np.all(rows == rows[0]))
        logits, past = self.forward(rows[:1] if same else rows, self._empty)
        last = np.repeat(logits[:, -1], count, axis=0) if same else logits[:, -1]
        written: list[list[int]] = [[] for _ in range(count)]
        logprobs: list[list[float]] = [[] for _ in range(count)]
        alive = list(range(count))
        before = rows[:, -1]
        for step in range(max_tokens):
            logs = log_softmax(last)
            if temperature <= 0:
                chosen = last.argmax(-1)
            else:
                # The Gumbel trick: the largest of log p / T + noise is a sample of softmax(log p / T).
                chosen = (logs / temperature + rng.gumbel(size=logs.shape)).argmax(-1)
            keep = []
            for row, i in enumerate(alive):
                token = int(chosen[row])
                logprobs[i].append(float(logs[row, token]))
                written[i].append(token)
                if token != END and not (stop and any(s in self.decode(written[i]) for s in stop)):
                    keep.append(row)
            if not keep or step + 1 == max_tokens:
                break
            if len(keep) < len(alive):
                alive = [alive[row] for row in keep]
                if past[0].shape[0] > 1:
                    past = [p[keep] for p in past]
            logits, past = self.forward(chosen[keep][:, None].astype(np.int64), past, before[keep])
            before = chosen[keep]
            last = logits[:, -1]
        latency = (time.perf_counter() - started) / count
        return [
            self._generation(ids, logs, prompt_length, latency, stop)
            for ids, logs in zip(written, logprobs, strict=True)
        ]

    def _generation(
        self, ids: list[int], logprobs: list[float], prompt_length: int, latency: float, stop: Sequence[str]
    ) -> Generation:
        text = self.decode(ids)
        ends = [text.index(s) for s in stop if s in text]
        finished = bool(ends) or ids[-1] == END
        return Generation(
            self.name,
            text[: min(ends)] if ends else text,
            tuple(self._pieces[i] for i in ids if i != END),
            tuple(logprobs),
            prompt_length,
            len(ids),
            latency,
            finished,
        )


class BuiltinSession:
    """A text under a built-in model (see `core.model.Session`)."""

    def __init__(self, model: BuiltinModel, ids: list[int]) -> None:
        self._model = model
        self._ids = ids
        self._prompt = len(ids)
        self._past = model._empty
        self._read = 0
        self._logits: Logits | None = None

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._ids[self._prompt :])

    def _forward(self, ids: list[int]) -> tuple[Logits, Cache]:
        before = self._ids[self._read - 1] if self._read else END
        return self._model.forward(np.array([ids], np.int64), self._past, before)

    def next_logits(self) -> Logits:
        if self._logits is None:
            logits, self._past = self._forward(self._ids[self._read :])
            self._read = len(self._ids)
            self._logits = logits[0, -1]
        return self._logits

    def append(self, *tokens: int) -> None:
        if tokens:
            self._ids.extend(tokens)
            self._logits = None

    def rollback(self, count: int) -> None:
        if not 0 <= count <= len(self._ids) - self._prompt:
            raise ValueError(f"cannot take back {count} of {len(self._ids) - self._prompt} tokens")
        if count == 0:
            return
        del self._ids[len(self._ids) - count :]
        # One token before the end stays unread, so that the next forward pass has something to read.
        self._read = min(self._read, len(self._ids) - 1)
        self._past = [np.ascontiguousarray(p[:, :, : self._read]) for p in self._past]
        self._logits = None

    def fork(self) -> "BuiltinSession":
        twin = BuiltinSession(self._model, list(self._ids))
        # Arrays are never written in place, so twins may share them.
        twin._prompt, twin._past, twin._read, twin._logits = self._prompt, self._past, self._read, self._logits
        return twin

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        if not tokens:
            return np.zeros((0, len(self._model.vocabulary)), np.float32)
        rows = self.next_logits()[None]
        if len(tokens) > 1:
            logits, _ = self._forward(list(tokens[:-1]))
            rows = np.concatenate([rows, logits[0]])
        return rows

    def score(self, tokens: Sequence[int]) -> Floats:
        return log_softmax(self.logits_of(tokens))[np.arange(len(tokens)), list(tokens)]


@cache
def load(name: str) -> BuiltinModel:
    """The built-in model of a name, loaded once a process."""
    return BuiltinModel(name)
