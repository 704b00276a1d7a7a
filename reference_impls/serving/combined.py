"""Methods that ask several models about one query: votes, cascades, fusers.

A method is written as if it waited for every call. Here it runs until it wants an answer that is not there yet, and
stops; the answer is fetched, and it runs again from the start with all that has come, until it gets to its end. Its
calls inside ``Pool.parallel``, which do not wait for one another, are fetched at once. So calls are really parallel,
nothing waits in a thread, and if the client hangs up what is under way is cancelled. A method draws the same random
numbers each time (`Method.seed`), so it wants the same each time.
"""

from __future__ import annotations

import asyncio
import copy
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reference_impls.core.choice import Choice
from reference_impls.core.meter import Meter, Usage
from reference_impls.core.model import Dress, Floats, Generation, ModelError, Price
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.recording.asking import Reply
from reference_impls.serving.fitted import NamedModel

#: What a method may need and servers do not give.
LACKING = ("distributions", "shared-vocabulary", "scoring")

#: Asks a model by its name: messages (None for the client's own) and parameters.
Ask = Callable[[str, Sequence[Mapping[str, Any]] | None, Mapping[str, Any]], Awaitable[Reply]]


class _WantedError(BaseException):
    """An answer is wanted that is not there yet. No method may take it for a failed call."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What a method asks of a model."""

    model: str
    prompt: str
    n: int
    temperature: float
    max_tokens: int
    stop: tuple[str, ...]
    seed: int


@dataclass(slots=True)
class _Answers:
    """What has come so far, and what is wanted next."""

    come: dict[_Call, list[Reply]] = field(default_factory=dict)
    wanted: dict[_Call, None] = field(default_factory=dict)
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Combination:
    """What a method has made of a query.

    Attributes:
        text: its answer.
        usage: of all calls.
        whose: the model whose answer it is, word for word; None where the method has written or several said so.
    """

    text: str
    usage: Usage
    whose: str | None


class Combined:
    """A fitted method that serves.

    Args:
        info, method: its pool names the models.
        threads: for its own work.

    Raises:
        ValueError: it needs what servers do not give: one line.
    """

    def __init__(self, info: MethodInfo, method: Method, threads: Executor) -> None:
        if info.category.startswith("during/") or any(need in LACKING for need in info.needs):
            raise ValueError(f"{info.name} cannot be served: it drives models token by token (name another method)")
        self.signature = info.name
        self._method, self._threads = method, threads

    async def answer(self, query: Query, ask: Ask) -> Combination:
        """The method's answer.

        Raises:
            ModelError: no model has answered.
            ValueError: the method cannot work with these models: one line.
        """
        answers = _Answers()
        loop = asyncio.get_running_loop()
        while True:
            made = await loop.run_in_executor(self._threads, self._run, query, answers)
            if made is not None:
                return made
            wanted, answers.wanted, answers.depth = list(answers.wanted), {}, 0
            async with asyncio.TaskGroup() as group:  # cancels the others where one is cancelled
                tasks = [
                    [group.create_task(self._one(query, call, i, ask)) for i in range(call.n)] for call in wanted
                ]
            answers.come.update(zip(wanted, [[task.result() for task in row] for row in tasks], strict=True))

    async def _one(self, query: Query, call: _Call, number: int, ask: Ask) -> Reply:
        """One answer of a call. Servers differ in whether they know `n`: samples are asked for one by one."""
        parameters: dict[str, Any] = {
            "temperature": call.temperature, "max_tokens": call.max_tokens, "seed": (call.seed + number) % 2**31,
        }  # fmt: skip
        if call.stop:
            parameters["stop"] = list(call.stop)
        own = call.prompt == query.prompt
        return await ask(call.model, None if own else [{"role": "user", "content": call.prompt}], parameters)

    def _run(self, query: Query, answers: _Answers) -> Combination | None:
        """One run of a twin, which shares what was learned and nothing else; None where it wants more answers."""
        callers = [_Caller(model.name, model.price, model.dress, answers) for model in self._method.pool]
        meter = Meter(callers)

        @contextmanager
        def parallel() -> Iterator[None]:
            answers.depth += 1
            with meter.pool.parallel():
                yield
            answers.depth -= 1
            if not answers.depth and answers.wanted:
                raise _WantedError

        twin = copy.copy(self._method)
        twin.pool = Pool(list(meter.pool), parallel)
        for name, value in vars(self._method).items():
            if name != "pool":
                setattr(twin, name, rebound(value, twin.pool))
        twin.rng = np.random.default_rng(zlib.crc32(query.prompt.encode("utf-8", "surrogatepass")))
        twin.choice = Choice(twin.rng)
        twin.choice.accuracies = self._method.choice.accuracies
        twin.asked, twin.abstained, twin.notes, twin.failed = Counter(), Counter(), Counter(), Counter()
        try:
            meter.begin()
            text = twin.answer(query)
            usage = meter.end()
        except _WantedError:
            return None
        except Exception:
            if answers.wanted:  # it has tripped over an empty stand-in of what is not there yet
                return None
            raise
        finally:
            meter.close()
        if twin.failed.total() == twin.asked.total() > 0:
            raise ModelError("; ".join(twin.failed))
        said = {
            call.model for call, replies in answers.come.items() if call.prompt == query.prompt
            for reply in replies if reply.text == text
        }  # fmt: skip
        return Combination(str(text), usage, said.pop() if len(said) == 1 else None)


