"""Mathematics of pages as MathML, which browsers show without a script.

LaTeX is turned into MathML beforehand, so that building the site needs no converter: site_src/mathml.json holds what
`python -m scripts.upkeep.mathematics` makes of all of taxonomy/formulas.yml (it needs latex2mathml).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup, escape

from scripts.model.formulas import INLINE, MATHML

_LETTER = re.compile(r"<mi[^>]*>([^<]+)</mi>")
_CODE = re.compile(r"``(.+?)``|`([^`]+)`")
#: Names of functions, which need no explanation.
FUNCTIONS = {"cos", "exp", "ln", "log"}
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eta": "η", "theta": "θ", "lambda": "λ", "mu": "μ",
    "omega": "ω", "phi": "φ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "Phi": "Φ", "Psi": "Ψ",
}  # fmt: skip
_NAME = re.compile(rf"\b(?:{'|'.join(_GREEK)})(?=_|\b)(?!\()")
_INDEXED = re.compile(r"(?<![\w.])([A-Za-zα-ωΦΨ])_([A-Za-z0-9]{1,2}|\w+,\w+)(?![\w])")
_POWER = re.compile(r"(?<=[\w)>])\^(-?\w+)")


class Typesetter:
    """MathML by LaTeX; what has none yet stands as LaTeX in the page."""

    def __init__(self, made: Mapping[str, str]) -> None:
        self._made = made

    @classmethod
    def of(cls, root: Path) -> Typesetter:
        """That of the Atlas at `root`."""
        file = root / MATHML
        return cls(json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {})

    def display(self, latex: str) -> Markup:
        """A formula on a line of its own."""
        return self._math(latex, ' display="block"')

    def inline(self, latex: str) -> Markup:
        """A formula within text."""
        return self._math(latex, "")

    def _math(self, latex: str, kind: str) -> Markup:
        if latex not in self._made:
            return Markup("<code>{}</code>").format(latex)
        start = Markup('<math xmlns="http://www.w3.org/1998/Math/MathML"{} alttext="{}">').format(Markup(kind), latex)  # noqa: S704  ours
        return start + Markup(self._made[latex]) + Markup("</math>")  # noqa: S704  the project's own file

    def text(self, words: str) -> Markup:
        """Text with mathematics between dollar signs and code between backticks."""
        made, end = Markup(), 0
        for found in INLINE.finditer(words):
            made += prose(words[end : found.start()]) + self.inline(found[1])
            end = found.end()
        return made + prose(words[end:])

    def symbols(self, latex: str) -> list[str]:
        """The letters of a formula in their order, but for names of functions."""
        return [one for one in _LETTER.findall(self._made.get(latex, "")) if one not in FUNCTIONS]


def prose(words: object) -> Markup:
    """A paragraph of a docstring on one line: code as code, names of Greek letters as letters, indices as such."""
    flat, made, end = " ".join(str(words).split(" ")), Markup(), 0
    for found in _CODE.finditer(flat):
        made += _lettered(flat[end : found.start()]) + Markup("<code>{}</code>").format(found[1] or found[2])
        end = found.end()
    return made + _lettered(flat[end:])


def _lettered(words: str) -> Markup:
    greek = _NAME.sub(lambda found: _GREEK[found[0]], words)
    indexed = _INDEXED.sub(r"<var>\1</var><sub>\2</sub>", str(escape(greek)))
    return Markup(_POWER.sub(r"<sup>\1</sup>", indexed))  # noqa: S704  escaped before
