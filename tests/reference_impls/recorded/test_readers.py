"""Every reader on files made by hand in the shape of its source."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impls.recorded import Recording, load, registry, save
from reference_impls.recorded.readers import (
    READERS,
    gsm8k_solutions,
    llmdrift,
    llmrouter,
    read_source,
    routellm,
    routerarena,
    zeroeval,
)
from reference_impls.recorded.readers.parse import Files, SourceError, first_number, marked_number

WEAK, STRONG = "mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"
Write = Callable[[str, Any], None]


@pytest.fixture
def files() -> dict[str, Path]:
    """Where the files lie, by their path in the repository; `write` adds to it."""
    return {}


@pytest.fixture
def write(tmp_path: Path, files: dict[str, Path]) -> Write:
    """Writes a list of rows as the file's ending asks: JSON, JSON lines or CSV."""

    def written(path: str, content: Any) -> None:
        file = tmp_path / "source" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".csv"):
            with file.open("w", encoding="utf-8", newline="") as stream:
                table = csv.DictWriter(stream, list(content[0]))
                table.writeheader()
                table.writerows(content)
        elif path.endswith(".jsonl"):
            file.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
        else:
            file.write_text(json.dumps(content), encoding="utf-8")
        files[path] = file

    return written


def told(recording: Recording) -> dict[tuple[str, str], tuple[str | None, float | None]]:
    """Answer and score by query and model; and the recording survives the generic form."""
    return {(r.query_id, r.model): (r.answer, r.score) for r in recording.responses}


@pytest.fixture(autouse=True)
def nothing_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATLAS_DATA", str(tmp_path / "empty"))
    monkeypatch.delenv("ATLAS_DATA_MIRROR", raising=False)


def same_in_generic_form(recording: Recording, tmp_path: Path) -> bool:
    save(recording, tmp_path / recording.name)
    return load(tmp_path / recording.name) == recording