def rebound(value: Any, pool: Pool) -> Any:
    """A value in which models (judges, for instance) are those of a pool that have their names."""
    if isinstance(value, NamedModel):
        return pool[pool.index(value.name)]
    if type(value) in (list, tuple):
        return type(value)(rebound(part, pool) for part in value)
    if type(value) is dict:
        return {key: rebound(part, pool) for key, part in value.items()}
    return value


class _Caller:
    """A model as a method sees it."""

    size, context = 0.0, 0

    def __init__(self, name: str, price: Price, dress: Dress, answers: _Answers) -> None:
        self.name, self.price, self.dress, self._answers = name, price, dress, answers

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        call = _Call(self.name, prompt, n, temperature, max_tokens, tuple(stop), seed)
        replies = self._answers.come.get(call)
        if replies is None:
            self._answers.wanted[call] = None
            if not self._answers.depth:
                raise _WantedError
            return [Generation(self.name, "", prompt_tokens=0, completion_tokens=0)] * n
        made = [generation(self.name, reply, i) for i, reply in enumerate(replies)]
        if failed := [reply.said for reply in replies if reply.status == "error"]:
            raise ModelError(f"{self.name}: {failed[0]}", made)
        return made

    def score(self, prompt: str, continuation: str) -> Floats:  # noqa: ARG002
        raise ModelError(f"{self.name}: the server gives no log-probabilities of a given text")


def generation(model: str, reply: Reply, number: int = 0) -> Generation:
    """A reply as methods read it."""
    bill, logs = reply.bill, _logs(reply)
    status = "failed" if reply.status == "error" else reply.status
    return Generation(
        model, reply.text, tuple(token for token, _ in logs), tuple(value for _, value in logs), bill.prompt,
        bill.completion, reply.seconds, status not in ("cut", "filtered", "failed"), None,
        0.0 if reply.free and bill.cost is None else bill.cost, bill.reasoning, bill.cached, status, number,
    )  # fmt: skip


def _logs(reply: Reply) -> list[tuple[str, float]]:
    """Tokens and their log-probabilities; none where one is missing or of another form."""
    try:
        pieces = reply.data["choices"][0]["logprobs"]["content"]
        return [(str(piece["token"]), float(piece["logprob"])) for piece in pieces]
    except (KeyError, IndexError, TypeError, ValueError):
        return []


def bill(usage: Usage) -> dict[str, int | None]:
    """The tokens of all calls, as an answer tells them; None where they are not known."""
    prompt = None if "prompt_tokens" in usage.unknown else usage.prompt_tokens
    completion = None if "completion_tokens" in usage.unknown else usage.completion_tokens
    total = None if prompt is None or completion is None else prompt + completion
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
