"""Full names of venues, as a citation prints them and as a reader looks for them."""

from __future__ import annotations

import pytest

from scripts.model.paper import Venue
from scripts.model.venues import cited_venue, full_venue


@pytest.mark.parametrize(
    ("venue", "cited"),
    [
        (Venue(name="ICLR", year=2025), "International Conference on Learning Representations (ICLR)"),
        (
            Venue(name="ACL", year=2026, track="industry"),
            "Annual Meeting of the Association for Computational Linguistics (ACL), Industry Track",
        ),
        (
            Venue(name="EMNLP", year=2024, track="findings"),
            "Findings of the Association for Computational Linguistics: EMNLP 2024",
        ),
        (
            Venue(name="NAACL", year=2024),
            "Conference of the North American Chapter of the Association for Computational Linguistics (NAACL)",
        ),
        (
            Venue(name="NAACL", year=2025),
            (
                "Conference of the Nations of the Americas Chapter of the Association for Computational Linguistics"
                " (NAACL)"
            ),
        ),
        (
            Venue(name="IJCNLP-AACL", year=2025),
            (
                "International Joint Conference on Natural Language Processing and the Conference of the Asia-Pacific"
                " Chapter of the Association for Computational Linguistics (IJCNLP-AACL)"
            ),
        ),
        (Venue(name="TMLR", track="journal"), "Transactions on Machine Learning Research"),
        (
            Venue(name="NeurIPS", track="workshop"),
            "Workshop at the Conference on Neural Information Processing Systems (NeurIPS)",
        ),
        (Venue(name="WWW", track="workshop"), "Workshop at the Web Conference (WWW)"),
        # not a series, or only part of a name: as it stands
        (Venue(name="Agentic Markets @ ICML", track="workshop"), "Agentic Markets @ ICML"),
        (Venue(name="IEEE-Something"), "IEEE-Something"),
    ],
)
def test_a_venue_is_cited_by_its_full_name(venue: Venue, cited: str) -> None:
    assert cited_venue(venue) == cited


def test_a_reader_finds_a_series_by_either_name_also_inside_a_workshop() -> None:
    assert full_venue("Agentic Markets @ ICML") == "International Conference on Machine Learning"
    assert "NIPS" in full_venue("NeurIPS")
    assert full_venue("Nowhere") == ""
