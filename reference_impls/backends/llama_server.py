"""Token models behind a llama.cpp server: its own interface takes token ids and gives the most probable next tokens.

One request a step: ``/completion`` with the ids so far and ``n_probs``; the server keeps what it has read. Beside it
``/tokenize``, ``/v1/models``, ``/props`` and ``/apply-template`` are used. The `top` most probable tokens have the
server's probabilities; what is left is spread evenly over all others, which are never more probable than those (with
500 of 49,152 tokens some .99 of the probability is the server's own, and a step takes a twentieth of the time that
all take). Needs httpx2 (``pip install 'llm-ensemble-atlas[live]'``).
"""

import hashlib
import ipaddress
import json
import math
import time
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impls.backends import refusals
from reference_impls.backends.openai import BackendError
from reference_impls.core.learn import log_softmax
from reference_impls.core.model import UNKNOWN_PRICE, Dress, Floats, Generation, Logits, Price

#: The largest vocabulary and the longest token, in bytes, that are believed.
MOST_TOKENS, MOST_BYTES = 1 << 20, 1024
#: Texts whose tokens are kept.
KEPT = 20_000


class LlamaServerModel:
    """A model of a llama.cpp server, driven token by token.

    Args:
        name: of the model in tables.
        base_url: of the server, for instance ``http://127.0.0.1:8080``; a ``/v1`` at its end is passed over.
        price: US dollars per million tokens; None where it is unknown.
        size: millions of parameters; 0 takes what the server tells.
        top: tokens a step that have the server's own probabilities.
        chat: put prompts into the model's chat template, as the user's message.
        timeout: seconds for one request.
        remote: whether another machine may be asked; else the address must be this machine's, as the prompts go there
            in the clear.

    Attributes:
        digest: of all that decides the answers beside the arguments of `generate`.

    Raises:
        ModuleNotFoundError: httpx2 is not installed.
        ValueError: no address to use, or a tokenizer whose texts cannot be gone on with.
        BackendError: the server does not answer as llama.cpp's does.
    """

    def __init__(
        self, name: str, base_url: str, price: Price | None = None, *, size: float = 0.0, top: int = 500,
        chat: bool = False, timeout: float = 120.0, remote: bool = False,
    ) -> None:  # fmt: skip
        try:
            import httpx2  # noqa: PLC0415 (optional)

            from reference_impls.backends import one_host  # noqa: PLC0415
        except ImportError:
            raise ModuleNotFoundError(
                "models behind a server need httpx2: pip install 'llm-ensemble-atlas[live]'"
            ) from None
        try:
            url = httpx2.URL(base_url.strip().rstrip("/").removesuffix("/v1"))
        except httpx2.InvalidURL:
            url = httpx2.URL("")
        if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
            raise ValueError(f"{name}: base_url is no address like http://127.0.0.1:8080 (with no user or key)")
        if not remote and not _is_here(url.host):
            raise ValueError(f"{name}: {url.host} is another machine (say remote=True if it may be asked)")
        if top < 1:
            raise ValueError(f"{name}: top={top} tokens a step: at least 1 is needed")
        self.name, self._url, self._top, self._chat = name, str(url).rstrip("/"), top, chat
        self.price = UNKNOWN_PRICE if price is None else price
        self.dress: Dress = "chat" if chat else "terse"
        self.forward_seconds = 0.0
        self._errors = (httpx2.HTTPError, one_host.RefusedError)
        try:
            transport = one_host.OneHost(url, "", timeout)
        except one_host.RefusedError as error:
            raise ValueError(f"{name}: {error}") from None
        self._client = httpx2.Client(transport=transport, timeout=timeout, trust_env=False)
        weakref.finalize(self, self._client.close)
        self._ids: dict[tuple[str, bool, bool], list[int]] = {}
        about = self._about()
        self.served = str(about.get("id", ""))
        meta = about["meta"]
        self.context = _count(meta.get("n_ctx"))
        self.size = size or _count(meta.get("n_params")) / 1e6
        self.vocabulary: list[bytes] = [b""] * _count(meta.get("n_vocab"))
        self._read_vocabulary()
        self.end_token = self._end()
        told = [type(self).__name__, self._url, self.served, *(meta.get(k) for k in ("n_params", "size", "ftype"))]
        self.digest = hashlib.sha256(json.dumps([*told, top, chat], sort_keys=True).encode()).hexdigest()
        if self.decode(self.encode("owl")) != "owl":
            raise ValueError(
                f"{name}: its tokenizer puts a blank before every text, so that none can be gone on with"
            )

    # What the server says.

    def _post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object that it answers with; a GET without a body."""
        try:
            answer = self._client.request("GET" if body is None else "POST", f"{self._url}{path}", json=body)
            data = answer.json()
        except self._errors as error:
            raise self._odd(path, f"{type(error).__name__} {error}") from None
        except (ValueError, RecursionError):
            raise self._odd(path, "no JSON") from None
        if answer.status_code != 200:
            raise self._odd(path, f"status {answer.status_code}: {refusals.words(data)[0]}")
        if not isinstance(data, dict):
            raise self._odd(path, "no JSON object")
        return data

    def _odd(self, path: str, what: str) -> BackendError:
        """The error of an answer that is none of llama.cpp's."""
        return BackendError(f"{self.name}: {self._url}{path}: {refusals.plain(what, '')}")

    def _about(self) -> dict[str, Any]:
        listed = self._post("/v1/models").get("data")
        about = listed[0] if isinstance(listed, list) and listed else None
        meta = about.get("meta") if isinstance(about, dict) else None
        if not isinstance(about, dict) or not isinstance(meta, dict):
            raise self._odd("/v1/models", "it tells no model with its vocabulary (is it llama.cpp's server?)")
        if not 0 < _count(meta.get("n_vocab")) <= MOST_TOKENS:
            raise self._odd("/v1/models", f"a vocabulary of {meta.get('n_vocab')!r} tokens")
        return about

    def _read_vocabulary(self) -> None:
        """Every token's bytes, from one distribution over all of them; those of special tokens are empty."""
        for entry in self._entries([0], len(self.vocabulary)):
            spelt = entry.get("bytes")
            if (
                not isinstance(spelt, list)
                or len(spelt) > MOST_BYTES
                or not all(type(byte) is int and 0 <= byte < 256 for byte in spelt)
            ):
                raise self._odd("/completion", "a token without its bytes")
            self.vocabulary[entry["id"]] = bytes(spelt)

    def _end(self) -> int:
        end = self._post("/props").get("eos_token")
        ids = self.tokens_of(end, special=True) if isinstance(end, str) and end else []
        if len(ids) != 1:
            raise self._odd("/props", "it tells no end token")
        self.vocabulary[ids[0]] = b""
        return ids[0]

    def _entries(self, ids: Sequence[int], count: int) -> list[dict[str, Any]]:
        """The most probable tokens after some ids, each with a valid ``id`` and ``logprob``; each at most once."""
        body = {
            "prompt": list(ids), "n_predict": 1, "n_probs": count, "temperature": 0.0, "cache_prompt": True,
            "post_sampling_probs": False,
        }  # fmt: skip
        started = time.perf_counter()
        answer = self._post("/completion", body)
        self.forward_seconds += time.perf_counter() - started
        try:
            entries = answer["completion_probabilities"][0]["top_logprobs"]
            seen = {entry["id"] for entry in entries}
            sound = all(
                type(entry["id"]) is int and 0 <= entry["id"] < len(self.vocabulary)
                and type(entry["logprob"]) in (int, float) and entry["logprob"] <= 1e-3
                for entry in entries
            )  # fmt: skip
        except (KeyError, IndexError, TypeError):
            raise self._odd("/completion", "it gives no probabilities of tokens") from None
        if not entries or not sound or len(seen) != len(entries):
            raise self._odd("/completion", "probabilities that are none, or of tokens that there are not")
        return list(entries)

    def logits(self, ids: Sequence[int]) -> Logits:
        """Log-probabilities [vocabulary] of the next token after some ids."""
        size = len(self.vocabulary)
        entries = self._entries(ids, min(self._top, size))
        places = [entry["id"] for entry in entries]
        # -inf may come as the lowest number that JSON has; what exp takes for 0 is 0.
        told = np.maximum(np.array([entry["logprob"] for entry in entries], np.float64), -700.0)
        rest = max(1.0 - float(np.exp(told).sum()), 1e-12) / max(size - len(places), 1)
        row = np.full(size, min(math.log(rest), float(told.min()) - 1e-3), np.float32)
        row[places] = told
        return row

    def tokens_of(self, text: str, *, begin: bool = False, special: bool = False) -> list[int]:
        """Ids of a text.

        Args:
            text: any.
            begin: with what the model begins every text with.
            special: whether words such as the end token's stand for that token; else they are text.
        """
        key = (text, begin, special)
        if key not in self._ids:
            body = {"content": text, "add_special": begin, "parse_special": special}
            ids = self._post("/tokenize", body).get("tokens")
            if not isinstance(ids, list) or not all(type(i) is int and 0 <= i < len(self.vocabulary) for i in ids):
                raise self._odd("/tokenize", "it gives no tokens")
            if len(self._ids) >= KEPT:
                self._ids.clear()
            self._ids[key] = ids
        return list(self._ids[key])

    # What a token model has.

    def encode(self, text: str) -> list[int]:
        return self.tokens_of(text) if text else []

    def decode(self, tokens: Sequence[int]) -> str:
        return b"".join(self.vocabulary[i] for i in tokens).decode("utf-8", "replace")

    def start(self, prompt: str) -> "LlamaServerSession":
        if not self._chat:
            # A text begins with something, the end of another one where the model has no beginning.
            return LlamaServerSession(self, self.tokens_of(prompt, begin=True) or [self.end_token])
        made = self._post("/apply-template", {"messages": [{"role": "user", "content": prompt}]}).get("prompt")
        if not isinstance(made, str):
            raise self._odd("/apply-template", "it gives no prompt")
        return LlamaServerSession(self, self.tokens_of(made, special=True) or [self.end_token])

    def score(self, prompt: str, continuation: str) -> Floats:
        return self.start(prompt).score(self.encode(continuation))

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        session = self.start(prompt)
        if self.context and session.prompt_length >= self.context:
            raise ValueError(
                f"{self.name}: a prompt of {session.prompt_length} tokens leaves no room for a response in the"
                f" context of {self.context} (shorten it)"
            )
        return [self._one(session.fork(), temperature, max_tokens, stop, [seed, i]) for i in range(n)]

    def _one(
        self, session: "LlamaServerSession", temperature: float, max_tokens: int, stop: Sequence[str], seed: list[int]
    ) -> Generation:
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
            if ends := [text.index(s) for s in stop if s in text]:
                text, finished = text[: min(ends)], True
        pieces = tuple(self.decode([token]) for token in session.tokens)
        seconds = time.perf_counter() - started
        return Generation(
            self.name, text, pieces, tuple(logprobs), session.prompt_length, len(logprobs), seconds, finished
        )


