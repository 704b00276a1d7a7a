"""The names of the package, used as in a notebook: by somebody who has read nothing but their documentation."""

from __future__ import annotations

import doctest
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import reference_impls as atlas
from reference_impls import api
from reference_impls.core import Method, registry
from reference_impls.core import method as register
from reference_impls.running import runner
from tests.reference_impls.backends.server import choice, said, serving
from tests.reference_impls.fakes import constant


def write_recording(folder: Path) -> Path:
    """20 sums that `right` solves and `wrong` does not; every other one is for training."""
    folder.mkdir()
    queries, responses = [], []
    for i in range(20):
        split = ("train", "test")[i % 2]
        queries.append(
            {"id": f"q{i}", "prompt": f"{i} + 1?", "reference": str(i + 1), "task": "sums", "split": split}
        )
        for model, answer in (("right", i + 1), ("wrong", i)):
            responses.append({"query_id": f"q{i}", "model": model, "answer": str(answer), "cost": 0.5})
    for name, rows in (("queries", queries), ("responses", responses)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_a_method_on_the_built_in_models() -> None:
    models = atlas.pool("sprout", "oak")
    vote = atlas.method("majority-vote", samples=3)
    result = atlas.run(vote, "math", models, limit=4)
    assert (result.benchmark, result.models, result.queries) == ("math", ("sprout", "oak"), 4)
    assert result.usage.calls == 6
    assert result.score.mean == pytest.approx(np.mean([outcome.score for outcome in result.outcomes]))
    assert result.score.low <= result.score.mean <= result.score.high
    assert result.comparison.best == "oak"
    shown = repr(result)
    assert "method('majority-vote', samples=3, temperature=0.0) on math, 4 queries, 2 models" in shown
    assert "best single model" in shown
    assert "chosen on the train split" in shown
    # the command line runs the same
    same = runner.run("majority-vote", "math", pool="sprout,oak", settings={"samples": "3"}, limit=4)
    assert same["score"] == {
        "mean": result.score.mean, "low": result.score.low, "high": result.score.high
    }  # fmt: skip


def test_a_method_on_recorded_answers(tmp_path: Path) -> None:
    recording = atlas.load_recording(write_recording(tmp_path / "sums"))
    result = atlas.run("knn-router", recording)
    assert result.benchmark == "recorded:sums"
    assert result.queries == 10
    assert result.score.mean == 1.0
    assert result.usage.cost == 0.5
    assert result.usage.prompt_tokens is None, "it was not recorded"
    assert result.comparison.best == "right"
    assert result.comparison.verdict == "within the noise"
    assert "0.5 US dollars" in repr(result)
    alone = atlas.run(atlas.method("single", model="wrong"), recording.only(["wrong"]))
    assert alone.score.mean == 0.0


def test_ones_own_models_answer_one_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_BUILD", str(tmp_path / "store"))
    with serving(lambda _body: (200, said(choice("The answer is 7."), prompt=10, completion=5))) as server:
        served = [atlas.OpenAIModel(name, server.url, atlas.Price(1.0, 2.0)) for name in ("a", "b")]
        vote = atlas.Ensemble("majority-vote", atlas.pool(*served))
        said_before = len(server.seen)
        answer = vote.answer("What is 3 + 4?", kind="number")
        assert len(server.seen) > said_before
        assert (answer.text, answer.answer, answer.tie, answer.failed) == ("The answer is 7.", "7", "", {})
        assert set(answer.usage.models) == {"a", "b"}
        assert answer.usage.cost == pytest.approx(answer.usage.calls * (10 * 1 + 5 * 2) / 1e6)
        asked = len(server.seen)
        atlas.Ensemble("majority-vote", atlas.pool(*served)).answer("What is 3 + 4?", kind="number")
        assert len(server.seen) == asked, "what was paid for once is kept"


def test_an_ensemble_says_what_did_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_BUILD", str(tmp_path / "store"))
    with serving(lambda _body: (400, {"error": {"message": "no such model"}})) as server:
        models = atlas.pool(atlas.OpenAIModel("gone", server.url, None), constant("c", "yes"))
        answer = atlas.Ensemble("majority-vote", models).answer("Is it?", kind="yes-no")
    assert answer.answer == "yes"
    assert sum(answer.failed.values()) == 1
    assert "gone" in next(iter(answer.failed))
    assert "unknown" not in answer.failed


def test_an_ensemble_learns_from_a_recording(tmp_path: Path) -> None:
    recording = atlas.load_recording(write_recording(tmp_path / "sums"))
    models = atlas.pool(constant("wrong", "0"), constant("right", "1", price=5.0))
    router = atlas.Ensemble("knn-router", models, train=recording)
    assert router.answer("7 + 1?", kind="number").usage.models == ["right"]
    assert repr(router).startswith("Ensemble(method('knn-router'")


class First(Method):
    """Always the first model of the pool."""

    def answer(self, query: atlas.Query) -> str:
        return self.ask(self.pool[0], query)[0].text


def test_a_method_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_methods", dict(registry._methods))  # no other test is to know it
    register(name="the-first", category="baseline")(First)
    recording = atlas.load_recording(write_recording(tmp_path / "sums"))
    assert atlas.run(First, recording.only(["right"])).score.mean == 1.0

    class Unknown(First):
        """Nobody has registered it."""

    with pytest.raises(ValueError, match="Unknown is no registered method"):
        atlas.method(Unknown)


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    recording = atlas.load_recording(write_recording(tmp_path / "sums"))
    one = atlas.pool(constant("other", "1"))
    wrong: dict[str, Callable[[], object]] = {
        "did you mean 'majority-vote'": lambda: atlas.run("majorty-vote", "math"),
        "did you mean 'math'": lambda: atlas.run("majority-vote", "maths"),
        "did you mean 'samples'": lambda: atlas.method("majority-vote", sample=3),
        "is no int": lambda: atlas.method("majority-vote", samples="many"),
        "did you mean 'sprout'": lambda: atlas.pool("sprot"),
        "two models of a pool have the same name": lambda: atlas.pool("oak", "oak"),
        "no recording and no folder": lambda: atlas.load_recording(tmp_path / "none"),
        "brings its own models": lambda: atlas.run("majority-vote", recording, one),
        "learns from scored answers": lambda: atlas.Ensemble("knn-router", one),
        "has no model 'other'": lambda: atlas.Ensemble("knn-router", one, train=recording),
        "no kind of answer 'nmber'": lambda: atlas.Ensemble("majority-vote", one).answer("1?", kind="nmber"),
    }
    for says, act in wrong.items():
        with pytest.raises(ValueError, match=says) as caught:
            act()
        assert "\n" not in str(caught.value)


def test_every_name_is_there_and_documented() -> None:
    assert sorted(atlas.__all__) == list(atlas.__all__)
    assert set(atlas.__all__) <= set(dir(atlas))
    for name in atlas.__all__:
        assert inspect.getdoc(getattr(atlas, name)), name
    with pytest.raises(AttributeError, match="has no attribute 'pol'"):
        atlas.__getattr__("pol")
    assert set(atlas.methods()) >= {"majority-vote", "knn-router", "gac"}


@pytest.mark.parametrize("module", [atlas, api], ids=lambda module: str(module.__name__))
def test_the_examples_are_right(module: object) -> None:
    outcome = doctest.testmod(module)  # type: ignore[arg-type]
    assert outcome.attempted
    assert not outcome.failed


def test_a_module_alone_does_not_load_the_others() -> None:
    program = (
        "import sys, reference_impls.safe.writing, reference_impls.cli; "
        "sys.exit('numpy' in sys.modules or 'reference_impls.api' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
