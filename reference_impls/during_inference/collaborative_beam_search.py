"""CBS, Collaborative Beam Search: a beam search over steps of reasoning in which all models propose steps and all of
them judge every step.

A step is a line. Of each of the B paths in the beam, K continuations by one step are sampled, split over the N
models by a quota. With PPL_n(s) the perplexity of step s (its end token included, if it ends the response) under
model n, given the prompt and the path,

    score(s) = mean_n -PPL_n(s)  (at most -1),      score(path) = mean of its steps' scores,

the B best paths stay, and the next quota follows the number c_n of kept steps that model n has proposed:

    quota = K softmax(c / tau) in whole samples (largest remainder), at first K / N each.

The best finished path is the response. Calls: each round B K sampled steps, and each different step scored once
by each model; the models work side by side.

Differences from the paper
1. A step is one line, as the built-in models reason; a response of one line makes this best-of-K by consensus.
2. Beam and samples are 2 and 4, a quarter of the continuations of the 4 and 8 that a public re-implementation has,
   and only the three dearest models take part: a search for a CPU.
3. The paper's own code, its sizes and its sampling temperature were not seen; quota and tau follow that
   re-implementation. It scores the whole text under each model, this the new step given the text, as the path's score
   is already a mean over steps.
4. The same step proposed twice for a path is one candidate, and each model that proposed it counts as its author.
5. A finished path leaves the beam; the search ends at B finished paths or when none is left open. A path at the
   token limit counts as finished, and a step that does not fit a model's context is dropped, as is one that a model
   cannot spell.
6. The mean of perplexities is ruled by a model that knows nothing of the task, whose are the largest by far; `gap`
   can leave such models out (UniTE's rule, off by default).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reference_impls.core import Floats, Joint, Query, TextSession, TokenModel, method, softmax, write_until


@dataclass(frozen=True)
class Parameters:
    """Parameters of the search."""

    #: B, the paths kept; 4 in a public re-implementation.
    beam: int = 2
    #: K, the continuations sampled a path; 8 in a public re-implementation.
    samples: int = 4
    #: tau of the quota; 0.1 in a public re-implementation.
    tau: float = 0.1
    #: Of the sampled steps; 0 is greedy, and then a model proposes one step a path. The paper's was not checked.
    temperature: float = 0.7
    #: How many models, from the dearest down; 0 takes all.
    models: int = 3
    #: How much worse than the best on the training queries a model may be to take part; 1 asks for no scores and
    #: leaves nobody out. The paper has no such step (see the differences).
    gap: float = 1.0


@dataclass(frozen=True)
class Path:
    """A response so far: its bytes, the score of each step, what the last step's tokens and authors were."""

    data: bytes = b""
    scores: tuple[float, ...] = ()
    tokens: int = 0
    finished: bool = False
    #: Who proposed the last step, and the text of each with it at its end.
    drafts: Mapping[int, TextSession] = field(default_factory=dict)
    #: The text under each model, at the end of the path before the last step.
    before: tuple[TextSession, ...] = ()

    @property
    def score(self) -> float:
        """Mean of the steps' scores."""
        return sum(self.scores) / len(self.scores)

    @property
    def authors(self) -> frozenset[int]:
        """The models that proposed the last step."""
        return frozenset(self.drafts)


def consensus(logprobs: Sequence[Floats]) -> float:
    """Mean over the models of the negative perplexity; each model has log-probabilities of its own tokens.

    >>> round(consensus([np.log([0.5, 0.5]), np.log([0.25])]), 6)
    -3.0
    """
    # exp(700) is near the largest float.
    return float(-np.mean([np.exp(min(-values.mean(), 700.0)) for values in logprobs]))


def allocate(shares: Floats, total: int) -> list[int]:
    """Whole numbers that sum to `total`, in proportion to shares of sum one: largest remainders, ties to the first.

    >>> allocate(np.array([0.5, 0.3, 0.2]), 4)
    [2, 1, 1]
    """
    exact = shares * total
    quota = np.floor(exact + 1e-9).astype(int)
    order = np.argsort(-np.round(exact - quota, 9), kind="stable")
    quota[order[: total - quota.sum()]] += 1
    return [int(q) for q in quota]


@method(
    name="collaborative-beam-search", category="during/process-level", family="step-search",
    papers=["xu2025cbs"], needs=("distributions", "scoring"),
)  # fmt: skip
class CollaborativeBeamSearch(Joint):
    """Beam search over lines, scored by the perplexity of all models."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        return super().members()[: self.parameters.models or None]

    def expand(
        self, path: Path, texts: Sequence[TextSession], quota: Sequence[int], query: Query
    ) -> list[Path]:  # fmt: skip
        """The path continued by each different step that the models propose, scored by all of them."""
        p = self.parameters
        proposals: dict[tuple[bytes, bool], tuple[dict[int, TextSession], int]] = {}
        for m, text in enumerate(texts):
            # Greedy drafts of one model are all the same.
            for _ in range(quota[m] if p.temperature > 0 else min(quota[m], 1)):
                try:
                    text.next_logits()  # read once here; every draft starts from the cache
                    draft = text.fork()
                    _, logprobs, ended = write_until(
                        draft, lambda written: "\n" in written, query.max_tokens - path.tokens,
                        temperature=p.temperature, rng=self.rng,
                    )  # fmt: skip
                except ValueError:  # longer than the model's context
                    break
                if not logprobs:  # no room in it
                    break
                step = draft.data[len(text.data) :], ended
                drafts, _ = proposals.setdefault(step, ({}, len(logprobs)))
                drafts.setdefault(m, draft)
        result = []
        for (piece, ended), (drafts, tokens) in proposals.items():
            try:
                scores = [t.score(piece, ended) for t in texts]
            except ValueError:
                continue
            if not all(len(values) for values in scores):  # bytes that a model cannot spell
                continue
            data, used = path.data + piece, path.tokens + tokens
            stopped = any(stop in data.decode("utf-8", "replace") for stop in query.stop)
            finished = ended or stopped or used >= query.max_tokens
            result.append(Path(data, (*path.scores, consensus(scores)), used, finished, drafts, tuple(texts)))
        return result

    def answer(self, query: Query) -> str:
        p = self.parameters
        models = self.members()
        shares = np.full(len(models), 1 / len(models))
        beam = [(Path(), tuple(TextSession(m, query.prompt) for m in models))]
        finished: list[Path] = []
        while beam and len(finished) < p.beam:
            quota = allocate(shares, p.samples)
            with self.pool.parallel():
                candidates = [c for path, texts in beam for c in self.expand(path, texts, quota, query)]
            if not candidates:
                break
            kept = sorted(candidates, key=lambda c: c.score, reverse=True)[: p.beam]
            finished += [c for c in kept if c.finished]
            beam = [(c, self.advance(c)) for c in kept if not c.finished]
            shares = softmax(np.array([sum(m in c.authors for c in kept) for m in range(len(models))]) / p.tau)
        # Without a finished path, the best one that no model could continue (beam is sorted).
        best = max(finished, key=lambda c: c.score) if finished else beam[0][0]
        return best.data.decode("utf-8", "replace")

    def advance(self, path: Path) -> tuple[TextSession, ...]:
        """The text under each model at the path's end."""
        return tuple(TextSession.advance([text.fork() for text in path.before], path.drafts))
