"""LLMDrift: GPT-3.5 and GPT-4, each as of March (0301, 0314) and June 2023 (0613), with measured cost and latency.

Chen, Zaharia and Zou, "How Is ChatGPT's Behavior Changing over Time?" (arXiv 2307.09009). Every response has its US
dollars, its seconds and its answer tokens as recorded; prompt tokens are not recorded. All queries are test queries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from reference_impls.core.model import Floats
from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.readers.parse import Files, csv_rows, named

Row = dict[str, str]
Judge = Callable[[Row], tuple[str | None, float | None]]
"""A row's final answer and its score, each None where there is none."""

_VERDICT = re.compile(r"\[(yes|no)\]")
_BOXED = re.compile(r"boxed\s*\{\s*(\d+)")
_OPTION = re.compile(r"\(([A-Z])\)")


def prime(files: Files) -> Recording:
    """Is this number prime? The answer is the last ``[Yes]`` or ``[No]``; a response without one is wrong.

    (Taking the last bare yes or no instead gives GPT-4 of June 0.511, the paper's number, in place of 0.502.)
    """

    def judge(row: Row) -> tuple[str | None, float | None]:
        answer = _last(_VERDICT, row["answer"].lower())
        return answer, float(answer == row["ref_answer"].lower())

    return _recording("llmdrift-prime", files, "PRIME_FULL_EVAL.csv", judge, lambda row: row["ref_answer"].lower())


def happy(files: Files) -> Recording:
    """How many happy numbers lie in an interval? The answer is the last boxed number."""

    def judge(row: Row) -> tuple[str | None, float | None]:
        answer = _last(_BOXED, row["answer"])
        return answer, float(answer is not None and answer == _last(_BOXED, row["ref_answer"]))

    return _recording(
        "llmdrift-happy", files, "COUNTAHAPPYNUMBER_EVAL.csv", judge, lambda row: _last(_BOXED, row["ref_answer"])
    )


def opinionqa(files: Files) -> Recording:
    """Opinion surveys: the answer is the option's letter. No opinion is right: there is no score and no reference."""

    def judge(row: Row) -> tuple[str | None, float | None]:
        found = _OPTION.search(row["answer"])
        return (found[1] if found else None), None

    return _recording("llmdrift-opinionqa", files, "OPINIONQA_EVAL.csv", judge, lambda _: None)


def leetcode(files: Files) -> Recording:
    """LeetCode, easy: the score is 1 where the judge accepted the response as written (``Directly Usable``)."""
    return _recording(
        "llmdrift-leetcode", files, "LEETCODE_EASY_EVAL.csv",
        lambda row: (None, float(row["Directly Usable"])), lambda _: None,
    )  # fmt: skip


def leetcode_unfenced(files: Files, models: Sequence[str], queries: Sequence[str]) -> dict[str, Floats]:
    """1 where the judge accepted the code alone (``Clean_Code_Submit``), [queries, models]."""
    accepted: dict[str, list[float]] = {}
    for row in csv_rows(named(files, "LEETCODE_EASY_EVAL.csv")):
        told = float("Accepted" in row["Clean_Code_Submit"])
        accepted.setdefault(row["model"].removeprefix("openaichat/"), []).append(told)
    places = [int(query.rpartition("/")[2]) for query in queries]
    return {"code alone": np.array([[accepted[model][place] for model in models] for place in places])}


def _recording(
    name: str, files: Files, ending: str, judge: Judge, reference: Callable[[Row], str | None]
) -> Recording:
    """The rows of one model follow one another; the n-th row of each model is the same query."""
    queries: dict[str, RecordedQuery] = {}
    responses = []
    seen: dict[str, int] = {}
    for row in csv_rows(named(files, ending)):
        model = row["model"].removeprefix("openaichat/")
        position = seen.get(model, 0)
        seen[model] = position + 1
        key = f"{row['dataset']}/{position:04d}"
        if key not in queries:
            queries[key] = RecordedQuery(key, row["query"], reference(row), row["dataset"], "test")
        answer, score = judge(row)
        tokens = int(row["answer_token"])
        response = RecordedResponse(
            queries[key].id, model, 0, row["answer"], answer, score,
            float(row["cost"]), None, tokens, float(row["latency"]),
        )  # fmt: skip
        responses.append(response)
    return Recording(name, tuple(queries.values()), tuple(responses), {})


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    found: list[str] = pattern.findall(text)
    return found[-1] if found else None
