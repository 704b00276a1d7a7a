"""Prompts for models that read other models' answers: checking, grading, fusing.

The built-in models are trained on exactly these forms; a served model of any kind understands them too.
"""

from collections.abc import Sequence


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
