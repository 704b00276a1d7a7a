"""The Content-Security-Policy names the theme's own scripts, and no other."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.render.building.policy import PolicyError, guard, inline_scripts

SCOPE = '__md_scope=new URL("{}",location),__md_get=1'
OWN = "var palette = 1;\n"


def page(*scripts: str, scope: str = "..") -> str:
    """A page with the theme's two scripts and `scripts`."""
    inline = "".join(f"<script>{script}</script>" for script in (SCOPE.format(scope), OWN, *scripts))
    return f'<head>\n<meta charset="utf-8">\n<title>T</title>{inline}</head>'


KNOWN = inline_scripts(page(scope="/"))


def hash_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def sources(html: str, rule: str = "script-src") -> list[str]:
    """What the policy of a page allows for `rule`."""
    value = html.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    rules = {name: allowed for name, *allowed in (part.split() for part in value.split("; "))}
    return rules.get(rule, rules["default-src"])


@pytest.mark.parametrize("scope", [".", "..", "../../..", "/", "/atlas/"])
def test_the_themes_scripts_run_at_every_depth(scope: str) -> None:
    made = guard(page(scope=scope), KNOWN)
    assert set(sources(made)) == {"'self'", hash_of(SCOPE.format(scope)), hash_of(OWN)}


def test_the_policy_stands_before_all_that_it_rules() -> None:
    made = guard(page(), KNOWN)
    assert made.index("Content-Security-Policy") < made.index("<title>") < made.index("<script>")
    assert (
        made.replace(made[made.index("<meta http-equiv") : made.index(">\n<title>") + 1], "").split()
        == page().split()
    )


@given(st.text().filter(lambda text: "</script" not in text) | st.sampled_from(["window.pwned=1", OWN + ";pwned()"]))
def test_no_other_script_is_named(script: str) -> None:
    made = guard(page(script), KNOWN)
    if script not in (OWN, SCOPE.format("..")):
        assert hash_of(script) not in sources(made)
    assert "'unsafe-inline'" not in sources(made)
    assert "'unsafe-eval'" not in made


@pytest.mark.parametrize("scope", ["https://evil.example", '"+alert(1)+"', "//evil.example/"])
def test_only_a_way_up_may_differ(scope: str) -> None:
    made = guard(page(scope=scope), KNOWN)
    assert hash_of(SCOPE.format(scope)) not in sources(made)


def test_nothing_comes_from_elsewhere() -> None:
    made = guard(page(), KNOWN)
    assert sources(made, "img-src") == ["'self'", "data:"]
    for rule in ("connect-src", "font-src", "worker-src", "form-action"):
        assert sources(made, rule) == ["'self'"]
    for rule in ("base-uri", "frame-src", "object-src", "media-src"):
        assert sources(made, rule) == ["'none'"]


def test_webassembly_on_the_pages_that_ask_for_it_alone() -> None:
    assert "'wasm-unsafe-eval'" in sources(guard(page(), KNOWN, wasm=True))
    assert "'wasm-unsafe-eval'" not in guard(page(), KNOWN)


def test_the_development_server_may_put_in_its_own_script() -> None:
    """A hash beside 'unsafe-inline' would switch it off."""
    assert sources(guard(page(), KNOWN, serving=True)) == ["'self'", "'unsafe-inline'"]


def test_a_page_without_a_place_for_it_is_an_error() -> None:
    with pytest.raises(PolicyError, match="charset"):
        guard("<head></head>", KNOWN)
