"""MMLU-Pro's reader on zips made here in the shape of the source, honest and hostile ones, and on the real files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impls.recorded import Recording, load, save
from reference_impls.recorded.readers import mmlu_pro, parse, read_source
from reference_impls.recorded.readers.mmlu_pro import ALL, GEMINIS, LARGE, MIDDLE, SMALL
from reference_impls.recorded.readers.parse import Files, SourceError, zipped_json


def row(number: int, text: str, **more: Any) -> dict[str, Any]:
    made = {
        "question_id": number, "question": f"Question {number}?", "options": ["one", "two", "three"], "answer": "B",
        "answer_index": 1, "cot_content": "", "category": "law", "src": "made", "pred": "B", "generated_text": text,
    }  # fmt: skip
    return made | more


def path_of(model: str) -> str:
    return f"eval_results/model_outputs_{model.replace('3.1', '3_1')}_5shots.zip"


def zipped(file: Path, content: Any, *, members: int = 1) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(members):
            raw = content if isinstance(content, bytes | str) else json.dumps(content)
            archive.writestr(f"model_outputs_{i}.json", raw)
    return file


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Every model answers questions 7 and 70, all right; the Geminis lack 700."""
    made = {}
    for model in ALL:
        rows = [row(number, "So it is two. The answer is (B).") for number in (70, 7, 700)]
        made[path_of(model)] = zipped(tmp_path / path_of(model), rows[: 2 if model in GEMINIS else 3])
    return made


def test_only_questions_that_all_files_answer_are_read(files: Files, tmp_path: Path) -> None:
    made = mmlu_pro.small(files)
    assert [query.id for query in made.queries] == ["mmlu-pro/00007", "mmlu-pro/00070"]
    assert made.queries[0].prompt == "Question 7?\nA. one\nB. two\nC. three"
    assert (made.queries[0].task, made.queries[0].reference, made.queries[0].kind) == ("law", "B", "choice")
    assert made.queries[0].options == ("one", "two", "three")
    assert made.models == SMALL
    assert made.scores.tolist() == [[1.0] * 7] * 2
    assert np.isnan(made.costs).all()
    save(made, tmp_path / made.name)
    assert load(tmp_path / made.name) == made


def test_pools_hold_their_models_in_their_order(files: Files) -> None:
    assert mmlu_pro.middle(files).models == MIDDLE
    assert mmlu_pro.large(files).models == LARGE
    assert mmlu_pro.everything(files).models == ALL
    assert len(ALL) == 18


def test_the_score_is_the_common_readers_and_the_sources_stands_beside(files: Files) -> None:
    """A text that states no letter is read by its option's words here; the source takes its last capital."""
    texts = [row(7, "Clearly it must be\ntwo", pred=None), row(70, "The answer is (A).", pred="B")]
    zipped(files[path_of("gemma-7b")], texts)
    made = mmlu_pro.small(files)
    column = made.models.index("gemma-7b")
    assert made.scores[:, column].tolist() == [1.0, 0.0]
    queries = [query.id for query in made.queries]
    assert mmlu_pro.source_scores(files, ["gemma-7b"], queries)[:, 0].tolist() == [0.0, 1.0]


def test_a_model_is_graded_by_the_key_and_the_options_of_its_own_file(files: Files) -> None:
    """Wording and keys changed between the files; the prompt is that of most of them."""
    newer = [row(7, "The answer is (C).", answer="C", options=["one", "2", "three"]), row(70, "(B)")]
    zipped(files[path_of("gemma-7b")], newer)
    made = mmlu_pro.small(files)
    assert made.queries[0].reference == "B"
    assert made.queries[0].options == ("one", "two", "three")
    assert made.scores[0].tolist() == [1.0] * 7


def test_an_empty_response_is_wrong_and_has_no_answer(files: Files) -> None:
    zipped(files[path_of("gemma-7b")], [row(7, ""), row(70, "(B)")])
    made = mmlu_pro.small(files)
    [empty] = [r for r in made.responses if r.text == ""]
    assert (empty.query_id, empty.model, empty.answer, empty.score) == ("mmlu-pro/00007", "gemma-7b", None, 0.0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"answer": None}, "no letter of an option"),
        ({"answer": "D"}, "no letter of an option"),
        ({"answer": ""}, "no letter of an option"),
        ({"answer": "AB"}, "no letter of an option"),
        ({"options": "one, two"}, "no list of options"),
        ({"options": [1, 2]}, "no list of options"),
        ({"pred": 3}, "'pred' that is no letter"),
        ({"generated_text": None}, "lacks its text"),
        ({"model_outputs": "a second text"}, "lacks its text"),
        ({"category": 5}, "lacks its text"),
        ({"question_id": "7"}, "no number of a question"),
        ({"question_id": True}, "no number of a question"),
        ({"question_id": 70}, "question 70 stands twice"),
    ],
)
def test_a_row_of_another_shape_is_named(files: Files, change: dict[str, Any], told: str) -> None:
    zipped(files[path_of("gemma-7b")], [row(7, "(B)") | change, row(70, "(B)")])
    with pytest.raises(SourceError, match=told) as caught:
        mmlu_pro.small(files)
    assert "gemma-7b" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [{"a": 1}, [1, 2], 5, None])
