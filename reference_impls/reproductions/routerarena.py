"""RouterArena's sample: the cheaper model is also the better one, and a router has to learn to call it."""

from collections.abc import Mapping

from reference_impls.recorded import Recording
from reference_impls.reproductions.base import CROSS_FITTED, Estimate, Json, Row, Study, Table, cross_fitted, mean_of

CHEAP, DEAR = "gemini-2.0-flash-001", "claude-3-haiku-20240307"
#: Mean score and US dollars a query, computed from the same files by other code.
EXPECTED = {CHEAP: (0.690, 4.75e-5), DEAR: (0.523, 1.76e-4)}


def rows(recording: Recording, runs: Mapping[str, Json]) -> list[Row]:
    """Base points; then what every method that learns makes of a model that is better and cheaper."""
    found = []
    for name, (score, cost) in EXPECTED.items():
        table, ids = Table(recording, [name]), [query.id for query in recording.queries]
        setting = f"{len(ids)} queries"
        found += [
            Row("mean score", name, setting, mean_of(table.of("scores", ids)[:, 0]), expected=score, tolerance=5e-4),
            Row(
                "mean cost", name, setting, mean_of(table.of("costs", ids)[:, 0]), expected=cost, tolerance=5e-7,
                unit="USD",
            ),
        ]  # fmt: skip
    for label, run in runs.items():
        if run["learned"] and run["calls"] == 1:
            gain, share = run["gain"], run["called"][CHEAP]
            reason = f"{1 - share:.1%} of the queries go to {DEAR}"
            if run["parameters"].get("strong_share", -1) >= 0:
                reason += f", as the threshold is set for a share of {run['parameters']['strong_share']:.0%}"
            found += [
                Row(
                    f"gain over always {CHEAP}", label, "cross-fitted; no loss is expected",
                    Estimate(gain["mean"], gain["low"], gain["high"]), expected=(0.0, 1.0), reason=reason,
                ),
                Row(f"share of queries that call {CHEAP}", label, "cross-fitted", Estimate(share), unit="share"),
            ]  # fmt: skip
    return found


STUDIES = (
    Study(
        "routerarena",
        CROSS_FITTED,
        cross_fitted,
        rows,
        axis="cost",
        sweeps={
            "frugalgpt": ("budget", ("0.25", "0.5", "0.75", "1.0", "1.5")),
            "cascade-routing": ("budget", ("0.25", "0.5", "0.75", "1.0", "1.5")),
        },
    ),
)
