"""What a built site still needs, whichever engine has built it: its finished HTML, papers in the header's search, and
a policy on each page.

The hook of MkDocs does all of it while it builds. For an engine without hooks, `without_html` makes what it builds
from, and `finish_site` finishes the files that it has built.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from reference_impls.safe.writing import write_text
from scripts.render.building.policy import guard
from scripts.render.building.shared import Shared
from scripts.render.building.slim import remove_unused, squeezed
from scripts.render.chinese import LANGUAGE
from scripts.render.site import FOOT, SEARCH

# The templates put these comments around HTML that needs no Markdown. Markdown would parse it twice to pass it
# through, and Zensical would take its links for those of a source file.
_RAW = re.compile(r"<!-- raw -->\n(.*?)\n<!-- /raw -->", re.DOTALL)
# Links in what HTML is left are those of the built site, too. Under another name Zensical leaves them alone; no text
# of an entry can look like one, for its quotation marks are escaped.
_LINK = re.compile(r'(?<=\s)(href|src)="')
_HIDDEN = re.compile(r'(?<=\s)data-atlas-(href|src)="')
#: Of the assets: what holds the theme's search back until it is wanted.
GATE = "search-gate.js"
#: What stands for a piece of finished HTML while the engine is at work.
KEPT = re.compile(r"<!-- raw (\d+) -->")
_HEADING = re.compile(r'<h[1-6] id="([^"]*)"')
_VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}
_UNREAD = {"script", "style", "svg"}
#: Of a page's front matter: it runs WebAssembly; it shows frames; the search leaves it out.
_WASM = re.compile(r"^---\n(?:.*\n)*?wasm: true\n(?:.*\n)*?---\n")
_FRAMES = re.compile(r"^---\n(?:.*\n)*?frames: true\n(?:.*\n)*?---\n")
_EXCLUDED = re.compile(r"^---\n(?:.*\n)*?search:\n  exclude: true\n(?:.*\n)*?---\n")


class FinishError(ValueError):
    """A built site is not as its engine is known to leave it; says in one line why."""


def cut(markdown: str) -> tuple[str, list[str]]:
    """A page without its finished HTML, and the pieces of that."""
    pieces: list[str] = []

    def keep(found: re.Match[str]) -> str:
        pieces.append(found[1])
        return f"<!-- raw {len(pieces) - 1} -->"

    return _RAW.sub(keep, markdown), pieces


def put_back(built: str, pieces: list[str]) -> str:
    """A built page with its finished HTML."""
    return KEPT.sub(lambda found: pieces[int(found[1])], built)


def search_documents(docs: Path) -> list[dict[str, Any]]:
    """The papers as documents of a search index, from the rendered folder."""
    found: list[dict[str, Any]] = json.loads((docs / SEARCH).read_text(encoding="utf-8"))
    return found


def foot(docs: Path) -> dict[str, Any]:
    """What the theme says at the foot of each page, from the rendered folder."""
    found: dict[str, Any] = json.loads((docs / FOOT).read_text(encoding="utf-8"))
    return found


def by_language(docs: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The documents of a search index by the folder of their language, '' for English: each has an index of its own,
    so that nobody's search pays for the other's words."""
    found: dict[str, list[dict[str, Any]]] = {"": [], LANGUAGE: []}
    for document in docs:
        found[LANGUAGE if document["location"].startswith(f"{LANGUAGE}/") else ""].append(document)
    return found


def without_html(docs: Path, out: Path) -> None:
    """Writes the rendered pages below `docs` to the same places below `out`, without their finished HTML, and
    with the links of other HTML hidden."""
    for path in sorted(docs.rglob("*.md")):
        text, _ = cut(path.read_text(encoding="utf-8"))
        text = _LINK.sub(r'data-atlas-\1="', text)
        write_text(out / path.relative_to(docs), text, durable=False)


