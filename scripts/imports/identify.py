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
_ACL = r"(\d{4}\.[a-z0-9_]+-[a-z0-9_]+\.\d+|[A-Z]\d{2}-\d{4})(?:v\d+)?(?![\w-])"
# what a DOI is made of in a text: '<' and '>' only as in 365:1<113::AID-CNE9>3.0.CO;2-6, for texts hold markup, too
_DOI = r"(10\.\d{4,9}(?:\.\d+)*/(?:<[\w.:;()+-]*:[\w.:;()+-]*>|[!#-;=?-\[\]_a-z~])+)"
# each pattern's first group is the identifier; they are looked for anywhere in a text
_ADDRESSES: list[tuple[str, re.Pattern[str]]] = [
    (
        "arxiv",
        re.compile(
            r"(?:arxiv\.org|ar5iv\.org|alphaxiv\.org|lanl\.gov|semanticscholar\.org)/(?:[a-z-]+/)+(?:arxiv[:.])?"
            rf"{_ARXIV}(?!\w|\.\d)",
            re.IGNORECASE,
        ),
    ),
    ("arxiv", re.compile(rf"(?:huggingface|\bhf)\.co/papers/{_ARXIV}(?!\w|\.\d)", re.IGNORECASE)),
    (
        "arxiv",
        re.compile(
            r"\barxiv\s*(?:e-?prints?|preprint|id|identifier|no)?\s*[:.,#]?\s*(?:art\.\s*)?(?:arxiv[:.]\s*)?(?:abs/)?"
            rf"{_ARXIV}(?!\w|\.\d)",
            re.IGNORECASE,
        ),
    ),
    ("arxiv", re.compile(rf"\babs/{_ARXIV}(?!\w|\.\d)")),  # DBLP writes CoRR volumes so
    (
        "doi",
        re.compile(
            rf"(?:doi\.org/|//[\w.-]*\bdoi\b[\w.-]*/|/doi/(?:[a-z]+/)*|\bdoi\s*[:=]?\s*){_DOI}", re.IGNORECASE
        ),
    ),
    ("doi", re.compile(rf"link\.springer\.com/[a-z]+/(?:pdf/)?{_DOI}", re.IGNORECASE)),
    ("doi", re.compile(r"(?:bio|med)rxiv\.org/content/(?:[a-z]+/)?(10\.1101/[\d.]*\d)")),
    (
        "acl",
        re.compile(
            r"(?:aclanthology\.(?:org|info)|aclanthology\.coli\.uni-saarland\.de|aclweb\.org/anthology(?:-new)?)"
            rf"/(?:[\w.-]+/)*?{_ACL}",
            re.IGNORECASE,
        ),
    ),
    (
        "openreview",
        re.compile(r"openreview\.net/(?:\w+/)*\w+\?(?:[^\s#]*[&;])?id=([\w-]{8,14})(?![\w-])"),
    ),
    ("s2", re.compile(r"semanticscholar\.org/paper/(?:[^\s/]*/)?([0-9a-f]{40})(?![0-9a-f])")),
]
# what stands behind a DOI in a publisher's address
_DOI_TAIL = re.compile(
    r"[?#].*|(?:/(?:abstract|abs|full|fulltext|pdf|epdf|html|meta|references)|\.pdf|\.html?)\Z", re.IGNORECASE
)
_BARE: list[tuple[str, re.Pattern[str]]] = [
    ("arxiv", re.compile(rf"(?:arxiv:\s*)?{_ARXIV}\Z", re.IGNORECASE)),
    ("doi", re.compile(rf"{_DOI}\Z")),
    ("acl", re.compile(r"(\d{4}\.[a-z0-9_]+-[a-z0-9_]+\.\d+|[A-Z]\d{2}-\d{4})\Z")),
    ("s2", re.compile(r"([0-9a-f]{40})\Z")),
    # the least telling form stands last: eight to fourteen letters are also a word, so a digit or a mixture
    # of capitals and small letters is asked for
    ("openreview", re.compile(r"((?=.*(?:\d|[a-z].*[A-Z]|[A-Z].*[a-z]))[A-Za-z0-9_-]{8,14})\Z")),
]
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)\Z", re.IGNORECASE)
_ACL_DOI = re.compile(r"10\.(?:18653|3115)/v1/(.+)\Z", re.IGNORECASE)


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
    """Every identifier that stands in `text` as an address or with its prefix, well-formed ones only. A DOI that goes
    on with signs that are not understood is left out: cut short, it would be another paper's."""
    if len(text) > 5000 or not re.search(
        r"arxiv|alphaxiv|ar5iv|lanl|doi|springer|acl|openreview|semanticscholar|huggingface|hf\.co|rxiv|abs/",
        text,
        re.IGNORECASE,
    ):
        return
    for part in {unquote(text): None, text: None}:
        for kind, pattern in _ADDRESSES:
            for found in pattern.finditer(part):
                value = found.group(1)
                if kind == "doi":
                    if part[found.end() : found.end() + 1] in _GOES_ON and not _MARKUP.match(part, found.end()):
                        continue
                    value = _doi(value, address=not re.match(r"doi\b(?!\.org)", found.group(), re.IGNORECASE))
                identifier = _normal(Identifier(kind, value))
                if FORMS[identifier.kind].pattern.match(identifier.value):
                    yield identifier


_GOES_ON = tuple("<\\^{$%")  # behind a DOI
_MARKUP = re.compile(r"</?[a-z]+[ />]", re.IGNORECASE)


def _doi(written: str, *, address: bool) -> str:
    """A DOI without the punctuation of its sentence, and without the tail of a publisher's address."""
    bare = _DOI_TAIL.sub("", written) if address else written
    while bare.endswith((".", ",", ";", ":", "'")) or any(
        bare.endswith(end) and bare.count(end) > bare.count(begin) for begin, end in ("()", "[]")
    ):
        bare = bare[:-1]
    return bare


def _normal(identifier: Identifier) -> Identifier:
    """As its source writes it. A DOI that arXiv gave out is its arXiv identifier."""
    kind, value = identifier
    if kind == "doi" and (found := _ARXIV_DOI.match(value)):
        kind, value = "arxiv", re.sub(r"v\d+\Z", "", found.group(1))
    if kind == "arxiv" and "/" in value:
        archive, _, number = value.partition("/")
        archive, dot, subject = archive.partition(".")
        value = f"{archive.lower()}{dot}{subject.upper()}/{number}"
    if kind == "acl":
        value = value.upper() if re.match(r"[A-Za-z]\d", value) else value.lower()
    return Identifier(kind, value)


# bare, or the address of a resolver, of which publishers have their own: doi.acm.org
_DOI_PREFIX = re.compile(r"\Ahttps?:/*[\w.-]*\bdoi\b[\w.-]*/+|\A((www|dx)\.)*doi(\.org/|[:.=\s])*\s*", re.IGNORECASE)
_WHOLE_DOI = re.compile(r"10\.\d{4,9}(\.\d+)*/[^\s\"{}\\^`|]+\Z", re.ASCII)


def whole_doi(written: str) -> Identifier | None:
    """The DOI that is all of `written`, bare, with its prefix or as an address; None where any sign is left over."""
    bare = _DOI_PREFIX.sub("", written, count=1) if written[:1] in "hHdDwW" else written
    if re.match(r"https?:", written, re.IGNORECASE):
        bare = re.sub(r"[?#].*", "", bare)
    plain = unquote(bare)
    if not _WHOLE_DOI.match(plain):
        return None
    identifier = _normal(Identifier("doi", plain))
    return identifier if FORMS[identifier.kind].pattern.match(identifier.value) else None


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
