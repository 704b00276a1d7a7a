"""Trains the built-in pools: ``python -m reference_impls.models.train`` (``make models``). Needs the
``models`` extra (PyTorch, onnx).

Every model is a decoder-only transformer (pre-norm RMSNorm, rotary positions, squared ReLU, tied embeddings),
trained on text from `models.corpus` with AdamW, and exported to ONNX
with a key-value cache.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (PyTorch's own convention)

from reference_impls.models.checksums import write_sums
from reference_impls.models.corpus import Corpus, Example
from reference_impls.models.export import export
from reference_impls.models.pool import BY_NAME, TOKENIZERS, WEIGHTS, ModelSpec
from reference_impls.models.tokenizers import END, Tokenizer, train_bpe
from reference_impls.safe import places, writing

CHECKPOINTS = places.build() / "models"
BATCH_TOKENS = 1200
#: Weight of the prompt's tokens in the loss: enough to model prompts (PackLLM reads their perplexity), too
#: little to spend the capacity of a small model on random names and numbers.
PROMPT_WEIGHT = 0.1


class Block(nn.Module):
    """Attention and a two-layer perceptron, each on the normalised stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.RMSNorm(width, eps=1e-5)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm2 = nn.RMSNorm(width, eps=1e-5)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        # Written out: on a CPU in bfloat16 the backward pass of PyTorch's fused attention takes three times
        # as long.
        scores = rotate(q, cos, sin) @ rotate(k, cos, sin).transpose(-1, -2) * (c // self.heads) ** -0.5
        future = torch.ones(t, t, dtype=torch.bool).triu(1)
        weights = scores.masked_fill(future, -1e9).softmax(-1).to(v.dtype)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(b, t, c))
        result: Tensor = x + self.down(F.relu(self.up(self.norm2(x))).square())
        return result


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions: the two halves of the last dimension are the two coordinates of the rotated
    planes.
    """
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-b, a), dim=-1) * sin


def rotary_tables(length: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """cos and sin, each of shape [length, size], float32, base 1000 (texts are short)."""
    rates = 1000.0 ** -(np.arange(0, size, 2) / size)
    angles = np.arange(length)[:, None] * rates[None]
    both = np.concatenate([angles, angles], axis=1)
    return np.cos(both).astype(np.float32), np.sin(both).astype(np.float32)


class Transformer(nn.Module):
    """tokens [batch, time] int64 -> logits [batch, time, vocabulary]."""

    def __init__(self, spec: ModelSpec, vocabulary: int, length: int = 512) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, spec.width)
        layers = [Block(spec.width, spec.heads) for _ in range(spec.layers)]
        self.blocks = nn.ModuleList(layers)
        self.norm = nn.RMSNorm(spec.width, eps=1e-5)
        cos, sin = rotary_tables(length, spec.width // spec.heads)
        self.tables = torch.from_numpy(cos), torch.from_numpy(sin)
        # A share of the token before is added to every token: attention can then find "what followed this the last
        # time" in one layer instead of two, and small models learn to copy in a fraction of the steps.
        self.previous = nn.Parameter(torch.full((spec.width,), 0.3))
        nn.init.normal_(self.embed.weight, std=0.05)
        for block in layers:
            nn.init.normal_(block.out.weight, std=0.02)
            nn.init.normal_(block.down.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        t = tokens.shape[1]
        cos, sin = (table[:t] for table in self.tables)
        x = self.embed(tokens)
        x = x + self.previous * self.embed(F.pad(tokens[:, :-1], (1, 0), value=END))
        for block in self.blocks:
            x = block(x, cos, sin)
        # Tied embeddings start small, so that the first logits are near zero.
        logits: Tensor = self.norm(x) @ self.embed.weight.T
        return logits


def encode(tokenizer: Tokenizer, example: Example) -> tuple[list[int], int]:
    """[END] + prompt + completion + [END], and the index of the first completion token."""
    prompt = [END, *tokenizer.encode(example.prompt)]
    return [*prompt, *tokenizer.encode(example.completion), END], len(prompt)


def batches(corpus: Corpus, tokenizer: Tokenizer, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless (tokens, weights of the targets), examples of like length together so that little is padded."""
    stream = iter(corpus)
    while True:
        rows = sorted((encode(tokenizer, e) for e in islice(stream, 3000)), key=lambda row: len(row[0]))
        groups: list[list[tuple[list[int], int]]] = []
        group: list[tuple[list[int], int]] = []
        for row in rows:
            if group and (len(group) + 1) * len(row[0]) > BATCH_TOKENS:
                groups.append(group)
                group = []
            group.append(row)
        groups.append(group)
        for i in rng.permutation(len(groups)):
            longest = max(len(ids) for ids, _ in groups[i])
            tokens = np.full((len(groups[i]), longest), END)
            weights = np.zeros((len(groups[i]), longest), np.float32)
            for r, (ids, start) in enumerate(groups[i]):
                tokens[r, : len(ids)] = ids
                weights[r, 1:start] = PROMPT_WEIGHT
                weights[r, start : len(ids)] = 1
            yield torch.from_numpy(tokens), torch.from_numpy(weights)


