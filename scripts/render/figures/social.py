"""The pictures that other sites show beside a link to the Atlas: one a category, and one for all other pages.

They stand finished in `site_src/assets/social`, so that a rendering needs no browser. Each PNG tells in its metadata
the words that it shows (`words_of`); a test holds them against the taxonomy. Where a name or question has changed:
`python -m scripts.render.figures.social`, which draws with Chromium and needs Playwright.
"""

from __future__ import annotations

import io
import shutil
import struct
import zlib
from pathlib import Path

from markupsafe import escape

from reference_impls.safe.writing import write_bytes
from scripts.model import Corpus
from scripts.model.corpus import find_root
from scripts.render.settings import load_settings

FOLDER = Path("site_src") / "assets" / "social"
DEFAULT = "atlas"
WIDTH, HEIGHT = 960, 504
_HEAD = 8  # bytes of a PNG before its first chunk
_STYLE = """
body { background: var(--atlas-card); color: var(--atlas-ink); display: flex; flex-direction: column; gap: 20px;
  font: 30px/1.35 "DejaVu Sans", sans-serif; height: 504px; justify-content: center; margin: 0;
  padding: 0 48px 0 60px; box-sizing: border-box; border-left: 24px solid var(--hue); }
small { color: var(--atlas-ink-soft); font-size: 22px; } h1 { font-size: 50px; line-height: 1.15; margin: 0; }
p { margin: 0; } svg { max-height: 190px; max-width: 100%; align-self: flex-start; margin: 0 !important; }
"""


def words(corpus: Corpus, name: str, description: str) -> dict[str, tuple[str, ...]]:
    """File name without suffix -> the stage, and the lines of its picture."""
    found: dict[str, tuple[str, ...]] = {DEFAULT: ("related", name, description)}
    for full_id, stage, category in corpus.taxonomy:
        found[full_id.replace("/", "-")] = (stage.id, f"{name}: {stage.name}", category.name, category.question)
    return found


def words_of(png: bytes) -> tuple[str, ...]:
    """The words that a picture of ours shows; empty for any other file."""
    start = png.find(b"iTXtDescription\0")
    if start < 0:
        return ()
    (size,) = struct.unpack(">I", png[start - 4 : start])
    return tuple(png[start + 4 : start + 4 + size].split(b"\0", 5)[-1].decode("utf-8").split("\n"))


def lighter(png: bytes) -> bytes:
    """The picture with the 64 colours that it needs: flat areas, and the edges of letters."""
    from PIL import Image  # noqa: PLC0415  as Playwright, for those who draw

    made = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(made, "PNG", optimize=True)
    return made.getvalue()


def _labelled(png: bytes, lines: tuple[str, ...]) -> bytes:
    """The picture with its words in it, after its first chunk."""
    data = b"iTXtDescription\0\0\0\0\0" + "\n".join(lines).encode()
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    (size,) = struct.unpack(">I", png[_HEAD : _HEAD + 4])
    end = _HEAD + 12 + size
    return png[:end] + chunk + png[end:]


def _page(root: Path, name: str, lines: tuple[str, ...]) -> str:
    assets = root / "site_src" / "assets"
    stage, *told = lines
    figure = assets / "figures" / f"{name}.svg"
    drawing = figure.read_text(encoding="utf-8") if figure.is_file() else ""
    sheets = "".join((assets / sheet).read_text(encoding="utf-8") for sheet in ("tokens.css", "figures.css"))
    above = f"<small>{escape(told.pop(0))}</small>" if len(told) > 2 else ""
    return (
        f"<!doctype html><meta charset=utf-8><style>{sheets}{_STYLE}:root{{--hue:var(--atlas-{stage})}}</style>"
        f"{above}<h1>{escape(told[0])}</h1><p>{escape(told[1])}</p>{drawing}"
    )


def main() -> None:
    """Draws every picture again."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  of the tests; a rendering needs none

    root = find_root()
    settings = load_settings(root)
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name, lines in words(Corpus.load(root), settings.name, settings.description).items():
            page.set_content(_page(root, name, lines))
            write_bytes(root / FOLDER / f"{name}.png", _labelled(lighter(page.screenshot()), lines))
        browser.close()


if __name__ == "__main__":
    main()
