"""Models of the transformers library on the usual kinds of tokenizers: what a token spells, what is written and what
is read, held against the library itself.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impls.core import NEVER, Meter, TextSession, TokenModel, log_softmax
from reference_impls.running.responses import StoredModel
from tests.reference_impls import tiny

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

Make = Callable[..., Any]
PROMPTS = (*tiny.PROMPTS, *tiny.STRANGE)


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A random model of a style, made once."""
    made: dict[str, Any] = {}

    def of(style: str) -> Any:
        if style not in made:
            made[style] = tiny.load(tiny.save(style, tmp_path_factory.mktemp(style), spread=0.5), style)
        return made[style]

    return of


@pytest.mark.parametrize("style", tiny.STYLES)
def test_tokens_spell_what_the_library_decodes(make: Make, style: str) -> None:
    model = make(style)
    keeps_the_promises = isinstance(model, TokenModel)
    assert keeps_the_promises
    rng = np.random.default_rng(0)
    written = [i for i, token in enumerate(model.vocabulary) if token]
    begin = model.start("Q:")._ids
    texts = [model.encode(answer) for _, answer in tiny.FACTS]
    for ids in [*texts, *(rng.choice(written, size).tolist() for size in (1, 2, 3, 8, 40) * 4)]:
        whole = model.tokenizer.decode([*begin, *ids], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        ours = "Q:" + model.decode(ids)
        if style == "llama" and "\ufffd" in ours:
            # A run of bytes that is no text as a whole is to the library no text in any part.
            continue
        assert whole == ours
    assert len({t for t in model.vocabulary if t}) == len(written), "every spelling once"


def test_a_models_answers_are_stored_by_what_it_is(tmp_path: Path) -> None:
    folder = tiny.save("gpt2", tmp_path / "model", spread=0.5)
    model = tiny.load(folder)
    said = StoredModel(model, tmp_path / "store").generate("Q:", max_tokens=5)
    again = tiny.load(folder, price=7.0)
    assert again.digest == model.digest
    again.forward_seconds = 0.0
    assert [g.text for g in StoredModel(again, tmp_path / "store").generate("Q:", max_tokens=5)] == [
        g.text for g in said
    ]
    assert again.forward_seconds == 0.0, "it was not asked"
    other = tiny.load(folder)
    with torch.no_grad():
        next(iter(other.network.parameters()))[0, 0] += 1e-3
    half = tiny.load(folder, dtype="bfloat16")
    chat = tiny.load(folder)
    chat.tokenizer.chat_template = "{{ messages[0].content }}"
    kinds = [tiny.load(tiny.save(style, tmp_path / style)) for style in tiny.STYLES]
    assert len({m.digest for m in (model, other, half, chat, *kinds)}) == 4 + len(kinds)


@pytest.mark.parametrize("style", tiny.STYLES)
def test_text_that_goes_on_is_encoded_without_a_blank_before_it(make: Make, style: str) -> None:
    model = make(style)
    for text in ("a", " a", "on owl", "üße", "  x", "<0x21>", "!", *(answer for _, answer in tiny.FACTS)):
        if style == "t5" and ("\n" in text or "  " in text):
            continue  # that tokenizer knows neither
        assert model.decode(model.encode(text)) == text
    if style in ("qwen", "gpt2", "llama"):
        for text in ("🦉 \n\n\tΩ", "a <|im_end|><|endoftext|></s> b", *tiny.STRANGE[:2]):
            assert model.decode(model.encode(text)) == text


@pytest.mark.parametrize("style", tiny.STYLES)
def test_greedy_responses_are_the_librarys_own(make: Make, style: str) -> None:
    """Without the tokens that are never written, and ended by any end token."""
    model = make(style)
    for prompt in PROMPTS:
        session = model.start(prompt)
        ids = torch.tensor([session._ids])
        out = model.network.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24,
            suppress_tokens=[i for i in model._never.tolist() if i not in model._other_ends],
        )[0, ids.shape[1] :].tolist()  # fmt: skip
        response = model.generate(prompt, max_tokens=24)[0]
        ended = out[-1] in (model.end_token, *model._other_ends)
        assert (response.text, response.finished) == (model.decode(out[: len(out) - ended]), ended)
        assert response.completion_tokens == len(out)


