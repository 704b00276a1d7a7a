"""RouterBench's tables as CSV: a row a prompt with sample_id, prompt and eval_name, and for every model
three columns:
``MODEL`` its score, ``MODEL|model_response`` and ``MODEL|total_cost`` in US dollars.

Prompts and responses are Python lists of turns, written as text. References are not in the tables.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from reference_impls.importing.files import table
from reference_impls.importing.rows import Choices, Item, Row
from reference_impls.importing.tables import cell
from reference_impls.recorded.lines import LineError

RESPONSE, COST = "|model_response", "|total_cost"


def read(files: Sequence[Path], choices: Choices) -> Iterator[Item]:  # noqa: ARG001  nothing is left to choose
    """The rows of tables.

    Raises:
        OSError: a file cannot be read.
    """
    for file in files:
        rows = table(file)
        head = next(rows)
        if isinstance(head, LineError):
            yield head
            continue
        line, names = head
        models = [
            name for name in names if "|" not in name and (f"{name}{RESPONSE}" in names or f"{name}{COST}" in names)
        ]
        if not {"sample_id", "prompt", "eval_name"} <= set(names) or not models:
            mend = "it has sample_id, prompt, eval_name, and MODEL with MODEL|model_response or MODEL|total_cost"
            yield LineError(file, line, "no table of RouterBench", mend)
            continue
        for item in rows:
            if isinstance(item, LineError):
                yield item
                continue
            line, cells = item
            query = {
                "id": cell(cells["sample_id"], "id"), "prompt": turns(cells["prompt"]),
                "task": cell(cells["eval_name"], "task"),
            }  # fmt: skip
            for model in models:
                text, score = cells.get(f"{model}{RESPONSE}", ""), cell(cells[model], "score")
                if score is None and not text.strip():
                    continue
                cost = cell(cells.get(f"{model}{COST}", ""), "cost")
                told = turns(text) if text.strip() else None
                yield Row(file, line, query, {"model": model, "text": told, "score": score, "cost": cost})


def turns(text: str) -> str:
    """The turns of a prompt or a response with a blank line between; a text that is no list as it is.

    >>> turns("['1 + 1?', 'Sure?']"), turns("[1] is a citation")
    ('1 + 1?\\n\\nSure?', '[1] is a citation')
    """
    if not text.startswith(("['", '["')):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    whole = isinstance(value, list) and all(isinstance(turn, str) for turn in value)
    return "\n\n".join(value) if whole else text
