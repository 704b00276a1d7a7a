"""A built-in model of which a byte was changed is refused; the list of checksums is complete."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_impls.backends.builtin import WEIGHTS, BuiltinModel
from reference_impls.models.checksums import DamagedModelError, listed, write_sums

FILES = ("sprout.onnx", "sprout.json", "leading.tokenizer.json")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A copy of one model's files and of the list."""
    for name in (*FILES, "SHA256SUMS"):
        shutil.copy(WEIGHTS / name, tmp_path)
    return tmp_path


def test_every_file_of_the_pool_is_listed() -> None:
    there = {path.name for path in WEIGHTS.iterdir() if path.suffix in {".onnx", ".json"}}
    assert set(listed(WEIGHTS)) == there


@given(st.sampled_from(FILES), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_changed_byte_is_enough(weights: Path, name: str, place: float, flip: int) -> None:
    path = weights / name
    right = path.read_bytes()
    wrong = bytearray(right)
    wrong[int(place * len(wrong))] ^= flip
    path.write_bytes(wrong)
    with pytest.raises(DamagedModelError, match=name.replace(".", r"\.")) as caught:
        BuiltinModel("sprout", weights)
    assert "\n" not in str(caught.value)
    path.write_bytes(right)
    BuiltinModel("sprout", weights)


def test_a_truncated_model_and_one_that_is_not_listed_are_refused(weights: Path) -> None:
    with (weights / "sprout.onnx").open("rb+") as stream:
        stream.truncate(1000)
    with pytest.raises(DamagedModelError, match=r"sprout\.onnx"):
        BuiltinModel("sprout", weights)
    (weights / "SHA256SUMS").write_text("")
    with pytest.raises(DamagedModelError):
        BuiltinModel("sprout", weights)


def test_the_list_is_written_anew_after_training(weights: Path) -> None:
    (weights / "sprout.json").write_bytes((weights / "sprout.json").read_bytes() + b"\n")
    write_sums(weights)
    assert set(listed(weights)) == set(FILES)
    assert BuiltinModel("sprout", weights).digest == BuiltinModel("sprout").digest, "a card decides nothing"


def test_another_tokenizer_is_another_model(weights: Path) -> None:
    path = weights / "leading.tokenizer.json"
    path.write_bytes(path.read_bytes() + b" ")
    write_sums(weights)
    assert BuiltinModel("sprout", weights).digest != BuiltinModel("sprout").digest
