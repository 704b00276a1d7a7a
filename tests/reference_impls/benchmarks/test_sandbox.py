"""Generated code can compute and do nothing else; whatever it tries scores 0 and harms nothing."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reference_impls.benchmarks import BENCHMARKS, sandbox
from reference_impls.benchmarks.sandbox import matches, run_cases

pytestmark = pytest.mark.skipif(sandbox.unavailable() is not None, reason=str(sandbox.unavailable()))
REFERENCE = {"tests": [(1, 2), (5, 6)]}


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def score(program: str) -> float:
    return BENCHMARKS["code"].score(REFERENCE, program)


def test_a_right_program_scores_one() -> None:
    assert score("def f(x):\n    return x + 1") == 1
    assert score("Sure:\n```python\nimport math\ndef f(x):\n    return math.floor(x) + 1\n```\nThat is it.") == 1
    assert score("def f(x):\n    return x + 2 if x == 5 else x + 1") == 0
    assert score("def f(x):\n    return float(x + 1)") == 0, "the type counts"


ATTACKS = {
    "endless loop": "while True: pass",
    "endless loop in f": "def f(x):\n    while True: pass",
    "fork bomb": "import os\ndef f(x):\n    while True: os.fork()",
    "subprocess": "import subprocess\ndef f(x):\n    return subprocess.run(['true']).returncode + x + 1",
    "threads": "import threading\ndef f(x):\n    threading.Thread(target=print).start()\n    return x + 1",
    "10 GB": "def f(x):\n    data = bytearray(10 * 2**30)\n    return x + 1",
    "10 GB in small parts": "def f(x):\n    data = []\n    while True: data.append(bytearray(2**20))",
    "reading a file": "def f(x):\n    return x + 1 if open('/etc/passwd').read() else 0",
    "reading through posix": "import posix\ndef f(x):\n    posix.open('/etc/passwd', 0)\n    return x + 1",
    "listing a folder": "import posix\ndef f(x):\n    posix.listdir('/')\n    return x + 1",
    "a socket": "import socket\ndef f(x):\n    socket.socket()\n    return x + 1",
    "a raw socket": "import _socket\ndef f(x):\n    _socket.socket()\n    return x + 1",
    "ending as a child without isolation does": "import os\nos._exit(97)",
    "the same by a signal handler's number": "import sys\nsys.exit(97)\n",
    "saying that it is locked in": "import os\nos.write(3, b'locked\\n')\nos._exit(97)",
    "a program of 2 MB": "#" * 2**21 + "\ndef f(x):\n    return x + 1",
    "half of a surrogate pair": "def f(x):\n    return '\ud800'",
    "sys.exit(0)": "import sys\nsys.exit(0)",
    "sys.exit(0) in f": "import sys\ndef f(x):\n    sys.exit(0)",
    "os._exit(0)": "import os\nos._exit(0)",
    "1 GB print": "def f(x):\n    for _ in range(1000): print('x' * 10**6)\n    raise ValueError",
    "1 GB to the results": "import os\ndef f(x):\n    while True: os.write(3, b'x' * 10**6)",
    "forged results": "import os\nos.write(3, b'[\"2\", \"7\"]')\nos._exit(0)",
    "equal to everything": (
        "class E(int):\n    def __eq__(self, o): return True\n    def __hash__(self): return 0\n"
        "def f(x):\n    return E(9)"
    ),
    "patching the checker": (
        "import json, builtins\njson.dumps = lambda *a, **k: 'true'\nbuiltins.all = lambda x: True\n"
        "def f(x):\n    return 0"
    ),
    "patching through frames": (
        "import sys\ndef f(x):\n    frame = sys._getframe()\n    while frame:\n"
        "        frame.f_globals['matches'] = lambda *a: True\n        frame = frame.f_back\n    return 0"
    ),
    "killing the parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
    "raising its limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))\ndef f(x):\n    return x + 1"
    ),
    "no program": "I cannot do that.",
    "deep recursion": "def f(x):\n    return f(x)",
    "a huge number": "def f(x):\n    return 10 ** (10 ** 9)",
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_score_zero_and_end_soon(attack: str) -> None:
    started, before = time.monotonic(), open_files()
    assert score(ATTACKS[attack]) == 0
    assert time.monotonic() - started < sandbox.WALL_SECONDS + 4
    assert open_files() == before, "a pipe was left open"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4_000_000, "kilobytes"


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    target = tmp_path / "x"
    program = (
        f"import os\nPATH = {str(target)!r}\n"
        "def f(x):\n    for act in (lambda: open(PATH, 'w'), lambda: os.mkdir(PATH)):\n"
        "        try:\n            act()\n        except OSError:\n            pass\n    return x + 1"
    )
    # The rest of such a program still runs; only the writing is refused.
    assert score(program) == 1
    assert not target.exists()


def test_the_expected_values_never_enter_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    exchange = sandbox._exchange

    def spy(child: Any, message: bytes) -> bytes | None:
        sent.append(message)
        return exchange(child, message)

    monkeypatch.setattr(sandbox, "_exchange", spy)
    reference = {"tests": [(11, 918273645)]}
    assert BENCHMARKS["code"].score(reference, "def f(x): return 918273640 + 5") == 1
    assert len(sent) == 1
    assert b"918273645" not in sent[0]


def test_matching_is_by_value_and_type() -> None:
    assert matches("[1, 2]", [1, 2])
    assert not matches("true", 1)
    assert not matches("1.0", 1)
    assert not matches(None, None)


def test_without_isolation_it_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(sandbox.SandboxUnavailableError) as caught:
        run_cases("def f(x): return x", "[1]")
    assert "\n" not in str(caught.value)
    assert "Linux" in str(caught.value)


def test_a_kernel_without_the_filter_runs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text("import os, sys\nsys.stdin.read()\nos._exit(97)\n")
    monkeypatch.setattr(sandbox, "_CHILD", child)
    with pytest.raises(sandbox.SandboxUnavailableError, match="seccomp"):
        run_cases("def f(x): return x", "[1]")


def test_a_child_that_ends_before_it_is_locked_in_is_no_wrong_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child.py"
    child.write_text("import os\nos._exit(3)\n")
    monkeypatch.setattr(sandbox, "_CHILD", child)
    with pytest.raises(sandbox.SandboxUnavailableError, match="status 3"):
        run_cases("def f(x): return x", "[1]")


def test_a_program_that_ends_its_process_ends_no_run() -> None:
    assert run_cases("import os\nos._exit(97)", "[1, 2]") == (None, None)
    assert run_cases("def f(x): return x", "[1, 2]") == ("1", "2")


def test_sets_come_in_the_same_order_each_time() -> None:
    program = "def f(x):\n    return list({'red', 'green', 'blue', 'black', 'white'})"
    assert len({run_cases(program, "[1]") for _ in range(6)}) == 1


def test_the_child_gives_up_its_capabilities() -> None:
    code = (
        "import ctypes, json, pathlib, sandbox_child; sandbox_child.drop_capabilities(ctypes.CDLL(None));"
        "lines = pathlib.Path('/proc/self/status').read_text().splitlines();"
        "print(json.dumps(dict(line.split(':\\t') for line in lines if line.startswith('Cap'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(sandbox.__file__).parent, capture_output=True, text=True, check=True
    )
    held = json.loads(done.stdout)
    assert {held[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}
