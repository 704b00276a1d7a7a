"""models.yml of a recording: what its models cost, and how they were asked about others' answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from reference_impls.core.model import Dress, Price
from reference_impls.core.suggest import nearest
from reference_impls.recorded.lines import LineError, Told, shown

MAX_FILE = 1024 * 1024
"""Bytes of the file."""
FORM = "write `model: {prompt: 0.5, completion: 1.5}`, US dollars per million tokens"
DRESSES: tuple[Dress, ...] = ("chat", "terse")


def write(prices: Mapping[str, Price], dresses: Mapping[str, Dress]) -> str:
    """The file's text."""
    values: dict[str, Any] = {
        model: {"prompt": price.prompt, "completion": price.completion} for model, price in prices.items()
    }
    for model, dress in dresses.items():
        values.setdefault(model, {})["dress"] = dress
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def read(file: Path, models: Collection[str], told: Told | None = None) -> tuple[dict[str, Price], dict[str, Dress]]:
    """The prices and dresses of models.

    Walks the nodes of the YAML document, so that no alias and no tag ever becomes an object.

    Raises:
        ValueError: ``file:line: what is wrong (how to mend it)``, where nobody is `told` of it.
    """

    def wrong(node: yaml.Node, what: str, mend: str) -> LineError:
        return LineError(file, node.start_mark.line + 1, what, mend)

    prices: dict[str, Price] = {}
    dresses: dict[str, Dress] = {}
    seen: set[str] = set()

    def take(key: yaml.Node, value: yaml.Node) -> None:
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.MappingNode):
            raise wrong(key, "no model with a price", FORM)
        model = str(key.value)
        if model not in models:
            raise wrong(
                key, f"responses.jsonl has no model {shown(model)}", f"remove it{nearest(model[:512], models)}"
            )
        if model in seen:
            raise wrong(key, f"the model {shown(model)} stands twice", "remove one")
        seen.add(model)
        price: dict[str, float] = {}
        for part, amount in value.value:
            name = str(part.value) if isinstance(part, yaml.ScalarNode) else ""
            if name == "dress" and model not in dresses:
                if not isinstance(amount, yaml.ScalarNode) or amount.value not in DRESSES:
                    raise wrong(amount, f"the dress of {shown(model)} is none", f"write {' or '.join(DRESSES)}")
                dresses[model] = amount.value
                continue
            if name not in {"prompt", "completion"} or name in price:
                raise wrong(part, f"{shown(name)} where 'prompt' or 'completion' is wanted, once each", FORM)
            price[name] = _dollars(amount) if isinstance(amount, yaml.ScalarNode) else np.nan
            if not 0 <= price[name] <= 1e9:
                raise wrong(amount, f"the price of {shown(model)} is no amount", FORM)
        if len(price) == 2:
            prices[model] = Price(**price)
        elif price or model not in dresses:
            raise wrong(value, f"the price of {shown(model)} is not complete", FORM)

    try:
        root = _yaml(file)
        for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
            try:
                take(key, value)
            except LineError as error:
                if told is None:
                    raise
                told(error)
        if not seen:
            raise wrong(root, "holds no price", FORM) if root else LineError(file, 1, "holds no price", FORM)
    except LineError as error:
        if told is None:
            raise
        told(error)
    return prices, dresses


def _dollars(node: yaml.ScalarNode) -> float:
    try:
        return float(node.value)
    except ValueError:
        return np.nan


def _yaml(file: Path) -> yaml.Node | None:
    if not file.is_file():
        raise ValueError(f"{file}: no plain file (replace it by one)")
    if file.stat().st_size > MAX_FILE:
        raise ValueError(f"{file}: larger than {MAX_FILE} bytes (it holds prices only)")
    raw = file.read_bytes()
    try:
        node: yaml.Node | None = yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LineError(
            file, line, f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"not valid YAML: {error.problem or error.context}"
        raise LineError(
            file, mark.line + 1 if mark else 1, what, "look at this line and the one before it"
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else "holds a character that YAML has not"
        raise LineError(file, 1, what, "write plain text") from error
    return node