def finish_site(site: Path, docs: Path) -> None:
    """Finishes what Zensical has built in `site` from the pages of the rendered folder `docs` without their HTML.

    Raises:
        FinishError: a page is missing, or the search index, or either is not as it is known to be.
        PolicyError: a page gives no place for the policy.
    """
    wrong, index = site / "404.html", site / "search.json"
    for path in (wrong, index):
        if not path.is_file():
            raise FinishError(f"{path}: is not there (this version of Zensical builds another site)")
    shared = Shared(wrong.read_text(encoding="utf-8"))
    texts: dict[str, str] = {}
    for path in sorted(docs.rglob("*")):
        name = path.relative_to(docs)
        if path.suffix == ".md":
            source = path.read_text(encoding="utf-8")
            folder = name.parent if name.name == "index.md" else name.with_suffix("")
            address = "" if folder == Path() else f"{folder.as_posix()}/"
            _finish_page(site / folder / "index.html", source, shared, address, texts)
        elif path.is_file() and not name.name.startswith("."):
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, site / name)
    write_text(wrong, squeezed(guard(shared.taken_from(wrong.read_text(encoding="utf-8")))), durable=False)
    _complete_search(index, docs, texts)
    shared.write(site / "assets")
    hold_search(site / "assets", shared.before_bundle)
    remove_unused(site)


def hold_search(assets: Path, more: str = "") -> None:
    """Puts our own script, and `more`, before the theme's, which would fetch the search's index on every page. In a
    file of its own it would be a request more, in the pages two megabytes.

    Raises:
        FinishError: the theme has not the one script that is known.
    """
    scripts = list(assets.glob("javascripts/bundle.*.min.js"))
    if len(scripts) != 1:
        raise FinishError(f"the theme has {len(scripts)} scripts javascripts/bundle.*.min.js in {assets}, not one")
    own, text = (path.read_text(encoding="utf-8") for path in (assets / GATE, scripts[0]))
    if not text.startswith(own):
        write_text(scripts[0], own + more + text, durable=False)


def _finish_page(page: Path, source: str, shared: Shared, address: str, texts: dict[str, str]) -> None:
    """Puts a page's HTML back and its policy on it; gathers in `texts` what its sections say, by their locations."""
    if not page.is_file():
        raise FinishError(f"{page}: is not there (Zensical has not built this page)")
    built = page.read_text(encoding="utf-8")
    _, pieces = cut(source)
    marks = [int(found[1]) for found in KEPT.finditer(built)]
    if marks != list(range(len(pieces))):
        raise FinishError(f"{page}: has {len(marks)} of {len(pieces)} pieces of finished HTML, or not in order")
    if not _EXCLUDED.match(source):
        location = address
        for found in re.finditer(f"{_HEADING.pattern}|{KEPT.pattern}", built):
            if found[1] is not None:
                location = f"{address}#{found[1]}"
            else:
                texts[location] = f"{texts.get(location, '')} {_Text(pieces[int(found[2])]).escaped}".strip()
    built = put_back(_HIDDEN.sub(r'\1="', built), pieces)
    lets = {"wasm": _WASM.match(source) is not None, "frames": _FRAMES.match(source) is not None}
    write_text(page, squeezed(guard(shared.taken_from(built), **lets)), durable=False)


class _Text(HTMLParser):
    """What a search may find of finished HTML: its text, but for elements that are to be left out of it."""

    def __init__(self, piece: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._left_out: list[str] = []  # the element that is left out, and what is open in it
        self.feed(piece)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID and (self._left_out or tag in _UNREAD or dict(attrs).keys() & {"data-search-exclude"}):
            self._left_out.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._left_out:
            while self._left_out.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._left_out:
            self.texts.append(data)

    @property
    def escaped(self) -> str:
        return html.escape(" ".join(" ".join(self.texts).split()), quote=False)


def _complete_search(index: Path, docs: Path, texts: dict[str, str]) -> None:
    """Adds to Zensical's index what finished HTML says, and the papers, as MkDocs's hook does."""
    data = json.loads(index.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise FinishError(f"{index}: has no list 'items' (this version of Zensical has another search index)")
    for item in data["items"]:
        item["text"] = f"{item['text']} {texts.get(item['location'], '')}".strip()
    papers = [
        {**document, "level": 1, "path": ["Papers", document["title"]], "tags": []}
        for document in search_documents(docs)
    ]
    for language, items in by_language(data["items"]).items():
        text = json.dumps({**data, "items": items + papers}, ensure_ascii=False, separators=(",", ":"))
        write_text(index.parent / language / index.name, text, durable=False)
