"""Venues by their short names."""

from __future__ import annotations

import pytest

from scripts.imports.venues import from_acl, read, same_venue
from scripts.model.paper import Venue


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Findings of the Association for Computational Linguistics: EMNLP 2024", ("EMNLP", 2024, "findings")),
        ("Findings of the Association for Computational Linguistics: ACL 2025", ("ACL", 2025, "findings")),
        (
            "Proceedings of the 2024 Conference on Empirical Methods in Natural Language Processing: Industry Track",
            ("EMNLP", 2024, "industry"),
        ),
        (
            "Conference of the Nations of the Americas Chapter of the Association for Computational Linguistics 2025",
            ("NAACL", 2025, None),
        ),
        ("EMNLP (Volume 1: Long Papers)", ("EMNLP", None, "main")),
        ("The Twelfth International Conference on Learning Representations", ("ICLR", None, None)),
        ("Advances in Neural Information Processing Systems", ("NeurIPS", None, None)),
        ("Proceedings of the AAAI Conference on Artificial Intelligence", ("AAAI", None, None)),
        ("Transactions on Machine Learning Research", ("TMLR", None, "journal")),
        ("Journal of Artificial Committees", ("Journal of Artificial Committees", None, "journal")),
        ("ICLR 2025 Workshop on Foundation Models", ("ICLR Workshop on Foundation Models", 2025, "workshop")),
        ("Forty-first International Conference on Machine Learning", ("ICML", None, None)),
        ("International Conference on Machine Learning and Applications", None),
    ],
)
def test_read(name: str, wanted: tuple[str, int | None, str | None] | None) -> None:
    found = read(name, journal="Journal" in name or "Advances" in name)
    assert found
    if wanted is None:
        assert found.name == name
    else:
        assert (found.name, found.year, found.track) == wanted


@pytest.mark.parametrize(
    "name", ["arXiv preprint arXiv:2406.18665", "CoRR", "bioRxiv", "SSRN Electronic Journal", "", " "]
)
def test_preprints_are_no_venues(name: str) -> None:
    assert read(name, 2024) is None


@pytest.mark.parametrize(
    ("identifier", "wanted"),
    [
        ("2023.acl-long.792", ("ACL", 2023, "main")),
        ("2024.findings-emnlp.12", ("EMNLP", 2024, "findings")),
        ("2025.emnlp-industry.3", ("EMNLP", 2025, "industry")),
        ("2025.naacl-short.3", ("NAACL", 2025, "short")),
        ("2024.acl-demos.1", ("ACL", 2024, "demo")),
        ("2024.tacl-1.5", ("TACL", 2024, "journal")),
        ("2025.knowledgenlp-1.3", ("knowledgenlp", 2025, "workshop")),
        ("9999.acl-long.1", ("ACL", None, "main")),
        ("P19-1001", None),
    ],
)
def test_from_acl(identifier: str, wanted: tuple[str, int | None, str] | None) -> None:
    found = from_acl(identifier)
    assert (found and (found.name, found.year, found.track)) == wanted


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ICLR", "International Conference on Learning Representations"),
        ("IEEE TAI", "IEEE Trans. Artif. Intell."),
        ("IEEE TAI", "IEEE Transactions on Artificial Intelligence"),
        ("J Robot Auto Res", "Journal of Robotics and Automation Research"),
        ("Science Advances", "Science Advances"),
        ("WWW Companion", "WWW (Companion Volume)"),
    ],
)
def test_same_venue(first: str, second: str) -> None:
    assert same_venue(first, second)
    assert same_venue(second, first)


@pytest.mark.parametrize(("first", "second"), [("ICLR", "ICML"), ("ACL", "EMNLP"), ("NeurIPS", "Journal of Things")])
def test_other_venue(first: str, second: str) -> None:
    assert not same_venue(first, second)


def test_venue_year_of_another_century() -> None:
    assert read("ICLR", 1890) == Venue(name="ICLR")
