"""What a built site does not need: blanks that indent its HTML, tags that HTML knows by itself, comments and blanks
of style sheets, source maps, and other languages' search stemmers."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path

from reference_impls.safe.writing import write_text

# What keeps its blanks stands first, so that nothing within it is looked at.
_LONGER = re.compile(
    r"(?P<kept><(pre|textarea|script|style)\b.*?</\2>"
    r'|="[^"<>\n]*\n[^"<>]*")'  # the value of an attribute, which may be somebody's text
    r'|(?P<space>(?<=<svg|math) xmlns="http://www\.w3\.org/(?:2000/svg|1998/Math/MathML)")'  # HTML knows them
    r"|(?P<sign>&(?:middot|ndash|para|#4[0135-6]|#58);)"
    r"|[ \t]*\n\s*",
    re.DOTALL,
)


# Elements that begin and end a line for every browser, and that no style sheet of ours or the theme puts into one: no
# blank beside them is seen. None stands within what keeps its blanks.
_BLOCKS = (
    "article|body|dd|dl|dt|div|figcaption|figure|footer|h[1-6]|head|header|html|li|link|main|meta|nav|ol|p|section"
    "|table|tbody|td|th|thead|tr|ul"
)
_BEFORE, _AFTER = re.compile(rf"\n(?=</?(?:{_BLOCKS})\b)"), re.compile(rf"(</?(?:{_BLOCKS})(?: [^<>]*)?>)\n")
# Ends that every reader of HTML puts where they are missing: behind them stands another of their kind, or their
# parent's end.
_ENDS = re.compile(r"</(?:dd|dt|li|tbody|td|th|thead|tr)>")
# Values that need no quotation marks, of attributes that many elements have.
_QUOTED = re.compile(
    r" (aria-hidden|class|cx|cy|data-md-component|data-term|data-value|for|height|href|id|r|role|scope|tabindex|width"
    r"|x|y)"
    r'="([\w./:#?-]+)"'
    r"(?=(?: [^<>]*)?>)"  # within a tag, not in what a page says of HTML
)
# What is said once for those who look for its name, and once for those who look for its property.
_TWICE = re.compile(r'<meta property="og:description" content="([^"]*)">\s*')


def squeezed(html: str) -> str:
    """The page with one line feed for each run of white space with a line feed in it, with none where a line ends by
    itself, and without what says nothing. A browser makes the same of it; a seventh of a page is such signs.

    >>> squeezed("<p>\\n    a\\n\\n    <b>b</b></p>\\n<pre>x\\n\\n  y</pre><ul>\\n <li>z</li>\\n</ul>")
    '<p>a\\n<b>b</b></p><pre>x\\n\\n  y</pre><ul><li>z</ul>'
    >>> squeezed('<svg xmlns="http://www.w3.org/2000/svg" class="a"></svg> &middot; <pre>&middot;</pre>')
    '<svg class=a></svg> · <pre>&middot;</pre>'
    """
    if (found := _TWICE.search(html)) and (named := f'<meta name="description" content="{found[1]}">') in html:
        both = named.replace("content=", 'property="og:description" content=', 1)
        html = html.replace(found[0], "", 1).replace(named, both, 1)
    html = _AFTER.sub(r"\1", _BEFORE.sub("", _LONGER.sub(_shorter, html)))
    return _QUOTED.sub(r" \1=\2", _ENDS.sub("", html))


def _shorter(found: re.Match[str]) -> str:
    if found["kept"]:
        return found["kept"]
    if found["sign"]:
        return unescape(found["sign"])
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
