"""Methods on recorded responses: hand-worked runs, what is traced back to which response, what is refused."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impls.backends.replay import ReplayModel
from reference_impls.core import Meter, Price
from reference_impls.core.meter import Usage
from reference_impls.core.stages import Method
from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording, save
from reference_impls.recorded.benchmark import NEVER, RecordedBenchmark, answer_kinds
from reference_impls.running import catalog, runner, summary
from tests.reference_impls.core.test_meter import reachable

#: Of one query: each model's answers (one a sample) with their scores.
Row = Mapping[str, Sequence[tuple[str | None, float | None]]]


def recording(
    rows: Sequence[Row], train: int = 0, *, cost: float | None = 0.001, prices: Mapping[str, Price] | None = None,
    reference: str | None = None, prompts: Sequence[str] = (), text: bool = True,
) -> Recording:  # fmt: skip
    """The first `train` rows are train queries. A response costs `cost` and takes half a second."""
    queries, responses = [], []
    for i, row in enumerate(rows):
        prompt = prompts[i] if prompts else f"question {i}"
        queries.append(RecordedQuery(f"q{i}", prompt, reference, "t", "train" if i < train else "test"))
        for model, samples in row.items():
            for k, (answer, score) in enumerate(samples):
                written = None if answer is None or not text else f"{model} says {answer}"
                responses.append(RecordedResponse(f"q{i}", model, k, written, answer, score, cost, 10, 5, 0.5))
    return Recording("tiny", tuple(queries), tuple(responses), prices or {})


def once(**answers: tuple[str | None, float | None]) -> Row:
    """One response a model."""
    return {model: [answer] for model, answer in answers.items()}


RIGHT, WRONG = ("7", 1.0), ("8", 0.0)


def test_a_router_is_scored_by_the_recorded_score_of_the_model_that_it_takes() -> None:
    """The nearest train query decides: a was right about foxes, b about mills."""
    rows = [
        once(a=RIGHT, b=WRONG), once(a=WRONG, b=RIGHT),
        once(a=("1", 0.25), b=("2", 0.5)), once(a=("3", 0.75), b=("4", 1.0)),
    ]  # fmt: skip
    prompts = ["the red fox", "an old mill by the sea", "a fox, red", "by the sea: the mill"]
    result = runner.run("knn-router", RecordedBenchmark(recording(rows, 2, prompts=prompts)), settings={"k": "1"})
    assert result["items"]["score"] == [0.25, 1.0]
    assert result["score"]["mean"] == 0.625
    assert result["called"] == {"a": 0.5, "b": 0.5}
    assert result["usage"]["cost"] == pytest.approx(0.001)
    assert result["timing"]["latency"] == 0.5
    assert result["trained_on"] == "train"
    assert result["levels"] == {"t": 0.625}


def test_a_cascade_pays_for_all_that_it_asks() -> None:
    """Two of three samples agree: accepted at 0.6. One of three: the last model is asked once."""
    rows: list[Row] = [
        {"a": [RIGHT, RIGHT, WRONG], "z": [WRONG]},
        {"a": [("1", 0.0), ("2", 0.0), ("3", 0.0)], "z": [("4", 1.0)]},
    ]
    prices = {"a": Price(1.0, 1.0), "z": Price(9.0, 9.0)}
    settings = {"samples": "3", "threshold": "0.6"}
    found = RecordedBenchmark(recording(rows, prices=prices))
    result = runner.run("answer-consistency-cascade", found, settings=settings)
    assert result["items"]["score"] == [1.0, 1.0]
    assert result["items"]["cost"] == pytest.approx([0.003, 0.004])
    assert result["usage"]["calls"] == (3 + 4) / 2
    assert result["timing"]["latency"] == (1.5 + 2.0) / 2
    billed = runner.run(
        "answer-consistency-cascade", RecordedBenchmark(recording(rows, prices=prices, cost=None)), settings=settings
    )
    # By list price: the prompt of 10 tokens once, 3 x 5 tokens; then 15 tokens of the last model.
    assert billed["items"]["cost"] == pytest.approx([25e-6, (25 + 9 * 15) * 1e-6])


def test_votes_worked_by_hand() -> None:
    """The majority is wrong on the test query. The train split has a right 4 times of 4, the others once of 4."""
    train = [once(a=RIGHT, b=RIGHT, c=RIGHT), *[once(a=RIGHT, b=WRONG, c=WRONG)] * 3]
    found = RecordedBenchmark(recording([*train, once(a=RIGHT, b=WRONG, c=WRONG)], 4))
    assert runner.run("majority-vote", found)["items"]["score"] == [0.0]
    # log-odds of 4.5 / 5 and, for each of the others, 1.5 / 5.
    assert math.log(9) > 2 * math.log(3 / 7)
    weighted = runner.run("weighted-vote", found, settings={"options": "2"})
    assert weighted["items"]["score"] == [1.0]
    assert weighted["usage"]["models_called"] == 3


@pytest.mark.parametrize("name", ["majority-vote", "agent-forest", "weighted-vote", "dawid-skene", "pair-ranker"])
def test_recorded_answers_are_compared_and_not_the_texts(name: str) -> None:
    """No two texts are equal; b and c agree on the answer, and those who agree are right on the train split."""
    rows = [once(a=(f"{i}", 0.0), b=(f"x{i}", 1.0), c=(f"x{i}", 1.0)) for i in range(6)]
    assert runner.run(name, RecordedBenchmark(recording(rows, 4)))["items"]["score"] == [1.0, 1.0]


def test_dawid_skene_learns_from_the_queries_that_it_runs_on_without_their_scores() -> None:
    """a and b agree five times, c and d never with anybody: on the last query a alone outweighs c and d."""
    rows = [
        once(a=(f"r{i}", 1.0), b=(f"r{i}", 1.0), c=(f"c{i}", 0.0), d=(f"d{i}", 0.0)) for i in range(5)
    ]  # fmt: skip
    rows.append(once(a=("right", 1.0), b=("other", 0.0), c=("wrong", 0.0), d=("wrong", 0.0)))
    found = RecordedBenchmark(recording(rows))
    result = runner.run("dawid-skene", found)
    assert result["items"]["score"] == [1.0] * 6
    assert result["trained_on"] == "test, without scores"
    assert runner.run("majority-vote", found)["items"]["score"] == [1.0] * 5 + [0.0]
    train, _ = found.training_set(catalog.method("dawid-skene"))
    assert np.isnan(train.scores).all(), "the scores of the test queries reach nobody"


def test_singles_and_the_oracle() -> None:
    rows = [once(a=("1", 1.0), b=("2", 0.5)), once(a=("3", 0.0), b=("4", 1.0)), once(a=("5", 0.0), b=("6", 0.0))]
    found = RecordedBenchmark(recording(rows))
    singles = [runner.run("single", found, settings={"model": m}) for m in "ab"]
    assert [s["score"]["mean"] for s in singles] == pytest.approx([1 / 3, 0.5])
    best = summary.oracle(singles)
    assert best["items"]["score"] == [1.0, 1.0, 0.0]
    assert best["models"] == ["a", "b"]
    assert best["usage"]["cost"] == pytest.approx(0.001)


def test_unknown_is_null_and_never_zero() -> None:
    rows = [once(a=RIGHT, b=WRONG)] * 2
    data = recording(rows, cost=None)
    blank = replace(
        data,
        responses=tuple(replace(r, latency=None, prompt_tokens=None, completion_tokens=None) for r in data.responses),
    )
    result = runner.run("majority-vote", RecordedBenchmark(blank))
    assert result["usage"] == {
        "models_called": 2, "calls": 2, "prompt_tokens": None, "completion_tokens": None, "cost": None,
    }  # fmt: skip
    assert result["timing"]["latency"] is result["timing"]["critical_path"] is None
    assert result["items"]["cost"] == [None, None]
    json.dumps(result, allow_nan=False)
    best = summary.oracle([runner.run("single", RecordedBenchmark(blank), settings={"model": m}) for m in "ab"])
    assert best["usage"]["cost"] is None


def test_a_known_cost_stays_known_where_another_models_is_not() -> None:
    data = recording([once(a=RIGHT, b=WRONG)])
    half = replace(data, responses=tuple(replace(r, cost=None) if r.model == "b" else r for r in data.responses))
    found = RecordedBenchmark(half)
    costs = [runner.run("single", found, settings={"model": m})["usage"]["cost"] for m in "ab"]
    assert costs == [pytest.approx(0.001), None]


def test_prices_order_the_models() -> None:
    def order(data: Recording) -> list[str]:
        models = RecordedBenchmark(data).models
        return [m.name for m in sorted(models, key=lambda m: m.price.completion)]

    rows = [once(a=RIGHT, b=RIGHT)]
    listed = {"a": Price(1.0, 5.0), "b": Price(1.0, 2.0)}
    data = recording(rows)
    dear_a = replace(data, responses=tuple(replace(r, cost=0.9) if r.model == "a" else r for r in data.responses))
    assert order(recording(rows, prices=listed)) == ["b", "a"]
    assert order(dear_a) == ["b", "a"], "mean recorded cost"
    assert order(recording(rows, cost=None)) == ["a", "b"], "nothing known: as given"
    assert order(recording([once(b=RIGHT, a=RIGHT)], cost=None)) == ["b", "a"]


def test_the_response_returned_is_the_one_that_was_handed_out() -> None:
    """Both models wrote the same and were scored differently: the vote returns the first, the single its own."""
    found = RecordedBenchmark(recording([once(a=("7", 0.25), b=("7", 0.75))], text=False))
    assert runner.run("majority-vote", found)["items"]["score"] == [0.25]
    assert runner.run("single", found, settings={"model": "b"})["items"]["score"] == [0.75]
    found.begin(found.items[0])
    for model in found.models:
        model.generate(found.items[0].query.prompt)
    copy = "".join(["7", " "])
    outcome = found.outcome(copy, Usage())
    assert (outcome.chosen, outcome.score) == (("b", 0), 0.75), "a copy of the text: the last model asked"


def test_a_text_that_nobody_wrote_is_graded_by_the_answers_or_the_reference() -> None:
    row = once(a=("7", 1.0), b=("8", 0.0), c=("8", 0.5))
    found = RecordedBenchmark(recording([row]))
    found.begin(found.items[0])
    assert found.outcome("7", Usage()).score == 1.0
    assert found.outcome("7", Usage()).chosen is None
    with pytest.raises(ValueError, match="'8', is no recorded response and cannot be graded"):
        found.outcome("8", Usage())
    known = RecordedBenchmark(recording([row], reference="9"))
    known.begin(known.items[0])
    assert known.outcome("so 9", Usage()).score == 1.0
    assert known.outcome(" ", Usage()).score == 0.0, "no answer is like no other"
    assert known.outcome("8", Usage()).score == 0.0, "those who said so disagree: the reference decides"


def test_responses_without_a_score_are_graded_by_the_reference() -> None:
    row = once(a=("7", None), b=("8", None))
    found = RecordedBenchmark(recording([row], reference="7"))
    scores = [runner.run("single", found, settings={"model": m})["score"]["mean"] for m in "ab"]
    assert scores == [1.0, 0.0]
    with pytest.raises(ValueError, match="2 responses to test queries have no score and cannot be graded"):
        RecordedBenchmark(recording([row]))


def test_queries_of_one_prompt_keep_their_own_responses() -> None:
    rows = [once(a=("1", 1.0)), once(a=("2", 0.0))]
    found = RecordedBenchmark(recording(rows, prompts=["the same", "the same"]))
    assert runner.run("single", found, settings={"model": "a"})["items"]["score"] == [1.0, 0.0]


def test_responses_of_which_only_the_score_is_known_can_be_routed() -> None:
    found = RecordedBenchmark(recording([once(a=(None, 1.0), b=(None, 0.0))] * 4, 2))
    result = runner.run("single", found)
    assert result["items"]["score"] == [1.0, 1.0]
    found.begin(found.items[0])
    assert found.models[1].generate("question 2")[0].text == "[response of b, sample 0, not recorded]"
    with pytest.raises(
        ValueError, match=r"majority-vote needs answers .* but 8 of 8 responses in recorded:tiny have none"
    ):
        runner.run("majority-vote", found)


def test_training_sets_have_costs_samples_and_scores() -> None:
    rows: list[Row] = [{"a": [RIGHT, WRONG, RIGHT], "b": [WRONG, RIGHT]}] * 3
    train, name = RecordedBenchmark(recording(rows, 2)).training_set(catalog.method("knn-router"), 5)
    assert (len(train), train.models, name) == (2, ("a", "b"), "train")
    assert train.scores.tolist() == [[1.0, 0.0]] * 2
    assert train.sample_scores.tolist() == [[[0.0], [1.0]]] * 2, "as many samples as every model has beside the first"
    assert train.costs == pytest.approx(np.full((2, 2), 0.001))
    assert train.responses[0][0].answer == "7"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": ("c",)}, "no model 'c'"),
        ({"split": "tests"}, "did you mean 'test'"),
        ({"split": "validation"}, "no validation queries"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        RecordedBenchmark(recording([once(a=RIGHT)]), **change)
    assert "\n" not in str(caught.value)


def test_gaps_are_counted_and_the_whole_models_named() -> None:
    data = recording([once(a=RIGHT, b=RIGHT, c=RIGHT), once(a=RIGHT, c=RIGHT), once(a=RIGHT, c=RIGHT)], 1)
    with pytest.raises(ValueError, match=r"to 3 queries, responses are missing: 2 of b \(.*--pool a,c\)"):
        RecordedBenchmark(data)
    assert runner.run("majority-vote", RecordedBenchmark(data, ("a", "c")))["pool"] == "a,c"


def full() -> Recording:
    """All that the form can hold: 12 train and 8 test queries, 8 samples of three models that are right ever more."""
    rng = np.random.default_rng(0)
    queries, responses = [], []
    for i in range(20):
        a, b = rng.integers(2, 60, 2).tolist()
        split = "test" if i >= 12 else "train"
        queries.append(RecordedQuery(f"q{i}", f"Q: {a} + {b} = ?\nA:", str(a + b), "sums", split))
        for model, skill in (("small", 0.4), ("medium", 0.7), ("large", 0.9)):
            for k in range(8):
                right = bool(rng.random() < skill)
                answer = str(a + b + (0 if right else int(rng.integers(1, 4))))
                text = f"{a} + {b} = {answer}"
                responses.append(RecordedResponse(f"q{i}", model, k, text, answer, float(right), None, 20, 7, 0.1))
    prices = {"small": Price(0.1, 0.2), "medium": Price(0.5, 1.0), "large": Price(5.0, 10.0)}
    return Recording("full", tuple(queries), tuple(responses), prices)


def bare(data: Recording) -> Recording:
    """Only scores."""
    kept = [r for r in data.responses if r.sample == 0]
    scores = (RecordedResponse(r.query_id, r.model, 0, None, None, r.score, None, None, None, None) for r in kept)
    queries = (replace(q, reference=None) for q in data.queries)
    return Recording("bare", tuple(queries), tuple(scores), {})


def test_what_was_not_recorded_reaches_methods_as_unknown() -> None:
    benchmark = RecordedBenchmark(bare(full()))
    benchmark.begin(benchmark.items[0])
    (given,) = benchmark.models[0].generate(benchmark.items[0].query.prompt)
    assert (given.prompt_tokens, given.completion_tokens, given.cost) == (None, None, None)
    assert np.isnan(given.latency)
    train, _ = RecordedBenchmark(bare(full())).training_set(catalog.method("single"))
    assert all(response.completion_tokens is None for row in train.responses for response in row)


LACKS = {"full": (), "bare": ("text", "answers", "samples"), "no train split": ("labels", "feedback")}


@pytest.mark.parametrize("kind", list(LACKS))
@pytest.mark.parametrize("name", sorted(catalog.methods()))
def test_every_method_runs_or_refuses_in_one_line(name: str, kind: str) -> None:
    data = bare(full()) if kind == "bare" else full()
    if kind == "no train split":
        data = replace(data, queries=tuple(replace(q, split="test") for q in data.queries))
    info = catalog.method(name)
    lacks = {*NEVER, *LACKS[kind]}
    missing = sorted((need for need in info.needs if need in lacks), key=lambda need: need not in NEVER)
    if missing:
        with pytest.raises(ValueError, match=f"^{name} needs {missing[0]} ") as caught:
            runner.run(name, RecordedBenchmark(data))
        assert "\n" not in str(caught.value)
        return
    result = runner.run(name, RecordedBenchmark(data))
    assert 0 <= result["score"]["mean"] <= 1
    assert (result["usage"]["cost"] is None) == (kind == "bare")
    json.dumps(result, allow_nan=False)


#: Methods that learn without labels from what recordings do not hold; their tests in `after_inference` train them on
#: scores that are not a number.
BLIND = ("bargain-cascade", "uncertainty-cascade")


@pytest.mark.parametrize("name", sorted(n for n, i in catalog.methods().items() if i.cls.needs_training))
def test_methods_without_labels_look_at_no_score(name: str) -> None:
    """Turning all train scores round changes nothing for them."""
    info = catalog.method(name)
    if {"labels", "feedback"} & set(info.needs):
        return  # it learns from the train split's scores and says so
    if set(NEVER) & set(info.needs):
        assert name in BLIND, "its own test gives it scores that are not a number, or it says that it needs labels"
        return
    data = full()
    train = {q.id for q in data.queries if q.split == "train"}
    turned = [replace(r, score=1 - (r.score or 0)) if r.query_id in train else r for r in data.responses]
    results = [runner.run(name, RecordedBenchmark(d)) for d in (data, replace(data, responses=tuple(turned)))]
    assert results[0]["items"] == results[1]["items"]


def test_nothing_that_a_method_holds_leads_to_a_score_or_a_reference() -> None:
    found = RecordedBenchmark(full())
    meter = Meter(found.models)
    train, _ = found.training_set(catalog.method("knn-router"), 2)
    query = found.items[0].query
    given = [g for model in meter.pool for g in model.generate(query.prompt)]
    secret = (RecordedResponse, RecordedQuery, Recording, RecordedBenchmark, ReplayModel)
    assert not [type(thing) for thing in reachable(meter.pool, train, query, given) if isinstance(thing, secret)]
    assert any(isinstance(thing, secret) for thing in reachable(found)), "the walk finds them where they are"
    meter.close()


@pytest.mark.parametrize("name", ["majority-vote", "knn-router"])
def test_what_decides_ties_leads_to_no_score_of_a_query_either(name: str) -> None:
    found = RecordedBenchmark(full())
    held: list[float] = []

    def listen(method: Method) -> None:
        secret = (RecordedResponse, RecordedQuery, Recording, RecordedBenchmark, ReplayModel)
        assert not [type(thing) for thing in reachable(method) if isinstance(thing, secret)]
        held.extend(method.choice.accuracies().values())

    info = catalog.method(name)
    runner.answer_all(info, info.parameters(), found, np.random.default_rng(0), listen=listen)
    assert held == list(found.accuracies().values())


def test_asking_for_more_than_was_recorded_is_one_line() -> None:
    found = RecordedBenchmark(recording([once(a=RIGHT, b=WRONG)]))
    with pytest.raises(ValueError, match="majority-vote on recorded:tiny: a: 4 samples wanted, 1 recorded"):
        runner.run("majority-vote", found, settings={"samples": "4", "temperature": "1"})
    with pytest.raises(ValueError, match="no recorded reply of a to the prompt"):
        runner.run(
            "pair-ranker", RecordedBenchmark(recording([once(a=RIGHT, b=WRONG)] * 4, 2, cost=None)),
            settings={"fuse_top": "2", "fuser": "a"},
        )  # fmt: skip


def test_a_folder_is_run_with_its_choices_written(tmp_path: Path) -> None:
    save(recording([once(a=RIGHT, b=WRONG, c=RIGHT), once(a=WRONG, b=("9", 0.5), c=("9", 0.5))]), tmp_path / "mine")
    choices = tmp_path / "choices.jsonl"
    result = runner.run("majority-vote", f"recorded:{tmp_path / 'mine'}", dump=choices)
    assert result["benchmark"] == "recorded:mine"
    lines = [json.loads(line) for line in choices.read_text().splitlines()]
    assert lines[1] == {
        "query_id": "q1", "called": ["a", "b", "c"], "chosen": {"model": "b", "sample": 0}, "text": None,
        "score": 0.5, "cost": pytest.approx(0.003), "latency": 1.5, "calls": 3,
    }  # fmt: skip
    assert [line["score"] for line in lines] == result["items"]["score"]
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["choices.jsonl"], "no half file is left"
    drawn = runner.run("single", f"recorded:{tmp_path / 'mine'}", train=1, seed=3)
    assert (drawn["queries"], drawn["trained_on"]) == (1, "train")
    again = runner.run("majority-vote", f"recorded:{tmp_path / 'mine'}", limit=1, pool="a,b")
    assert (again["queries"], again["models"]) == (1, ["a", "b"])


def test_wrong_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(catalog.UnknownNameError, match="did you mean 'routellm-mmlu'"):
        runner.run("majority-vote", "recorded:routellm-mmul")
    with pytest.raises(catalog.UnknownNameError, match="no recording and no folder"):
        runner.run("majority-vote", f"recorded:{tmp_path / 'nowhere'}")
    with pytest.raises(ValueError, match=r"queries\.jsonl: no such file"):
        runner.run("majority-vote", f"recorded:{tmp_path}")
    with pytest.raises(ValueError, match="qa has a train split of its own"):
        runner.run("majority-vote", "qa", train=5)
    for place in (tmp_path / "no" / "choices.jsonl", tmp_path):
        with pytest.raises(ValueError, match="choices cannot be written there"):
            runner.run("majority-vote", "qa", dump=place)


@pytest.mark.parametrize(
    ("references", "kind"),
    [
        (["12", "-3.5", "1,200"], ["number"] * 3), (["Paris", "12"], ["short", "number"]), (["x" * 99], ["text"]),
        ([None], ["text"]), (["a\nb"], ["text"]), (["42", "2/3", "$18", "50%"], ["number"] * 4),
        (["42", "7", "none of these", None], ["number", "number", "short", "number"]),
        (["B", "(c)", "True"], ["choice", "choice", "yes-no"]),
    ],
)  # fmt: skip
def test_the_kind_of_answer_comes_from_a_querys_own_reference(references: list[str | None], kind: list[str]) -> None:
    """A query without one is read as most of its task are."""
    queries = [RecordedQuery(f"q{i}", "p", r, "t", "test") for i, r in enumerate(references)]
    assert list(answer_kinds(queries).values()) == kind


@pytest.mark.parametrize(("train", "how"), [(0, "draw"), (1, "accuracy")])
def test_ties_and_abstentions_are_in_the_result(train: int, how: str) -> None:
    """Of three queries one is a tie, and to another a has no answer."""
    rows = [once(a=RIGHT, b=WRONG)] * train + [
        once(a=RIGHT, b=WRONG), once(a=RIGHT, b=RIGHT), once(a=("", 0.0), b=RIGHT),
    ]  # fmt: skip
    result = runner.run("majority-vote", RecordedBenchmark(recording(rows, train, text=False)))
    assert result["ties"] == {
        h: pytest.approx(1 / 3 if h == how else 0) for h in ("price", "accuracy", "confidence", "draw")
    }
    assert result["draws"] == (how == "draw"), "so that it is run with several seeds"
    assert result["responses"] == {"a": 3, "b": 3}
    assert result["abstentions"] == {"a": 1, "b": 0}
    assert result["items"]["score"][1:] == [1.0, 1.0]
    seeds = [
        runner.run("majority-vote", RecordedBenchmark(recording(rows, train)), seed=s)["items"] for s in range(9)
    ]
    assert {items["score"][0] for items in seeds} == ({0.0, 1.0} if how == "draw" else {1.0})


@pytest.mark.parametrize("name", ["majority-vote", "agent-forest", "dawid-skene", "minimum-bayes-risk"])
@pytest.mark.parametrize("order", [(), ("c", "fails", "b"), ("b", "c", "fails")])
def test_a_model_that_fails_never_wins_over_one_that_answers(
    name: str, order: tuple[str, ...], tmp_path: Path
) -> None:
    """Text alone was recorded. Nobody answers q0 and q2; on the others b and c disagree."""
    texts = [("", "   ", "no idea"), ("", "5", "6"), ("", "", ""), *[("", "= 5", "so 6")] * 3]
    queries = tuple(RecordedQuery(f"q{i}", f"What is sum {i}?", "5", "sums", "test") for i in range(6))
    responses = tuple(
        RecordedResponse(f"q{i}", model, 0, text, None, None, None, None, None, None)
        for i, row in enumerate(texts)
        for model, text in zip(("fails", "b", "c"), row, strict=True)
    )
    found = RecordedBenchmark(Recording("sums", queries, responses, {}), order)
    result = runner.run(name, found, dump=tmp_path / "choices.jsonl")
    chosen = [json.loads(line)["chosen"]["model"] for line in (tmp_path / "choices.jsonl").read_text().splitlines()]
    assert "fails" not in chosen[1:2] + chosen[3:]
    assert [result["items"]["score"][i] for i in (0, 2)] == [0.0, 0.0]
    assert result["abstentions"] == {"fails": 6, "b": 2, "c": 2}
    assert sum(result["ties"].values()) == pytest.approx(4 / 6), "no tie where nobody answers"


def test_a_kind_and_options_that_are_given_decide() -> None:
    queries = [
        RecordedQuery("q0", "p", "12", "t", "test", "short"), RecordedQuery("q1", "p", "B", "t", "test", "text"),
        RecordedQuery("q2", "p", "Paris", "t", "test", None, ("Paris", "London")),
    ]  # fmt: skip
    assert list(answer_kinds(queries).values()) == ["short", "text", "choice"]


def written(folder: Path, queries: Sequence[Mapping[str, Any]], texts: Sequence[Mapping[str, str]]) -> Path:
    """A folder in the generic form: one test query of a task a line, and each model's text."""
    folder.mkdir()
    rows = [
        {"id": f"q{i}", "prompt": f"question {i}", "task": "t", "split": "test", **q} for i, q in enumerate(queries)
    ]
    told = [
        {"query_id": f"q{i}", "model": model, "text": text}
        for i, row in enumerate(texts)
        for model, text in row.items()
    ]
    for name, lines in (("queries", rows), ("responses", told)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def test_boxes_and_fractions_are_answers(tmp_path: Path) -> None:
    texts = [
        {"a": "The answer is \\boxed{\\frac12}.", "b": "\\boxed{\\frac{1}{2}}", "c": "\\boxed{2}"},
        {"a": "3/4", "b": "So x = 3/4", "c": "4"},
        {"a": "Thus \\boxed{42}.\n\nI checked it in 3 ways.", "b": "\\boxed{42} (see step 2)", "c": "3"},
    ]
    folder = written(tmp_path / "mine", [{"reference": r} for r in ("0.5", "0.75", "42")], texts)
    assert runner.run("majority-vote", f"recorded:{folder}")["items"]["score"] == [1.0] * 3


def test_one_odd_reference_changes_the_reading_of_no_other_query(tmp_path: Path) -> None:
    texts = [
        {"a": "The answer is 42.", "b": "So it is 42.", "c": "41"}, {"a": "It is 7.", "b": "We get 7", "c": "= 8"},
        {"a": "The total is 100.", "b": "100 apples", "c": "90"}, {"a": "none", "b": "none", "c": "1/3"},
    ]  # fmt: skip
    folder = written(tmp_path / "mine", [{"reference": r} for r in ("42", "7", "100", "none")], texts)
    assert runner.run("majority-vote", f"recorded:{folder}")["items"]["score"] == [1.0] * 4


@pytest.mark.parametrize("query", [{"kind": "choice"}, {"scorer": "choice"}, {"scorer": {"kind": "choice"}}, {}])
def test_choices_in_any_dress_score(tmp_path: Path, query: Mapping[str, Any]) -> None:
    dresses = ["(B)", "ANSWER: B", "B) Paris", "**B**", "\\boxed{B}, see A", "b."]
    folder = written(tmp_path / "mine", [{"reference": "B", **query}] * len(dresses), [{"a": d} for d in dresses])
    assert runner.run("single", f"recorded:{folder}", settings={"model": "a"})["items"]["score"] == [1.0] * len(
        dresses
    )


def test_an_options_text_is_its_letter(tmp_path: Path) -> None:
    question = {"reference": "Paris", "options": ["London", "Paris", "New York"]}
    folder = written(tmp_path / "mine", [question] * 3, [{"a": "It is Paris."}, {"a": "(B)"}, {"a": "C"}])
    assert runner.run("single", f"recorded:{folder}", settings={"model": "a"})["items"]["score"] == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "name", sorted(n for n, i in catalog.methods().items() if not {*NEVER, *LACKS["full"]} & {*i.needs})
)
def test_no_method_refuses_a_recording_for_a_response_that_failed(name: str) -> None:
    """One model's every response is blank, one is missing; every method runs, and the failures are counted."""
    data = full()
    failed = tuple(
        replace(r, text="", answer=None, score=0.0) if r.model == "medium"
        else replace(r, text=None, answer=None, score=0.0) if (r.query_id, r.model) == ("q13", "small") else r
        for r in data.responses
    )  # fmt: skip
    result = runner.run(name, RecordedBenchmark(replace(data, responses=failed)))
    assert all(result["abstentions"][m] <= result["responses"][m] for m in result["models"])
    if result["called"]["medium"]:
        assert result["abstentions"]["medium"] >= 1
