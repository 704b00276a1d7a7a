"""A Content-Security-Policy on every page, as a second fence.

Should markup of a stranger ever reach a page, the browser runs no script of it and fetches nothing from elsewhere.
The policy stands in a <meta> tag, because the host of static pages sets no headers. So it cannot forbid frames around
the site; there is nothing to log into that a frame could steal.
"""

from __future__ import annotations

from collections.abc import Iterable

_CHARSET = '<meta charset="utf-8">'


class PolicyError(ValueError):
    """A page has no place for the policy."""


def guard(html: str, *, wasm: bool = False, frames: bool = False, serving: bool = False) -> str:
    """The page with its policy: no script runs that stands in the page itself (`shared` has put the theme's into a
    file).

    `wasm` lets a page compile WebAssembly, and that page alone; `frames` lets it show pages of the site in frames.
    `serving`: the development server puts in a script
    that reloads the page and changes with each build, so any inline script runs there."""
    if _CHARSET not in html:
        raise PolicyError(f"no {_CHARSET} to put the Content-Security-Policy behind")
    inline = ["'unsafe-inline'"] if serving else []
    value = policy([*inline, *(["'wasm-unsafe-eval'"] if wasm else [])], frames=frames)
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
