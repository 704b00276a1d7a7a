"""The hook stops a build, in one line, where the theme is not as it knows it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mkdocs.exceptions import PluginError

from scripts.render.building import mkdocs_hook
from tests.conftest import ROOT

ASSETS = ROOT / "site_src" / "assets"


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A site's assets with our scripts, and no theme's."""
    (tmp_path / "javascripts" / "workers").mkdir(parents=True)
    for name in ("words.js", "finder.js", "search-worker.js"):
        (tmp_path / name).write_bytes((ASSETS / name).read_bytes())
    return tmp_path


def test_the_search_worker_gets_our_code_once(assets: Path) -> None:
    worker = assets / "javascripts" / "workers" / "search.0123abcd.min.js"
    worker.write_text("theme();\n", encoding="utf-8")
    mkdocs_hook._extend_search(assets)
    made = worker.read_text(encoding="utf-8")
    assert made.endswith("theme();\n")
    places = [made.index(part) for part in ("function fold(", "class Finder", "function prepared(", "theme();")]
    assert places == sorted(places)
    assert not re.search("^(export|import) ", made, re.MULTILINE)  # a classic script cannot have it
    mkdocs_hook._extend_search(assets)
    assert worker.read_text(encoding="utf-8") == made


@pytest.mark.parametrize("names", [[], ["search.1.min.js", "search.2.min.js"]])
def test_another_theme_stops_the_build(assets: Path, names: list[str]) -> None:
    for name in names:
        (assets / "javascripts" / "workers" / name).touch()
    with pytest.raises(PluginError, match=f"{len(names)} search workers"):
        mkdocs_hook._extend_search(assets)


def test_a_page_without_a_place_for_the_policy_stops_the_build() -> None:
    with pytest.raises(PluginError, match="Content-Security-Policy"):
        mkdocs_hook.on_post_template("<head></head>", template_name="404.html")
    assert mkdocs_hook.on_post_template("<urlset/>", template_name="sitemap.xml") == "<urlset/>"


def test_a_quiet_strict_build_stops_for_a_warning(tmp_path: Path) -> None:
    """MkDocs alone counts no warning where it is quiet."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[nowhere](nowhere.md)\n", encoding="utf-8")
    (tmp_path / "hook.py").write_text(
        "from scripts.render.building.mkdocs_hook import on_startup\n", encoding="utf-8"
    )
    (tmp_path / "mkdocs.yml").write_text("site_name: x\nhooks: [hook.py]\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "nowhere.md" in run.stderr
