"""LE-MCTS: Monte Carlo tree search over steps of reasoning, each written by one of the models, guided by a
process-reward model that is trained here.

A node is a partial response s, an action lets one model write the next step (a line). An iteration goes down from
the root to a node that is not fully expanded, lets its next model write a step there, gives the new node the
reward r(s) in [0, 1] as value v (no rollout) and backs it up, with N the visits and C the exploration:

    select   argmax_c  v_c + C sqrt(ln N_parent / N_c)
    back up  N <- N + 1,   v <- ((N - 1) v + max_c v_c) / N    (optimistic: the best child, not the new one)

and the finished response of largest reward is returned. The verifier r is a logistic regression for the probability
that s ends right, learnt on all prefixes of sampled responses of the train split, labelled with the response's score.
Features: mean log-probability of s and of its last step under each model, lines, bytes, whether s is finished, an
embedding of prompt and s. Calls: an iteration is one step written by one model, scored once by each, side by side.

Differences from the paper
1. The verifier is this small logistic regression; the paper takes a ready process-reward model that reads text.
2. A node is fully expanded after `branches` tries, the models in random order; the paper draws models at random
   and has a further threshold on the children's values, which is left out.
3. A finished response is not selected again, nor a node with nothing else below it. If nothing is finished when
   the iterations are used up, the leaf of largest reward is continued by the best child at each step.
4. The paper itself was not at hand: UCT, the optimistic back-up, C = 0.5 and 20 iterations are those of a public
   re-implementation that cites its equations. At the end that goes down greedily; here the best finished one counts.
5. A step is one line; a text at the token limit counts as finished; what exceeds a model's context is no child.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Embedder, Logistic, Method, Query, TextSession, TrainingSet, method, write_until

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """Parameters of the search and of the verifier."""

    #: Steps written a query.
    iterations: int = 20
    #: Tries a node; equal steps become one child.
    branches: int = 3
    #: C of the upper confidence bound; 0.5 for hard tasks, 1 and more for easy ones.
    exploration: float = 0.5
    #: Of the written steps; 0 is greedy.
    temperature: float = 0.7
    #: Different responses a training query that the verifier learns from.
    chains: int = 4
    #: Dimensions of the verifier's text features, and penalty of its weights.
    dimensions: int = 256
    penalty: float = 3.0


@dataclass(eq=False)
class Node:
    """A partial response. `logprobs` are the tokens' log-probabilities, [models][steps][tokens of the step]."""

    data: bytes = b""
    logprobs: Sequence[Sequence[Floats]] = ()
    tokens: int = 0
    finished: bool = False
    untried: list[int] = field(default_factory=list)  # models that are still to write a step here
    reward: float = 0.0
    value: float = 0.0
    visits: int = 0
    children: list["Node"] = field(default_factory=list)
    closed: bool = False  # nothing is left to be found here
    before: Sequence[TextSession] = ()  # the parent's text under each model
    drafts: dict[int, TextSession] = field(default_factory=dict)  # the text under those that wrote the last step
    texts: Sequence[TextSession] = ()  # its own, once the node is expanded


def uct(value: float, visits: int, parent_visits: int, exploration: float) -> float:
    """Upper confidence bound of a child.

    >>> round(uct(0.6, 2, 8, 0.5), 4)
    1.1098
    """
    return float(value + exploration * np.sqrt(np.log(max(parent_visits, 1)) / visits))


def select(root: Node, exploration: float) -> list[Node]:
    """The nodes from an unclosed root down to one that is not fully expanded."""
    path = [root]
    while not path[-1].untried:
        visits, unclosed = path[-1].visits, [child for child in path[-1].children if not child.closed]
        path.append(max(unclosed, key=lambda c: uct(c.value, c.visits, visits, exploration)))
    return path


def back_up(path: Sequence[Node]) -> None:
    """Visits and optimistic values of the ancestors of a new child of the path's last node."""
    for node in reversed(path):
        node.visits += 1
        node.value += (max(child.value for child in node.children) - node.value) / node.visits


def close(path: Sequence[Node]) -> None:
    """Closes the nodes of a path, from its end, that have neither models to try nor unclosed children."""
    for node in reversed(path):
        if node.untried or not all(child.closed for child in node.children):
            break
        node.closed = True


def numbers(logprobs: Sequence[Sequence[Floats]], size: int, finished: bool) -> Floats:
    """The verifier's features that are no text, [2 models + 3]: means over all tokens, means over the last step's."""
    whole = [np.concatenate(list(steps)).mean() for steps in logprobs]
    last = [steps[-1].mean() for steps in logprobs]
    return np.array([*whole, *last, np.log(len(logprobs[0])), np.log1p(size), float(finished)])


class Verifier:
    """Process-reward model: (prompt and partial response, `numbers`) -> probability that it ends right."""

    def __init__(self, dimensions: int, penalty: float) -> None:
        self.embedder = Embedder(dimensions)
        self.logistic = Logistic(penalty)

    def fit(self, texts: Sequence[str], x: Floats, labels: Floats, weights: Floats) -> "Verifier":
        """x [n, features], labels [n] in [0, 1], weights [n]."""
        self.embedder.fit(texts)
        self.mean_, self.deviation_ = x.mean(0), x.std(0) + 1e-6
        self.logistic.fit(self._features(texts, x), labels, weights)
        return self

    def predict(self, texts: Sequence[str], x: Floats) -> Floats:
        return self.logistic.predict(self._features(texts, x))

    def _features(self, texts: Sequence[str], x: Floats) -> Floats:
        # A value far outside what was seen in training must not decide alone.
        return np.hstack([np.clip((x - self.mean_) / self.deviation_, -4, 4), self.embedder.transform(texts)])


