"""The meter counts every call, and nothing that a method is handed leads around it."""

import dataclasses
import gc
import math
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS, Benchmark, Item, Problem
from reference_impls.core import Generation, Meter, ModelError, Pool, Price, Query, TrainingSet, billed, cost_of
from reference_impls.core.model import UNKNOWN_PRICE
from reference_impls.running import catalog
from reference_impls.running.responses import Scorer, StoredModel, stored, training_set
from tests.reference_impls.fakes import ScriptedModel, TableModel, constant


def reachable(*roots: object) -> Iterator[object]:
    """Everything that attributes, containers, closures and bound methods lead to from some objects.

    Modules, classes and functions' globals are the boundary: whoever goes through those has imported
    something, and what a method file may import is held by `test_methods_import_core_only`.
    """
    seen: set[int] = set()
    queue = list(roots)
    keep = []
    while queue:
        thing = queue.pop()
        if id(thing) in seen or isinstance(thing, (type, types.ModuleType, types.BuiltinFunctionType)):
            continue
        seen.add(id(thing))
        keep.append(thing)
        yield thing
        if isinstance(thing, types.FunctionType):
            queue += [c.cell_contents for c in thing.__closure__ or () if c.cell_contents is not None]
            queue += [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
            queue.append(thing.__dict__)
        else:
            queue += gc.get_referents(thing)
            queue += [getattr(thing, s, None) for c in type(thing).__mro__ for s in getattr(c, "__slots__", ())]


def forbidden(thing: object, secrets: set[int]) -> bool:
    return (
        isinstance(thing, (Benchmark, Problem, Item, Scorer, StoredModel, ScriptedModel, TableModel, Meter))
        or id(thing) in secrets
        or type(thing).__module__.startswith(("reference_impls.backends", "onnxruntime"))
    )


def test_the_walk_finds_what_is_hidden() -> None:
    """The walk itself works: it sees through closures, defaults, slots and containers."""
    secret = constant("secret", "x")

    def closure() -> Any:
        return secret

    def default(model: Any = secret) -> Any:
        return model

    for hiding in (closure, default, [{"a": (secret,)}], types.SimpleNamespace(x=closure)):
        assert any(forbidden(thing, set()) for thing in reachable(hiding))


def test_nothing_handed_to_a_method_leads_to_a_reference_a_scorer_or_an_unmetered_model() -> None:
    bench = BENCHMARKS["math"]
    models = stored(catalog.pool("weak-strong"))
    items = bench.items("test")[:5]
    train = training_set(bench, models, 2, limit=6)
    meter = Meter(models)
    # References as objects, so that the very dictionaries of the test split are looked for.
    secrets = {id(item.reference) for split in ("train", "test") for item in bench.items(split)}
    secrets |= {id(p.reference) for problems in bench._drawn.values() for p in problems}
    for name, info in catalog.methods().items():
        method = info.cls(meter.pool, info.parameters(), np.random.default_rng(0))
        if method.needs_training and info.cls.training_samples <= 2:
            method.fit(train)
            method.answer(items[0].query)
        handed = (method, meter.pool, train, [item.query for item in items])
        found = [type(thing) for thing in reachable(*handed) if forbidden(thing, secrets)]
        assert not found, f"{name} can reach {found}"
    sessions = [model.start("Q: 1 + 1 = ?\nA:") for model in meter.pool.token_models()]
    for session in sessions:
        session.next_logits()
    assert not [type(t) for t in reachable(sessions) if forbidden(t, secrets)]


def test_a_query_has_no_field_for_a_reference() -> None:
    assert set(Query.__slots__) == {"id", "task", "prompt", "kind", "max_tokens", "stop", "options"}
    assert not any("reference" in name or "answer" in name for name in TrainingSet.__dataclass_fields__)


def test_every_call_is_counted() -> None:
    cheap, dear = constant("cheap", "a b", 1.0), ScriptedModel("dear", lambda _p, _s: ("a b c", -1.0), 10.0, 3.0)
    meter = Meter([cheap, dear])
    meter.begin()
    meter.pool[0].generate("q", n=2, temperature=1.0)
    meter.pool[1].generate("q")
    usage = meter.end()
    assert usage.models == ["cheap", "dear"]
    assert usage.calls == 3
    assert usage.prompt_tokens == 20, "the prompt of several samples is read once"
    assert usage.completion_tokens == 7
    assert usage.tokens_by_model == {"cheap": 4, "dear": 3}
    assert usage.cost == pytest.approx((10 + 4) * 1e-6 + (10 + 3) * 1e-5)
    assert usage.latency == usage.critical_path == pytest.approx(5.0)


def test_a_recorded_cost_is_billed_instead_of_price_times_tokens() -> None:
    class Recorded(ScriptedModel):
        def generate(self, prompt: str, **more: Any) -> list[Generation]:
            paid = [0.25, None]
            given = super().generate(prompt, **more)
            return [dataclasses.replace(g, cost=cost) for g, cost in zip(given, paid, strict=False)]

    meter = Meter([Recorded("a", lambda _p, _s: ("x y", -1.0), 2.0)])
    meter.begin()
    meter.pool[0].generate("q")
    assert meter.end().cost == 0.25
    meter.begin()
    meter.pool[0].generate("q", n=2)
    assert meter.end().cost == pytest.approx(0.25 + (10 + 2) * 2e-6), "of the other sample no cost was recorded"


def test_what_is_not_known_is_not_booked_as_nothing() -> None:
    class Silent(ScriptedModel):
        """Tells no tokens."""

        def generate(self, prompt: str, **more: Any) -> list[Generation]:
            given = super().generate(prompt, **more)
            return [dataclasses.replace(g, prompt_tokens=None, completion_tokens=None) for g in given]

    known, silent = constant("known", "a b", 2.0), Silent("silent", lambda _p, _s: ("a", -1.0), 1.0)
    free = ScriptedModel("unpriced", lambda _p, _s: ("a", -1.0))
    free.price = UNKNOWN_PRICE
    meter = Meter([known, silent, free])

    def unknown(*models: int) -> set[str]:
        meter.begin()
        for i in models:
            meter.pool[i].generate("q")
        usage = meter.end()
        assert math.isnan(usage.cost) == ("cost" in usage.unknown)
        return usage.unknown

    assert unknown(0) == set()
    assert unknown(0, 1) == {"prompt_tokens", "completion_tokens", "tokens_by_model", "cost"}
    assert unknown(2, 0) == {"cost"}, "its tokens are known, its price is not"
    assert unknown(0) == set(), "what one query does not tell says nothing of the next"
    assert meter.pool.prices.tolist() == [0, 0, 0], "nobody knows which is the cheapest"
    meter.begin()
    meter.pool[0].score("a prompt", "and its end")
    usage = meter.end()
    assert usage.unknown == {"prompt_tokens", "cost"}, (
        "a model that shows no tokens: those of the prompt are read too"
    )
    assert usage.completion_tokens == 0


def test_the_prompt_is_billed_once_a_request() -> None:
    class OneByOne(ScriptedModel):
        """Asks its server once a sample; 4 of the 10 tokens of each prompt were cached."""

        def generate(self, prompt: str, **more: Any) -> list[Generation]:
            given = super().generate(prompt, **more)
            return [dataclasses.replace(g, request=i, cached_tokens=4) for i, g in enumerate(given)]

    model = OneByOne("m", lambda _p, _s: ("a b", -1.0))
    model.price = Price(3.0, 5.0, cached=1.0)
    meter = Meter([model])
    meter.begin()
    responses = meter.pool[0].generate("q", n=3)
    usage = meter.end()
    assert (usage.prompt_tokens, usage.completion_tokens) == (30, 6) == billed(responses)
    assert usage.cost == pytest.approx(3 * (6 * 3.0 + 4 * 1.0 + 2 * 5.0) / 1e6) == cost_of(model.price, responses)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99) | st.none(), st.floats(0, 9) | st.none()), max_size=8)
)
def test_a_bill_adds_up_or_is_unknown(parts: list[tuple[int, int | None, float | None]]) -> None:
    """Whatever is known of some responses, their cost is a sum of payments and prices, or unknown."""
    price = Price(1.0, 2.0)
    responses = [
        Generation("m", "", prompt_tokens=7, completion_tokens=c, cost=paid, request=r) for r, c, paid in parts
    ]
    total = cost_of(price, responses)
    assert math.isnan(total) == any(c is None and paid is None for _, c, paid in parts)
    if all(paid is not None for *_, paid in parts):
        assert total == pytest.approx(sum(paid or 0 for *_, paid in parts))
    if all(paid is None for *_, paid in parts) and not math.isnan(total):
        requests = len({r for r, *_ in parts})
        assert total == pytest.approx((7 * requests + 2 * sum(c or 0 for _, c, _ in parts)) / 1e6)


