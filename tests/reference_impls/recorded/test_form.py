"""The generic recorded form: what is written is read again, and what is wrong is named by file and line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_impls.core.model import Price
from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording, load, save
from reference_impls.recorded.form import CALL_KEYS, QUERY_KEYS, REPLY_KEYS, RESPONSE_KEYS

QUERY = {"id": "a", "prompt": "1 + 1?", "reference": "2", "task": "sums", "split": "test"}
RESPONSE = {"query_id": "a", "model": "small", "sample": 0, "text": "2", "answer": "2", "score": 1.0}


def folder_of(
    tmp_path: Path, queries: str | bytes, responses: str | bytes, models: str | bytes | None = None
) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    for name, content in (("queries.jsonl", queries), ("responses.jsonl", responses), ("models.yml", models)):
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def lines(*values: dict[str, Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def test_what_is_saved_is_loaded_again(recording: Recording, tmp_path: Path) -> None:
    save(recording, tmp_path / "made")
    assert load(tmp_path / "made") == recording
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [
        "models.yml", "queries.jsonl", "responses.jsonl",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["made"], "no draft is left"


def test_tables_have_a_row_a_query_and_a_column_a_model(recording: Recording) -> None:
    assert recording.models == ("big", "small"), "models with a price first"
    np.testing.assert_array_equal(recording.scores, [[1.0, 0.0], [0.25, 1.0], [np.nan, np.nan]])
    # 10 * 3 + 2 * 15 and 20 * 3 millionths of a dollar; small has what is recorded and no price
    np.testing.assert_allclose(recording.costs, [[60e-6, 0.001], [60e-6, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(recording.latencies, [[2.0, 0.5], [np.nan, np.nan], [np.nan, np.nan]])


def test_a_fresh_split_is_drawn_by_seed(recording: Recording) -> None:
    one, again = (recording.resplit(train=1, validation=1, seed=3) for _ in range(2))
    assert one == again
    assert sorted(query.split for query in one.queries) == ["test", "train", "validation"]
    assert [query.id for query in one.queries] == [query.id for query in recording.queries]
    drawn = {recording.resplit(train=1, seed=seed).queries for seed in range(20)}
    assert len(drawn) == 3
    with pytest.raises(ValueError, match="leave none of 3"):
        recording.resplit(train=2, validation=1, seed=0)


def test_a_pool_is_cut_out_in_the_order_asked_for(recording: Recording) -> None:
    cut = recording.only(["small", "big"])
    assert cut.scores.shape == (3, 2)
    assert recording.only(["small"]).models == ("small",)
    with pytest.raises(ValueError, match="did you mean 'small'"):
        recording.only(["smal"])


def test_keys_that_are_null_may_be_left_out(tmp_path: Path) -> None:
    query = {key: value for key, value in QUERY.items() if key != "reference"}
    made = load(folder_of(tmp_path, lines(query), lines({"query_id": "a", "model": "m", "score": 1})))
    assert made.queries[0].reference is None
    assert made.responses == (RecordedResponse("a", "m", 0, None, None, 1.0, None, None, None, None),)


def test_what_libraries_for_tables_write_is_taken(tmp_path: Path) -> None:
    """Numbers for ids and answers, whole numbers with a point, null for what is missing."""
    query = {**QUERY, "id": 7, "reference": 2.0, "kind": None, "options": None}
    response = {"query_id": 7.0, "model": "m", "sample": 0.0, "answer": 2, "prompt_tokens": 12.0, "text": None}
    made = load(folder_of(tmp_path, lines(query), lines(response)))
    assert (made.queries[0].id, made.queries[0].reference) == ("7", "2")
    assert made.responses[0] == RecordedResponse("7", "m", 0, None, "2", None, None, 12, None, None)


def test_kinds_and_options_are_read_and_written_again(tmp_path: Path) -> None:
    queries: list[dict[str, Any]] = [
        {**QUERY, "id": "a", "scorer": "number"}, {**QUERY, "id": "b", "kind": "yes-no", "reference": True},
        {**QUERY, "id": "c", "scorer": {"kind": "exact"}},
        {**QUERY, "id": "d", "options": ["Nile", 12], "reference": "B"},
    ]  # fmt: skip
    made = load(folder_of(tmp_path, lines(*queries), lines(*[{**RESPONSE, "query_id": q["id"]} for q in queries])))
    assert [q.kind for q in made.queries] == ["number", "yes-no", "text", None]
    assert made.queries[3].options == ("Nile", "12")
    save(made, tmp_path / "again")
    assert load(tmp_path / "again").queries == made.queries


def query_with(**changed: Any) -> str:
    return lines({**QUERY, **changed})


def response_with(**changed: Any) -> str:
    return lines({**RESPONSE, **changed})


@pytest.mark.parametrize(
    ("queries", "told"),
    [
        ("", "1: holds no query"),
        ("\n", "1: an empty line (remove it)"),
        (query_with() + "\n" + query_with(id="b"), "2: an empty line"),
        ("{", "1: not valid JSON at column 2"),
        ("[1]\n", "1: a list instead of an object"),
        ('"text"\n', "1: 'text' instead of an object"),
        (b"\xef\xbb\xbf" + query_with().encode(), "1: starts with a byte-order mark (save the file as UTF-8"),
        (query_with().encode() + b'{"id": "\xff"}\n', "2: byte 0xff at column 9 is not UTF-8"),
        ("[" * 100_000, "1: nested too deeply"),
        ('{"id": 1' + "0" * 5000 + "}", "1: a number with thousands of digits"),
        ('{"id": NaN}', "1: NaN is no JSON number"),
        ('{"id": "a", "id": "b"}', "1: the key 'id' stands twice"),
        (query_with(Prompt="x"), "1: unknown key 'Prompt' (remove it; did you mean 'prompt'?)"),
        (lines({"id": "a"}), "1: the key 'prompt' is missing"),
        (query_with(id=[7]), "1: 'id' is a list (write a string that is not empty)"),
        (query_with(id=True), "1: 'id' is true (write a string that is not empty)"),
        (query_with(id=""), "1: 'id' is empty"),
        (query_with(id="a\nb"), r"1: 'id' is 'a\nb'"),
        (query_with(id=" a"), "1: 'id' is ' a'"),
        (query_with(id="a" * 600), "1: 'id' is 'aaa"),
        (query_with(prompt=None), "1: 'prompt' is null"),
        (query_with(prompt="\ud800"), "1: 'prompt' holds half of a surrogate pair at character 1"),
        (query_with(prompt=2), "1: 'prompt' is 2 (write a string that is not empty)"),
        (query_with(reference=[2]), "1: 'reference' is a list (write a string or null)"),
        (query_with(kind="numbers"), "1: 'kind' is 'numbers' (write one of short, choice, number, yes-no, "),
        (query_with(scorer={"name": "x"}), "1: 'scorer' is an object"),
        (query_with(kind="number", scorer="choice"), "1: 'kind' is number and 'scorer' is choice (keep one of them)"),
        (query_with(options="A, B"), "1: 'options' is 'A, B' (write a list of at least two strings, or null)"),
        (
            query_with(options=["x", "y"], reference="z"),
            "1: the reference 'z' is none of the options (write a letter",
        ),
        (query_with(options=["x", "y"], kind="number"), "1: 'options' of a question of kind number"),
        (query_with(options=["x"] * 11), "1: 11 options (at most 10, A to J)"),
        (query_with(split="dev"), "1: 'split' is 'dev' (write one of train, validation, test)"),
        (query_with() + query_with(), "2: the query 'a' is there already"),
        (query_with() + query_with(id="b"), "2: no model answered the query 'b'"),
    ],
)
def test_a_malformed_query_is_named_by_file_and_line(tmp_path: Path, queries: str | bytes, told: str) -> None:
    folder = folder_of(tmp_path, queries, response_with())
    with pytest.raises(ValueError, match="queries") as caught:
        load(folder)
    assert str(caught.value).startswith(f"{folder / 'queries.jsonl'}:{told}")
    assert str(caught.value).endswith(")")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("responses", "told"),
    [
        ("{}\n", "1: the key 'query_id' is missing"),
        (response_with(query_id="b"), "1: queries.jsonl has no query 'b'"),
        (response_with(lattency=1), "1: unknown key 'lattency' (remove it; did you mean 'latency'?)"),
        (response_with(model=""), "1: 'model' is empty"),
        (response_with(score=1.5), "1: 'score' is 1.5 (write a number from 0 to 1, or null)"),
        (response_with(score=True), "1: 'score' is true"),
        (response_with(score="1"), "1: 'score' is '1'"),
        (response_with().replace("1.0", "1e999"), "1: 'score' is Infinity"),
        (response_with(cost=-0.1), "1: 'cost' is -0.1 (write a number not negative, or null)"),
        (response_with(cost=10**400), "1: 'cost' is a huge number"),
        (response_with(latency=[1]), "1: 'latency' is a list"),
        (response_with(prompt_tokens=1.5), "1: 'prompt_tokens' is 1.5 (write a whole number"),
        (response_with(completion_tokens=-1), "1: 'completion_tokens' is -1"),
        (response_with(completion_tokens=10**12), "1: 'completion_tokens' is 1000000000000"),
        (response_with(sample=-1), "1: 'sample' is -1"),
        (response_with(text={}), "1: 'text' is an object"),
        (response_with(text=None, answer=None, score=None), "1: neither text nor answer nor score"),
        (response_with() + response_with(), "2: sample 0 of 'small' to 'a' is there already"),
        (response_with() + response_with(sample=2), "2: sample 2 of 'small' to 'a' comes before sample 1"),
        (response_with() + "null\n", "2: null instead of an object"),
    ],
)
def test_a_malformed_response_is_named_by_file_and_line(tmp_path: Path, responses: str, told: str) -> None:
    folder = folder_of(tmp_path, query_with(), responses)
    with pytest.raises(ValueError, match="responses") as caught:
        load(folder)
    assert str(caught.value).startswith(f"{folder / 'responses.jsonl'}:{told}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ("", ":1: holds no price"),
        ("- small\n", ":1: holds no price"),
        ("small: 3\n", ":1: no model with a price"),
        (
            "# prices\nsmal: {prompt: 1, completion: 2}\n",
            ":2: responses.jsonl has no model 'smal' (remove it; did you",
        ),
        ("small: {prompt: 1}\n", ":1: the price of 'small' is not complete"),
        ("small: {prompt: 1, input: 2}\n", ":1: 'input' where 'prompt' or 'completion' is wanted"),
        ("small: {prompt: -1, completion: 2}\n", ":1: the price of 'small' is no amount"),
        ("small:\n  prompt: 1\n  completion: cheap\n", ":3: the price of 'small' is no amount"),
        ("small: {prompt: .nan, completion: 2}\n", ":1: the price of 'small' is no amount"),
        ("small: {prompt: [1], completion: 2}\n", ":1: the price of 'small' is no amount"),
        (
            "small: {prompt: 1, completion: 2}\nsmall: {prompt: 1, completion: 2}\n",
            ":2: the model 'small' stands twice",
        ),
        ("small: {prompt: 1\nx", ":2: not valid YAML"),
        (b"small: \xff", ":1: byte 0xff is not UTF-8"),
        ("small: \x00", ":1: holds a character that YAML has not"),
        ("[" * 3000, ":1: nested too deeply"),
        ("!!python/object/apply:os.getcwd []: {}", ":1: no model with a price"),
        ("# " + "x" * 2**20, ": larger than"),
    ],
)
def test_a_malformed_price_is_named_by_file_and_line(tmp_path: Path, models: str | bytes, told: str) -> None:
    folder = folder_of(tmp_path, query_with(), response_with(), models)
    with pytest.raises(ValueError, match="models") as caught:
        load(folder)
    assert str(caught.value).startswith(f"{folder / 'models.yml'}{told}")
    assert "\n" not in str(caught.value)


def test_prices_are_read_as_they_are_written(tmp_path: Path) -> None:
    made = load(folder_of(tmp_path, query_with(), response_with(), "small: {prompt: 1e-1, completion: '0.5'}\n"))
    assert made.prices == {"small": Price(0.1, 0.5)}


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    for folder, told in ((tmp_path / "no", "no such folder"), (tmp_path, "queries.jsonl: no such file")):
        with pytest.raises(ValueError, match=told):
            load(folder)
    folder = folder_of(tmp_path, query_with(), response_with())
    (folder / "models.yaml").touch()
    with pytest.raises(ValueError, match=r"models.yaml: would not be read \(call it models.yml\)"):
        load(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, query_with(), response_with())
    (folder / "responses.jsonl").chmod(0)
    with pytest.raises(ValueError, match=r"responses.jsonl: cannot be read: Permission denied"):
        load(folder)


def test_nothing_is_written_over_and_nothing_half_written(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").touch()
    with pytest.raises(ValueError, match="not empty"):
        save(recording, tmp_path / "used")
    broken = replace(recording, responses=(*recording.responses, recording.responses[0]))
    with pytest.raises(ValueError, match="is there already"):
        save(broken, tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="cannot be written"):
        save(recording, tmp_path / "file" / "below")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "used"]


def test_an_empty_folder_is_filled(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    save(recording, tmp_path / "made")
    assert load(tmp_path / "made") == recording


def test_the_examples_of_the_page_are_right(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "site_src" / "pages" / "recorded-form.md.j2").read_text("utf-8")
    query, response, call = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (models,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    made = load(folder_of(tmp_path, query, response + response.replace("small", "large"), models))
    assert [(r.model, r.score) for r in made.responses] == [("small", 1.0), ("large", 1.0)]
    assert made.costs[0, 0] == pytest.approx((12 * 0.1 + 9 * 0.4) / 1e6)
    for key in (*QUERY_KEYS, *RESPONSE_KEYS, *CALL_KEYS, *REPLY_KEYS):
        assert f"`{key}`" in page
    (tmp_path / "mine" / "replies.jsonl").write_text(call)
    assert load(tmp_path / "mine").calls[0].replies[0].text == " yes"
    (tmp_path / "mine" / "replies.jsonl").unlink()
    for file, told in re.findall(r"my-outcomes/(\w+).jsonl:\d+: (.*)", page):
        broken = {"score": 1.5} if "'score'" in told else {"lattency": 1}
        queries = query + (query_with(id="sum/9") if file == "queries" else "")
        spoilt = response if file == "queries" else lines({**json.loads(response), **broken})
        with pytest.raises(ValueError, match=re.escape(told)):
            load(folder_of(tmp_path, queries, spoilt, ""))


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAME = st.text("abcdefgh-./é", min_size=1, max_size=4).filter(lambda name: name == name.strip())


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Any recording that the form can hold."""
    names = draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    models = draw(st.lists(NAME, min_size=1, max_size=3, unique=True))
    queries = tuple(
        RecordedQuery(
            name, "?" + draw(TEXT), draw(st.none() | TEXT), draw(NAME),
            draw(st.sampled_from(["train", "validation", "test"])),
        )
        for name in names
    )  # fmt: skip
    count = st.none() | st.integers(0, 10**9)
    amount = st.none() | st.floats(0, 1e6)
    responses = [
        RecordedResponse(
            name, model, sample, draw(st.none() | TEXT), draw(st.none() | TEXT), draw(st.floats(0, 1)),
            draw(amount), draw(count), draw(count), draw(amount),
        )
        for name in names
        for model in models
        for sample in range(draw(st.integers(1, 2)))
    ]  # fmt: skip
    prices = {
        model: Price(draw(st.floats(0, 1e6)), draw(st.floats(0, 1e6)))
        for model in draw(st.lists(st.sampled_from(models), unique=True))
    }
    return Recording("any", queries, tuple(responses), prices)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=recordings())
