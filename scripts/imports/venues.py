"""The Atlas's short names for conferences and journals, found in what the sources and .bib files write."""

from __future__ import annotations

import re

from scripts.model.paper import Venue

# The order counts: the first pattern that is found wins, so joint and narrower names stand first. A series that only
# begins like a known one ("International Conference on Machine Learning and Applications") is another series.
_GOES_ON = (
    r"(?!,? (and(?! the)|&|for|in|with|theory|systems?|techn\w+|research|engineering|advances|education)\b"
    r"|(, [\w-]+( [\w-]+)?)+,? (and|&) )"
)
_NAMES: list[tuple[str, str]] = [
    ("LREC-COLING", r"LREC[-/ ]?COLING|International Conference on Computational Linguistics, Language Res"),
    ("NAACL", r"\bNAACL\b|(North American|Nations of the Americas) Chapter of the (Association for Comp|ACL\b)"),
    ("EACL", r"\bEACL\b|European Chapter of the (Association for Comp|ACL\b)"),
    ("AACL", r"\b(IJCNLP[-‐ ]?)?AACL\b|Asia-Pacific Chapter of the (Association for Comp|ACL\b)"),
    ("EMNLP", r"\bEMNLP\b|Empirical Methods in Natural Language Processing"),
    ("TACL", r"\bTACL\b|Trans(actions|\.) of the (ACL\b|Assoc(iation|\.) for Comput(ational|\.) Linguistics)"),
    ("CoNLL", r"\bCoNLL\b|Computational Natural Language Learning"),
    ("COLING", rf"\bCOLING\b|International Conference on Computational Linguistics{_GOES_ON}"),
    ("LREC", (r"\bLREC\b|Language Resources and Evaluation Conference"
             r"|International Conference on Language Resources and Evaluation")),
    ("ACL", r"\bACL\b|(Meeting|Findings) of the (Association for Computational Linguistics|ACL\b)"),
    ("ICLR", r"\bICLR\b|International Conference on Learning Representations"),
    ("ICML", rf"\bICML\b|International Conference on Machine Learning{_GOES_ON}"),
    ("NeurIPS", r"\bNeurIPS\b|\bNIPS\b|Neural Information Processing Systems"),
    ("TMLR", r"\bTMLR\b|Trans(actions|\.) on Machine Learning Research|Trans\. Mach\. Learn\. Res\."),
    ("JMLR", (r"\bJMLR\b(?!:? ?(W|Workshop|Proc))|Journal of Machine Learning Research(?! ?[-:–]? ?(W|Proc))"
             r"|J\. Mach\. Learn\. Res\.")),
    ("AIES", r"\bAIES\b|Conference on (AI|Artificial Intelligence), Ethics,? (and|&) Society"),
    ("ICWSM", r"\bICWSM\b|Conference on Web(logs)? (and|&) Social Media"),
    ("HCOMP", r"\bHCOMP\b|Conference on Human Computation (and|&) Crowdsourcing"),
    ("AIIDE", r"\bAIIDE\b|Artificial Intelligence (and|&|in|for) Interactive Digital Entertainment"),
    ("AAAI", (r"(?<!International )\bAAAI\b(?! ?[/-] ?ACM| (Press|Tech)| Conference on (?!Art))"
             r"(?!(?!.*Conference on Artificial Intelligence).*Symposi)"
             r"|\bNational(/\w+)? Conference on Artificial Intelligence")),
    ("IAAI", r"\bIAAI\b|Innovative Applications of Artificial Intelligence"),
    ("IJCAI", rf"\bIJCAI\b|International Joint Conferences? on Artificial Intelligence{_GOES_ON}"),
    ("ECAI", rf"\bECAI\b|European Conference on Artificial Intelligence{_GOES_ON}"),
    ("COLM", r"\bCOLM\b|Conference on Language Model(l?ing|s)"),
    ("AISTATS", r"\bAISTATS\b|(International )?Conference on Artificial Intelligence and Statistics"),
    ("UAI", r"\bUAI\b|Uncertainty in Artificial Intelligence"),
    ("MLSys", r"\bMLSys\b|Machine Learning and Systems"),
    ("KDD", (r"\b(SIG)?KDD\b(?! Cup)"
            r"|(?<!Pacific-Asia )(?<!PAKDD )Conference on Knowledge Discovery (and|&|in) Data Mining")),
    ("WWW Companion", (r"\bWWW Companion\b|Companion (Proceedings )?of the ACM (on )?Web Conference"
                      r"|Companion (Proceedings )?of the (The )?(Web|World Wide Web) Conference|\bWWW \(Companion")),
    ("WWW", (r"(?-i:\bWWW\b)(?!\s*\.)|\bThe Web Conference|ACM (on )?Web Conference|World Wide Web Conference"
            r"|(International )?Conference on World Wide Web")),
    ("SIGIR", r"\bSIGIR\b(?!-AP)|Conference on Research (and|&) Development in Information Retrieval"),
    ("CIKM", r"\bCIKM\b|Conference on Information (and|&) Knowledge Management"),
    ("WSDM", r"\bWSDM\b|Conference on Web Search and Data Mining"),
    ("RecSys", r"\bRecSys\b|Conference on Recommender Systems"),
    ("PVLDB", r"\bP?VLDB\b(?! J)|VLDB Endow|Very Large Data Bases Endow"),
    ("CVPR", r"\bCVPR\b|Conference on Computer Vision and Pattern Recognition"),
    ("ICCV", rf"\bICCV\b|International Conference on Computer Vision{_GOES_ON}"),
    ("ECCV", rf"\bECCV\b|European Conference on Computer Vision{_GOES_ON}"),
    ("ICSE", rf"\bICSE\b|International Conference on Software Engineering{_GOES_ON}"),
    ("ISIT", rf"\bISIT\b|International Symposium on Information Theory{_GOES_ON}"),
    ("ICASSP", r"\bICASSP\b|Conference on Acoustics, Speech,? (and|&) Signal Processing"),
    ("INTERSPEECH", r"\bINTERSPEECH\b"),
]  # fmt: skip
_KNOWN = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _NAMES]
_JOURNALS = {"TACL", "TMLR", "JMLR", "PVLDB"}
FAR = 3  # years between a venue and its proceedings that no series takes
# a series that appears in issues; of these only the journals above are known, whatever conference the name holds
_SERIAL = re.compile(
    r"\b(Journal|Trans(actions)?|Letters|Magazine|Forum|News(l|letter)?|Explor(ations)?|Bulletin|Reviews?|Record|Annals"
    r"|Communications Surveys)\b|\bJ\. ",
    re.IGNORECASE,
)
# the volume is the conference's, though the publisher's series is a serial
_PROCEEDINGS = re.compile(r"\b(Proc(eedings|\.)|Conference|Meeting|Findings|Advances)\b", re.IGNORECASE)
# what stands behind these words is where the event met, or what the volume accompanies, not the event
_BESIDE = re.compile(
    r"\b(co-?located|in conjunction|collocated|affiliated|jointly held|held|satellite\b.*?)\s+(with|at|of)\b"
    r"|\b(held )?at (the )?(\d+\w* )?(annual )?(?=[A-Z])|@",
    re.IGNORECASE,
)
_COMPANION = re.compile(r"\b(companion|adjunct|extended abstracts|supplement(ary)?)\b", re.IGNORECASE)
_HOPE = re.compile(
    r"\b(submitted|under (double[- ]blind )?review|in (review|submission)|rejected|unpublished|in preparation)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\b(https?\s*:\s*/\s*/|www\s*\.)[^,;]*|^\S+\.(com|org|net|io|ai|edu|gov)/\S*$", re.IGNORECASE)
