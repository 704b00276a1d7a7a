"""RouterArena's cached results of two models on its sample of 809 queries: score, US dollars, token counts, text.

Lu et al., "RouterArena" (lu2025routerarena). The answer is what stands in the last ``\\boxed{}`` of a response, and
the reference is as recorded, except that of a multiple-choice question its option's letter stands for the recorded
number, so that it can be compared with an answer. METEOR gave one response a score of -0.03; here it counts as 0.
"""

from __future__ import annotations

import re
from typing import Any

from reference_impls.core.model import Price
from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.readers.parse import Files, json_file, json_lines, named

_BOXED = re.compile(r"\\boxed\{+\s*([^{}]*?)\s*\}")


def routerarena(files: Files) -> Recording:
    """The recording; task = data set, as in ``MMLUPro_history`` for the query ``MMLUPro_history_4581``."""
    queries: dict[str, RecordedQuery] = {}
    responses = []
    for path, file in sorted(files.items()):
        if not path.endswith(".jsonl"):
            continue
        for row in json_lines(file):
            key, result = str(row["global_index"]), row["evaluation_result"]
            if key not in queries:
                task = key.rpartition("_")[0]
                kind = "choice" if result["metric"] == "mcq_accuracy" else None
                queries[key] = RecordedQuery(key, str(row["question"]), _reference(result), task, "test", kind)
            text, usage = str(row["generated_answer"]), row["token_usage"]
            response = RecordedResponse(
                queries[key].id, file.stem, 0, text, _answer(text, str(result["metric"])),
                min(max(float(result["score"]), 0.0), 1.0), float(result["inference_cost"]),
                int(usage["input_tokens"]), int(usage["output_tokens"]), None,
            )  # fmt: skip
            responses.append(response)
    known = {response.model for response in responses}
    listed: dict[str, Any] = json_file(named(files, "/cost.json"))
    prices = {
        model: Price(float(entry["input_token_price_per_million"]), float(entry["output_token_price_per_million"]))
        for model, entry in listed.items()
        if model in known
    }
    return Recording("routerarena", tuple(queries.values()), tuple(responses), prices)


def _reference(result: dict[str, Any]) -> str:
    truth = str(result["ground_truth"])
    if result["metric"] == "mcq_accuracy":
        return chr(ord("A") + int(truth)) if truth.isdigit() and int(truth) < 26 else truth.upper()
    return truth


def _answer(text: str, metric: str) -> str | None:
    found: list[str] = _BOXED.findall(text)
    if not found or not found[-1]:
        return None
    return found[-1].upper() if metric == "mcq_accuracy" else found[-1]
