"""What a server objects to in a request, by its words: a parameter that it does not take, the prompt, or else."""

import json
import re
from collections.abc import Sequence

#: Statuses with which servers refuse a parameter.
STATUSES = (400, 403, 422)
#: Parameters that can be done without, and what is done then.
WITHOUT = {
    "max_tokens": "max_completion_tokens is sent instead",
    "temperature": "it is left out, and answers are drawn at the server's own",
    "seed": "it is left out, and the same answers cannot be drawn again",
    "logprobs": "it is left out, and answers have no log-probabilities",
    "stop": "it is left out, and texts are cut here",
    "n": "it is left out, and samples are asked for one by one",
}
#: Without these, answers may be others than those asked for: they go only where the server does not take them at all,
#: not where it objects to a value.
_TELLING = ("max_tokens", "temperature", "seed")
_UNKNOWN = re.compile(
    r"unsupported|not (?:be )?(?:supported|allowed|permitted|available|accepted)|does(?: not|n't) support"
    r"|unrecogni[sz]ed|unknown|unexpected|extra|deprecated|only|forbidden|use '?max_completion_tokens",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"too (?:large|long|high|small|low)|exceed|at (?:most|least)|between|range|(?:less|greater) than|m(?:ax|in)imum"
    r"|context|<=|>=",
    re.IGNORECASE,
)
#: Codes and words of filters that a prompt has not passed.
_FILTER_CODES = ("content_filter", "content_policy_violation", "data_inspection_failed", "invalid_prompt")
_FILTER = re.compile(
    r"content[ _](?:management policy|filter|policy|exists risk)|flagged|responsible ?ai ?policy", re.IGNORECASE
)


def words(body: object) -> tuple[str, str]:
    """A server's words about an error, and the parameter that it names as the cause, if any.

    Args:
        body: what it has answered, or the ``error`` in it.

    >>> words({"error": {"message": "Unsupported value", "param": "temperature"}})
    ('Unsupported value', 'temperature')
    >>> words({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]})
    ('body.seed: Extra inputs are not permitted', '')
    """
    error = body.get("error") or body.get("detail") or body if isinstance(body, dict) else body
    if isinstance(error, list):  # where and what, as FastAPI tells it
        told = [e for e in error if isinstance(e, dict) and isinstance(e.get("loc"), list)]
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e.get('msg')}" for e in told) or text(error), ""
    if not isinstance(error, dict):
        return text(error or ""), ""
    return text(error.get("message") or error), str(error.get("param") or "").split(".")[-1]


def filters(body: object) -> bool:
    """Whether a server refuses the prompt for what it is about.

    >>> filters({"error": {"code": "content_filter", "message": "The response was filtered"}})
    True
    >>> filters({"error": {"code": "invalid_api_key", "message": "Incorrect API key provided"}})
    False
    """
    error = body.get("error") or body if isinstance(body, dict) else body
    code = error.get("code") if isinstance(error, dict) else None
    return code in _FILTER_CODES or _FILTER.search(words(body)[0]) is not None


def text(value: object) -> str:
    """A stranger's value as text."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except (RecursionError, TypeError):
        return "something nested"


def plain(what: object, key: str) -> str:
    """A stranger's words as the end of a line: printable, short, and without the key.

    >>> plain("wrong key\\nsk-1234", "sk-1234")
    'wrong key [key]'
    """
    said = text(what)
    if len(key) >= 4:  # shorter ones are no secrets, and may be parts of words
        said = said.replace(key, "[key]")
    return "".join(c if c.isprintable() else " " for c in " ".join(said.split()))[:200]


def refused_parameter(said: str, named: str, sent: Sequence[str]) -> str | None:
    """Which of the parameters that were sent a server does not take; None if its words say something else.

    >>> refused_parameter("'temperature' does not support 0 with this model. Only the default", "", ["temperature"])
    'temperature'
    >>> refused_parameter("temperature must be between 0 and 1", "temperature", ["temperature"])
    >>> refused_parameter("you are out of money", "", ["n", "stop"])
    """
    # A parameter is a word of its own; the letter after a backslash is part of a line end.
    places = {p: match.start() for p in sent if (match := re.search(rf"(?<![\w\\]){p}(?!\w)", said))}
    if named in sent:
        places[named] = -1
    elif "n" in sent and re.search(r"only one (?:completion )?choice", said, re.IGNORECASE):
        places["n"] = -1
    unknown = _UNKNOWN.search(said) and not _VALUE.search(said)
    return next((p for p in sorted(places, key=lambda p: places[p]) if unknown or p not in _TELLING), None)
