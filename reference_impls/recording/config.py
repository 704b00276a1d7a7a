"""What is to be recorded: the file ``atlas.yml``. Whatever is wrong with it is told in one line: file, key, what to
write. No value of the file stands in a message, as somebody may have put a key there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reference_impls.core.model import Dress
from reference_impls.core.suggest import nearest
from reference_impls.recorded.scoring import Scorer

MAX_FILE = 1024 * 1024
"""Bytes of a configuration."""
OPENAI = "https://api.openai.com/v1"
#: The variable that is read for `OPENAI` where none is named, and sent to no other address.
OPENAI_KEY = "OPENAI_API_KEY"
#: Parameters that the command sets itself.
OWN = ("model", "messages", "n", "stream")
#: Names of the limit on what a model writes.
LIMITS = ("max_completion_tokens", "max_tokens")

Name = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\s\x00-\x1f\x7f](.*[^\s\x00-\x1f\x7f])?$")]


class ConfigError(ValueError):
    """``file: key: what is wrong (what to write)``, in one line."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Prices(_Part):
    """US dollars per million tokens; `cached` of prompt tokens that the provider still had."""

    prompt: float = Field(ge=0, le=1e6)
    completion: float = Field(ge=0, le=1e6)
    cached: float | None = Field(None, ge=0, le=1e6)


class ModelConfig(_Part):
    """A model behind a server of the OpenAI form.

    Attributes:
        name: in tables and in the recording.
        model: its name on the server; `name` where it is left out.
        base_url: address, for instance ``http://127.0.0.1:8000/v1``; of Azure the resource's, without a path.
        kind: ``azure`` for Azure's form of the address and of the key's header.
        api_version: Azure's.
        key_env: the environment's variable that holds the key.
        price: ``auto`` takes genai-prices' where it knows the vendor at the address.
        params: further parameters of every request.
        system: the system message.
        concurrency: requests at once.
        rpm: most requests a minute; None is no limit.
        timeout: seconds for one request.
        dress: how methods ask it about others' answers: in words (chat), or as the built-in models learned (terse).
        pool: whether it is asked the prompts; a model that is there to judge alone is not.
    """

    name: Name
    model: str = ""
    base_url: str = OPENAI
    kind: Literal["openai", "azure"] = "openai"
    api_version: str = ""
    key_env: str = Field("", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    price: Literal["auto"] | Prices = "auto"
    params: dict[str, Any] = {}
    system: str = ""
    concurrency: int = Field(8, ge=1, le=256)
    rpm: float | None = Field(None, gt=0, le=1e6)
    timeout: float = Field(120.0, gt=0, le=3600)
    dress: Dress = "chat"
    pool: bool = True

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            url = urlsplit(value.strip().rstrip("/"))
            good = url.scheme in ("http", "https") and url.hostname and (url.port or 1)
        except ValueError:
            good = None
        if not good or "@" in url.netloc or url.query or url.fragment:
            raise ValueError("is no address like http://127.0.0.1:8000/v1, with no user, key or question mark")
        return value.strip().rstrip("/")

    @field_validator("params")
    @classmethod
    def _own(cls, value: dict[str, Any]) -> dict[str, Any]:
        if taken := [name for name in OWN if name in value]:
            raise ValueError(f"{taken[0]} is set by the command itself: leave it out")
        for limit in LIMITS:
            if limit in value and (not isinstance(value[limit], int) or value[limit] < 1):
                raise ValueError(f"{limit} is to be a whole number above 0")
        return value

    @model_validator(mode="after")
    def _fits(self) -> ModelConfig:
        if self.kind == "azure" and not self.api_version:
            raise ValueError("api_version is missing: write the one of the Azure resource")
        if self.key_env == OPENAI_KEY and not self.is_openai:
            raise ValueError(f"key_env: {OPENAI_KEY} goes to api.openai.com alone: put this key in another variable")
        return self

    @property
    def served(self) -> str:
        """The name on the server."""
        return self.model or self.name

    @property
    def is_openai(self) -> bool:
        """Whether the address is OpenAI's own, over https."""
        url = urlsplit(self.base_url)
        return (url.scheme, url.hostname, url.port or 443) == ("https", "api.openai.com", 443)

    @property
    def variable(self) -> str:
        """The environment's variable with the key; empty for none."""
        return self.key_env or (OPENAI_KEY if self.is_openai else "")


class FieldNames(_Part):
    """Names of the prompts' fields in the user's own file."""

    id: str = "id"
    prompt: str = "prompt"
    messages: str = "messages"
    reference: str = "reference"
    task: str = "task"
    split: str = "split"


class Budget(_Part):
    """Most that may be spent, in US dollars, over all runs with one store."""

    usd: float = Field(ge=0, le=1e6)


class Config(_Part):
    """All of ``atlas.yml``.

    Attributes:
        prompts: a file of JSON lines or a ``.csv``, beside the configuration.
        samples: further samples of every model to every prompt.
        temperature: of the further samples; the first is asked for at 0.
        max_tokens: most that a model may write, where its `params` do not say.
        logprobs: whether the log-probabilities of what models write are asked for and kept.
        methods: names of methods whose further questions (to judge, check, rank, fuse) are asked too.
    """

    prompts: str = Field(min_length=1)
    fields: FieldNames = FieldNames()
    scorer: Scorer = Scorer()
    samples: int = Field(0, ge=0, le=100)
    temperature: float = Field(0.7, ge=0, le=2)
    max_tokens: int = Field(1024, ge=1, le=10**6)
    logprobs: bool = False
    methods: tuple[str, ...] = ()
    budget: Budget | None = None
    models: list[ModelConfig] = Field(min_length=1)

    @field_validator("models")
    @classmethod
    def _names(cls, value: list[ModelConfig]) -> list[ModelConfig]:
        if len({model.name for model in value}) < len(value):
            raise ValueError("two models have the same name: give every model one of its own")
        if not any(model.pool for model in value):
            raise ValueError("no model is asked the prompts: leave out pool: false of one")
        return value

    @model_validator(mode="after")
    def _judge(self) -> Config:
        if self.scorer.judge and self.scorer.judge not in [model.name for model in self.models]:
            raise ValueError("scorer: the judge is none of the models: write it under models, with pool: false")
        return self


C = TypeVar("C", bound=Config)


def load(path: Path) -> Config:
    """The configuration in a file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    return load_as(path, Config)


def load_as(path: Path, form: type[C]) -> C:
    """The same as a configuration of another form.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise ConfigError(f"{path}: larger than {MAX_FILE} bytes (prompts go into a file of their own)")
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror} (name the configuration's file)") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 (save it as UTF-8)") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"{where}: no valid YAML (look at this line and the one before it)") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: holds no keys (write prompts: and models:)")
    try:
        return form.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_told(error.errors(include_input=False, include_url=False)[0])}") from None


