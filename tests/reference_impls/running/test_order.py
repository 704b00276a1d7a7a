"""The order in which models stand changes nothing: the same models in another order give the same texts.

Models here answer at random, but always the same, and are often silent; they agree often, cost the same in pairs, and
one is the double of another, so that every rule for ties is needed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.benchmarks.base import Item
from reference_impls.core import Floats, Generation, Meter, Price, Query, TrainingSet
from reference_impls.core.meter import Usage
from reference_impls.core.model import Dress, ModelError
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.running import catalog, runner
from reference_impls.running.outcome import Outcome

WORDS = ("red fox", "old mill", "sea", "lamp of the owl")
#: Methods over next-token distributions need other models; their members are taken by price alone.
METHODS = sorted(
    name
    for name, info in catalog.methods().items()
    if not {"distributions", "shared-vocabulary", "scoring"} & set(info.needs)
)
NAMES = ("a", "b", "c", "d", "e")


def number(*about: object) -> int:
    """A number below 2^32 that looks random and depends on what it is about."""
    return int.from_bytes(hashlib.sha256(repr(about).encode()).digest()[:4], "big")


class Chance:
    """A model whose answer to a prompt is drawn from a few, by its voice, the prompt and the seed."""

    context = 0
    dress: Dress = "terse"

    def __init__(self, name: str, voice: str, price: float, sure: bool) -> None:
        self.name, self.voice, self.size, self.sure = name, voice, price, sure
        self.price = Price(price, price)

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,  # noqa: ARG002
        stop: Sequence[str] = (), seed: int = 0,  # noqa: ARG002
    ) -> list[Generation]:  # fmt: skip
        made = []
        for sample in range(n):
            drawn = number(self.voice, prompt, seed + sample if temperature > 0 else "greedy")
            text = ("= 1", "so = 1", "= 2", "it is 3", "", "none", "4", "yes")[drawn % 8]
            pieces = tuple(text.split())
            logprobs = tuple(-(drawn % 5) / 4 - 0.1 for _ in pieces) if self.sure else ()
            made.append(Generation(self.name, text, pieces, logprobs, 10, len(pieces), 1.0))
        return made

    def score(self, prompt: str, continuation: str) -> Floats:  # noqa: ARG002
        return np.zeros(len(continuation.split()))


def models(order: Sequence[int], sure: bool) -> list[Chance]:
    """e is the double of a at the same price; b and c cost the same."""
    known = [Chance(n, n.replace("e", "a"), p, sure) for n, p in zip(NAMES, (1.0, 2.0, 2.0, 3.0, 1.0), strict=True)]
    return [known[i] for i in order]


class Place:
    """Queries for models in some order, as the runner wants them."""

    label, pool, split = "chance", "chance", "test"

    def __init__(self, order: Sequence[int], *, sure: bool = True, held_out: bool = True) -> None:
        self.models = models(order, sure)
        self.items = [self.item("test", i) for i in range(6)]
        self._held_out = held_out

    @staticmethod
    def item(split: str, i: int) -> Item:
        prompt = f"{WORDS[i % 4]} {WORDS[number(split, i) % 4]} {i % 3}?"
        right = str(number(prompt) % 3 + 1)
        return Item(Query(f"{split}/{i}", f"t{i % 2}", prompt, "number"), {"answer": right}, "easy", f" {right}")

    @staticmethod
    def right(item: Item, text: str) -> float:
        return float(text.endswith(item.reference["answer"]))

    def check(self, info: MethodInfo, method: Method) -> None:
        pass

    def training_set(self, info: MethodInfo, samples: int) -> tuple[TrainingSet, str]:  # noqa: ARG002
        items = [self.item("train", i) for i in range(24)]
        greedy = [[m.generate(i.query.prompt)[0] for m in self.models] for i in items]
        drawn = [
            [m.generate(i.query.prompt, n=samples, temperature=1.0) if samples else [] for m in self.models]
            for i in items
        ]  # fmt: skip
        scores = np.array([[self.right(i, r.text) for r in row] for i, row in zip(items, greedy, strict=True)])
        more = [[[self.right(i, r.text) for r in c] for c in row] for i, row in zip(items, drawn, strict=True)]
        costs = np.array([[m.price.of(r.prompt_tokens, r.completion_tokens) for m, r in zip(self.models, row, strict=True)] for row in greedy])  # fmt: skip # noqa: E501
        names = tuple(m.name for m in self.models)
        table = np.array(more, float).reshape(len(items), len(names), samples)
        return TrainingSet([i.query for i in items], names, greedy, scores, costs, drawn, table), "train"

    def accuracies(self) -> Mapping[str, float]:
        if not self._held_out:
            return {}
        scores = self.training_set(catalog.method("single"), 0)[0].scores.mean(0)
        return dict(zip((m.name for m in self.models), scores.tolist(), strict=True))

    def begin(self, item: Item) -> None:
        self._item = item

    def outcome(self, text: str, usage: Usage) -> Outcome:
        return Outcome(self._item.query.id, self._item.level, text, self.right(self._item, text), usage)


def answers(name: str, place: Place, seed: int = 0) -> list[Any]:
    """Texts, ties, models called and costs of a run."""
    info = catalog.method(name)
    rng = np.random.default_rng([seed, 1])
    outcomes, _ = runner.answer_all(info, info.parameters(), place, rng)
    return [(o.text, o.tie, sorted(o.usage.models), round(o.usage.cost, 12)) for o in outcomes]


@pytest.mark.parametrize("name", METHODS)
@settings(deadline=None, max_examples=6)
@given(order=st.permutations(range(5)), sure=st.booleans(), held_out=st.booleans())
def test_a_run_gives_the_same_texts_in_any_order(name: str, order: list[int], sure: bool, held_out: bool) -> None:
    if name == "quantile-deferral":
        sure = True
    first = answers(name, Place(range(5), sure=sure, held_out=held_out))
    assert answers(name, Place(order, sure=sure, held_out=held_out)) == first


def direct(name: str, place: Place, held_out: bool) -> list[tuple[str, str]]:
    """Texts and ties of the method itself, on the models as they stand."""
    info = catalog.method(name)
    meter = Meter(place.models)
    method = info.cls(meter.pool, info.parameters(), np.random.default_rng(3))
    if held_out:
        method.choice.accuracies = place.accuracies
    if method.needs_training:
        method.fit(place.training_set(info, method.training_samples)[0])
    made = []
    for item in place.items:
        method.choice.tie = ""
        made.append((method.answer(item.query), method.choice.tie))
    meter.close()
    return made


@pytest.mark.parametrize("name", METHODS)
@settings(deadline=None, max_examples=6)
@given(order=st.permutations(range(5)), held_out=st.booleans())
def test_so_does_the_method_without_the_runner(name: str, order: list[int], held_out: bool) -> None:
    assert direct(name, Place(order), held_out) == direct(name, Place(range(5)), held_out)


class Broken(Chance):
    """A model whose calls fail, after one response has come if more than one was asked for."""

    came = 0

    def generate(self, prompt: str, *, n: int = 1, **how: Any) -> list[Generation]:
        paid = super().generate(prompt, n=1, **how) if n > 1 else []
        self.came += sum(bool(response.text) for response in paid)  # what is billed without a text is no response
        raise ModelError(f"{self.name}: the server is down", paid)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_a_call_that_fails_is_an_abstention_and_is_told(order: Sequence[int]) -> None:
    place = Place(range(2), held_out=False)
    broken = Broken("broken", "b", 0.5, True)
    models = [*place.models, broken]
    place.models = [models[i] for i in order]
    info = catalog.method("majority-vote")
    outcomes, told = runner.answer_all(info, info.parameters(), place, np.random.default_rng(0))
    assert [o.text for o in outcomes] == [
        text for text, *_ in answers("majority-vote", Place(range(2), held_out=False))
    ]
    assert told["abstentions"]["broken"] == told["responses"]["broken"] == 6
    assert told["failed"] == {"broken: the server is down": 6}
    sampled = info.parameters({"samples": "3", "temperature": "1"})
    _, told = runner.answer_all(info, sampled, place, np.random.default_rng(0))
    assert broken.came > 0
    assert told["failed"] == {"broken: the server is down": 18 - broken.came}, "one of three samples may come"
    place.models = models[2:]
    with pytest.raises(runner.CannotRunError, match="no call has brought a response: broken: the server is down"):
        runner.answer_all(info, info.parameters(), place, np.random.default_rng(0))
