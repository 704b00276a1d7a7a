"""A saved recommendation as the configuration of a gateway that stands already, where the gateway can do the same.

LiteLLM's proxy can send everything to one model, with others to fall back on, and can choose by a tag of the request:
so one model alone can be written down, and the router by task. Its routers, and those of the vLLM semantic router,
judge a prompt by embeddings and classifiers of their own: what a router has learned here means nothing to them, and
neither asks several models and decides among their answers as a vote or a cascade here does.

Forms: docs.litellm.ai (proxy/configs, proxy/tag_routing, proxy/reliability); ``config/config.yaml`` of
vllm-project/semantic-router, version v0.3, as ``vllm-sr config validate`` 0.4.0 takes it.

No key is written: where a configuration names a variable, the gateway reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_impls.recording.config import Config, ModelConfig
from reference_impls.recording.prices import price_of
from reference_impls.serving.saved import Saved

#: What clients ask for.
ATLAS = "atlas"
GATEWAYS = ("litellm", "vllm-sr")
_SERVE = "run it by atlas serve"
#: What LiteLLM takes for the start of a rule, or for requests without a tag.
_MARKS, _DEFAULT = ("!", "&"), "default"


class CannotExportError(ValueError):
    """A gateway cannot do what is recommended; the message is one line."""


def exported(gateway: str, found: Saved, config: Config) -> dict[str, Any]:
    """The gateway's configuration.

    Args:
        gateway: one of `GATEWAYS`.
        found: the recommendation.
        config: names its models.

    Raises:
        CannotExportError: the gateway cannot do the same: why.
    """
    models = {model.name: model for model in config.models}
    if missing := [name for name in found.models if name not in models]:
        raise CannotExportError(f"{found.name} has learned with {missing[0]!r}, which is not configured (add it)")
    ahead = sorted(range(len(found.models)), key=lambda i: -found.merits[i])
    listed = [models[found.models[i]] for i in ahead]
    for model in listed:
        if model.system:
            raise CannotExportError(f"{gateway} sets no system message of {model.name} ({_SERVE})")
    if gateway == "vllm-sr":
        return _vllm_sr(found, listed)
    if found.method is None:
        return _one(found.name, listed, config)
    by_task = getattr(found.method, "by_task_", None)
    if found.name != "task-router" or by_task is None:
        raise CannotExportError(f"litellm cannot choose as {found.name} does: {_why(found)} ({_SERVE})")
    return _by_tag(found, listed, config)


def _why(found: Saved) -> str:
    if found.info is not None and found.info.category.startswith("after/"):
        return "it asks several models and decides among their answers"
    return "what it has learned of prompts means nothing to a gateway's own embeddings and classifiers"


def _one(name: str, models: Sequence[ModelConfig], config: Config) -> dict[str, Any]:
    others = [model.name for model in models if model.name != name]
    settings: dict[str, Any] = {"model_group_alias": {ATLAS: name}}
    if others:
        settings["fallbacks"] = [{name: others}]
    return {"model_list": [_deployment(model.name, model, config) for model in models], "router_settings": settings}


def _by_tag(found: Saved, models: Sequence[ModelConfig], config: Config) -> dict[str, Any]:
    """A deployment a model under one name; the request's tag, its task, says which."""
    by_task, overall = found.method.by_task_, found.method.overall_  # type: ignore[union-attr]
    for task in by_task:
        if not task or task.startswith(_MARKS) or task == _DEFAULT:
            raise CannotExportError(f"litellm cannot take the task {task[:60]!r} for a tag (call it otherwise)")
    listed = []
    for model in models:
        place = found.models.index(model.name)
        tags = sorted(task for task, chosen in by_task.items() if chosen == place)
        tags += [_DEFAULT] if overall == place else []
        if tags:
            made = _deployment(ATLAS, model, config)
            made["litellm_params"]["tags"] = tags
            listed.append(made)
    return {"model_list": listed, "router_settings": {"enable_tag_filtering": True}}


def _deployment(name: str, model: ModelConfig, config: Config) -> dict[str, Any]:
    vendor = "azure" if model.kind == "azure" else "openai"
    own: dict[str, Any] = {"model": f"{vendor}/{model.served}", "api_base": model.base_url}
    # The client of a server without a key wants one all the same.
    own["api_key"] = f"os.environ/{model.variable}" if model.variable else "unused"
    if model.api_version:
        own["api_version"] = model.api_version
    if model.rpm is not None:
        own["rpm"] = int(model.rpm)
    own |= {"timeout": model.timeout, "max_parallel_requests": model.concurrency}
    own |= {"max_tokens": config.max_tokens} if not _limited(model) else {}
    price = price_of(model)
    if price is not None:
        own |= {"input_cost_per_token": price.prompt / 1e6, "output_cost_per_token": price.completion / 1e6}
    return {"model_name": name, "litellm_params": own | model.params}


def _limited(model: ModelConfig) -> bool:
    return "max_tokens" in model.params or "max_completion_tokens" in model.params


def _vllm_sr(found: Saved, models: Sequence[ModelConfig]) -> dict[str, Any]:
    if found.method is not None:
        raise CannotExportError(f"vllm-sr cannot choose as {found.name} does: {_why(found)} ({_SERVE})")
    one = next(model for model in models if model.name == found.name)
    if one.kind == "azure" or one.params:
        raise CannotExportError(f"vllm-sr sets neither Azure's form nor parameters of {one.name} here ({_SERVE})")
    behind: dict[str, Any] = {"name": "primary", "base_url": one.base_url, "provider": "openai", "weight": 100}
    if one.variable:
        behind["api_key_env"] = one.variable
    listed: dict[str, Any] = {"name": one.name, "provider_model_id": one.served, "api_format": "openai"}
    price = price_of(one)
    if price is not None:
        listed["pricing"] = {"currency": "USD", "prompt_per_1m": price.prompt, "completion_per_1m": price.completion}
    listed["backend_refs"] = [behind]
    everything = {
        "name": ATLAS, "description": f"atlas recommend: {one.name} alone.", "priority": 100,
        "rules": {"operator": "AND", "conditions": []}, "modelRefs": [{"model": one.name, "use_reasoning": False}],
    }  # fmt: skip
    return {
        "version": "v0.3",
        "listeners": [{"name": "http-8899", "address": "127.0.0.1", "port": 8899, "timeout": f"{one.timeout:g}s"}],
        "providers": {"defaults": {"model": one.name}, "models": [listed]},
        "routing": {"modelCards": [{"name": one.name}], "decisions": [everything]},
    }