def train(spec: ModelSpec, tokenizer: Tokenizer, steps: int, log_every: int = 100) -> tuple[Transformer, float]:
    """Trains one model on one core; a checkpoint every 500 steps lets an interrupted run go on."""
    torch.manual_seed(spec.seed)
    torch.set_num_threads(1)
    model = Transformer(spec, len(tokenizer.vocabulary))
    # Larger matrices take smaller steps.
    peak = 4e-3 * (64 / spec.width) ** 0.5
    optimiser = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.98), weight_decay=0.01)
    started = time.perf_counter()
    first, spent = 0, 0.0
    checkpoint = CHECKPOINTS / f"{spec.name}.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint)
        first, spent = state["step"], state["seconds"]
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
    # The stream is seeded by the step it starts at: a run in one piece repeats exactly.
    source = batches(Corpus(spec, first), tokenizer, np.random.default_rng([spec.seed, first]))
    loss_sum = 0.0
    for step in range(first, steps):
        scale = min(1.0, (step + 1) / 100) * min(1.0, (steps - step) / (0.7 * steps))
        optimiser.param_groups[0]["lr"] = peak * scale
        tokens, weights = next(source)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(tokens[:, :-1])
        losses = F.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
        weight = weights[:, 1:].flatten()
        loss = (losses * weight).sum() / weight.sum()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        loss_sum += loss.item()
        if (step + 1) % log_every == 0:
            seconds = spent + time.perf_counter() - started
            print(f"{spec.name} step {step + 1}/{steps} loss {loss_sum / log_every:.4f} {seconds:.0f} s", flush=True)
            loss_sum = 0.0
        if (step + 1) % 500 == 0 or step + 1 == steps:
            seconds = spent + time.perf_counter() - started
            state = {"step": step + 1, "seconds": seconds, "model": model.state_dict()}
            with writing.replacing(checkpoint) as stream:
                torch.save(state | {"optimiser": optimiser.state_dict()}, stream)
    return model, spent + time.perf_counter() - started


def tokenizers() -> dict[str, Tokenizer]:
    """The pools' tokenizers, trained on text of all tasks where they are not there yet."""
    WEIGHTS.mkdir(exist_ok=True)
    found = {}
    for name, (style, size, reader) in TOKENIZERS.items():
        path = WEIGHTS / f"{name}.tokenizer.json"
        if not path.exists():
            sample = islice(Corpus(BY_NAME[reader]), 6000)
            texts = [e.prompt + e.completion for e in sample]
            (Tokenizer(style) if style == "bytes" else train_bpe(texts, style, size)).save(path)
        found[name] = Tokenizer.load(path)
    return found


def publish(spec: ModelSpec, model: Transformer, seconds: float) -> None:
    """Writes the model's ONNX file and its card; the scores are added by `models.report`."""
    arrays = {k: v.float().numpy() for k, v in model.state_dict().items()}
    tables = rotary_tables(512, spec.width // spec.heads)
    export(arrays, spec, tables, WEIGHTS / f"{spec.name}.onnx")
    parameters = sum(p.numel() for p in model.parameters())
    card = asdict(spec) | {"parameters": parameters, "seconds": round(seconds)}
    writing.write_json(WEIGHTS / f"{spec.name}.json", card)
    write_sums(WEIGHTS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="models to train (default: all of both pools)")
    parser.add_argument("--steps", type=int, help="instead of the specification's")
    args = parser.parse_args()
    vocabularies = tokenizers()
    for spec in BY_NAME.values() if not args.names else [BY_NAME[name] for name in args.names]:
        model, seconds = train(spec, vocabularies[spec.tokenizer], args.steps or spec.steps)
        publish(spec, model, seconds)


if __name__ == "__main__":
    main()
