"""Traces: what one says is what the method did, and listening changes nothing."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impls.core import Meter, Query
from reference_impls.core.model import Floats
from reference_impls.core.stages import Method
from reference_impls.during_inference.gac import GaC
from reference_impls.during_inference.gac import Parameters as GacParameters
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running import catalog, responses, runner
from reference_impls.running.listening import Listener
from reference_impls.running.setups import Setup, setup
from reference_impls.running.trace import Picked, trace
from reference_impls.running.wording import Limits, Words
from tests.reference_impls.fakes import TableModel
from tests.reference_impls.recorded.test_benchmark import RIGHT, WRONG, once, recording

QUERY = "qa/test/0002"
Trace = dict[str, Any]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(responses, "BUILD", tmp_path / "store")


def traced(method: str, place: Setup, query: str, **settings: str) -> Trace:
    """One trace, which is what a run without a listener gives, paid for to the cent, and plain JSON."""
    [made] = trace(method, place, [query], settings=settings)
    info = catalog.method(method)
    [plain], _ = runner.answer_all(
        info, info.parameters(settings), Picked(place, [query]), np.random.default_rng([0, 1])
    )
    assert made["final"]["text"] == plain.text
    assert (made["final"]["score"], made["final"]["cost"]) == (plain.score, plain.usage.cost)
    assert sum(bill["cost"] for bill in made["spent"].values()) == pytest.approx(plain.usage.cost, rel=1e-12)
    assert list(made["spent"]) == plain.usage.models
    assert sum(bill["completion_tokens"] for bill in made["spent"].values()) == plain.usage.completion_tokens
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert sys.getprofile() is None
    return made


def of(made: Trace, kind: str, name: str = "") -> list[Trace]:
    """The events of a kind; of one formula."""
    return [event for event in made["events"] if event["kind"] == kind and name in ("", event.get("name"))]


def test_a_router_calls_the_model_of_the_largest_utility() -> None:
    rows = [
        once(a=RIGHT, b=WRONG), once(a=WRONG, b=RIGHT),
        once(a=("1", 0.25), b=("2", 0.5)), once(a=("3", 0.75), b=("4", 1.0)),
    ]  # fmt: skip
    prompts = ["the red fox", "an old mill by the sea", "a fox, red", "by the sea: the mill"]
    place = RecordedBenchmark(recording(rows, 2, prompts=prompts))
    for query, chosen, score in (("q2", "a", 0.25), ("q3", "b", 1.0)):
        made = traced("knn-router", place, query, k="1")
        [told] = of(made, "utilities")
        assert max(told["models"], key=lambda entry: entry["value"])["model"] == chosen
        assert [event["model"] for event in of(made, "route")] == [chosen]
        assert [(call["model"], call["cost"]) for call in of(made, "call")] == [(chosen, 0.001)]
        assert made["final"]["score"] == score
        assert made["final"]["chosen"] == {"model": chosen, "sample": 0}
        assert {entry["model"]: entry["score"] for entry in made["alone"]}[chosen] == score
        assert made["trained_on"] == "train"


def test_a_cascade_tells_each_verdict_and_what_it_rests_on() -> None:
    """Two of three samples agree: accepted at 0.6. One of three: the last model is asked."""
    rows = [
        {"a": [RIGHT, RIGHT, WRONG], "z": [WRONG]},
        {"a": [("1", 0.0), ("2", 0.0), ("3", 0.0)], "z": [RIGHT]},
    ]  # fmt: skip
    place = RecordedBenchmark(recording(rows))
    settings = {"samples": "3", "threshold": "0.6"}
    made = [traced("answer-consistency-cascade", place, query, **settings) for query in ("q0", "q1")]
    verdicts = [[(event["model"], event["accepted"]) for event in of(one, "accept")] for one in made]
    assert verdicts == [[("a", True)], [("a", False)]]
    assert [[call["model"] for call in of(one, "call")] for one in made] == [["a"], ["a", "z"]]
    assert [one["final"]["answer"] for one in made] == ["7", "7"]


def test_a_vote_tells_every_answer_and_its_votes() -> None:
    made = traced("majority-vote", setup("qa", pool="specialists"), QUERY)
    calls, [choice] = of(made, "call"), of(made, "choice")
    assert [call["model"] for call in calls] == [option["model"] for option in choice["options"]]
    answers = [option["answer"] for option in choice["options"]]
    assert [option["merit"] for option in choice["options"]] == [answers.count(answer) for answer in answers]
    chosen = choice["options"][choice["chosen"]]
    assert chosen["merit"] == max(option["merit"] for option in choice["options"])
    assert made["final"]["text"] == calls[choice["chosen"]]["responses"][0]["text"]
    assert [entry["answer"] for entry in made["alone"]] == answers, "each model alone says what it says in the vote"
    response = calls[0]["responses"][0]
    assert len(response["logprobs"]) == len(response["tokens"]) + 1
    assert response["mean_logprob"] == pytest.approx(np.mean(response["logprobs"]), abs=1e-3)
    assert "".join(response["tokens"]) == response["text"]


@pytest.mark.parametrize("method", ["gac", "unite", "packllm", "logit-averaging"])
def test_the_largest_merged_candidate_is_the_token_that_is_written(method: str) -> None:
    settings = {"gap": "1"} if method in ("gac", "unite") else {}
    made = traced(method, setup("qa", pool="peer-pair"), QUERY, **settings)
    steps = of(made, "step")
    written = "".join(step["piece"] or "" for step in steps)
    assert written == made["final"]["text"]
    assert steps[-1]["piece"] is None
    for step in steps:
        assert step["merged"] is not None
        assert step["merged"][0][0] == (step["piece"] or "")
        values = [value for _, value in step["merged"]]
        assert values == sorted(values, reverse=True)
        asked = {entry["model"] for entry in step["models"]}
        # Of packllm's models one may have no weight.
        assert asked == set(made["spent"]) if method != "packllm" else asked
        assert all(len(entry["top"]) == 5 for entry in step["models"])


def test_distributions_before_and_after_fusion_are_those_of_the_models() -> None:
    """Two models of three words: .6 and .2 for the owl, .3 and .7 for the cat; fused .4 and .5."""
    words = (b"", b"owl", b"cat")
    first = TableModel("first", words, {"": {b"owl": 0.6, b"cat": 0.3, b"": 0.1}}, 2.0)
    second = TableModel("second", words, {"": {b"owl": 0.2, b"cat": 0.7, b"": 0.1}})
    method = GaC(Meter([first, second]).pool, GacParameters(gap=1))
    listener = Listener(Limits())
    listener.start(method)
    try:
        text = method.answer(Query("q", "t", "?", max_tokens=1))
    finally:
        listener.stop()
    events, omitted, spent, answers = listener.cut()
    [step] = [event for event in events if event["kind"] == "step"]
    assert text == step["piece"] == "cat"
    assert [entry["model"] for entry in step["models"]] == ["first", "second"]
    assert step["models"][0]["top"] == [["owl", 0.6], ["cat", 0.3], ["", 0.1]]
    assert step["models"][1]["top"] == [["cat", 0.7], ["owl", 0.2], ["", 0.1]]
    assert step["merged"] == [["cat", 0.5], ["owl", 0.4], ["", 0.1]]
    assert (omitted, list(spent), answers) == ({}, ["first", "second"], {})


def test_a_step_that_goes_another_way_has_no_merged_distribution() -> None:
    """What a step computes is told as its choice only where its largest entry is what the step has written."""

    class Contrary(GaC):
        def step(self, texts: Any) -> bytes | None:
            piece = super().step(texts)
            fused: Floats = np.array([0.7, 0.2, 0.1])
            return b"owl" if piece and fused.max() else None

    words = (b"", b"owl", b"cat")
    method = Contrary(Meter([TableModel("m", words, {"": {b"cat": 0.9}})]).pool, GacParameters(gap=1))
    listener = Listener(Limits())
    listener.start(method)
    try:
        method.answer(Query("q", "t", "?", max_tokens=1))
    finally:
        listener.stop()
    [step] = [event for event in listener.cut()[0] if event["kind"] == "step"]
    assert (step["piece"], step["merged"]) == ("owl", None)
    assert step["models"][0]["top"][0] == ["cat", 0.9]


def test_a_function_that_is_only_called_like_a_decision_is_a_formula() -> None:
    """A method of no stage may call what it likes a step."""

    class Own(Method):
        def step(self, text: str) -> tuple[str, float]:
            return text + "!", 0.5

        def accept(self, text: str) -> bool:
            return bool(text)

        def answer(self, query: Query) -> str:
            text, _ = self.step(query.prompt)
            return text if self.accept(text) else ""

    method = Own(Meter([TableModel("m", (b"", b"a"), {})]).pool)
    listener = Listener(Limits())
    listener.start(method)
    try:
        method.answer(Query("q", "t", "?"))
    finally:
        listener.stop()
    events = [(event["kind"], event["name"], event["result"]) for event in listener.cut()[0]]
    assert events == [("formula", "step", ["?!", 0.5]), ("formula", "accept", True)]


def test_a_span_fuser_appends_the_span_of_the_best_rating() -> None:
    made = traced("cool-fusion", setup("qa", pool="peer-pair"), QUERY)
    drafts, written = of(made, "draft"), of(made, "written")
    assert written[-1]["text"] == made["final"]["text"]
    assert {draft["model"] for draft in drafts} == set(made["spent"])
    ranked = of(made, "formula", "mean_perplexities")
    assert ranked, "the two models once write different segments"
    # The first time they differ: the segments in the order in which they were written, then the text with the best.
    start, two = written[0]["text"], [draft["text"] for draft in drafts[:2]]
    if two[0] != two[1]:
        assert start == two[int(np.argmin(ranked[0]["result"]))]
    for rating in of(made, "rating"):
        assert rating["mean_logprob"] <= 0


def test_a_beam_search_keeps_the_paths_of_the_best_score() -> None:
    made = traced("collaborative-beam-search", setup("qa", pool="peer-pair"), QUERY)
    paths = [path for event in of(made, "formula", "expand") for path in event["result"]]
    ended = [path for path in paths if path["finished"]]
    assert made["final"]["text"] in [path["text"] for path in ended]
    best = max(ended, key=lambda path: path["score"])
    assert made["final"]["text"] == best["text"]
    quotas = of(made, "formula", "allocate")
    assert all(sum(quota["result"]) == quota["given"]["total"] for quota in quotas)


def test_limits_cut_and_count() -> None:
    place = setup("qa", pool="peer-pair")
    small = Limits(top=2, steps=3, formulas=1, text=8, tokens=2)
    [made] = trace("gac", place, [QUERY], settings={"gap": "1"}, limits=small)
    [whole] = trace("gac", place, [QUERY], settings={"gap": "1"})
    steps = of(whole, "step")
    assert of(made, "step")[2]["piece"] == steps[2]["piece"]
    assert len(of(made, "step")) == 3
    assert made["omitted"]["step"] == len(steps) - 3
    assert len(of(made, "step")[0]["merged"]) == 2
    assert made["query"]["prompt"].endswith("…")
    assert len(made["query"]["prompt"]) == 8
    assert {k: v for k, v in made["final"].items() if k != "latency"} == {
        k: v for k, v in whole["final"].items() if k != "latency"
    }, "what came of it is whole"


def test_a_query_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"qa: no query 'qa/test/002'; did you mean 'qa/test/0"):
        trace("single", setup("qa", pool="sprout"), ["qa/test/002"])


def test_a_failure_leaves_nothing_listening() -> None:
    with pytest.raises(ValueError, match="variant"):
        trace("packllm", setup("qa", pool="peer-pair"), [QUERY], settings={"variant": "none"})
    assert sys.getprofile() is None


def test_words() -> None:
    words = Words(Limits(row=3, top=2), [(b"", b"a", b"b", b"c"), (b"x",) * 5, (b"y",) * 5])
    assert words.value(np.array([0.1, 0.4, 0.3, 0.2])) == {"shape": [4], "largest": [["a", 0.4], ["b", 0.3]]}
    five = {"shape": [5], "largest": [[4, 4], [3, 3]]}
    assert words.value(np.arange(5)) == five, "two vocabularies have five tokens: nothing tells which it is of"
    assert words.value(np.zeros((2, 4))) == {"shape": [2, 4]}
    assert words.value([1, object(), "é"]) == [1, "é"]
    assert words.value(b"\xc3") == "�"
