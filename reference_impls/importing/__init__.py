"""Other tools' files into the recorded form: one reader a format, which yields rows; `gather` makes a recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from reference_impls.importing import every_eval_ever as eee
from reference_impls.importing import inspect_logs, litellm_logs, lm_eval, openai_batch, routerbench, tables, vllm_sr
from reference_impls.importing.rows import Choices, Gathered, Item, gather

__all__ = ["FORMATS", "Choices", "Gathered", "gather"]

Read = Callable[[Sequence[Path], Choices], Iterator[Item]]
FORMATS: dict[str, Read] = {
    "csv": tables.read,
    "litellm": litellm_logs.read,
    "lm-eval": lm_eval.read,
    "openai-batch": openai_batch.read,
    "routerbench": routerbench.read,
    "eee": eee.read,
    "inspect": inspect_logs.read,
    "vllm-sr": vllm_sr.read,
}
