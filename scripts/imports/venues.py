"""The Atlas's short names for conferences and journals, found in what the sources and .bib files write."""

from __future__ import annotations

import re

from scripts.model.paper import Venue

# The order counts: the first pattern that is found wins, so joint and narrower names stand first.
_NAMES: list[tuple[str, str]] = [
    ("LREC-COLING", r"LREC[-/ ]?COLING|International Conference on Computational Linguistics, Language Res"),
    ("NAACL", r"\bNAACL\b|(North American|Nations of the Americas) Chapter of the Association for Comp"),
    ("EACL", r"\bEACL\b|European Chapter of the Association for Comp"),
    ("AACL", r"\b(IJCNLP[-‐ ]?)?AACL\b|Asia-Pacific Chapter of the Association for Comp"),
    ("EMNLP", r"\bEMNLP\b|Empirical Methods in Natural Language Processing"),
    ("TACL", r"\bTACL\b|Trans(actions|\.) of the Assoc(iation|\.) for Comput(ational|\.) Linguistics"),
    ("CoNLL", r"\bCoNLL\b|Computational Natural Language Learning"),
    ("COLING", r"\bCOLING\b|International Conference on Computational Linguistics"),
    ("LREC", r"\bLREC\b|Language Resources and Evaluation Conference"),
    ("ACL", r"\bACL\b|(Meeting|Findings) of the Association for Computational Linguistics"),
    ("ICLR", r"\bICLR\b|International Conference on Learning Representations"),
    ("ICML", r"\bICML\b|International Conference on Machine Learning(?! and Appl)"),
    ("NeurIPS", r"\bNeurIPS\b|\bNIPS\b|Neural Information Processing Systems"),
    ("TMLR", r"\bTMLR\b|Trans(actions|\.) on Machine Learning Research|Trans\. Mach\. Learn\. Res\."),
    ("JMLR", r"\bJMLR\b|Journal of Machine Learning Research|J\. Mach\. Learn\. Res\."),
    ("AAAI", r"\bAAAI\b"),
    ("IJCAI", r"\bIJCAI\b|International Joint Conference on Artificial Intelligence"),
    ("ECAI", r"\bECAI\b|European Conference on Artificial Intelligence"),
    ("COLM", r"\bCOLM\b|Conference on Language Model(l?ing|s)"),
    ("AISTATS", r"\bAISTATS\b|International Conference on Artificial Intelligence and Statistics"),
    ("UAI", r"\bUAI\b|Uncertainty in Artificial Intelligence"),
    ("MLSys", r"\bMLSys\b|Machine Learning and Systems"),
    ("KDD", r"\bKDD\b|Knowledge Discovery (and|&) Data Mining"),
    ("WWW Companion", r"\bWWW Companion\b|Companion (Proceedings )?of the ACM (on )?Web Conference"),
    ("WWW", r"\bWWW\b|\bThe Web Conference|ACM (on )?Web Conference|World Wide Web Conference"),
    ("SIGIR", r"\bSIGIR\b|Research and Development in Information Retrieval"),
    ("CIKM", r"\bCIKM\b|Information and Knowledge Management"),
    ("WSDM", r"\bWSDM\b|Web Search and Data Mining"),
    ("RecSys", r"\bRecSys\b|Conference on Recommender Systems"),
    ("PVLDB", r"\bP?VLDB\b|VLDB Endow"),
    ("CVPR", r"\bCVPR\b|Computer Vision and Pattern Recognition"),
    ("ICCV", r"\bICCV\b|International Conference on Computer Vision"),
    ("ECCV", r"\bECCV\b|European Conference on Computer Vision"),
    ("ICSE", r"\bICSE\b|International Conference on Software Engineering"),
    ("ISIT", r"\bISIT\b|International Symposium on Information Theory"),
    ("ICASSP", r"\bICASSP\b|Acoustics, Speech,? and Signal Processing"),
    ("INTERSPEECH", r"\bINTERSPEECH\b"),
]  # fmt: skip
_KNOWN = [(name, re.compile(pattern, 0 if pattern.isupper() else re.IGNORECASE)) for name, pattern in _NAMES]
_JOURNALS = {"TACL", "TMLR", "JMLR", "PVLDB"}
PREPRINTS = re.compile(
    r"\b(arXiv|CoRR|bioRxiv|medRxiv|SSRN|Research Square|Preprints?(\.org)?|OpenReview|TechRxiv|Zenodo)\b",
    re.IGNORECASE,
)
_TRACKS: list[tuple[str, str]] = [
    ("datasets-and-benchmarks", r"datasets?[ _]and[ _]benchmarks"),
    ("tutorial", r"tutorial"),
    ("demo", r"\bdemo(s|nstrations?)?\b"),
    ("industry", r"\bindustry\b"),
    ("workshop", r"workshops?\b|\bstudent research\b|@"),
    ("findings", r"\bfindings\b"),
    ("short", r"\bshort papers\b"),
    ("main", r"\blong papers\b|\bmain conference\b"),
]
# What the Anthology calls the volumes of its own conferences. Other collections are workshops.
_ACL_EVENTS = {
    "acl": "ACL", "naacl": "NAACL", "eacl": "EACL", "aacl": "AACL", "ijcnlp": "AACL", "emnlp": "EMNLP",
    "coling": "COLING", "lrec": "LREC", "conll": "CoNLL",
}  # fmt: skip
_ACL_TRACKS = {
    "long": "main", "main": "main", "short": "short", "industry": "industry", "demo": "demo", "demos": "demo",
    "srw": "workshop", "tutorials": "tutorial", "tutorial": "tutorial", "1": "main",
}  # fmt: skip


