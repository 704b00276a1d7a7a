"""What the theme repeats on each page stands in files, and does there what it did in the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.render.building.shared import EARLY, Shared
from scripts.render.building.slim import squeezed

SCOPE = '__md_scope=new URL("{}",location),__md_get=1'
ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{}"/></svg>'
PALETTE = '<form class="md-header__option" data-md-component="palette"><input id="__palette_0"></form>'
SEARCH = (
    '<div class="md-search" data-md-component="search" role="dialog"><div><div><div><div>'
    '<ol role="presentation"></ol>\n</div></div></div></div></div>'
)
SETTINGS = {"features": ["a"], "search": "{}/assets/javascripts/workers/search.1.js", "translations": {"x": "<y>"}}


def page(*more: str, scope: str = "..", language: str = "en", icon: str = "M3 6h18z", **settings: object) -> str:
    """A page of the theme, with `more` in what it says itself."""
    search = f"{scope.rstrip('/')}/assets/javascripts/workers/search.1.js"
    config = json.dumps({"base": scope, **SETTINGS, "search": search, **settings})
    return (
        f'<html lang="{language}"><head>\n<script>{SCOPE.format(scope)}</script>\n</head><body>{ICON.format(icon)}'
        f"<header>{PALETTE}<script>var palette = 1</script>{SEARCH}</header>\n<main>{''.join(more)}</main>"
        "<script>late()</script>\n"
        f'<script id="__config" type="application/json">{config}</script></body></html>'
    )


@pytest.fixture
def shared() -> Shared:
    return Shared(page(scope="/"))


@pytest.mark.parametrize("scope", [".", "..", "../../..", "/", "/atlas/"])
def test_the_theme_s_scripts_are_one_file_at_every_depth(shared: Shared, tmp_path: Path, scope: str) -> None:
    made = shared.taken_from(page(scope=scope))
    assert "<script>" not in made
    assert f'<script src="{scope.rstrip("/")}/assets/{EARLY}"></script>\n</head>' in made
    assert shared.before_bundle.endswith("(function () {late()})();\n")
    shared.write(tmp_path)
    script = (tmp_path / EARLY).read_text()
    assert script.startswith('__md_scope=new URL("../..",document.currentScript.src),__md_get=1;\n')
    assert script.index("mine.palette)") < script.index("var palette = 1;")  # which reads what was put in


def test_what_is_of_no_use_without_scripts_comes_with_them(shared: Shared, tmp_path: Path) -> None:
    assert "<header></header>" in shared.taken_from(page())
    chinese = page(language="zh").replace("__palette_0", "__palette_9")
    assert "<header></header>" in shared.taken_from(chinese)
    assert "__palette_9" in shared.taken_from(page().replace("__palette_0", "__palette_9"))  # no other page has it
    shared.write(tmp_path)
    parts = json.loads(re.findall(r"parts = (.*), watch", (tmp_path / EARLY).read_text())[0])
    assert parts["en"] == {"palette": squeezed(PALETTE), "search": squeezed(SEARCH)}
    assert parts["zh"]["palette"] == squeezed(PALETTE.replace("0", "9"))


@pytest.mark.parametrize("scope", ["https://evil.example", '"+alert(1)+"', "//evil.example/"])
@pytest.mark.parametrize("place", ["text", "scope"])
def test_no_other_script_becomes_the_theme_s(shared: Shared, scope: str, place: str) -> None:
    """It stays in the page, whose policy does not let it run."""
    script = f"<script>{SCOPE.format(scope)}</script>"
    made = shared.taken_from(page(script) if place == "text" else page(scope=scope))
    assert script in made
    assert "evil" not in "".join(re.findall(r'<script src="[^"]*"', made))


def test_a_page_keeps_what_is_its_own_of_the_settings(shared: Shared) -> None:
    for language in ("en", "zh"):
        assert '"application/json">{"base":".."}<' in shared.taken_from(page(language=language))
    assert '"more": 1' in shared.taken_from(page(more=1))  # which no other page of its language has
    known = json.loads(re.findall(r"known = (.*)\[document", shared.before_bundle)[0])
    assert known["zh"] == known["en"] == {**SETTINGS, "search": "workers/search.1.js"}


def test_icons_are_masks_in_the_style_sheet_once(shared: Shared, tmp_path: Path) -> None:
    made = shared.taken_from(page(ICON.format("M1 1z")))
    assert '<svg class="atlas-icon-0"></svg>' in made
    assert ICON.format("M1 1z") in made  # an entry's own, or another page's
    (tmp_path / "atlas.css").write_text("a {}\n")
    for _ in range(2):  # as a server does after each edit
        shared.write(tmp_path)
    sheet = (tmp_path / "atlas.css").read_text()
    assert sheet.startswith("a {}\n")
    assert sheet.count("data:image/svg+xml") == 1
    assert "forced-colors" in sheet
