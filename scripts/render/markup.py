"""Where text of strangers meets markup: it must come out as text.

Templates escape HTML by themselves (Jinja's autoescape). Inside Markdown, `md` also turns every sign that Markdown
could read into a character reference.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

import yaml
from markupsafe import Markup, escape

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+\-.!|~^$:=@'\"&<>/]")


def md(text: object) -> Markup:
    """Text as it stands, on one line, whatever Markdown or HTML it may look like."""
    flat = " ".join(str(text).split())
    return Markup(_MARKDOWN.sub(lambda found: f"&#{ord(found.group())};", flat))  # noqa: S704  that is the escaping


def verbatim(text: object) -> Markup:
    """Text inside <pre>, where Markdown would turn a tab into spaces: what a reader copies is what was written.
    Quotation marks mean nothing there; JSON is full of them."""
    return Markup(html.escape(str(text), quote=False).replace("\t", "&#9;"))  # noqa: S704  escaped before


def http(url: object) -> str:
    """The address if it is http or https, else '#'. An entry that failed validation is still rendered safely."""
    text = str(url)
    return text if re.match(r"https?://[^\s\"'<>\\]+\Z", text) else "#"


def html_attribute(text: object) -> str:
    """For the theme, which prints page titles and descriptions without escaping them."""
    return html.escape(" ".join(str(text).split()))


def meta_tags(tags: list[dict[str, str]]) -> str:
    """<meta> elements as one text: a page's front matter is read back sooner than a list would be. Names with a colon
    are properties, as Open Graph has them."""
    return "".join(
        f'<meta {"property" if ":" in tag["name"] else "name"}="{escape(tag["name"])}"'
        f' content="{escape(tag["content"])}">\n'
        for tag in tags
    )


def front_matter(meta: dict[str, Any]) -> str:
    """Page metadata as YAML between two lines of dashes."""
    text: str = yaml.dump(
        meta,
        Dumper=yaml.CSafeDumper,
        allow_unicode=True,
        width=10**6,
        sort_keys=False,
        default_flow_style=False,
    )
    return f"---\n{text}---\n"


def script_json(value: object) -> str:
    """JSON that may stand inside <script>: it cannot close the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
