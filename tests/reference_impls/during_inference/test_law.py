"""The law of fusion: an ensemble of one model, and of two copies of it, writes what the model alone writes, token for
token. It is held on real tokenizers, by random models (whose tokens are seldom those that the tokenizer would make of
the text) and by fitted ones (which end their responses).

What "the model alone" is for methods that search or draw:

abe                          greedy at beam 1; a wider beam finds likelier texts, as beam search of one model does;
collaborative-beam-search    greedy at temperature 0; with one path and one sample it is one draw of the model, under
                             the same generator;
le-mcts                      greedy at temperature 0, as all models then write one step;
token-router                 greedy, whoever writes, and so for all that hand tokens or steps to another model;
ada-fuse                     greedy at one branch; of several it takes the likeliest words;
spec-fuse                    greedy at temperature 0.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impls.core import Meter, Query, TextSession, TrainingSet, write_until
from reference_impls.running import catalog
from tests.reference_impls import tiny

NAMES = [m.name for m in catalog.methods().values() if m.category.startswith("during/")]
GREEDY = {
    "abe": {"beam": "1"}, "collaborative-beam-search": {"temperature": "0"}, "le-mcts": {"temperature": "0"},
    "token-router": {"base": "one"}, "ada-fuse": {"branches": "1"}, "spec-fuse": {"temperature": "0"},
}  # fmt: skip
LIMIT = 12
#: Makes the models of a style: the model, and a copy of it under another name.
Pair = Callable[[str, bool], list[Any]]
#: What the model of a style writes alone, for each prompt.
Alone = Callable[[str, bool], dict[str, str]]


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    made: dict[tuple[str, bool], list[Any]] = {}

    def make(style: str, fitted: bool) -> list[Any]:
        if (style, fitted) not in made:
            folder = tmp_path_factory.mktemp(style)
            tiny.save(style, folder, spread=0.02 if fitted else 0.5)
            one, two = tiny.load(folder, "one", 2.0), tiny.load(folder, "two", 1.0)
            if fitted:
                tiny.fit(one)
                two.network.load_state_dict(one.network.state_dict())
            made[style, fitted] = [one, two]
        return made[style, fitted]

    return make


@pytest.fixture(scope="session")
def alone(pair: Pair) -> Alone:
    @cache
    def write(style: str, fitted: bool) -> dict[str, str]:
        prompts = tiny.PROMPTS[:4] if fitted else (*tiny.PROMPTS[:3], *tiny.STRANGE)
        return {prompt: pair(style, fitted)[0].generate(prompt, max_tokens=LIMIT)[0].text for prompt in prompts}

    return write


def learn(method: Any, models: list[Any]) -> None:
    """Trains on the models' own responses; the scores say nothing of them."""
    queries = [Query(f"t/{i}", "t", prompt, "text", LIMIT) for i, prompt in enumerate(tiny.PROMPTS[:4])]
    drawn = method.training_samples
    responses = [[m.generate(q.prompt, max_tokens=LIMIT)[0] for m in models] for q in queries]
    samples = [[m.generate(q.prompt, n=drawn, temperature=1.0, max_tokens=LIMIT) for m in models] for q in queries]
    scores = np.array([[1.0, 0.5], [0.5, 1.0]] * 2)[:, : len(models)]  # as good as each other
    sample_scores = np.resize([1.0, 0.0, 0.5], (*scores.shape, drawn))
    names, costs = tuple(m.name for m in models), np.zeros(scores.shape)
    method.fit(TrainingSet(queries, names, responses, scores, costs, samples, sample_scores))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fitted", [False, True], ids=["random", "fitted"])