def test_routellm_mmlu_drops_contaminated_prompts(files: Files, write: Write, tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", WEAK: i > 0, STRONG: True} for i in range(3)]
    write("mmlu/responses/mmlu_virology.csv", rows)
    write("mmlu/responses/mmlu_anatomy.csv", [{"prompt": 'a,\n"b"', WEAK: False, STRONG: True}])
    write("mmlu/contaminated_prompts.jsonl", [{"train_prompt": "x", "eval_prompt": "q1"}])
    made = routellm.mmlu(files)
    assert [query.id for query in made.queries] == ["mmlu/anatomy/0000", "mmlu/virology/0000", "mmlu/virology/0002"]
    assert made.queries[0].prompt == 'a,\n"b"'
    assert {query.task for query in made.queries} == {"anatomy", "virology"}
    assert made.models == (routellm.WEAK, routellm.STRONG)
    np.testing.assert_array_equal(made.scores, [[0, 1], [0, 1], [1, 1]])
    assert np.isnan(made.costs).all()
    assert same_in_generic_form(made, tmp_path)


def test_routellm_gsm8k_reads_marked_and_last_numbers(files: Files, write: Write, tmp_path: Path) -> None:
    def row(prompt: str, weak: str, strong: str) -> dict[str, Any]:
        return {"prompt": prompt, WEAK: True, STRONG: False, f"{WEAK}_response": weak, f"{STRONG}_response": strong}

    rows = [
        row("q0", "9 * 2 = 18\n#### 18", "so 1,200 dollars."),
        row("q1", "", ""),
        row("q2", "no idea", "#### $3.50"),
    ]
    write("gsm8k/gsm8k_responses.csv", rows)
    write("gsm8k/test.jsonl", [{"question": f"q{i}", "answer": f"...\n#### {i}"} for i in range(3)])
    write("gsm8k/contaminated_prompts.jsonl", [{"eval_prompt": "q1"}])
    made = routellm.gsm8k(files)
    weak, strong = routellm.WEAK, routellm.STRONG
    assert told(made) == {
        ("gsm8k/test/0000", weak): ("18", 1.0), ("gsm8k/test/0000", strong): ("1200", 0.0),
        ("gsm8k/test/0002", weak): (None, 1.0), ("gsm8k/test/0002", strong): ("3.5", 0.0),
    }  # fmt: skip
    assert [query.reference for query in made.queries] == ["0", "2"]
    assert same_in_generic_form(made, tmp_path)
    write("gsm8k/test.jsonl", [{"question": "q0", "answer": "#### 0"}])
    with pytest.raises(SourceError, match=r"3 rows, but test.jsonl has 1"):
        routellm.gsm8k(files)


def test_routellm_mt_bench_is_the_mean_of_two_turns(files: Files, write: Write, tmp_path: Path) -> None:
    grades = {("gpt-4-1106-preview", 1): 10, ("gpt-4-1106-preview", 2): 9.5, (WEAK, 1): 7, (WEAK, 2): 2}
    write("question.jsonl", [{"question_id": i, "category": "math", "turns": [f"t{i}", "more"]} for i in (81, 82)])
    write(
        "judgements.jsonl",
        [{"question_id": i, "model": m, "turn": t, "score": s} for i in (81, 82) for (m, t), s in grades.items()],
    )
    write("contaminated_prompts.jsonl", [{"eval_prompt": "t82"}])
    made = routellm.mt_bench(files)
    assert [(query.id, query.prompt, query.task) for query in made.queries] == [("mt-bench/81", "t81", "math")]
    np.testing.assert_allclose(made.scores, [[0.45, 0.975]])
    assert same_in_generic_form(made, tmp_path)
    turns = routellm.mt_bench_turns(files, made.models, ["mt-bench/81"])
    assert {name: values.tolist() for name, values in turns.items()} == {
        "GPT-4, turn 1": [[pytest.approx(0.7), pytest.approx(1.0)]],
        "GPT-4, turn 2": [[pytest.approx(0.2), pytest.approx(0.95)]],
    }


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('```json\n{"reasoning": "a",\n "answer": "18"}\n```', "18"),
        ('{"reasoning": "two\nlines", "answer": "$1,200.00"}', "1200"),
        ('{"answer": 7} and then {"answer": 8}', "7"),
        ('{"reasoning": "6/4", "answer": "3/2"}', "1.5"),
        ('{"answer": "1/0"}', "1"),
        ('{"answer": "-3 degrees"}', "-3"),
        ('{"answer": {"apples": 4}}', "4"),
        ('{"reasoning": "no comma" "answer": "5"}', "5"),
        ('{"answer": 2 + 3, broken} later {"answer": "5"}', "5"),
        ("answer: 12 apples", "12"),
        ('{"reasoning": "x"}', None),
        ("}{", None),
        ("{" * 5000, None),
        ("", None),
    ],
)
def test_zeroeval_reads_the_answer_out_of_a_response(text: str, answer: str | None) -> None:
    assert zeroeval.final_answer(text) == answer


def test_zeroeval_has_a_model_a_file(files: Files, write: Write, tmp_path: Path) -> None:
    def rows(*answers: str) -> list[dict[str, Any]]:
        return [
            {
                "id": f"gsm8k-main-test-#{i}",
                "question": f"q{i}",
                "answer": "# 18",
                "output": [f'{{"answer": "{text}"}}'],
            }
            for i, text in enumerate(answers)
        ]

    write("result_dirs/gsm/one.json", rows("18", "18.0"))
    write("result_dirs/gsm/two.json", rows("17", "eighteen"))
    write("result_dirs/gsm.summary.json", [])
    made = zeroeval.gsm8k(files)
    assert made.models == ("one", "two")
    np.testing.assert_array_equal(made.scores, [[1, 0], [1, 0]])
    assert told(made)["gsm8k/test/0001", "two"] == (None, 0.0)
    assert [query.reference for query in made.queries] == ["18", "18"]
    assert same_in_generic_form(made, tmp_path)
    write("result_dirs/gsm/two.json", {"not": "a list"})
    with pytest.raises(SourceError, match=r"two.json: no list of responses"):
        zeroeval.gsm8k(files)


def drift_row(model: str, answer: str, reference: str, **more: Any) -> dict[str, Any]:
    common = {"dataset": "prime", "id": "7", "query": "Is 7 prime?", "latency": "1.5", "cost": "0.002"}
    return {
        "model": f"openaichat/{model}",
        "answer": answer,
        "ref_answer": reference,
        **common,
        "answer_token": "3",
        **more,
    }


