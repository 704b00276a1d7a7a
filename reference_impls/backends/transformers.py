"""Models of the transformers library (optional: ``pip install transformers torch``).

What a model writes here is text and the end: special tokens and twins (two tokens of one spelling, as `!` and
`<0x21>`) get no probability, and of several end tokens the likeliest stands for all. Else a greedy response is the
library's own.
"""

import copy
import hashlib
import importlib
import inspect
import json
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from reference_impls.backends.token_bytes import byte_form, continuation, without_twins
from reference_impls.core.decoding import NEVER, unwritten
from reference_impls.core.learn import log_softmax
from reference_impls.core.model import Dress, Floats, Generation, Logits, Price

__all__ = ["TransformersModel", "TransformersSession", "byte_form"]


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ModuleNotFoundError(f"the transformers backend needs {name}: pip install transformers torch") from None


class TransformersModel:
    """A causal language model and its tokenizer, driven token by token with its cache.

    Args:
        name: of the model on the hub, or a folder.
        price: US dollars per million tokens.
        device: for instance ``cpu`` or ``cuda``.
        chat: puts every prompt into the tokenizer's chat template, as the user's turn.
        dress: of the prompts that methods write for it; by default ``chat`` with the template, else ``terse``.
        dtype: of the weights, for instance ``float32`` or ``bfloat16``; ``auto`` as they were saved.
        trust_remote_code: lets the library run code that comes with the model. Only for models whose code you have
            read.

    Attributes:
        digest: by which stored answers are found again.
        tokens_read: tokens that forward passes have read since the model was loaded.

    Raises:
        ValueError: the tokenizer's tokens spell no text, it has no end token, or `chat` and no chat template.
    """

    def __init__(
        self, name: str, price: Price, device: str = "cpu", *, chat: bool = False, dtype: str = "auto",
        trust_remote_code: bool = False, dress: Dress | None = None,
    ) -> None:  # fmt: skip
        transformers, self._torch = _import("transformers"), _import("torch")
        self.name = name
        self.price = price
        self.dress: Dress = dress or ("chat" if chat else "terse")
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(name, trust_remote_code=trust_remote_code)
        network = transformers.AutoModelForCausalLM.from_pretrained(
            name, dtype=dtype, trust_remote_code=trust_remote_code
        )
        self.network = network.to(device).eval()
        # The library's versions name it differently, and so does code that comes with a model.
        takes = inspect.signature(self.network.forward).parameters
        self._cache = "cache" if "cache" in takes else "past_key_values"
        self.size = sum(p.numel() for p in self.network.parameters()) / 1e6
        config = self.network.config.get_text_config()
        self.context = int(getattr(config, "max_position_embeddings", 0))
        if chat and not self.tokenizer.chat_template:
            raise ValueError(f"the tokenizer of {name} has no chat template (leave chat off)")
        self._chat = chat
        ends = _ends(self.tokenizer, self.network)
        if not ends:
            raise ValueError(f"{name} names no end token, so that a response would never end")
        self.end_token, self._other_ends = ends[0], ends[1:]
        spelt = without_twins(self.tokenizer, byte_form(self.tokenizer))[: config.vocab_size]
        self.vocabulary: Sequence[bytes] = tuple(spelt)
        # An end token has no text, even where the tokenizer does not call it special.
        if any(self.vocabulary[i] for i in ends):
            self.vocabulary = tuple(b"" if i in ends else token for i, token in enumerate(self.vocabulary))
        self._never = unwritten(self.vocabulary, self.end_token)
        self._encode = continuation(self.tokenizer)
        self._before = self._begin()
        self.forward_seconds = 0.0
        self.tokens_read = 0
        self._device = device

    @cached_property
    def digest(self) -> str:
        """Of all that decides the answers: weights and how they are run, tokenizer, chat template. Reading 7 billion
        parameters takes some ten seconds, once.
        """
        fast = getattr(self.tokenizer, "backend_tokenizer", None)
        pieces = fast.to_str() if fast is not None else json.dumps(self.tokenizer.get_vocab(), sort_keys=True)
        config = self.network.config.to_json_string()
        told = [type(self).__name__, self._device, self._chat, self._begin(), [self.end_token, *self._other_ends]]
        result = hashlib.sha256(json.dumps([*told, self.tokenizer.chat_template, pieces, config]).encode())
        for name, tensor in self.network.state_dict().items():
            result.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            result.update(tensor.detach().cpu().contiguous().flatten().view(self._torch.uint8).numpy())
        return result.hexdigest()

    def _begin(self) -> list[int]:
        """The tokens that the tokenizer puts before every text. Those that it puts behind (T5's end) are no part of a
        text that is to go on."""
        whole, plain = self.tokenizer.encode("a"), self.tokenizer.encode("a", add_special_tokens=False)
        at = next((i for i in range(len(whole)) if whole[i : i + len(plain)] == plain), 0)
        return [int(i) for i in whole[:at]]

    def encode(self, text: str) -> list[int]:
        return self._encode(text)

    def decode(self, tokens: Sequence[int]) -> str:
        return b"".join(self.vocabulary[t] for t in tokens).decode("utf-8", "replace")

    def forward(self, ids: Sequence[int], cache: Any = None) -> tuple[Logits, Any]:
        """Logits [len(ids), vocabulary] of tokens after what a cache holds, and the longer cache (the given one may
        have been changed)."""
        started = time.perf_counter()
        with self._torch.no_grad():
            read = self._torch.tensor([list(ids)], device=self._device)
            out = self.network(read, use_cache=True, **{self._cache: cache})
        rows: Logits = np.array(out.logits[0, :, : len(self.vocabulary)].float().cpu().numpy())
        self.forward_seconds += time.perf_counter() - started
        self.tokens_read += len(ids)
        if self._other_ends:
            rows[:, self.end_token] = rows[:, [self.end_token, *self._other_ends]].max(-1)
        rows[:, self._never] = NEVER
        return rows, getattr(out, self._cache)

    def start(self, prompt: str) -> "TransformersSession":
        if self._chat:
            turn = [{"role": "user", "content": prompt}]
            text = self.tokenizer.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
            ids = self.tokenizer.encode(text, add_special_tokens=False)
        else:
            ids = [*self._before, *self.tokenizer.encode(prompt, add_special_tokens=False)]
        return TransformersSession(self, [int(i) for i in ids] or [self.end_token])

    def score(self, prompt: str, continuation: str) -> Floats:
        return self.start(prompt).score(self.encode(continuation))

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        started = time.perf_counter()
        session = self.start(prompt)
        if self.context and session.prompt_length >= self.context:
            raise ValueError(
                f"{self.name}: a prompt of {session.prompt_length} tokens leaves no room for a response in the"
                f" context of {self.context} (shorten it)"
            )
        session.next_logits()  # the prompt is read once for all responses
        reading = time.perf_counter() - started
        return [self._one(session.fork(), temperature, max_tokens, stop, [seed, i], reading) for i in range(n)]

    def _one(
        self, session: "TransformersSession", temperature: float, max_tokens: int, stop: Sequence[str],
        seed: list[int], reading: float,
    ) -> Generation:  # fmt: skip
        rng, started = np.random.default_rng(seed), time.perf_counter()
        logprobs: list[float] = []
        text, finished = "", False
        if self.context:
            max_tokens = min(max_tokens, self.context - session.prompt_length)
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
            reading + time.perf_counter() - started, finished,
        )  # fmt: skip


