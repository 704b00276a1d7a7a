"""The forms of the identifiers that an entry may carry, and the page each one stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class IdentifierForm:
    """One kind of identifier: its written form, an example, and the address of its canonical page."""

    name: str
    pattern: re.Pattern[str]
    example: str
    page: str  # with {id}
    pdf: str | None = None  # with {id}, where the source has one of every paper

    def url(self, identifier: str) -> str:
        """The canonical page of `identifier`, whose signs that no address holds are written as %XX."""
        return _filled(self.page, identifier)

    def pdf_url(self, identifier: str) -> str | None:
        """The PDF of `identifier`; None where its source has no PDFs at an address that follows from it."""
        return _filled(self.pdf, identifier) if self.pdf else None


def _filled(form: str, identifier: str) -> str:
    return form.format(id=quote(identifier, safe="/:;()!$&'*+,=@~"))


FORMS: dict[str, IdentifierForm] = {
    "arxiv": IdentifierForm(
        "arXiv",
        re.compile(r"\d{2}(0[1-9]|1[0-2])\.\d{4,5}\Z|[a-z-]+(\.[A-Z]{2})?/\d{7}\Z", re.ASCII),
        "2406.18665 (without the version)",
        "https://arxiv.org/abs/{id}",
        "https://arxiv.org/pdf/{id}",
    ),
    "doi": IdentifierForm(
        "DOI",
        # any printable sign: older ones look like 10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9
        re.compile(r"10\.\d{4,9}(\.\d+)*/[!-~]+\Z", re.ASCII),
        "10.18653/v1/2023.acl-long.792 (without https://doi.org/)",
        "https://doi.org/{id}",
    ),
    "acl": IdentifierForm(
        "ACL Anthology",
        re.compile(r"\d{4}\.[a-z0-9_]+-[a-z0-9_]+\.\d+\Z|[A-Z]\d{2}-\d{4}\Z", re.ASCII),
        "2023.acl-long.792",
        "https://aclanthology.org/{id}/",
        "https://aclanthology.org/{id}.pdf",
    ),
    "openreview": IdentifierForm(
        "OpenReview",
        re.compile(r"[A-Za-z0-9_-]{8,14}\Z"),
        "8sSqNntaMr (the part after forum?id=)",
        "https://openreview.net/forum?id={id}",
        "https://openreview.net/pdf?id={id}",
    ),
    "s2": IdentifierForm(
        "Semantic Scholar",
        re.compile(r"[0-9a-f]{40}\Z"),
        "40 hexadecimal digits",
        "https://www.semanticscholar.org/paper/{id}",
    ),
}

KEY = re.compile(r"[a-z]+(\d{4})[a-z0-9]*\Z", re.ASCII)
DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?\Z", re.ASCII)


#: The month from which on arXiv makes HTML of what it gets as TeX, which is most of it.
_ARXIV_HTML = "2023-12"


def arxiv_html(identifier: str) -> str | None:
    """Where arXiv has the paper as HTML if it could make any; None for those from before it began to."""
    month = arxiv_month(identifier)
    return _filled("https://arxiv.org/html/{id}", identifier) if month and month >= _ARXIV_HTML else None


def arxiv_month(identifier: str) -> str | None:
    """'2024-06' for 2406.18665; None for the identifiers of before April 2007."""
    if "/" in identifier:
        return None
    return f"20{identifier[:2]}-{identifier[2:4]}"
