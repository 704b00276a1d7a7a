"""Asks all models at once, each as fast as it may be asked, and within the budget as far as prices and servers keep
their word: a bill above a request's worst case counts, and nothing goes out after it.

Before a request goes out its worst case is reserved; the bill takes its place. What was lost on the way may have been
billed all the same, and stays as reserved. So does an answer without a bill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reference_impls.core.model import Price
from reference_impls.recording.asking import Asker, Reply
from reference_impls.recording.config import ModelConfig
from reference_impls.recording.plan import Question, missing, worst
from reference_impls.recording.store import NO_ANSWER, Store, Stored

ATTEMPTS = 5
"""Of one question, where the server is busy or fails."""
IN_A_ROW = 5
"""Failed questions after which a model is not asked any more."""
NOBODY = (401, 402, 403, 404)
"""Statuses with which a server answers nobody who asks like this."""
_FIRST_WAIT = 0.5
"""Seconds before the second attempt, where the server does not say; doubled each time."""


@dataclass(slots=True)
class State:
    """How far one model is.

    Attributes:
        total: questions of this run.
        done: those that are settled; `failed` of them without an answer.
        stopped: why the rest is not asked; empty while it goes on.
    """

    total: int
    done: int = 0
    failed: int = 0
    stopped: str = ""


class Purse:
    """The budget of all models together; None is no limit."""

    def __init__(self, store: Store, limit: float | None) -> None:
        self._store, self._limit = store, limit
        self.spent = store.spent()
        self._open = 0
        self._changed = asyncio.Condition()

    async def reserve(self, name: str, dollars: float) -> int | None:
        """The request's number, once there is room; None where there will be none."""
        async with self._changed:
            while self._limit is not None and self.spent + dollars > self._limit:
                if not self._open:
                    return None
                await self._changed.wait()
            self._open += 1
            self.spent += dollars
            return self._store.reserve(name, dollars)

    async def settled(self, reserved: float, charged: float) -> None:
        """A request is over, and the store knows what it was charged."""
        async with self._changed:
            self._open -= 1
            self.spent += charged - reserved
            self._changed.notify_all()


class Recorder:
    """Asks one model what is missing."""

    def __init__(
        self, model: ModelConfig, price: Price | None, wanted: Sequence[Question], store: Store, purse: Purse,
        told: Callable[[], None],
    ) -> None:  # fmt: skip
        self.model, self._price, self._store, self._purse, self._told = model, price, store, purse, told
        self._open = missing(wanted, store)
        self.state = State(len(self._open))
        self._asker = Asker(model)
        self._next = 0.0
        self._row = 0

    async def run(self) -> None:
        """The first question goes alone: what it shows about the server, the others need not find out."""
        waiting = iter(self._open)
        try:
            if first := next(waiting, None):
                await self._one(first)
            async with asyncio.TaskGroup() as group:
                for _ in range(self.model.concurrency):
                    group.create_task(self._work(waiting))
        finally:
            await self._asker.close()

    async def _work(self, waiting: Iterator[Question]) -> None:
        while not self.state.stopped and (question := next(waiting, None)) is not None:
            await self._one(question)

    async def _one(self, question: Question) -> None:
        reserve = worst(question, self._price) or 0.0
        for attempt in range(1, ATTEMPTS + 1):
            await self._turn()
            request = await self._purse.reserve(question.id, reserve)
            if request is None:
                self.state.stopped = "the budget is spent"
                return
            reply = await self._asker.ask(question.messages, question.parameters)
            dollars = self._cost(reply)
            charged = 0.0 if reply.free else reserve if dollars is None else dollars
            last = attempt == ATTEMPTS or not reply.again
            if last:
                stored = Stored(reply.status, reply.data, reply.said, reply.seconds, 0.0 if reply.free else dollars)
                self._store.put(question.id, stored, request, charged)
            else:
                self._store.settle(request, charged)
            await self._purse.settled(reserve, charged)
            if last:
                self._count(reply)
                return
            wait = _FIRST_WAIT * 2 ** (attempt - 1) if reply.wait is None else reply.wait
            now = asyncio.get_running_loop().time()
            self._next = max(self._next, now + wait)  # the server is busy for all

    async def _turn(self) -> None:
        """Waits for a place in the rate."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + (60.0 / self.model.rpm if self.model.rpm else 0.0)
        if at > now:
            await asyncio.sleep(at - now)

    def _cost(self, reply: Reply) -> float | None:
        """US dollars: as the provider tells, else price times tokens, else None."""
        bill = reply.bill
        if bill.cost is not None:
            return bill.cost
        if self._price is None or bill.prompt is None or bill.completion is None:
            return None
        return self._price.of(bill.prompt, bill.completion, bill.cached)

    def _count(self, reply: Reply) -> None:
        self.state.done += 1
        self.state.failed += reply.status in NO_ANSWER
        self._row = self._row + 1 if reply.status == "error" else 0
        nobody = reply.code in NOBODY or (self.state.done == 1 and reply.again)
        if reply.status == "error" and nobody:
            self.state.stopped = reply.said
        elif self._row >= IN_A_ROW and not self.state.stopped:
            self.state.stopped = f"{self._row} failures in a row, the last one: {reply.said}"
        self._told()


async def record(
    models: Sequence[tuple[ModelConfig, Price | None, Sequence[Question]]], store: Store, limit: float | None,
    told: Callable[[Mapping[str, State], float], None],
) -> dict[str, State]:  # fmt: skip
    """Asks every model what the store does not have yet.

    Args:
        models: each with its price and its questions.
        store: where answers go.
        limit: most US dollars, those of earlier runs of the store included; None is no limit.
        told: is called with all states and the dollars so far whenever a question is settled.

    Returns:
        The state of every model at the end, by its name.

    Raises:
        ValueError: a key is missing, or the store cannot be written: one line.
    """
    purse = Purse(store, limit)
    states: dict[str, State] = {}
    recorders = [
        Recorder(model, price, wanted, store, purse, lambda: told(states, purse.spent))
        for model, price, wanted in models
    ]
    states.update({recorder.model.name: recorder.state for recorder in recorders})
    told(states, purse.spent)
    try:
        async with asyncio.TaskGroup() as group:
            for recorder in recorders:
                group.create_task(recorder.run())
    except ExceptionGroup as failures:
        raise _first(failures) from None
    return states


def _first(failure: Exception) -> Exception:
    """The first error in a group, and in the groups in it."""
    while isinstance(failure, ExceptionGroup):
        failure = failure.exceptions[0]
    return failure
