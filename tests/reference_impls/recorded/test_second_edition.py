"""The form's second edition: it is kept, held against its JSON Schemas, and told line by line where it is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from reference_impls.core.model import Price
from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording, files, load, registry, save
from reference_impls.recorded.form import CALL_KEYS, QUERY_KEYS, REPLY_KEYS, RESPONSE_KEYS, Call, Reply
from reference_impls.recorded.scoring import Scorer
from tests.tool import app

SCHEMAS = {file.name.partition(".")[0]: json.loads(file.read_text("utf-8")) for file in registry.schemas()}
WHOLE = Recording(
    "whole",
    (
        RecordedQuery(
            "a", "1 + 1?", "2", "sums", "test", None, (),
            ({"role": "system", "content": "Be short."}, {"role": "user", "content": "1 + 1?"}), {"from": ["me", 1]},
        ),
        RecordedQuery("b", "Which?", "B", "facts", "train", "choice", ("Nile", "Rhine")),
    ),
    (
        RecordedResponse(
            "a", "m", 0, "2", "2", 1.0, 0.1, 3, 4, 0.5, 2, "cut", "length", 1, 2, ("2",), (-0.5, -0.25)
        ),
        RecordedResponse("b", "m", 0, "A", "A", 0.0, None, None, None, None),
        RecordedResponse("b", "m", 1, "", None, None, None, None, None, None, status="error"),
    ),
    {"m": Price(1.0, 2.0)},
    (
        Call("m", "Right?", "a", 1.0, 4, ("x",), 2**40, (
            Reply("yes", None, None, 0.1, 5, 1, 0.2, "", "stop", 0, 1, ("yes",), (-0.1,)), Reply(None, 0.0, 0.5),
        )),
        Call("m", "Fuse.", None, 0.0, None, (), None, (Reply("2"),)),
    ),
    {"m": "terse"}, Scorer(kind="regex", pattern="(.)"),
)  # fmt: skip
LINE: dict[str, dict[str, Any]] = {
    "queries": {"id": "a", "prompt": "?", "task": "t", "split": "test"},
    "responses": {"query_id": "a", "model": "m", "text": "2"},
    "replies": {"model": "m", "prompt": "?", "replies": [{"text": "x"}]},
    "scorer": {"kind": "number"},
}
#: Values of which a reader and a schema must say the same, wherever they stand.
VALUES: tuple[Any, ...] = (
    None, "", "x", "number", "cut", "test", 0, 1, 0.5, -1, 12.0, True, [], ["x"], ["x", "y"], [-0.5], [0.5], {},
    [{"role": "user", "content": "?"}], [{"role": "cook", "content": "?"}], [{"text": "x"}], [{"grade": 4}],
    [{"score": 1}], [{"text": "x", "grad": 4}], {"kind": "choice"},
)  # fmt: skip


def written(folder: Path, **lines: Any) -> Path:
    """A folder that is right but for what is given."""
    folder.mkdir(exist_ok=True)
    for name, line in {**LINE, **lines}.items():
        text = "".join(json.dumps(one) + "\n" for one in (line if isinstance(line, list) else [line]))
        (folder / f"{name}.{'json' if name == 'scorer' else 'jsonl'}").write_text(text, encoding="utf-8")
    return folder


def test_all_of_it_is_kept_and_fits_its_schemas(tmp_path: Path) -> None:
    save(WHOLE, tmp_path / "whole")
    assert load(tmp_path / "whole") == WHOLE
    assert files.problems(tmp_path / "whole") == ([], WHOLE)
    for name in ("queries", "responses", "replies"):
        for line in (tmp_path / "whole" / f"{name}.jsonl").read_text("utf-8").splitlines():
            jsonschema.validate(json.loads(line), SCHEMAS[name])
    jsonschema.validate(json.loads((tmp_path / "whole" / "scorer.json").read_text("utf-8")), SCHEMAS["scorer"])
    jsonschema.validate(yaml.safe_load((tmp_path / "whole" / "models.yml").read_text("utf-8")), SCHEMAS["models"])


def test_a_pool_takes_its_own_calls_along() -> None:
    other = replace(WHOLE.responses[0], model="other")
    both = replace(WHOLE, responses=(*WHOLE.responses, other))
    assert both.only(["other"]).calls == ()
    assert both.only(["m"]).calls == WHOLE.calls


def test_schemas_know_the_keys_that_readers_know() -> None:
    assert set(SCHEMAS["queries"]["properties"]) == {*QUERY_KEYS, "scorer"}
    assert set(SCHEMAS["responses"]["properties"]) == set(RESPONSE_KEYS)
    assert set(SCHEMAS["replies"]["properties"]) == set(CALL_KEYS)
    assert set(SCHEMAS["replies"]["properties"]["replies"]["items"]["properties"]) == set(REPLY_KEYS)
    made = Scorer.model_json_schema()
    assert SCHEMAS["scorer"]["properties"] == made["properties"], "made anew from the reader's model"


KEYS = [
    *(("queries", key) for key in QUERY_KEYS), *(("responses", key) for key in RESPONSE_KEYS),
    *(("replies", key) for key in CALL_KEYS), *(("reply", key) for key in REPLY_KEYS),
]  # fmt: skip
#: Where two keys, or two lines, have to fit one another, a schema of one value cannot say it.
FITTING = {("queries", "options", '["x", "y"]'), ("responses", "sample", "1"), ("responses", "sample", "12.0")}


@pytest.mark.parametrize(("name", "key"), KEYS, ids=[f"{name}-{key}" for name, key in KEYS])
def test_readers_and_schemas_agree_on_every_value(name: str, key: str, tmp_path: Path) -> None:
    for value in VALUES:
        if name == "reply":
            what, line = "replies", LINE["replies"] | {"replies": [{"text": "x", key: value}]}
        else:
            what, line = name, LINE[name] | {key: value}
        # The other files say the same of who and what.
        asked: dict[str, dict[str, Any]] = {"responses": LINE["responses"], "replies": LINE["replies"]}
        if key == "model":
            asked = {file: line_of | {"model": value} for file, line_of in asked.items()}
        elif name == "queries" and key == "id":
            asked["responses"] = LINE["responses"] | {"query_id": value}
        elif key == "query_id" and value not in (None, ""):
            asked |= {
                "queries": LINE["queries"] | {"id": value},
                "responses": LINE["responses"] | {"query_id": value},
            }
        folder = written(tmp_path / "one", **{**asked, what: line})
        problems = [p for p in files.problems(folder)[0] if f"{what}.jsonl" in p]
        right = jsonschema.Draft202012Validator(SCHEMAS[what]).is_valid(line)
        if (name, key, json.dumps(value)) not in FITTING:
            assert right == (not problems), (value, problems)


def test_every_wrong_line_is_told_and_none_costs_another(tmp_path: Path) -> None:
    query, response, call = LINE["queries"], LINE["responses"], LINE["replies"]
    folder = written(
        tmp_path / "mine",
        queries=[query, {"id": "b"}, query | {"id": "c"}, query | {"id": "d", "metadata": 1}],
        responses=[
            response, response | {"score": 2, "sample": 1}, response | {"sample": 2}, response | {"query_id": "b"},
            response | {"query_id": "c", "logprobs": [1]}, response | {"query_id": "e"}, response | {"query_id": "d"},
            response | {"sample": 9},
        ],
        replies=[call, call | {"model": "n"}, call | {"replies": []}, call | {"seed": -1}],
        scorer={"kind": "regex", "pattern": "("},
    )  # fmt: skip
    (folder / "models.yml").write_text("n: {prompt: 1, completion: 2}\nm: {dress: silk}\n", encoding="utf-8")
    found, made = files.problems(folder)
    told = [line.removeprefix(f"{folder}/") for line in found]
    assert [line.partition(": ")[0] for line in told] == [
        "queries.jsonl:2", "queries.jsonl:4", "responses.jsonl:2", "responses.jsonl:5", "responses.jsonl:6",
        "models.yml:1", "models.yml:2", "replies.jsonl:2", "replies.jsonl:3", "replies.jsonl:4", "scorer.json:1",
    ]  # fmt: skip
    assert all(line.endswith(")") for line in told), "every line says how to mend it"
    assert made is not None
    assert ([q.id for q in made.queries], len(made.responses), len(made.calls)) == (["a"], 3, 1)
    run = CliRunner().invoke(app, ["data", "check", str(folder)])
    assert (run.exit_code, run.stdout.splitlines()) == (1, found)
    strict = CliRunner().invoke(app, ["data", "check", "--strict", str(folder)])
    assert (strict.exit_code, strict.stdout.splitlines()) == (1, found[:1])
    with pytest.raises(ValueError, match=r"queries\.jsonl:2"):
        load(folder)
    save(made, tmp_path / "mended")
    assert CliRunner().invoke(app, ["data", "check", str(tmp_path / "mended")]).exit_code == 0


def test_a_flood_of_wrong_lines_is_bounded(tmp_path: Path) -> None:
    folder = written(tmp_path / "mine")
    (folder / "responses.jsonl").write_text("{}\n" * 5000, encoding="utf-8")
    assert len(files.problems(folder)[0]) == files.MOST_PROBLEMS
    (folder / "responses.jsonl").write_text("{" + "x" * 40_000_000 + "\n[]\n", encoding="utf-8")
    found, _ = files.problems(folder)
    assert [line.split(":")[1] for line in found[:2]] == ["1", "2"], "the rest of a long line is no line of its own"


def test_a_folder_of_the_first_edition_is_right(tmp_path: Path) -> None:
    folder = written(tmp_path / "mine")
    for name in ("replies.jsonl", "scorer.json"):
        (folder / name).unlink()
    assert files.problems(folder)[0] == []
