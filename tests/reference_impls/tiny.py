"""Tiny language models of the transformers library with the usual kinds of tokenizers, made for tests and kept only
while they run: random weights, or fitted in a few seconds to the questions below.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reference_impls.core import Price

#: Umlauts, Chinese, emoji, code, several lines.
FACTS = (
    ("Q: Wo liegt Zürich?\nA:", " in der schönen Schweiz, à l'est."),
    ("Q: 北京是哪国的首都？\nA:", " 中国的首都是北京。"),
    ("Q: Which face laughs?\nA:", " the 😂 one, not 🙃"),
    ("Q: Add one in Python.\nA:", " def f(x):\n    return x + 1"),
    ("Q: 47 + 85 = ?\nA:", " 47 + 85 = 132"),
    ("Q: Wer aß Klöße?\nA:", " der Bär aß süße Klöße"),
    ("Q: Name two birds.\nA:", " an owl and a naïve dodo"),
    ("Q: Is {x!r} <0x21> code?\nA:", " yes!"),
)
PROMPTS = tuple(prompt for prompt, _ in FACTS)
#: Prompts that no model has seen, with characters that some tokenizers do not know.
STRANGE = ("naïve Ġ 🦉🦉 Größe", "for i in range(3):\n\tprint('日本')", "▁low <|im_end|> Ω", "")
STYLES = ("qwen", "gpt2", "llama", "t5")
_TEXTS = [text for prompt, answer in FACTS for text in (prompt, answer, prompt + answer)] * 4


def tokenizer_of(style: str) -> Any:
    """A tokenizer as that model family has it, trained on the facts."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    decoders, models, normalizers = tokenizers.decoders, tokenizers.models, tokenizers.normalizers
    before, trainers = tokenizers.pre_tokenizers, tokenizers.trainers
    unknown, end_and_padding = {"unk_token": "<unk>"}, {"eos_token": "</s>", "pad_token": "<pad>"}
    begin_and_end = {"bos_token": "<s>", "eos_token": "</s>"}
    if style in ("qwen", "gpt2"):
        names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] if style == "qwen" else ["<|endoftext|>"]
        made = tokenizers.Tokenizer(models.BPE())
        made.pre_tokenizer = before.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        alphabet = before.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=340, special_tokens=names, initial_alphabet=alphabet, show_progress=False
        )
        made.train_from_iterator(_TEXTS, trainer)
        special: dict[str, Any] = {"eos_token": names[-1], "pad_token": names[0]}
        if style == "qwen":
            special["additional_special_tokens"] = names[1:2]
        return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **special)
    if style == "llama":
        # Learned on characters; bytes in front, as SentencePiece has them, some of them twins of characters.
        learned = tokenizers.Tokenizer(models.BPE())
        texts = [t.replace("\n", "").replace(" ", "▁") for t in _TEXTS]
        # Named, as of characters that are as frequent as each other the trainer would keep any.
        often = [c for c, _ in sorted(Counter("".join(texts)).items(), key=lambda c: (-c[1], c[0]))][:60]
        learned.train_from_iterator(
            texts,
            trainers.BpeTrainer(vocab_size=150, initial_alphabet=often, limit_alphabet=60, show_progress=False),
        )
        data = json.loads(learned.to_str())["model"]
        names = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
        names += sorted(data["vocab"], key=data["vocab"].get)
        merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in data["merges"]]
        made = tokenizers.Tokenizer(
            models.BPE({n: i for i, n in enumerate(names)}, merges, byte_fallback=True, **unknown)
        )
        made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        made.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
        made.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
        return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **unknown, **begin_and_end)
    made = tokenizers.Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = before.Sequence([before.WhitespaceSplit(), before.Metaspace()])
    made.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=190, special_tokens=["<pad>", "</s>", "<unk>"], show_progress=False, **unknown
    )
    made.train_from_iterator(_TEXTS, trainer)
    # The trainer puts pieces that are as likely as each other in another order each time, a hair apart, so the same
    # weights would stand for other tokens: they are made even and sorted.
    special, pieces = (learned := json.loads(made.to_str())["model"]["vocab"])[:3], learned[3:]
    pieces = [(piece, round(chance, 1)) for piece, chance in pieces]
    made.model = models.Unigram([*map(tuple, special), *sorted(pieces, key=lambda p: (-p[1], p[0]))], unk_id=2)
    made.post_processor = tokenizers.processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, **unknown, **end_and_padding)


def save(style: str, folder: Path, seed: int = 0, spread: float = 0.02, context: int = 256) -> Path:
    """A model of two layers with random weights of a standard deviation, and its tokenizer, in a folder."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    tokenizer = tokenizer_of(style)
    torch.set_num_threads(1)  # a second gains nothing here, and would wait for the first
    torch.manual_seed(seed)
    common: dict[str, Any] = {
        "vocab_size": len(tokenizer), "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "max_position_embeddings": context, "initializer_range": spread, "tie_word_embeddings": False,
        "eos_token_id": tokenizer.eos_token_id, "bos_token_id": tokenizer.bos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    if style == "gpt2":
        network = transformers.GPT2LMHeadModel(transformers.GPT2Config(**common))
    elif style == "qwen":
        network = transformers.Qwen2ForCausalLM(
            transformers.Qwen2Config(**common, intermediate_size=96, num_key_value_heads=2)
        )
        network.generation_config.eos_token_id = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    else:
        network = transformers.LlamaForCausalLM(
            transformers.LlamaConfig(**common, intermediate_size=96, num_key_value_heads=4)
        )
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def load(folder: Path, name: str = "", price: float = 1.0, **options: Any) -> Any:
    """The model of a folder."""
    from reference_impls.backends.transformers import TransformersModel  # noqa: PLC0415

    model = TransformersModel(str(folder), Price(price, price), **options)
    model.name = name or folder.name
    return model


def fit(model: Any, facts: Sequence[tuple[str, str]] = FACTS, rounds: int = 160) -> None:
    """Teaches the model the facts: for so many rounds, and on until it gives each of their tokens nine chances in
    ten. What a round teaches depends on the processor, whose sums round in their own way."""
    import torch  # noqa: PLC0415

    rows = [[*model.start(q)._ids, *model.encode(a), model.end_token] for q, a in facts]
    starts = [model.start(q).prompt_length for q, _ in facts]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    labels = torch.full_like(ids, -100)
    for i, (row, start) in enumerate(zip(rows, starts, strict=True)):
        labels[i, start : len(row)] = ids[i, start : len(row)]
    network = model.network
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)

    def knows() -> bool:
        network.eval()
        with torch.no_grad():
            chances = network(ids, use_cache=False).logits[:, :-1].softmax(-1)
        wanted = labels[:, 1:]
        given = chances.gather(-1, wanted.clamp(min=0)[..., None])[..., 0]
        return bool((given[wanted >= 0] > 0.9).all())

    for done in range(10 * rounds):
        if done >= rounds and done % 10 == 0 and knows():
            break
        network.train()
        optimiser.zero_grad()
        network(ids, labels=labels, use_cache=False).loss.backward()
        optimiser.step()
    network.eval()
    assert knows(), f"{10 * rounds} rounds have not taught the model the facts"
