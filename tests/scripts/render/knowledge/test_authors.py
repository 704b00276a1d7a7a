"""Authors of several papers: where each stands, and how a paper's page leads there."""

from __future__ import annotations

from scripts.render.knowledge import authors
from scripts.render.knowledge.views import Views
from tests.conftest import MakeAtlas, fields


def test_authors_of_several_papers_stand_under_their_letters(make_atlas: MakeAtlas) -> None:
    views = Views(
        make_atlas(
            {
                "ode2024a": fields(authors=["Zoë Øde", "Émile van Ärm", "Only Once"]),
                "ode2024b": fields(authors=["Zoë Øde", "Émile van Ärm", "李 明"], title="Another"),
                "li2024c": fields(authors=["李 明", "Zoë Øde", "<b>x</b> y"], title="A third"),
            }
        )
    )
    first, *letters = views.authors()
    assert [(one["name"], one["count"]) for one in first["most"]] == [
        ("Zoë Øde", 3),
        ("Émile van Ärm", 2),
        ("李 明", 2),
    ]
    assert [(part["file"], [one["name"] for one in part["authors"]]) for part in letters] == [
        ("authors/a.md", ["Émile van Ärm"]), ("authors/other.md", ["Zoë Øde", "李 明"]),
    ]  # fmt: skip
    named = {one["name"]: one["page"] for one in views.paper("ode2024a")["all_authors"]}
    assert named == {
        "Zoë Øde": "authors/other/#by-Zo%C3%AB_%C3%98de", "Émile van Ärm": "authors/a/#by-%C3%89mile_van_%C3%84rm",
        "Only Once": None,
    }  # fmt: skip


def test_an_author_of_any_name_has_an_address() -> None:
    assert authors.address('"><script>') == "authors/other/#by-%22%3E%3Cscript%3E"
