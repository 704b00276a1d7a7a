"""Prompts for panels of models: a chairman who writes, a juror who compares, a debater who answers again.

As in `core.prompts` every prompt has two dresses. Chat models get an instruction in words; models without instruction
tuning get the terse form, which for writing is that of the drafts that the built-in models learned to read.
"""

from collections import Counter
from collections.abc import Sequence

from reference_impls.core.model import Dress, Generation, Model
from reference_impls.core.prompts import DRAFT_COUNTS, drafts_of, fuse, fuse_prompt
from reference_impls.core.query import Query

#: What a chairman's reading counts in `Method.notes`, beside `DRAFT_COUNTS`.
REVIEW_COUNTS = ("reviews read", "reviews that did not fit")


def _question(prompt: str) -> str:
    """The prompt without its trailing ``A:``."""
    return prompt.removesuffix("A:").rstrip("\n")


def _numbered(name: str, texts: Sequence[str]) -> str:
    """Texts of many lines under their numbers."""
    return "\n\n".join(f"{name} {i}:\n{text.strip()}" for i, text in enumerate(texts, 1))


def chairman_prompt(prompt: str, answers: Sequence[str], reviews: Sequence[str]) -> str:
    """Asks a chat model for the council's response in the light of all responses and of what reviewers say."""
    return (
        "You chair a council of language models. Each member has responded to the query at the end, and then reviewed"
        " all responses without knowing whose they are. Write the council's response to the query. Weigh what the"
        " responses say, what the reviewers find good or wrong in them, and where they agree or differ; the majority"
        " need not be right. Follow the query's own instructions, and do not mention the council, its members or"
        " their reviews."
        f"\n\n{_numbered('Response', answers)}\n\n{_numbered('Review', reviews)}\n\nQuery:\n{_question(prompt)}"
    )


def compare_prompt(prompt: str, first: str, second: str, dress: Dress = "terse") -> str:
    """Asks which of two responses is better (PoLL): terse for the number 1 or 2, chat for one of the five verdicts
    A>>B, A>B, A=B, B>A and B>>A.
    """
    if dress == "terse":
        return f"{_question(prompt)}\nDraft 1: {first.strip()}\nDraft 2: {second.strip()}\nBetter:"
    return (
        "Below are a question and two responses to it, A and B. Judge which response answers the question better:"
        " first by how correct it is, then by how helpful. Neither length nor the order of the responses counts.\n\n"
        f"Question:\n{_question(prompt)}\n\nResponse A:\n{first.strip()}\n\nResponse B:\n{second.strip()}\n\n"
        "Give your reasons in a sentence or two. Then end with a line of its own that holds one of these verdicts:\n"
        "[[A>>B]] A is much better\n[[A>B]] A is better\n[[A=B]] both are as good\n[[B>A]] B is better\n"
        "[[B>>A]] B is much better"
    )


def debate_prompt(prompt: str, own: str, others: Sequence[str], dress: Dress = "terse") -> str:
    """Asks a model to answer again when it has read its own response and those of others (multiagent debate)."""
    if dress == "terse":
        return fuse_prompt(prompt, [own, *others])
    return (
        "You and other language models have responded to the query at the end. Read the others' responses critically:"
        " where they are right and you were wrong, change your mind; where they are wrong, keep to your response."
        " Then write your updated response to the query, complete and in the form that the query asks for."
        f"\n\nYour earlier response:\n{own.strip()}\n\n{_numbered('Response of another model', others)}\n\n"
        f"Query:\n{_question(prompt)}"
    )


def preside(
    chairman: Model, query: Query, texts: Sequence[str], ranked: Sequence[str], reviews: Sequence[str],
    notes: Counter[str],
) -> Generation | None:  # fmt: skip
    """What a chairman writes.

    Args:
        texts: the responses in the order in which the reviews number them; chat models read these.
        ranked: the same, the best first; models of the terse dress read these as drafts, and no reviews.
        notes: of the method; counts drafts and reviews that were read, and those that did not fit.

    Returns:
        None if there are no responses or not even one fits the context. What does not fit is dropped: first the
        reviews, then responses from the end.
    """
    if chairman.dress == "terse" or not reviews:
        return fuse(chairman, query, ranked, notes)
    drafts = drafts_of(texts, query.kind, chairman.dress)
    asked = chairman_prompt(query.prompt, drafts, reviews)
    try:
        written = chairman.generate(asked, max_tokens=query.max_tokens, stop=query.stop)[0]
    except ValueError:  # longer than the model's context
        notes[REVIEW_COUNTS[1]] += len(reviews)
        return fuse(chairman, query, ranked, notes)
    notes[DRAFT_COUNTS[0]] += len(drafts)
    notes[REVIEW_COUNTS[0]] += len(reviews)
    return written
