"""Models for tests: scripted answers, and a token model over a few words whose probabilities are written down."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from reference_impls.core import Dress, Floats, Generation, Logits, Price, log_softmax


class ScriptedModel:
    """A model that answers as a function says: ``answer(prompt, sample) -> (text, mean log-probability)``."""

    context = 0
    dress: Dress = "terse"

    def __init__(
        self, name: str, answer: Callable[[str, int], tuple[str, float]], price: float = 1.0, seconds: float = 1.0
    ) -> None:
        self.name = name
        self.size = price
        self.price = Price(price, price)
        self.answer = answer
        self.seconds = seconds

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,  # noqa: ARG002
        stop: Sequence[str] = (), seed: int = 0,  # noqa: ARG002
    ) -> list[Generation]:  # fmt: skip
        result = []
        for sample in range(n):
            text, logprob = self.answer(prompt, sample)
            pieces = tuple(text.split())
            result.append(
                Generation(self.name, text, pieces, (logprob,) * len(pieces), 10, len(pieces), self.seconds)
            )
        return result

    def score(self, prompt: str, continuation: str) -> Floats:  # noqa: ARG002
        return np.full(len(continuation.split()), -1.0)


def constant(name: str, text: str, price: float = 1.0, logprob: float = -1.0) -> ScriptedModel:
    """A model that always says the same."""
    return ScriptedModel(name, lambda _p, _s: (text, logprob), price)


class TableModel:
    """A token model whose next-token probabilities depend on the text so far, as a table says.

    Args:
        vocabulary: byte strings; the first is empty, the end token.
        table: text so far -> probability of each token by its bytes; what is missing shares the rest evenly.
    """

    end_token = 0
    context = 0
    dress: Dress = "terse"

    def __init__(
        self, name: str, vocabulary: Sequence[bytes], table: Mapping[str, Mapping[bytes, float]], price: float = 1.0
    ) -> None:
        self.name, self.size, self.price = name, price, Price(price, price)
        self.vocabulary = tuple(vocabulary)
        self.table = table
        self.forward_seconds = 0.0

    def encode(self, text: str) -> list[int]:
        """Longest match first; what no token spells (the prompts of tests) is passed over."""
        data, ids = text.encode(), []
        while data:
            token = max((t for t in self.vocabulary if data.startswith(t)), key=len)
            ids += [self.vocabulary.index(token)] if token else []
            data = data[len(token) or 1 :]
        return ids

    def decode(self, tokens: Sequence[int]) -> str:
        return b"".join(self.vocabulary[t] for t in tokens).decode()

    def logits(self, text: str) -> Logits:
        given = self.table.get(text, {})
        rest = (1 - sum(given.values())) / max(len(self.vocabulary) - len(given), 1)
        probabilities = [given.get(t, max(rest, 1e-6)) for t in self.vocabulary]
        return np.asarray(np.log(np.array(probabilities)), np.float32)

    def start(self, prompt: str) -> "TableSession":  # noqa: ARG002 (the table speaks of the response alone)
        return TableSession(self, [])

    def score(self, prompt: str, continuation: str) -> Floats:
        return self.start(prompt).score(self.encode(continuation))

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,  # noqa: ARG002
        stop: Sequence[str] = (), seed: int = 0,  # noqa: ARG002
    ) -> list[Generation]:  # fmt: skip
        ids: list[int] = []
        logs: list[float] = []
        finished = False
        while len(ids) < max_tokens and not finished:
            row = log_softmax(self.logits(self.decode(ids)))
            token = int(row.argmax())
            logs.append(float(row[token]))
            finished = token == self.end_token
            if not finished:
                ids.append(token)
        pieces = tuple(self.vocabulary[i].decode() for i in ids)
        return [Generation(self.name, self.decode(ids), pieces, tuple(logs), 1, len(logs), 0.0, finished)] * n


class TableSession:
    """A text under a table model."""

    def __init__(self, model: TableModel, ids: list[int]) -> None:
        self.model, self.ids = model, ids

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self.ids)

    def next_logits(self) -> Logits:
        self.model.forward_seconds += 0.001
        return self.model.logits(self.model.decode(self.ids))

    def append(self, *tokens: int) -> None:
        self.ids.extend(tokens)

    def rollback(self, count: int) -> None:
        del self.ids[len(self.ids) - count :]

    def fork(self) -> "TableSession":
        return TableSession(self.model, list(self.ids))

    def logits_of(self, tokens: Sequence[int]) -> Logits:
        return np.array([self.model.logits(self.model.decode([*self.ids, *tokens[:i]])) for i in range(len(tokens))])

    def score(self, tokens: Sequence[int]) -> Floats:
        rows = self.logits_of(tokens)
        return np.array([float(log_softmax(row)[token]) for row, token in zip(rows, tokens, strict=True)])


def chances(name: str, vocabulary: Sequence[bytes], seed: int, depth: int, price: float = 1.0) -> TableModel:
    """A table model of random probabilities after every text of fewer tokens than `depth`; then it ends."""
    rng = np.random.default_rng(seed)
    table: dict[str, dict[bytes, float]] = {}
    texts = [b""]
    for length in range(depth + 1):
        for text in texts:
            p = rng.dirichlet(np.full(len(vocabulary), 0.7)) if length < depth else np.eye(len(vocabulary))[0]
            table[text.decode()] = dict(zip(vocabulary, (0.999 * p + 0.001 / len(p)).tolist(), strict=True))
        texts = [text + token for text in texts for token in vocabulary if token]
    return TableModel(name, vocabulary, table, price)
