"""What a model can: three short requests tell what its server takes, ignores, refuses and bills.

The first is a chat that asks for all that a recording may want at once: a limit, a temperature, a seed,
log-probabilities, two samples. The second asks for a stream with its bill, the third for the log-probabilities of a
text that is given (``echo``). A recording needs the first alone. What each may cost at most is reserved from the
budget before it goes out; what it shows is kept together with its bill, so that nobody asks and pays twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from reference_impls.backends import choices
from reference_impls.backends.usage import Bill, read
from reference_impls.core.model import Price
from reference_impls.recording.asking import Asker, limit_of
from reference_impls.recording.config import LIMITS, ModelConfig
from reference_impls.recording.plan import address_of
from reference_impls.recording.store import Store, Stored, identity

#: Tokens that may be written: some servers take no smaller limit.
MOST = 16
SAMPLES = 2
ATTEMPTS = 3
_WAIT = 1.0
"""Seconds before another attempt, where the server does not say."""
#: The prompt of a chat.
ASKED = "Write the word yes."
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


def known(model: ModelConfig, store: Store) -> Found | None:
    """What an earlier probe has found of a model, with the same address, parameters and system message."""
    stored = store.get(_name(model))
    try:
        return None if stored is None else Found(**stored.answer)
    except TypeError:  # kept by another version
        return None


def _name(model: ModelConfig) -> str:
    return identity(address_of(model), model.served, _messages(model), _parameters(model), -1)


async def probe(
    models: Sequence[tuple[ModelConfig, Price | None]], store: Store, limit: float | None, *, whole: bool = True
) -> dict[str, Found]:
    """What each model can, by its name; it is kept in the store.

    Args:
        models: each with its price.
        store: that counts what is spent.
        limit: most US dollars, those of earlier runs of the store included; None is no limit.
        whole: by all three requests; else by the first.

    Raises:
        ValueError: a key is missing, the store cannot be written, or the budget does not reach: one line.
    """
    worst = {model.name: _worst(model, price) for model, price in models}
    most = sum(sum(costs if whole else costs[:1]) for costs in worst.values())
    if limit is not None and store.spent() + most > limit:
        without = "" if whole else ", or leave the probe out: --no-probe"
        raise BudgetError(
            f"a probe of {'all' if whole else len(models)} models may cost {most:.6f} dollars, and of the budget's"
            f" {limit:g} {store.spent():.6f} are spent (raise budget.usd{without})"
        )
    probes = [_Probe(model, price, worst[model.name], store) for model, price in models]
    found = await asyncio.gather(*(one.run(whole=whole) for one in probes))
    return {model.name: one for (model, _), one in zip(models, found, strict=True)}


def first(model: ModelConfig, price: Price | None) -> tuple[int, int, float | None]:
    """Of the first request: tokens read about, tokens written at most, most dollars (None where that is unknown)."""
    read_ = sum(len(message["content"].encode()) for message in _messages(model)) // 4
    return read_, SAMPLES * _limit(model), None if price is None else _worst(model, price)[0]


def _worst(model: ModelConfig, price: Price | None) -> tuple[float, float, float]:
    """Most that each of the three requests may cost."""
    if price is None:
        return 0.0, 0.0, 0.0
    read_ = _READ + len(model.system.encode())
    return price.of(read_, SAMPLES * _limit(model)), price.of(read_, _limit(model)), price.of(_READ, 1)


def _limit(model: ModelConfig) -> int:
    return limit_of({"max_tokens": MOST} | _limits(model))


def _limits(model: ModelConfig) -> dict[str, Any]:
    return {name: model.params[name] for name in LIMITS if model.params.get(name) is not None}


def _messages(model: ModelConfig) -> list[dict[str, str]]:
    system = [{"role": "system", "content": model.system}] if model.system else []
    return [*system, {"role": "user", "content": ASKED}]


def _parameters(model: ModelConfig) -> dict[str, Any]:
    wanted = {"temperature": 0.0, "seed": 1, "logprobs": True, "n": SAMPLES}
    return wanted | ({} if _limits(model) else {"max_tokens": MOST}) | model.params


class _Probe:
    """One model's."""

    def __init__(
        self, model: ModelConfig, price: Price | None, worst: tuple[float, float, float], store: Store
    ) -> None:
        self._model, self._price, self._worst, self._store = model, price, worst, store
        self._asker = Asker(model)
        self._found = Found()

    async def run(self, *, whole: bool) -> Found:
        try:
            await self._chat()
            if whole and not self._found.said:
                await self._streamed()
                await self._scored()
        finally:
            await self._asker.close()
        return self._found

    async def _chat(self) -> None:
        """What a chat shows, or why there is none. A busy server is asked again, which is free."""
        for attempt in range(1, ATTEMPTS + 1):
            request = self._store.reserve("probe", self._worst[0])
            reply = await self._asker.ask(_messages(self._model), _parameters(self._model))
            if reply.again and reply.free and attempt < ATTEMPTS:
                self._store.settle(request, 0.0)
                await asyncio.sleep(_WAIT if reply.wait is None else reply.wait)
                continue
            failed = reply.status == "error" or not reply.data
            self._found = Found(reply.said or "no answer") if failed else self._shown(reply.data, reply.bill)
            self._keep(request, self._worst[0], reply.bill, free=reply.free)
            return

    def _shown(self, data: Mapping[str, Any], bill: Bill) -> Found:
        """What an answer to the first request shows."""
        refused, sent = self._asker.refused, _parameters(self._model)
        listed = [one for one in data.get("choices") or () if isinstance(one, dict)]
        named = next((name for name in LIMITS if name in self._model.params), "")
        return Found(
            limit=named or ("max_completion_tokens" if "max_tokens" in refused else "max_tokens"),
            temperature=None if "temperature" not in sent else "temperature" not in refused,
            seed=None if "seed" not in sent else "seed" not in refused,
            logprobs=False if "logprobs" in refused else _logs(listed), samples=len(listed) == SAMPLES,
            billed=bill.prompt is not None and bill.completion is not None, reasons=bool(bill.reasoning),
            priced=bill.cost is not None,
        )  # fmt: skip

    async def _streamed(self) -> None:
        """Whether a stream comes, and whether it ends with its bill."""
        sent, refused = _parameters(self._model), self._asker.refused
        own = {k: v for k, v in sent.items() if k not in ("n", "logprobs") and k not in refused}
        if "max_tokens" in refused and "max_tokens" in sent:
            own["max_completion_tokens"] = sent["max_tokens"]
        body = {"model": self._model.served, "messages": _messages(self._model), "stream": True}
        wanted = body | own | {"stream_options": {"include_usage": True}}
        if not await self._sent(1, "/chat/completions", wanted, _streams):
            # a server that does not know the option may stream all the same
            await self._sent(1, "/chat/completions", body | own, _streams)

    async def _scored(self) -> None:
        """Whether ``echo`` gives the log-probabilities of the text that was sent."""
        body = {"model": self._model.served, "prompt": _GIVEN, "max_tokens": 1, "echo": True, "logprobs": 1}
        await self._sent(2, "/completions", body, _scores)

    async def _sent(
        self, place: int, path: str, body: Mapping[str, Any], shows: Callable[[bytes], dict[str, Any]]
    ) -> bool:
        """Notes what comes back; False for a refusal that is free. Without a bill the worst case stays."""
        request = self._store.reserve("probe", self._worst[place])
        content, reply = await self._asker.content(path, body)
        free = reply is not None and reply.free
        bills = [_event(line).get("usage") for line in (content or b"").splitlines()]
        bills += [_event(content or b"").get("usage")]
        bill = next((read(one) for one in reversed(bills) if one), Bill())
        self._found = replace(self._found, **shows(content or b""))
        self._keep(request, self._worst[place], bill, free=free)
        return content is not None or not free

    def _keep(self, request: int, worst: float, bill: Bill, *, free: bool) -> None:
        """The request's bill and what is known by now, at once; of a model that does not answer the bill alone, as it
        may answer the next time.
        """
        dollars = 0.0 if free else bill.cost
        if dollars is None and self._price is not None and bill.prompt is not None and bill.completion is not None:
            dollars = self._price.of(bill.prompt, bill.completion, bill.cached)
        charged = worst if dollars is None else dollars
        if self._found.said:
            self._store.settle(request, charged)
        else:
            self._store.put(_name(self._model), Stored("", asdict(self._found), "", 0.0, dollars), request, charged)


