"""LLM-PeerReview against cases worked by hand, planted judges and crowd-kit."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.peer_review import (
    GRADES,
    Labels,
    Parameters,
    PeerReview,
    dawid_skene,
    label_of,
    mean_grades,
    posterior,
)
from reference_impls.core import REPLY_TOKENS, Floats, Generation, Meter, ModelError, Query, TrainingSet, grade_prompt
from tests.reference_impls.after_inference.crowd_kit import crowd_kit, frame
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "qa", "Q: river?\nA:", "short")
UNIFORM = np.full(GRADES, 1 / GRADES)


def peer(name: str, answer: str, grades: Mapping[str, str], price: float = 1.0) -> ScriptedModel:
    """Answers `answer`, and grades other answers as the mapping says (a reply for each); else it says nothing."""

    def reply(prompt: str, _sample: int) -> tuple[str, float]:
        if not prompt.endswith("Grade 1 to 5:"):
            return answer, -1.0
        proposed = prompt.split("Proposed: ")[1].removesuffix("\nGrade 1 to 5:")
        return grades.get(proposed, ""), -1.0

    return ScriptedModel(name, reply, price)


def table(right: float) -> Floats:
    """A judge who gives the true grade with probability `right` and each other grade alike."""
    wrong = (1 - right) / (GRADES - 1)
    return np.full((GRADES, GRADES), wrong) + np.eye(GRADES) * (right - wrong)


def planted(seed: int, items: int, confusion: Floats) -> tuple[Labels, Labels]:
    """True grades [items] and the labels [items, judges] that judges with these confusion matrices give them."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(GRADES, size=items)
    labels = np.array([[rng.choice(GRADES, p=judge[k]) for judge in confusion] for k in truth])
    return truth, labels


def test_the_mean_worked_by_hand() -> None:
    models = [
        peer("a", "one", {"one": " 5", "two": " 3", "six": " 3"}),
        peer("b", "two", {"one": " 1", "two": " 4", "six": " 2"}),
        peer("c", "six", {"one": " 2", "two": " 3", "six": " 4"}),
    ]
    # Means: one (5 + 1 + 2) / 3 = 2.67, two (3 + 4 + 3) / 3 = 3.33, six (3 + 2 + 4) / 3 = 3.
    assert PeerReview(Meter(models).pool).answer(QUERY) == "two"
    # Among a and c alone: one 3.5, two 3, six 3.5: two is out; b alone prefers two.
    assert PeerReview(Meter(models).pool, Parameters(judges="b")).answer(QUERY) == "two"
    assert PeerReview(Meter(models).pool, Parameters(judges="a, c")).answer(QUERY) in ("one", "six")


def test_abstentions_do_not_count() -> None:
    assert mean_grades(np.array([[4, -1, 0], [-1, -1, -1]])).tolist() == [3.0, 3.0]
    # a replies with something else than a grade to "one": only b's 3 counts; "two" has (2 + 3) / 2.
    a = peer("a", "one", {"one": "5+2=7", "two": "2"})
    b = peer("b", "two", {"one": "3", "two": "3"})
    assert PeerReview(Meter([a, b]).pool).answer(QUERY) == "one"
    assert [label_of(r) for r in (" 1", "5", "0", "6", "3.", "4 or 5", "yes", "")] == [0, 4, -1, -1, 2, -1, -1, -1]


def chatty(name: str, answer: str, reply: str) -> ScriptedModel:
    """A chat model that answers `answer` and replies the same to every request for a grade."""
    model = ScriptedModel(name, lambda p, _s: (reply if "Grade:" in p else answer, -1.0))
    model.dress = "chat"
    return model


def test_without_a_readable_grade_the_most_frequent_answer_is_returned_and_counted() -> None:
    """No lot is drawn: whatever the seed and the order of the models, it is the answer of two of three."""
    models = [
        chatty("a", "one", "I cannot grade."),
        chatty("b", "two", "2 of the 3 steps are right"),
        chatty("c", "two", "The answer is 4."),
    ]
    for seed, order in enumerate(itertools.permutations(models)):
        method = PeerReview(Meter(order).pool, rng=np.random.default_rng(seed))
        assert method.answer(QUERY) == "two"
        assert method.notes == {"replies": 6, "unreadable replies": 6, "queries without a readable grade": 1}


def test_unreadable_replies_leave_the_mean_and_are_counted() -> None:
    """ "one" has 3 and an unreadable reply, mean 3; "two" has 2 and 3, mean 2.5. As a 1 it would make "two" win."""
    a = peer("a", "one", {"one": "It is hard to say.", "two": "Grade: 2/5"})
    b = peer("b", "two", {"one": "**3**", "two": "3 (so-so)"})
    method = PeerReview(Meter([a, b]).pool)
    assert method.answer(QUERY) == "one"
    assert method.notes == {"replies": 4, "unreadable replies": 1, "queries without a readable grade": 0}


