"""Reward-guided steps (RSD, TRIM): a small model writes step by step, a process reward judges each step, and a large
model rewrites those that fall short.

With s the response so far, d the step that the draft model writes, and r in [0, 1] the reward, that is the estimated
probability that a response which begins so ends right,

    s <- s + d  if r(s + d) >= threshold,  else  s + t,  t the step that the target model writes instead,

until a step ends the response or `steps` are written. Threshold 0 is the draft model alone, 1 the target alone (what
is sure to be thrown away is not written, nor judged). The reward is a logistic regression, learnt on all prefixes of
recorded responses of both models, labelled with the response's score. Features: mean log-probability of s and of its
last step, and the least of that step, under the draft model, lines, bytes, whether s is finished, an embedding of
prompt and s. Calls: one session of the draft; one of the target from the first step that it writes. `share` tells
which part of all steps the target has written.

Differences from the paper
1. The reward is this small logistic regression; RSD and TRIM take a ready process-reward model that reads text.
2. A step is a line; there it goes to a blank line.
3. Decoding is greedy, as in RSD's code; TRIM samples at temperature 0.7, top-p 0.8 and top-k 20.
4. TRIM-Thr is this rule with at most 30 steps and thresholds from 0 to 1 (set `steps` and `threshold`); its policies
   that are trained (TRIM-Agg, POMDP) are left out, and so is RSD's acceptance at random by a function of the reward.
5. The target's steps are not judged. Where a context is full the response ends, cut.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    Embedder,
    Floats,
    Generation,
    Logistic,
    Method,
    Pool,
    Query,
    TextSession,
    TrainingSet,
    method,
    write_until,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the routing and of the reward."""

    #: Least reward of a step that stays; 0.7 in RSD's code.
    threshold: float = 0.7
    #: Steps of a response at most: 100 in RSD's code, 30 in TRIM's.
    steps: int = 100
    #: Of written steps; 0 is greedy, the default of RSD's code.
    temperature: float = 0.0
    #: Names of the two models; empty means the cheapest and the dearest of the pool.
    draft: str = ""
    target: str = ""
    #: Different responses a training query that the reward learns from.
    chains: int = 4
    #: Dimensions of the reward's text features, and penalty of its weights.
    dimensions: int = 256
    penalty: float = 3.0


def steps_of(text: str) -> list[bytes]:
    """The lines of a response with their line breaks.

    >>> steps_of("1+1\\n= 2"), steps_of("a\\n"), steps_of("")
    ([b'1+1\\n', b'= 2'], [b'a\\n'], [])
    """
    return [line.encode() for line in re.split(r"(?<=\n)", text) if line]


def numbers(steps: Sequence[Floats], size: int, finished: bool) -> Floats:
    """The reward's features that are no text, [6].

    Args:
        steps: log-probabilities of each step's tokens under the draft model, [steps][tokens].
        size: bytes.
        finished: whether nothing comes after them.

    >>> numbers([np.array([-1.0, -3.0]), np.array([-2.0])], 0, True).round(3).tolist()
    [-2.0, -2.0, -2.0, 0.693, 0.0, 1.0]
    """
    last = steps[-1]
    return np.array(
        [np.concatenate(steps).mean(), last.mean(), last.min(), np.log(len(steps)), np.log1p(size), finished],
        np.float64,
    )


class Reward:
    """Process reward: (prompt and partial response, `numbers`) -> probability that it ends right."""

    def __init__(self, dimensions: int, penalty: float) -> None:
        self.embedder = Embedder(dimensions)
        self.logistic = Logistic(penalty)

    def fit(self, texts: Sequence[str], x: Floats, labels: Floats, weights: Floats) -> "Reward":
        """x [n, 6], labels [n] in [0, 1], weights [n]."""
        self.embedder.fit(texts)
        self.mean_, self.deviation_ = x.mean(0), x.std(0) + 1e-6
        self.logistic.fit(self._features(texts, x), labels, weights)
        return self

    def of(self, text: str, x: Floats) -> float:
        """Of one partial response behind its prompt."""
        return float(self.logistic.predict(self._features([text], x[None]))[0])

    def _features(self, texts: Sequence[str], x: Floats) -> Floats:
        # A value far outside what was seen in training must not decide alone.
        return np.hstack([np.clip((x - self.mean_) / self.deviation_, -4, 4), self.embedder.transform(texts)])


