"""LaTeX as it stands in .bib files."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.imports.latex import read, to_text


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
        (r"\textcommabelow{S}tefan, {\textcommabelow t}, {\c t}, \k{a}, \v{\i}, \={a}", "Ștefan, ț, ţ, ą, ǐ, ā"),
        (r"\texttt{code} \textsf{a} \mbox{b} \textup{c} \textmd{d} \ensuremath{x}", "code a b c d x"),
        (r"\textcolor{red}{Red} \underline{u} {\itshape it} \large big", "Red u it big"),
        (r"\LaTeX{} and \BibTeX, \TeX\ too", "LaTeX and BibTeX, TeX too"),
        (r"$n$-gram, B$^{3}$, H\textsubscript{2}O", "n-gram, B^3, H2O"),
        (r"R\textsuperscript{2}, 1\textsuperscript{st}", "R^2, 1st"),
        (r"$\mathrm{Best}$-of-$\mathbf{N}$, $\mathcal{Word}$, $\text{one two}$", "Best-of-N, Word, one two"),
        (r"A\&B, \enquote{q}, Pi\~na, \aa{}ngstr\"om", "A&B, q, Piña, ångström"),
        (r"Rates &amp; Costs of &#233;t&eacute; <i>k</i>-means", "Rates & Costs of été k-means"),
        (r"\verb|a_b {c}| and $O(n\log n)$, \~{}x \^{}", "a_b {c} and O(n log n), ~x ^"),
        (r"Hyphen\-ation \foreignlanguage{french}{mot} {\t oo} R\&amp;D", "Hyphenation mot oo R&D"),
        (r"{\color{red}Red} $\|x\|_2$", "Red ‖x‖_2"),
        (r"A $<$math$>$$<$mi$>$x$<$/mi$>$$<$/math$>$ and \textless{}i\textgreater{}y", "A x and y"),
        (r"Name\textsuperscript{\textregistered}", "Name®"),
        (r"{\pounds}5 \S 3 \unicode{233}t\unicode{233}\unicode{8203}", "£5 §3 été"),
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


@pytest.mark.parametrize(
    ("source", "wanted", "unknown"),
    [
        (r"\method: a \method{} and \method", "method: a method and method", ("method",)),
        (r"\odd{word} \odd{one}{two} \other[x]{y}", "word one two [x]y", ("odd", "other")),
        (r"\title{A} \keywords{B} \newthing{\emph{C}}", "A B C", ("title", "keywords", "newthing")),
        (r"{\sc Small} \emph{x} $\alpha$", "Small x α", ()),
    ],
)
def test_an_unknown_command_leaves_its_words_and_is_named(source: str, wanted: str, unknown: tuple[str, ...]) -> None:
    assert read(source) == (wanted, unknown)


COMMANDS = st.sampled_from([*"ckvuHrbd", "emph", "textbf", "texttt", "mbox", "odd", "textsc", "bm", "mathrm", "url"])


@given(st.lists(st.tuples(COMMANDS, st.from_regex(r"[a-z]{2,8}", fullmatch=True)), min_size=1, max_size=5))
def test_no_word_is_lost_in_a_command(pairs: list[tuple[str, str]]) -> None:
    text = to_text(" ".join(f"\\{command}{{{word}}}" for command, word in pairs))
    bare = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    assert bare.split() == [word for _, word in pairs]


@given(st.text(alphabet="\\{}$%&_^~#'`\"abcuvi -\n@[]()", max_size=60))
def test_any_text_at_all(source: str) -> None:
    found = to_text(source)
    assert "\n" not in found
    assert found == found.strip()
