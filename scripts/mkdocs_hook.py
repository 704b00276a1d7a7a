"""MkDocs hook: renders before each build, and lets `mkdocs serve` rebuild on an edit. Nothing else knows MkDocs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer

from scripts.model import Corpus
from scripts.model.corpus import CorpusError
from scripts.render import render_site
from scripts.render.markup import html_attribute
from scripts.render.settings import load_settings
from scripts.render.views import Views

WATCHED = ("papers", "taxonomy", "site_src")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The addresses stand in site_src/site.yml, for every site engine."""
    settings = load_settings(_root(config))
    config.site_url = settings.url or None
    config.site_description = html_attribute(settings.description)  # for the page of wrong addresses
    config.extra["atlas"] = settings.model_dump()
    return config


def on_pre_build(config: MkDocsConfig) -> None:
    """Renders the Atlas; a broken taxonomy stops the build with one line."""
    try:
        render_site(Corpus.load(_root(config)), Path(config.docs_dir))
    except CorpusError as error:
        raise PluginError(str(error)) from error


def on_post_build(config: MkDocsConfig) -> None:
    """Adds the papers to the theme's search index. Their pages are kept from its parser, which would take longer over
    them than MkDocs takes to build them, and would index the lists of related papers, too."""
    path = Path(config.site_dir) / "search" / "search_index.json"
    if path.is_file():
        index = json.loads(path.read_text(encoding="utf-8"))
        index["docs"] += Views(Corpus.load(_root(config))).search_documents()
        path.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def on_serve(server: LiveReloadServer, /, *, config: MkDocsConfig, builder: Any) -> LiveReloadServer:  # noqa: ARG001
    """Watches the sources in place of the generated folder."""
    server.unwatch(config.docs_dir)
    for name in WATCHED:
        server.watch(str(_root(config) / name))
    return server


def _root(config: MkDocsConfig) -> Path:
    assert config.config_file_path
    return Path(config.config_file_path).parent
