"""MkDocs hook: renders before each build, and lets `mkdocs serve` rebuild on an edit. Nothing else knows MkDocs."""

from __future__ import annotations

import json
import logging
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Link, Navigation, Section
from mkdocs.structure.pages import Page

from reference_impls.cli.console import what_failed
from reference_impls.safe.folders import FolderError
from reference_impls.safe.writing import write_text
from scripts.model.corpus import CorpusError
from scripts.render import render_atlas
from scripts.render.building.finish import FinishError, by_language, cut, foot, hold_search, put_back
from scripts.render.building.finished import FinishedPage
from scripts.render.building.frame import Frames
from scripts.render.building.policy import PolicyError, guard
from scripts.render.building.shared import Shared
from scripts.render.building.slim import remove_unused, squeezed
from scripts.render.chinese import ENGLISH_ONLY, LANGUAGE
from scripts.render.markup import html_attribute
from scripts.render.settings import load_settings
from scripts.results.reading import ResultError

#: The template of pages whose theme is rendered once (`render/frame.py`).
FRAMED = "paper.html"
WATCHED = ("papers", "taxonomy", "site_src", "reference_impls/results")


@dataclass
class _Build:
    """What one build's events hand on: the finished HTML of pages under way."""

    raw: dict[str, list[str]] = field(default_factory=dict)
    shared: Shared = field(default_factory=Shared)  # what the theme repeats on each page
    serving: bool = False
    listening: bool = False  # whether the development server may have its port already
    chinese: Navigation | None = None  # of the Chinese pages


_BUILD = _Build()


def on_startup(*, command: str, **_: Any) -> None:
    """Remembers whether pages are for the development server."""
    # with `--quiet` MkDocs would not even count its warnings, and `--strict` would stop for none
    log = logging.getLogger("mkdocs")
    log.setLevel(min(log.level, logging.WARNING))
    _BUILD.serving, _BUILD.listening = command == "serve", False


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The addresses stand in site_src/site.yml, for every site engine."""
    if _BUILD.serving and not _BUILD.listening:
        _check_port(*config.dev_addr)
        _BUILD.listening = True
    settings = load_settings(_root(config))
    config.site_url = settings.url or None
    config.site_description = html_attribute(settings.description)  # for the page of wrong addresses
    config.extra["atlas"] = settings.model_dump()
    return config


def _check_port(host: str, port: int) -> None:
    """Says before the build what MkDocs would say after it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as error:
        raise PluginError(f"{host}:{port}: {error.strerror} (name another port: make serve PORT=8001)") from error


def on_pre_build(config: MkDocsConfig) -> None:
    """Renders the Atlas; a broken taxonomy stops the build with one line."""
    try:
        render_atlas(_root(config), Path(config.docs_dir))
        config.extra["atlas"].update(foot(Path(config.docs_dir)))
    except (CorpusError, FolderError, ResultError) as error:
        raise PluginError(str(error)) from error
    except OSError as error:
        if (told := what_failed(error)) is None:
            raise
        raise PluginError(told) from error


def on_files(files: Files, /, *, config: MkDocsConfig) -> Files:
    """The pages of papers are finished HTML for the most part (`render/finished.py`)."""
    for file in files.documentation_pages():
        if re.fullmatch(r"papers/(?!index\.)[^/]+\.md", file.src_uri):
            FinishedPage(None, file, config)  # which makes it the file's page
    return files


def on_env(env: Environment, /, *, files: Files, **_: Any) -> Environment:
    """Gives the theme what renders the pages of papers (`render/frame.py`)."""
    env.globals["framed"] = Frames(env, _guarded, squeezed)
    for file in files.documentation_pages():
        if isinstance(file.page, FinishedPage):
            file.page.meta["template"] = FRAMED
    return env


def on_page_markdown(markdown: str, /, *, page: Page, **_: Any) -> str:
    """Takes finished HTML out of Markdown's way. Parsing it twice, to pass it through, is a third of a build."""
    markdown, _BUILD.raw[page.file.src_uri] = cut(markdown)
    return markdown