def test_json_that_is_no_list_of_answers_is_named(files: Files, content: Any) -> None:
    zipped(files[path_of("gemma-7b")], content)
    with pytest.raises(SourceError, match=r"gemma-7b.*no list of answers"):
        mmlu_pro.small(files)


def test_a_missing_file_and_questions_without_a_common_one_are_named(files: dict[str, Path]) -> None:
    zipped(files[path_of("gemini-1.5-pro-002")], [row(1, "(B)")])
    with pytest.raises(SourceError, match="no question is answered in all files"):
        mmlu_pro.small(files)
    del files[path_of("gemma-7b")]
    with pytest.raises(SourceError, match=r"0 files end in /model_outputs_gemma-7b_5shots.zip"):
        mmlu_pro.small(files)


# --- hostile zips -----------------------------------------------------------------------------------------------


def test_a_zip_is_read_without_writing_anything(tmp_path: Path) -> None:
    file = zipped(tmp_path / "good.zip", [{"a": 1}])
    assert zipped_json(file) == [{"a": 1}]
    assert list(tmp_path.iterdir()) == [file]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(tmp_path / "bomb.zip", b"[" + b" " * 4_000_000 + b"]")
    assert bomb.stat().st_size < 10_000
    with pytest.raises(SourceError, match="unpacks to more than 50 times its size"):
        zipped_json(bomb)
    monkeypatch.setattr(parse, "LARGEST_MEMBER", 20)
    with pytest.raises(SourceError, match="unpacks to more than 20 bytes"):
        zipped_json(zipped(tmp_path / "large.zip", list(range(20))))


def test_a_member_that_lies_about_its_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    """Sizes in both headers are changed from 4 MB to 100 bytes: what lies behind is never unpacked."""
    file = zipped(tmp_path / "liar.zip", b"[" + b" " * 4_000_000 + b"]")
    raw = file.read_bytes()
    true = (4_000_002).to_bytes(4, "little")
    assert raw.count(true) == 2
    file.write_bytes(raw.replace(true, (100).to_bytes(4, "little")))
    with pytest.raises(SourceError, match=r"liar.zip: cannot be unpacked|liar.zip: no JSON"):
        zipped_json(file)


@pytest.mark.parametrize("members", [0, 2])
def test_any_other_number_of_members_is_refused(tmp_path: Path, members: int) -> None:
    with pytest.raises(SourceError, match=f"holds {members} members"):
        zipped_json(zipped(tmp_path / "many.zip", [1], members=members))


def test_what_is_no_json_is_named(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", [1]).read_bytes()
    for name, content, told in (
        ("nested.zip", inner, "no JSON"),
        ("broken.zip", "[1,", "no JSON"),
        ("deep.zip", "".join(f"[{i}," for i in range(60_000)), "no JSON: nested too deeply"),
        ("nan.zip", '[{"cost": NaN}]', "NaN where a number"),
        ("twice.zip", '[{"id": 1, "id": 2}]', "a key stands twice"),
    ):
        with pytest.raises(SourceError, match=f"{name}: {told}") as caught:
            zipped_json(zipped(tmp_path / name, content))
        assert "\n" not in str(caught.value)


def test_what_is_no_zip_is_named(tmp_path: Path) -> None:
    file = tmp_path / "no.zip"
    for raw in (b"", b"PK\x03\x04 and then nothing", b"\x00" * 1000):
        file.write_bytes(raw)
        with pytest.raises(SourceError, match=r"no\.zip: cannot be unpacked"):
            zipped_json(file)
    whole = zipped(tmp_path / "cut.zip", [list(range(1000))])
    broken = bytearray(whole.read_bytes())
    broken[60:120] = b"\xff" * 60
    whole.write_bytes(broken)
    with pytest.raises(SourceError, match=r"cut\.zip: cannot be unpacked"):
        zipped_json(whole)


def test_an_encrypted_or_strangely_packed_member_is_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "locked.zip", [1])
    raw = bytearray(file.read_bytes())
    raw[6] |= 1  # the flag of encryption, in the member's header and in the list of members
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(raw)
    with pytest.raises(SourceError, match=r"locked\.zip: cannot be unpacked"):
        zipped_json(file)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.json", "[1]")
    with pytest.raises(SourceError, match="packed in a way that is not known"):
        zipped_json(file)


# --- the real files ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def test_the_large_pool_of_the_real_files(mirror: Path, cache: Path) -> None:
    """12,002 questions, the oracle and the singles of the source's letters within a point and a half."""
    assert mirror.is_dir()
    made: Recording = read_source("mmlu-pro-large", cache=cache)
    assert len(made.queries) == 12_002
    assert len({query.task for query in made.queries}) == 14
    assert made.models == LARGE
    assert made.scores.max(1).mean() == pytest.approx(0.839, abs=0.005)
    for model, letter in {"gemini-1.5-flash-002": 0.639, "Meta-Llama-3.1-70B-Instruct": 0.628}.items():
        assert made.scores[:, made.models.index(model)].mean() == pytest.approx(letter, abs=0.015)
