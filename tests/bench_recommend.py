"""What `atlas recommend` takes with all methods that fit: `python -m tests.bench_recommend`.

Two sizes, each of multiple-choice questions of four tasks with models that are good at some: 300 prompts and 3 models
in 2 minutes and 1 GB at most, and 12,000 prompts and 7 models in 15 minutes, each on two cores that are free.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from reference_impls.advising.simulation import ROUTER, World
from reference_impls.recorded import save

#: Prompts, models: seconds and, where something is promised, MiB at most.
LIMITS: dict[tuple[int, int], tuple[int, int | None]] = {(300, 3): (120, 1024), (12_000, 7): (900, None)}


def folder(under: Path, prompts: int, models: int) -> Path:
    """A recording of so many."""
    right = np.resize(ROUTER.right, (len(ROUTER.right), models))
    made = World(right, ROUTER.shared, tuple(0.001 * (1 + i) for i in range(models)))
    save(made.recording(prompts, 0), under / "outcomes")
    return under / "outcomes"


def measure(data: Path, jobs: int) -> tuple[float, float, int]:
    """Seconds, seconds of processor time, and the most bytes that all processes held at once."""
    words = ("-c", "from reference_impls.cli import main; main()", "recommend", str(data), "--jobs", str(jobs))
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        most, spent = 0, dict[int, float]()
        over = threading.Event()

        def look() -> None:
            nonlocal most
            while not over.wait(0.25):
                held = 0
                for one in _family(run.pid):
                    try:
                        held += one.memory_full_info().pss
                        times = one.cpu_times()
                    except psutil.Error:
                        continue
                    spent[one.pid] = times.user + times.system
                most = max(most, held)

        looking = threading.Thread(target=look)
        looking.start()
        said = run.communicate()[1].decode()
        over.set()
        looking.join()
    if run.returncode:
        raise SystemExit(f"atlas recommend ended with {run.returncode}: {said}")
    return time.perf_counter() - began, sum(spent.values()), most


def _family(pid: int) -> list[psutil.Process]:
    """A process and all that it has started."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="only the smaller size")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    options = parser.parse_args()
    good = True
    for (prompts, models), (limit, memory) in LIMITS.items():
        if options.small and prompts > min(LIMITS)[0]:
            continue
        with tempfile.TemporaryDirectory() as made:
            took, busy, held = measure(folder(Path(made), prompts, models), options.jobs)
        good &= took <= limit and (memory is None or held <= memory << 20)
        print(
            f"{prompts:,} prompts, {models} models: {took:.0f} s (at most {limit}), {busy:.0f} s of processor time,"
            f" {held / 2**20:.0f} MiB" + (f" (at most {memory})" if memory else ""),
            flush=True,
        )
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
