"""MMLU-Pro's answers of eighteen models to 12,002 questions with up to ten options, five-shot, with their reasoning.

Wang et al., "MMLU-Pro" (arXiv 2406.01574). Each model has a zip file with one JSON list, read in memory. A recording
holds the questions that all files answer (the Gemini files lack a few), so that the pools have the same questions.

The answer is what the common reader (`core.answers`) reads in a response with its options. The source's own letter
(``pred``) is read by regular expressions that, where a response states no answer, take its last capital letter, or
leave it null; `recorded.agreement` counts and lists where the two differ, and `source_scores` gives the scores that
follow from it.

Between the files 48 questions got another key, wording or options. A response is graded by the options and the key
that its own file carries; prompt and reference are those of most files.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.core.answers import LETTERS, final_answer
from reference_impls.core.model import Floats
from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.readers.parse import Files, SourceError, zipped_json

SMALL = (
    "Meta-Llama-3.1-8B-Instruct", "Phi-3-mini-4k-instruct", "mathstral-7B", "gemma-7b", "Meta-Llama-3-8B",
    "Qwen1.5-7B-Chat", "c4ai-command-r-v01",
)  # fmt: skip
MIDDLE = (
    "Mixtral-8x7B-Instruct-v0.1", "Qwen1.5-110B", "Yi-34B", "Mixtral-8x7B-v0.1", "Meta-Llama-3.1-8B-Instruct",
    "Phi-3-mini-4k-instruct", "mathstral-7B",
)  # fmt: skip
LARGE = (
    "gemini-1.5-flash-002", "Meta-Llama-3.1-70B-Instruct", "Qwen1.5-72B-Chat", "Meta-Llama-3-70B", "jamba-1.5-large",
    "Meta-Llama-3.1-70B",
)  # fmt: skip
GEMINIS = ("gemini-1.5-flash-002", "gemini-1.5-pro-002")
ALL = tuple(dict.fromkeys([*SMALL, *MIDDLE, *LARGE, *GEMINIS]))
TEXTS = ("generated_text", "model_outputs")
"""What files call the response."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as a file has it."""

    text: str
    options: tuple[str, ...]
    answer: str
    subject: str

    @property
    def prompt(self) -> str:
        """The question with its options, one a line."""
        return "\n".join([self.text, *(f"{x}. {option}" for x, option in zip(LETTERS, self.options, strict=False))])


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's response to a question, and the letter that the source reads in it."""

    question: Question
    text: str
    letter: str | None


def small(files: Files) -> Recording:
    """Seven models of at most 35 billion parameters, none far ahead."""
    return _recording("mmlu-pro-small", SMALL, files)


def middle(files: Files) -> Recording:
    """Seven models of 4 to 110 billion parameters, the best .49."""
    return _recording("mmlu-pro-middle", MIDDLE, files)


def large(files: Files) -> Recording:
    """Six models from 70 billion parameters on and services, the two best level."""
    return _recording("mmlu-pro-large", LARGE, files)


def everything(files: Files) -> Recording:
    """All eighteen models."""
    return _recording("mmlu-pro-all", ALL, files)


def source_scores(files: Files, models: Sequence[str], queries: Sequence[str]) -> Floats:
    """1 where the letter that the source reads is the key, [queries, models]."""
    numbers = [int(query.rpartition("/")[2]) for query in queries]
    columns = []
    for model in models:
        right = {number: given.letter == given.question.answer for number, given in _answers(_file(files, model))}
        columns.append([float(right[number]) for number in numbers])
    return np.array(columns).T


def _recording(name: str, models: Sequence[str], files: Files) -> Recording:
    wanted = {_file(files, model): model for model in models}
    complete: set[int] | None = None
    versions: dict[int, Counter[Question]] = defaultdict(Counter)
    answers: dict[str, dict[int, tuple[str, str | None, float]]] = {}
    shared: dict[Question, Question] = {}
    for file in sorted(file for path, file in files.items() if path.endswith(".zip")):
        found = answers.setdefault(wanted[file], {}) if file in wanted else {}
        there = set()
        for number, given in _answers(file):
            there.add(number)
            question = shared.setdefault(given.question, given.question)
            versions[number][question] += 1
            if file in wanted:
                letter = final_answer(given.text, "choice", question.options)
                found[number] = given.text, letter, float(letter is not None and letter == question.answer)
        complete = there if complete is None else complete & there
    queries, responses = [], []
    for number in sorted(complete or ()):
        [(question, _)] = versions[number].most_common(1)
        query = RecordedQuery(
            f"mmlu-pro/{number:05d}", question.prompt, question.answer, question.subject, "test", "choice",
            question.options,
        )  # fmt: skip
        queries.append(query)
        for model in models:
            text, letter, score = answers[model][number]
            responses.append(RecordedResponse(query.id, model, 0, text, letter, score, None, None, None, None))
    if not queries:
        raise SourceError(f"recording {name}: no question is answered in all files (fetch them again)")
    return Recording(name, tuple(queries), tuple(responses), {})


def _file(files: Files, model: str) -> Path:
    ending = f"/model_outputs_{model.replace('3.1', '3_1')}_5shots.zip"
    found = [file for path, file in files.items() if path.endswith(ending)]
    if len(found) != 1:
        raise SourceError(f"{len(found)} files end in {ending}; one is needed (atlas data fetch gets it)")
    return found[0]


def _answers(file: Path) -> Iterator[tuple[int, Answer]]:
    """Number of the question and the answer, of every row of a file."""
    rows = zipped_json(file)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceError(f"{file}: no list of answers (fetch the file again)")
    seen = set()
    for row in rows:
        number, given = _answer(row, file)
        if number in seen:
            raise SourceError(f"{file}: the question {number} stands twice (fetch the file again)")
        seen.add(number)
        yield number, given


def _answer(row: dict[str, Any], file: Path) -> tuple[int, Answer]:
    number, options, key, letter = (row.get(name) for name in ("question_id", "options", "answer", "pred"))
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise SourceError(f"{file}: a row has no number of a question (fetch the file again)")

    def wrong(what: str) -> SourceError:
        return SourceError(f"{file}: question {number} {what} (fetch the file again)")

    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise wrong("has no list of options")
    if not isinstance(key, str) or len(key) != 1 or key not in LETTERS[: len(options)]:
        raise wrong("has no letter of an option as its answer")
    if letter is not None and not isinstance(letter, str):
        raise wrong("has a 'pred' that is no letter")
    texts = [row[name] for name in TEXTS if name in row]
    told = [row.get("question"), row.get("category"), *texts]
    if len(texts) != 1 or not all(isinstance(text, str) for text in told):
        raise wrong("lacks its text, its subject or the response")
    return number, Answer(Question(told[0], tuple(options), key, told[1]), texts[0], letter)