def test_prompts_begin_as_the_tokenizer_has_it_and_never_end(make: Make) -> None:
    for style in tiny.STYLES:
        model = make(style)
        whole = model.tokenizer.encode("a b")
        ids = model.start("a b")._ids
        assert ids == ([*whole][:-1] if style == "t5" else whole), "T5's tokenizer ends every text"
    assert make("llama").start("")._ids == [1]
    assert make("qwen").start("")._ids == [make("qwen").end_token], "something must be read"


@pytest.mark.parametrize("style", tiny.STYLES)
def test_special_tokens_and_twins_are_never_written(make: Make, style: str) -> None:
    model = make(style)
    logits = model.start("a").next_logits()
    special = {*model.tokenizer.all_special_ids} - {model.end_token}
    assert special <= set(model._never.tolist())
    assert np.all(logits[model._never] == NEVER)
    assert model.vocabulary[model.end_token] == b""
    if style == "llama":
        names = model.tokenizer.convert_ids_to_tokens(range(len(model.vocabulary)))
        bang, twin = names.index("!"), names.index("<0x21>")
        assert model.vocabulary[bang] == b"!"
        assert twin in model._never
        assert model.vocabulary[names.index("<0x0A>")] == b"\n", "a byte without a token of its own stays"


def test_any_end_token_ends_and_the_likeliest_stands_for_all(make: Make) -> None:
    model = make("qwen")
    end, (other,) = model.end_token, model._other_ends
    rows = torch.zeros((1, 1, len(model.vocabulary)))
    rows[0, 0, end], rows[0, 0, other] = 1.0, 3.0
    head = model.network.forward
    try:
        model.network.forward = lambda *_, **__: type("Out", (), {"logits": rows, model._cache: None})()
        logits, _ = model.forward([5])
    finally:
        model.network.forward = head
    assert (logits[0, end], logits[0, other]) == (3.0, NEVER)


@pytest.mark.parametrize("style", tiny.STYLES)
def test_forks_and_rollbacks_keep_the_cache(make: Make, style: str) -> None:
    model = make(style)
    tokens = model.encode(" an owl and a dodo")[:6]
    session = model.start(tiny.PROMPTS[0])
    first = session.next_logits()
    read = session.tokens_read
    assert read == session.prompt_length
    twin = session.fork()
    twin.append(*tokens)
    ahead = twin.next_logits()
    assert twin.tokens_read == len(tokens), "the twin reads what is new to it alone"
    assert np.array_equal(session.next_logits(), first)
    session.append(*tokens)
    assert session.next_logits() == pytest.approx(ahead, abs=1e-4)
    session.rollback(2)
    session.append(*tokens[-2:])
    assert session.next_logits() == pytest.approx(ahead, abs=1e-4)
    assert session.tokens_read == read + len(tokens) + 2
    twin.rollback(len(tokens))
    assert twin.next_logits() == pytest.approx(first, abs=1e-4)
    assert twin.tokens_read == len(tokens) + 1, "the last token of the prompt is read again"
    with pytest.raises(ValueError, match="take back"):
        twin.rollback(1)
    fresh = model.start(tiny.PROMPTS[0])
    fresh.append(*tokens)
    assert fresh.next_logits() == pytest.approx(ahead, abs=1e-4)


def test_scoring_reads_on_from_the_cache_and_leaves_no_trace(make: Make) -> None:
    model = make("llama")
    session = model.start(tiny.PROMPTS[0])
    tokens = model.encode(" 47 + 85 = 132")
    scores = session.score(tokens)
    assert session.tokens_read == session.prompt_length + len(tokens) - 1
    for token, score in zip(tokens, scores, strict=True):
        assert log_softmax(session.next_logits())[token] == pytest.approx(score, abs=1e-4)
        session.append(token)
    assert model.score(tiny.PROMPTS[0], " 47 + 85 = 132") == pytest.approx(scores, abs=1e-4)
    assert session.score([]).shape == (0,)


