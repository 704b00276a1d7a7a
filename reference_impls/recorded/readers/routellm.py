"""RouteLLM's evaluation records: GPT-4 (``gpt-4-1106-preview``) and Mixtral-8x7B on MMLU, GSM8K and MT-Bench.

Ong et al., "RouteLLM: Learning to Route LLMs with Preference Data" (ong2024routellm). As in the paper, prompts that
also stand in the training data of its routers are dropped before anything is counted. The records have no splits:
every query is a test query, and `Recording.resplit` draws some to train on. The prices are the mean US dollars per
million tokens that the paper gives for the two models; it does not tell input from output and the records hold no
token counts, so no response has a cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference_impls.core.answers import final_answer
from reference_impls.core.model import Floats, Price
from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.readers.parse import (
    Files,
    SourceError,
    csv_rows,
    json_lines,
    marked_number,
    named,
)

WEAK, STRONG = "mixtral-8x7b-instruct-v0.1", "gpt-4-1106-preview"
COLUMNS = {WEAK: "mistralai/Mixtral-8x7B-Instruct-v0.1", STRONG: "gpt-4-1106-preview"}
PRICES = {WEAK: Price(0.24, 0.24), STRONG: Price(24.7, 24.7)}
RIGHT = {"True": 1.0, "False": 0.0}


def mmlu(files: Files) -> Recording:
    """MMLU: right or wrong of both models; task = subject; no responses, no reference answers."""
    contaminated = _contaminated(files)
    queries, responses = [], []
    subjects = {file.stem.removeprefix("mmlu_"): file for path, file in files.items() if path.endswith(".csv")}
    for subject, file in sorted(subjects.items()):
        for i, row in enumerate(csv_rows(file)):
            if row["prompt"] in contaminated:
                continue
            query = RecordedQuery(f"mmlu/{subject}/{i:04d}", row["prompt"], None, subject, "test")
            queries.append(query)
            for model, column in COLUMNS.items():
                score = RIGHT[row[column]]
                responses.append(RecordedResponse(query.id, model, 0, None, None, score, None, None, None, None))
    return Recording("routellm-mmlu", tuple(queries), tuple(responses), PRICES)


def gsm8k(files: Files) -> Recording:
    """GSM8K with the text of both models.

    The score is the recorded one; the records do not say how their authors took the answer. They call responses such
    as "$20.00" wrong where the reference is 20. The answer is what the common reader (`core.answers`) reads.
    """
    contaminated = _contaminated(files)
    solutions = [str(row["answer"]) for row in json_lines(named(files, "test.jsonl"))]
    table = named(files, ".csv")
    rows = list(csv_rows(table))
    if len(rows) != len(solutions):
        raise SourceError(f"{table}: {len(rows)} rows, but test.jsonl has {len(solutions)} (fetch both again)")
    queries, responses = [], []
    for i, (row, solution) in enumerate(zip(rows, solutions, strict=True)):
        if row["prompt"] in contaminated:
            continue
        reference = marked_number(solution, "####")
        query = RecordedQuery(f"gsm8k/test/{i:04d}", row["prompt"], reference, "gsm8k", "test")
        queries.append(query)
        for model, column in COLUMNS.items():
            text, score = row[f"{column}_response"], RIGHT[row[column]]
            answer = final_answer(text, "number")
            responses.append(RecordedResponse(query.id, model, 0, text, answer, score, None, None, None, None))
    return Recording("routellm-gsm8k", tuple(queries), tuple(responses), PRICES)


def mt_bench(files: Files) -> Recording:
    """MT-Bench: GPT-4's grades of both models. One query is one conversation of two turns.

    The prompt is the first turn, on which the paper's routers decide for both; the score is the mean of the two
    grades (1 to 10) divided by 10, so that 10 times a mean score is the number that the paper reports.
    """
    contaminated = _contaminated(files)
    grades: dict[tuple[int, str], list[float]] = {}
    for row in json_lines(named(files, "judgements.jsonl")):
        grades.setdefault((int(row["question_id"]), str(row["model"])), []).append(float(row["score"]))
    queries, responses = [], []
    for row in json_lines(named(files, "question.jsonl")):
        prompt = str(row["turns"][0])
        if prompt in contaminated:
            continue
        query = RecordedQuery(f"mt-bench/{row['question_id']}", prompt, None, str(row["category"]), "test")
        queries.append(query)
        for model, column in COLUMNS.items():
            turns = grades[int(row["question_id"]), column]
            score = sum(turns) / len(turns) / 10
            responses.append(RecordedResponse(query.id, model, 0, None, None, score, None, None, None, None))
    return Recording("routellm-mt-bench", tuple(queries), tuple(responses), PRICES)


def mt_bench_turns(files: Files, models: Sequence[str], queries: Sequence[str]) -> dict[str, Floats]:
    """GPT-4's grades of the first and of the second turn alone, each divided by 10, [queries, models]."""
    grades = {
        (f"mt-bench/{row['question_id']}", str(row["model"]), int(row["turn"])): float(row["score"]) / 10
        for row in json_lines(named(files, "judgements.jsonl"))
    }
    return {
        f"GPT-4, turn {turn}": np.array([[grades[q, COLUMNS[model], turn] for model in models] for q in queries])
        for turn in (1, 2)
    }


def _contaminated(files: Files) -> frozenset[str]:
    return frozenset(str(row["eval_prompt"]) for row in json_lines(named(files, "contaminated_prompts.jsonl")))
