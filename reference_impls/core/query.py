"""What a method sees of a task: the query. It holds no reference answer and nothing that could score one."""

from dataclasses import dataclass, field

#: How the final answer stands in a response; `core.answers.final_answer` reads it.
ANSWER_KINDS = ("short", "choice", "number", "yes-no", "code", "list", "text")


@dataclass(frozen=True, slots=True)
class Query:
    """One question for the ensemble.

    Attributes:
        id: stable identifier, for instance ``math/test/0017``.
        task: the benchmark's name, for instance ``math``.
        prompt: the full text that the models continue.
        kind: one of `ANSWER_KINDS`; tells `final_answer` how to read a response.
        max_tokens: the most tokens a model may write.
        stop: texts at which a response ends (built-in models end by themselves).
        options: texts of the options of a multiple-choice question, A first, where they are known.
    """

    id: str
    task: str
    prompt: str
    kind: str = "text"
    max_tokens: int = 160
    stop: tuple[str, ...] = field(default=())
    options: tuple[str, ...] = field(default=())
