"""OpenAI's example solutions to GSM8K: GPT-3 of 6 and 175 billion parameters, fine-tuned or with a verifier.

Cobbe et al., "Training Verifiers to Solve Math Word Problems" (arXiv 2110.14168). The answer is the number after the
last ``A:``; right or wrong as recorded. The models are called as in the file, for instance ``6b_verification``.
"""

from __future__ import annotations

from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.readers.parse import Files, json_lines, marked_number, named

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def gsm8k_solutions(files: Files) -> Recording:
    """The recording; all queries are test queries."""
    queries, responses = [], []
    for i, row in enumerate(json_lines(named(files, "example_model_solutions.jsonl"))):
        reference = marked_number(row["ground_truth"], "A:")
        query = RecordedQuery(f"gsm8k/test/{i:04d}", row["question"], reference, "gsm8k", "test")
        queries.append(query)
        for model in MODELS:
            text, right = row[model]["solution"], row[model]["is_correct"]
            answer = marked_number(text, "A:")
            responses.append(RecordedResponse(query.id, model, 0, text, answer, float(right), None, None, None, None))
    return Recording("gsm8k-solutions", tuple(queries), tuple(responses), {})