_NO_NAME = re.compile(
    r"\b(online|version|available|accessed|retrieved|last|visited|url|web ?(site|page)|from|at|see|on)\b",
    re.IGNORECASE,
)
PREPRINTS = re.compile(
    r"\b(arXiv|CoRR|bioRxiv|medRxiv|SSRN|Research Square|Preprints?(\.org)?|OpenReview|TechRxiv|Zenodo)\b",
    re.IGNORECASE,
)
_TRACKS: list[tuple[str, str]] = [
    ("datasets-and-benchmarks", r"datasets?[ _]and[ _]benchmarks"),
    ("tutorial", r"\btutorials?( abstracts?)?\b"),
    ("demo", r"\bdemo(s|nstrations?)?\b"),
    ("industry", r"\bindustry\b"),
    ("workshop", r"workshops?\b|\bstudent research\b|@"),
    ("findings", r"\bfindings\b"),
    ("short", r"(?<!long and )\bshort papers\b(?! and long)"),
    ("main", r"\blong papers\b(?! and short)|\bmain conference\b"),
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
    return known_name(name) or " ".join(name.split())


def known_name(name: str) -> str | None:
    """The Atlas's name for a conference or journal; None where it is not known here, or where a known name only says
    where the event met."""
    bare = _without_address(name)
    own = re.sub(r"\(.*", "", bare) if _COMPANION.search(bare) else bare
    serial = _SERIAL.search(own) and not _PROCEEDINGS.search(own)
    for short, pattern in _KNOWN:
        if pattern.search(own) and not (serial and short not in _JOURNALS):
            return None if _COMPANION.search(bare) and "Companion" not in short else short
    return None


def is_preprint(name: str) -> bool:
    """Whether a 'venue' is a preprint server, so that the paper counts as unpublished."""
    return not name.strip() or bool(PREPRINTS.search(name))


def no_venue(name: str) -> str | None:
    """Why a text that stands where the venue should is none; None where it may be one."""
    if _HOPE.search(name):
        return "says that the paper is not published yet"
    if name.strip() and not _without_address(name):
        return "is an address"
    return None


def _without_address(name: str) -> str:
    """A venue's name without web addresses; nothing where only words like 'available at' are left."""
    rest = " ".join(_ADDRESS.sub(" ", name).split())
    rest = rest if rest == " ".join(name.split()) else rest.strip("(<[,;: ")
    telling = _NO_NAME.sub(" ", rest) if rest != name else rest
    return rest if re.search(r"\w", telling) else ""


def year_in(name: str, near: int | None = None) -> int | None:
    """The year that a venue's name carries, as in 'ICLR 2025' or "EMNLP'24"; of several the one that is `near`.

    Two digits mean the years from 1950 to 2049.
    """
    years = [int(found) for found in re.findall(r"(?<![\d.])(?:19|20)\d\d(?!\d)", name)]
    years += [1900 + int(found) + (100 if int(found) < 50 else 0) for found in re.findall(r"['’‘`](\d\d)\b", name)]
    if near:  # 'Lecture Notes in Computer Science 2035' of 2001
        years = sorted((year for year in years if abs(year - near) <= FAR), key=lambda year: abs(year - near))
    return next(iter(years), None)


def track_in(name: str) -> str | None:
    """The track that a venue's name tells, or None."""
    return next((track for track, pattern in _TRACKS if re.search(pattern, name, re.IGNORECASE)), None)


def read(name: str, year: int | None = None, *, journal: bool = False) -> Venue | None:
    """A venue from a source's name for it; None for a preprint server, an address (`no_venue` says so) and a paper
    that is only submitted. The name's own year counts before `year`."""
    if is_preprint(name) or no_venue(name):
        return None
    name = _without_address(name)
    # a journal's entry may name a conference all the same: 'Advances in Neural Information Processing
    # Systems'
    short = known_name(name)
    serial = short in _JOURNALS or (short is None and (journal or _is_serial(name)))
    track = "journal" if serial else track_in(name)
    if (
        short is None
        and track in ("industry", "findings", "demo")
        and not re.search(r"\b(track|papers)\b", name, re.IGNORECASE)
    ):
        track = None  # 'Conference on Industry 4.0': words of a name that is not known are no tracks
    if short and (track == "workshop" or _meets_elsewhere(name)):
        short = None
        own = _workshop(name)
    else:
        own = name
    # a journal's name may hold the years of a series, a conference's its own one: the proceedings may come later
    told = year or year_in(name) if serial else year_in(name, year) or year
    return venue(short or own, told, track)


def _is_serial(name: str) -> bool:
    return bool(_SERIAL.search(name) and not _PROCEEDINGS.search(name))


def _meets_elsewhere(name: str) -> bool:
    """Whether the known name in `name` stands only behind 'co-located with', 'at' and the like."""
    found = _BESIDE.search(name)
    return found is not None and known_name(name[: found.start()]) is None


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
