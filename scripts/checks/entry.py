"""The rules that need one entry, the taxonomy and the vocabulary."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from scripts.checks import agreement
from scripts.checks.problem import Problem, allowed, nearest
from scripts.model.canonical import canonical
from scripts.model.corpus import Corpus, Entry
from scripts.model.identifiers import FORMS, KEY, arxiv_month
from scripts.model.names import SUFFIX_AFTER_COMMA, is_group
from scripts.model.paper import Paper
from scripts.model.yaml_reader import YamlPath

SUMMARY_CHARACTERS = (150, 900)
SUMMARY_SENTENCES = (2, 4)
# Hosts that publish, register or host papers themselves. A mirror or a digest is no source.
SOURCES = (
    "aaai.org", "aclanthology.org", "acm.org", "arxiv.org", "cvf.com", "doi.org", "github.com", "iclr.cc", "icml.cc",
    "ieee.org", "ijcai.org", "jair.org", "jmir.org", "jmlr.org", "medrxiv.org", "biorxiv.org", "mlr.press",
    "nature.com", "neurips.cc", "nips.cc", "ncbi.nlm.nih.gov", "openreview.net", "science.org", "sciencedirect.com",
    "semanticscholar.org", "springer.com", "thecvf.com", "vldb.org", "wiley.com",
)  # fmt: skip


def problems(entry: Entry, corpus: Corpus, today: datetime.date, *, written_here: bool = False) -> Iterator[Problem]:
    """Everything wrong with this entry on its own. `written_here`: its text was just made by `emit`, so it is
    canonical."""
    if entry.unreadable:
        yield Problem((), entry.unreadable.rule, entry.unreadable.message, entry.unreadable.repair)
        return
    yield from _schema(entry)
    if not written_here:
        yield from _canonical(entry)
    yield from texts(entry)
    if paper := entry.paper:
        yield from _place(entry, paper)
        yield from _vocabulary(paper, corpus)
        yield from _identifiers(paper)
        yield from _dates(paper, today)
        yield from _links(paper)
        yield from _people(paper)
        yield from agreement.problems(paper, corpus)
        yield from _wording(paper)


# --- form -------------------------------------------------------------------------------------------------------


def _schema(entry: Entry) -> Iterator[Problem]:
    for error in entry.schema_errors:
        path: YamlPath = tuple(error["loc"])
        key = path[-1] if path else "the entry"
        match error["type"]:
            case "extra_forbidden":
                known = _known_keys(path)
                near = get_close_matches(str(key), known, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
                yield Problem(path, "unknown-key", f"there is no key '{key}'", hint)
            case "missing":
                yield Problem(path, "missing-key", f"'{key}' is missing", f"add '{key}: ...'")
            case "value_error":
                yield Problem(path, "wrong-type", str(error["ctx"]["error"]), "write YYYY, YYYY-MM or YYYY-MM-DD")
            case _:
                where = ".".join(map(str, path)) or "the entry"
                found = type(error["input"]).__name__ if error["input"] is not None else "nothing"
                yield Problem(
                    path,
                    "wrong-type",
                    f"'{where}': {error['msg'][0].lower()}{error['msg'][1:]}, found {found}",
                    _type_hint(error),
                )


def _type_hint(error: dict[str, Any]) -> str:
    match error["type"]:
        case "string_type":
            return "quote it: '...'"
        case "list_type" | "tuple_type":
            return "write a list: [..., ...]"
        case "author":
            return "write the name as text; a group's name that does not show it: {group: '...'}"
        case "too_long" | "too_short":
            return "see CONTRIBUTING.md for the form of an entry"
        case "model_type" | "dict_type":
            return "write 'key: value' lines below it"
    return "see papers/schema.json for the form of this field"


def _known_keys(path: YamlPath) -> list[str]:
    model: Any = Paper
    for part in path[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            options = [annotation, *getattr(annotation, "__args__", ())]
            model = next((o for o in options if hasattr(o, "model_fields")), model)
    return list(model.model_fields)


def _canonical(entry: Entry) -> Iterator[Problem]:
    if entry.schema_errors:
        return  # first the content, then its form
    wanted = canonical(entry.text, entry.document)
    if wanted != entry.text:
        line = next(
            (
                number
                for number, (have, want) in enumerate(
                    zip(entry.text.splitlines(), wanted.splitlines(), strict=False), 1
                )
                if have != want
            ),
            1,
        )
        yield Problem(
            (),
            "canonical",
            f"not in canonical form, first on line {line}",
            f"run: atlas fmt {entry.path.name}",
        )


_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn"}
# a closed tag, one that may be without its end, a comment, a character reference; but not '<FSA: ' or 'p<0.05'
_HTML = re.compile(
    r"</?[A-Za-z][\w:-]*(\s[^<>]*)?/?>|<[!?]|</[A-Za-z]"
    r"|<(?i:a|audio|base|body|button|details|div|embed|form|iframe|img|input|link|math|meta|object|p|script|style|svg"
    r"|table|template|textarea|title|video)(?![\w:-])|&(#\d+|#x[0-9a-fA-F]+|[a-z]+);",
)
_SUSPECT = re.compile(r"[<&\\]")  # begins what _HTML finds, or an escape
# two invisible signs that belong to the spelling of Persian, of Indian scripts and of joined emoji
_JOINERS = re.compile("(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")


def texts(entry: Entry) -> Iterator[Problem]:
    """Rules for every text, wherever it stands; so they hold for fields that the schema refused, too."""
    assert entry.document is not None
    # without escapes a value holds the file's own signs: where none is unusual, no value need be looked at
    if not _SUSPECT.search(entry.text) and entry.text.replace("\n", "").isprintable():
        return
    for path, text in _strings(entry.document.value, ()):
        if text.isprintable() and not _SUSPECT.search(text):
            continue
        found = _HTML.search(text)
        if found and not (path == ("ids", "doi") and found.group().startswith("<")):  # a DOI may hold '<' and '>'
            yield Problem(path, "text-html", f"'{found.group()}' looks like HTML", "write it as plain text")
        bad = next((c for c in _JOINERS.sub("", text) if unicodedata.category(c) in _CONTROL and c != "\n"), None)
        if bad:
            yield Problem(path, "text-control", f"holds the invisible character U+{ord(bad):04X}", "remove it")


def _strings(value: Any, path: YamlPath) -> Iterator[tuple[YamlPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(key, (*path, key))
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _strings(item, (*path, place))


def _place(entry: Entry, paper: Paper) -> Iterator[Problem]:
    key, folder = entry.key, entry.path.parent.name
    found = KEY.match(key)
    if not found or entry.path.suffix != ".yml":
        yield Problem(
            (),
            "key-form",
            f"'{entry.path.name}' is no key",
            "name the file like ong2024routellm.yml: family name, year of first publication, short name",
        )
        return
    if found.group(1) != folder:
        yield Problem(
            (),
            "key-folder",
            f"the key says {found.group(1)}, the folder {folder}",
            f"move the file to papers/{found.group(1)}/ or rename it",
        )
    if paper.year and found.group(1) != str(paper.year):
        yield Problem(
            ("date",),
            "key-folder",
            f"the key says {found.group(1)}, the date {paper.date}",
            "the year of the first public version counts for both",
        )


def _vocabulary(paper: Paper, corpus: Corpus) -> Iterator[Problem]:
    taxonomy, vocabulary = corpus.taxonomy, corpus.vocabulary
    categories = taxonomy.categories
    for place, category in enumerate(paper.categories):
        if category not in categories:
            yield Problem(
                ("categories", place),
                "category",
                f"there is no category '{category}'",
                nearest(category, categories),
            )
        elif category in paper.categories[:place]:
            yield Problem(("categories", place), "category", f"'{category}' stands twice", "keep one")
    primary = taxonomy.category(paper.categories[0])
    if paper.family and primary:
        families = [family.id for family in primary.families]
        if paper.family not in families:
            yield Problem(
                ("family",),
                "family",
                f"'{paper.family}' is no family of {paper.categories[0]}",
                nearest(paper.family, families),
            )
    yield from allowed(("kind",), paper.kind, vocabulary.kinds)
    if paper.venue and paper.venue.track:
        yield from allowed(("venue", "track"), paper.venue.track, vocabulary.tracks)
    for name, attribute in vocabulary.attributes.items():
        value = getattr(paper.attributes, name)
        if isinstance(value, list):
            for place, item in enumerate(value):
                yield from allowed(("attributes", name, place), item, attribute.values)
        elif value is not None:
            yield from allowed(("attributes", name), value, attribute.values)
    for place, benchmark in enumerate(paper.attributes.benchmarks):
        if (spelling := vocabulary.spelling(benchmark)) != benchmark:
            yield Problem(
                ("attributes", "benchmarks", place),
                "benchmark-spelling",
                f"'{benchmark}' is spelt '{spelling}' here",
                f"write {spelling}",
            )


# --- facts ------------------------------------------------------------------------------------------------------


def _identifiers(paper: Paper) -> Iterator[Problem]:
    for kind, value in paper.ids.items():
        form = FORMS[kind]
        if not form.pattern.match(value):
            yield Problem(
                ("ids", kind),
                "identifier",
                f"'{value}' is no {form.name} identifier",
                f"write {form.example}",
            )
    doi, acl = paper.ids.doi, paper.ids.acl
    if doi and acl and doi.startswith("10.18653/v1/") and doi.removeprefix("10.18653/v1/").lower() != acl.lower():
        yield Problem(
            ("ids", "doi"), "identifier-mismatch", f"the DOI {doi} is not that of {acl}", "look both up again"
        )


def _dates(paper: Paper, today: datetime.date) -> Iterator[Problem]:
    now = today.isoformat()
    if paper.date and paper.date > now[: len(paper.date)]:
        yield Problem(("date",), "date-future", f"{paper.date} lies in the future", "check the date")
    if paper.checked and paper.checked.date > now[: len(paper.checked.date)]:
        yield Problem(
            ("checked", "date"), "date-future", f"{paper.checked.date} lies in the future", "check the date"
        )
    arxiv = paper.ids.arxiv
    month = arxiv_month(arxiv) if arxiv and FORMS["arxiv"].pattern.match(arxiv) else None
    if month and paper.date:
        shared = min(len(month), len(paper.date))
        # A preprint is submitted up to a few days before the month its identifier names, never after it; a paper
        # may have been public elsewhere long before, which its notes then say.
        if paper.date[:shared] > month[:shared]:
            yield Problem(
                ("date",),
                "date-before-arxiv",
                f"{paper.date} is later than arXiv {paper.ids.arxiv} ({month})",
                "`date` is the first public version, not the publication",
            )
        elif paper.date[:shared] < month[:shared] and not (paper.notes or _eve(paper.date, month)):
            yield Problem(
                ("date",),
                "date-before-arxiv",
                f"{paper.date} is earlier than arXiv {paper.ids.arxiv} ({month})",
                "correct it, or say under `notes` where it was public before",
            )
    if paper.venue and paper.venue.year and paper.year and paper.venue.year < paper.year - 1:
        yield Problem(
            ("venue", "year"),
            "venue-year",
            f"the venue's year {paper.venue.year} lies before the first version {paper.date}",
            "check both",
        )


def _eve(date: str, month: str) -> bool:
    """Whether `date` is one of the last three days before `month`: submitted then, announced in `month`."""
    if len(date) < len("YYYY-MM-DD"):
        return False
    first = datetime.date.fromisoformat(f"{month}-01")
    return datetime.timedelta(0) < first - datetime.date.fromisoformat(date) <= datetime.timedelta(days=3)


def _links(paper: Paper) -> Iterator[Problem]:
    links: list[tuple[YamlPath, str]] = [
        (("links", "code", place), url) for place, url in enumerate(paper.links.code)
    ]
    links += [
        (("links", name), url)
        for name in ("page", "project", "video", "slides")
        if (url := getattr(paper.links, name))
    ]
    links += [(("versions", n, "source"), one.source) for n, one in enumerate(paper.versions) if one.source]
    checked = [
        (("checked", "against", n), url) for n, url in enumerate(paper.checked.against if paper.checked else [])
    ]
    for path, url in (*links, *checked):
        if why := bad_link(url):
            yield Problem(path, "link", f"'{url}' {why}", "give the full address: https://...")
    own = {urlsplit(url).hostname for _, url in links if not bad_link(url)}
    for path, url in checked:
        host = "" if bad_link(url) else urlsplit(url).hostname or ""
        if host and host not in own and not any(host == s or host.endswith(f".{s}") for s in SOURCES):
            yield Problem(
                path,
                "checked-source",
                f"{host} is not known as a source of its own",
                "name the page of arXiv, the DOI, the venue, or add its host to SOURCES in scripts/checks/entry.py",
            )


@lru_cache(maxsize=10_000)  # each address is looked at several times
def bad_link(url: str) -> str | None:
    """Why this is no link to show to readers; None if it is one."""
    if not re.fullmatch(r"[!-~]+", url) or re.search(r"[\"'<>\\^`{|}]", url):
        return "holds characters that an address must not hold"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https"):
        return "does not start with http:// or https://"
    if not host or "." not in host:
        return "has no host"
    if parts.username is not None:
        return "carries credentials"
    return None


_LEFT_OUT = re.compile(r"\bet\s+al\b|^others$", re.IGNORECASE)
_NOT_A_PERSON = [
    (
        re.compile(r"[,;]"),
        "holds a comma or semicolon",
        "write 'Given Family', one author an item, no affiliation; a group's name: {group: '...'}",
    ),
    (
        re.compile(r"(^|\s)(and|&)(\s|$)", re.IGNORECASE),
        "joins two authors",
        "one author an item; a group's name: {group: '...'}",
    ),
    (
        # digits, also raised ones, and the signs of footnotes, addresses and markup
        re.compile(r"[\d\u00b2\u00b3\u00b9\u2070-\u209f*@()\[\]{}:/\\|<>=_#$%^~?+†‡§¶∗⁎•]"),
        "holds a sign that is no part of a name",
        "remove affiliation marks; a group's name: {group: '...'}",
    ),
    (re.compile(r"(^|\s)[^\w\s]+(\s|$)"), "holds a sign that stands alone", "write 'Given Family'"),
]
_NICKNAME = re.compile(
    r"(?<=[\w.] )\([^\W\d_][\w.'’ -]*\)(?= \w)"
)  # as DBLP and proceedings print it: Chun (Rick) Chan


def _people(paper: Paper) -> Iterator[Problem]:
    lists: list[tuple[YamlPath, list[str]]] = [(("authors",), paper.authors)]
    lists += [(("versions", place, "authors"), one.authors) for place, one in enumerate(paper.versions)]
    everybody = [((*path, n), name, names[:n]) for path, names in lists for n, name in enumerate(names)]
    for path, author, before in everybody:
        if why := _bad_author(author):
            yield Problem(path, "author-name", f"'{author}' {why[0]}", why[1])
        elif author in before:
            yield Problem(
                path, "author-namesake", f"'{author}' stands twice", "keep one, unless these are two of one name"
            )


@lru_cache(maxsize=100_000, typed=True)  # the same people write many papers; a GroupName is another key than a str
def _bad_author(author: str) -> tuple[str, str] | None:
    """What is wrong with an author's name, and how to mend it."""
    if _LEFT_OUT.search(author):
        return "stands for authors left out", "name them all, or set authors_complete: false"
    if not any(char.isalpha() for char in author):
        return "holds no letter", "write the author's name"
    if author != " ".join(author.split()):
        return "has stray blanks", "remove them"
    return None if is_group(author) else _bad_person(author)


