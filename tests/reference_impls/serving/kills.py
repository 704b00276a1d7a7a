"""Kills an endpoint at random moments and looks for what it had acknowledged.

python -m tests.reference_impls.serving.kills --times 50
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
from pathlib import Path

import openai

from reference_impls.serving.state import decisions
from tests.reference_impls.backends.server import serving
from tests.reference_impls.forked import forks
from tests.reference_impls.serving.endpoint import SECRET, ask, config, speaks


def kill_at_random(folder: Path, times: int, seed: int) -> tuple[int, int]:
    """Starts an endpoint on the same state again and again, and kills it between 0 and 100 ms after its first
    acknowledgement.

    Returns:
        scores that were acknowledged, and how many of them are not there with the right value at the end.
    """
    rng = random.Random(seed)  # noqa: S311
    told: dict[str, float] = {}
    with serving(speaks) as upstream, forks(folder, {"MY_KEY": SECRET}) as tool:
        words = ("--config", config(folder, upstream.url, key_env="MY_KEY"), "--state", folder / "s.sqlite")
        for _ in range(times):
            process = tool.start("serve", "--port", "0", "--method", "linucb-router", *words)
            url = process.line("serving at ").partition("serving at ")[2].partition(";")[0]
            first = threading.Event()
            asking = threading.Thread(target=_teach, args=(url, told, rng.random(), first))
            asking.start()
            first.wait(60)
            threading.Event().wait(rng.random() * 0.1)  # the moment is what is drawn
            process.kill()
            asking.join()
    for path in folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), f"{path} holds the key"
    kept = {line["decision"]: line["score"] for line in decisions(folder / "s.sqlite")}
    return len(told), sum(kept.get(name) != score for name, score in told.items())


def _teach(url: str, told: dict[str, float], score: float, first: threading.Event) -> None:
    """Asks and scores until nobody answers; `told` gets what was acknowledged."""
    with openai.OpenAI(base_url=url, api_key="unused", max_retries=0, timeout=60) as asker:
        try:
            while True:
                name = ask(asker)[1]["x-atlas-decision"]
                asker.post("/feedback", body={"decision": name, "score": score}, cast_to=object)
                told[name] = score
                first.set()
        except openai.APIConnectionError:
            return
        finally:
            first.set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told, lost = kill_at_random(Path(folder), options.times, options.seed)
    print(f"{options.times} kills, {told} scores acknowledged, {lost} lost")
    raise SystemExit(lost > 0 or told == 0)


if __name__ == "__main__":
    main()
