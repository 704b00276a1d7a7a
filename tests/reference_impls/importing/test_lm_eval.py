"""Sample logs of lm-evaluation-harness: generated texts, weighed options, filters, scores, older forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reference_impls.importing import Choices
from tests.reference_impls.importing.samples import lines, read, responses

FILE = "samples_gsm8k_2025-03-01T10-11-12.345678.jsonl"


def generated(
    place: int, text: str, answer: str, right: float, name: str = "strict-match", **more: Any
) -> dict[str, Any]:
    return {
        "doc_id": place,
        "doc": {"question": f"{place} + {place}?"},
        "target": str(2 * place),
        "arguments": {"gen_args_0": {"arg_0": f"Q: {place} + {place}?\nA:", "arg_1": {"until": ["Q:"]}}},
        "resps": [[text]],
        "filtered_resps": [answer],
        "filter": name,
        "metrics": ["exact_match"],
        "doc_hash": "0" * 64,
        "exact_match": right,
        **more,
    }


def weighed(target: Any, options: list[str], weights: list[float], **more: Any) -> dict[str, Any]:
    pairs = [[str(weight), "False"] for weight in weights]
    arguments = {f"gen_args_{i}": {"arg_0": "Which?\nAnswer:", "arg_1": f" {one}"} for i, one in enumerate(options)}
    return {
        "doc_id": 0,
        "doc": {},
        "target": target,
        "arguments": arguments,
        "resps": [[pair] for pair in pairs],
        "filtered_resps": pairs,
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "acc": 1.0,
        "acc_norm": 0.0,
        **more,
    }


def test_generated_texts_of_two_models(tmp_path: Path) -> None:
    one = lines(
        tmp_path / "org__small" / FILE, generated(1, "So #### 2", "2", 1.0), generated(2, "Hm", "[invalid]", 0.0)
    )
    two = lines(tmp_path / "org__large" / FILE, generated(1, "#### 2", "2", 1.0), generated(2, "#### 4", "4", 1.0))
    found = read("lm-eval", one, two)
    assert (found.findings, found.notes) == ((), ())
    assert found.recording is not None
    assert [(q.id, q.task, q.prompt, q.reference) for q in found.recording.queries] == [
        ("gsm8k/1", "gsm8k", "Q: 1 + 1?\nA:", "2"),
        ("gsm8k/2", "gsm8k", "Q: 2 + 2?\nA:", "4"),
    ]
    assert [(r.query_id, r.model, r.text, r.answer, r.score) for r in responses(found)] == [
        ("gsm8k/1", "org__small", "So #### 2", "2", 1.0),
        ("gsm8k/2", "org__small", "Hm", "", 0.0),
        ("gsm8k/1", "org__large", "#### 2", "2", 1.0),
        ("gsm8k/2", "org__large", "#### 4", "4", 1.0),
    ]
    assert {(r.cost, r.prompt_tokens, r.latency) for r in responses(found)} == {(None, None, None)}


def test_one_filter_a_task_and_it_is_told(tmp_path: Path) -> None:
    both = [generated(1, "So 2", "[invalid]", 0.0), generated(1, "So 2", "2", 1.0, "flexible-extract")]
    file = lines(tmp_path / "m" / FILE, *both)
    found = read("lm-eval", file)
    assert [r.score for r in responses(found)] == [0.0]
    assert found.notes == (
        "gsm8k: lines of the filter strict-match are taken, not those of flexible-extract (--filter)",
    )
    assert [r.score for r in responses(read("lm-eval", file, choices=Choices(filter="flexible-extract")))] == [1.0]
    none = read("lm-eval", file, choices=Choices(filter="lose"))
    assert none.recording is None
    assert none.findings[0].startswith(f"{file}:1: no line of the filter 'lose'")


def test_weighed_options(tmp_path: Path) -> None:
    file = tmp_path / "m" / "samples_arc_2025-03-01T10-11-12.jsonl"
    options = ["a long option", "short", "mid one"]
    for target, metric, reference, answer, score in (
        (1, "", "B", "B", 1.0),
        ("1", "", "B", "B", 1.0),
        ("short", "acc", "B", "B", 1.0),
        ("B", "acc", None, "B", 1.0),  # neither a place nor a text
        (1, "acc_norm", "B", "A", 0.0),  # -3 / 13 is more than -2 / 5
    ):
        lines(file, weighed(target, options, [-3.0, -2.0, -4.0]))
        found = read("lm-eval", file, choices=Choices(metric=metric))
        assert found.findings == ()
        assert found.recording is not None
        query = found.recording.queries[0]
        assert (query.prompt, query.reference, query.kind, query.options) == (
            "Which?\nAnswer:",
            reference,
            "choice",
            tuple(options),
        )
        assert [(r.text, r.answer, r.score) for r in responses(found)] == [(None, answer, score)]
    # Options that are numbers: "1" may be a text or a place.
    lines(file, weighed("1", ["2", "1"], [-1.0, -2.0]))
    recording = read("lm-eval", file).recording
    assert recording is not None
    assert recording.queries[0].reference is None


def test_chats_older_lists_and_repeats(tmp_path: Path) -> None:
    chat = json.dumps([{"role": "system", "content": "Be short."}, {"role": "user", "content": "1 + 1?"}])
    old = generated(1, "2", "2", 1.0, arguments=[[chat, {}]], resps=[["2", "3"]])
    found = read("lm-eval", lines(tmp_path / "m" / FILE, old))
    assert found.recording is not None
    query = found.recording.queries[0]
    assert query.prompt == "system: Be short.\n\nuser: 1 + 1?"
    assert query.messages == tuple(json.loads(chat))
    assert [(r.sample, r.text, r.answer, r.score) for r in responses(found)] == [
        (0, "2", None, None),
        (1, "3", None, None),
    ]
    assert "have no score of their own" in found.notes[0]


def test_every_wrong_line_is_named(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "m" / FILE,
        "{",
        "[1]",
        generated(1, "2", "2", 1.0),
        {"results": {}},
        generated(2, "4", "4", 34.5),
        generated(3, "6", "6", 1.0, metrics=["bleu", "chrf"], bleu=1.0, chrf=1.0),
        generated(4, "8", "8", 1.0, arguments=7),
        generated(1, "2", "2", 1.0),
        "[" * 100_000,
        '{"a": ' * 200 + "1" + "}" * 200,
    )
    found = read("lm-eval", file)
    assert [line.removeprefix(f"{file}:").split(" (")[0] for line in found.findings] == [
        "1: not valid JSON at column 2: Expecting property name enclosed in double quotes",
        "2: a list instead of an object",
        "4: no sample of lm-evaluation-harness",
        "5: 'score' is 34.5",
        "6: none of the usual scores, but bleu, chrf",
        "7: no prompt in 'arguments'",
        "8: 'm' has answered 'gsm8k/1' already",
        "9: nested too deeply",
        "10: nested too deeply",
    ]
    assert len(responses(found)) == 1


def test_scores_that_a_whole_task_is_scored_by(tmp_path: Path) -> None:
    """Such a score, F1 say, leaves its parts with each sample; what was filtered may be a list in a list."""
    parts = ["2", ["two"]]
    row = generated(1, "two", "", 0.0, metrics=["f1"], f1=parts, filtered_resps=[["two"]])
    del row["exact_match"]
    found = read("lm-eval", lines(tmp_path / "small" / FILE, row))
    assert found.findings == ()
    assert found.notes == ("gsm8k: f1 is no number of one sample; the reference grades them",)
    assert [(r.text, r.answer, r.score) for r in responses(found)] == [("two", None, None)]