def on_nav(nav: Navigation, **_: Any) -> Navigation:
    """Takes the navigation of the Chinese pages, the last section, apart from that of the English ones."""
    _BUILD.chinese = None
    last = nav.items[-1] if nav.items else None
    mine = [page for page in nav.pages if page.file.src_uri.startswith(f"{LANGUAGE}/")]
    if not isinstance(last, Section) or not mine or nav.pages[-len(mine) :] != mine:
        return nav
    others = nav.pages[: -len(mine)]
    for page, turn in ((others[-1], "next_page"), (mine[0], "previous_page")):
        setattr(page, turn, None)
    for item in last.children:
        item.parent = None
    links: list[Any] = [Link(title, address) for title, address in ENGLISH_ONLY.items()]
    _BUILD.chinese = Navigation([*last.children, *links], mine)
    _BUILD.chinese.homepage = mine[0]
    return Navigation(nav.items[:-1], others)


def on_page_context(context: Any, /, *, page: Page, **_: Any) -> Any:
    """Gives Chinese pages their own navigation."""
    if _BUILD.chinese and page.meta.get("lang") == LANGUAGE:
        context["nav"] = _BUILD.chinese
    return context


def on_page_content(html: str, /, *, page: Page, **_: Any) -> str:
    """Puts the finished HTML back."""
    return put_back(html, _BUILD.raw.pop(page.file.src_uri))


def on_post_template(html: str, /, *, template_name: str, **_: Any) -> str:
    """Learns what the theme repeats from the page of wrong addresses, which MkDocs makes before any other."""
    if template_name != "404.html":
        return html
    _BUILD.shared = Shared(html)
    return _guarded(html)


def on_post_page(html: str, /, *, page: Page, **_: Any) -> str:
    """Puts the Content-Security-Policy on the page; in a page's front matter `wasm: true` lets it run WebAssembly,
    and `frames: true` show frames."""
    if page.meta.get("template") == FRAMED:
        return html
    return _guarded(html, wasm=page.meta.get("wasm") is True, frames=page.meta.get("frames") is True)


def _guarded(html: str, **lets: bool) -> str:
    try:
        return squeezed(guard(_BUILD.shared.taken_from(html), serving=_BUILD.serving, **lets))
    except PolicyError as error:
        raise PluginError(str(error)) from error


def on_post_build(config: MkDocsConfig) -> None:
    """Gives each language's pages a search index of their own, teaches the theme's search to find papers, and takes
    out what nobody asks for. Pages of papers are not in these indexes, which a browser reads whole: the finder has
    them (`render/knowledge/shards.py`)."""
    assets, path = Path(config.site_dir) / "assets", Path(config.site_dir) / "search" / "search_index.json"
    if path.is_file():
        index = json.loads(path.read_text(encoding="utf-8"))
        for language, docs in by_language(index["docs"]).items():
            text = json.dumps({**index, "docs": docs}, ensure_ascii=False, separators=(",", ":"))
            write_text(path.parents[1] / language / "search" / path.name, text, durable=False)
        _extend_search(assets)
    try:
        _BUILD.shared.write(assets)
        hold_search(assets, _BUILD.shared.before_bundle)
    except FinishError as error:
        raise PluginError(str(error)) from error
    remove_unused(Path(config.site_dir))


def _extend_search(assets: Path) -> None:
    """Puts our own code before the theme's in its search worker, a classic script, which can import no module."""
    workers = list(assets.glob("javascripts/workers/search.*.min.js"))
    if len(workers) != 1:
        raise PluginError(f"the theme has {len(workers)} search workers in {assets}; _extend_search knows one")
    own = [(assets / name).read_text(encoding="utf-8") for name in ("words.js", "finder.js", "search-worker.js")]
    own = [re.sub(r"^(export (?=\w)|import .*;\n)", "", text, flags=re.MULTILINE) for text in own]
    text = workers[0].read_text(encoding="utf-8")
    if not text.startswith(own[0]):
        write_text(workers[0], "\n".join([*own, text]), durable=False)


def on_serve(server: LiveReloadServer, /, *, config: MkDocsConfig, builder: Any) -> LiveReloadServer:  # noqa: ARG001
    """Watches the sources in place of the generated folder."""
    server.unwatch(config.docs_dir)
    for name in WATCHED:
        if (_root(config) / name).is_dir():
            server.watch(str(_root(config) / name))
    return server


def _root(config: MkDocsConfig) -> Path:
    assert config.config_file_path
    return Path(config.config_file_path).parent
