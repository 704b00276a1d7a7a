"""Authors as .bib files write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.imports import people
from scripts.model.names import GroupName


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("Knuth, Donald and Lamport, Leslie", ["Donald Knuth", "Leslie Lamport"]),
        (
            "Ludwig van Beethoven AND  de la Cruz, Ana\n and\tvan der Berg, Jr., Jan",
            ["Ludwig van Beethoven", "Ana de la Cruz", "Jan van der Berg Jr."],
        ),
        (
            "{OpenAI} and {Barnes and Noble} and {Google {Deep{M}ind}, Inc.}",
            ["OpenAI", "Barnes and Noble", "Google DeepMind, Inc."],
        ),
        ("A. Bee and others", ["A. Bee", "others"]),
        ("A. Bee and et al.", ["A. Bee", "others"]),
        (r"{\'A}lvarez, {\L}ukasz and {\O}rsted, S{\o}ren", ["Łukasz Álvarez", "Søren Ørsted"]),
        (r"{van den Berg}, Jan", ["Jan van den Berg"]),
        ("王伟 and Alexander Anderson", ["王伟", "Alexander Anderson"]),
        ("Mandy Sand", ["Mandy Sand"]),
        ("", []),
        (" and and ", []),
        ("and", ["and"]),
    ],
)
def test_authors(source: str, wanted: list[str]) -> None:
    found = people.read(source)
    assert [*found.names, *([] if found.complete else ["others"])] == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        # biber's extended names
        (
            "family=Vliet, given=Vera, prefix=van der, useprefix=true and Guo, Dina",
            ["Vera van der Vliet", "Dina Guo"],
        ),
        ("useprefix=false and useprefix=true, given=Richard, prefix=von, family=Rabble", ["Richard von Rabble"]),
        ("Ann Bee andCid Dee", ["Ann Bee", "Cid Dee"]),
        ("family=Bennet, given=Frank G., suffix=Jr., juniorcomma=true", ["Frank G. Bennet Jr."]),
        (
            r'given={J{\"o}rg}, given-i={J}, family="Bee, Cee" and family={Society for Bees}',
            ["Jörg Bee, Cee", "Society for Bees"],
        ),
        ("Steele, Jr., Guy L. and Guy L. Steele, Jr. and Steele, Guy L., Jr.", ["Guy L. Steele Jr."] * 3),
        # DBLP: nicknames, and numbers for persons of one name
        ("Chun (Rick) Chan and Wei Wang 0001 and Wang 0002, Wei", ["Chun (Rick) Chan", "Wei Wang", "Wei Wang"]),
        # two persons of one name
        ("Dong, Qi and Li, Lan and Dai, Da and Li, Lan", ["Qi Dong", "Lan Li", "Da Dai", "Lan Li"]),
        # signs that are nobody
        ("Elmlab and : and Aaron Hurt and - and {} and 7", ["Elmlab", "Aaron Hurt"]),
        (r"Ann Bee$^{1,2}$ and Cid Dee* and Eve\textsuperscript{a} Eff", ["Ann Bee", "Cid Dee", "Eve Eff"]),
        # what stands for 'and'
        ("Bee, Ann; Dee, Cid", ["Ann Bee", "Cid Dee"]),
        (r"Ann Bee \& Cid Dee", ["Ann Bee", "Cid Dee"]),
        ("Ann Bee, Cid Dee, Eve Eff", ["Ann Bee", "Cid Dee", "Eve Eff"]),
        ("Bee, A., Dee, C. D.", ["A. Bee", "C. D. Dee"]),
        ("BEE, ANN and A. B.", ["Ann Bee", "A. B."]),
        ("Bee, Ann, and Dee, Cid", ["Ann Bee", "Cid Dee"]),
        ("Bee, A.; and Dee, C.;", ["A. Bee", "C. Dee"]),
        ("James R. {Bee, S. J.}", ["James R. Bee S. J."]),
    ],
)
def test_odd_names(source: str, wanted: list[str]) -> None:
    assert people.read(source).names == wanted


@pytest.mark.parametrize(
    "source", ["A. Bee and others", "A. Bee et al.", r"A. Bee and {\it et al.}", "A. Bee and ...", "A. Bee {et al.}"]
)
def test_incomplete_lists(source: str) -> None:
    found = people.read(source)
    assert (found.names, found.complete) == (["A. Bee"], False)


def test_braces_make_a_group() -> None:
    names = "Vir, Pau and {NumTool 1.0 Contributors} and {Society for Tools and Technology} and {{Gem Team, Oogle}}"
    found = people.read(names)
    assert found.names == [
        "Pau Vir", "NumTool 1.0 Contributors", "Society for Tools and Technology", "Gem Team, Oogle",
    ]  # fmt: skip
    assert [isinstance(name, GroupName) for name in found.names] == [False, True, True, True]
    assert people.read("{van den Berg}, Jan").names == ["Jan van den Berg"]


@pytest.mark.parametrize("source", ["Wei Wang 0001", "Elmlab and :", "Ann Bee*"])
def test_what_is_left_out_of_names_is_told(source: str) -> None:
    assert len(people.read(source).told) == 1


@pytest.mark.parametrize("source", ["Bee, Ann; Dee, Cid", "Ann Bee, Cid Dee, Eve Eff", "BEE, ANN"])
def test_what_is_changed_in_names_is_told(source: str) -> None:
    assert len(people.read(source).mended) == 1


def test_unknown_commands_in_names_are_told() -> None:
    found = people.read(r"Ann \odd{Bee} and Cid Dee")
    assert found.names == ["Ann Bee", "Cid Dee"]
    assert r"\odd" in found.mended[0]


NAMES = st.from_regex(r"[A-Z][a-z]{2,8}", fullmatch=True)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6), st.data())
def test_every_way_to_write_a_list_means_the_same_people(names: list[tuple[str, str]], data: st.DataObject) -> None:
    ways = [
        lambda given, family: f"{given} {family}",
        lambda given, family: f"{family}, {given}",
        lambda given, family: f"family={family}, given={given}",
        lambda given, family: f"{{{family}}}, {given}",
    ]
    written = [data.draw(st.sampled_from(ways))(*name) for name in names]
    found = people.read(data.draw(st.sampled_from([" and ", "\n  AND\t"])).join(written))
    assert found == people.People([f"{given} {family}" for given, family in names])
