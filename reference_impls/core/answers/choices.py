"""Letters of options, A to J, in whatever dress they come; the option's own text stands for its letter."""

import re
from collections.abc import Sequence

from reference_impls.core.answers.characters import plain, without_latex
from reference_impls.core.answers.phrases import normalise
from reference_impls.core.answers.places import boxed, field, hashed, refuses, stated

LETTERS = "ABCDEFGHIJ"
_GAP = 600
"""Characters within which a second statement of a letter needs a word of correction ("wait", "but") to count: without
one it mostly sums up other questions, as MMLU-Pro's texts show (`recorded.agreement`)."""
_SHORT = 60
"""Characters of an answer without a letter that is kept as words."""

#: A letter at the beginning of an answer, in any dress, and what must not follow it: the rest of a word.
_DRESSED = re.compile(
    r"[\s*_`\"'>#-]*+(?:both\s)?+(?:(?:options?|choices?|answers?|letters?)\s*[:#]?\s*)?+[*_`\"'\s]*+"
    r"(?:[(\[{<]\s*+[*_`]*+(?P<bracketed>[A-Ja-j])[*_`]*+\s*+[)\]}>]|(?P<bare>[A-Ja-j])(?P<after>[).:\]*_`\"',;]*+))"
    r"(?![\w'’^+=/<>])",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\(\s?[*_`]{0,2}([A-J])[*_`]{0,2}\s?\)")
#: A bare capital at the end of what is said, after a word that a choice follows.
_AT_END = re.compile(
    r"(?i:\b(?:is|be|so|choose|chose|pick|select|take|say|guess|think|believe|therefore|thus|hence|with|for|but|yes)"
    r"|'s|[:→]|->|=>)"
    r"[\s,*_`\"'(]{1,6}([A-J])[)*_`\"'.!\s]*+\Z"
)
_NAMED = re.compile(
    r"(?i:\b(?:option|choice|answer|letter)\s+(?:is\s+)?)[(\"'*_`]{0,3}([B-HJ]|[AI](?!\s+[^\W\d_A-Z]))(?!\w)"
)
_CORRECT = re.compile(
    r"[(\"'*_`\[]{0,3}\b([A-J])[)\"'*_`\]]{0,3},?\s(?:is|would be|must be|seems|appears(?: to be)?)\s"
    r"(?:therefore |thus |clearly )?(?:the )?(?:most |best |only )?(?:likely )?(?:correct|right|true|best|answer)\b"
)
_MORE = re.compile(
    r"[)*_`\"'\]]{0,3}\s*(?:,|and|&|/|\+)\s*(?:and\s)?(?:option\s|choice\s)?[(*\"]{0,2}([A-J])[)*\".]{0,2}(?=\W|$)(?!')"
)
_EITHER = re.compile(r"[)*_`\"'\]]{0,3}\s*\bor\b\s*(?:option\s|choice\s)?[(*\"]{0,2}([A-J])[)*\".]{0,2}(?=\W|$)")
#: A letter with its mark before the option's text: "is B. a river", "is: (B) a river".
_WITH_TEXT = re.compile(r"(?:\b(?:is|are|be)|:)\s+[(*_`\"]{0,3}([A-J])[*_`\"]{0,2}[.):](?=\s)")
#: A letter in brackets behind the option's text: "a river (b)".
_BEHIND = re.compile(r"[(\[]([A-Ja-j])[)\]][\s.*_]*+\Z")
_LISTED = re.compile(r"^[ \t*_>#-]*+[(\[]?([A-Ja-j])[)\].:]", re.MULTILINE)


def choice(text: str, options: Sequence[str] = ()) -> str | None:
    """The letter that a response chooses, as a capital.

    Two letters (``A and C``) are one answer, which equals no single letter; ``A or C`` is none. Where no letter can
    be read, a short answer keeps its words, so that it can still equal another one.

    Args:
        text: the response.
        options: the texts of the options in their order, where they are known.

    >>> [choice(t) for t in ("(B)", "b.", "**B**", "Answer: B", "The answer is (B).", "B) a river", "I think B.")]
    ['B', 'B', 'B', 'B', 'B', 'B', 'B']
    >>> choice("A river"), choice("I am not sure."), choice("A and C"), choice("the Nile", ["The Po", "The Nile"])
    ('river', None, 'A,C', 'B')
    """
    letters = LETTERS[: len(options)] if options else LETTERS
    text = plain(text)
    for marked in (boxed(text), field(text), hashed(text)):
        if marked is not None:
            found = _read(marked, letters, options)
            if found:
                return found
    for rest in stated(text, gap=_GAP):
        found = _read(rest, letters, options)
        if found:
            return found
    return _unmarked(text, letters, options)


def _read(answer: str, letters: str, options: Sequence[str]) -> str | None:
    """The choice that a stretch of text begins with or is."""
    answer = without_latex(answer).strip().strip("$").strip()
    by_text = _by_text(answer, options)
    if by_text:
        return by_text
    found = _DRESSED.match(answer)
    if found:
        letter = (found["bracketed"] or found["bare"]).upper()
        if letter in letters and (_is_alone(found) or _is_choice(found, answer)):
            return _several(letter, answer[found.end("bare" if found["bare"] else "bracketed") :], letters)
    return _only((_CORRECT, _NAMED, _IN_BRACKETS), answer, letters)


def _is_choice(found: re.Match[str], text: str) -> bool:
    """Whether a letter with text behind is a choice and no word ("I think", "A river") or name ("b is 5")."""
    if found["bracketed"]:
        return True
    letter, after = found["bare"], found["after"]
    if not letter.isupper():
        return after.startswith((")", ".", ":", "]"))
    if after.strip("'\""):
        return True
    if letter not in "AI":
        return True
    rest = text[found.end() :].lstrip()
    return (
        re.match(r"(?:and|or|because|since|as|is|for|with|based|due)\b|[(\[–—,&-]", rest) is not None
        and letter == "A"
    )


def _several(letter: str, rest: str, letters: str) -> str | None:
    """One letter, or all that are joined to it by commas and "and"; None for "A or B"."""
    chosen = [letter]
    either = _EITHER.match(rest)
    if either and either[1] in letters:
        return None
    place = 0
    while (more := _MORE.match(rest, place)) and more[1] in letters:
        tail = rest[more.end() :].lstrip()
        if more[1] in "AI" and tail[:1].isalpha():  # "B, a river", "B, I think"
            break
        chosen.append(more[1])
        place = more.end()
    return ",".join(sorted(set(chosen)))


def _unmarked(text: str, letters: str, options: Sequence[str]) -> str | None:
    """The choice of a response that does not say "the answer is"."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or refuses(text):
        return None
    if whole := _by_text(text, options):
        return whole
    if len(text) < _SHORT:
        lines = [without_latex(line).strip(" $") for line in lines]
    listed = {letter.upper() for letter in _LISTED.findall(text)}
    listing = {"A", "B"} <= listed  # the options themselves, or parts of the working
    first = _DRESSED.match(lines[0])
    if first and not listing and not re.match(r"\s*(?:is|are|was|can|does|has)\b", lines[0][first.end() :]):
        letter = (first["bracketed"] or first["bare"]).upper()
        if letter in letters and (_is_alone(first) or _is_choice(first, lines[0])):
            return _several(letter, lines[0][first.end("bare" if first["bare"] else "bracketed") :], letters)
    patterns = (_CORRECT, _NAMED, _AT_END) if listing else (_CORRECT, _NAMED, _WITH_TEXT, _IN_BRACKETS, _AT_END)
    behind = _BEHIND.search(lines[-1]) if options else None
    if behind and behind[1].upper() in letters:  # also where the text is another option's: the letter was asked for
        return str(behind[1].upper())
    found = _only(patterns, lines[-1], letters) or _one_inside(lines[-1], options) or _one_inside(text, options)
    if found or options:
        return found
    words = normalise(text) if len(lines) == 1 and len(text) <= _SHORT and not text.rstrip().endswith("(") else ""
    return words or None


def _is_alone(found: re.Match[str]) -> bool:
    """Whether nothing but punctuation follows a letter."""
    return not found.string[found.end() :].strip(" .,;:!*_`\"'$)")


def _only(patterns: Sequence[re.Pattern[str]], line: str, letters: str) -> str | None:
    """The letter that the first fitting pattern finds, if it finds one letter only."""
    for pattern in patterns:
        found = {letter for letter in pattern.findall(line) if letter in letters}
        if len(found) == 1:
            return str(found.pop())
    return None


def _by_text(answer: str, options: Sequence[str]) -> str | None:
    """The letter of the one option that an answer is, word for word."""
    if not options or len(answer) > 4 * max(map(len, options)) + 40:
        return None
    words = normalise(answer)
    same = [i for i, option in enumerate(options) if words and normalise(option) == words]
    return LETTERS[same[0]] if len(same) == 1 and same[0] < len(LETTERS) else None


def _one_inside(line: str, options: Sequence[str]) -> str | None:
    """The letter of the only option whose text stands in a line; of texts that hold one another the longest."""
    line = f" {normalise(line[-2000:])} "
    found = {}
    for i, option in enumerate(options[: len(LETTERS)]):
        words = normalise(option)
        if words and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", line):
            found[i] = words
    longest = [i for i, words in found.items() if not any(words in w and words != w for w in found.values())]
    return LETTERS[longest[0]] if len(longest) == 1 else None