def test_a_call_that_failed_is_billed_for_what_it_has_cost() -> None:
    class Breaks(ScriptedModel):
        def generate(self, prompt: str, **more: Any) -> list[Generation]:  # noqa: ARG002
            raise ModelError("the second of two samples failed", super().generate(prompt, n=1))

    class Short(ScriptedModel):
        def generate(self, prompt: str, **more: Any) -> list[Generation]:  # noqa: ARG002
            return super().generate(prompt, n=1)

    for kind, says in ((Breaks, "failed"), (Short, "m: 1 of 2 responses came")):
        meter = Meter([kind("m", lambda _p, _s: ("a b c", -1.0))])
        meter.begin()
        with pytest.raises(ModelError, match=says):
            meter.pool[0].generate("q", n=2)
        usage = meter.end()
        assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (1, 10, 3)
        assert usage.cost == pytest.approx(13e-6)


def test_the_critical_path_of_calls_side_by_side() -> None:
    models = [ScriptedModel(n, lambda _p, _s: ("a", 0.0), 1.0, s) for n, s in (("a", 1.0), ("b", 4.0), ("c", 2.0))]
    meter = Meter(models)
    meter.begin()
    with meter.pool.parallel():
        for model in meter.pool:
            model.generate("q")
        with meter.pool.parallel():  # joins the outer block
            meter.pool[2].generate("q", n=2, temperature=1.0)
    meter.pool[0].generate("q")
    usage = meter.end()
    # a: 1, b: 4, c: 2 + 2 * 2 = 6 -> 6, and then a alone: 1
    assert usage.critical_path == pytest.approx(7.0)
    assert usage.latency == pytest.approx(1 + 4 + 2 + 4 + 1)


