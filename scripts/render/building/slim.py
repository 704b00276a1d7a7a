"""What a built site does not need: blanks that indent its HTML, source maps, and other languages' search stemmers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

# What keeps its blanks stands first, so that nothing within it is looked at.
_BLANKS = re.compile(
    r"(<(pre|textarea|script|style)\b.*?</\2>"
    r'|="[^"<>\n]*\n[^"<>]*")'  # the value of an attribute, which may be somebody's text
    r"|[ \t]*\n\s*",
    re.DOTALL,
)


def squeezed(html: str) -> str:
    """The page with one line feed for each run of white space with a line feed in it; a tenth of a page is such runs.

    >>> squeezed("<p>\\n    a\\n\\n    <b>b</b></p>\\n<pre>x\\n\\n  y</pre>")
    '<p>\\na\\n<b>b</b></p>\\n<pre>x\\n\\n  y</pre>'
    """
    return _BLANKS.sub(lambda found: found[1] or "\n", html)


def remove_unused(site: Path) -> None:
    """Takes from a built site what the theme brings and no reader's browser asks for."""
    for path in [*(site / "assets").rglob("*.js.map"), *(site / "assets").rglob("*.css.map")]:
        path.unlink()
    lunr = site / "assets" / "javascripts" / "lunr"
    if lunr.is_dir():
        shutil.rmtree(lunr)
