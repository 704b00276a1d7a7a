"""The number that a response gives as its answer."""

from reference_impls.core.answers.characters import plain, without_latex
from reference_impls.core.answers.formulas import formula, is_formula
from reference_impls.core.answers.numbers import number, numbers
from reference_impls.core.answers.places import BOLD, SENTENCE_END, boxed, field, hashed, last_line, refuses, stated


def amount(text: str) -> str | None:
    r"""What is boxed or marked as the answer, else the last number; a boxed formula without value is itself.

    >>> amount(r"Thus \boxed{42}, checked in 3 ways."), amount("3 + 4 = 7"), amount("Answer: $18 a day (3 * 6)")
    ('42', '7', '18')
    >>> amount("none"), amount(r"\boxed{2\sqrt{3}}"), amount("In all **12** eggs of 20")
    (None, '2\\sqrt{3}', '12')
    """
    text = plain(text)
    for marked in (boxed(text), field(text), hashed(text)):
        if marked is None:
            continue
        if found := _in_statement(marked):
            return found
        bare = without_latex(marked)
        if is_formula(bare):
            return formula(bare)
    for rest in stated(text):
        if found := _in_statement(rest):
            return found
    if refuses(text):
        return None
    if len(text) <= 60 and (whole := number(text)):
        return whole
    bold = [value for _, span in BOLD.findall(last_line(text)) if (value := number(span))]
    found_all = bold or numbers(text)
    return found_all[-1] if found_all else None


def _in_statement(text: str) -> str | None:
    """The number that a statement of the answer names: the result of a sum, else the first one."""
    value = number(text)
    if value is not None:
        return value
    if is_formula(without_latex(text)) and "=" not in text:
        return None
    end = SENTENCE_END.search(text)
    text = text[: end.start()] if end else text
    found = numbers(text.rpartition("=")[2]) or numbers(text)
    return found[0] if found else None
