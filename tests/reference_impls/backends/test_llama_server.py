"""A real server with a small real language model: the back end, and judges that reply as such models do."""

import pytest

from reference_impls.after_inference.automix import AutoMix
from reference_impls.after_inference.automix import Parameters as Checks
from reference_impls.after_inference.mixture_of_agents import MixtureOfAgents
from reference_impls.after_inference.mixture_of_agents import Parameters as Mixture
from reference_impls.after_inference.peer_review import Parameters as Review
from reference_impls.after_inference.peer_review import PeerReview
from reference_impls.backends.openai import OpenAIModel
from reference_impls.core import Meter, Price, Query, check_prompt, read_verdict
from tests.reference_impls import llama_server as llama
from tests.reference_impls.fakes import constant

QUERY = Query("t/0", "qa", "What is the capital of Japan?", "short", max_tokens=24)


@pytest.fixture
def model(llama_server: str) -> OpenAIModel:
    return OpenAIModel(llama.NAME, llama_server, Price(1.0, 1.0), context=llama.CONTEXT)


def test_a_real_server_answers(model: OpenAIModel) -> None:
    answer = model.generate("What is the capital of France? Answer with one word.", max_tokens=12)[0]
    assert "Paris" in answer.text
    assert answer.prompt_tokens
    assert answer.completion_tokens
    assert answer.prompt_tokens > answer.completion_tokens


def test_most_checks_of_a_small_real_model_can_be_read(model: OpenAIModel) -> None:
    """It judges badly, but says so in words; hardly any of its replies begins with yes or no."""
    answers = {
        "What is the capital of France?": "Paris",
        "What is 7 times 8?": "54",
        "Which ocean is the largest?": "The Pacific",
    }
    replies = [model.generate(check_prompt(q, a, model.dress), max_tokens=40)[0].text for q, a in answers.items()]
    assert sum(read_verdict(reply) is not None for reply in replies) >= 2, replies


def test_replies_of_a_model_that_does_not_grade_are_no_grades(model: OpenAIModel) -> None:
    """Asked for a grade it answers the question or repeats the scale: the frequent answer wins, and the run tells."""
    pool = Meter([constant("a", "Kyoto"), constant("b", "Tokyo"), constant("c", "Tokyo"), model]).pool
    method = PeerReview(pool, Review(judges=llama.NAME, reply_tokens=40))
    assert method.answer(QUERY)
    notes = method.notes
    assert notes["replies"] >= 2
    assert (notes["unreadable replies"] == notes["replies"]) == notes["queries without a readable grade"]


def test_a_small_real_model_checks_and_fuses(model: OpenAIModel) -> None:
    pool = Meter([model, constant("dear", "Tokyo", 10.0)]).pool
    cascade = AutoMix(pool, Checks(samples=2, reply_tokens=40))
    place, cost = cascade.check(QUERY, "Tokyo")
    assert 0 <= place <= 2
    assert cost > 0
    assert cascade.notes["replies"] == 2
    mixture = MixtureOfAgents(pool, Mixture(layers=1, aggregator=llama.NAME))
    assert mixture.answer(QUERY).strip()
    assert mixture.notes == {"drafts read": 2, "drafts that did not fit": 0}
