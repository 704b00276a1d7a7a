"""What is wrong with a configuration is told in one line, without its values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reference_impls.recording import prompts
from reference_impls.recording.config import Config, ConfigError, FieldNames, ModelConfig, load
from reference_impls.recording.prices import price_of

GOOD: dict[str, Any] = {"prompts": "p.jsonl", "models": [{"name": "m", "base_url": "http://127.0.0.1:8000/v1/"}]}
MODEL = GOOD["models"][0]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"models": []}, "prompts: is missing (write it)"),
        (GOOD | {"modles": 1}, "modles: unknown key (remove it; did you mean 'models'?)"),
        (GOOD | {"models": [MODEL | {"api_key": "sk-1"}]}, "models.0.api_key: unknown key (remove it"),
        (GOOD | {"models": [MODEL | {"base_url": "http://u:sk-1@h/v1"}]}, "models.0.base_url: is no address like"),
        (GOOD | {"models": [MODEL | {"key_env": "sk-1"}]}, "models.0.key_env: is no variable's name"),
        (GOOD | {"models": [MODEL | {"price": "sk-1"}]}, "models.0.price: is no price (write auto"),
        (GOOD | {"models": [MODEL, MODEL]}, "models: two models have the same name"),
        (GOOD | {"models": [MODEL | {"kind": "azure"}]}, "models.0: api_version is missing"),
        (GOOD | {"models": [MODEL | {"params": {"stream": True}}]}, "models.0.params: stream is set by the command"),
        (GOOD | {"scorer": {"kind": "jugde"}}, "scorer.kind: is none: write choice, number"),
        (GOOD | {"scorer": {"kind": "judge"}}, "scorer: judge goes with kind: judge"),
        (GOOD | {"scorer": {"kind": "judge", "judge": "x"}}, "scorer: the judge is none of the models"),
        (GOOD | {"scorer": {"kind": "number", "keys": ["a"]}}, "scorer: keys goes with kind: json"),
        (GOOD | {"models": [MODEL | {"pool": False}]}, "models: no model is asked the prompts"),
        (GOOD | {"scorer": {"kind": "regex", "pattern": "("}}, "scorer: pattern is no regular expression"),
        (GOOD | {"budget": {"usd": -1}}, "budget.usd: wrong value"),
    ],
)
def test_the_first_fault_in_one_line(tmp_path: Path, values: object, line: str) -> None:
    file = tmp_path / "atlas.yml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(file)
    assert str(error.value).startswith(f"{file}: {line}")
    assert "\n" not in str(error.value)
    assert "sk-1" not in str(error.value)


def test_a_vendors_price_is_taken_at_the_vendors_address_alone() -> None:
    found = price_of(ModelConfig(name="gpt-5"))
    assert found is not None
    assert 0 < found.prompt < found.completion
    assert price_of(ModelConfig(name="gpt-5", base_url="http://127.0.0.1:1/v1")) is None
    assert price_of(ModelConfig(name="no-such-model")) is None
    assert Config.model_validate(GOOD).models[0].base_url == "http://127.0.0.1:8000/v1"


def test_prompts_of_a_table_and_of_lines(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,q,reference\na,1+1,2\nb,?,\n", encoding="utf-8")
    (tmp_path / "p.jsonl").write_text(
        '{"messages": [{"role": "user", "content": "hi"}], "id": 7}\n', encoding="utf-8"
    )
    table = prompts.load(tmp_path / "p.csv", FieldNames(prompt="q"))
    assert [(p.id, p.text, p.reference) for p in table] == [("a", "1+1", "2"), ("b", "?", None)]
    assert [(p.id, p.text) for p in prompts.load(tmp_path / "p.jsonl", FieldNames())] == [("7", "hi")]
    (tmp_path / "p.csv").write_text("id,q\na,1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"p\.csv:2: has not as many cells as the header"):
        prompts.load(tmp_path / "p.csv", FieldNames(prompt="q"))
