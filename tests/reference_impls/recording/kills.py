"""Kills `atlas record` at random moments, those of the probe before the run among them, and looks for what was paid.

python -m tests.reference_impls.recording.kills --times 50
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reference_impls.recording.probing import ASKED
from tests.reference_impls.backends.server import Answer, choice, said, serving
from tests.reference_impls.forked import forks

SECRET = "sk-secret-0123456789abcdef"  # noqa: S105
#: Of one answer: 10 tokens read and 5 written.
BILL = 20e-6
CONCURRENCY = 4


@dataclass(frozen=True)
class Found:
    """What came of the kills.

    Attributes:
        kills: that met a process at work.
        again: prompts that were asked again though their answer was stored at the kill before.
        lost: answers that were stored at some kill and are not there, or are others, at the end.
        unpaid: US dollars that were billed and do not stand in the store's account; 0 or less is right.
        prompts, answered: asked for, and in the recording at the end.
        keys: files that hold the key.
    """

    kills: int
    again: int
    lost: int
    unpaid: float
    prompts: int
    answered: int
    keys: int


def kill_at_random(folder: Path, times: int, seed: int) -> Found:
    """Records, and is killed up to 30 ms after the first to the ninth request of each run; then runs to the end."""
    rng, lock = random.Random(seed), threading.Lock()  # noqa: S311
    asked: list[str] = []
    wanted = threading.Semaphore(0)

    def quick(body: dict[str, Any]) -> Answer:
        if "messages" not in body:  # who asked was killed before all of it was sent
            return 0, None
        prompt = body["messages"][-1]["content"]
        with lock:
            asked.append(prompt)
        wanted.release()
        time.sleep(0.002)
        logs = {"content": [{"token": "It", "logprob": -0.5}]}
        return 200, said(choice(f"It is {prompt.partition('+')[0]}.", logprobs=logs), prompt=10, completion=5)

    prompts = 6 * times + 20
    (folder / "prompts.jsonl").write_text("".join(json.dumps({"prompt": f"{i}+0"}) + "\n" for i in range(prompts)))
    store, stored, again, kills = folder / "atlas-outcomes.sqlite", dict[str, str](), 0, 0
    with serving(quick) as server, forks(folder, {"MY_KEY": SECRET}) as tool:
        model = {
            "name": "m", "base_url": server.url, "key_env": "MY_KEY", "price": {"prompt": 1, "completion": 2},
            "concurrency": CONCURRENCY,
        }  # fmt: skip
        values = {"prompts": "prompts.jsonl", "budget": {"usd": 5}, "models": [model], "logprobs": True}
        (folder / "atlas.yml").write_text(yaml.safe_dump(values), encoding="utf-8")
        for _ in range(times):
            begun = len(asked)
            run = tool.start("record", folder / "atlas.yml")
            for _ in range(rng.randint(1, 9)):
                while not wanted.acquire(timeout=0.05):
                    if not run.alive():
                        break
            time.sleep(rng.random() * 0.03)  # the moment is what is drawn
            kills += run.alive()
            run.kill()
            while wanted.acquire(blocking=False):
                pass
            with lock:
                again += len(set(asked[begun:]) & set(stored))
            stored |= _stored(store)
        begun = len(asked)
        tool.start("record", folder / "atlas.yml").wait()
        again += len(set(asked[begun:]) & set(stored))
    kept = _stored(store)
    lines = (folder / "atlas-outcomes" / "responses.jsonl").read_text(encoding="utf-8").splitlines()
    with closing(sqlite3.connect(store)) as db:
        account = db.execute("SELECT total(dollars) FROM spent").fetchone()[0]
    keys = sum(SECRET.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    lost = sum(kept.get(prompt) != text for prompt, text in stored.items())
    assert max(Counter(asked).values()) <= times + 1
    return Found(kills, again, lost, len(asked) * BILL - account - 1e-12, prompts, len(lines), keys)


def _stored(file: Path) -> dict[str, str]:
    """The text of every stored answer by its prompt, which it repeats, and what the probe has found."""
    if not file.is_file():
        return {}
    with closing(sqlite3.connect(file)) as db:
        if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'answers'").fetchone()[0]:
            return {}
        rows = [json.loads(answer) for (answer,) in db.execute("SELECT answer FROM answers")]
    texts = [row["choices"][0]["message"]["content"] for row in rows if "choices" in row]
    probes = [(ASKED, json.dumps(row)) for row in rows if "choices" not in row]
    return dict(probes) | {f"{text.removeprefix('It is ').removesuffix('.')}+0": text for text in texts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_at_random(Path(folder), options.times, options.seed)
    print(found)
    raise SystemExit(bool(found.again or found.lost or found.unpaid > 0 or found.keys or not found.kills))


if __name__ == "__main__":
    main()
