"""The syntax of .bib files: valid entries survive what stands around them, and nothing is lost without a fault."""

from __future__ import annotations

import re

import pytest
from bibtexparser.model import Entry as LibraryEntry
from bibtexparser.splitter import Splitter
from hypothesis import given
from hypothesis import strategies as st

from scripts.imports import syntax
from scripts.imports.syntax import FIELDS, Grade, Source

GOOD = "@misc{%s, title = {Title of %s}, year = 2020}\n"


def fields(source: Source) -> list[dict[str, str]]:
    """Each entry's values by their names."""
    return [{item.name: item.value for item in entry.fields} for entry in source.entries]


def told(source: Source) -> list[tuple[int, int, Grade]]:
    """Line, column and grade of each fault."""
    return [(*source.place(fault.offset), fault.grade) for fault in source.faults]


# --- between entries --------------------------------------------------------------------------------------------

NOISE = [
    "Made by hand, mail to me@example.org (or @home {sometimes}).\n",
    "An @ alone, and @misc without a brace.\n",
    "{ a brace that never closes\n",
    "} a brace too many }}\n",
    '"a quote that never closes\n',
    "% a remark, 100 % \n%%%\n",
    "@comment{jabref-meta: databaseType:bibtex;}\n",
    "@comment{ a brace { inside\n",
    "@Comment this is one for BibTeX, too\n",
    "@comment(in parentheses {)\n",
    '@preamble{"\\newcommand{\\x}{y}" # "z"}\n',
    '@preamble{"\\def\\x{"}\n',
    '@string{conf = "A " # {Conference} # jan}\n@STRING(other = conf)\n',
    "\\bibliography{refs}\n\n= , #\n",
    "x = {y}, and so on\n",
]


@pytest.mark.parametrize("noise", NOISE)
def test_entries_survive_what_stands_between_them(noise: str) -> None:
    source = syntax.parse(noise + GOOD % ("a", "a") + noise + GOOD % ("b", "b") + noise)
    assert [entry.key for entry in source.entries] == ["a", "b"]
    assert fields(source) == [{"title": f"Title of {key}", "year": "2020"} for key in "ab"]
    assert not [fault for fault in source.faults if fault.grade is not Grade.TOLD]


def test_entries_behind_percent_signs_and_in_comments_are_told() -> None:
    source = syntax.parse(
        "% @misc{a, title = {A}}\n"
        "% @misc{b,\n%  title = {B},\n% }\n"
        "@comment{@misc{c, title = {C}} @misc{d, title = {D}}}\n"
        "% @misc{e,\n  title = {E},\n}\n"
    )
    assert [entry.key for entry in source.entries] == ["e"]  # only its first line stands behind %
    assert told(source) == [(1, 3, Grade.TOLD), (2, 3, Grade.TOLD), (5, 1, Grade.TOLD)]
    assert "2 entries" in source.faults[-1].text


# --- inside of entries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ('@misc(k, title = "A (b)", note = {c)})', {"title": "A (b)", "note": "c)"}),
        ('@misc{k, title = "A {"}b{"} {"c" d}"}', {"title": 'A {"}b{"} {"c" d}'}),
        ('@misc{k, title = "M{\\"u}ller" # { and } # "B"}', {"title": 'M{\\"u}ller and B'}),
        ("@misc{k\n , title = {A}\n , year = 2020\n}", {"title": "A", "year": "2020"}),
        ("@MISC {k ,TITLE={A},,YEAR=2020,}", {"title": "A", "year": "2020"}),
        (
            "@misc{k, title = {50% of a}, % the rest\n % more\n year = 2020 % last\n}",
            {"title": "50% of a", "year": "2020"},
        ),
        ("@misc{doi:10.1/(a)1<b=c%3E, title = {A}}", {"title": "A"}),
        ("@misc{k, note = {see @misc{b}, mail a@b.org}}", {"note": "see @misc{b}, mail a@b.org"}),
        ("@misc{k, month = 10 # {~} # jan, bdsk-url-1 = {x}}", {"month": "10~jan", "bdsk-url-1": "x"}),
    ],
)
def test_valid_entries(source: str, wanted: dict[str, str]) -> None:
    found = syntax.parse(source)
    assert fields(found) == [wanted]
    assert found.faults == []


