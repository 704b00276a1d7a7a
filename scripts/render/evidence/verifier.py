"""Cascades whose verifier errs and has a price, as pages show them: cost and quality, and where they break even.

The numbers are those of `measuring.verifier`, from a result file. A record of many models has many chains; those are
shown that a perfect verifier brings furthest above what single models give at the same cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from reference_impls.measuring.verifier import envelope
from scripts.render.figures.drawing import Figure
from scripts.render.figures.scatter import Curve, Group, Point, scatter

View = dict[str, Any]
SHOWN = 6
#: Error rates, (false accepts, false rejects), whose quality the table has beside the perfect verifier's.
RATES = ((0.05, 0.1), (0.2, 0.2))
_MODEL = Group("Single model", "ink", "diamond")
_LINE = Group("Break-even: single models, and a coin between two of them", "ink", "diamond")
_CHAIN = Group("Cascade, 0 to 50 % of wrong answers accepted", "after", "up")


def verifier_view(head: View, found: View | None, models: Iterable[View], times: float) -> View | None:
    """What a page shows, or None.

    Args:
        head: of the recording: its name, title and credit.
        found: ``verifier`` of the result file.
        models: of the recording, with the score and the cost of so many queries.
        times: that many queries.
    """
    if not found:
        return None
    chains = sorted(found["chains"], key=lambda chain: -_margin(_at(chain, 0.0, 0.0)))[:SHOWN]
    rows = [_row(chain, times) for chain in chains]
    return {"rows": rows, "of": len(found["chains"]), "figure": _figure(head, chains, found["pool"], models, times)}


def _at(chain: View, accept: float, reject: float, price: float = 0.0) -> View:
    """The chain's point at error rates and a price."""
    wanted = {"false_accept": accept, "false_reject": reject, "price": price}
    return next(point for point in chain["points"] if all(point[key] == value for key, value in wanted.items()))


def _margin(point: Mapping[str, Any]) -> float:
    """How much more quality than single models give at the same cost; -1 where they give none so cheap."""
    return -1.0 if point["single"] is None else float(point["quality"] - point["single"])


def _row(chain: View, times: float) -> View:
    perfect = _at(chain, 0.0, 0.0)
    least = next((one["rate"] for one in chain["break_even_rate"] if one["price"] == 0), None)
    price = next(
        one["price"] for one in chain["break_even_price"] if one["false_accept"] == 0 and one["false_reject"] == 0
    )
    return {
        "name": " → ".join(chain["models"]),
        "quality": perfect["quality"],
        "cost": perfect["cost"] * times,
        "single": perfect["single"],
        "erring": [(accept, reject, _at(chain, accept, reject)) for accept, reject in RATES],
        "rate": least,
        "price": None if price is None else price * times,
    }


def _figure(head: View, chains: list[View], pool: list[str], models: Iterable[View], times: float) -> Figure:
    alone = {model["name"]: (model["cost"], model["score"]["mean"]) for model in models if model["name"] in pool}
    costs, scores = np.array(list(alone.values())).T
    at = envelope(costs, scores)
    even = sorted((cost, at(cost)) for cost in costs.tolist())
    curves = [Curve(_LINE.name, even, _LINE)]
    points = [Point(name, cost, score, _MODEL, f"{score:.3f}") for name, (cost, score) in alone.items()]
    for chain in chains:
        name = " → ".join(chain["models"])
        line = sorted(
            (point["cost"] * times, point["quality"])
            for point in chain["points"]
            if point["price"] == 0 and point["false_reject"] == 0
        )
        curves.append(Curve(name, line, _CHAIN))
        perfect = _at(chain, 0.0, 0.0)
        told = f"{perfect['quality']:.3f} with a perfect verifier"
        points.append(Point(name, perfect["cost"] * times, perfect["quality"], _CHAIN, told, first=True))
    desc = (
        "Triangles: cascades whose verifier never errs and costs nothing. From each a line leads down to what is left"
        " when the verifier accepts up to half of the wrong answers. A cascade pays as long as it is above the"
        " break-even line, what single models and coins between two of them give at the same cost."
    )
    return scatter(
        f"recorded-{head['name']}-verifier", f"Cascades with a verifier: {head['title']}", desc, points,
        x=f"Cost of {times:,.0f} queries (US dollars)", log=True, curves=curves, credit=head["credit"],
    )  # fmt: skip
