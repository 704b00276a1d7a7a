"""Runs, baselines and computed methods on a recording made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reference_impls.core.model import Price
from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording
from reference_impls.reproductions import SOURCES, chosen, ran, result, source_hash, specs, studies, verifier_priced
from reference_impls.reproductions.base import (
    BASELINES,
    Spec,
    Study,
    Table,
    all_tested,
    as_split,
    cross_fitted,
    queries_tested,
    sampled,
)
from reference_impls.reproductions.llmdrift import CHECK, MARCH, SMALL, check_by_agreement
from reference_impls.reproductions.play import DRAWN, best_single, describe, thinned, willingness_curve
from reference_impls.reproductions.zeroeval import agree, plurality
from reference_impls.running.runner import CannotRunError

#: (right answer, answer of the cheap model, answer of the dear one)
ANSWERS = [("1", "1", "1"), ("2", "2", "0"), ("3", "0", "3"), ("4", "0", "4"), ("5", "0", "0")]


def recording(*, prices: bool = True) -> Recording:
    """Five train and five test queries alike; the cheap model is right on 2 of 5, the dear one on 3; USD 1 and 3."""
    queries, responses = [], []
    for split in ("train", "test"):
        for i, (right, cheap, dear) in enumerate(ANSWERS):
            query = RecordedQuery(f"{split}{i}", "word " * (i + 1) + split, right, f"task{i // 3}", split)
            queries.append(query)
            for model, answer, cost in (("cheap", cheap, 1.0), ("dear", dear, 3.0)):
                score = float(answer == right)
                responses.append(
                    RecordedResponse(query.id, model, 0, f"It is {answer}", answer, score, cost, 10, 2, 2 * cost)
                )
    listed = {"cheap": Price(1.0, 1.0), "dear": Price(3.0, 3.0)}
    return Recording("made", tuple(queries), tuple(responses), listed if prices else {})


def study(**others: Any) -> Study:
    usual: dict[str, Any] = {"protocol": "by hand", "learned": as_split, "rows": lambda *_: [], "plain": lambda r: r}
    return Study("made", **(usual | others))


def mean(run: dict[str, Any], key: str) -> Any:
    return run[key]["mean"]


def test_a_slow_method_is_tested_on_a_sample_and_compared_on_it() -> None:
    """Of five test queries two; where cheap and dear agree or the tie is broken, the vote is one of both."""
    [part] = sampled([recording()], 2)
    assert [query.split for query in part.queries].count("train") == 5
    [again] = sampled([recording()], 2)
    assert queries_tested([part]) == queries_tested([again])
    assert len(queries_tested([part])) == 2
    assert len(queries_tested(sampled([recording()], 99))) == 5
    run = describe(study(samples={"majority-vote": 2}), Spec("majority-vote"), recording())
    assert run["queries"] == 2
    assert describe(study(), Spec("majority-vote"), recording())["queries"] == 5
    assert -1 <= mean(run, "gain") <= 1


def test_a_gain_stands_under_every_judge_where_a_response_is_passed_on() -> None:
    """The other judge takes each answer for what the first one does not: 2 of 5 become 3, and 3 become 2."""
    made = recording()
    judged = study(judges=lambda r: {"contrary": 1 - r.scores})
    cheap = describe(judged, Spec("single", {"model": "cheap"}), made)
    assert mean(cheap, "gain") == pytest.approx(-0.2)
    assert cheap["judges"]["contrary"]["mean"] == pytest.approx(0.2)
    assert describe(judged, Spec("single"), made)["judges"]["contrary"]["mean"] == 0
    assert describe(judged, Spec("majority-vote"), made)["judges"] == {}, "a vote's answer is nobody's own"
    assert describe(study(), Spec("single"), made)["judges"] == {}


def test_cascades_with_a_verifier_are_in_the_result_where_costs_are_known() -> None:
    """Cheap, then dear: a perfect verifier finds 4 of 5 right; 3 of 5 go on to the dear one."""
    found = verifier_priced(study(), recording())
    assert found is not None
    assert found["pool"] == ["cheap", "dear"]
    [chain] = found["chains"]
    assert chain["models"] == ["cheap", "dear"]
    first = chain["points"][0]
    assert (first["quality"], first["cost"]) == (pytest.approx(0.8), pytest.approx(1 + 0.6 * 3))
    bare = recording(prices=False)
    unpaid = replace(bare, responses=tuple(replace(r, cost=None) for r in bare.responses))
    assert verifier_priced(study(), unpaid) is None


def test_single_models_and_the_one_chosen_on_train() -> None:
    cheap = describe(study(axis="share"), Spec("single", {"model": "cheap"}), recording())
    assert (mean(cheap, "score"), cheap["cost"], cheap["latency"]) == (pytest.approx(0.4), 1.0, 2.0)
    assert cheap["called"] == {"cheap": 1.0, "dear": 0.0}
    assert mean(cheap, "gain") == pytest.approx(-0.2), "the dear one is better on train"
    assert cheap["point"] == [0.0, 0.4]
    assert not cheap["learned"]
    best = describe(study(axis="cost"), Spec("single"), recording())
    assert (mean(best, "score"), mean(best, "gain"), best["learned"]) == (pytest.approx(0.6), 0.0, True)
    assert best["point"] == [3.0, 0.6]
    assert best["cost_quantiles"]["0.5"] == 3.0


def test_the_oracle_takes_the_cheapest_right_answer() -> None:
    run = describe(study(axis="share"), Spec("oracle"), recording())
    # right on four of five; the dear model is needed for two of them
    assert (mean(run, "score"), run["cost"]) == (pytest.approx(0.8), pytest.approx((1 + 1 + 3 + 3 + 1) / 5))
    assert run["called"]["dear"] == pytest.approx(0.4)
    # first the two that only the dear model has (0.4 -> 0.8), then the two that make no difference, then the loss
    assert run["curve"] == [[0.0, 0.4], [0.4, 0.8], [0.8, 0.8], [1.0, 0.6]]
    # PGR: 0 to 2 on [0, .4], 2 on [.4, .8], 2 to 1 on [.8, 1]
    assert mean(run, "apgr") == pytest.approx(0.4 * 1 + 0.4 * 2 + 0.2 * 1.5)
    assert mean(run, "cpt50") == pytest.approx(0.1)


def test_random_is_its_expectation() -> None:
    run = describe(study(axis="share"), Spec("random"), recording())
    assert (mean(run, "score"), run["cost"], run["point"]) == (pytest.approx(0.5), 2.0, [0.5, 0.5])
    assert (mean(run, "apgr"), mean(run, "cpt50"), mean(run, "cpt80")) == pytest.approx((0.5, 0.5, 0.8))


def test_prompt_length_orders_the_queries() -> None:
    run = describe(study(axis="share"), Spec("prompt-length"), recording())
    # the longest first: nothing, both wrong; +1, +1, -1, 0
    assert run["curve"] == [[0.0, 0.4], [0.2, 0.4], [0.4, 0.6], [0.6, 0.8], [0.8, 0.6], [1.0, 0.6]]


def test_a_router_is_described_with_its_curve() -> None:
    run = describe(study(axis="cost"), Spec("knn-router", {"k": "1"}), recording())
    assert run["curve"][0][0] == 1.0
    assert run["curve"][-1][0] == 3.0
    assert run["apgr"] is not None
    assert run["settings"] == {"k": "1"}
    assert run["parameters"]["k"] == 1
    assert run["calls"] == 1.0


def test_a_sweep_draws_the_curve_of_a_cascade() -> None:
    spec = Spec("frugalgpt", sweep=("budget", ("0.4", "2.0")))
    run = describe(study(axis="cost"), spec, recording())
    assert len(run["curve"]) in {1, 2}
    assert run["curve"][0][0] == pytest.approx(1.0), "a budget of 1.2 dollars pays for the cheap model alone"


def test_a_vote_that_draws_at_ties_is_run_with_several_seeds() -> None:
    """Without a train split only a draw decides between two models that disagree, as on three of five queries."""
    data = all_tested(recording())
    run = describe(study(axis="cost"), Spec("majority-vote"), data)
    scores = run["score"]["runs"]
    assert len(scores) == DRAWN
    # Right where both are, wrong where neither is; a coin decides on queries where one is: .2 to .8.
    assert all(0.2 - 1e-9 <= score <= 0.8 + 1e-9 for score in scores)
    assert mean(run, "score") == pytest.approx(np.mean(scores))
    assert describe(study(axis="cost"), Spec("majority-vote"), recording())["score"]["runs"] == [], "train decides"


def test_what_is_unknown_is_null() -> None:
    data = recording(prices=False)
    bare = [
        RecordedResponse(r.query_id, r.model, 0, None, r.answer, r.score, None, None, None, None)
        for r in data.responses
    ]
    run = describe(study(axis="cost"), Spec("majority-vote"), Recording("bare", data.queries, tuple(bare), {}))
    assert [run[key] for key in ("cost", "latency", "cost_quantiles", "point", "curve")] == [None] * 5
    assert run["calls"] == 2.0


@pytest.mark.parametrize("method", ["gac", "mixture-of-agents", "answer-consistency-cascade", "quantile-deferral"])
def test_a_method_without_its_data_says_so_in_one_line(method: str) -> None:
    with pytest.raises(CannotRunError, match=f"^{method} needs ") as caught:
        describe(study(), Spec(method), recording())
    assert "\n" not in str(caught.value)


def test_an_error_inside_a_method_is_not_taken_for_missing_data() -> None:
    with pytest.raises(ValueError, match="no parameter") as caught:
        describe(study(), Spec("knn-router", {"neighbours": "3"}), recording())
    assert not isinstance(caught.value, CannotRunError)


def test_the_best_single_model_is_chosen_part_by_part() -> None:
    assert set(best_single([recording()], ("cheap", "dear")).values()) == {1}
    without_train = all_tested(recording())
    assert set(best_single([without_train], ("cheap", "dear")).values()) == {1}


def test_willingness_to_pay_moves_from_cheap_to_good() -> None:
    utilities, scores = np.array([[0.2, 0.9], [0.5, 0.6]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    x = np.array([[1.0, 3.0], [1.0, 3.0]])
    curve = willingness_curve(utilities, np.array([1.0, 3.0]), x, scores).tolist()
    assert curve == [[1.0, 0.5], [2.0, 1.0], [3.0, 0.5]]


def test_a_thinned_curve_keeps_its_ends() -> None:
    curve = np.column_stack((np.arange(1000.0), np.arange(1000.0)))
    points = thinned(curve)
    assert (len(points), points[0], points[-1]) == (41, [0.0, 0.0], [999.0, 999.0])


def votes(answers: list[str | None], right: str) -> Recording:
    query = RecordedQuery("q", "?", right, "t", "test")
    return Recording("votes", (query,), tuple(
        RecordedResponse("q", f"m{i}", 0, None, answer, float(answer == right), None, None, None, None)
        for i, answer in enumerate(answers)
    ), {})  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "score"),
    [
        (["7", "7", "8"], 1.0),
        (["8", "8", "7"], 0.0),
        (["7", "8", None], 0.5),
        (["7", "8", "9"], 1 / 3),
        ([None, None, "7"], 1.0),
    ],
)  # fmt: skip
def test_plurality_averages_ties(answers: list[str | None], score: float) -> None:
    data = votes(answers, "7")
    assert plurality([data], Table(data)).scores.tolist() == pytest.approx([score])


@pytest.mark.parametrize(
    ("answers", "score", "calls"),
    [(["7", "7", "8"], 1.0, 2.0), (["7", "8", "8"], 0.0, 3.0), ([None, None, "7"], 1.0, 3.0)],
)
def test_the_third_is_asked_where_two_disagree(answers: list[str | None], score: float, calls: float) -> None:
    data = votes(answers, "7")
    found = agree([data], Table(data))
    assert (found.scores.tolist(), found.calls.tolist()) == ([score], [calls])


def test_the_agreement_of_small_models_decides_whether_the_large_one_is_asked() -> None:
    queries, responses = [], []
    for split in ("train", "test"):
        for i, (small, check) in enumerate([("yes", "yes"), ("yes", "no"), ("no", "no"), ("no", "yes")]):
            query = RecordedQuery(f"{split}{i}", "?", "yes", "t", split)
            queries.append(query)
            # where the small ones agree they are right, where not the large one is
            for model, answer, score, cost in (
                (SMALL, small, float(small == check), 1.0), (CHECK, check, 0.0, 1.0), (MARCH, "yes", 1.0, 10.0),
            ):  # fmt: skip
                responses.append(RecordedResponse(query.id, model, 0, None, answer, score, cost, None, None, cost))
    data = Recording("drift", tuple(queries), tuple(responses), {})
    found = check_by_agreement([data], Table(data))
    assert found.scores.tolist() == [1.0] * 4
    assert found.costs.tolist() == [2.0, 12.0, 2.0, 12.0]
    assert found.latencies.tolist() == found.costs.tolist()
    assert found.calls.tolist() == [2.0, 3.0, 2.0, 3.0]


def test_names_of_sources_and_recordings() -> None:
    assert chosen(["routellm"]) == ["routellm-mmlu", "routellm-gsm8k", "routellm-mt-bench"]
    assert chosen(["llmrouter", "zeroeval-gsm8k"]) == ["llmrouter", "zeroeval-gsm8k"]
    assert chosen([]) == list(studies())
    with pytest.raises(ValueError, match="routellm-mmlu"):
        chosen(["routellm-mmlo"])


def test_every_recording_has_a_study_and_a_hash_of_its_own() -> None:
    from reference_impls.recorded import registry  # noqa: PLC0415

    assert set(studies()) == set(registry.recordings())
    assert len({source_hash(name) for name in studies()}) == len(studies())
    assert len(SOURCES) == len(registry.sources())


def test_labels_are_unique_and_a_result_has_its_form() -> None:
    data = recording()
    made = study(axis="share", left_out={"knn-router": "because"})
    wanted = specs(made, data)
    assert len({spec.label for spec in wanted}) == len(wanted)
    assert "knn-router" not in {spec.method for spec in wanted}
    runs = [ran(made, spec, data) for spec in wanted if spec.method in {*BASELINES.values(), "random"}]
    found = result(made, data, [*runs, {"method": "gac", "reason": "no distributions"}])
    assert [run["label"] for run in found["runs"]][:2] == ["oracle", "random"]
    assert [entry["method"] for entry in found["refused"]] == ["best-samples", "gac", "knn-router"]
    assert found["tasks"] == {"task0": 6, "task1": 4}
    assert found["models"][0]["price"] == {"prompt": 1.0, "completion": 1.0}
    assert found["models"][1]["score"]["mean"] == pytest.approx(0.6)


def beside(data: Recording | None = None, pools: tuple[Spec, ...] = (), **others: Any) -> dict[str, Any]:
    """The results of the baselines and of some further runs."""
    data, made = data or recording(), study(axis="cost", specs=pools, **others)
    wanted = [*BASELINES.values(), "random", "prompt-length", "majority-vote", "knn-router"]
    return result(made, data, [ran(made, spec, data) for spec in specs(made, data) if spec.method in wanted])


def test_every_pool_has_its_own_baselines_and_no_gain_is_over_those_of_another() -> None:
    found = beside(pools=(Spec("majority-vote", models=("cheap",), note="one"),))
    assert [(pool["name"], pool["models"]) for pool in found["pools"]] == [
        ("2 models", ["cheap", "dear"]), ("one", ["cheap"]),
    ]  # fmt: skip
    main, one = (pool["baselines"] for pool in found["pools"])
    assert main == {
        "best-single": "single", "cheapest": "single (model=cheap)", "best-per-task": "task-router", "coin": "coin",
        "oracle": "oracle",
    }  # fmt: skip
    assert one["best-single"] == "single (one)"
    assert "one response a model and query" in found["pools"][0]["absent"]["best-samples"]
    assert "also the cheapest" in found["pools"][1]["absent"]["coin"]
    runs = {run["label"]: run for run in found["runs"]}
    for run in runs.values():
        assert frozenset(run["pool"]) == frozenset(runs[run["gain"]["baseline"]]["pool"])
        assert all(frozenset(run["pool"]) == frozenset(runs[label]["pool"]) for label in run["against"])
    # the cheap model is its pool's best, and worse than the dear one, which is not there
    assert mean(runs["single (one)"], "gain") == mean(runs["majority-vote (one)"], "gain") == 0
    assert mean(runs["single (model=cheap)"], "gain") == pytest.approx(-0.2)


def test_the_baseline_and_the_oracle_are_not_judged_and_all_others_together() -> None:
    runs = {run["label"]: run["gain"] for run in beside()["runs"]}
    for label in ("single", "oracle"):
        assert [runs[label][key] for key in ("p_adjusted", "adjusted", "verdict")] == [None] * 3
    judged = {label: gain for label, gain in runs.items() if label not in {"single", "oracle"}}
    assert {gain["verdict"] for gain in judged.values()} == {"no clear difference"}, "five queries prove nothing"
    smallest = min(judged.values(), key=lambda gain: gain["p"])
    assert smallest["p_adjusted"] == pytest.approx(min(1, smallest["p"] * len(judged)))


def test_a_coin_stands_half_way_between_its_models() -> None:
    coin = next(run for run in beside()["runs"] if run["label"] == "coin")
    assert (mean(coin, "score"), coin["cost"], coin["called"]) == (
        pytest.approx(0.5), 2.0, {"cheap": 0.5, "dear": 0.5},
    )  # fmt: skip
    assert coin["over_coin"]["mean"] == 0


def test_a_run_is_held_against_a_coin_that_costs_as_much() -> None:
    runs = {run["label"]: run for run in beside()["runs"]}
    # prompt-length sends half of the queries to the dear model: as a coin, whose score is .5 there
    length = runs["prompt-length"]
    share = length["called"]["dear"]
    assert length["over_coin"]["mean"] == pytest.approx(mean(length, "score") - (0.4 + 0.2 * share))
    # what costs more than the dear model alone has that model as its coin
    assert runs["majority-vote"]["cost"] == 4
    assert runs["majority-vote"]["over_coin"]["mean"] == pytest.approx(mean(runs["majority-vote"], "gain"))


def test_without_costs_no_model_is_cheap_and_no_coin_is_tossed() -> None:
    data = recording(prices=False)
    blind = replace(data, responses=tuple(replace(r, cost=None) for r in data.responses))
    found = beside(blind)
    [pool] = found["pools"]
    assert not {"cheapest", "coin"} & set(pool["baselines"])
    assert "not known" in pool["absent"]["cheapest"]
    assert "not known" in pool["absent"]["coin"]
    assert all(run["over_coin"] is None for run in found["runs"])


def test_runs_are_held_against_each_other() -> None:
    runs = {run["label"]: run for run in beside()["runs"]}
    assert set(runs["knn-router"]["against"]) == {
        "single", "single (model=cheap)", "task-router", "coin", "oracle", "majority-vote", "prompt-length", "random",
    }  # fmt: skip
    gain = runs["knn-router"]["against"]["random"]
    assert gain["mean"] == pytest.approx(mean(runs["knn-router"], "score") - 0.5)


def test_splits_are_told_with_their_spread() -> None:
    runs = {run["label"]: run for run in beside(plain=all_tested, learned=cross_fitted)["runs"]}
    for label in ("knn-router", "single", "majority-vote"):
        run = runs[label]
        assert run["split"] == "5 x cross-fitted"
        assert run["seeds"] == [0, 1, 2, 3, 4]
        assert len(run["gain"]["runs"]) == 5
        assert run["spread"] == [min(run["gain"]["runs"]), max(run["gain"]["runs"])]
    once = next(run for run in beside()["runs"] if run["label"] == "knn-router")
    assert (once["split"], once["spread"]) == ("own split", None)
