"""What a configuration needs of its models and prompts, and what of it cannot be had: before the run is paid for.

Further samples are never a reason to stop: they are asked for one by one, of every model alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reference_impls.core.model import Price
from reference_impls.core.registry import NEEDS, MethodInfo
from reference_impls.recording.config import Config, ModelConfig
from reference_impls.recording.probing import Found
from reference_impls.recording.prompts import Prompt

#: What no folder of recorded answers holds.
UNHELD = ("scoring", "distributions", "shared-vocabulary")


def asks_logs(config: Config, model: ModelConfig) -> bool:
    """Whether log-probabilities are asked of a model: its own parameters have the last word."""
    return bool(model.params.get("logprobs", config.logprobs))


def unknown(config: Config, model: ModelConfig) -> bool:
    """Whether a run asks a model for something that it may not give or take."""
    return model.pool and (asks_logs(config, model) or (config.samples > 0 and "temperature" not in model.params))


def lacks(
    config: Config, infos: Sequence[MethodInfo], prompts: Sequence[Prompt], prices: Mapping[str, Price | None],
    found: Mapping[str, Found],
) -> Iterator[str]:  # fmt: skip
    """Why a run would not bring what the configuration asks for, and how to mend it, a line each.

    Args:
        config: the configuration.
        infos: its methods.
        prompts: that are asked.
        prices: of every model.
        found: what a probe has found of models, as far as there was one.
    """
    for model in config.models:
        if model.pool and asks_logs(config, model) and model.name in found and found[model.name].logprobs is False:
            yield (
                f"logprobs: {model.name} tells no log-probabilities, as a probe has found (to record it without,"
                " write params: {logprobs: null} under it; atlas record --probe asks it again)"
            )
    pool = [model for model in config.models if model.pool]
    for info in infos:
        for need in info.needs:
            if why := _unmet(config, pool, prices, need):
                yield f"methods: {info.name} needs {NEEDS[need]}, {why}"
    kind = config.scorer.kind or ""
    alone = kind in ("judge", "regex") or kind.startswith("python:")  # these need no reference
    unscored = 0 if alone else sum(prompt.reference is None for prompt in prompts)
    if infos and unscored:
        yield (
            f"methods: methods run on scored answers, and {unscored} of {len(prompts)} prompts have no right answer"
            " (give each a reference, or write scorer: {kind: judge, judge: NAME})"
        )


def _unmet(config: Config, pool: Sequence[ModelConfig], prices: Mapping[str, Price | None], need: str) -> str:
    """Why a method's need is not met; empty where it is, or where only the answers will tell."""
    if need in UNHELD:
        return "which recorded answers do not hold (take it out of methods)"
    if need == "samples" and not config.samples:
        return "and none are asked for (write samples: 4, or more)"
    if need == "logprobs":
        costs = {m.name: price.completion for m in pool if (price := prices[m.name]) is not None}
        # Methods that need them read the cheapest model's (`Pool.by_price`); which one, nobody knows without prices.
        known = len(costs) == len(pool)
        first = [min(pool, key=lambda m: (costs[m.name], m.name))] if known else pool
        if not any(asks_logs(config, model) for model in first):
            whose = first[0].name if len(first) == 1 else "any model"
            mend = "params: {logprobs: true} under it" if config.logprobs else "logprobs: true"
            return f"and of {whose} none are asked for (write {mend})"
    return ""


def notes(config: Config, found: Mapping[str, Found]) -> Iterator[str]:
    """What a probe has found that does not stop a run, a line each."""
    for model in config.models:
        one = found.get(model.name)
        if one is None:
            continue
        if one.said:
            yield f"{model.name} does not answer the probe, so what it can is not known: {one.said}"
        elif asks_logs(config, model) and one.logprobs is None:
            yield f"{model.name}: whether it tells log-probabilities is not known: the probe's answer holds no text"
        if config.samples and one.temperature is False:
            yield f"{model.name} takes no temperature: its further samples are drawn at the server's own"
