"""What Inspect's logs tell of judges: the calls of models that scorers make, and what they used.

A sample lists events. Those of a scorer stand in a span of that type (in older logs between two steps of it), and a
call of a model is one of kind ``model``; a model that was asked as the judge has the role ``grader``. Logs without
events hold the question and the reply of a model-graded scorer all the same, as ``grading`` beside the score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reference_impls.importing.messages import at, chat, content, ended, many

ATTACHED = "attachment://"
#: Levels of spans in one another that are followed; a log has about five.
_DEEP = 64
#: Of a model's usage what is counted.
COUNTED = (
    "input_tokens", "output_tokens", "input_tokens_cache_read", "input_tokens_cache_write", "reasoning_tokens",
    "total_cost",
)  # fmt: skip


def whole(text: Any, sample: Any) -> Any:
    """A text that is kept beside the sample, where a name stands in its place; any other as it is."""
    if isinstance(text, str) and text.startswith(ATTACHED):
        return at(sample, "attachments", text.removeprefix(ATTACHED))
    return text


def events(sample: Any) -> list[dict[str, Any]]:
    """The calls of models that a sample's scorers made."""
    scoring: set[str] = set()
    steps = 0
    made = []
    for event in many(at(sample, "events")):
        kind, scorer = at(event, "event"), at(event, "type") == "scorer"
        if kind == "span_begin" and (scorer or _name(at(event, "parent_id")) in scoring):
            scoring.add(_name(at(event, "id")))
        elif kind == "step" and scorer:
            steps += {"begin": 1, "end": -1}.get(_name(at(event, "action")), 0)
        elif kind == "model" and (
            steps > 0 or at(event, "role") == "grader" or _name(at(event, "span_id")) in scoring
        ):
            made.append(event)
    return made


def _name(value: Any) -> str:
    """A name; of anything else one that nothing has."""
    return value if isinstance(value, str) else ""


def calls(sample: Any, grader: Any) -> Iterator[dict[str, Any]]:
    """The calls as `rows.Row` has them.

    Args:
        sample: of a log.
        grader: the model that has the role, where the log names it.
    """
    made = events(sample)
    for event in made:
        yield _of_event(event, sample)
    for pair in () if made or grader is None else gradings(sample):
        asked, reply = (whole(content(at(one, "content")), sample) for one in pair)
        yield {"model": grader, "prompt": asked, "reply": {"text": reply}}


def gradings(sample: Any) -> list[list[Any]]:
    """Question and reply of each score that a model gave."""
    scores = at(sample, "scores")
    found = [many(at(one, "metadata", "grading")) for one in (scores.values() if isinstance(scores, dict) else ())]
    return [pair for pair in found if len(pair) == 2]


def _of_event(event: dict[str, Any], sample: Any) -> dict[str, Any]:
    first, asked = at(event, "output", "choices", 0), _messages(event, sample)
    failed = at(event, "error") is not None
    text = at(event, "output", "completion")
    text = text if isinstance(text, str) else content(at(first, "message", "content"))
    used = at(event, "output", "usage")
    took = at(event, "output", "time")
    reply = {
        "text": "" if failed else whole(text, sample), "prompt_tokens": prompt_tokens(used),
        "completion_tokens": at(used, "output_tokens"), "cost": at(used, "total_cost"),
        "latency": at(event, "working_time") if took is None else took,
        "reasoning_tokens": at(used, "reasoning_tokens"), "cached_tokens": at(used, "input_tokens_cache_read"),
    }  # fmt: skip
    reply |= {"status": "error"} if failed else ended(first, at(first, "stop_reason"))
    config = at(event, "config")
    stop = at(config, "stop_seqs")
    return {
        "model": at(event, "model"), "prompt": chat(asked) if asked else None, "reply": reply,
        "temperature": at(config, "temperature"), "max_tokens": at(config, "max_tokens"),
        "seed": at(config, "seed"), "stop": stop if isinstance(stop, list) else None,
    }  # fmt: skip


def _messages(event: dict[str, Any], sample: Any) -> list[dict[str, Any]]:
    """What was sent, with texts where names stand; newer logs keep equal messages once, beside the events."""
    asked = many(at(event, "input"))
    if not asked:
        pool = many(at(sample, "events_data", "messages"))
        for ends in many(at(event, "input_refs")):
            begin, end = at(ends, 0), at(ends, 1)
            if type(begin) is int and type(end) is int and 0 <= begin < end and len(asked) < _DEEP:
                asked = [*asked, *pool[begin:end]]
    return [{"role": at(one, "role"), "content": whole(content(at(one, "content")), sample)} for one in asked[:_DEEP]]


def prompt_tokens(used: Any) -> Any:
    """Tokens of the prompt: it counts those that were read from or written to a cache apart."""
    plain = at(used, "input_tokens")
    if not isinstance(plain, int):
        return plain
    cached = [at(used, f"input_tokens_cache_{way}") for way in ("read", "write")]
    return plain + sum(one for one in cached if isinstance(one, int))


def without(used: Any, sample: Any, model: str) -> Any:
    """What a model used without its own calls as a judge; None where that cannot be told."""
    mine = [at(one, "output", "usage") for one in events(sample) if at(one, "model") == model]
    if not mine or not isinstance(used, Mapping):
        return used
    left: dict[str, Any] = {}
    for key in COUNTED:
        parts = [at(one, key) or 0 for one in mine]
        if used.get(key) is None or not all(isinstance(part, int | float) for part in [used[key], *parts]):
            continue
        left[key] = used[key] - sum(parts)
        if left[key] < 0:
            return None
    return left
