"""Fixtures that several tests share: the real Atlas, read once, and small ones in a temporary folder."""

from __future__ import annotations

import datetime
import re
import shutil
import signal
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import Phase, settings

from scripts.model import Corpus
from scripts.model.canonical import emit

ROOT = Path(__file__).resolve().parents[1]
# the real entries were checked before this day; a fixed one keeps the tests the same every year
TODAY = datetime.date(2026, 12, 1)

# the same examples in every run, and no clock: the machine may be busy
settings.register_profile(
    "atlas",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=80,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
settings.load_profile("atlas")

# A shell without job control lets what it runs in the background ignore Ctrl-C, and the tests' own processes with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

Entries = Mapping[str, str | bytes | dict[str, Any]]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers (`make test`) a file's tests stay together: what they share is then made once. Files of
    browser tests, which take longest, go first, to whichever worker is free. Each worker has its own browser, and
    all have one site (`tests/browser/conftest.py`).
    """
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  not everywhere that these tests run

    class ByFile(LoadScopeScheduling):  # type: ignore[misc,unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.partition("::")[0]

        def _assign_work_unit(self, node: Any) -> None:
            first = next((file for file in self.workqueue if file.startswith("tests/browser/")), None)
            if first is not None:
                self.workqueue.move_to_end(first, last=False)
            super()._assign_work_unit(node)

    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which tests were not run, and why, a reason a paragraph; pytest itself gives a line a place."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        file, _, test = report.nodeid.partition("::")
        reasons.setdefault(told.removeprefix("Skipped: "), {}).setdefault(file, []).append(test)
    if not reasons:
        return
    terminalreporter.write_sep("=", "not run, and why")
    for reason, files in sorted(reasons.items()):
        terminalreporter.write_line(f"{sum(map(len, files.values()))} not run: {reason}")
        for file, tests in sorted(files.items()):
            name = f"{file}::{tests[0]}" if len(tests) == 1 and tests[0] else f"{file} ({len(tests)})"
            terminalreporter.write_line(f"    {name}")


class MakeAtlas(Protocol):
    """Writes a small Atlas of the given entries and reads it."""

    def __call__(self, entries: Entries, *, site: bool = False) -> Corpus: ...


def fields(**changes: Any) -> dict[str, Any]:
    """The fields of an entry without any finding; a change to None leaves a field out."""
    complete = {
        "title": "Deferral Without Regret: Asking a Larger Model Late",
        "authors": ["Jane Doe", "Richard Roe"],
        "date": "2024-06-26",
        "kind": "method",
        "categories": ["after/cascade"],
        "summary": (
            "Asks a small model first and a large one only where the answers of the small one disagree. The threshold"
            " on the disagreement is set on a calibration set. Half of the calls are saved at equal accuracy."
        ),
        "checked": {"date": "2026-11-22", "against": ["https://arxiv.org/abs/2406.00001"]},
    }
    return {key: value for key, value in {**complete, **changes}.items() if value is not None}


def entry_text(**changes: Any) -> str:
    """`fields` as a file's canonical text."""
    return emit(fields(**changes))


def write_entries(root: Path, entries: Entries) -> None:
    """Writes entries below `root`/papers. A name with a slash is a path there, any other one a key."""
    for name, content in entries.items():
        year = re.search(r"\d{4}", name)
        place = name if "/" in name else f"{year.group() if year else '2024'}/{name}.yml"
        path = root / "papers" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        text = emit(content) if isinstance(content, dict) else content
        path.write_bytes(text.encode() if isinstance(text, str) else text)


@cache
def real_corpus() -> Corpus:
    """The real Atlas; for property tests, which would print a fixture in full. Tests must not change it."""
    return Corpus.load(ROOT)


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The real Atlas. Tests must not change it."""
    return real_corpus()


def small_atlas(root: Path, entries: Entries, *, site: bool = False) -> Corpus:
    """An Atlas of `entries` at `root` with the real taxonomy; with `site`, one that can be rendered."""
    # the claims, the glossary and the guides speak of papers that a small Atlas lacks
    speaking = shutil.ignore_patterns("claims.yml", "verdicts.json", "glossary.yml", "guides.yml")
    shutil.copytree(ROOT / "taxonomy", root / "taxonomy", ignore=speaking, dirs_exist_ok=True)
    (root / "papers").mkdir(exist_ok=True)
    shutil.copy(ROOT / "papers" / "schema.json", root / "papers")
    if site and not (root / "site_src").exists():
        (root / "site_src").symlink_to(ROOT / "site_src")
    write_entries(root, entries)
    return Corpus.load(root)


@pytest.fixture
def make_atlas(tmp_path: Path) -> MakeAtlas:
    """Makes a `small_atlas` in `tmp_path`/atlas."""
    return partial(small_atlas, tmp_path / "atlas")
