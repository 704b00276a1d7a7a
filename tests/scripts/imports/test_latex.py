"""LaTeX as it stands in .bib files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.imports.latex import to_text


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (r'M{\"u}ller, M\"uller, M{\"{u}}ller, M\"{u}ller', "Müller, Müller, Müller, Müller"),
        (r"{\'E}ric Garc{\'\i}a {\'{\i}}", "Éric García í"),
        (r"\L{}ukasz {\L}ukasz \L ukasz {\o} \O{} {\aa} \ss", "Łukasz Łukasz Łukasz ø Ø å ß"),
        (r"\v{S} \c{c} \k{a} \u{g} \H{o} {\.I} \r{a} \d{s}", "Š ç ą ğ ő İ å ṣ"),
        (r"{RouteLLM}: {L}earning", "RouteLLM: Learning"),
        (r"$k$NN in $O(n^2)$, $\epsilon$-greedy, $10^{-3}$", "kNN in O(n^2), ϵ-greedy, 10^-3"),
        (r"$\mathcal{L}_2$ and $\alpha$", "ℒ_2 and α"),
        (r"50% better & cheaper #1", "50% better & cheaper #1"),
        (r"50\% better \& cheaper \#1 a\_b", "50% better & cheaper #1 a_b"),
        (r"costs $5", "costs $5"),
        (r"costs \$5 to \$9", "costs $5 to $9"),
        ("a~b -- c --- ``d''", "a b – c — “d”"),
        (r"\emph{X} \textbf{\textit{Y}} {\bf z} \textsc{bert}", "X Y z bert"),
        (r"\url{http://example.org/a} \href{http://example.org}{text}", "http://example.org/a text"),
        (r"\textbackslash{}a\textasciitilde{}b\textasciicircum{}c\textbraceleft{}\textbraceright{}", r"\a~b^c{}"),
        (r"a\footnote{Equal.} \cite{x}", "a"),
        ("{" * 2000 + "deep" + "}" * 2000, "deep"),
        (r"\input{/etc/passwd}", "/etc/passwd"),
        ("k" + r"\sqrt[" * 60 + "n", "k" + " [" * 60 + "n"),
        ("", ""),
        ("\\", ""),
    ],
)  # fmt: skip
def test_to_text(source: str, wanted: str) -> None:
    found = to_text(source)
    if "passwd" in source:
        assert "root:" not in found  # no file is ever read
    else:
        assert found == wanted


@given(st.text(alphabet="\\{}$%&_^~#'`\"abcuvi -\n@[]()", max_size=60))
def test_any_text_at_all(source: str) -> None:
    found = to_text(source)
    assert "\n" not in found
    assert found == found.strip()
