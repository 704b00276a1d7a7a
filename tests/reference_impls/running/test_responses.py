"""The store of responses: what identifies an answer, what it costs later, and what becomes of a damaged store."""

import dataclasses
import gc
import json
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.backends.builtin import load
from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Generation, Meter, Price
from reference_impls.running import catalog, responses
from reference_impls.running.responses import Store, StoredModel, pool_hash, stored
from tests.reference_impls.fakes import ScriptedModel

ROOT = Path(__file__).parents[3]
PROMPT = "Q: 47 + 85 = ?\nA:"


class Counted(ScriptedModel):
    """A model that counts how often it is asked, and says who it is."""

    digest = "counted"

    def __init__(self, name: str = "m", price: float = 1.0, text: str = "a b") -> None:
        super().__init__(name, lambda _p, _s: (text, -1.0), price)
        self.asked = 0

    def generate(self, prompt: str, **more: Any) -> list[Generation]:
        self.asked += 1
        return super().generate(prompt, **more)


def database(folder: Path) -> Path:
    (path,) = folder.glob("*.sqlite")
    return path


def rows(path: Path) -> list[tuple[bytes, str]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT key, value FROM entries").fetchall()
    finally:
        connection.close()


def edit(path: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_a_stored_response_is_all_that_was_given(tmp_path: Path) -> None:
    given = Generation(
        "m", "4\u2028😀", ("4",), (-0.5,), 9, 1, 2.5, finished=False, answer="4", cost=0.25,
        reasoning_tokens=7, cached_tokens=3, status="cut", request=2,
    )  # fmt: skip
    model = Counted()
    model.generate = lambda *_a, **_k: [given]  # type: ignore[method-assign]
    assert StoredModel(model, tmp_path).generate("q") == [given]
    again = Counted()
    assert StoredModel(again, tmp_path).generate("q") == [given]
    assert again.asked == 0


def test_a_changed_price_or_name_bills_stored_answers_anew(tmp_path: Path) -> None:
    first = Counted("old name", 1.0)
    StoredModel(first, tmp_path).generate("q", n=2, temperature=1.0, seed=4)
    dearer = Counted("new name", 100.0)
    dearer.served = first.served = "m"  # type: ignore[attr-defined]
    StoredModel(first, tmp_path).generate("q", n=2, temperature=1.0, seed=4)
    meter = Meter([StoredModel(dearer, tmp_path)])
    meter.begin()
    responses_ = meter.pool[0].generate("q", n=2, temperature=1, seed=4)
    assert dearer.asked == 0, "paid once"
    assert {r.model for r in responses_} == {"new name"}
    assert meter.end().cost == pytest.approx((10 + 4) * 100e-6)
    assert pool_hash([StoredModel(first, tmp_path)]) != pool_hash([StoredModel(dearer, tmp_path)])


def test_what_the_backend_says_was_paid_is_kept(tmp_path: Path) -> None:
    class Paid(Counted):
        def generate(self, prompt: str, **more: Any) -> list[Generation]:
            return [dataclasses.replace(g, cost=0.125) for g in super().generate(prompt, **more)]

    StoredModel(Paid(), tmp_path).generate("q")
    meter = Meter([StoredModel(Paid(price=50.0), tmp_path)])
    meter.begin()
    meter.pool[0].generate("q")
    assert meter.end().cost == 0.125


@pytest.mark.parametrize(
    "changed",
    [{"n": 2}, {"temperature": 0.5}, {"max_tokens": 5}, {"stop": ("x",)}, {"seed": 1}, {"prompt": "other"}],
)
def test_another_request_is_another_answer(tmp_path: Path, changed: dict[str, Any]) -> None:
    model = Counted()
    store = StoredModel(model, tmp_path)
    store.generate("q")
    store.generate(changed.pop("prompt", "q"), **changed)
    assert model.asked == 2
    store.generate("q")
    assert model.asked == 2


def test_a_model_that_does_not_say_who_it_is_is_asked_every_time(tmp_path: Path) -> None:
    class Anonymous(Counted):
        digest = ""

    model = Anonymous()
    store = StoredModel(model, tmp_path)
    store.generate("q")
    store.generate("q")
    assert model.asked == 2
    assert not list(tmp_path.iterdir())


def test_another_model_another_form_and_other_code_have_another_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {Store("m", [who], tmp_path).path for who in ("one", "two", "three")}
    assert len(places) == 3
    monkeypatch.setattr(responses, "FORM", responses.FORM + 1)
    assert Store("m", ["one"], tmp_path).path not in places
    assert StoredModel(load("sprout"), tmp_path)._store is not None
    before = StoredModel(load("sprout"), tmp_path)._store.path  # type: ignore[union-attr]
    monkeypatch.setattr(responses, "code_hash", lambda _patterns: "other code")
    assert StoredModel(load("sprout"), tmp_path)._store.path != before  # type: ignore[union-attr]


def test_code_that_decides_answers_is_part_of_a_stores_name() -> None:
    for patterns in (responses.DECODING, responses.SCORING):
        for pattern in patterns:
            assert list(responses._PACKAGE.glob(pattern)), f"{pattern} names no file"
    assert responses.code_hash(responses.DECODING) != responses.code_hash(responses.SCORING)


def test_paid_answers_outlive_what_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("needs make")
    monkeypatch.setenv("ATLAS_BUILD", str(tmp_path / "build"))
    paid = Counted()
    paid.served = "m"  # type: ignore[attr-defined]
    StoredModel(paid).generate("q")
    StoredModel(Counted()).generate("q")
    (tmp_path / "build" / "site").mkdir()
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / "taxonomy" / "taxonomy.yml").touch()
    for _ in range(2):
        subprocess.run([make, "-f", str(ROOT / "Makefile"), "clean"], cwd=tmp_path, check=True, capture_output=True)
        assert [path.name for path in (tmp_path / "build").iterdir()] == ["paid"]
    monkeypatch.setattr(responses, "code_hash", lambda _patterns: "other code")
    StoredModel(paid).generate("q")
    assert paid.asked == 1
    shutil.rmtree(tmp_path / "build" / "paid")
    for _ in range(2):
        subprocess.run([make, "-f", str(ROOT / "Makefile"), "clean"], cwd=tmp_path, check=True, capture_output=True)
        assert not (tmp_path / "build").exists()


def test_a_store_of_another_form_is_left_alone(tmp_path: Path) -> None:
    """What lies there from before, even a table of the same name without checksums, is neither read nor changed."""
    old = tmp_path / f"m-{Counted.digest}.sqlite"
    edit(old, "CREATE TABLE entries (key BLOB PRIMARY KEY, value TEXT) WITHOUT ROWID")
    edit(old, "INSERT INTO entries VALUES (x'00', '[]')")
    before = old.read_bytes()
    model = Counted()
    StoredModel(model, tmp_path).generate("q")
    assert model.asked == 1
    assert old.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET value = replace(value, 'a b', 'c d')",
        "UPDATE entries SET value = '[]'",
        "UPDATE entries SET value = NULL",
        "UPDATE entries SET value = 7",
        "UPDATE entries SET value = x'ff00fe'",
        "UPDATE entries SET checksum = x'00'",
        "UPDATE entries SET checksum = NULL",
    ],
)
def test_an_edited_row_is_asked_for_again_with_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, statement: str
) -> None:
    model = Counted()
    (first,) = StoredModel(model, tmp_path).generate("q")
    edit(database(tmp_path), statement)
    store = StoredModel(model, tmp_path)
    assert store.generate("q") == [first] == store.generate("q")
    assert model.asked == 2, "asked once more, and kept again"
    (line,) = [record.getMessage() for record in caplog.records]
    assert "changed or damaged" in line
    assert "\n" not in line