def test_llmdrift_prime_takes_the_last_verdict_in_brackets(files: Files, write: Write, tmp_path: Path) -> None:
    answers = {"m1": "[No], or rather [Yes]", "m2": "Yes, it is", "m3": "[NO]"}
    write("generation/PRIME_FULL_EVAL.csv", [drift_row(model, text, "yes") for model, text in answers.items()])
    made = llmdrift.prime(files)
    key = "prime/0000"
    assert told(made) == {(key, "m1"): ("yes", 1.0), (key, "m2"): (None, 0.0), (key, "m3"): ("no", 0.0)}
    np.testing.assert_array_equal(made.costs, [[0.002] * 3])
    np.testing.assert_array_equal(made.latencies, [[1.5] * 3])
    assert {response.completion_tokens for response in made.responses} == {3}
    assert same_in_generic_form(made, tmp_path)


def test_llmdrift_happy_takes_the_last_box(files: Files, write: Write) -> None:
    texts = [r"\boxed{3} no, \\boxed{ 2 }", "none", r"\boxed{20}"]
    rows = [drift_row(f"m{i}", text, r"\\boxed{2}", dataset="happy") for i, text in enumerate(texts)]
    write("generation/COUNTAHAPPYNUMBER_EVAL.csv", rows)
    made = llmdrift.happy(files)
    assert [(r.answer, r.score) for r in made.responses] == [("2", 1.0), (None, 0.0), ("20", 0.0)]
    assert made.queries[0].reference == "2"


def test_llmdrift_opinions_have_no_score(files: Files, write: Write) -> None:
    write(
        "generation/OPINIONQA_EVAL.csv", [drift_row("m", "(B). Somewhat", "(A)"), drift_row("n", "As an AI", "(A)")]
    )
    made = llmdrift.opinionqa(files)
    assert [(r.answer, r.score) for r in made.responses] == [("B", None), (None, None)]
    assert made.queries[0].reference is None


def test_llmdrift_leetcode_is_scored_by_its_judge(files: Files, write: Write) -> None:
    rows = [drift_row("m", "class A: ...", "", **{"Directly Usable": usable}) for usable in "10"]
    write("generation/LEETCODE_EASY_EVAL.csv", rows)
    made = llmdrift.leetcode(files)
    np.testing.assert_array_equal(made.scores, [[1], [0]])
    assert len(made.queries) == 2, "the second row of a model is the second query"


def test_llmdrift_leetcode_has_a_judge_on_the_code_alone(files: Files, write: Write) -> None:
    told = (("m", "Accepted"), ("n", "Wrong Answer"), ("m", "Runtime Error"), ("n", "✔ Accepted"))
    rows = [drift_row(m, "```a```", "", **{"Directly Usable": "0", "Clean_Code_Submit": text}) for m, text in told]
    write("generation/LEETCODE_EASY_EVAL.csv", rows)
    made = llmdrift.leetcode(files)
    [scores] = llmdrift.leetcode_unfenced(files, ("n", "m"), [query.id for query in made.queries]).values()
    assert scores.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_llmrouter_has_its_splits_tasks_and_prices(files: Files, write: Write, tmp_path: Path) -> None:
    rows = [{"question": f"q{i}", "scores": {"a": i / 2, "b": 1.0}} for i in range(3)]
    write("data/train.json", rows)
    write("data/test.json", rows[:1])
    write("data/default_llm.json", {m: {"input_price": 0.2, "output_price": 0.4} for m in ("b", "a", "unused")})
    made = llmrouter.llmrouter(files, {"one": 1, "two": 2}, {"one": 1})
    assert [(q.id, q.task, q.split) for q in made.queries] == [
        ("train/0000", "one", "train"), ("train/0001", "two", "train"), ("train/0002", "two", "train"),
        ("test/0000", "one", "test"),
    ]  # fmt: skip
    assert made.models == ("b", "a"), "in the order of the prices"
    assert set(made.prices) == {"a", "b"}
    np.testing.assert_array_equal(made.scores[:, 1], [0, 0.5, 1, 0])
    assert same_in_generic_form(made, tmp_path)
    with pytest.raises(SourceError, match="3 rows where 5608 are known"):
        llmrouter.llmrouter(files)


