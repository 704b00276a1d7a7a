"""Models behind an OpenAI-compatible server (vLLM, llama.cpp, Ollama, a vendor), over its completions or chat
interface.
"""

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import requests

from reference_impls.core.model import Dress, Floats, Generation, Price


class BackendError(RuntimeError):
    """The server did not answer as it should; the message is one line."""


class OpenAIModel:
    """A model of a server.

    Args:
        name: the model's name on the server.
        base_url: for instance ``http://127.0.0.1:8000/v1``.
        price: US dollars per million tokens.
        size: millions of parameters, 0 if unknown.
        chat: use ``/chat/completions`` with the prompt as the user's message; else ``/completions``.
        key: sent as bearer token; by default the environment's ``OPENAI_API_KEY``, and nothing if there is none.
        timeout: seconds for one request.
        system: system message of the chat form.
        context: tokens of prompt and response that fit, 0 if unknown.
    """

    def __init__(
        self, name: str, base_url: str, price: Price, *, size: float = 0.0, chat: bool = True,
        key: str | None = None, timeout: float = 120.0, system: str = "", context: int = 0,
    ) -> None:  # fmt: skip
        self.name = name
        self.price = price
        self.size = size
        self.context = context
        # Over the completions interface a model continues a text, and the terse forms are texts to be continued.
        self.dress: Dress = "chat" if chat else "terse"
        self._url = base_url.rstrip("/")
        self._chat = chat
        self._timeout = timeout
        self._system = system
        token = key or os.environ.get("OPENAI_API_KEY")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = requests.post(
                f"{self._url}/{path}", json={"model": self.name} | body, headers=self._headers, timeout=self._timeout
            )
        except requests.RequestException as error:
            raise BackendError(f"{self.name}: no answer from {self._url} ({type(error).__name__})") from None
        if answer.status_code != requests.codes.ok:
            detail = " ".join(answer.text.split())[:200]
            raise BackendError(f"{self.name}: {self._url} answers {answer.status_code}: {detail}")
        try:
            data = answer.json()
        except ValueError:
            raise BackendError(f"{self.name}: {self._url} does not answer with JSON") from None
        if not isinstance(data, dict):
            raise BackendError(f"{self.name}: {self._url} answers with something other than an object")
        return data

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        body: dict[str, Any] = {"n": n, "temperature": temperature, "max_tokens": max_tokens, "seed": seed}
        if stop:
            body["stop"] = list(stop)
        started = time.perf_counter()
        if self._chat:
            messages = [{"role": "system", "content": self._system}] if self._system else []
            messages.append({"role": "user", "content": prompt})
            data = self._post("chat/completions", body | {"messages": messages, "logprobs": True})
        else:
            data = self._post("completions", body | {"prompt": prompt, "logprobs": 0})
        seconds = time.perf_counter() - started
        try:
            return [self._generation(choice, data.get("usage") or {}, n, seconds) for choice in data["choices"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise BackendError(f"{self.name}: an answer without its usual fields ({error!r})") from None

    def _generation(self, choice: dict[str, Any], usage: dict[str, Any], n: int, seconds: float) -> Generation:
        logs = choice.get("logprobs") or {}
        if self._chat:
            text = choice["message"]["content"] or ""
            pieces = [(t["token"], t["logprob"]) for t in logs.get("content") or ()]
        else:
            text = choice["text"]
            pieces = list(zip(logs.get("tokens") or (), logs.get("token_logprobs") or (), strict=False))
        # The server tells the sum over the choices; each gets its own tokens where they are known, else an
        # equal part.
        completion = len(pieces) or round(usage.get("completion_tokens", 0) / n)
        return Generation(
            self.name, text, tuple(p for p, _ in pieces), tuple(float(v) for _, v in pieces),
            usage.get("prompt_tokens", 0), completion, seconds / n, choice.get("finish_reason") != "length",
        )  # fmt: skip

    def score(self, prompt: str, continuation: str) -> Floats:
        """Uses ``echo`` of the completions interface (vLLM and llama.cpp have it, most vendors do not)."""
        data = self._post(
            "completions",
            {"prompt": prompt + continuation, "max_tokens": 1, "echo": True, "logprobs": 0, "temperature": 0},
        )
        try:
            logs = data["choices"][0]["logprobs"]
            offsets, values = logs["text_offset"], logs["token_logprobs"]
        except (KeyError, TypeError, IndexError):
            raise BackendError(f"{self.name}: the server gives no log-probabilities of a given text") from None
        end = len(prompt) + len(continuation)
        inside = [v for o, v in zip(offsets, values, strict=True) if len(prompt) <= o < end and v is not None]
        return np.array(inside, np.float64)
