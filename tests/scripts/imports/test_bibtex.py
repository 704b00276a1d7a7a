"""Real .bib files: accents, mathematics, odd encodings, odd syntax, broken entries; and the way there and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.exports import bibtex as export
from scripts.imports import bibtex
from scripts.imports.bibtex import BibtexError, decode
from scripts.model import Corpus, Paper
from scripts.model.names import is_group

MISC = "@misc{{{key}, title = {{{title}}}, author = {{A Bee}}, year = 2024}}\n"


def one(source: str) -> dict[str, Any]:
    """The fields of the one entry in `source`."""
    found = bibtex.read(source.encode())
    assert found.broken == []
    (entry,) = found.entries
    return entry.fields


def entry(**fields: str) -> dict[str, Any]:
    inner = ",\n  ".join(f"{name} = {{{value}}}" for name, value in {"title": "T", **fields}.items())
    return one(f"@article{{key,\n  {inner}\n}}")


def test_a_whole_entry() -> None:
    assert one(r"""
        @InProceedings{jiang2023,
          Title = "{LLM}-Blender: Ensembling with {Pairwise {Ranking}} \& $k$ Models.",
          author = "Jiang, Dongfu and M{\"u}ller, {\'E}ric and Lin, Bill Yuchen",
          booktitle = {Proceedings of the 61st Annual Meeting of the Association for Computational Linguistics
                       (Volume 1: Long Papers)},
          year = 2023, month = jul,
          doi = {https://doi.org/10.18653/v1/2023.acl-long.792}
        }""") == {
        "title": "LLM-Blender: Ensembling with Pairwise Ranking & k Models",
        "authors": ["Dongfu Jiang", "Éric Müller", "Bill Yuchen Lin"],
        "date": "2023-07",
        "venue": {"name": "ACL", "year": 2023, "track": "main"},
        "ids": {"doi": "10.18653/v1/2023.acl-long.792"},
    }  # fmt: skip


def test_thousands_of_authors() -> None:
    names = [
        f"Ann{'abcdefghij'[n % 10]} Bee{'abcdefghij'[n // 10 % 10]}{'abcdefghij'[n // 100 % 10]}"
        for n in range(2_500)
    ]
    assert entry(author=" and ".join(names))["authors"] == names


def test_and_others() -> None:
    found = entry(author="A Bee and others")
    assert found["authors"] == ["A Bee"]
    assert found["authors_complete"] is False


def test_strings() -> None:
    found = one(
        '@string{conf = "International Conference on Learning Representations"}\n@STRING(full = conf # " 2025")\n'
        "@inproceedings{k, title = {T}, booktitle = FULL # {, poster}, year = 2025, month = 7 # {}}\n"
    )
    assert found["venue"] == {"name": "ICLR", "year": 2025}
    assert found["date"] == "2025-07"


def test_strings_cannot_explode() -> None:
    bomb = '@string{a0 = "hahahahaha"}\n' + "".join(
        f"@string{{a{n} = a{n - 1} # a{n - 1} # a{n - 1} # a{n - 1}}}\n" for n in range(1, 40)
    )
    start = time.process_time()
    found = bibtex.read((bomb + "@misc{k, title = a39}\n" + MISC.format(key="ok", title="Fine")).encode())
    assert time.process_time() - start < 2
    assert [e.key for e in found.entries][-1] == "ok"
    assert "longer than" in found.broken[0].text


def test_crossref() -> None:
    found = bibtex.read(
        b"@inproceedings{a, crossref = {Conf}, title = {One}, author = {A Bee}}\n"
        b"@inproceedings{b, crossref = {none}, title = {Two}}\n"
        b"@proceedings{conf, title = {Advances in Neural Information Processing Systems 37}, year = 2024}\n"
        b"@misc{c, crossref = {c}, title = {Itself}}\n"
    )
    first, second, third = found.entries
    assert first.fields["venue"] == {"name": "NeurIPS", "year": 2024}
    assert first.fields["authors"] == ["A Bee"]
    assert second.fields == {"title": "Two"}
    assert third.fields == {"title": "Itself"}
    assert [note.text for note in found.notes] == [
        "its crossref 'none' is not in the file",
        "its crossref 'c' is not in the file",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, newline: str) -> None:
    source = "@misc{a,\n  title = {Größe “zählt”},\n  author = {Müller, Éric}\n}\n@misc{b, title = {Half"
    if encoding == "latin-1":
        source = source.replace("“", "").replace("”", "")
    found = bibtex.read(source.replace("\n", newline).encode(encoding))
    assert found.entries[0].fields["authors"] == ["Éric Müller"]
    assert found.entries[0].fields["title"].startswith("Größe")
    assert [remark.line for remark in found.broken] == [5]


def test_two_encodings_in_one_file() -> None:
    raw = "@misc{a, title = {Größe}}\r\n".encode() + "@misc{b, title = {Größe}}".encode("latin-1")
    found = bibtex.read(raw)
    assert [e.fields["title"] for e in found.entries] == ["Größe", "Größe"]
    assert [(remark.line, remark.column) for remark in found.mended] == [(2, 21)]
    assert "2 byte(s)" in found.mended[0].text


@pytest.mark.parametrize(
    "raw", [b"\xef", b"\xef\xbb\xbf@misc{a, title = {\xf7}}", b"\xef\xbb@misc{\xfc", b"\xff\xfe\xff"]
)
def test_bytes_that_begin_like_a_mark(raw: bytes) -> None:
    bibtex.read(raw)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Online version: http://www. languages. example. com", "is an address"),
        ("https://www.example.com/model-card", "is an address"),
        ("Submitted to ICLR 2025", "not published"),
    ],
)
def test_what_is_no_venue_is_told(name: str, why: str) -> None:
    found = bibtex.read(f"@article{{k, title = {{T}}, year = {{2019}},\n  journal = {{{name}}}}}".encode())
    assert "venue" not in found.entries[0].fields
    assert [(remark.line, remark.column) for remark in found.mended] == [(2, 3)]
    assert why in found.mended[0].text


def test_unknown_commands_are_told_at_their_field() -> None:
    found = bibtex.read(rb"@misc{k, title = {\odd{Word} of \method}, year = 2020}")
    assert found.entries[0].fields["title"] == "Word of method"
    assert [(remark.line, remark.column) for remark in found.mended] == [(1, 10)]
    assert r"\odd, \method" in found.mended[0].text


def test_xdata() -> None:
    found = bibtex.read(
        b"@xdata{conf, author = {Ann Bee}, year = 2024}\n@misc{a, title = {A}, xdata = {none, conf}, year = 2025}\n"
    )
    assert (found.entries[0].fields, found.notes) == ({"title": "A", "authors": ["Ann Bee"], "date": "2025"}, [])


def test_bytes_of_no_encoding() -> None:
    assert decode(b"\x81\xff") == "\x81ÿ"


BROKEN = {
    "brace missing": "@article{bad,\n  title = {Foo,\n  year = 2020\n}\n",
    "quote missing": '@article{bad,\n  title = "Foo,\n  year = 2020\n}\n',
    "brace too many": "@article{bad,\n  title = {Foo}},\n  year = 2020\n}\n",
    "no equals": "@article{bad,\n  title {Foo},\n  year = 2020\n}\n",
    "comma missing": "@article{bad,\n  title = {Foo}\n  year = {2020}\n  author = {X}\n}\n",
    "no key": "@article{\n  title = {Foo}, year = 2020\n}\n",
    "no title": "@article{bad,\n  author = {Foo}, year = 2020\n}\n",
    "half": "@article{bad,\n  title = \n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_entry_is_named_and_the_others_go_on(name: str) -> None:
    before = MISC.format(key="first", title="The First") + "\n% a remark\n"
    after = "\n" + MISC.format(key="last", title="The Last")
    found = bibtex.read((before + BROKEN[name] + after).encode())
    titles = [e.fields["title"] for e in found.entries]
    assert titles[0] == "The First"
    assert titles[-1] == "The Last"
    if name not in ("no key", "comma missing"):  # these two can be read all the same
        assert [(remark.line, remark.key) for remark in found.broken] == [(4, "bad")]
        assert len(titles) == 2


def test_duplicated_keys_are_both_read() -> None:
    found = bibtex.read((MISC.format(key="Same", title="One") + MISC.format(key="same", title="Two")).encode())
    assert [e.fields["title"] for e in found.entries] == ["One", "Two"]
    assert found.notes[0].line == 2
    assert "line 1" in found.notes[0].text


def test_duplicated_fields_keep_the_first() -> None:
    assert one("@misc{k, title = {First}, TITLE = {Second}, title = {Third}}")["title"] == "First"


SICI = "10.1002/(SICI)1096-9999(19960129)365:1<113::AID-CNE9>3.0.CO;2-6"


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"eprint": "2406.18665v2", "archiveprefix": "arXiv"}, {"arxiv": "2406.18665"}),
        ({"eprint": "2406.18665", "eprinttype": "arxiv"}, {"arxiv": "2406.18665"}),
        ({"eprint": "2406.18665", "archiveprefix": "HAL"}, {}),
        ({"journal": "arXiv preprint arXiv:2406.18665"}, {"arxiv": "2406.18665"}),
        ({"journal": "CoRR", "volume": "abs/2406.18665"}, {"arxiv": "2406.18665"}),
        ({"url": "http://arxiv.org/pdf/2406.18665v1"}, {"arxiv": "2406.18665"}),
        ({"doi": "10.48550/arXiv.2406.18665"}, {"arxiv": "2406.18665"}),
        ({"doi": r"10.1007/978-3-031-1\_2"}, {"doi": "10.1007/978-3-031-1_2"}),
        ({"doi": "DOI: 10.1145/3580305.3599572"}, {"doi": "10.1145/3580305.3599572"}),
        ({"doi": "unknown"}, {}),
        ({"url": "https://openreview.net/forum?id=8sSqNntaMr"}, {"openreview": "8sSqNntaMr"}),
        ({"url": "https://aclanthology.org/2023.acl-long.792/"}, {"acl": "2023.acl-long.792"}),
        ({"howpublished": r"\url{https://arxiv.org/abs/2406.18665}"}, {"arxiv": "2406.18665"}),
        ({"note": r"See \href{https://arxiv.org/pdf/2406.18665v1.pdf}{the preprint}."}, {"arxiv": "2406.18665"}),
        ({"number": "arXiv:2406.18665"}, {"arxiv": "2406.18665"}),
        ({"journal": "ArXiv", "volume": "abs/2406.18665"}, {"arxiv": "2406.18665"}),
        ({"journal": "arXiv e-prints", "pages": "arXiv:2406.18665"}, {"arxiv": "2406.18665"}),
        ({"journal": "CoRR, abs/2406.18665"}, {"arxiv": "2406.18665"}),
        ({"arxivid": "2406.18665"}, {"arxiv": "2406.18665"}),
        ({"note": "arXiv:~2406.18665"}, {"arxiv": "2406.18665"}),
        (
            {"howpublished": r"\url{https://aclanthology.org/2023.acl-long.792}, 2023"},
            {"acl": "2023.acl-long.792"},
        ),
        ({"url": "http://aclweb.org/anthology/P/P19/P19-1001.pdf"}, {"acl": "P19-1001"}),
        ({"url": r"https://openreview.net/forum?id=8sSq\_taMr\&noteId=x"}, {"openreview": "8sSq_taMr"}),
        ({"url": "https://dl.acm.org/doi/pdf/10.1145/3580305.3599572?x=1"}, {"doi": "10.1145/3580305.3599572"}),
        ({"doi": r"10.1162/tacl{\_}a{\_}00999"}, {"doi": "10.1162/tacl_a_00999"}),
        ({"doi": "https://doi.org/10.1145/1.2?x=1#y"}, {"doi": "10.1145/1.2"}),
        ({"doi": "http://doi.acm.org/10.1145/1137627.1137631"}, {"doi": "10.1145/1137627.1137631"}),
        ({"url": "http://doi.acm.org/10.1145/1137627.1137631"}, {"doi": "10.1145/1137627.1137631"}),
        ({"doi": SICI}, {"doi": SICI}),
        ({"doi": SICI.replace("<", "$<$").replace(">", "$>$")}, {"doi": SICI}),
        ({"doi": SICI.replace("<", "{\\textless}").replace(">", r"\textgreater{}")}, {"doi": SICI}),
        ({"doi": SICI.replace("<", "&lt;").replace(">", "&gt;")}, {"doi": SICI}),
        ({"url": "https://doi.org/" + SICI.replace("<", "%3C").replace(">", "%3E")}, {"doi": SICI}),
        ({"howpublished": r"\url{https://doi.org/" + SICI + "}."}, {"doi": SICI}),
        ({"note": f"DOI: {SICI}, in print"}, {"doi": SICI}),
        ({"note": "(see https://doi.org/10.1016/S0304-3975(96)00001-7)."}, {"doi": "10.1016/S0304-3975(96)00001-7"}),
    ],
)
def test_identifiers(fields: dict[str, str], wanted: dict[str, str]) -> None:
    found = entry(**fields)
    assert found.get("ids", {}) == wanted
    if "arxiv" in wanted:
        assert found["date"] == "2024-06"
        assert "venue" not in found


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"eprint": "cs/0112017v2", "archiveprefix": "arXiv"}, "cs/0112017"),
        ({"eprint": "0112017", "primaryclass": "cs.CL"}, "cs.CL/0112017"),
        ({"journal": "CoRR", "volume": "cs.CL/0112017"}, "cs.CL/0112017"),
        ({"journal": "CoRR", "volume": "abs/cs/0112017"}, "cs/0112017"),
        ({"url": "http://xxx.lanl.gov/abs/HEP-TH/9901001v3"}, "hep-th/9901001"),
    ],
)
def test_arxiv_identifiers_of_before_2007(fields: dict[str, str], wanted: str) -> None:
    assert entry(**fields)["ids"] == {"arxiv": wanted}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("doi", "10.1002/(SICI)1096-9999(199601)365:1 <113::AID-CNE9>3.0.CO;2-6"),
        ("doi", r"10.1145/\odd{1}"),
        ("doi", "see the page"),
        ("doi", "10.48550/arXiv.2M06.18665"),
        ("note", r"doi: 10.1002/(SICI)1096\odd<113"),
        ("eprint", "to appear"),
    ],
)
def test_an_identifier_is_whole_or_none_with_a_word(field: str, value: str) -> None:
    source = f"@misc{{k, title = {{T}}, archiveprefix = {{arXiv}},\n {field} = {{{value}}}}}"
    found = bibtex.read(source.encode())
    assert "ids" not in found.entries[0].fields
    assert [(remark.line, remark.column) for remark in found.mended] == [(2, 2)]
    assert "left out" in found.mended[0].text


def test_published_after_and_before_the_preprint() -> None:
    later = entry(eprint="2406.18665", year="2025", journal="Science Advances")
    assert later["date"] == "2024-06"
    assert later["venue"] == {"name": "Science Advances", "year": 2025, "track": "journal"}
    earlier = entry(eprint="2406.18665", year="2023", journal="Science Advances")
    assert earlier["date"] == "2023"
    assert "before arXiv 2406.18665" in earlier["notes"]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"year": "2024", "month": "sept"}, "2024-09"),
        ({"year": "2024", "month": "{September}"}, "2024-09"),
        ({"year": "2024", "month": "03"}, "2024-03"),
        ({"year": "2024", "month": "13"}, "2024"),
        ({"year": "c. 2024a"}, "2024"),
        ({"date": "2024-05-06"}, "2024-05"),
        ({"date": "2024"}, "2024"),
        ({"year": "to appear"}, None),
        ({"year": "12024"}, None),
    ],
)
def test_dates(fields: dict[str, str], wanted: str | None) -> None:
    assert entry(**fields).get("date") == wanted


def test_invisible_signs_in_a_title_are_told() -> None:
    found = bibtex.read("@misc{k, title = {Frame\u00adworks \u200bof all}}".encode())
    assert found.entries[0].fields["title"] == "Frameworks of all"
    assert "U+00AD, U+200B" in found.mended[0].text


def test_page_is_kept_where_nothing_else_leads_to_the_paper() -> None:
    assert entry(url="https://example.org/paper")["links"] == {"page": "https://example.org/paper"}
    assert "links" not in entry(url="javascript:alert(1)")
    assert "links" not in entry(url="https://example.org/p", doi="10.1145/1")
    for tilde in ("~", r"\~{}", r"{\textasciitilde}", r"$\sim$", r"\string~"):
        page = entry(howpublished=rf"\url{{https://example.org/{tilde}bee/a\_b.pdf}}, 2020")["links"]["page"]
        assert page == "https://example.org/~bee/a_b.pdf"


def test_comments_preambles_and_text_between() -> None:
    found = bibtex.read(
        b'This file was made by hand.\n@comment{@misc{no, title={No}}}\n@preamble{"\\newcommand{\\x}{y}"}\n'
        b"@misc{yes, title={Yes}, author={a@example.org and B Cee}}\nSome more text, e.g. from JabRef.\n"
    )
    assert [e.key for e in found.entries] == ["yes"]
    assert found.broken == []


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"@", b"@article", b"@article{", b"@article{}", b"@string{}", b"@string{=}", b"}" * 99]
)
def test_next_to_nothing(raw: bytes) -> None:
    assert bibtex.read(raw).entries == []


def test_too_large() -> None:
    with pytest.raises(BibtexError, match="at most"):
        bibtex.read(b" " * (bibtex.MAX_BYTES + 1))


def test_deep_nesting_and_long_fields() -> None:
    deep, long = "{" * 3000 + "x" + "}" * 3000, "x" * 30_000
    found = bibtex.read(
        (
            f"@misc{{a, title = {{{deep}}}}}\n"
            + "".join(MISC.format(key=k, title=t) for k, t in (("b", long), ("c", "C")))
        ).encode()
    )
    assert [e.key for e in found.entries] == ["a", "c"]
    assert [remark.key for remark in found.broken] == ["b"]


@pytest.mark.parametrize(
    "piece",
    [
        "@a{",
        "@",
        '"',
        "{",
        "\\",
        "@a{b,c=",
        " ",
        "#",
        "@string{a=a#a}\n",
        "a and ",
        "$",
        "\\'",
        "a-",
        "~",
        "et al ",
        "... ",
        "www.",
        "@comment{x\n@misc{a,",
    ],
)
def test_no_input_takes_long(piece: str) -> None:
    for source in (piece * 20_000, "@misc{k, title = {" + piece * 4_000 + "}, author = {" + piece * 4_000 + "}}"):
        start = time.process_time()  # whatever else the machine does
        bibtex.read(source.encode())
        assert time.process_time() - start < 10


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    bibtex.read(raw)


@given(st.text(alphabet="@misc{},=\"#\n \\title'author$%&~", max_size=120))
def test_any_syntax(source: str) -> None:
    bibtex.read(("@misc{k,\n" + source).encode())


# --- entry -> BibTeX -> entry -----------------------------------------------------------------------------------

# LaTeX joins -- `` '' ?` !` into signs of their own, and blanks collapse: no text of these comes back as it went
LETTERS = st.characters(categories=["L", "N", "P", "S", "Zs", "Mn"], exclude_characters="-`'\u00a0")
WORDS = (
    st.text(LETTERS, min_size=1, max_size=30).map(lambda text: " ".join(text.split())).filter(lambda t: t.strip(" ."))
)
NAMES = st.from_regex(r"[A-ZÀÉØŁ][a-zéøł]{1,8}( (van|de la))?( [A-ZÄÖ]\.?[a-zñ]{1,9}){1,2}", fullmatch=True)
GROUPS = st.from_regex(r"[A-Z][A-Za-z0-9&%#_$~^]{1,12}", fullmatch=True)


@st.composite
def papers(draw: st.DrawFn) -> Paper:
    venue = draw(
        st.sampled_from(
            [None, {"name": "ICLR", "year": 2025}, {"name": "Journal of R&D_{x}", "year": 2024, "track": "journal"}]
        )
    )
    arxiv = draw(st.sampled_from([None, "2403.12345"]))
    doi = draw(st.sampled_from([None, "10.1145/3580305.3599572", "10.1016/S0304(96)_a%b#c~d"]))
    return Paper.model_validate(
        {
            "title": draw(WORDS).rstrip("."),
            "authors": draw(st.lists(NAMES | GROUPS, max_size=5)),
            "authors_complete": draw(st.booleans()),
            "date": "2024-03" if arxiv or not venue else "2024",
            "venue": venue,
            "ids": {kind: value for kind, value in {"arxiv": arxiv, "doi": doi}.items() if value},
            "kind": "method",
            "categories": ["after/cascade"],
        }
    )


def assert_same(paper: Paper, fields: dict[str, Any]) -> None:
    """What BibTeX can carry is carried."""
    assert fields["title"] == paper.cited_title
    assert fields.get("authors", []) == paper.cited_authors
    if paper.cited_authors or not paper.authors_complete:
        assert fields.get("authors_complete", True) == paper.authors_complete
    assert fields.get("ids", {}) == dict(paper.ids.items())
    if paper.venue:
        assert fields["venue"]["name"] == paper.venue.name
        assert fields["venue"].get("year") == (paper.venue.year or paper.year)
    else:
        assert "venue" not in fields


@given(papers())
def test_round_trip(paper: Paper) -> None:
    text = export.entry_text("doe2024x", paper)
    found = bibtex.read(text.encode())
    assert (found.broken, found.notes) == ([], [])
    (back,) = found.entries
    assert back.key == "doe2024x"
    assert_same(paper, back.fields)


def test_round_trip_of_groups_juniors_and_old_dois() -> None:
    authors = [
        "Frank G. Bennet Jr.", "Eva van der Berg", "Chun (Rick) Chan", {"group": "Society for Tools and Technology"},
        {"group": "Gem Team, Oogle"}, "NumTool 1.0 Contributors", "NVIDIA", {"group": "Jane Doe"}, "Jane Doe", "王伟",
        "Lan Li", "Lan Li",
    ]  # fmt: skip
    plain = {"title": "T", "date": "1996", "kind": "method", "categories": ["after/cascade"], "ids": {"doi": SICI}}
    paper = Paper.model_validate({**plain, "authors": authors})
    found = bibtex.read(export.entry_text("doe1996t", paper).encode())
    assert (found.broken, found.mended) == ([], [])
    back = found.entries[0].fields
    assert (back["authors"], back["ids"]) == (paper.authors, {"doi": SICI})
    assert [is_group(name) for name in back["authors"]] == [is_group(name) for name in paper.authors]


def test_round_trip_of_the_atlas(corpus: Corpus) -> None:
    """Every real entry, also the titles that LaTeX would set differently if it could."""
    found = bibtex.read(export.export(corpus.papers).encode())
    assert found.broken == []
    back = {entry.key: entry.fields for entry in found.entries}
    assert set(back) == set(corpus.papers)
    lost = {
        key
        for key, paper in corpus.papers.items()
        if (back[key]["title"], back[key].get("authors", [])) != (paper.cited_title, paper.cited_authors)
    }
    assert lost == set()


def test_recorded_file(tmp_path: Path) -> None:
    """A file as Zotero, JabRef and the Anthology write them, all in one."""
    path = tmp_path / "refs.bib"
    path.write_bytes(b"\xef\xbb\xbf" + (Path(__file__).parent / "real.bib").read_bytes())
    found = bibtex.read(path.read_bytes())
    assert [e.fields["title"] for e in found.entries][:2] == [
        "More Agents Is All You Need",
        "FrugalGPT: How to Use Large Language Models While Reducing Cost and Improving Performance",
    ]
    assert len(found.broken) == 1