BIG = {"title": 'The "big", or small" thing', "year": "1"}


@pytest.mark.parametrize(
    ("source", "wanted", "place"),
    [
        ("@misc{k, title = {A} year = {2020}, note = {b}}", {"title": "A", "year": "2020", "note": "b"}, (1, 22)),
        ('@misc{k, title = "A"\n year = 2020\n note = {b}}', {"title": "A", "year": "2020", "note": "b"}, (2, 2)),
        ("@misc{k\n title = {A}, year = 2020}", {"title": "A", "year": "2020"}, (2, 2)),
        ("@misc{title = {A}, year = 2020}", {"title": "A", "year": "2020"}, (1, 7)),
        ('@misc{k, title = "The "big", or small" thing", year = 1}', BIG, (1, 23)),
        (r"@misc{k, title = {A \} b}, year = 2020}", {"title": r"A \} b", "year": "2020"}, (1, 1)),
        (r'@misc{k, title = "A \{ b", year = 2020}', {"title": r"A \{ b", "year": "2020"}, (1, 1)),
        ("@misc{k, title = {A} and {B}, year = 2020}", {"title": "A and B", "year": "2020"}, (1, 18)),
        ("@misc{k, title = {A}, year = 2020 (to appear)}", {"title": "A", "year": "2020 (to appear)"}, (1, 30)),
        ("@misc{k, title = {A}, lost, year = 2020}", {"title": "A", "year": "2020"}, (1, 23)),
        ("@misc{k, title = {A}, year = 2020\n", {"title": "A", "year": "2020"}, (2, 1)),
        ("@misc{k, abstract = {a, year = {b}, c}, year = 2}", {"abstract": "a, year = {b}, c", "year": "2"}, (1, 25)),
    ],
)  # fmt: skip
def test_mended_entries(source: str, wanted: dict[str, str], place: tuple[int, int]) -> None:
    found = syntax.parse(source)
    assert fields(found) == [wanted]
    assert told(found)[0] == (*place, Grade.MENDED)


@pytest.mark.parametrize(
    "source",
    [
        "@misc{k, title = {A,\n  author = {B}},\n  year = 2020\n}\n",
        "@misc{k, title = {A {b}, year = 2020}\n",
        '@misc{k,\n  title = "A,\n  author = "B C",\n  year = 2020\n}\n',
        "@misc{k, title = {A}}, year = 2020}\n",
        "@misc{k, title = {A}},\n  author = {B}\n}\n",
        "@misc{k, title {A}, year = 2020}\n",
        '@misc{k, title = "A}, year = 2020}\n',
    ],
)
def test_broken_entries(source: str) -> None:
    found = syntax.parse(GOOD % ("a", "a") + source + GOOD % ("b", "b"))
    assert [entry.key for entry in found.entries if entry.key in "ab"] == ["a", "b"]
    assert (2, 1, Grade.BROKEN) in told(found)
    assert not any(
        "author" in entry.value for fields_ in found.entries for entry in fields_.fields if entry.name == "title"
    )


def test_a_field_behind_a_percent_sign_is_told() -> None:
    found = syntax.parse("@misc{k,\n  title = {A},\n  % year = {1999},\n  year = 2020\n}")
    assert fields(found) == [{"title": "A", "year": "2020"}]
    assert told(found) == [(3, 5, Grade.TOLD)]


def test_a_string_that_is_not_there_is_told() -> None:
    found = syntax.parse("@misc{k, journal = jmlr # { x}}")
    assert fields(found) == [{"journal": "jmlr x"}]
    assert "no @string 'jmlr'" in found.faults[0].text


# --- laws -------------------------------------------------------------------------------------------------------

NAMES = sorted(FIELDS)
PLAIN = st.text("abcXYZ019 .,;:()'=-", min_size=1, max_size=20).map(str.strip).filter(bool)


