"""The common reader of answers on the real texts of the public sources; skipped by name without the mirror."""

from pathlib import Path

import pytest

from reference_impls.recorded import registry
from reference_impls.recorded.agreement import difference, gsm8k, mmlu_pro


@pytest.mark.parametrize(("name", "texts"), [("zeroeval-gsm8k", 15_828), ("routellm-gsm8k", 2_614)])
def test_at_least_as_many_are_right_as_by_the_sources_own_reader(
    mirror: Path, tmp_path: Path, name: str, texts: int
) -> None:
    assert mirror.is_dir()
    found = gsm8k(name, cache=tmp_path)
    assert found.texts == texts
    assert found.ours >= found.theirs
    lost = found.kinds["right by the source's reader only"]
    assert lost < 0.005 * texts, "times of day where an hour was asked for, and scores that are wrong"


def test_a_sample_of_mmlu_pro_agrees_and_every_difference_has_a_known_kind(mirror: Path) -> None:
    folder = mirror / registry.source("mmlu-pro").folder / "eval_results"
    if not folder.is_dir():
        pytest.skip("the mirror here does not hold MMLU-Pro")
    found = mmlu_pro(folder, every=150)
    assert len(found) == 18
    stated, same = sum(f.stated for f in found.values()), sum(f.stated_same for f in found.values())
    assert stated > 1_200
    assert same / stated >= 0.99
    assert sum(f.same for f in found.values()) / sum(f.texts for f in found.values()) >= 0.95


@pytest.mark.parametrize(
    ("text", "theirs", "ours", "kind"),
    [
        ("So it is F.", None, "F", "theirs reads only"),
        ("The answer is (C) and (D).", "C", "C,D", "several letters"),
        ("The answer is (A). Wait, the answer is (B).", "A", "B", "several answers"),
        ("as E = 3", "E", None, "last capital"),
        ("and so on", "G", None, "nowhere"),
    ],
)
def test_differences_are_told_apart(text: str, theirs: str | None, ours: str | None, kind: str) -> None:
    assert kind in difference(text, theirs, ours)
