"""Gaps: each kind is found where it is, and nowhere else."""

from __future__ import annotations

import pytest
import typer

from scripts.cli.upkeep import gaps as command
from scripts.upkeep.gaps import find
from tests.conftest import MakeAtlas, fields

FULL = {
    "ids": {"arxiv": "2406.00001"},
    "venue": {"name": "ICLR", "year": 2025, "track": "main"},
    "links": {"code": ["https://github.com/a/b"]},
    "family": "unsupervised-deferral",
    "attributes": {"supervision": "unsupervised", "access": "text"},
    "relations": {"compares_with": ["doe2024b"], "sources": {"https://arxiv.org/abs/2406.00001": ["doe2024b"]}},
    "summary": "Asks a small model first. Half, 50%, of the calls are saved.",
}


def test_each_gap_is_named_once(make_atlas: MakeAtlas) -> None:
    bare = {
        name: value for name, value in fields(title="Asking", authors=[]).items() if name not in ("ids", "family")
    }
    corpus = make_atlas(
        {
            "doe2024a": fields(**FULL),
            "doe2024b": {**bare, "date": "2024-06", "ids": {"arxiv": "2406.00002"}, "venue": {"name": "ICLR"}},
        }
    )
    found = {name: keys for name, (_, keys) in find(corpus, 2026).items() if keys}
    assert "doe2024a" not in [key for keys in found.values() for key in keys]
    assert {"authors", "day", "track", "code", "family", "supervision", "access", "relations"} <= set(found)
    assert not {"venue", "identifier", "vocabulary"} & set(found)


def test_the_command_counts_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    command(kind="")
    counted = dict(line.split()[:2] for line in capsys.readouterr().out.splitlines())
    command(kind="track")
    assert len(capsys.readouterr().out.splitlines()) == int(counted["track"])
    with pytest.raises(typer.Exit):
        command(kind="no-such")
    assert "one of: checked" in capsys.readouterr().err
