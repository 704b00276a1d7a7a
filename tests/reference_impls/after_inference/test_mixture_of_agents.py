"""Mixture-of-Agents against cases worked by hand and a recursive reading of its equation."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.mixture_of_agents import MixtureOfAgents, Parameters
from reference_impls.core import Generation, Meter, Pool, Query, drafts_of, fuse_prompt
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "qa", "Q: river?\nA:", "short")


def speaker(name: str, price: float) -> ScriptedModel:
    """Says its name and, in brackets, the drafts it has read: the text shows who read what."""

    def answer(prompt: str, _sample: int) -> tuple[str, float]:
        read = [line.removeprefix("Draft: ") for line in prompt.splitlines() if line.startswith("Draft: ")]
        return f"{name}({' '.join(read)})" if read else name, -1.0

    return ScriptedModel(name, answer, price)


class Recorder(ScriptedModel):
    """Keeps every prompt and the settings it was called with; refuses prompts longer than `context` characters."""

    def __init__(self, name: str, text: str, price: float = 1.0, context: int = 10**6) -> None:
        super().__init__(name, lambda _p, _s: (text, -1.0), price)
        self.context = context
        self.seen: list[tuple[str, float, int]] = []

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        if len(prompt) > self.context:
            raise ValueError("the text is too long")
        self.seen.append((prompt, temperature, seed))
        return super().generate(prompt, n=n, temperature=temperature, max_tokens=max_tokens, stop=stop, seed=seed)


def test_worked_by_hand() -> None:
    """Two proposers, two layers: every model of layer 2 reads both of layer 1, the aggregator both of layer 2."""
    pool = Meter([speaker("a", 1), speaker("b", 2), speaker("c", 3)]).pool
    answer = MixtureOfAgents(pool, Parameters(layers=2, proposers=2)).answer(QUERY)
    # Dearest first: layer 1 says c, b; layer 2 says c(c b), b(c b); the aggregator is c.
    assert answer == "c(c(c b) b(c b))"
    other = MixtureOfAgents(pool, Parameters(layers=1, proposers=0, aggregator="a")).answer(QUERY)
    assert other == "a(c b a)"


def recursive(pool: Pool, model: int, layer: int, order: Sequence[int]) -> str:
    """A_model(x; y(layer)), where y(0) is nothing: the paper's equation read from the end."""
    drafts = [recursive(pool, m, layer - 1, order) for m in order] if layer else []
    prompt = fuse_prompt(QUERY.prompt, drafts) if drafts else QUERY.prompt
    return pool[model].generate(prompt)[0].text


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 4), st.integers(0, 3))
def test_it_is_the_recursion_and_makes_nl_plus_one_calls_on_a_path_of_l_plus_one(n: int, layers: int) -> None:
    meter = Meter([speaker("abcd"[i], i + 1) for i in range(n)])
    order = list(range(n))[::-1]
    expected = recursive(meter.pool, order[0], layers, order)
    meter.begin()
    assert MixtureOfAgents(meter.pool, Parameters(layers=layers, proposers=0)).answer(QUERY) == expected
    usage = meter.end()
    assert usage.calls == n * layers + 1
    assert usage.critical_path == pytest.approx(layers + 1), "a layer's calls run side by side, one second each"


def test_without_layers_it_is_the_aggregator_alone() -> None:
    meter = Meter([constant("a", "from a", 1), constant("b", "from b", 2)])
    meter.begin()
    assert MixtureOfAgents(meter.pool, Parameters(layers=0)).answer(QUERY) == "from b"
    assert MixtureOfAgents(meter.pool, Parameters(layers=0, aggregator="a")).answer(QUERY) == "from a"
    assert meter.end().calls == 2


def test_a_permutation_of_the_models_changes_nothing() -> None:
    models = [speaker("a", 1), speaker("b", 2), speaker("c", 3), speaker("d", 4)]
    answers = {
        MixtureOfAgents(Meter([models[i] for i in order]).pool).answer(QUERY)
        for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1])
    }
    assert len(answers) == 1


def test_drafts_of_numbers_are_the_final_ones_and_empty_drafts_are_left_out() -> None:
    assert drafts_of(["7+5=12\n= 132", "", "no idea"], "number") == ["132", "no idea"]
    assert drafts_of([" two\nlines ", " "], "text") == ["two\nlines"]
    a, b, c = Recorder("a", "1+1=2\n= 2", 1), Recorder("b", " ", 2), Recorder("c", "= 3", 3)
    query = Query("t/1", "math", "Q: 1 + 1 = ?\nA:", "number")
    MixtureOfAgents(Meter([a, b, c]).pool, Parameters(layers=1)).answer(query)
    assert [prompt for prompt, _, _ in c.seen] == [query.prompt, "Q: 1 + 1 = ?\nDraft: 3\nDraft: 2\nA:"]


def test_drafts_that_do_not_fit_are_dropped_from_the_end() -> None:
    first, second = "x" * 30, "y" * 30
    both = len(fuse_prompt(QUERY.prompt, [first, second]))
    for context, drafts in ((both, [first, second]), (both - 1, [first]), (len(QUERY.prompt), [])):
        a, b = Recorder("a", second, 1), Recorder("b", first, 2)
        reader = Recorder("reader", "done", 0.5, context)
        method = MixtureOfAgents(Meter([a, b, reader]).pool, Parameters(1, 2, "reader"))
        assert method.answer(QUERY) == "done"
        assert reader.seen[-1][0] == (fuse_prompt(QUERY.prompt, drafts) if drafts else QUERY.prompt)


def test_greedy_by_default_and_fresh_seeds_when_sampling() -> None:
    model = Recorder("a", "text")
    MixtureOfAgents(Meter([model]).pool).answer(QUERY)
    assert {(t, s) for _, t, s in model.seen} == {(0.0, 0)}
    model.seen.clear()
    MixtureOfAgents(Meter([model]).pool, Parameters(temperature=0.7)).answer(QUERY)
    assert {t for _, t, _ in model.seen} == {0.7}
    assert len({s for _, _, s in model.seen}) == 3


def test_a_wrong_aggregator_gets_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'willow'"):
        MixtureOfAgents(Meter([constant("willow", "x")]).pool, Parameters(aggregator="wilow")).answer(QUERY)
