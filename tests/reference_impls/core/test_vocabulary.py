"""Models of one vocabulary: who takes part, and what stands for their end tokens."""

import numpy as np
import pytest

from reference_impls.core import Fusion, Logits, Meter, OneVocabulary, TextSession
from reference_impls.core.decoding import NEVER, unwritten
from reference_impls.core.vocabulary import align
from tests.reference_impls.fakes import TableModel


class Ends(TableModel):
    """Ends with a token of its own."""

    def logits(self, text: str) -> Logits:  # noqa: ARG002
        return np.asarray([3.0, 2.0, 1.0, 0.5], np.float32)


def test_one_end_token_stands_for_all_and_twins_are_never_written() -> None:
    one, two = (Ends(n, [b"", b"", b"a", b"a"], {}, p) for n, p in (("one", 2.0), ("two", 1.0)))
    two.end_token = 1
    never = unwritten(one.vocabulary, one.end_token)
    assert align(one.logits(""), one, one, never).tolist() == [3.0, NEVER, NEVER, 0.5]
    assert align(two.logits(""), one, two, never).tolist() == [2.0, NEVER, NEVER, 0.5]
    assert align(np.stack([two.logits("")] * 2), one, two, never).shape == (2, 4)

    class Some(OneVocabulary, Fusion):
        def step(self, texts: list[TextSession]) -> bytes | None:  # type: ignore[override]
            return b"".join(row.astype(np.int8).tobytes()[:1] for row in self.rows(texts))

    method = Some(Meter([one, two]).pool)
    assert method.step([TextSession(model, "q") for model in method.members()]) == bytes([3, 2])


def test_a_pool_without_a_common_vocabulary_is_refused_in_one_line() -> None:
    class Some(OneVocabulary, Fusion):
        def step(self, texts: object) -> bytes | None:  # noqa: ARG002
            return None

    one, two = TableModel("one", [b"", b"a"], {}, 2.0), TableModel("two", [b"", b"b"], {}, 1.0)
    with pytest.raises(ValueError, match=r"^no two of two, one share a vocabulary, .*\)$"):
        Some(Meter([two, one]).pool).members()
    assert [m.name for m in Some(Meter([one]).pool).members()] == ["one"]