def test_a_row_under_another_key_is_no_answer(tmp_path: Path) -> None:
    """A value that was copied to another question does not pass for its answer."""
    model = Counted()
    store = StoredModel(model, tmp_path)
    store.generate("q")
    store.generate("other")
    path = database(tmp_path)
    (first, _), (second, _) = rows(path)
    edit(
        path,
        "UPDATE entries SET value = (SELECT value FROM entries WHERE key = ?1),"
        " checksum = (SELECT checksum FROM entries WHERE key = ?1) WHERE key = ?2",
        first, second,
    )  # fmt: skip
    store.generate("q")
    store.generate("other")
    assert model.asked == 3


def damage(path: Path, how: str) -> None:
    if how == "no database":
        path.write_bytes(b"nothing of SQLite's " * 500)
    elif how == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "zeros":
        path.write_bytes(path.read_bytes()[:100] + bytes(path.stat().st_size - 100))
    else:
        edit(path, "ALTER TABLE entries RENAME TO other")
        edit(path, "CREATE TABLE entries (something)")


@pytest.mark.parametrize("how", ["no database", "half", "zeros", "other table"])
def test_a_store_that_cannot_be_read_is_set_aside_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    model = Counted(text="word " * 2000)
    store = StoredModel(model, tmp_path)
    for number in range(20):
        store.generate(str(number))
    assert store._store is not None
    store._store.close()
    path = database(tmp_path)
    damage(path, how)
    broken = path.read_bytes()
    for times in (1, 2):
        again = StoredModel(model, tmp_path)
        for number in range(20):
            assert again.generate(str(number))[0].text == "word " * 2000
        assert model.asked == 40, f"asked again once ({times})"
    aside = path.with_name(f"{path.name}.unreadable")
    assert aside.read_bytes() == broken, "kept as it was"
    assert len(rows(path)) == 20
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"atlas: {path}: ")
    assert aside.name in line
    assert "\n" not in line
    del again
    path.write_bytes(b"broken once more" * 100)
    StoredModel(model, tmp_path).generate("q")
    assert aside.read_bytes() == broken, "what was set aside first is still there"
    assert path.with_name(f"{path.name}.unreadable-2").exists()


