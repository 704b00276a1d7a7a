"""A Content-Security-Policy on every page, as a second fence.

Should markup of a stranger ever reach a page, the browser runs no script of it and fetches nothing from elsewhere.
The policy stands in a <meta> tag, because the host of static pages sets no headers. So it cannot forbid frames around
the site; there is nothing to log into that a frame could steal.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

# a script without attributes is run; `__config` and JSON-LD have a type that browsers only store
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_CHARSET = '<meta charset="utf-8">'
# the one part of the theme's scripts that differs from page to page: the way up to the site's root
_SCOPE = re.compile(r'(?<=new URL\(")(?:\.{1,2}(?:/\.\.)*|(?:/[\w.~-]+)*/?)(?=",location\))')


class PolicyError(ValueError):
    """A page has no place for the policy."""


def inline_scripts(html: str) -> frozenset[str]:
    """The inline scripts of a page that shows nothing of anybody: those that the theme puts on all pages."""
    return frozenset(_SCOPE.sub("", script) for script in _INLINE.findall(html))


def guard(
    html: str, known: frozenset[str], *, wasm: bool = False, frames: bool = False, serving: bool = False
) -> str:
    """The page with its policy, which names those of its inline scripts that are `known`, by their hashes.

    `wasm` lets a page compile WebAssembly, and that page alone; `frames` lets it show pages of the site in frames.
    `serving`: the development server puts in a script
    that reloads the page and changes with each build, so any inline script runs there."""
    if _CHARSET not in html:
        raise PolicyError(f"no {_CHARSET} to put the Content-Security-Policy behind")
    found = _INLINE.findall(html)
    own = [] if serving else [_hash(script) for script in found if _SCOPE.sub("", script) in known]
    allowed = ["'unsafe-inline'"] if serving else sorted(set(own))
    value = policy([*allowed, *(["'wasm-unsafe-eval'"] if wasm else [])], frames=frames)
    tag = f'<meta http-equiv="Content-Security-Policy" content="{value}">'
    return html.replace(_CHARSET, f"{_CHARSET}\n      {tag}", 1)


def policy(scripts: Iterable[str], *, frames: bool = False) -> str:
    """The policy's text. Charts and the theme set styles on elements; a style can fetch only what is allowed here."""
    rules = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *scripts],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
    }
    if frames:
        rules["frame-src"] = ["'self'"]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in rules.items())


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
