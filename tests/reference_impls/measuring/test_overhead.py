"""The time that token-level methods spend outside the models. How small it is, the command says and no test: a busy
machine must not decide it.
"""

import pytest

from reference_impls.measuring import overhead


@pytest.mark.parametrize("method", ["gac", "abe"])
def test_a_share_of_the_time_is_outside_the_forward_passes(method: str) -> None:
    assert 0 < overhead.overhead(method, queries=1) < 1


def test_methods_that_share_a_vocabulary_get_models_that_do() -> None:
    assert overhead.pools("logit-averaging") == overhead.SHARED_POOLS
    assert overhead.pools("gac") == overhead.POOLS


@pytest.mark.parametrize(("share", "status"), [(0.2, 0), (0.3, 1)])
def test_the_exit_status(
    share: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(overhead, "overhead", lambda *_: share)
    monkeypatch.setattr("sys.argv", ["overhead", "gac"])
    with pytest.raises(SystemExit) as ended:
        overhead.main()
    assert ended.value.code == status
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(overhead.POOLS)
    assert all(("MORE THAN A QUARTER" in line) == bool(status) for line in lines)