class LlamaServerSession:
    """A text under a model of a llama.cpp server (see `core.model.Session`); what was read stays with the server.

    Attributes:
        prompt_length: tokens before the response.
    """

    def __init__(self, model: LlamaServerModel, ids: list[int]) -> None:
        self._model, self._text = model, ids
        self.prompt_length = len(ids)
        self._logits: Logits | None = None

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._text[self.prompt_length :])

    def _after(self, more: Sequence[int] = ()) -> Logits:
        length, context = len(self._text) + len(more), self._model.context
        if context and length > context:
            raise ValueError(
                f"{self._model.name}: a text of {length} tokens is longer than the context of {context} (shorten it)"
            )
        return self._model.logits([*self._text, *more])

    def next_logits(self) -> Logits:
        if self._logits is None:
            self._logits = self._after()
        return self._logits

    def append(self, *tokens: int) -> None:
        if tokens:
            self._text.extend(tokens)
            self._logits = None

    def rollback(self, count: int) -> None:
        if not 0 <= count <= len(self._text) - self.prompt_length:
            raise ValueError(f"cannot take back {count} of {len(self._text) - self.prompt_length} tokens")
        if count:
            del self._text[len(self._text) - count :]
            self._logits = None

    def fork(self) -> "LlamaServerSession":
        twin = LlamaServerSession(self._model, list(self._text))
        twin.prompt_length, twin._logits = self.prompt_length, self._logits
        return twin

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        """One request a token, as the server gives one distribution at a time."""
        if not tokens:
            return np.zeros((0, len(self._model.vocabulary)), np.float32)
        return np.array([self.next_logits(), *(self._after(tokens[:i]) for i in range(1, len(tokens)))])

    def score(self, tokens: Sequence[int]) -> Floats:
        return log_softmax(self.logits_of(tokens))[np.arange(len(tokens)), list(tokens)]


def _is_here(host: str) -> bool:
    """Whether an address is this machine's."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _count(value: object) -> int:
    """A whole number that is not negative; 0 for anything else."""
    return value if type(value) is int and value >= 0 else 0
