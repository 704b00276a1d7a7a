"""What a built site does not need goes; what a reader sees stays as it is."""

from __future__ import annotations

from pathlib import Path

from scripts.render.building.slim import remove_unused, squeezed


def test_what_keeps_its_blanks_is_left_alone() -> None:
    kept = "<pre>\n  a\n\n    b</pre><script>\n  x\n</script><textarea>\n\n  t</textarea><style>\n  p {}\n</style>"
    assert squeezed(f"<div>\n\n   {kept}\n   <p>one\n   two</p></div>") == f"<div>{kept}<p>one\ntwo</p></div>"


def test_what_a_page_says_of_html_is_left_alone() -> None:
    said = '<pre>&lt;p class="a" id="b"&gt;&lt;/li&gt;</pre><p>Write class="a" there.</p><code>x="1"</code>'
    assert squeezed(said) == said


def test_the_value_of_an_attribute_is_somebody_s_text() -> None:
    kept = '<meta name="author" content="Doe\n\n  Roe &lt;x&gt;">'
    assert squeezed(f'<head>\n  {kept}\n  <a\n  href="x">') == f'<head>{kept}<a\nhref="x">'


def test_white_space_never_disappears_between_words() -> None:
    assert squeezed("<b>a</b> <i>b</i>\n  <u>c</u>").split() == ["<b>a</b>", "<i>b</i>", "<u>c</u>"]


def test_a_description_is_said_once_for_both_who_look_for_it() -> None:
    page = '<meta name="description" content="{}">\n<title>T</title>\n<meta property="og:description" content="A">'
    assert squeezed(page.format("A")) == (
        '<meta name="description" property="og:description" content="A"><title>T</title>\n'
    )
    assert squeezed(page.format("B")).count("<meta") == 2


def test_maps_and_stemmers_go_and_nothing_else(tmp_path: Path) -> None:
    for name in ("javascripts/a.js", "javascripts/a.js.map", "stylesheets/b.css.map", "javascripts/lunr/min/de.js"):
        (tmp_path / "assets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "assets" / name).write_text("x", encoding="utf-8")
    remove_unused(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.js"]
