"""Recall against lists that others made: how lists are written, what counts as here, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from scripts.cli.upkeep import recall as command
from scripts.model import Corpus
from scripts.upkeep.candidates import Refusal, Refusals
from scripts.upkeep.lists import Listed, hold, read_keys, read_list
from tests.conftest import MakeAtlas, fields

LIST = """# Papers

## Routing

| Title | Publish |
| --- | --- |
| [Routing to the cheapest model that will do](https://arxiv.org/abs/2503.00001v2) (CHEAP) | ArXiv 2025 |
| [A model nobody has here](http://dx.doi.org/10.48550/arXiv.2601.00009) | 2026 |

## Cascades

- **[Ask twice, pay once](https://openreview.net/forum?id=abcdEFGH12)** ([code](https://github.com/a/b)) *(ICML 2025)*
- [Deferral among tabular predictors](https://arxiv.org/abs/2405.00002)
- <a href="https://arxiv.org/abs/2503.00001">again</a>
- See also https://arxiv.org/abs/2401.00007, https://arxiv.org/abs/2401.00008 and https://example.org.
- *A paper with a page of its own and no identifier*. https://proceedings.mlr.press/v1/x.html 2024
- **[Bare](https://doi.org/10.1145/3589334.3645420)** 2024
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "list.md"
    path.write_text(LIST, encoding="utf-8")
    return path


def test_each_paper_of_a_list_is_read_once_with_its_section_and_year(path: Path) -> None:
    read = read_list(path)
    assert read == [
        Listed({"arxiv": "2503.00001"}, "Routing to the cheapest model that will do (CHEAP)", "Routing", 2025),
        Listed({"arxiv": "2601.00009"}, "A model nobody has here", "Routing", 2026),
        Listed({"openreview": "abcdEFGH12"}, "Ask twice, pay once", "Cascades", 2025),
        Listed({"arxiv": "2405.00002"}, "Deferral among tabular predictors", "Cascades", 2024),
        Listed({"arxiv": "2401.00007"}, "", "Cascades", 2024),
        Listed({"arxiv": "2401.00008"}, "", "Cascades", 2024),
        Listed({}, "A paper with a page of its own and no identifier", "Cascades", 2024),
        Listed({"doi": "10.1145/3589334.3645420"}, "", "Cascades", 2024),
    ]


@pytest.fixture
def small(make_atlas: MakeAtlas) -> Corpus:
    def entry(title: str, arxiv: str, category: str, date: str) -> dict[str, object]:
        made = fields(title=title, ids={"arxiv": arxiv}, categories=[category], date=date, summary=f"{title}.")
        return {name: value for name, value in made.items() if name != "family"}

    return make_atlas(
        {
            "doe2025cheap": entry(
                "Another title of version two", "2503.00001", "before/discrete-utility", "2025-03-01"
            ),
            "doe2024twice": entry("Ask Twice, Pay Once", "2404.00003", "after/cascade", "2024-04-02"),
        }
    )


def test_identifier_or_title_tells_that_a_paper_is_here_and_a_refusal_that_it_does_not_belong(
    small: Corpus, path: Path
) -> None:
    refused = [Refusal(arxiv="2405.00002", reason="no language models"), Refusal(title="Of cats", reason="no models")]
    refusals = Refusals(refused=refused)
    held = hold(small, refusals, [*read_list(path), *read_list(path)])
    assert set(held.here) == {"doe2025cheap", "doe2024twice"}
    assert [one.ids.get("arxiv") for one in held.refused] == ["2405.00002"]
    assert len(held.missing) == 5
    told = held.as_text()
    assert "recall is at least 29%" in told
    assert "before/discrete-utility     1    1  100%" in told
    assert "no entry yet                0    5  0%" in told
    # 2024: one entry, and four that are missing; the entry's own year counts, not the list's
    assert "2024     1    5  20%" in told


def test_an_earlier_state_is_measured_by_leaving_later_entries_out(small: Corpus, path: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.txt"
    later.write_text("papers/2024/doe2024twice.yml\n", encoding="utf-8")
    held = hold(small, Refusals(), read_list(path), read_keys(later, small))
    assert "recall is at least 12%" in held.as_text()
    assert "after/cascade               0    1  0%" in held.as_text()


def test_what_cannot_be_measured_is_refused_with_the_file_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.md"
    empty.write_text("# Nothing\n\nno paper, no link\n", encoding="utf-8")
    with pytest.raises(typer.Exit):
        command(lists=[empty])
    assert "no paper is named" in capsys.readouterr().err
    with pytest.raises(typer.Exit):
        command(lists=[tmp_path / "absent.md"])
    assert "absent.md" in capsys.readouterr().err


def test_the_command_names_what_is_missing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(lists=[path], missed=True)
    said = capsys.readouterr()
    assert "arxiv:2601.00009\t2026\tRouting\tA model nobody has here" in said.out
