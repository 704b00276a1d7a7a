"""How much of the field is here, measured against a list of papers that somebody else made.

A list is a text with an address or identifier of each paper: the README of an 'awesome' repository, a page saved as
Markdown, a survey's references. What it names is here, or was refused with a reason, or is missing. A missing paper
may not belong here either, so the share that is told is the least that recall can be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.imports.identify import identifiers_in
from scripts.imports.stubs import SAME_TITLE, Shelf
from scripts.model import Corpus, Paper, yaml_reader
from scripts.model.corpus import CorpusError
from scripts.sources.match import title_score
from scripts.upkeep.candidates import Refusals

MOST_BYTES = 4 * 1024 * 1024
#: Where a link leads to a paper although its address holds no identifier: such a paper is known by its title.
_HOSTS = re.compile(
    r"https?://(?:[\w-]+\.)*(?:proceedings\.neurips\.cc|papers\.n(?:eur)?ips\.cc|proceedings\.mlr\.press"
    r"|ieeexplore\.ieee\.org|dl\.acm\.org|ojs\.aaai\.org|sciencedirect\.com|openaccess\.thecvf\.com|mlforsystems\.org)/"
)
_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*\Z|<summary>(.+?)</summary>")
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)[^()]*\)")
_PICTURE = re.compile(r"!\[[^\[\]]*\]\([^()]*\)|<[^<>]*>")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?!\s)(.+?)(?<!\s)\1(?![\w*])")
_YEAR = re.compile(r"(?<![\d.])(20[12]\d)(?![\d.])")


@dataclass(frozen=True)
class Listed:
    """One paper as a list names it. `title` and `section` are '' and `year` is None where the list does not tell."""

    ids: Mapping[str, str]
    title: str
    section: str
    year: int | None


def read_list(path: Path) -> list[Listed]:
    """The papers that a text names, each once. ValueError, saying what and where, for a text that cannot be read."""
    try:
        text = yaml_reader.read_text(path, MOST_BYTES)
    except yaml_reader.UnreadableError as error:
        raise ValueError(f"{path}: {error.message} ({error.repair})") from error
    found: list[Listed] = []
    seen: set[tuple[str, str]] = set()
    section = ""
    for line in text.splitlines():
        if heading := _HEADING.match(line.strip()):
            section = _plain(heading[1] or heading[2])
        for listed in _of_line(line[:5000], section):
            marks = set(listed.ids.items()) or {("title", listed.title.casefold())}
            if not marks & seen:
                found.append(listed)
            seen |= marks
    if not found:
        raise ValueError(f"{path}: no paper is named there by an identifier or address (look at the file)")
    return found


def _of_line(line: str, section: str) -> Iterator[Listed]:
    links = [(_plain(text), list(dict.fromkeys(identifiers_in(address)))) for text, address in _LINK.findall(line)]
    every = list(dict.fromkeys(identifiers_in(_LINK.sub(r"\1 \2 ", line))))
    kinds = Counter(kind for kind, _ in every)
    if kinds and max(kinds.values()) > 1:  # several papers, each with the words of its own link
        for identifier in every:
            title = next((text for text, own in links if identifier in own), "")
            yield Listed(dict([identifier]), title, section, _year(dict([identifier]), ""))
    elif every or _HOSTS.search(line):
        title = _title(line, [text for text, _ in links])
        if every or title:
            yield Listed(dict(every), title, section, _year(dict(every), line))


def _title(line: str, links: Iterable[str]) -> str:
    """The longest of what may be a title: words of a link, a table's cell, words that are set apart."""
    cells = [_plain(cell) for cell in line.strip().strip("|").split(" | ")] if line.lstrip().startswith("|") else []
    apart = [_plain(words) for _, words in _EMPHASIS.findall(_LINK.sub(r"\1", line))]
    likely = [text for text in [*links, *cells, *apart] if len(text.split()) > 2]
    return max(likely, key=len, default="")[:300]


def _plain(text: str) -> str:
    bare = _LINK.sub(r"\1", _PICTURE.sub(" ", text))
    return " ".join(re.sub(r"[*`|]|https?://\S+", " ", bare).split()).strip(" .,:;–—-")


def _year(ids: Mapping[str, str], line: str) -> int | None:
    if (arxiv := ids.get("arxiv", "")) and re.match(r"\d{4}\.", arxiv):
        return 2000 + int(arxiv[:2])
    if found := re.match(r"(\d{4})\.", ids.get("acl", "")):
        return int(found[1])
    years = _YEAR.findall(re.sub(r"https?://\S+", " ", line))
    return int(years[-1]) if years else None