class TransformersSession:
    """A text under a transformers model, with its cache (see `core.model.Session`).

    The library's caches are changed in place, so forks share one until either reads on, and then it has a copy.

    Attributes:
        prompt_length: tokens before the response.
        tokens_read: tokens that its own forward passes have read.
    """

    def __init__(self, model: TransformersModel, ids: list[int]) -> None:
        self._model = model
        self.tokens_read = 0
        self._ids = ids
        self.prompt_length = len(ids)
        self._logits: Logits | None = None
        self._cache: Any = None
        self._shared = False
        self._read = 0

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._ids[self.prompt_length :])

    def _forward(self, ids: Sequence[int]) -> Logits:
        """Reads on from the cache, which then holds `ids` too."""
        if self._model.context and self._read + len(ids) > self._model.context:
            raise ValueError(
                f"{self._model.name}: a text of {self._read + len(ids)} tokens is longer than the context of"
                f" {self._model.context} (shorten it)"
            )
        if self._shared:
            self._cache, self._shared = copy.deepcopy(self._cache), False
        rows, self._cache = self._model.forward(ids, self._cache)
        self.tokens_read += len(ids)
        return rows

    def _forget(self, count: int) -> None:
        """Takes the last `count` tokens out of the cache; where that cannot be done (sliding windows, recurrent
        states) the whole text will be read again."""
        if count and _croppable(self._cache):
            if self._shared:
                self._cache, self._shared = copy.deepcopy(self._cache), False
            self._cache.crop(-count)
            self._read -= count
        elif count:
            self._cache, self._shared, self._read = None, False, 0

    def next_logits(self) -> Logits:
        if self._logits is None:
            # After a rollback the last token must be read again.
            self._forget(int(self._read == len(self._ids)))
            self._logits = self._forward(self._ids[self._read :])[-1]
            self._read = len(self._ids)
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
            self._forget(max(self._read - len(self._ids), 0))
            self._logits = None

    def fork(self) -> "TransformersSession":
        twin = TransformersSession(self._model, list(self._ids))
        twin.prompt_length, twin._logits, twin._read = self.prompt_length, self._logits, self._read
        twin._cache, twin._shared = self._cache, self._cache is not None
        self._shared = twin._shared
        return twin

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        if not tokens:
            return np.zeros((0, len(self._model.vocabulary)), np.float32)
        rows = self.next_logits()[None]
        ahead = list(tokens[:-1])
        if ahead and _croppable(self._cache):
            # Read on and cut back, which spares a copy.
            rows = np.concatenate([rows, self._forward(ahead)])
            self._cache.crop(-len(ahead))
        elif ahead:
            rows = np.concatenate([rows, self.fork()._forward(ahead)])
        return rows

    def score(self, tokens: Sequence[int]) -> Floats:
        return log_softmax(self.logits_of(tokens))[np.arange(len(tokens)), list(tokens)]


def _croppable(cache: Any) -> bool:
    """Whether the last tokens can be taken out of a cache."""
    return bool(getattr(cache, "is_croppable", True)) and not any(getattr(cache, "is_sliding", ()))


def _ends(tokenizer: Any, network: Any) -> list[int]:
    """The end tokens, the tokenizer's own first, then those that the model's settings for generation name."""
    named = network.generation_config.eos_token_id
    listed = named if isinstance(named, list) else [named]
    return list(dict.fromkeys(int(i) for i in (tokenizer.eos_token_id, *listed) if i is not None))
