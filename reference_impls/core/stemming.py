"""Stems of English words by Porter's rules (M. F. Porter, An algorithm for suffix stripping, Program 14(3), 1980).

They bring forms of one word together, so that texts can be compared by the words that they share. A stem need not be
a word.
"""

#: Suffixes and what stands for them where something is left before them (m > 0), in the paper's steps 2 and 3.
_DOUBLE = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize", "abli": "able", "alli": "al",
    "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize", "ation": "ate", "ator": "ate", "alism": "al",
    "iveness": "ive", "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble",
}  # fmt: skip
_SINGLE = {"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": ""}
#: Suffixes that go where enough is left before them (m > 1), in step 4; ``ion`` behind s or t only.
_LAST = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
)  # fmt: skip


def _form(word: str) -> str:
    """The word as consonants and vowels, c and v; y is a vowel behind a consonant."""
    form = ""
    for i, letter in enumerate(word):
        vowel = letter in "aeiou" or (letter == "y" and i > 0 and form[-1] == "c")
        form += "v" if vowel else "c"
    return form


def _measure(word: str) -> int:
    """m, how often vowels are followed by consonants."""
    return _form(word).count("vc")


def _doubled(word: str) -> bool:
    """Whether it ends with the same consonant twice."""
    return len(word) > 1 and word[-1] == word[-2] and _form(word)[-1] == "c"


def _short(word: str) -> bool:
    """Whether it ends with consonant, vowel, consonant, the last of them none of w, x and y."""
    return _form(word)[-3:] == "cvc" and word[-1] not in "wxy"


def _plural(word: str) -> str:
    """Step 1a."""
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    """Step 1b."""
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    suffix = next((s for s in ("ed", "ing") if word.endswith(s)), "")
    rest = word.removesuffix(suffix)
    if not suffix or "v" not in _form(rest):
        return word
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if _doubled(rest) and rest[-1] not in "lsz":
        return rest[:-1]
    return rest + "e" if _measure(rest) == 1 and _short(rest) else rest


def _replaced(word: str, table: dict[str, str]) -> str:
    """The word with the longest suffix of a table replaced where something is left before it."""
    found = max((s for s in table if word.endswith(s)), key=len, default="")
    rest = word.removesuffix(found)
    return rest + table[found] if found and _measure(rest) > 0 else word


def stem(word: str) -> str:
    """The stem of a lower-case English word; words of one or two letters, and others than a to z, as they are.

    >>> [stem(word) for word in ("relational", "relate", "caresses", "happy", "hopping", "owl")]
    ['relat', 'relat', 'caress', 'happi', 'hop', 'owl']
    """
    if len(word) < 3 or not (word.isascii() and word.isalpha()):
        return word
    word = _past(_plural(word))
    if word.endswith("y") and "v" in _form(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(_replaced(word, _DOUBLE), _SINGLE)
    suffix = max((s for s in _LAST if word.endswith(s)), key=len, default="")
    rest = word.removesuffix(suffix)
    if suffix and _measure(rest) > 1 and (suffix != "ion" or rest.endswith(("s", "t"))):
        word = rest
    if word.endswith("e"):
        m = _measure(word[:-1])
        if m > 1 or (m == 1 and not _short(word[:-1])):
            word = word[:-1]
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word
