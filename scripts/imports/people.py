"""The authors of a BibTeX entry: 'Given Family', groups as such, and a word on what was not as BibTeX writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scripts.imports.braces import closing, split
from scripts.imports.latex import read as read_latex
from scripts.imports.latex import to_text
from scripts.model.names import GroupName


@dataclass
class People:
    """Names in their order. `told`: harmless changes; `mended`: what a person should compare with the paper."""

    names: list[str] = field(default_factory=list)
    complete: bool = True
    told: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)  # LaTeX's commands, in their order

    def text(self, source: str) -> str:
        """A name or a part of one as plain text."""
        text, unknown = read_latex(source)
        self.unknown |= dict.fromkeys(unknown)
        return text


_AND = re.compile(r"\s+and(?=\s)", re.IGNORECASE)
_OTHERS = re.compile(r"(others|et\.?\s+al(ii|\.)?|\.\.\.|…)\Z", re.IGNORECASE)
_ET_AL = re.compile(r",?\s+(et\.?\s+al(ii|\.)?|\.\.\.|…)\Z", re.IGNORECASE)
_JOINED = re.compile(r";|\s(?:\\&|&)(?=\s)|\sand(?=[A-Z][a-z])")  # what people write instead of 'and'
_COMMA = re.compile(",")
_SUFFIX = re.compile(r"(Jr|Sr|Jnr|Snr)\.?\Z|(II|III|IV|VI|VII|VIII)\Z", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]*){1,4}\Z")
# DBLP numbers persons of one name: 'Wei Wang 0001'
_HOMONYM = re.compile(r"[\s~]0\d{3}(?=\s*(?:,|\Z))")
_MARKS = re.compile(r"\$\s*\^[^$]*\$|\\textsuperscript\s*\{[^{}]*\}|\\(dag|ddag|dagger|ddagger)\b|[*†‡§¶∗]")
# biber's extended names: 'family=Vliet, given=Vera, prefix=van der, useprefix=true'
_EXTENDED = re.compile(r"\s*\"?\s*(family|given|prefix|suffix|useprefix|juniorcomma|id|hash|gender)(-i)?\s*=")
# options of biber for all the names of a list
_OPTION = re.compile(r"(useprefix|nosortothers|uniquelist|\w*template\w*)\s*=\s*\w+\Z")
_PART = re.compile(r"\s*\"?\s*([a-z-]+)\s*=\s*(.*)\Z", re.DOTALL)
_QUOTED = re.compile(r"=\s*\"([^\"]*)\"(?=\s*(?:,|\Z))")


def read(source: str) -> People:
    """Who stands in an `author` field."""
    people = People()
    for person in split(source, _AND):
        _person(person.strip(" \t\n,;"), people)
    if people.unknown:
        shown = ", ".join(f"\\{command}" for command in people.unknown)
        people.mended.append(f"the names hold LaTeX that is not known here ({shown})")
    return people


def _person(raw: str, people: People) -> None:
    """Adds whom one name between two 'and' means."""
    if not raw:
        return
    if raw.startswith("{") and closing(raw, 1) == len(raw) - 1:
        _add_group(raw, people)
    elif _OTHERS.match(raw):
        people.complete = False
    elif _OPTION.match(raw):
        people.told.append(f"'{raw}' is an option for biber and left out")
    elif _EXTENDED.match(raw):
        _add_extended(raw, people)
    elif _ET_AL.search(raw):
        people.complete = False
        _person(_without_et_al(raw), people)
    elif len(several := [piece.strip() for piece in split(raw, _JOINED) if piece.strip()]) > 1:
        people.mended.append(f"'{to_text(raw)}' is read as {len(several)} authors: 'and' belongs between them")
        for piece in several:
            _person(piece, people)
    else:
        _add_person(raw, people)


def _without_et_al(name: str) -> str:
    end = len(name)
    while cut := _ET_AL.search(name, max(0, end - 24), end):  # its end is near
        end = cut.start()
    return name[:end]


def _add_group(raw: str, people: People) -> None:
    name = people.text(raw)
    if _OTHERS.match(name):
        people.complete = False
        return
    if re.search(r"\sand\s", name):
        people.told.append(f"'{name}' is one author, because it stands in braces")
    _add(GroupName(name), people)


def _add_extended(raw: str, people: People) -> None:
    pieces = split(_QUOTED.sub(r"={\1}", raw), _COMMA)
    parts = {found.group(1): found.group(2).strip() for piece in pieces if (found := _PART.match(piece))}
    if set(parts) <= {"family", "family-i"} and parts.get("family", "").startswith("{"):
        _add_group(parts["family"], people)
        return
    read_as = [people.text(parts[name]) for name in ("given", "prefix", "family", "suffix") if name in parts]
    _add(" ".join(read_as), people)


def _add_person(raw: str, people: People) -> None:
    bare = _HOMONYM.sub("", raw)
    if bare != raw:
        people.told.append(f"the number behind '{to_text(bare)}' is DBLP's and left out")
    clean = _MARKS.sub("", bare)
    if clean != bare:
        people.told.append(f"the marks in '{to_text(bare)}' are no part of a name and left out")
    parts = [text for part in split(clean, _COMMA) if (text := people.text(part))]
    match parts:
        case [name, suffix] if _SUFFIX.match(suffix) and " " in name:
            name = f"{name} {suffix}"
        case [family, given]:
            name = f"{given} {family}"
        case [family, given, suffix] if _SUFFIX.match(suffix):
            name = f"{given} {family} {suffix}"
        case [family, suffix, given] if _SUFFIX.match(suffix) or not all(" " in part for part in parts):
            name = f"{given} {family} {suffix}"
        case [_, _, _, *_]:
            _add_list(parts, people)
            return
        case _:
            name = ", ".join(parts)
    if _ET_AL.search(name):
        people.complete = False
        name = _without_et_al(name)
    if "," in name:  # from braces, as in 'James R. {Celoni, S. J.}'
        people.mended.append(f"the comma in '{name}' is left out")
        name = " ".join(name.replace(",", " ").split())
    _add(_without_capitals(name, people), people)


def _add_list(parts: list[str], people: People) -> None:
    """A list of names with commas between them: 'Ann Bee, Cid Dee, Eve Eff' or 'Bee, A., Dee, C.'."""
    if len(parts) % 2 == 0 and all(_INITIALS.match(given) for given in parts[1::2]):
        parts = [f"{given} {family}" for family, given in zip(parts[::2], parts[1::2], strict=True)]
    people.mended.append(f"'{', '.join(parts)}' is read as {len(parts)} authors: 'and' belongs between them")
    for name in parts:
        _add(_without_capitals(name, people), people)


def _without_capitals(name: str, people: People) -> str:
    """A name in capitals only, as a person writes it."""
    if not name.isupper() or " " not in name or all(len(word.strip(".")) < 3 for word in name.split()):
        return name
    written = re.sub(r"[^\W\d_]{2,}", lambda word: word.group().capitalize(), name)
    people.mended.append(f"'{name}' is in capitals; read as '{written}'")
    return written


def _add(name: str, people: People) -> None:
    if not any(char.isalpha() for char in name):
        if name:
            people.told.append(f"'{name}' is no author and left out")
        return
    people.names.append(name)
