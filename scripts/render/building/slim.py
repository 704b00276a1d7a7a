"""What a built site does not need: blanks that indent its HTML, comments and blanks of style sheets, source maps, and
other languages' search stemmers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from reference_impls.safe.writing import write_text

# What keeps its blanks stands first, so that nothing within it is looked at.
_LONGER = re.compile(
    r"(?P<kept><(pre|textarea|script|style)\b.*?</\2>"
    r'|="[^"<>\n]*\n[^"<>]*")'  # the value of an attribute, which may be somebody's text
    r'|(?P<space>(?<=<svg) xmlns="http://www\.w3\.org/2000/svg")'  # which HTML knows by itself
    r"|(?P<dot>&middot;)"
    r"|[ \t]*\n\s*",
    re.DOTALL,
)


def squeezed(html: str) -> str:
    """The page with one line feed for each run of white space with a line feed in it, and without what says nothing;
    a tenth of a page is such runs.

    >>> squeezed("<p>\\n    a\\n\\n    <b>b</b></p>\\n<pre>x\\n\\n  y</pre>")
    '<p>\\na\\n<b>b</b></p>\\n<pre>x\\n\\n  y</pre>'
    >>> squeezed('<svg xmlns="http://www.w3.org/2000/svg" class="a"></svg> &middot; <pre>&middot;</pre>')
    '<svg class="a"></svg> · <pre>&middot;</pre>'
    """
    return _LONGER.sub(_shorter, html)


def _shorter(found: re.Match[str]) -> str:
    if found["kept"]:
        return found["kept"]
    if found["dot"]:
        return "·"
    return "" if found["space"] else "\n"


def lighter(css: str) -> str:
    """A style sheet without comments and indentation. No string of ours holds the signs of a comment.

    >>> lighter("/* a */\\na {\\n  color: red; /* b */\\n}\\n\\nb { top: 0 }\\n")
    'a {\\ncolor: red;\\n}\\nb { top: 0 }\\n'
    """
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).lstrip()


def remove_unused(site: Path) -> None:
    """Takes from a built site what no reader's browser needs."""
    for path in (site / "assets").glob("*.css"):  # the theme's stand deeper, and are small already
        write_text(path, lighter(path.read_text(encoding="utf-8")), durable=False)
    for path in [*(site / "assets").rglob("*.js.map"), *(site / "assets").rglob("*.css.map")]:
        path.unlink()
    lunr = site / "assets" / "javascripts" / "lunr"
    if lunr.is_dir():
        shutil.rmtree(lunr)