@st.composite
def values(draw: st.DrawFn) -> tuple[str, str]:
    """A value as it stands in a file, and what it means. No field's name is in it: that would be a field."""
    text = draw(PLAIN).replace("=", draw(st.sampled_from(["-", " "])))
    if draw(st.booleans()):
        text = f"{text}{{{draw(PLAIN).replace('=', ' ')}}}"
    if draw(st.booleans()):
        number = str(draw(st.integers(0, 3000)))
        return draw(st.sampled_from([(number, number), (f"{{{text}}} # {number}", text + number)]))
    return draw(st.sampled_from([(f"{{{text}}}", text), (f'"{text}"', text)]))


@st.composite
def entries(draw: st.DrawFn, number: int) -> tuple[str, str, dict[str, str]]:
    """An entry's text, its key and its fields."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    pairs = {name: draw(values()) for name in names}
    begin, end = draw(st.sampled_from([("{", "}"), ("(", ")")]))
    blank = draw(st.sampled_from([" ", "\n  ", "", " % a remark\n"]))
    between = draw(st.sampled_from([", ", ",\n  ", "\n, ", ", % a remark\n"]))
    inner = between.join(
        f"{name}{draw(st.sampled_from(['=', ' = ']))}{written}" for name, (written, _) in pairs.items()
    )
    text = f"@misc{begin}key{number},{blank}{inner}{draw(st.sampled_from(['', ',', chr(10)]))}{end}\n"
    return text, f"key{number}", {name: meant for name, (_, meant) in pairs.items()}


@given(st.data())
def test_no_field_is_lost_between_noise(data: st.DataObject) -> None:
    """Valid entries come back whole, whatever stands between them."""
    text, wanted = data.draw(st.sampled_from(["", *NOISE])), []
    for number in range(data.draw(st.integers(1, 4))):
        written, key, meant = data.draw(entries(number))
        text += written + data.draw(st.sampled_from(["", "\n", *NOISE]))
        wanted.append((key, meant))
    source = syntax.parse(text)
    assert [(entry.key, {item.name: item.value for item in entry.fields}) for entry in source.entries] == wanted
    assert not [fault for fault in source.faults if fault.grade is not Grade.TOLD]


DAMAGE = [",", "{", "}", '"', "%", "\n", "=", "#", "@", "", " and ", "% x = {y}\n", "\n@misc{z, title = {Z}}\n"]


@given(st.data())
def test_no_field_is_lost_without_a_fault(data: st.DataObject) -> None:
    """A sign put in, or cut out, anywhere: each field comes back as it was, or something is told."""
    written, _, meant = data.draw(entries(0))
    place = data.draw(st.integers(0, len(written)))
    cut = data.draw(st.integers(0, 2))
    put = data.draw(st.sampled_from(DAMAGE))
    damaged = written[:place] + put + written[place + cut :]
    source = syntax.parse(damaged + GOOD % ("last", "last"))
    kept = {item.name: item.value for entry in source.entries if entry.key != "last" for item in entry.fields}
    # a letter put into a name or a value makes another one: nothing is lost by that
    letters = re.sub(r"\W", "", written) == re.sub(r"\W", "", damaged)
    lost = [name for name in meant if name not in kept]
    glued = [value for value in kept.values() if any(f"{name}=" in value.replace(" ", "") for name in meant)]
    assert source.faults or not ((lost and letters) or glued)
    assert source.faults or source.entries[-1].key == "last"


@given(st.lists(entries(0), min_size=1, max_size=3))
def test_a_second_reader_agrees_on_valid_files(drawn: list[tuple[str, str, dict[str, str]]]) -> None:
    """bibtexparser finds the same entries and fields, where a file holds nothing that it cannot tell apart."""
    text = "".join(written.replace("key0", f"key{place}") for place, (written, _, _) in enumerate(drawn))
    text = re.sub(r" % a remark", "", text)
    blocks = [block for block in Splitter(text).split().blocks if isinstance(block, LibraryEntry)]
    theirs = [(block.key, [item.key.lower() for item in block.fields]) for block in blocks]
    ours = [(entry.key, [item.name for item in entry.fields]) for entry in syntax.parse(text).entries]
    assert ours == theirs


@given(st.text('@misc{},="#\n \\t%()ayer', max_size=150))
def test_any_syntax(text: str) -> None:
    source = syntax.parse(text)
    for fault in source.faults:
        line, column = source.place(fault.offset)
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1
