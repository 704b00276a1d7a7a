"""Prompts for models that read other models' answers: to check, grade, rank or fuse them, or choose one.

Every prompt has two dresses, and `Model.dress` says which one a model wears. The terse one is exactly what the
built-in models were trained on (ranking and choosing, which they were not, keep its style). The chat one is an
instruction in the form in which the papers give theirs, in our own words: what is judged and by what scale, what may
be wrong with it, and how the reply is to be written. `core.replies` reads the replies.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from reference_impls.core.answers import final_answer
from reference_impls.core.model import Dress, Generation, Model
from reference_impls.core.query import Query

#: The most tokens of a check or a grade. Terse: a blank and a word or digit, also for a model that writes bytes.
#: Chat: as many as the authors of AutoMix allow for reasons and a verdict; a grade alone takes few of them.
REPLY_TOKENS: Mapping[Dress, int] = {"terse": 4, "chat": 250}
#: What fusing counts in `Method.notes`.
DRAFT_COUNTS = ("drafts read", "drafts that did not fit")


def _question(prompt: str) -> str:
    """The prompt without its trailing ``A:``."""
    return prompt.removesuffix("A:").rstrip("\n")


def _numbered(answers: Sequence[str]) -> str:
    """Responses under their numbers; they may be of many lines."""
    return "\n\n".join(f"Response {i}:\n{answer.strip()}" for i, answer in enumerate(answers, 1))


def check_prompt(prompt: str, answer: str, dress: Dress = "terse") -> str:
    """Asks whether an answer is right (AutoMix): terse for `` yes`` or `` no``, chat for reasons and a verdict."""
    if dress == "terse":
        return f"{_question(prompt)}\nProposed: {answer.strip()}\nRight?"
    return (
        "Below are a question and an answer that a language model gave to it. The answer may well be wrong, however"
        " sure it sounds.\n\n"
        f"Question:\n{_question(prompt)}\n\nProposed answer:\n{answer.strip()}\n\n"
        "Is the proposed answer correct or incorrect? Give your reasons in a sentence or two. Then end with a line of"
        ' its own that says either "Verdict: correct" or "Verdict: incorrect".'
    )


def grade_prompt(prompt: str, answer: str, dress: Dress = "terse") -> str:
    """Asks for a grade from 1 (wrong) to 5 (right) (LLM-PeerReview): terse for a blank and the digit, chat for
    ``Grade: `` and the digit.
    """
    if dress == "terse":
        return f"{_question(prompt)}\nProposed: {answer.strip()}\nGrade 1 to 5:"
    return (
        "You are a strict and fair examiner. Below are a question and a response to it. Grade how likely it is that"
        " the response answers the question correctly:\n"
        "1 = certainly not\n2 = probably not\n3 = it may or may not\n4 = very likely\n5 = certainly\n"
        "Neither length nor style counts.\n\n"
        f"Question:\n{_question(prompt)}\n\nResponse:\n{answer.strip()}\n\n"
        'Which grade does the response deserve? Reply with "Grade:" and a whole number from 1 to 5, without an'
        " explanation."
    )


def rank_prompt(prompt: str, answers: Sequence[str], dress: Dress = "terse") -> str:
    """Asks for all responses from the best to the worst by their numbers 1, 2, ..; anonymous, as in LLM Council."""
    if dress == "terse":
        drafts = "\n".join(f"Draft {i}: {answer.strip()}" for i, answer in enumerate(answers, 1))
        return f"{_question(prompt)}\n{drafts}\nBest to worst:"
    return (
        "Below are a question and responses of several language models to it, without their names. Compare the"
        " responses by how correct they are, then by how helpful.\n\n"
        f"Question:\n{_question(prompt)}\n\n{_numbered(answers)}\n\n"
        'Say in a sentence what is good or wrong about each. Then write the line "FINAL RANKING:" and below it a'
        f" numbered list of the {len(answers)} responses by their names, the best response first."
    )


def choose_prompt(prompt: str, answers: Sequence[str], dress: Dress = "terse") -> str:
    """Asks for the number of the response that most of the others agree with (universal self-consistency)."""
    if dress == "terse":
        drafts = "\n".join(f"Draft {i}: {answer.strip()}" for i, answer in enumerate(answers, 1))
        return f"{_question(prompt)}\n{drafts}\nMost consistent:"
    return (
        f"Below are a question and {len(answers)} responses to it.\n\n"
        f"Question:\n{_question(prompt)}\n\n{_numbered(answers)}\n\n"
        "Which response is most consistent with the others, so that the majority shares its conclusion? Reply with"
        f" the number of that response, from 1 to {len(answers)}, and nothing else."
    )


def fuse_prompt(prompt: str, answers: Sequence[str], dress: Dress = "terse") -> str:
    """Asks for one answer in the light of several drafts, best first where that is known (Mixture-of-Agents,
    GenFuser).
    """
    if dress == "terse":
        drafts = "\n".join(f"Draft: {answer.strip()}" for answer in answers)
        return f"{_question(prompt)}\n{drafts}\nA:"
    return (
        "Several language models have responded to the query at the end. Write one response to it that is better than"
        " each of theirs. Judge critically what they say: parts of it may be wrong or one-sided, also where most of"
        " them agree. Do not merely copy one of them; put what is right together into a correct, complete and"
        " well-ordered response that follows the query's own instructions, and do not mention that there were others."
        f"\n\n{_numbered(answers)}\n\nQuery:\n{_question(prompt)}"
    )


def drafts_of(texts: Sequence[str], kind: str, dress: Dress = "terse") -> list[str]:
    """Responses as drafts, without empty ones: whole in chat prompts; in terse ones worked solutions are cut to the
    final number, as the built-in models were trained to read them.

    >>> drafts_of(["7+5=12\\n= 132", " ", "none"], "number")
    ['132', 'none']
    >>> drafts_of(["7+5=12\\n= 132", " ", "none"], "number", "chat")
    ['7+5=12\\n= 132', 'none']
    """
    cut = kind == "number" and dress == "terse"
    shown = [(final_answer(text, kind) or text) if cut else text for text in texts]
    return [draft.strip() for draft in shown if draft.strip()]


def fuse(
    model: Model, query: Query, texts: Sequence[str], notes: Counter[str], *, temperature: float = 0.0, seed: int = 0
) -> Generation | None:
    """What a model writes when it reads the query and other responses as drafts, the most important first.

    Args:
        notes: of the method (`Method.notes`); counts the drafts read and those that did not fit.

    Returns:
        None if there are no drafts. Drafts that do not fit the model's context are dropped from the end; None as well
        if not even one fits.
    """
    drafts = drafts_of(texts, query.kind, model.dress)
    while drafts:
        try:
            written = model.generate(
                fuse_prompt(query.prompt, drafts, model.dress), temperature=temperature,
                max_tokens=query.max_tokens, stop=query.stop, seed=seed,
            )[0]  # fmt: skip
        except ValueError:  # longer than the model's context
            drafts.pop()
            notes[DRAFT_COUNTS[1]] += 1
        else:
            notes[DRAFT_COUNTS[0]] += len(drafts)
            return written
    return None
