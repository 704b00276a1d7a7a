"""What the command is told, in a form that worker processes can be handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reference_impls.recording.config import Config


class Served(Config):
    """A configuration that is served: prompts are not needed."""

    prompts: str = ""


@dataclass(frozen=True)
class Settings:
    """All that an endpoint is made of.

    Attributes:
        config: names the models; None for the built-in ones.
        saved: recommendation that answers for ``atlas`` (`serving.saved`); None where `model` or `method` do.
        pool: of the built-in ones, a pool's name or names with commas between.
        model: the one that answers for ``atlas``; empty where a method or nobody does.
        method: of the registry; empty likewise.
        parameters: of the method, as text.
        data: folder of the recorded form that the method learns from.
        explore: share of queries that a router leaves to chance; None takes the method's own.
        state: file of decisions and feedback; a text is Redis' address.
        host, port: to listen at.
        key_env: the environment's variable with the key that clients have to send; empty for none.
        deadline: seconds for one request.
        max_body: bytes of a request.
        keep_prompts: whether decisions are kept with their prompts.
        seed: of exploring; None draws another one at each start.
    """

    config: Path | None = None
    saved: Path | None = None
    pool: str = "builtin"
    model: str = ""
    method: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None
    explore: float | None = None
    state: Path | str = Path("atlas-serve.sqlite")
    host: str = "127.0.0.1"
    port: int = 8080
    key_env: str = ""
    deadline: float = 120.0
    max_body: int = 4 << 20
    keep_prompts: bool = False
    seed: int | None = None
