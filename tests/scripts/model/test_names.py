"""Names of groups are told from those of persons, and a person's parts make up the name again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scripts.model import Corpus
from scripts.model.canonical import canonical, emit
from scripts.model.names import GroupName, Name, is_group, split, written
from scripts.model.paper import Paper
from scripts.model.yaml_reader import parse
from tests.conftest import fields

GROUPS = [
    "Elm Team", "Elm2 Team", "Vector Router Team", "Mistral AI team", "Johns Hopkins ML Group", "Oogle DeepThought",
    "Acme CloudForge", "OpenOak", "OpenAI", "DeepSeek", "DeepSeek-AI", "xAI", "EleutherAI", "HuggingFace", "NVIDIA",
    "IBM", "AI2",
    "Meta AI", "Google DeepMind", "NumTool 1.0 Contributors", "BigScience Workshop", "Oak Research", "Byte Box Inc.",
    "University of Bologna", "The Society for Snails", "Royal Society of Snails", "R&D Lab",
]  # fmt: skip
PERSONS = [
    "Jane Doe", "Suhana", "Mausam", "Noah A. Smith", "李明", "王 小明", "Лев Толстой", "محمد علي",
    "Mihaela van der Schaar", "Ana de la Cruz", "Omar al-Khatib", "Mohammed bin Salman", "Robert McCraith",
    "Alasdair MacIntyre", "Sinéad O'Connor", "Seán O’Neill", "Yann LeCun", "LeCun", "Peter DeWitt", "DeShawn Lee",
    "Rufin VanRullen", "Jake VanderPlas", "Tom FitzGerald", "Badr AlKhamissi", "Mai ElSherief", "Marco DellaPietra",
    "Ara NaseriFarahi", "Carla DiazLopez", "Priya GuhaRoy", "Nora SalahElDin", "YanjianFu", "Ann Centers",
    "Joan Company", "Joao DaSilva", "Zhao GuanHao", "GuanHao Zhao", "JiaHao", "Wang XiaoMing", "Kim SeungHyun",
    "Nguyen ThanhTung", "Bo Ai", "Ofir Press", "Robert Brain", "Bo LI", "KV Aditya Srivatsa", "DJ Dvijotham",
    "Sammy Davis Jr.",
    "John Smith III", "Karthik V", "bell hooks", "Chun (Rick) Chan", "Jean-Luc Éluard-García", "Lab Smith",
    "Jane Doe and Vision Lab", "Jane Doe, Vision Lab", "Jane Doe & Vision Lab",  # a person first: no group
]  # fmt: skip


@pytest.mark.parametrize("name", GROUPS)
def test_groups(name: str) -> None:
    assert is_group(name)
    assert split(name) is None


@pytest.mark.parametrize("name", PERSONS)
def test_persons(name: str) -> None:
    assert not is_group(name)
    assert is_group(GroupName(name))  # unless the entry says so


def test_no_real_author_is_taken_for_a_group(corpus: Corpus) -> None:
    """The Atlas's authors are persons, all of them; a group that comes in is added here after a look."""
    groups = {author for paper in corpus.papers.values() for author in paper.authors if is_group(author)}
    assert groups == {
        "Aurelio Labs", "BerriAI", "NVIDIA", "OpenRouter", "musistudio", "vLLM Semantic Router Team"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Jane Doe", ("Jane", "", "Doe", "", False)),
        ("Noah A. Smith", ("Noah A.", "", "Smith", "", False)),
        ("Jean-Luc van der Berg", ("Jean-Luc", "van der", "Berg", "", False)),
        ("Eva Van den Berg", ("Eva", "Van den", "Berg", "", False)),
        ("Thanh Van Nguyen", ("Thanh Van", "", "Nguyen", "", False)),
        ("Jean de La Fontaine", ("Jean", "de", "La Fontaine", "", False)),
        ("Mohammed bin Salman", ("Mohammed", "bin", "Salman", "", False)),
        ("Omar al-Khatib", ("Omar", "", "al-Khatib", "", False)),
        ("Sammy Davis Jr.", ("Sammy", "", "Davis", "Jr.", False)),
        ("Sammy Davis, Jr.", ("Sammy", "", "Davis", "Jr.", True)),
        ("Ludwig van Beet III", ("Ludwig", "van", "Beet", "III", False)),
        ("Karthik V", ("Karthik", "", "V", "", False)),  # an initial, not the fifth
        ("bell hooks", ("bell", "", "hooks", "", False)),
        ("e. e. cummings", ("e. e.", "", "cummings", "", False)),
        ("محمد بن علي", ("محمد بن", "", "علي", "", False)),
    ],
)
def test_parts(name: str, parts: tuple[str, str, str, str, bool]) -> None:
    assert split(name) == Name(*parts)


@pytest.mark.parametrize(
    "name", ["Mausam", "李 明", "de la Cruz", "Davis Jr.", "Roe, Richard", "a~b c", "{a} b", "Elm Team", "", "Jr."]
)
def test_names_without_parts(name: str) -> None:
    assert split(name) is None


@given(
    st.text(min_size=1, max_size=40)
    | st.lists(st.sampled_from(["van", "A", "de", "Jr.", ", Jr.", "III", "Bo", "{", ",", "~", " "])).map(" ".join)
)
def test_the_parts_make_up_the_name(name: str) -> None:
    if parts := split(name):
        assert parts.given
        assert parts.family
        again = f"{parts.given} {parts.particle} {parts.family}{',' * parts.comma} {parts.suffix}"
        assert again.split() == re.sub(r"\s*,\s*", ", ", name).split()


@given(st.lists(st.text("aBc ,&.'", min_size=1).map(str.strip).filter(bool).map(GroupName), min_size=1, max_size=3))
def test_groups_survive_the_way_through_an_entry(names: list[GroupName]) -> None:
    """Model to text and back: the same names, still groups, and the text is canonical."""
    text = emit(Paper.model_validate(fields(authors=names)).model_dump(exclude_defaults=True))
    assert canonical(text) == text
    back = Paper.model_validate(parse(text).value)
    assert back.authors == names
    assert all(map(is_group, back.authors))


def test_how_an_entry_writes_a_group() -> None:
    """A plain string where the name shows it; the mapping only where nothing else tells."""
    assert written(GroupName("Elm Team")) == "Elm Team"
    assert written(GroupName("Jane Doe")) == {"group": "Jane Doe"}
    assert written("Jane Doe") == "Jane Doe"
    text = emit(fields(authors=["Pau Vir", GroupName("Elm Team"), GroupName("Gem Team, Oogle")]))
    assert "authors: [Pau Vir, Elm Team, {group: 'Gem Team, Oogle'}]\n" in text


def test_comments_stay_with_the_authors() -> None:
    text = "authors:\n- Jane Doe  # first\n# a society\n- group: Tools and Snails\nkind: method\n"
    made = canonical(text)
    assert made.endswith("# a society\nauthors: [Jane Doe, {group: Tools and Snails}]  # first\nkind: method\n")
    assert canonical(made) == made


@pytest.mark.parametrize("item", ["{}", "{grup: X}", "{group: }", "{group: [X]}", "{group: 17}", "[X]", "17", "''"])
def test_what_is_no_author(item: str) -> None:
    value = parse(f"title: T\nauthors: [Jane Doe, {item}]\nkind: method\ncategories: [x/y]\n").value
    with pytest.raises(ValidationError) as caught:
        Paper.model_validate(value)
    assert [error["loc"] for error in caught.value.errors()] == [("authors", 1)]
