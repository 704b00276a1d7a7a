"""Prompts for models that read other models' answers: checking, grading, fusing.

The built-in models are trained on exactly these forms; a served model of any kind understands them too.
"""

from collections.abc import Sequence

from reference_impls.core.model import Generation, Model
from reference_impls.core.query import Query
from reference_impls.core.text import final_answer


def _question(prompt: str) -> str:
    """The prompt without its trailing ``A:``."""
    return prompt.removesuffix("A:").rstrip("\n")


def check_prompt(prompt: str, answer: str) -> str:
    """Asks whether an answer is right; the reply begins with `` yes`` or `` no``."""
    return f"{_question(prompt)}\nProposed: {answer.strip()}\nRight?"


def grade_prompt(prompt: str, answer: str) -> str:
    """Asks for a grade from 1 (wrong) to 5 (right); the reply is a blank and the digit."""
    return f"{_question(prompt)}\nProposed: {answer.strip()}\nGrade 1 to 5:"


def fuse_prompt(prompt: str, answers: Sequence[str]) -> str:
    """Asks for one answer in the light of several drafts, best first where that is known."""
    drafts = "\n".join(f"Draft: {answer.strip()}" for answer in answers)
    return f"{_question(prompt)}\n{drafts}\nA:"


def drafts_of(texts: Sequence[str], kind: str) -> list[str]:
    """Responses as drafts: without empty ones, and of worked solutions the final number (as the built-in models were
    trained to read them).

    >>> drafts_of(["7+5=12\\n= 132", " ", "none"], "number")
    ['132', 'none']
    """
    shown = [(final_answer(text, kind) or text) if kind == "number" else text for text in texts]
    return [draft.strip() for draft in shown if draft.strip()]


def fuse(
    model: Model, query: Query, texts: Sequence[str], *, temperature: float = 0.0, seed: int = 0
) -> Generation | None:
    """What a model writes when it reads the query and other responses as drafts, the most important first.

    Returns:
        None if there are no drafts. Drafts that do not fit the model's context are dropped from the end; None as well
        if not even one fits.
    """
    drafts = drafts_of(texts, query.kind)
    while drafts:
        try:
            return model.generate(
                fuse_prompt(query.prompt, drafts), temperature=temperature, max_tokens=query.max_tokens,
                stop=query.stop, seed=seed,
            )[0]  # fmt: skip
        except ValueError:  # longer than the model's context
            drafts.pop()
    return None
