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


def test_implied() -> None:
    assert implied({"doi": f"10.18653/v1/{ACL}"})["acl"] == ACL
    assert implied({"doi": "10.1145/1"}) == {"doi": "10.1145/1"}
