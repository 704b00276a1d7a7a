"""The one reader of final answers: votes, scorers, recordings and the readers of public sources all use it.

An answer is read into a form in which equal answers are equal strings. None is an abstention: it equals no answer,
never wins a vote and scores 0.
"""

from collections.abc import Sequence

from reference_impls.core.answers.amounts import amount
from reference_impls.core.answers.choices import LETTERS, choice
from reference_impls.core.answers.numbers import number, plain_number
from reference_impls.core.answers.phrases import canonical, normalise, short
from reference_impls.core.answers.places import first_response, spoken
from reference_impls.core.answers.programs import program
from reference_impls.core.answers.verdicts import yes_no
from reference_impls.core.model import Generation
from reference_impls.core.query import Query

__all__ = [
    "EXACT", "LETTERS", "answer_of", "final_answer", "given_answer", "kind_of", "normalise", "number", "plain_number",
    "program",
]  # fmt: skip

#: Kinds whose answers are short, so that they can be the same or not.
EXACT = ("short", "choice", "number", "yes-no")


def final_answer(text: str, kind: str, options: Sequence[str] = ()) -> str | None:
    """The final answer in a response, in a form in which equal answers are equal strings.

    What a model thought (``<think>``) is no part of its response. What stands in ``\\boxed{}`` is the answer, else
    the value of ``"answer":``, else what follows ``####``, else what follows "the answer is" or "Answer:"; the
    kind says where it stands without such a mark.

    Args:
        text: the whole response; steps come before the answer.
        kind: the query's `kind`: ``number`` the last number by its exact value, ``choice`` the option's letter as a
            capital, ``yes-no`` yes or no, ``short`` the last line (numbers by value, formulas without typesetting,
            words in lower case), ``code`` the program, ``list`` and ``text`` the whole response without white space
            at line ends.
        options: texts of the options of a choice, where they are known.

    Returns:
        None if there is no answer; None never equals an answer and never wins a vote.

    >>> final_answer("7+5=12\\n= 132", "number"), final_answer("Menlok (b)", "short"), final_answer(" ", "short")
    ('132', 'b', None)
    """
    text = spoken(text)
    if not text.strip():
        return None
    if kind in EXACT:
        text = first_response(text)
    if kind == "number":
        return amount(text)
    if kind == "choice":
        return choice(text, options)
    if kind == "yes-no":
        return yes_no(text)
    if kind == "short":
        return short(text)
    if kind == "code":
        text = program(text)
    whole = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return whole or None


def answer_of(generation: Generation, query: Query) -> str | None:
    """The final answer of a response: the one that came with it (recorded responses), else `final_answer`.

    >>> question = Query("t/0", "t", "1 + 1 = ?", "number")
    >>> answer_of(Generation("m", "= 2"), question), answer_of(Generation("m", "", answer="two"), question)
    ('2', 'two')
    """
    if generation.answer is None:
        return final_answer(generation.text, query.kind, query.options)
    # Recorded as empty: the response holds none.
    return given_answer(generation.answer, query.kind, query.options)


def given_answer(answer: str, kind: str, options: Sequence[str] = ()) -> str | None:
    """An answer that somebody has already taken out of a response, or a reference, in the form of `final_answer`.

    >>> given_answer("18.00", "number"), given_answer("two", "number"), given_answer("(b)", "choice")
    ('18', 'two', 'B')
    """
    if kind in EXACT:
        if kind in ("number", "choice") and answer.strip().lower() in ("", "none", "null", "nan", "n/a"):
            return None
        if kind == "number" and (value := number(answer)) is not None:
            return value
        if kind in ("choice", "yes-no") and (value := final_answer(answer, kind, options)) is not None:
            return value
        return canonical(answer)
    return final_answer(answer, kind)


def kind_of(reference: str, options: Sequence[str] = ()) -> str:
    """How responses to a question are read, by its right answer.

    >>> [kind_of(r) for r in ("2/3", "$18", "50%", "(B)", "False", "Paris", "2 km", "12 Angry Men", "one\\ntwo")]
    ['number', 'number', 'number', 'choice', 'yes-no', 'short', 'number', 'short', 'text']
    """
    reference = reference.strip()
    if options:
        return "choice"
    if plain_number(reference) is not None:
        return "number"
    bare = reference.strip("()[]. *").upper()
    if len(bare) == 1 and bare in LETTERS:
        return "choice"
    if reference.lower().strip(". ") in ("yes", "no", "true", "false", "是", "否", "да", "нет"):
        return "yes-no"
    return "short" if reference and len(reference) <= 60 and "\n" not in reference else "text"
