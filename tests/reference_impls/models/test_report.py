"""What the built-in pools must show, and what happens where one does not."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from reference_impls.backends.builtin import load
from reference_impls.core.model import Floats
from reference_impls.models import report
from reference_impls.models.pool import POOLS, TOKENIZERS, WEIGHTS

#: Right answers, [models, tasks, queries], of four models with means .7, .65, .65 and .62 and an oracle of 1.
GOOD = np.zeros((4, 5, 100))
for _model, _right in enumerate((70, 65, 65, 62)):
    GOOD[_model, :, [(q + 25 * _model) % 100 for q in range(_right)]] = 1


def peers(scores: Floats) -> report.Measured:
    return report.Measured([load(spec.name) for spec in POOLS["peers"]], scores, np.ones_like(scores))


def unmet(scores: Floats) -> list[str]:
    return [text for met, text in report.demands("peers", peers(scores)) if not met]


def test_peers_of_like_quality_meet_what_is_asked() -> None:
    assert unmet(GOOD) == []


@pytest.mark.parametrize(
    ("change", "demand"),
    [
        (lambda s: s * np.array([1, 1, 1, 0.8])[:, None, None], "from the best to the worst model"),
        (lambda s: s * 0.7, "best single model"),
        (lambda s: np.repeat(s[:1], 4, axis=0), "oracle"),
    ],
)
def test_each_demand_can_fail(change: Callable[[Floats], Floats], demand: str) -> None:
    (told,) = unmet(change(GOOD))
    assert told.startswith(demand)


def test_a_demand_that_is_not_met_is_told_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "measure", lambda pool: peers(np.zeros_like(GOOD)))  # noqa: ARG005
    for slow in ("variety", "diversity", "greedy_seconds"):
        monkeypatch.setattr(report, slow, lambda model: 0.5)  # noqa: ARG005
    monkeypatch.setattr("sys.argv", ["report", "peers"])
    with pytest.raises(SystemExit) as ended:
        report.main()
    assert ended.value.code == 1
    assert "NOT MET best single model: 0.000" in capsys.readouterr().out


def test_correlation_is_that_within_tasks() -> None:
    scores = np.zeros((2, 2, 40))
    scores[:, 0] = 1  # the first task is easy for both, which is no correlation
    scores[0, 1, ::2] = 1
    scores[1, 1, ::4] = scores[1, 1, 1::4] = 1
    assert np.atleast_2d(np.corrcoef(scores.reshape(2, -1)))[0, 1] > 0.3
    assert report.Measured([], scores, scores).together[0, 1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("pool", POOLS)
def test_cards_say_what_was_trained(pool: str) -> None:
    for spec in POOLS[pool]:
        card = json.loads((WEIGHTS / f"{spec.name}.json").read_text(encoding="utf-8"))
        for field in ("name", "role", "tokenizer", "layers", "width", "heads", "mixture", "knows", "steps", "seed"):
            assert card[field] == getattr(spec, field), (spec.name, field)
        assert tuple(card.get("parts", ())) == spec.parts
        assert load(spec.name).size * 1e6 == card["parameters"]
        assert len(load(spec.name).vocabulary) == TOKENIZERS[spec.tokenizer][1]


def test_the_committed_peers_are_of_like_quality() -> None:
    cards = [json.loads((WEIGHTS / f"{spec.name}.json").read_text(encoding="utf-8")) for spec in POOLS["peers"]]
    means = [np.mean(list(card["test_scores"].values())) for card in cards]
    low, high = report.PEER_BEST
    assert low <= max(means) <= high
    assert max(means) - min(means) < report.PEER_SPREAD
