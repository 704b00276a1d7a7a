"""Creative writing: one or two sentences about an animal that must use given words and end as demanded."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reference_impls.benchmarks.base import Benchmark, Problem
from reference_impls.benchmarks.words import ADJECTIVES, ANIMALS, ENDINGS, OBJECTS, PLACES
from reference_impls.core.text import chrf, rouge_l, words

_VERBS = ["found", "hid", "carried", "dreamed_of", "sang_about", "painted", "lost", "guarded"]
_SHAPES = (
    "The {adj} {animal} {verb} a {obj} near the {place} in the {end}.",
    "Near the {place} the {adj} {animal} {verb} a {obj} before the {end}.",
    "A {adj} {animal} from the {place} {verb} the {obj} until the {end}.",
    "Under a {obj} by the {place} the {adj} {animal} waited for the {end}.",
)
_PAIRS = (
    "The {animal} {verb} a {obj}. It was a {adj} day at the {place} after the {end}.",
    "There was a {adj} {animal} at the {place}. It {verb} a {obj} in the {end}.",
    "The {place} was {adj}. There the {animal} {verb} a {obj} until the {end}.",
)
_SLOTS: dict[str, list[str]] = {
    "adj": ADJECTIVES, "obj": OBJECTS, "place": PLACES, "end": ENDINGS,
}  # fmt: skip


class Writing(Benchmark):
    """Constraint satisfaction (weight 0.7) and likeness to three references (ROUGE-L and chrF, weight
    0.3).
    """

    name = "writing"
    title = "Creative writing"
    kind = "text"
    seed = 404
    levels = {"1": 0.2, "2": 0.4, "3": 0.4}

    def problem(self, rng: np.random.Generator, level: str) -> Problem:
        animal = str(rng.choice(ANIMALS))
        kinds = rng.choice(["adj", "obj", "place"], int(level), replace=False)
        wanted = {str(k): str(rng.choice(_SLOTS[k])) for k in kinds}
        end = str(rng.choice(ENDINGS))
        sentences = int(rng.integers(1, 3))
        order = list(rng.permutation(list(wanted.values())))
        using = " and ".join(str(w) for w in order)
        count = "one sentence" if sentences == 1 else "two sentences"
        prompt = f"Q: Write {count} about the {animal} with {using}, ending in {end}.\nA:"
        references = [self._line(rng, animal, wanted, end, sentences) for _ in range(4)]
        reference = {
            "animal": animal, "words": sorted(wanted.values()), "end": end, "sentences": sentences,
            "texts": references[1:],
        }  # fmt: skip
        key = (animal, tuple(sorted(wanted.values())), end, sentences)
        return Problem(key, level, prompt, f" {references[0]}", reference)

    @staticmethod
    def _line(rng: np.random.Generator, animal: str, wanted: Mapping[str, str], end: str, sentences: int) -> str:
        shape = str(rng.choice(_SHAPES if sentences == 1 else _PAIRS))
        slots = {k: str(rng.choice(v)) for k, v in _SLOTS.items()} | dict(wanted)
        slots["end"] = end
        return shape.format(animal=animal, verb=str(rng.choice(_VERBS)).replace("_", " "), **slots)

    def corrupt(self, rng: np.random.Generator, problem: Problem) -> str:
        """A line about other things: most of its constraints fail."""
        return self.problem(rng, problem.level).solution

    @staticmethod
    def constraints(reference: Mapping[str, Any], text: str) -> dict[str, bool]:
        """Every constraint and whether the text meets it."""
        tokens = words(text)
        met = {f"uses {w}": w in tokens for w in (reference["animal"], *reference["words"])}
        met[f"ends in {reference['end']}"] = bool(tokens) and tokens[-1] == reference["end"]
        ends = sum(text.count(mark) for mark in ".!?")
        met[f"{reference['sentences']} sentences"] = ends == reference["sentences"]
        # Repeating the demanded words is no sentence: a line has 6 to 25 words and no word three times in a
        # row.
        repeats = any(a == b == c for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False))
        met["a plausible length"] = 6 <= len(tokens) <= 25 and not repeats
        return met

    def score(self, reference: Mapping[str, Any], text: str) -> float:
        if not text.strip():
            return 0.0
        met = self.constraints(reference, text)
        share = sum(met.values()) / len(met)
        likeness = max((rouge_l(text, r) + chrf(text, r)) / 2 for r in reference["texts"])
        return 0.7 * share + 0.3 * likeness