@dataclass(frozen=True)
class Held:
    """What is here of a list.

    Attributes:
        here: the entry of each listed paper that has one.
        missing, refused: those that have none, and those that taxonomy/refused.yml names.
        papers: the entries.
        later: keys of entries that count as missing, since they came after the state that is measured.
    """

    here: Mapping[str, Listed]
    missing: tuple[Listed, ...]
    refused: tuple[Listed, ...]
    papers: Mapping[str, Paper]
    later: frozenset[str] = frozenset()

    def as_text(self) -> str:
        """In sentences, then a line a year, a category, a section of the list."""
        early = [key for key in self.here if key not in self.later]
        of = len(self.here) + len(self.missing)
        counted = f"{len(early)} here, {of - len(early)} missing, {len(self.refused)} refused with a reason"
        told = [
            f"{of + len(self.refused)} papers in the list: {counted}",
            f"recall is at least {_share(len(early), of)}: a missing paper may not belong here either",
        ]
        if self.later & set(self.here):
            told.append(
                f"{len(self.here) - len(early)} of the missing have come in since and show under their category"
            )
        years = self._counts(lambda key: self.papers[key].year, lambda listed: listed.year)
        stages = self._counts(lambda key: self.papers[key].categories[0], lambda _: None)
        sections = self._counts(lambda key: self.here[key].section, lambda listed: listed.section)
        told += _table("year", years, "unknown")
        told += _table("category", stages, "no entry yet")
        return "\n".join(told + _table("section of the list", sections, "before any heading"))

    def _counts(self, of_key: Callable[[str], object], of_listed: Callable[[Listed], object]) -> Counts:
        counts: Counts = {}
        for key in self.here:
            here, all_ = counts.get(str(of_key(key) or ""), (0, 0))
            counts[str(of_key(key) or "")] = (here + (key not in self.later), all_ + 1)
        for listed in self.missing:
            here, all_ = counts.get(str(of_listed(listed) or ""), (0, 0))
            counts[str(of_listed(listed) or "")] = (here, all_ + 1)
        return counts


def hold(corpus: Corpus, refusals: Refusals, listed: Iterable[Listed], later: Collection[str] = ()) -> Held:
    """Which of the listed papers are here, by identifier or title. A paper that is listed twice counts once."""
    shelf = Shelf(corpus)
    ids = {refusal.arxiv for refusal in refusals.refused if refusal.arxiv}
    titles = [refusal.title for refusal in refusals.refused if refusal.title]
    here: dict[str, Listed] = {}
    missing: list[Listed] = []
    refused: list[Listed] = []
    for one in listed:
        if key := next(filter(None, (_entry(shelf, one, title) for title in _titles(one.title))), None):
            here.setdefault(key, one)
            continue
        if one.ids.get("arxiv") in ids or any(title_score(one.title, title) >= SAME_TITLE for title in titles):
            others = refused
        else:
            others = missing
        if not any(_same(one, other) for other in others):
            others.append(one)
    return Held(here, tuple(missing), tuple(refused), corpus.papers, frozenset(later))


def _same(one: Listed, other: Listed) -> bool:
    """Whether two lines name one paper."""
    shared = set(one.ids.items()) & set(other.ids.items())
    return bool(shared) or bool(one.title and title_score(one.title, other.title) >= SAME_TITLE)


def _entry(shelf: Shelf, one: Listed, title: str) -> str | None:
    fields = {"title": title or "?", "ids": dict(one.ids), "kind": "method", "categories": ["?"]}
    paper = Paper.model_validate(fields)
    return shelf.twin(paper) or next(shelf.alike(paper), None)


def _titles(written: str) -> Iterator[str]:
    """A title as it is written, and as it may be meant: 'A Title (Name)', 'Name (A Title)'."""
    yield written
    if found := re.match(r"(.+?)\s*\((.+)\)\Z", written):
        yield from (part for part in found.groups() if len(part.split()) > 3)


def read_keys(path: Path, corpus: Corpus) -> frozenset[str]:
    """Keys or paths of entries, one a line, as `git diff --diff-filter=A --name-only` writes them."""
    try:
        lines = yaml_reader.read_text(path, MOST_BYTES).split("\n")
    except yaml_reader.UnreadableError as error:
        raise ValueError(f"{path}: {error.message} ({error.repair})") from error
    keys = frozenset(Path(line.strip()).stem for line in lines if line.strip())
    if strange := sorted(keys - set(corpus.papers)):
        raise CorpusError(f"{path}: there is no entry {strange[0]} (give keys or paths of entries, one a line)")
    return keys


Counts = dict[str, tuple[int, int]]


def _table(what: str, counts: Counts, unknown: str) -> list[str]:
    rows = [(name or unknown, here, of) for name, (here, of) in sorted(counts.items(), key=lambda one: one[0])]
    wide = max([len(what), *(len(name) for name, _, _ in rows)])
    return [
        "",
        f"{what:<{wide}}  here   of",
        *(f"{name:<{wide}}  {here:>4} {of:>4}  {_share(here, of)}" for name, here, of in rows),
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "none there"