def test_routerarena_has_costs_tokens_and_boxed_answers(files: Files, write: Write, tmp_path: Path) -> None:
    def row(key: str, text: str, metric: str, truth: str, score: float) -> dict[str, Any]:
        result = {"metric": metric, "ground_truth": truth, "score": score, "inference_cost": 0.5}
        usage = {"input_tokens": 10, "output_tokens": 2}
        return {
            "global_index": key,
            "question": "?",
            "generated_answer": text,
            "token_usage": usage,
            "evaluation_result": result,
        }

    write("cached_results/cheap.jsonl", [
        row("MMLU_law_7", r"\boxed{A} no: \boxed{ e }", "mcq_accuracy", "4", 1.0),
        row("MathQA_1", r"it is \boxed{{B}}", "mcq_accuracy", "b", 1.0),
        row("WMT19_3", "Hallo", "meteor_score", "Hallo Welt", -0.03),
    ])  # fmt: skip
    write(
        "model_cost/cost.json",
        {m: {"input_token_price_per_million": 1, "output_token_price_per_million": 2} for m in ("cheap", "other")},
    )
    made = routerarena.routerarena(files)
    assert [(q.task, q.reference) for q in made.queries] == [
        ("MMLU_law", "E"),
        ("MathQA", "B"),
        ("WMT19", "Hallo Welt"),
    ]
    assert [(r.answer, r.score) for r in made.responses] == [("E", 1.0), ("B", 1.0), (None, 0.0)]
    assert [(r.cost, r.prompt_tokens, r.completion_tokens) for r in made.responses] == [(0.5, 10, 2)] * 3
    assert list(made.prices) == ["cheap"]
    assert same_in_generic_form(made, tmp_path)


def test_gsm8k_solutions_have_four_models(files: Files, write: Write, tmp_path: Path) -> None:
    solution = {"is_correct": True, "solution": "4 * 5 = <<4*5=20>>20\nA: 20"}
    row = {"question": "?", "ground_truth": "...\nA: 20", **dict.fromkeys(gsm8k_solutions.MODELS, solution)}
    write("example_model_solutions.jsonl", [row])
    made = gsm8k_solutions.gsm8k_solutions(files)
    assert made.models == gsm8k_solutions.MODELS
    assert set(told(made).values()) == {("20", 1.0)}
    assert made.queries[0].reference == "20"
    assert same_in_generic_form(made, tmp_path)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,234", "1234"), ("$5.00", "5"), ("-0.50", "-0.5"), ("-0", "0"), ("−3", "-3"), ("a 100 b 2", "100"),
     (".5", "0.5"), ("-.50", "-0.5"), ("007", "7"), ("1e5", "1"), ("it is 18.", "18"), ("", None), ("-", None),
     ("9" * 100, "9" * 100), ("0.10", "0.1"), ("a. 5", "5")],
)  # fmt: skip
def test_equal_numbers_are_equal_texts(text: str, number: str | None) -> None:
    assert first_number(text) == number


def test_without_a_mark_there_is_no_marked_number() -> None:
    assert marked_number("18", "####") is None
    assert marked_number("#### 17 #### 18 apples", "####") == "18"


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        ("mmlu/contaminated_prompts.jsonl", "[]\n", routellm.mmlu),
        ("mmlu/contaminated_prompts.jsonl", "{\n", routellm.mmlu),
        ("result_dirs/gsm/one.json", "{", zeroeval.gsm8k),
        ("generation/PRIME_FULL_EVAL.csv", "model,answer\nm\n", llmdrift.prime),
        ("other.txt", "", llmdrift.prime),
    ],
)
def test_a_file_of_another_shape_is_named(
    tmp_path: Path, name: str, content: str, read: Callable[[Files], Recording]
) -> None:
    file = tmp_path / Path(name).name
    file.write_text(content)
    with pytest.raises(SourceError, match=file.name if file.suffix != ".txt" else "PRIME_FULL_EVAL.csv") as caught:
        read({name: file})
    assert "\n" not in str(caught.value)


def test_every_recording_of_the_registry_has_a_reader() -> None:
    assert set(registry.recordings()) == set(READERS)


def test_a_recording_that_is_not_fetched_says_how_to_get_it(tmp_path: Path) -> None:
    for name in READERS:
        with pytest.raises(ValueError, match=r"missing or damaged \(atlas data fetch "):
            read_source(name, cache=tmp_path)
    with pytest.raises(ValueError, match="did you mean 'routellm-mmlu'"):
        read_source("routellm-mmlus")
    with pytest.raises(ValueError, match="its recordings are routellm-mmlu, routellm-gsm8k, routellm-mt-bench"):
        read_source("routellm")
