"""What a method sees of a task: the query. It holds no reference answer and nothing that could score one."""

from dataclasses import dataclass, field

#: How the final answer stands in a response; `core.text.final_answer` reads it.
ANSWER_KINDS = ("short", "choice", "number", "code", "list", "text")


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
    """

    id: str
    task: str
    prompt: str
    kind: str = "text"
    max_tokens: int = 160
    stop: tuple[str, ...] = field(default=())
