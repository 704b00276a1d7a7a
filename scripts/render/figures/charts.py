"""Charts: Altair writes the specification, the page holds a placeholder, and `assets/charts.js` draws in it.

A template shows a `Chart` by the macro `chart(chart, to)` and calls `meta(..., charts=True)`; `render/site.py` writes
its `text` to its `path`. Colours stand in a specification as names of the Atlas's style variables,
`var(--atlas-before)`: the script puts in what the page's colour scheme says, and draws again on a change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

#: A stage's id -> its colour, on both schemes; what belongs to no stage has the colour of related work.
STAGE_COLOURS = {stage: f"var(--atlas-{stage})" for stage in ("before", "during", "after", "related")}


@dataclass(frozen=True)
class Chart:
    """One chart of a page.

    Attributes:
        name: of its file, without folder and suffix; its own on the whole site.
        label: what it shows, for those who do not see it.
        height: in pixels, kept free for it before it is drawn.
        drawing: an Altair chart (`altair.Chart`, `altair.LayerChart`) without width and height.
    """

    name: str
    label: str
    height: int
    drawing: Any

    @property
    def path(self) -> str:
        """Address of its file below the site's root."""
        return f"charts/{self.name}.json"

    @cached_property
    def text(self) -> str:
        """Its Vega-Lite specification, as wide as the page lets it be."""
        spec = self.drawing.to_dict(validate=False)
        spec |= {"width": "container", "height": self.height, "description": self.label, "background": "transparent"}
        del spec["config"]  # Altair's own sizes and colours; the script sets the Atlas's
        return json.dumps(spec, ensure_ascii=False, separators=(",", ":")) + "\n"


@contextmanager
def unchecked() -> Iterator[None]:
    """Within it, Altair does not hold every part of a chart against its schema, which takes half of the drawing.
    The tests hold the finished specifications against it instead."""
    from altair.utils.schemapi import debug_mode  # noqa: PLC0415  as below

    with debug_mode(False):
        yield


def rows(values: list[dict[str, Any]]) -> Any:
    """Data of a chart: a list of flat dictionaries, whose fields are then named with their type (``score:Q``)."""
    import altair  # noqa: PLC0415  half a second, and most commands draw nothing

    return altair.InlineData(values=values)
