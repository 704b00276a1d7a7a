"""What methods hold for vocabularies of real sizes: it grows with the tokens, not with their pairs."""

import subprocess
import sys

import numpy as np
import pytest

from reference_impls.during_inference import packllm
from reference_impls.measuring import vocabulary_cost


def megabytes(*arguments: str) -> dict[str, float]:
    """By method, as the command prints them."""
    command = [sys.executable, "-m", "reference_impls.measuring.vocabulary_cost", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0]: float(row[row.index("MB") - 1]) for row in rows}


def test_twice_the_tokens_take_at_most_about_twice_the_memory() -> None:
    methods = ("abe", "packllm")
    small, large = (megabytes(*methods, "--size", str(size)) for size in (5_000, 10_000))
    assert set(small) == set(methods)
    for name in methods:
        assert large[name] < 2.5 * small[name] + 1, "a table of all pairs takes four times as much"


def test_the_vocabularies_differ_in_a_half() -> None:
    one, two = (vocabulary_cost.vocabulary(4_000, seed) for seed in (0, 1))
    assert len(one) == len(set(one)) == 4_000
    assert vocabulary_cost.vocabulary(4_000, 0) == one
    assert 0.4 < len(set(one) & set(two)) / 4_000 < 0.6


def test_the_map_between_large_vocabularies_computes_no_table_of_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> int:
        raise AssertionError("a distance to every token")

    one, two = (vocabulary_cost.vocabulary(6_000, seed) for seed in (0, 1))
    monkeypatch.setattr(packllm, "_nearest", never)
    mapped = packllm.token_map(one, two, 0)
    assert mapped.shape == (6_000,)
    same = [i for i, token in enumerate(one) if token in set(two)]
    assert [two[i] for i in mapped[same]] == [one[i] for i in same]
    assert np.all(mapped[1:] > 0), "nothing but the end maps to the end"


@pytest.mark.parametrize(("budget", "status"), [(5.0, 0), (0.0, 1)])
def test_the_exit_status(
    budget: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vocabulary_cost, "SECONDS", 1000 * budget)
    monkeypatch.setattr("sys.argv", ["vocabulary_cost", "unite", "--size", "600"])
    with pytest.raises(SystemExit) as ended:
        vocabulary_cost.main()
    assert ended.value.code == status
    assert ("TOO MUCH" in capsys.readouterr().out) == bool(status)
