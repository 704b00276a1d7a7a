"""SWE-bench's board: 25 models in one agent on 500 issues, with what each attempt has cost.

No text is recorded, and of the prompt nothing but the issue's name, so what reads prompts or responses is left out.
What a cascade would bring depends on the verifier: with a perfect one (tests that cannot err) the rows give it, and
`measuring.verifier` sweeps its errors and its price.
"""

from collections.abc import Mapping

from reference_impls.measuring.verifier import Chain, Verifier
from reference_impls.recorded import Recording
from reference_impls.recorded.readers.swe_bench import CONTRADICTED, board_totals
from reference_impls.reproductions.base import (
    CROSS_FITTED,
    Estimate,
    Json,
    Row,
    Study,
    Table,
    cross_fitted,
    fetched,
    mean_of,
)

OPUS, GEMINI = "claude-opus-4-5-20251101", "gemini-3-pro-preview-20251118"
DEEPSEEK, MINI = "deepseek-v3.2-reasoner", "gpt-5-mini"
POOL = (OPUS, GEMINI, DEEPSEEK, MINI)
"""The two best models, and the two best of those that cost less than four cents an issue."""
#: Share resolved and US dollars an issue, computed from the same file by other code.
SINGLES = {OPUS: (0.744, 0.721), GEMINI: (0.742, 0.460), DEEPSEEK: (0.600, 0.028), MINI: (0.598, 0.036)}
#: The same with a perfect verifier that costs nothing.
CASCADES = {
    (DEEPSEEK, MINI): (0.718, 0.046), (DEEPSEEK, MINI, GEMINI): (0.784, 0.225),
    (DEEPSEEK, MINI, GEMINI, OPUS): (0.820, 0.450),
}  # fmt: skip
NO_PROMPT = "it reads the prompt, of which only the issue's name is recorded"
READS_PROMPTS = (
    "cascade-routing", "classifier-router", "cluster-router", "hybrid-router", "irt-router", "knn-router",
    "linucb-router", "matrix-factorisation-router", "prompt-length", "ridge-router", "similarity-weighted-router",
    "stacked-router",
)  # fmt: skip


def rows(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:  # noqa: ARG001
    """Shares resolved beside the board's own totals, dollars, and cascades with a perfect verifier."""
    totals = board_totals(fetched(recording))
    ids = [query.id for query in recording.queries]
    found = []
    for name in recording.models:
        table = Table(recording, [name])
        resolved, dollars = table.of("scores", ids)[:, 0], table.of("costs", ids)[:, 0]
        found.append(
            Row("resolved", name, "500 issues", mean_of(resolved), published=totals[name],
                published_in="SWE-bench, data/leaderboards.json", tolerance=2e-3,
                reason="the board's details of single issues contradict its own total" if name == CONTRADICTED
                else None)
        )  # fmt: skip
        if name in SINGLES:
            found.append(
                Row("mean cost", name, "500 issues", mean_of(dollars), expected=SINGLES[name][1], tolerance=6e-4,
                    unit="USD")
            )  # fmt: skip
    for names, (quality, cost) in CASCADES.items():
        table = Table(recording, names)
        made = Chain(table.of("scores", ids), table.of("costs", ids)).run(Verifier())
        label, setting = " → ".join(names), "a perfect verifier without a price"
        found += [
            Row("resolved by a cascade", label, setting, Estimate(made.quality), expected=quality, tolerance=6e-4),
            Row("mean cost of a cascade", label, setting, Estimate(made.cost), expected=cost, tolerance=6e-4,
                unit="USD"),
        ]  # fmt: skip
    return found


STUDIES = (
    Study(
        "swe-bench",
        CROSS_FITTED,
        cross_fitted,
        rows,
        pool=POOL,
        name="two strong and two cheap models",
        axis="cost",
        left_out=dict.fromkeys(READS_PROMPTS, NO_PROMPT),
    ),
)
