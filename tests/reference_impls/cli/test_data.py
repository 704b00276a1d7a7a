"""`atlas data`: what it lists, fetches, verifies and exports, and how it ends."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reference_impls.recorded import load, registry
from reference_impls.recorded.registry import Source, SourceFile
from tests.tool import app

BODY = "".join(
    json.dumps({
        "question": f"{i} + {i}?", "ground_truth": f"A: {2 * i}",
        **{name: {"is_correct": True, "solution": f"A: {2 * i}"}
           for name in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")},
    }) + "\n"
    for i in range(3)
).encode()  # fmt: skip
PATH = "data/example_model_solutions.jsonl"


def atlas(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", *arguments], catch_exceptions=False)


@pytest.fixture
def placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with one small source, a mirror that has its file, an empty cache. The file's place in the cache."""
    file = SourceFile(PATH, len(BODY), hashlib.sha256(BODY).hexdigest())
    source = Source("small", "o/n", "c" * 40, "MIT", "Us", None, "Sums.", {"gsm8k-solutions": ""}, (file,))
    monkeypatch.setattr(registry, "sources", lambda: {"small": source})
    mirrored = tmp_path / "mirror" / source.folder / PATH
    mirrored.parent.mkdir(parents=True)
    mirrored.write_bytes(BODY)
    monkeypatch.setenv("ATLAS_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("ATLAS_DATA_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "cache" / source.folder / PATH


def test_the_real_sources_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_DATA", str(tmp_path))
    done = atlas("list")
    assert done.exit_code == 0
    for recording, source in registry.recordings().items():
        assert recording in done.stdout
        assert source.licence in done.stdout


def test_fetch_verify_and_export(placed: Path, tmp_path: Path) -> None:
    assert "no" in atlas("list").stdout.split()
    missing = atlas("verify")
    assert missing.exit_code == 1
    assert missing.stdout == f"{placed}: missing (atlas data fetch small)\n"
    done = atlas("fetch", "gsm8k-solutions")
    assert done.exit_code == 0
    assert "1 of 1 sources are complete" in done.stderr
    assert placed.read_bytes() == BODY
    assert "yes" in atlas("list").stdout.split()
    assert atlas("verify").exit_code == 0
    done = atlas("export", "gsm8k-solutions", str(tmp_path / "mine"))
    assert done.exit_code == 0
    assert "3 queries, 12 responses" in done.stderr
    assert [query.reference for query in load(tmp_path / "mine").queries] == ["0", "2", "4"]


def test_damage_is_found_and_mended(placed: Path) -> None:
    atlas("fetch")
    placed.write_bytes(BODY[:-2] + b"x\n")
    done = atlas("verify", "small")
    assert done.exit_code == 1
    assert "size or checksum is wrong" in done.stdout
    assert atlas("fetch").exit_code == 0
    assert placed.read_bytes() == BODY


def test_a_source_that_cannot_be_got_ends_with_1(placed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_DATA_MIRROR", str(placed.parent / "nowhere"))
    done = atlas("fetch")
    assert done.exit_code == 1
    assert "atlas: small: ATLAS_DATA_MIRROR=" in done.stderr
    assert "0 of 1 sources are complete" in done.stderr
    assert not placed.exists()


@pytest.mark.parametrize("command", [["fetch", "smal"], ["verify", "smal"], ["export", "smal", "x"]])
def test_an_unknown_name_is_answered_by_the_nearest(placed: Path, command: list[str]) -> None:
    done = atlas(*command)
    assert done.exit_code == 2
    assert "did you mean 'small'?" in done.stderr
    assert not placed.exists()


def test_export_writes_over_nothing(placed: Path, tmp_path: Path) -> None:
    atlas("fetch")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").touch()
    done = atlas("export", "gsm8k-solutions", str(tmp_path / "used"))
    assert done.exit_code == 2
    assert "not empty" in done.stderr
    assert placed.exists()
