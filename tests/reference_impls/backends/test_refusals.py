"""Servers' words about requests, as they are written."""

from typing import Any

import pytest

from reference_impls.backends.refusals import WITHOUT, refused_parameter, words

SENT = tuple(WITHOUT)


def by_message(message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "param": param, "type": "invalid_request_error"}}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (
            by_message(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'"
                " instead.",
                "max_tokens",
            ),
            "max_tokens",
        ),
        (by_message("Please use 'max_completion_tokens' instead of 'max_tokens'."), "max_tokens"),
        (
            by_message(
                "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is"
                " supported.",
                "temperature",
            ),
            "temperature",
        ),
        (by_message("invalid temperature: only 1 is allowed for this model"), "temperature"),
        (by_message("`temperature` is deprecated for this model."), "temperature"),
        (by_message("You are not allowed to request logprobs from this model"), "logprobs"),
        ({"error": {"message": "property 'logprobs' is unsupported", "code": 400}}, "logprobs"),
        (
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}
                ]
            },
            "seed",
        ),
        ({"detail": "Unknown field: seed"}, "seed"),
        (by_message("Invalid 'stop': array too long. Expected maximum length 4, got 5.", "stop"), "stop"),
        (by_message("Only one completion choice is allowed"), "n"),
        (by_message("n must be less than or equal to 1"), "n"),
        (by_message("Invalid value for 'n'", "n"), "n"),
        ({"error": "unsupported parameter: n"}, "n"),
        # what nothing that is left out would mend
        (
            by_message(
                "max_tokens is too large: 99999. This model supports at most 16384 completion tokens", "max_tokens"
            ),
            None,
        ),
        (
            by_message(
                "'max_tokens' or 'max_completion_tokens' is too large: 160. This model's maximum context length is"
                " 128 tokens and your request has 100 input tokens"
            ),
            None,
        ),
        (by_message("temperature must be between 0 and 1", "temperature"), None),
        (by_message("The response was filtered due to the prompt. Please modify your prompt and retry."), None),
        (by_message("Incorrect API key provided"), None),
        (by_message("it isn't a model\\n of ours"), None),
        ("", None),
        (None, None),
        ([], None),
        ({}, None),
        ({"error": {"message": None, "param": 7}}, None),
        ({"detail": [7, {"loc": 3}]}, None),
    ],
)
def test_which_parameter(body: Any, refused: str | None) -> None:
    assert refused_parameter(*words(body), SENT) == refused


def test_only_what_was_sent_is_refused() -> None:
    assert refused_parameter("unknown: seed", "seed", ["n"]) is None
    assert refused_parameter("unknown: logprobs, seed", "", ["seed", "logprobs"]) == "logprobs", "the first one first"
