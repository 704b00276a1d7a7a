"""LLMRouter's preprocessed outcomes: nine models of 7 to 70 billion parameters on 14 tasks, in two splits.

The files hold questions and scores (0 or 1, a few in between), no responses. They do not name the tasks either, but
their rows stand task after task, in the order of the names that LLMRouter uses; `TRAIN` and `TEST` give how many rows
each task has, read off where the kind of question changes. Prices are those of LLMRouter's list of candidates; its
prose gives other prices for some models, and the list's own fields count here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reference_impls.core.model import Price
from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.readers.parse import Files, SourceError, json_file, named

TRAIN = {
    "agentverse-logicgrid": 150, "agentverse-mgsm": 200, "agentverse-commongen": 150, "natural_qa": 500,
    "trivia_qa": 500, "mmlu": 500, "gpqa": 448, "mbpp": 498, "human_eval": 164, "gsm8k": 500, "commonsense_qa": 500,
    "math": 504, "openbook_qa": 496, "arc_challenge": 498,
}  # fmt: skip
TEST = {
    "agentverse-logicgrid": 50, "agentverse-mgsm": 50, "agentverse-commongen": 50, "natural_qa": 50, "trivia_qa": 50,
    "mmlu": 50, "gpqa": 50, "mbpp": 50, "human_eval": 50, "gsm8k": 50,
}  # fmt: skip


def llmrouter(files: Files, train: Mapping[str, int] = TRAIN, test: Mapping[str, int] = TEST) -> Recording:
    """The recording with the splits of the source.

    Args:
        files: train.json, test.json and default_llm.json.
        train, test: rows of each task, in the order of the files.
    """
    queries, responses = [], []
    for split, blocks in (("train", train), ("test", test)):
        file = named(files, f"/{split}.json")
        rows = json_file(file)
        if len(rows) != sum(blocks.values()):
            raise SourceError(
                f"{file}: {len(rows)} rows where {sum(blocks.values())} are known (fetch the file again)"
            )
        for i, (task, row) in enumerate(zip(_tasks(blocks), rows, strict=True)):
            query = RecordedQuery(f"{split}/{i:04d}", str(row["question"]), None, task, split)
            queries.append(query)
            for model, score in row["scores"].items():
                responses.append(
                    RecordedResponse(query.id, str(model), 0, None, None, float(score), None, None, None, None)
                )
    known = {response.model for response in responses}
    listed: dict[str, Any] = json_file(named(files, "/default_llm.json"))
    prices = {
        model: Price(float(entry["input_price"]), float(entry["output_price"]))
        for model, entry in listed.items()
        if model in known
    }
    return Recording("llmrouter", tuple(queries), tuple(responses), prices)


def _tasks(blocks: Mapping[str, int]) -> Iterator[str]:
    for task, rows in blocks.items():
        for _ in range(rows):
            yield task
