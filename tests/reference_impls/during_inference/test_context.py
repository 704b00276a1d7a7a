"""Every method that drives models token by token ends its response where a model's context is full."""

import numpy as np
import pytest

from reference_impls.core import Logits, Meter, Query
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel

#: These must learn first; their own tests hold them to it where they say how.
LEARNERS = ("citer", "le-mcts", "reward-guided-steps", "token-router")
NAMES = [
    name for name, info in catalog.methods().items()
    if info.category.startswith("during") and name not in LEARNERS
]  # fmt: skip
QUERY = Query("t/0", "t", "x", "text", 50)


class Strict(TableModel):
    """Writes on and on, and refuses a text that is longer than its context (start and prompt are two tokens)."""

    def logits(self, text: str) -> Logits:
        if len(text) + 2 > self.context:
            raise ValueError(f"{self.name}: the text is longer than the context")
        return np.log(np.array([0.01, 0.98, 0.01], np.float32))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("piece", [b"a", b"\n"])
def test_the_response_ends_where_a_context_is_full(name: str, piece: bytes) -> None:
    models = [Strict(n, [b"", piece, b"x"], {}, price) for n, price in (("dear", 2.0), ("cheap", 1.0))]
    models[0].context, models[1].context = 30, 6
    info = catalog.method(name)
    answer = info.cls(Meter(models).pool, info.parameters(), np.random.default_rng(0)).answer(QUERY)
    assert set(answer.encode()) <= set(piece + b"x")
    # Start, prompt and four tokens fill the smaller context; a fifth can be scored from there, but not read.
    assert 4 <= len(answer) <= 5
