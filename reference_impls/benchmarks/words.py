"""Word lists and invented names that the generators share."""

import numpy as np

OBJECTS = [
    "lamp",
    "ring",
    "drum",
    "kite",
    "coin",
    "rope",
    "bell",
    "book",
    "map",
    "key",
    "cup",
    "shell",
    "boat",
    "leaf",
    "stone",
    "pear",
    "wheel",
    "clock",
    "flute",
    "mirror",
]
ANIMALS = [
    "owl",
    "fox",
    "cat",
    "hare",
    "crow",
    "bear",
    "goose",
    "mouse",
    "wolf",
    "otter",
    "swan",
    "toad",
    "horse",
    "goat",
    "crab",
]
ADJECTIVES = [
    "old",
    "quiet",
    "small",
    "red",
    "golden",
    "tired",
    "brave",
    "lost",
    "kind",
    "strange",
    "wet",
    "happy",
    "silver",
    "slow",
    "shy",
    "proud",
    "blue",
    "warm",
]
PLACES = [
    "river",
    "hill",
    "garden",
    "tower",
    "bridge",
    "forest",
    "harbour",
    "mill",
    "island",
    "cave",
    "market",
    "meadow",
]
ENDINGS = ["night", "dawn", "rain", "snow", "spring", "moonlight", "silence", "summer"]
ALL_WORDS = OBJECTS + ANIMALS + ADJECTIVES + PLACES + ENDINGS

_ONSETS = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z"]
_VOWELS = ["a", "e", "i", "o", "u"]


def invented_names(rng: np.random.Generator, count: int, endings: tuple[str, ...]) -> list[str]:
    """Different invented names of a syllable, a consonant and an ending, in a fixed order for a fixed generator."""
    names: dict[str, None] = {}
    while len(names) < count:
        first = rng.choice(_ONSETS) + rng.choice(_VOWELS)
        second = rng.choice(_ONSETS) + str(rng.choice(endings))
        names[str(first + second).capitalize()] = None
    return list(names)
