"""CSV, wide and long."""

from __future__ import annotations

from pathlib import Path

from reference_impls.importing import Choices
from tests.reference_impls.importing.samples import read, responses

WIDE = """\ufeffid,prompt,reference,subject,notes,small:response,small:score,\
a/large-v1.5|response,a/large-v1.5|score,\
a/large-v1.5|cost
a,1 + 1?,2,sum,x,It is 2,True,2,1,0.01
b,"Say
hi",hi,talk,,no,0,hi,1,
c,2 + 2?,4,sum,,5,1.5,4,1,NaN
d,3 + 3?,6,sum,,,,6,1,0.02
e,4 + 4?,8,sum,,,,,,
f,5 + 5?,10
"""
LONG = """Question;Gold;Model;Output;Input_Tokens;Output_Tokens;Seconds;Sample
1 + 1?;2;small;It is 2;12;4;0,5;0
1 + 1?;2;small;It is 2;12;4.0;0.5;0
1 + 1?;2;small;3;12;;;1
1 + 1?;2;large;2;many;4;;
2 + 2?;4;large;4;12;4;;
"""


def put(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "t.csv").write_text(text, encoding)
    return folder / "t.csv"


def test_wide(tmp_path: Path) -> None:
    file = put(tmp_path, WIDE)
    found = read("csv", file)
    assert found.findings == (
        f"{file}:5: 'score' is 1.5 (write a number from 0 to 1, or null)",
        f"{file}:7: no model answered (fill in a model's cells, or remove the row)",
        f"{file}:8: 3 cells where the header names 10 (put texts with separators in quotes)",
    )
    assert found.notes == (f"{file}: columns left out: notes",)
    assert found.recording is not None
    assert [(q.id, q.prompt, q.reference, q.task) for q in found.recording.queries] == [
        ("a", "1 + 1?", "2", "sum"), ("b", "Say\nhi", "hi", "talk"), ("c", "2 + 2?", "4", "sum"),
        ("d", "3 + 3?", "6", "sum"),
    ]  # fmt: skip
    assert {(r.query_id, r.model): (r.text, r.score, r.cost) for r in responses(found)} == {
        ("a", "small"): ("It is 2", 1.0, None), ("a", "a/large-v1.5"): ("2", 1.0, 0.01),
        ("b", "small"): ("no", 0.0, None), ("b", "a/large-v1.5"): ("hi", 1.0, None),
        ("c", "a/large-v1.5"): ("4", 1.0, None), ("d", "a/large-v1.5"): ("6", 1.0, 0.02),
    }  # fmt: skip
    assert found.gaps() == {"small": 2}


def test_long(tmp_path: Path) -> None:
    file = put(tmp_path, LONG)
    found = read("csv", file)
    told = [line.removeprefix(f"{file}:") for line in found.findings]
    assert [line[:2] for line in told] == ["2:", "5:"]
    assert told[0] == "2: 'latency' is '0,5' (write a number not negative, or null)"
    assert told[1].startswith("5: 'prompt_tokens' is 'many'")
    assert [(r.model, r.sample, r.text, r.completion_tokens, r.latency, r.score) for r in responses(found)] == [
        ("small", 0, "It is 2", 4, 0.5, None), ("small", 1, "3", None, None, None), ("large", 0, "4", 4, None, None),
    ]  # fmt: skip
    assert found.recording is not None
    assert [q.prompt for q in found.recording.queries] == ["1 + 1?", "2 + 2?"]


def test_how_answers_ended(tmp_path: Path) -> None:
    wide = (
        "prompt,small:response,small:status,small:finish_reason,small:reasoning_tokens,small:cached_tokens\n"
        "1?,2,OK,stop,7,3\n2?,,error,,,\n3?,x,lost,,,\n"
    )
    found = read("csv", put(tmp_path, wide))
    assert [(r.text, r.status, r.finish_reason, r.reasoning_tokens, r.cached_tokens) for r in responses(found)] == [
        ("2", "", "stop", 7, 3)
    ]
    assert [line.split(": ", 1)[1].split(" (")[0] for line in found.findings] == [
        "neither text nor answer nor score of a response", "'status' is 'lost'",
    ]  # fmt: skip


def test_two_answers_of_a_model_need_numbers(tmp_path: Path) -> None:
    file = put(tmp_path, "prompt,model,response\n1 + 1?,small,2\n1 + 1?,small,3\n")
    found = read("csv", file)
    assert [r.text for r in responses(found)] == ["2"]
    assert len(found.findings) == 1
    assert found.findings[0].startswith(f"{file}:3: 'small' has answered ")


def test_rows_that_tell_different_things_of_a_query(tmp_path: Path) -> None:
    file = put(tmp_path, "id,prompt,reference,model,response\na,1?,,s,2\na,1?,2,m,2\na,2?,2,l,2\na,1?,3,l,2\n")
    found = read("csv", file)
    assert [line.split(" (")[0] for line in found.findings] == [
        f"{file}:4: the query 'a' has another 'prompt' here than at {file}:2",
        f"{file}:5: the query 'a' has another 'reference' here than at {file}:2",
    ]
    assert found.recording is not None
    assert [q.reference for q in found.recording.queries] == ["2"]  # from the second row


def test_columns_that_the_user_names(tmp_path: Path) -> None:
    file = put(tmp_path, "frage,who,said\n1 + 1?,small,2\n")
    choices = Choices(columns={"prompt": "frage", "model": "who", "text": "said"})
    assert [(r.model, r.text) for r in responses(read("csv", file, choices=choices))] == [("small", "2")]
    assert "no column 'who2'" in read("csv", file, choices=Choices(columns={"model": "who2"})).findings[0]


def test_what_is_no_such_table(tmp_path: Path) -> None:
    for text, what in (
        ("", "1: holds no header"), ("a,b\n1,2\n", "1: no column 'prompt'"),
        ("prompt,gpt-4\n1?,2\n", "1: no column of a model"),
        ("prompt,prompt\n", "1: the column 'prompt' stands twice"),
        ('prompt,model,text\n1?,s,"x" y\n2?,s,"never', "2: not valid CSV: ',' expected after '\"'"),
    ):  # fmt: skip
        found = read("csv", put(tmp_path, text))
        assert found.recording is None
        assert found.findings[0].startswith(f"{tmp_path / 't.csv'}:{what}"), found.findings


def test_bytes_of_another_encoding_cost_their_row_only(tmp_path: Path) -> None:
    file = put(tmp_path, "prompt,model,text\nWo?,s,Köln\nWer?,s,er\n", "latin-1")
    found = read("csv", file)
    assert found.findings == (f"{file}:2: holds bytes that are not UTF-8 (save the file as UTF-8)",)
    assert [r.text for r in responses(found)] == ["er"]