def scored(text: TextSession, steps: Sequence[bytes], ended: bool) -> list[Floats]:
    """Log-probabilities of the tokens of further steps under a model, [steps][tokens]; one forward pass. Bytes that
    it cannot spell count as one token that it cannot expect. Raises ValueError where they do not fit its context.
    """
    ids = [text.ids(step) for step in steps]
    ids[-1] = ids[-1] + [text.model.end_token] * ended
    values = text.session.score([i for step in ids for i in step])
    parts = np.split(values, np.cumsum([len(step) for step in ids])[:-1])
    return [part if len(part) else np.array([-20.0]) for part in parts]


@method(
    name="reward-guided-steps", category="during/process-level", family="step-routing",
    papers=["liao2025rsd", "kapoor2026trim"], needs=("labels", "distributions", "scoring"),
)  # fmt: skip
class RewardGuidedSteps(Method):
    """Lines of a small model, rewritten by a large one where a learnt reward is low."""

    Parameters = Parameters
    needs_training = True
    training_samples = 2

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.written_ = np.zeros(2, np.int64)

    @property
    def share(self) -> float:
        """Part of all steps since the beginning that the target wrote."""
        return float(self.written_[1] / max(self.written_.sum(), 1))

    def pair(self) -> tuple[int, int]:
        """Positions of draft and target in the pool."""
        order, p = self.pool.by_price(), self.parameters
        return (
            self.pool.index(p.draft) if p.draft else order[0],
            self.pool.index(p.target) if p.target else order[-1],
        )

    def fit(self, train: TrainingSet) -> None:
        p, model = self.parameters, self.pool.token_models()[self.pair()[0]]
        examples: list[tuple[str, Floats, float, float]] = []  # text, numbers, label, weight
        for q, query in enumerate(train.queries):
            found: dict[tuple[str, bool], float] = {}
            for m in dict.fromkeys(self.pair()):
                given: list[Generation] = [train.responses[q][m], *train.samples[q][m]]
                marks = [train.scores[q, m], *train.sample_scores[q, m]]
                found |= {(g.text, g.finished): float(s) for g, s in zip(given, marks, strict=True) if g.text}
            kinds, start = list(found.items()), TextSession(model, query.prompt)
            for i in self.rng.permutation(len(kinds))[: p.chains]:
                (text, ended), label = kinds[i]
                steps = steps_of(text)
                try:
                    logs = scored(start, steps, ended)
                except ValueError:  # longer than the model's context
                    continue
                for n in range(1, len(steps) + 1):
                    prefix = b"".join(steps[:n])
                    x = numbers(logs[:n], len(prefix), n == len(steps))
                    examples.append((query.prompt + prefix.decode(), x, label, 1 / len(steps)))
        if not examples:
            raise ValueError("reward-guided-steps: the two models' training responses are all empty")
        texts, rows, labels, weights = zip(*examples, strict=True)
        self.reward_ = Reward(p.dimensions, p.penalty).fit(texts, *map(np.array, (rows, labels, weights)))

    def answer(self, query: Query) -> str:
        p, models = self.parameters, self.pool.token_models()
        draft, target = TextSession(models[self.pair()[0]], query.prompt), None
        logs: list[Floats] = []
        for _ in range(p.steps):
            left = query.max_tokens - len(draft.session.tokens)
            kept, ahead, ended = False, draft, False
            seen: tuple[float, ...] = ()
            if p.threshold < 1:
                ahead, seen, ended = self.step(draft, left)
                if not seen:
                    break
                finished = ended or left <= len(seen) or any(stop in ahead.text for stop in query.stop)
                x = numbers([*logs, np.array(seen)], len(ahead.data), finished)
                kept = p.threshold <= 0 or self.reward_.of(query.prompt + ahead.text, x) >= p.threshold
            if kept:
                draft, logs = ahead, [*logs, np.array(seen)]
            else:
                target = target or TextSession(models[self.pair()[1]], query.prompt)
                if target.data != draft.data:
                    target.follow(draft)
                target, seen, ended = self.step(target, left)
                piece = target.data[len(draft.data) :]
                if not seen or not draft.fits(piece):
                    return target.text
                logs = [*logs, *scored(draft, [piece], ended)]
                draft.follow(target)
            self.written_[int(not kept)] += 1
            if ended or any(stop in draft.text for stop in query.stop):
                break
        return draft.text

    def step(self, text: TextSession, left: int) -> tuple[TextSession, tuple[float, ...], bool]:
        """A model's text with one more line, the log-probabilities of its tokens, and whether it ends the
        response.
        """
        if text.room > 0 and left > 0:
            text.next_logits()  # read once here: the draft starts from the cache
        ahead = text.fork()
        _, seen, ended = write_until(
            ahead, lambda line: "\n" in line, left, temperature=self.parameters.temperature, rng=self.rng
        )
        return ahead, seen, ended