def steps_of(text: str, ended: bool) -> list[bytes]:
    """The lines of a response with their line breaks; an end after a line break is a step of its own.

    >>> steps_of("1+1\\n= 2", True), steps_of("a\\n", True), steps_of("a\\n", False)
    ([b'1+1\\n', b'= 2'], [b'a\\n', b''], [b'a\\n'])
    """
    return [line.encode() for line in re.split(r"(?<=\n)", text) if line or ended]


def score_steps(text: TextSession, steps: Sequence[bytes], ended: bool) -> list[Floats]:
    """Log-probabilities of the tokens of further steps under a model, [steps][tokens]; one forward pass.
    Raises ValueError where the text does not fit the model's context.
    """
    ids = [text.ids(step) for step in steps]
    ids[-1] = ids[-1] + [text.model.end_token] * ended
    # A step without a token of its own (bytes that the model cannot spell) counts as one that it cannot expect.
    values = text.session.score([i for step in ids for i in step])
    parts = np.split(values, np.cumsum([len(step) for step in ids])[:-1])
    return [part if len(part) else np.array([-20.0]) for part in parts]


@method(
    name="le-mcts", category="during/process-level", family="step-search",
    papers=["park2024lemcts"], needs=("labels", "distributions", "scoring"),
)  # fmt: skip
class LEMCTS(Method):
    """Tree search over lines by several models under a learnt process reward."""

    Parameters = Parameters
    needs_training = True
    training_samples = 2

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        examples: list[tuple[str, Floats, float, float]] = []  # text, numbers, label, weight
        for q, query in enumerate(train.queries):
            responses = [*train.responses[q], *(g for cell in train.samples[q] for g in cell)]
            scores = [*train.scores[q], *train.sample_scores[q].ravel()]
            found = list({(g.text, g.finished): float(s) for g, s in zip(responses, scores, strict=True)}.items())
            starts = [TextSession(model, query.prompt) for model in self.pool.token_models()]
            for i in self.rng.permutation(len(found))[: p.chains]:
                (text, ended), label = found[i]
                steps = steps_of(text, ended)
                try:
                    logprobs = [score_steps(start, steps, ended) for start in starts if steps]
                except ValueError:  # longer than a model's context
                    continue
                for n in range(1, len(steps) + 1):
                    prefix = b"".join(steps[:n])
                    x = numbers([values[:n] for values in logprobs], len(prefix), n == len(steps))
                    examples.append((query.prompt + prefix.decode(), x, label, 1 / len(steps)))
        texts, rows, labels, weights = zip(*examples, strict=True)
        self.verifier_ = Verifier(p.dimensions, p.penalty).fit(texts, *map(np.array, (rows, labels, weights)))

    def untried(self) -> list[int]:
        """The models that are to write a step at a new node: all in random order, again and again."""
        return [int(m) for m in np.resize(self.rng.permutation(len(self.pool)), self.parameters.branches)]

    def expand(self, parent: Node, query: Query) -> Node | None:
        """Lets the next model write a step; None if it is the step of another child or does not fit."""
        if not parent.texts:
            parent.texts = TextSession.advance([text.fork() for text in parent.before], parent.drafts)
        m = parent.untried.pop(0)
        author = parent.texts[m]
        try:
            author.next_logits()  # read once here; every draft starts from the cache
            draft = author.fork()
            left, heat = query.max_tokens - parent.tokens, self.parameters.temperature
            _, written, ended = write_until(draft, lambda line: "\n" in line, left, temperature=heat, rng=self.rng)
            tokens = parent.tokens + len(written)
            finished = ended or tokens >= query.max_tokens or any(stop in draft.text for stop in query.stop)
            known = next((c for c in parent.children if (c.data, c.finished) == (draft.data, finished)), None)
            if known:
                known.drafts.setdefault(m, draft)
            if known or not written:  # nothing is written where the author's context is full
                return None
            with self.pool.parallel():
                scored = [score_steps(text, [draft.data[len(author.data) :]], ended) for text in parent.texts]
        except ValueError:
            return None
        logprobs = [[*before, *new] for before, new in zip(parent.logprobs, scored, strict=True)]
        x = numbers(logprobs, len(draft.data), finished)[None]
        reward = float(self.verifier_.predict([query.prompt + draft.text], x)[0])
        untried = [] if finished else self.untried()
        child = Node(draft.data, logprobs, tokens, finished, untried, reward, reward, 1, [], finished, parent.texts)
        child.drafts[m] = draft
        parent.children.append(child)
        return child

    def answer(self, query: Query) -> str:
        texts = [TextSession(model, query.prompt) for model in self.pool.token_models()]
        root = Node(logprobs=[[] for _ in texts], untried=self.untried(), texts=texts)
        found = []
        for _ in range(self.parameters.iterations):
            if root.closed:
                break
            path = select(root, self.parameters.exploration)
            child = self.expand(path[-1], query)
            if child:
                found.append(child)
                back_up(path)
            close(path)
        finished = [node for node in found if node.finished]
        leaves = [node for node in found if not node.children and not node.closed]
        node = max(finished or leaves or [root], key=lambda n: n.reward)
        while not node.finished:
            while node.untried:
                self.expand(node, query)
            if not node.children:  # no model can go on
                break
            node = max(node.children, key=lambda n: n.reward)
        return node.data.decode("utf-8", "replace")
