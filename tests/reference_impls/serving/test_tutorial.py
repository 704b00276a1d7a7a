"""Every command of the tutorial's page, in its order, in one shell."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

PAGE = ROOT / "site_src" / "pages" / "your-models.md.j2"
#: Waits until an endpoint answers; a reader takes longer to type the next command.
WAIT = "until curl -sf http://127.0.0.1:{port}/health; do sleep 0.1; done"


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    ports = {old: str(free()) for old in ("8091", "8080", "8081")}
    for old, new in ports.items():
        page = page.replace(old, new)
    for name, content in re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', page, re.DOTALL):
        (tmp_path / name).write_text(content, encoding="utf-8")
    commands = [
        line.removeprefix("$ ") for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines() if not line.startswith("$ pip ")
    ]  # fmt: skip
    assert len(commands) == 13
    lines = [f'set -e; atlas() {{ "{sys.executable}" -m scripts.cli "$@"; }}; trap "kill 0" EXIT']
    for command in commands:
        lines.append(command)
        if command.endswith("&"):
            found = re.search(r"--port (\d+)", command)
            assert found
            lines.append(WAIT.format(port=found[1]))
    lines.append("echo all of them")
    run = subprocess.run(
        ["/bin/bash", "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        start_new_session=True, check=False,
    )  # fmt: skip
    assert "all of them" in run.stdout, run.stdout + run.stderr
    assert "Use one model: " in run.stdout, "eight prompts tell nothing else"
    assert (tmp_path / "atlas-outcomes-advice" / "report.html").is_file()
    assert json.loads((tmp_path / "answer.json").read_text("utf-8"))["atlas"]["decision"]
    line = json.loads((tmp_path / "log.jsonl").read_text("utf-8"))
    assert line["score"] == 1.0
    assert sorted(line["probabilities"].values()) == [0.1, 0.9]
    assert "doubly robust" in run.stdout
