"""Logs of Inspect as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reference_impls.importing import Choices
from reference_impls.recorded import load, save
from tests.reference_impls.importing.samples import read, responses


def sample(name: Any, text: Any, value: Any, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": name,
        "epoch": 1,
        "input": f"{name}?",
        "target": "2",
        "messages": [{"role": "user", "content": f"{name}?"}, message],
        "output": {
            "model": "small-2025",
            "choices": [{"message": message, "stop_reason": "stop"}],
            "completion": text,
            "usage": {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8},
            "time": 0.5,
        },
        "scores": {"match": {"value": value, "answer": text}},
        "working_time": 0.7,
        **more,
    }


def judged(model: str, asked: Any, text: str, **more: Any) -> dict[str, Any]:
    """A call that a scorer makes."""
    message = {"role": "assistant", "content": text}
    return {
        "event": "model", "model": model, "input": [{"role": "user", "content": asked}],
        "config": more.pop("config", {}), "working_time": 0.25,
        "output": {
            "choices": [{"message": message, "stop_reason": "stop"}], "completion": text,
            "usage": {"input_tokens": 40, "output_tokens": 20, "reasoning_tokens": 8},
        }, **more,
    }  # fmt: skip


def put(folder: Path, *samples: Any, **more: Any) -> Path:
    told = {"task": "sum", "model": "org/small", **more}
    log = {"version": 2, "status": "success", "eval": told, "samples": samples}
    (folder / "log.json").write_text(json.dumps(log))
    return folder / "log.json"


def test_samples_and_epochs(tmp_path: Path) -> None:
    usage = {"org/small": {"input_tokens": 2, "input_tokens_cache_read": 40, "output_tokens": 9}}
    chat = [{"role": "user", "content": [{"type": "text", "text": "c?"}]}]
    file = put(
        tmp_path,
        sample("a", "2", "C"),
        sample("a", "3", "I", epoch=2),
        sample(7, "4", 0.25, model_usage=usage),
        sample("c", "B", "P", input=chat, target=["B"], choices=["x", "y"]),
        sample("d", None, None, output={}, messages=[], scores={}, error={"message": "boom"}, target=["2", "two"]),
    )
    found = read("inspect", file)
    assert found.findings == ()
    assert found.recording is not None
    assert [(q.id, q.prompt, q.reference, q.options) for q in found.recording.queries] == [
        ("sum/a", "a?", "2", ()),
        ("sum/7", "7?", "2", ()),
        ("sum/c", "c?", "B", ("x", "y")),
        ("sum/d", "d?", None, ()),
    ]
    assert [(r.model, r.sample, r.text, r.score) for r in responses(found)] == [
        ("org/small", 0, "2", 1.0),
        ("org/small", 1, "3", 0.0),
        ("org/small", 0, "4", 0.25),
        ("org/small", 0, "B", 0.5),
        ("org/small", 0, "", None),
    ]
    told = [(r.prompt_tokens, r.completion_tokens, r.latency) for r in responses(found)]
    assert told == [(5, 3, 0.5), (5, 3, 0.5), (42, 9, 0.5), (5, 3, 0.5), (None, None, None)]


def test_what_it_knows_of_an_answer_besides(tmp_path: Path) -> None:
    def output(reason: str, text: str = "2", **more: Any) -> dict[str, Any]:
        logs = {"content": [{"token": "2", "logprob": -0.25, "bytes": None, "top_logprobs": None}]}
        message = {"role": "assistant", "content": text, "tool_calls": more.pop("tool_calls", None)}
        return {
            "choices": [{"message": message, "stop_reason": reason, "logprobs": logs if text else None}],
            "completion": text, **more,
        }  # fmt: skip

    usage = {
        "input_tokens": 3, "output_tokens": 90, "input_tokens_cache_read": 40, "reasoning_tokens": 80,
        "total_cost": 0.125,
    }  # fmt: skip
    chat = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "1 + 1?"}]
    picture = [*chat, {"role": "user", "content": [{"type": "text", "text": "This?"}, {"type": "image"}]}]
    found = read("inspect", put(
        tmp_path,
        sample("a", "2", "C", output=output("stop", usage=usage), input=chat, metadata={"level": 3}),
        sample("b", "2", "I", output=output("max_tokens"), input=picture, metadata={"long": "x" * 70_000}),
        sample("c", "", "I", output=output("tool_calls", "", tool_calls=[{"id": "1"}])),
        sample("d", "", "I", output=output("content_filter", "")),
        sample("e", "", "I", output=output("stop"), error={"message": "boom"}),
    ))  # fmt: skip
    assert found.recording is not None
    assert [(q.messages, q.metadata) for q in found.recording.queries][:3] == [
        (tuple(chat), {"level": 3}), ((), {}), ((), {}),
    ]  # fmt: skip
    assert [(r.status, r.finish_reason, r.tokens, r.logprobs) for r in responses(found)] == [
        ("", "stop", ("2",), (-0.25,)), ("cut", "max_tokens", ("2",), (-0.25,)), ("tools", "tool_calls", (), ()),
        ("filtered", "content_filter", (), ()), ("error", None, (), ()),
    ]  # fmt: skip
    first = responses(found)[0]
    told = (first.prompt_tokens, first.completion_tokens, first.cached_tokens, first.reasoning_tokens, first.cost)
    assert told == (43, 90, 40, 80, 0.125)
    assert {(r.cached_tokens, r.cost) for r in responses(found)[1:]} == {(None, None)}


def test_several_calls(tmp_path: Path) -> None:
    twice = [{"role": "user", "content": "a?"}, *[{"role": "assistant", "content": "x"}] * 2]
    found = read("inspect", put(tmp_path, sample("a", "2", "C", messages=twice)))
    # Tokens and time of the last call only are not those of the response.
    assert [(r.calls, r.prompt_tokens, r.latency) for r in responses(found)] == [(2, None, 0.7)]
    assert responses(found)[0].finish_reason is None


def test_wrong_samples_are_named_by_their_place(tmp_path: Path) -> None:
    two = {"match": {"value": "C"}, "judge": {"value": "I"}}
    file = put(
        tmp_path,
        sample("a", "2", "good"),
        sample("b", "2", "C", scores=two),
        7,
        sample("d", "2", "C", input=""),
        sample("e", "2", "C"),
        sample("f", 3, "C", output={}),
    )
    found = read("inspect", file)
    assert [line.removeprefix(f"{file}:1: ").split(" (")[0] for line in found.findings] == [
        "sample 1: the score is 'good', no number from 0 to 1",
        "sample 2: several scorers: match, judge",
        "sample 3: no id or no input",
        "sample 4: no id or no input",
    ]
    assert [r.query_id for r in responses(found)] == ["sum/e", "sum/f"]
    assert [
        r.score
        for r in responses(
            read("inspect", put(tmp_path, sample("b", "2", "C", scores=two)), choices=Choices(metric="judge"))
        )
    ] == [0.0]


def test_what_is_no_log(tmp_path: Path) -> None:
    packed = tmp_path / "log.eval"
    packed.write_bytes(b"PK")
    assert read("inspect", packed).findings[0].startswith(f"{packed}:1: a packed log (unpack it")
    file = tmp_path / "log.json"
    for text, what in (
        ("{", "1: not valid JSON"),
        ("[]", "1: no log of Inspect"),
        ('{\n"a": 1,\n"b": ?}', "3: not valid JSON"),
    ):
        file.write_text(text)
        found = read("inspect", file)
        assert found.recording is None
        assert found.findings[0].startswith(f"{file}:{what}"), found.findings


def test_long_texts_that_are_kept_apart(tmp_path: Path) -> None:
    kept = {"f" * 32: "a long question?"}
    name = f"attachment://{'f' * 32}"
    found = read(
        "inspect", put(tmp_path, sample("a", "2", "C", input=name, attachments=kept), sample("b", name, "C"))
    )
    assert found.recording is not None
    assert [q.prompt for q in found.recording.queries] == ["a long question?", "b?"]
    assert [r.text for r in responses(found)] == ["2", None]  # what is not there is unknown


def test_what_judges_were_asked_and_replied(tmp_path: Path) -> None:
    used = {"org/small": {"input_tokens": 45, "output_tokens": 23, "reasoning_tokens": 8}}
    spans = [
        {"event": "model", "span_id": "solving", "model": "org/small"},
        {"event": "span_begin", "id": "outer", "type": "scorer", "parent_id": None},
        {"event": "span_begin", "id": "inner", "type": None, "parent_id": "outer"},
        judged("org/small", "attachment://q", "GRADE: C", span_id="inner", config={"temperature": 0.5, "seed": 3}),
        {"event": "span_begin", "id": "next", "type": "solver", "parent_id": None},
        judged("org/small", "not a judge's", "no", span_id="next"),
        judged("org/other", "Right?", "yes", role="grader"),
    ]
    steps = [
        {"event": "step", "type": "scorer", "action": "begin"}, judged("org/small", "Old?", "GRADE: I"),
        {"event": "step", "type": "scorer", "action": "end"}, judged("org/small", "not a judge's", "no"),
    ]  # fmt: skip
    kept = {"events": spans, "attachments": {"q": "Is 2 right?"}, "model_usage": used}
    pooled = judged("org/small", "", "GRADE: C", role="grader", input=[], input_refs=[[1, 2], ["x"], [7, 9], 5])
    pool = {"messages": [{"role": "user", "content": f"{i}?"} for i in range(3)]}
    found = read("inspect", put(
        tmp_path, sample("a", "2", "C", **kept), sample("b", "2", "I", events=steps),
        sample("c", "2", "C", events=[pooled], events_data=pool),
        sample("d", "2", "C", events=[judged("org/small", "", "x", role="grader")]),
    ))  # fmt: skip
    assert found.recording is not None
    assert [(c.query_id, c.model, c.prompt, c.temperature, c.seed) for c in found.recording.calls] == [
        ("sum/a", "org/small", "Is 2 right?", 0.5, 3), ("sum/b", "org/small", "Old?", 1.0, None),
        ("sum/c", "org/small", "1?", 1.0, None),
    ]  # fmt: skip
    [reply] = found.recording.calls[0].replies
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens, reply.reasoning_tokens, reply.latency) == (
        "GRADE: C", 40, 20, 8, 0.25,
    )  # fmt: skip
    # What the model used as a judge of itself is no part of what its response took.
    first = responses(found)[0]
    assert (first.prompt_tokens, first.completion_tokens, first.reasoning_tokens) == (5, 3, 0)
    assert found.notes == (
        "judges' calls are left out, as the form holds those of models with responses alone: 1 of org/other",
        "2 judges' calls do not tell their temperature: 1 is written, what servers usually take",
    )
    assert [line.partition(":1: ")[2].split(" (")[0] for line in found.findings] == ["'prompt' is null"]
    save(found.recording, tmp_path / "made")
    assert load(tmp_path / "made").calls == found.recording.calls


def test_judges_of_logs_without_events(tmp_path: Path) -> None:
    pair = [{"role": "user", "content": "Right?"}, {"role": "assistant", "content": [{"type": "text", "text": "C"}]}]
    scores = {"graded": {"value": "C", "metadata": {"grading": pair}}}
    used = {"org/small": {"input_tokens": 45, "output_tokens": 23}}
    one = sample("a", "2", "C", scores=scores, model_usage=used)
    found = read("inspect", put(tmp_path, one, model_roles={"grader": {"model": "org/small"}}))
    assert found.recording is not None
    assert [(c.model, c.prompt, c.replies[0].text) for c in found.recording.calls] == [("org/small", "Right?", "C")]
    # Nothing tells how much of the whole was the judge's: what the one call took is told beside it.
    assert responses(found)[0].prompt_tokens == 5
    found = read("inspect", put(tmp_path, one))
    assert found.recording is not None
    assert found.recording.calls == ()
    assert "1 judges' replies of" in found.notes[0]
