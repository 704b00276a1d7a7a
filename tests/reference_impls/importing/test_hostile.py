"""Whatever stands in a file: what is wrong is a finding, and what is kept is read again as it is."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.importing import FORMATS
from reference_impls.recorded import load, save
from tests.reference_impls.importing import (
    test_every_eval_ever,
    test_inspect_logs,
    test_litellm_logs,
    test_lm_eval,
    test_openai_batch,
    test_vllm_sr,
)
from tests.reference_impls.importing.samples import read

MESSAGES = [{"role": "assistant", "content": [{"type": "text", "text": "x"}]}]
WHOLE: dict[str, list[Any]] = {
    "lm-eval": [test_lm_eval.generated(1, "a", "2", 1.0), test_lm_eval.weighed(1, ["a", "b"], [-1.0, -2.0])],
    "openai-batch": [
        test_openai_batch.request("a", "gpt", "x"),
        test_openai_batch.result("a", "gpt", "y", usage=test_openai_batch.USED),
    ],
    "litellm": [
        test_litellm_logs.payload("a?", "2"),
        test_litellm_logs.payload("b?", None, status="failure"),
        {
            "status": "success",
            "spend": 1,
            "startTime": "2026-08-27T12:37:44Z",
            "endTime": "2026-08-27T12:37:45Z",
            "messages": "{}",
            "response": '{"choices": [{"message": {"content": "c"}}]}',
            "proxy_server_request": {"body": {"messages": [{"role": "user", "content": "c?"}]}},
            "model": "small",
        },
    ],
    "vllm-sr": [
        test_vllm_sr.record("1", "a?", "2", outcomes=[test_vllm_sr.outcome(1.0)]),
        test_vllm_sr.record("2", "b?", "3", response_status=500),
    ],
    "eee": [
        test_every_eval_ever.instance("a", "t", 1.0, performance={"latency_ms": 3}),
        test_every_eval_ever.instance("b", "", 1.0, output=None, messages=MESSAGES),
    ],
    "inspect": [
        test_inspect_logs.sample("a", "2", "C", choices=["x", "y"], target="A"),
        test_inspect_logs.sample(
            "b",
            "2",
            "C",
            model_usage={"org/small": {"input_tokens": 41}},
            events_data={"messages": MESSAGES},
            events=[
                {"event": "span_begin", "id": "s", "type": "scorer"},
                test_inspect_logs.judged("org/small", "x?", "C", span_id="s", input_refs=[[0, 1]]),
            ],
        ),
    ],
}
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("\ud800")
ANY = st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every list or object with every place in it."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


@pytest.mark.parametrize("name", WHOLE)
@settings(deadline=None)
@given(data=st.data())
def test_any_value_at_any_place(name: str, data: st.DataObject) -> None:
    rows = copy.deepcopy(WHOLE[name])
    log = {"eval": {"task": "t", "model": "m"}, "samples": rows} if name == "inspect" else rows
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(places(log))))
        holder[key] = data.draw(ANY)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "samples_t.jsonl"  # what ends so is read by the line
        file.write_text(json.dumps(log) if name == "inspect" else "".join(json.dumps(row) + "\n" for row in rows))
        found = read(name, file)
        if found.recording is None:
            assert found.findings
        else:
            save(found.recording, Path(folder) / "made")
            again = load(Path(folder) / "made")
            made = found.recording
            assert (again.queries, again.responses, again.calls) == (made.queries, made.responses, made.calls)


@pytest.mark.parametrize("name", FORMATS)
@given(raw=st.binary(max_size=200))
def test_any_bytes(name: str, raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.csv"
        file.write_bytes(raw)
        assert read(name, file).recording is None
