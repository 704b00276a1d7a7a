"""Identifiers, bare and in addresses."""

from __future__ import annotations

import pytest

from scripts.imports.identify import IdentifyError, identifiers_in, identify, implied

ACL = "2023.acl-long.792"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("2406.18665", "arxiv", "2406.18665"),
        ("2406.18665v3", "arxiv", "2406.18665"),
        ("arXiv:2406.18665", "arxiv", "2406.18665"),
        (" https://arxiv.org/abs/2406.18665v2 ", "arxiv", "2406.18665"),
        ("http://www.arxiv.org/pdf/2406.18665v2.pdf", "arxiv", "2406.18665"),
        ("https://arxiv.org/html/2406.18665v1#S1", "arxiv", "2406.18665"),
        ("https://huggingface.co/papers/2406.18665", "arxiv", "2406.18665"),
        ("cs/0112017", "arxiv", "cs/0112017"),
        ("https://arxiv.org/abs/math.GT/0309136", "arxiv", "math.GT/0309136"),
        ("10.48550/arXiv.2406.18665", "arxiv", "2406.18665"),
        ("https://doi.org/10.48550/arxiv.2406.18665", "arxiv", "2406.18665"),
        ("10.1145/3580305.3599572", "doi", "10.1145/3580305.3599572"),
        ("doi:10.1145/3580305.3599572", "doi", "10.1145/3580305.3599572"),
        ("https://dx.doi.org/10.1016/S0304-3975(96)00001-7", "doi", "10.1016/S0304-3975(96)00001-7"),
        ("https://doi.org/10.1145%2F3580305.3599572", "doi", "10.1145/3580305.3599572"),
        ("10.18653/v1/2023.acl-long.792", "acl", ACL),
        ("https://doi.org/10.18653/v1/P19-1001", "acl", "P19-1001"),
        (ACL, "acl", ACL),
        (f"https://aclanthology.org/{ACL}/", "acl", ACL),
        (f"https://aclanthology.org/{ACL}.pdf", "acl", ACL),
        ("https://www.aclweb.org/anthology/P19-1001.bib", "acl", "P19-1001"),
        ("8sSqNntaMr", "openreview", "8sSqNntaMr"),
        ("https://openreview.net/forum?id=8sSqNntaMr&noteId=abc", "openreview", "8sSqNntaMr"),
        ("https://openreview.net/pdf?id=8sSqNntaMr", "openreview", "8sSqNntaMr"),
        ("https://www.semanticscholar.org/paper/A-Title/" + "0a" * 20, "s2", "0a" * 20),
        ("0a" * 20, "s2", "0a" * 20),
    ],
)
def test_identify(text: str, kind: str, value: str) -> None:
    assert identify(text) == (kind, value)


@pytest.mark.parametrize(
    "text",
    ["", "ensemble", "https://example.org/paper", "2413.18665", "10.12/x", "file:///etc/passwd", "RouteLLM: Learning",
     "https://arxiv.org/list/cs.CL/new", "-" * 10_000, "10.1234/<script>", "../../x"],
)  # fmt: skip
def test_not_an_identifier(text: str) -> None:
    with pytest.raises(IdentifyError, match="is no identifier"):
        identify(text)


def test_identifiers_in_running_text() -> None:
    text = "See arXiv preprint arXiv:2406.18665v2 and (https://doi.org/10.1145/3580305.3599572)."
    assert list(identifiers_in(text)) == [("arxiv", "2406.18665"), ("doi", "10.1145/3580305.3599572")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://www.alphaxiv.org/overview/2406.18665v2", ("arxiv", "2406.18665")),
        ("https://ar5iv.labs.arxiv.org/html/2406.18665", ("arxiv", "2406.18665")),
        ("https://ar5iv.org/abs/cs/0112017", ("arxiv", "cs/0112017")),
        ("https://export.arxiv.org/pdf/2406.18665v1.pdf", ("arxiv", "2406.18665")),
        ("http://xxx.lanl.gov/abs/hep-th/9901001v2", ("arxiv", "hep-th/9901001")),
        ("arXiv:CS.cl/0112017 [cs.CL]", ("arxiv", "cs.CL/0112017")),
        ("hf.co/papers/2406.18665", ("arxiv", "2406.18665")),
        ("https://www.semanticscholar.org/arxiv/2406.18665", ("arxiv", "2406.18665")),
        ("arXiv preprint 2406.18665.", ("arxiv", "2406.18665")),
        ("https://dl.acm.org/doi/abs/10.1145/3580305.3599572?download=true", ("doi", "10.1145/3580305.3599572")),
        ("https://onlinelibrary.wiley.com/doi/10.1002/abc.123/full", ("doi", "10.1002/abc.123")),
        ("https://link.springer.com/chapter/10.1007/978-3-031-1_2#Sec1", ("doi", "10.1007/978-3-031-1_2")),
        ("https://www.biorxiv.org/content/10.1101/2020.01.01.123456v1.full", ("doi", "10.1101/2020.01.01.123456")),
        ("(doi:10.1016/S0304-3975(96)00001-7)", ("doi", "10.1016/S0304-3975(96)00001-7")),
        ("https://doi.org/10.1002/x1:1%3C113::AID-A9%3E3.0.CO;2-6.", ("doi", "10.1002/x1:1<113::AID-A9>3.0.CO;2-6")),
        ("<a href='https://doi.org/10.1145/1'>10.1145/1</a>", ("doi", "10.1145/1")),
        ("http://aclweb.org/anthology/P/P19/P19-1001.pdf", ("acl", "P19-1001")),
        ("https://aclanthology.info/papers/P19-1001/p19-1001", ("acl", "P19-1001")),
        ("https://aclanthology.org/2023.acl-long.792v2.pdf}", ("acl", ACL)),
        ("https://openreview.net/references/pdf?id=8sSqNntaMr", ("openreview", "8sSqNntaMr")),
    ],
)
def test_usual_addresses(text: str, wanted: tuple[str, str]) -> None:
    assert next(identifiers_in(text)) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "https://aclanthology.org/volumes/2023.acl-long/", "https://arxiv.org/abs/2406.18665123", "arXiv 2023.12345",
        r"https://doi.org/10.1002/x1:1\odd", "doi:10.1002/x1:1<113", "https://openreview.net/group?id=ICLR.cc/2024",
    ],
)  # fmt: skip
def test_nothing_rather_than_a_part(text: str) -> None:
    assert list(identifiers_in(text)) == []


def test_implied() -> None:
    assert implied({"doi": f"10.18653/v1/{ACL}"})["acl"] == ACL
    assert implied({"doi": "10.1145/1"}) == {"doi": "10.1145/1"}