def _bad_person(author: str) -> tuple[str, str] | None:
    person = SUFFIX_AFTER_COMMA.sub("", _NICKNAME.sub("", author))
    for pattern, what, repair in _NOT_A_PERSON:
        if pattern.search(person):
            return what, repair
    if author.isupper() and len(author) > 3 and re.search(r"[^\W\d_]{2}", author):  # not 'N. O'
        return "is in capitals", "write it as a name; a group's name: {group: '...'}"
    return None


def _wording(paper: Paper) -> Iterator[Problem]:
    letters = [char for char in paper.title if char.isalpha()]
    if len(letters) > 12 and sum(char.isupper() for char in letters) > 0.7 * len(letters):
        yield Problem(("title",), "title-capitals", "the title is in capitals", "write it as the paper does")
    if paper.title != " ".join(paper.title.split()) or re.search(r"[^.]\.$", paper.title):
        yield Problem(("title",), "title-form", "stray blanks or a full stop at the end", "remove them")
    if paper.summary is None:
        rule = "summary-missing" if paper.checked else "summary-unknown"
        yield Problem((), rule, "no summary", "write two to four sentences in your own words")
    else:
        length, sentences = len(paper.summary), count_sentences(paper.summary)
        if not SUMMARY_CHARACTERS[0] <= length <= SUMMARY_CHARACTERS[1]:
            yield Problem(
                ("summary",),
                "summary-length",
                f"{length} characters; {SUMMARY_CHARACTERS[0]} to {SUMMARY_CHARACTERS[1]} serve a reader",
                "say what is new, what is computed from what, and the most telling number",
            )
        if not SUMMARY_SENTENCES[0] <= sentences <= SUMMARY_SENTENCES[1]:
            yield Problem(("summary",), "summary-length", f"{sentences} sentence(s)", "write two to four sentences")
    if paper.checked is None:
        yield Problem((), "unverified", "not verified", "hold it against its sources and add a `checked` block")


def count_sentences(text: str) -> int:
    """Sentences end with . ! or ? before a blank and a capital, a digit or a quote, or at the end."""
    shielded = re.sub(r"\b(e\.g|i\.e|vs|cf|al|approx|Fig|Eq|No)\.", r"\1", text)
    return len(re.findall(r"[.!?][\"')’”]?(?=\s+[\"'(‘“]?[A-Z0-9]|\s*$)", shielded))
