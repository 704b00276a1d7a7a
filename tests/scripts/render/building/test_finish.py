"""What a site gets after an engine without hooks has built it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.render.building.finish import GATE, FinishError, cut, finish_site, hold_search, put_back, without_html
from scripts.render.building.policy import PolicyError
from scripts.render.site import SEARCH

SCOPE = '__md_scope=new URL("{}",location)'
HEAD = f'<head>\n<meta charset="utf-8">\n<script>{SCOPE.format("..")}</script></head>'
PIECE = "<p>A &lt;word&gt;<br>and <b data-search-exclude>1 <i>2</i></b> more<svg>3</svg></p><script>evil()</script>"
PAGES = {
    "index.md": ("---\ntitle: Home\n---\n# Home\n\n<!-- raw -->\n<p>hello</p>\n<!-- /raw -->\n", "home"),
    "taxonomy/after.md": (f"---\ntitle: After\nwasm: true\n---\n# A\n\n<!-- raw -->\n{PIECE}\n<!-- /raw -->\n", "a"),
    "papers/doe.md": ("---\ntitle: Doe\nsearch:\n  exclude: true\n---\n<!-- raw -->\nx\n<!-- /raw -->\n", None),
}
PAPERS = [{"location": "papers/doe/", "title": "Doe &amp; Roe", "text": "Jane Doe"}]


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A rendered folder of three pages and what pages load."""
    for name, (text, _) in PAGES.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
    (tmp_path / "docs" / "assets").mkdir()
    (tmp_path / "docs" / "assets" / "a.css").write_text("a {}")
    (tmp_path / "docs" / "assets" / GATE).write_text("gate();\n")
    (tmp_path / "docs" / SEARCH).write_text(json.dumps(PAPERS))
    return tmp_path / "docs"


@pytest.fixture
def site(docs: Path, tmp_path: Path) -> Path:
    return build_by_hand(docs, tmp_path)


def build_by_hand(docs: Path, tmp_path: Path) -> Path:
    """What an engine builds of the pages without their HTML: headings, marks, and a search index."""
    without_html(docs, tmp_path / "cut")
    for name, (_, heading) in PAGES.items():
        folder = tmp_path / "site" / ("" if name == "index.md" else name.removesuffix(".md"))
        folder.mkdir(parents=True, exist_ok=True)
        body = (tmp_path / "cut" / name).read_text(encoding="utf-8").split("---\n")[-1]
        title = f'<h1 id="{heading}">{heading}</h1>\n' if heading else ""
        (folder / "index.html").write_text(
            f"{HEAD}{title}{body.split('# Home')[-1].split('# A')[-1]}", encoding="utf-8"
        )
    (tmp_path / "site" / "404.html").write_text(HEAD)
    scripts = tmp_path / "site" / "assets" / "javascripts"
    scripts.mkdir(parents=True)
    (scripts / "bundle.0123abcd.min.js").write_text("theme();\n")
    items = [{"location": place, "title": "T", "text": "own"} for place in ("", "#home", "taxonomy/after/#a")]
    (tmp_path / "site" / "search.json").write_text(json.dumps({"config": {}, "items": items}))
    return tmp_path / "site"


@given(parts=st.lists(st.tuples(st.sampled_from(["\n", "# A\n\n", "text\n\n"]), st.text(alphabet="<p> /\n1"))))
def test_what_is_cut_out_comes_back(parts: list[tuple[str, str]]) -> None:
    source = "".join(f"{between}<!-- raw -->\n{piece}\n<!-- /raw -->\n" for between, piece in parts)
    left, pieces = cut(source)
    assert pieces == [piece for _, piece in parts]
    assert put_back(left, pieces) == "".join(f"{between}{piece}\n" for between, piece in parts)


def test_pages_get_their_html_and_their_policy(site: Path, docs: Path) -> None:
    finish_site(site, docs)
    home = (site / "index.html").read_text(encoding="utf-8")
    after = (site / "taxonomy" / "after" / "index.html").read_text(encoding="utf-8")
    assert "<p>hello</p>" in home
    assert PIECE in after
    assert "<!-- raw" not in home + after
    for page in (home, after, (site / "404.html").read_text(encoding="utf-8")):
        assert page.count("Content-Security-Policy") == 1
        assert SCOPE.format("..") not in page  # the theme's script is in a file
        assert '<script src="../assets/javascripts/early.js"></script>' in page
    assert ("wasm-unsafe-eval" in home, "wasm-unsafe-eval" in after) == (False, True)


def test_links_in_other_html_are_hidden_from_the_engine_alone(docs: Path, tmp_path: Path) -> None:
    page = docs / "index.md"
    link = '<a class="x" href="../methods/">M</a><img src="a.svg">'
    page.write_text(page.read_text(encoding="utf-8").replace("<!-- raw -->", f"{link}\n\n<!-- raw -->"))
    site = build_by_hand(docs, tmp_path)
    assert not re.search(r'\s(href|src)="', (tmp_path / "cut" / "index.md").read_text(encoding="utf-8"))
    finish_site(site, docs)
    finished = (site / "index.html").read_text(encoding="utf-8")
    assert '<a class=x href=../methods/>M</a><img src="a.svg">' in finished


def test_what_pages_load_comes_along_and_nothing_hidden(site: Path, docs: Path) -> None:
    finish_site(site, docs)
    assert (site / "assets" / "a.css").read_bytes() == (docs / "assets" / "a.css").read_bytes()
    assert not [path for path in site.rglob("*") if path.name.startswith(".") or path.suffix == ".md"]


def test_the_search_has_the_papers_and_what_finished_html_says(site: Path, docs: Path) -> None:
    finish_site(site, docs)
    items = json.loads((site / "search.json").read_text(encoding="utf-8"))["items"]
    texts = {item["location"]: item["text"] for item in items}
    assert texts == {
        "": "own",
        "#home": "own hello",
        "taxonomy/after/#a": "own A &lt;word&gt; and more",
        "papers/doe/": "Jane Doe",
    }
    assert items[-1] == {**PAPERS[0], "level": 1, "path": ["Papers", "Doe &amp; Roe"], "tags": []}


def test_the_search_is_held_by_the_theme_s_script_once(site: Path, docs: Path) -> None:
    finish_site(site, docs)
    hold_search(site / "assets")  # as a server does after each edit
    [script] = (site / "assets" / "javascripts").glob("bundle.*")
    assert script.read_text() == "gate();\ntheme();\n"


def spoil_page(site: Path) -> None:
    (site / "index.html").write_text(HEAD)


def spoil_index(site: Path) -> None:
    (site / "search.json").write_text("[]")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda site: (site / "404.html").unlink(), "404.html: is not there"),
        (lambda site: (site / "search.json").unlink(), "search.json: is not there"),
        (lambda site: (site / "papers" / "doe" / "index.html").unlink(), "has not built this page"),
        (spoil_page, "index.html: has 0 of 1 pieces"),
        (spoil_index, "no list 'items'"),
        (lambda site: (site / "assets/javascripts/bundle.0123abcd.min.js").unlink(), "has 0 scripts"),
    ],
)
def test_another_site_than_is_known_is_refused(
    site: Path, docs: Path, spoil: Callable[[Path], object], told: str
) -> None:
    spoil(site)
    with pytest.raises(FinishError, match=told):
        finish_site(site, docs)


def test_a_page_without_a_place_for_the_policy_is_refused(site: Path, docs: Path) -> None:
    page = site / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace('<meta charset="utf-8">', ""), encoding="utf-8")
    with pytest.raises(PolicyError, match="Content-Security-Policy"):
        finish_site(site, docs)
