"""How long `atlas record` takes: `python -m tests.bench_record`.

450 requests, 16 at once, against a server that answers each after 100 ms: 2.9 s at best, and 7 s at most.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from reference_impls.recorded import files
from reference_impls.serving.load import running

LIMIT = 7.0


def seconds(requests: int, concurrency: int, delay: float) -> tuple[float, float]:
    """From the command's start to its end, every answer stored and the folder written; and of processor time."""
    own = ("-m", "reference_impls.serving.load", "--back-end", "--seconds", str(delay))
    with tempfile.TemporaryDirectory() as made, running(*own) as behind:
        folder = Path(made)
        assert behind.stdout is not None
        url = f"http://127.0.0.1:{int(behind.stdout.readline())}/v1"
        lines = (json.dumps({"prompt": f"What is {i} + 1?", "reference": "4"}) for i in range(requests))
        (folder / "prompts.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        model = {"name": "fake", "base_url": url, "price": {"prompt": 1, "completion": 2}, "concurrency": concurrency}
        values = {"prompts": "prompts.jsonl", "budget": {"usd": 10}, "scorer": {"kind": "number"}, "models": [model]}
        (folder / "atlas.yml").write_text(yaml.safe_dump(values), encoding="utf-8")
        words = ("-c", "from reference_impls.cli import main; main()", "record", str(folder / "atlas.yml"))
        began = time.perf_counter()
        run = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, env=os.environ | {"COLUMNS": "120"}, check=False
        )
        took = time.perf_counter() - began
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)  # the server runs on, and is not among them
        if run.returncode or len(files.load(folder / "atlas-outcomes").responses) != requests:
            raise SystemExit(f"atlas record ended with {run.returncode}: {run.stderr}")
    return took, spent.ru_utime + spent.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=450)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds that the server takes")
    options = parser.parse_args()
    took, busy = seconds(options.requests, options.concurrency, options.delay)
    least = options.requests / options.concurrency * options.delay
    print(
        f"{options.requests} requests, {options.concurrency} at once, {1000 * options.delay:g} ms each:"
        f" {took:.1f} s (at least {least:.1f} s), of them {busy:.1f} s of processor time"
    )
    raise SystemExit(took >= LIMIT)


if __name__ == "__main__":
    main()
