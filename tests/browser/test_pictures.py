"""Figures: their text finds room in the widest font, they can be saved, and the map of the taxonomy can be walked."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.site import SiteServer

pytestmark = pytest.mark.browser

#: The widest of the fonts that systems bring, where this one has it; and that of the pages.
FONTS = ('"DejaVu Sans", Verdana, sans-serif', '"Liberation Sans", Arial, sans-serif')
#: Texts beyond the edge of their figure, and texts that lie on one another.
CROWDED = """font => [...document.querySelectorAll("svg")].flatMap((svg) => {
  svg.style.setProperty("font-family", font, "important");
  const room = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].map((one) => [one.textContent, one.getBoundingClientRect()]);
  const found = texts.filter(([, a]) => a.width && (a.right > room.right + 1 || a.left < room.left - 1
    || a.bottom > room.bottom + 1)).map(([text]) => `${svg.id}: ${text} beyond the edge`);
  texts.forEach(([text, a], place) => texts.slice(place + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 2 && high > 5) found.push(`${svg.id}: ${text} on ${other}`);
  }));
  return found;
})"""


def some_figures(folder: Path) -> list[Path]:
    """All that are drawn by hand or crowded, and two of every other kind."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted((folder / "plots").glob("*.svg")):
        kinds.setdefault(path.stem.split("-")[0], []).append(path)
    return [path for kind, paths in kinds.items() for path in (paths if kind in ("picture", "cost") else paths[:2])]


def test_text_finds_room_in_figures(new_page: NewPage, site: SiteServer) -> None:
    page = new_page()
    paths = some_figures(site.folder)
    assert len(paths) > 30
    svgs = [path.read_text(encoding="utf-8").strip() for path in paths]
    page.set_content(
        "".join(svg.replace("<svg", f'<svg id="{p.stem}"', 1) for p, svg in zip(paths, svgs, strict=True))
    )
    for font in FONTS:
        assert not page.evaluate(CROWDED, font), font


def test_a_figure_is_saved_as_png(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/taxonomy/during/span-level/")
    page.locator("a.atlas-svg").first.scroll_into_view_if_needed()
    with page.expect_download() as download:
        page.get_by_role("button", name="picture-during-span-level: PNG").click()
    assert download.value.suggested_filename == "picture-during-span-level.png"
    data = Path(download.value.path()).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 10_000


def fields(page: Page) -> dict[str, int]:
    """The fields of the map and their numbers of papers."""
    texts = page.locator(".atlas-treemap-field").evaluate_all("all => all.map((one) => one.title)")
    return {name: int(count.split()[0]) for name, count in (text.rsplit(": ", 1) for text in texts)}


def test_the_map_of_the_taxonomy_is_walked(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/taxonomy/")
    page.get_by_role("button", name="During inference").click()
    place = page.get_by_role("navigation", name="Place on the map")
    expect(place.locator("strong")).to_have_text("During inference")
    now = fields(page)
    assert "Token-level ensemble" in now
    assert "Related work" not in now
    page.get_by_label("Papers up to the year").fill("2024")
    then = fields(page)
    assert 0 < then["Token-level ensemble"] < now["Token-level ensemble"]
    place.get_by_role("button", name="All papers").click()
    expect(page.get_by_role("button", name="Related work")).to_be_visible()


def test_without_javascript_the_map_is_a_list(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/taxonomy/")
    expect(page.locator(".atlas-treemap")).to_have_count(0)
    expect(page.locator("#atlas-map").get_by_role("link", name="Token-level ensemble")).to_be_visible()
