"""The Content-Security-Policy lets no script run that stands in a page itself."""

from __future__ import annotations

import pytest

from scripts.render.building.policy import PolicyError, guard

PAGE = '<head>\n<meta charset="utf-8">\n<title>T</title><script>window.pwned=1</script></head>'


def sources(html: str, rule: str = "script-src") -> list[str]:
    """What the policy of a page allows for `rule`."""
    value = html.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    rules = {name: allowed for name, *allowed in (part.split() for part in value.split("; "))}
    return rules.get(rule, rules["default-src"])


def test_the_policy_stands_before_all_that_it_rules() -> None:
    made = guard(PAGE)
    assert made.index("Content-Security-Policy") < made.index("<title>") < made.index("<script>")
    assert (
        made.replace(made[made.index("<meta http-equiv") : made.index(">\n<title>") + 1], "").split() == PAGE.split()
    )


def test_a_script_in_the_page_does_not_run() -> None:
    assert sources(guard(PAGE)) == ["'self'"]


def test_nothing_comes_from_elsewhere() -> None:
    made = guard(PAGE)
    assert sources(made, "img-src") == ["'self'", "data:"]
    for rule in ("connect-src", "font-src", "worker-src", "form-action"):
        assert sources(made, rule) == ["'self'"]
    for rule in ("base-uri", "frame-src", "object-src", "media-src"):
        assert sources(made, rule) == ["'none'"]


def test_webassembly_on_the_pages_that_ask_for_it_alone() -> None:
    assert "'wasm-unsafe-eval'" in sources(guard(PAGE, wasm=True))
    assert "'wasm-unsafe-eval'" not in guard(PAGE)


def test_the_development_server_may_put_in_its_own_script() -> None:
    assert sources(guard(PAGE, serving=True)) == ["'self'", "'unsafe-inline'"]


def test_a_page_without_a_place_for_it_is_an_error() -> None:
    with pytest.raises(PolicyError, match="charset"):
        guard("<head></head>")