def _told(error: Any) -> str:
    """The first thing that is wrong, without the value found."""
    # Of a union Pydantic names the member too, which is no key of the file.
    where = ".".join(str(part) for part in error["loc"] if str(part) not in ("Prices", "literal['auto']"))
    where = where or error["msg"].removeprefix("Value error, ").partition(": ")[0]
    if error["type"] == "missing":
        return f"{where}: is missing (write it)"
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key (remove it{nearest(str(error['loc'][-1])[:60], _known(error['loc']))})"
    if "price" in error["loc"]:
        return f"{where}: is no price (write auto, or {{prompt: 0.5, completion: 1.5}}, dollars per million tokens)"
    if where.endswith(".name"):
        return f"{where}: is no name (write 1 to 512 characters on one line, no blank at the ends)"
    if where.endswith("key_env"):
        return f"{where}: is no variable's name (write the name of the variable that holds the key, never the key)"
    said = error["msg"].removeprefix("Value error, ").removeprefix(f"{where}: ")
    return f"{where}: {said}" if "(" in said or error["type"] == "value_error" else f"{where}: wrong value ({said})"


def _known(where: tuple[Any, ...]) -> list[str]:
    """The keys that a part of the file may have."""
    parts: dict[str, type[BaseModel]] = {
        "models": ModelConfig, "fields": FieldNames, "scorer": Scorer, "budget": Budget,
    }  # fmt: skip
    part = Prices if "price" in where else parts.get(str(where[0]), Config) if len(where) > 1 else Config
    return list(part.model_fields)
