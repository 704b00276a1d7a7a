"""The specification of the two built-in pools: their models, what each is trained on, what it costs.

In ``builtin``, sizes, vocabularies and training mixtures differ so that the models differ in the way that real ones
do: three specialists stand beside three generalists of rising size. In ``peers`` stand four generalists of like
quality, whose errors are as independent as training can make them: what fuses models token by token needs members
of like quality that read text in a like way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_impls.core.model import Price

#: Where the trained models lie.
WEIGHTS = Path(__file__).parent / "weights"

#: Tokenizer name -> (style, number of tokens, model whose training text its merges are learned from). The tokenizers
#: of ``peers`` learn from different texts: from the same one, the smaller vocabulary would be a part of the larger.
TOKENIZERS: dict[str, tuple[str, int, str]] = {
    "bytes": ("bytes", 257, "oak"),
    "leading": ("leading", 704, "oak"),
    "trailing": ("trailing", 512, "oak"),
    "leading-512": ("leading", 512, "ash"),
    "leading-640": ("leading", 640, "elm"),
    "leading-704": ("leading", 704, "yew"),
}
#: Training text is dealt into this many parts by the checksum of the prompt (see `ModelSpec.parts`).
PARTS = 4


@dataclass(frozen=True)
class ModelSpec:
    """One model of the pool.

    Attributes:
        name: its name in tables.
        role: what it is in the pool, in a few words.
        tokenizer: key of `TOKENIZERS`.
        layers, width, heads: of the transformer.
        mixture: share of training examples by task; ``check``, ``grade`` and ``fuse`` are the forms of
            `core.prompts`.
        knows: share of the world's facts that occur in its training text (every model has its own sample).
        steps: training steps of about 1,200 tokens.
        seed: of weights, sample of facts and training text.
        parts: the parts of the possible problems that occur in its training text (all where it is empty).
    """

    name: str
    role: str
    tokenizer: str
    layers: int
    width: int
    heads: int
    mixture: Mapping[str, float]
    knows: float
    steps: int
    seed: int
    parts: tuple[int, ...] = ()


_ALL = {"qa": 0.24, "math": 0.2, "code": 0.11, "instructions": 0.28, "writing": 0.05}
_META = {"check": 0.04, "grade": 0.03, "fuse": 0.05}

BUILTIN: tuple[ModelSpec, ...] = (
    ModelSpec("sprout", "weak generalist", "leading", 3, 48, 3, _ALL | _META, 0.45, 4000, 11),
    ModelSpec(
        "abacus", "mathematics specialist", "bytes", 4, 64, 4,
        {"math": 0.82, "qa": 0.04, "code": 0.04, "instructions": 0.05, "check": 0.05}, 0.1, 6500, 12,
    ),
    ModelSpec(
        "almanac", "facts specialist", "leading", 4, 80, 4,
        {"qa": 0.62, "writing": 0.16, "instructions": 0.06, "math": 0.04, "check": 0.06, "fuse": 0.06},
        0.95, 4000, 13,
    ),
    ModelSpec(
        "forge", "code specialist", "trailing", 4, 80, 4,
        {"code": 0.5, "instructions": 0.4, "math": 0.02, "qa": 0.02, "check": 0.03, "fuse": 0.03}, 0.1, 7000, 14,
    ),
    ModelSpec("willow", "medium generalist", "trailing", 5, 112, 4, _ALL | _META, 0.65, 4000, 15),
    ModelSpec("oak", "strong generalist", "leading", 5, 160, 5, _ALL | _META, 0.8, 7500, 16),
)  # fmt: skip

#: Code is learned first and instructions last: a little less of the one and more of the other.
_PEER = {"qa": 0.26, "math": 0.2, "code": 0.07, "instructions": 0.3, "writing": 0.05} | _META
#: Every two of them read at most one quarter of the problems in common, or none. `elm` and `fir` share a tokenizer.
PEERS: tuple[ModelSpec, ...] = (
    ModelSpec("ash", "generalist", "leading-512", 5, 112, 4, _PEER, 0.65, 5000, 21, (0, 1)),
    ModelSpec("elm", "generalist", "leading-640", 4, 128, 4, _PEER, 0.65, 5000, 22, (0, 2)),
    ModelSpec("fir", "generalist", "leading-640", 6, 104, 4, _PEER, 0.65, 5000, 23, (1, 3)),
    ModelSpec("yew", "generalist", "leading-704", 5, 112, 4, _PEER, 0.65, 5000, 24, (2, 3)),
)
#: The pools by name, in the order of pages and tables.
POOLS: dict[str, tuple[ModelSpec, ...]] = {"builtin": BUILTIN, "peers": PEERS}
BY_NAME = {spec.name: spec for pool in POOLS.values() for spec in pool}


def price(parameters: int) -> Price:
    """One dollar per million completion tokens and million parameters; reading is a quarter of writing."""
    size = parameters / 1e6
    return Price(size / 4, size)
