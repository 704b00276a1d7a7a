"""The back end for servers against a real one: llama.cpp with a small language model."""

from reference_impls.backends.openai import OpenAIModel
from reference_impls.core import Price
from tests.reference_impls import llama_server as llama


def test_a_real_server_answers(llama_server: str) -> None:
    model = OpenAIModel(llama.NAME, llama_server, Price(1.0, 1.0), context=llama.CONTEXT)
    answer = model.generate("What is the capital of France? Answer with one word.", max_tokens=12)[0]
    assert "Paris" in answer.text
    assert answer.prompt_tokens
    assert answer.completion_tokens
    assert answer.prompt_tokens > answer.completion_tokens
