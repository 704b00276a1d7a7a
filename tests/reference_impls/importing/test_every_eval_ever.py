"""The instance form of Every Eval Ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_impls.importing import Choices
from tests.reference_impls.importing.samples import lines, read, responses


def instance(sample: str, text: Any, score: Any, **more: Any) -> dict[str, Any]:
    return {
        "schema_version": "0.2.1",
        "evaluation_id": "e",
        "model_id": "org/small",
        "evaluation_name": "gsm8k",
        "sample_id": sample,
        "interaction_type": "single_turn",
        "input": {"raw": f"{sample}?", "reference": ["2"]},
        "output": {"raw": [text]},
        "messages": None,
        "answer_attribution": [
            {
                "turn_idx": 0,
                "source": "output.raw",
                "extracted_value": "2",
                "extraction_method": "regex",
                "is_terminal": True,
            }
        ],
        "evaluation": {"score": score, "is_correct": score == 1},
        **more,
    }


def test_samples_of_one_turn(tmp_path: Path) -> None:
    usage = {"input_tokens": 12, "output_tokens": 3, "total_tokens": 15, "input_tokens_cache_read": 4}
    usage["reasoning_tokens"] = 2
    choice = {"raw": "Which?", "reference": ["y"], "choices": ["x", "y"]}
    file = lines(
        tmp_path / "s.jsonl",
        instance("a", "It is 2", 1.0, token_usage=usage, performance={"latency_ms": 250}),
        instance("b", "It is 2", 0, metadata={"level": "3"}),
        instance("c", "B", 1.0, input=choice, answer_attribution=[]),
        instance("d", "2", 1.0, input={"raw": "d?", "reference": ["2", "two"]}),
    )
    found = read("eee", file)
    assert found.findings == ()
    assert found.recording is not None
    assert [(q.id, q.prompt, q.reference, q.options, q.task) for q in found.recording.queries] == [
        ("gsm8k/a", "a?", "2", (), "gsm8k"),
        ("gsm8k/b", "b?", "2", (), "gsm8k"),
        ("gsm8k/c", "Which?", "y", ("x", "y"), "gsm8k"),
        ("gsm8k/d", "d?", None, (), "gsm8k"),
    ]
    assert [(r.model, r.text, r.answer, r.score) for r in responses(found)] == [
        ("org/small", "It is 2", "2", 1.0),
        ("org/small", "It is 2", "2", 0.0),
        ("org/small", "B", None, 1.0),
        ("org/small", "2", "2", 1.0),
    ]
    assert [q.metadata for q in found.recording.queries] == [{}, {"level": "3"}, {}, {}]
    told = [
        (r.prompt_tokens, r.completion_tokens, r.reasoning_tokens, r.cached_tokens, r.latency)
        for r in responses(found)
    ]
    assert told == [(12, 3, 2, 4, 0.25), *[(None,) * 5] * 3]


def test_conversations_failures_and_wrong_lines(tmp_path: Path) -> None:
    said = [
        {"turn_idx": i, "role": role, "content": text}
        for i, (role, text) in enumerate([
            ("system", "Be short."), ("user", "a?"), ("assistant", None), ("tool", "2"), ("assistant", "So 2"),
        ])
    ]  # fmt: skip
    agent = instance("a", "", 1.0, output=None, messages=said, interaction_type="agentic")
    failed = instance("b", "", 0.0, output=None, error="timeout", answer_attribution=[])
    file = lines(
        tmp_path / "s.jsonl",
        agent,
        failed,
        instance("c", "x", 3.0),
        {"model_id": "m"},
        instance("a", "x", 1.0),
        instance("d", "x", 1.0, input={"raw": 7, "reference": []}),
        instance("e", "x", 1.0, input=None),
    )
    found = read("eee", file)
    assert [(r.text, r.score, r.calls, r.status) for r in responses(found)] == [
        ("So 2", 1.0, 2, ""), ("", 0.0, None, "error"),
    ]  # fmt: skip
    assert found.recording is not None
    assert [[m["role"] for m in q.messages] for q in found.recording.queries] == [["system", "user"], []]
    assert [line.removeprefix(f"{file}:").split(" (")[0] for line in found.findings] == [
        "3: 'score' is 3.0",
        "4: the key 'evaluation_name' is missing",
        "5: 'org/small' has answered 'gsm8k/a' already",
        "6: 'prompt' is 7",
        "7: 'prompt' is null",
    ]


def test_a_sample_that_was_scored_in_several_ways(tmp_path: Path) -> None:
    """HELM's logs become a line for each score."""
    timed = {"generation_time_ms": 500}
    file = lines(
        tmp_path / "s.jsonl",
        *[
            instance(name, "2", score, evaluation_result_id=way, performance=timed)
            for name, scores in (("a", (1.0, 0.5)), ("b", (0.0, 0.25)))
            for way, score in zip(("exact_match:test", "f1:test"), scores, strict=True)
        ],
        instance("c", "2", 1.0, input={"raw": "c?", "reference": [""], "choices": ["x", "y"]}),
        instance("d", "2", 1.0, input={"raw": "d?", "reference": ["two", "2"], "choices": ["2", "two"]}),
    )
    found = read("eee", file)
    assert found.findings == ()
    assert found.notes == ("the score is exact_match:test; left out: f1:test (--metric takes another)",)
    assert [(r.score, r.latency) for r in responses(found)] == [(1.0, 0.5), (0.0, 0.5), *[(1.0, None)] * 2]
    assert found.recording is not None
    assert [(q.reference, q.options) for q in found.recording.queries] == [
        ("2", ()), ("2", ()), (None, ("x", "y")), (None, ()),
    ]  # fmt: skip
    assert [r.score for r in responses(read("eee", file, choices=Choices(metric="f1")))] == [0.5, 0.25, 1.0, 1.0]