def venue(name: str, year: int | None, track: str | None) -> Venue:
    """A venue; a year that no venue of this field can have is left out."""
    return Venue(name=name, year=year if year and 1950 <= year <= 2100 else None, track=track)


def short_name(name: str) -> str:
    """The Atlas's name for a conference or journal; the name itself where it is not known here."""
    return next((short for short, pattern in _KNOWN if pattern.search(name)), " ".join(name.split()))


def is_preprint(name: str) -> bool:
    """Whether a 'venue' is a preprint server, so that the paper counts as unpublished."""
    return not name.strip() or bool(PREPRINTS.search(name))


def year_in(name: str) -> int | None:
    """The year that a venue's name carries, as in 'ICLR 2025' or "EMNLP'24"."""
    if found := re.search(r"\b(19|20)\d\d\b", name):
        return int(found.group())
    found = re.search(r"['’](\d\d)\b", name)
    return 2000 + int(found.group(1)) if found else None


def track_in(name: str) -> str | None:
    """The track that a venue's name tells, or None."""
    return next((track for track, pattern in _TRACKS if re.search(pattern, name, re.IGNORECASE)), None)


def read(name: str, year: int | None = None, *, journal: bool = False) -> Venue | None:
    """A venue from a source's name for it; None for a preprint server. The name's own year counts before
    `year`."""
    if is_preprint(name):
        return None
    short = short_name(name)
    # a journal's entry may name a conference all the same: 'Advances in Neural Information Processing
    # Systems'
    known = short != " ".join(name.split())
    track = track_in(name) or ("journal" if short in _JOURNALS or (journal and not known) else None)
    if track == "workshop" and known:
        short = _workshop(name)
    return venue(short, year_in(name) or year, track)


def _workshop(name: str) -> str:
    """A workshop keeps its own name, without 'Proceedings of the' and the year."""
    bare = re.sub(r"^(In )?Proc(eedings|\.) of (the )?", "", name.strip(), flags=re.IGNORECASE)
    return " ".join(re.sub(r"\b(19|20)\d\d\b", " ", bare).split()) or name


def from_acl(identifier: str) -> Venue | None:
    """Venue, year and track as an ACL Anthology identifier tells them; None for the forms of before 2020."""
    found = re.match(r"(\d{4})\.([a-z0-9_]+)-([a-z0-9_]+)\.\d+\Z", identifier)
    if not found:
        return None
    year, event, volume = int(found.group(1)), found.group(2), found.group(3)
    if event == "findings":
        return venue(_ACL_EVENTS.get(volume, volume.upper()), year, "findings")
    if event in ("tacl", "cl"):
        return venue({"tacl": "TACL", "cl": "Computational Linguistics"}[event], year, "journal")
    if event in _ACL_EVENTS:
        return venue(_ACL_EVENTS[event], year, _ACL_TRACKS.get(volume, "main"))
    return venue(event, year, "workshop")


_SMALL = {"of", "on", "the", "and", "for", "in", "a", "to"}


def same_venue(first: str, second: str) -> bool:
    """Whether two names may mean one venue: one short name, the same words, an abbreviation or an
    initialism."""
    if short_name(first).casefold() == short_name(second).casefold():
        return True
    a, b = (_words(name) for name in sorted((first, second), key=len))
    if not a or not b or set(a) <= set(b):
        return bool(a and b)
    if all(any(long.startswith(short) for long in b) for short in a):
        return True  # 'J Robot Auto Res'
    initials = "".join(word[0] for word in b)
    return any(len(word) >= 3 and word in initials for word in a)  # 'IEEE TAI'


def _words(name: str) -> list[str]:
    return [word for word in re.findall(r"[^\W_]+", name.casefold()) if word not in _SMALL and not word.isdigit()]
