"""Venues by their short names."""

from __future__ import annotations

import pytest

from scripts.imports.venues import from_acl, no_venue, read, same_venue
from scripts.model.paper import Venue

NAACL_2019 = (
    "Proceedings of the 2019 Conference of the North American Chapter of the Association for Computational"
    " Linguistics: Human Language Technologies, Volume 1 (Long and Short Papers)"
)
AAAI_2019 = (
    "The Thirty-Third AAAI Conference on Artificial Intelligence, AAAI 2019, The Thirty-First Innovative Applications"
    " of Artificial Intelligence Conference, IAAI 2019, The Ninth AAAI Symposium on Educational Advances in"
    " Artificial Intelligence, EAAI 2019"
)


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
        # a volume of long and of short papers says neither
        (
            NAACL_2019,
            ("NAACL", 2019, None),
        ),
        ("Proceedings of ACL 2019 (Volume 2: Short Papers)", ("ACL", 2019, "short")),
        # two digits
        (
            "IJCAI'93: Proceedings of the 13th International Joint Conference on Artificial Intelligence",
            ("IJCAI", 1993, None),
        ),
        ("KDD ’24", ("KDD", 2024, None)),
        ("Proc. WWW '49", ("WWW", 2049, None)),
        # what AAAI sponsors is not AAAI
        ("Proceedings of the 2018 AAAI/ACM Conference on AI, Ethics, and Society", ("AIES", 2018, None)),
        ("Proceedings of the International AAAI Conference on Web and Social Media", ("ICWSM", None, None)),
        ("International AAAI Conference on Weblogs & Social Media", ("ICWSM", None, None)),
        ("Proceedings of the AAAI Conference on Human Computation and Crowdsourcing", ("HCOMP", None, None)),
        (
            "AAAI Conference on Artificial Intelligence and Interactive Digital Entertainment",
            ("AIIDE", None, None),
        ),
        ("Innovative Applications of Artificial Intelligence", ("IAAI", None, None)),
        ("AAAI/IAAI", ("AAAI", None, None)),
        ("Thirty-Second AAAI Conference on Artificial Intelligence", ("AAAI", None, None)),
        (
            AAAI_2019,
            ("AAAI", 2019, None),
        ),
        ("Proceedings of the National Conference on Artificial Intelligence", ("AAAI", None, None)),
        ("AAAI Spring Symposium: Mixed-Initiative Problem-Solving Assistants", None),
        ("AAAI 2019 Fall Symposium Series", ("AAAI 2019 Fall Symposium Series", 2019, None)),
        ("AAAI/ACM Some New Conference", None),
        # series that only begin or sound like a known one
        ("International Conference on Computational Linguistics and Intelligent Text Processing", None),
        ("International Conference on Machine Learning, Optimization, and Data Science", None),
        (
            "International Joint Conference on Artificial Intelligence and the 23rd European one",
            ("IJCAI", None, None),
        ),
        ("Pacific-Asia Conference on Knowledge Discovery and Data Mining", None),
        ("International Conference on Software Engineering and Knowledge Engineering", None),
        ("International Conference on Computer Vision Theory and Applications", None),
        ("International Symposium on Information Theory and its Applications", None),
        ("ACM SIGKDD Explorations Newsletter", ("ACM SIGKDD Explorations Newsletter", None, "journal")),
        ("SIGKDD Explor. Newsl.", ("SIGKDD Explor. Newsl.", None, "journal")),
        ("Proceedings of the Sixth International Conference on Artificial Intelligence Planning Systems", None),
        ("Proceedings of the 15th National/10th Conference on Artificial Intelligence/IAAI", ("AAAI", None, None)),
        ("SIGIR Forum", ("SIGIR Forum", None, "journal")),
        ("The VLDB Journal", ("The VLDB Journal", None, "journal")),
        (
            "IEEE Transactions on Acoustics, Speech, and Signal Processing",
            ("IEEE Transactions on Acoustics, Speech, and Signal Processing", None, "journal"),
        ),
        ("JMLR Workshop and Conference Proceedings", ("JMLR Workshop and Conference Proceedings", None, "workshop")),
        ("Journal of Machine Learning Research", ("JMLR", None, "journal")),
        ("Transactions of the ACL", ("TACL", None, "journal")),
        (
            "IEEE Communications Surveys & Tutorials",
            ("IEEE Communications Surveys & Tutorials", None, "journal"),
        ),
        (
            "IEEE Transactions on Industry Applications",
            ("IEEE Transactions on Industry Applications", None, "journal"),
        ),
        # events beside a known one, and volumes beside its proceedings
        (
            "BlackboxNLP Workshop co-located with EMNLP 2021",
            ("BlackboxNLP Workshop co-located with EMNLP", 2021, "workshop"),
        ),
        ("Symposium on Committees in conjunction with NeurIPS", None),
        ("Conference on Translation (WMT) at EMNLP", None),
        ("Companion Proceedings of the 44th International Conference on Software Engineering", None),
        ("Companion Proceedings of the ACM Web Conference 2024", ("WWW Companion", 2024, None)),
        ("Adjunct Proceedings of SIGIR", None),
        # an address beside the name
        ("WWW", ("WWW", None, None)),
        ("ICLR 2024 (https://iclr.cc)", ("ICLR", 2024, None)),
        ("Journal of Nets, http://www.example.com", ("Journal of Nets", None, "journal")),
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
    ("name", "why"),
    [
        ("Online version: http://www. languages. example. com", "address"),
        ("https://www.example.com/model-card", "address"),
        ("www.example.org", "address"),
        ("example.com/blog", "address"),
        ("Submitted to ICLR 2025", "not published"),
        ("Under review as a conference paper at ICLR 2025", "not published"),
    ],
)
def test_addresses_and_hopes_are_no_venues(name: str, why: str) -> None:
    assert read(name, 2024, journal=True) is None
    assert why in (no_venue(name) or "")


def test_the_years_of_a_journals_series_are_not_the_papers() -> None:
    assert read("Il Nuovo Cimento (1955-1965)", 1956, journal=True) == Venue(
        name="Il Nuovo Cimento (1955-1965)", year=1956, track="journal"
    )


def test_of_several_years_the_entrys_own() -> None:
    assert read("Proceedings of the 2019 Conference (published 2020)", 2020) == Venue(
        name="Proceedings of the 2019 Conference (published 2020)", year=2020
    )
    assert read("Lecture Notes in Computer Science 2035", 2001) == Venue(
        name="Lecture Notes in Computer Science 2035", year=2001
    )


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
