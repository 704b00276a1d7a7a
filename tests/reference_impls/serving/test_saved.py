"""What a method has learned, on the disk and back: the same choices bit for bit, no harm from strangers' files."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import signal
import zipfile
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from reference_impls.advising import labelled, simulation
from reference_impls.advising.trial import fitting
from reference_impls.backends.usage import read
from reference_impls.cli import tool
from reference_impls.core.query import Query
from reference_impls.core.stages import Router
from reference_impls.recorded.benchmark import NEVER
from reference_impls.recording.asking import Reply
from reference_impls.running import catalog
from reference_impls.serving import frozen, saved
from reference_impls.serving.combined import Combined
from reference_impls.serving.policy import Routed
from reference_impls.serving.settings import Settings
from tests.reference_impls.backends.server import Answer, choice, said, serving
from tests.reference_impls.serving.endpoint import Process, ask, client, config, endpoint, speaks

PRICES = {"model-0": 4, "model-1": 2, "model-2": 1}
#: All that a recording may hold the needs of, so all that `atlas recommend` can name.
METHODS = sorted(name for name, info in catalog.methods().items() if not set(NEVER) & set(info.needs))


@pytest.fixture(scope="module")
def data() -> labelled.Labelled:
    """Three models, each the best of a task of its own; each answer four times."""
    recording = replace(simulation.ROUTER, prices=(0.004, 0.002, 0.001)).recording(100, 0)
    rng, more = np.random.default_rng(1), list(recording.responses)
    references = {query.id: query.reference or "" for query in recording.queries}
    for sample in (1, 2, 3):
        for response in recording.responses:
            answer = references[response.query_id] if rng.random() < 0.6 else "ABCD"[int(rng.integers(4))]
            right = float(answer == references[response.query_id])
            more.append(replace(response, sample=sample, answer=answer, text=f"It is {answer}.", score=right))
    return labelled.labelled(replace(recording, responses=tuple(more)))


def queries(data: labelled.Labelled) -> list[Query]:
    return [Query(q.id, q.task, q.prompt, "choice") for q in data.recording.queries]


def choices(one: saved.Saved, data: labelled.Labelled) -> list[Any]:
    """What it makes of the prompts: of a router the whole decision, of others text and calls."""
    assert one.method is not None
    assert one.info is not None
    if isinstance(one.method, Router):
        policy = Routed(one.method, one.merits, 0.0, np.random.default_rng(0), one.name)
        return [policy.choose(query) for query in queries(data)]
    info, method = one.info, one.method

    async def send(model: str, _messages: Any, parameters: Mapping[str, Any]) -> Reply:
        drawn = zlib.crc32(repr((model, about.prompt, sorted(parameters.items()))).encode())
        usage = {"prompt_tokens": 20, "completion_tokens": 5}
        return Reply("", {"choices": [{}]}, f"It is {'ABCD'[drawn % 4]}.", bill=read(usage), seconds=0.1)

    made = []
    with ThreadPoolExecutor(1) as threads, ThreadPoolExecutor(1) as loop:
        for about in queries(data)[:12]:
            work = Combined(info, method, threads).answer(about, send)
            found = loop.submit(asyncio.run, work).result()
            made.append((found.text, found.usage.calls, found.usage.models))
    return made


@pytest.mark.parametrize("name", METHODS)
def test_what_is_loaded_chooses_as_what_was_saved(name: str, data: labelled.Labelled, tmp_path: Path) -> None:
    assert fitting(data, [name])[0] == [name], "it can be fitted here"
    one = saved.learn(name, data.recording, data.models)
    saved.save(one, tmp_path / "r.yml")
    two = saved.load(tmp_path / "r.yml")
    assert one.method is not None
    assert two.method is not None
    assert one.info is not None
    (tree, arrays), (again, same) = frozen.freeze(one.method, one.info), frozen.freeze(two.method, one.info)
    assert json.dumps(tree) == json.dumps(again)
    assert [(a.dtype, a.shape, a.tobytes()) for a in arrays] == [(a.dtype, a.shape, a.tobytes()) for a in same]
    assert one.method.choice.accuracies() == two.method.choice.accuracies()
    assert choices(one, data) == choices(two, data)
    assert one.merits.tobytes() == two.merits.tobytes()
    rest = [field.name for field in fields(one) if field.name not in ("method", "merits")]
    assert [getattr(one, name) for name in rest] == [getattr(two, name) for name in rest]


def test_the_choices_are_not_all_alike(data: labelled.Labelled) -> None:
    """Or the test above would tell little."""
    decided = choices(saved.learn("ridge-router", data.recording, data.models), data)
    assert {decision.order[0] for decision in decided} == set(PRICES)


def test_what_is_no_number_is_refused_by_its_name(data: labelled.Labelled, tmp_path: Path) -> None:
    one = saved.learn("ridge-router", data.recording, data.models)
    assert one.method is not None
    one.method.rewards_.rule = lambda x: x  # type: ignore[attr-defined]
    with pytest.raises(
        frozen.CannotSaveError, match=r"ridge-router cannot be saved: its rewards_\.rule is a function"
    ):
        saved.save(one, tmp_path / "r.yml")
    assert not list(tmp_path.iterdir())
    one.method.rewards_.rule = one.method.rewards_  # type: ignore[attr-defined]
    with pytest.raises(frozen.CannotSaveError, match="leads to itself"):
        saved.save(one, tmp_path / "r.yml")


@pytest.fixture(scope="module")
def router(data: labelled.Labelled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("saved") / saved.NAME
    saved.save(saved.learn("ridge-router", data.recording, data.models), file)
    return file


def test_a_served_router_chooses_as_the_saved_one(router: Path, data: labelled.Labelled, tmp_path: Path) -> None:
    """The command as a user has it, whatever order and prices the configuration has now."""
    wanted = {q.prompt: d.order[0] for q, d in zip(queries(data), choices(saved.load(router), data), strict=True)}
    with serving(speaks) as upstream:
        file = config(tmp_path, upstream.url, {n: {"prompt": i, "completion": i} for i, n in enumerate(PRICES)})
        process = Process(router, "--config", file)
        try:
            asker = client(process.url)
            served = {prompt: ask(asker, prompt)[0].model for prompt in list(wanted)[:40]}
        finally:
            process.end(signal.SIGTERM)
    assert served == {prompt: wanted[prompt] for prompt in served}
    assert len(set(served.values())) == 3


def test_a_served_vote_and_a_served_model(data: labelled.Labelled, tmp_path: Path) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        return 200, said(choice("It is C." if body["model"] == "model-1" else "It is B."), prompt=10, completion=5)

    saved.save(saved.learn("majority-vote", data.recording, data.models), tmp_path / "vote.yml")
    saved.save(saved.learn("model-1", data.recording, data.models, alone=True), tmp_path / "one.yml")
    one = saved.load(tmp_path / "one.yml")
    assert (one.name, one.method) == ("model-1", None)
    with serving(behave) as upstream:
        file = config(tmp_path, upstream.url, {name: {"prompt": 1, "completion": 1} for name in PRICES})
        for name, text, calls in (("vote", "It is B.", 3), ("one", "It is C.", 1)):
            settings = Settings(file, tmp_path / f"{name}.yml", state=tmp_path / f"{name}.sqlite")
            with endpoint(settings) as url:
                made, _ = ask(client(url), queries(data)[0].prompt)  # the kind of answers is the recording's
            assert (made.choices[0].message.content, made.atlas["calls"]) == (text, calls)


def test_stand_ins_of_one_model_come_by_merit(data: labelled.Labelled, tmp_path: Path) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        return (400, {"error": {"message": "no"}}) if body["model"] == "model-1" else speaks(body)

    one = saved.learn("model-1", data.recording, data.models, alone=True)
    second = max((m for m in range(3) if one.models[m] != "model-1"), key=lambda m: one.merits[m])
    saved.save(one, tmp_path / "one.yml")
    with serving(behave) as upstream:
        file = config(tmp_path, upstream.url, {name: {"prompt": 1, "completion": 1} for name in PRICES})
        settings = Settings(file, tmp_path / "one.yml", state=tmp_path / "s.sqlite")
        with endpoint(settings) as url:
            assert ask(client(url))[0].model == one.models[second]


Mend = Callable[[dict[str, Any], dict[str, Any], dict[str, np.ndarray[Any, Any]]], None]


def _of_class(name: str) -> Mend:
    return lambda _yml, tree, _arrays: tree["method"]["holds"]["rewards_"].update(of=name)


def _attribute(name: str, value: Any) -> Mend:
    return lambda _yml, tree, _arrays: tree["method"]["holds"].update({name: value})


def _overview(**more: Any) -> Mend:
    return lambda yml, _tree, _arrays: yml.update(more)


def _shape(_yml: dict[str, Any], _tree: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    for name in [name for name in arrays if name.startswith("a")]:
        arrays[name] = np.zeros((2, 2))


@pytest.mark.parametrize(
    ("mend", "told"),
    [
        (_of_class("os:system"), "holds a 'os:system', which ridge-router does not"),
        (_of_class("reference_impls.core.pool:Pool"), "which ridge-router does not"),
        (_of_class("reference_impls.running.runner:run"), "which ridge-router does not"),
        (_attribute("__class__", {"array": 0}), "sets '__class__', which is not learned"),
        (_attribute("route", 1), "sets 'route', which is not learned"),
        (_attribute("pool", 1), "sets 'pool', which is not learned"),
        (_attribute("lead_", {"array": 99}), "names an array that is not there"),
        (_attribute("lead_", {"tuple": 1}), "cannot be read"),
        (_attribute("lead_", {"eval": "1"}), "holds 'eval', which means nothing"),
        (_shape, "is not what ridge-router can choose with"),
        (lambda _yml, _tree, arrays: arrays.pop("merits"), "has no mean score of each model"),
        (lambda _yml, tree, _arrays: tree.pop("method"), "does not hold what ridge-router has learned"),
        (_overview(code="0" * 12), "was learned by another version of ridge-router"),
        (_overview(name="ridge-ruter"), "did you mean 'ridge-router'"),
        (_overview(name="majority-vote"), "was learned by another version"),
        (_overview(form=2), "form: Input should be 1"),
        (_overview(parameters={"penalty": "1"}), "parameters: not those of ridge-router"),
        (_overview(use="model"), "'ridge-router' is none of its models"),
        (_overview(more=1), "more: Extra inputs are not permitted"),
    ],
)
def test_a_strangers_file_is_one_line(mend: Mend, told: str, router: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(router.read_text("utf-8"))
    with np.load(router.with_suffix(".npz"), allow_pickle=False) as held:
        arrays = dict(held)
    tree = json.loads(arrays.pop("learned").tobytes())
    mend(values, tree, arrays)
    stream = io.BytesIO()
    np.savez(stream, learned=np.frombuffer(json.dumps(tree).encode(), np.uint8), **arrays)
    _refused(tmp_path, values, stream.getvalue(), told)


def _refused(folder: Path, values: Mapping[str, Any], data: bytes, told: str) -> None:
    file = folder / "r.yml"
    file.with_suffix(".npz").write_bytes(data)
    file.write_text(yaml.safe_dump({**values, "arrays": hashlib.sha256(data).hexdigest()}), encoding="utf-8")
    with pytest.raises(saved.SavedError) as refused:
        saved.load(file)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def _zipped(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, data)
    return stream.getvalue()


def _pickled() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, merits=np.array([print, 1], dtype=object))
    return stream.getvalue()


def _too_large() -> bytes:
    """A head that promises a petabyte."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (2**47,)})
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"no zip", _pickled(), _zipped("merits.npy", b"no array"), _zipped("merits.npy", _too_large())],
    ids=["empty", "no zip", "a pickle", "no array", "a petabyte"],
)
def test_arrays_of_a_stranger(content: bytes, router: Path, tmp_path: Path) -> None:
    _refused(tmp_path, yaml.safe_load(router.read_text("utf-8")), content, "holds something else than arrays")