def test_a_judge_is_asked_in_its_own_dress_with_room_for_its_reply() -> None:
    asked: list[tuple[str, int]] = []

    class Judge(ScriptedModel):
        def generate(
            self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
            stop: Sequence[str] = (), seed: int = 0,
        ) -> list[Generation]:  # fmt: skip
            asked.append((prompt, max_tokens))
            return super().generate(prompt, n=n, temperature=temperature, stop=stop, seed=seed)

    terse, chat = Judge("a", lambda _p, _s: ("one", -1.0)), Judge("b", lambda _p, _s: ("one", -1.0))
    chat.dress = "chat"
    PeerReview(Meter([terse, chat]).pool).answer(QUERY)
    assert asked[2:] == [
        (grade_prompt(QUERY.prompt, "one", dress), REPLY_TOKENS[dress]) for dress in (terse.dress, chat.dress)
    ]
    asked.clear()
    PeerReview(Meter([chat]).pool, Parameters(reply_tokens=2000)).answer(QUERY)
    assert asked[1][1] == 2000


def test_a_response_without_an_answer_is_not_graded_and_never_wins() -> None:
    models = [peer("a", " ", {" ": "5", "one": "1"}), peer("b", "one", {" ": "5", "one": "1"})]
    meter = Meter(models)
    meter.begin()
    assert PeerReview(meter.pool).answer(QUERY) == "one"
    assert meter.end().calls == 2 + 2


@pytest.mark.parametrize("error", [ValueError("the text is too long"), ModelError("the server is down")])
def test_a_judge_that_fails_or_cannot_read_the_prompt_abstains(error: Exception) -> None:
    def short_sighted(prompt: str, _sample: int) -> tuple[str, float]:
        if "Proposed" in prompt:
            raise error
        return "two", -1.0

    models = [peer("a", "one", {"one": "4", "two": "2"}), ScriptedModel("b", short_sighted)]
    assert PeerReview(Meter(models).pool).answer(QUERY) == "one"


def test_calls_and_critical_path() -> None:
    """Three responses, two of them equal: 3 calls, then 3 judges times 2 different answers; path 1 + 2 seconds."""
    meter = Meter([peer(n, "one" if n == "a" else "two", {"one": "4", "two": "3"}) for n in "abc"])
    meter.begin()
    assert PeerReview(meter.pool).answer(QUERY) == "one"
    usage = meter.end()
    assert usage.calls == 3 + 3 * 2
    assert usage.critical_path == pytest.approx(3.0)


def test_the_posterior_worked_by_hand() -> None:
    # One judge, right with 0.8, says 4: q = 0.8 for 4 and 0.05 for the others (they sum to 1 already), so the
    # mean is 0.8 * 4 + 0.05 * (1 + 2 + 3 + 5) = 3.75. With t = 1/2 the squares 0.64 and 0.0025 are normalised by
    # 0.65: (0.64 * 4 + 0.0025 * 11) / 0.65 = 3.980769.
    label, grades = np.array([[3]]), np.arange(1, 6)
    q = posterior(label, table(0.8)[None], UNIFORM)
    assert q[0] == pytest.approx([0.05, 0.05, 0.05, 0.8, 0.05])
    assert q @ grades == pytest.approx([3.75])
    assert posterior(label, table(0.8)[None], UNIFORM, 0.5) @ grades == pytest.approx([3.980769])
    # Who abstains says nothing, and what no one graded keeps the prior.
    both = posterior(np.array([[3, -1], [-1, -1]]), np.stack([table(0.8), table(0.9)]), UNIFORM)
    assert both[0] == pytest.approx(q[0])
    assert both[1] == pytest.approx(UNIFORM)


def test_one_m_step_worked_by_hand() -> None:
    # Two judges, two items: (1, 1) and (1, 2). Votes start q at [1, 0, ..] and [0.5, 0.5, ..]. With s = 0.01:
    # judge 1 always says 1, C_1[1, 1] = (1.5 + s) / (1.5 + 5 s); judge 2 has C_2[1, 1] = (1 + s) / (1.5 + 5 s) and
    # C_2[2, 2] = (0.5 + s) / (0.5 + 5 s).
    confusion, prior = dawid_skene(np.array([[0, 0], [0, 1]]), rounds=1, smoothing=0.01)
    assert confusion[0, 0, 0] == pytest.approx(1.51 / 1.55)
    assert confusion[1, 0, 0] == pytest.approx(1.01 / 1.55)
    assert confusion[1, 1, 1] == pytest.approx(0.51 / 0.55)
    assert prior == pytest.approx(UNIFORM)
    # A grade that nobody gave: uniform row.
    assert confusion[0, 4] == pytest.approx(UNIFORM)


