"""What the theme writes into each page alike goes into files, which a browser fetches once: its inline scripts, the
drawings of its icons, the settings of its own script, and of the header what is of no use without scripts: the switch
of colours and the search. With them a page of a paper would be a third larger.

It is learnt from the page of wrong addresses, which holds no text of an entry. A page with anything else keeps it,
and no script that stands in a page itself may run (`policy`).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reference_impls.safe.writing import write_text
from scripts.render.building.slim import squeezed

# A script without attributes is run; `__config` and JSON-LD have a type that browsers only store.
_SCRIPT = re.compile(r"<script>(.*?)</script>\n?", re.DOTALL)
_CONFIG = re.compile(r'(<script id="__config" type="application/json">)(.*?)(</script>)', re.DOTALL)
# the one part of the theme's scripts that differs from page to page: the way up to the site's root
_SCOPE = re.compile(r'(?<=new URL\(")(\.{1,2}(?:/\.\.)*|(?:/[\w.~-]+)*/?)(?=",location\))')
_ICON = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg" viewBox="0 0 24 24"><path d="([\w\s.,-]*)"/></svg>')
_LANGUAGE = re.compile(r'<html lang="([\w-]+)"')
# What of a page's header is of no use without scripts, and what it is put before.
_BLOCKS = {
    "palette": re.compile(r'<form class="md-header__option" data-md-component="palette">.*?</form>\n?', re.DOTALL),
    "search": re.compile(
        r'<div class="md-search" data-md-component="search" role="dialog">.*?</ol>\s*(?:</div>\s*){5}', re.DOTALL
    ),
}
#: The style sheet that pages have in common, and the script that is there before a page's body.
SHEET, EARLY = "atlas.css", "javascripts/early.js"
# Of a page's settings those that are its own.
_OWN = ("base",)
# A mask is painted in the colour of the text around it. Where the reader's own colours rule, that colour is theirs.
_ICONS = """
{all} {{
  background: currentcolor;
  forced-color-adjust: none;
  -webkit-mask: var(--atlas-icon) center / contain no-repeat;
  mask: var(--atlas-icon) center / contain no-repeat;
}}
@media (forced-colors: active) {{ {all} {{ background: ButtonText; }} }}
"""
# The header's parts are put in, and its scripts run, as soon as the header has been read, before it is painted.
_HEADER = """(function () {{
  var parts = {parts}, watch = new MutationObserver(put);
  function put() {{
    var body = document.querySelector(".md-container"), mine = parts[document.documentElement.lang] || {{}};
    if (!body) return;
    watch.disconnect();
    if (mine.palette) document.querySelector(".atlas-language").insertAdjacentHTML("beforebegin", mine.palette);
    if (mine.search) document.querySelector("header [for=__search]").insertAdjacentHTML("afterend", mine.search);
    {scripts}
  }}
  watch.observe(document.documentElement, {{ childList: true, subtree: true }});
}})();
"""
_SETTINGS = """(function () {{
  var place = document.getElementById("__config"), known = {known}[document.documentElement.lang];
  var own = JSON.parse(place.textContent), all = Object.assign({{}}, known, own);
  if (!own.search && known) all.search = new URL(known.search, document.currentScript.src).href;
  place.textContent = JSON.stringify(all);
}})();
"""


class Shared:
    """What the pages of one build have in common."""

    def __init__(self, wrong: str = "") -> None:
        """`wrong`: the page of wrong addresses as the theme has made it."""
        scripts = [(found.start(), found[1]) for found in _SCRIPT.finditer(wrong)]
        self._known = {_SCOPE.sub("", text) for _, text in scripts}
        body, main = (_place(wrong, tag) for tag in ("<body", "<main"))
        self._first = "".join(f"{_anywhere(text)};\n" for place, text in scripts if place < body)
        self._header = " ".join(f"{text};" for place, text in scripts if body <= place < main)
        self._late = "".join(f"(function () {{{text}}})();\n" for place, text in scripts if place >= main)
        self._icons = {drawn: f"atlas-icon-{i}" for i, drawn in enumerate(dict.fromkeys(_ICON.findall(wrong)))}
        # by language
        self._settings: dict[str, dict[str, Any]] = {}
        self._blocks: dict[str, dict[str, str]] = {}

    def taken_from(self, page: str) -> str:
        """A page without what is in the files."""
        scope = _SCOPE.search(page)
        found = [script for script in _SCRIPT.finditer(page) if _SCOPE.sub("", script[1]) in self._known]
        if not scope or not found:
            return page
        parts, end, early = [], 0, f'<script src="{scope[1].rstrip("/")}/assets/{EARLY}"></script>\n'
        for script in found:
            parts += [page[end : script.start()], early]
            early, end = "", script.end()
        page = _ICON.sub(self._icon, "".join([*parts, page[end:]]))
        language = named[1] if (named := _LANGUAGE.search(page)) else ""
        known = self._blocks.setdefault(language, {})
        for name, form in _BLOCKS.items():
            if (block := form.search(page)) and known.setdefault(name, block[0]) == block[0]:
                page = page[: block.start()] + page[block.end() :]
        if config := _CONFIG.search(page):
            own = self._own_settings(language, config[2])
            page = page[: config.start(2)] + own + page[config.end(2) :]
        return page

    def write(self, assets: Path) -> None:
        """Writes the files below the built site's `assets`; to be called when all pages are done."""
        blocks = {
            language: {name: squeezed(block) for name, block in known.items()}
            for language, known in self._blocks.items()
        }
        header = _HEADER.format(parts=_json(blocks), scripts=self._header)
        write_text(assets / EARLY, self._first + header, durable=False)
        sheet, every = assets / SHEET, ",".join(f".{name}" for name in self._icons.values())
        if self._icons and sheet.is_file() and every not in (text := sheet.read_text(encoding="utf-8")):
            rules = (f'.{name} {{ --atlas-icon: url("{_image(drawn)}"); }}\n' for drawn, name in self._icons.items())
            write_text(sheet, text + _ICONS.format(all=every) + "".join(rules), durable=False)

    @property
    def before_bundle(self) -> str:
        """What has to run before the theme's own script, at the end of a page."""
        if not self._settings:
            return self._late
        known = {
            language: {**settings, "search": _from_scripts(str(settings.get("search", "")))}
            for language, settings in self._settings.items()
        }
        return _SETTINGS.format(known=_json(known)) + self._late

    def _icon(self, found: re.Match[str]) -> str:
        name = self._icons.get(found[1])
        return f'<svg class="{name}"></svg>' if name else found[0]

    def _own_settings(self, language: str, text: str) -> str:
        """Of a page's settings those that no other page of its language has."""
        settings = json.loads(text)
        own = {name: settings.pop(name) for name in _OWN if name in settings}
        if own and "search" in settings:
            settings["search"] = str(settings["search"]).removeprefix(own["base"].rstrip("/") + "/")
            if self._settings.setdefault(language, settings) == settings:
                return _json(own)
        return text


def _place(page: str, tag: str) -> int:
    """Where something of a page begins; its end where there is none."""
    return page.find(tag) if tag in page else len(page)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _anywhere(script: str) -> str:
    """A script of a page as one of a file, which has its own way up to the site's root."""
    return _SCOPE.sub("../..", script).replace(
        'new URL("../..",location)', 'new URL("../..",document.currentScript.src)'
    )


def _from_scripts(path: str) -> str:
    """A file's address below the site's root, as seen from the theme's scripts."""
    return path.removeprefix("assets/javascripts/")


def _image(drawn: str) -> str:
    """An icon as an image of its own."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{drawn}"/></svg>'
    return f"data:image/svg+xml,{quote(svg, safe=' =:/')}".replace("%22", "'")
