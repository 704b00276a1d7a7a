"""Scores that a model gives: every response is shown to it as a question of its own, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recording import scoring
from reference_impls.recording.answers import text_of
from reference_impls.recording.config import Config, ModelConfig
from reference_impls.recording.plan import Question, parameters_of, question
from reference_impls.recording.prompts import Prompt
from reference_impls.recording.store import Store


def questions(config: Config, judge: ModelConfig, recording: Recording) -> list[Question]:
    """What the judge is asked: one question for every response that holds a text; equal ones once."""
    queries = {query.id: query for query in recording.queries}
    asked = [_question(config, judge, queries[r.query_id], r) for r in recording.responses if (r.text or "").strip()]
    return list({one.id: one for one in asked}.values())


def _question(config: Config, judge: ModelConfig, query: RecordedQuery, response: RecordedResponse) -> Question:
    text = scoring.question(query.prompt, query.reference, response.text or "")
    prompt = Prompt(query.id, ({"role": "user", "content": text},), text, None, query.task, query.split)
    return question(judge, prompt, 0, parameters_of(config, judge, 0.0, 0, scoring.REPLY_TOKENS))


def judged(config: Config, judge: ModelConfig, recording: Recording, store: Store) -> tuple[Recording, int]:
    """The recording with the judge's scores, and how many responses have none, as the judge's reply is not there or
    cannot be read.
    """
    queries: Mapping[str, RecordedQuery] = {query.id: query for query in recording.queries}
    made, unread = [], 0
    for response in recording.responses:
        score: float | None = 0.0  # a blank is no answer
        if (response.text or "").strip():
            stored = store.get(_question(config, judge, queries[response.query_id], response).id)
            score = None if stored is None else scoring.verdict(text_of(stored))
            unread += score is None
        made.append(replace(response, score=score))
    return replace(recording, responses=tuple(made)), unread
