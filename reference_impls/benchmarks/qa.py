"""Question answering over an invented world: short facts, multiple choice and facts in two steps.

The world is invented so that no outside text holds its facts. A fact is stated in training text (in
statements and in some wordings of its question); the wording that a benchmark item uses is kept out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reference_impls.benchmarks.base import Benchmark, Problem
from reference_impls.benchmarks.words import invented_names
from reference_impls.core.answers import final_answer, normalise

_COUNTRIES = 40
_PEOPLE = 90
_JOBS = [
    "baker",
    "pilot",
    "doctor",
    "painter",
    "farmer",
    "sailor",
    "teacher",
    "weaver",
    "miner",
    "singer",
    "judge",
    "tailor",
]
_FOODS = ["rice", "figs", "bread", "plums", "soup", "honey", "cheese", "beans", "melon", "trout"]

#: relation -> (statement, wordings of the question); {s} is the subject, {o} the object.
RELATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "capital": (
        "The capital of {s} is {o}.",
        (
            "What is the capital of {s}?",
            "Which city is the capital of {s}?",
            "Name the capital of {s}.",
            "{s} has which capital?",
            "What is {s}'s capital city?",
        ),
    ),
    "river": (
        "The river of {s} is the {o}.",
        (
            "What is the river of {s}?",
            "Which river flows through {s}?",
            "Name the river of {s}.",
            "{s} has which river?",
            "What is {s}'s river?",
        ),
    ),
    "money": (
        "The money of {s} is the {o}.",
        (
            "What is the money of {s}?",
            "Which money do people use in {s}?",
            "Name the money of {s}.",
            "{s} has which money?",
            "What is {s}'s money?",
        ),
    ),
    "king": (
        "The king of {s} is {o}.",
        (
            "Who is the king of {s}?",
            "Which king rules {s}?",
            "Name the king of {s}.",
            "{s} has which king?",
            "Who is {s}'s king?",
        ),
    ),
    "born": (
        "{s} was born in {o}.",
        (
            "Where was {s} born?",
            "In which country was {s} born?",
            "Name the country where {s} was born.",
            "{s} was born in which country?",
            "What is {s}'s country of birth?",
        ),
    ),
    "job": (
        "{s} works as a {o}.",
        (
            "What is the job of {s}?",
            "Which job does {s} have?",
            "Name the job of {s}.",
            "{s} has which job?",
            "What is {s}'s job?",
        ),
    ),
    "food": (
        "{s} likes to eat {o}.",
        (
            "What does {s} like to eat?",
            "Which food does {s} like?",
            "Name the food that {s} likes.",
            "{s} likes which food?",
            "What is {s}'s food?",
        ),
    ),
}
_COUNTRY_RELATIONS = ("capital", "river", "money", "king")


@dataclass(frozen=True)
class Fact:
    """One fact of the world; `fame` in (0, 1] says how often training text mentions its subject."""

    subject: str
    relation: str
    object: str
    fame: float

    @property
    def statement(self) -> str:
        return RELATIONS[self.relation][0].format(s=self.subject, o=self.object)


class QA(Benchmark):
    """Short factual questions; exact match of the last line, which names the answer or the letter of its option."""

    name = "qa"
    title = "Question answering"
    kind = "short"
    seed = 101
    levels = {"direct": 0.4, "choice": 0.3, "two-step": 0.3}
    max_tokens = 110

    @cached_property
    def facts(self) -> dict[tuple[str, str], Fact]:
        """All facts by (subject, relation)."""
        rng = np.random.default_rng(7)
        countries = invented_names(rng, _COUNTRIES, ("ia", "land", "stan"))
        people = invented_names(rng, _PEOPLE, ("a", "o", "y"))
        pools = {
            "capital": invented_names(rng, _COUNTRIES, ("ok", "burg")),
            "river": invented_names(rng, _COUNTRIES, ("ra", "us")),
            "money": invented_names(rng, _COUNTRIES, ("el", "in")),
            "king": invented_names(rng, _COUNTRIES, ("or", "ard")),
        }
        facts: dict[tuple[str, str], Fact] = {}
        for rank, country in enumerate(countries):
            for relation in _COUNTRY_RELATIONS:
                fame = 1 / (1 + rank / 12)
                facts[country, relation] = Fact(country, relation, pools[relation][rank], fame)
        for rank, person in enumerate(people):
            fame = 1 / (1 + rank / 30)
            draws = (("born", countries), ("job", _JOBS), ("food", _FOODS))
            for relation, options in draws:
                facts[person, relation] = Fact(person, relation, str(rng.choice(options)), fame)
        return facts

    @cached_property
    def _fact_list(self) -> list[Fact]:
        return list(self.facts.values())

    @cached_property
    def _people(self) -> list[str]:
        return sorted({f.subject for f in self._fact_list if f.relation == "born"})

    def _objects(self, relation: str) -> list[str]:
        return sorted({f.object for f in self._fact_list if f.relation == relation})

    def problem(self, rng: np.random.Generator, level: str) -> Problem:
        if level == "two-step":
            person = self._people[rng.integers(len(self._people))]
            relation = _COUNTRY_RELATIONS[rng.integers(len(_COUNTRY_RELATIONS))]
            return self.two_step(person, relation)
        fact = self._fact_list[rng.integers(len(self._fact_list))]
        return self.about(rng, fact, level)

    def about(self, rng: np.random.Generator, fact: Fact, level: str) -> Problem:
        """A direct or a multiple-choice question about one fact."""
        wordings = RELATIONS[fact.relation][1]
        wording = int(rng.integers(len(wordings)))
        question = wordings[wording].format(s=fact.subject)
        if level == "direct":
            key: tuple[Any, ...] = ("direct", fact.subject, fact.relation, wording)
            return Problem(key, level, f"Q: {question}\nA:", f" {fact.object}", {"answer": fact.object})
        others = [o for o in self._objects(fact.relation) if o != fact.object]
        options = [fact.object, *rng.choice(others, 3, replace=False)]
        options = [str(options[i]) for i in rng.permutation(4)]
        letter = "ABCD"[options.index(fact.object)]
        listed = " ".join(f"({c}) {o}" for c, o in zip("abcd", options, strict=True))
        key = ("choice", fact.subject, fact.relation, wording, tuple(options))
        reference = {"answer": fact.object, "letter": letter, "options": options}
        return Problem(key, level, f"Q: {question} {listed}\nA:", f" {fact.object}", reference, tuple(options))

    def two_step(self, person: str, relation: str) -> Problem:
        """A question about a person's country of birth, answered in two steps."""
        born = self.facts[person, "born"]
        fact = self.facts[born.object, relation]
        who = "Who" if relation == "king" else "What"
        question = f"{who} is the {relation} of the country where {person} was born?"
        solution = f" {born.statement}\n{fact.statement}\n{fact.object}"
        key = ("two-step", person, relation)
        return Problem(key, "two-step", f"Q: {question}\nA:", solution, {"answer": fact.object})

    def corrupt(self, rng: np.random.Generator, problem: Problem) -> str:
        answer = problem.reference["answer"]
        relation = next(f.relation for f in self._fact_list if f.object == answer)
        wrong = str(rng.choice([o for o in self._objects(relation) if o != answer]))
        return problem.solution.replace(str(answer), wrong)

    def score(self, reference: Mapping[str, Any], text: str) -> float:
        if "letter" in reference:
            return float(final_answer(text, "choice", reference["options"]) == reference["letter"])
        return float(final_answer(text, "short") == normalise(str(reference["answer"])))