def test_a_folders_name_moves_no_terminal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "red\x1b[31m\nline"
    model = Counted()
    StoredModel(model, folder).generate("q")
    edit(database(folder), "UPDATE entries SET value = 7")
    StoredModel(model, folder).generate("q")
    database(folder).write_bytes(b"nothing of SQLite's" * 100)
    StoredModel(model, folder).generate("q")
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert all(line.isprintable() for line in told)


def test_a_store_that_breaks_while_it_is_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = Counted()
    store = StoredModel(model, tmp_path)
    store.generate("q")
    edit(database(tmp_path), "DROP TABLE entries")
    store.generate("q")
    store.generate("q")
    assert model.asked == 2
    assert [r for r in caplog.records if "cannot be read" in r.getMessage()]


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(0, 2**15), st.integers(1, 255), min_size=1, max_size=100))
def test_no_flipped_byte_changes_an_answer(flips: dict[int, int]) -> None:
    """Whatever bytes of the file are changed, every answer is the model's own, or it is asked for again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store("m", ["x"], folder)
        values = {Store.key(i): {"text": f"answer {i} " * 40} for i in range(12)}
        store.put(values)
        store.close()
        path = database(folder)
        content = bytearray(path.read_bytes())
        for place, flip in flips.items():
            content[place % len(content)] ^= flip
        path.write_bytes(content)
        store = Store("m", ["x"], folder)
        assert all(store.get(key) in (None, value) for key, value in values.items())
        store.put(values)
        assert [store.get(key) for key in values] == list(values.values())
        store.close()


def test_connections_are_closed(tmp_path: Path) -> None:
    """As Python 3.13 wants it: nobody is left to warn of a connection that nobody closed."""
    program = (
        "import sys; from pathlib import Path; from reference_impls.running.responses import Store\n"
        "store = Store('m', ['x'], Path(sys.argv[1])); store.put({b'k': 1}); assert store.get(b'k') == 1\n"
        "other = Store('m', ['y'], Path(sys.argv[1])); other.put({b'k': 1}); del other\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, str(tmp_path)],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob("*-wal")), "SQLite clears up when the last connection is closed"
    store = Store("m", ["z"], tmp_path)
    store.put({b"k": 2})
    connection = store._database
    del store
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")  # type: ignore[union-attr]


def _put(folder: Path, who: int) -> None:
    store = Store("m", ["x"], folder)
    for number in range(50):
        store.put({Store.key(who, number): [who, number]})


def test_several_processes_share_a_store(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_put, args=(tmp_path, who)) for who in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    store = Store("m", ["x"], tmp_path)
    assert [store.get(Store.key(who, n)) for who in range(2) for n in range(50)] == [
        [who, n] for who in range(2) for n in range(50)
    ]


def test_built_in_models_find_what_they_recorded(tmp_path: Path) -> None:
    (model,) = stored(catalog.pool("sprout"), tmp_path)
    model.record([PROMPT], 20)
    (kept,) = [json.loads(value) for _, value in rows(database(tmp_path))]
    assert model.generate(PROMPT, max_tokens=20)[0].text == kept[0]["text"]
    assert len(rows(database(tmp_path))) == 1


def test_scores_of_programs_are_not_those_of_another_scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = responses.Scorer(BENCHMARKS["code"], tmp_path)._store.path
    monkeypatch.setattr(responses, "code_hash", lambda _patterns: "another scorer")
    assert responses.Scorer(BENCHMARKS["code"], tmp_path)._store.path != before


def test_costs_of_a_training_set_are_those_of_today(tmp_path: Path) -> None:
    models = stored(catalog.pool("sprout"), tmp_path)
    first = responses.training_set(BENCHMARKS["math"], models, limit=3, folder=tmp_path)
    (model,) = models
    model.price = Price(model.price.prompt * 3, model.price.completion * 3)
    assert responses.training_set(BENCHMARKS["math"], models, limit=3, folder=tmp_path).costs == pytest.approx(
        3 * first.costs
    )
