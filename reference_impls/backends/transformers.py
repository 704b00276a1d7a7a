"""Models of the transformers library (optional: ``pip install transformers torch``)."""

import importlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impls.core.learn import log_softmax
from reference_impls.core.model import Dress, Floats, Generation, Logits, Price


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ModuleNotFoundError(f"the transformers backend needs {name}: pip install transformers torch") from None


def byte_form(tokenizer: Any) -> list[bytes]:
    """Every token's bytes, for byte-level BPE and for SentencePiece vocabularies; special tokens are
    empty.
    """
    # GPT-2's table of printable stand-ins for bytes.
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    stand_ins = {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}
    special = set(tokenizer.all_special_ids)
    result = []
    for i, token in enumerate(tokenizer.convert_ids_to_tokens(range(len(tokenizer)))):
        if i in special or token is None:
            result.append(b"")
        elif token.startswith("<0x") and token.endswith(">") and len(token) == 6:
            result.append(bytes([int(token[3:5], 16)]))
        elif "\u2581" in token:
            result.append(token.replace("\u2581", " ").encode())
        elif all(c in stand_ins for c in token):
            result.append(bytes(stand_ins[c] for c in token))
        else:
            result.append(token.encode())
    return result


class TransformersModel:
    """A causal language model and its tokenizer, driven token by token with its cache.

    Args:
        name: of the model on the hub, or a folder.
        price: US dollars per million tokens.
        device: for instance ``cpu`` or ``cuda``.
        dress: ``chat`` for a model that was tuned to follow instructions.
    """

    def __init__(self, name: str, price: Price, device: str = "cpu", *, dress: Dress = "terse") -> None:
        transformers, self._torch = _import("transformers"), _import("torch")
        self.name = name
        self.price = price
        self.dress = dress
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        self.network = transformers.AutoModelForCausalLM.from_pretrained(name).to(device).eval()
        self.size = sum(p.numel() for p in self.network.parameters()) / 1e6
        self.context = int(getattr(self.network.config, "max_position_embeddings", 0))
        self.vocabulary: Sequence[bytes] = tuple(byte_form(self.tokenizer))
        self.end_token = int(self.tokenizer.eos_token_id)
        self.forward_seconds = 0.0
        self._device = device

    def encode(self, text: str) -> list[int]:
        return [int(i) for i in self.tokenizer.encode(text, add_special_tokens=False)]

    def decode(self, tokens: Sequence[int]) -> str:
        return b"".join(self.vocabulary[t] for t in tokens).decode("utf-8", "replace")

    def forward(self, ids: Sequence[int]) -> Logits:
        """Logits [len(ids), vocabulary] of a whole text."""
        started = time.perf_counter()
        with self._torch.no_grad():
            logits = self.network(self._torch.tensor([list(ids)], device=self._device)).logits[0]
        self.forward_seconds += time.perf_counter() - started
        result: Logits = logits[:, : len(self.vocabulary)].float().cpu().numpy()
        return result

    def start(self, prompt: str) -> "TransformersSession":
        return TransformersSession(self, [int(i) for i in self.tokenizer.encode(prompt)] or [self.end_token])

    def score(self, prompt: str, continuation: str) -> Floats:
        return self.start(prompt).score(self.encode(continuation))

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        return [self._one(prompt, temperature, max_tokens, stop, [seed, i]) for i in range(n)]

    def _one(
        self, prompt: str, temperature: float, max_tokens: int, stop: Sequence[str], seed: list[int]
    ) -> Generation:
        rng, started = np.random.default_rng(seed), time.perf_counter()
        session = self.start(prompt)
        logprobs: list[float] = []
        text, finished = "", False
        while len(logprobs) < max_tokens and not finished:
            logs = log_softmax(session.next_logits())
            noisy = logs / temperature + rng.gumbel(size=len(logs)) if temperature > 0 else logs
            token = int(noisy.argmax())
            logprobs.append(float(logs[token]))
            if token == self.end_token:
                finished = True
                break
            session.append(token)
            text = self.decode(session.tokens)
            ends = [text.index(s) for s in stop if s in text]
            if ends:
                text, finished = text[: min(ends)], True
        pieces = tuple(self.decode([t]) for t in session.tokens)
        return Generation(
            self.name, text, pieces, tuple(logprobs), session.prompt_length, len(logprobs),
            time.perf_counter() - started, finished,
        )  # fmt: skip


class TransformersSession:
    """A text under a transformers model, with its cache (see `core.model.Session`)."""

    def __init__(self, model: TransformersModel, ids: list[int]) -> None:
        self._model = model
        self._ids = ids
        self.prompt_length = len(ids)
        self._logits: Logits | None = None
        self._cache: Any = None
        self._read = 0

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._ids[self.prompt_length :])

    def next_logits(self) -> Logits:
        if self._logits is None:
            model, torch = self._model, self._model._torch
            started = time.perf_counter()
            with torch.no_grad():
                out = model.network(
                    torch.tensor([self._ids[self._read :]], device=model.network.device),
                    past_key_values=self._cache,
                    use_cache=True,
                )
            model.forward_seconds += time.perf_counter() - started
            self._cache, self._read = out.past_key_values, len(self._ids)
            self._logits = out.logits[0, -1, : len(model.vocabulary)].float().cpu().numpy()
        return self._logits

    def append(self, *tokens: int) -> None:
        if tokens:
            self._ids.extend(tokens)
            self._logits = None

    def rollback(self, count: int) -> None:
        if not 0 <= count <= len(self._ids) - self.prompt_length:
            raise ValueError(f"cannot take back {count} of {len(self._ids) - self.prompt_length} tokens")
        if count:
            del self._ids[len(self._ids) - count :]
            # Caches of this library cannot be shortened alike for all architectures: read again.
            self._cache, self._read, self._logits = None, 0, None

    def fork(self) -> "TransformersSession":
        # This library's caches are changed in place, so a twin reads its text anew.
        twin = TransformersSession(self._model, list(self._ids))
        twin.prompt_length = self.prompt_length
        return twin

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        if not tokens:
            return np.zeros((0, len(self._model.vocabulary)), np.float32)
        return self._model.forward([*self._ids, *tokens[:-1]])[len(self._ids) - 1 :]

    def score(self, tokens: Sequence[int]) -> Floats:
        return log_softmax(self.logits_of(tokens))[np.arange(len(tokens)), list(tokens)]
