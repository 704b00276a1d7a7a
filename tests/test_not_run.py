"""What pytest says at its end of tests that were not run, with one process and with several."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

TESTS = """
import pytest

@pytest.mark.skipif(True, reason="no moon tonight")
def test_a(): ...

def test_b():
    pytest.importorskip("no_such_module", reason="it wants a module: make module")

@pytest.mark.parametrize("i", [1, 2])
def test_c(i):
    pytest.skip("no moon tonight")

def test_d():
    pass
"""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_reasons_come_last(tmp_path: Path, processes: str) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_terminal_summary\n")
    (tmp_path / "test_x.py").write_text(TESTS)
    (tmp_path / "test_y.py").write_text("import pytest\npytest.skip('a file of them', allow_module_level=True)\n")
    options: list[str | Path] = ["-q", "-rfE", "-p", "no:cacheprovider", "--rootdir", tmp_path, "-n", processes]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path], capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    *_, one, _, two, _, three, _, count = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert one == "1 not run: a file of them"
    assert two == "1 not run: it wants a module: make module"
    assert three == "3 not run: no moon tonight"
    assert "    test_x.py::test_b\n" in done.stdout
    assert "    test_x.py (3)\n" in done.stdout
    assert count.startswith("1 passed, 5 skipped")