def test_sessions_are_counted_and_forgotten() -> None:
    from reference_impls.core import meter as module  # noqa: PLC0415

    model = TableModel("t", [b"", b"a", b"b"], {})
    meter = Meter([model])
    before = len(module._table)
    meter.begin()
    (metered,) = meter.pool.token_models()
    session = metered.start("aab")
    session.next_logits()
    session.append(1, 2)
    twin = session.fork()
    twin.append(1)
    twin.next_logits()
    assert session.tokens == (1, 2)
    assert twin.tokens == (1, 2, 1)
    assert session.score([1, 2]).shape == (2,)
    usage = meter.end()
    assert usage.calls == 2
    # Read: the start and its three tokens. The first distribution is a written token, and the next one appended
    # belongs to it; the twin's distribution is the second, and before it the twin reads two more. The session reads
    # its own second token and the two that it scores.
    assert usage.prompt_tokens == 4 + 2 + (1 + 2)
    assert usage.completion_tokens == 2
    assert usage.forward_seconds == pytest.approx(0.002)
    del session, twin
    assert len(module._table) == before


def test_a_model_driven_token_by_token_pays_what_generating_costs() -> None:
    table = {"": {b"a": 0.9}, "a": {b"b": 0.9}, "ab": {b"": 0.9}}
    model = TableModel("t", [b"", b"a", b"b"], table)
    for limit in (2, 9):
        meter = Meter([model])
        meter.begin()
        (metered,) = meter.pool.token_models()
        session = metered.start("")
        for _ in range(limit):
            token = int(session.next_logits().argmax())
            if token == model.end_token:
                break
            session.append(token)
        driven = meter.end()
        response = model.generate("", max_tokens=limit)[0]
        assert driven.completion_tokens == response.completion_tokens == min(limit, 3), "the end is one of them"
        assert driven.prompt_tokens == 1
        assert driven.cost == model.price.of(1, response.completion_tokens)


def test_what_a_session_reads_and_writes() -> None:
    model = TableModel("t", [b"", b"a", b"b"], {})

    def used(steps: str) -> tuple[int, int]:
        """(read, written) of steps: n asks, a appends a token, r takes one back, s scores two tokens."""
        meter = Meter([model])
        meter.begin()
        (metered,) = meter.pool.token_models()
        session = metered.start("")
        for step in steps:
            if step == "n":
                session.next_logits()
            elif step == "a":
                session.append(1)
            elif step == "r":
                session.rollback(1)
            else:
                session.score([1, 2])
        usage = meter.end()
        return usage.prompt_tokens - 1, usage.completion_tokens

    assert used("nan") == (0, 2), "its own token, or another's in its place"
    assert used("naaan") == (2, 2), "a piece of three tokens: two are read beside the one that was due"
    assert used("aaan") == (3, 1), "a text that others wrote is read before the first distribution"
    assert used("nn") == (0, 1), "nothing new is computed"
    assert used("naaa") == (0, 1), "what no pass reads costs nothing"
    assert used("nanraan") == (1, 3), "a token cut differently after it was read: taken back, two read for it"
    assert used("nas") == (2, 1), "scoring is reading"
    assert used("sas") == (2 + 1 + 2, 0)


def test_logits_may_be_written_into() -> None:
    """A method that changes what it got does not change the session's own copy."""
    (model,) = Meter(catalog.pool("sprout")).pool.token_models()
    session = model.start("Q: 1 + 1 = ?\nA:")
    first = session.next_logits()
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(session.next_logits(), kept)


def test_a_closed_meter_says_so() -> None:
    meter = Meter([constant("a", "x")])
    meter.close()
    with pytest.raises(RuntimeError, match="closed"):
        meter.pool[0].generate("q")


def test_a_pool_refuses_twins_and_emptiness() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Pool([])
    with pytest.raises(ValueError, match="same name"):
        Pool([constant("a", "x"), constant("a", "y")])
    with pytest.raises(ValueError, match="did you mean 'alpha'"):
        Pool([constant("alpha", "x")]).index("alpa")
