"""What gateways can do of what is advised, and the one line where they cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from reference_impls.advising import labelled, simulation
from reference_impls.cli import tool
from reference_impls.core.query import Query
from reference_impls.core.stages import Router
from reference_impls.serving import gateways, saved
from tests.tool import app

MODELS: list[dict[str, Any]] = [
    {"name": "model-0", "model": "served-0", "base_url": "http://127.0.0.1:8000/v1", "rpm": 60,
     "price": {"prompt": 1, "completion": 2}},
    {"name": "model-1", "key_env": "SOME_KEY", "price": {"prompt": 0, "completion": 0}, "params": {"max_tokens": 7}},
    {"name": "model-2", "kind": "azure", "base_url": "https://x.example.org", "api_version": "2026-01-01",
     "key_env": "AZURE_KEY", "price": {"prompt": 3, "completion": 4}},
]  # fmt: skip


@pytest.fixture(scope="module")
def data() -> labelled.Labelled:
    return labelled.labelled(replace(simulation.ROUTER, prices=(0.004, 0.002, 0.001)).recording(80, 0))


def export(folder: Path, data: labelled.Labelled, gateway: str, name: str, more: dict[str, Any] | None = None) -> Any:
    """What the command prints as YAML, or the line that it ends with."""
    saved.save(saved.learn(name, data.recording, data.models, alone=name in data.models), folder / saved.NAME)
    models = [model | (more or {}) if model["name"] == "model-0" else model for model in MODELS]
    (folder / "atlas.yml").write_text(yaml.safe_dump({"models": models, "max_tokens": 100}), encoding="utf-8")
    words = ["export", gateway, str(folder / saved.NAME), "--config", str(folder / "atlas.yml")]
    results = [CliRunner().invoke(one, words) for one in (app, tool())]  # in a checkout, and as it is installed
    assert results[0].output == results[1].output
    done = results[0]
    if done.exit_code:
        assert done.exit_code == 2, done.output
        lines = [line for line in done.stderr.splitlines() if line.startswith("atlas:")]
        assert len(lines) == 1, done.output
        return lines[0]
    return yaml.safe_load(done.stdout)


def test_litellm_sends_all_to_one_model_and_falls_back_by_merit(data: labelled.Labelled, tmp_path: Path) -> None:
    made = export(tmp_path, data, "litellm", "model-0")
    one = saved.load(tmp_path / saved.NAME)
    others = sorted((n for n in one.models if n != "model-0"), key=lambda n: -one.merits[one.models.index(n)])
    assert made["router_settings"] == {"model_group_alias": {"atlas": "model-0"}, "fallbacks": [{"model-0": others}]}
    listed = {one["model_name"]: one["litellm_params"] for one in made["model_list"]}
    assert listed["model-0"] == {
        "model": "openai/served-0", "api_base": "http://127.0.0.1:8000/v1", "api_key": "unused", "rpm": 60,
        "timeout": 120.0, "max_parallel_requests": 8, "max_tokens": 100, "input_cost_per_token": 1e-6,
        "output_cost_per_token": 2e-6,
    }  # fmt: skip
    assert (listed["model-1"]["api_key"], listed["model-1"]["max_tokens"]) == ("os.environ/SOME_KEY", 7)
    assert (listed["model-2"]["model"], listed["model-2"]["api_version"]) == ("azure/model-2", "2026-01-01")


def test_litellm_routes_by_task_as_the_saved_router_does(data: labelled.Labelled, tmp_path: Path) -> None:
    made = export(tmp_path, data, "litellm", "task-router")
    router = saved.load(tmp_path / saved.NAME).method
    assert isinstance(router, Router)
    assert made["router_settings"] == {"enable_tag_filtering": True}
    assert {one["model_name"] for one in made["model_list"]} == {"atlas"}
    served = {"model-0": "openai/served-0", "model-1": "openai/model-1", "model-2": "azure/model-2"}
    for task in [*set(data.tasks), "default"]:
        chosen = [p["litellm_params"]["model"] for p in made["model_list"] if task in p["litellm_params"]["tags"]]
        wanted = router.route(Query("", "" if task == "default" else task, "any"))
        assert chosen == [served[router.pool.names[wanted]]]


def test_vllm_sr_sends_all_to_one_model(data: labelled.Labelled, tmp_path: Path) -> None:
    made = export(tmp_path, data, "vllm-sr", "model-0")
    assert made["version"] == "v0.3"
    assert made["providers"]["defaults"] == {"model": "model-0"}
    [model] = made["providers"]["models"]
    assert (model["name"], model["provider_model_id"]) == ("model-0", "served-0")
    assert model["backend_refs"][0]["base_url"] == "http://127.0.0.1:8000/v1"
    [decision] = made["routing"]["decisions"]
    assert decision["rules"] == {"operator": "AND", "conditions": []}
    assert decision["modelRefs"] == [{"model": "model-0", "use_reasoning": False}]


@pytest.mark.parametrize(
    ("gateway", "name", "more", "told"),
    [
        ("litellm", "ridge-router", {}, "litellm cannot choose as ridge-router does: what it has learned of prompts"),
        ("litellm", "majority-vote", {}, "litellm cannot choose as majority-vote does: it asks several models"),
        ("vllm-sr", "task-router", {}, "vllm-sr cannot choose as task-router does"),
        ("vllm-sr", "model-2", {}, "vllm-sr sets neither Azure's form nor parameters of model-2"),
        ("litellm", "model-0", {"system": "Be brief."}, "litellm sets no system message of model-0"),
        ("litellm", "model-0", {"name": "model-9"}, "has learned with 'model-0', which is not configured"),
    ],
)
def test_what_a_gateway_cannot_do_is_told_in_one_line(
    gateway: str, name: str, more: dict[str, Any], told: str, data: labelled.Labelled, tmp_path: Path
) -> None:
    assert told in export(tmp_path, data, gateway, name, more)


def test_a_task_that_litellm_would_take_for_a_rule(data: labelled.Labelled, tmp_path: Path) -> None:
    queries = tuple(replace(q, task=f"!{q.task}") for q in data.recording.queries)
    odd = replace(data, recording=replace(data.recording, queries=queries))
    assert "litellm cannot take the task '!" in export(tmp_path, odd, "litellm", "task-router")


def test_the_command_knows_the_gateways() -> None:
    from reference_impls.cli import gateways as command  # noqa: PLC0415

    assert command.GATEWAYS == gateways.GATEWAYS
    for words, told in (
        (["export", "litellm"], "name the recommended.yml"),
        (["export", "bibtex", "r.yml"], "only a gateway takes a recommendation"),
    ):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2
        assert told in done.stderr