def _streams(content: bytes) -> dict[str, Any]:
    events = [_event(line) for line in content.splitlines() if line.startswith(b"data:")]
    streams = any(event.get("choices") for event in events)
    bills = [read(event.get("usage")) for event in events if event.get("usage")]
    return {"streams": streams, "streams_bill": streams and any(bill.completion is not None for bill in bills)}


def _scores(content: bytes) -> dict[str, Any]:
    data = _event(content)
    first_ = (data.get("choices") or [None])[0] if isinstance(data.get("choices"), list) else None
    logs = first_.get("logprobs") if isinstance(first_, dict) else None
    given = isinstance(first_, dict) and str(first_.get("text") or "").lstrip().startswith(_GIVEN)
    told = logs.get("token_logprobs") if isinstance(logs, dict) else None
    several = isinstance(told, list) and sum(isinstance(one, int | float) for one in told) >= 2
    return {"scores": given and several}


def _logs(listed: Sequence[dict[str, Any]]) -> bool | None:
    """Whether log-probabilities are told; None where nothing was written that could have some."""
    if any(choices.logprobs(one)[1] for one in listed):
        return True
    messages = [one.get("message") for one in listed]
    return False if any(isinstance(one, dict) and one.get("content") for one in messages) else None


def _event(line: bytes) -> dict[str, Any]:
    """The object of one event of a stream; empty where it is none."""
    try:
        value = json.loads(line.removeprefix(b"data:"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
