"""The listener of a trace: it is told of what a method calls and computes, as a debugger is, and changes nothing.

Python tells it of every function that begins and returns (`sys.setprofile`); it looks at a few: at the meter's, which
every call to a model passes, at those that decide (of `core.stages` and `core.choice`), at those that write
(`core.decoding`), and at those of the method's own file, which are its formulas. Nothing is wrapped or replaced, so a
method runs under it as ever, if slower, and holds no line for it.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from reference_impls.core.choice import Choice
from reference_impls.core.decoding import TextSession, write_segment, write_until
from reference_impls.core.learn import softmax
from reference_impls.core.meter import Meter, MeteredModel, MeteredTokenModel
from reference_impls.core.model import Generation
from reference_impls.core.stages import (
    Aggregator,
    Cascade,
    Fusion,
    Method,
    Router,
    ThresholdRouter,
    UtilityRouter,
)
from reference_impls.running.wording import NOTHING, Limits, Words, as_text, is_number, is_row, is_strings

Json = dict[str, Any]
#: What the methods of a stage decide by, whichever class has it. A method of another stage may call a function of its
#: own so, which is a formula then.
_STAGES = {
    UtilityRouter: ("utilities",), ThresholdRouter: ("strong_probability",), Router: ("route",), Cascade: ("accept",),
    Fusion: ("step",), Aggregator: ("aggregate",),
}  # fmt: skip
#: Characters of something learned that a trace shows.
SHORT = 400
_GENERATOR = inspect.CO_GENERATOR | inspect.CO_COROUTINE


class Listener:
    """Hears one method answer; `cut` gives what was heard since the query before.

    Args:
        limits: of what is kept.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._handlers: dict[int, Callable[[FrameType, Any], None]] = {}
        self._codes: list[CodeType] = []  # held, so that no other code gets the number of one of them
        self._entered: list[tuple[FrameType, Json]] = []
        self._before: Any = None
        #: The first words of what each of the method's own functions says of itself.
        self.told: dict[str, str] = {}
        self._clear()

    def _clear(self) -> None:
        self.events: list[Json] = []
        self.omitted: Counter[str] = Counter()
        self.spent: dict[str, Json] = {}
        self._count: Counter[str] = Counter()
        self._bills: list[Json] = []
        self._answers: dict[str, str] = {}
        self._asked: list[tuple[Json, Any]] = []

    def start(self, method: Method) -> None:
        """Listens to a method from now on."""
        self._method = method
        known = [model.vocabulary for model in method.pool if isinstance(model, MeteredTokenModel)]
        self.words = Words(self.limits, known)
        self._hear(Meter.record, self._billed)
        self._hear(MeteredModel.generate, self._called)
        self._hear(MeteredModel.score, self._scored)
        self._hear(Choice.response, self._chosen)
        self._hear(Choice.model, self._chosen_model)
        self._hear(write_segment, self._drafted)
        self._hear(write_until, self._drafted)
        self._hear(TextSession.next_logits, self._distribution)
        self._hear(TextSession.score, self._rated)
        self._hear(TextSession.advance, self._advanced)
        for function in _own(type(method)):
            self._hear(function, self._computed)
            self.told[function.__name__] = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
        kinds: dict[str, Callable[[FrameType, Any], None]] = {
            "utilities": self._utilities, "strong_probability": self._probability, "route": self._routed,
            "accept": self._accepted, "step": self._stepped, "aggregate": self._aggregated,
        }  # fmt: skip
        for name in _decisions(type(method)):
            for cls in type(method).__mro__:
                if isinstance(found := vars(cls).get(name), FunctionType):
                    self._hear(found, kinds[name])
        self._before = sys.getprofile()
        sys.setprofile(self._tell)

    def stop(self) -> None:
        """Listens no more."""
        if self._handlers:
            sys.setprofile(self._before)
            self._handlers, self._codes = {}, []

    def cut(self) -> tuple[list[Json], Json, dict[str, Json], dict[str, str]]:
        """Since the last cut: events, numbers of those left out by kind, what each model has cost, and the answers of
        responses, by their texts, where the back end tells them.
        """
        heard = self.events, dict(sorted(self.omitted.items())), self.spent, self._answers
        self._clear()
        return heard

    def _hear(self, function: Any, handler: Callable[[FrameType, Any], None]) -> None:
        code = inspect.unwrap(function).__code__
        self._codes.append(code)
        self._handlers[id(code)] = handler

    def _tell(self, frame: FrameType, event: str, value: Any) -> None:
        if event not in ("call", "return") or (handler := self._handlers.get(id(frame.f_code))) is None:
            return
        if event == "call":
            own = handler == self._computed and self._count[f"formula {frame.f_code.co_name}"] < self.limits.formulas
            self._entered.append((frame, self._given(frame) if own else {}))
            return
        while self._entered and self._entered[-1][0] is not frame:  # of one that never returned
            self._entered.pop()
        handler(frame, value)
        if self._entered:
            self._entered.pop()

    def _inside(self, *names: str) -> bool:
        """Whether the function that returns was called within one of some names that are heard too."""
        return any(frame.f_code.co_name in names for frame, _ in self._entered[:-1])

    def _add(self, kind: str, most: int, make: Callable[[], Json], count: str = "") -> None:
        """Adds an event unless there are as many of its kind as there may be; it is made only then."""
        self._count[count or kind] += 1
        if self._count[count or kind] > most:
            self.omitted[count or kind] += 1
        else:
            self.events.append({"kind": kind} | make())

    # What the meter hears.

    def _billed(self, frame: FrameType, _: Any) -> None:
        told = frame.f_locals
        model, bill = told["model"].name, self._bill(told)
        total = self.spent.setdefault(model, dict.fromkeys(bill, 0))
        for name, amount in bill.items():
            total[name] = None if amount is None or total[name] is None else total[name] + amount
        self._bills.append(bill)

    def _bill(self, told: Mapping[str, Any]) -> Json:
        cost, seconds = float(told["paid"]), float(told["seconds"])
        return {
            "calls": told["calls"], "prompt_tokens": told["prompt"], "completion_tokens": told["completion"],
            "cost": None if math.isnan(cost) else cost, "seconds": None if math.isnan(seconds) else seconds,
        }  # fmt: skip

    def _paid(self) -> Json:
        """What the call has cost that has just ended; the last bill is its own."""
        bill = self._bills[-1] if self._bills else {}
        self._bills = []
        return {
            name: self.words.number(bill.get(name))
            for name in ("prompt_tokens", "completion_tokens", "cost", "seconds")
        }

    def _called(self, frame: FrameType, responses: Any) -> None:
        told, limits = frame.f_locals, self.limits
        self._answers |= {r.text: r.answer for r in responses or () if r.answer is not None}

        def call() -> Json:
            return {
                "model": told["self"].name, "prompt": self.words.cut(told["prompt"]), "samples": told["n"],
                "temperature": self.words.number(told["temperature"]), **self._paid(),
                # None came where the call failed.
                "responses": [self._response(response) for response in (responses or [])[: limits.row]],
            }  # fmt: skip

        self._add("call", limits.calls, call)
        self._bills = []

    def _response(self, response: Generation) -> Json:
        most = self.limits.tokens
        return {
            "text": self.words.cut(response.text), "finished": response.finished, "status": response.status,
            "tokens": [self.words.cut(token) for token in response.tokens[:most]],
            "logprobs": [self.words.number(value) for value in response.logprobs[:most]],
            "mean_logprob": self.words.number(response.mean_logprob) if response.logprobs else None,
        }  # fmt: skip

    def _scored(self, frame: FrameType, logprobs: Any) -> None:
        told = frame.f_locals
        if logprobs is not None:
            self._add(
                "score", self.limits.calls,
                lambda: {
                    "model": told["self"].name, "prompt": self.words.cut(told["prompt"]),
                    "text": self.words.cut(told["continuation"]), "tokens": len(logprobs),
                    "logprob": self.words.number(float(np.sum(logprobs))), **self._paid(),
                },
            )  # fmt: skip
        self._bills = []

    # What the stages decide.

    def _utilities(self, _: FrameType, values: Any) -> None:
        if values is not None and not self._inside("utilities"):
            self._add("utilities", self.limits.row, lambda: {"models": self._each_model(values)})

    def _probability(self, frame: FrameType, value: Any) -> None:
        if value is None or self._inside("strong_probability"):
            return
        method = frame.f_locals["self"]
        threshold = self.words.number(getattr(method, "threshold_", None))
        self._add("probability", self.limits.row, lambda: {"value": self.words.number(value), "threshold": threshold})

    def _routed(self, frame: FrameType, place: Any) -> None:
        if place is not None and not self._inside("route"):
            name = self._method.pool[int(place)].name
            self._add("route", self.limits.row, lambda: {"model": name, "values": self._values(frame)})

    def _accepted(self, frame: FrameType, verdict: Any) -> None:
        attempt = next((a for a in frame.f_locals.values() if hasattr(a, "stage") and hasattr(a, "responses")), None)
        if verdict is None or attempt is None or self._inside("accept"):
            return
        self._add(
            "accept", self.limits.row,
            lambda: {
                "model": self._method.pool[attempt.model].name, "stage": attempt.stage, "accepted": bool(verdict),
                "text": self.words.cut(attempt.text), "values": self._values(frame),
            },
        )  # fmt: skip

    def _aggregated(self, frame: FrameType, text: Any) -> None:
        if text is not None and not self._inside("aggregate"):
            self._add(
                "aggregate", self.limits.row, lambda: {"text": self.words.cut(text), "values": self._values(frame)}
            )

    def _chosen(self, frame: FrameType, chosen: Any) -> None:
        told = frame.f_locals
        if chosen is None:
            return
        options = [
            {
                "model": r.model,
                "answer": None if answer is None else self.words.cut(str(answer)),
                "merit": self.words.number(m),
            }
            for r, answer, m in zip(told["responses"], told["answers"], told["merits"], strict=True)
        ]
        place = next((i for i, response in enumerate(told["responses"]) if response is chosen), None)
        tie = told["self"].tie
        self._add("choice", self.limits.row, lambda: {"options": options, "chosen": place, "tie": tie})

    def _chosen_model(self, frame: FrameType, place: Any) -> None:
        told = frame.f_locals
        if place is None:
            return
        options = [
            {"model": model.name, "answer": None, "merit": self.words.number(merit)}
            for model, merit in zip(told["pool"], told["utilities"], strict=True)
        ]
        tie = told["self"].tie
        self._add("choice", self.limits.row, lambda: {"options": options, "chosen": int(place), "tie": tie})

    # What is written, token by token or span by span.

    def _distribution(self, frame: FrameType, logits: Any) -> None:
        if logits is None or not isinstance(self._method, Fusion) or self._count["step"] >= self.limits.steps:
            return
        model = frame.f_locals["self"].model
        top = self.words.top(softmax(np.asarray(logits, np.float64)), model.vocabulary)
        self._asked.append(({"model": model.name, "top": top}, logits))

    def _stepped(self, frame: FrameType, piece: Any) -> None:
        asked = self._asked

        def step() -> Json:
            merged = self._merged(frame, piece or b"", [logits for _, logits in asked])
            return {
                "models": [of_model for of_model, _ in asked], "merged": merged,
                "piece": None if piece is None else as_text(piece), "values": self._values(frame, rows=False),
            }  # fmt: skip

        if not self._inside("step"):
            self._add("step", self.limits.steps, step)
            self._asked = []

    def _merged(self, frame: FrameType, piece: bytes, raw: Sequence[Any]) -> list[Any] | None:
        """The top of the distribution (or of the scores) that a step has chosen by: the last array that it computed
        whose largest entry stands for the piece that it returned. None where there is no such array.
        """
        told = dict(frame.f_locals)
        method = told.pop("self")
        listed = [v for v in [*told.values(), *vars(method).values()] if is_strings(v)]
        texts = next((v for v in told.values() if isinstance(v, Sequence) and v and hasattr(v[0], "model")), [])
        listed += [text.model.vocabulary for text in texts]
        for values in reversed(list(told.values())):
            if not is_row(values) or any(values is given for given in raw):
                continue
            for strings in listed:
                if len(strings) == len(values) and strings[int(np.argmax(values))] == piece:
                    return self.words.top(values, strings)
        return None

    def _drafted(self, frame: FrameType, made: Any) -> None:
        if made is None or self._inside("write_segment", "write_until"):
            return
        model = frame.f_locals["text"].model.name
        written, ended = (as_text(made.data), made.ended) if hasattr(made, "data") else (made[0], made[2])
        draft = {"model": model, "text": self.words.cut(written), "ended": bool(ended)}
        self._add("draft", self.limits.formulas * 2, lambda: draft)

    def _rated(self, frame: FrameType, logprobs: Any) -> None:
        told = frame.f_locals
        if logprobs is None:
            return
        mean = float(np.mean(logprobs)) if len(logprobs) else None
        self._add(
            "rating", self.limits.formulas * 4,
            lambda: {
                "model": told["self"].model.name, "text": self.words.cut(as_text(told["piece"])),
                "ended": told["ended"], "tokens": len(logprobs), "mean_logprob": self.words.number(mean),
            },
        )  # fmt: skip

    def _advanced(self, _: FrameType, texts: Any) -> None:
        if texts:
            self._add("written", self.limits.formulas, lambda: {"text": self.words.cut(texts[0].text)})

    # What the method's own functions compute.

    def _given(self, frame: FrameType) -> Json:
        """The arguments of a function that begins, as far as there are words for them."""
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        pairs = ((name, self.words.value(frame.f_locals.get(name, NOTHING))) for name in names if name != "self")
        return {name: value for name, value in pairs if value is not NOTHING}

    def _computed(self, frame: FrameType, result: Any) -> None:
        name = frame.f_code.co_name
        given = self._entered[-1][1] if self._entered else {}

        def formula() -> Json:
            # What returns nothing has changed what it was given.
            after = self._given(frame) if result is None else given
            value = self.words.value(result)
            return {"name": name, "given": after, "result": None if value is NOTHING else value}

        self._add("formula", self.limits.formulas, formula, f"formula {name}")

    def _values(self, frame: FrameType, rows: bool = True) -> Json:
        """Numbers, and short rows of them where wanted, among the local variables of a function that returns."""
        code = frame.f_code
        arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        made: Json = {}
        for name, value in frame.f_locals.items():
            row = is_row(value) or (isinstance(value, (list, tuple)) and value and all(map(is_number, value)))
            short = is_number(value) or (rows and row and len(value) <= self.limits.row)
            if short and name not in arguments and name != "_":
                made[name] = self.words.value(value)
        return made

    def _each_model(self, values: Any) -> list[Json]:
        names = self._method.pool.names
        pairs = zip(names, np.ravel(values), strict=True)
        return [{"model": name, "value": self.words.number(value)} for name, value in pairs]

    def learned(self) -> Json:
        """What the method has learned, as far as it is a number, a word or a short row: its attributes whose names
        end in an underscore."""
        pairs = ((name, self.words.value(value)) for name, value in vars(self._method).items() if name.endswith("_"))
        return {name: value for name, value in pairs if value is not NOTHING and len(repr(value)) <= SHORT}


def _decisions(cls: type[Method]) -> list[str]:
    """Names of the functions that decide in a method of its stage."""
    return [name for stage, names in _STAGES.items() if issubclass(cls, stage) for name in names]


def _own(cls: type[Method]) -> Iterator[FunctionType]:
    """The public functions of the file of a method, and of its classes' methods those that are the file's own; the
    whole answer and the learning are no formulas.
    """
    module = inspect.getmodule(cls)
    whole = {"answer", "fit", "members", "begin", "collect", "attempt", "ask", *_decisions(cls)}
    for held in [cls, *vars(module).values()]:
        mine = getattr(held, "__module__", "") == cls.__module__
        parts = list(vars(held).values()) if mine and isinstance(held, type) else [held] if mine else []
        for part in parts:
            function = part.__func__ if isinstance(part, (staticmethod, classmethod)) else inspect.unwrap(part)
            if (
                isinstance(function, FunctionType)
                and function.__module__ == cls.__module__
                and not function.__name__.startswith("_")
                and function.__name__ not in whole
                and not function.__code__.co_flags & _GENERATOR
            ):
                yield function
