"""What a model can: three short requests tell what its server takes, ignores, refuses and bills.

The first is a chat that asks for all that a recording may want at once: a limit, a temperature, a seed,
log-probabilities, two samples. The second asks for a stream with its bill, the third for the log-probabilities of a
text that is given (``echo``). What each may cost at most is reserved from the budget before it goes out.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference_impls.backends import choices
from reference_impls.backends.usage import Bill, read
from reference_impls.core.model import Price
from reference_impls.recording.asking import Asker, limit_of
from reference_impls.recording.config import LIMITS, ModelConfig
from reference_impls.recording.store import Store

#: Tokens that may be written: some servers take no smaller limit.
MOST = 16
SAMPLES = 2
ATTEMPTS = 3
_WAIT = 1.0
"""Seconds before another attempt, where the server does not say."""
_ASKED = "Write the word yes."
_GIVEN = "The sky is blue."
#: Tokens of a prompt at most, with what a chat's form adds.
_READ = 256


@dataclass(frozen=True, slots=True)
class Found:
    """What a model can; None where it could not be found out.

    Attributes:
        said: why it does not answer at all; then nothing else is known.
        limit: the parameter that bounds what it writes; empty where it takes none.
        temperature, seed: whether these are taken.
        logprobs: whether it tells them.
        samples: whether it gives several at once; a server may take the parameter and ignore it.
        billed: whether it tells the tokens; `reasons`, that some of them are thoughts; `priced`, dollars too.
        streams: whether it answers in pieces; `streams_bill`, with the tokens at the end.
        scores: whether it tells the log-probabilities of a text that is given.
    """

    said: str = ""
    limit: str = ""
    temperature: bool | None = None
    seed: bool | None = None
    logprobs: bool | None = None
    samples: bool | None = None
    billed: bool | None = None
    reasons: bool | None = None
    priced: bool | None = None
    streams: bool | None = None
    streams_bill: bool | None = None
    scores: bool | None = None

    def gives(self) -> dict[str, bool | None]:
        """What methods may ask of a model (`core.registry.NEEDS`), as far as a probe tells.

        Further samples and answers to other prompts can be had of every model that answers, one by one.
        """
        return {"logprobs": self.logprobs, "scoring": self.scores}


class BudgetError(ValueError):
    """The rest of the budget does not reach for a probe; the message is one line."""


async def probe(
    models: Sequence[tuple[ModelConfig, Price | None]], store: Store, limit: float | None
) -> dict[str, Found]:
    """What each model can, by its name.

    Args:
        models: each with its price.
        store: that counts what is spent.
        limit: most US dollars, those of earlier runs of the store included; None is no limit.

    Raises:
        ValueError: a key is missing, the store cannot be written, or the budget does not reach: one line.
    """
    worst = {model.name: _worst(model, price) for model, price in models}
    if limit is not None and store.spent() + sum(map(sum, worst.values())) > limit:
        raise BudgetError(
            f"a probe of all models may cost {sum(map(sum, worst.values())):.6f} dollars, and of the budget's"
            f" {limit:g} {store.spent():.6f} are spent (raise budget.usd)"
        )
    probes = [_Probe(model, price, worst[model.name], store) for model, price in models]
    found = await asyncio.gather(*(one.run() for one in probes))
    return {model.name: one for (model, _), one in zip(models, found, strict=True)}


def _worst(model: ModelConfig, price: Price | None) -> tuple[float, float, float]:
    """Most that each of the three requests may cost."""
    if price is None:
        return 0.0, 0.0, 0.0
    asked = limit_of({"max_tokens": MOST} | _limits(model))
    read_ = _READ + len(model.system.encode())
    return price.of(read_, SAMPLES * asked), price.of(read_, asked), price.of(_READ, 1)


def _limits(model: ModelConfig) -> dict[str, Any]:
    return {name: model.params[name] for name in LIMITS if model.params.get(name) is not None}


class _Probe:
    """One model's."""

    def __init__(
        self, model: ModelConfig, price: Price | None, worst: tuple[float, float, float], store: Store
    ) -> None:
        self._model, self._price, self._worst, self._store = model, price, worst, store
        self._asker = Asker(model)
        system = [{"role": "system", "content": model.system}] if model.system else []
        self._messages = [*system, {"role": "user", "content": _ASKED}]

    async def run(self) -> Found:
        try:
            whole = await self._whole()
            if isinstance(whole, str):
                return Found(whole)
            told, data = whole
            told |= await self._streamed() | {"scores": await self._scored()}
        finally:
            await self._asker.close()
        refused = self._asker.refused
        listed = [one for one in data.get("choices") or () if isinstance(one, dict)]
        sent = self._parameters()
        named = next((name for name in ("max_completion_tokens", "max_tokens") if name in self._model.params), "")
        return Found(
            limit=named or ("max_completion_tokens" if "max_tokens" in refused else "max_tokens"),
            temperature=None if "temperature" not in sent else "temperature" not in refused,
            seed=None if "seed" not in sent else "seed" not in refused,
            logprobs=_logs(listed), samples=len(listed) == SAMPLES, **told,
        )  # fmt: skip

    def _parameters(self) -> dict[str, Any]:
        wanted = {"temperature": 0.0, "seed": 1, "logprobs": True, "n": SAMPLES}
        return wanted | ({} if _limits(self._model) else {"max_tokens": MOST}) | self._model.params

    async def _whole(self) -> tuple[dict[str, Any], Mapping[str, Any]] | str:
        """What the bill tells, and the answer; or why there is none. A busy server is asked again, which is free."""
        for _ in range(ATTEMPTS):
            request = self._store.reserve("probe", self._worst[0])
            reply = await self._asker.ask(self._messages, self._parameters())
            self._settle(request, self._worst[0], reply.bill, free=reply.free)
            if not (reply.again and reply.free):
                break
            await asyncio.sleep(_WAIT if reply.wait is None else reply.wait)
        if reply.status == "error" or not reply.data:
            return reply.said or "no answer"
        bill = reply.bill
        told = {
            "billed": bill.prompt is not None and bill.completion is not None, "reasons": bool(bill.reasoning),
            "priced": bill.cost is not None,
        }  # fmt: skip
        return told, reply.data

    async def _streamed(self) -> dict[str, bool]:
        """Whether a stream comes, and whether it ends with its bill."""
        own = {
            k: v for k, v in self._parameters().items() if k not in ("n", "logprobs") and k not in self._asker.refused
        }
        if "max_tokens" in self._asker.refused and "max_tokens" in self._parameters():
            own["max_completion_tokens"] = self._parameters()["max_tokens"]
        body = {"model": self._model.served, "messages": self._messages, "stream": True}
        wanted = body | own | {"stream_options": {"include_usage": True}}
        content, free = await self._sent(1, "/chat/completions", wanted)
        if content is None and free:  # a server that does not know the option may stream all the same
            content, _ = await self._sent(1, "/chat/completions", body | own)
        events = [_event(line) for line in (content or b"").splitlines() if line.startswith(b"data:")]
        streams = any(event.get("choices") for event in events)
        bills = [read(event.get("usage")) for event in events if event.get("usage")]
        return {"streams": streams, "streams_bill": streams and any(bill.completion is not None for bill in bills)}

    async def _scored(self) -> bool:
        """Whether ``echo`` gives the log-probabilities of the text that was sent."""
        body = {"model": self._model.served, "prompt": _GIVEN, "max_tokens": 1, "echo": True, "logprobs": 1}
        content, _ = await self._sent(2, "/completions", body)
        data = _event(content or b"")
        first = (data.get("choices") or [None])[0] if isinstance(data.get("choices"), list) else None
        if not isinstance(first, dict) or not str(first.get("text") or "").lstrip().startswith(_GIVEN):
            return False
        logs = first.get("logprobs")
        told = logs.get("token_logprobs") if isinstance(logs, dict) else None
        return isinstance(told, list) and sum(isinstance(one, int | float) for one in told) >= 2

    async def _sent(self, place: int, path: str, body: Mapping[str, Any]) -> tuple[bytes | None, bool]:
        """What comes back, if anything, and whether it is known to be free. Without a bill the worst case stays."""
        request = self._store.reserve("probe", self._worst[place])
        content, reply = await self._asker.content(path, body)
        free = reply is not None and reply.free
        bills = [_event(line).get("usage") for line in (content or b"").splitlines()]
        bills += [_event(content or b"").get("usage")]
        bill = next((read(one) for one in reversed(bills) if one), Bill())
        self._settle(request, self._worst[place], bill, free=free)
        return content, free

    def _settle(self, request: int, worst: float, bill: Bill, *, free: bool) -> None:
        known = bill.prompt is not None and bill.completion is not None and self._price is not None
        dollars = 0.0 if free else bill.cost
        if dollars is None and known:
            assert self._price is not None
            assert bill.prompt is not None
            assert bill.completion is not None
            dollars = self._price.of(bill.prompt, bill.completion, bill.cached)
        self._store.settle(request, worst if dollars is None else dollars)


def _logs(listed: Sequence[dict[str, Any]]) -> bool | None:
    """Whether log-probabilities are told; None where nothing was written that could have some."""
    if any(choices.logprobs(one)[1] for one in listed):
        return True
    return None if any(isinstance(one.get("logprobs"), dict) for one in listed) else False


def _event(line: bytes) -> dict[str, Any]:
    """The object of one event of a stream; empty where it is none."""
    try:
        value = json.loads(line.removeprefix(b"data:"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
