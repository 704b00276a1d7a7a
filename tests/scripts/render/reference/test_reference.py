"""The API reference: it holds what the package offers, and says of it what the code says."""

from __future__ import annotations

import inspect
import re
from html import unescape

import pytest

import reference_impls
from reference_impls import core
from scripts.render.reference import reference
from scripts.render.reference.chapters import address
from scripts.render.reference.reference import Thing
from scripts.render.settings import load_settings
from scripts.render.site import Pages
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def chapters() -> list[dict[str, object]]:
    return list(reference.chapters())


@pytest.fixture(scope="module")
def things(chapters: list[dict[str, object]]) -> dict[str, Thing]:
    """Everything that is described, by where it is imported from and its name."""
    parts = [part for chapter in chapters for part in chapter["parts"]]  # type: ignore[attr-defined]
    every = [thing for part in parts for thing in part["things"]]
    return {f"{thing.home}.{thing.name}": thing for thing in every}


@pytest.fixture(scope="module")
def pages(chapters: list[dict[str, object]]) -> dict[str, str]:
    """The rendered pages by their address."""
    made = Pages(ROOT / "site_src", load_settings(ROOT))
    rendered = [made.page(template="reference.md", address=address, **found) for found in chapters]  # type: ignore[arg-type]
    return {path.removesuffix("index.md").removesuffix(".md").rstrip("/") + "/": text for path, text in rendered}


def test_the_whole_public_face_is_described(things: dict[str, Thing]) -> None:
    assert {f"reference_impls.{name}" for name in reference_impls.__all__} <= set(things)
    assert {f"reference_impls.core.{name}" for name in ("Method", "method", "Pool", "Generation")} <= set(things)


def test_signatures_are_those_of_the_code(things: dict[str, Thing]) -> None:
    for name in ("run", "pool", "method", "Ensemble", "OpenAIModel", "TransformersModel"):
        found = inspect.signature(getattr(reference_impls, name))
        shown = things[f"reference_impls.{name}"].signature
        written = re.findall(r"(?<=[(, \n*])(\w+)(?=[:,=)])", re.sub(r"\[[^]]*]", "", shown.partition("\n) ->")[0]))
        assert [word for word in written if word in found.parameters] == list(found.parameters), shown
    assert things["reference_impls.method"].signature == (
        "method(name: str | type[Method], /, **parameters: Any) -> Configured"
    )
    assert things["reference_impls.Ensemble"].signature.count("    *,\n") == 1


def test_what_is_said_of_parameters_is_said_of_parameters_that_there_are() -> None:
    """A docstring that still speaks of a parameter that is gone, on any page, is found here."""
    every = [thing for chapter in reference.chapters() for part in chapter["parts"] for thing in part["things"]]
    checked = 0
    for thing in [*every, *(member for owner in every for member in owner.members)]:
        for block in thing.blocks:
            if block.heading == "Parameters":
                for name in (part.strip() for row in block.rows for part in row.name.split(",")):
                    assert re.search(rf"\b{name}\b", thing.signature), f"{thing.name}: {name}"
                    checked += 1
    assert checked > 30


def test_names_that_share_a_line_stay_together(things: dict[str, Thing]) -> None:
    rows = [row for block in things["reference_impls.PerQuery"].blocks for row in block.rows]
    assert [row.name for row in rows[2:4]] == ["prompt_tokens, completion_tokens", "cost"]
    assert (rows[2].kind, rows[2].text) == ("", "tokens read and written.")
    assert (rows[3].kind, rows[3].text) == ("float | None", "US dollars.")
    errors = [row.name for block in things["reference_impls.run"].blocks for row in block.rows if "Error" in row.name]
    assert errors == ["UnknownNameError", "CannotRunError", "ValueError"]


def test_comments_describe_values(things: dict[str, Thing]) -> None:
    members = {member.name: member for member in things["reference_impls.core.Method"].members}
    assert members["Method.needs_training"].blocks[0].text == (
        "Whether <code>fit</code> needs a training set at all; without, none is recorded for it."
    )
    assert members["Method.answer"].kind == "method"
    assert not any(name.startswith("Method._") for name in members)


def test_links_lead_to_what_is_described(pages: dict[str, str]) -> None:
    anchors = {page: set(re.findall(r"\{: #([\w-]+) \}", text)) for page, text in pages.items()}
    followed = 0
    for page, text in pages.items():
        headings = re.findall(r"\{: #([\w-]+) \}", text)
        assert len(headings) == len(set(headings)), "each anchor once"
        depth = page.count("/")
        links = [link for link in re.findall(r'href="([^"]+)"', text) if "#" in link]
        for link in links:
            place, _, anchor = link.removeprefix("../" * depth).partition("#")
            assert anchor in anchors[place], f"{page}: {link}"
            followed += 1
    assert followed > 8
    assert 'href="../reference/#method"' in pages["reference/"], "of two that share a name the one of the page"


def test_docstrings_come_out_as_text(pages: dict[str, str]) -> None:
    assert "recorded:&lt;name or folder&gt;" in pages["reference/"]
    told = unescape(" ".join(pages["reference/core/"].split()))
    assert " ".join((inspect.getdoc(core.Pool.by_price) or "").split()) in told
    marked = reference.inline("a <b> & `x < y` or ``z``", {})
    assert marked == "a &lt;b&gt; &amp; <code>x &lt; y</code> or <code>z</code>"


def test_nothing_is_listed_without_a_docstring(things: dict[str, Thing]) -> None:
    assert all(thing.blocks for thing in things.values())