def test_planted_judges_are_found() -> None:
    true = np.stack([table(0.9), table(0.75), table(0.6), np.roll(table(0.7), 1, axis=1)])  # the last is one off
    truth, labels = planted(0, 1500, true)
    confusion, prior = dawid_skene(labels, 40)
    assert np.abs(confusion - true).mean() < 0.03
    weighted = (posterior(labels, confusion, prior).argmax(1) == truth).mean()
    plain = np.array([np.bincount(row, minlength=GRADES).argmax() for row in labels])
    assert weighted > (plain == truth).mean() + 0.02


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_rows_sum_to_one_and_the_likelihood_never_falls(seed: int) -> None:
    _, labels = planted(seed, 60, np.stack([table(0.8), table(0.5), table(0.7)]))

    def likelihood(rounds: int) -> float:
        confusion, prior = dawid_skene(labels, rounds, estimate_prior=True, smoothing=1e-9)
        assert confusion.sum(2) == pytest.approx(np.ones((3, GRADES)))
        assert prior.sum() == pytest.approx(1)
        joint = prior * np.prod([confusion[j][:, labels[:, j]].T for j in range(3)], axis=0)
        return float(np.log(joint.sum(1)).sum())

    values = [likelihood(r) for r in (1, 2, 3, 5, 8)]
    assert all(b >= a - 1e-6 for a, b in itertools.pairwise(values))


@pytest.mark.filterwarnings("ignore:The (copy|inplace) keyword")  # crowd-kit's own use of pandas
def test_it_agrees_with_crowd_kit() -> None:
    aggregation = crowd_kit()
    _, labels = planted(5, 50, np.stack([table(0.9), table(0.8), table(0.7), table(0.6)]))
    rows = [(i, f"j{j}", int(label)) for i, row in enumerate(labels) for j, label in enumerate(row)]
    for rounds in (1, 5):  # round for round, not only where both end; no early stop
        theirs = aggregation.DawidSkene(n_iter=rounds, tol=-1e9).fit_predict_proba(frame(rows)).sort_index()
        confusion, prior = dawid_skene(labels, rounds, estimate_prior=True, smoothing=1e-10)
        assert posterior(labels, confusion, prior) == pytest.approx(theirs[range(GRADES)].to_numpy(), abs=1e-6)


def test_the_weighted_form_turns_a_contrary_judge_round() -> None:
    """c grades upside down in training; where only c grades, the mean is misled and Dawid-Skene is not."""
    good = {f"good {i}": "5" for i in range(20)} | {f"bad {i}": "1" for i in range(20)}
    contrary = {k: "1" if v == "5" else "5" for k, v in good.items()}
    models = [
        peer("a", "fine", good), peer("b", "poor", good), peer("c", "poor", contrary | {"fine": "1", "poor": "5"})
    ]  # fmt: skip
    queries = [Query(f"t/{i}", "qa", f"Q: {i}?\nA:", "short") for i in range(20)]
    texts = [[f"good {i}", f"bad {i}", f"good {i}" if i % 2 else f"bad {i}"] for i in range(20)]
    responses = [[Generation(n, t) for n, t in zip("abc", row, strict=True)] for row in texts]
    nothing = np.zeros((20, 3))
    train = TrainingSet(
        queries, ("a", "b", "c"), responses, nothing, nothing, [[[], [], []]] * 20, np.zeros((20, 3, 0))
    )
    pool = Meter(models).pool
    average, weighted = PeerReview(pool), PeerReview(pool, Parameters(aggregation="dawid-skene"))
    assert (average.needs_training, weighted.needs_training) == (False, True)
    weighted.fit(train)
    assert weighted.confusion_.shape == (3, GRADES, GRADES)
    assert weighted.confusion_[2, 4, 0] > 0.9, "what deserves 5 gets 1 from c"
    assert average.answer(QUERY) == "poor"
    assert weighted.answer(QUERY) == "fine"


def test_ties_are_random_and_the_seed_decides() -> None:
    models = [peer("a", "one", {"one": "4", "two": "4"}), peer("b", "two", {"one": "4", "two": "4"})]

    def chosen(seed: int) -> str:
        return PeerReview(Meter(models).pool, rng=np.random.default_rng(seed)).answer(QUERY)

    assert {chosen(s) for s in range(20)} == {"one", "two"}
    assert chosen(3) == chosen(3)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.integers(1, 5), min_size=3, max_size=3), min_size=3, max_size=3), st.permutations([0, 1, 2])
)
def test_a_permutation_of_the_models_permutes_the_choice(given_grades: list[list[int]], order: list[int]) -> None:
    sums = [sum(row[k] for row in given_grades) for k in range(3)]
    if sums.count(max(sums)) > 1:  # a tie is broken at random
        return
    texts = ["one", "two", "six"]
    models = [
        peer(n, t, {x: str(g) for x, g in zip(texts, row, strict=True)})
        for n, t, row in zip("abc", texts, given_grades, strict=True)
    ]
    best = texts[sums.index(max(sums))]
    assert PeerReview(Meter([models[i] for i in order]).pool).answer(QUERY) == best


def test_one_model_is_that_model() -> None:
    assert PeerReview(Meter([constant("a", "whatever")]).pool).answer(QUERY) == "whatever"


def test_wrong_settings_are_refused() -> None:
    pool = Meter([constant("oak", "x")]).pool
    with pytest.raises(ValueError, match="aggregation is 'mean' or 'dawid-skene'"):
        PeerReview(pool, Parameters(aggregation="median"))
    with pytest.raises(ValueError, match="did you mean 'oak'"):
        PeerReview(pool, Parameters(judges="oka"))
