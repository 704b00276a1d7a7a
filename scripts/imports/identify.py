"""Which identifier a reader means: bare, with its prefix, or as an address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from scripts.model.identifiers import FORMS


class Identifier(NamedTuple):
    """A kind of FORMS, and the identifier in its shortest form."""

    kind: str
    value: str


class IdentifyError(ValueError):
    """The text is no identifier and no address that is known here."""


_ARXIV = r"(\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?"
# each pattern's first group is the identifier; they are looked for anywhere in a text
_ADDRESSES: list[tuple[str, re.Pattern[str]]] = [
    ("arxiv", re.compile(rf"(?:arxiv\.org|alphaxiv\.org)/[a-z]+/{_ARXIV}(?![\w.])", re.IGNORECASE)),
    ("arxiv", re.compile(rf"huggingface\.co/papers/{_ARXIV}(?![\w.])", re.IGNORECASE)),
    ("arxiv", re.compile(rf"\barxiv[:\s]\s*(?:abs/)?{_ARXIV}(?![\w])", re.IGNORECASE)),
    ("arxiv", re.compile(r"\babs/(\d{4}\.\d{4,5})(?:v\d+)?(?![\w.])")),  # DBLP writes CoRR volumes so
    ("doi", re.compile(r"(?:doi\.org/|\bdoi:\s*)(10\.\d{4,9}/[!-;=?-~]+)", re.IGNORECASE)),
    (
        "acl",
        re.compile(r"aclanthology\.org/(?:papers/)?([\w.-]+?)(?:v\d+)?(?:\.pdf|\.bib|/)?(?=[\s?#]|$)", re.IGNORECASE),
    ),
    ("acl", re.compile(r"aclweb\.org/anthology/([\w.-]+?)(?:\.pdf|\.bib|/)?(?=[\s?#]|$)", re.IGNORECASE)),
    (
        "openreview",
        re.compile(r"openreview\.net/(?:forum|pdf|attachment)\?(?:[^\s#]*&)?id=([\w-]{8,14})(?![\w-])"),
    ),
    ("s2", re.compile(r"semanticscholar\.org/paper/(?:[^\s/]*/)?([0-9a-f]{40})(?![0-9a-f])")),
]
_BARE: list[tuple[str, re.Pattern[str]]] = [
    ("arxiv", re.compile(rf"(?:arxiv:\s*)?{_ARXIV}\Z", re.IGNORECASE)),
    ("doi", re.compile(r"(10\.\d{4,9}/[!-;=?-~]+)\Z")),
    ("acl", re.compile(r"(\d{4}\.[a-z0-9_]+-[a-z0-9_]+\.\d+|[A-Z]\d{2}-\d{4})\Z")),
    ("s2", re.compile(r"([0-9a-f]{40})\Z")),
    # the least telling form stands last: eight to fourteen letters are also a word, so a digit or a mixture
    # of capitals and small letters is asked for
    ("openreview", re.compile(r"((?=.*(?:\d|[a-z].*[A-Z]|[A-Z].*[a-z]))[A-Za-z0-9_-]{8,14})\Z")),
]
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)\Z", re.IGNORECASE)
_ACL_DOI = re.compile(r"10\.18653/v1/(.+)\Z", re.IGNORECASE)


def identify(text: str) -> Identifier:
    """The identifier in `text`. IdentifyError, with what is understood, where there is none."""
    bare = text.strip().strip("<>")
    for identifier in identifiers_in(bare):
        return _own(identifier)
    for kind, pattern in _BARE:
        if found := pattern.match(bare):
            return _own(Identifier(kind, found.group(1)))
    shown = bare[:80] or "nothing"
    known = "; ".join(f"{form.name}: {form.example}" for form in FORMS.values())
    raise IdentifyError(f"'{shown}' is no identifier or address known here. Known are {known}")


def identifiers_in(text: str) -> Iterator[Identifier]:
    """Every identifier that stands in `text` as an address or with its prefix, well-formed ones only."""
    if len(text) > 5000 or not re.search(
        r"arxiv|doi|acl|openreview|semanticscholar|huggingface|abs/", text, re.IGNORECASE
    ):
        return
    for part in {text: None, unquote(text): None}:
        for kind, pattern in _ADDRESSES:
            for found in pattern.finditer(part):
                value = found.group(1).rstrip(".,;)}]") if kind == "doi" else found.group(1)
                identifier = _normal(Identifier(kind, value))
                if FORMS[identifier.kind].pattern.match(identifier.value):
                    yield identifier


def _normal(identifier: Identifier) -> Identifier:
    """A DOI that arXiv gave out is its arXiv identifier."""
    if identifier.kind == "doi" and (found := _ARXIV_DOI.match(identifier.value)):
        return Identifier("arxiv", re.sub(r"v\d+\Z", "", found.group(1)))
    return identifier


def _own(identifier: Identifier) -> Identifier:
    """The identifier of the source that knows most of the paper: the Anthology's for the Anthology's DOIs."""
    identifier = _normal(identifier)
    if identifier.kind == "doi" and (acl := implied(dict([identifier])).get("acl")):
        return Identifier("acl", acl)
    return identifier


def implied(ids: Mapping[str, str]) -> dict[str, str]:
    """`ids` with those that follow from them: the Anthology's DOIs hold the Anthology's identifiers."""
    found = dict(ids)
    if (match := _ACL_DOI.match(ids.get("doi", ""))) and "acl" not in ids:
        value = match.group(1)
        acl = value.upper() if re.match(r"[A-Za-z]\d", value) else value.lower()
        if FORMS["acl"].pattern.match(acl):
            found["acl"] = acl
    return found