def test_a_bomb_is_not_opened(router: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MAX_ARRAYS", 1 << 20)
    data = _zipped("merits.npy", bytes(2 << 20))
    _refused(tmp_path, yaml.safe_load(router.read_text("utf-8")), data, "would fill more than 1048576 bytes")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("!!python/object/apply:os.system [echo]", "no valid YAML"),
        ("[" * 5000, "no valid YAML"),
        ("- 1", "Input should be"),
        ("", "Input should be"),
    ],
)
def test_an_overview_of_a_stranger(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(text, encoding="utf-8")
    with pytest.raises(saved.SavedError, match=told) as refused:
        saved.load(tmp_path / "r.yml")
    assert "\n" not in str(refused.value)


def test_two_files_that_do_not_belong_together(router: Path, data: labelled.Labelled, tmp_path: Path) -> None:
    saved.save(saved.learn("knn-router", data.recording, data.models), tmp_path / saved.NAME)
    (tmp_path / saved.NAME).write_bytes(router.read_bytes())
    with pytest.raises(saved.SavedError, match=r"is not the file that recommended\.yml belongs to"):
        saved.load(tmp_path / saved.NAME)
    (tmp_path / "recommended.npz").unlink()
    with pytest.raises(saved.SavedError, match=r"cannot be read: .* \(it belongs beside recommended\.yml\)"):
        saved.load(tmp_path / saved.NAME)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["FILE", "--config", "CONFIG"], "has learned with 'model-2', which"),
        (["FILE", "--config", "CONFIG", "--method", "knn-router"], "says who answers"),
        (["nowhere.yml", "--config", "CONFIG"], "cannot be read"),
        (["FILE"], "write --config atlas.yml or --builtin"),
    ],
)
def test_wrong_use_is_one_line(
    words: list[str], told: str, router: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    file = config(other, "http://127.0.0.1:9/v1", {"model-0": "auto", "model-1": "auto"})
    result = CliRunner().invoke(
        tool(), ["serve", "--port", "0", *({"FILE": str(router), "CONFIG": str(file)}.get(w, w) for w in words)]
    )
    assert result.exit_code == 2, result.output
    assert told in result.output
    assert "Traceback" not in result.output
