"""The mini-benchmarks: splits, scorers, and training text that holds none of their items."""

import itertools
import zlib

import numpy as np
import pytest

from reference_impls.benchmarks import BENCHMARKS, SPLIT_SIZES
from reference_impls.benchmarks.arithmetic import worked
from reference_impls.benchmarks.code import Code
from reference_impls.benchmarks.writing import Writing
from reference_impls.core import Generation, answer_of
from reference_impls.core.query import ANSWER_KINDS
from reference_impls.models.corpus import Corpus
from reference_impls.models.pool import BY_NAME, PARTS, POOLS


@pytest.mark.parametrize("name", BENCHMARKS)
def test_splits_are_fixed_and_disjoint(name: str) -> None:
    bench = BENCHMARKS[name]
    fresh = type(bench)()
    prompts: dict[str, set[str]] = {}
    for split, size in SPLIT_SIZES.items():
        items = bench.items(split)
        assert len(items) == size
        assert [i.query for i in items] == [i.query for i in fresh.items(split)], "the same in every process"
        prompts[split] = {i.query.prompt for i in items}
        assert {i.level for i in items} == set(bench.levels)
        assert all(i.query.kind in ANSWER_KINDS for i in items)
    assert SPLIT_SIZES["test"] >= 200
    for a, b in itertools.combinations(prompts.values(), 2):
        assert not a & b


@pytest.mark.parametrize("name", BENCHMARKS)
def test_solutions_score_high_and_corrupted_ones_low(name: str) -> None:
    bench, rng = BENCHMARKS[name], np.random.default_rng(3)
    good, bad = [], []
    for level in bench.levels:
        for _ in range(8):
            problem = bench.problem(rng, level)
            good.append(bench.score(problem.reference, problem.solution))
            bad.append(bench.score(problem.reference, bench.corrupt(rng, problem)))
            assert bench.score(problem.reference, "") == 0
            assert 0 <= good[-1] <= 1
            assert 0 <= bad[-1] <= 1
    assert min(good) > 0.75
    # Another line about other things still meets a few constraints of a writing task, and some changes of a program
    # do not change what it computes.
    assert np.mean(bad) < (0.5 if name == "writing" else 0.2)


@pytest.mark.parametrize("spec", BY_NAME.values(), ids=lambda s: s.name)
def test_training_text_holds_no_item_of_any_split(spec: object) -> None:
    held = {i.query.prompt for b in BENCHMARKS.values() for split in SPLIT_SIZES for i in b.items(split)}
    stems = {p.removesuffix("\nA:") for p in held}
    for example in itertools.islice(Corpus(spec), 4000):  # type: ignore[arg-type]
        assert example.prompt not in held
        # The forms for checking, grading and fusing hold a whole question in their first lines.
        first = example.prompt.split("\nProposed:")[0].split("\nDraft:")[0].removesuffix("\nA:")
        assert first not in stems


def test_training_text_repeats_for_a_seed() -> None:
    first, second = (list(itertools.islice(Corpus(BY_NAME["ash"]), 50)) for _ in range(2))
    assert first == second


def test_a_peer_reads_only_its_parts_of_the_problems() -> None:
    read = {}
    for spec in POOLS["peers"]:
        examples = itertools.islice(Corpus(spec), 1500)
        prompts = {e.prompt for e in examples if e.prompt.endswith("A:") and "\nDraft:" not in e.prompt}
        assert {zlib.crc32(prompt.encode()) % PARTS for prompt in prompts} == set(spec.parts)
        read[spec.name] = set(spec.parts)
    for a, b in itertools.combinations(read.values(), 2):
        assert len(a & b) <= 1, "no two have read the same half"


@pytest.mark.parametrize("op", "+-*")
def test_worked_steps_end_in_the_result(op: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        b, a = sorted(int(v) for v in rng.integers(2, 1000, 2))
        b = b % 9 + 1 if op == "*" else b
        result = {"+": a + b, "-": a - b, "*": a * b}[op]
        lines = worked(a, op, b).splitlines()
        assert lines[-1] == f"= {result}"
        for line in lines[1:-1]:  # every step is a true equation
            left, right = line.split("=")
            assert eval(left) == int(right)  # noqa: S307 (text of our own)


def test_the_math_scorer_takes_the_last_number() -> None:
    score = BENCHMARKS["math"].score
    assert score({"answer": 132}, " 47+85\n7+5=12\n= 132") == 1
    assert score({"answer": 1320}, "The answer is 1,320.") == 1
    assert score({"answer": 132}, "132 or 133") == 0
    assert score({"answer": -3}, "= -3") == 1


def test_the_question_scorer() -> None:
    score = BENCHMARKS["qa"].score
    assert score({"answer": "Menlok"}, "Ada was born in Zorvia.\nThe capital is Menlok.\nMenlok.") == 1
    assert score({"answer": "Menlok"}, " menlok ") == 1
    assert score({"answer": "Menlok"}, "Menlok or Pelok") == 0
    choice = {"answer": "Menlok", "letter": "B", "options": ["Pelok", "Menlok", "Zorvia", "Kudin"]}
    assert score(choice, " Menlok (b)") == 1
    assert score(choice, " Menlok (c)") == 0, "the letter decides where there is one"
    assert score(choice, " Menlok") == score(choice, "(b)") == score(choice, "The answer is B.") == 1


def test_an_options_letter_and_its_text_are_one_answer() -> None:
    items = [item for item in BENCHMARKS["qa"].items("test") if item.level == "choice"]
    assert items
    for item in items:
        letter, text = item.reference["letter"], item.reference["answer"]
        said = [Generation("m", form) for form in (f" {text}", f"({letter.lower()})", f"{text} ({letter.lower()})")]
        assert {answer_of(response, item.query) for response in said} == {letter}


def test_the_instruction_scorer_is_strict() -> None:
    score = BENCHMARKS["instructions"].score
    wanted = {"words": ["lamp", "owl", "key", "map"], "count": "drop last", "order": "reverse", "format": "commas"}
    assert score(wanted, " key, owl, lamp") == 1
    assert score(wanted, " key, owl, lamp \n") == 1
    for wrong in ("lamp, owl, key", "key owl lamp", "KEY, OWL, LAMP", "map, key, owl, lamp", "key, owl, lamp."):
        assert score(wanted, wrong) == 0


def test_the_writing_scorer() -> None:
    reference = {
        "animal": "owl", "words": ["lamp", "old"], "end": "night", "sentences": 1,
        "texts": ["The old owl found a lamp in the night."],
    }  # fmt: skip
    score = BENCHMARKS["writing"].score
    assert score(reference, "The old owl found a lamp in the night.") == pytest.approx(1)
    assert 0.6 < score(reference, "An old owl carried the lamp home before the night.") < 1
    met = Writing.constraints(reference, "owl owl owl lamp old night.")
    assert not met["a plausible length"], "a list of the words is no sentence"
    assert score(reference, "owl lamp old night") < 0.75


def test_every_generated_program_is_right() -> None:
    """The program that the models learn and what the description computes agree, for a sample of each level."""
    bench = BENCHMARKS["code"]
    assert isinstance(bench, Code)
    rng = np.random.default_rng(9)
    for level in bench.levels:
        for _ in range(25):
            problem = bench.problem(rng, level)
            assert bench.score(problem.reference, problem.solution) == 1, problem.solution