def test_any_recording_survives_being_written(made: Recording, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any") / "any"
    save(made, folder)
    assert load(folder) == made


def mutations() -> st.SearchStrategy[Callable[[bytes], bytes]]:
    """Ways to spoil a file: cut it, put bytes into it, repeat a part."""

    def spoil(kind: str, at: float, piece: bytes) -> Callable[[bytes], bytes]:
        def done(content: bytes) -> bytes:
            place = int(at * len(content))
            if kind == "cut":
                return content[:place]
            if kind == "put":
                return content[:place] + piece + content[place:]
            if kind == "over":
                return content[:place] + piece + content[place + len(piece) :]
            return content[:place] + content[place // 2 :]

        return done

    pieces = st.binary(max_size=6) | st.sampled_from(
        [
            b"\xef\xbb\xbf",
            b"NaN",
            b"-1",
            b"1e999",
            b'"\\ud800"',
            b"{",
            b"[[[[",
            b"null",
            b"\n\n",
            b"\x00",
            b"9" * 5000,
            b"&a *a",
        ]
    )
    return st.builds(spoil, st.sampled_from(["cut", "put", "over", "repeat"]), st.floats(0, 1), pieces)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from(["queries.jsonl", "responses.jsonl", "models.yml"]), ways=st.lists(mutations(), max_size=3)
)
def test_no_spoilt_file_breaks_the_reader(
    file: str, ways: list[Callable[[bytes], bytes]], recording: Recording, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever a file holds: a recording, or one line that names the file."""
    folder = tmp_path_factory.mktemp("spoilt") / "spoilt"
    save(recording, folder)
    content = (folder / file).read_bytes()
    for way in ways:
        content = way(content)
    (folder / file).write_bytes(content)
    try:
        load(folder)
    except ValueError as error:
        message = str(error)
        assert message.startswith(f"{folder}{os.sep}")
        assert "\n" not in message
        assert len(message) < 400 + len(str(folder))