@pytest.mark.parametrize("style", tiny.STYLES)
def test_one_model_and_two_copies_of_it_write_what_the_model_writes(
    pair: Pair, alone: Alone, style: str, fitted: bool, name: str
) -> None:
    both, expected = pair(style, fitted), alone(style, fitted)
    info = catalog.method(name)
    assert len(set(expected.values())) > 3, "the model tells the prompts apart"
    for models in (both[:1], both):
        method = info.cls(Meter(models).pool, info.parameters(GREEDY.get(name)), np.random.default_rng(0))
        if method.needs_training:
            learn(method, models)
        written = {prompt: method.answer(Query("t/0", "t", prompt, "text", LIMIT)) for prompt in expected}
        assert written == expected


@pytest.mark.parametrize("style", tiny.STYLES)
def test_a_fitted_model_has_learned_what_its_tokens_can_spell(pair: Pair, style: str) -> None:
    model = pair(style, True)[0]
    right = [model.generate(q, max_tokens=60)[0] for q, _ in tiny.FACTS]
    known = [r.text == a for r, (_, a) in zip(right, tiny.FACTS, strict=True)]
    # T5's tokenizer knows no line break and no runs of blanks.
    assert known == ["\n" not in a or style != "t5" for _, a in tiny.FACTS]
    assert all(r.finished for r in right)


@pytest.mark.parametrize("name", ["gac", "packllm", "unite", "chared"])
def test_copies_of_a_model_of_several_special_tokens_end_all_their_responses(pair: Pair, name: str) -> None:
    both = pair("qwen", True)
    info = catalog.method(name)
    method = info.cls(Meter(both).pool, info.parameters(), np.random.default_rng(0))
    written = [method.answer(Query("t/0", "t", prompt, "text", 60)) for prompt in tiny.PROMPTS]
    assert written == [answer for _, answer in tiny.FACTS]


@pytest.mark.parametrize("style", tiny.STYLES)
def test_one_sampled_path_of_the_beam_search_is_one_draw(pair: Pair, style: str) -> None:
    both = pair(style, False)
    info = catalog.method("collaborative-beam-search")
    parameters = info.parameters({"beam": "1", "samples": "1", "temperature": "0.7"})
    for prompt in tiny.PROMPTS[:4]:
        alone, _, _ = write_until(
            TextSession(both[0], prompt), lambda _: False, LIMIT, temperature=0.7, rng=np.random.default_rng(5)
        )
        for models in (both[:1], both):
            method = info.cls(Meter(models).pool, parameters, np.random.default_rng(5))
            assert method.answer(Query("t/0", "t", prompt, "text", LIMIT)) == alone


def test_what_is_read_for_a_response_of_24_tokens(tmp_path: Path) -> None:
    """Every model reads the prompt and, once each, the tokens; the last one is not read."""
    pytest.importorskip("torch")
    folder = tiny.save("qwen", tmp_path, spread=0.5)
    models = [tiny.load(folder, "one", 2.0), tiny.load(folder, "two", 1.0)]
    prompt = next(p for p in tiny.PROMPTS if not models[0].generate(p, max_tokens=24)[0].finished)
    models[0].tokens_read = 0
    size = models[0].start(prompt).prompt_length
    alone = models[0].generate(prompt, max_tokens=24)[0]
    assert alone.completion_tokens == 24
    assert models[0].tokens_read == size + 23
    for name in ("gac", "unite", "packllm", "logit-averaging", "chared", "cool-fusion"):
        info = catalog.method(name)
        for model in models:
            model.tokens_read = 0
        method = info.cls(Meter(models).pool, info.parameters())
        assert method.answer(Query("t/0", "t", prompt, "text", 24)) == alone.text
        read = [m.tokens_read for m in models]
        if name == "cool-fusion":
            # What was written behind a boundary, to see it, is taken back and written again.
            assert max(read) <= size + 2 * 23
        elif name == "packllm":
            # The prompt is read twice, once for the weights behind the token that begins a text, but not its last
            # token; of two copies only one counts, and is asked.
            assert sorted(read) == [size, size + size + 23]
        else:
            assert read == [size + 23] * 2, name
