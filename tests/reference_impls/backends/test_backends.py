"""Backends: the built-in models' cache, recorded answers, and clear errors."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from reference_impls.backends import replay, transformers
from reference_impls.backends.builtin import BuiltinModel, load
from reference_impls.core import Meter, Model, Price, TokenModel, cost_of, log_softmax
from reference_impls.running import catalog

PROMPT = "Q: 47 + 85 = ?\nA:"
NAMES = catalog.BUILTIN_POOLS["builtin"]


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_model_keeps_its_promises(name: str) -> None:
    model = load(name)
    assert isinstance(model, Model)
    assert isinstance(model, TokenModel)
    ids = model.encode(PROMPT)
    assert model.decode(ids) == PROMPT
    whole = model.start(PROMPT + " 12").next_logits()
    piece = model.start(PROMPT)
    for token in model.encode(" 12"):
        piece.next_logits()
        piece.append(token)
    assert model.encode(PROMPT) + model.encode(" 12") == model.encode(PROMPT + " 12"), "prompts end at a token"
    assert piece.next_logits() == pytest.approx(whole, abs=1e-3), "the cache changes nothing"
    greedy = model.generate(PROMPT, max_tokens=60)[0]
    assert model.generate(PROMPT, max_tokens=60)[0].text == greedy.text
    assert greedy.completion_tokens == len(greedy.logprobs)
    assert len(greedy.tokens) == len(greedy.logprobs) - greedy.finished
    assert "".join(greedy.tokens) == greedy.text
    # The log-probabilities told while writing are those that scoring the text gives.
    scored = model.score(PROMPT, greedy.text)
    if len(scored) == len(greedy.tokens):  # the text may have a shorter tokenisation than the one it was written in
        assert scored == pytest.approx(greedy.logprobs[: len(scored)], abs=1e-3)


def test_forks_and_rollbacks() -> None:
    model = load("sprout")
    session = model.start(PROMPT)
    first = session.next_logits()
    tokens = model.encode(" 47+85")
    session.append(*tokens)
    later = session.next_logits()
    twin = session.fork()
    twin.append(*tokens)
    twin.next_logits()
    assert session.next_logits() == pytest.approx(later)
    twin.rollback(len(tokens))
    assert twin.next_logits() == pytest.approx(later, abs=1e-3)
    twin.rollback(len(tokens))
    assert twin.next_logits() == pytest.approx(first, abs=1e-3)
    assert twin.tokens == ()
    with pytest.raises(ValueError, match="take back"):
        twin.rollback(1)


def test_scoring_is_the_sum_of_steps() -> None:
    model = load("sprout")
    session = model.start(PROMPT)
    tokens = model.encode(" 47+85\n7+5=12")
    scores = session.score(tokens)
    assert session.tokens == ()
    for token, score in zip(tokens, scores, strict=True):
        assert log_softmax(session.next_logits())[token] == pytest.approx(score, abs=1e-3)
        session.append(token)
    assert session.score([]).shape == (0,)


def test_samples_differ_and_repeat() -> None:
    model = load("sprout")
    samples = [g.text for g in model.generate(PROMPT, n=8, temperature=1.0, seed=3)]
    assert len(set(samples)) > 1
    assert samples == [g.text for g in model.generate(PROMPT, n=8, temperature=1.0, seed=3)]
    assert samples != [g.text for g in model.generate(PROMPT, n=8, temperature=1.0, seed=4)]


def test_many_prompts_at_once_give_what_one_at_a_time_gives() -> None:
    model = load("sprout")
    prompts = [f"Q: {a} + {b} = ?\nA:" for a, b in ((12, 34), (56, 78), (123, 456), (11, 99))]
    batch = model.generate_batch(prompts, max_tokens=50)
    assert [g.text for g in batch] == [model.generate(p, max_tokens=50)[0].text for p in prompts]


def test_stop_texts_and_limits() -> None:
    model = load("sprout")
    full = model.generate(PROMPT, max_tokens=60)[0].text
    stop = full.strip()[2]
    cut = model.generate(PROMPT, max_tokens=60, stop=(stop,))[0]
    assert stop not in cut.text
    assert full.startswith(cut.text)
    short = model.generate(PROMPT, max_tokens=2)[0]
    assert short.completion_tokens == 2
    assert not short.finished
    with pytest.raises(ValueError, match="longer than"):
        model.start("x y " * 600).next_logits()


def test_the_end_of_the_context() -> None:
    model = load("sprout")
    word = next(i for i, token in enumerate(model.vocabulary) if token == b"a")

    def prompt(tokens: int) -> str:
        """A text that is so many tokens long with the one that begins it."""
        text = " 1" * tokens
        while len(model.encode(text)) >= tokens:
            text = text[:-1]
        assert len(model.encode(text)) == tokens - 1
        return text

    for tokens in (model.context, model.context + 1):
        with pytest.raises(ValueError, match=f"sprout: a prompt of {tokens} tokens leaves no room") as caught:
            model.generate(prompt(tokens))
        assert "\n" not in str(caught.value)
    cut = model.generate(prompt(model.context - 2), max_tokens=60)[0]
    assert cut.completion_tokens in (1, 2)
    endless = model.generate(prompt(model.context - 2), max_tokens=60, temperature=50.0, n=20)
    assert any(not g.finished for g in endless), "at so high a temperature the end is seldom drawn"
    assert all(g.completion_tokens == 2 for g in endless if not g.finished)
    # A session reads a text that fills the context, and no more.
    session = model.start(prompt(model.context))
    assert session.next_logits().shape == (len(model.vocabulary),)
    session.append(word)
    with pytest.raises(ValueError, match="longer than the context of 512"):
        session.next_logits()


def test_a_missing_model_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make models"):
        BuiltinModel("oak", tmp_path)


def test_the_pool_fits_its_limits() -> None:
    models = [load(name) for name in NAMES]
    assert len(models) >= 6
    assert len({tuple(m.vocabulary) for m in models}) >= 3
    assert len({tuple(m.vocabulary) for m in models}) < len(models), "two share one"
    assert any(len(m.vocabulary) == 257 for m in models), "one reads bytes"
    assert 0.05 < min(m.size for m in models) < 0.2
    assert 1.5 < max(m.size for m in models) < 2.5
    by_size = sorted(models, key=lambda m: m.size)
    assert by_size == sorted(models, key=lambda m: m.price.completion)
    folder = Path(catalog.__file__).parents[1] / "models" / "weights"
    assert sum(f.stat().st_size for f in folder.iterdir()) < 15e6


def test_recorded_answers(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    lines: list[dict[str, Any]] = [
        {"model": "m", "price": [1, 2], "size": 7000},
        {"prompt": "p", "text": "a", "prompt_tokens": 3, "completion_tokens": 1, "latency": 2.5},
        {"prompt": "p", "text": "b", "completion_tokens": 1},
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    model = replay.load(path)
    assert isinstance(model, Model)
    assert not isinstance(model, TokenModel)
    assert [g.text for g in model.generate("p")] == ["a"]
    assert model.generate("p")[0].latency == 2.5
    assert {g.text for g in model.generate("p", n=2, temperature=1.0, seed=5)} == {"a", "b"}
    with pytest.raises(LookupError, match="no recorded response"):
        model.generate("other")
    with pytest.raises(LookupError, match="3 samples wanted, 2 recorded"):
        model.generate("p", n=3)
    meter = Meter([model])
    meter.begin()
    meter.pool[0].generate("p")
    assert not meter.end().unknown
    meter.begin()
    meter.pool[0].generate("p", n=2, temperature=1.0)
    assert meter.end().unknown == {"prompt_tokens", "cost", "latency", "critical_path"}, "of the second one"
    path.write_text(json.dumps(lines[0] | {"price": None}) + "\n" + json.dumps(lines[1] | {"cost": 0.5}))
    assert cost_of(replay.load(path).price, replay.load(path).generate("p")) == 0.5


@pytest.mark.parametrize(
    "line",
    [
        "not json", "[]", "7", "[" * 100_000, '{"prompt": "p"}', '{"prompt": "p", "text": null}',
        '{"prompt": 7, "text": "a"}', '{"prompt": "p", "text": "a", "prompt_tokens": "many"}',
        '{"prompt": "p", "text": "a", "completion_tokens": -1}', '{"prompt": "p", "text": "a", "cost": NaN}',
        '{"prompt": "p", "text": "a", "tokens": [1]}', '{"prompt": "p", "text": "a", "logprobs": [0.5]}',
        '{"prompt": "p", "text": "a", "logprobs": 3}', '{"prompt": "p", "text": "a", "finished": "no"}',
    ],
)  # fmt: skip
def test_a_recorded_line_that_is_none(tmp_path: Path, line: str) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"model": "m", "price": [1, 2]}) + f"\n{line}\n")
    with pytest.raises(ValueError, match=r"m\.jsonl:2") as caught:
        replay.load(path)
    assert len(str(caught.value)) < 300
    for price in ("free", [1], [1, -2], [1, "2"]):
        path.write_text(json.dumps({"model": "m", "price": price}))
        with pytest.raises(ValueError, match=r"m\.jsonl:1"):
            replay.load(path)


def test_transformers_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(ModuleNotFoundError, match="pip install transformers torch"):
        transformers.TransformersModel("x", Price(0, 0))


@pytest.mark.parametrize(
    ("tokens", "spelt"),
    [
        # GPT-2's characters that stand for bytes; `<0x41>` is what it says.
        (["</s>", "\u0120the", "\u010a", "<0x41>", "b", "\u00e9"], [b"", b" the", b"\n", b"<0x41>", b"b", b"\xe9"]),
        # SentencePiece: letters are letters, whatever they stand for elsewhere.
        (["</s>", "\u2581a", "<0x41>", "b", "\u00e9", "\u0120"], [b"", b" a", b"A", b"b", b"\xc3\xa9", b"\xc4\xa0"]),
        (["</s>", "\u5317\u4eac", "\u00e9"], [b"", "\u5317\u4eac".encode(), b"\xc3\xa9"]),
    ],
)
def test_the_whole_vocabulary_tells_what_a_token_spells(tokens: list[str], spelt: list[bytes]) -> None:
    class Fake:
        all_special_ids: ClassVar[list[int]] = [0]

        def __len__(self) -> int:
            return len(tokens)

        def convert_ids_to_tokens(self, ids: range) -> list[str]:
            return [tokens[i] for i in ids]

    assert transformers.byte_form(Fake()) == spelt
