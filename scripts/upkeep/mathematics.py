"""Turns the LaTeX of taxonomy/formulas.yml into MathML: python -m scripts.upkeep.mathematics

It needs latex2mathml (pip install latex2mathml), which nothing else does: what it makes is committed.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from markupsafe import escape

from reference_impls.safe.writing import write_text
from scripts.model.corpus import find_root
from scripts.model.formulas import MATHML, latex_of, read_formulas

_SIGN = re.compile(r"<mi>([^\w<&])</mi>")
_REFERENCE = re.compile(r"&#x0*([0-9A-Fa-f]+);")


def convert(latex: str) -> str:
    """The inner MathML of a formula; signs that the converter takes for letters become operators."""
    from latex2mathml.converter import convert as to_mathml  # noqa: PLC0415  only this command needs it

    whole = re.sub(r"^<math[^>]*>|</math>$", "", to_mathml(latex, display="block"))
    plain = _REFERENCE.sub(lambda found: str(escape(chr(int(found[1], 16)))), whole)
    return _SIGN.sub(r"<mo>\1</mo>", plain)


def main() -> None:
    """Writes the file again."""
    root = find_root(Path.cwd())
    made = {latex: convert(latex) for latex in sorted(set(latex_of(read_formulas(root))))}
    write_text(root / MATHML, json.dumps(made, ensure_ascii=False, indent=0) + "\n")
    sys.stdout.write(f"{len(made)} pieces of mathematics in {MATHML.as_posix()}\n")


if __name__ == "__main__":
    main()
