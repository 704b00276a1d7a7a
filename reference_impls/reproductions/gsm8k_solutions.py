"""OpenAI's example solutions to GSM8K: what a verifier brings beside four times and thirty times the parameters."""

from collections.abc import Mapping

from reference_impls.recorded import Recording
from reference_impls.reproductions.base import CROSS_FITTED, UNPAID, Json, Row, Study, cross_fitted, mean_of

#: Accuracy computed from the same file by other code, in per cent with two decimals.
EXPECTED = {
    "6b_finetuning": 21.68, "6b_verification": 39.04, "175b_finetuning": 34.72, "175b_verification": 56.25,
}  # fmt: skip


def rows(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:  # noqa: ARG001
    """Accuracies, what the verifier adds at either size, and the verified small model against the plain large one."""
    scores = {name: recording.scores[:, m] for m, name in enumerate(recording.models)}
    found = [
        Row("accuracy", name, "all 1319 test questions", mean_of(scores[name]), expected=value / 100, tolerance=5e-5)
        for name, value in EXPECTED.items()
    ]
    pairs = [
        ("6b_verification", "6b_finetuning"),
        ("175b_verification", "175b_finetuning"),
        ("6b_verification", "175b_finetuning"),
    ]
    found += [
        Row(
            "difference of accuracies", better, f"over {base}, on the same questions",
            mean_of(scores[better] - scores[base]), expected=(EXPECTED[better] - EXPECTED[base]) / 100,
            tolerance=1e-4,
        )
        for better, base in pairs
    ]  # fmt: skip
    return found


STUDIES = (
    Study(
        "gsm8k-solutions",
        CROSS_FITTED,
        cross_fitted,
        rows,
        left_out={"cascade-routing": UNPAID, "frugalgpt": UNPAID},
    ),
)