def test_a_cache_that_cannot_be_cut_is_read_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference_impls.backends.transformers._croppable", lambda _: False)
    session = make("gpt2").start("Q:")
    tokens = make("gpt2").encode(" an owl")
    scores = session.score(tokens)
    session.append(*tokens)
    before = session.next_logits()
    session.rollback(1)
    session.append(tokens[-1])
    assert session.next_logits() == pytest.approx(before, abs=1e-4)
    assert scores == pytest.approx(make("gpt2").score("Q:", " an owl"), abs=1e-4)


def test_the_context_ends_a_response_and_refuses_a_longer_prompt(tmp_path: Path) -> None:
    model = tiny.load(tiny.save("gpt2", tmp_path, spread=0.5, context=16))
    text = TextSession(model, "Q: A?")
    assert text.room == 16 - model.start("Q: A?").prompt_length
    (response,) = model.generate("Q: A?", max_tokens=99)
    assert response.completion_tokens <= text.room
    with pytest.raises(ValueError, match=r"leaves no room .* context of 16") as caught:
        model.generate("Q: " * 40)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="longer than the context of 16"):
        model.start("Q: " * 40).next_logits()


def test_samples_repeat_and_the_prompt_is_read_once(make: Make) -> None:
    model = make("gpt2")
    before = model.tokens_read
    samples = model.generate("Q: 47", n=4, temperature=1.0, max_tokens=6, seed=3)
    assert model.tokens_read - before == samples[0].prompt_tokens + sum(s.completion_tokens - 1 for s in samples)
    assert [s.text for s in samples] == [
        s.text for s in model.generate("Q: 47", n=4, temperature=1.0, max_tokens=6, seed=3)
    ]
    assert len({s.text for s in samples}) > 1


def test_a_chat_template_is_used_where_it_is_asked_for(tmp_path: Path) -> None:
    folder = tiny.save("qwen", tmp_path)
    with pytest.raises(ValueError, match="has no chat template"):
        tiny.load(folder, chat=True)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["chat_template"] = (
        "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant: {% endif %}"
    )
    path.write_text(json.dumps(settings), encoding="utf-8")
    model = tiny.load(folder, chat=True)
    ids = model.start("Hi")._ids
    assert model.tokenizer.decode(ids) == "<|im_start|>user: Hi<|im_end|><|im_start|>assistant: "
    assert model.generate("Hi", max_tokens=2)[0].prompt_tokens == len(ids)
    meter = Meter([model])
    meter.begin()
    text = TextSession(meter.pool.token_models()[0], "Hi")
    assert meter.end().prompt_tokens == len(ids), "the template is billed"
    assert text.room == model.context - len(ids), "and takes its room"
    assert tiny.load(folder).start("Hi")._ids == model.tokenizer.encode("Hi"), "off unless asked for"


def test_dtype_and_foreign_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.save("llama", tmp_path)
    assert tiny.load(folder, dtype="bfloat16").network.dtype == torch.bfloat16
    assert tiny.load(folder).network.dtype == torch.float32
    seen: list[dict[str, Any]] = []
    import transformers  # noqa: PLC0415

    def refuse(*_: object, **options: Any) -> None:
        seen.append(options)
        raise OSError("stop")

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", refuse)
    chosen: list[dict[str, Any]] = [{}, {"trust_remote_code": True}]
    for options in chosen:
        with pytest.raises(OSError, match="stop"):
            tiny.load(folder, **options)
    assert [options["trust_remote_code"] for options in seen] == [False, True]


def test_tokenizers_that_keep_no_blanks_are_refused(tmp_path: Path) -> None:
    import tokenizers  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    folder = tiny.save("gpt2", tmp_path)
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece({"[UNK]": 0, "owl": 1, "##s": 2}))
    made.decoder = tokenizers.decoders.WordPiece()
    names = {"unk_token": "[UNK]", "eos_token": "[UNK]"}
    make_fast: Any = transformers.PreTrainedTokenizerFast
    make_fast(tokenizer_object=made, **names).save_pretrained(folder)
    with pytest.raises(ValueError, match=r"WordPiece.* does not keep blanks") as caught:
        tiny.load(folder)
    assert "\n" not in str(caught.value)
