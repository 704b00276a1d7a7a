"""RouterBench's tables as CSV."""

from __future__ import annotations

from pathlib import Path

from tests.reference_impls.importing.samples import read, responses

HEAD = (
    ",sample_id,prompt,eval_name,a/small,large-v1,a/small|model_response,large-v1|model_response,a/small|total_cost,"
    "large-v1|total_cost,oracle_model_to_route_to\n"
)


def test_a_table(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(
        HEAD
        + "0,arc.1,\"['Which?\\nA) x\\nB) y']\",arc,0.0,1.0,['A'],['B)'],0.001,0.02,large-v1\n"
        + '1,mt.1,"[\'One?\', ""It\'s two?""]",mt,0.85,,"[\'1\', \'2\']",,0.001,,a/small\n'
        + "2,arc.2,[1] says what?,arc,7,1.0,A,B,0.001,-1,large-v1\n"
    )
    found = read("routerbench", file)
    assert [line.split(" (")[0] for line in found.findings] == [
        f"{file}:4: 'score' is 7.0",
        f"{file}:4: 'cost' is -1.0",
    ]
    assert found.recording is not None
    assert [(q.id, q.prompt, q.task, q.reference) for q in found.recording.queries] == [
        ("arc.1", "Which?\nA) x\nB) y", "arc", None),
        ("mt.1", "One?\n\nIt's two?", "mt", None),
    ]
    assert [(r.query_id, r.model, r.text, r.score, r.cost) for r in responses(found)] == [
        ("arc.1", "a/small", "A", 0.0, 0.001),
        ("arc.1", "large-v1", "B)", 1.0, 0.02),
        ("mt.1", "a/small", "1\n\n2", 0.85, 0.001),
    ]


def test_other_tables_and_hostile_lists(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("sample_id,prompt\na,b\n")
    assert read("routerbench", file).findings[0].startswith(f"{file}:1: no table of RouterBench")
    deep = "['a', " + "[" * 5000 + "]" * 5000 + "]"
    file.write_text(HEAD + f'0,x,"{deep}",t,1,1,a,b,0,0,l\n')
    recording = read("routerbench", file).recording
    assert recording is not None
    assert recording.queries[0].prompt == deep
